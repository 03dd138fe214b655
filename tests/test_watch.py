"""Following a folder: built again after a change, and after a failure."""

from __future__ import annotations

import errno
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from typing import Any, BinaryIO

import pytest
import watchfiles
from click.testing import CliRunner

import index.sources
import index.watch
from index.archive import Archive
from index.build import BuildReport, build_archive
from index.cli import index_commands
from index.errors import ArchiveError, WenbaoError
from index.layout import IndexFolder
from index.maintain import add_to_archive
from index.watch import is_up_to_date, watch_archive
from index.writing import one_writer
from tests.fakes import HashingEncoder

PATIENCE = 30


@pytest.fixture
def followed(pages: Path, tmp_path: Path) -> Path:
    """Pages that a test may change."""
    return shutil.copytree(pages, tmp_path / "pages")


@pytest.fixture
def outcomes(
    followed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Queue[BuildReport | WenbaoError]]:
    """What a watch over the pages in a thread of its own yields."""
    monkeypatch.setattr("index.watch._RETRY_SECONDS", 0.2)
    seen: Queue[BuildReport | WenbaoError] = Queue()
    stop = threading.Event()

    def follow() -> None:
        for outcome in watch_archive([followed], tmp_path / "index", HashingEncoder(), quiet=0.1, stop=stop):
            seen.put(outcome)

    thread = threading.Thread(target=follow)
    thread.start()
    yield seen
    stop.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def next_build(outcomes: Queue[BuildReport | WenbaoError]) -> BuildReport:
    """The report of the next build that is not refused because another one is writing."""
    while isinstance(outcome := outcomes.get(timeout=PATIENCE), ArchiveError):
        pass
    assert isinstance(outcome, BuildReport)
    return outcome


def test_new_changed_and_removed_files_are_followed(
    followed: Path, tmp_path: Path, outcomes: Queue[BuildReport | WenbaoError]
) -> None:
    assert isinstance(outcomes.get(timeout=PATIENCE), BuildReport)
    (followed / "new.txt").write_text("渡口镇昨日开通夜间渡轮，票价3元。", encoding="utf-8")
    assert isinstance(outcomes.get(timeout=PATIENCE), BuildReport)
    assert "new.txt" in Archive.open(tmp_path / "index").source_names()
    (followed / "new.txt").unlink()
    assert isinstance(outcomes.get(timeout=PATIENCE), BuildReport)
    assert "new.txt" not in Archive.open(tmp_path / "index").source_names()
    assert is_up_to_date([followed], tmp_path / "index", HashingEncoder())
    assert not is_up_to_date([followed], tmp_path / "index", HashingEncoder("other"))
    assert outcomes.empty()


def test_a_build_that_fails_is_told_and_tried_again(
    followed: Path, tmp_path: Path, outcomes: Queue[BuildReport | WenbaoError]
) -> None:
    outcomes.get(timeout=PATIENCE)
    with one_writer(IndexFolder(tmp_path / "index")):
        (followed / "new.txt").write_text("渡口镇昨日开通夜间渡轮，票价3元。", encoding="utf-8")
        assert isinstance(outcomes.get(timeout=PATIENCE), ArchiveError)
    next_build(outcomes)
    assert "new.txt" in Archive.open(tmp_path / "index").source_names()


def test_nothing_is_built_where_nothing_has_changed(followed: Path, tmp_path: Path) -> None:
    build_archive([followed], tmp_path / "index", HashingEncoder())
    before = IndexFolder(tmp_path / "index").current()
    stop = threading.Event()
    threading.Timer(1.0, stop.set).start()
    assert list(watch_archive([followed], tmp_path / "index", HashingEncoder(), quiet=0.1, stop=stop)) == []
    assert IndexFolder(tmp_path / "index").current() == before


