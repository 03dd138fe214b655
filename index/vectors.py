"""The vector store: a seam, and its FAISS implementation."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from index.errors import ArchiveError

Rows = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]


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
    """Exact search over a flat FAISS index."""

    def __init__(self, index: Any) -> None:
        self._index = index

    @classmethod
    def open(cls, path: Path) -> FaissStore:
        """Open a store.

        Raises:
            ArchiveError: the file is missing or is not a FAISS index.
        """
        import faiss

        try:
            return cls(faiss.read_index(str(path)))
        except RuntimeError as error:
            reason = (str(error).splitlines() or [""])[0]
            raise ArchiveError(
                f"The vector index {path} cannot be read ({reason}). Rebuild the archive: wenbao index build PATH"
            ) from error

    @staticmethod
    def write(path: Path, vectors: Vectors) -> None:
        """Write a store of unit vectors, shape (n, dimension); row numbers are their positions."""
        import faiss

        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(np.ascontiguousarray(vectors, dtype=np.float32))
        faiss.write_index(index, str(path))

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
        else:
            selector = faiss.IDSelectorBatch(np.ascontiguousarray(rows, dtype=np.int64))
            parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
            scores, found = self._index.search(queries, k, params=parameters)
        return found.astype(np.int64), scores.astype(np.float32)

    def fetch(self, rows: Rows) -> Vectors:
        """Return the vectors of the rows, shape (len(rows), dimension)."""
        if len(rows) == 0:
            return np.empty((0, self.dimension), np.float32)
        found: Vectors = self._index.reconstruct_batch(np.ascontiguousarray(rows, dtype=np.int64))
        return found
