"""The blocks of an HTML tree: headings, paragraphs, list items and table rows, each with its share of link text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree  # type: ignore[import-untyped]

_HTML_BLOCKS = """
    address article blockquote body center dd div dl dt fieldset figcaption figure founder-content h1 h2 h3 h4 h5 h6
    header hr li main ol p pre section table tbody tr ul
"""
_TRAFILATURA_BLOCKS = "head item list quote row"
_SILENT = """
    script style noscript template nav footer aside button select option textarea iframe object svg map canvas audio
    video input title
"""
_BLOCKS = frozenset([*_HTML_BLOCKS.split(), *_TRAFILATURA_BLOCKS.split()])
_UNREAD = frozenset(_SILENT.split())
_LINE_BREAKS = frozenset(("br", "lb"))
_CELLS = frozenset(("td", "th", "cell"))
_LINKS = frozenset(("a", "ref"))
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


@dataclass(frozen=True)
class Block:
    """One block of text without white space around its lines; `link_share` of its characters are link text (0 to 1)."""

    text: str
    link_share: float


def html_blocks(root: etree._Element) -> list[Block]:
    """Return the blocks under `root` in document order, without scripts, navigation and hidden elements.

    It does not recurse, so deep nesting does no harm.
    """
    return list(_Walk().blocks(root))


class _Walk:
    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._characters = 0
        self._link_characters = 0
        self._link_depth = 0

    def blocks(self, root: etree._Element) -> Iterator[Block]:
        walker = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
        skipped: etree._Element | None = None
        for event, element in walker:
            if event in ("comment", "pi"):
                self._add(element.tail)
                continue
            tag = element.tag
            if event == "start":
                if skipped is None and (tag in _UNREAD or _HIDDEN.search(element.get("style", ""))):
                    skipped = element
                    walker.skip_subtree()
                    continue
                if tag in _BLOCKS:
                    yield from self._flush()
                elif tag in _LINE_BREAKS:
                    self._pieces.append("\n")
                elif tag in _CELLS:
                    self._pieces.append(" ")
                self._link_depth += tag in _LINKS
                self._add(element.text)
                continue
            if element is skipped:
                skipped = None
            else:
                self._link_depth -= tag in _LINKS
                if tag in _BLOCKS:
                    yield from self._flush()
            if element is not root:
                self._add(element.tail)
        yield from self._flush()

    def _add(self, text: str | None) -> None:
        if not text:
            return
        self._pieces.append(re.sub(r"\s+", " ", text))
        count = sum(1 for character in text if not character.isspace())
        self._characters += count
        if self._link_depth > 0:
            self._link_characters += count

    def _flush(self) -> Iterator[Block]:
        lines = (" ".join(line.split()) for line in "".join(self._pieces).split("\n"))
        text = "\n".join(line for line in lines if line)
        if text:
            yield Block(text, self._link_characters / max(self._characters, 1))
        self._pieces.clear()
        self._characters = self._link_characters = 0
