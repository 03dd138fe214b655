"""The contexts of reading-comprehension files as the articles of an archive, to ask their questions of it."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

from index.archive import Archive
from index.build import build_archive
from index.encoder import Encoder
from index.errors import InputError
from index.progress_bars import ProgressBars
from qa.question import checked_text
from qa.training.squad import Example, QuestionSet


def contexts_archive(questions: QuestionSet, work: Path, encoder: Encoder, distractors: Sequence[Path] = ()) -> Archive:
    """Build, in `work`, an archive of all contexts (record ids are theirs) and of the distractors' files; open it."""
    work.mkdir(parents=True, exist_ok=True)
    with (work / "contexts.jsonl").open("w", encoding="utf-8") as out:
        for context in questions.contexts.values():
            record = {"id": context.id, "title": context.title, "date": context.date, "text": context.text}
            known = {name: value for name, value in record.items() if value}
            out.write(json.dumps(known, ensure_ascii=False) + "\n")
    bars = ProgressBars()
    build_archive([work / "contexts.jsonl", *distractors], work / "index", encoder, bars)
    bars.close()
    return Archive.open(work / "index")


def is_askable(question: str) -> bool:
    """Say whether the bot takes a question."""
    try:
        checked_text(question)
    except InputError:
        return False
    return True


def sample(examples: Sequence[Example], count: int, seed: int) -> list[Example]:
    """Return so many of the examples, drawn at random, or all."""
    return random.Random(seed).sample(examples, min(count, len(examples)))  # noqa: S311 - no secret
