"""Dates as people give them to a filter."""

from __future__ import annotations

import calendar
import re

from index.errors import InputError

_DATE = re.compile(r"\s*(\d{4})(?:\s*[-/.年]\s*(\d{1,2}))?(?:\s*[-/.月]\s*(\d{1,2}))?\s*[年月日]?\s*")


def complete_date(text: str, *, last: bool) -> str:
    """Return the ISO date of `2022`, `2022-07`, `2022-07-15` or `2022年7月15日`.

    A missing month or day becomes the first of its kind, or the last one when `last` is true.

    Raises:
        InputError: the text is no such date.
    """
    match = _DATE.fullmatch(text)
    if match:
        year = int(match[1])
        month = int(match[2]) if match[2] else (12 if last else 1)
        if year >= 1 and 1 <= month <= 12:
            days = calendar.monthrange(year, month)[1]
            day = int(match[3]) if match[3] else (days if last else 1)
            if 1 <= day <= days:
                return f"{year:04d}-{month:02d}-{day:02d}"
    raise InputError(f"{text[:40]!r} is not a date. Write it as 2022, 2022-07 or 2022-07-15.")
