"""What every vector store must do, whatever is inside it; and what each kind of FAISS index adds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from index.errors import ArchiveError
from index.vector_plan import FLAT_BELOW, FP16_BELOW, VectorIndex, plan
from index.vectors import FaissStore, VectorStore

COUNT, DIMENSION = 3000, 32
MakeStore = Callable[[np.ndarray], VectorStore]


def unit_vectors(count: int = COUNT, seed: int = 7) -> np.ndarray:
    """Vectors in clusters, as those of texts are."""
    centres = np.random.default_rng(1).normal(size=(40, DIMENSION))
    generator = np.random.default_rng(seed)
    values = centres[generator.integers(0, 40, count)] + generator.normal(size=(count, DIMENSION)) * 0.7
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    return unit_vectors()


# A store of another engine passes the same tests when its maker is added here.
STORES = {
    "flat": (VectorIndex("flat"), False),
    "fp16": (VectorIndex("fp16"), False),
    "ivf-fp16": (VectorIndex("ivf-fp16", lists=16), False),
    "ivf-fp16, mapped": (VectorIndex("ivf-fp16", lists=16), True),
}


@pytest.fixture(scope="module", params=STORES)
def store(request: pytest.FixtureRequest, vectors: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> VectorStore:
    path = tmp_path_factory.mktemp("store") / "vectors.faiss"
    planned, mapped = STORES[request.param]
    FaissStore.write(path, vectors, planned=planned)
    return FaissStore.open(path, mapped=mapped)


def test_it_has_a_size_and_a_dimension(store: VectorStore) -> None:
    assert len(store) == COUNT
    assert store.dimension == DIMENSION


def test_search_finds_nearly_all_true_neighbours_best_first(store: VectorStore, vectors: np.ndarray) -> None:
    queries = unit_vectors(64, seed=8)
    rows, scores = store.search(queries, 10)
    assert rows.shape == scores.shape == (64, 10)
    assert rows.dtype == np.int64
    assert scores.dtype == np.float32
    assert (np.diff(scores, axis=1) <= 1e-6).all()
    true = np.argsort(-(queries @ vectors.T), axis=1)[:, :10]
    found = np.mean([len(set(one) & set(other)) / 10 for one, other in zip(rows.tolist(), true.tolist(), strict=True)])
    assert found >= 0.97
    np.testing.assert_allclose(scores, np.take_along_axis(queries @ vectors.T, rows, axis=1), atol=2e-3)


@pytest.mark.parametrize("kept", [1, 3, 60, 1500, COUNT])
def test_search_stays_among_the_given_rows_and_finds_as_many_as_there_are(
    store: VectorStore, vectors: np.ndarray, kept: int
) -> None:
    among = np.random.default_rng(3).choice(COUNT, kept, replace=False).astype(np.int64)
    queries = unit_vectors(5, seed=9)
    rows, scores = store.search(queries, 20, among)
    assert rows.shape == scores.shape == (5, min(20, kept))
    products = queries @ vectors.T
    for found, product in zip(rows, products, strict=True):
        assert set(found.tolist()) <= set(among.tolist())
        assert len(set(found.tolist())) == len(found)
        true = among[np.argsort(-product[among])[: len(found)]]
        assert len(set(found.tolist()) & set(true.tolist())) >= 0.8 * len(found)


def test_no_rows_no_results(store: VectorStore, vectors: np.ndarray) -> None:
    assert store.search(vectors[:2], 10, np.empty(0, np.int64))[0].shape == (2, 0)
    assert store.search(vectors[:2], 0)[0].shape == (2, 0)


def test_more_than_there_is_gives_all(store: VectorStore, vectors: np.ndarray) -> None:
    rows, _ = store.search(vectors[:1], COUNT + 5)
    assert sorted(rows[0].tolist()) == list(range(COUNT))


def test_fetch_returns_the_vectors_of_the_rows(store: VectorStore, vectors: np.ndarray) -> None:
    np.testing.assert_allclose(store.fetch(np.array([7, 0, 7])), vectors[[7, 0, 7]], atol=1e-3)
    assert store.fetch(np.empty(0, np.int64)).shape == (0, DIMENSION)


def test_searches_side_by_side_give_what_they_give_alone(store: VectorStore) -> None:
    queries = unit_vectors(32, seed=10)
    alone = store.search(queries, 5)[0]
    together: dict[int, np.ndarray] = {}

    def search(place: int) -> None:
        together[place] = store.search(queries[place : place + 1], 5)[0]

    threads = [threading.Thread(target=search, args=(place,)) for place in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(np.concatenate([together[place] for place in range(32)]), alone)


@pytest.mark.parametrize("kind", STORES)
def test_vectors_taken_over_from_build_to_build_do_not_drift(kind: str, vectors: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "vectors.faiss"
    FaissStore.write(path, vectors, planned=STORES[kind][0])
    first = FaissStore.open(path).fetch(np.arange(COUNT))
    FaissStore.write(path, first, planned=STORES[kind][0])
    np.testing.assert_array_equal(FaissStore.open(path).fetch(np.arange(COUNT)), first)


def test_an_inverted_index_is_tuned_to_the_recall_asked_for(vectors: np.ndarray, tmp_path: Path) -> None:
    made = {
        recall: FaissStore.write(tmp_path / "vectors.faiss", vectors, planned=STORES["ivf-fp16"][0], recall=recall)
        for recall in (0.5, 0.9, 0.99)
    }
    assert all(one.recall >= recall for recall, one in made.items())
    assert made[0.5].probes < made[0.99].probes <= 16


def test_the_kind_follows_from_the_number_of_vectors() -> None:
    assert plan(1).kind == plan(FLAT_BELOW - 1).kind == "flat"
    assert plan(FLAT_BELOW).kind == plan(FP16_BELOW - 1).kind == "fp16"
    assert plan(1_000_000) == VectorIndex("ivf-fp16", lists=4096)


@pytest.mark.parametrize("kind", STORES)
def test_a_truncated_file_is_refused_with_the_remedy(kind: str, vectors: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "vectors.faiss"
    FaissStore.write(path, vectors, planned=STORES[kind][0])
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ArchiveError, match="wenbao index build"):
        FaissStore.open(path, mapped=STORES[kind][1])


def test_a_missing_file_is_told_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="wenbao index build"):
        FaissStore.open(tmp_path / "vectors.faiss")


def test_an_index_too_large_for_the_memory_that_is_free_stays_on_disk(
    vectors: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "vectors.faiss"
    FaissStore.write(path, vectors, planned=VectorIndex("ivf-fp16", lists=16))
    maps = Path("/proc/self/maps")
    if not maps.exists():
        pytest.skip("what is mapped is read from /proc, which this system does not have")
    read = FaissStore.open(path)
    assert str(path) not in maps.read_text()
    free = psutil.virtual_memory()._replace(available=path.stat().st_size)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    mapped = FaissStore.open(path)
    assert str(path) in maps.read_text()
    for one, other in zip(read.search(vectors[:20], 10), mapped.search(vectors[:20], 10), strict=True):
        np.testing.assert_array_equal(one, other)
