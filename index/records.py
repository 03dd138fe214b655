"""What flows through the index: a file becomes sources, a source articles, an article passages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from index.spans import Spans

MediaType = Literal["text", "markdown", "html", "pdf", "csv", "jsonl"]
ArticleKind = Literal["article", "imprint"]


@dataclass(frozen=True)
class Source:
    """One decoded text that spans point into: a file, or one record of a CSV or JSONL file.

    `name` is the file's path below the folder that was indexed, with `/`; a record adds `#` and its id (or row number).
    `text` is exactly what was decoded (a byte order mark dropped, line ends as they stand). For HTML and PDF it is the
    extracted text; for a record it is the title, a blank line and the text. `sha256` is that of the file's bytes, for a
    record that of `text` in UTF-8. The other fields come from named columns or the document's metadata, ISO dates.
    """

    name: str
    text: str
    sha256: str
    media_type: MediaType
    encoding: str | None = None
    headline: str | None = None
    date: str | None = None
    paper: str | None = None
    section: str | None = None
    url: str | None = None


@dataclass(frozen=True)
class Rejection:
    """A file, or a part of one, that could not be read: its name, what was found, and what to do about it.

    `passing` says that the cause may pass by itself, as on a network drive: what was known of the file is still true.
    `path` is where the search for files could not look.
    """

    name: str
    reason: str
    remedy: str
    passing: bool = False
    path: str = ""


@dataclass(frozen=True)
class Article:
    """One article cut out of a source; `text` is the joined `spans`, headline included.

    `date` is the publication date and `event_dates` are dates the article states, ISO `YYYY-MM-DD` (`--MM-DD` where no
    year is stated). `kind` is `imprint` for the block that names a paper's editors, hotline and address.
    `doubts` says in words what the page cutter was unsure of.
    """

    id: str
    source: str
    headline: str
    byline: str
    date: str | None
    event_dates: tuple[str, ...]
    paper: str | None
    section: str | None
    spans: Spans
    headline_spans: Spans
    text: str
    url: str | None = None
    kind: ArticleKind = "article"
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Passage:
    """A retrievable piece of an article; `text` is the joined `spans`. `ordinal` counts from 0 within the article."""

    article_id: str
    ordinal: int
    text: str
    spans: Spans
