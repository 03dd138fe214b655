"""Reading-comprehension files in SQuAD format: what is asked of which context, and where the answer stands."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.errors import InputError


@dataclass(frozen=True)
class Example:
    """A question, the id of the context it is asked of, the place of its file, and the accepted answers.

    `starts` are the answers' places in the context, as many as `answers`; both are empty where the context does not
    answer.
    """

    id: str
    question: str
    context: str
    file: int
    answers: tuple[str, ...]
    starts: tuple[int, ...]


@dataclass(frozen=True)
class Context:
    """A text that questions are asked of; `title` and `date` are empty where the file gives none."""

    id: str
    text: str
    title: str = ""
    date: str = ""


@dataclass(frozen=True)
class QuestionSet:
    """The contexts of some files by id, and the questions in the files' order."""

    contexts: dict[str, Context]
    examples: list[Example]

    def answerable(self) -> list[Example]:
        """Return the questions that have an answer."""
        return [example for example in self.examples if example.answers]


def read_squad(paths: Iterable[Path]) -> QuestionSet:
    """Return the contexts and the questions of SQuAD-format files (1.1 or 2.0, gzip or not).

    A paragraph may bear a `date` beside its `context`. An answer that does not stand at its `answer_start` is looked
    for nearby, and dropped where it is not found; a question left without any of its answers is dropped with it.

    Raises:
        InputError: one is no such file.
    """
    contexts: dict[str, Context] = {}
    examples: list[Example] = []
    for file, path in enumerate(paths):
        for place, entry in enumerate(_entries(path)):
            try:
                for number, paragraph in enumerate(entry["paragraphs"]):
                    context = Context(
                        id=f"{file}-{path.name}-{place}-{number}",
                        text=paragraph["context"],
                        title=str(entry.get("title") or ""),
                        date=str(paragraph.get("date") or ""),
                    )
                    contexts[context.id] = context
                    for count, asked in enumerate(paragraph["qas"]):
                        examples += _example(asked, context, file, f"{context.id}-{count}")
            except (KeyError, TypeError, AttributeError) as error:  # noqa: PERF203 - the message names the file
                raise _not_squad(path, error) from error
    return QuestionSet(contexts, examples)


def _entries(path: Path) -> list[Any]:
    try:
        content = path.read_bytes()
        entries = json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)["data"]
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
        raise _not_squad(path, error) from error
    if not isinstance(entries, list):
        raise _not_squad(path, TypeError("data is no list"))
    return entries


def _example(asked: Any, context: Context, file: int, name: str) -> list[Example]:
    given = [] if asked.get("is_impossible") else asked.get("answers", [])
    found = [(answer["text"], _place(context.text, answer["text"], answer["answer_start"])) for answer in given]
    kept = [(text, start) for text, start in found if text and start >= 0]
    if given and not kept:
        return []
    return [
        Example(
            id=name,
            question=asked["question"],
            context=context.id,
            file=file,
            answers=tuple(text for text, _ in kept),
            starts=tuple(start for _, start in kept),
        )
    ]


def _place(text: str, answer: str, start: int) -> int:
    if text[start : start + len(answer)] == answer:
        return start
    near = len(answer) + 8
    return text.find(answer, max(0, start - near), start + 2 * near)


def _not_squad(path: Path, error: Exception) -> InputError:
    return InputError(f"{path} is not a SQuAD-format file ({error!r}). Expected data → paragraphs → context and qas.")
