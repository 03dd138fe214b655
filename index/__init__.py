"""Turn files into a searchable archive on disk. Knows nothing of questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from index.archive import Archive, Filters
    from index.build import build_archive
    from index.maintain import add_to_archive, remove_from_archive
    from index.records import Article, Passage, Source

__all__ = [
    "Archive",
    "Article",
    "Filters",
    "Passage",
    "Source",
    "add_to_archive",
    "build_archive",
    "remove_from_archive",
]
_HOMES = {
    "Archive": "index.archive",
    "Article": "index.records",
    "Filters": "index.archive",
    "Passage": "index.records",
    "Source": "index.records",
    "add_to_archive": "index.maintain",
    "build_archive": "index.build",
    "remove_from_archive": "index.maintain",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: FAISS and SQLite are not needed to show a help text."""
    from importlib import import_module

    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
