"""How readers come from one generation to the next: beside the questions, with two of them held at most."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from index.archive import Archive
from index.build import build_archive
from index.layout import IndexFolder
from qa.bot import Bot
from qa.following import Following
from qa.retrieve import Retriever
from qa.web.server import create_app
from qa.web.startup import Ready, Service
from tests.fakes import HashingEncoder, simple_bot

QUESTION = "青石桥加固工程总投资多少？"
LONG = 120.0  # for what takes a second on a machine that is not loaded

# Nobody asks: the main thread waits for the end of its input, and what is printed comes from the thread that follows.
SERVE = """
import logging, sys
from pathlib import Path
from index.archive import Archive
from qa.web.startup import Ready, Service
from tests.fakes import HashingEncoder, simple_bot

bot = simple_bot(Archive.open(Path(sys.argv[1])), HashingEncoder())
log = logging.getLogger("qa.following")
log.setLevel(logging.INFO)
log.addHandler(logging.StreamHandler(sys.stdout))
service = Service(lambda on_stage: Ready(bot, {}, bot.follow))
service.start()
service.wait()
print("ready", flush=True)
sys.stdin.read()
service.end()
"""


@pytest.fixture
def server(index_folder: Path) -> Iterator[queue.Queue[str]]:
    """What a process prints that serves the archive and is asked nothing."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(index_folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    lines: queue.Queue[str] = queue.Queue()
    output = process.stdout
    reading = threading.Thread(target=lambda: [lines.put(line) for line in output])
    reading.start()
    yield lines
    process.stdin.close()
    assert process.wait(LONG) == 0
    reading.join()
    output.close()


def fresh(pages: Path, folder: Path) -> str:
    return build_archive([pages], folder, HashingEncoder(), fresh=True).generation


def test_another_process_picks_new_generations_up_without_being_asked(
    pages: Path, index_folder: Path, server: queue.Queue[str]
) -> None:
    assert server.get(timeout=LONG) == "ready\n"
    for _ in range(2):
        assert fresh(pages, index_folder) in server.get(timeout=LONG)


@pytest.fixture
def bot(index_folder: Path) -> Bot:
    return simple_bot(Archive.open(index_folder), HashingEncoder())


def test_following_ends_with_the_server(bot: Bot) -> None:
    began, over = threading.Event(), threading.Event()

    def follow(ended: threading.Event) -> None:
        began.set()
        bot.follow(ended)
        over.set()

    with TestClient(create_app(Service(lambda on_stage: Ready(bot, {}, follow)))):
        assert began.wait(LONG)
        assert not over.is_set()
    assert over.wait(LONG)


def test_a_question_does_not_wait_for_the_next_generation_to_be_opened(
    pages: Path, index_folder: Path, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = bot.archive.generation.id
    opening, go_on, ended = threading.Event(), threading.Event(), threading.Event()
    open_indexes = Archive.open_indexes

    def open_slowly(archive: Archive) -> None:
        opening.set()
        assert go_on.wait(LONG)
        open_indexes(archive)

    monkeypatch.setattr(Archive, "open_indexes", open_slowly)
    following = threading.Thread(target=bot.follow, args=(ended,))
    following.start()
    new = fresh(pages, index_folder)
    assert opening.wait(LONG)
    assert bot.ask(QUESTION).timings
    assert bot.archive.generation.id == before
    go_on.set()
    while bot.archive.generation.id == before:
        assert following.is_alive()
    assert bot.archive.generation.id == new
    ended.set()
    following.join(LONG)
    assert not following.is_alive()
    newest = fresh(pages, index_folder)
    assert bot.archive.generation.id == newest  # as without one who follows


def test_two_generations_are_held_at_most(pages: Path, index_folder: Path) -> None:
    encoder = HashingEncoder()
    following = Following(Retriever(Archive.open(index_folder), encoder), lambda archive: Retriever(archive, encoder))

    def given() -> str:
        with following.generation() as retriever:
            return retriever.archive.generation.id

    with following.generation() as first:
        second = fresh(pages, index_folder)
        assert given() == second
        third = fresh(pages, index_folder)
        assert given() == second  # the first is still read
        assert first.archive.generation.id not in (second, third)
    assert given() == third


@pytest.mark.parametrize("error", [OSError(24, "Too many open files"), PermissionError(13, "denied"), MemoryError()])
@pytest.mark.parametrize(("pause", "tries"), [(3600.0, 1), (0.0, 3)])
def test_what_keeps_the_next_generation_from_opening_fails_no_question_and_is_tried_again(
    pages: Path,
    index_folder: Path,
    bot: Bot,
    error: Exception,
    pause: float,
    tries: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = bot.archive.generation.id
    new = fresh(pages, index_folder)
    tried: list[Archive] = []

    def refuse(archive: Archive) -> None:
        tried.append(archive)
        raise error

    monkeypatch.setattr("qa.following._RETRY_SECONDS", pause)
    with monkeypatch.context() as patched:
        patched.setattr(Archive, "open_indexes", refuse)
        for _ in range(3):
            answer = bot.ask(QUESTION)
            assert answer.citations or answer.nearest
    assert len(tried) == tries
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert (str(error) or "MemoryError") in caplog.text
    assert bot.archive.generation.id == (before if pause else new)


def test_an_archive_that_goes_away_is_answered_from_all_the_same(bot: Bot, index_folder: Path) -> None:
    IndexFolder(index_folder).current_file.unlink()
    assert bot.ask(QUESTION).timings
