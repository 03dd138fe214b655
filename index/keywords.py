"""The keyword index: BM25 over the passages' tokens, kept by tantivy (memory-mapped, k1 = 1.2, b = 0.75)."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tantivy

from index.errors import ArchiveError
from index.romanization import pinyin_pairs
from index.tokens import character_bigrams, tokenize

# A filter that keeps more than this share is applied to what is found without it: tens of milliseconds sooner than a
# search for tens of thousands of row numbers. Where too few of so many times as many as are wanted pass, that is made.
_BROAD = 0.05
_FOUND_MORE = 2
# So many rows are looked up one by one, which takes half the time of walking through the terms of all rows; of more, it
# takes longer (measured at 10,000 and 1,000,000 passages).
_LOOKED_UP = 500
_WRITER_BYTES = 64 * 1024 * 1024
FIELDS = ("words", "bigrams")


@dataclass(frozen=True)
class KeywordDocument:
    """The terms of one passage and its article's headline: jieba's words; pairs of neighbouring characters, and their
    pinyin."""

    row: int
    words: Sequence[str]
    bigrams: Sequence[str]

    @classmethod
    def of(cls, row: int, text: str) -> KeywordDocument:
        """Return the document of a text."""
        return cls(row, tokenize(text), character_bigrams(text) + pinyin_pairs(text))


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("row", stored=False, indexed=True, fast=True)
    for field in FIELDS:
        builder.add_text_field(field, stored=False, tokenizer_name="whitespace", index_option="freq")
    return builder.build()


def write_keywords(
    folder: Path, documents: Iterable[KeywordDocument], *, base: Path | None = None, gone: Sequence[int] = ()
) -> int:
    """Write a keyword index into an empty folder and return the number of documents written.

    Args:
        folder: Where it is to lie.
        documents: The documents.
        base: An index to go out from; it stays as it is.
        gone: The rows whose documents are not taken over from it.

    Raises:
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if base:
        _take_over(base, folder)
    with _failures_as(lambda error: OSError(f"{folder}: {error}")):
        return _write(folder, documents, gone)


def _write(folder: Path, documents: Iterable[KeywordDocument], gone: Sequence[int]) -> int:
    index = tantivy.Index(_schema(), path=str(folder))
    writer = index.writer(heap_size=_WRITER_BYTES, num_threads=1)
    if gone:
        writer.delete_documents_by_query(tantivy.Query.term_set_query(_schema(), "row", list(gone)))
    count = 0
    for document in documents:
        entry = tantivy.Document()
        entry.add_unsigned("row", document.row)
        for field in FIELDS:
            entry.add_text(field, " ".join(getattr(document, field)))
        writer.add_document(entry)
        count += 1
    writer.commit()
    writer.wait_merging_threads()
    for path in folder.glob("*.json"):  # tantivy lets nobody but their owner read these
        path.chmod(folder.stat().st_mode & 0o666)
    return count


def _take_over(base: Path, folder: Path) -> None:
    """Put the files of an index into another folder; segments, which are never written to again, as links.

    A copy would survive damage to the blocks that generations share so, but would write the whole index anew for one
    changed page. Either one's manifest has the digests that tell, and a build goes out from no generation that differs.
    """
    for path in base.iterdir():
        if path.suffix == ".lock":
            continue
        target = folder / path.name
        if path.suffix == ".json":
            shutil.copyfile(path, target)
            continue
        try:
            os.link(path, target)
        except OSError:  # a file system without links
            shutil.copyfile(path, target)


@contextmanager
def _failures_as(made: Callable[[BaseException], Exception]) -> Iterator[None]:
    """Turn what tantivy raises on files that it cannot use into another error; its panics are no `Exception`."""
    try:
        yield
    except BaseException as error:
        if not isinstance(error, ValueError | OSError) and type(error).__name__ != "PanicException":
            raise
        raise made(error) from error


