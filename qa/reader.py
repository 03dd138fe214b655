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
_KEPT = 6
# Most of the best ranges overlap the very best one: look at so many to find others.
_LOOKED_AT = 600
# The activations of so many tokens stay in a core's second-level cache, and two threads have a batch each.
_BATCH_TOKENS = 1024


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
        """Return the scores (windows, length, 2) of windows padded to a length; those of token 0 are the null score."""
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
        return sorted(
            (candidate for found in self.read_inputs(inputs) for candidate in found),
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
        batches = plan_batches([len(window.ids) for window in windows], budget=_BATCH_TOKENS, longest=self._window)
        futures = [
            (batch, self._pool.submit(self._model.score, [windows[place] for place in batch.places], batch.length))
            for batch in batches
        ]
        found: list[dict[tuple[int, int], float]] = [{} for _ in inputs]
        answerable = np.full(len(inputs), -np.inf, np.float32)
        for batch, future in futures:
            for place, scores in zip(batch.places, future.result(), strict=True):
                window = windows[place]
                ranges, mass = best_ranges(scores, window, kept)
                answerable[window.input] = max(answerable[window.input], mass)
                passage = inputs[window.input].passage
                for (start, end), score in ranges:
                    edges = tidy(passage, start, end)
                    if edges:
                        found[window.input][edges] = max(score, found[window.input].get(edges, -np.inf))
        return [
            [
                Candidate(place, start, end, round(score, 4), round(float(answerable[place]), 4))
                for (start, end), score in sorted(ranges.items(), key=lambda item: (-item[1], item[0]))[:kept]
            ]
            for place, ranges in enumerate(found)
        ]


def best_ranges(scores: Floats, window: Window, kept: int) -> tuple[list[tuple[tuple[int, int], float]], float]:
    """Return the best valid ranges of a window, and the log-odds of all ranges together, against its null score.

    Of ranges that overlap only the best is returned. A valid range starts and ends in the passage, in this order, and
    has at most `MAX_ANSWER_TOKENS` tokens.

    Args:
        scores: Start and end scores of its tokens, shape (at least as many as tokens, 2).
        window: The window.
        kept: How many ranges to return at most; they are places in the passage's text.
    """
    null = float(scores[0].sum())
    count = len(window.offsets)
    starts = scores[window.first : window.first + count, 0].astype(np.float64)
    ends = scores[window.first : window.first + count, 1].astype(np.float64)
    sums = starts[:, None] + ends[None, :]
    distance = np.arange(count)[None, :] - np.arange(count)[:, None]
    sums = np.where((distance >= 0) & (distance < MAX_ANSWER_TOKENS), sums, -np.inf)
    top = float(sums.max())
    mass = top + float(np.log(np.exp(sums - top).sum())) - null
    flattened = sums.ravel()
    wanted = min(_LOOKED_AT, len(flattened))
    likely = np.sort(np.argpartition(-flattened, wanted - 1)[:wanted])
    order = likely[np.argsort(-flattened[likely], kind="stable")]
    chosen: list[tuple[int, int]] = []
    for flat in order:
        first, last = divmod(int(flat), count)
        if np.isfinite(flattened[flat]) and all(last < low or first > high for low, high in chosen):
            chosen.append((first, last))
        if len(chosen) >= kept:
            break
    ranges = [
        ((window.offsets[first][0], window.offsets[last][1]), float(sums[first, last]) - null) for first, last in chosen
    ]
    return ranges, mass
