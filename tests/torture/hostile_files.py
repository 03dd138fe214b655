"""Damaged and hostile files, taken into an archive and asked about: none may crash, hang or eat the memory.

    python -m tests.torture.hostile_files [--files 1000] [--seed 0] [--seconds 180] [--megabytes 2000] [--kind KIND]

Each file goes the whole way in a process of its own, beside a healthy one: read, cut, stored, put among the keywords,
its vectors written (of an encoder that only hashes; the tokenizer of the embedded model sees every passage too), the
archive verified in full and asked for what stands in the file. The file must have sources in the archive, or a refusal
that names it. In the end all small files are taken into one archive together.

Prints, for each kind: how many were read and refused, the longest time of a file, the CPU time of the one with most,
and the most that the process grew by, or one of its children (which reads PDFs) had in memory; then the slowest files,
with their stages. Exit status 1 if a file raised, was neither read nor refused, brought out a fault, or exceeded
`--seconds` or `--megabytes`. Ctrl-C ends it early and prints what was counted. Linux only.
"""

from __future__ import annotations

import hashlib
import logging
import os
import random
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
from tqdm import tqdm

from index import pdf_process
from index.archive import Archive
from index.build import build_archive
from index.encoded_text import encoded_text, encoded_texts
from index.encoder_batches import token_ids
from index.errors import InputError
from index.keywords import KeywordDocument
from index.layout import IndexFolder
from index.reading import printable
from index.verify import verify_generation
from tests.benchmarks.stages import Stages
from tests.fakes import DIMENSION, HashingEncoder, simple_bot
from tests.torture.hostile_kinds import KINDS, SHARES, STEMS
from tests.torture.watched import watch

_HEALTHY = "青石桥昨日通车，总投资1260万元，市民可以免费乘坐接驳车。\n"
_FAULT = "this is a fault of Wenbao"
_LONGEST = 512
_TOKENIZED_AT_ONCE = 256
_SMALL_BYTES = 100_000
_ASKED = 3
_QUESTION_CHARACTERS = 60


class DigestEncoder(HashingEncoder):
    """Makes the vector of a passage of its digest, in no time."""

    def encode_passages(self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None) -> np.ndarray:
        digests = [hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIMENSION) for text in texts]
        vectors = np.array([list(digest.digest()) for digest in digests], np.float32).reshape(-1, DIMENSION) + 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@dataclass(frozen=True)
class Taken:
    """What became of files: the sources and refusals they gave, their passages, the seconds of each stage."""

    sources: int
    refusals: int
    passages: int
    stages: dict[str, float]
    problems: tuple[str, ...]


@dataclass
class Tally:
    """What became of the files of one kind."""

    read: int = 0
    refused: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    megabytes: int = 0
    child_megabytes: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Slow:
    """A file by how long it took."""

    seconds: float
    cpu_seconds: float
    name: str
    kind: str
    size: int
    taken: Taken | None


def take_in(paths: Sequence[Path], names: Sequence[str], index: Path, tokenizer: Any | None) -> Taken:
    """Build an archive of paths, verify it, tokenize its passages and ask it; say what became of the files named."""
    logging.disable()
    stages = Stages()
    build_archive(paths, index, DigestEncoder(), stages)
    stages.enter("verify in full")
    failed = [check for check in verify_generation(IndexFolder(index).current()) if not check.passed]
    archive = Archive.open(index)
    problems = [f"{check.name}: {check.detail}" for check in failed] + _unaccounted(archive, names)
    passages = archive.manifest.counts.passages
    if tokenizer:
        stages.enter("tokenize")
        problems += _tokenized(archive, tokenizer)
    stages.enter("ask")
    bot = simple_bot(archive, DigestEncoder())
    for passage in archive.passages_at(list(range(min(_ASKED, passages)))):
        with suppress(InputError):  # a question of white space, which is refused by name
            bot.ask(passage.text[:_QUESTION_CHARACTERS])
    stages.enter("end")
    pdf_process._READER.close()
    refusals = archive.rejections()
    sources = len(archive.source_names()) - 1
    return Taken(sources, len(refusals), passages, dict(stages), tuple(problems))


def _unaccounted(archive: Archive, names: Sequence[str]) -> list[str]:
    """Return the files that have neither sources nor a refusal, and what is wrong with the refusals."""
    told = [rejection.name for rejection in archive.rejections()] + archive.source_names()
    files = {file for name in told for file in (name, name.rpartition("#")[0])}
    problems = [f"{name}: neither read nor refused" for name in names if name not in files]
    for rejection in archive.rejections():
        if not (rejection.name and rejection.reason and rejection.remedy):
            problems.append(f"a refusal without a name, a reason or a remedy: {rejection}")
        if rejection.remedy.startswith(_FAULT):
            problems.append(f"{rejection.name}: {rejection.reason}")
    return problems


def _tokenized(archive: Archive, tokenizer: Any) -> list[str]:
    """Return what is wrong with the tokens of the passages, as the encoder sees them."""
    rows = range(archive.manifest.counts.passages)
    for start in rows[::_TOKENIZED_AT_ONCE]:
        texts = encoded_texts(archive._reader, list(rows[start : start + _TOKENIZED_AT_ONCE]))
        for text, ids in zip(
            texts, token_ids(tokenizer, [f"passage: {text}" for text in texts], _LONGEST), strict=True
        ):
            if not 2 < len(ids) <= _LONGEST:
                return [f"{len(ids)} tokens of {text[:60]!r}"]
    return []