def _open(folder: Path) -> tantivy.Searcher:
    try:
        return _searcher(folder)
    except (ValueError, OSError) as error:
        # To open an index, tantivy locks a file in its folder for writing, which a reader may not be allowed to.
        try:
            with tempfile.TemporaryDirectory(prefix="wenbao-keywords-", ignore_cleanup_errors=True) as own:
                _link(folder, Path(own))
                return _searcher(Path(own))
        except (ValueError, OSError):
            raise error from None


def _searcher(folder: Path) -> tantivy.Searcher:
    """Return what searches an index. It holds the files open: what becomes of the folder does not matter to it."""
    return tantivy.Index.open(str(folder)).searcher()


def _link(folder: Path, own: Path) -> None:
    for path in folder.absolute().iterdir():
        if path.suffix == ".json":
            shutil.copyfile(path, own / path.name)
        elif path.suffix != ".lock":
            (own / path.name).symlink_to(path)


class KeywordIndex:
    """A keyword index opened for reading, also in a folder that is read-only; safe to search from several threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with self._damage_reported():
            self._searcher = _open(folder)
        self._schema = _schema()

    def __len__(self) -> int:
        return int(self._searcher.num_docs)

    def search(
        self, tokens: Sequence[str], k: int, *, field: str = "words", rows: npt.NDArray[np.int64] | None = None
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Return the rows with the best BM25 scores and the scores, both of length <= `k`, best first.

        With `rows`, only those rows are scored, and rows that hold no token are left out all the same.
        """
        clauses = [(tantivy.Occur.Should, self._term(field, token)) for token in dict.fromkeys(tokens)]
        if not clauses or k < 1 or len(self) == 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        if rows is not None and len(rows) > _BROAD * len(self):
            wanted = int(k * _FOUND_MORE * len(self) / len(rows))
            found, scores = self.search(tokens, wanted, field=field)
            among = np.isin(found, rows)
            if among.sum() >= k or len(found) < wanted:
                return found[among][:k], scores[among][:k]
        query = tantivy.Query.boolean_query(clauses)
        if rows is not None:
            of_rows = tantivy.Query.const_score_query(self._of_rows(rows.tolist()), 0.0)
            query = tantivy.Query.boolean_query([(tantivy.Occur.Must, query), (tantivy.Occur.Must, of_rows)])
        found, scores = self._hits(query, min(k, len(self)))
        order = np.lexsort((found, -scores))
        return found[order], scores[order]

    def rows(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        """Return the rows from `start` to before `stop` that have a document, sorted; twice those that have two."""
        within = tantivy.Query.range_query(
            self._schema, "row", tantivy.FieldType.Unsigned, start, stop, include_upper=False
        )
        return np.sort(self._hits(within, max(1, min(len(self), stop - start + 1)))[0])

    def _hits(self, query: tantivy.Query, limit: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Return rows and scores of what a query finds, in tantivy's order.

        Raises:
            ArchiveError: the index is damaged.
        """
        with self._damage_reported():
            hits = self._searcher.search(query, limit=limit, count=False).hits
            rows = self._searcher.fast_field_values("row", [address for _, address in hits])
            for row in rows:
                if row is None or not 0 <= row < len(self):
                    raise ValueError(f"row {row} of {len(self)} passages")
        return np.array(rows, np.int64), np.array([score for score, _ in hits], np.float32)

    def _damage_reported(self) -> AbstractContextManager[None]:
        return _failures_as(
            lambda error: ArchiveError(
                f"The keyword index in {self._folder} cannot be read ({error}). "
                "Rebuild the archive: wenbao index build PATH"
            )
        )

    def _of_rows(self, rows: Sequence[int]) -> tantivy.Query:
        if len(rows) > _LOOKED_UP:
            return tantivy.Query.term_set_query(self._schema, "row", list(rows))
        terms = [tantivy.Query.term_query(self._schema, "row", row, "basic") for row in rows]
        return tantivy.Query.boolean_query([(tantivy.Occur.Should, term) for term in terms])

    def _term(self, field: str, token: str) -> tantivy.Query:
        return tantivy.Query.term_query(self._schema, field, token, "freq")
