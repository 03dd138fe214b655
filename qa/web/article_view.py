"""An article as HTML, with a quote marked where its spans say it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from index.records import Article
from index.spans import Span, Spans
from qa.answer import Citation
from qa.web.markup import element, escape, isolate
from qa.web.texts import Texts

_BREAK = re.compile(r"\s*\n\s*")
_LEADING_SPACE = re.compile(r"^\s+")
_ENDS_SENTENCE = frozenset("。！？!?…：:；;”’」』）)】》.—")
_WRAPPED_LINE = 12


@dataclass(frozen=True)
class Marked:
    """A piece of an article's text, whether it belongs to the quote, and whether to the words in it that answer."""

    text: str
    marked: bool
    answers: bool = False


def ranges_within(article_spans: Sequence[Span], spans: Sequence[Span]) -> tuple[Span, ...]:
    """Return where the parts of `spans` that the article holds lie in the article's joined text, in order, merged."""
    found: list[Span] = []
    offset = 0
    for article_start, article_end in article_spans:
        for start, end in spans:
            low, high = max(start, article_start), min(end, article_end)
            if low < high:
                found.append((offset + low - article_start, offset + high - article_start))
        offset += article_end - article_start
    merged: list[Span] = []
    for low, high in sorted(found):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def stands_in(article: Article, citation: Citation) -> bool:
    """Say whether the citation's spans select its quote in this article: not so when the archive has changed since."""
    if article.source != citation.source:
        return False
    starts: list[int] = []
    pieces: list[str] = []
    for span in citation.spans:
        ranges = ranges_within(article.spans, (span,))
        pieces += [article.text[low:high] for low, high in ranges]
        starts += [low for low, _ in ranges]
    return "".join(pieces) == citation.quote


def render_article(
    article: Article, texts: Texts, citation: Citation | None = None, *, number: int | None = None
) -> str:
    """Return the panel of an article; of a citation, its quote is marked. `number` is that of the citation."""
    exact = citation is not None and stands_in(article, citation)
    marks = ranges_within(article.spans, citation.spans) if citation is not None and exact else ()
    words = ranges_within(article.spans, citation.answer_spans) if citation is not None and exact else ()
    title = [part for span in article.headline_spans for part in ranges_within(article.spans, [span])]
    headline = "".join(
        element("span", _text(line), class_="wb-headline-line")
        for part in title
        for line in _lines(_pieces(article.text, [part], marks, words), wrapped=False)
    )
    body = _pieces(article.text, _outside(sorted(title), len(article.text)), marks, words)
    paragraphs = "".join(element("p", _text(line)) for line in _lines(body, wrapped=_is_wrapped(article.text)))
    about = [article.paper, article.section, article.date or texts.undated]
    kicker = " · ".join(isolate(part) for part in about if part)
    parts = [
        element("p", kicker, class_="wb-kicker"),
        element("h2", headline or isolate(article.headline), id="wb-article-title", tabindex=-1),
        element("p", isolate(article.byline), class_="wb-byline") if article.byline else "",
    ]
    if citation is not None:
        parts.append(_legend(texts, exact=exact, number=number))
    origin = f"{escape(texts.source_file)} {element('code', escape(article.source))}"
    foot = element("p", origin, class_="wb-origin")
    if article.doubts:
        doubts = "".join(element("li", isolate(doubt)) for doubt in article.doubts)
        foot += element("details", element("summary", escape(texts.doubts)) + element("ul", doubts), class_="wb-doubts")
    head = element("header", "".join(parts))
    main = element("div", paragraphs, class_="wb-body", lang="zh")
    return element("article", head + main + element("footer", foot), class_="wb-article")


def _legend(texts: Texts, *, exact: bool, number: int | None) -> str:
    if not exact:
        return element("p", escape(texts.changed), class_="wb-notice", role="status")
    label = texts.quoted_here if number is not None else texts.nearest_here
    mark = element("span", f"[{number}]" if number is not None else "≈", class_="wb-legend-mark")
    return element("p", f"{mark} {escape(label)}", class_="wb-legend" if number is not None else "wb-legend wb-near")


