"""From candidates to what is quoted: the best sentence, and a second one where it stands beside the first."""

from __future__ import annotations

from collections.abc import Sequence

from index.archive import PassageRow
from qa.reader import Candidate, ReadPassage

_SECOND_MARGIN = 0.35


def compose(candidates: Sequence[Candidate], passages: Sequence[ReadPassage]) -> tuple[Candidate, ...]:
    """Return the candidates to quote, in reading order: the best, and the next one when it is nearly as good.

    The second must stand in the same article, so that an answer never mixes two stories.
    """
    if not candidates:
        return ()
    best = candidates[0]
    article = _passage(best, passages).article_row
    for other in candidates[1:]:
        if best.score - other.score > _SECOND_MARGIN:
            break
        if _passage(other, passages).article_row == article:
            return tuple(sorted((best, other), key=lambda candidate: candidate.spans))
    return (best,)


def _passage(candidate: Candidate, passages: Sequence[ReadPassage]) -> PassageRow:
    return passages[candidate.passage].passage
