"""What the pages of digital newspapers (电子报) say about an article in places that general extractors do not know.

Most Chinese newspapers publish with one of Founder's systems. It writes the metadata into a comment named
`enpproperty`, encloses the article in `enpcontent` comments or a `founder-content` element, and prints a line such as
《某某日报》（2023年08月08日 第01版：要闻）.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from index.record_fields import iso_date

_PROPERTIES = (re.compile(r"<!--\s{0,9}enpproperty\b"), re.compile(r"/enpproperty\s{0,9}-->"))
_PROPERTY = re.compile(r"<(title|introtitle|subtitle|date|nodename)>(.*?)</\1>", re.DOTALL)
_CONTENT = (re.compile(r"<!--\s{0,9}enpcontent\s{0,9}-->"), re.compile(r"<!--\s{0,9}/enpcontent\s{0,9}-->"))
_ELEMENT = (re.compile(r"<founder-content\b[^<>]{0,200}>", re.I), re.compile(r"</founder-content\s{0,9}>", re.I))
_TAG = re.compile(r"<[^<>]*>")

_PAPER = re.compile(r"《([^《》\n]{2,14}?)》\s*[（(]?\s*\d{4}\s*年")
_DATE = re.compile(
    r"\d{4}\s*年\s*\d{1,2}\s*月\s*\d{1,2}\s*日(?=\s{0,4}(?:星期|周|第\s*\w{1,4}\s*版|[A-Z]?\d{1,3}\s*版))"
)
_SECTION = re.compile(r"第\s*[A-Z]?\d{1,3}\s*版(?:\s*[:：]\s*[\u4e00-\u9fff]{1,8})?")
_HEADER_CHARS = 3000
_PROPERTY_CHARS = 20_000


@dataclass(frozen=True)
class Epaper:
    """What the page states; None where it does not. `content` is the markup of the article itself."""

    headline: str | None = None
    date: str | None = None
    paper: str | None = None
    section: str | None = None
    content: str | None = None


def read_epaper(markup: str, shown: str) -> Epaper:
    """Read the marks of a digital newspaper from a page's `markup` and the text `shown` on it."""
    properties = _between(markup, *_PROPERTIES) or ""
    found = dict(_PROPERTY.findall(properties[:_PROPERTY_CHARS]))
    titles = [_plain(found.get(key, "")) for key in ("introtitle", "title", "subtitle")]
    header = shown[:_HEADER_CHARS]
    paper, date, section = _PAPER.search(header), _DATE.search(header), _SECTION.search(header)
    return Epaper(
        headline=" ".join(title for title in titles if title) or None,
        date=iso_date(found.get("date")) or iso_date(date[0] if date else None),
        paper=paper[1].strip() if paper else None,
        section=_plain(found.get("nodename", "")) or (" ".join(section[0].split()) if section else None),
        content=_between(markup, *_CONTENT) or _between(markup, *_ELEMENT),
    )


def _between(markup: str, opening: re.Pattern[str], closing: re.Pattern[str]) -> str | None:
    """Return what stands between the first two marks. One pattern for both would take quadratic time on bad pages."""
    start = opening.search(markup)
    end = closing.search(markup, start.end()) if start else None
    return markup[start.end() : end.start()] if start and end else None


def _plain(markup: str) -> str:
    return " ".join(_TAG.sub(" ", markup).replace("&nbsp;", " ").split())
