"""Evaluation sets: questions with accepted answers and the documents that hold them, from JSON or JSONL files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.errors import InputError


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


def load_questions(path: Path) -> list[EvaluationQuestion]:
    """Read an evaluation set.

    A `.json` file holds a list of questions (`id`, `doc`, `question`, `answers`, `type`) or of conversations (`id`,
    `doc`, `turns`); a `.jsonl` file one question a line (`doc_id` with `near_dup_docs` and `alt_docs`; the kind is
    `quality X`).

    Raises:
        InputError: the file is missing or is not such a file.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix == ".jsonl":
            return [_from_record(json.loads(line)) for line in text.splitlines() if line.strip()]
        return list(_from_list(json.loads(text)))
    except OSError as error:
        raise InputError(f"The evaluation file {path} cannot be read ({error.strerror}).") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"The evaluation file {path} is not JSON in UTF-8 ({error}).") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"The evaluation file {path} is not a list of questions (missing or wrong: {error}). Expected fields: "
            "question, answers, doc, type, or turns of a conversation, or doc_id in a .jsonl file."
        ) from error


def _from_list(items: Iterable[dict[str, Any]]) -> Iterator[EvaluationQuestion]:
    for item in items:
        documents = (item["doc"],) if item.get("doc") else ()
        if "turns" not in item:
            yield EvaluationQuestion(item["id"], item["question"], tuple(item["answers"]), documents, item["type"])
            continue
        for turn, asked in enumerate(item["turns"]):
            yield EvaluationQuestion(
                id=f"{item['id']}.{turn + 1}",
                text=asked["question"],
                answers=tuple(asked["answers"]),
                documents=documents,
                kind="first turn" if turn == 0 else "follow-up",
                conversation=item["id"],
                turn=turn,
            )


def _from_record(item: dict[str, Any]) -> EvaluationQuestion:
    return EvaluationQuestion(
        id=item["id"],
        text=item["question"],
        answers=tuple(item["answers"]),
        documents=(item["doc_id"], *item.get("near_dup_docs", ()), *item.get("alt_docs", ())),
        kind=f"quality {item.get('quality', '?')}",
    )
