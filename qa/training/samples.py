"""From a question of a reading-comprehension set to what the reader is trained on: a passage as an archive has it.

Contexts are cut to lengths like those of an archive's passages, bear a headline and sometimes a date, are now and then
Traditional made Simplified or the other way round, and are broken as newspaper columns break text. To questions with
an answer come near ones without: the answering sentence left out, another text that BM25 takes for likely, another year
asked.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from index.folding import fold_text
from index.sentences import split_sentences
from index.spans import Span
from qa.reader_input import ReaderInput
from qa.training.negatives import pairs_shared
from qa.training.squad import Context, Example, QuestionSet
from qa.training.swaps import Asked, Swapper

_YEAR = re.compile(r"(?<!\d)(1[89]|20)(\d\d)(?!\d)")
_SPACED = re.compile(r"[A-Za-z가-힣] ?")
_KANA = re.compile("[\u3041-\u30f6]")
_CHARACTERS_PER_TOKEN = 1.6
_SPACED_CHARACTERS_PER_TOKEN = 4.0


@dataclass(frozen=True)
class Sample:
    """One sequence to train on, and the answer's range in its passage; None where the passage does not answer."""

    input: ReaderInput
    answer: Span | None


@dataclass(frozen=True)
class SampleOptions:
    """How samples are made: probabilities, and the range of passage lengths in tokens.

    `whole` is the share of contexts left as long as the reader's window, `negatives` the share of answerable questions
    asked of a passage that does not answer, besides being asked of the one that does. `swaps` is the share of them that
    are asked once more with a word exchanged so that the passage no longer answers, and the share of those that it does
    answer in which a word is exchanged from which nothing follows.
    """

    whole: float = 0.2
    shortest: int = 60
    longest: int = 230
    window: int = 330
    negatives: float = 0.5
    swaps: float = 0.0
    headline: float = 0.6
    date: float = 0.25
    simplified: float = 0.4
    traditional: float = 0.25
    columns: float = 0.12


class SampleMaker:
    """Makes the samples of one question, all choices drawn from a random generator that the caller seeds."""

    def __init__(self, questions: QuestionSet, mined: dict[str, list[str]], options: SampleOptions) -> None:
        self._questions = questions
        self._mined = mined
        self._options = options
        self._swapper = Swapper(questions.contexts.values()) if options.swaps else None

    def make(self, example: Example, rng: random.Random) -> Iterator[Sample]:
        """Yield the samples of a question: one with its answer if it has one, and perhaps one without."""
        context = self._questions.contexts[example.context]
        if not example.answers:
            yield self._finish(example.question, context, self._near(example.question, context.text, rng), None, rng)
            return
        start = example.starts[0]
        passage, answer = self._around(context.text, (start, start + len(example.answers[0])), rng)
        asked = Asked(example.question, context.title, passage, answer)
        fitting = asked
        if self._swapper and rng.random() < self._options.swaps:
            fitting = self._swapper.still_answerable(asked, context, rng)
        yield self._finish(
            fitting.question, replace(context, title=fitting.title), fitting.passage, fitting.answer, rng
        )
        if self._swapper and rng.random() < self._options.swaps:
            swapped = self._swapper.unanswerable(asked, context, rng)
            if swapped:
                question, title, passage = swapped
                yield self._finish(question, replace(context, title=title), passage, None, rng)
        if rng.random() < self._options.negatives:
            negative = self._negative(example, context, rng)
            if negative:
                yield negative

    def _negative(self, example: Example, context: Context, rng: random.Random) -> Sample | None:
        draw = rng.random()
        moved = another_year(example.question, context.text, rng)
        if moved and draw < 0.5:
            passage, _ = self._around(
                context.text, (example.starts[0], example.starts[0] + len(example.answers[0])), rng
            )
            return self._finish(moved, context, passage, None, rng)
        near = self._mined.get(example.id, [])
        if draw < 0.55 or not near:
            left = without_answer(context.text, example.answers)
            if left:
                return self._finish(example.question, context, self._near(example.question, left, rng), None, rng)
        if near:
            other = self._questions.contexts[rng.choice(near)]
            return self._finish(example.question, other, self._near(example.question, other.text, rng), None, rng)
        return None

    def _budget(self, text: str, rng: random.Random) -> int:
        """Draw the length of a passage, in characters."""
        options = self._options
        tokens = options.window
        if rng.random() >= options.whole:
            tokens = rng.randint(options.shortest, options.longest)
        spaced = len(_SPACED.findall(text[:200])) > 60
        return int(tokens * (_SPACED_CHARACTERS_PER_TOKEN if spaced else _CHARACTERS_PER_TOKEN))

    def _around(self, text: str, answer: Span, rng: random.Random) -> tuple[str, Span]:
        """Return whole sentences around the answer, about as long as drawn, and the answer's range among them."""
        sentences = list(split_sentences(text))
        first = max((i for i, (start, _) in enumerate(sentences) if start <= answer[0]), default=0)
        last = min((i for i, (_, end) in enumerate(sentences) if end >= answer[1]), default=len(sentences) - 1)
        start, end = _grow(sentences, first, max(first, last), self._budget(text, rng), rng)
        start, end = min(start, answer[0]), max(end, answer[1])
        return text[start:end], (answer[0] - start, answer[1] - start)

    def _near(self, question: str, text: str, rng: random.Random) -> str:
        """Return whole sentences around the one that shares most with the question."""
        sentences = list(split_sentences(text))
        if not sentences:
            return text
        best = max(range(len(sentences)), key=lambda i: pairs_shared(question, text[slice(*sentences[i])]))
        start, end = _grow(sentences, best, best, self._budget(text, rng), rng)
        return text[start:end]

    def _finish(self, question: str, context: Context, passage: str, answer: Span | None, rng: random.Random) -> Sample:
        options = self._options
        title = context.title.replace("_", " ") if rng.random() < options.headline else ""
        date = context.date
        if not date and rng.random() < options.date:
            date = f"{rng.randint(1995, 2024)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
        draw = rng.random()
        if draw < options.simplified:
            question = fold_text(question, casefold=False)
            if draw < options.simplified * 0.8 and _keeps_places(
                passage, simplified := fold_text(passage, casefold=False)
            ):
                passage, title = simplified, fold_text(title, casefold=False)
        elif draw < options.simplified + options.traditional and _keeps_places(
            passage, changed := in_traditional(passage)
        ):
            passage, title, question = changed, in_traditional(title), in_traditional(question)
        if rng.random() < options.columns:
            passage, answer = broken_in_columns(passage, answer, rng)
        return Sample(ReaderInput(question, title, date, passage), answer)


