"""CSV and JSONL files: one Source for each record, read as a stream.

A record that cannot be used becomes a Rejection of its own, named by its row or line, and the rest is read.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from index.csv_rows import csv_rows
from index.decoding import REPLACEMENT, check_is_text, detect_encoding
from index.jsonl_lines import jsonl_lines
from index.reading import Limits, UnreadableError, printable
from index.record_fields import EXPECTED_COLUMNS, RecordFields, has_text_column, record_fields
from index.records import Rejection, Source

SAMPLE_BYTES = 256 * 1024
_ID_CHARS = 120
_SHOWN_FIELDS = 20
_SHOWN_CHARS = 40
_DAMAGED_SHARE = 0.01  # of a record's characters that are U+FFFD

RecordType = Literal["csv", "jsonl"]


def read_records(
    stream: io.BufferedReader, name: str, media_type: RecordType, limits: Limits
) -> Iterator[Source | Rejection]:
    """Read the records of an opened CSV or JSONL file and close it.

    A Source is named `name#id`, or `name#row` where the record has no id; an id met before gets `~row` appended. Rows
    count from 1: in JSONL they are lines, blank ones included, in CSV they are records, the header not included.

    Args:
        stream: the bytes of the file, with a buffer of at least `SAMPLE_BYTES`.
        name: the name of the file.
        media_type: the format.
        limits: `record_chars` and `bad_records_in_a_row` apply.

    Raises:
        UnreadableError: the file as a whole, or what is left of it, cannot be used.
        OSError, EOFError, zlib.error: the stream fails.
    """
    text, encoding = _decoding(stream)
    with text:
        records = csv_rows(text, limits) if media_type == "csv" else jsonl_lines(text, limits)
        unit = "row" if media_type == "csv" else "line"
        names = _Names(name)
        row, bad_in_a_row, scratched = 0, 0, 0
        for row, record in records:
            try:
                if isinstance(record, UnreadableError):
                    raise record
                if not has_text_column(record):
                    raise _no_text_field(record)
                source = _source(record_fields(record), row, names, media_type, encoding, limits)
            except UnreadableError as error:  # noqa: PERF203 (one bad record must not end the file)
                yield Rejection(f"{name}#{unit} {row}", error.reason, error.remedy)
                bad_in_a_row += 1
                if bad_in_a_row >= limits.bad_records_in_a_row:
                    raise _too_many(bad_in_a_row, unit, row) from error
            else:
                bad_in_a_row = 0
                scratched += REPLACEMENT in source.text
                yield source
        if row == 0:
            raise UnreadableError("it holds no records", "remove it, or add records")
        if scratched:
            yield Rejection(
                f"{name}#undecodable",
                f"{scratched:,} of its records have places that are not valid {encoding} and read as U+FFFD; "
                "the rest was read",
                "repair them in the file, if what stands there matters",
            )


def _decoding(stream: io.BufferedReader) -> tuple[io.TextIOWrapper, str]:
    """Wrap the bytes into a stream of text, its encoding decided by the beginning."""
    head = stream.peek(SAMPLE_BYTES)[:SAMPLE_BYTES]
    if not head:
        raise UnreadableError("it is empty", "remove it, or put the text in")
    encoding, mark = detect_encoding(head, complete=len(head) < SAMPLE_BYTES)
    stream.read(mark)
    check_is_text(head[mark:].decode(encoding, "replace"))
    # Line ends are left alone: inside a quoted CSV cell they belong to the text.
    return io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline=""), encoding


def _source(
    fields: RecordFields, row: int, names: _Names, media_type: RecordType, encoding: str, limits: Limits
) -> Source:
    if fields.text is None:
        raise UnreadableError("it has no text", "fill its text column, or remove it")
    text = f"{fields.headline}\n\n{fields.text}" if fields.headline else fields.text
    if len(text) > limits.record_chars:
        raise UnreadableError(
            f"it has {len(text):,} characters, the limit is {limits.record_chars:,}", "split it into articles"
        )
    if text.count(REPLACEMENT) > len(text) * _DAMAGED_SHARE:
        raise UnreadableError(
            f"{text.count(REPLACEMENT):,} of its {len(text):,} characters are undecodable (read as {encoding})",
            "save the file as UTF-8 throughout",
        )
    check_is_text(text)
    return Source(
        name=names.unique(fields.id, row),
        text=text,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        media_type=media_type,
        encoding=encoding,
        headline=fields.headline,
        date=fields.date,
        paper=fields.paper,
        section=fields.section,
        url=fields.url,
    )


class _Names:
    """Gives each record of a file its own name."""

    def __init__(self, file_name: str) -> None:
        self._file_name = file_name
        self._taken: set[str] = set()

    def unique(self, record_id: str | None, row: int) -> str:
        label = printable(record_id)[:_ID_CHARS] if record_id else str(row)
        while label in self._taken:
            label = f"{label}~{row}"
        self._taken.add(label)
        return f"{self._file_name}#{label}"


def _no_text_field(record: Mapping[str, Any]) -> UnreadableError:
    found = ", ".join(repr(printable(field)[:_SHOWN_CHARS]) for field in list(record)[:_SHOWN_FIELDS])
    return UnreadableError(f"its fields are {found}, none of which holds the text", f"name them {EXPECTED_COLUMNS}")


def _too_many(count: int, unit: str, row: int) -> UnreadableError:
    return UnreadableError(
        f"{count:,} {unit}s in a row could not be used, so reading stopped at {unit} {row:,}",
        "check that the file is what its suffix says, repair it and index it again",
    )
