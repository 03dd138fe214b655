"""Scores of answers against accepted ones, over characters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from index.folding import fold_text

_QUOTES_AND_FINAL = "\"'“”‘’「」『』《》〈〉"
_FINAL = "。．.！!？?；;，,、：:"
RIGHT_F1 = 0.8
CONTAINED_F1 = 0.6
CONTAINED_KINDS = frozenset({"long", "list", "why"})


def normalize_answer(text: str) -> str:
    """Return the text folded, without white space, quotes and final punctuation."""
    folded = "".join(fold_text(text).split())
    return "".join(character for character in folded if character not in _QUOTES_AND_FINAL).strip(_FINAL)


def character_f1(answer: str, accepted: str) -> float:
    """Return the F1 of the characters that two normalised texts share, counted as bags."""
    left, right = normalize_answer(answer), normalize_answer(accepted)
    shared = sum((Counter(left) & Counter(right)).values())
    if not shared:
        return float(left == right)
    precision, recall = shared / len(left), shared / len(right)
    return 2 * precision * recall / (precision + recall)


def exact_match(answer: str, accepted: str) -> bool:
    """Say whether two texts are equal once normalised."""
    return normalize_answer(answer) == normalize_answer(accepted)


def is_right(answer: str, accepted: Iterable[str], kind: str) -> bool:
    """Say whether an answer counts as right for a question of a kind.

    It equals an accepted string, or has a character F1 of at least 0.8 with one; for `long`, `list` and `why` it
    contains one, or has a character F1 of at least 0.6.
    """
    for text in filter(normalize_answer, accepted):
        f1 = character_f1(answer, text)
        if exact_match(answer, text) or f1 >= RIGHT_F1:
            return True
        if kind in CONTAINED_KINDS and (f1 >= CONTAINED_F1 or normalize_answer(text) in normalize_answer(answer)):
            return True
    return False
