"""Retrieval: the passages most likely to answer, from dense and keyword search, fused."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from index.archive import Archive, Filters, PassageRow
from index.cpu import usable_cores
from index.encoder import Encoder
from index.folding import fold_text
from index.keywords import FIELDS
from index.records import Article
from qa.fusion import Evidence, Scores, fuse
from qa.question import Question

Rows = npt.NDArray[np.int64]
CANDIDATES = 200
_NEAR_DUPLICATE = 0.8
_SHINGLE = 4
_NUMBER = re.compile(r"\d+(?:[.．]\d+)?")


@dataclass(frozen=True)
class Stages:
    """How one passage came to its place: rank (from 1, None if not near the top) and score in each list."""

    dense_rank: int | None
    dense: float
    words_rank: int | None
    words: float
    bigrams_rank: int | None
    bigrams: float
    features: dict[str, float]


@dataclass(frozen=True)
class Hit:
    """A retrieved passage with its article; `duplicates` are passages that say the same, collapsed into it."""

    passage: PassageRow
    article: Article
    score: float
    stages: Stages
    duplicates: tuple[PassageRow, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the hit as plain lists, dicts, strings and numbers, for JSON; `duplicates` is their number."""
        return {
            "article_id": self.article.id,
            "headline": self.article.headline,
            "paper": self.article.paper,
            "date": self.article.date,
            "section": self.article.section,
            "source": self.article.source,
            "ordinal": self.passage.ordinal,
            "text": self.passage.text,
            "spans": self.passage.spans,
            "score": round(self.score, 4),
            "stages": asdict(self.stages),
            "duplicates": len(self.duplicates),
        }


@dataclass(frozen=True)
class Retrieval:
    """The hits of a question, best first, the question's vector, and what the indexes said of all candidates."""

    hits: tuple[Hit, ...]
    vector: npt.NDArray[np.float32]
    evidence: Evidence


@dataclass(frozen=True)
class Gathered:
    """The candidates of one question: their rows, sorted; the dense, words and bigrams lists, each best first; the
    question's vector, and the evidence for each row.
    """

    rows: Rows
    lists: tuple[Rows, Rows, Rows]
    vector: npt.NDArray[np.float32]
    evidence: Evidence


@dataclass(frozen=True)
class _FoundByKeywords:
    """The rows of the words and the bigrams list together, sorted, both scores of each, and the lists, best first."""

    rows: Rows
    words: Scores
    bigrams: Scores
    lists: tuple[Rows, Rows]


