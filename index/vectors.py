"""The vector store: a seam, and its FAISS implementation."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import psutil

from index.errors import ArchiveError
from index.vector_plan import DEFAULT_RECALL, VectorIndex, make_index, plan

# Of a filter that keeps less than this, inverted lists hold too few: its rows are compared one by one.
_SELECTIVE = 0.05
_UNIT_TOLERANCE = 1e-2
_SCANNED_AT_ONCE = 65_536
_SHARE_OF_FREE_MEMORY = 0.5

Rows = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]


def spread_rows(total: int, count: int) -> Rows:
    """Return so many of the row numbers `0..total-1`, or all where there are fewer, evenly spread."""
    return np.unique(np.linspace(0, total - 1, min(count, total)).astype(np.int64))


def first_not_unit(vectors: Vectors) -> tuple[int, float] | None:
    """Return the place and the length of the first vector that is not of unit length, None where all are."""
    lengths = np.linalg.norm(vectors, axis=1)
    wrong = np.flatnonzero(~(np.abs(lengths - 1) <= _UNIT_TOLERANCE))
    return (int(wrong[0]), float(lengths[wrong[0]])) if len(wrong) else None


def write_index(index: Any, path: Path) -> None:
    """Write a FAISS index to a file.

    Raises:
        OSError: it cannot be written.
    """
    import faiss

    try:
        faiss.write_index(index, str(path))
    except RuntimeError as error:
        raise OSError(f"{path}: {(str(error).splitlines() or [''])[0]}") from error


class VectorStore(Protocol):
    """Unit vectors under the row numbers `0..n-1`, searched by inner product; searches may run concurrently."""

    def __len__(self) -> int: ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    def search(self, queries: Vectors, k: int, rows: Rows | None = None) -> tuple[Rows, Vectors]:
        """Return rows and inner products, both (queries, min(k, rows)), best first; `rows` limits the search."""
        ...

    def fetch(self, rows: Rows) -> Vectors:
        """Return the vectors of the rows, shape (len(rows), dimension)."""
        ...


class FaissStore:
    """Search in a FAISS index: exact, or in some of the lists of an inverted one (see `index.vector_plan`)."""

    def __init__(self, index: Any) -> None:
        self._index = index
        self._inverted = hasattr(index, "nprobe")
        if self._inverted:
            index.make_direct_map()  # where each row is stored, for `fetch`

    @classmethod
    def open(cls, path: Path, *, mapped: bool | None = None) -> FaissStore:
        """Open a store.

        Args:
            path: The file.
            mapped: Leave the codes of inverted lists on disk and let the system keep in memory what is searched; by
                default where reading them would take more than half of the memory that is free.

        Raises:
            ArchiveError: the file is missing or is not a FAISS index.
        """
        import faiss

        try:
            if mapped is None:
                mapped = path.stat().st_size > _SHARE_OF_FREE_MEMORY * psutil.virtual_memory().available
            # FAISS maps inverted lists only; an exact index, which is smaller, is read all the same.
            return cls(faiss.read_index(str(path), faiss.IO_FLAG_MMAP if mapped else 0))
        except (OSError, RuntimeError) as error:
            reason = (str(error).splitlines() or [""])[0]
            raise ArchiveError(
                f"The vector index {path} cannot be read ({reason}). Rebuild the archive: wenbao index build PATH"
            ) from error

    @staticmethod
    def write(
        path: Path, vectors: Vectors, *, planned: VectorIndex | None = None, recall: float = DEFAULT_RECALL
    ) -> VectorIndex:
        """Write a store of unit vectors, shape (n, dimension); row numbers are their positions. Return what it is.

        Args:
            path: The file.
            vectors: The vectors.
            planned: The kind of index; by default it follows from the number of vectors.
            recall: What an inverted index is tuned to.

        Raises:
            OSError: the file cannot be written.
        """
        index, made = make_index(planned or plan(len(vectors)), vectors, recall)
        write_index(index, path)
        return made

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._index.d)

    def search(self, queries: Vectors, k: int, rows: Rows | None = None) -> tuple[Rows, Vectors]:
        """Return rows and inner products, both (queries, min(k, rows)), best first; `rows` limits the search."""
        import faiss

        k = min(k, len(self) if rows is None else len(rows))
        if k < 1:
            return np.empty((len(queries), 0), np.int64), np.empty((len(queries), 0), np.float32)
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        if rows is None:
            scores, found = self._index.search(queries, k)
        elif self._inverted and len(rows) < _SELECTIVE * len(self):
            return self._scan(queries, k, rows)
        else:
            selector = faiss.IDSelectorBatch(np.ascontiguousarray(rows, dtype=np.int64))
            kind = faiss.SearchParametersIVF if self._inverted else faiss.SearchParameters
            options = {"nprobe": self._index.nprobe} if self._inverted else {}
            parameters = kind(sel=selector, **options)  # type: ignore[call-arg]
            scores, found = self._index.search(queries, k, params=parameters)
        if self._inverted and (found < 0).any():  # the lists searched hold fewer than k
            return self._scan(queries, k, np.arange(len(self)) if rows is None else rows)
        return found.astype(np.int64), scores.astype(np.float32)

    def _scan(self, queries: Vectors, k: int, rows: Rows) -> tuple[Rows, Vectors]:
        """Compare the queries with each of the rows; of equal products, the first row comes first."""
        rows = np.sort(rows)
        products = np.concatenate(
            [
                queries @ self.fetch(rows[start : start + _SCANNED_AT_ONCE]).T
                for start in range(0, len(rows), _SCANNED_AT_ONCE)
            ],
            axis=1,
        )
        order = np.argsort(-products, axis=1, kind="stable")[:, :k]
        return rows[order], np.take_along_axis(products, order, axis=1)

    def fetch(self, rows: Rows) -> Vectors:
        """Return the vectors of the rows, shape (len(rows), dimension)."""
        if len(rows) == 0:
            return np.empty((0, self.dimension), np.float32)
        found: Vectors = self._index.reconstruct_batch(np.ascontiguousarray(rows, dtype=np.int64))
        return found
