"""Vectors of a build that has not finished, kept beside the generations so that the next build goes on from there.

One file, appended to every few seconds: a line of JSON with the encoder's identity, then records of one size, each a
passage's digest, its vector in single precision and a checksum over both. What a crash left half written is cut off.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import BinaryIO

import numpy as np

from index.encoder import EncoderIdentity
from index.layout import IndexFolder
from index.vectors import Vectors

_NAME = "unfinished.vectors"
_FORMAT = 1
_DIGEST_BYTES = 16
_CHECKSUM_BYTES = 4
_LONGEST_HEADER = 1 << 16


class UnfinishedVectors:
    """The vectors that builds of one index folder have encoded since the last one that finished.

    To be used by the one writer only. Vectors of another encoder are dropped.
    """

    def __init__(self, index: IndexFolder, encoder: EncoderIdentity) -> None:
        self._path = index.folder / _NAME
        self._dimension = encoder.dimension
        self._header = json.dumps({"format": _FORMAT, "encoder": asdict(encoder)}).encode() + b"\n"
        self._file: BinaryIO | None = None

    def known(self) -> dict[str, Vectors]:
        """Return the vectors by digest, and cut off what follows the last whole record."""
        known: dict[str, Vectors] = {}
        try:
            with self._path.open("r+b") as file:
                if file.readline(_LONGEST_HEADER) != self._header:
                    return {}
                sound = file.tell()
                for digest, vector in self._records(file):
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
        records = bytearray()
        for digest, vector in zip(digests, vectors, strict=True):
            record = bytes.fromhex(digest) + np.ascontiguousarray(vector, np.float32).tobytes()
            records += record + zlib.crc32(record).to_bytes(_CHECKSUM_BYTES, "little")
        self._file.write(records)
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file and keep it for the next build."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def remove(self) -> None:
        """Remove the file: all its vectors are in a generation in use."""
        self.close()
        self._path.unlink(missing_ok=True)

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
        return file

    def _records(self, file: BinaryIO) -> Iterator[tuple[str, Vectors]]:
        while len(record := file.read(self._record_bytes)) == self._record_bytes:
            content, checksum = record[:-_CHECKSUM_BYTES], record[-_CHECKSUM_BYTES:]
            if zlib.crc32(content).to_bytes(_CHECKSUM_BYTES, "little") != checksum:
                return
            yield content[:_DIGEST_BYTES].hex(), np.frombuffer(content, np.float32, offset=_DIGEST_BYTES)
