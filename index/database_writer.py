"""Writing the SQLite file of a new generation: a new one, or a copy of the last one's with what has changed."""

from __future__ import annotations

import heapq
import shutil
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from index.finding import SourceFile
from index.manifest import Counts
from index.records import Rejection, Source
from index.source_rows import SourceRows
from index.vectors import Rows

_SCHEMA = """
CREATE TABLE files (
    name TEXT PRIMARY KEY, path TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, sha256 TEXT NOT NULL
);
CREATE TABLE sources (
    row INTEGER PRIMARY KEY, file TEXT NOT NULL REFERENCES files(name), name TEXT NOT NULL UNIQUE, text TEXT NOT NULL,
    sha256 TEXT NOT NULL, media_type TEXT NOT NULL, encoding TEXT, headline TEXT, date TEXT, paper TEXT, section TEXT,
    url TEXT
);
CREATE INDEX sources_by_file ON sources(file);
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
CREATE TABLE rejections (file TEXT NOT NULL, name TEXT NOT NULL, reason TEXT NOT NULL, remedy TEXT NOT NULL);
CREATE INDEX rejections_by_file ON rejections(file);
"""
# What a source that was read before is known again by; records carry the digest of their text.
_FIELDS = "sha256, media_type, encoding, headline, date, paper, section, url"
# Above this share of free pages the file is written anew.
_MOST_FREE = 0.25


@dataclass(frozen=True)
class PassageRows:
    """Where the passages of the new generation come from.

    `origin` has the row that each had in the generation before, -1 for a new passage; shape (passages,). `gone` are the
    rows of the generation before whose passages are no more, or have another row now.
    """

    origin: Rows
    gone: Rows


