"""What a reader is given: question and passage in one sequence of tokens, cut into windows that overlap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from index.spans import Span

MAX_QUESTION_TOKENS = 96
_MAX_HEADLINE = 120


@dataclass(frozen=True)
class ReaderInput:
    """A question and a passage, with its article's headline and date (ISO) or empty strings for them.

    Headline and date stand before the passage in the sequence; no answer is taken from them.
    """

    question: str
    headline: str
    date: str
    passage: str

    @property
    def before(self) -> str:
        """What stands before the passage in its part of the sequence."""
        known = " ".join(part for part in (self.headline.strip()[:_MAX_HEADLINE], self.date) if part)
        return f"{known}\n" if known else ""


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


def make_windows(tokenizer: Any, inputs: Sequence[ReaderInput], *, length: int, stride: int) -> Iterator[Window]:
    """Yield the windows of each input, in order: as many as its passage needs.

    Args:
        tokenizer: A fast tokenizer of transformers.
        inputs: What is to be read.
        length: Tokens of a window at most, special tokens included.
        stride: Tokens of the passage that two neighbouring windows share.
    """
    if not inputs:
        return
    cut = {question: _cut(tokenizer, question) for question in {one.question for one in inputs}}
    questions = [cut[one.question] for one in inputs]
    heads = [one.before for one in inputs]
    encoded = tokenizer(
        questions,
        [head + one.passage for head, one in zip(heads, inputs, strict=True)],
        truncation="only_second",
        max_length=length,
        stride=stride,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        return_attention_mask=False,
    )
    for place, (encoding, owner) in enumerate(
        zip(encoded.encodings, encoded["overflow_to_sample_mapping"], strict=True)
    ):
        skipped = len(heads[owner])
        sequences, offsets = encoding.sequence_ids, encoding.offsets
        tokens = [
            i
            for i, which in enumerate(sequences)
            if which == 1 and offsets[i][1] > skipped and offsets[i][1] > offsets[i][0]
        ]
        if not tokens:
            continue
        yield Window(
            input=owner,
            ids=tuple(encoding.ids),
            types=tuple(encoded["token_type_ids"][place]) if "token_type_ids" in encoded else (),
            first=tokens[0],
            offsets=tuple(
                (max(offsets[i][0] - skipped, 0), offsets[i][1] - skipped) for i in range(tokens[0], tokens[-1] + 1)
            ),
        )


def _cut(tokenizer: Any, question: str) -> str:
    """Return the question, or the part of an overlong one that leaves the passage its place.

    Tokens are counted even of a short one: some single characters stand for whole phrases.
    """
    offsets = tokenizer(question, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    return question if len(offsets) <= MAX_QUESTION_TOKENS else question[: offsets[MAX_QUESTION_TOKENS - 1][1]]
