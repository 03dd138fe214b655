"""From the candidates of all passages to answers in order: what reading, retrieval and other articles say of each.

Candidates that give the same answer in different articles support one another. The weights are fitted
(`python -m qa.training calibrate`) and lie beside the reader's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from index.spans import Spans, slice_spans
from index.tokens import character_bigrams
from qa.answer_kinds import FACTUAL_KINDS, can_answer, names_what_is_asked
from qa.figures import count_figures, figures_of, words_around_figures
from qa.question import Question
from qa.reader import Candidate, ReadPassage
from qa.scoring import normalize_answer

_EACH = re.compile("分别|各[是为有]?(?:多少|几)|respectively")
_SEVERAL = re.compile("分别|都有|有谁|各[是为有]?(?:多少|几|谁)|[和与及]|respectively| and ")
_JOINT = re.compile(r"[，、；;]|,(?!\d)")
_LEAST_SHARE = 0.4
_MOST_SUPPORT = 2.0
_HEDGES = re.compile("大约|约|共计|合计|总共|共|近|将近|超过|超|逾|达到|达|为|至少|左右|以上|about|nearly|over")
_DATE_UNITS = frozenset("年月日号")


@dataclass(frozen=True)
class RankedAnswer:
    """One answer: the words, where they stand, and why it came to its place.

    `spans` are ranges of the source, `support` the places (in what was read) of passages of other articles that give
    the same answer, `features` what the score is the weighted sum of.
    """

    text: str
    candidate: Candidate
    spans: Spans
    support: tuple[int, ...]
    features: dict[str, float]
    score: float


def rank_answers(
    question: Question,
    candidates: Sequence[Candidate],
    passages: Sequence[ReadPassage],
    weights: Mapping[str, float],
) -> list[RankedAnswer]:
    """Return the answers best first, each place in a source once."""
    distinct: dict[tuple[int, Spans], Candidate] = {}
    for candidate in candidates:
        passage = passages[candidate.passage].passage
        spans = slice_spans(passage.spans, candidate.start, candidate.end)
        known = distinct.get((passage.article_row, spans))
        if known is None or candidate.score > known.score:
            distinct[passage.article_row, spans] = candidate
    texts = {place: text_of(candidate, passages) for place, candidate in distinct.items()}
    best = max((read.score for read in passages), default=0.0)
    answers = []
    for (article, spans), candidate in distinct.items():
        text = texts[article, spans]
        others: dict[int, tuple[float, int]] = {}
        for (other, where), rival in distinct.items():
            if other != article and same_answer(text, texts[other, where]):
                belief = 1 / (1 + math.exp(-max(min(rival.score, 30.0), -30.0)))
                others[other] = max(others.get(other, (0.0, 0)), (belief, rival.passage))
        features = {
            "reader": candidate.score,
            "passage": passages[candidate.passage].score - best,
            "support": min(sum(belief for belief, _ in others.values()), _MOST_SUPPORT),
            "kind": float(can_answer(question, text) and names_what_is_asked(question, text)),
            "figures": float(_as_many_figures_as_asked(question, text)),
            "echo": _echo(question, text),
            "joined": float(_is_joined(question, text)),
        }
        answers.append(
            RankedAnswer(
                text=text,
                candidate=candidate,
                spans=spans,
                support=tuple(place for _, place in others.values()),
                features=features,
                score=sum(weights.get(name, 0.0) * value for name, value in features.items()),
            )
        )
    return sorted(answers, key=lambda answer: (-answer.score, answer.candidate.passage, answer.spans))


def text_of(candidate: Candidate, passages: Sequence[ReadPassage]) -> str:
    """Return the words of a candidate."""
    return passages[candidate.passage].passage.text[candidate.start : candidate.end]


def overlap(left: Candidate, right: Candidate) -> bool:
    """Say whether two candidates are versions of one: words of the same passage that they share."""
    return left.passage == right.passage and left.start < right.end and right.start < left.end


def same_answer(left: str, right: str) -> bool:
    """Say whether two texts give the same answer: equal once normalised, or one the longer form of the other.

    Figures must agree, whatever they are written in, and so must the words around them: 12 stands inside 112 and is
    another answer, 增长5% is another than 下降5%, 5月20日 is the end of 2023年5月20日 and the same.
    """
    one, other = _compared_by(left), _compared_by(right)
    if one.whole == other.whole:
        return True
    short, long = sorted((one, other), key=lambda compared: len(compared.figures))
    if short.figures:
        least, most = sorted((one.words, other.words), key=len)
        is_part = short.figures == long.figures[-len(short.figures) :] or (
            short.figures == long.figures[: len(short.figures)] and {unit for _, unit in long.figures} <= _DATE_UNITS
        )
        return is_part and least in most
    if long.figures:
        return False
    shorter, longer = sorted((one.whole, other.whole), key=len)
    return bool(shorter) and len(shorter) >= _LEAST_SHARE * len(longer) and shorter in longer


@dataclass(frozen=True)
class _Compared:
    """An answer as it is compared: normalised, its figures, and the words around them without those that hedge."""

    whole: str
    figures: list[tuple[float, str]]
    words: str


@lru_cache(maxsize=4096)
def _compared_by(text: str) -> _Compared:
    """Return what an answer is compared by; each is compared with those of all other articles."""
    return _Compared(normalize_answer(text), figures_of(text), _HEDGES.sub("", words_around_figures(text)))


def _as_many_figures_as_asked(question: Question, text: str) -> bool:
    """Say whether an answer to a question for a number gives one figure, or several where each is asked for."""
    if question.kind != "number":
        return True
    count = count_figures(text)
    return count > 1 if _EACH.search(question.text) else count <= 1


def _is_joined(question: Question, text: str) -> bool:
    """Say whether an answer to a question for one number, time, place or person goes on after a comma."""
    return question.kind in FACTUAL_KINDS and not _SEVERAL.search(question.text) and bool(_JOINT.search(text))


def _echo(question: Question, text: str) -> float:
    """Return the share of a text that only repeats the question."""
    pairs = set(character_bigrams(text))
    return len(pairs & set(question.bigrams)) / len(pairs) if pairs else 0.0
