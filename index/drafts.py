"""Drafts: the articles of a page in the making, as ordered lines, before spans are settled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from index.assembly import breaks_paragraph
from index.bylines import is_strong_lead, turns_in
from index.headlines import Kind, classify
from index.lines import Line
from index.openings import OpeningFinder


@dataclass
class Draft:
    """An article in the making: its titles, the lines of its flow in reading order, and its captions."""

    titles: list[Line] = field(default_factory=list)
    flow: list[tuple[Line, Kind]] = field(default_factory=list)
    captions: list[Line] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    goes_on_elsewhere: bool = False
    comes_from_elsewhere: bool = False

    def last_body(self) -> int | None:
        """Return the index in the flow of the last line of running text."""
        return next((i for i in range(len(self.flow) - 1, -1, -1) if self.flow[i][1] is Kind.BODY), None)

    def is_open(self) -> bool:
        """Say whether the article breaks off in mid-sentence."""
        last = self.last_body()
        if last is None or last != len(self.flow) - 1:
            return False
        return not breaks_paragraph(self.flow[last][0].text)

    def joins(self, index: int) -> bool:
        """Say whether line `index` of the flow goes on in the next line without a break."""
        (line, kind), (_, following) = self.flow[index], self.flow[index + 1]
        return kind is Kind.BODY and following is Kind.BODY and not breaks_paragraph(line.text)


def make_drafts(lines: Sequence[Line]) -> tuple[list[Draft], list[Line]]:
    """Return the articles that the lines of a page's text make, in order, and the page turn notes among them."""
    finder = OpeningFinder(lines, classify(lines))
    kinds = finder.kinds
    starts = {group.first: group for group in finder.find()}
    drafts: list[Draft] = []
    turns: list[Line] = []
    index = 0
    while index < len(lines):
        line, kind = lines[index], kinds[index]
        group = starts.get(index)
        if group is not None:
            members = range(index, group.last + 1)
            drafts.append(
                Draft(
                    titles=[lines[i] for i in members if kinds[i] is Kind.TITLE],
                    captions=[lines[i] for i in members if kinds[i] is not Kind.TITLE],
                )
            )
            index = group.last + 1
            continue
        if kind is Kind.TURN:
            turns.append(line)
            if turns_in(line.text):
                if drafts and not drafts[-1].flow:
                    drafts[-1].comes_from_elsewhere = True
                else:
                    drafts.append(Draft(comes_from_elsewhere=True))
            elif drafts:
                drafts[-1].goes_on_elsewhere = True
            index += 1
            continue
        has_body = bool(drafts) and drafts[-1].last_body() is not None
        if not drafts or (kind is Kind.BODY and has_body and is_strong_lead(line.text)):
            drafts.append(Draft())
        if kind is Kind.CAPTION:
            drafts[-1].captions.append(line)
        else:
            drafts[-1].flow.append((line, kind))
        index += 1
    return drafts, turns
