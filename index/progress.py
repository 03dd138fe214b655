"""How long work says what it is doing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """A step of a long piece of work: what is done, how much of how much (`total` 0 when not known yet)."""

    stage: str
    done: int
    total: int


OnProgress = Callable[[Progress], None]
