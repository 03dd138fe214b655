"""Queries of an archive's own making, to tune its vector index with: headlines, encoded as questions are.

An index must look far enough for real questions. Measured on 100 questions on news among 1,000,000 passages
(tests/benchmarks/growth.py): searching as many lists as find 0.99 of the neighbours of headlines, it finds 0.992 of
those of the questions; tuned on passages' vectors moved at random instead, 0.968.
"""

from __future__ import annotations

import numpy as np

from index.database import DatabaseReader
from index.encoder import Encoder
from index.folding import fold_text
from index.layout import Generation
from index.vector_store import Rows, Vectors
from index.vectors import spread_rows

_QUERIES = 512
_SEED = 7
# As long as a headline, where there is none.
_CHARACTERS = 30


def held_out_queries(generation: Generation, passages: int, encoder: Encoder) -> tuple[Vectors, Rows]:
    """Return queries, shape (queries, dimension), and the row of the passage that each is about.

    Args:
        generation: One whose database is complete.
        passages: How many it has.
        encoder: The archive's encoder.

    Raises:
        ArchiveError: the database is damaged.
    """
    # In any order: half of them is tuned on, and the other half must not be of another time.
    rows = np.random.default_rng(_SEED).permutation(spread_rows(passages, _QUERIES))
    reader = DatabaseReader(generation.database)
    found = reader.in_chunks(
        "SELECT passages.row, articles.headline, passages.text FROM passages"
        " JOIN articles ON articles.row = passages.article WHERE passages.row IN ({})",
        rows.tolist(),
    )
    reader.close()
    texts = {int(row): fold_text((headline or text)[:_CHARACTERS], casefold=False) for row, headline, text in found}
    return encoder.encode_queries([texts[row] for row in rows.tolist()]), rows
