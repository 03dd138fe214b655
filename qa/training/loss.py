"""What training makes small: the surprise at where the answer stands, as a pair of places and as each of the two."""

from __future__ import annotations

import torch
from torch.nn.functional import cross_entropy

from qa.training.batches import TrainingBatch

_NEVER = -1e4
_SHARE_OF_PAIRS = 0.5


def span_loss(scores: torch.Tensor, batch: TrainingBatch) -> torch.Tensor:
    """Return the mean cross-entropy of a batch.

    Half of it is over all ranges and "no answer" together, so that the scores of ranges compare and their null score is
    a probability; half over starts and ends each by itself, from which the network learns faster.

    Args:
        scores: Those of `SpanModel`, shape (sequences, length, outputs).
        batch: On the same device.
    """
    starts, ends = (scores[:, :, side] + batch.allowed for side in (0, 1))
    apart = (cross_entropy(starts, batch.starts) + cross_entropy(ends, batch.ends)) / 2
    ranges = starts[:, :, None] + ends[:, None, :] + agreement(scores)
    length = scores.shape[1]
    valid = torch.ones(length, length, dtype=torch.bool, device=scores.device).triu()
    valid[0] = False  # token 0 is no answer
    valid[0, 0] = True
    ranges = ranges.masked_fill(~valid, _NEVER)
    together = cross_entropy(ranges.flatten(1), batch.starts * length + batch.ends) / 2
    return _SHARE_OF_PAIRS * together + (1 - _SHARE_OF_PAIRS) * apart


def agreement(scores: torch.Tensor) -> torch.Tensor:
    """Return how well each start goes with each end, (sequences, length, length), none of it for token 0."""
    width = (scores.shape[2] - 2) // 2
    of_starts, of_ends = scores[:, :, 2 : 2 + width], scores[:, :, 2 + width :]
    product = of_starts @ of_ends.transpose(1, 2)
    inside = torch.ones(product.shape[1:], dtype=torch.bool, device=scores.device)
    inside[0] = inside[:, 0] = False
    return product.masked_fill(~inside, 0.0)
