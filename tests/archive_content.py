"""What an archive holds, to compare two of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from index.archive import Archive


def content(archive: Archive, words: Sequence[str]) -> dict[str, Any]:
    """Return what an archive holds, whatever the rows: texts, spans, vectors, and the passages that hold each word."""
    passages = archive.passages_at(list(range(archive.manifest.counts.passages)))
    articles = archive.articles_at([passage.article_row for passage in passages])
    vectors = archive.vectors.fetch(np.arange(len(passages)))
    places = [(article.id, passage.ordinal) for article, passage in zip(articles, passages, strict=True)]
    return {
        "sources": {source.name: source for source in archive.sources()},
        "articles": {article.id: article for article in archive.articles(imprints=True)},
        "passages": {
            place: (passage.text, passage.spans, vector.round(4).tolist())
            for place, passage, vector in zip(places, passages, vectors, strict=True)
        },
        "keywords": {
            word: {places[row] for row in archive.keywords.search([word], 1000, field="bigrams")[0]} for word in words
        },
        "rejections": {(one.name, one.reason) for one in archive.rejections()},
    }
