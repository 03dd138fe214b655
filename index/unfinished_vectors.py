"""Vectors of a build that has not finished, kept beside the generations so that the next build goes on from there.

One file, appended to every few seconds: a line of JSON with the encoder's identity, then records of one size, each a
passage's digest, its vector in single precision and a checksum over both. What a crash left half written is cut off.
"""

from __future__ import annotations

import json
import os
import time
import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, replace
from typing import BinaryIO

import numpy as np

from index.encoder import EncoderIdentity
from index.layout import IndexFolder, sync
from index.vectors import Vectors

_NAME = "unfinished.vectors"
_FORMAT = 1
_DIGEST_BYTES = 16
_CHECKSUM_BYTES = 4
_LONGEST_HEADER = 1 << 16
_KEPT_SECONDS = 30 * 24 * 3600


class UnfinishedVectors:
    """The vectors that builds of one index folder have encoded and no finished one has taken in.

    To be used by the one writer only. Vectors of another encoder are dropped.
    """

    def __init__(self, index: IndexFolder, encoder: EncoderIdentity) -> None:
        self._path = index.folder / _NAME
        self._dimension = encoder.dimension
        nameless = replace(encoder, name="")  # the same model may lie in another folder
        self._header = json.dumps({"format": _FORMAT, "encoder": asdict(nameless)}).encode() + b"\n"
        self._file: BinaryIO | None = None

    def known(self, wanted: Collection[str]) -> dict[str, Vectors]:
        """Return the vectors of the wanted digests that are known, and cut off what follows the last whole record."""
        known: dict[str, Vectors] = {}
        try:
            with self._path.open("r+b") as file:
                if file.readline(_LONGEST_HEADER) != self._header:
                    return {}
                sound = file.tell()
                for digest, vector in self._records(file):
                    if digest in wanted:
                        known[digest] = vector
                    sound += self._record_bytes
                file.truncate(sound)
        except FileNotFoundError:
            return {}
        return known

    def add(self, digests: Sequence[str], vectors: Vectors) -> None:
        """Append vectors, shape (len(digests), dimension), and make them survive a power cut."""
        if self._file is None:
            self._file = self._begin()
        self._file.write(b"".join(_record(digest, vector) for digest, vector in zip(digests, vectors, strict=True)))
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file and keep it for the next build."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def settle(self, taken: Collection[str]) -> None:
        """Drop the vectors of these digests, which a generation in use has; with the last of them goes the file.

        Others, of a larger build that is still to be finished, are kept for a month.
        """
        self.close()
        aside = self._path.with_suffix(".settled")
        left = 0
        try:
            with self._path.open("rb") as file, aside.open("wb") as kept:
                written = os.fstat(file.fileno()).st_mtime
                ours = file.readline(_LONGEST_HEADER) == self._header and time.time() - written < _KEPT_SECONDS
                kept.write(self._header)
                for digest, vector in self._records(file) if ours else ():
                    if digest not in taken:
                        kept.write(_record(digest, vector))
                        left += 1
                if left:
                    kept.flush()
                    os.fsync(kept.fileno())
        except FileNotFoundError:
            return
        if left:
            os.utime(aside, (written, written))
            aside.replace(self._path)
            sync(self._path.parent)
        else:
            aside.unlink()
            self._path.unlink()

    @property
    def _record_bytes(self) -> int:
        return _DIGEST_BYTES + 4 * self._dimension + _CHECKSUM_BYTES

    def _begin(self) -> BinaryIO:
        """Open the file to append; one of another encoder or format is begun anew."""
        file = self._path.open("a+b")
        file.seek(0)
        if file.readline(_LONGEST_HEADER) != self._header:
            file.truncate(0)
            file.write(self._header)
            sync(self._path.parent)
        return file

    def _records(self, file: BinaryIO) -> Iterator[tuple[str, Vectors]]:
        while len(record := file.read(self._record_bytes)) == self._record_bytes:
            content, checksum = record[:-_CHECKSUM_BYTES], record[-_CHECKSUM_BYTES:]
            if zlib.crc32(content).to_bytes(_CHECKSUM_BYTES, "little") != checksum:
                return
            yield content[:_DIGEST_BYTES].hex(), np.frombuffer(content, np.float32, offset=_DIGEST_BYTES)


def _record(digest: str, vector: Vectors) -> bytes:
    content = bytes.fromhex(digest) + np.ascontiguousarray(vector, np.float32).tobytes()
    return content + zlib.crc32(content).to_bytes(_CHECKSUM_BYTES, "little")
