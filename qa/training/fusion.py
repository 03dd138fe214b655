"""Fit the weights of `qa.fusion` and `qa.confidence` on reading-comprehension questions.

    python -m qa.training.fusion SQUAD_FILE... [--distractors FILE.jsonl] [--questions N] [--work DIR]

Every context becomes an article of an archive, with the distractors beside them, and every question is asked of it. The
fusion learns to put the passages that hold the answer first; the confidence learns to tell these questions from the
same ones asked with their context left out. Prints both sets of weights; the sources hold the ones in use.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt

from index.archive import Archive
from index.build import build_archive
from index.cli import ProgressBars, model_option
from index.encoder import load_encoder
from index.errors import InputError
from qa.confidence import confidence_features
from qa.fusion import Evidence, features, fuse
from qa.question import parse_question
from qa.retrieve import Retriever
from qa.scoring import normalize_answer
from qa.training.fit import Ranked, fit_listwise, fit_logistic

_READ = 6


@dataclass(frozen=True)
class Example:
    """A question, the id of the context that answers it, and the accepted answers."""

    question: str
    context: str
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Judged:
    """The evidence of one question; per candidate, whether it is of the right context and holds the answer."""

    evidence: Evidence
    of_context: npt.NDArray[np.bool_]
    holds_answer: npt.NDArray[np.bool_]


def read_squad(path: Path) -> tuple[dict[str, str], list[Example]]:
    """Return the contexts of a SQuAD-format file (gzip or not) by id, and its answerable questions.

    Raises:
        InputError: it is no such file.
    """
    contexts: dict[str, str] = {}
    examples: list[Example] = []
    try:
        content = path.read_bytes()
        data = json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)["data"]
        for place, entry in enumerate(data):
            for number, paragraph in enumerate(entry["paragraphs"]):
                context = f"{path.name}-{place}-{number}"
                contexts[context] = paragraph["context"]
                for asked in paragraph["qas"]:
                    answers = tuple(answer["text"] for answer in asked["answers"])
                    if answers:
                        examples.append(Example(asked["question"], context, answers))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is not a SQuAD-format file ({error!r}). Expected data → paragraphs → qas.") from error
    return contexts, examples


def judge(retriever: Retriever, examples: Iterable[Example]) -> Iterator[Judged]:
    """Ask every question and say which candidates are right."""
    archive = retriever.archive
    sources = [article.source.partition("#")[2] for article in archive.articles(imprints=True)]
    for example in examples:
        found = retriever.gather(parse_question(example.question))
        passages = archive.passages_at(found.rows.tolist())
        accepted = [normalize_answer(answer) for answer in example.answers]
        of_context = np.array([sources[passage.article_row] == example.context for passage in passages])
        texts = [normalize_answer(p.text) if mine else "" for p, mine in zip(passages, of_context, strict=True)]
        holds = np.array([any(answer in text for answer in accepted) and bool(text) for text in texts])
        yield Judged(found.evidence, of_context, holds)


def without(judged: Judged) -> Evidence:
    """Return the evidence as it would be had the right context been left out of the archive."""
    kept, evidence = ~judged.of_context, judged.evidence
    return Evidence(evidence.dense[kept], evidence.words[kept], evidence.bigrams[kept])


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


def fit_confidence(judged: Iterable[Judged]) -> dict[str, float]:
    """Return the weights of `qa.confidence` that data can tell: the bias and the margin."""
    rows: list[tuple[float, float]] = []
    labels: list[bool] = []
    for one in judged:
        best = np.argsort(-fuse(one.evidence).scores)[:_READ]
        cases = [(without(one), False)]
        if one.holds_answer[best].any():
            cases.append((one.evidence, True))
        for evidence, answerable in cases:
            if len(evidence.dense):
                values = confidence_features(evidence)
                rows.append((values["bias"], values["margin"]))
                labels.append(answerable)
    weights = fit_logistic(np.array(rows, np.float32), np.array(labels))
    return {name: round(float(weight), 2) for name, weight in zip(("bias", "margin"), weights, strict=True)}


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--distractors", multiple=True, type=click.Path(exists=True, path_type=Path), help="Other articles.")
@click.option("--questions", default=700, show_default=True, help="How many questions of each file.")
@click.option("--work", type=click.Path(path_type=Path), default=Path("fusion-training"), show_default=True)
@click.option("--seed", default=0, show_default=True)
@model_option
def main(
    files: tuple[Path, ...], distractors: tuple[Path, ...], questions: int, work: Path, seed: int, model: str | None
) -> None:
    """Fit and print the weights."""
    work.mkdir(parents=True, exist_ok=True)
    chosen: list[Example] = []
    with (work / "contexts.jsonl").open("w", encoding="utf-8") as out:
        for file in files:
            contexts, examples = read_squad(file)
            chosen += random.Random(seed).sample(examples, min(questions, len(examples)))  # noqa: S311 - no secret
            for name, text in contexts.items():
                out.write(json.dumps({"id": name, "text": text}, ensure_ascii=False) + "\n")
    encoder = load_encoder(model)
    bars = ProgressBars()
    build_archive([work / "contexts.jsonl", *distractors], work / "index", encoder, bars)
    bars.close()
    judged = list(judge(Retriever(Archive.open(work / "index"), encoder), chosen))
    click.echo(f"{len(judged)} questions")
    click.echo(f"qa/fusion.py      WEIGHTS = {fit_fusion(judged)}")
    click.echo(f"qa/confidence.py  WEIGHTS = {fit_confidence(judged)}")


if __name__ == "__main__":
    main()
