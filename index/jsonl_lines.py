"""JSON Lines: one JSON object on each line, read one at a time."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

from index.reading import Limits, UnreadableError

_ESCAPED_CHARS = 8  # JSON may need six characters for one; the rest is room for the other fields

NumberedRecord = tuple[int, "Mapping[str, Any] | UnreadableError"]


def jsonl_lines(text: io.TextIOBase, limits: Limits) -> Iterator[NumberedRecord]:
    """Yield each line that is not blank: its number from 1, and its object or the reason why it is none."""
    limit = limits.record_chars * _ESCAPED_CHARS
    number = 0
    while line := text.readline(limit):
        number += 1
        if len(line) == limit and not line.endswith("\n"):
            while (rest := text.readline(limit)) and not rest.endswith("\n"):
                pass
            yield number, UnreadableError(f"the line is longer than {limit:,} characters", "split its text")
        elif line.strip():
            yield number, _parse(line)


def _parse(line: str) -> Mapping[str, Any] | UnreadableError:
    remedy = "write one complete JSON object on each line"
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        return UnreadableError(f"the line is not JSON: {error.msg} at column {error.colno}", remedy)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, or endless nesting
        return UnreadableError(f"the line cannot be read as JSON: {error}", remedy)
    if not isinstance(record, dict):
        return UnreadableError(f"the line holds a JSON {type(record).__name__}, not an object", remedy)
    return record
