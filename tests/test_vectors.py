from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from index.errors import ArchiveError
from index.vectors import FaissStore


@pytest.fixture
def vectors() -> np.ndarray:
    values = np.random.default_rng(7).normal(size=(200, 16)).astype(np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


@pytest.fixture
def store(vectors: np.ndarray, tmp_path: Path) -> FaissStore:
    FaissStore.write(tmp_path / "vectors.faiss", vectors)
    return FaissStore.open(tmp_path / "vectors.faiss")


def test_search_agrees_with_the_full_product(store: FaissStore, vectors: np.ndarray) -> None:
    rows, scores = store.search(vectors[:5], 10)
    products = vectors[:5] @ vectors.T
    np.testing.assert_array_equal(rows, np.argsort(-products, axis=1)[:, :10])
    np.testing.assert_allclose(scores, np.take_along_axis(products, rows, axis=1), rtol=1e-5)


def test_search_stays_among_the_given_rows(store: FaissStore, vectors: np.ndarray) -> None:
    among = np.array([3, 50, 199])
    rows, _ = store.search(vectors[:1], 10, among)
    assert rows.shape == (1, 3)
    assert set(rows[0]) == set(among.tolist())
    assert store.search(vectors[:1], 10, np.empty(0, np.int64))[0].shape == (1, 0)


def test_fetch_returns_the_vectors_of_the_rows(store: FaissStore, vectors: np.ndarray) -> None:
    np.testing.assert_allclose(store.fetch(np.array([7, 0])), vectors[[7, 0]])
    assert store.fetch(np.empty(0, np.int64)).shape == (0, 16)


def test_a_truncated_file_is_refused_with_the_remedy(vectors: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "vectors.faiss"
    FaissStore.write(path, vectors)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ArchiveError, match="wenbao index build"):
        FaissStore.open(path)
