"""The HTTP API: what it answers, what it refuses, and how it behaves while there is no bot yet."""

from __future__ import annotations

import asyncio
import socket
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

import app as application
from index.archive import Filters
from index.encoder import EncoderIdentity
from index.errors import ArchiveError, InputError, NotFoundError
from index.layout import IndexFolder
from index.manifest import Counts
from index.records import Article
from qa.answer import Answer, cite
from qa.web.guard import MAX_BODY_BYTES, is_loopback
from qa.web.prepare import Models, prepare_pages
from qa.web.server import create_app, open_port
from qa.web.startup import BusyError, Ready, Service

ARTICLE = Article(
    id="a1",
    source="a.txt",
    headline="暖心包送到一线",
    byline="",
    date="2022-07-18",
    event_dates=(),
    paper="晚报",
    section="A02",
    spans=((0, 7), (8, 20)),
    headline_spans=((0, 7),),
    text="暖心包送到一线" + "一" * 12,
)
ANSWER = Answer("问？", True, "一一", 0.9, (cite(ARTICLE, "一一", ((8, 10),), 1.5),), (), {"total": 1.0})


class FakeArchive:
    generation = SimpleNamespace(id="g1")
    manifest = SimpleNamespace(
        generation="g1",
        created="2024-01-01",
        wenbao_version="0",
        encoder=SimpleNamespace(name="a-model"),
        counts=Counts(sources=1, articles=1, imprints=0, passages=1, rejections=0),
    )

    def article(self, article_id: str) -> Article:
        if article_id != "a1":
            raise NotFoundError(f"The archive holds no article {article_id!r}.")
        return ARTICLE

    def facets(self) -> dict[str, list[tuple[str, int]]]:
        return {"paper": [("晚报", 1)], "section": [("A02", 1)]}

    def date_range(self) -> tuple[str, str]:
        return ("2022-07-18", "2022-07-18")


class FakeBot:
    archive = FakeArchive()

    def __init__(self) -> None:
        self.asked: list[tuple[str, Filters | None]] = []
        self.threads: set[int] = set()

    def ask(self, question: str, *, filters: Filters | None = None) -> Answer:
        self.threads.add(threading.get_ident())
        self.asked.append((question, filters))
        if not question.strip():
            raise InputError("The question is empty.")
        if question == "坏":
            raise ArchiveError("The archive is damaged.")
        return ANSWER

    def search(self, question: str, k: int, *, filters: Filters | None = None) -> tuple[Any, ...]:
        return ()


def ready_service(bot: Any) -> Service:
    service = Service(lambda on_stage: Ready(bot))
    service.start()
    service.wait(5)
    return service


@pytest.fixture(scope="module")
def bot() -> FakeBot:
    return FakeBot()


@pytest.fixture(scope="module")
def client(bot: FakeBot) -> Any:
    with TestClient(create_app(ready_service(bot)), base_url="http://127.0.0.1:7860") as opened:
        yield opened


def test_ask_returns_the_answer_as_it_is(client: TestClient, bot: FakeBot) -> None:
    body = {"question": "问？", "date_from": "2022", "paper": "晚报", "section": ""}
    response = client.post("/api/ask", json=body)
    assert response.status_code == 200
    assert response.json() == httpx.Response(200, json=ANSWER.to_dict()).json()
    assert bot.asked[-1] == ("问？", Filters(date_from="2022", paper="晚报"))
    assert threading.get_ident() not in bot.threads


@pytest.mark.parametrize(
    ("question", "status", "kind"),
    [(" ", 400, "InputError"), ("坏", 503, "ArchiveError"), ("长" * 4001, 400, "InputError")],
)
def test_errors_have_a_status_and_a_message(client: TestClient, question: str, status: int, kind: str) -> None:
    response = client.post("/api/ask", json={"question": question})
    assert response.status_code == status
    assert response.json()["error"]["type"] == kind
    assert response.json()["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"question": 5},
        {"question": "问", "papers": "x"},
        {"question": "问", "paper": "x" * 101},
        {"question": None},
        [],
    ],
)
def test_a_body_that_is_wrong_is_refused(client: TestClient, body: Any) -> None:
    response = client.post("/api/ask", json=body)
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "InputError"


def test_search_limits_k(client: TestClient) -> None:
    assert client.post("/api/search", json={"question": "问", "k": 50}).json() == {"question": "问", "hits": []}
    assert client.post("/api/search", json={"question": "问", "k": 51}).status_code == 400
    assert client.post("/api/search", json={"question": "问", "k": 0}).status_code == 400