def test_a_file_that_could_not_be_read_is_tried_again(
    followed: Path, tmp_path: Path, outcomes: Queue[BuildReport | WenbaoError], monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes.get(timeout=PATIENCE)
    opened, broken = index.sources.open_regular, threading.Event()
    broken.set()

    def fails_for_a_while(path: Path) -> BinaryIO:
        if path.name == "new.txt" and broken.is_set():
            raise OSError(errno.EIO, "the network drive is away")
        return opened(path)

    monkeypatch.setattr(index.sources, "open_regular", fails_for_a_while)
    (followed / "new.txt").write_text("渡口镇昨日开通夜间渡轮，票价3元。", encoding="utf-8")
    report = outcomes.get(timeout=PATIENCE)
    assert isinstance(report, BuildReport)
    assert [rejection.name for rejection in report.rejections] == ["new.txt"]
    broken.clear()
    report = outcomes.get(timeout=PATIENCE)
    assert isinstance(report, BuildReport)
    assert report.rejections == ()
    assert "new.txt" in Archive.open(tmp_path / "index").source_names()


def test_what_is_added_meanwhile_stays(
    followed: Path, tmp_path: Path, outcomes: Queue[BuildReport | WenbaoError]
) -> None:
    outcomes.get(timeout=PATIENCE)
    other = tmp_path / "other.txt"
    other.write_text("渡口镇昨日开通夜间渡轮，票价3元。", encoding="utf-8")
    add_to_archive([other], tmp_path / "index", HashingEncoder())
    (followed / "new.txt").write_text("柚园村昨日举行丰收节。", encoding="utf-8")
    next_build(outcomes)
    assert {"other.txt", "new.txt"} <= set(Archive.open(tmp_path / "index").source_names())
    other.write_text("渡口镇今日停开夜间渡轮，票价3元。", encoding="utf-8")
    next_build(outcomes)


def test_what_is_added_while_a_build_begins_stays(
    followed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    other = tmp_path / "other.txt"
    other.write_text("渡口镇昨日开通夜间渡轮，票价3元。", encoding="utf-8")
    original, added = index.watch.what_is_needed, threading.Event()

    def adding(*arguments: Any) -> Any:
        needed = original(*arguments)
        if needed == "build" and (tmp_path / "index" / "CURRENT").exists() and not added.is_set():
            add_to_archive([other], tmp_path / "index", HashingEncoder())
            added.set()
        return needed

    monkeypatch.setattr(index.watch, "what_is_needed", adding)
    outcomes: Queue[BuildReport | WenbaoError] = request.getfixturevalue("outcomes")
    next_build(outcomes)
    (followed / "new.txt").write_text("柚园村昨日举行丰收节。", encoding="utf-8")
    assert added.wait(PATIENCE)
    next_build(outcomes)
    assert {"other.txt", "new.txt"} <= set(Archive.open(tmp_path / "index").source_names())


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "OS file watch limit reached"), RuntimeError("inotify")])
def test_where_the_system_cannot_say_what_changes_all_files_are_looked_at(
    followed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, error: Exception
) -> None:
    watch = watchfiles.watch

    def limited(*paths: Path, force_polling: bool | None, **options: Any) -> Iterator[Any]:
        if not force_polling:
            raise error
        yield from watch(*paths, force_polling=True, **options)

    monkeypatch.setattr(watchfiles, "watch", limited)
    monkeypatch.setattr("index.watch._LEAST_LOOK_SECONDS", 0.05)
    outcomes: Queue[BuildReport | WenbaoError] = request.getfixturevalue("outcomes")
    assert isinstance(outcomes.get(timeout=PATIENCE), BuildReport)
    told = outcomes.get(timeout=PATIENCE)
    assert isinstance(told, ArchiveError)
    assert "looked at every" in str(told)
    assert "max_user_watches" in str(told)
    (followed / "new.txt").write_text("渡口镇昨日开通夜间渡轮，票价3元。", encoding="utf-8")
    assert isinstance(outcomes.get(timeout=PATIENCE), BuildReport)
    assert "new.txt" in Archive.open(tmp_path / "index").source_names()
    assert outcomes.empty()


def test_a_watch_that_fails_altogether_goes_on_comparing(
    followed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    def failing(*_: Path, **__: Any) -> Iterator[Any]:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(watchfiles, "watch", failing)
    outcomes: Queue[BuildReport | WenbaoError] = request.getfixturevalue("outcomes")
    assert isinstance(outcomes.get(timeout=PATIENCE), BuildReport)
    (followed / "new.txt").write_text("渡口镇昨日开通夜间渡轮，票价3元。", encoding="utf-8")
    next_build(outcomes)
    assert "new.txt" in Archive.open(tmp_path / "index").source_names()


def test_the_command_tells_what_was_built_what_failed_and_that_it_stopped(
    followed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def outcomes(paths: Any, folder: Path, encoder: HashingEncoder, bars: Any, *, quiet: float) -> Iterator[Any]:
        assert quiet == 2.5
        (followed / "empty.txt").write_bytes(b"")
        yield build_archive(paths, folder, encoder, bars)
        yield ArchiveError("Another build is writing.")
        raise KeyboardInterrupt

    monkeypatch.setattr("index.build_commands.start_encoder", lambda _: HashingEncoder())
    monkeypatch.setattr("index.build_commands.watch_archive", outcomes)
    result = CliRunner().invoke(
        index_commands, ["watch", str(followed), "--quiet", "2.5", "--index", str(tmp_path / "index")]
    )
    assert result.exit_code == 0, result.output
    assert "3 articles" in result.stdout
    told = [
        result.stderr.index(words) for words in ("Watching", "empty.txt: it is empty", "Not built: Another", "Stopped")
    ]
    assert told == sorted(told)


def test_the_command_names_a_missing_path_before_it_begins(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        index_commands, ["watch", str(tmp_path / "nowhere"), "--index", str(tmp_path / "index")]
    )
    assert result.exit_code == 1
    assert "nowhere" in result.output
