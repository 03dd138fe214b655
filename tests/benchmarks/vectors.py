"""What each kind of vector index costs and finds, at sizes that the archive's own vectors are multiplied to.

    python tests/benchmarks/vectors.py INDEX [--sizes 50000 --sizes 1000000] [--kinds flat --kinds ivf-fp16] [--on-disk]

Vectors of the archive INDEX are perturbed until there are as many as asked for; queries are others of them, perturbed
further. Prints, for each size and kind: build time, file size, recall@10 against an exact search, and the time of one
query on one thread, p50 and p95. With --on-disk the codes stay there, as where memory is short.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import click
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from index.archive import Archive
from index.vector_options import KINDS, VectorOptions
from index.vector_plan import VectorIndex, describe, plan
from index.vectors import FaissStore

_QUERIES = 200
_PASSAGE_COSINE, _QUERY_COSINE = 0.95, 0.87


def perturbed(vectors: np.ndarray, count: int, cosine: float, generator: np.random.Generator) -> np.ndarray:
    """Return unit vectors, each at the cosine to one of the given ones, shape (count, dimension)."""
    made = np.empty((count, vectors.shape[1]), np.float32)
    for start in range(0, count, 50_000):
        rows = generator.integers(0, len(vectors), min(50_000, count - start))
        noise = generator.normal(size=(len(rows), vectors.shape[1])).astype(np.float32)
        noise *= (cosine**-2 - 1) ** 0.5 / np.linalg.norm(noise, axis=1, keepdims=True)
        moved = vectors[rows] + noise
        made[start : start + len(rows)] = moved / np.linalg.norm(moved, axis=1, keepdims=True)
    return made


def measure(
    planned: VectorIndex, vectors: np.ndarray, queries: np.ndarray, true: list[set[int]], memory: int | None
) -> str:
    """Build a store and return what it costs and finds, as cells of a table but the last."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vectors.faiss"
        began = time.perf_counter()
        made = FaissStore.write(path, vectors, VectorOptions(planned.kind), planned=planned)
        seconds = time.perf_counter() - began
        size = path.stat().st_size / 1e6
        store = FaissStore.open(path, memory=memory)
        found, times = [], []
        for query in queries:
            began = time.perf_counter()
            rows, _ = store.search(query[None], 10)
            times.append((time.perf_counter() - began) * 1000)
            found.append(set(rows[0].tolist()))
    recall = np.mean([len(one & other) / 10 for one, other in zip(found, true, strict=True)])
    low, high = np.percentile(times, [50, 95])
    return f"{describe(made)} | {seconds:.0f} s | {size:.0f} MB | {recall:.3f} | {low:.2f} / {high:.2f} ms"


@click.command()
@click.argument("index", type=click.Path(exists=True, file_okay=False))
@click.option("--sizes", multiple=True, type=int, default=(50_000, 200_000, 1_000_000), show_default=True)
@click.option("--kinds", multiple=True, type=click.Choice(KINDS), help="By default all.")
@click.option("--on-disk", is_flag=True, help="Leave the codes on disk.")
def main(index: str, sizes: tuple[int, ...], kinds: tuple[str, ...], on_disk: bool) -> None:
    """Measure the kinds of vector index."""
    import faiss

    faiss.omp_set_num_threads(1)
    archive = Archive.open(index)
    own = archive.vectors.fetch(np.arange(archive.manifest.counts.passages))
    print("| vectors | kind | build | file | recall@10 | one query, p50 / p95 |\n|---|---|---|---|---|---|")
    for size in sizes:
        generator = np.random.default_rng(size)
        vectors = perturbed(own, size, _PASSAGE_COSINE, generator)
        queries = perturbed(own, _QUERIES, _QUERY_COSINE, generator)
        true = [set(row.tolist()) for row in faiss.knn(queries, vectors, 10, metric=faiss.METRIC_INNER_PRODUCT)[1]]
        for kind in kinds or KINDS:
            planned = plan(size, vectors.shape[1], VectorOptions(kind))
            print(f"| {size:,} | {measure(planned, vectors, queries, true, 0 if on_disk else None)} |", flush=True)


if __name__ == "__main__":
    main()
