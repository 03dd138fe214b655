"""One person's visit: language, conversation, and the article that is open. It lives in `gr.State` and nowhere else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Literal

from index.archive import Filters
from index.errors import InputError, WenbaoError
from index.normalize_date import complete_date
from qa.answer import Citation
from qa.dialogue import Chat
from qa.question import MAX_CHARACTERS, has_words
from qa.web.rendering import Turn
from qa.web.startup import BusyError, Failed, Service, Starting
from qa.web.texts import Language, Texts, texts_of

_TURNS_KEPT = 50
_POLL_SECONDS = 0.6
_log = logging.getLogger("wenbao")
Kind = Literal["citation", "nearest"]


@dataclass(frozen=True)
class Opened:
    """The article that is open: the citation it was opened from, its number, or None for a passage that came close."""

    citation: Citation
    number: int | None


@dataclass
class Session:
    """A visit. The conversation with the bot begins with the first question."""

    language: Language = "zh"
    turns: list[Turn] = field(default_factory=list)
    opened: Opened | None = None
    openings: int = 0
    busy: bool = False
    _chat: Chat | None = None

    @property
    def texts(self) -> Texts:
        """The page's words in the visitor's language."""
        return texts_of(self.language)

    def clear(self) -> None:
        """Begin a new conversation. One that is being answered is left to itself."""
        self.turns = []
        self.opened = None
        self._chat = None
        self.busy = False

    def citation(self, turn: object, kind: Kind, place: object) -> Opened | None:
        """Return what a click on a citation means, None where there is no such citation."""
        if not isinstance(turn, int) or not isinstance(place, int) or not 0 <= turn < len(self.turns) or place < 0:
            return None
        answer = self.turns[turn].answer
        if answer is None:
            return None
        citations = answer.citations if kind == "citation" else answer.nearest
        if place >= len(citations):
            return None
        return Opened(citations[place], place + 1 if kind == "citation" else None)

    async def ask(self, service: Service, question: str, filters: Filters) -> AsyncIterator[None]:
        """Add a question and answer it; yields whenever there is something new to show."""
        turns = self.turns
        del turns[: max(0, len(turns) - _TURNS_KEPT + 1)]
        turns.append(Turn(question))
        problem = refusal(question, filters, self.texts)
        if problem is not None:
            turns[-1] = replace(turns[-1], question=question[:MAX_CHARACTERS], problem=problem)
            yield
            return
        self.busy = True
        try:
            yield
            while isinstance(service.state, Starting):
                await asyncio.sleep(_POLL_SECONDS)
                yield
            turns[-1] = await self._answer(service, turns[-1], filters)
        finally:
            if self.turns is turns:  # otherwise a new conversation has begun meanwhile
                self.busy = False
        yield

    async def _answer(self, service: Service, turn: Turn, filters: Filters) -> Turn:
        state = service.state
        if isinstance(state, Failed):
            return replace(turn, problem=f"{self.texts.failed}: {state.message}")
        try:
            chat = self._chat = self._chat or service.bot.chat()
            answer = await service.answer(lambda: chat.ask(turn.question, filters=filters or None))
        except BusyError:
            return replace(turn, problem=self.texts.busy)
        except WenbaoError as error:
            return replace(turn, problem=str(error))
        except Exception:  # noqa: BLE001 - a visitor is told that it failed, the terminal is told why
            _log.exception("A question could not be answered.")
            return replace(turn, problem=self.texts.unexpected)
        return replace(turn, answer=answer)


def refusal(question: str, filters: Filters, texts: Texts) -> str | None:
    """Return why a question cannot be asked so, in the visitor's language; None if it can."""
    length = len(question.strip())
    if length > MAX_CHARACTERS:
        return texts.too_long.format(length=length, limit=MAX_CHARACTERS)
    if not has_words(question):
        return texts.no_words
    dates: list[str] = []
    for date, last in ((filters.date_from, False), (filters.date_to, True)):
        try:
            dates += [complete_date(date, last=last)] if date else []
        except InputError:  # noqa: PERF203 - there are two
            return texts.bad_date.format(date=(date or "")[:40])
    if len(dates) == 2 and dates[0] > dates[1]:
        return texts.empty_range.format(first=dates[0], last=dates[1])
    return None