def _keeps_places(text: str, changed: str) -> bool:
    """Say whether each character of a changed text stands for the one in the same place."""
    return len(text) == len(changed) and all(
        fold_text(one) == fold_text(other) for one, other in zip(text, changed, strict=True) if one != other
    )


def in_traditional(text: str) -> str:
    """Return Chinese text in Traditional characters, Japanese text as it is."""
    return text if _KANA.search(text) else _traditional().convert(text)


@lru_cache(maxsize=1)
def _traditional() -> Any:
    import opencc

    return opencc.OpenCC("s2t")


def without_answer(text: str, answers: tuple[str, ...]) -> str:
    """Return the text without the sentences that hold an answer; empty where that cannot be done."""
    kept = [text[start:end] for start, end in split_sentences(text)]
    kept = [sentence for sentence in kept if not any(answer in sentence for answer in answers)]
    left = "".join(kept)
    return "" if any(answer in left for answer in answers) or len(kept) == len(list(split_sentences(text))) else left


def another_year(question: str, text: str, rng: random.Random) -> str | None:
    """Return the question about a year that the text does not name; None where it asks about no year."""
    years = _YEAR.findall(question)
    if len(years) != 1 or "".join(years[0]) not in text:
        return None
    year = int("".join(years[0]))
    for _ in range(8):
        other = str(year + rng.choice((-1, 1)) * rng.randint(1, 9))
        if other not in text:
            return _YEAR.sub(other, question)
    return None


def broken_in_columns(text: str, answer: Span | None, rng: random.Random) -> tuple[str, Span | None]:
    """Return the text with a line break every so many characters, as columns break it, and the answer's new range."""
    width = rng.randint(12, 34)
    first = rng.randint(1, width)

    def place(offset: int) -> int:
        return offset + (0 if offset < first else (offset - first) // width + 1)

    pieces = [text[:first], *(text[i : i + width] for i in range(first, len(text), width))]
    broken = "\n".join(pieces)
    return broken, None if answer is None else (place(answer[0]), place(answer[1] - 1) + 1)


def _grow(sentences: list[Span], first: int, last: int, budget: int, rng: random.Random) -> Span:
    if not sentences:
        return 0, 0
    while sentences[last][1] - sentences[first][0] < budget and (first > 0 or last < len(sentences) - 1):
        if last == len(sentences) - 1 or (first > 0 and rng.random() < 0.5):
            first -= 1
        else:
            last += 1
    return sentences[first][0], sentences[last][1]
