"""Fusion: one score from dense and keyword evidence, that knows for each question which to trust.

BM25 weights are log-odds of relevance (Robertson & Sparck Jones 1976), and the encoder's cosines are trained as logits
of a softmax. So both are added as they are, not as ranks and not standardised: where a question has rare words and some
passages hold them, their BM25 scores lie far above the others' and decide; where its words are common or absent, BM25
scores lie close together and the meaning decides. Standardised scores and reciprocal ranks lose exactly this.

The weights come from listwise softmax regression on reading-comprehension questions (`python -m qa.training fusion`),
with the dense weight lowered from the fitted 74 to 60 and character pairs doubled, because the encoder was trained on
encyclopedia text like that of the fitting sets, and knows newspapers less well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float32]
WEIGHTS = {"dense": 60.0, "words": 0.08, "bigrams": 0.2}


@dataclass(frozen=True)
class Evidence:
    """What the indexes say of the candidate passages of one question; all arrays of shape (candidates,).

    `dense` holds cosines; `words` and `bigrams` hold BM25 scores, 0 where a passage holds no term of the question.
    """

    dense: Scores
    words: Scores
    bigrams: Scores


@dataclass(frozen=True)
class Fusion:
    """Fused scores, shape (candidates,), and what each list contributed to them, by its name."""

    scores: Scores
    contributions: dict[str, Scores]

    def explain(self, candidate: int) -> dict[str, float]:
        """Return what each list added to a candidate's score."""
        return {name: round(float(values[candidate]), 4) for name, values in self.contributions.items()}


def fuse(evidence: Evidence) -> Fusion:
    """Return the fused scores of the candidates of one question; the highest cosine counts as 0."""
    contributions = {name: values * np.float32(WEIGHTS[name]) for name, values in features(evidence).items()}
    scores: Scores = np.sum(list(contributions.values()), axis=0, dtype=np.float32)
    return Fusion(scores, contributions)


def features(evidence: Evidence) -> dict[str, Scores]:
    """Return what the weights are for: the three scores of each candidate, cosines counted from the highest."""
    return {
        "dense": evidence.dense - evidence.dense.max(initial=-1.0),
        "words": evidence.words,
        "bigrams": evidence.bigrams,
    }
