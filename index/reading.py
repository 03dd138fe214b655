"""What every reader of files shares: the limits, and the way to say that something cannot be read."""

from __future__ import annotations

import re
from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """How much is read before a file is refused; sizes are bytes, after decompression as well as on disk.

    Attributes:
        text_bytes: a text or Markdown file.
        html_bytes: an HTML file.
        pdf_bytes: a PDF file.
        records_bytes: a CSV or JSONL file; it is streamed, so this bounds time rather than memory.
        record_chars: characters of one record, or of one field or line of a CSV row, which may have four times as many.
        pdf_pages: pages read of a PDF; those after it are reported.
        pdf_memory: bytes that reading PDFs may take.
        pdf_seconds: time that reading one may take.
        bad_records_in_a_row: a CSV or JSONL file is given up after so many broken records with no good one between.
    """

    text_bytes: int = 20 * MEBIBYTE
    html_bytes: int = 20 * MEBIBYTE
    pdf_bytes: int = 200 * MEBIBYTE
    records_bytes: int = 4096 * MEBIBYTE
    record_chars: int = 2_000_000
    pdf_pages: int = 5_000
    pdf_memory: int = 2048 * MEBIBYTE
    pdf_seconds: float = 120.0
    bad_records_in_a_row: int = 1_000


DEFAULT_LIMITS = Limits()
# Surrogates that stand for no byte of a file name.
_NO_BYTE = re.compile("[\ud800-\udc7f\udd00-\udfff]")


class UnreadableError(Exception):
    """Raised inside the readers for input that cannot be used; `read_file` turns it into a Rejection."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


class ChangedError(UnreadableError):
    """The file is being written to."""


def printable(name: str) -> str:
    r"""Return a name that can be shown and stored: bytes that are not UTF-8 become `\xNN`, control characters `\uNNNN`.

    The file system hands over bytes it cannot decode as lone surrogates, which neither a terminal nor SQLite accepts;
    other halves of surrogate pairs become `\uNNNN` too.
    """
    if name.isprintable():
        return name
    escaped = _NO_BYTE.sub(lambda half: _escape(half.group()), name)
    decoded = escaped.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(_escape(character) if _is_control(character) else character for character in decoded)


def _is_control(character: str) -> bool:
    return character < " " or "\x7f" <= character <= "\x9f" or character in "\u2028\u2029\u202a\u202b\u202c\u202d\u202e"


def _escape(character: str) -> str:
    return f"\\u{ord(character):04x}"
