"""Damaged and hostile files, taken into an archive and asked about: none may crash, hang or eat the memory.

    python -m tests.torture.hostile_files [--files 1000] [--seed 0] [--seconds 60] [--megabytes 2000]

Each file goes the whole way in a process of its own, beside a healthy one: read, cut, stored, put among the keywords,
its vectors written (of an encoder that only hashes; the tokenizer of the embedded model sees every passage too), the
archive verified in full and asked for what stands in the file. The file must have sources in the archive, or a refusal
that names it. In the end all small files are taken into one archive together.

Prints, for each kind: how many were read and refused, the longest time of a file, the CPU time of the one with most,
and the most that the process grew by, or one of its children (which reads PDFs) had in memory; then the slowest files,
with their stages. Exit status 1 if a file raised, was neither read nor refused, brought out a fault, or exceeded
`--seconds` or `--megabytes`. Linux only.
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
from tests.torture.watched import Watched, watch

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
    from transformers import AutoTokenizer

    from index.packaged_model import packaged_model_folder

    return AutoTokenizer.from_pretrained(packaged_model_folder(), local_files_only=True)


def torture(
    count: int, seed: int, seconds: float, megabytes: int, work: Path, tokenizer: Any | None = None
) -> tuple[dict[str, Tally], list[Slow]]:
    """Make so many files, take in each, then the small ones together; return what happened, by kind, and the slowest.

    Without a tokenizer, no passages are tokenized.
    """
    import faiss

    faiss.omp_set_num_threads(1)  # a fork of a process with threads of OpenMP may wait for them forever
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    KeywordDocument.of(0, encoded_text("", _HEALTHY))  # loads the dictionaries before the forks
    generator = random.Random(seed)
    kinds = list(KINDS)
    weights = [SHARES.get(kind, 1.0) for kind in kinds]
    tallies: dict[str, Tally] = defaultdict(Tally)
    slow: list[Slow] = []
    healthy, together = work / "healthy.txt", work / "together"
    healthy.write_text(_HEALTHY, encoding="utf-8")
    together.mkdir()
    (together / "healthy.txt").write_text(_HEALTHY, encoding="utf-8")
    small: list[str] = []

    def treat(kind: str, name: str, paths: list[Path], names: list[str], size: int) -> Watched[Taken]:
        with tempfile.TemporaryDirectory(dir=work) as index:
            seen = watch(partial(take_in, paths, names, Path(index), tokenizer), seconds=seconds, megabytes=megabytes)
        tally = tallies[kind]
        tally.seconds, tally.cpu_seconds = max(tally.seconds, seen.seconds), max(tally.cpu_seconds, seen.cpu_seconds)
        tally.megabytes = max(tally.megabytes, seen.megabytes)
        tally.child_megabytes = max(tally.child_megabytes, seen.child_megabytes)
        if seen.failure:
            tally.problems.append(f"{name}: {seen.failure}")
        if seen.result:
            tally.read += bool(seen.result.sources)
            tally.refused += bool(seen.result.refusals)
            tally.problems += [f"{name}: {problem}" for problem in seen.result.problems]
        slow.append(Slow(seen.seconds, name, kind, size, seen.result))
        return seen

    for number in range(count):
        (kind,) = generator.choices(kinds, weights)
        make, suffixes = KINDS[kind]
        path = work / f"{number}{generator.choice(STEMS)}{generator.choice(suffixes)}"
        path.write_bytes(make(generator))
        name, size = printable(path.name), path.stat().st_size
        seen = treat(kind, name, [path, healthy], [name], size)
        if size <= _SMALL_BYTES and not seen.failure:
            path.replace(together / path.name)
            small.append(name)
        else:
            path.unlink()
    treat("all small ones together", "together", [together], small, 0)
    return dict(tallies), sorted(slow, key=lambda one: -one.seconds)


@click.command()
@click.option("--files", "count", default=1000, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--seconds", default=60.0, show_default=True, help="The most that one file may take.")
@click.option("--megabytes", default=2000, show_default=True, help="The most that the process may grow by for one.")
def main(count: int, seed: int, seconds: float, megabytes: int) -> None:
    """Take in hostile files and count."""
    with tempfile.TemporaryDirectory() as work:
        tallies, slow = torture(count, seed, seconds, megabytes, Path(work), packaged_tokenizer())
    print("| kind | read | with refusals | longest, s | most CPU, s | grown by, MB | child, MB |")
    print("|---|---|---|---|---|---|---|")
    for kind, tally in sorted(tallies.items()):
        print(
            f"| {kind} | {tally.read} | {tally.refused} | {tally.seconds:.1f} | {tally.cpu_seconds:.1f} "
            f"| {tally.megabytes} | {tally.child_megabytes} |"
        )
    print("\nThe slowest:")
    for one in slow[:10]:
        stages = [f"{name} {took:.1f}" for name, took in one.taken.stages.items() if took >= 0.1] if one.taken else []
        passages = f", {one.taken.passages:,} passages" if one.taken else ""
        print(f"  {one.seconds:.1f} s: {one.name} ({one.kind}, {one.size:,} bytes{passages}): {', '.join(stages)}")
    problems = [problem for tally in tallies.values() for problem in tally.problems]
    print(f"\n{count} files, {len(problems)} problems")
    for problem in problems[:30]:
        print(f"  {problem}")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
