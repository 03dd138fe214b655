"""Which FAISS index an archive gets: by how many vectors it has, and by the memory that they may take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from index.memory import memory_there_is
from index.vector_options import Kind, VectorOptions

# An exact scan is right as long as it takes a small part of the time that reading does. Half-precision codes take half
# its memory. tests/benchmarks/vectors.py measures all kinds at any size.
FLAT_BELOW = 50_000
FP16_BELOW = 200_000
# One-bit codes, with the best compared again, find as many neighbours as half-precision ones in a third of the time
# (measured at 1,000,000 vectors), and take longer to make.
IVF_FP16_BELOW = 500_000
RECALL_AT = 10
# As many are compared again as for a search for so many, however few are asked for: recall does not hang on that.
LEAST_FOUND = 200
# Of all the memory there is, not of what happens to be free: the same archive gets the same index at every build. The
# other half is for the models, the keywords and the system.
_SHARE_OF_MEMORY = 0.5
# Fewer vectors than this have no centre of their own: FAISS warns below 39.
_LEAST_PER_LIST = 39
HNSW_LINKS = 32


@dataclass(frozen=True)
class VectorIndex:
    """How an archive's vectors are kept.

    `lists` and `probes` are those of an inverted index, `reranked` how many times as many as asked for (or as
    `LEAST_FOUND`) are compared again by their half-precision codes, `breadth` how many candidates a walk through a
    graph keeps; 0 where it has no such thing. `recall` is the share of the ten true nearest neighbours that it finds,
    measured on vectors of the archive that it was not tuned on, moved as far as questions are from what answers them.
    `tuned_for` is the number of vectors when that was so (0 for exact indexes), `changed` how many have come or gone
    since.
    """

    kind: Kind
    lists: int = 0
    probes: int = 0
    recall: float = 1.0
    tuned_for: int = 0
    changed: int = 0
    reranked: int = 0
    breadth: int = 0


def plan(count: int, dimension: int, options: VectorOptions) -> VectorIndex:
    """Return the kind of index for so many vectors, as yet untuned.

    Of the kinds that suit the number, that is the first one that fits in the memory allowed. Where not even one-bit
    codes do, it is inverted lists of half-precision codes, which are left on disk: one search reads a few of them from
    end to end.
    """
    if options.kind != "auto":
        return _with_lists(options.kind, count)
    allowed = memory_there_is() * _SHARE_OF_MEMORY if options.memory is None else options.memory
    for kind in [*_suited(count), "ivf-rabitq"]:
        planned = _with_lists(kind, count)
        if memory_needed(planned, count, dimension) <= allowed:
            return planned
    return _with_lists("ivf-fp16", count)


def _suited(count: int) -> list[Kind]:
    """Return the kinds that suit a number of vectors, the best first, but for one-bit codes, which come after all."""
    if count < FLAT_BELOW:
        return ["flat", "fp16"]
    if count < FP16_BELOW:
        return ["fp16"]
    return ["ivf-fp16"] if count < IVF_FP16_BELOW else []


def memory_needed(planned: VectorIndex, count: int, dimension: int) -> int:
    """Return the bytes that an index must have in memory to search it fast; those that re-rank may stay on disk."""
    of_each = {
        "flat": 4 * dimension,
        "fp16": 2 * dimension,
        "ivf-fp16": 2 * dimension + 16,  # its row, and where the row is
        "ivf-rabitq": dimension // 8 + 16,  # two factors, and its row
        "hnsw": 2 * dimension + 8 * HNSW_LINKS + 16,
    }[planned.kind]
    return count * of_each + planned.lists * 4 * dimension


def _with_lists(kind: Kind, count: int) -> VectorIndex:
    """Return a kind of index; an inverted one has about 4 times the root of the number of its vectors in lists."""
    if not kind.startswith("ivf"):
        return VectorIndex(kind)
    lists = 2 ** round(np.log2(4 * max(count, 1) ** 0.5))
    return VectorIndex(kind, lists=max(1, min(lists, count // _LEAST_PER_LIST)))


def describe(made: VectorIndex) -> str:
    """Return what an index is, in words."""
    if made.kind == "flat":
        return "exact, single precision"
    if made.kind == "fp16":
        return "exact scan of half-precision codes"
    searched = {
        "ivf-fp16": f"{made.probes} of {made.lists} inverted lists searched, half-precision codes",
        "ivf-rabitq": f"{made.probes} of {made.lists} inverted lists searched, one-bit RaBitQ codes, "
        f"{made.reranked} times as many compared again by half-precision codes",
        "hnsw": f"HNSW graph walked with {made.breadth} candidates, half-precision codes",
    }[made.kind]
    reached = f"recall@{RECALL_AT} {made.recall:.3f} against exact"
    since = f" when it was made; {made.changed} of {made.tuned_for} vectors changed since" if made.changed else ""
    return f"{searched}, {reached}{since}"
