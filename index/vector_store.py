"""The seam behind which vectors are kept and searched. What stands here knows nothing of any engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]


class VectorSource(Protocol):
    """Unit vectors under the row numbers `0..n-1`, given out a part at a time."""

    def __len__(self) -> int: ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    def fetch(self, rows: Rows) -> Vectors:
        """Return the vectors of the rows, shape (len(rows), dimension)."""
        ...


class VectorStore(VectorSource, Protocol):
    """Unit vectors that are searched by inner product; searches may run concurrently."""

    def search(self, queries: Vectors, k: int, rows: Rows | None = None) -> tuple[Rows, Vectors]:
        """Return rows and inner products, both (queries, min(k, rows)), best first; `rows` limits the search."""
        ...


@dataclass(frozen=True)
class InMemory:
    """A source of vectors that are at hand, shape (n, dimension)."""

    vectors: Vectors

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self.vectors.shape[1])

    def fetch(self, rows: Rows) -> Vectors:
        """Return the vectors of the rows, shape (len(rows), dimension)."""
        found: Vectors = np.ascontiguousarray(self.vectors[rows], np.float32)
        return found
