"""The generation that questions are answered from, and the step to the next one, which is opened beside it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from index.archive import Archive
from index.errors import WenbaoError
from qa.retrieve import Retriever

_LOOK_EVERY_SECONDS = 0.1
_RETRY_SECONDS = 5.0
_log = logging.getLogger(__name__)


@dataclass
class _Asked:
    """How many questions are being answered from one generation."""

    count: int = 0


@dataclass(frozen=True)
class _Refused:
    """What kept a generation from being used, and when it is tried again (monotonic seconds)."""

    generation: str
    reason: str
    again_at: float


class Following:
    """Gives each question one generation to be answered from, the newest that could be opened. Safe in many threads.

    At most two are held: the next one is opened when no question is left that began with the one before the last.
    """

    def __init__(self, opened: Retriever, make_ready: Callable[[Archive], Retriever]) -> None:
        """Begin with an opened generation; `make_ready` opens all that is needed of the next one, or refuses it."""
        self._folder = opened.archive.folder
        self._make_ready = make_ready
        self._opened = opened
        self._asked, self._asked_before = _Asked(), _Asked()
        self._counting = threading.Lock()
        self._stepping = threading.Lock()
        self._refused = _Refused("", "", 0.0)
        self._followers = 0

    @contextmanager
    def generation(self) -> Iterator[Retriever]:
        """Give one generation for one question; where nobody follows the archive, it is looked for a new one first."""
        if not self._followers:
            self.step()
        with self._counting:
            opened, asked = self._opened, self._asked
            asked.count += 1
        try:
            yield opened
        finally:
            with self._counting:
                asked.count -= 1

    def follow(self, ended: threading.Event) -> None:
        """Look for a new generation ten times a second until the event is set; questions then never wait for one."""
        with self._counting:
            self._followers += 1
        try:
            while not ended.wait(_LOOK_EVERY_SECONDS):
                self.step()
        finally:
            with self._counting:
                self._followers -= 1

    def step(self) -> None:
        """Open the generation in use if it is a new one; if it cannot be opened, the old one goes on answering."""
        if not self._stepping.acquire(blocking=False):
            return  # another thread is at it
        name = ""
        try:
            name = self._folder.current_name()
            if name == self._opened.archive.generation.id or self._asked_before.count or self._is_refused(name):
                return
            opened = self._make_ready(Archive.open(self._folder.folder, texts_only=True))
            with self._counting:
                self._opened, self._asked, self._asked_before = opened, _Asked(), self._asked
            _log.info("Questions are answered from generation %s now.", opened.archive.generation.id)
        except (WenbaoError, OSError, MemoryError) as error:
            self._refuse(name, str(error) or type(error).__name__)
        finally:
            self._stepping.release()

    def _is_refused(self, name: str) -> bool:
        return name == self._refused.generation and time.monotonic() < self._refused.again_at

    def _refuse(self, name: str, reason: str) -> None:
        with suppress(WenbaoError):
            if name and self._folder.current_name() != name:
                return  # it was removed, after the switch to another, while it was being opened
        if (name, reason) != (self._refused.generation, self._refused.reason):
            _log.warning("The new archive is not used, the old one goes on answering: %s", reason)
        self._refused = _Refused(name, reason, time.monotonic() + _RETRY_SECONDS)
