"""Reading: the words of retrieved passages that may answer. The seam, and the trained span reader behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from index.archive import PassageRow
from index.encoder_batches import plan_batches
from qa.answer_edges import tidy
from qa.particles import Piece
from qa.question import Question
from qa.reader_input import ReaderInput, Window, make_windows

Floats = npt.NDArray[np.float32]

# The reader learned on passages of 60 to 330 tokens: windows of 256 gave 1.6 points of F1 more than windows of 384 on
# long Japanese contexts that it had not been trained on.
WINDOW = 256
STRIDE = 96
MAX_ANSWER_TOKENS = 80
_KEPT = 4
# Ranges that score so much less than the best of all passages never come first, and cost time to compare.
_PRUNED = 12.0
# Besides the best range at a place, the next best ones that share words with it: what is asked for may decide.
_VERSIONS = 3
_VERSIONS_MARGIN = 4.0
# Most of the best ranges overlap the very best one: look at so many to find others.
_LOOKED_AT = 600

# Ranges of the passage's text with their scores, and the log-odds of all ranges together.
_Ranges = tuple[list[tuple[tuple[int, int], float]], float]


@dataclass(frozen=True)
class ReadPassage:
    """A passage to be read, with its article's headline and date, and the score that retrieval gave it."""

    passage: PassageRow
    headline: str
    score: float
    date: str | None = None


@dataclass(frozen=True)
class Candidate:
    """Words that may answer: the range `start..end` of the text of the passage of the given place in what was read.

    `score` tells candidates apart, also of different passages. `answerable` are the log-odds that the passage answers
    at all, by the null score; 0 from a reader that has none.
    """

    passage: int
    start: int
    end: int
    score: float
    answerable: float = 0.0


class Reader(Protocol):
    """Finds the texts in passages that may answer a question."""

    def read(self, question: Question, vector: Floats, passages: Sequence[ReadPassage]) -> list[Candidate]:
        """Return candidates, best first. `vector` is the question's embedding, shape (dimension,)."""
        ...


class ScoringModel(Protocol):
    """A network that scores every token of windows as an answer's start and end."""

    def score(self, windows: Sequence[Window], length: int) -> Floats:
        """Return the outputs (windows, length, 2 or more) for windows padded to a length.

        The first two are scores as start and as end, those of token 0 the null score. Half of the others are a token's
        as a start, half its as an end; their product is added to the score of a range.
        """
        ...


