"""The vectors of a new generation: those of the one before that are still wanted, and those that are new."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from index.base import Base
from index.database_writer import PassageRows
from index.vector_plan import VectorIndex, plan
from index.vectors import FaissStore, Rows, Vectors, write_index

# An inverted index is made anew when the archive has grown or shrunk by more.
_MOST_GROWTH = 0.2


def write_updated(path: Path, base: Base | None, rows: PassageRows, added: Rows, vectors: Vectors) -> VectorIndex:
    """Write the store of a new generation and return what it is.

    An inverted index is changed where vectors have changed, as long as there are about as many as it was tuned for; any
    other is written from all vectors, which takes less than a second where such an index is chosen.

    Args:
        path: The file.
        base: The generation that the rest comes from.
        rows: Where the passages come from.
        added: The rows of new passages.
        vectors: Theirs, shape (added, dimension).
    """
    total = len(rows.origin)
    planned = plan(total)
    if base and _still_fits(base.manifest.vector_index, planned, total):
        _change_inverted(path, base, rows, added, vectors)
        return base.manifest.vector_index
    everything = np.empty((total, vectors.shape[1]), np.float32)
    everything[added] = vectors
    if base:
        kept = np.flatnonzero(rows.origin >= 0)
        everything[kept] = FaissStore.open(base.generation.vectors).fetch(rows.origin[kept])
    return FaissStore.write(path, everything, planned=planned)


def _still_fits(made: VectorIndex, planned: VectorIndex, total: int) -> bool:
    """Say whether an inverted index may stay as it is for so many vectors, and its recall what was measured."""
    near = (1 - _MOST_GROWTH) * made.tuned_for <= total <= (1 + _MOST_GROWTH) * made.tuned_for
    return bool(planned.lists) and (planned.kind, planned.lists) == (made.kind, made.lists) and near


def _change_inverted(path: Path, base: Base, rows: PassageRows, added: Rows, vectors: Vectors) -> None:
    import faiss

    moved = np.flatnonzero((rows.origin >= 0) & (rows.origin != np.arange(len(rows.origin))))
    of_moved = FaissStore.open(base.generation.vectors).fetch(rows.origin[moved])
    inverted = faiss.read_index(str(base.generation.vectors))
    inverted.remove_ids(faiss.IDSelectorBatch(rows.gone))
    inverted.add_with_ids(
        np.ascontiguousarray(np.concatenate([vectors, of_moved])), np.concatenate([added, moved]).astype(np.int64)
    )
    write_index(inverted, path)
