"""Sentences: where a reader of a Chinese or Western newspaper text sees one end.

Full stops of both scripts end a sentence together with the closing quotes and brackets that follow. A quotation is not
cut inside, and what names its speaker stays with it, so that a quote shown to a reader is whole.
"""

from __future__ import annotations

import re

LONGEST_QUOTATION = 240
LONGEST_ATTRIBUTION = 18

_CLOSERS = "”’」』）)】》〉〕］]\"'"
_OPENING = {"“": "”", "「": "」", "『": "』", "（": "）", "(": ")", "【": "】", "《": "》", "〔": "〕"}
_CLOSING = frozenset(_OPENING.values())
_EVENT = re.compile(r"[。！？!?；;…．.\n\r“”「」『』（）()【】《》〔〕]")
_ATTRIBUTION = re.compile(
    r"[^。！？!?；;…\n\r“”「」]{0,16}(?:说|說|道|称|稱|表示|坦言|介绍|介紹|指出|问|問|回忆|强调|回答|写道)"
)
_ABBREVIATIONS = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "dr",
        "prof",
        "st",
        "jr",
        "sr",
        "vs",
        "no",
        "inc",
        "ltd",
        "co",
        "corp",
        "gen",
        "sen",
        "rep",
        "gov",
        "rev",
        "capt",
        "col",
        "lt",
        "sgt",
        "jan",
        "feb",
        "mar",
        "apr",
        "jun",
        "jul",
        "aug",
        "sep",
        "sept",
        "oct",
        "nov",
        "dec",
        "fig",
        "al",
        "etc",
        "e.g",
        "i.e",
        "a.m",
        "p.m",
        "u.s",
        "u.k",
        "u.n",
    ]
)
_WORD_BEFORE = re.compile(r"[A-Za-z.]+$")


def _is_full_stop(text: str, position: int) -> bool:
    """Say whether the Western full stop at `position` ends a sentence (not a decimal, an initial, an abbreviation)."""
    after = position + 1
    while after < len(text) and text[after] in _CLOSERS:
        after += 1
    if after < len(text) and not text[after].isspace():
        return "\u4e00" <= text[after] <= "\u9fff" and position > 0 and "\u4e00" <= text[position - 1] <= "\u9fff"
    before = text[max(0, position - 12) : position]
    if not before or before[-1].isspace():
        return False
    word = _WORD_BEFORE.search(before)
    if word:
        token = word.group().lower().strip(".")
        if token in _ABBREVIATIONS or (len(token) == 1 and text[position - 1].isupper()):
            return False
    following = text[after : after + 4].lstrip()
    if following and following[0].islower():
        return False
    # "1. First" at the start of a line is a numbered item
    line_start = max(text.rfind("\n", max(0, position - 8), position), text.rfind("\r", max(0, position - 8), position))
    item = text[line_start + 1 : position].strip() if line_start >= 0 or position < 5 else ""
    return not (item.isdigit() and len(item) <= 3)


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Return half-open ranges of the sentences of `text`, in order; together they cover all of it.

    White space and line ends that follow a sentence belong to it.
    """
    ranges: list[tuple[int, int]] = []
    start = 0
    depth: list[str] = []
    position = 0
    length = len(text)
    while position < length:
        event = _EVENT.search(text, position)
        if event is None:
            break
        position = event.start()
        mark = text[position]
        position += 1
        ends = False
        if mark in "\n\r":
            depth.clear()
            ends = True
        elif mark in _OPENING:
            depth.append(_OPENING[mark])
        elif mark in _CLOSING:
            if mark in depth:
                while depth and depth.pop() != mark:
                    pass
            # the sentence inside the quotation ended with it
            ends = not depth and position > 1 and text[position - 2] in "。！？!?…" and mark in "”」』"
        else:
            ends = mark != "." or _is_full_stop(text, position - 1)
            if ends and depth and position - start <= LONGEST_QUOTATION:
                ends = False
        if not ends:
            continue
        while position < length and (text[position] in _CLOSERS or text[position] in "。！？!?…"):
            if depth and text[position] == depth[-1]:
                depth.pop()
            position += 1
        if mark in "…" and position < length and text[position] in "，,、；;：:“":
            continue
        if position < length and text[position - 1] in "”」』" and text[position] in "，,、的和；;：:":
            continue
        if position < length and text[position - 1] in "”」』":
            spoken = _ATTRIBUTION.match(text, position)
            if spoken and spoken.end() - position <= LONGEST_ATTRIBUTION:
                continue
        while position < length and text[position].isspace():
            position += 1
        ranges.append((start, position))
        start = position
        depth.clear()
    if start < length:
        if ranges and not text[start:].strip():
            ranges[-1] = (ranges[-1][0], length)
        else:
            ranges.append((start, length))
    return ranges
