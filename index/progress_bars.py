"""Progress on the standard error output: bars with rate and time left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

from tqdm import tqdm

from index.progress import Progress

STAGES = {
    "find": "finding files 查找文件",
    "read": "reading pages 读取版面",
    "encode": "encoding passages 编码段落",
    "vectors": "vector index 向量索引",
    "keywords": "keyword index 关键词索引",
    "verify": "verifying 校验",
}
# Nothing is heard of a step whose length is not known until it is over: meanwhile its time is shown so often.
_TICK_SECONDS = 1.0
_WITHOUT_TOTAL = "{desc}: {elapsed}"


@contextmanager
def progress_bar(title: str, *, hidden: bool = False) -> Iterator[Callable[[int, int], None]]:
    """Draw a bar; yields what is to be called with how much is done, and of how much."""
    with tqdm(desc=title, unit="", disable=hidden) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show


class ProgressBars:
    """Draws the progress of a build on the standard error output, one bar a stage, with rate and time left.

    Of a stage whose length is not known the time that it has taken is shown.
    """

    def __init__(self) -> None:
        self._stage = ""
        self._bar: tqdm[Any] | None = None
        self._ticking: tuple[Thread, Event] | None = None

    def __call__(self, progress: Progress) -> None:
        """Show a step."""
        if self._bar is None or progress.stage != self._stage:
            self.close()
            self._stage = progress.stage
            title = STAGES.get(progress.stage, progress.stage)
            self._bar = tqdm(
                desc=title, unit="", total=progress.total or None, bar_format=None if progress.total else _WITHOUT_TOTAL
            )
            if not progress.total:
                self._ticking = _tick(self._bar)
        if progress.total:
            self._stop_ticking()
            self._bar.bar_format, self._bar.total = None, progress.total
        self._bar.update(progress.done - self._bar.n)

    def close(self) -> None:
        """Finish the bar being drawn."""
        self._stop_ticking()
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _stop_ticking(self) -> None:
        if self._ticking is not None:
            thread, over = self._ticking
            over.set()
            thread.join()
            self._ticking = None


def _tick(bar: tqdm[Any]) -> tuple[Thread, Event]:
    """Draw a bar again and again in a thread of its own, until the event is set."""
    over = Event()

    def draw() -> None:
        while not over.wait(_TICK_SECONDS):
            bar.refresh()

    thread = Thread(target=draw, daemon=True)
    thread.start()
    return thread, over
