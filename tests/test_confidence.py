from __future__ import annotations

import numpy as np
import pytest

from qa.confidence import DEFAULT_THRESHOLD, estimate_confidence
from qa.fusion import Evidence, fuse
from qa.question import is_foreign, parse_question


def evidence(best: float, others: int = 30) -> Evidence:
    dense = np.array([0.85, *[0.80] * others], np.float32)
    keywords = np.array([best, *[1.0] * others], np.float32)
    return Evidence(dense, keywords, keywords)


def test_a_passage_that_stands_out_is_trusted_more() -> None:
    confidences = [estimate_confidence(evidence(best)) for best in (1.0, 10.0, 40.0)]
    assert confidences == sorted(confidences)
    assert confidences[-1] > 0.8 > DEFAULT_THRESHOLD


def test_no_candidate_no_confidence_and_one_is_enough() -> None:
    nothing = np.empty(0, np.float32)
    assert estimate_confidence(Evidence(nothing, nothing, nothing)) == 0.0
    assert 0 <= estimate_confidence(evidence(5.0, others=0)) <= 1


def test_another_year_is_trusted_less() -> None:
    assert estimate_confidence(evidence(20.0), other_year=True) < estimate_confidence(evidence(20.0)) / 2


def test_fusion_says_what_each_list_added() -> None:
    fusion = fuse(evidence(20.0))
    for candidate in (0, 1):
        assert sum(fusion.explain(candidate).values()) == pytest.approx(float(fusion.scores[candidate]), abs=1e-2)
    assert fusion.scores.argmax() == 0


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("2021年募得多少善款？", ("2021",)),
        ("２０２１年呢", ("2021",)),
        ("How many in 2022?", ("2022",)),
        ("编号2021号文件", ()),
        ("12021年", ()),
    ],
)
def test_years_are_seen(text: str, years: tuple[str, ...]) -> None:
    assert parse_question(text).years == years


def test_asking_words_are_no_search_terms() -> None:
    question = parse_question("青石桥加固工程总投资是多少？")
    assert "多少" not in question.words
    assert question.kind == "number"
    assert parse_question("是什么？").words


def test_foreign_questions() -> None:
    assert is_foreign("How many?", "共有3800人")
    assert not is_foreign("多少人?", "共有3800人")
    assert not is_foreign("How many?", "3,800 people came")