class SpanReader:
    """Reads question and passage in one sequence and scores every range of words against "no answer here".

    Several windows are read side by side. Safe to use from several threads.
    """

    def __init__(
        self,
        model: ScoringModel,
        tokenizer: Any,
        pool: Executor,
        *,
        window: int = WINDOW,
        particles: Mapping[int, Sequence[Piece]] | None = None,
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._pool = pool
        self._window = window
        self._particles = particles

    def read(self, question: Question, vector: Floats, passages: Sequence[ReadPassage]) -> list[Candidate]:
        """Return the best ranges of each passage, those of all passages together best first."""
        inputs = [ReaderInput(question.text, read.headline, read.date or "", read.passage.text) for read in passages]
        found = [candidate for candidates in self.read_inputs(inputs) for candidate in candidates]
        least = max((candidate.score for candidate in found), default=0.0) - _PRUNED
        return sorted(
            (candidate for candidate in found if candidate.score >= least),
            key=lambda candidate: (-candidate.score, candidate.passage, candidate.start, candidate.end),
        )

    def read_inputs(self, inputs: Sequence[ReaderInput], *, kept: int = _KEPT) -> list[list[Candidate]]:
        """Return the best ranges of each input, best first; none where the passage has no words.

        `score` is the log-odds of the range against the null position of its window, `answerable` that of all ranges
        of the passage's best window together.
        """
        windows = list(
            make_windows(self._tokenizer, inputs, length=self._window, stride=STRIDE, particles=self._particles)
        )
        # No more than a full window to a batch: cores share six passages evenly only if each goes by itself, and none
        # is padded to a longer one's length (measured on two cores with windows of 256 tokens: 166 ms a question; 175
        # with batches of 512 tokens, 195 with 1,024).
        batches = plan_batches([len(window.ids) for window in windows], budget=self._window, longest=self._window)
        futures = [
            self._pool.submit(self._best_ranges, [windows[place] for place in batch.places], batch.length, kept)
            for batch in batches
        ]
        found: list[dict[tuple[int, int], float]] = [{} for _ in inputs]
        answerable = np.full(len(inputs), -np.inf, np.float32)
        for batch, future in zip(batches, futures, strict=True):
            for place, (ranges, mass) in zip(batch.places, future.result(), strict=True):
                window = windows[place]
                answerable[window.input] = max(answerable[window.input], mass)
                passage = inputs[window.input].passage
                for (start, end), score in ranges:
                    edges = tidy(passage, start, end)
                    if edges:
                        found[window.input][edges] = max(score, found[window.input].get(edges, -np.inf))
        return [
            [
                Candidate(place, start, end, round(score, 4), round(float(answerable[place]), 4))
                for (start, end), score in sorted(ranges.items(), key=lambda item: (-item[1], item[0]))[
                    : kept * _VERSIONS
                ]
            ]
            for place, ranges in enumerate(found)
        ]

    def _best_ranges(self, windows: Sequence[Window], length: int, kept: int) -> list[_Ranges]:
        scores = self._model.score(windows, length)
        return [best_ranges(one, window, kept) for one, window in zip(scores, windows, strict=True)]


def best_ranges(scores: Floats, window: Window, kept: int) -> _Ranges:
    """Return the best valid ranges of a window, and the log-odds of all ranges together, against its null score.

    Of ranges that overlap only the best is returned, with up to `_VERSIONS` - 1 that score nearly as much. A valid one
    starts and ends in the passage, in this order, and has at most `MAX_ANSWER_TOKENS` tokens.

    Args:
        scores: The outputs for its tokens, shape (at least as many as tokens, 2 or more), see `ScoringModel`.
        window: The window.
        kept: How many ranges that do not overlap to return at most; they are places in the passage's text.
    """
    null = float(scores[0, :2].sum())
    count = len(window.offsets)
    of_passage = scores[window.first : window.first + count].astype(np.float64)
    sums = of_passage[:, :1] + of_passage[None, :, 1] + _pair_scores(of_passage[:, 2:])
    distance = np.arange(count)[None, :] - np.arange(count)[:, None]
    sums = np.where((distance >= 0) & (distance < MAX_ANSWER_TOKENS), sums, -np.inf)
    top = float(sums.max())
    mass = top + float(np.log(np.exp(sums - top).sum())) - null
    flattened = sums.ravel()
    wanted = min(_LOOKED_AT, len(flattened))
    likely = np.sort(np.argpartition(-flattened, wanted - 1)[:wanted])
    likely = likely[np.argsort(-flattened[likely], kind="stable")]
    first, last = np.divmod(likely, count)
    values = flattened[likely]
    left = np.isfinite(values)
    chosen: list[int] = []
    for _ in range(kept):
        if not left.any():
            break
        best = int(left.argmax())
        here = left & (first <= last[best]) & (last >= first[best])
        chosen += np.flatnonzero(here & (values >= values[best] - _VERSIONS_MARGIN))[:_VERSIONS].tolist()
        left &= ~here
    ranges = [
        ((window.offsets[first[one]][0], window.offsets[last[one]][1]), float(values[one]) - null)
        for one in sorted(chosen, key=lambda one: -values[one])
    ]
    return ranges, mass


def _pair_scores(pairs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return for every start and end how they go together, shape (tokens, tokens).

    By torch, which keeps to the one thread of the pool. The threads of NumPy's products go on waiting for the next one
    when they are done, and take a core from the windows that are scored meanwhile: a third of the time of an answer.
    """
    import torch

    starts, ends = torch.from_numpy(pairs).chunk(2, dim=1)
    products: npt.NDArray[np.float64] = (starts @ ends.T).numpy()
    return products
