from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.romanization import pinyin_pairs, pinyin_pairs_of_names


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("青石", "How long is the Qingshi bridge?"),
        ("石家庄", "When did Shijiazhuang open?"),
        ("西安", "Who came to Xi'an?"),
        ("绿柚", "What is grown in Lvyou village?"),
        ("臨海", "the Linhai mayor"),
    ],
)
def test_a_name_in_latin_letters_meets_the_chinese_one(name: str, written: str) -> None:
    assert set(pinyin_pairs(name)) <= set(pinyin_pairs_of_names(written))


def test_words_that_are_no_pinyin_give_nothing() -> None:
    assert pinyin_pairs_of_names("Which bridges were strengthened? BA.5 3D 你好") == []


@given(st.text(max_size=100))
def test_any_text_is_taken(text: str) -> None:
    for term in [*pinyin_pairs(text), *pinyin_pairs_of_names(text)]:
        assert term.startswith("@")
        assert not any(character.isspace() for character in term)
