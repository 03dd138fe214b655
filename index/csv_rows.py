"""CSV with a header of named columns: the delimiter found by which one makes the header understood."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from index.reading import Limits, UnreadableError
from index.record_fields import EXPECTED_COLUMNS, count_known, has_text_column

_DELIMITERS = ",;\t|"
_SHOWN_COLUMNS = 20

NumberedRecord = tuple[int, "Mapping[str, Any] | UnreadableError"]


def csv_rows(text: io.TextIOBase, limits: Limits) -> Iterator[NumberedRecord]:
    """Yield each row after the header that is not blank: its number from 1, and its cells by column name.

    Raises:
        UnreadableError: no column holds text, or the quoting is broken.
    """
    # The limit is one for the whole process, so it is only ever raised.
    csv.field_size_limit(max(csv.field_size_limit(), limits.record_chars))
    lines = _lines(text, limits.record_chars)
    first = _first_line(lines)
    delimiter = _delimiter(first)
    rows = csv.reader(itertools.chain([first], lines), delimiter=delimiter)
    number = 0
    try:
        header = next(rows)
        if not has_text_column(header):
            raise _no_text_column(header)
        for number, row in enumerate(rows, 1):
            if any(cell.strip() for cell in row):
                yield number, _record(header, row, delimiter)
    except csv.Error as error:
        raise UnreadableError(
            f"its quoting is broken after row {number:,}: {error}; the rest was not read",
            'close every quotation mark, and write a quotation mark inside a cell as ""',
        ) from error


def _lines(text: io.TextIOBase, limit: int) -> Iterator[str]:
    while line := text.readline(limit):
        if len(line) == limit and not line.endswith(("\n", "\r")):
            raise UnreadableError(
                f"one of its lines is longer than {limit:,} characters; it and the rest were not read", "split its text"
            )
        yield line


def _first_line(lines: Iterator[str]) -> str:
    for line in lines:
        # Spreadsheets may write the delimiter before the header; the header shows it anyway.
        if line.strip() and not re.fullmatch(r'"?sep=."?\s*', line, re.IGNORECASE):
            return line
    raise UnreadableError("it is empty", "remove it, or put a header and records in")


def _delimiter(header: str) -> str:
    return max(_DELIMITERS, key=lambda delimiter: count_known(next(csv.reader([header], delimiter=delimiter))))


def _record(header: list[str], row: list[str], delimiter: str) -> Mapping[str, Any] | UnreadableError:
    if len(row) > len(header):
        return UnreadableError(
            f"it has {len(row)} cells, the header has {len(header)}",
            f"put quotation marks around cells that contain the delimiter {delimiter!r}",
        )
    return dict(zip(header, row, strict=False))


def _no_text_column(header: list[str]) -> UnreadableError:
    found = ", ".join(repr(column[:40]) for column in header[:_SHOWN_COLUMNS])
    return UnreadableError(
        f"its columns are {found}, none of which holds the text", f"name the columns {EXPECTED_COLUMNS}"
    )
