"""How retrieval grows with the archive: time, memory, recall and opening at sizes that a real archive is multiplied to.

    python tests/benchmarks/growth.py INDEX QUESTIONS [--sizes 10000 --sizes 100000 --sizes 1000000] [--work DIR]

Passages are made from the first half of one passage of the archive INDEX and the second half of another, with the words
of both; their vectors are those of the archive, perturbed. QUESTIONS is an evaluation file as `wenbao eval` reads it.
Each archive is opened in a process of its own. Prints, for each size: seconds until it is open, memory beside the
models, the time of retrieval (encoding the question, dense search, BM25, fusion) and of dense search alone, and the
share of the ten true nearest vectors that dense search finds.
"""

from __future__ import annotations

import json
import multiprocessing
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import psutil
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from index.archive import Archive
from index.encoder import Encoder, load_encoder
from index.folding import fold_text
from index.held_out_queries import held_out_queries
from index.keywords import KeywordDocument, write_keywords
from index.layout import Generation, IndexFolder
from index.manifest import record_files, write_manifest
from index.vectors import FaissStore
from qa.evaluation_set import load_questions
from qa.question import parse_question
from qa.retrieve import Retriever
from tests.benchmarks.vectors import perturbed

_PASSAGE_COSINE = 0.9
_SEED = 5


@dataclass(frozen=True)
class Measured:
    """What one archive costs: seconds, bytes, and milliseconds of each question."""

    open_seconds: float
    memory: int
    retrieval: list[float]
    dense: list[float]
    found: list[set[int]]


@dataclass(frozen=True)
class Half:
    """Half a passage, and its terms."""

    text: str
    words: list[str]
    bigrams: list[str]


def halves_of(archive: Archive) -> list[tuple[Half, Half]]:
    """Return both halves of every passage."""
    count = archive.manifest.counts.passages
    halves = []
    for start in tqdm(range(0, count, 1000), desc="cutting", unit="000 passages"):
        for passage in archive.passages_at(list(range(start, min(start + 1000, count)))):
            middle = len(passage.text) // 2
            halves.append((_half(passage.text[:middle]), _half(passage.text[middle:])))
    return halves


def _half(text: str) -> Half:
    terms = KeywordDocument.of(0, text)
    words, bigrams = ([sys.intern(term) for term in found] for found in (terms.words, terms.bigrams))  # shared by many
    return Half(text, words, bigrams)


def multiply(
    archive: Archive, halves: list[tuple[Half, Half]], size: int, folder: Path, encoder: Encoder
) -> np.ndarray:
    """Write an archive of so many passages, one an article, and return its vectors.

    An inexact vector index is tuned on headlines of the archive that it was made of, as a build does.
    """
    generator = np.random.default_rng([_SEED, size])
    firsts, seconds = generator.integers(0, len(halves), size), generator.integers(0, len(halves), size)
    index = IndexFolder(folder)
    generation = index.new_generation()
    _write_database(archive.generation, generation, halves, firsts, seconds)
    vectors = perturbed(archive.vectors.fetch(np.arange(len(halves))), size, _PASSAGE_COSINE, generator)

    def headlines() -> tuple[np.ndarray, np.ndarray]:
        queries, rows = held_out_queries(archive.generation, archive.manifest.counts.passages, encoder)
        return queries, np.full(len(rows), -1, np.int64)  # about none of those made

    made = FaissStore.write(generation.vectors, vectors, make_queries=headlines)

    def documents() -> Iterator[KeywordDocument]:
        for row, (one, other) in enumerate(zip(firsts, seconds, strict=True)):
            first, second = halves[one][0], halves[other][1]
            yield KeywordDocument(row, first.words + second.words, first.bigrams + second.bigrams)

    write_keywords(generation.keywords, tqdm(documents(), total=size, desc="keywords", unit="", mininterval=5))
    counts = archive.manifest.counts.model_copy(update={"articles": size, "passages": size, "imprints": 0})
    manifest = archive.manifest.model_copy(
        update={"counts": counts, "files": record_files(generation), "vector_index": made, "generation": generation.id}
    )
    write_manifest(generation, manifest)
    index.switch_to(generation)
    return vectors


