"""Read the file that carries the packaged embedding model: header, vocabulary, normaliser, 4-bit weights.

Layout (little-endian): magic `E5S1`, u32 version; i32 hidden, layers, heads, ffn, vocab, positions, types; f32
layer-norm eps; i32 block. Tokenizer: i32 pieces, bos, eos, pad, unk; u64 blob bytes; u32 offsets[n+1]; f32 scores[n];
UTF-8 blob. Normaliser: i32 n, u32 bytes, then n × (u32 code point, u8 k, u32 × k). Directory: i32 n, then n × (u16 name
length, name, u8 dtype, u32 count, u64 offset, u64 bytes).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

MAGIC = b"E5S1"
BLOCK = 32  # weights that share one scale
BLOCK_BYTES = 2 + BLOCK // 2
CHUNK_BLOCKS = 1 << 18  # blocks turned into floats at a time: keeps the peak memory of the big word table low


@dataclass(frozen=True)
class Header:
    """The sizes of the model; all but `layer_norm_eps` are counts."""

    hidden: int
    layers: int
    heads: int
    ffn: int
    vocabulary: int
    positions: int
    types: int
    layer_norm_eps: float


@dataclass(frozen=True)
class Vocabulary:
    """The pieces of a Unigram tokenizer with their log probabilities, and the ids that frame a text."""

    pieces: tuple[str, ...]
    scores: tuple[float, ...]
    bos: int
    eos: int
    pad: int
    unknown: int


class PackedModel:
    """The parsed file. Tensors stay packed until `tensor` is asked for one.

    Raises:
        ValueError: The bytes are not of the known layout. (The caller checks the digest first, so that is a bug.)
    """

    def __init__(self, data: bytes) -> None:
        if data[:4] != MAGIC:
            raise ValueError(f"The model file starts with {data[:4]!r}; expected {MAGIC!r}.")
        self._data = data
        hidden, layers, heads, ffn, vocabulary, positions, types, eps, block = struct.unpack_from("<7ifi", data, 8)
        if block != BLOCK:
            raise ValueError(f"The model file has blocks of {block} weights; expected {BLOCK}.")
        # Python's float of the stored single-precision 1e-12 would read 9.999999960041972e-13 in config.json.
        self.header = Header(hidden, layers, heads, ffn, vocabulary, positions, types, float(f"{eps:.6g}"))
        self.vocabulary, at = self._read_vocabulary(8 + struct.calcsize("<7ifi"))
        self.normaliser, at = self._read_normaliser(at)
        self._directory = dict(self._read_directory(at))

    def _read_vocabulary(self, at: int) -> tuple[Vocabulary, int]:
        count, bos, eos, pad, unknown, blob_bytes = struct.unpack_from("<5iQ", self._data, at)
        at += struct.calcsize("<5iQ")
        offsets = np.frombuffer(self._data, "<u4", count + 1, at).tolist()
        at += 4 * (count + 1)
        scores = np.frombuffer(self._data, "<f4", count, at).astype(np.float64).tolist()
        at += 4 * count
        blob = self._data[at : at + blob_bytes]
        pieces = tuple(blob[start:end].decode() for start, end in pairwise(offsets))
        return Vocabulary(pieces, tuple(scores), bos, eos, pad, unknown), at + blob_bytes

    def _read_normaliser(self, at: int) -> tuple[dict[str, str], int]:
        count, size = struct.unpack_from("<iI", self._data, at)
        at += struct.calcsize("<iI")
        end = at + size
        table: dict[str, str] = {}
        for _ in range(count):
            code, length = struct.unpack_from("<IB", self._data, at)
            at += 5
            table[chr(code)] = "".join(map(chr, struct.unpack_from(f"<{length}I", self._data, at)))
            at += 4 * length
        if at != end:
            raise ValueError(f"The normaliser of the model file ends at byte {at}; expected {end}.")
        return table, at

    def _read_directory(self, at: int) -> Iterator[tuple[str, tuple[int, int, int]]]:
        (count,) = struct.unpack_from("<i", self._data, at)
        at += 4
        for _ in range(count):
            (length,) = struct.unpack_from("<H", self._data, at)
            name = self._data[at + 2 : at + 2 + length].decode()
            dtype, values, offset, _ = struct.unpack_from("<BIQQ", self._data, at + 2 + length)
            at += 2 + length + struct.calcsize("<BIQQ")
            yield name, (dtype, values, offset)

    def tensor(self, name: str, shape: tuple[int, ...]) -> npt.NDArray[np.float16]:
        """One tensor as half-precision floats, of the given shape.

        Raises:
            ValueError: The tensor is missing, or holds another number of values than the shape.
        """
        if name not in self._directory:
            raise ValueError(f"The model file holds no tensor {name!r}.")
        dtype, count, offset = self._directory[name]
        if count != int(np.prod(shape)):
            raise ValueError(f"Tensor {name!r} holds {count} values; expected {shape}.")
        if dtype == 0:
            return np.frombuffer(self._data, "<f4", count, offset).astype(np.float16).reshape(shape)
        packed = np.frombuffer(self._data, np.uint8, count // BLOCK * BLOCK_BYTES, offset).reshape(-1, BLOCK_BYTES)
        return _unpack_q4(packed).reshape(shape)


def _unpack_q4(packed: npt.NDArray[np.uint8]) -> npt.NDArray[np.float16]:
    """Turn blocks (n, 18) of one half-precision scale and 32 four-bit numbers into weights (n, 32).

    Byte j holds weight j in its low four bits and weight j + 16 in its high ones; a weight is (number - 8) × scale.
    """
    weights: npt.NDArray[Any] = np.empty((len(packed), BLOCK), np.float16)
    half = BLOCK // 2
    for start in range(0, len(packed), CHUNK_BLOCKS):
        blocks = packed[start : start + CHUNK_BLOCKS]
        scale = np.ascontiguousarray(blocks[:, :2]).view("<f2").astype(np.float32)
        out = weights[start : start + CHUNK_BLOCKS]
        out[:, :half] = ((blocks[:, 2:] & 15).astype(np.int8) - 8) * scale
        out[:, half:] = ((blocks[:, 2:] >> 4).astype(np.int8) - 8) * scale
    return weights
