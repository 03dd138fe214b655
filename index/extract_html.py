"""The article of an HTML page: trafilatura finds it, plain extraction checks that it missed nothing and steps in."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lxml import etree, html  # type: ignore[import-untyped]

from index.epaper import read_epaper
from index.html_blocks import Block, html_blocks
from index.reading import UnreadableError

_MAX_ELEMENTS = 100_000  # above it trafilatura takes minutes, so plain extraction reads the page
_MIN_COVERAGE = 0.5  # of the page's prose; below it trafilatura took a side column for the article
_PROSE = re.compile(r"[。！？；.!?;]")
_PROSE_CHARS = 25
_PROSE_LINK_SHARE = 0.3
_MENU_LINK_SHARE = 0.5
_DOMAIN = re.compile(r"^[\w-]+(?:\.[\w-]+)+$")
_DATES = {"original_date": True, "extensive_search": False}  # the search of the whole page takes any date for the date

# Without a handler Python prints the library's complaints about pages that this module reads by other means.
logging.getLogger("trafilatura").addHandler(logging.NullHandler())


@dataclass(frozen=True)
class HtmlText:
    """The extracted text, blocks parted by blank lines and the headline first, and what the page says about it."""

    text: str
    headline: str | None
    date: str | None
    paper: str | None
    section: str | None
    url: str | None


def extract_html(markup: str) -> HtmlText:
    """Extract the article of a page. Nothing is fetched.

    Raises:
        UnreadableError: the page holds no text outside its menus.
    """
    tree = _parse(markup)
    page = html_blocks(tree)
    epaper = read_epaper(markup, "\n".join(block.text for block in page))
    found = _trafilatura(tree) if sum(1 for _ in tree.iter()) <= _MAX_ELEMENTS else None
    text = _join(html_blocks(_parse(epaper.content))) if epaper.content and epaper.content.strip() else ""
    if not text and found is not None and found.body is not None:
        main = html_blocks(found.body)
        text = _join(main) if _covers(main, page) else ""
    if not text:
        text = _join(block for block in page if block.link_share < _MENU_LINK_SHARE)
    if not text:
        raise UnreadableError(
            "no article text was found in the page", "save the page as text, or check that it is not only a script"
        )
    headline = epaper.headline or _headline(tree, found)
    if headline and _squashed(headline) not in _squashed(text):
        text = f"{headline}\n\n{text}"
    paper = _paper(found)
    return HtmlText(
        text=text,
        headline=headline,
        date=epaper.date or _field(found, "date"),
        paper=epaper.paper or paper,
        section=epaper.section,
        url=_field(found, "url"),
    )


def _parse(markup: str) -> Any:
    # As bytes in a stated encoding, because lxml refuses text that declares one.
    parser = html.HTMLParser(encoding="utf-8", recover=True, huge_tree=False)
    try:
        tree = html.document_fromstring(markup.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableError(
            f"it cannot be parsed as HTML: {error}", "open it in a browser and save it anew"
        ) from error
    if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log):
        raise UnreadableError("its elements are nested too deep, so text would be lost", "save the page as text")
    return tree


def _trafilatura(tree: Any) -> Any | None:
    import trafilatura  # a quarter of a second, which only those who read HTML pay for

    try:
        return trafilatura.bare_extraction(
            html.fromstring(html.tostring(tree, encoding="unicode")),
            include_comments=False,
            include_tables=True,
            with_metadata=True,
            date_extraction_params=_DATES,
        )
    except (RecursionError, etree.LxmlError, ValueError, TypeError, AttributeError, KeyError, IndexError):
        # Its heuristics stumble over odd markup; the page itself is still readable.
        return None


def _covers(main: list[Block], page: list[Block]) -> bool:
    """Say whether the extracted blocks hold most of the page's prose."""
    extracted = _squashed("".join(block.text for block in main))
    if len(main) == 1 and sum(1 for block in page if _squashed(block.text) in extracted) > 1:
        return False  # its last resort runs the whole page together, menus and all
    prose = [_squashed(block.text) for block in page if _is_prose(block)]
    covered = sum(len(text) for text in prose if text[:_PROSE_CHARS] in extracted)
    return bool(extracted) and covered >= _MIN_COVERAGE * sum(len(text) for text in prose)


def _is_prose(block: Block) -> bool:
    long_enough = len(block.text) >= _PROSE_CHARS
    return long_enough and block.link_share < _PROSE_LINK_SHARE and _PROSE.search(block.text) is not None


def _headline(tree: Any, found: Any | None) -> str | None:
    title = _field(found, "title") or " ".join((tree.findtext(".//title") or "").split()) or None
    for heading in tree.iter("h1"):
        text = " ".join(str(heading.text_content()).split())
        if len(text) > 1 and (title is None or title.startswith(text)):
            return text  # the title without the name of the site
    return title


def _paper(found: Any | None) -> str | None:
    name = _field(found, "sitename")
    return None if name is None or _DOMAIN.match(name) else name


def _field(found: Any | None, name: str) -> str | None:
    value = getattr(found, name, None)
    return " ".join(value.split()) or None if isinstance(value, str) else None


def _join(blocks: Iterable[Block]) -> str:
    return "\n\n".join(block.text for block in blocks)


def _squashed(text: str) -> str:
    return "".join(text.split())
