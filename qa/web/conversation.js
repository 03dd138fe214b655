// Runs once in the conversation's component; `element`, `trigger` and `watch` come from gradio.
const number = (value) => Number.parseInt(value, 10);

element.addEventListener("click", (event) => {
  const target = event.target.closest("button");
  if (!target || !element.contains(target)) return;
  const data = target.dataset;
  if (data.citation !== undefined || data.nearest !== undefined) {
    const kind = data.citation !== undefined ? "citation" : "nearest";
    element.querySelectorAll(".wb-current").forEach((other) => other.classList.remove("wb-current"));
    target.classList.add("wb-current");
    document.body.dataset.wbReading = "opening";
    window.wenbaoOpener = target;
    trigger("open", { turn: number(data.turn), kind, place: number(data[kind]) });
  } else if (data.example !== undefined) {
    trigger("example", { place: number(data.example) });
  } else if (data.copy !== undefined) {
    copy(data.copy).then(() => {
      const label = target.textContent;
      target.textContent = data.copied;
      setTimeout(() => { if (target.textContent === data.copied) target.textContent = label; }, 1500);
    });
  }
});

async function copy(text) {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea"); // the clipboard is closed to pages without TLS
  field.value = text;
  field.style.position = "fixed";
  field.style.opacity = "0";
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

let turns = 0;
watch("value", () => {
  const shown = element.querySelectorAll(".wb-turn");
  const words = element.querySelector(".wb-words");
  if (words && words.lang) document.documentElement.lang = words.lang;
  if (shown.length && (shown.length !== turns || shown[shown.length - 1].querySelector(".wb-reply:not(.wb-pending)"))) {
    shown[shown.length - 1].scrollIntoView({ block: shown.length === 1 ? "nearest" : "start", behavior: "instant" });
  }
  turns = shown.length;
});
