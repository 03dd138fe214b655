"""Fit a reader's calibration: how answers are ranked, and how probable it is that the best one is right.

Every context becomes an article of an archive. Questions are asked of it as they are, and about every third of those
with an answer again with its own article left out of what is read: then nothing should be answered. Questions without
an answer are asked as they are. The files must not be those that the reader was trained on, which it knows too well,
nor any that it is evaluated on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from index.archive import Archive
from index.command_line import model_option
from index.encoder import load_encoder
from index.errors import InputError
from index.layout import replace_file
from qa.bot import PASSAGES_TO_READ, answer_features, passages_to_read
from qa.calibration import FILE, Calibration, threshold_of
from qa.compose import compose
from qa.evaluate import matching_sources
from qa.evaluation_set import EvaluationQuestion, load_questions
from qa.fusion import Evidence
from qa.question import Question, parse_question
from qa.ranking import RankedAnswer, rank_answers
from qa.reader import Candidate, Reader, ReadPassage
from qa.reader_model import load_reader, reader_folder
from qa.reliability import expected_calibration_error
from qa.retrieve import Retrieval, Retriever
from qa.scoring import is_right, normalize_answer
from qa.training.contexts import contexts_archive, is_askable, sample
from qa.training.fit import Ranked, fit_listwise, fit_logistic
from qa.training.squad import QuestionSet, read_squad

_RANKING = ("reader", "passage", "support", "kind", "figures", "echo", "joined")
# Made-up articles that come in families differing in a figure teach that agreement misleads (a fit gives -0.2). Real
# papers print what the agencies send: the weight is that of a fit on encyclopedia texts, which repeat each other too.
_SUPPORT = 0.303
_KINDS = {"list": "list", "reason": "why", "manner": "why"}


@dataclass(frozen=True)
class Asked:
    """A question, what should be answered (nothing where the archive does not answer), and where it stands.

    Sources `left_out` are not read; then nothing should be answered.
    """

    text: str
    answers: tuple[str, ...]
    sources: frozenset[str]
    kind: str
    left_out: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Read:
    """What came of one question before anything is weighed."""

    asked: Asked
    question: Question
    retrieval: Retrieval
    passages: list[ReadPassage]
    candidates: list[Candidate]


def questions_of_files(questions: QuestionSet, archive: Archive, count: int, seed: int) -> list[Asked]:
    """Return questions of SQuAD-format files, and some of those with an answer again, their own article left out."""
    by_record = {name.partition("#")[2]: name for name in archive.source_names()}
    asked = []
    for example in sample(questions.examples, count, seed):
        if example.context not in by_record or not is_askable(example.question):
            continue  # an empty context was refused by the archive; a question of marks only, by the bot
        own = frozenset({by_record[example.context]})
        kind = _KINDS.get(parse_question(example.question).kind, "")
        asked.append(Asked(example.question, example.answers, own, kind))
        if example.answers and len(asked) % 3 == 0:
            asked.append(Asked(example.question, example.answers, own, kind, left_out=own))
    return asked


def questions_of_set(archive: Archive, questions: Iterable[EvaluationQuestion]) -> list[Asked]:
    """Return the questions of a file for `wenbao eval`."""
    asked = []
    for question in questions:
        sources = matching_sources(archive, question)
        asked.append(Asked(question.text, question.answers if sources else (), sources, question.kind))
    return asked


def read_all(retriever: Retriever, reader: Reader, asked: Sequence[Asked]) -> Iterator[Read]:
    """Ask the questions, as the bot does up to the candidates."""
    for one in asked:
        question = parse_question(one.text)
        retrieval = retriever.retrieve(question, PASSAGES_TO_READ + (4 if one.left_out else 0))
        if one.left_out:
            hits = tuple(hit for hit in retrieval.hits if hit.article.source not in one.left_out)[:PASSAGES_TO_READ]
            rows = retriever.gather(question, vector=retrieval.vector).rows
            sources = [
                article.source
                for article in retriever.archive.articles_at(
                    [passage.article_row for passage in retriever.archive.passages_at(rows.tolist())]
                )
            ]
            kept = np.array([source not in one.left_out for source in sources])
            evidence = retrieval.evidence
            retrieval = replace(
                retrieval,
                hits=hits,
                evidence=Evidence(evidence.dense[kept], evidence.words[kept], evidence.bigrams[kept]),
            )
        passages = passages_to_read(retrieval.hits)
        if one.left_out:
            if any(
                normalize_answer(answer) in normalize_answer(p.passage.text) for answer in one.answers for p in passages
            ):
                continue  # another article may answer it after all: nobody knows what should happen
            one = replace(one, answers=(), sources=frozenset())
        if passages:
            yield Read(one, question, retrieval, passages, reader.read(question, retrieval.vector, passages))


def is_hit(read: Read, answer: RankedAnswer) -> bool:
    """Say whether an answer is right, and of an article that answers."""
    hit = read.retrieval.hits[answer.candidate.passage]
    if hit.article.source not in read.asked.sources:
        return False
    return is_right(_shown(read, [answer]), read.asked.answers, read.asked.kind)


def fit_ranking(reads: Sequence[Read]) -> dict[str, float]:
    """Return the weights of `qa.ranking`."""
    lists = []
    for read in reads:
        if not read.asked.answers:
            continue
        answers = rank_answers(read.question, read.candidates, read.passages, {"reader": 1.0})
        if answers:
            features = np.array([[answer.features[name] for name in _RANKING] for answer in answers], np.float32)
            lists.append(Ranked(features, np.array([is_hit(read, answer) for answer in answers])))
    fitted = {name: round(float(weight), 3) for name, weight in zip(_RANKING, fit_listwise(lists), strict=True)}
    return fitted | {"support": _SUPPORT}


@dataclass(frozen=True)
class Judged:
    """The features of the best answer of each question, whether it is right, and whether the archive answers."""

    names: tuple[str, ...]
    features: npt.NDArray[np.float32]
    right: npt.NDArray[np.bool_]
    answerable: npt.NDArray[np.bool_]


def judge(reads: Sequence[Read], ranking: dict[str, float]) -> Judged:
    """Return what the confidence is fitted on."""
    names: tuple[str, ...] = ()
    rows, right, answerable = [], [], []
    for read in reads:
        answers = rank_answers(read.question, read.candidates, read.passages, ranking)
        if not answers:
            continue
        features = answer_features(read.question, answers, read.retrieval)
        names = tuple(features)
        rows.append(list(features.values()))
        right.append(bool(read.asked.answers) and is_right(_shown(read, answers), read.asked.answers, read.asked.kind))
        answerable.append(bool(read.asked.answers))
    return Judged(names, np.array(rows, np.float32), np.array(right), np.array(answerable))


def fit_confidence(judged: Judged, *, decay: float) -> dict[str, float]:
    """Return the weights of the confidence."""
    weights = fit_logistic(judged.features, judged.right, decay=decay)
    return {name: round(float(weight), 3) for name, weight in zip(judged.names, weights, strict=True)}


def _shown(read: Read, answers: Sequence[RankedAnswer]) -> str:
    parts = compose(read.question, answers, read.passages)
    return "\n".join(read.passages[part.passage].passage.text[slice(*part.answer)] for part in parts)


@click.command("calibrate")
@click.argument("files", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--pages", type=click.Path(exists=True, path_type=Path), help="Pages that a set of questions is about.")
@click.option(
    "--set", "sets", multiple=True, type=click.Path(exists=True, path_type=Path), help="Questions on the pages."
)
@click.option("--distractors", multiple=True, type=click.Path(exists=True, path_type=Path), help="Other articles.")
@click.option(
    "--context-only",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="SQuAD-format files whose contexts are distractors.",
)
@click.option("--questions", "count", default=3000, show_default=True, help="How many questions of the files.")
@click.option("--cost", default=1.0, show_default=True, help="What a wrong answer costs, in needless refusals.")
@click.option("--decay", default=1e-3, show_default=True, help="Weight decay of the confidence.")
@click.option("--work", type=click.Path(path_type=Path), default=Path("calibration"), show_default=True)
@click.option("--reader", "name", help="The reader's folder; the one that comes with Wenbao by default.")
@click.option("--seed", default=0, show_default=True)
@model_option
def calibrate_command(
    files: tuple[Path, ...],
    pages: Path | None,
    sets: tuple[Path, ...],
    distractors: tuple[Path, ...],
    context_only: tuple[Path, ...],
    count: int,
    cost: float,
    decay: float,
    work: Path,
    name: str | None,
    seed: int,
    model: str | None,
) -> None:
    """Fit the ranking of answers and the confidence, and write them beside the reader's weights.

    SQuAD-format FILES that the reader was not trained on; give them a `date` where articles have one.
    """
    encoder = load_encoder(model)
    reader = load_reader(encoder, name)
    read = read_squad([*files, *context_only])
    everything = QuestionSet(read.contexts, [example for example in read.examples if example.file < len(files)])
    archive = contexts_archive(everything, work, encoder, [*distractors, *([pages] if pages else [])])
    asked = questions_of_files(everything, archive, count, seed)
    for file in sets:
        asked += questions_of_set(archive, load_questions(file))
    reads = list(tqdm(read_all(Retriever(archive, encoder), reader, asked), total=len(asked), desc="asking", unit=""))
    if not any(one.asked.answers for one in reads) or all(one.asked.answers for one in reads):
        raise InputError(
            f"Of {len(reads)} questions all or none have an answer. The calibration needs both: add questions whose "
            "context does not answer them, or more questions."
        )
    ranking = fit_ranking(reads)
    judged = judge(reads, ranking)
    confidence = fit_confidence(judged, decay=decay)
    fitted = Calibration(
        ranking=ranking,
        confidence=confidence,
        cost_of_wrong=cost,
        threshold=round(threshold_of(cost), 4),
        fitted_on=f"{len(reads)} questions, {int(judged.answerable.sum())} of them answerable",
    )
    probabilities = [fitted.probability(dict(zip(judged.names, row, strict=True))) for row in judged.features.tolist()]
    given = np.array(probabilities) >= fitted.threshold
    click.echo(f"{fitted.fitted_on}; best answer right {judged.right[judged.answerable].mean():.3f}")
    click.echo(f"ECE {expected_calibration_error(probabilities, judged.right.tolist()):.3f}")
    click.echo(f"answerable declined {1 - given[judged.answerable].mean():.3f}")
    click.echo(f"unanswerable declined {1 - given[~judged.answerable].mean():.3f}")
    path = reader_folder(name) / FILE
    replace_file(path, fitted.model_dump_json(indent=2) + "\n")
    click.echo(f"{path}")
