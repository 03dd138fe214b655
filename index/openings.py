"""Openings: which of the titles of a page open an article, and which only divide one.

A run of titles is weighed by its evidence: a lead or a byline after it, a signature before it, its shape, and whether
the text changes its subject there. The weights were fitted on pages made of real articles, then rounded.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from index.bylines import (
    is_column_name,
    is_lead,
    is_notice_title,
    is_rubric,
    is_strong_lead,
    signature_at_end,
    turns_out,
)
from index.cohesion import Cohesion
from index.headlines import SPACED, Kind
from index.lines import Line, begins_inside, ends_sentence

MOST_TITLE_LINES = 5
WINDOW = 700

_ENUMERATED = re.compile(
    r"^(?:[A-HＡ-Ｈ][、.．:：\s]?[\u4e00-\u9fff“「]|[（(]?[一二三四五六七八九十]{1,3}[)）、.．]|[（(]\d{1,2}[)）]|\d{1,2}[、.．)）]\s*\D|[①-⑳]|"
    r"第[一二三四五六七八九十\d]+[章节步计招条式个是,，、]|其[一二三四五]|(?:Part|Chapter|Step)\s*\d|[➊-➓]|0\d\s*[\u4e00-\u9fff])"
)
_SUBTITLE = re.compile(r"——|──|―")
_BEGINS_NEWS = re.compile(
    r"^(?:近日|日前|昨[日天晚]|今[日天晨年]|连日来|近期|最近|\d{4}年|\d{1,2}月\d{1,2}日|\d{1,2}日|记者|.{2,16}?(?:近日|日前|昨日|\d{1,2}日|今[日天]))"
)

# fitted: see the evidence in `_evidence`
_WEIGHTS: dict[str, float] = {
    "base": 0.8,
    "begins as news": 1.6,
    "broken before": -1.3,
    "broken on both sides": 1.7,
    "byline": 3.7,
    "byline before": -2.0,
    "enumerated": -3.4,
    "headline echoed after": -3.1,
    "lead": 0.8,
    "little before": -3.4,
    "long": 1.1,
    "rubric": 0.0,
    "same subject": -4.9,
    "same subject beyond": -4.3,
    "sentence": -0.0,
    "several lines": 0.3,
    "short": -1.3,
    "signed": 2.9,
    "smaller than headlines": 0.9,
    "spaced": 0.6,
    "strong lead": 5.2,
    "subtitle": 0.9,
    "title told after": 0.7,
    "title told before": -3.8,
    "turned": 0.0,
    "two long lines": 0.8,
    "unlike others": -4.6,
}


@dataclass(frozen=True)
class TitleGroup:
    """A run of title lines: `first` to `last` (both included), and how strongly it opens an article."""

    first: int
    last: int
    score: float


# too rare on made pages to be fitted: set by hand on real ones
_WEIGHTS |= {
    "broken on both sides": 5.0,
    "byline before": -0.8,
    "turned": 3.0,
    "subtitle": 1.9,
    "rubric": 4.0,
    "two long lines": 2.8,
}
_WEIGHTS |= {"column": 7.0, "notice": 7.0, "stands out": 1.3, "indented as text": -2.5}


def title_groups(lines: Sequence[Line], kinds: Sequence[Kind]) -> list[tuple[int, int]]:
    """Return the first and last index of each run of titles; captions inside a run are passed over."""
    groups: list[tuple[int, int]] = []
    index = 0
    while index < len(lines):
        if kinds[index] is not Kind.TITLE:
            index += 1
            continue
        last = index
        cursor = index + 1
        while cursor < len(lines) and kinds[cursor] in (Kind.TITLE, Kind.CAPTION):
            if kinds[cursor] is Kind.TITLE:
                last = cursor
            cursor += 1
        size = sum(kinds[position] is Kind.TITLE for position in range(index, last + 1))
        if size <= MOST_TITLE_LINES:
            groups.append((index, last))
        elif is_marked(lines, kinds, last) or index == 0:
            # a list of short lines: only its last two can be a headline
            groups.append((last - 1, last) if index else (0, 0))
        index = cursor
    return groups


def is_marked(lines: Sequence[Line], kinds: Sequence[Kind], last: int) -> bool:
    """Say whether a byline or a lead follows a group of titles."""
    for index in range(last + 1, min(last + 4, len(lines))):
        if kinds[index] is Kind.CAPTION:
            continue
        return kinds[index] is Kind.BYLINE or (kinds[index] is Kind.BODY and is_lead(lines[index].text))
    return False


def _paragraph_indent(lines: Sequence[Line], kinds: Sequence[Kind]) -> int:
    """Return how far the paragraphs of a page are indented where nearly all are, else 0."""
    ends = [
        line
        for index, (line, kind) in enumerate(zip(lines, kinds, strict=True))
        if kind is Kind.BODY
        and (index == 0 or kinds[index - 1] is not Kind.BODY or ends_sentence(lines[index - 1].text))
    ]
    usual, times = Counter(line.indent for line in ends).most_common(1)[0] if ends else (0, 0)
    return usual if times * 5 >= len(ends) * 4 else 0


class OpeningFinder:
    """Weighs the groups of titles of one page, in order."""

    def __init__(self, lines: Sequence[Line], kinds: Sequence[Kind]) -> None:
        self.lines = lines
        self.kinds = list(kinds)
        titled = Kind.TITLE in self.kinds[1:]
        body = [line.text for line, kind in zip(lines, kinds, strict=True) if kind is Kind.BODY]
        # without titles below the first line there is nothing to weigh
        self.cohesion = Cohesion(body if titled else [])
        self._return_broken_lines()
        self.groups = title_groups(lines, self.kinds)
        self.marked = [is_marked(lines, self.kinds, last) for _, last in self.groups]

        self.indent = _paragraph_indent(lines, self.kinds)
        self.has_top_heading = any(line.level == 1 for line in lines)
        marked_groups = [group for group, marked in zip(self.groups, self.marked, strict=True) if marked]
        self._headline_sizes = [self._size(*group) for group in marked_groups] if len(marked_groups) > 1 else []

    def _return_broken_lines(self) -> None:
        """Make running text of a line above a headline that is the broken end of the article before, not a kicker."""
        for first, last in title_groups(self.lines, self.kinds):
            gap = next((i for i in range(first + 1, last + 1) if self.lines[i].blanks > 0), None)
            above = self.lines[first - 1] if first and self.kinds[first - 1] is Kind.BODY else None
            if gap and above and self.lines[first].blanks == 0 and not ends_sentence(above.text):
                # short lines that go on below a verse, then a gap, then the headline
                self.kinds[first:gap] = [Kind.BODY] * (gap - first)
                continue
            text = self.lines[first].text
            commas = len(re.findall("[，,]", text))
            if first == last or first == 0 or not commas or len(text) < 16 or SPACED.search(text):
                continue
            if self.kinds[first - 1] is not Kind.BODY:
                continue
            line = self.cohesion.bag([text])
            before = self.cohesion.cover(line, self.cohesion.bag(self._window(range(first - 1, -1, -1))))
            after = self.cohesion.cover(line, self.cohesion.bag(self._window(range(last + 1, len(self.lines)), 80)))
            if before > after + (0.15 if commas < 2 else 0.0):
                self.kinds[first] = Kind.BODY

    def _level(self, first: int, last: int) -> int:
        """Return the highest level of Markdown heading in a group, 1 the highest, 0 for none."""
        return min((self.lines[i].level for i in range(first, last + 1) if self.lines[i].level), default=0)

    def _size(self, first: int, last: int) -> int:
        """Return the number of characters of a group's titles."""
        return sum(len(self.lines[i].text) for i in range(first, last + 1) if self.kinds[i] is Kind.TITLE)

    def find(self) -> list[TitleGroup]:
        """Return the groups that open an article, in order."""
        starts: list[TitleGroup] = []
        opened = 0
        for position, (first, last) in enumerate(self.groups):
            has_body = any(self.kinds[index] is Kind.BODY for index in range(opened, first))
            if not has_body:
                # nothing stands before it: the page's first headline, or a crosshead right under a headline
                if (not starts and first == 0) or not starts:
                    starts.append(TitleGroup(first, last, 9.0))
                    opened = first
                continue
            if not any(self.kinds[index] is Kind.BODY for index in range(last + 1, len(self.lines))):
                # nothing is told below it: a credit line at the end
                continue
            level = self._level(first, last)
            if level and self.has_top_heading:
                score = 9.0 if level == 1 else -9.0
            else:
                score = self.score(position, opened, starts)
            if score > 0:
                starts.append(TitleGroup(first, last, score))
                opened = first
        return starts

    def score(self, position: int, opened: int, starts: Sequence[TitleGroup]) -> float:
        """Return how strongly a group opens an article, given where the article before it opened: above 0 it does."""
        evidence = self.evidence(position, opened, starts)
        return sum(_WEIGHTS.get(name, 0.0) * value for name, value in evidence.items())

    def _window(self, indexes: Sequence[int], limit: int = WINDOW) -> list[str]:
        """Return the texts at `indexes` up to a number of characters."""
        texts: list[str] = []
        length = 0
        for index in indexes:
            if self.kinds[index] is not Kind.BODY:
                continue
            texts.append(self.lines[index].text)
            length += len(texts[-1])
            if length >= limit:
                break
        return texts

    def evidence(self, position: int, opened: int, starts: Sequence[TitleGroup]) -> dict[str, float]:
        """Return the evidence for and against a group opening an article, by name."""
        lines, kinds = self.lines, self.kinds
        first, last = self.groups[position]
        upto = self.groups[position + 1][0] if position + 1 < len(self.groups) else len(lines)
        titles = [lines[index].text for index in range(first, last + 1) if kinds[index] is Kind.TITLE]
        longest = max(len(line) for line in titles)
        found: dict[str, float] = {"base": 1.0}
        following = next((index for index in range(last + 1, len(lines)) if kinds[index] is not Kind.CAPTION), None)
        marked = self.marked[position]
        if following is not None and kinds[following] is Kind.BYLINE:
            found["byline"] = 1.0
            following = next((i for i in range(following + 1, len(lines)) if kinds[i] is Kind.BODY), following)
        if following is not None and kinds[following] is Kind.BODY:
            text = lines[following].text
            found["strong lead" if is_strong_lead(text) else "lead"] = float(is_lead(text))
            found["begins as news"] = float(not marked and bool(_BEGINS_NEWS.match(text)))
        before = next((index for index in range(first - 1, -1, -1) if kinds[index] is not Kind.CAPTION), None)
        if before is not None:
            text = lines[before].text
            found["signed"] = float(kinds[before] is Kind.SIGNATURE or bool(signature_at_end(text)))
            found["byline before"] = float(kinds[before] is Kind.BYLINE)
            found["turned"] = float(kinds[before] is Kind.TURN or turns_out(text))
            if kinds[before] is Kind.BODY and not ends_sentence(text) and not text.endswith(("：", ":")):
                found["broken before"] = 1.0
                headless = following is not None and begins_inside(lines[following].text)
                found["broken on both sides"] = float(headless)
        unmarked = float(not marked)
        found["enumerated"] = float(bool(_ENUMERATED.match(titles[0])))
        found["rubric"] = float(is_rubric(titles[0]))
        found["column"] = float(is_column_name(titles[0]))
        found["notice"] = float(any(is_notice_title(title) for title in titles))
        if self.indent and not marked:
            indented = lines[first].indent == self.indent
            found["indented as text" if indented else "stands out"] = float(indented or lines[first].indent == 0)
        found["several lines"] = float(len(titles) >= 2)
        found["spaced"] = float(any(SPACED.search(title) for title in titles))
        found["subtitle"] = float(any(_SUBTITLE.search(title) for title in titles))
        found["short"] = unmarked * max(0.0, 12 - longest) / 4
        found["long"] = unmarked * max(0.0, min(longest, 26) - 12) / 7
        found["sentence"] = float(ends_sentence(titles[0]))
        found["unlike others"] = unmarked * sum(self.marked) / len(self.marked)
        size = sum(len(title) for title in titles)
        peers = self._headline_sizes or [self._size(starts[-1].first, starts[-1].last)] if starts else []
        peer = sorted(peers)[len(peers) // 2] if peers else size
        found["smaller than headlines"] = unmarked * max(0.0, 1 - size / max(1, peer))
        found["two long lines"] = unmarked * float(len(titles) >= 2 and size >= 26)
        past_lines = range(opened, first)
        past_length = sum(len(lines[index].text) for index in past_lines if kinds[index] is Kind.BODY)
        found["little before"] = max(0.0, 1 - past_length / 120)
        past = self.cohesion.bag(self._window(range(first - 1, opened - 1, -1)))
        future = self.cohesion.bag(self._window(range(last + 1, upto)))
        beyond = self.cohesion.bag(self._window(range(last + 1, len(lines))))
        title = self.cohesion.bag(titles)
        head_bag = self.cohesion.bag(
            [lines[index].text for group in starts[-1:] for index in range(group.first, group.last + 1)]
        )
        similar = self.cohesion.cosine(past, future)
        found["same subject"] = similar**0.5
        found["same subject beyond"] = self.cohesion.cosine(past, beyond) ** 0.5
        found["headline echoed after"] = self.cohesion.cover(head_bag, future)
        found["title told after"] = self.cohesion.cover(title, future)
        found["title told before"] = self.cohesion.cover(title, past)
        return found