class Retriever:
    """Searches one archive with one encoder; safe to use from several threads."""

    def __init__(self, archive: Archive, encoder: Encoder) -> None:
        archive.require_encoder(encoder.identity)
        self.archive = archive
        self.encoder = encoder
        self._keyword_pool = ThreadPoolExecutor(usable_cores(), thread_name_prefix="keywords")

    def retrieve(self, question: Question, k: int = 10, filters: Filters | None = None) -> Retrieval:
        """Return the `k` best distinct passages for a question.

        Raises:
            InputError: a filter cannot be understood.
        """
        found = self.gather(question, filters)
        fusion = fuse(found.evidence)
        order = np.lexsort((found.rows, -fusion.scores))
        dense_ranks, words_ranks, bigrams_ranks = (_ranks(rows) for rows in found.lists)

        def stages(place: int) -> Stages:
            row = int(found.rows[place])
            return Stages(
                dense_rank=dense_ranks.get(row),
                dense=float(found.evidence.dense[place]),
                words_rank=words_ranks.get(row),
                words=float(found.evidence.words[place]),
                bigrams_rank=bigrams_ranks.get(row),
                bigrams=float(found.evidence.bigrams[place]),
                features=fusion.explain(place),
            )

        hits = self._collapse(found.rows[order], fusion.scores[order], order, stages, k)
        return Retrieval(hits, found.vector, found.evidence)

    def gather(
        self, question: Question, filters: Filters | None = None, vector: npt.NDArray[np.float32] | None = None
    ) -> Gathered:
        """Return the best passages of each list, and what every index says of each of them.

        `vector` is the question's, where it is known already.

        Raises:
            InputError: a filter cannot be understood.
        """
        allowed = self.archive.rows_matching(filters) if filters else None
        # Words need no vector, and keep another core busy until the vector's neighbours are found.
        finding = self._keyword_pool.submit(self._find_keywords, question, allowed)
        if vector is None:
            vector = self.encoder.encode_queries([fold_text(question.text, casefold=False)])[0]
        dense = self.archive.vectors.search(vector[None, :], CANDIDATES, allowed)[0][0]
        found = finding.result()
        rows = np.union1d(dense, found.rows)
        scoring_bigrams = self._keyword_pool.submit(self._score, question, "bigrams", rows, found.rows, found.bigrams)
        evidence = Evidence(
            # Not `@`, whose threads would go on waiting for more while the passages are read.
            dense=np.einsum("ij,j->i", self.archive.vectors.fetch(rows), vector),
            words=self._score(question, "words", rows, found.rows, found.words),
            bigrams=scoring_bigrams.result(),
        )
        return Gathered(rows, (dense, *found.lists), vector, evidence)

    def _find_keywords(self, question: Question, allowed: Rows | None) -> _FoundByKeywords:
        """Return the best rows of both lists, with the scores that either gives them."""
        words, bigrams = (
            self.archive.keywords.search(getattr(question, field), CANDIDATES, field=field, rows=allowed)
            for field in FIELDS
        )
        rows = np.union1d(words[0], bigrams[0])
        return _FoundByKeywords(
            rows,
            words=self._score(question, "words", rows, *words),
            bigrams=self._score(question, "bigrams", rows, *bigrams),
            lists=(words[0], bigrams[0]),
        )

    def _score(self, question: Question, field: str, rows: Rows, known: Rows, scores: Scores) -> Scores:
        """Return the BM25 score of every row, sorted, given those of some."""
        result = np.zeros(len(rows), np.float32)
        result[np.searchsorted(rows, known)] = scores
        others = np.setdiff1d(rows, known, assume_unique=True)
        found, found_scores = self.archive.keywords.search(
            getattr(question, field), len(others), field=field, rows=others
        )
        result[np.searchsorted(rows, found)] = found_scores
        return result

    def _collapse(
        self, rows: Rows, scores: Scores, places: Rows, stages: Callable[[int], Stages], k: int
    ) -> tuple[Hit, ...]:
        """Return the first `k` passages that say something new; the others go to the hit they repeat."""
        kept: list[tuple[PassageRow, int]] = []
        kept_likeness: list[_Likeness] = []
        repeats: list[list[PassageRow]] = []
        for start in range(0, len(rows), 2 * k):
            for offset, passage in enumerate(self.archive.passages_at(rows[start : start + 2 * k].tolist())):
                own = _Likeness(passage.text)
                same = next((place for place, other in enumerate(kept_likeness) if own.is_near(other)), None)
                if same is not None:
                    repeats[same].append(passage)
                elif len(kept) < k:
                    kept.append((passage, start + offset))
                    kept_likeness.append(own)
                    repeats.append([])
            if len(kept) >= k:
                break
        articles = self.archive.articles_at([passage.article_row for passage, _ in kept])
        return tuple(
            Hit(passage, article, float(scores[position]), stages(int(places[position])), tuple(repeated))
            for (passage, position), article, repeated in zip(kept, articles, repeats, strict=True)
        )


def _ranks(rows: Rows) -> dict[int, int]:
    return {int(row): rank for rank, row in enumerate(rows, start=1)}


@dataclass(frozen=True)
class _Likeness:
    """What tells whether two passages say the same: overlapping runs of letters, and the numbers.

    Reports of two days may differ in nothing but a few figures, and say something else.
    """

    text: str

    @cached_property
    def _letters(self) -> str:
        return "".join(self.text.split())

    @cached_property
    def _numbers(self) -> frozenset[str]:
        return frozenset(_NUMBER.findall(self._letters))

    @cached_property
    def _shingles(self) -> frozenset[str]:
        letters = self._letters
        return frozenset(letters[i : i + _SHINGLE] for i in range(max(1, len(letters) - _SHINGLE + 1)))

    def is_near(self, other: _Likeness) -> bool:
        """Say whether the two say the same; the numbers, which settle most pairs, are compared first."""
        return (
            _jaccard(self._numbers, other._numbers) >= _NEAR_DUPLICATE
            and _jaccard(self._shingles, other._shingles) >= _NEAR_DUPLICATE
        )


def _jaccard(left: frozenset[str], right: frozenset[str]) -> float:
    small, large = sorted((len(left), len(right)))
    if large == 0:
        return 1.0
    if small < _NEAR_DUPLICATE * large:
        return 0.0
    shared = len(left & right)
    return shared / (small + large - shared)
