"""Pages that bear the number of the version in which they last changed, and what an answer from them gives away.

With every version two thirds of the pages change and one third stays, so that every build takes some over. Which
versions a text of some pages can be from follows from the marks: see `possible_versions`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

WORDS = ("青石桥通车", "图书馆开放", "柚园村丰收", "渡口夜航", "体育馆招标")
_MARK = re.compile(r"第(\d+)版，第(\d+)号")
_STAYS = 3
_PARAGRAPHS = 8


def _changes(page: int, version: int) -> bool:
    return version == 0 or (page + version) % _STAYS != 0


def write_version(folder: Path, version: int, pages: int) -> None:
    """Write the pages that change with a version, its number in every sentence."""
    for page in range(pages):
        if not _changes(page, version):
            continue
        paragraphs = [
            f"{WORDS[(page + k) % len(WORDS)]}，第{version}版，第{page}号，第{k}段。" * 8 for k in range(_PARAGRAPHS)
        ]
        aside = folder / f".{page}"
        aside.write_text("\n\n".join(paragraphs), encoding="utf-8")
        aside.replace(folder / f"{page}.txt")


def possible_versions(texts: Iterable[str]) -> set[int] | None:
    """Return the versions in which all these texts stand, none where they are of several; None without a mark.

    A page's mark is that of the version, or of the one before where the page has stayed.
    """
    possible: set[int] | None = None
    for mark, page in {(int(mark), int(page)) for text in texts for mark, page in _MARK.findall(text)}:
        standing = {mark} | ({mark + 1} if not _changes(page, mark + 1) else set())
        possible = standing if possible is None else possible & standing
    return possible
