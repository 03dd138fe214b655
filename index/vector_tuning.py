"""How far an inexact index must look to find the true neighbours, and what it finds on queries it was not tuned on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from index.vector_plan import LEAST_FOUND, RECALL_AT
from index.vector_store import Rows, Vectors, VectorSource

# Makes queries, shape (queries, dimension), and says of which row each was made, -1 for none.
MakeQueries = Callable[[], tuple[Vectors, Rows]]
_QUERIES = 512
_SEED = 7
# Between questions and the passages that answer them, as multilingual-e5-small sees them.
_COSINE_OF_A_QUESTION = 0.87
_AT_ONCE = 65_536


class HeldOut:
    """Queries like questions, made of an archive's own passages, and their true neighbours.

    The passage that a query was made of is neither among its true neighbours nor counted when it is found: it is far
    nearer than any that a real question finds.
    """

    def __init__(self, queries: Vectors, made_of: Rows, true: list[set[int]]) -> None:
        self.queries = queries
        self._made_of = made_of
        self._true = true

    @classmethod
    def of(cls, vectors: VectorSource, make_queries: MakeQueries | None = None) -> HeldOut:
        """Make queries, by default of vectors moved at random, and find their true neighbours."""
        queries, made_of = make_queries() if make_queries else _moved(vectors)
        nearest = _nearest(queries, vectors, RECALL_AT + 1)
        return cls(queries, made_of, [_without(row, own) for row, own in zip(nearest, made_of, strict=True)])

    def halves(self) -> tuple[HeldOut, HeldOut]:
        """Return one half to tune on, and the other to measure on; a single query is in both."""
        middle = (len(self.queries) + 1) // 2
        first, second = slice(0, middle), slice(middle if len(self.queries) > 1 else 0, None)
        return self._part(first), self._part(second)

    def _part(self, part: slice) -> HeldOut:
        return HeldOut(self.queries[part], self._made_of[part], self._true[part])

    def recall(self, found: Rows, k: int = RECALL_AT) -> float:
        """Return the mean share of the true neighbours among the first `k` of the rows found, best first."""
        shares = [
            len(near & _without(row, own, k)) / len(near) if near else 1.0
            for near, row, own in zip(self._true, found, self._made_of, strict=True)
        ]
        return float(np.mean(shares))

    def recall_of(self, index: Any) -> float:
        """Return the recall of a search in a FAISS index; one that re-ranks finds as many as `LEAST_FOUND` at least."""
        asked = LEAST_FOUND if hasattr(index, "k_factor") else RECALL_AT + 1
        return self.recall(index.search(self.queries, min(asked, index.ntotal))[1])


def _moved(vectors: VectorSource) -> tuple[Vectors, Rows]:
    """Return vectors evenly drawn and moved as far as questions stand from the passages that answer them."""
    generator = np.random.default_rng(_SEED)
    made_of = generator.choice(len(vectors), min(_QUERIES, len(vectors)), replace=False).astype(np.int64)
    chosen = vectors.fetch(made_of)
    noise = generator.normal(size=chosen.shape)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    moved = chosen + noise * (_COSINE_OF_A_QUESTION**-2 - 1) ** 0.5
    return (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32), made_of


def _without(found: Rows, own: int, k: int = RECALL_AT) -> set[int]:
    """Return the first `k` rows that are there and not one's own."""
    return set(found[(found >= 0) & (found != own)][:k].tolist())


def slices(count: int) -> Iterator[Rows]:
    """Yield the rows `0..count-1` in parts that fit in memory."""
    for start in range(0, count, _AT_ONCE):
        yield np.arange(start, min(start + _AT_ONCE, count), dtype=np.int64)


def _nearest(queries: Vectors, vectors: VectorSource, k: int) -> Rows:
    """Return the rows of the nearest vectors, best first, shape (queries, min(k, vectors))."""
    import faiss

    scores = np.empty((len(queries), 0), np.float32)
    nearest = np.empty((len(queries), 0), np.int64)
    for rows in slices(len(vectors)):
        near, found = faiss.knn(queries, vectors.fetch(rows), min(k, len(rows)), metric=faiss.METRIC_INNER_PRODUCT)
        scores = np.concatenate([scores, near], axis=1)
        nearest = np.concatenate([nearest, rows[found]], axis=1)
        best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        scores, nearest = np.take_along_axis(scores, best, axis=1), np.take_along_axis(nearest, best, axis=1)
    return nearest


def fewest(reached_with: Callable[[int], float], recall: float, most: int) -> int:
    """Return about the least number, up to `most`, that reaches the recall: double it, then halve what lies between."""
    too_few, enough = 0, 1
    while reached_with(enough) < recall and enough < most:
        too_few, enough = enough, min(enough * 2, most)
    while enough - too_few > max(1, enough // 16):
        middle = (too_few + enough) // 2
        if reached_with(middle) >= recall:
            enough = middle
        else:
            too_few = middle
    return enough
