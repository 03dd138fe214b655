"""The vectors of a new generation: those of the one before that are still wanted, and those that are new."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from index.base import Base
from index.database_writer import PassageRows
from index.vector_plan import VectorIndex, plan
from index.vectors import FaissStore, Rows, Vectors, write_index

# An inverted index is made anew when more vectors have come and gone: its lists and its recall are those of others.
_MOST_CHANGED = 0.2


def write_updated(path: Path, base: Base | None, rows: PassageRows, added: Rows, vectors: Vectors) -> VectorIndex:
    """Write the store of a new generation and return what it is.

    An inverted index is changed where vectors have changed, as long as they are few of those it was tuned for; any
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
    if base:
        gone = base.manifest.counts.passages - int((rows.origin >= 0).sum())
        made = base.manifest.vector_index
        made = replace(made, changed=made.changed + len(added) + gone)
        if _still_fits(made, planned):
            _change_inverted(path, base, rows, added, vectors)
            return made
    everything = np.empty((total, vectors.shape[1]), np.float32)
    everything[added] = vectors
    if base:
        kept = np.flatnonzero(rows.origin >= 0)
        everything[kept] = FaissStore.open(base.generation.vectors).fetch(rows.origin[kept])
    return FaissStore.write(path, everything, planned=planned)


def _still_fits(made: VectorIndex, planned: VectorIndex) -> bool:
    """Say whether an inverted index may keep its lists, and its recall be called what was measured."""
    same = (planned.kind, planned.lists) == (made.kind, made.lists)
    return bool(planned.lists) and same and made.changed <= _MOST_CHANGED * made.tuned_for


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
