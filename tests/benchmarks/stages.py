"""How long each stage of a build takes, seen from the outside."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from index.progress import Progress


class Stages:
    """Hears of a build's progress and adds up the seconds of each stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._stage = "start"
        self._since = time.perf_counter()
        self._held = False

    def __call__(self, progress: Progress) -> None:
        if progress.stage != self._stage and not self._held:
            self.enter(progress.stage)

    def enter(self, stage: str) -> None:
        """End the stage at hand and begin another."""
        now = time.perf_counter()
        self.seconds[self._stage] += now - self._since
        self._stage, self._since = stage, now

    @contextmanager
    def within(self, stage: str) -> Iterator[None]:
        """Count what is done inside as a stage, whatever is heard meanwhile; then the one before goes on."""
        before = self._stage
        self.enter(stage)
        self._held = True
        try:
            yield
        finally:
            self._held = False
            self.enter(before)

    def outside(self, stage: str) -> float:
        """Return the share of the time that was not spent in a stage."""
        return 1 - self.seconds[stage] / sum(self.seconds.values())

    def __iter__(self) -> Iterator[tuple[str, float]]:
        return iter(self.seconds.items())

    def __str__(self) -> str:
        return ", ".join(f"{name} {seconds:.2f}" for name, seconds in self if round(seconds, 2))
