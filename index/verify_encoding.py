"""Checks of a generation that need its encoder: is this the one, and does it still give the same vectors?"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from index.database import DatabaseReader
from index.encoded_text import encoded_digests, encoded_texts, text_digest
from index.encoder import Encoder
from index.errors import ArchiveError
from index.layout import Generation
from index.manifest import read_manifest
from index.vectors import FaissStore, spread_rows
from index.verify import Check

SAMPLE = 64
_CHUNK = 256
# Eight-bit and single-precision vectors of one text differ by 0.006 at most; those of other texts by much more.
_LEAST_COSINE = 0.98


def verify_encoding(
    generation: Generation,
    encoder: Encoder,
    *,
    sample: int | None = SAMPLE,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Check]:
    """Compare the encoder with the manifest's, and the vectors of some passages with what it gives now.

    Args:
        generation: One whose other checks pass.
        encoder: The one it should have been built with.
        sample: How many passages, evenly spread; None for all.
        progress: Called with how many passages are encoded, and how many there are to encode.

    Raises:
        ArchiveError: the generation cannot be read.
    """
    manifest = read_manifest(generation)
    if not manifest.encoder.is_same_model(encoder.identity):
        return [
            Check(
                "encoder",
                passed=False,
                detail=f"the archive was built with {manifest.encoder.name} ({manifest.encoder.digest[:12]}…), this is "
                f"{encoder.identity.name} ({encoder.identity.digest[:12]}…); name its own with --model, or rebuild",
            )
        ]
    total = manifest.counts.passages
    rows = spread_rows(total, sample or total)
    store, reader = FaissStore.open(generation.vectors, memory=0), DatabaseReader(generation.database)
    cosines: list[float] = []
    changed: list[int] = []
    try:
        for start in range(0, len(rows), _CHUNK):
            chunk = [int(row) for row in rows[start : start + _CHUNK]]
            texts = encoded_texts(reader, chunk)
            known = encoded_digests(reader, chunk)
            changed += [row for row, text in zip(chunk, texts, strict=True) if text_digest(text) != known[row]]
            cosines += (encoder.encode_passages(texts) * store.fetch(np.array(chunk))).sum(axis=1).tolist()
            progress(len(cosines), len(rows))
    except KeyError as error:
        raise ArchiveError(f"The database has no passage {error}. Rebuild the archive.") from error
    finally:
        reader.close()
    of = f"{len(rows)} of {total} passages"
    # The least one, and before it one that is no number.
    worst = min(range(len(cosines)), key=lambda place: -1.0 if math.isnan(cosines[place]) else cosines[place])
    return [
        Check("encoder", passed=True, detail="ok"),
        Check(
            "encoded texts",
            passed=not changed,
            detail=f"the vector of passage {changed[0]} was made of another text than it has now; "
            "encode all again: wenbao index build --fresh"
            if changed
            else of,
        ),
        Check("encoding", passed=True, detail=f"{of} encoded again, least cosine {cosines[worst]:.4f}")
        if cosines[worst] >= _LEAST_COSINE
        else Check(
            "encoding",
            passed=False,
            detail=f"the vector of passage {rows[worst]} has the cosine {cosines[worst]:.3f} to what the encoder gives "
            f"for its text, at least {_LEAST_COSINE} was expected; encode all again: wenbao index build --fresh",
        ),
    ]
