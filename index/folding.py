"""Folding: one spelling for search, with a map back to the place in the source.

Full and half width, compatibility forms, Traditional and Simplified, letter case and white space are folded for
search only; what is shown is always the source as it stands.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from index.spans import Span

FOLDING_VERSION = 1
_HAN_RANGES = ((0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF))
_KANA_AND_HAN_PUNCTUATION = (0x3000, 0x30FF)


@dataclass(frozen=True)
class Folded:
    """A folded text; character `i` of `text` came from `original[starts[i]:ends[i]]`."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def to_original(self, start: int, end: int) -> Span:
        """Return the range of the original text that the non-empty range `start..end` of `text` came from."""
        return self.starts[start], self.ends[end - 1]


@lru_cache(maxsize=1)
def _to_simplified() -> dict[int, str]:
    """Return the single characters that OpenCC turns from Traditional into Simplified."""
    import opencc

    characters = [chr(code) for low, high in _HAN_RANGES[:2] for code in range(low, high + 1)]
    converted = opencc.OpenCC("t2s").convert("\n".join(characters)).split("\n")
    pairs = zip(characters, converted, strict=True)
    return {ord(old): new for old, new in pairs if old != new and len(new) == 1}


def is_han(character: str) -> bool:
    """Say whether the character is a Chinese character."""
    code = ord(character)
    return any(low <= code <= high for low, high in _HAN_RANGES)


def _is_unspaced(character: str) -> bool:
    low, high = _KANA_AND_HAN_PUNCTUATION
    return is_han(character) or low <= ord(character) <= high


def _fold_cluster(cluster: str, *, casefold: bool) -> str:
    folded = unicodedata.normalize("NFKC", cluster)
    if casefold:
        folded = unicodedata.normalize("NFKC", folded.casefold())
    return folded.translate(_to_simplified())


@lru_cache(maxsize=65_536)
def _fold_character(character: str, casefold: bool) -> str:
    return _fold_cluster(character, casefold=casefold)


def fold(text: str, *, casefold: bool = True) -> Folded:
    """Fold a text for search: NFKC, Simplified characters, lower case unless `casefold` is false, one space a gap.

    White space at the ends and between two Chinese characters is dropped (columns break words, and newspapers space
    out short names); any other run of white space becomes one space. Control and format characters are dropped.
    """
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    gap: Span | None = None
    position, length = 0, len(text)
    while position < length:
        end = position + 1
        while end < length and text[end] > "\u02ff" and unicodedata.combining(text[end]):
            end += 1
        single = end == position + 1
        folded = (
            _fold_character(text[position], casefold)
            if single
            else _fold_cluster(text[position:end], casefold=casefold)
        )
        for character in folded:
            if character.isspace():
                gap = (gap[0] if gap else position, end)
                continue
            if not character.isprintable():
                continue
            if gap and characters and not (_is_unspaced(characters[-1]) and _is_unspaced(character)):
                characters.append(" ")
                starts.append(gap[0])
                ends.append(gap[1])
            gap = None
            characters.append(character)
            starts.append(position)
            ends.append(end)
        position = end
    return Folded("".join(characters), tuple(starts), tuple(ends))


def fold_text(text: str, *, casefold: bool = True) -> str:
    """Return `fold(text).text`, for where the way back is not needed; some twenty times as fast."""
    try:
        spaced = text.translate(_FOLDED[casefold])
    except _CombiningError:
        return fold(text, casefold=casefold).text
    return _GAP.sub(" ", _GAP_BETWEEN_UNSPACED.sub("", spaced.strip(" ")))


class _CombiningError(Exception):
    """A character changes the one before it, so that each cannot be folded by itself."""


class _FoldedCharacters(dict[int, str]):
    """What `str.translate` is to put for a character: it folded, white space as a space, nothing for a control one."""

    def __init__(self, casefold: bool) -> None:
        super().__init__()
        self._casefold = casefold

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if character > "\u02ff" and unicodedata.combining(character):
            raise _CombiningError
        folded = _fold_cluster(character, casefold=self._casefold)
        self[code] = "".join(" " if one.isspace() else one for one in folded if one.isspace() or one.isprintable())
        return self[code]


_FOLDED = {casefold: _FoldedCharacters(casefold) for casefold in (True, False)}
_UNSPACED = "[" + "".join(f"{chr(low)}-{chr(high)}" for low, high in (_KANA_AND_HAN_PUNCTUATION, *_HAN_RANGES)) + "]"
_GAP_BETWEEN_UNSPACED = re.compile(f"(?<={_UNSPACED}) +(?={_UNSPACED})")
_GAP = re.compile(" {2,}")


@lru_cache(maxsize=4096)
def fold_phrase(text: str) -> str:
    """Return `fold_text` of a short text, remembered: the candidates for an answer are looked at several times."""
    return fold_text(text)
