"""The vectors of a new generation: those of the one before that are still wanted, and those that are new."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from index.base import Base
from index.database_writer import PassageRows
from index.vector_making import half_precision, reranking
from index.vector_options import VectorOptions
from index.vector_plan import VectorIndex, plan
from index.vector_store import Rows, Vectors, VectorSource
from index.vector_tuning import MakeQueries
from index.vectors import FaissStore, write_index

# An inexact index is made anew when more vectors have come and gone: its lists and its recall are those of others.
_MOST_CHANGED = 0.2


def write_updated(
    path: Path,
    base: Base | None,
    rows: PassageRows,
    added: Rows,
    vectors: Vectors,
    options: VectorOptions,
    make_queries: MakeQueries,
) -> VectorIndex:
    """Write the store of a new generation and return what it is.

    An exact index that would be of the same kind keeps its codes. An inexact one is changed where vectors have changed,
    as long as they are few of those it was tuned for, and the same is asked of it; its recall is then the one that was
    measured when it was made. Any other is written from all vectors.

    Args:
        path: The file.
        base: The generation that the rest comes from.
        rows: Where the passages come from.
        added: The rows of new passages, in order.
        vectors: Theirs, shape (added, dimension).
        options: What is asked of the index.
        make_queries: Makes what an inexact index is tuned on.
    """
    store = FaissStore.open(base.generation.vectors, memory=0) if base else None  # read once: not a copy of it all
    everything = _Updated(store, rows.origin, added, vectors)
    if base and options == base.manifest.vector_options:
        gone = base.manifest.counts.passages - int((rows.origin >= 0).sum())
        before = base.manifest.vector_index
        if before.kind in ("flat", "fp16") and plan(len(everything), everything.dimension, options) == before:
            _write_exact(path, base.generation.vectors, everything)
            return before
        made = replace(before, changed=before.changed + len(added) + gone)
        if _still_fits(made, rows):
            _write_changed(path, base.generation.vectors, made, rows, everything)
            return made
    return FaissStore.write(path, everything, options, make_queries=make_queries)


@dataclass(frozen=True)
class _Updated:
    """The vectors of a new generation, wherever they are; `origin` is as in `PassageRows`."""

    store: FaissStore | None
    origin: Rows
    added: Rows
    vectors: Vectors

    def __len__(self) -> int:
        return len(self.origin)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self.vectors.shape[1])

    def fetch(self, rows: Rows) -> Vectors:
        """Return the vectors of the rows, shape (len(rows), dimension)."""
        found = np.empty((len(rows), self.dimension), np.float32)
        known = self.origin[rows] >= 0
        found[~known] = self.vectors[np.searchsorted(self.added, rows[~known])]
        if self.store is not None:
            found[known] = self.store.fetch(self.origin[rows[known]])
        return found


def _still_fits(made: VectorIndex, rows: PassageRows) -> bool:
    """Say whether an index may be changed where vectors have changed: a graph can only be added to."""
    can_be = not len(rows.gone) if made.kind == "hnsw" else made.lists > 0
    return can_be and made.changed <= _MOST_CHANGED * made.tuned_for


def _write_exact(path: Path, before: Path, everything: _Updated) -> None:
    """Write an exact index with the codes of a generation before: only those of rows that differ are touched."""
    faiss: Any = import_module("faiss")  # its type hints lack half of what is used here

    index: Any = faiss.read_index(str(before))
    differ = np.flatnonzero(everything.origin != np.arange(len(everything)))
    known = everything.origin[differ] >= 0
    moved = _codes(index)[everything.origin[differ[known]]]
    index.codes.resize(len(everything) * index.code_size)
    index.ntotal = len(everything)
    codes = _codes(index)
    codes[differ[known]] = moved
    if len(everything.added):
        codes[everything.added] = index.sa_encode(np.ascontiguousarray(everything.vectors, np.float32))
    write_index(index, path)


def _codes(index: Any) -> Any:
    """Return the codes of an exact index, shape (vectors, bytes of each), as they lie in it."""
    faiss: Any = import_module("faiss")
    codes = faiss.rev_swig_ptr(index.codes.data(), index.codes.size())
    return codes.reshape(-1, index.code_size)


def _write_changed(path: Path, before: Path, made: VectorIndex, rows: PassageRows, everything: VectorSource) -> None:
    """Write the FAISS index of a generation before, with the vectors of the new one."""
    import faiss

    index: Any = faiss.read_index(str(before))
    there = np.flatnonzero(rows.origin != np.arange(len(rows.origin)))
    vectors = np.ascontiguousarray(everything.fetch(there))
    if made.kind == "hnsw":
        index.add(vectors)
        write_index(index, path)
        return
    inverted = faiss.downcast_index(index.base_index) if made.kind == "ivf-rabitq" else index
    inverted.remove_ids(faiss.IDSelectorBatch(rows.gone))
    inverted.add_with_ids(vectors, there)
    # What was read owns its parts: it has to live until they are written.
    reranks = made.kind == "ivf-rabitq"
    write_index(reranking(inverted, half_precision(everything), made.reranked) if reranks else inverted, path)
