"""Drafts: the articles of a page in the making, as ordered lines, before spans are settled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from index.assembly import breaks_paragraph
from index.bylines import is_editors_note, is_lead, is_strong_lead, turns_in
from index.headlines import Kind, classify, crosses_word
from index.lines import Line, begins_item, is_table_row
from index.openings import OpeningFinder

LONGEST_NOTE = 400


@dataclass
class Draft:
    """An article in the making: its titles, the lines of its flow in reading order, and its captions.

    `indented` says that on its page a paragraph begins with an indent and a line broken off goes on without one.
    """

    titles: list[Line] = field(default_factory=list)
    flow: list[tuple[Line, Kind]] = field(default_factory=list)
    captions: list[Line] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    goes_on_elsewhere: bool = False
    comes_from_elsewhere: bool = False
    indented: bool = False

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
        (line, kind), (after, following) = self.flow[index], self.flow[index + 1]
        if kind is not Kind.BODY or following is not Kind.BODY or breaks_paragraph(line.text):
            return False
        if self.indented and after.indent > 0:
            return crosses_word(line.text, after.text)
        listed = is_table_row(after.text) or (begins_item(after.text) and after.blanks == 0)
        return not listed or crosses_word(line.text, after.text)


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
    _raise_headlines(drafts)
    indented = _indents_paragraphs(lines, kinds) if finder.indent else False
    for draft in drafts:
        draft.indented = indented
    return _join_notes(drafts), turns


def _indents_paragraphs(lines: Sequence[Line], kinds: Sequence[Kind]) -> bool:
    """Say whether the lines that follow a broken one on a page whose paragraphs are indented are not, mostly."""
    following = [
        lines[index].indent == 0
        for index in range(1, len(lines))
        if kinds[index] is Kind.BODY and kinds[index - 1] is Kind.BODY and not breaks_paragraph(lines[index - 1].text)
    ]
    return bool(following) and 4 * sum(following) >= 3 * len(following)


def _raise_headlines(drafts: Sequence[Draft]) -> None:
    """Give headlines to the articles above them where the page sets them below: text first, a headline last."""
    if not drafts or drafts[0].titles or not drafts[0].flow or not is_lead(drafts[0].flow[0][0].text):
        return
    trailing: list[Line] = []
    flow = drafts[-1].flow
    while len(flow) > len(trailing) and flow[-1 - len(trailing)][1] is Kind.TITLE:
        trailing.insert(0, flow[-1 - len(trailing)][0])
    rest = drafts[1:]
    if not trailing or not all(draft.titles and draft.flow and is_lead(draft.flow[0][0].text) for draft in rest):
        return
    del flow[-len(trailing) :]
    below = [draft.titles for draft in rest]
    for draft, titles in zip(drafts, [*below, trailing], strict=True):
        draft.titles = titles


def _join_notes(drafts: list[Draft]) -> list[Draft]:
    """Return the drafts with each editor's note (编者按) that stands above an article as part of that article."""
    joined: list[Draft] = []
    note: Draft | None = None
    for draft in drafts:
        if note is not None and draft.titles:
            draft.flow[:0] = [*((line, Kind.TITLE) for line in note.titles), *note.flow]
            draft.captions[:0] = note.captions
            note = None
        head = draft.titles[0].text if draft.titles else draft.flow[0][0].text if draft.flow else ""
        alone = len(draft.titles) <= 1 and sum(len(line.text) for line, _ in draft.flow) <= LONGEST_NOTE
        if note is None and alone and draft is not drafts[-1] and is_editors_note(head):
            note = draft
            continue
        joined.append(draft)
    return joined
