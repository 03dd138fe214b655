"""Figures in a text: their values whatever they are written in, and how many of them there are."""

from __future__ import annotations

import itertools
import re

from index.folding import fold_phrase

_NUMERALS = {numeral: value for value, numeral in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_SCALES = {"十": 10.0, "百": 100.0, "千": 1000.0, "万": 10_000.0, "亿": 100_000_000.0}
# A lone Chinese numeral is rather part of a word (一些) than a figure, unless it is ten.
_FIGURE = re.compile(
    r"(?:(?P<digits>[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?)|(?P<numerals>[〇零一二两三四五六七八九十百千万亿]{2,}|十))"
    r"(?P<scale>[百千万亿])?[多余来几]*(?P<unit>[^\W\d_])?"
)
_LONGEST_TO = 3
# 3万辆至5万辆 is one figure, from one to the other.
_TO = re.compile(r"[至到—–~～-]")


def figures_of(text: str) -> list[tuple[float, str]]:
    """Return the figures in a text with their units, one character each: 约3,800余人次 has (3800.0, "人")."""
    found = []
    for match in _FIGURE.finditer(fold_phrase(text)):
        value = _value(match["digits"] or match["numerals"]) * _SCALES.get(match["scale"] or "", 1.0)
        found.append((value, match["unit"] or ""))
    return found


def _value(written: str) -> float:
    """Return the value of digits with commas, or of Chinese numerals."""
    if written[0].isdigit() and written.isascii():
        return float(written.replace(",", ""))
    if not any(numeral in _SCALES for numeral in written):
        return float("".join(str(_NUMERALS[numeral]) for numeral in written))
    total, section, digit = 0.0, 0.0, 0.0
    for numeral in written:
        if numeral in _NUMERALS:
            digit = float(_NUMERALS[numeral])
        elif _SCALES[numeral] < 10_000:
            section += (digit or 1.0) * _SCALES[numeral]
            digit = 0.0
        else:
            total = (total + section + digit) * _SCALES[numeral]
            section = digit = 0.0
    return total + section + digit


def count_figures(text: str) -> int:
    """Return how many figures a text gives; a range (3万至5万) is one of them."""
    folded = fold_phrase(text)
    matches = list(_FIGURE.finditer(folded))
    between = [folded[one.end() : other.start()] for one, other in itertools.pairwise(matches)]
    return len(matches) - sum(len(gap) <= _LONGEST_TO and bool(_TO.search(gap)) for gap in between)
