"""Exact match and F1 of extractive answers as CMRC 2018 scores them (Cui et al. 2019): over characters, in order."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PUNCTUATION = frozenset(
    "-:_*^/\\~`+=，。：？！“”；’《》……·、「」（）－～『』"  # the published scorer's list
)


_WORDS = re.compile(r"\w+|[^\w\s]")


def cmrc_normalized(text: str) -> str:
    """Return the text in lower case without white space and the scorer's punctuation."""
    return "".join(c for c in text.strip().lower() if c not in _PUNCTUATION and not c.isspace())


def cmrc_tokens(text: str) -> list[str]:
    """Return the scorer's units: each Chinese character, and each word or mark of what stands between them."""
    tokens: list[str] = []
    run = ""
    for character in text.lower().strip():
        if character in _PUNCTUATION or "\u4e00" <= character <= "\u9fa5":
            if run:
                tokens += _WORDS.findall(run)
                run = ""
            if character not in _PUNCTUATION:
                tokens.append(character)
        else:
            run += character
    return tokens + _WORDS.findall(run)


def cmrc_f1(answer: str, accepted: Iterable[str]) -> float:
    """Return the best F1 over the accepted answers, by the longest common run of units."""
    return max((_f1(cmrc_tokens(answer), cmrc_tokens(text)) for text in accepted), default=0.0)


def cmrc_exact(answer: str, accepted: Iterable[str]) -> bool:
    """Say whether the answer equals an accepted one."""
    normalized = cmrc_normalized(answer)
    return any(normalized == cmrc_normalized(text) for text in accepted)


def _f1(answer: list[str], accepted: list[str]) -> float:
    common = _longest_common_run(answer, accepted)
    if not common:
        return 0.0
    precision, recall = common / len(answer), common / len(accepted)
    return 2 * precision * recall / (precision + recall)


def _longest_common_run(left: list[str], right: list[str]) -> int:
    best = 0
    lengths = [0] * (len(right) + 1)
    for one in left:
        before = 0
        for place, other in enumerate(right, 1):
            kept = lengths[place]
            lengths[place] = before + 1 if one == other else 0
            best = max(best, lengths[place])
            before = kept
    return best
