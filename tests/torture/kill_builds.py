"""Builds killed at random moments under a process that keeps asking.

    python -m tests.torture.kill_builds [--kills 200] [--seed 0]

All pages bear the number of their version. A builder is started on every new version and killed (SIGKILL) after a
random time; now and then one is left to finish. Another process asks without a pause, and every answer must come from
one version only. After every kill the archive in use must pass all its checks. In the end the archive must equal one
that is built in peace. Prints what was counted; exit status 1 if anything was wrong.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

import click

from index.archive import Archive
from index.build import build_archive
from index.layout import IndexFolder
from index.verify import verify_generation
from tests.archive_content import content
from tests.fakes import HashingEncoder, simple_bot

_PAGES = 24
_VERSION = re.compile(r"第(\d+)版")
_WORDS = ("青石桥通车", "图书馆开放", "柚园村丰收", "渡口夜航", "体育馆招标")
# The processes are forked from one that has everything loaded, so that a kill meets the build and not the imports.
_FORK = multiprocessing.get_context("fork")


class SlowEncoder(HashingEncoder):
    """Takes its time, so that kills meet it encoding too."""

    def encode_passages(self, texts: Any, progress: Callable[[int, int], None] | None = None) -> Any:
        """Return the vectors of the texts."""
        time.sleep(0.002 * len(texts))
        return super().encode_passages(texts, progress)


@dataclass
class Tally:
    """What happened."""

    kills: int = 0
    finished: int = 0
    questions: int = 0
    versions_seen: int = 0
    problems: tuple[str, ...] = ()


def write_version(pages: Path, version: int) -> None:
    """Write all pages anew, each with the version's number in every paragraph."""
    for number in range(_PAGES):
        paragraphs = [f"{_WORDS[(number + k) % len(_WORDS)]}，第{version}版，第{number}号。" * 8 for k in range(3)]
        aside = pages / f".{number}"
        aside.write_text("\n\n".join(paragraphs), encoding="utf-8")
        aside.replace(pages / f"{number}.txt")


def ask_forever(folder: Path, stop: Synchronized[int], questions: Synchronized[int], seen: Any, problems: Any) -> None:
    """Ask until told to stop; note every answer that is not of one version, and every error."""
    bot = simple_bot(Archive.open(folder), HashingEncoder())
    while not stop.value:
        try:
            hits = bot.search(random.choice(_WORDS), 20)
            versions = {version for hit in hits for version in _VERSION.findall(hit.passage.text)}
            if len(versions) != 1:
                problems.append(f"an answer from versions {sorted(versions)}")
            seen.update(dict.fromkeys(versions, True))
            bot.ask(f"{random.choice(_WORDS)}是第几号？")
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what is counted
            problems.append(f"{type(error).__name__}: {error}")
        questions.value += 1


def torture(kills: int, seed: int, work: Path) -> Tally:
    """Run the torture in a folder and return what was counted."""
    import faiss

    faiss.omp_set_num_threads(1)  # a fork of a process with threads of OpenMP may wait for them forever
    generator = random.Random(seed)
    pages, folder = work / "pages", work / "index"
    pages.mkdir()
    write_version(pages, 0)
    build_archive([pages], folder, SlowEncoder())
    began = time.monotonic()
    build_archive([pages], work / "timed", SlowEncoder())
    whole = time.monotonic() - began
    tally = Tally()
    with _FORK.Manager() as manager:
        stop, questions = _FORK.Value("i", 0), _FORK.Value("i", 0)
        seen, problems = manager.dict(), manager.list()
        asker = _FORK.Process(target=ask_forever, args=(folder, stop, questions, seen, problems))
        asker.start()
        version = 0
        while tally.kills < kills:
            version += 1
            write_version(pages, version)
            builder = _FORK.Process(target=build_archive, args=([pages], folder, SlowEncoder()))
            builder.start()
            builder.join(generator.uniform(0, 1.3 * whole))
            if builder.exitcode is None and builder.pid:
                os.kill(builder.pid, signal.SIGKILL)
                tally.kills += 1
            elif builder.exitcode == 0:
                tally.finished += 1
            else:
                problems.append(f"a build ended with status {builder.exitcode}")
            builder.join()
            failed = [check for check in verify_generation(IndexFolder(folder).current()) if not check.passed]
            problems.extend([f"after a kill: {check.name}: {check.detail}" for check in failed])
        stop.value = 1
        asker.join(30)
        if asker.exitcode != 0:
            problems.append(f"the asking process ended with status {asker.exitcode}")
        build_archive([pages], folder, SlowEncoder())
        build_archive([pages], work / "peace", HashingEncoder())
        if content(Archive.open(folder), ["青石", "夜航"]) != content(Archive.open(work / "peace"), ["青石", "夜航"]):
            problems.append("the archive differs from one built in peace")
        tally.questions, tally.versions_seen, tally.problems = questions.value, len(seen), tuple(problems)
    return tally


@click.command()
@click.option("--kills", default=200, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(kills: int, seed: int) -> None:
    """Kill builds and count."""
    with tempfile.TemporaryDirectory() as work:
        tally = torture(kills, seed, Path(work))
    print(
        f"{tally.kills} builds killed, {tally.finished} left to finish; {tally.questions} questions meanwhile, "
        f"answers from {tally.versions_seen} versions; {len(tally.problems)} problems"
    )
    for problem in tally.problems[:20]:
        print(f"  {problem}")
    sys.exit(bool(tally.problems))


if __name__ == "__main__":
    main()
