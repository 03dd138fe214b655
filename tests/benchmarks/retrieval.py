"""Compare ways to rank on one archive in one run: dense alone, BM25 alone, rank fusion, standardised sums, our fusion.

    python tests/benchmarks/retrieval.py QUESTIONS PATH... [--index DIR] [--kind KIND] [--limit N]

QUESTIONS is an evaluation file as `wenbao eval` reads it, PATH the documents; the archive is built (or brought up to
date) in DIR first. Prints recall of articles and of passages that hold the answer, and retrieval latency, one thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np

import qa.retrieve
from index.archive import Archive
from index.build import build_archive
from index.command_line import model_option
from index.encoder import load_encoder
from index.progress_bars import ProgressBars
from qa.evaluate import matching_sources, ranks
from qa.evaluation_set import EvaluationQuestion, load_questions
from qa.fusion import Evidence, Fusion, Scores, fuse
from qa.question import parse_question
from qa.retrieve import Retriever

DEPTH = 60
RRF_CONSTANT = 60


def standardized(values: Scores) -> Scores:
    return (values - values.mean()) / max(float(values.std()), 1e-6)


def reciprocal_ranks(values: Scores) -> Scores:
    return (1 / (RRF_CONSTANT + 1 + np.argsort(np.argsort(-values, kind="stable")))).astype(np.float32)


RANKINGS: dict[str, Callable[[Evidence], Scores]] = {
    "dense alone": lambda evidence: evidence.dense,
    "BM25 alone (jieba words)": lambda evidence: evidence.words,
    "BM25 alone (character pairs)": lambda evidence: evidence.bigrams,
    "reciprocal ranks, dense + words": lambda evidence: (
        reciprocal_ranks(evidence.dense) + reciprocal_ranks(evidence.words)
    ),
    "z-scores, 0.5 dense + 0.5 words": lambda evidence: standardized(evidence.dense) + standardized(evidence.words),
    "fused": lambda evidence: fuse(evidence).scores,
}


def measure(
    retriever: Retriever, questions: list[EvaluationQuestion], ranking: Callable[[Evidence], Scores]
) -> tuple[list[int | None], list[int | None]]:
    """Return the article rank and the passage rank of each answerable question under a ranking."""
    qa.retrieve.fuse = lambda evidence: Fusion(ranking(evidence), {})
    articles, passages = [], []
    for question in questions:
        hits = retriever.retrieve(parse_question(question.text), DEPTH).hits
        article, passage = ranks(retriever.archive, question, hits)
        articles.append(article)
        passages.append(passage)
    return articles, passages


def recall(found: list[int | None], depth: int) -> str:
    return f"{sum(rank is not None and rank <= depth for rank in found) / len(found):.3f}"


@click.command()
@click.argument("questions_file", type=click.Path(exists=True, path_type=Path))
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--index", "folder", type=click.Path(path_type=Path), default=Path("benchmark-index"), show_default=True)
@click.option("--kind", default=None, help="Only questions of this kind, e.g. 'quality A'.")
@click.option("--limit", type=int, default=None, help="Only the first N questions.")
@model_option
def main(
    questions_file: Path, paths: tuple[Path, ...], folder: Path, kind: str | None, limit: int | None, model: str | None
) -> None:
    """Print one table: recall under each ranking, and latency."""
    encoder = load_encoder(model)
    bars = ProgressBars()
    build_archive(paths, folder, encoder, bars)
    bars.close()
    archive = Archive.open(folder)
    retriever = Retriever(archive, encoder)
    asked = [question for question in load_questions(questions_file) if kind in (None, question.kind)]
    answerable = [question for question in asked if question.answers and matching_sources(archive, question)][:limit]
    counts = archive.manifest.counts
    click.echo(f"{len(answerable)} questions, {counts.articles} articles, {counts.passages} passages\n")
    click.echo("| ranking | article R@1 | R@5 | R@20 | passage R@1 | R@5 | R@20 |\n|---|---|---|---|---|---|---|")
    for name, ranking in RANKINGS.items():
        articles, passages = measure(retriever, answerable, ranking)
        figures = [recall(found, depth) for found in (articles, passages) for depth in (1, 5, 20)]
        click.echo(f"| {name} | {' | '.join(figures)} |")
    qa.retrieve.fuse = fuse
    times = []
    for question in answerable:
        started = time.perf_counter()
        retriever.retrieve(parse_question(question.text), 10)
        times.append((time.perf_counter() - started) * 1000)
    click.echo(f"\nretrieval: p50 {np.percentile(times, 50):.1f} ms, p95 {np.percentile(times, 95):.1f} ms a question")


if __name__ == "__main__":
    main()
