"""From files to sources: find what there is to read, and read it.

    for found in find_files([Path("archive")]):
        for source in [found] if isinstance(found, Rejection) else read_file(found): ...

What cannot be read never stops the rest: it becomes a Rejection that names it, says why, and what to do.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from index.decoding import Decoded, decode_text
from index.extract_html import extract_html
from index.finding import SourceFile, find_files, is_gzipped, media_type
from index.opening import bounded, bounded_gzip, open_regular, too_large
from index.pdf_process import read_pdf
from index.reading import DEFAULT_LIMITS, ChangedError, Limits, UnreadableError
from index.records import MediaType, Rejection, Source
from index.records_file import SAMPLE_BYTES, RecordType, read_records

__all__ = ["DEFAULT_LIMITS", "Limits", "SourceFile", "find_files", "read_file"]

_CHARSET = re.compile(
    rb"""<(?:meta|\?xml)\b[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]{2,40})""", re.IGNORECASE
)
_CHARSET_BYTES = 8192


def read_file(file: SourceFile, limits: Limits = DEFAULT_LIMITS) -> Iterator[Source | Rejection]:
    """Read a file: one Source for a document, one for each record of a CSV or JSONL file.

    Whatever is wrong with the file or a part of it comes as a Rejection; nothing is raised for it. A document of which
    a little is lost (up to 0.1 % undecodable characters, single pages of a PDF) gives its Source and a Rejection for
    the part, named with `#`.

    Args:
        file: a file found by `find_files`.
        limits: what is refused as too large.
    """
    kind = media_type(file.path)
    if kind is None:
        yield Rejection(file.name, "its suffix is not supported", "convert it to text, HTML, PDF, CSV or JSONL")
        return
    try:
        with open_regular(file.path) as stream:
            size = os.fstat(stream.fileno()).st_size
            if size > _byte_limit(kind, limits):
                raise too_large(_byte_limit(kind, limits), size)
            if kind == "csv" or kind == "jsonl":
                yield from _records(stream, file, kind, limits)
            else:
                yield from _document(stream, file, kind, limits)
    except UnreadableError as error:
        yield Rejection(file.name, error.reason, error.remedy, passing=isinstance(error, ChangedError))
    except FileNotFoundError:
        reason = "it is gone since the folder was searched"
        yield Rejection(file.name, reason, "put it back, or index the folder again", passing=True)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        yield Rejection(file.name, f"its compressed data is damaged: {error}", "compress it anew")
    except OSError as error:
        reason = error.strerror or str(error)
        remedy = "check the file, its permissions and the disk"
        yield Rejection(file.name, f"it cannot be read: {reason}", remedy, passing=True)


def _records(stream: BinaryIO, file: SourceFile, kind: RecordType, limits: Limits) -> Iterator[Source | Rejection]:
    unpack = bounded_gzip if is_gzipped(file.path) else bounded
    before = os.fstat(stream.fileno())
    yield from read_records(unpack(_view(stream), limits.records_bytes, SAMPLE_BYTES), file.name, kind, limits)
    _check_unchanged(stream, before)


def _document(stream: BinaryIO, file: SourceFile, kind: MediaType, limits: Limits) -> Iterator[Source | Rejection]:
    limit = _byte_limit(kind, limits)
    before = os.fstat(stream.fileno())
    data = raw = bounded(_view(stream), limit).read()
    _check_unchanged(stream, before)
    if is_gzipped(file.path):
        data = bounded_gzip(io.BytesIO(raw), limit).read()
    if not data:
        raise UnreadableError("it is empty", "remove it, or put the text in")
    sha256 = hashlib.sha256(raw).hexdigest()
    if kind == "pdf":
        yield from _pdf(data, sha256, file, limits)
    else:
        yield from _text(data, sha256, file, kind)


def _text(data: bytes, sha256: str, file: SourceFile, kind: MediaType) -> Iterator[Source | Rejection]:
    decoded = decode_text(data, _declared_encoding(data) if kind == "html" else None)
    if not decoded.text.strip("\ufeff\u200b \t\r\n\f\v\u3000\xa0"):
        raise UnreadableError("it holds only white space", "remove it, or put the text in")
    if kind == "html":
        page = extract_html(decoded.text)
        yield Source(
            name=file.name,
            text=page.text,
            sha256=sha256,
            media_type=kind,
            encoding=decoded.encoding,
            headline=page.headline,
            date=page.date,
            paper=page.paper,
            section=page.section,
            url=page.url,
        )
    else:
        yield Source(file.name, decoded.text, sha256, kind, decoded.encoding)
    yield from _lost(decoded, file)


def _lost(decoded: Decoded, file: SourceFile) -> Iterator[Rejection]:
    if decoded.replaced:
        yield Rejection(
            f"{file.name}#undecodable",
            f"{decoded.replaced:,} places are not valid {decoded.encoding} and read as U+FFFD; the rest was read",
            "repair them in the file, if what stands there matters",
        )


def _pdf(data: bytes, sha256: str, file: SourceFile, limits: Limits) -> Iterator[Source | Rejection]:
    pdf = read_pdf(data, limits)
    yield Source(file.name, pdf.text, sha256, "pdf", headline=pdf.title)
    for number, reason in pdf.missing_pages:
        yield Rejection(
            f"{file.name}#page {number}", f"{reason}; the other pages were read", "repair or split the file"
        )


def _view(stream: BinaryIO) -> BinaryIO:
    """Return a stream over the same open file; a reader that closes it leaves the file open to be asked afterwards."""
    return io.FileIO(stream.fileno(), "rb", closefd=False)


def _check_unchanged(stream: BinaryIO, before: os.stat_result) -> None:
    after = os.fstat(stream.fileno())
    if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise ChangedError("it changed while it was read", "wait until it is complete and index it again")


def _declared_encoding(data: bytes) -> str | None:
    match = _CHARSET.search(data, 0, _CHARSET_BYTES)
    return match[1].decode("ascii") if match else None


def _byte_limit(kind: MediaType, limits: Limits) -> int:
    match kind:
        case "pdf":
            return limits.pdf_bytes
        case "html":
            return limits.html_bytes
        case "csv" | "jsonl":
            return limits.records_bytes
        case _:
            return limits.text_bytes
