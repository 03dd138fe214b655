"""Fit the weights of `qa.fusion` on reading-comprehension questions.

Every context becomes an article of an archive, with the distractors beside them, and every question is asked of it. The
fusion learns to put the passages that hold the answer first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt

from index.command_line import model_option
from index.encoder import load_encoder
from qa.fusion import Evidence, features
from qa.question import parse_question
from qa.retrieve import Retriever
from qa.scoring import normalize_answer
from qa.training.contexts import contexts_archive, is_askable, sample
from qa.training.fit import Ranked, fit_listwise
from qa.training.squad import Example, read_squad


@dataclass(frozen=True)
class Judged:
    """The evidence of one question; per candidate, whether it is of the right context and holds the answer."""

    evidence: Evidence
    of_context: npt.NDArray[np.bool_]
    holds_answer: npt.NDArray[np.bool_]


def judge(retriever: Retriever, examples: Iterable[Example]) -> Iterator[Judged]:
    """Ask every question and say which candidates are right."""
    archive = retriever.archive
    for example in examples:
        found = retriever.gather(parse_question(example.question))
        passages = archive.passages_at(found.rows.tolist())
        accepted = [normalize_answer(answer) for answer in example.answers]
        articles = archive.articles_at([passage.article_row for passage in passages])
        of_context = np.array([article.source.partition("#")[2] == example.context for article in articles])
        texts = [normalize_answer(p.text) if mine else "" for p, mine in zip(passages, of_context, strict=True)]
        holds = np.array([any(answer in text for answer in accepted) and bool(text) for text in texts])
        yield Judged(found.evidence, of_context, holds)


def fit_fusion(judged: Iterable[Judged]) -> dict[str, float]:
    """Return the weights of `qa.fusion`."""
    names: list[str] = []
    lists = []
    for one in judged:
        columns = features(one.evidence)
        names = list(columns)
        # Cosines differ by hundredths and BM25 scores by units: bring them to one scale for the weight decay.
        scaled = [values * (20 if name == "dense" else 0.2) for name, values in columns.items()]
        lists.append(Ranked(np.stack(scaled, axis=1).astype(np.float32), one.holds_answer))
    weights = fit_listwise(lists)
    scales = [20 if name == "dense" else 0.2 for name in names]
    return {name: round(float(w) * scale, 3) for name, w, scale in zip(names, weights, scales, strict=True)}


@click.command("fusion")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--distractors", multiple=True, type=click.Path(exists=True, path_type=Path), help="Other articles.")
@click.option(
    "--questions", "questions_per_file", default=700, show_default=True, help="How many questions of each file."
)
@click.option("--work", type=click.Path(path_type=Path), default=Path("fusion-training"), show_default=True)
@click.option("--seed", default=0, show_default=True)
@model_option
def fusion_command(
    files: tuple[Path, ...],
    distractors: tuple[Path, ...],
    questions_per_file: int,
    work: Path,
    seed: int,
    model: str | None,
) -> None:
    """Fit and print the weights of dense and keyword search. SQuAD-format FILES, their contexts as an archive."""
    questions = read_squad(files)
    chosen = [
        example
        for file in range(len(files))
        for example in sample([one for one in questions.answerable() if one.file == file], questions_per_file, seed)
        if is_askable(example.question)
    ]
    encoder = load_encoder(model)
    archive = contexts_archive(questions, work, encoder, distractors)
    judged = list(judge(Retriever(archive, encoder), chosen))
    click.echo(f"{len(judged)} questions")
    click.echo(f"qa/fusion.py      WEIGHTS = {fit_fusion(judged)}")
