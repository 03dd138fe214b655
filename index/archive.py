"""An opened archive: the only way to read one. It shows one generation, which never changes under its reader."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from index.database import COUNTS, NAMES, PASSAGES, RANGES, ROW_NUMBERS, DatabaseReader
from index.encoder import EncoderIdentity
from index.errors import ArchiveError, InputError, NotFoundError
from index.keywords import KeywordIndex
from index.layout import IndexFolder
from index.manifest import read_manifest
from index.normalize_date import complete_date
from index.records import Article, Passage, Rejection, Source
from index.spans import Spans
from index.tokens import tokenizer_identity
from index.vector_store import VectorStore
from index.vectors import FaissStore

DEFAULT_INDEX = "wenbao-index"


@dataclass(frozen=True)
class Filters:
    """Which articles to search: publication dates from `date_from` to `date_to` (ISO, both included), paper, section.

    A date may be a year or a month (`2022`, `2022-07`). Paper and section match where they contain the given text.
    """

    date_from: str | None = None
    date_to: str | None = None
    paper: str | None = None
    section: str | None = None

    def __bool__(self) -> bool:
        return any((self.date_from, self.date_to, self.paper, self.section))


@dataclass(frozen=True)
class PassageRow:
    """A passage under its row number in the vector and keyword indexes, with the row of its article."""

    row: int
    article_row: int
    ordinal: int
    text: str
    spans: Spans


class Archive:
    """One generation of an archive, open for reading from any thread. Its files may be removed meanwhile."""

    def __init__(self, folder: IndexFolder, *, texts_only: bool = False) -> None:
        self.folder = folder
        self.generation = folder.current()
        self.manifest = read_manifest(self.generation)
        found = tokenizer_identity()
        if self.manifest.tokenizer != found:
            raise ArchiveError(
                f"The archive in {folder.folder} was built with the tokenizer {self.manifest.tokenizer}, installed is "
                f"{found}. Rebuild the archive: wenbao index build PATH, or install the other version."
            )
        self._reader = DatabaseReader(self.generation.database)
        if not texts_only:
            self.open_indexes()

    @classmethod
    def open(cls, path: str | os.PathLike[str] = DEFAULT_INDEX, *, texts_only: bool = False) -> Archive:
        """Open the generation in use of the archive in a folder.

        Args:
            path: The archive's folder.
            texts_only: Leave the vectors and keywords, which may be large, until they are used; by then they may have
                been removed, unless `open_indexes` came before.

        Raises:
            NotFoundError: there is no archive.
            ArchiveError: it is damaged, or of another format or tokenizer.
        """
        folder = IndexFolder(Path(path))
        while True:
            name = folder.current_name()
            try:
                return cls(folder, texts_only=texts_only)
            except ArchiveError:
                if folder.current_name() == name:
                    raise  # otherwise it was removed, after the switch to another, while it was being opened

    def open_indexes(self) -> None:
        """Open the vectors and keywords.

        Raises:
            ArchiveError: they are damaged or removed.
        """
        _ = self.vectors, self.keywords

    def require_encoder(self, identity: EncoderIdentity) -> None:
        """Refuse an encoder other than the one whose vectors the archive holds.

        Raises:
            ArchiveError: it differs; the message has both and the remedy.
        """
        built = self.manifest.encoder
        if not built.is_same_model(identity):
            raise ArchiveError(
                f"The archive in {self.folder.folder} was built with {_describe(built)}, but the encoder in use is "
                f"{_describe(identity)}. Use the first with --model {built.name}, or rebuild the archive with the "
                f"second: wenbao index build PATH --model {identity.name}"
            )

    @cached_property
    def vectors(self) -> VectorStore:
        """The passages' vectors."""
        store = FaissStore.open(self.generation.vectors, memory=self.manifest.vector_options.memory)
        self._require_rows("vector index", len(store))
        if store.dimension != self.manifest.encoder.dimension:
            raise ArchiveError(
                f"The vectors in {self.generation.folder} have {store.dimension} dimensions, the encoder in its "
                f"manifest gives {self.manifest.encoder.dimension}. Rebuild the archive: wenbao index build PATH"
            )
        return store

    @cached_property
    def keywords(self) -> KeywordIndex:
        """The passages' keywords."""
        index = KeywordIndex(self.generation.keywords)
        self._require_rows("keyword index", len(index))
        return index

    def _require_found(self, what: str, wanted: int, found: int) -> None:
        if found != wanted:
            raise ArchiveError(
                f"{self.generation.database} holds {found} of {wanted} {what} that the indexes have rows for. "
                "Rebuild the archive: wenbao index build PATH"
            )

    def _require_rows(self, what: str, found: int) -> None:
        expected = self.manifest.counts.passages
        if found != expected:
            raise ArchiveError(
                f"The {what} in {self.generation.folder} holds {found} passages, the manifest says {expected}. "
                "Rebuild the archive: wenbao index build PATH"
            )

    def articles(self, *, imprints: bool = False) -> list[Article]:
        """Return the articles in the order of their sources; with `imprints`, blocks that name a paper's staff too."""
        return self._reader.articles("" if imprints else "WHERE articles.kind = 'article'")

    def article(self, article_id: str) -> Article:
        """Return an article.

        Raises:
            NotFoundError: the archive holds no article of that id.
        """
        found = self._reader.articles("WHERE articles.id = ?", [article_id])
        if not found:
            raise NotFoundError(
                f"The archive holds no article {article_id[:80]!r}. Ids are listed by Archive.articles()."
            )
        return found[0]

    def sources(self) -> list[Source]:
        """Return the sources in order."""
        return self._reader.sources()

    def source_names(self) -> list[str]:
        """Return the names of the sources in order."""
        return [name for (name,) in self._reader.rows(NAMES, "SELECT name FROM sources ORDER BY row")]

    def source(self, name: str) -> Source:
        """Return a source by its name, which is what `Article.source` and `Citation.source` hold.

        Raises:
            NotFoundError: the archive holds no source of that name.
        """
        found = self._reader.sources("WHERE name = ?", [name])
        if not found:
            raise NotFoundError(f"The archive holds no source {name[:200]!r}. Names are listed by wenbao index info.")
        return found[0]

    def passages(self, article_id: str) -> tuple[Passage, ...]:
        """Return the passages of an article in order; none where there is no such article."""
        rows = self._reader.rows(
            PASSAGES,
            "SELECT passages.row, article, ordinal, passages.text, passages.spans FROM passages JOIN articles"
            " ON articles.row = passages.article WHERE articles.id = ? ORDER BY ordinal",
            [article_id],
        )
        return tuple(Passage(article_id, ordinal, text, spans) for _, _, ordinal, text, spans in rows)

    def passages_at(self, rows: Sequence[int]) -> list[PassageRow]:
        """Return the passages of the given rows, in the given order.

        Raises:
            ArchiveError: there is no such row, or its passage is damaged.
        """
        wanted = {int(row) for row in rows}
        found = self._reader.rows_in(
            PASSAGES, "SELECT row, article, ordinal, text, spans FROM passages WHERE row IN ({})", wanted
        )
        by_row = {passage[0]: PassageRow(*passage) for passage in found}
        self._require_found("passages", len(wanted), len(by_row))
        return [by_row[int(row)] for row in rows]

    def articles_at(self, rows: Sequence[int]) -> list[Article]:
        """Return the articles of the given article rows, in the given order.

        Raises:
            ArchiveError: there is no such row, or its article is damaged.
        """
        wanted = sorted({int(row) for row in rows})
        marks = ",".join("?" * len(wanted))
        found = self._reader.articles(f"WHERE articles.row IN ({marks})", wanted)
        self._require_found("articles", len(wanted), len(found))
        by_row = dict(zip(wanted, found, strict=True))
        return [by_row[int(row)] for row in rows]

    def rows_matching(self, filters: Filters) -> npt.NDArray[np.int64] | None:
        """Return the sorted rows of the passages whose article meets the filters, None when there are no filters.

        Raises:
            InputError: a date cannot be read, or the range is empty.
        """
        if not filters:
            return None
        conditions: list[str] = []
        parameters: list[object] = []
        date_from = complete_date(filters.date_from, last=False) if filters.date_from else None
        date_to = complete_date(filters.date_to, last=True) if filters.date_to else None
        if date_from and date_to and date_from > date_to:
            raise InputError(f"The dates from {date_from} to {date_to} hold no day. Give the earlier date first.")
        for date, sign in ((date_from, ">="), (date_to, "<=")):
            if date:
                conditions.append(f"articles.date {sign} ?")
                parameters.append(date)
        for column, value in (("paper", filters.paper), ("section", filters.section)):
            if value:
                conditions.append(f"instr(articles.{column}, ?) > 0")
                parameters.append(value.encode("utf-8", "replace").decode())
        selection = "SELECT passages.row FROM passages JOIN articles ON articles.row = passages.article WHERE "
        found = self._reader.rows(
            ROW_NUMBERS, selection + " AND ".join(conditions) + " ORDER BY passages.row", parameters
        )
        rows = np.array([row for (row,) in found], np.int64)
        inside = np.count_nonzero((rows >= 0) & (rows < self.manifest.counts.passages))
        self._require_found("passages", len(rows), int(inside))
        return rows

    def rejections(self) -> list[Rejection]:
        """Return the files that the build refused, and why."""
        return self._reader.rejections()

    def facets(self) -> dict[str, list[tuple[str, int]]]:
        """Return how many articles each paper and each section has, most first."""
        return {
            column: [
                (value, count)
                for value, count in self._reader.rows(
                    COUNTS,
                    f"SELECT {column}, count(*) FROM articles WHERE {column} IS NOT NULL AND kind = 'article'"  # noqa: S608
                    f" GROUP BY {column} ORDER BY count(*) DESC, {column}",
                )
            ]
            for column in ("paper", "section")
        }

    def date_range(self) -> tuple[str, str] | None:
        """Return the first and the last publication date, None where no article states one."""
        [(first, last)] = self._reader.rows(
            RANGES,
            "SELECT min(date), max(date) FROM articles WHERE date GLOB '[0-9][0-9][0-9][0-9]-*'",
        )
        return (first, last) if first and last else None


def _describe(identity: EncoderIdentity) -> str:
    return (
        f"{identity.name} ({identity.dimension}-d, sha256 {identity.digest[:8]}…, "
        f"prefixes {identity.query_prefix!r} and {identity.passage_prefix!r})"
    )
