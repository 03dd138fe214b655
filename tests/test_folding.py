from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.folding import fold, fold_text


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("ＢＡ．５", "ba.5"),
        ("臺灣體育館", "台湾体育馆"),
        ("２０２３年", "2023年"),
        ("聂 伟\n说", "聂伟说"),
        ("Great  Wall\tof", "great wall of"),
        ("①㎡", "1m2"),
        ("Straße", "strasse"),
        ("e\u0301", "é"),
        ("暖\u200b心\ufeff包", "暖心包"),
        ("  两端  ", "两端"),
    ],
)
def test_spellings_that_mean_the_same_fold_to_one(written: str, folded: str) -> None:
    assert fold_text(written) == folded


def test_case_can_be_kept() -> None:
    assert fold_text("ＢＡ Straße", casefold=False) == "BA Straße"


@given(st.text(max_size=200))
def test_folding_twice_changes_nothing(text: str) -> None:
    once = fold_text(text)
    assert fold_text(once) == once


@given(st.text(alphabet=st.sampled_from("聂臺 \n\tａ１.e\u0301①ß龍𠀀，,。"), max_size=60))
def test_every_folded_character_knows_its_place(text: str) -> None:
    folded = fold(text)
    assert len(folded.starts) == len(folded.ends) == len(folded.text)
    previous = 0
    for place, character in enumerate(folded.text):
        start, end = folded.to_original(place, place + 1)
        assert 0 <= start < end <= len(text)
        assert start >= previous or folded.starts[place - 1] == start
        previous = start
        if character != " ":
            assert character in fold_text(text[start:end])


@given(st.text(alphabet=st.sampled_from("防控臺灣体育ａbc１2"), min_size=1, max_size=40), st.data())
def test_a_folded_range_selects_its_original(text: str, data: st.DataObject) -> None:
    folded = fold(text)
    start = data.draw(st.integers(0, len(folded.text) - 1))
    end = data.draw(st.integers(start + 1, len(folded.text)))
    low, high = folded.to_original(start, end)
    assert fold_text(text[low:high]) == folded.text[start:end]


@given(
    st.one_of(
        st.text(max_size=200),
        st.text(alphabet=st.sampled_from("聂臺 \n\t\u3000ａ１.e\u0301¨①ß𠀀カ，\u200b\x00"), max_size=60),
    )
)
def test_folding_without_the_way_back_gives_the_same_text(text: str) -> None:
    assert fold_text(text) == fold(text).text
    assert fold_text(text, casefold=False) == fold(text, casefold=False).text
