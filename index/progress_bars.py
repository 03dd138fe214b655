"""Progress on the standard error output: bars with rate and time left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

from index.progress import Progress

STAGES = {
    "read": "reading pages 读取版面",
    "encode": "encoding passages 编码段落",
    "keywords": "keyword index 关键词索引",
    "verify": "verifying 校验",
}


@contextmanager
def progress_bar(title: str, *, hidden: bool = False) -> Iterator[Callable[[int, int], None]]:
    """Draw a bar; yields what is to be called with how much is done, and of how much."""
    with tqdm(desc=title, unit="", disable=hidden) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show


class ProgressBars:
    """Draws the progress of a build on the standard error output, one bar a stage, with rate and time left."""

    def __init__(self) -> None:
        self._stage = ""
        self._bar: tqdm[Any] | None = None

    def __call__(self, progress: Progress) -> None:
        """Show a step."""
        if progress.stage not in STAGES:
            return
        if progress.stage != self._stage:
            self.close()
            self._stage = progress.stage
            self._bar = tqdm(total=progress.total or None, desc=STAGES[progress.stage], unit="")
        if self._bar is not None:
            self._bar.total = progress.total or None
            self._bar.update(progress.done - self._bar.n)

    def close(self) -> None:
        """Finish the bar being drawn."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
