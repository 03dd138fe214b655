"""Reading the SQLite file of a generation: sources, articles, passages, and the files that were refused."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from index.errors import ArchiveError
from index.records import Article, Rejection, Source
from index.spans import Spans

_ARTICLE = (
    "SELECT articles.id, sources.name, articles.headline, articles.byline, articles.date, articles.event_dates,"
    " articles.paper, articles.section, articles.spans, articles.headline_spans, articles.text, articles.url,"
    " articles.kind, articles.doubts FROM articles JOIN sources ON sources.row = articles.source"
)
_SOURCE = "SELECT name, text, sha256, media_type, encoding, headline, date, paper, section, url FROM sources"


def parse_spans(text: str) -> Spans:
    """Return the spans of their JSON form.

    Raises:
        ArchiveError: the text is no such form.
    """
    try:
        return tuple((int(start), int(end)) for start, end in json.loads(text))
    except (ValueError, TypeError) as error:
        raise ArchiveError(f"The database is damaged (spans {text[:40]!r}). Rebuild the archive.") from error


def _to_article(row: Sequence[str]) -> Article:
    (
        article_id,
        source,
        headline,
        byline,
        date,
        event_dates,
        paper,
        section,
        spans,
        headline_spans,
        text,
        url,
        kind,
    ) = row[:13]
    return Article(
        id=article_id,
        source=source,
        headline=headline,
        byline=byline,
        date=date,
        event_dates=tuple(json.loads(event_dates)),
        paper=paper,
        section=section,
        spans=parse_spans(spans),
        headline_spans=parse_spans(headline_spans),
        text=text,
        url=url,
        kind="imprint" if kind == "imprint" else "article",
        doubts=tuple(json.loads(row[13])),
    )


class DatabaseReader:
    """Reads the database of a finished generation, which never changes. One connection, opened at once: the file may be
    gone from its folder later. Threads take turns.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            self._connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False
            )
            self._connection.execute("SELECT count(*) FROM sources").fetchone()
        except (sqlite3.Error, UnicodeError) as error:
            raise ArchiveError(
                f"The database {path} cannot be read ({error}). Rebuild the archive: wenbao index build PATH"
            ) from error

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[str, ...]]:
        """Run a statement and return all its rows.

        Raises:
            ArchiveError: the file is damaged.
        """
        try:
            with self._lock:
                return self._connection.execute(sql, tuple(parameters)).fetchall()
        except (sqlite3.Error, UnicodeError, OverflowError) as error:
            raise ArchiveError(
                f"The database {self.path} is damaged ({error}). Rebuild the archive: wenbao index build PATH"
            ) from error

    def iterate(self, sql: str) -> Iterator[tuple[str, ...]]:
        """Yield the rows of a statement one by one."""
        yield from self._connection.execute(sql)

    def sources(self, where: str = "", parameters: Sequence[object] = ()) -> list[Source]:
        """Return the sources that meet a condition, in order."""
        return [Source(*row) for row in self.query(f"{_SOURCE} {where} ORDER BY row", parameters)]  # type: ignore[arg-type]

    def articles(self, where: str = "", parameters: Sequence[object] = ()) -> list[Article]:
        """Return the articles that meet a condition, in order."""
        return [_to_article(row) for row in self.query(f"{_ARTICLE} {where} ORDER BY articles.row", parameters)]

    def rejections(self) -> list[Rejection]:
        """Return the files that were refused."""
        return [
            Rejection(name, reason, remedy)
            for name, reason, remedy in self.query("SELECT name, reason, remedy FROM rejections ORDER BY rowid")
        ]

    def in_chunks(self, sql: str, values: Iterable[object], size: int = 500) -> list[tuple[str, ...]]:
        """Run a statement with one `IN ({})` over many values."""
        pending = list(values)
        found: list[tuple[str, ...]] = []
        for start in range(0, len(pending), size):
            chunk = pending[start : start + size]
            found += self.query(sql.format(",".join("?" * len(chunk))), chunk)
        return found

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
