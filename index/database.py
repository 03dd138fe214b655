"""Reading the SQLite file of a generation: sources, articles, passages, and the files that were refused."""

from __future__ import annotations

import sqlite3
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, Json, TypeAdapter, ValidationError

from index.errors import ArchiveError
from index.records import Article, ArticleKind, MediaType, Rejection, Source
from index.spans import Spans, spans_inside, spans_length

_ARTICLE = (
    "SELECT articles.id, sources.name, articles.headline, articles.byline, articles.date, articles.event_dates,"
    " articles.paper, articles.section, articles.spans, articles.headline_spans, articles.text, articles.url,"
    " articles.kind, articles.doubts FROM articles JOIN sources ON sources.row = articles.source"
)
_SOURCE = "SELECT name, text, sha256, media_type, encoding, headline, date, paper, section, url FROM sources"
# SQLite has a limit.
_MOST_VALUES = 500

Row = TypeVar("Row")


def _in_order(spans: Spans) -> Spans:
    if not spans_inside(spans, sys.maxsize):
        raise ValueError(f"spans {spans[:3]} that are empty or begin before the text")
    return spans


# As they are kept: a span that is empty or negative is damage, whatever the text.
StoredSpans = Annotated[Json[Spans], AfterValidator(_in_order)]


def _as_long_as_spans(row: tuple[Any, ...], spans: int, text: int) -> tuple[Any, ...]:
    if spans_length(row[spans]) != len(row[text]):
        raise ValueError(f"spans of {spans_length(row[spans])} characters for a text of {len(row[text])}")
    return row


ROW_NUMBERS = TypeAdapter(list[tuple[int]])
NAMES = TypeAdapter(list[tuple[str]])
COUNTS = TypeAdapter(list[tuple[str, int]])
RANGES = TypeAdapter(list[tuple[str | None, str | None]])
# Row, row of the article, ordinal, text, spans.
PASSAGES = TypeAdapter(
    list[Annotated[tuple[int, int, int, str, StoredSpans], AfterValidator(lambda row: _as_long_as_spans(row, 4, 3))]]
)
_ARTICLES = TypeAdapter(
    list[
        Annotated[
            tuple[
                str, str, str, str, str | None, Json[tuple[str, ...]], str | None, str | None, StoredSpans, StoredSpans,
                str, str | None, ArticleKind, Json[tuple[str, ...]],
            ],
            AfterValidator(lambda row: _as_long_as_spans(row, 8, 10)),
        ]
    ]
)  # fmt: skip
_SOURCES = TypeAdapter(
    list[
        tuple[
            str, str, str, MediaType, str | None, str | None, str | None, str | None, str | None, str | None
        ]
    ]
)  # fmt: skip
_REJECTIONS = TypeAdapter(list[tuple[str, str, str]])


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
        except (sqlite3.Error, UnicodeError, MemoryError) as error:
            raise self._damaged(error) from error

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[str, ...]]:
        """Run a statement and return all its rows.

        Raises:
            ArchiveError: the file is damaged.
        """
        try:
            with self._lock:
                return self._connection.execute(sql, tuple(parameters)).fetchall()
        except (sqlite3.Error, UnicodeError, OverflowError, MemoryError) as error:
            raise self._damaged(error) from error

    def rows(self, of: TypeAdapter[list[Row]], sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run a statement and return all its rows, which are what `of` says, JSON columns as their values.

        Raises:
            ArchiveError: the file is damaged.
        """
        found = self.query(sql, parameters)
        try:
            return of.validate_python(found, strict=True)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise self._damaged(f"{first['msg']}: {str(first['input'])[:40]!r}") from error

    def sources(self, where: str = "", parameters: Sequence[object] = ()) -> list[Source]:
        """Return the sources that meet a condition, in order."""
        return [Source(*row) for row in self.rows(_SOURCES, f"{_SOURCE} {where} ORDER BY row", parameters)]

    def articles(self, where: str = "", parameters: Sequence[object] = ()) -> list[Article]:
        """Return the articles that meet a condition, in order."""
        return [Article(*row) for row in self.rows(_ARTICLES, f"{_ARTICLE} {where} ORDER BY articles.row", parameters)]

    def rejections(self) -> list[Rejection]:
        """Return the files that were refused."""
        found = self.rows(_REJECTIONS, "SELECT name, reason, remedy FROM rejections ORDER BY rowid")
        return [Rejection(*row) for row in found]

    def in_chunks(self, sql: str, values: Iterable[object]) -> list[tuple[str, ...]]:
        """Run a statement with one `IN ({})` over many values.

        Raises:
            ArchiveError: the file is damaged.
        """
        return [row for statement, chunk in _in_chunks(sql, values) for row in self.query(statement, chunk)]

    def rows_in(self, of: TypeAdapter[list[Row]], sql: str, values: Iterable[object]) -> list[Row]:
        """Run a statement with one `IN ({})` over many values, and return its rows as `rows` does.

        Raises:
            ArchiveError: the file is damaged.
        """
        return [row for statement, chunk in _in_chunks(sql, values) for row in self.rows(of, statement, chunk)]

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _damaged(self, found: Exception | str) -> ArchiveError:
        reason = str(found) or "it asks for more memory than there is"
        return ArchiveError(
            f"The database {self.path} cannot be read ({reason}). Rebuild the archive: wenbao index build PATH"
        )


def _in_chunks(sql: str, values: Iterable[object]) -> Iterator[tuple[str, list[object]]]:
    pending = list(values)
    for start in range(0, len(pending), _MOST_VALUES):
        chunk = pending[start : start + _MOST_VALUES]
        yield sql.format(",".join("?" * len(chunk))), chunk