def test_an_article_and_what_the_archive_holds(client: TestClient) -> None:
    assert client.get("/api/articles/a1").json()["text"] == ARTICLE.text
    missing = client.get("/api/articles/%2e%2e%2fetc")
    assert missing.status_code == 404
    info = client.get("/api/info").json()
    assert info["encoder"] == "a-model"
    assert info["counts"]["articles"] == 1
    assert info["dates"] == {"first": "2022-07-18", "last": "2022-07-18"}
    assert info["papers"] == [{"name": "晚报", "articles": 1}]


def test_the_page_and_the_description_of_the_api(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ready"}
    page = client.get("/")
    assert page.status_code == 200
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "/api/ask" in client.get("/openapi.json").json()["paths"]
    for closed in ("/docs", "/redoc"):
        assert client.get(closed).status_code == 404
    assert client.get("/favicon.ico").headers["content-type"] == "image/svg+xml"


@pytest.mark.parametrize("path", ["/gradio_api/file=app.py", "/gradio_api/proxy=http://x/", "/monitoring/summary"])
def test_nothing_serves_files_or_other_sites(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404
    assert client.post("/gradio_api/upload", files={"files": b"x"}).status_code == 404


def test_no_event_of_the_page_is_an_api(client: TestClient) -> None:
    described = client.get("/gradio_api/info").json()
    assert described["named_endpoints"] == {}
    assert described["unnamed_endpoints"] == {}


def test_a_foreign_name_or_page_is_refused(client: TestClient) -> None:
    assert client.get("/healthz", headers={"host": "evil.example:7860"}).status_code == 400
    assert client.get("/healthz", headers={"host": "localhost:7860"}).status_code == 200
    assert client.get("/healthz", headers={"host": "[::1]:7860"}).status_code == 200
    headers = {"sec-fetch-site": "cross-site"}
    assert client.post("/api/ask", json={"question": "问"}, headers=headers).status_code == 403
    assert client.get("/healthz", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://192.168.1.5:7860", 200), ("https://evil.example", 403), ("null", 403), (None, 200)],
)
def test_a_network_address_is_not_open_to_pages_of_other_sites(origin: str | None, status: int) -> None:
    app = create_app(ready_service(FakeBot()), host="0.0.0.0")  # noqa: S104
    client = TestClient(app, base_url="http://192.168.1.5:7860")
    headers = {"origin": origin} if origin else {}
    answer = client.post("/api/ask", json={"question": "问"}, headers=headers)
    assert answer.status_code == status
    page = client.get("/gradio_api/info", headers={"origin": "https://evil.example"})
    assert not [name for name in page.headers if name.startswith("access-control-")]
    asked = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    assert client.options("/gradio_api/queue/join", headers=asked).status_code == 403


def test_a_body_that_is_no_utf8_is_refused_in_the_form_of_all_errors(client: TestClient) -> None:
    body = '{"question": "问"}'.encode("gbk")
    answer = client.post("/api/ask", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert "UTF-8" in answer.json()["error"]["message"]


def test_the_description_of_the_api_names_the_errors_that_there_are(client: TestClient) -> None:
    described = client.get("/openapi.json").json()["paths"]["/api/ask"]["post"]["responses"]
    assert described.keys() == {"200", "4XX", "503"}


def test_a_huge_body_is_refused_with_and_without_its_length(client: TestClient) -> None:
    huge = b'{"question": "' + b"x" * MAX_BODY_BYTES + b'"}'
    assert client.post("/api/ask", content=huge).status_code == 413

    def parts() -> Any:
        yield from (huge[at : at + 8192] for at in range(0, len(huge), 8192))

    response = client.post("/api/ask", content=parts(), headers={"content-type": "application/json"})
    assert response.status_code == 413


def test_a_public_server_takes_any_name() -> None:
    with TestClient(create_app(ready_service(FakeBot()), host="0.0.0.0"), base_url="http://news.example") as public:  # noqa: S104
        assert public.get("/healthz").status_code == 200
    assert is_loopback("::1")
    assert is_loopback("127.0.0.5")
    assert not is_loopback("0.0.0.0")  # noqa: S104
    assert not is_loopback("example.org")


def test_while_it_starts_and_after_it_failed() -> None:
    go_on = threading.Event()

    def prepare(on_stage: Any) -> Ready:
        on_stage("encode", 3, 10)
        go_on.wait(10)
        raise ArchiveError("Another build is writing.")

    service = Service(prepare)
    with TestClient(create_app(service), base_url="http://127.0.0.1") as starting:
        service.start()
        for _ in range(50):
            health = starting.get("/healthz")
            if health.json().get("progress", {}).get("stage") == "encode":
                break
        assert health.status_code == 503
        assert health.json()["progress"] == {"stage": "encode", "done": 3, "total": 10}
        early = starting.post("/api/ask", json={"question": "问"})
        assert early.status_code == 503
        assert early.headers["retry-after"]
        assert early.json()["error"]["type"] == "NotReadyError"
        go_on.set()
        service.wait(5)
        assert starting.get("/healthz").json()["status"] == "failed"
        late = starting.get("/api/info")
        assert late.status_code == 503
        assert "Another build is writing." in late.json()["error"]["message"]


def test_work_is_bounded() -> None:
    service = Service(lambda on_stage: Ready(FakeBot()), concurrency=1, waiting=1)  # type: ignore[arg-type]
    blocked = threading.Event()

    async def run() -> list[Any]:
        calls = [asyncio.create_task(service.answer(lambda: blocked.wait(5))) for _ in range(3)]
        await asyncio.sleep(0.2)
        blocked.set()
        return await asyncio.gather(*calls, return_exceptions=True)

    results = asyncio.run(run())
    assert sum(isinstance(result, BusyError) for result in results) == 1
    assert results.count(True) == 2


def test_articles_do_not_wait_for_questions_to_be_answered() -> None:
    service = Service(lambda on_stage: Ready(FakeBot()), concurrency=1)  # type: ignore[arg-type]
    answered = threading.Event()

    async def run() -> list[bool]:
        question = asyncio.create_task(service.answer(lambda: answered.wait(5)))
        await asyncio.sleep(0.1)
        looked_up = await service.look_up(lambda: not answered.is_set())
        answered.set()
        return [looked_up, await question]

    assert asyncio.run(run()) == [True, True]


def test_questions_are_answered_in_the_order_in_which_they_came() -> None:
    service = Service(lambda on_stage: Ready(FakeBot()), concurrency=1)  # type: ignore[arg-type]
    order: list[int] = []

    async def run() -> None:
        await asyncio.gather(*[service.answer(lambda number=number: order.append(number)) for number in range(20)])

    asyncio.run(run())
    assert order == list(range(20))


def test_a_port_that_is_taken_names_the_option() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(InputError, match="--port"):
            open_port("127.0.0.1", other.getsockname()[1])


def test_serve_says_that_there_is_no_archive(tmp_path: Any) -> None:
    result = CliRunner().invoke(application.cli, ["serve", "--index", str(tmp_path / "none")])
    assert result.exit_code == 1
    assert "There is no archive" in result.output
    assert "Traceback" not in result.output


class FakeEncoder:
    """Vectors of counted characters."""

    identity = EncoderIdentity("fake", "0" * 64, 16, "", "", 512)

    def encode_queries(self, texts: Any) -> Any:
        return self.encode_passages(texts)

    def encode_passages(self, texts: Any, progress: Any = None) -> Any:
        vectors = np.full((len(texts), 16), 0.01, np.float32)
        for row, text in enumerate(texts):
            for character in text:
                vectors[row, ord(character) % 16] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_the_start_builds_what_is_missing_or_changed_and_nothing_else(tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("index.encoder.load_encoder", lambda name=None: FakeEncoder())
    index, pages, others = tmp_path / "index", tmp_path / "pages", tmp_path / "others"
    for folder in (pages, others):
        folder.mkdir()
    (pages / "a.txt").write_text("水库放水\n\n" + "本报讯 水库今天放水,村民很高兴。" * 5, encoding="utf-8")
    (others / "b.txt").write_text("图书馆开门\n\n" + "本报讯 图书馆今天开门,读者很多。" * 5, encoding="utf-8")
    stages: list[str] = []

    def start(folder: Any, *, named: bool) -> str:
        stages.clear()
        prepare = prepare_pages(index, folder, Models(threshold=0.5), pages_named=named)
        return prepare(lambda stage, done, total: stages.append(stage)).bot.archive.generation.id

    first = start(pages, named=False)
    assert stages[0] == "model"
    assert stages[-1] == "open"
    assert "encode" in stages
    assert start(pages, named=True) == first
    assert "encode" not in stages
    assert start(others, named=False) == first
    with pytest.raises(InputError, match="--index"):
        start(others, named=True)
    (pages / "c.txt").write_text("学校开学\n\n" + "本报讯 学校今天开学,学生到齐了。" * 5, encoding="utf-8")
    changed = start(pages, named=False)
    assert changed != first
    (index / "generations" / changed / "manifest.json").write_text(
        '{"inputs": ["' + str(pages) + '"]}', encoding="utf-8"
    )
    assert start(pages, named=False) != changed
    (index / "generations" / (index / "CURRENT").read_text().strip() / "manifest.json").write_text(
        "{}", encoding="utf-8"
    )
    with pytest.raises(ArchiveError):
        start(pages, named=False)


def damage(index: Path, manifest: str) -> None:
    IndexFolder(index).current().manifest.write_text(manifest, encoding="utf-8")
