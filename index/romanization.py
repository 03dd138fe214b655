"""Pinyin of neighbouring characters, so that a name written in Latin letters finds the Chinese one.

A question in English names people and places in pinyin; no encoder of this size connects the two reliably.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from runpy import run_path

from index.folding import fold_text

_HAN_RUNS = re.compile(r"[\u3400-\u9fff]{2,}")
_LATIN_WORD = re.compile(r"(?<![a-z'])[a-z][a-z']{3,39}(?![a-z'])")
_MARK = "@"
_LOADING = threading.Lock()


def _readings() -> dict[str, str]:
    """Return the main reading of each character, without tones, ü written v."""
    with _LOADING:  # once, also where several threads need it at the same time
        return _loaded_readings()


@lru_cache(maxsize=1)
def _loaded_readings() -> dict[str, str]:
    return {chr(code): _without_tone(readings.split(",")[0]) for code, readings in _readings_with_tones().items()}


def _readings_with_tones() -> Mapping[int, str]:
    """Return pypinyin's readings of characters, by code point.

    From their file: the package loads those of phrases too, which take four times as long and are not needed.
    """
    package = find_spec("pypinyin")
    for folder in (package.submodule_search_locations or []) if package else []:
        if (path := Path(folder) / "pinyin_dict.py").is_file():
            return dict(run_path(str(path))["pinyin_dict"])
    from pypinyin.constants import PINYIN_DICT

    return PINYIN_DICT


@lru_cache(maxsize=1)
def _syllables() -> frozenset[str]:
    return frozenset(reading for reading in _readings().values() if re.fullmatch("[a-z]*[aeiouv][a-z]*", reading))


def pinyin_pairs(text: str) -> list[str]:
    """Return the pinyin of each pair of neighbouring Chinese characters of a text, as search terms."""
    readings = _readings()
    terms: list[str] = []
    for run in _HAN_RUNS.findall(fold_text(text)):
        spoken = [readings.get(character, "") for character in run]
        terms.extend(f"{_MARK}{left}{right}" for left, right in pairwise(spoken) if left and right)
    return terms


def pinyin_pairs_of_names(text: str) -> list[str]:
    """Return the terms of `pinyin_pairs` that the Latin words of a text spell, such as the name of a town."""
    terms: list[str] = []
    for word in _LATIN_WORD.findall(fold_text(text)):
        syllables = _split_syllables(word)
        terms.extend(f"{_MARK}{left}{right}" for left, right in pairwise(syllables))
    return terms


def _split_syllables(word: str) -> tuple[str, ...]:
    """Return the syllables of a word that is pinyin all through (the fewest and longest), empty where it is not."""
    parts = word.split("'")
    if len(parts) > 1:
        split = [_split_syllables(part) for part in parts]
        return tuple(syllable for part in split for syllable in part) if all(split) else ()
    best: dict[int, tuple[str, ...]] = {0: ()}
    for end in range(1, len(word) + 1):
        starts = (start for start in range(max(0, end - 6), end) if start in best and word[start:end] in _syllables())
        splits = [(*best[start], word[start:end]) for start in starts]
        if splits:
            best[end] = min(splits, key=len)
    return best.get(len(word), ())


def _without_tone(reading: str) -> str:
    decomposed = unicodedata.normalize("NFD", reading.replace("ü", "v"))
    plain = decomposed.replace("u\u0308", "v")
    return "".join(character for character in plain if not unicodedata.combining(character))