class DatabaseWriter:
    """Fills the database of a new generation.

    Passage rows run from 0 without a gap: new passages take the rows of those that are removed, and in the end the last
    ones move into what is left free. So as many rows change as passages do, and no others.
    """

    def __init__(self, path: Path, base: Path | None = None) -> None:
        """Make the file, as a copy of `base` where one is given."""
        if base:
            shutil.copyfile(base, path)
        self._connection = sqlite3.connect(path)
        # The file is nobody's yet, and made durable before it is put in use; what is removed is really gone from it.
        self._connection.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA secure_delete = ON;"
            + ("" if base else _SCHEMA)
        )
        self._base_passages = self._count("passages")
        self._next_passage = self._base_passages
        self._next_source = self._after_last("sources")
        self._next_article = self._after_last("articles")
        self._free: list[int] = []
        self._removed: set[int] = set()
        self.added: dict[int, str] = {}
        self.added_sources: set[int] = set()
        self._changed = base is None
        self._refused_before = self.rejections()

    def __enter__(self) -> DatabaseWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def known_source(self, source: Source) -> int | None:
        """Return the row of this very source, None where it is not known or differs."""
        found = self._connection.execute(f"SELECT row, {_FIELDS} FROM sources WHERE name = ?", [source.name]).fetchone()  # noqa: S608 - fixed names
        same = found and found[1:] == (
            source.sha256, source.media_type, source.encoding, source.headline, source.date, source.paper,
            source.section, source.url,
        )  # fmt: skip
        return int(found[0]) if same else None

    def source_row(self, name: str) -> int | None:
        """Return the row of the source of a name."""
        found = self._connection.execute("SELECT row FROM sources WHERE name = ?", [name]).fetchone()
        return int(found[0]) if found else None

    def rows_of_file(self, file: str) -> set[int]:
        """Return the rows of the sources that came from a file."""
        return {int(row) for (row,) in self._connection.execute("SELECT row FROM sources WHERE file = ?", [file])}

    def set_file(self, file: SourceFile, mtime_ns: int, sha256: str) -> None:
        """Keep what a file is known again by."""
        known = self._connection.execute("SELECT * FROM files WHERE name = ?", [file.name]).fetchone()
        now = (file.name, file.known_by, file.size, mtime_ns, sha256)
        if known != now:
            self._connection.execute("INSERT OR REPLACE INTO files VALUES (?,?,?,?,?)", now)
            self._changed = True

    def touch_file(self, file: SourceFile, mtime_ns: int) -> None:
        """Keep the new time and place of a file whose content is the old one."""
        now = [file.known_by, mtime_ns]
        changed = self._connection.execute(
            "UPDATE files SET path = ?, mtime_ns = ? WHERE name = ? AND (path, mtime_ns) != (?, ?)",
            [*now, file.name, *now],
        )
        self._changed = self._changed or changed.rowcount > 0

    def remove_file(self, name: str) -> None:
        """Remove a file with its sources and refusals."""
        for row in self.rows_of_file(name):
            self.remove_source(row)
        self.remove_rejections(name)
        self._connection.execute("DELETE FROM files WHERE name = ?", [name])
        self._changed = True

    def remove_source(self, row: int) -> None:
        """Remove a source with its articles and passages."""
        of_source = "article IN (SELECT row FROM articles WHERE source = ?)"
        for (passage,) in self._connection.execute(f"SELECT row FROM passages WHERE {of_source}", [row]).fetchall():  # noqa: S608 - fixed text
            heapq.heappush(self._free, int(passage))
            self._removed.add(int(passage))
            self.added.pop(int(passage), None)
        self._connection.execute(f"DELETE FROM passages WHERE {of_source}", [row])  # noqa: S608 - fixed text
        self._connection.execute("DELETE FROM articles WHERE source = ?", [row])
        self._connection.execute("DELETE FROM sources WHERE row = ?", [row])
        self.added_sources.discard(row)
        self._changed = True

    def put_source(self, source: SourceRows) -> None:
        """Put a source in, in the place of the one of its name."""
        known = self.source_row(source.name)
        if known is not None:
            self.remove_source(known)
        source_row, self._next_source = self._next_source, self._next_source + 1
        self._insert("sources", (source_row, *source.columns))
        for article in source.articles:
            article_row, self._next_article = self._next_article, self._next_article + 1
            identifier, *columns = article.columns
            self._insert("articles", (article_row, identifier, source_row, *columns))
            for passage in article.passages:
                self._insert(
                    "passages", (self._free_passage_row(passage.encoded_digest), article_row, *passage.columns)
                )
        self.added_sources.add(source_row)
        self._changed = True

    def is_taken(self, article_id: str, source: str) -> bool:
        """Say whether an article of another source than the one of this name has this id."""
        return bool(
            self._connection.execute(
                "SELECT 1 FROM articles JOIN sources ON sources.row = articles.source"
                " WHERE articles.id = ? AND sources.name != ?",
                [article_id, source],
            ).fetchone()
        )

    def _insert(self, table: str, values: Sequence[object]) -> None:
        marks = ",".join("?" * len(values))
        self._connection.execute(f"INSERT INTO {table} VALUES ({marks})", values)  # noqa: S608 - fixed names

    def _free_passage_row(self, encoded_digest: str) -> int:
        """Return the row that a new passage has until `arrange`."""
        if self._free:
            row = heapq.heappop(self._free)
        else:
            row, self._next_passage = self._next_passage, self._next_passage + 1
        self.added[row] = encoded_digest
        return row

    def remove_rejections(self, file: str) -> None:
        """Forget what was refused of a file; of the search for files where it is empty."""
        self._connection.execute("DELETE FROM rejections WHERE file = ?", [file])

    def add_rejection(self, rejection: Rejection, file: str) -> None:
        """Keep the report of what was refused of a file."""
        self._connection.execute(
            "INSERT INTO rejections VALUES (?,?,?,?)", (file, rejection.name, rejection.reason, rejection.remedy)
        )

    def rejections(self) -> list[Rejection]:
        """Return all that was refused."""
        return [
            Rejection(*row)
            for row in self._connection.execute("SELECT name, reason, remedy FROM rejections ORDER BY rowid")
        ]

    def arrange(self) -> PassageRows:
        """Close the gaps that removed passages left, and say where every passage comes from."""
        total = self._count("passages")
        gaps = sorted(row for row in self._free if row < total)
        beyond = [
            int(row)
            for (row,) in self._connection.execute("SELECT row FROM passages WHERE row >= ? ORDER BY row", [total])
        ]
        origin = np.arange(total, dtype=np.int64)
        origin[[row for row in self.added if row < total]] = -1
        for gap, row in zip(gaps, beyond, strict=True):
            self._connection.execute("UPDATE passages SET row = ? WHERE row = ?", [gap, row])
            digest = self.added.pop(row, None)
            origin[gap] = -1 if digest is not None else row
            if digest is not None:
                self.added[gap] = digest
            self._removed.add(row)
        self._free.clear()
        gone = np.array(sorted(row for row in self._removed if row < self._base_passages), np.int64)
        return PassageRows(origin, gone)

    def counts(self) -> Counts:
        """Return how much there is now."""
        return Counts(
            sources=self._count("sources"),
            articles=self._count("articles WHERE kind = 'article'"),
            imprints=self._count("articles WHERE kind = 'imprint'"),
            passages=self._count("passages"),
            rejections=self._count("rejections"),
        )

    def close(self) -> bool:
        """Write everything out, and say whether anything has changed; a file with much free space is written anew."""
        changed = self._changed or set(self.rejections()) != set(self._refused_before)
        self._connection.commit()
        free, pages = (
            self._connection.execute(f"PRAGMA {what}").fetchone()[0] for what in ("freelist_count", "page_count")
        )
        if free > _MOST_FREE * pages:
            self._connection.execute("VACUUM")
        self._connection.close()
        return changed

    def _count(self, rows: str) -> int:
        return int(self._connection.execute(f"SELECT count(*) FROM {rows}").fetchone()[0])  # noqa: S608 - fixed names

    def _after_last(self, table: str) -> int:
        return int(self._connection.execute(f"SELECT coalesce(max(row) + 1, 0) FROM {table}").fetchone()[0])  # noqa: S608 - fixed names
