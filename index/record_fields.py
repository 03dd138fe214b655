"""The named columns of a record: which names are understood, and what is made of their values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

# For each field the column names understood, the preferred first; compared without case, spaces, `_` and `-`.
COLUMNS: dict[str, tuple[str, ...]] = {
    "id": ("id", "docid", "articleid", "编号", "編號"),
    "text": ("text", "content", "body", "正文", "内容", "內容", "文本"),
    "title": ("title", "headline", "标题", "標題", "题目", "題目"),
    "kicker": ("specialtitle", "introtitle", "kicker", "引题", "引題", "肩题", "肩題"),
    "subtitle": ("subtitle", "subhead", "副题", "副題", "副标题", "副標題"),
    "date": ("date", "time", "publishdate", "pubdate", "publishtime", "pubtime", "日期", "时间", "時間", "发布时间"),
    "paper": ("paper", "newspaper", "sourcename", "报纸", "報紙", "报名", "媒体", "媒體"),
    "section": ("section", "ban", "page", "版面", "版次", "版"),
    "url": ("url", "link", "网址", "網址", "链接", "連結"),
}
EXPECTED_COLUMNS = "text (or content, body, 正文, 内容); title, date, paper, section, url and id are optional"

_FIELD_OF = {column: field for field, columns in COLUMNS.items() for column in columns}
_YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})\s*(?:[-/.]|年)\s*(\d{1,2})\s*(?:[-/.]|月)\s*(\d{1,2})(?!\d)")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\d{4}|\d{6})?(?!\d)")
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True)
class RecordFields:
    """The understood values of one record; a value that is absent or blank is None. `date` is ISO or None."""

    text: str | None = None
    headline: str | None = None
    id: str | None = None
    date: str | None = None
    paper: str | None = None
    section: str | None = None
    url: str | None = None


def count_known(columns: Iterable[str]) -> int:
    """Return how many of the column names are understood."""
    return sum(1 for column in columns if _normalised(column) in _FIELD_OF)


def has_text_column(columns: Iterable[str]) -> bool:
    """Say whether one of the columns holds the text of an article."""
    return any(_FIELD_OF.get(_normalised(column)) == "text" for column in columns)


def record_fields(record: Mapping[str, Any]) -> RecordFields:
    """Pick the understood values out of a record.

    Where several columns mean the same field, the first non-blank one in the order of `COLUMNS` counts. A kicker and a
    subtitle are joined to the title by spaces. A value may be text, a number, or a list of paragraphs.
    """
    values = {_normalised(column): _as_text(value) for column, value in record.items()}
    found: dict[str, str | None] = {}
    for field, columns in COLUMNS.items():
        found[field] = next((values[column] for column in columns if values.get(column)), None)
    parts = [_one_line(part) for key in ("kicker", "title", "subtitle") if (part := found[key])]
    return RecordFields(
        text=found["text"],
        headline=" ".join(parts) or None,
        id=_optional_line(found["id"]),
        date=iso_date(found["date"]),
        paper=_optional_line(found["paper"]),
        section=_optional_line(found["section"]),
        url=_optional_line(found["url"]),
    )


def iso_date(text: str | None) -> str | None:
    """Return the first year-month-day date in `text` as `YYYY-MM-DD`, or None if there is no valid one.

    Understood are 2023-08-08, 2023/8/8, 2023.8.8, 2023年8月8日 and 20230808, each also with a time after it.
    """
    if not text:
        return None
    match = _YEAR_FIRST.search(text) or _COMPACT.match(text.strip())
    if match is None:
        return None
    try:
        return date(*(int(part) for part in match.groups())).isoformat()
    except ValueError:
        return None


def _normalised(column: str) -> str:
    return re.sub(r"[\s_\-\ufeff]+", "", column).casefold()


def _as_text(value: Any) -> str | None:
    if isinstance(value, (list, tuple)):
        value = "\n".join(item for item in value if isinstance(item, str))
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        value = json.dumps(value)
    if not isinstance(value, str) or not value.strip():
        return None
    # JSON can spell half a surrogate pair, which no database and no hash accepts.
    return _LONE_SURROGATE.sub("\ufffd", value)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _optional_line(text: str | None) -> str | None:
    return _one_line(text) if text else None
