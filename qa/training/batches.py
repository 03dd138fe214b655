"""What the reader is trained on, in batches of sequences of like length, in an order that a seed fixes."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from index.encoder_batches import padded, plan_batches
from qa.particles import particle_pieces
from qa.reader_input import Window, make_windows
from qa.training.samples import Sample, SampleMaker
from qa.training.squad import Example

_POOL = 512
_STRIDE = 96


@dataclass(frozen=True)
class TrainingBatch:
    """Token ids (sequences, length); attention bias (sequences, 1, 1, length) or None; what may be an answer's start
    and end, additive (sequences, length); the places of both, 0 where there is no answer (sequences)."""

    ids: torch.Tensor
    bias: torch.Tensor | None
    allowed: torch.Tensor
    starts: torch.Tensor
    ends: torch.Tensor

    @property
    def tokens(self) -> int:
        """How many tokens there are, padding included."""
        return self.ids.numel()

    def to(self, device: torch.device) -> TrainingBatch:
        """Return the batch on a device."""
        bias = None if self.bias is None else self.bias.to(device)
        rest = (value.to(device) for value in (self.allowed, self.starts, self.ends))
        return TrainingBatch(self.ids.to(device), bias, *rest)


@dataclass(frozen=True)
class Place:
    """Where in the stream a batch stands: the epoch, the pool of questions in it, the batch in that."""

    epoch: int = 0
    pool: int = 0
    batch: int = 0


class BatchStream:
    """An endless stream of batches: every question once an epoch, its samples drawn anew each time."""

    def __init__(
        self, examples: Sequence[Example], maker: SampleMaker, tokenizer: Any, *, seed: int, budget: int, length: int
    ) -> None:
        """Take the questions; `budget` is the tokens of a batch, `length` those of the longest sequence."""
        self._examples = examples
        self._maker = maker
        self._tokenizer = tokenizer
        self._seed = seed
        self._budget = budget
        self._length = length
        self._particles = particle_pieces(tokenizer)

    def batches(self, start: Place) -> Iterator[tuple[Place, TrainingBatch]]:
        """Yield batches from a place on; the place that comes with one is where to go on after it."""
        epoch, first_pool, first_batch = start.epoch, start.pool, start.batch
        while True:
            order = list(range(len(self._examples)))
            random.Random(f"{self._seed}-{epoch}").shuffle(order)  # noqa: S311 - no secret
            pools = [order[i : i + _POOL] for i in range(0, len(order), _POOL)]
            for number in range(first_pool, len(pools)):
                yield from self._pool(epoch, number, pools[number], first_batch)
                first_batch = 0
            first_pool = 0
            epoch += 1

    def _pool(
        self, epoch: int, number: int, members: Sequence[int], first: int
    ) -> Iterator[tuple[Place, TrainingBatch]]:
        rng = random.Random(f"{self._seed}-{epoch}-{number}")  # noqa: S311 - no secret
        samples = [sample for member in members for sample in self._maker.make(self._examples[member], rng)]
        windows, answers = self._labelled(samples)
        plan = plan_batches([len(window.ids) for window in windows], budget=self._budget, longest=self._length)
        rng.shuffle(plan)
        padding = self._tokenizer.pad_token_id
        for count, batch in enumerate(plan[first:], first + 1):
            chosen = [windows[place] for place in batch.places]
            yield (
                Place(epoch, number, count),
                collate(chosen, [answers[place] for place in batch.places], batch.length, padding),
            )

    def _labelled(self, samples: Sequence[Sample]) -> tuple[list[Window], list[tuple[int, int]]]:
        """Return one window of each sample, the one with the answer where there is one, and the answers' places."""
        chosen: dict[int, tuple[Window, tuple[int, int]]] = {}
        inputs = [sample.input for sample in samples]
        windows = make_windows(self._tokenizer, inputs, length=self._length, stride=_STRIDE, particles=self._particles)
        for window in windows:
            answer = samples[window.input].answer
            place = window.place_of(answer) if answer else None
            if place or (answer is None and window.input not in chosen):
                chosen.setdefault(window.input, (window, place or (0, 0)))
        return [window for window, _ in chosen.values()], [answer for _, answer in chosen.values()]


def collate(windows: Sequence[Window], answers: Sequence[tuple[int, int]], length: int, padding: int) -> TrainingBatch:
    """Return a batch of windows padded to a length; an answer may start and end in the passage, or at token 0."""
    ids, mask = padded([window.ids for window in windows], length, padding)
    allowed = torch.full((len(windows), length), -1e4)
    allowed[:, 0] = 0.0
    for row, window in enumerate(windows):
        allowed[row, window.first : window.first + len(window.offsets)] = 0.0
    bias = None if bool(mask.all()) else torch.zeros(mask.shape).masked_fill_(~mask, -1e4)[:, None, None, :]
    starts, ends = (torch.tensor([answer[side] for answer in answers]) for side in (0, 1))
    return TrainingBatch(ids, bias, allowed, starts, ends)
