"""The page in a real browser: start, ask, read the cited article, and stay on this machine."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = [
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-first-run"),
]
START_SECONDS = 90
HOSTILE = (
    """<script>window.hacked=1</script><img src=x onerror="window.hacked=2"> """
    "**粗体** $x^2$ {{value}} ${window.hacked=3}"
)
PAGES = {
    "a.txt": f"""渔港晚报
2023年5月4日 星期四 A01版 要闻

石门水库开闸放水

本报讯(记者/林见鹿)5月3日上午,石门水库开闸放水,下游的三个镇当天就用上了清水。管理处主任梁远帆说,这次一共放水120万立方米。

水库去年底开始检修,工期四个月。{HOSTILE}村民在渠边看水,说今年的早稻有指望了。
""",
    "b.txt": """渔港晚报
2023年6月12日 星期一 A02版 社会

老码头变身图书馆

本报讯(记者/周书晚)闲置十年的老码头仓库改成了图书馆,6月11日开门迎客。馆内藏书3.6万册,靠窗的座位能望见江面。

馆长许静仪介绍,图书馆每天上午9时开门,晚上9时闭馆,周一休息。
""",
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(folder: Path, *command: str) -> Iterator[str]:
    """Run a command that serves, and check that it ends cleanly when interrupted."""
    port = free_port()
    with (folder / f"log-{port}").open("w+", encoding="utf-8") as log:
        server = subprocess.Popen([*command, "--port", str(port)], stdout=log, stderr=subprocess.STDOUT, cwd=folder)
        try:
            wait_for(f"http://127.0.0.1:{port}/openapi.json", server)
            yield f"http://127.0.0.1:{port}"
            server.send_signal(signal.SIGINT)
            assert server.wait(20) == 0
            log.seek(0)
            assert "Traceback" not in log.read()
        finally:
            server.kill()
            server.wait()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    (folder / "pages").mkdir()
    for name, text in PAGES.items():
        (folder / "pages" / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[str]:
    """The main job: pages are indexed, then asked."""
    app = [sys.executable, str(ROOT / "app.py"), "--threshold", "0.01"]
    with serving(folder, *app, "--pages", str(folder / "pages"), "--index", str(folder / "index")) as url:
        yield url


@pytest.fixture(scope="module")
def declining_site(folder: Path, site: str) -> Iterator[str]:
    """The archive of `site`, served by itself, with a threshold that nothing reaches."""
    run = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from app import cli; cli()"
    end = time.monotonic() + START_SECONDS
    while not ready(site) and time.monotonic() < end:
        time.sleep(0.3)
    index = str(folder / "index")
    with serving(folder, sys.executable, "-c", run, "serve", "--index", index, "--threshold", "1") as url:
        yield url


def ready(site: str) -> bool:
    try:
        with urllib.request.urlopen(f"{site}/healthz", timeout=10):
            return True
    except urllib.error.HTTPError:
        return False


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:  # noqa: PERF203
            time.sleep(0.2)
    pytest.fail(f"nothing answers at {url}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no chromium, chromium-browser or google-chrome is installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield opened
        opened.close()


class Visit:
    """A browser tab on the page, with everything that must not happen written down."""

    def __init__(self, browser: Any, site: str, *, width: int = 1280, height: int = 800, locale: str = "zh-CN") -> None:
        self.context = browser.new_context(viewport={"width": width, "height": height}, locale=locale)
        self.page = self.context.new_page()
        self.foreign: list[str] = []
        self.errors: list[str] = []
        self.page.set_default_timeout(START_SECONDS * 1000)
        self.page.on("request", lambda request: self._note(request.url, site))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("dialog", lambda dialog: self.errors.append(dialog.message))
        self.page.goto(site)

    def _note(self, url: str, site: str) -> None:
        if not url.startswith((site + "/", "data:", "blob:")):
            self.foreign.append(url)

    def ask(self, question: str) -> Any:
        before = self.page.locator(".wb-turn").count()
        self.page.fill("#wb-question textarea", question)
        self.page.keyboard.press("Enter")
        reply = self.page.locator(f'.wb-turn[data-turn="{before}"] .wb-reply:not(.wb-pending)')
        reply.wait_for()
        return reply

    def marked(self) -> str:
        return "".join(self.page.locator("#wb-article mark").all_text_contents())

    def close(self) -> None:
        hacked = self.page.evaluate("window.hacked")
        self.context.close()
        assert hacked is None
        assert self.foreign == []
        assert self.errors == []


def test_ask_and_read_the_cited_article(browser: Any, site: str) -> None:
    visit = Visit(browser, site)
    page = visit.page
    # Asked while the archive is being built: the question waits, then is answered.
    reply = visit.ask("石门水库一共放水多少立方米？")
    assert "120万立方米" in reply.locator(".wb-quote").inner_text()
    assert "2 篇" in page.locator(".wb-papers").inner_text()
    answer = post(f"{site}/api/ask", {"question": "石门水库一共放水多少立方米？"})
    page.locator(".wb-cite").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#wb-article mark")
    assert visit.marked() == answer["citations"][0]["quote"]
    assert page.locator("#wb-article h2").inner_text() == "石门水库开闸放水"
    shown = page.locator("#wb-article .wb-body").text_content()
    for words in ("<script>window.hacked=1</script>", "**粗体** $x^2$ {{value}} ${window.hacked=3}"):
        assert words in shown
    assert page.locator("#wb-article :is(script, img)").count() == 0
    assert page.locator("#wb-article mark").first.is_visible()
    visit.close()


def test_what_the_archive_does_not_answer(browser: Any, declining_site: str) -> None:
    visit = Visit(browser, declining_site)
    page = visit.page
    page.wait_for_selector(".wb-papers")
    page.click("#wb-filters > button")
    page.get_by_label("截止日期").fill("2023-05")
    reply = visit.ask("量子计算机的芯片是哪家公司造的？")
    assert page.locator(".wb-not-found").count() == 1
    assert "没有找到答案" in reply.inner_text()
    assert reply.locator(".wb-cite").count() == 0
    cards = reply.locator(".wb-nearest .wb-card")
    assert cards.count() >= 1
    assert "老码头" not in reply.inner_text()
    cards.first.click()
    page.wait_for_selector("#wb-article .wb-near")
    page.get_by_label("截止日期").fill("去年")
    assert "看不懂日期" in visit.ask("图书馆几点开门？").inner_text()
    assert "最多 500" in visit.ask("问" * 501).inner_text()
    page.click("#wb-new")
    page.wait_for_selector(".wb-empty")
    assert page.locator("#wb-article article").count() == 0
    visit.close()


def test_the_language_follows_the_browser_and_the_switch(browser: Any, site: str) -> None:
    visit = Visit(browser, site, locale="en-US")
    page = visit.page
    page.get_by_text("What would you like to know from the paper?").wait_for()
    page.locator("#wb-holdings, .wb-holdings").get_by_text("2023-05-04 to 2023-06-12").wait_for()
    page.click("#wb-language label:has-text('中文')")
    page.get_by_text("想从报纸里知道什么？").wait_for()
    assert page.get_attribute("#wb-question textarea", "placeholder") == "输入问题，按回车发送"
    page.wait_for_function("document.documentElement.lang === 'zh-CN'")
    visit.close()


def test_on_a_phone_the_article_lies_over_the_conversation(browser: Any, site: str) -> None:
    visit = Visit(browser, site, width=390, height=844)
    page = visit.page
    visit.ask("图书馆藏书多少册？")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert not page.locator("#wb-right").is_visible()
    page.locator(".wb-card").first.click()
    page.wait_for_selector("#wb-article mark", state="visible")
    page.keyboard.press("Escape")
    page.wait_for_selector("#wb-right", state="hidden")
    visit.close()


def post(url: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)
