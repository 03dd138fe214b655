"""From ranked answers to what is shown: the words that answer, each inside its whole sentence.

Lists are completed; reasons and manners get their whole clause; where articles give different figures, they stand side
by side.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from index.bylines import lead_length
from index.sentences import split_sentences
from index.spans import Span
from qa.answer_edges import tidy
from qa.answer_kinds import figures_alike
from qa.question import Question
from qa.ranking import RankedAnswer, same_answer
from qa.reader import ReadPassage

_CLAUSE_END = frozenset("，,；;。！!？?\n")
_ITEM = re.compile(
    r"(?:^|(?<=[，,；;：:。\s]))(?:(?P<shi>[一二三四五六七八九十])(?:是|要|则)|第(?P<di>[一二三四五六七八九十])[，,、是]|"
    r"[（(]?(?P<number>[0-9０-９]{1,2}|[一二三四五六七八九十])[)）.．、](?![0-9０-９])|(?P<circled>[①-⑳]))"
)
_COMMAS = ("，", ",")
# A line may end inside a sentence; after its end, what follows is another one anyway.
_ITEM_END = re.compile(r"[。！!？?；;]")
_ITEM_END_WITH_COMMA = re.compile(r"[。！!？?；;，,]")
_NUMERALS = "一二三四五六七八九十"
# Figures of other articles are shown beside the first when reading and retrieval trust them nearly as much.
_FIGURES_MARGIN = 1.0
_PASSAGE_MARGIN = 3.0
_MOST_ITEMS = 12
_MOST_FIGURES = 3
_LONGEST_LIST = 600


class _Mark(NamedTuple):
    """What an item of an enumeration begins with: its range, its number, and its form (一是, 第一, 1., ①)."""

    start: int
    end: int
    ordinal: int
    form: str | None


@dataclass(frozen=True)
class Part:
    """What is shown of one passage: the range of its text that answers, and the range of whole sentences around it."""

    passage: int
    answer: Span
    quote: Span
    score: float


def compose(question: Question, answers: Sequence[RankedAnswer], passages: Sequence[ReadPassage]) -> tuple[Part, ...]:
    """Return the parts that answer, in the order in which they are to be read; none without answers."""
    if not answers:
        return ()
    best = answers[0]
    text = passages[best.candidate.passage].passage.text
    found = (best.candidate.start, best.candidate.end)
    if question.kind in ("list", "manner", "reason"):
        items = further_items(text, found)
        if items:
            return tuple(_part(best, passages, item) for item in sorted([found, *items]))
    if question.kind in ("reason", "manner"):
        return (_part(best, passages, clause_around(text, found)),)
    parts = [_part(best, passages, found)]
    if question.kind in ("number", "time"):
        parts += [_part(other, passages) for other in differing_figures(answers, passages)]
    return tuple(parts)


def clause_around(text: str, found: Span) -> Span:
    """Return the range widened to the clause it stands in: up to the next comma or semicolon, within its sentence."""
    first, last = sentences_around(text, found)
    start, end = found
    while start > first and text[start - 1] not in _CLAUSE_END:
        start -= 1
    while end < last and text[end] not in _CLAUSE_END:
        end += 1
    lead = lead_length(text[start:end])
    return tidy(text, start + lead if start + lead <= found[0] else start, end) or found


def further_items(text: str, found: Span) -> list[Span]:
    """Return the other items of the enumeration (一是…二是…, 1. 2.) whose item the range is; none where there is none.

    An enumeration that the range holds whole, or an item of which it is only a small part, is left as it is.
    """
    marks = [_Mark(match.start(), match.end(), _ordinal(match), match.lastgroup) for match in _ITEM.finditer(text)]
    run = next(
        (
            run
            for run in _runs(marks)
            if len(run) > 1 and run[0].start <= found[1] and found[0] < _item_end(text, run, len(run) - 1)
        ),
        None,
    )
    if run is None:
        return []
    items = [(mark.end, _item_end(text, run, place)) for place, mark in enumerate(run)]
    if sum(start < found[1] and end > found[0] for start, end in items) != 1:
        return []
    inside = next(item for item in items if item[0] < found[1] and item[1] > found[0])
    if found[1] - found[0] < 0.5 * (inside[1] - inside[0]):
        return []
    tidied = [tidy(text, start, end) for start, end in items if not (start < found[1] and end > found[0])]
    kept = [item for item in tidied if item][:_MOST_ITEMS]
    return kept if sum(end - start for start, end in kept) <= _LONGEST_LIST else []


def differing_figures(answers: Sequence[RankedAnswer], passages: Sequence[ReadPassage]) -> list[RankedAnswer]:
    """Return the answers of other articles that differ from the first and that as much speaks for, one an article.

    They must be figures of the same unit: 46个 and 12名 may both be told of people, 46个 and 5公斤 are of two things.
    """
    best = answers[0]
    shown = [best]
    articles = {passages[best.candidate.passage].passage.article_row}
    for other in answers[1:]:
        article = passages[other.candidate.passage].passage.article_row
        if len(shown) >= _MOST_FIGURES:
            break
        if other.candidate.score < max(best.candidate.score - _FIGURES_MARGIN, 0.0) or not other.features["kind"]:
            continue
        if not figures_alike(best.text, other.text):
            continue
        if other.features["passage"] < best.features["passage"] - _PASSAGE_MARGIN:
            continue
        if article not in articles and not any(same_answer(other.text, one.text) for one in shown):
            shown.append(other)
            articles.add(article)
    return shown[1:]


def sentences_around(text: str, found: Span) -> Span:
    """Return the range of the whole sentences that a range stands in, without a lead (本报讯（记者…）) before it."""
    sentences = [span for span in split_sentences(text) if span[0] < found[1] and span[1] > found[0]]
    start, end = (sentences[0][0], sentences[-1][1]) if sentences else found
    lead = lead_length(text[start:end])
    if start + lead <= found[0]:
        start += lead
    while start < found[0] and text[start].isspace():
        start += 1
    while end > found[1] and text[end - 1].isspace():
        end -= 1
    return start, end


def _part(answer: RankedAnswer, passages: Sequence[ReadPassage], found: Span | None = None) -> Part:
    place = answer.candidate.passage
    found = found or (answer.candidate.start, answer.candidate.end)
    return Part(place, found, sentences_around(passages[place].passage.text, found), answer.score)


def _ordinal(match: re.Match[str]) -> int:
    numeral = next(value for value in match.groups() if value)
    if match.lastgroup == "circled":
        return ord(numeral) - ord("①") + 1
    return int(numeral) if numeral.isdecimal() else _NUMERALS.index(numeral) + 1


def _runs(marks: Sequence[_Mark]) -> list[list[_Mark]]:
    """Return the enumerations among the marks: those of one form that count up from one without a gap."""
    runs: list[list[_Mark]] = []
    for mark in marks:
        before = next((run for run in reversed(runs) if run[-1].form == mark.form), None)
        if mark.ordinal == 1:
            runs.append([mark])
        elif before and before[-1].ordinal == mark.ordinal - 1:
            before.append(mark)
    return runs


def _item_end(text: str, run: Sequence[_Mark], place: int) -> int:
    """Return where an item ends: at the next mark, the last at its sentence's end, or as the one before it did."""
    if place + 1 < len(run):
        return run[place + 1].start
    ends = _ITEM_END_WITH_COMMA if text[run[place].start - 1 : run[place].start] in _COMMAS else _ITEM_END
    stop = ends.search(text, run[place].end)
    return stop.start() if stop else len(text)
