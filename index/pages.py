"""From a page to its articles: find what opens an article, join what columns broke, leave the furniture out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from index.assembly import assemble
from index.bylines import dateline_author, is_bare_date, is_dateline, lead_byline, lead_paper, signature_at_end
from index.columns import settle
from index.dates import full_date, stated_dates, valid_date
from index.drafts import Draft, make_drafts
from index.furniture import LATIN_PAPER, Role, assign_roles, names_staff
from index.headlines import Kind
from index.lines import Line, split_lines
from index.marks import part_turns, strip_headings
from index.records import Article, ArticleKind, Source
from index.sentences import split_sentences
from index.spans import Span, Spans, join_spans, merge_adjacent, trim_spans

LONGEST_PAGE = 300_000
MOST_LINES = 6_000
LONGEST_MADE_HEADLINE = 40


@dataclass(frozen=True)
class Page:
    """A source cut into articles. `furniture` is what belongs to none; `doubts` says what the cutter was unsure of."""

    articles: tuple[Article, ...]
    furniture: Spans
    doubts: tuple[str, ...]


def split_page(source: Source) -> Page:
    """Cut a source into articles and furniture.

    Every character of the source that is not white space is in exactly one article or in the furniture.
    """
    text = source.text
    if not text.strip():
        return Page((), (), ())
    if source.media_type in ("csv", "jsonl"):
        return Page((_record_article(source),), (), ())
    if len(text) > LONGEST_PAGE:
        return Page((_whole_article(source, "too long for a newspaper page, so kept as one article"),), (), ())
    lines = split_lines(text)
    signs: list[Span] = []
    if source.media_type == "markdown":
        lines, signs = strip_headings(lines)
    lines = part_turns(lines)
    if len(lines) > MOST_LINES:
        return Page((_whole_article(source, "too many lines for a newspaper page, so kept as one article"),), (), ())
    roles = assign_roles(lines)
    furniture = [line for line in lines if roles[line.number] is Role.FURNITURE]
    imprint = [line for line in lines if roles[line.number] is Role.IMPRINT]
    body = [line for line in lines if roles[line.number] in (Role.TEXT, Role.EDITOR, Role.CONTACT)]
    details = _page_details(source, lines, roles)
    articles: list[Article] = []
    if body:
        drafts, turns = make_drafts(body)
        furniture = sorted([*furniture, *turns], key=lambda line: line.start)
        settle(drafts)
        named = source.headline if len(drafts) == 1 else None
        articles = [_article(source, draft, details, named) for draft in drafts]
    if imprint:
        articles.append(_imprint_article(source, imprint, details))
    articles = _of_one_paper(articles)
    doubts = tuple(doubt for article in articles for doubt in article.doubts)
    return Page(tuple(articles), tuple(sorted([*signs, *((line.start, line.end) for line in furniture)])), doubts)


@dataclass(frozen=True)
class _Details:
    """What the page as a whole states."""

    date: str | None
    paper: str | None
    section: str | None


_SECTION = re.compile(
    r"第\s*[A-Za-z]?\s*\d{1,3}\s*版\s*[:：·]?\s*[\u4e00-\u9fff·/]{0,10}"
    r"|(?<![A-Za-z\d共日])\d{1,2}\s*版\s*[:：·|]?\s*[\u4e00-\u9fff·/]{2,8}|[Pp]age\s+[A-Z]?\d{1,3}"
    r"|(?<![A-Za-z\d])[A-Z]\d{1,2}\s+[A-Z][a-z]{3,12}(?![A-Za-z])"
    r"|(?<![\u4e00-\u9fff])[\u4e00-\u9fff]{2,6}版\s*[A-Za-z]\d{1,2}(?!\d)"
    r"|(?<![A-Za-z\d])[A-Za-z]{1,2}\d{1,3}\s*版?\s*[:：·]?\s*[\u4e00-\u9fff·/]{2,10}"
)

_PAPER = re.compile(
    r"(?<![\u4e00-\u9fff])(?!本报|每日|今日)[\u4e00-\u9fff]{2,8}?(?:[日晚早晨时商快周导][报刊]|都市报|青年报|[日晚時早週]報)(?=\s|社|$|[|｜·]|海外版)|^[\u4e00-\u9fff]{2,6}报(?=$|\s+(?:19|20)\d\d)"
)


def _page_details(source: Source, lines: Sequence[Line], roles: Sequence[Role]) -> _Details:
    """Return the date, paper and section that the page states outside its articles, the source's own first."""
    date = valid_date(source.date)
    section = source.section
    paper = source.paper
    for line in lines:
        outside = roles[line.number] is not Role.TEXT or is_dateline(line.text)
        if not outside or len(line.text) > 90:
            continue
        if date is None:
            date = full_date(line.text)
        if section is None and (found := _SECTION.search(line.text)):
            section = " ".join(found.group().split())
        if paper is None and (named := _PAPER.search(line.text)):
            paper = named.group()
        first = re.split(r"\s[—–|-]\s|\s{3,}|,", line.text)[0]
        if paper is None and roles[line.number] is Role.FURNITURE and LATIN_PAPER.match(first):
            paper = first
    return _Details(date, paper, section)


