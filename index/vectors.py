"""The vector store in FAISS, exact or not (see `index.vector_plan`)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from index.errors import ArchiveError
from index.memory import memory_free
from index.vector_making import make_index
from index.vector_options import VectorOptions
from index.vector_plan import LEAST_FOUND, VectorIndex, plan
from index.vector_store import InMemory, Rows, Vectors, VectorSource
from index.vector_tuning import MakeQueries

__all__ = ["FaissStore", "Rows", "Vectors", "first_not_unit", "spread_rows", "write_index"]

# Of a filter that keeps less than this, lists and graphs hold too few: its rows are compared one by one.
_SELECTIVE = 0.05
_UNIT_TOLERANCE = 1e-2
_SCANNED_AT_ONCE = 65_536
_WIDER = 4
_SHARE_OF_FREE_MEMORY = 0.5
_READING = threading.Lock()  # of the limit below, which FAISS has one of for all threads


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


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let FAISS use one thread for what the calling thread does.

    One question is one piece of work; the threads that FAISS starts for it all the same wait for one another at its
    end, a time slice (some 10 ms) whenever one of the cores is held by keywords, an encoder or another process.
    """
    faiss: Any = import_module("faiss")
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


class FaissStore:
    """Search in a FAISS index: exact, or as far as it was tuned to look (see `index.vector_plan`)."""

    def __init__(self, index: Any) -> None:
        import faiss

        self._index = index
        # A re-ranking index finds with one part and measures with the other, whose rows are in order.
        self._reranks = isinstance(index, faiss.IndexRefine)
        self._finder: Any = faiss.downcast_index(index.base_index) if self._reranks else index
        self._codes = faiss.downcast_index(index.refine_index) if self._reranks else index
        self._inverted = isinstance(self._finder, faiss.IndexIVF)
        self._graph = isinstance(index, faiss.IndexHNSW)
        if self._inverted and not self._reranks:
            index.make_direct_map()  # where each row is stored, for `fetch`

    @classmethod
    def open(cls, path: Path, *, memory: int | None = None) -> FaissStore:
        """Open a store.

        Args:
            path: The file.
            memory: How many bytes it may take: one that is larger is left on disk, and the system keeps in memory what
                is searched. By default, and at most, half of the memory that is free.

        Raises:
            ArchiveError: the file is missing or is not a FAISS index.
        """
        import faiss

        try:
            free = _SHARE_OF_FREE_MEMORY * memory_free()
            size = path.stat().st_size
            fits = size <= (free if memory is None else min(memory, free))
            # Not IO_FLAG_MMAP, which maps plain inverted lists only; this maps the codes of every kind.
            with _READING:
                # One byte of a damaged header would ask for any amount of memory.
                faiss.set_deserialization_vector_byte_limit(size)
                return cls(faiss.read_index(str(path), 0 if fits else faiss.IO_FLAG_MMAP_IFC))
        except (OSError, RuntimeError, MemoryError) as error:
            reason = (str(error).splitlines() or [""])[0]
            raise ArchiveError(
                f"The vector index {path} cannot be read ({reason}). Rebuild the archive: wenbao index build PATH"
            ) from error

    @staticmethod
    def write(
        path: Path,
        vectors: Vectors | VectorSource,
        options: VectorOptions | None = None,
        *,
        planned: VectorIndex | None = None,
        make_queries: MakeQueries | None = None,
    ) -> VectorIndex:
        """Write a store of unit vectors and return what it is.

        Args:
            path: The file.
            vectors: The vectors, shape (n, dimension), or where to get them; row numbers are their positions.
            options: What is asked of the index; nothing by default.
            planned: The kind of index; by default it follows from the options, the number of vectors and the memory.
            make_queries: Makes what an inexact index is tuned on; by default vectors moved at random.

        Raises:
            OSError: the file cannot be written.
        """
        source = InMemory(vectors) if isinstance(vectors, np.ndarray) else vectors
        options = options or VectorOptions()
        index, made = make_index(planned or plan(len(source), source.dimension, options), source, options, make_queries)
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
        k = min(k, len(self) if rows is None else len(rows))
        if k < 1:
            return np.empty((len(queries), 0), np.int64), np.empty((len(queries), 0), np.float32)
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        with _one_thread() if len(queries) == 1 else nullcontext():
            return self._search(queries, k, rows)

    def _search(self, queries: Vectors, k: int, rows: Rows | None) -> tuple[Rows, Vectors]:
        inexact = self._inverted or self._graph
        if inexact and rows is not None and len(rows) < _SELECTIVE * len(self):
            return self._scan(queries, k, rows)
        wider = 1
        scores, found = self._index.search(queries, k, params=self._parameters(k, rows))
        while self._inverted and (found < 0).any() and wider * self._finder.nprobe < self._finder.nlist:
            wider *= _WIDER  # what was searched holds fewer than k
            scores, found = self._index.search(queries, k, params=self._parameters(k, rows, wider))
        if inexact and (found < 0).any():
            return self._scan(queries, k, np.arange(len(self)) if rows is None else rows)
        return found.astype(np.int64), scores.astype(np.float32)

    def _parameters(self, k: int, rows: Rows | None, wider: int = 1) -> Any:
        """Return what FAISS is to be told for one search: the rows, and `wider` times the lists it was tuned to."""
        faiss: Any = import_module("faiss")  # its type hints lack half of what is used here
        selected = {} if rows is None else {"sel": faiss.IDSelectorBatch(np.ascontiguousarray(rows, dtype=np.int64))}
        if self._graph:
            # The walk passes what it may not return: it has to be longer by as much as that is.
            share = 1 if rows is None else len(rows) / len(self)
            return faiss.SearchParametersHNSW(efSearch=int(self._index.hnsw.efSearch / share), **selected)
        if not self._inverted:
            return faiss.SearchParameters(**selected) if selected else None
        probes = {"nprobe": min(wider * self._finder.nprobe, self._finder.nlist), **selected}
        if not self._reranks:
            return faiss.SearchParametersIVF(**probes)
        compared = min(self._index.k_factor * max(k, LEAST_FOUND), len(self))
        return faiss.IndexRefineSearchParameters(
            k_factor=max(1.0, compared / k),
            base_index_params=faiss.SearchParametersIVF(**probes),
        )

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
        found: Vectors = self._codes.reconstruct_batch(np.ascontiguousarray(rows, dtype=np.int64))
        return found
