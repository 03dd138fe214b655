"""Answers and citations, and the check that every quote stands in its source, character by character."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from index.archive import Archive
from index.errors import ArchiveError
from index.records import Article
from index.spans import Spans, join_spans, spans_inside


@dataclass(frozen=True)
class Citation:
    """Where a quote stands: the `spans`, ranges into the decoded text of `source`, joined are the `quote`.

    `source` is the file's path below the folder that was indexed, `date` the article's publication date (ISO), `score`
    the score of the sentence, or of the passage among `nearest` (higher is better, comparable within one answer only).
    """

    quote: str
    spans: Spans
    source: str
    article_id: str
    headline: str
    paper: str | None
    date: str | None
    section: str | None
    score: float


@dataclass(frozen=True)
class Answer:
    """The answer to a question, in words of the archive only.

    `found` says whether the archive answers. Then `answer` is quoted text and `citations` say where each part stands.
    Otherwise `answer` and `citations` are empty, and `nearest` holds the passages that came closest. `confidence` is
    the estimated probability that the archive answers with what is quoted. `timings` are milliseconds by stage.
    """

    question: str
    found: bool
    answer: str
    confidence: float
    citations: tuple[Citation, ...]
    nearest: tuple[Citation, ...] = ()
    timings: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as plain lists, dicts, strings and numbers, for JSON."""
        return asdict(self)


def cite(article: Article, quote: str, spans: Spans, score: float) -> Citation:
    """Return the citation of a quote from an article."""
    return Citation(
        quote=quote,
        spans=spans,
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
        if not spans_inside(citation.spans, len(text)) or join_spans(text, citation.spans) != citation.quote:
            raise ArchiveError(
                f"A quote from {citation.source} at {citation.spans} differs from the source, so the answer is "
                "withheld. The archive is damaged: run wenbao index verify, then rebuild it."
            )
