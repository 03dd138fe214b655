"""What a source becomes in the database, worked out in full before anything is written: a fault then writes nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from index.encoded_text import encoded_text, text_digest
from index.records import Article, Passage, Source

Value = str | int | None


@dataclass(frozen=True)
class PassageColumns:
    """The columns of a passage behind its row and its article's; the digest is of the text given to the encoder."""

    columns: tuple[Value, ...]
    encoded_digest: str


@dataclass(frozen=True)
class ArticleColumns:
    """The columns of an article but its row and its source's, the id first, and its passages."""

    columns: tuple[Value, ...]
    passages: tuple[PassageColumns, ...]


@dataclass(frozen=True)
class SourceRows:
    """The columns of a source behind its row, and its articles."""

    name: str
    columns: tuple[Value, ...]
    articles: tuple[ArticleColumns, ...]


def rows_of_source(source: Source, file: str, articles: Sequence[tuple[Article, Sequence[Passage]]]) -> SourceRows:
    """Return the rows of a source that came from a file, with its articles and their passages.

    Raises:
        UnicodeEncodeError: a text holds what the database cannot store.
    """
    columns = (
        file, source.name, source.text, source.sha256, source.media_type, source.encoding, source.headline, source.date,
        source.paper, source.section, source.url,
    )  # fmt: skip
    return SourceRows(
        source.name, _storable(columns), tuple(_article_row(article, passages) for article, passages in articles)
    )


def _article_row(article: Article, passages: Sequence[Passage]) -> ArticleColumns:
    columns = (
        article.id, article.headline, article.byline, article.date, json.dumps(article.event_dates), article.paper,
        article.section, json.dumps(article.spans), json.dumps(article.headline_spans), article.text, article.url,
        article.kind, json.dumps(article.doubts, ensure_ascii=False),
    )  # fmt: skip
    return ArticleColumns(_storable(columns), tuple(_passage_row(article, passage) for passage in passages))


def _passage_row(article: Article, passage: Passage) -> PassageColumns:
    digest = text_digest(encoded_text(article.headline, passage.text))
    return PassageColumns(_storable((passage.ordinal, passage.text, json.dumps(passage.spans), digest)), digest)


def _storable(columns: tuple[Value, ...]) -> tuple[Value, ...]:
    for value in columns:
        if isinstance(value, str):
            value.encode()  # SQLite takes UTF-8 only, and would refuse a lone surrogate when half is written
    return columns
