"""Evaluation sets: questions with accepted answers and the documents that hold them, from JSON or JSONL files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError

from index.errors import InputError
from qa.question import checked_text


@dataclass(frozen=True)
class EvaluationQuestion:
    """One question; no `answers` means that the archive does not answer. `turn` counts from 0 within a conversation.

    `documents` are the names of the sources that answer: whole names, file names, or ids of records.
    """

    id: str
    text: str
    answers: tuple[str, ...]
    documents: tuple[str, ...]
    kind: str
    conversation: str | None = None
    turn: int = 0


class _Turn(BaseModel):
    question: str
    answers: tuple[str, ...] = ()


class _Item(_Turn):
    """One entry of a file, in any of the three forms."""

    id: str | int = ""
    question: str = ""
    type: str = "question"
    doc: str | None = None
    turns: tuple[_Turn, ...] = ()
    doc_id: str | None = None
    near_dup_docs: tuple[str, ...] = ()
    alt_docs: tuple[str, ...] = ()
    quality: str | None = None


def load_questions(path: Path) -> list[EvaluationQuestion]:
    """Read an evaluation set.

    A `.json` file holds a list of questions (`question`, `answers`, `doc`; optional `id` and `type`) or of
    conversations (`id`, `doc`, `turns`); a `.jsonl` file one question a line (`doc_id` with `near_dup_docs` and
    `alt_docs`; the kind is `quality X`).

    Raises:
        InputError: the file is missing or is not such a file.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        lines = [line for line in text.split("\n") if line.strip()]
        entries = [json.loads(line) for line in lines] if path.suffix == ".jsonl" else json.loads(text)
    except OSError as error:
        raise InputError(f"The evaluation file {path} cannot be read ({error.strerror}).") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"The evaluation file {path} is not JSON in UTF-8 ({error}).") from error
    if not isinstance(entries, list):
        raise InputError(f"The evaluation file {path} holds {type(entries).__name__}, expected a list of questions.")
    questions: list[EvaluationQuestion] = []
    for number, entry in enumerate(entries, start=1):
        try:
            questions += _questions_of(_Item.model_validate(entry), number)
        except ValidationError as error:  # noqa: PERF203 - the message says which entry
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "the entry"
            raise InputError(
                f"Entry {number} of {path} is no question ({place}: {first['msg']}). Expected fields: question, "
                "answers (a list), doc, or turns of a conversation, or doc_id in a .jsonl file."
            ) from error
    for question in questions:
        try:
            checked_text(question.text)
        except InputError as error:  # noqa: PERF203 - the message says which entry
            fields = "Expected fields: question, answers, doc or doc_id."
            raise InputError(f"Entry {question.id} of {path} cannot be asked. {error} {fields}") from error
    return questions


def _questions_of(item: _Item, number: int) -> Iterator[EvaluationQuestion]:
    name = str(item.id) or str(number)
    documents = tuple(name for name in (item.doc, item.doc_id, *item.near_dup_docs, *item.alt_docs) if name)
    if not item.turns:
        kind = f"quality {item.quality}" if item.quality else item.type
        yield EvaluationQuestion(name, item.question, item.answers, documents, kind)
    for turn, asked in enumerate(item.turns):
        yield EvaluationQuestion(
            id=f"{name}.{turn + 1}",
            text=asked.question,
            answers=asked.answers,
            documents=documents,
            kind="first turn" if turn == 0 else "follow-up",
            conversation=name,
            turn=turn,
        )