def packaged_tokenizer() -> Any:
    """Return the tokenizer of the embedded model."""
    from index.fast_tokenizer import FastTokenizer
    from index.packaged_model import packaged_model_folder

    return FastTokenizer.load(packaged_model_folder())


class Torture:
    """Takes in hostile files one by one and keeps count, so that one that is interrupted can say what it has seen."""

    def __init__(self, work: Path, *, seconds: float, megabytes: int, tokenizer: Any | None = None) -> None:
        """Take an empty folder, the limits of each file, and what tokenizes the passages, if they are to be."""
        self.tallies: dict[str, Tally] = defaultdict(Tally)
        self.slow: list[Slow] = []
        self._work = work
        self._seconds, self._megabytes = seconds, megabytes
        self._tokenizer = tokenizer
        self._healthy, self._together = work / "healthy.txt", work / "together"
        self._together.mkdir()
        for folder in (work, self._together):
            (folder / self._healthy.name).write_text(_HEALTHY, encoding="utf-8")
        self._small: list[str] = []

    def run(self, count: int, seed: int, kinds: Sequence[str] = tuple(KINDS)) -> None:
        """Make so many files of some kinds, take in each, then the small ones together."""
        import faiss

        faiss.omp_set_num_threads(1)  # a fork of a process with threads of OpenMP may wait for them forever
        os.environ["TOKENIZERS_PARALLELISM"] = "false"
        KeywordDocument.of(0, encoded_text("", _HEALTHY))  # loads the dictionaries before the forks
        generator = random.Random(seed)
        weights = [SHARES.get(kind, 1.0) for kind in kinds]
        for number in tqdm(range(count), unit=" files", disable=None):
            (kind,) = generator.choices(kinds, weights)
            make, suffixes = KINDS[kind]
            path = self._work / f"{number}{generator.choice(STEMS)}{generator.choice(suffixes)}"
            path.write_bytes(make(generator))
            self._one(kind, path)
        self._treat("all small ones together", "together", [self._together], self._small, 0)

    @property
    def problems(self) -> list[str]:
        """What was wrong."""
        return [problem for tally in self.tallies.values() for problem in tally.problems]

    def _one(self, kind: str, path: Path) -> None:
        name, size = printable(path.name), path.stat().st_size
        healthy = self._treat(kind, name, [path, self._healthy], [name], size)
        if healthy and size <= _SMALL_BYTES:
            path.replace(self._together / path.name)
            self._small.append(name)
        else:
            path.unlink()

    def _treat(self, kind: str, name: str, paths: Sequence[Path], names: Sequence[str], size: int) -> bool:
        """Take in paths under watch, count what came of it, and say whether it came to an end."""
        with tempfile.TemporaryDirectory(dir=self._work) as index:
            # Several together may take as long as they may one by one.
            seen = watch(
                partial(take_in, paths, names, Path(index), self._tokenizer),
                seconds=self._seconds * max(len(names), 1),
                megabytes=self._megabytes,
            )
        tally = self.tallies[kind]
        tally.seconds, tally.cpu_seconds = max(tally.seconds, seen.seconds), max(tally.cpu_seconds, seen.cpu_seconds)
        tally.megabytes = max(tally.megabytes, seen.megabytes)
        tally.child_megabytes = max(tally.child_megabytes, seen.child_megabytes)
        if seen.result:
            tally.read += bool(seen.result.sources)
            tally.refused += bool(seen.result.refusals)
            tally.problems += [f"{name}: {problem}" for problem in seen.result.problems]
        if seen.failure:
            tally.problems.append(f"{name}: {seen.failure}")
        self.slow.append(Slow(seen.seconds, seen.cpu_seconds, name, kind, size, seen.result))
        return not seen.failure


@click.command()
@click.option("--files", "count", default=1000, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--seconds", default=180.0, show_default=True, help="The most that one file may take.")
@click.option("--megabytes", default=2000, show_default=True, help="The most that the process may grow by for one.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(list(KINDS)), help="Only files of these kinds.")
def main(count: int, seed: int, seconds: float, megabytes: int, kinds: tuple[str, ...]) -> None:
    """Take in hostile files and count."""
    with tempfile.TemporaryDirectory() as work:
        torture = Torture(Path(work), seconds=seconds, megabytes=megabytes, tokenizer=packaged_tokenizer())
        try:
            torture.run(count, seed, kinds or tuple(KINDS))
        except KeyboardInterrupt:
            print("Interrupted; so far:")
    print("| kind | read | with refusals | longest, s | most CPU, s | grown by, MB | child, MB |")
    print("|---|---|---|---|---|---|---|")
    for kind, tally in sorted(torture.tallies.items()):
        print(
            f"| {kind} | {tally.read} | {tally.refused} | {tally.seconds:.1f} | {tally.cpu_seconds:.1f} "
            f"| {tally.megabytes} | {tally.child_megabytes} |"
        )
    print("\nThe slowest:")
    for one in sorted(torture.slow, key=lambda one: -one.seconds)[:10]:
        stages = [f"{name} {took:.1f}" for name, took in one.taken.stages.items() if took >= 0.1] if one.taken else []
        passages = f", {one.taken.passages:,} passages" if one.taken else ""
        print(
            f"  {one.seconds:.1f} s, of it {one.cpu_seconds:.1f} s of CPU: {one.name} ({one.kind}, {one.size:,} bytes"
            f"{passages}): {', '.join(stages)}"
        )
    problems = torture.problems
    print(f"\n{len(torture.slow)} files or folders, {len(problems)} problems")
    for problem in problems[:30]:
        print(f"  {problem}")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
