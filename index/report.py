"""What an archive looks like as a whole: when and where articles appeared, what is doubtful, what is there twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from index.archive import Archive, PassageRow
from index.manifest import Manifest
from index.records import Article, Rejection
from index.tokens import character_bigrams
from index.vectors import Vectors, spread_rows

MAP_POINTS = 3000
_NEIGHBOURS = 6
_SEARCHED_AT_ONCE = 1024
# Lead passages this near are compared by their words; those of unrelated articles hardly ever are.
_LEAST_COSINE = 0.93
_LEAST_SHARED = 0.7
_SNIPPET = 60


@dataclass(frozen=True)
class Doubt:
    """What the page cutter was unsure of in an article."""

    headline: str
    source: str
    doubts: tuple[str, ...]


@dataclass(frozen=True)
class MapPoint:
    """A passage on the map, both coordinates from 0 to 1; `group` is its paper, or its month where there is one."""

    x: float
    y: float
    group: str
    headline: str
    snippet: str


@dataclass(frozen=True)
class ArchiveReport:
    """The figures of an archive.

    `months` (`YYYY-MM`, empty for no date) and `papers` count articles, `lengths` are those of the passages in
    characters. `families` are articles that tell the same in nearly the same words; `spread` is the share of the
    vectors' variance that the map shows.
    """

    manifest: Manifest
    bytes: int
    months: dict[str, int]
    papers: dict[str, int]
    lengths: tuple[int, ...]
    doubts: tuple[Doubt, ...]
    families: tuple[tuple[Article, ...], ...]
    rejections: tuple[Rejection, ...]
    points: tuple[MapPoint, ...]
    spread: float


def report_archive(archive: Archive) -> ArchiveReport:
    """Return the figures of an archive.

    Raises:
        ArchiveError: it is damaged.
    """
    articles = archive.articles()
    passages = archive.passages_at(list(range(archive.manifest.counts.passages)))
    points, spread = _map(archive, passages)
    return ArchiveReport(
        manifest=archive.manifest,
        bytes=sum(record.size for record in archive.manifest.files.values()),
        months=dict(sorted(Counter((article.date or "")[:7] for article in articles).items())),
        papers=dict(Counter(article.paper or "" for article in articles).most_common()),
        lengths=tuple(len(passage.text) for passage in passages),
        doubts=tuple(Doubt(one.headline, one.source, one.doubts) for one in articles if one.doubts),
        families=tuple(near_duplicates(archive, passages)),
        rejections=tuple(archive.rejections()),
        points=points,
        spread=spread,
    )


def near_duplicates(archive: Archive, passages: Sequence[PassageRow]) -> list[tuple[Article, ...]]:
    """Return the families of articles whose first passages share most of their character pairs, the largest first.

    Candidates are neighbours in the vector index; a short article inside a longer one is of its family. `passages` are
    all of the archive's.
    """
    leads = [passage for passage in passages if passage.ordinal == 0]
    if len(leads) < 2:
        return []
    rows = np.array([passage.row for passage in leads], np.int64)
    place_of = {passage.row: place for place, passage in enumerate(leads)}
    pairs = [frozenset(character_bigrams(passage.text)) for passage in leads]
    parent = list(range(len(leads)))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = place = parent[parent[place]]
        return place

    for start in range(0, len(leads), _SEARCHED_AT_ONCE):
        vectors = archive.vectors.fetch(rows[start : start + _SEARCHED_AT_ONCE])
        found, scores = archive.vectors.search(vectors, _NEIGHBOURS, rows)
        for place, (near, cosines) in enumerate(zip(found, scores, strict=True), start):
            for row, cosine in zip(near.tolist(), cosines.tolist(), strict=True):
                other = place_of[row]
                if other > place and cosine >= _LEAST_COSINE and _shared(pairs[place], pairs[other]) >= _LEAST_SHARED:
                    parent[root(other)] = root(place)
    families: dict[int, list[int]] = {}
    for place in range(len(leads)):
        families.setdefault(root(place), []).append(leads[place].article_row)
    several = sorted((family for family in families.values() if len(family) > 1), key=lambda family: -len(family))
    return [tuple(archive.articles_at(family)) for family in several]


def _shared(left: frozenset[str], right: frozenset[str]) -> float:
    return len(left & right) / max(min(len(left), len(right)), 1)


def _map(archive: Archive, passages: Sequence[PassageRow]) -> tuple[tuple[MapPoint, ...], float]:
    """Return passages, evenly chosen, on the two main axes of their vectors (principal components)."""
    rows = spread_rows(len(passages), MAP_POINTS)
    places, spread = principal_plane(archive.vectors.fetch(rows))
    shown = [passages[row] for row in rows]
    articles = archive.articles_at([passage.article_row for passage in shown])
    groups = _groups(articles)
    return tuple(
        MapPoint(float(x), float(y), group, article.headline, passage.text[:_SNIPPET])
        for (x, y), group, article, passage in zip(places, groups, articles, shown, strict=True)
    ), spread


def _groups(articles: Sequence[Article]) -> list[str]:
    papers = [article.paper or "" for article in articles]
    return papers if len(set(papers)) > 1 else [(article.date or "")[:7] for article in articles]


def principal_plane(vectors: Vectors) -> tuple[Vectors, float]:
    """Return vectors on their two principal axes, each from 0 to 1, shape (n, 2), and the variance these hold."""
    centred = vectors - vectors.mean(axis=0)
    covariance = centred.T @ centred
    values, axes = np.linalg.eigh(covariance)
    plane = centred @ axes[:, :-3:-1]
    low, high = plane.min(axis=0), plane.max(axis=0)
    spread = float(values[-2:].sum() / max(values.sum(), 1e-12))
    scaled: Vectors = ((plane - low) / np.maximum(high - low, 1e-9)).astype(np.float32)
    return scaled, spread
