"""Marks: what stands in a line beside its text (Markdown's heading signs, page turn notes) is parted from it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from index.bylines import turn_note
from index.lines import Line

_HEADING = re.compile(r"(#{1,6})[ \t\u3000]+(?=\S)")
_CLOSING = re.compile(r"[ \t]+#+$")


def strip_headings(lines: Iterable[Line]) -> tuple[list[Line], list[tuple[int, int]]]:
    """Return the lines with the signs of Markdown headings cut off and noted as levels, and the spans of the signs."""
    stripped: list[Line] = []
    signs: list[tuple[int, int]] = []
    for line in lines:
        opening = _HEADING.match(line.text)
        if opening is None:
            stripped.append(line)
            continue
        closing = _CLOSING.search(line.text, opening.end())
        start = line.start + opening.end()
        end = line.start + closing.start() if closing else line.end
        signs.append((line.start, line.start + len(opening.group(1))))
        if closing:
            signs.append((end, line.end))
        stripped.append(
            replace(
                line, start=start, end=end, text=line.text[opening.end() :][: end - start], level=len(opening.group(1))
            )
        )
    return stripped, signs


def part_turns(lines: Iterable[Line]) -> list[Line]:
    """Return the lines with page turn notes (下转第3版, 上接A1版) that stand inside a line parted from its text."""
    parted: list[Line] = []
    for line in lines:
        note = turn_note(line.text)
        if note is None or note == (0, len(line.text)):
            parted.append(replace(line, number=len(parted)))
            continue
        low, high = note
        cut = high if low == 0 else low
        first = line.text[:cut].rstrip()
        second = line.text[cut:].lstrip()
        middle = line.start + len(first)
        parted.append(replace(line, number=len(parted), end=middle, text=first, break_end=middle))
        parted.append(replace(line, number=len(parted), start=line.end - len(second), text=second, blanks=0, indent=0))
    return parted
