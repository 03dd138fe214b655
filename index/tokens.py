"""Tokens for the keyword index: jieba's search mode over folded text."""

from __future__ import annotations

import logging
import re
import threading
from functools import lru_cache
from typing import TYPE_CHECKING

from index.folding import FOLDING_VERSION, fold_text

if TYPE_CHECKING:
    from jieba import Tokenizer

_LOCK = threading.Lock()
MAX_TOKEN_LENGTH = 64
_RUNS = re.compile(
    r"[\u3400-\u9fff\u3040-\u30ff]+|[^\W\u3400-\u9fff\u3040-\u30ff]+(?:[.,:/-][^\W\u3400-\u9fff\u3040-\u30ff]+)*%?"
)


@lru_cache(maxsize=1)
def _tokenizer() -> Tokenizer:
    import jieba

    from index.cache import cache_folder
    from index.word_cutting import OnePassTokenizer

    jieba.setLogLevel(logging.WARNING)
    tokenizer = OnePassTokenizer(cache_folder("jieba"))
    tokenizer.initialize()
    return tokenizer


def warm_up() -> None:
    """Load jieba's dictionary (half a second; two the first time) before the first request needs it."""
    with _LOCK:
        _tokenizer()


def tokenizer_identity() -> dict[str, str]:
    """Return what an archive's manifest says of the tokens it was built with."""
    import jieba

    return {
        "tokenizer": "jieba",
        "version": jieba.__version__,
        "mode": "search",
        "pairs": "han+pinyin",
        "folding": str(FOLDING_VERSION),
    }


def tokenize(text: str) -> list[str]:
    """Return the search tokens of a text in order: words, and the shorter words inside long ones.

    Punctuation and white space give no token. Tokens hold no white space and at most `MAX_TOKEN_LENGTH` characters.
    """
    warm_up()
    return [
        token[:MAX_TOKEN_LENGTH]
        for token in _tokenizer().lcut_for_search(fold_text(text))
        if any(character.isalnum() for character in token)
    ]


def dictionary_words(text: str) -> list[str]:
    """Return the text cut into words of jieba's dictionary, nothing guessed and nothing folded."""
    warm_up()
    return [str(word) for word in _tokenizer().lcut(text, HMM=False)]


def character_bigrams(text: str) -> list[str]:
    """Return each pair of neighbouring Chinese or kana characters, and each Latin word or number whole.

    A lone character stands for itself. Pairs find names that jieba cuts differently in the question and the article.
    """
    terms: list[str] = []
    for run in _RUNS.findall(fold_text(text)):
        if run[0] < "\u3040" or run[0] > "\u9fff" or len(run) == 1:
            terms.append(run[:MAX_TOKEN_LENGTH])
        else:
            terms.extend(run[i : i + 2] for i in range(len(run) - 1))
    return terms
