"""Fusion: one score from dense and keyword evidence, that knows from the question and the lists which to trust.

The score of a passage is a weighted sum of features: its standardised scores in each list, the share of the question's
term weight that it holds, and products of these with what the lists say of themselves (how far the best stands out, how
much of the question the keyword index knows). The weights are fitted by listwise softmax regression on
reading-comprehension questions about encyclopedia articles, none of them news: `python -m qa.training.fusion`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float32]

_PEAK_RIVALS = 5
_FLAT = 1e-6
WEIGHTS: dict[str, float] = {
    "dense": 1.0,
    "words": 1.0,
    "bigrams": 1.0,
}


@dataclass(frozen=True)
class Evidence:
    """What the indexes say of the candidate passages of one question; all arrays of shape (candidates,).

    `dense` holds cosines; `words` and `bigrams` hold BM25 scores, 0 where a passage holds no term of the question.
    The limits are the BM25 scores of a passage that would hold every term of the question many times over.
    """

    dense: Scores
    words: Scores
    bigrams: Scores
    words_limit: float
    bigrams_limit: float


@dataclass(frozen=True)
class Fusion:
    """Fused scores, shape (candidates,), and what each feature contributed, shape (candidates, features)."""

    scores: Scores
    names: tuple[str, ...]
    contributions: Scores

    def explain(self, candidate: int) -> dict[str, float]:
        """Return what each feature added to a candidate's score."""
        return {name: round(float(v), 4) for name, v in zip(self.names, self.contributions[candidate], strict=True)}


def features(evidence: Evidence) -> dict[str, Scores]:
    """Return the features of the candidates of one question, each of shape (candidates,)."""
    dense, words, bigrams = (_standardize(values) for values in (evidence.dense, evidence.words, evidence.bigrams))
    words_coverage = evidence.words / max(evidence.words_limit, 1.0)
    bigrams_coverage = evidence.bigrams / max(evidence.bigrams_limit, 1.0)
    known = float(bigrams_coverage.max(initial=0.0))
    return {
        "dense": dense,
        "words": words,
        "bigrams": bigrams,
        "words coverage": words_coverage,
        "bigrams coverage": bigrams_coverage,
        "cosine": evidence.dense * 10,
        "dense x known": dense * known,
        "words x known": words * known,
        "bigrams x known": bigrams * known,
        "dense x peak": dense * peak(evidence.dense),
        "words x peak": words * peak(evidence.words),
        "bigrams x peak": bigrams * peak(evidence.bigrams),
    }


def fuse(evidence: Evidence) -> Fusion:
    """Return the fused scores of the candidates of one question."""
    values = features(evidence)
    names = tuple(WEIGHTS)
    contributions = np.stack([values[name] * WEIGHTS[name] for name in names], axis=1).astype(np.float32)
    return Fusion(contributions.sum(axis=1), names, contributions)


def _standardize(values: Scores) -> Scores:
    if len(values) == 0 or (spread := float(values.std())) < _FLAT:
        return np.zeros_like(values)
    standardized: Scores = ((values - values.mean()) / spread).astype(np.float32)
    return standardized


def peak(scores: Scores) -> float:
    """Return how far the best score stands above the next ones, in standard deviations of all of them."""
    if len(scores) < 2:
        return 0.0
    best = np.sort(_standardize(scores))[::-1][: _PEAK_RIVALS + 1]
    return float(best[0] - best[1:].mean())
