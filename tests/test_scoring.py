from __future__ import annotations

import pytest

from qa.scoring import character_f1, exact_match, is_right


@pytest.mark.parametrize("answer", ["24.41万元", " 24.41 万元。", "“24.41万元”", "２４.４１萬元"])
def test_spacing_quotes_and_final_punctuation_do_not_count(answer: str) -> None:
    assert exact_match(answer, "24.41万元")


def test_f1_counts_shared_characters() -> None:
    assert character_f1("区委书记甲乙丙", "甲乙丙") == pytest.approx(2 * (3 / 7) / (3 / 7 + 1))
    assert character_f1("甲", "乙") == 0
    assert character_f1("", "") == 1


@pytest.mark.parametrize(
    ("answer", "accepted", "kind", "right"),
    [
        ("近200人", "近200人", "number", True),
        ("共有近200人加入志愿服务队", "近200人", "number", False),
        ("共有近200人加入志愿服务队", "近200人", "long", True),
        ("肉类、蔬菜等物资", "肉类、蔬菜", "list", True),
        ("无关的话", "肉类、蔬菜", "list", False),
    ],
)
def test_what_counts_as_right(answer: str, accepted: str, kind: str, right: bool) -> None:
    assert is_right(answer, [accepted], kind) is right
