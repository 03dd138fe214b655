"""How many texts are encoded before their vectors are put on disk: what an interruption of a build loses at most."""

from __future__ import annotations

import math

SECONDS = 3.0
# As many long passages fill a batch of the encoder (see `index.encoder_batches`). Less than a batch for each core would
# leave cores idle, so that a model that takes longer than that for them loses these.
TEXTS_OF_A_BATCH = 8
MOST_TEXTS = 4096
# The first texts are no fair measure: libraries warm up, and one batch keeps one core busy.
_MOST_GROWTH = 4


class ChunkSize:
    """The number of texts that take about `SECONDS`, by how long the last ones took; whole batches for every core."""

    def __init__(self, cores: int) -> None:
        self._least = TEXTS_OF_A_BATCH * cores
        self.texts = min(self._least, MOST_TEXTS)

    def took(self, texts: int, seconds: float) -> None:
        """Take note of how long so many texts took."""
        before = math.ceil(texts / self._least)
        fitting = SECONDS * texts / (max(seconds, 1e-6) * self._least)
        rounds = max(1, int(min(fitting, _MOST_GROWTH * before)))
        self.texts = min(rounds * self._least, MOST_TEXTS)
