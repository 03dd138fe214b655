"""The SQLite file of a generation: sources, articles, passages, and the files that were refused."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from index.errors import ArchiveError
from index.records import Article, Passage, Rejection, Source
from index.spans import Spans

_SCHEMA = """
CREATE TABLE sources (
    row INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, text TEXT NOT NULL, sha256 TEXT NOT NULL,
    media_type TEXT NOT NULL, encoding TEXT, headline TEXT, date TEXT, paper TEXT, section TEXT, url TEXT
);
CREATE TABLE articles (
    row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, source INTEGER NOT NULL REFERENCES sources(row),
    headline TEXT NOT NULL, byline TEXT NOT NULL, date TEXT, event_dates TEXT NOT NULL, paper TEXT, section TEXT,
    spans TEXT NOT NULL, headline_spans TEXT NOT NULL, text TEXT NOT NULL, url TEXT, kind TEXT NOT NULL,
    doubts TEXT NOT NULL
);
CREATE INDEX articles_by_source ON articles(source);
CREATE INDEX articles_by_date ON articles(date);
CREATE TABLE passages (
    row INTEGER PRIMARY KEY, article INTEGER NOT NULL REFERENCES articles(row), ordinal INTEGER NOT NULL,
    text TEXT NOT NULL, spans TEXT NOT NULL, encoded_digest TEXT NOT NULL
);
CREATE INDEX passages_by_article ON passages(article);
CREATE TABLE rejections (name TEXT NOT NULL, reason TEXT NOT NULL, remedy TEXT NOT NULL);
"""
_ARTICLE = (
    "SELECT articles.id, sources.name, articles.headline, articles.byline, articles.date, articles.event_dates,"
    " articles.paper, articles.section, articles.spans, articles.headline_spans, articles.text, articles.url,"
    " articles.kind, articles.doubts FROM articles JOIN sources ON sources.row = articles.source"
)
_SOURCE = "SELECT name, text, sha256, media_type, encoding, headline, date, paper, section, url FROM sources"


class DatabaseWriter:
    """Fills the database of a new generation; rows count from 0 in the order of adding."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path)
        self._connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _SCHEMA)
        self.sources = self.articles = self.imprints = self.passages = self.rejections = 0

    def add_source(self, source: Source) -> int:
        """Add a source and return its row."""
        row, self.sources = self.sources, self.sources + 1
        self._connection.execute(
            "INSERT INTO sources VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            (
                row,
                source.name,
                source.text,
                source.sha256,
                source.media_type,
                source.encoding,
                source.headline,
                source.date,
                source.paper,
                source.section,
                source.url,
            ),
        )
        return row

    def add_article(self, article: Article, source_row: int) -> int:
        """Add an article and return its row."""
        row = self.articles + self.imprints
        if article.kind == "imprint":
            self.imprints += 1
        else:
            self.articles += 1
        self._connection.execute(
            "INSERT INTO articles VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                row,
                article.id,
                source_row,
                article.headline,
                article.byline,
                article.date,
                json.dumps(article.event_dates),
                article.paper,
                article.section,
                json.dumps(article.spans),
                json.dumps(article.headline_spans),
                article.text,
                article.url,
                article.kind,
                json.dumps(article.doubts, ensure_ascii=False),
            ),
        )
        return row

    def add_passage(self, passage: Passage, article_row: int, encoded_digest: str) -> int:
        """Add a passage and return its row; the digest is that of the text given to the encoder."""
        row, self.passages = self.passages, self.passages + 1
        self._connection.execute(
            "INSERT INTO passages VALUES (?,?,?,?,?,?)",
            (row, article_row, passage.ordinal, passage.text, json.dumps(passage.spans), encoded_digest),
        )
        return row

    def add_rejection(self, rejection: Rejection) -> None:
        """Keep the report of a file that was refused."""
        self.rejections += 1
        self._connection.execute(
            "INSERT INTO rejections VALUES (?,?,?)", (rejection.name, rejection.reason, rejection.remedy)
        )

    def close(self) -> None:
        """Write everything out."""
        self._connection.commit()
        self._connection.close()


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
        return [Rejection(*row) for row in self.query("SELECT name, reason, remedy FROM rejections ORDER BY rowid")]

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
