"""Turn a question into a cited, extractive answer. Reads an archive, never writes one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from index.archive import Filters
    from qa.answer import Answer, Citation
    from qa.bot import Bot
    from qa.dialogue import Chat

__all__ = ["Answer", "Bot", "Chat", "Citation", "Filters"]
_HOMES = {
    "Answer": "qa.answer",
    "Bot": "qa.bot",
    "Chat": "qa.dialogue",
    "Citation": "qa.answer",
    "Filters": "index.archive",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: FAISS and SQLite are not needed to show a help text."""
    from importlib import import_module

    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
