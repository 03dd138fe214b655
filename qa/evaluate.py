"""Evaluation: how well retrieval, answers, citations and refusals do on a set of questions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from index.archive import Archive
from index.spans import join_spans
from qa.answer import Answer
from qa.bot import Bot
from qa.dialogue import Chat
from qa.evaluation_set import EvaluationQuestion
from qa.reliability import expected_calibration_error
from qa.retrieve import Hit
from qa.scoring import character_f1, exact_match, is_right, normalize_answer

_DEPTH = 60


@dataclass(frozen=True)
class Outcome:
    """What came of one question. Ranks count from 1; None where nothing in the searched depth fits, or nothing should.

    `answer` is what was found, or would have been but for the threshold; `would_be_right` says whether that is right.
    `article_rank` counts distinct articles, `passage_rank` passages that hold an accepted answer. `quoted` says that an
    accepted answer stands inside what is quoted, the whole sentence around the answer.
    """

    question: EvaluationQuestion
    answerable: bool
    article_rank: int | None
    passage_rank: int | None
    found: bool
    answer: str
    confidence: float
    right: bool
    would_be_right: bool
    quoted: bool
    exact: bool
    f1: float
    citations: int
    citations_exact: int
    retrieval_ms: float
    total_ms: float


@dataclass(frozen=True)
class Summary:
    """Figures over the questions of one kind. Shares lie in 0..1, times are milliseconds; None where nothing applies.

    `article_recall` and `passage_recall` are at 1, 5 and 20. `right` is over all questions: answerable ones answered
    right, and unanswerable ones declined; `quoted` is the share of the answerable whose quote holds an accepted answer.
    `calibration_error` is the expected distance between confidence and share of right answers (10 bins).
    `refusal_precision` is the share of refusals that were due, `refusal_recall` that of the unanswerable declined.
    """

    kind: str
    questions: int
    answerable: int
    calibration_error: float
    article_recall: dict[int, float] | None
    article_mrr: float | None
    passage_recall: dict[int, float] | None
    right: float
    quoted: float | None
    exact_match: float | None
    f1: float | None
    citations_exact: float | None
    refusal_precision: float | None
    refusal_recall: float | None
    answerable_declined: float | None
    retrieval_p50: float
    retrieval_p95: float
    total_p50: float
    total_p95: float


def evaluate(
    bot: Bot, questions: Sequence[EvaluationQuestion], on_done: Callable[[int, int], None] = lambda done, total: None
) -> list[Outcome]:
    """Ask every question and look at what comes; a question whose documents the archive lacks should be declined.

    Each is asked without a threshold, which is applied afterwards, so that it is also known what would have been
    answered.
    """
    archive = bot.archive
    chats: dict[str, Chat] = {}
    outcomes = []
    for done, question in enumerate(questions):
        answerable = bool(question.answers) and bool(matching_sources(archive, question))
        hits = bot.search(question.text, _DEPTH)
        if question.conversation:
            answer = chats.setdefault(question.conversation, bot.chat()).ask(question.text, threshold=0.0)
        else:
            answer = bot.ask(question.text, threshold=0.0)
        outcomes.append(_outcome(archive, question, answer, hits, answerable=answerable, threshold=bot.threshold))
        on_done(done + 1, len(questions))
    return outcomes


def matching_sources(archive: Archive, question: EvaluationQuestion) -> frozenset[str]:
    """Return the names of the archive's sources that a question's documents are: whole names, file names or ids."""
    names = _sources_by_document(archive)
    return frozenset(name for document in question.documents for name in names.get(document, ()))


def ranks(archive: Archive, question: EvaluationQuestion, hits: Sequence[Hit]) -> tuple[int | None, int | None]:
    """Return the rank of the first article that answers, among distinct articles, and of the first passage that does.

    In a source of several articles, only those that hold an accepted answer count.
    """
    gold = matching_sources(archive, question)
    alone = _sources_of_one_article(archive)
    articles = {hit.article.id: hit.article for hit in hits}.values()
    article_rank = _first_rank(
        article.source in gold and (article.source in alone or _holds_answer(article.text, question))
        for article in articles
    )
    passage_rank = _first_rank(hit.article.source in gold and _holds_answer(hit.passage.text, question) for hit in hits)
    return article_rank, passage_rank


def _holds_answer(text: str, question: EvaluationQuestion) -> bool:
    normal = normalize_answer(text)
    return any(normalize_answer(accepted) in normal for accepted in question.answers)


def _outcome(
    archive: Archive,
    question: EvaluationQuestion,
    answer: Answer,
    hits: Sequence[Hit],
    *,
    answerable: bool,
    threshold: float,
) -> Outcome:
    found = answer.found and answer.confidence >= threshold
    right = answerable and is_right(answer.answer, question.answers, question.kind)
    shown = answer.answer if found else ""
    article_rank, passage_rank = ranks(archive, question, hits) if answerable else (None, None)
    exact = sum(
        join_spans(archive.source(citation.source).text, citation.spans) == citation.quote
        and join_spans(archive.source(citation.source).text, citation.answer_spans) == citation.answer
        for citation in answer.citations
    )
    return Outcome(
        question=question,
        answerable=answerable,
        article_rank=article_rank,
        passage_rank=passage_rank,
        found=found,
        answer=answer.answer,
        confidence=answer.confidence,
        right=found and right if answerable else not found,
        would_be_right=right,
        quoted=answerable and found and any(_holds_answer(citation.quote, question) for citation in answer.citations),
        exact=any(exact_match(shown, text) for text in question.answers),
        f1=max((character_f1(shown, text) for text in question.answers), default=0.0),
        citations=len(answer.citations),
        citations_exact=exact,
        retrieval_ms=answer.timings["retrieve"],
        total_ms=answer.timings["total"],
    )


def summarize(outcomes: Sequence[Outcome]) -> list[Summary]:
    """Return the figures per kind of question, and those of all together last."""
    kinds = sorted({outcome.question.kind for outcome in outcomes})
    groups = [(kind, [outcome for outcome in outcomes if outcome.question.kind == kind]) for kind in kinds]
    return [_summary(kind, group) for kind, group in [*groups, ("all", list(outcomes))] if group]


def _summary(kind: str, group: Sequence[Outcome]) -> Summary:
    answerable = [outcome for outcome in group if outcome.answerable]
    declined = [outcome for outcome in group if not outcome.found]
    cited = sum(outcome.citations for outcome in group)
    retrieval, total = [o.retrieval_ms for o in group], [o.total_ms for o in group]
    return Summary(
        kind=kind,
        questions=len(group),
        answerable=len(answerable),
        calibration_error=expected_calibration_error([o.confidence for o in group], [o.would_be_right for o in group]),
        article_recall=_recall([o.article_rank for o in answerable]),
        article_mrr=_share([1 / o.article_rank if o.article_rank else 0.0 for o in answerable]),
        passage_recall=_recall([o.passage_rank for o in answerable]),
        right=_share([o.right for o in group]) or 0.0,
        quoted=_share([o.quoted for o in answerable]),
        exact_match=_share([o.exact for o in answerable]),
        f1=_share([o.f1 for o in answerable]),
        citations_exact=sum(o.citations_exact for o in group) / cited if cited else None,
        refusal_precision=_share([not o.answerable for o in declined]),
        refusal_recall=_share([not o.found for o in group if not o.answerable]),
        answerable_declined=_share([not o.found for o in answerable]),
        retrieval_p50=_percentile(retrieval, 50),
        retrieval_p95=_percentile(retrieval, 95),
        total_p50=_percentile(total, 50),
        total_p95=_percentile(total, 95),
    )


def to_dict(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return figures and failures as plain values, for JSON."""
    return {
        "summary": [asdict(summary) for summary in summarize(outcomes)],
        "failures": [asdict(outcome) for outcome in failures(outcomes)],
    }


