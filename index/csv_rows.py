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
_ROW_FIELDS = 4  # so many of the longest fields fit into a row

NumberedRecord = tuple[int, "Mapping[str, Any] | UnreadableError"]


def csv_rows(text: io.TextIOBase, limits: Limits) -> Iterator[NumberedRecord]:
    """Yield each row after the header that is not blank: its number from 1, and its cells by column name.

    Raises:
        UnreadableError: no column holds text, or the quoting is broken.
    """
    # The limit is one for the whole process, so it is only ever raised.
    csv.field_size_limit(max(csv.field_size_limit(), limits.record_chars))
    lines = _Lines(text, limits.record_chars)
    first = _first_line(lines)
    delimiter = _delimiter(first)
    rows = csv.reader(itertools.chain([first], lines), delimiter=delimiter)
    number = 0
    try:
        header = next(rows)
        if not has_text_column(header):
            raise _no_text_column(header)
        for number, row in enumerate(rows, 1):
            lines.row_is_complete()
            if any(cell.strip() for cell in row):
                yield number, _record(header, row, delimiter)
    except csv.Error as error:
        raise UnreadableError(
            f"its quoting is broken after row {number:,}: {error}; the rest was not read",
            'close every quotation mark, and write a quotation mark inside a cell as ""',
        ) from error


class _Lines:
    """The lines of a text, neither one of which nor those of one row are longer than allowed."""

    def __init__(self, text: io.TextIOBase, limit: int) -> None:
        self._text = text
        self._limit = limit
        self._of_row = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(self._limit)
        if not line:
            raise StopIteration
        if len(line) == self._limit and not line.endswith(("\n", "\r")):
            raise UnreadableError(
                f"one of its lines is longer than {self._limit:,} characters; it and the rest were not read",
                "split its text",
            )
        self._of_row += len(line)
        if self._of_row > _ROW_FIELDS * self._limit:
            raise UnreadableError(
                f"a row has more than {_ROW_FIELDS * self._limit:,} characters; it and the rest were not read",
                "close every quotation mark",
            )
        return line

    def row_is_complete(self) -> None:
        """Count the next lines as another row's."""
        self._of_row = 0


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
