"""Fitting of small linear models: listwise softmax regression and logistic regression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from index.errors import InputError

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Ranked:
    """The candidates of one question: features, shape (candidates, features), and which of them are relevant."""

    features: Matrix
    relevant: npt.NDArray[np.bool_]


def fit_listwise(questions: Sequence[Ranked], *, decay: float = 1e-3, steps: int = 60) -> npt.NDArray[np.float64]:
    """Return the weights that give the relevant candidates of each question the most softmax probability.

    Cao et al. 2007, "Learning to rank: from pairwise approach to listwise approach", with several relevant candidates.
    Questions without a relevant candidate teach nothing and are left out.

    Raises:
        InputError: none has one.
    """
    lists = [question for question in questions if question.relevant.any()]
    if not lists:
        raise InputError(
            f"Of {len(questions)} questions none has a right candidate to learn from. Give more questions, or files "
            "whose answers stand in their contexts."
        )
    owners = torch.tensor(np.repeat(np.arange(len(lists)), [len(question.relevant) for question in lists]))
    features = torch.tensor(np.concatenate([question.features for question in lists]), dtype=torch.float64)
    relevant = torch.tensor(np.concatenate([question.relevant for question in lists]))
    weights = torch.zeros(features.shape[1], dtype=torch.float64, requires_grad=True)

    def log_sum(scores: torch.Tensor, among: torch.Tensor) -> torch.Tensor:
        kept, places = scores[among], owners[among]
        highest = torch.full((len(lists),), -torch.inf, dtype=torch.float64)
        highest = highest.scatter_reduce(0, places, kept.detach(), "amax")
        sums = torch.zeros(len(lists), dtype=torch.float64).scatter_add(0, places, (kept - highest[places]).exp())
        return sums.log() + highest

    def loss() -> torch.Tensor:
        scores = features @ weights
        everything = torch.ones_like(relevant)
        return (log_sum(scores, everything) - log_sum(scores, relevant)).mean() + decay * (weights**2).sum()

    return _minimize(weights, loss, steps)


def fit_logistic(
    features: Matrix, labels: npt.NDArray[np.bool_], *, decay: float = 1e-4, steps: int = 60
) -> npt.NDArray[np.float64]:
    """Return the weights of a logistic regression; give a column of ones for a bias."""
    rows = torch.tensor(features, dtype=torch.float64)
    targets = torch.tensor(labels, dtype=torch.float64)
    weights = torch.zeros(rows.shape[1], dtype=torch.float64, requires_grad=True)

    def loss() -> torch.Tensor:
        entropy = torch.nn.functional.binary_cross_entropy_with_logits(rows @ weights, targets)
        return entropy + decay * (weights**2).sum()

    return _minimize(weights, loss, steps)


def _minimize(weights: torch.Tensor, loss: object, steps: int) -> npt.NDArray[np.float64]:
    optimizer = torch.optim.LBFGS([weights], max_iter=steps, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        value: torch.Tensor = loss()  # type: ignore[operator]
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return weights.detach().numpy()
