"""AdamW over one flat vector that several processes share, each updating its part of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

_FIRST, _SECOND, _EPSILON = 0.9, 0.98, 1e-6


@dataclass(frozen=True)
class Segment:
    """Where a parameter lies in the flat vector, its share of the learning rate, and its weight decay."""

    name: str
    start: int
    end: int
    rate: float
    decay: float


def lay_out(parameters: Mapping[str, torch.Tensor], *, layers: int, layer_decay: float) -> list[Segment]:
    """Return the segments of parameters laid one after the other.

    The deeper a layer, the lower its learning rate: `layer_decay` to the power of the layers above it. Biases and
    layer norms have no weight decay.
    """
    segments = []
    start = 0
    for name, value in parameters.items():
        parts = name.split(".")
        depth = int(parts[parts.index("layer") + 1]) if "layer" in parts else layers
        end = start + value.numel()
        plain = value.ndim < 2
        segments.append(Segment(name, start, end, layer_decay ** (layers - depth), 0.0 if plain else 0.01))
        start = end
    return segments


@dataclass
class SharedState:
    """What training changes: the parameters, Adam's moments, the running average, one gradient a process.

    All but `gradients` (processes, size) have shape (size,). In shared memory, so that every process sees the others'
    updates without sending them.
    """

    parameters: torch.Tensor
    first: torch.Tensor
    second: torch.Tensor
    average: torch.Tensor
    gradients: torch.Tensor
    norms: torch.Tensor

    @classmethod
    def of_size(cls, size: int, processes: int) -> SharedState:
        """Return a state of zeros, in shared memory."""

        def shared(*shape: int) -> torch.Tensor:
            zeros = torch.zeros(shape)
            zeros.share_memory_()  # type: ignore[no-untyped-call]
            return zeros

        return cls(
            parameters=shared(size),
            first=shared(size),
            second=shared(size),
            average=shared(size),
            gradients=shared(processes, size),
            norms=shared(processes),
        )

    def saved(self) -> dict[str, torch.Tensor]:
        """Return the tensors that a checkpoint needs, by name."""
        return {"parameters": self.parameters, "first": self.first, "second": self.second, "average": self.average}

    def restore(self, saved: Mapping[str, torch.Tensor]) -> None:
        """Take the tensors of a checkpoint."""
        for name, tensor in self.saved().items():
            tensor.copy_(saved[name])


class ShardedAdamW:
    """Updates one process's part of a `SharedState`.

    Loshchilov and Hutter 2019, with beta 0.9 and 0.98; the running average follows Polyak and Juditsky 1992.
    """

    def __init__(self, state: SharedState, segments: list[Segment], rank: int, *, averaging: float) -> None:
        size, processes = state.parameters.numel(), state.gradients.shape[0]
        self._state = state
        self._low, self._high = size * rank // processes, size * (rank + 1) // processes
        self._rank = rank
        self._averaging = averaging
        self._segments = [segment for segment in segments if segment.end > self._low and segment.start < self._high]

    def sum_gradients(self) -> None:
        """Add up this part's gradients of all processes, and note their squared norm for the others."""
        part = self._state.gradients[:, self._low : self._high]
        total = part[0]
        for other in part[1:]:
            total.add_(other)
        self._state.norms[self._rank] = float(total.dot(total))

    def update(self, step: int, learning_rate: float, clip: float) -> float:
        """Update this part; `step` counts from 1. Returns the norm of the whole gradient, before it is clipped."""
        state = self._state
        norm = float(state.norms.sum().sqrt())
        scale = min(1.0, clip / (norm + 1e-9))
        correction = (1 - _SECOND**step) ** 0.5 / (1 - _FIRST**step)
        for segment in self._segments:
            low, high = max(segment.start, self._low), min(segment.end, self._high)
            gradient = state.gradients[0, low:high].mul_(scale)
            first, second = state.first[low:high], state.second[low:high]
            parameters, average = state.parameters[low:high], state.average[low:high]
            first.lerp_(gradient, 1 - _FIRST)
            second.mul_(_SECOND).addcmul_(gradient, gradient, value=1 - _SECOND)
            rate = learning_rate * segment.rate
            if segment.decay:
                parameters.mul_(1 - rate * segment.decay)
            parameters.addcdiv_(first, second.sqrt().add_(_EPSILON), value=-rate * correction)
            # Early on, the average follows closely: it must not remember the values that training started from.
            average.lerp_(parameters, max(1 - self._averaging, 1 / (step + 1)))
        return norm
