"""What may be asked of an archive's vector index; the archive keeps it, so that later builds do the same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["flat", "fp16", "ivf-fp16", "ivf-rabitq", "hnsw"]
KINDS: tuple[Kind, ...] = get_args(Kind)
DEFAULT_RECALL = 0.99

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?i?)b?", re.IGNORECASE)


@dataclass(frozen=True)
class VectorOptions:
    """What is asked of a vector index.

    Attributes:
        kind: The kind of index; `auto` has it follow from the number of vectors and the memory allowed.
        recall: The least share of the ten true nearest neighbours that an inexact index is to find.
        memory: How many bytes the vectors may take when they are searched; what is larger stays on disk. None for half
            of the machine's memory when the index is chosen, and half of what is free when it is opened.
    """

    kind: Kind | Literal["auto"] = "auto"
    recall: float = DEFAULT_RECALL
    memory: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.recall <= 1:
            raise ValueError(f"a recall of {self.recall} was asked for, expected a share above 0 and up to 1")
        if self.memory is not None and self.memory < 0:
            raise ValueError(f"{self.memory} bytes of memory were allowed, expected 0 or more")


def parse_size(text: str) -> int:
    """Return the bytes of a size such as `800MB`, `1.5 GiB` or `65536`.

    Raises:
        ValueError: it is none.
    """
    found = _SIZE.fullmatch(text.strip())
    if not found or found[2].lower() not in _UNITS:
        raise ValueError(f"{text!r} is no size. Expected a number of bytes, or one such as 800MB or 1.5GB.")
    return int(float(found[1]) * _UNITS[found[2].lower()])
