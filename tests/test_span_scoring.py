from __future__ import annotations

import pytest

from qa.span_scoring import cmrc_exact, cmrc_f1


def test_marks_and_spaces_do_not_count() -> None:
    assert cmrc_exact("《远山》， 1953 年", ["远山1953年"])
    assert cmrc_f1("《远山》", ["远山"]) == 1.0


@pytest.mark.parametrize(
    ("answer", "accepted", "f1"),
    [
        ("贺立言先生", ["贺立言"], 0.75),
        ("甲乙丙丁", ["丙丁甲乙"], 0.5),
        ("", ["甲"], 0.0),
        ("in 2012", ["2012"], 2 / 3),
    ],
)
def test_f1_is_over_the_longest_common_run(answer: str, accepted: list[str], f1: float) -> None:
    assert cmrc_f1(answer, accepted) == pytest.approx(f1)
