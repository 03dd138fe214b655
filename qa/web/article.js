// Runs once in the article's component. On a narrow screen the article lies over the conversation while it is read.
const narrow = window.matchMedia("(max-width: 860px)");

function close() {
  delete document.body.dataset.wbReading;
  if (window.wenbaoOpener && document.contains(window.wenbaoOpener)) window.wenbaoOpener.focus();
}

element.addEventListener("click", (event) => {
  if (event.target.closest(".wb-close")) close();
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && document.body.dataset.wbReading && narrow.matches) close();
});

watch("value", () => {
  const article = element.querySelector(".wb-article, .wb-notice");
  if (!article) {
    delete document.body.dataset.wbReading;
    return;
  }
  if (document.body.dataset.wbReading === "opening") {
    document.body.dataset.wbReading = "open";
    if (narrow.matches) element.querySelector("#wb-article-title")?.focus({ preventScroll: true });
  }
  requestAnimationFrame(() => {
    const panel = document.getElementById("wb-right");
    const mark = article.querySelector("mark");
    const top = mark ? mark.getBoundingClientRect().top - panel.getBoundingClientRect().top + panel.scrollTop : 0;
    panel.scrollTo({ top: Math.max(0, top - panel.clientHeight / 3), behavior: "instant" });
  });
});
