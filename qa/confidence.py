"""Confidence: how probable it is that the archive answers, from the evidence of retrieval.

A logistic regression on one figure: how far the best passage's fused score stands above those of passages that come
well after it, which are near the question by chance. It needs no shared words, so it serves questions in other
languages too; these, and questions about another year, have a weight of their own, set by hand. The others are fitted
on questions whose article was in the archive or had been left out: `python -m qa.training.fusion`.
"""

from __future__ import annotations

import math

import numpy as np

from qa.fusion import Evidence, Scores, fuse

# Refusing a question that the archive answers costs a reader more than a sentence that turns out beside the point.
DEFAULT_THRESHOLD = 0.25
WEIGHTS = {"bias": -4.4, "margin": 2.22, "foreign": 0.9, "other year": -3.0}
_BEST = 5
_RIVALS = 20
_MARGIN_OF_A_LONE_PASSAGE = np.float32(6.0)  # in an archive of one passage nothing tells: it is shown


def confidence_features(
    evidence: Evidence, background: Evidence | None = None, *, foreign: bool = False, other_year: bool = False
) -> dict[str, float]:
    """Return what the evidence, which has a candidate at least, says of the best passage of one question.

    The margin is the logarithm of 1 + the difference between the best fused score and the mean of its rivals': those on
    ranks 6 to 25, or of the lower half in a tiny archive. Where filters leave few candidates, `background` is the
    evidence of the whole archive, whose passages are the rivals. A `foreign` question is in another script than the
    passage: then the words tell nothing, and all cosines lie closer together. `other_year` says that the question names
    a year of which the passage's article knows nothing: near, but about something else.
    """
    scores, others = _on_one_scale(evidence, background or evidence)
    after = min(_BEST, len(others) // 2)
    rivals = others[after : after + _RIVALS] if len(others) > 1 else scores[:1] - _MARGIN_OF_A_LONE_PASSAGE
    margin = max(float(scores.max() - rivals.mean()), 0.0)
    return {"bias": 1.0, "margin": math.log1p(margin), "foreign": float(foreign), "other year": float(other_year)}


def estimate_confidence(
    evidence: Evidence, background: Evidence | None = None, *, foreign: bool = False, other_year: bool = False
) -> float:
    """Return the estimated probability that the best passage answers the question, 0 when there is no candidate."""
    if len(evidence.dense) == 0:
        return 0.0
    values = confidence_features(evidence, background, foreign=foreign, other_year=other_year)
    return 1 / (1 + math.exp(-sum(values[name] * weight for name, weight in WEIGHTS.items())))


def _on_one_scale(evidence: Evidence, background: Evidence) -> tuple[Scores, Scores]:
    """Return the fused scores of the candidates, and those of the background, best first."""
    both = Evidence(
        np.concatenate([evidence.dense, background.dense]),
        np.concatenate([evidence.words, background.words]),
        np.concatenate([evidence.bigrams, background.bigrams]),
    )
    scores = fuse(both).scores
    count = len(evidence.dense)
    return scores[:count], np.sort(scores[count:])[::-1]
