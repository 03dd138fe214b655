"""The edges of an answer: no white space, stray punctuation or half figure, no bracket or quotation mark without its
partner."""

from __future__ import annotations

import re

from index.spans import Span

_PAIRS = {
    "“": "”",
    "‘": "’",
    "「": "」",
    "『": "』",
    "《": "》",
    "〈": "〉",
    "（": "）",
    "(": ")",
    "【": "】",
    "[": "]",
}
# 2022 after "1." is no fraction of it, but an item that begins with a year.
_FIGURE = re.compile(r"[0-9]+(?:,[0-9]{3})*(?:\.[0-9]{1,3}(?![0-9]))?|[０-９]+(?:．[０-９]{1,3}(?![０-９]))?")
_LONGEST_FIGURE = 20
_ENDS_WITH_FIGURE = re.compile("[0-9０-９][百千万亿萬億]*$|[一二三四五六七八九十百千万亿萬億]{2,}$")
_UNIT = re.compile(
    "[百千万亿萬億]*[多余餘几幾]*(?:立方米|平方米|平方公里|公里|公斤|千克|千米|厘米|毫米|英里|英尺|公顷|公頃|人次|[个個]百分[点點]|"
    "分[钟鐘]|小[时時]|[个個]小[时時]|[个個]月|[个個]工作日|[个個]星期|年代|周年|周[岁歲]|"
    "人(?!民|员|員|才|工|大)|年(?!级|級)|期(?!间|間|待|望)|首(?!飞|飛|次|个|個|日|届|屆|都|家)|分(?!别|別|子|公司)|"
    "[个個名位家吨噸元角米里亩畝顷户戶件场場次遍天月日岁歲时時点點秒台辆輛艘架座栋幢条條只隻头頭匹所届屆项項"
    "种種类類册冊本盆株棵套份张張篇部集轮輪升斤克度级級层層间間门門班排股批双雙对對组組队隊支处處片块塊%％‰])"
)
_NUMERAL = re.compile("[0-9０-９一二三四五六七八九十百]")
_ABBREVIATION = re.compile(r"(?:\b[A-Za-z]\.){2,}$")
_CLOSING = {closing: opening for opening, closing in _PAIRS.items()}
_STRIPPED = frozenset("，,。．；;：:、！!？?…·—-~～|")
_KEPT_IN_FRONT = frozenset("-~～")


def tidy(text: str, start: int, end: int) -> Span | None:
    """Return the range without what does not belong to an answer at its edges; None where nothing is left.

    A figure at an edge is taken in whole, with its unit. A partner that is missing inside is taken in where it stands
    right outside; else the one without is dropped where it stands at the edge. A pair around the whole answer stays.
    """
    before = (-1, -1)
    while before != (start, end) and start < end:
        before = (start, end)
        while start < end and (text[start].isspace() or _drop_first(text, start, end)):
            start += 1
        while end > start and (text[end - 1].isspace() or _drop_last(text, start, end)):
            end -= 1
    if start >= end or not any(character.isalnum() for character in text[start:end]):
        return None
    start, end = _whole_figures(text, start, end)
    end = _with_unit(text, end)
    openings, closings = _unmatched(text[start:end])
    if openings and text[end : end + 1] == _PAIRS[openings[-1]]:
        end += 1
    if closings and start > 0 and text[start - 1] == _CLOSING[closings[0]]:
        start -= 1
    return start, end


def _whole_figures(text: str, start: int, end: int) -> Span:
    """Return the range, widened by the rest of a figure that begins or ends outside it, the 第 of an ordinal too."""
    low = max(start - _LONGEST_FIGURE, 0)
    for match in _FIGURE.finditer(text, low, end + _LONGEST_FIGURE):
        if match.start() < start < match.end():
            start = match.start()
        if match.start() < end < match.end():
            end = match.end()
    if start > 0 and text[start - 1] == "第" and _NUMERAL.match(text, start):
        start -= 1
    return start, end


def _with_unit(text: str, end: int) -> int:
    """Return the end of a range, after the unit of a figure that ends it.

    In the training parts of CMRC 2018 and DRCD, 1,443 answers end with a figure and its unit, 16 between the two.
    """
    figure = _ENDS_WITH_FIGURE.search(text, max(end - _LONGEST_FIGURE, 0), end)
    rest = _UNIT.match(text, end) if figure else None
    return rest.end() if rest else end


def _drop_first(text: str, start: int, end: int) -> bool:
    mark = text[start]
    if mark in _STRIPPED:
        return mark not in _KEPT_IN_FRONT or not text[start + 1 : start + 2].isdigit()
    if mark == ".":
        return not text[start + 1 : start + 2].isdigit()
    if mark in _CLOSING:
        return True
    return mark in _PAIRS and _PAIRS[mark] not in text[start + 1 : end + 1]


def _drop_last(text: str, start: int, end: int) -> bool:
    mark = text[end - 1]
    if mark in _STRIPPED or mark in _PAIRS:
        return True
    if mark == ".":
        return not text[end : end + 1].isdigit() and not _ABBREVIATION.search(text, start, end)
    return mark in _CLOSING and _CLOSING[mark] not in text[max(start - 1, 0) : end - 1]


def _unmatched(text: str) -> tuple[list[str], list[str]]:
    """Return the opening marks and the closing marks that lack their partner, in order."""
    openings: list[str] = []
    closings: list[str] = []
    for character in text:
        if character in _PAIRS:
            openings.append(character)
        elif character in _CLOSING:
            if openings and openings[-1] == _CLOSING[character]:
                openings.pop()
            else:
                closings.append(character)
    return openings, closings