def failures(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the outcomes that are not right, those first whose quote does not even hold the answer."""
    return sorted((outcome for outcome in outcomes if not outcome.right), key=lambda outcome: outcome.quoted)


@lru_cache(maxsize=4)
def _sources_by_document(archive: Archive) -> dict[str, list[str]]:
    """Return the sources under each name that an evaluation set may use: whole, below a folder, the id of a record."""
    found: dict[str, list[str]] = {}
    for name in archive.source_names():
        path, _, record = name.partition("#")
        parts = path.split("/")
        for document in {name, *("/".join(parts[start:]) for start in range(len(parts))), record} - {""}:
            found.setdefault(document, []).append(name)
    return found


@lru_cache(maxsize=4)
def _sources_of_one_article(archive: Archive) -> frozenset[str]:
    counts: dict[str, int] = {}
    for article in archive.articles():
        counts[article.source] = counts.get(article.source, 0) + 1
    return frozenset(source for source, count in counts.items() if count == 1)


def _first_rank(fits: Iterable[bool]) -> int | None:
    return next((rank for rank, fit in enumerate(fits, start=1) if fit), None)


def _recall(ranks: Sequence[int | None]) -> dict[int, float] | None:
    if not ranks:
        return None
    return {depth: sum(rank is not None and rank <= depth for rank in ranks) / len(ranks) for depth in (1, 5, 20)}


def _share(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _percentile(values: Sequence[float], percent: int) -> float:
    return round(float(np.percentile(values, percent)), 1)