def _outside(ranges: Sequence[Span], length: int) -> Spans:
    gaps: list[Span] = []
    at = 0
    for low, high in ranges:
        if at < low:
            gaps.append((at, low))
        at = max(at, high)
    if at < length:
        gaps.append((at, length))
    return tuple(gaps)


def _pieces(text: str, ranges: Sequence[Span], marks: Sequence[Span], words: Sequence[Span]) -> Iterator[Marked]:
    """Yield the text of `ranges`, cut where a mark, or the words that answer, begin or end."""
    edges = {edge for span in (*marks, *words) for edge in span}
    for low, high in ranges:
        for start, end in pairwise(sorted({low, high, *(edge for edge in edges if low < edge < high)})):
            yield Marked(text[start:end], _inside(start, marks), _inside(start, words))


def _inside(place: int, spans: Sequence[Span]) -> bool:
    return any(start <= place < end for start, end in spans)


def _lines(pieces: Iterator[Marked], *, wrapped: bool) -> Iterator[list[Marked]]:
    """Yield the paragraphs. In a text set in columns (`wrapped`), a line end inside a sentence does not end one."""
    line: list[Marked] = []
    written, last = 0, ""
    for piece in pieces:
        for text, line_break in _stretches(piece.text):
            line.append(replace(piece, text=text))
            here = text.strip()
            written, last = written + len(here), here[-1:] or last
            goes_on = line_break.count("\n") == 1 and written >= _WRAPPED_LINE and last not in _ENDS_SENTENCE
            if line_break and written and not (wrapped and goes_on):
                yield line
                line, written, last = [], 0, ""
    if written:
        yield line


def _stretches(text: str) -> Iterator[tuple[str, str]]:
    """Yield what ends with each line break, and the break; at last what follows them, with none."""
    at = 0
    for found in _BREAK.finditer(text):
        yield text[at : found.end()], found[0]
        at = found.end()
    yield text[at:], ""


def _is_wrapped(text: str) -> bool:
    """Say whether most lines of a text end inside a sentence."""
    breaks = [found for found in _BREAK.finditer(text) if found[0].count("\n") == 1]
    inside = sum(text[found.start() - 1] not in _ENDS_SENTENCE for found in breaks if found.start())
    return inside > len(breaks) / 2


def _text(line: Sequence[Marked]) -> str:
    """Return a paragraph. White space of the page's layout stays in the text, unseen, so that quotes stay exact."""
    whole = "".join(piece.text for piece in line)
    start = 0
    placed: list[tuple[Marked, str]] = []
    for piece in line:
        placed.append((piece, _without_breaks(whole, start, start + len(piece.text))))
        start += len(piece.text)
    written: list[str] = []
    for marked, pieces in groupby(placed, key=lambda one: one[0].marked):
        content = ""
        for answers, group in groupby(pieces, key=lambda one: one[0].answers):
            words = "".join(html for _, html in group)
            content += element("strong", words) if answers and words else words
        if not written:
            content = _LEADING_SPACE.sub(lambda found: _unseen(found[0]), content)
        written.append(element("mark", content) if marked and content else content)
    return "".join(written)


def _without_breaks(line: str, start: int, end: int) -> str:
    """Return a part of a line as HTML, line breaks hidden; between two words in Latin letters they stay, as space."""
    parts: list[str] = []
    at = start
    for found in _BREAK.finditer(line, start, end):
        around = line[max(0, found.start() - 1) : found.start()] + line[found.end() : found.end() + 1]
        parts.append(escape(line[at : found.start()]))
        parts.append(found[0] if len(around) == 2 and around.isascii() else _unseen(found[0]))
        at = found.end()
    return "".join(parts) + escape(line[at:end])


def _unseen(space: str) -> str:
    return element("span", space, class_="wb-space")
