"""The vectors of the passages that a build has added: known ones are taken over, the rest is encoded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from time import monotonic

import numpy as np

from index.base import Base, known_vectors
from index.chunk_size import ChunkSize
from index.cpu import usable_cores
from index.database import DatabaseReader
from index.encoded_text import encoded_texts
from index.encoder import Encoder
from index.errors import EncoderError
from index.layout import Generation, IndexFolder
from index.progress import OnProgress, Progress
from index.unfinished_vectors import UnfinishedVectors
from index.vectors import Rows, Vectors, first_not_unit


def encode_added(
    added: Mapping[int, str],
    index: IndexFolder,
    generation: Generation,
    encoder: Encoder,
    on_progress: OnProgress,
    base: Base | None,
    *,
    fresh: bool = False,
    meanwhile: Callable[[], object] = lambda: None,
) -> tuple[Rows, Vectors, int]:
    """Return rows, their vectors, shape (rows, dimension), and how many texts had to be encoded.

    Args:
        added: Digests of the texts that the encoder is to see, by row.
        index: Where an unfinished build may have left vectors, and the generation in use has some.
        generation: The new one; its database is complete.
        encoder: The encoder.
        on_progress: Called after every batch.
        base: The generation that the build goes out from, whose files have been checked.
        fresh: Take no vectors over from the generation in use.
        meanwhile: Called just before the first text is encoded, to start what can be done beside it.

    Raises:
        EncoderError: the encoder gives what is no unit vector.
    """
    rows = np.array(sorted(added), np.int64)
    vectors = np.zeros((len(rows), encoder.identity.dimension), np.float32)
    missing: dict[str, list[int]] = {}
    for place, row in enumerate(rows.tolist()):
        missing.setdefault(added[row], []).append(place)

    def fill(found: Iterable[tuple[str, Vectors]]) -> None:
        for digest, vector in found:
            vectors[missing.pop(digest)] = vector

    unfinished = UnfinishedVectors(index, encoder.identity)
    fill(unfinished.known(missing.keys()).items())
    if not fresh:
        fill(known_vectors(missing.keys(), index, encoder.identity, base).items())
    reader = DatabaseReader(generation.database)
    pending = _longest_first(reader, [int(rows[places[0]]) for places in missing.values()])
    on_progress(Progress("encode", 0, len(pending)))
    try:
        size, start = ChunkSize(usable_cores()), 0
        while chunk := pending[start : start + size.texts]:

            def report(done: int, total: int, before: int = start) -> None:
                on_progress(Progress("encode", before + done, len(pending)))

            texts = encoded_texts(reader, chunk)
            if start == 0:
                meanwhile()
            began = monotonic()
            encoded = encoder.encode_passages(texts, progress=report)
            _require_unit(encoded)
            unfinished.add([added[row] for row in chunk], encoded)
            fill(zip([added[row] for row in chunk], encoded, strict=True))
            size.took(len(chunk), monotonic() - began)
            start += len(chunk)
    finally:
        unfinished.close()
        reader.close()
    return rows, vectors, len(pending)


def _require_unit(vectors: Vectors) -> None:
    wrong = first_not_unit(vectors)
    if wrong:
        raise EncoderError(
            f"The encoder gave a vector of length {wrong[1]:.3f}, expected 1. What was encoded before is kept; check "
            "the model and this machine's memory, then build again."
        )


def _longest_first(reader: DatabaseReader, rows: Sequence[int]) -> list[int]:
    """Return the rows by length of their passages.

    Texts of like length together need the least padding, and the longest first leaves no core alone at the end.
    """
    found = reader.in_chunks("SELECT row, length(text) FROM passages WHERE row IN ({})", rows)
    lengths = {int(row): int(length) for row, length in found}
    return sorted(rows, key=lambda row: (-lengths[row], row))