def _article(source: Source, draft: Draft, details: _Details, named: str | None = None) -> Article:
    """Return the article of a draft; `named` is the headline its source gives where the text has none."""
    lines = [*draft.titles, *(line for line, _ in draft.flow), *draft.captions]
    joins = [False] * len(lines)
    for index in range(len(draft.flow) - 1):
        joins[len(draft.titles) + index] = draft.joins(index)
    spans = assemble(source.text, lines, joins)
    text = join_spans(source.text, spans)
    headline_spans: Spans = merge_adjacent((line.start, line.end) for line in draft.titles)
    if headline_spans:
        headline = " ".join(" ".join(line.text.split()) for line in draft.titles)
    else:
        headline_spans = _made_headline(source.text, spans)
        headline = " ".join((named or join_spans(source.text, headline_spans)).split())
    return Article(
        id=article_id(source.name, text),
        source=source.name,
        headline=headline,
        byline=_byline(draft),
        date=details.date,
        event_dates=stated_dates(text, details.date),
        paper=source.paper
        or next((p for line, _ in draft.flow if (p := lead_paper(line.text))), None)
        or details.paper,
        section=details.section,
        spans=spans,
        headline_spans=headline_spans,
        text=text,
        url=source.url,
        doubts=tuple(draft.doubts),
    )


def _byline(draft: Draft) -> str:
    """Return the byline: its lines, else the brackets of the lead, else the signature at the end."""
    own = [line.text for line, kind in draft.flow if kind is Kind.BYLINE and not is_dateline(line.text)]
    written = [text for text in own if not names_staff(text) and not text.startswith(("来源", "來源"))]
    if written:
        return " ".join(written[:3])
    for line, kind in draft.flow[:3]:
        if kind is Kind.BYLINE and (author := dateline_author(line.text)):
            return author
    for line, kind in draft.flow[:6]:
        if kind is Kind.BODY and (found := lead_byline(line.text)):
            return found
    for line, kind in reversed(draft.flow):
        if kind is Kind.SIGNATURE and is_bare_date(line.text):
            continue
        if kind is Kind.SIGNATURE and names_staff(line.text):
            own.append(line.text.strip("()（）〔〕【】[] "))
            continue
        if kind is Kind.SIGNATURE:
            return line.text.strip("()（）〔〕【】 ")
        if kind is Kind.BODY and (found := signature_at_end(line.text)):
            return found
        if kind is Kind.BODY:
            break
    staff = [text for text in own if names_staff(text)]
    return " ".join((staff or own)[:3])


def article_id(name: str, text: str) -> str:
    """Return the id of an article: it depends on its source's name and its text alone."""
    return hashlib.sha256(f"{name}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _made_headline(text: str, spans: Spans) -> Spans:
    """Return spans that stand in for a missing headline: the first sentence, cut at 40 characters."""
    head = trim_spans(text, spans[:4])
    joined = join_spans(text, head)
    first = split_sentences(joined[:400])[0][1] if joined else 0
    remaining = min(first, LONGEST_MADE_HEADLINE)
    made: list[Span] = []
    for start, end in head:
        if remaining <= 0:
            break
        made.append((start, min(end, start + remaining)))
        remaining -= end - start
    return trim_spans(text, made)


def _whole_article(source: Source, doubt: str | None = None) -> Article:
    """Return the whole source as one article."""
    text = source.text
    spans = trim_spans(text, ((0, len(text)),))
    headline = source.headline or ""
    headline_spans: Spans = ()
    if headline:
        found = text.find(headline, 0, len(headline) + 200)
        headline_spans = ((found, found + len(headline)),) if found >= 0 else ()
    if not headline or not headline_spans:
        made = _made_headline(text, spans)
        headline_spans = made
        headline = headline or " ".join(join_spans(text, made).split())
    joined = join_spans(text, spans)
    date = valid_date(source.date)
    return Article(
        id=article_id(source.name, joined),
        source=source.name,
        headline=" ".join(headline.split()),
        byline=lead_byline(joined),
        date=date,
        event_dates=stated_dates(joined[:LONGEST_PAGE], date),
        paper=source.paper or lead_paper(joined),
        section=source.section,
        spans=spans,
        headline_spans=headline_spans,
        text=joined,
        url=source.url,
        doubts=(doubt,) if doubt else (),
    )


def _of_one_paper(articles: list[Article]) -> list[Article]:
    """Give every article the paper that some of them name in their leads: a page is of one paper."""
    papers = {article.paper for article in articles if article.paper}
    if len(papers) != 1:
        return articles
    (paper,) = papers
    return [article if article.paper else replace(article, paper=paper) for article in articles]


def _record_article(source: Source) -> Article:
    """Return the one article of a record: its text whole, its headline from its own field."""
    return _whole_article(source)


def _imprint_article(source: Source, lines: Sequence[Line], details: _Details) -> Article:
    """Return the imprint as an article, so that the hotline can be asked for."""
    spans = assemble(source.text, lines, [False] * len(lines))
    text = join_spans(source.text, spans)
    kind: ArticleKind = "imprint"
    first = lines[0]
    return Article(
        id=article_id(source.name, text),
        source=source.name,
        headline=details.paper or first.text,
        byline="",
        date=details.date,
        event_dates=(),
        paper=details.paper,
        section=details.section,
        spans=spans,
        headline_spans=((first.start, first.end),),
        text=text,
        url=source.url,
        kind=kind,
    )
