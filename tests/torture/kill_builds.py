"""Builds killed at random moments under a process that keeps asking.

    python -m tests.torture.kill_builds [--kills 200] [--seed 0] [--pages 120] [--inverted]

All pages bear the number of the version in which they changed. A builder is started on every new version and killed
(SIGKILL) after a random time; most kills are followed by a build of the same version, which goes on with the vectors
that the killed one had made, and now and then one is left to finish. Another process asks without a pause: what it
finds, and what the answers cite, must be of one version, and never of an older one than before. After every kill the
archive in use must pass all its checks. In the end the archive must equal one that is built in peace.

With `--inverted`, vectors are kept in an inverted index, which most builds change in place. The encoder only hashes,
and takes its time for every text. Prints what was counted; exit status 1 if anything was wrong, if no answer had
citations, or if no build went on from the middle of a killed one.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import click
import numpy as np

from index.archive import Archive
from index.build import build_archive
from index.layout import IndexFolder
from index.progress import Progress
from index.vector_options import VectorOptions
from index.vector_plan import VectorIndex
from index.verify import verify_generation
from tests.archive_content import content
from tests.fakes import HashingEncoder, simple_bot
from tests.torture.versions import WORDS, possible_versions, write_version

# More changed texts than are encoded at once, so that builds are killed between the first and the last of them.
_PAGES = 120
_SECONDS_OF_A_TEXT = 0.005
_SAME_VERSION_AGAIN = 0.6
_LONGEST_OF_WHOLE = 1.3  # the latest kill, as a share of the time of a build that is left to finish
_MOST_CHANGED = 10.0
_SHOWN = 20
_COMPARED = ["青石", "夜航", "图书", "柚园"]
# The processes are forked from one that has everything loaded, so that a kill meets the build and not the imports.
_FORK = multiprocessing.get_context("fork")


class SlowEncoder(HashingEncoder):
    """Takes its time for every text, so that kills meet it encoding too."""

    def encode_passages(self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None) -> np.ndarray:
        """Return the vectors of the texts."""
        time.sleep(_SECONDS_OF_A_TEXT * len(texts))
        return super().encode_passages(texts, progress)


@dataclass(frozen=True)
class Tally:
    """What happened.

    `went_on` builds took over vectors that killed ones had made, `in_the_middle` of them had others still to make.
    `cited` counts the questions whose answer had citations with a version, `versions_seen` the versions that answers
    were from for certain.
    """

    kills: int
    finished: int
    went_on: int
    in_the_middle: int
    questions: int
    cited: int
    versions_seen: int
    problems: tuple[str, ...]


class Asker:
    """A process that asks until it is told to stop, and notes what is wrong with the answers."""

    def __init__(self, folder: Path, manager: Any) -> None:
        self._folder = folder
        self._stop = _FORK.Value("i", 0)
        self.questions, self.cited = _FORK.Value("i", 0), _FORK.Value("i", 0)
        self.seen: Any = manager.dict()
        self.problems: Any = manager.list()
        self._process = _FORK.Process(target=self._ask_forever)
        self._latest = 0

    def start(self) -> None:
        """Begin to ask."""
        self._process.start()

    def stop(self) -> None:
        """Have it end."""
        self._stop.value = 1
        self._process.join(60)
        if self._process.exitcode != 0:
            self.problems.append(f"the asking process ended with status {self._process.exitcode}")
            self._process.kill()

    def _ask_forever(self) -> None:
        bot = simple_bot(Archive.open(self._folder), HashingEncoder())
        while not self._stop.value:
            try:
                self._expect_one_version(
                    "hits", [hit.passage.text for hit in bot.search(random.choice(WORDS), _SHOWN)], some=True
                )
                answer = bot.ask(f"{random.choice(WORDS)}是第几号？")
                quotes = [citation.quote for citation in answer.citations]
                self.cited.value += self._expect_one_version("citations", quotes, some=answer.found)
                self._expect_one_version(
                    "nearest passages", [citation.quote for citation in answer.nearest], some=not answer.found
                )
            except Exception as error:  # noqa: BLE001 - whatever it is, it is what is counted
                self.problems.append(f"{type(error).__name__}: {error}")
            self.questions.value += 1

    def _expect_one_version(self, what: str, texts: Sequence[str], *, some: bool) -> bool:
        """Note texts that are of no one version, or of an older one than before; say whether they give one away."""
        possible = possible_versions(texts)
        if possible is None:
            if some:
                self.problems.append(f"{what} without a version: {list(texts)[:3]}")
            return False
        if not possible:
            self.problems.append(f"{what} of several versions: {list(texts)[:5]}")
        elif max(possible) < self._latest:
            self.problems.append(f"{what} of version {max(possible)} after version {self._latest}")
        else:
            self._latest = max(self._latest, min(possible))
            if len(possible) == 1:
                self.seen[self._latest] = True
        return bool(possible)


@contextmanager
def _inverted_index(*, wanted: bool) -> Iterator[None]:
    """Have archives of any size planned with an inverted index, here and in the processes that are forked from here.

    Two thirds of the vectors change each time: it is changed in place for some versions, then made anew.
    """
    if not wanted:
        yield
        return

    def plan(count: int, dimension: int, options: VectorOptions) -> VectorIndex:
        return VectorIndex("ivf-fp16", lists=4)

    with patch("index.vectors.plan", plan), patch("index.vector_update._MOST_CHANGED", _MOST_CHANGED):
        yield


class Builder:
    """Starts builds in processes of their own, kills them, and sees how much they have to encode."""

    def __init__(self, texts: Path, folder: Path) -> None:
        self._texts, self._folder = texts, folder
        self._to_encode = _FORK.Value("i", -1)
        self._at_first = -1
        self.killed = self.finished = self.went_on = self.in_the_middle = 0
        self.whole = 0.0  # seconds that the last one took which had nothing to go on with

    def build(self, seconds: float | None, *, again: bool) -> int | None:
        """Build for so long, and return the exit status, None where it was killed.

        Args:
            seconds: When to kill it, None to leave it to finish.
            again: The texts are those of the build before, which was killed.
        """
        self._to_encode.value = -1
        began = time.monotonic()
        process = _FORK.Process(target=self._build)
        process.start()
        process.join(seconds)
        if process.exitcode is None and process.pid:
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            self.killed += 1
            status = None
        else:
            self.finished += 1
            status = process.exitcode
            self.whole = time.monotonic() - began if not again else self.whole
        if not again:
            self._at_first = -1
        left = self._to_encode.value
        self._at_first = max(self._at_first, left)
        if 0 <= left < self._at_first:
            self.went_on += 1
            self.in_the_middle += left > 0
        return status

    def _build(self) -> None:
        build_archive([self._texts], self._folder, SlowEncoder(), self._hear)

    def _hear(self, progress: Progress) -> None:
        if progress.stage == "encode" and self._to_encode.value < 0:
            self._to_encode.value = progress.total


def torture(kills: int, seed: int, work: Path, *, pages: int = _PAGES, inverted: bool = False) -> Tally:
    """Run the torture in a folder and return what was counted."""
    import faiss

    faiss.omp_set_num_threads(1)  # a fork of a process with threads of OpenMP may wait for them forever
    with _inverted_index(wanted=inverted), _FORK.Manager() as manager:
        return _torture(kills, random.Random(seed), work, pages, manager)


def _torture(kills: int, generator: random.Random, work: Path, pages: int, manager: Any) -> Tally:
    texts, folder = work / "pages", work / "index"
    texts.mkdir()
    write_version(texts, 0, pages)
    build_archive([texts], folder, SlowEncoder())
    asker = Asker(folder, manager)
    asker.start()
    builder = Builder(texts, folder)
    version, again = 1, False
    write_version(texts, version, pages)
    builder.build(None, again=False)
    while builder.killed < kills:
        if not again:
            version += 1
            write_version(texts, version, pages)
        status = builder.build(generator.uniform(0, _LONGEST_OF_WHOLE * builder.whole), again=again)
        again = status is None and generator.random() < _SAME_VERSION_AGAIN
        if status:
            asker.problems.append(f"a build ended with status {status}")
        failed = [check for check in verify_generation(IndexFolder(folder).current()) if not check.passed]
        asker.problems.extend([f"after a kill: {check.name}: {check.detail}" for check in failed])
    asker.stop()
    build_archive([texts], folder, SlowEncoder())
    build_archive([texts], work / "peace", HashingEncoder())
    if content(Archive.open(folder), _COMPARED) != content(Archive.open(work / "peace"), _COMPARED):
        asker.problems.append("the archive differs from one built in peace")
    return Tally(
        builder.killed,
        builder.finished,
        builder.went_on,
        builder.in_the_middle,
        asker.questions.value,
        asker.cited.value,
        len(asker.seen),
        tuple(asker.problems),
    )


@click.command()
@click.option("--kills", default=200, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--pages", default=_PAGES, show_default=True)
@click.option("--inverted", is_flag=True, help="Keep vectors in an inverted index.")
def main(kills: int, seed: int, pages: int, inverted: bool) -> None:
    """Kill builds and count."""
    with tempfile.TemporaryDirectory() as work:
        tally = torture(kills, seed, Path(work), pages=pages, inverted=inverted)
    print(
        f"{tally.kills} builds killed, {tally.finished} left to finish; {tally.went_on} went on with the vectors of a "
        f"killed one, {tally.in_the_middle} of them in the middle; {tally.questions} questions meanwhile, "
        f"{tally.cited} with citations, answers from {tally.versions_seen} versions; {len(tally.problems)} problems"
    )
    for problem in tally.problems[:20]:
        print(f"  {problem}")
    sys.exit(bool(tally.problems) or not tally.cited or not tally.in_the_middle)


if __name__ == "__main__":
    main()
