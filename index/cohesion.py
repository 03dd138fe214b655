"""Cohesion: how much two stretches of a page speak of the same things.

Pairs of neighbouring characters stand in for words: no dictionary is needed, and names count like any word. A pair
that many paragraphs of the page share says little; a pair that two stretches share and no other has says much.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

_RUN = re.compile(r"[\u3400-\u9fff]+|[A-Za-z]{3,}|\d{2,}")
_FUNCTION = frozenset("的了在是和与及有为将对并也就都而中等以于到从不个这那一上下年月日")


def pairs(text: str) -> list[str]:
    """Return the character pairs of the Chinese runs of `text`, its Latin words and its figures."""
    found: list[str] = []
    for run in _RUN.findall(text):
        if "\u3400" <= run[0] <= "\u9fff":
            found.extend(
                run[index : index + 2]
                for index in range(len(run) - 1)
                if run[index] not in _FUNCTION and run[index + 1] not in _FUNCTION
            )
        else:
            found.append(run.lower())
    return found


class Cohesion:
    """Similarity of stretches of one page, with pairs weighted by how rare they are among its paragraphs."""

    def __init__(self, paragraphs: Sequence[str]) -> None:
        self._count = len(paragraphs)
        frequency: Counter[str] = Counter()
        for paragraph in paragraphs:
            frequency.update(set(pairs(paragraph)))
        self._weights = {pair: math.log((self._count + 1) / (times + 0.5)) for pair, times in frequency.items()}

    def bag(self, texts: Iterable[str]) -> dict[str, float]:
        """Return the weighted pairs of a stretch, damped so that repetition counts little."""
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(pairs(text))
        return {
            pair: self._weights.get(pair, 0.0) * (1 + math.log(times))
            for pair, times in counts.items()
            if self._weights.get(pair, 0.0) > 0
        }

    @staticmethod
    def cosine(left: dict[str, float], right: dict[str, float]) -> float:
        """Return the cosine of two bags."""
        if not left or not right:
            return 0.0
        if len(left) > len(right):
            left, right = right, left
        product = sum(weight * right[pair] for pair, weight in left.items() if pair in right)
        return product / math.sqrt(sum(w * w for w in left.values()) * sum(w * w for w in right.values()))

    @staticmethod
    def cover(part: dict[str, float], whole: dict[str, float]) -> float:
        """Return the share of the weight of `part` whose pairs occur in `whole`."""
        total = sum(part.values())
        return sum(weight for pair, weight in part.items() if pair in whole) / total if total else 0.0
