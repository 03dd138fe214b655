"""Opening files without trusting them: only regular files, never more bytes than a limit, gzip unpacked on the way."""

from __future__ import annotations

import gzip
import io
import os
import stat
from pathlib import Path
from typing import BinaryIO

from index.reading import MEBIBYTE, UnreadableError


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading, unbuffered.

    Raises:
        UnreadableError: it is no regular file (any more).
        OSError: it cannot be opened.
    """
    # Not blocking: a pipe put in the file's place would otherwise wait for a writer for ever.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise not_regular()
    return io.FileIO(descriptor, "rb")


def not_regular() -> UnreadableError:
    """Return the error for a folder, pipe, socket or device where a file was expected."""
    return UnreadableError("it is not a regular file but a pipe, a socket or a device", "copy its content into a file")


def bounded(stream: BinaryIO, limit: int, buffer_size: int = MEBIBYTE) -> io.BufferedReader:
    """Return a buffered reader over `stream` that raises UnreadableError once more than `limit` bytes were read."""
    return io.BufferedReader(_Bounded(stream, limit), buffer_size)


def bounded_gzip(stream: BinaryIO, limit: int, buffer_size: int = MEBIBYTE) -> io.BufferedReader:
    """Like `bounded`, over what the gzip `stream` unpacks to. A decompression bomb stops at `limit` bytes."""
    return bounded(gzip.GzipFile(fileobj=stream, mode="rb"), limit, buffer_size)  # type: ignore[arg-type]


def too_large(limit: int, size: int | None = None) -> UnreadableError:
    """Return the error for a file over its limit, both in bytes; `size` is None where reading stopped at the limit."""
    found = "more than is allowed" if size is None else format_bytes(size)
    return UnreadableError(
        f"it holds {found}, the limit is {format_bytes(limit)}", "split it into smaller files, or raise the limit"
    )


def format_bytes(count: int) -> str:
    """Return a byte count in words, such as `1.5 MB`."""
    if count < MEBIBYTE:
        return f"{count:,} bytes"
    return f"{count / MEBIBYTE:,.1f} MB"


class _Bounded(io.RawIOBase):
    """A raw stream that fills each request, so that one peek sees a whole sample, and stops at a limit."""

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        view, filled = memoryview(buffer), 0
        while filled < len(view):
            piece = self._stream.read(len(view) - filled)
            if not piece:
                break
            view[filled : filled + len(piece)] = piece
            filled += len(piece)
        self._count += filled
        if self._count > self._limit:
            raise too_large(self._limit)
        return filled

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()
