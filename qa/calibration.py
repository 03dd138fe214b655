"""Confidence: one probability that the answer is right, and the threshold below which the bot declines.

A logistic regression on what reading and retrieval say of the best answer, fitted on questions and articles that no
evaluation uses: some are answered, some are near an article that does not answer, of some the article was left out
(`python -m qa.training calibrate`). The threshold follows from what an error costs: declining is worth it as soon as
the expected harm of a wrong answer exceeds that of a needless refusal,

    (1 - p) · cost of a wrong answer  >  p · cost of a needless refusal.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from index.errors import WenbaoError
from qa.fusion import Evidence, Scores, fuse
from qa.question import Question, is_foreign, years_in

if TYPE_CHECKING:
    from qa.ranking import RankedAnswer

FILE = "calibration.json"
_BEST = 5
_RIVALS = 20
_MARGIN_OF_A_LONE_PASSAGE = np.float32(6.0)  # in an archive of one passage nothing tells: it is shown
_LIMIT = 12.0


class CalibrationError(WenbaoError):
    """The calibration of a reader cannot be read."""


class Calibration(BaseModel):
    """What was fitted for one reader: the weights of `qa.ranking`, those of the confidence, and the threshold.

    `threshold` is the probability below which the bot declines, from `cost_of_wrong` answers in needless refusals.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    ranking: dict[str, float]
    confidence: dict[str, float]
    cost_of_wrong: float
    threshold: float
    fitted_on: str = ""

    def probability(self, features: Mapping[str, float]) -> float:
        """Return the probability that the best answer, of which these are the features, is right."""
        logit = sum(weight * features.get(name, 0.0) for name, weight in self.confidence.items())
        return 1 / (1 + math.exp(-max(min(logit, 30.0), -30.0)))


def load_calibration(folder: Path) -> Calibration:
    """Read the calibration in a reader's folder; one without has that of the reader that comes with Wenbao.

    Raises:
        CalibrationError: there is none, or it is none.
    """
    path = folder / FILE
    if not path.exists():
        path = Path(__file__).parent / "weights" / FILE
    try:
        return Calibration.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise CalibrationError(
            f"The reader's calibration {path} cannot be read ({type(error).__name__}). Fit it with "
            "python -m qa.training calibrate, or install Wenbao anew."
        ) from error


def threshold_of(cost_of_wrong: float) -> float:
    """Return the least probability worth answering with, when a wrong answer costs so many needless refusals."""
    return cost_of_wrong / (1 + cost_of_wrong)


def confidence_features(
    question: Question,
    answers: Sequence[RankedAnswer],
    evidence: Evidence,
    *,
    passage: str,
    article: str,
    background: Evidence | None = None,
) -> dict[str, float]:
    """Return what speaks for and against the first of the ranked answers.

    `reader` is its log-odds against "no answer here" and `answerable` that of its passage; `lead` how far its ranking
    score stands above the best other answer's; `margin` how far the best passage stands out in retrieval.

    Args:
        question: The question.
        answers: The answers in order, at least one.
        evidence: What the indexes said of the candidates that the passages read were chosen from.
        passage: The text of the passage with the answer.
        article: The text of its article with dates and headline, where a year that the question names should stand.
        background: The evidence of the whole archive, where filters left few candidates.
    """
    from qa.ranking import overlap, same_answer

    best = answers[0]
    rivals = [
        answer.score
        for answer in answers[1:]
        if not (same_answer(answer.text, best.text) or overlap(answer.candidate, best.candidate))
    ]
    lead = best.score - max(rivals, default=best.score - _LIMIT)
    return {
        "bias": 1.0,
        "reader": _bounded(best.candidate.score),
        "answerable": _bounded(best.candidate.answerable),
        "lead": math.log1p(max(min(lead, _LIMIT), 0.0)),
        "support": best.features["support"],
        "kind": best.features["kind"],
        "figures": best.features["figures"],
        "echo": best.features["echo"],
        "passage": max(best.features["passage"], -_LIMIT),
        "margin": retrieval_margin(evidence, background),
        "foreign": float(is_foreign(question.text, passage)),
        "other year": float(bool(question.years) and not set(question.years) & years_in(article)),
    }


def retrieval_margin(evidence: Evidence, background: Evidence | None = None) -> float:
    """Return how far the best passage stands above those that are near the question by chance.

    The logarithm of 1 + the difference between the best fused score and the mean of its rivals': those on ranks 6 to
    25, or of the lower half in a tiny archive. Where filters leave few candidates, the rivals are those of the whole
    archive. It needs no shared words, so it serves questions in other languages too.
    """
    scores, others = _on_one_scale(evidence, background or evidence)
    after = min(_BEST, len(others) // 2)
    rivals = others[after : after + _RIVALS] if len(others) > 1 else scores[:1] - _MARGIN_OF_A_LONE_PASSAGE
    return math.log1p(max(float(scores.max() - rivals.mean()), 0.0))


def _bounded(value: float) -> float:
    return max(min(value, _LIMIT), -_LIMIT)


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
