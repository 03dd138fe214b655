"""Filling a FAISS index: trained on a sample, filled a part at a time, tuned to the recall asked for."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np

from index.vector_options import VectorOptions
from index.vector_plan import HNSW_LINKS, LEAST_FOUND, VectorIndex
from index.vector_store import VectorSource
from index.vector_tuning import HeldOut, MakeQueries, fewest, slices

# Centres come out hardly different from more, and training takes most of the time of making an inverted index.
_TRAINED_ON_PER_LIST = 64
_SEED = 11
_HNSW_CONSTRUCTION = 80
_WIDEST = 2048
_MOST_RERANKED = 16
# To compare one half-precision code, somewhere in memory, takes as long as so many one-bit codes of a list (measured at
# 1,000,000 vectors: 2 µs and 45 ns).
_COST_OF_COMPARING = 45
# Bits of a query that meets one-bit codes. At 1,000,000 vectors 4 take 0.8 of the time of 8, for a thousandth less
# recall before anything is compared again; as is, not quantised, a query takes a hundred times as long.
_QUERY_BITS = 4


def make_index(
    planned: VectorIndex, vectors: VectorSource, options: VectorOptions, make_queries: MakeQueries | None = None
) -> tuple[Any, VectorIndex]:
    """Return a filled FAISS index, and what it is.

    Where one-bit codes do not reach the recall asked for, and were not asked for by name, it is one of half-precision
    codes.

    Args:
        planned: The kind, and the number of lists.
        vectors: What to fill it with.
        options: What it is tuned to.
        make_queries: Makes what it is tuned on; by default vectors moved at random.
    """
    if planned.kind in ("flat", "fp16"):
        return _filled(_empty(planned, vectors.dimension), vectors), planned
    tuned_on, measured_on = HeldOut.of(vectors, make_queries).halves()
    if planned.kind == "hnsw":
        graph = _filled(_empty(planned, vectors.dimension), vectors)
        breadth = _tune(graph.hnsw, "efSearch", tuned_on, graph, options.recall, _WIDEST)
        made = replace(planned, breadth=breadth)
        return graph, _measured(graph, made, vectors, measured_on)
    inverted = _filled(_trained(_empty(planned, vectors.dimension), planned, vectors), vectors)
    index = inverted
    if planned.kind == "ivf-rabitq":
        index = reranking(inverted, half_precision(vectors), _MOST_RERANKED)
        if not _tune_reranking(index, inverted, tuned_on, options.recall) and options.kind == "auto":
            return make_index(replace(planned, kind="ivf-fp16"), vectors, options, make_queries)
        made = replace(planned, reranked=int(index.k_factor), probes=inverted.nprobe)
    else:
        made = replace(planned, probes=_tune(inverted, "nprobe", tuned_on, index, options.recall, planned.lists))
    return index, _measured(index, made, vectors, measured_on)


def _empty(planned: VectorIndex, dimension: int) -> Any:
    faiss: Any = import_module("faiss")  # its type hints lack half of what is used here

    half, product = faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    if planned.kind == "flat":
        return faiss.IndexFlatIP(dimension)
    if planned.kind == "fp16":
        return faiss.IndexScalarQuantizer(dimension, half, product)
    if planned.kind == "hnsw":
        graph = faiss.IndexHNSWSQ(dimension, half, HNSW_LINKS, product)
        graph.hnsw.efConstruction = _HNSW_CONSTRUCTION
        return graph
    centres = faiss.IndexFlatIP(dimension)
    if planned.kind == "ivf-fp16":
        # Codes of the vectors themselves, not of what is left after the centre of their list is taken off: a vector
        # that is taken over from one generation to the next keeps its value.
        return faiss.IndexIVFScalarQuantizer(centres, dimension, planned.lists, half, product, False)
    # Not the fast-scan form: it is no faster here, and after vectors are removed and added again (faiss 1.15) it
    # measures them with the factors of others.
    inverted = faiss.IndexIVFRaBitQ(centres, dimension, planned.lists, product)
    inverted.qb = _QUERY_BITS
    return inverted


def _trained(inverted: Any, planned: VectorIndex, vectors: VectorSource) -> Any:
    most = min(len(vectors), planned.lists * _TRAINED_ON_PER_LIST)
    chosen = np.random.default_rng(_SEED).choice(len(vectors), most, replace=False).astype(np.int64)
    inverted.cp.min_points_per_centroid = 1  # as few as this may be asked for: no warnings
    inverted.train(vectors.fetch(np.sort(chosen)))
    return inverted


def _filled(index: Any, vectors: VectorSource) -> Any:
    for rows in slices(len(vectors)):
        part = np.ascontiguousarray(vectors.fetch(rows), np.float32)
        if not index.is_trained:
            index.train(part)  # half-precision codes learn nothing from it
        index.add(part)
    return index


def half_precision(vectors: VectorSource) -> Any:
    """Return half-precision codes of all vectors, in the order of their rows."""
    return _filled(_empty(VectorIndex("fp16"), vectors.dimension), vectors)


def reranking(inverted: Any, codes: Any, times: int) -> Any:
    """Return an index that finds `times` as many with the first and compares what is found with the second."""
    import faiss

    index = faiss.IndexRefine(inverted, codes)
    index.k_factor = float(times)
    return index


def _tune_reranking(index: Any, inverted: Any, tuned_on: HeldOut, recall: float) -> bool:
    """Set how many are compared again and how many lists are searched, so that both together take the least time.

    One search of all lists tells how many are enough: comparing again puts the true neighbours first that are among
    those found. Says whether any number of them is; where none is, as many as may be are compared.
    """
    inverted.nprobe = inverted.nlist
    found = inverted.search(tuned_on.queries, min(LEAST_FOUND * _MOST_RERANKED, inverted.ntotal))[1]
    factors = [2**power for power in range(_MOST_RERANKED.bit_length())]
    enough = [factor for factor in factors if tuned_on.recall(found, LEAST_FOUND * factor) >= recall]
    best = (float("inf"), _MOST_RERANKED, inverted.nlist)
    for factor in enough:
        index.k_factor = float(factor)
        probes = _tune(inverted, "nprobe", tuned_on, index, recall, inverted.nlist)
        cost = probes * inverted.ntotal / inverted.nlist + _COST_OF_COMPARING * LEAST_FOUND * factor
        if cost > best[0]:
            break
        best = (cost, factor, probes)
    index.k_factor, inverted.nprobe = float(best[1]), best[2]
    return bool(enough)


def _tune(knob: Any, name: str, tuned_on: HeldOut, index: Any, recall: float, most: int) -> int:
    def reached_with(value: int) -> float:
        setattr(knob, name, value)
        return tuned_on.recall_of(index)

    value = fewest(reached_with, recall, most)
    setattr(knob, name, value)
    return value


def _measured(index: Any, made: VectorIndex, vectors: VectorSource, measured_on: HeldOut) -> VectorIndex:
    return replace(made, recall=round(measured_on.recall_of(index), 4), tuned_for=len(vectors))
