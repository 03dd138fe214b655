"""How well the reader finds answers, and tells contexts that answer from those that do not.

    python tests/benchmarks/reading.py SQUAD_FILE... [--reader FOLDER] [--limit N] [--precision bf16|int8|fp32 ...]

Prints, for each file: exact match and F1 as CMRC 2018 scores them, over the questions with an answer, when the reader
may not decline; the area under the ROC curve of its no-answer score where some questions have no answer; and speed.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from qa.reader import Candidate, SpanReader
from qa.reader_input import ReaderInput
from qa.reader_model import load_reader
from qa.span_scoring import cmrc_exact, cmrc_f1
from qa.training.squad import Example, QuestionSet, read_squad

_SLAB = 256


@dataclass(frozen=True)
class Reading:
    """What the reader makes of one file: shares in percent, areas in 0..1, None where nothing applies."""

    questions: int
    unanswerable: int
    exact: float
    f1: float
    area_of_best: float | None
    area_of_all: float | None
    per_second: float
    misses: list[tuple[float, str, str, str]]


def measure(reader: SpanReader, file: Path, limit: int | None = None) -> Reading:
    """Read every question of a file in its own context."""
    questions = read_squad([file])
    examples = questions.examples
    if limit and limit < len(examples):
        examples = random.Random(0).sample(examples, limit)
    began = time.perf_counter()
    found = read_all(reader, questions, examples)
    seconds = time.perf_counter() - began
    exact, f1, misses = [], [], []
    for example, candidates in zip(examples, found, strict=True):
        if not example.answers:
            continue
        text = questions.contexts[example.context].text
        answer = text[candidates[0].start : candidates[0].end] if candidates else ""
        exact.append(cmrc_exact(answer, example.answers))
        f1.append(cmrc_f1(answer, example.answers))
        if not exact[-1]:
            misses.append((f1[-1], example.question, example.answers[0], answer))
    answerable = np.array([bool(example.answers) for example in examples])
    mixed = bool(answerable.any() and not answerable.all())
    best = np.array([one[0].score if one else -99.0 for one in found])
    mass = np.array([one[0].answerable if one else -99.0 for one in found])
    return Reading(
        questions=len(examples),
        unanswerable=int((~answerable).sum()),
        exact=100 * float(np.mean(exact)),
        f1=100 * float(np.mean(f1)),
        area_of_best=auroc(best, answerable) if mixed else None,
        area_of_all=auroc(mass, answerable) if mixed else None,
        per_second=len(examples) / seconds,
        misses=misses,
    )


def read_all(reader: SpanReader, questions: QuestionSet, examples: Sequence[Example]) -> list[list[Candidate]]:
    """Return the candidates of every question in its own context."""
    found: list[list[Candidate]] = []
    for start in range(0, len(examples), _SLAB):
        inputs = []
        for example in examples[start : start + _SLAB]:
            context = questions.contexts[example.context]
            inputs.append(ReaderInput(example.question, "", context.date, context.text))
        found += reader.read_inputs(inputs)
        print(f"\r{len(found)} / {len(examples)}", end="", file=sys.stderr)
    print(file=sys.stderr)
    return found


def auroc(scores: np.ndarray, positive: np.ndarray) -> float:
    """Return the probability that a positive has a higher score than a negative, ties counted half."""
    order = np.argsort(scores, kind="stable")
    ranks = np.empty(len(scores))
    ranks[order] = np.arange(1, len(scores) + 1)
    for value in np.unique(scores):
        same = scores == value
        ranks[same] = ranks[same].mean()
    count = positive.sum()
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * (~positive).sum()))


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--reader", "name", help="Another reader's folder.")
@click.option("--limit", type=int, help="So many questions of each file, drawn at random.")
@click.option("--precision", "precisions", multiple=True, default=("auto",), show_default=True)
@click.option("--misses", default=0, help="Print so many wrong answers.")
def main(
    files: tuple[Path, ...], name: str | None, limit: int | None, precisions: tuple[str, ...], misses: int
) -> None:
    """Measure the reader."""
    print("| file | precision | questions | EM | F1 | no answer | AUROC best | AUROC all | questions/s |")
    print("|---|---|---|---|---|---|---|---|---|")
    for precision in precisions:
        reader = load_reader(None, name, precision=precision)  # type: ignore[arg-type]
        for file in files:
            found = measure(reader, file, limit)
            areas = [f"{area:.3f}" if area is not None else "-" for area in (found.area_of_best, found.area_of_all)]
            print(
                f"| {file.name.split('.json')[0]} | {precision} | {found.questions} | {found.exact:.1f} | "
                f"{found.f1:.1f} | {found.unanswerable} | {areas[0]} | {areas[1]} | {found.per_second:.1f} |",
                flush=True,
            )
            for score, question, accepted, answer in random.Random(1).sample(
                found.misses, min(misses, len(found.misses))
            ):
                print(f"    {score:.2f} {question} | {accepted} | {answer}")


if __name__ == "__main__":
    main()
