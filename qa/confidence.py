"""Confidence: how probable it is that the archive answers, from the evidence of retrieval.

A logistic regression on how near the best passage is and how much of the question it holds, fitted on questions whose
article was in the archive or had been left out: `python -m qa.training.fusion`.
"""

from __future__ import annotations

import math

import numpy as np

from qa.fusion import Evidence, fuse, peak

DEFAULT_THRESHOLD = 0.5
WEIGHTS: dict[str, float] = {"bias": 2.0}


def confidence_features(evidence: Evidence) -> dict[str, float]:
    """Return what the evidence says of the best passage of one question; all 0 when there is no candidate."""
    if len(evidence.dense) == 0:
        return dict.fromkeys(
            ("bias", "cosine", "words coverage", "bigrams coverage", "dense peak", "words peak", "bigrams peak"), 0.0
        )
    best = int(np.argmax(fuse(evidence).scores))
    return {
        "bias": 1.0,
        "cosine": float(evidence.dense[best]) * 10,
        "words coverage": float(evidence.words[best]) / max(evidence.words_limit, 1.0) * 10,
        "bigrams coverage": float(evidence.bigrams[best]) / max(evidence.bigrams_limit, 1.0) * 10,
        "dense peak": peak(evidence.dense),
        "words peak": peak(evidence.words),
        "bigrams peak": peak(evidence.bigrams),
    }


def estimate_confidence(evidence: Evidence) -> float:
    """Return the estimated probability that the best passage answers the question, 0 when there is no candidate."""
    if len(evidence.dense) == 0:
        return 0.0
    values = confidence_features(evidence)
    return 1 / (1 + math.exp(-sum(values[name] * weight for name, weight in WEIGHTS.items())))
