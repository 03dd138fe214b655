"""An encoder that needs no model, and a bot with it, for tests whose subject is not meaning."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import numpy as np

from index.archive import Archive
from index.encoder import EncoderIdentity
from index.tokens import character_bigrams
from qa.bot import Bot
from qa.calibration import Calibration
from qa.sentence_reader import SentenceReader

DIMENSION = 64


class HashingEncoder:
    """Hashes character pairs into a unit vector: texts that share pairs are near each other."""

    def __init__(self, name: str = "hashing") -> None:
        self.identity = EncoderIdentity(
            name=name,
            digest=hashlib.sha256(name.encode()).hexdigest(),
            dimension=DIMENSION,
            query_prefix="",
            passage_prefix="",
            max_tokens=512,
        )
        self.encoded: list[str] = []

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
        vectors = np.full((len(texts), DIMENSION), 1e-3, np.float32)
        for row, text in enumerate(texts):
            for pair in character_bigrams(text):
                vectors[row, int(hashlib.sha256(pair.encode()).hexdigest(), 16) % DIMENSION] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def encode_passages(self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None) -> np.ndarray:
        self.encoded += texts
        if progress:
            progress(len(texts), len(texts))
        return self.encode_queries(texts)


def simple_bot(archive: Archive, encoder: HashingEncoder) -> Bot:
    """A bot that reads whole sentences and answers whatever stands out in retrieval."""
    calibration = Calibration(
        ranking={"reader": 1.0}, confidence={"bias": -3.0, "margin": 2.0}, cost_of_wrong=0.3, threshold=0.25
    )
    return Bot(archive, encoder, SentenceReader(encoder), calibration)
