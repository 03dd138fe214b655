"""What the encoder sees of a passage."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from index.database import DatabaseReader
from index.folding import fold_text

_HEADLINE_CHARACTERS = 80
_DIGEST_CHARACTERS = 32


def encoded_text(headline: str, passage: str) -> str:
    """Return what the encoder sees of a passage: its article's headline as context, then the passage, folded."""
    context = headline[:_HEADLINE_CHARACTERS]
    return fold_text(
        f"{context}\n{passage}" if context and not passage.startswith(context) else passage, casefold=False
    )


def text_digest(text: str) -> str:
    """Return what an encoded text is known by, 32 hexadecimal digits: equal texts have equal vectors."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_CHARACTERS]


def encoded_texts(reader: DatabaseReader, rows: Sequence[int]) -> list[str]:
    """Return what the encoder sees of the passages in the rows, in their order."""
    found = reader.in_chunks(
        "SELECT passages.row, articles.headline, passages.text FROM passages"
        " JOIN articles ON articles.row = passages.article WHERE passages.row IN ({})",
        rows,
    )
    by_row = {int(row): encoded_text(headline, text) for row, headline, text in found}
    return [by_row[row] for row in rows]


def encoded_digests(reader: DatabaseReader, rows: Sequence[int]) -> dict[int, str]:
    """Return by row the digests of the texts that the passages' vectors were made of."""
    found = reader.in_chunks("SELECT row, encoded_digest FROM passages WHERE row IN ({})", rows)
    return {int(row): digest for row, digest in found}
