from __future__ import annotations

import logging
import stat
from pathlib import Path

import jieba
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index import tokens
from index.tokens import MAX_TOKEN_LENGTH, character_bigrams, tokenize
from index.word_cutting import OnePassTokenizer


def test_long_words_give_their_parts_too() -> None:
    assert {"志愿", "志愿者"} <= set(tokenize("志愿者"))


def test_traditional_and_full_width_give_the_same_tokens() -> None:
    assert tokenize("臺灣選手獲得５金") == tokenize("台湾选手获得5金")


def test_punctuation_gives_no_token() -> None:
    assert tokenize("，。！“”—— …") == []
    assert character_bigrams("，。！“”—— …") == []


def test_tokens_are_bounded_and_hold_no_space() -> None:
    tokens = tokenize("a" * 5000 + " 1 " + "字" * 300)
    assert tokens
    assert all(len(token) <= MAX_TOKEN_LENGTH and " " not in token for token in tokens)


def test_bigrams_keep_numbers_and_latin_words_whole() -> None:
    assert character_bigrams("捐款24.41万元,BA.5") == ["捐款", "24.41", "万元", "ba.5"]


@pytest.fixture(scope="module")
def jieba_as_it_comes() -> jieba.Tokenizer:
    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    tokenizer.initialize()
    return tokenizer


_WORDS = st.sampled_from(
    [
        "志愿者",
        "在",
        "体育馆",
        "一",
        "的",
        "研究生命起源",
        "結婚的和尚未結婚的",
        "买买提江",
        "，",
        "2023年",
        "BA.5",
        "𠮷",
        "\n",
    ]
)


@settings(max_examples=200, deadline=None)
@given(text=st.one_of(st.text(max_size=60), st.lists(_WORDS, max_size=30).map("".join)))
def test_words_are_cut_as_jieba_cuts_them(text: str, jieba_as_it_comes: jieba.Tokenizer) -> None:
    ours = tokens._tokenizer()
    assert ours.lcut_for_search(text) == jieba_as_it_comes.lcut_for_search(text)
    assert ours.lcut(text, HMM=False) == jieba_as_it_comes.lcut(text, HMM=False)


def test_jieba_keeps_its_cache_where_only_the_user_can_write(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WENBAO_CACHE_DIR", str(tmp_path))
    tokens._tokenizer.cache_clear()
    try:
        tokenize("报纸")
        assert stat.S_IMODE((tmp_path / "jieba").stat().st_mode) & 0o077 == 0
        assert list((tmp_path / "jieba").iterdir())
    finally:
        tokens._tokenizer.cache_clear()


def test_the_dictionary_is_kept_and_a_damaged_one_is_made_anew(tmp_path: Path) -> None:
    text = "青石桥加固工程昨日完成验收"
    first = OnePassTokenizer(tmp_path)
    words = first.lcut(text)
    (kept,) = tmp_path.iterdir()
    for damage in (None, b"", b"\xff" * 40, kept.read_bytes()[:1000]):
        if damage is not None:
            kept.write_bytes(damage)
        again = OnePassTokenizer(tmp_path)
        assert again.lcut(text) == words
        assert again.FREQ == first.FREQ
    assert OnePassTokenizer(tmp_path / "missing").lcut(text) == words  # nowhere to keep it
