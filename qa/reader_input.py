"""What a reader is given: question and passage in one sequence of tokens, cut into windows that overlap."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from index.encoder_batches import untruncated
from index.spans import Span
from qa.particles import Piece, split_particles

MAX_QUESTION_TOKENS = 96
_MAX_HEADLINE = 120


@dataclass(frozen=True)
class ReaderInput:
    """A question and a passage, with its article's headline and date (ISO) or empty strings for them.

    Headline and date stand before the passage in every window of it; no answer is taken from them.
    """

    question: str
    headline: str
    date: str
    passage: str

    @property
    def before(self) -> str:
        """What stands before the passage in its part of the sequence."""
        return " ".join(part for part in (self.headline.strip()[:_MAX_HEADLINE], self.date) if part)


@dataclass(frozen=True)
class Window:
    """A sequence of tokens: `<s> question </s></s> headline date passage </s>`, the passage perhaps in part.

    `ids` are the tokens; `types` the segment of each, empty for a model that knows none; `first` is the place of the
    first token of the passage, and `offsets` hold the range in the passage of each token from there on. `input` is the
    place of the input that this is a window of.
    """

    input: int
    ids: tuple[int, ...]
    types: tuple[int, ...]
    first: int
    offsets: tuple[Span, ...]

    def place_of(self, answer: Span) -> Span | None:
        """Return the places (both inclusive) of the first and last token of a range of the passage, if it is inside."""
        if not self.offsets or answer[0] < self.offsets[0][0] or answer[1] > self.offsets[-1][1]:
            return None
        inside = [i for i, (start, end) in enumerate(self.offsets) if start < answer[1] and end > answer[0]]
        return (self.first + inside[0], self.first + inside[-1]) if inside else None


def make_windows(
    tokenizer: Any,
    inputs: Sequence[ReaderInput],
    *,
    length: int,
    stride: int,
    particles: Mapping[int, Sequence[Piece]] | None = None,
) -> Iterator[Window]:
    """Yield the windows of each input, in order: as many as its passage needs.

    Args:
        tokenizer: A fast tokenizer of transformers. Safe to use from several threads.
        inputs: What is to be read.
        length: Tokens of a window at most, special tokens included.
        stride: Tokens of the passage that two neighbouring windows share.
        particles: Tokens to be taken apart, of `particle_pieces`.
    """
    if not inputs:
        return
    backend = untruncated(tokenizer)
    apart = particles or {}
    questions = {text: _cut(backend, text) for text in {one.question for one in inputs}}
    heads = {
        text: _ids(backend.encode(text, add_special_tokens=False), apart) for text in {one.before for one in inputs}
    }
    # Without the line break, the first token of a text that begins with a control character is put one too early.
    passages = backend.encode_batch(["\n" + one.passage for one in inputs], add_special_tokens=False)
    typed = "token_type_ids" in tokenizer.model_input_names
    for place, (one, encoded) in enumerate(zip(inputs, passages, strict=True)):
        places = [(max(start - 1, 0), max(end - 1, 0)) for start, end in encoded.offsets]
        ids, offsets = split_particles(encoded.ids, places, apart)
        if not any(end > start for start, end in offsets):
            continue
        front, back = _frame(backend, questions[one.question], encoded, apart)
        head = heads[one.before][: length // 4]
        room = max(1, length - len(front) - len(head) - len(back))
        step = max(1, room - min(stride, room // 2))
        for start in range(0, max(1, len(ids) - (room - step)), step):
            end = min(start + room, len(ids))
            sequence = (*front, *head, *ids[start:end], *back)
            yield Window(
                input=place,
                ids=sequence,
                types=(0,) * len(front) + (1,) * (len(sequence) - len(front)) if typed else (),
                first=len(front) + len(head),
                offsets=tuple(offsets[start:end]),
            )


def _frame(
    backend: Any, question: Any, passage: Any, particles: Mapping[int, Sequence[Piece]]
) -> tuple[list[int], list[int]]:
    """Return the tokens before and after the passage's: special ones as the model wants them, and the question's."""
    whole = backend.post_process(question, passage)
    of = whole.sequence_ids
    first = of.index(1)
    last = len(of) - 1 - of[::-1].index(1)
    low = [*whole.special_tokens_mask[:first], 0].index(0)
    high = low + len(question.ids)
    return [*whole.ids[:low], *_ids(question, particles), *whole.ids[high:first]], list(whole.ids[last + 1 :])


def _ids(encoded: Any, particles: Mapping[int, Sequence[Piece]]) -> list[int]:
    return split_particles(encoded.ids, encoded.offsets, particles)[0]


def _cut(backend: Any, question: str) -> Any:
    """Return the tokens of a question, those of an overlong one only as far as they leave the passage its place."""
    encoded = backend.encode(question, add_special_tokens=False)
    encoded.truncate(MAX_QUESTION_TOKENS)
    return encoded
