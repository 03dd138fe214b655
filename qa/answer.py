"""Answers and citations, and the check that every quote stands in its source, character by character."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from index.archive import Archive
from index.errors import ArchiveError
from index.records import Article
from index.spans import Span, Spans, join_spans, spans_inside


@dataclass(frozen=True)
class Citation:
    """Where a quote stands: the `spans`, ranges into the decoded text of `source`, joined are the `quote`.

    `answer` are the words inside the quote that answer, `answer_spans` where they stand; both are empty among
    `nearest`. `source` is the file's path below the folder that was indexed, `date` the article's publication date
    (ISO), `score` that of the answer, or of the passage among `nearest` (higher is better, comparable within one answer
    only).
    """

    quote: str
    spans: Spans
    answer: str
    answer_spans: Spans
    source: str
    article_id: str
    headline: str
    paper: str | None
    date: str | None
    section: str | None
    score: float

    @property
    def marked(self) -> Span | None:
        """The range of the quote that answers, None where nothing is marked."""
        if not self.answer_spans:
            return None
        start = 0
        for low, high in self.spans:
            if low <= self.answer_spans[0][0] < high:
                start += self.answer_spans[0][0] - low
                return start, start + len(self.answer)
            start += high - low
        return None


@dataclass(frozen=True)
class Answer:
    """The answer to a question, in words of the archive only.

    `found` says whether the archive answers. Then `answer` are the words that do, those of several citations on a line
    each, and `citations` say where they stand and quote the sentences around them. Otherwise `answer` and `citations`
    are empty, and `nearest` holds the passages that came closest. `confidence` is the estimated probability that the
    answer is right. `timings` are milliseconds by stage; they are not part of the answer and differ each time.
    """

    question: str
    found: bool
    answer: str
    confidence: float
    citations: tuple[Citation, ...]
    nearest: tuple[Citation, ...] = ()
    timings: dict[str, float] = field(default_factory=dict, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as plain lists, dicts, strings and numbers, for JSON; the same each time it is asked."""
        values = asdict(self)
        del values["timings"]
        return values


def cite(
    article: Article, quote: str, spans: Spans, score: float, *, answer: str = "", answer_spans: Spans = ()
) -> Citation:
    """Return the citation of a quote from an article, and of the words in it that answer."""
    return Citation(
        quote=quote,
        spans=spans,
        answer=answer,
        answer_spans=answer_spans,
        source=article.source,
        article_id=article.id,
        headline=article.headline,
        paper=article.paper,
        date=article.date,
        section=article.section,
        score=round(score, 4),
    )


def verify_citations(archive: Archive, citations: Iterable[Citation]) -> None:
    """Re-read every citation's source and compare, before an answer is shown.

    Raises:
        ArchiveError: a quote is not what its spans select; such a citation is never shown.
    """
    texts: dict[str, str] = {}
    for citation in citations:
        if citation.source not in texts:
            texts[citation.source] = archive.source(citation.source).text
        text = texts[citation.source]
        ranges = ((citation.spans, citation.quote), (citation.answer_spans, citation.answer))
        marked = citation.marked
        if not all(
            spans_inside(spans, len(text)) and join_spans(text, spans) == quoted for spans, quoted in ranges
        ) or (citation.answer and (marked is None or citation.quote[slice(*marked)] != citation.answer)):
            raise ArchiveError(
                f"A quote from {citation.source} at {citation.spans} differs from the source, so the answer is "
                "withheld. The archive is damaged: run wenbao index verify, then rebuild it."
            )
