"""A conversation: the questions of one person and their answers, in order."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from index.archive import Filters
from qa.answer import Answer

if TYPE_CHECKING:
    from qa.bot import Bot

_REMEMBERED = 50


class Chat:
    """One conversation with a bot. It belongs to one person; its history is nowhere else."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._answers: deque[Answer] = deque(maxlen=_REMEMBERED)

    @property
    def answers(self) -> tuple[Answer, ...]:
        """The last answers given, oldest first."""
        return tuple(self._answers)

    def ask(self, question: str, *, filters: Filters | None = None, threshold: float | None = None) -> Answer:
        """Answer a question and remember it. Each question must stand by itself.

        Raises:
            InputError: the question is empty or too long, or a filter cannot be understood.
        """
        answer = self._bot.ask(question, filters=filters, threshold=threshold)
        self._answers.append(answer)
        return answer
