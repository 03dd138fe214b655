"""What every vector store must do, whatever is inside it. A store of another engine only adds its maker to STORES."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from index.vector_options import KINDS, Kind, VectorOptions
from index.vector_store import Rows, Vectors, VectorStore
from index.vectors import FaissStore

COUNT, DIMENSION = 3000, 32


@dataclass(frozen=True)
class Maker:
    """Makes a store of vectors, in a folder where it may write.

    `exact`: it finds all true neighbours, not only nearly all. `tolerance`: how far a vector's numbers and the products
    may be off.
    """

    make: Callable[[Vectors, Path], VectorStore]
    exact: bool
    tolerance: float


class ArrayStore:
    """The seam in its shortest form: an array, and nothing that is asked of a store but is not in its protocol."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors

    def __len__(self) -> int:
        return len(self._vectors)

    @property
    def dimension(self) -> int:
        return self._vectors.shape[1]

    def search(self, queries: Vectors, k: int, rows: Rows | None = None) -> tuple[Rows, Vectors]:
        among = np.arange(len(self)) if rows is None else rows
        products = queries @ self._vectors[among].T
        order = np.argsort(-products, axis=1, kind="stable")[:, :k]
        return among[order], np.take_along_axis(products, order, axis=1)

    def fetch(self, rows: Rows) -> Vectors:
        return self._vectors[rows]


def in_faiss(kind: Kind, *, memory: int | None = None) -> Callable[[Vectors, Path], VectorStore]:
    """Return a maker of one kind of FAISS index; without memory, its codes stay on disk."""

    def make(vectors: Vectors, folder: Path) -> VectorStore:
        FaissStore.write(folder / "vectors.faiss", vectors, VectorOptions(kind))
        return FaissStore.open(folder / "vectors.faiss", memory=memory)

    return make


STORES = {
    "array": Maker(lambda vectors, _: ArrayStore(vectors), exact=True, tolerance=1e-6),
    **{
        f"{kind}, {where}": Maker(in_faiss(kind, memory=memory), exact=kind == "flat", tolerance=2e-3)
        for kind in KINDS
        for where, memory in (("in memory", None), ("on disk", 0))
    },
}


def unit_vectors(count: int = COUNT, seed: int = 7) -> np.ndarray:
    """Vectors in clusters, as those of texts are."""
    centres = np.random.default_rng(1).normal(size=(40, DIMENSION))
    generator = np.random.default_rng(seed)
    values = centres[generator.integers(0, 40, count)] + generator.normal(size=(count, DIMENSION)) * 0.7
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    return unit_vectors()


@pytest.fixture(scope="module", params=STORES)
def maker(request: pytest.FixtureRequest) -> Maker:
    return STORES[request.param]


@pytest.fixture(scope="module")
def store(maker: Maker, vectors: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> VectorStore:
    return maker.make(vectors, tmp_path_factory.mktemp("store"))


def test_it_has_a_size_and_a_dimension(store: VectorStore) -> None:
    assert len(store) == COUNT
    assert store.dimension == DIMENSION


def test_search_finds_true_neighbours_best_first(store: VectorStore, maker: Maker, vectors: np.ndarray) -> None:
    queries = unit_vectors(64, seed=8)
    rows, scores = store.search(queries, 10)
    assert rows.shape == scores.shape == (64, 10)
    assert rows.dtype == np.int64
    assert scores.dtype == np.float32
    assert (np.diff(scores, axis=1) <= 1e-6).all()
    true = np.argsort(-(queries @ vectors.T), axis=1)[:, :10]
    found = np.mean([len(set(one) & set(other)) / 10 for one, other in zip(rows.tolist(), true.tolist(), strict=True)])
    assert found >= (1 if maker.exact else 0.97)
    products = np.take_along_axis(queries @ vectors.T, rows, axis=1)
    np.testing.assert_allclose(scores, products, atol=maker.tolerance)


@pytest.mark.parametrize("kept", [1, 3, 60, 400, 1500, COUNT])
def test_search_stays_among_the_given_rows_and_finds_as_many_as_there_are(
    store: VectorStore, maker: Maker, vectors: np.ndarray, kept: int
) -> None:
    among = np.random.default_rng(3).choice(COUNT, kept, replace=False).astype(np.int64)
    queries = unit_vectors(5, seed=9)
    rows, scores = store.search(queries, 20, among)
    assert rows.shape == scores.shape == (5, min(20, kept))
    shares = []
    for found, product in zip(rows, queries @ vectors.T, strict=True):
        assert set(found.tolist()) <= set(among.tolist())
        assert len(set(found.tolist())) == len(found)
        true = among[np.argsort(-product[among])[: len(found)]]
        shares.append(len(set(found.tolist()) & set(true.tolist())) / len(found))
    assert np.mean(shares) >= (1 if maker.exact else 0.93)


def test_no_rows_no_results(store: VectorStore, vectors: np.ndarray) -> None:
    assert store.search(vectors[:2], 10, np.empty(0, np.int64))[0].shape == (2, 0)
    assert store.search(vectors[:2], 0)[0].shape == (2, 0)


def test_more_than_there_is_gives_all(store: VectorStore, vectors: np.ndarray) -> None:
    rows, _ = store.search(vectors[:1], COUNT + 5)
    assert sorted(rows[0].tolist()) == list(range(COUNT))


def test_fetch_returns_the_vectors_of_the_rows(store: VectorStore, maker: Maker, vectors: np.ndarray) -> None:
    np.testing.assert_allclose(store.fetch(np.array([7, 0, 7])), vectors[[7, 0, 7]], atol=maker.tolerance)
    assert store.fetch(np.empty(0, np.int64)).shape == (0, DIMENSION)


def test_searches_side_by_side_give_what_they_give_alone(store: VectorStore) -> None:
    queries = unit_vectors(32, seed=10)
    alone = np.concatenate([store.search(queries[place : place + 1], 5)[0] for place in range(32)])
    together: dict[int, np.ndarray] = {}

    def search(place: int) -> None:
        together[place] = store.search(queries[place : place + 1], 5)[0]

    threads = [threading.Thread(target=search, args=(place,)) for place in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(np.concatenate([together[place] for place in range(32)]), alone)


@pytest.mark.parametrize("count", [1, 2, 12])
def test_a_store_of_a_few_vectors(maker: Maker, count: int, tmp_path: Path) -> None:
    few = unit_vectors(count)
    store = maker.make(few, tmp_path)
    rows, _ = store.search(few, 5)
    assert rows[:, 0].tolist() == list(range(count))
    assert rows.shape == (count, min(5, count))
