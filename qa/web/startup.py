"""The start: one thread makes the bot ready while the page is up already, and says how far it has come. From then on
it follows the archive."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import anyio
import anyio.to_thread

from index.cpu import usable_cores
from index.errors import ArchiveError, WenbaoError

if TYPE_CHECKING:  # they bring torch and faiss along, which must not delay the opening of the port
    from index.archive import Archive
    from qa.bot import Bot

_Result = TypeVar("_Result")
_RATE_AFTER_SECONDS = 0.5
_LOOK_UPS_AT_ONCE = 4
_log = logging.getLogger("wenbao")


@dataclass(frozen=True)
class Starting:
    """A stage of the start: what is done of how much (`total` 0 when not known), and for how long it has run."""

    stage: str = "start"
    done: int = 0
    total: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float | None:
        """Steps a second, None while it is too early to tell."""
        return self.done / self.seconds if self.done and self.seconds >= _RATE_AFTER_SECONDS else None

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the end of this stage at this rate, None while it is too early to tell."""
        rate = self.rate
        return (self.total - self.done) / rate if rate and self.total else None


@dataclass(frozen=True)
class Failed:
    """The start failed; `message` says why and what to do."""

    message: str


@dataclass(frozen=True)
class Ready:
    """The bot answers. `follow` keeps it to the newest generation of the archive until the event is set."""

    bot: Bot
    examples: dict[str, tuple[str, ...]] = field(default_factory=dict)
    follow: Callable[[threading.Event], None] = lambda ended: None


State = Starting | Failed | Ready
OnStage = Callable[[str, int, int], None]
Prepare = Callable[[OnStage], Ready]


@dataclass(frozen=True)
class Holdings:
    """What the archive holds: number of articles, first and last date, and articles by paper and by section."""

    articles: int
    dates: tuple[str, str] | None
    papers: tuple[tuple[str, int], ...]
    sections: tuple[tuple[str, int], ...]


class NotReadyError(WenbaoError):
    """The bot is still being made ready."""


class BusyError(WenbaoError):
    """More questions are being answered and waiting than the limits allow."""


class _Queue:
    """Runs work in threads in the order in which it came, some of it at a time; only so much may wait."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._at_once = at_once
        self._most = at_once + waiting
        self._limiter: anyio.CapacityLimiter | None = None
        self._admitted = 0

    async def run(self, work: Callable[[], _Result]) -> _Result:
        if self._limiter is None:  # it belongs to the event loop that runs now
            self._limiter = anyio.CapacityLimiter(self._at_once)
        if self._admitted >= self._most:
            raise BusyError("Too many questions are being answered right now. Try again in a moment.")
        self._admitted += 1
        try:
            return await anyio.to_thread.run_sync(work, limiter=self._limiter)
        finally:
            self._admitted -= 1


class Service:
    """The bot on its way: `starting`, then `ready` or `failed`. Safe to use from several threads.

    Work for the bot runs in threads. Questions are answered in the order in which they came, `concurrency` at a time;
    by default one for every core: while one is read, which keeps two cores busy, the next is searched for
    (`tests/benchmarks/clients.py`). Articles and searches pass by them. Of each, at most `waiting` more may wait.
    """

    def __init__(self, prepare: Prepare, *, concurrency: int | None = None, waiting: int = 64) -> None:
        self._prepare = prepare
        self._questions = _Queue(concurrency or usable_cores(), waiting)
        self._look_ups = _Queue(_LOOK_UPS_AT_ONCE, waiting)
        self._lock = threading.Lock()
        self._state: State = Starting()
        self._stage_began = time.monotonic()
        self._over = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._holdings: tuple[str, Holdings] | None = None
        self._on_failure: Callable[[str], None] = lambda message: _log.error("%s", message)

    def start(self, on_failure: Callable[[str], None] | None = None) -> None:
        """Begin to make the bot ready; a second call does nothing. `on_failure` is told why, should it fail."""
        with self._lock:
            if self._thread is not None:
                return
            self._on_failure = on_failure or self._on_failure
            self._stage_began = time.monotonic()
            self._thread = threading.Thread(target=self._run, name="wenbao-archive", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        state: State
        try:
            state = self._prepare(self._report)
        except WenbaoError as error:
            state = Failed(str(error))
        except Exception as error:  # noqa: BLE001 - whatever it was, the page must say that there will be no bot
            _log.exception("The start failed.")
            state = Failed(f"{type(error).__name__}: {error}")
        with self._lock:
            self._state = state
        self._over.set()
        if isinstance(state, Failed):
            self._on_failure(state.message)
        if isinstance(state, Ready):
            state.follow(self._ended)

    def end(self) -> None:
        """Say that nobody will ask any more: the archive is not followed any further."""
        self._ended.set()

    def _report(self, stage: str, done: int, total: int) -> None:
        with self._lock:
            if not isinstance(self._state, Starting) or self._state.stage != stage:
                self._stage_began = time.monotonic()
            self._state = Starting(stage, done, total)

    @property
    def state(self) -> State:
        """How far the start has come."""
        with self._lock:
            if isinstance(self._state, Starting):
                seconds = time.monotonic() - self._stage_began
                return Starting(self._state.stage, self._state.done, self._state.total, seconds)
            return self._state

    def wait(self, timeout: float | None = None) -> State:
        """Wait until the start is over, at most `timeout` seconds, and return the state."""
        self._over.wait(timeout)
        return self.state

    @property
    def bot(self) -> Bot:
        """The bot.

        Raises:
            NotReadyError: it is still being made ready.
            ArchiveError: the start failed.
        """
        state = self.state
        if isinstance(state, Ready):
            return state.bot
        if isinstance(state, Failed):
            raise ArchiveError(f"The start failed: {state.message}")
        raise NotReadyError("The archive is still being made ready. Try again in a few seconds.")

    async def answer(self, work: Callable[[], _Result]) -> _Result:
        """Have the bot answer a question, in a thread, when it is its turn.

        Raises:
            BusyError: too many others are waiting already.
        """
        return await self._questions.run(work)

    async def look_up(self, work: Callable[[], _Result]) -> _Result:
        """Look something up in the archive, in a thread, without waiting for questions to be answered.

        Raises:
            BusyError: too many others are waiting already.
        """
        return await self._look_ups.run(work)

    def holdings(self) -> Holdings | None:
        """Return what the archive holds now, None while the bot is not ready."""
        state = self.state
        if not isinstance(state, Ready):
            return None
        archive = state.bot.archive
        kept = self._holdings
        if kept is None or kept[0] != archive.generation.id:
            kept = self._holdings = (archive.generation.id, _count(archive))
        return kept[1]

    def examples(self, language: str) -> tuple[str, ...]:
        """Return questions to try, none while the bot is not ready."""
        state = self.state
        return state.examples.get(language, ()) if isinstance(state, Ready) else ()


def _count(archive: Archive) -> Holdings:
    facets = archive.facets()
    return Holdings(
        articles=archive.manifest.counts.articles,
        dates=archive.date_range(),
        papers=tuple(facets["paper"]),
        sections=tuple(facets["section"]),
    )
