"""Figures in a text: their values whatever they are written in, and how many of them there are."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass

from index.folding import fold_phrase

_NUMERALS = {numeral: value for value, numeral in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_SCALES = {"十": 10.0, "百": 100.0, "千": 1000.0, "万": 10_000.0, "亿": 100_000_000.0}
_DIGITS = r"[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?"
# A lone Chinese numeral is rather part of a word (一些) than a figure, unless it is ten.
_FIGURE = re.compile(
    rf"(?:百分之(?P<share>{_DIGITS}|[〇零一二两三四五六七八九十百]+(?:点[〇零一二三四五六七八九]+)?)|"
    rf"(?P<digits>{_DIGITS})|(?P<numerals>[〇零一二两三四五六七八九十百千万亿]{{2,}}|十))"
    r"(?: ?(?P<scale>[百千万亿]+))?[多余来几]*(?: ?(?P<unit>(?![至到])[^\W\d_]|[%‰]))?"
)
# 1亿2000万 is one figure.
_REST = re.compile(rf"(?P<digits>{_DIGITS})(?P<scale>[百千万]*)[多余来几]*(?P<unit>(?![至到])[^\W\d_]|[%‰])?")
_LONGEST_TO = 3
# 3万辆至5万辆 is one figure, from one to the other.
_TO = re.compile(r"[至到—–~～-]")
# 3小时20分 is one figure too.
_PART = re.compile(r"(?:个?小时|时|分钟?|元|角|个月|岁)零?")


@dataclass(frozen=True)
class Figure:
    """A figure in a folded text: its value, its unit (one character, empty without), and its range with the unit."""

    value: float
    unit: str
    start: int
    end: int


def figures_of(text: str) -> list[tuple[float, str]]:
    """Return the figures in a text with their units, one character each: 约3,800余人次 has (3800.0, "人")."""
    return [(figure.value, figure.unit) for figure in _figures(fold_phrase(text))]


def words_around_figures(text: str) -> str:
    """Return the letters of a text that are not part of a figure: 同比增长5.2% has 同比增长%."""
    folded = fold_phrase(text)
    kept, place = "", 0
    for figure in _figures(folded):
        kept += folded[place : figure.start] + figure.unit
        place = figure.end
    return "".join(letter for letter in kept + folded[place:] if letter.isalnum() or letter in "%‰")


def _figures(folded: str) -> list[Figure]:
    found, place = [], 0
    while match := _FIGURE.search(folded, place):
        value = _value(match["share"] or match["digits"] or match["numerals"]) * _scale(match["scale"])
        unit, end = "%" if match["share"] else match["unit"] or "", match.end()
        rest = _REST.match(folded, match.end("scale")) if match["digits"] and match["scale"] else None
        if rest and (more := _value(rest["digits"]) * _scale(rest["scale"])) < _scale(match["scale"]):
            value, unit, end = value + more, rest["unit"] or "", rest.end()
        found.append(Figure(value, unit, match.start(), end))
        place = end
    return found


def _scale(written: str | None) -> float:
    return math.prod(_SCALES[scale] for scale in written or "")


def _value(written: str) -> float:
    """Return the value of digits with commas, or of Chinese numerals, also with 点."""
    if written[0].isdigit() and written.isascii():
        return float(written.replace(",", ""))
    whole, _, decimals = written.partition("点")
    if decimals:
        return _value(whole) + float("0." + "".join(str(_NUMERALS[numeral]) for numeral in decimals))
    if not any(numeral in _SCALES for numeral in written):
        return float("".join(str(_NUMERALS[numeral]) for numeral in written))
    total, section, digit = 0.0, 0.0, 0.0
    for numeral in written:
        if numeral in _NUMERALS:
            digit = float(_NUMERALS[numeral])
        elif _SCALES[numeral] < 10_000:
            section += (digit or 1.0) * _SCALES[numeral]
            digit = 0.0
        elif numeral == "万":  # of what stands since the last 亿
            total += (section + digit) * _SCALES[numeral]
            section = digit = 0.0
        else:
            total = (total + section + digit) * _SCALES[numeral]
            section = digit = 0.0
    return total + section + digit


def count_figures(text: str) -> int:
    """Return how many figures a text gives; a range (3万至5万) is one of them, and so is a sum of parts (3小时20分)."""
    folded = fold_phrase(text)
    found = _figures(folded)
    return len(found) - sum(_are_one(folded, one, other) for one, other in itertools.pairwise(found))


def _are_one(folded: str, one: Figure, other: Figure) -> bool:
    gap = folded[one.end : other.start]
    if len(gap) <= _LONGEST_TO and _TO.search(gap):
        return True
    return bool(_PART.fullmatch(folded, one.end - len(one.unit), other.start))
