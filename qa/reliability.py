"""Whether a confidence keeps what it promises: of the answers given with 0.8, four in five should be right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_BINS = 10


@dataclass(frozen=True)
class Bin:
    """The questions whose confidence lies in one tenth: how many, their mean confidence, the share of right answers."""

    count: int
    confidence: float
    right: float


def reliability(probabilities: Sequence[float], right: Sequence[bool]) -> list[Bin]:
    """Return the bins that hold questions, from low to high confidence."""
    values, hits = np.asarray(probabilities, float), np.asarray(right, float)
    places = np.minimum((values * _BINS).astype(int), _BINS - 1)
    return [
        Bin(int((places == place).sum()), float(values[places == place].mean()), float(hits[places == place].mean()))
        for place in np.unique(places)
    ]


def expected_calibration_error(probabilities: Sequence[float], right: Sequence[bool]) -> float:
    """Return the mean distance between confidence and share of right answers over ten bins of equal width.

    Naeini et al. 2015, "Obtaining well calibrated probabilities using Bayesian binning".
    """
    bins = reliability(probabilities, right)
    return sum(one.count * abs(one.confidence - one.right) for one in bins) / max(len(probabilities), 1)
