"""A small dose of what tests/torture does at length."""

from __future__ import annotations

import os
import signal
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from index.encoder import SentenceEncoder
from tests.torture import hostile_files, kill_builds
from tests.torture.versions import possible_versions, write_version
from tests.torture.watched import watch

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that fork")
needs_proc = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the memory of processes in /proc")


@needs_fork
@pytest.mark.parametrize("inverted", [False, True], ids=["flat", "inverted"])
def test_builds_killed_at_random_moments_harm_nothing(inverted: bool, tmp_path: Path) -> None:
    tally = kill_builds.torture(3, 1, tmp_path, pages=9, inverted=inverted)
    assert tally.problems == ()
    assert tally.cited > 0


def test_texts_of_two_versions_are_told_apart(tmp_path: Path) -> None:
    for version in range(5):
        write_version(tmp_path, version, 6)
    texts = [path.read_text(encoding="utf-8") for path in tmp_path.glob("*.txt")]
    assert possible_versions(texts) == {4}
    write_version(tmp_path, 5, 6)
    newer = [path.read_text(encoding="utf-8") for path in tmp_path.glob("*.txt")]
    changed = next(text for text in newer if text not in texts)
    gone = next(text for text in texts if text not in newer)
    assert possible_versions([changed, gone]) == set()
    assert possible_versions(["没有"]) is None


@needs_proc
def test_hostile_files_are_read_or_refused(tmp_path: Path, encoder: SentenceEncoder) -> None:
    torture = hostile_files.Torture(tmp_path, seconds=300, megabytes=2000, tokenizer=encoder.tokenizer)
    torture.run(12, 4)
    assert torture.problems == []
    assert sum(tally.refused for tally in torture.tallies.values()) > 0


@needs_proc
def test_a_file_that_is_neither_read_nor_refused_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "here.txt").write_text("青石桥昨日通车。", encoding="utf-8")
    names = ["here.txt", "gone.txt"]
    seen = watch(
        partial(hostile_files.take_in, [tmp_path / "here.txt"], names, tmp_path / "index", None),
        seconds=300,
        megabytes=2000,
    )
    assert seen.result is not None
    assert seen.result.problems == ("gone.txt: neither read nor refused",)


def _grow() -> bytes:
    return b"x" * 400_000_000


def _hang() -> None:
    time.sleep(60)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@needs_proc
def test_work_that_exceeds_a_limit_or_dies_is_noticed() -> None:
    assert "grew by" in watch(_grow, seconds=60, megabytes=100).failure
    assert "more than 1 s" in watch(_hang, seconds=1, megabytes=100).failure
    assert "status -9" in watch(_die, seconds=60, megabytes=100).failure
    healthy = watch(os.getpid, seconds=60, megabytes=100)
    assert healthy.failure == ""
    assert healthy.result != os.getpid()