def _write_database(
    base: Generation, generation: Generation, halves: list[tuple[Half, Half]], firsts: np.ndarray, seconds: np.ndarray
) -> None:
    shutil.copyfile(base.database, generation.database)
    with sqlite3.connect(generation.database) as database:
        database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        sources = [row for (row,) in database.execute("SELECT row FROM sources")]
        database.execute("DELETE FROM passages")
        database.execute("DELETE FROM articles")
        texts = (halves[one][0].text + halves[other][1].text for one, other in zip(firsts, seconds, strict=True))
        for row, text in enumerate(texts):
            source = sources[row % len(sources)]
            spans = json.dumps([[0, len(text)]])  # of no source; what is read is that they fit the text
            fields = (row, f"made-{row}", source, text[:12], "", None, "[]", None, None, spans, "[]", text, None)
            database.execute("INSERT INTO articles VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,'article','[]')", fields)
            database.execute("INSERT INTO passages VALUES (?,?,0,?,?,'')", (row, row, text, spans))


def measure(folder: Path, questions: list[str]) -> Measured:
    """Open an archive and ask it the questions."""
    encoder = load_encoder()
    encoder.encode_queries(["暖机"])
    parse_question("暖机").words  # noqa: B018 - loads the dictionary
    before = psutil.Process().memory_info().rss
    began = time.perf_counter()
    retriever = Retriever(Archive.open(folder), encoder)
    retriever.retrieve(parse_question(questions[0]))
    opened = time.perf_counter() - began
    retrieval, dense, found = [], [], []
    for text in questions:
        question = parse_question(text)
        began = time.perf_counter()
        vector = retriever.retrieve(question).vector
        retrieval.append((time.perf_counter() - began) * 1000)
        began = time.perf_counter()
        rows, _ = retriever.archive.vectors.search(vector[None], 10)
        dense.append((time.perf_counter() - began) * 1000)
        found.append(set(rows[0].tolist()))
    return Measured(opened, psutil.Process().memory_info().rss - before, retrieval, dense, found)


@click.command()
@click.argument("base", type=click.Path(exists=True, path_type=Path), metavar="INDEX")
@click.argument("questions_file", type=click.Path(exists=True, path_type=Path), metavar="QUESTIONS")
@click.option("--sizes", multiple=True, type=int, default=(10_000, 100_000, 1_000_000), show_default=True)
@click.option(
    "--work", type=click.Path(path_type=Path), help="Where the archives are made; by default a temporary folder."
)
def main(base: Path, questions_file: Path, sizes: tuple[int, ...], work: Path | None) -> None:
    """Print one table."""
    import faiss

    archive = Archive.open(base)
    questions = [question.text for question in load_questions(questions_file)]
    encoder = load_encoder()
    asked = encoder.encode_queries([fold_text(question, casefold=False) for question in questions])
    halves = halves_of(archive)
    click.echo("| passages | open, s | memory, MB | retrieval p50 / p95, ms | dense p50 / p95, ms | dense recall@10 |")
    click.echo("|---|---|---|---|---|---|")
    for size in sizes:
        with tempfile.TemporaryDirectory(dir=work) as folder:
            vectors = multiply(archive, halves, size, Path(folder), encoder)
            true = faiss.knn(asked, vectors, 10, metric=faiss.METRIC_INNER_PRODUCT)[1]
            del vectors
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
                found = alone.submit(measure, Path(folder), questions).result()
        shares = [len(one & set(row.tolist())) / 10 for one, row in zip(found.found, true, strict=True)]
        times = " | ".join(
            "{:.1f} / {:.1f}".format(*np.percentile(one, [50, 95])) for one in (found.retrieval, found.dense)
        )
        click.echo(
            f"| {size:,} | {found.open_seconds:.2f} | {found.memory / 1e6:.0f} | {times} | {np.mean(shares):.3f} |"
        )


if __name__ == "__main__":
    main()
