"""What an interrupted build has encoded is not lost, and never taken for what it is not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.archive import Archive
from index.build import build_archive
from index.layout import IndexFolder
from index.unfinished_vectors import UnfinishedVectors
from tests.fakes import HashingEncoder

NAME = "unfinished.vectors"
DIGESTS = [f"{number:032x}" for number in range(5)]


def saved(folder: Path, encoder: HashingEncoder | None = None) -> UnfinishedVectors:
    return UnfinishedVectors(IndexFolder(folder), (encoder or HashingEncoder()).identity)


def some_vectors() -> np.ndarray:
    return HashingEncoder().encode_queries(["桥", "馆", "节", "渡口", "水车"])


def test_vectors_come_back_bit_by_bit(tmp_path: Path) -> None:
    vectors = some_vectors()
    writer = saved(tmp_path)
    writer.add(DIGESTS[:2], vectors[:2])
    writer.close()
    again = saved(tmp_path)
    assert list(again.known(DIGESTS)) == DIGESTS[:2]
    again.add(DIGESTS[2:], vectors[2:])
    again.close()
    known = saved(tmp_path).known(DIGESTS)
    assert list(known) == DIGESTS
    np.testing.assert_array_equal(np.stack(list(known.values())), vectors)


def test_another_encoder_takes_nothing_over(tmp_path: Path) -> None:
    writer = saved(tmp_path)
    writer.add(DIGESTS, some_vectors())
    writer.close()
    other = saved(tmp_path, HashingEncoder("other"))
    assert other.known(DIGESTS) == {}
    other.add(DIGESTS[:1], some_vectors()[:1])
    other.close()
    assert list(saved(tmp_path, HashingEncoder("other")).known(DIGESTS)) == DIGESTS[:1]
    assert saved(tmp_path).known(DIGESTS) == {}


@given(st.integers(0, 10**6), st.booleans())
@settings(max_examples=60, deadline=None)
def test_cut_off_or_damaged_anywhere_what_is_left_is_right(
    tmp_path_factory: pytest.TempPathFactory, place: int, cut: bool
) -> None:
    folder = tmp_path_factory.mktemp("unfinished")
    vectors = some_vectors()
    writer = saved(folder)
    writer.add(DIGESTS, vectors)
    writer.close()
    path = folder / NAME
    data = bytearray(path.read_bytes())
    place %= len(data)
    if cut:
        del data[place:]
    else:
        data[place] ^= 0x10
    path.write_bytes(data)
    known = saved(folder).known(DIGESTS)
    assert list(known) == DIGESTS[: len(known)]
    for vector, expected in zip(known.values(), vectors, strict=False):
        np.testing.assert_array_equal(vector, expected)
    again = saved(folder)
    again.add(DIGESTS[len(known) :], vectors[len(known) :])
    again.close()
    assert list(saved(folder).known(DIGESTS)) == DIGESTS


class Interrupting(HashingEncoder):
    """Encodes so many batches, then is interrupted."""

    def __init__(self, batches: int) -> None:
        super().__init__()
        self.left = batches

    def encode_passages(self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None) -> np.ndarray:
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        return super().encode_passages(texts, progress)


def test_a_build_goes_on_where_an_interrupted_one_stopped(
    pages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.chunk_size.MOST_TEXTS", 1)
    with pytest.raises(KeyboardInterrupt):
        build_archive([pages], tmp_path / "index", Interrupting(2))
    encoder = HashingEncoder()
    report = build_archive([pages], tmp_path / "index", encoder)
    assert report.reused == 2
    assert len(encoder.encoded) == report.counts.passages - 2
    assert not (tmp_path / "index" / NAME).exists()
    peaceful = tmp_path / "peaceful"
    build_archive([pages], peaceful, HashingEncoder())
    one, two = Archive.open(tmp_path / "index"), Archive.open(peaceful)
    rows = np.arange(report.counts.passages)
    np.testing.assert_array_equal(one.vectors.fetch(rows), two.vectors.fetch(rows))


@pytest.mark.parametrize(("seconds_a_text", "most_lost"), [(0.0005, 4096), (0.02, 150), (0.15, 20), (2.0, 16)])
def test_what_an_interruption_loses_is_some_seconds_of_work_on_any_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds_a_text: float, most_lost: int
) -> None:
    clock, chunks = [0.0], list[int]()

    class Timed(HashingEncoder):
        def encode_passages(
            self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None
        ) -> np.ndarray:
            clock[0] += seconds_a_text * len(texts)
            chunks.append(len(texts))
            return super().encode_passages(texts, progress)

    monkeypatch.setattr("index.encode_added.monotonic", lambda: clock[0])
    monkeypatch.setattr("index.encode_added.usable_cores", lambda: 2)
    records = [json.dumps({"text": f"渡口镇第{number}班夜间渡轮昨日开出。"}) for number in range(1000)]
    (tmp_path / "news.jsonl").write_text("\n".join(records), encoding="utf-8")
    build_archive([tmp_path / "news.jsonl"], tmp_path / "index", Timed())
    assert sum(chunks) == 1000
    assert chunks[0] == 16
    assert max(chunks) <= most_lost
    assert len(chunks) <= 4 + 1000 * seconds_a_text / 2


SLOW_BUILD = """
import sys, time
from pathlib import Path
import index.build
from tests.fakes import HashingEncoder

class Slow(HashingEncoder):
    def encode_passages(self, texts, progress=None):
        time.sleep(0.2)
        return super().encode_passages(texts, progress)

import index.chunk_size
index.chunk_size.MOST_TEXTS = 1
index.build.build_archive([Path(sys.argv[1])], Path(sys.argv[2]), Slow())
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_build_loses_no_more_than_the_batch_at_hand(pages: Path, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    command = [sys.executable, "-c", SLOW_BUILD, str(pages), str(folder)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[1]) as build:
        end = time.monotonic() + 60
        while time.monotonic() < end and len(saved_digests(folder)) < 2:
            time.sleep(0.02)
        os.kill(build.pid, signal.SIGKILL)
    done = len(saved_digests(folder))
    assert done >= 2
    assert build_archive([pages], folder, HashingEncoder()).reused == done


def saved_digests(folder: Path) -> list[str]:
    """The whole records, without touching the file that another process writes to."""
    path = folder / NAME
    if not path.exists():
        return []
    records = path.read_bytes().partition(b"\n")[2]
    size = 16 + 4 * HashingEncoder().identity.dimension + 4
    return [records[start : start + 16].hex() for start in range(0, len(records) - size + 1, size)]
