"""Dates that a page or an article states, as ISO `YYYY-MM-DD`, or `--MM-DD` where no year is known."""

from __future__ import annotations

import re
from datetime import date

_FULL = re.compile(r"(?=[12])(?<!\d)((?:19|20)\d\d)\s*(?:年|[-/.])\s*(\d{1,2})\s*(?:月|[-/.])\s*(\d{1,2})(?!\d)\s*日?")
_MONTH_DAY = re.compile(
    r"(?=\d)(?:(?<!\d)((?:19|20)\d\d)\s*年\s*)?(?<![\d.])(\d{1,2})\s*月\s*(\d{1,2})\s*[日号號]?"
    r"((?:\s*[、,，—–~至到和-]+\s*\d{1,2}\s*日)*)"
)
_LISTED_DAY = re.compile(r"(\d{1,2})\s*日")
_BARE_DAY = re.compile(
    r"(?<![\d月、—–至到~-])(\d{1,2})日(?=上午|下午|早|晚|凌晨|中午|傍晚|夜|当天|當天|当日|起|至|[,，、]|电|電|在|从|\d{1,2}[时時])"
)
_HAN_YEAR = re.compile(
    r"([二一〇○零九][〇○零一二三四五六七八九]{3})年([一二三四五六七八九十]{1,2})月([一二三四五六七八九十]{1,3})日"
)
_REPUBLIC = re.compile(r"民[國国]\s*(\d{2,3})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*日")
_REPUBLIC_BEFORE_ITS_FIRST_YEAR = 1911
_DIGITS = {character: index for index, character in enumerate("〇一二三四五六七八九")} | {"零": 0, "○": 0}
_ENGLISH = re.compile(
    r"\b(Jan|Feb|Mar|Apr|May|June?|July?|Aug|Sept?|Oct|Nov|Dec)[a-z]*\.?\s+(\d{1,2})(?:st|nd|rd|th)?(?:,\s*((?:19|20)\d\d))?\b"
)
_MONTHS = {
    name: index
    for index, name in enumerate(
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], start=1
    )
}
_HAN_MONTH_DAY = re.compile(
    r"(?<![年一二三四五六七八九十])([一二三四五六七八九十]{1,2})月([一二三四五六七八九十]{1,3})日"
)
_ANY_DATE = re.compile(r"\d\s*月\s*\d|[一二三四五六七八九十]月[一二三四五六七八九十]|\d[-/.]\d{1,2}[-/.]\d|[a-z.]\s\d")
_ENGLISH_HINT = re.compile(r"[a-z.]\s\d")
MOST_DATES = 40


def _han_number(text: str) -> int:
    """Return the number that Chinese numerals below 100 write."""
    if "十" not in text:
        return _DIGITS.get(text, 0)
    tens, _, ones = text.partition("十")
    return _DIGITS.get(tens, 1) * 10 + _DIGITS.get(ones, 0)


def _iso(year: int, month: int, day: int) -> str | None:
    """Return the ISO date, or nothing where there is no such day."""
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def _resolve(month: int, day: int, reference: str | None) -> str | None:
    """Return the date with the year that brings it nearest to the reference, or without a year."""
    if not 1 <= month <= 12 or not 1 <= day <= 31 or _iso(2000, month, day) is None:
        return None
    if reference is None:
        return f"--{month:02d}-{day:02d}"
    middle = date.fromisoformat(reference)
    candidates = [iso for year in (middle.year - 1, middle.year, middle.year + 1) if (iso := _iso(year, month, day))]
    if not candidates:
        return f"--{month:02d}-{day:02d}"
    return min(candidates, key=lambda iso: abs((date.fromisoformat(iso) - middle).days))


def full_date(text: str) -> str | None:
    """Return the first date with a year in `text`: in digits, Chinese numerals, years of the Republic or English."""
    match = _FULL.search(text)
    if match:
        return _iso(int(match.group(1)), int(match.group(2)), int(match.group(3)))
    han = _HAN_YEAR.search(text)
    if han:
        year = int("".join(str(_DIGITS[character]) for character in han.group(1) if character in _DIGITS) or 0)
        return _iso(year, _han_number(han.group(2)), _han_number(han.group(3))) if 1800 < year < 2200 else None
    republic = _REPUBLIC.search(text)
    if republic:
        year, month, day = (int(number) for number in republic.groups())
        return _iso(year + _REPUBLIC_BEFORE_ITS_FIRST_YEAR, month, day)
    for english in _ENGLISH.finditer(text) if _ENGLISH_HINT.search(text) else ():
        if english.group(3):
            return _iso(int(english.group(3)), _MONTHS[english.group(1)[:3]], int(english.group(2)))
    return None


def valid_date(text: str | None) -> str | None:
    """Return an ISO date as given, or nothing where it is not one."""
    if not text:
        return None
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return full_date(text)


def stated_dates(text: str, reference: str | None = None) -> tuple[str, ...]:
    """Return the dates that a text states, in order, each once.

    Args:
        text: The text of an article.
        reference: The ISO date of publication; a day and month without a year take the nearest year.
    """
    found: dict[str, None] = {}
    month_known: list[tuple[int, int]] = []

    def note(iso: str | None) -> None:
        if iso is not None and len(found) < MOST_DATES:
            found.setdefault(iso, None)

    events: list[tuple[int, str | None]] = []
    if _ANY_DATE.search(text) is None:
        return ()
    for match in _FULL.finditer(text):
        if "月" in match.group():
            continue
        events.append((match.start(), _iso(int(match.group(1)), int(match.group(2)), int(match.group(3)))))
    for match in _MONTH_DAY.finditer(text):
        year, month = match.group(1), int(match.group(2))
        days = [int(match.group(3)), *(int(day) for day in _LISTED_DAY.findall(match.group(4)))]
        month_known.append((match.start(), month))
        for day in days:
            iso = _iso(int(year), month, day) if year else _resolve(month, day, reference)
            events.append((match.start(), iso))
    for match in _ENGLISH.finditer(text) if _ENGLISH_HINT.search(text) else ():
        month, day = _MONTHS[match.group(1)[:3]], int(match.group(2))
        iso = _iso(int(match.group(3)), month, day) if match.group(3) else _resolve(month, day, reference)
        events.append((match.start(), iso))
    if month_known:
        cursor = 0
        for match in _BARE_DAY.finditer(text):
            while cursor + 1 < len(month_known) and month_known[cursor + 1][0] < match.start():
                cursor += 1
            if month_known[cursor][0] < match.start():
                events.append((match.start(), _resolve(month_known[cursor][1], int(match.group(1)), reference)))
    events.extend(
        (match.start(), _resolve(_han_number(match.group(1)), _han_number(match.group(2)), reference))
        for match in _HAN_MONTH_DAY.finditer(text)
    )
    for _, iso in sorted(events, key=lambda event: event[0]):
        note(iso)
    return tuple(found)
