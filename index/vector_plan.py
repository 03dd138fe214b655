"""Which FAISS index an archive gets, by how many vectors it has, and how far an inverted one must look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Kind = Literal["flat", "fp16", "ivf-fp16"]

# An exact scan is right as long as it takes a small part of the time that reading does. Half-precision codes take half
# its memory. tests/benchmarks/vectors.py measures all kinds at any size.
FLAT_BELOW = 50_000
FP16_BELOW = 200_000
DEFAULT_RECALL = 0.99
_RECALL_AT = 10
_QUERIES = 256
_SEED = 7
# Between questions and the passages that answer them, as multilingual-e5-small sees them.
_COSINE_OF_A_QUESTION = 0.87


@dataclass(frozen=True)
class VectorIndex:
    """How an archive's vectors are kept.

    `lists` and `probes` are those of an inverted index, 0 for an exact one, `tuned_for` the number of vectors that they
    were chosen for, `changed` how many have come or gone since. `recall` is the share of the ten true nearest
    neighbours that it finds, measured on vectors of the archive, moved as far as questions are from what answers them.
    """

    kind: Kind
    lists: int = 0
    probes: int = 0
    recall: float = 1.0
    tuned_for: int = 0
    changed: int = 0


def plan(count: int) -> VectorIndex:
    """Return the kind of index for so many vectors, its lists about 4 times the root of their number."""
    if count < FLAT_BELOW:
        return VectorIndex("flat")
    if count < FP16_BELOW:
        return VectorIndex("fp16")
    return VectorIndex("ivf-fp16", lists=2 ** round(np.log2(4 * count**0.5)))


def describe(made: VectorIndex) -> str:
    """Return what an index is, in words."""
    if made.kind == "flat":
        return "exact, single precision"
    if made.kind == "fp16":
        return "exact scan of half-precision codes"
    return (
        f"{made.probes} of {made.lists} inverted lists searched, half-precision codes, "
        f"recall@{_RECALL_AT} {made.recall:.3f} against exact"
    )


def make_index(planned: VectorIndex, vectors: npt.NDArray[np.float32], recall: float) -> tuple[Any, VectorIndex]:
    """Return a filled FAISS index, and what it is.

    Args:
        planned: The kind, and the number of lists.
        vectors: Unit vectors, shape (n, dimension).
        recall: The least share of true neighbours that an inverted index is to find; so many lists are searched.
    """
    import faiss

    dimension = vectors.shape[1]
    vectors = np.ascontiguousarray(vectors, np.float32)
    if planned.kind == "flat":
        flat = faiss.IndexFlatIP(dimension)
        flat.add(vectors)
        return flat, planned
    half = faiss.ScalarQuantizer.QT_fp16
    codes = faiss.IndexScalarQuantizer(dimension, half, faiss.METRIC_INNER_PRODUCT)
    if planned.kind == "fp16":
        codes.train(vectors)
        codes.add(vectors)
        return codes, planned
    # Codes of the vectors themselves, not of what is left after the centre of their list is taken off: a vector that is
    # taken over from one generation to the next keeps its value.
    centres = faiss.IndexFlatIP(dimension)
    inverted = faiss.IndexIVFScalarQuantizer(centres, dimension, planned.lists, half, faiss.METRIC_INNER_PRODUCT, False)
    inverted.train(vectors)
    inverted.add(vectors)
    return inverted, _tuned(inverted, planned, vectors, recall)


def _tuned(inverted: Any, planned: VectorIndex, vectors: npt.NDArray[np.float32], recall: float) -> VectorIndex:
    """Search the fewest lists that reach the recall: twice as many each time, then halve what lies between."""
    queries = _like_questions(vectors)
    true = _true_neighbours(queries, vectors)

    def reached_with(probes: int) -> float:
        inverted.nprobe = probes
        _, found = inverted.search(queries, _RECALL_AT)
        shares = [len(near & set(row.tolist())) / len(near) for near, row in zip(true, found, strict=True)]
        return float(np.mean(shares))

    too_few, enough = 0, 1
    while (reached := reached_with(enough)) < recall and enough < planned.lists:
        too_few, enough = enough, min(enough * 2, planned.lists)
    while enough - too_few > max(1, enough // 16):
        middle = (too_few + enough) // 2
        found = reached_with(middle)
        if found >= recall:
            enough, reached = middle, found
        else:
            too_few = middle
    inverted.nprobe = enough
    return VectorIndex(planned.kind, planned.lists, enough, round(reached, 4), len(vectors))


def _like_questions(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return vectors of the archive moved as far as questions stand from the passages that answer them."""
    generator = np.random.default_rng(_SEED)
    chosen = vectors[generator.choice(len(vectors), min(_QUERIES, len(vectors)), replace=False)]
    noise = generator.normal(size=chosen.shape)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    moved = chosen + noise * (_COSINE_OF_A_QUESTION**-2 - 1) ** 0.5
    queries: npt.NDArray[np.float32] = (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32)
    return queries


def _true_neighbours(queries: npt.NDArray[np.float32], vectors: npt.NDArray[np.float32]) -> list[set[int]]:
    import faiss

    _, found = faiss.knn(queries, vectors, min(_RECALL_AT, len(vectors)), metric=faiss.METRIC_INNER_PRODUCT)
    return [set(row.tolist()) for row in found]
