from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from qa.answer_kinds import can_answer
from qa.calibration import (
    Calibration,
    CalibrationError,
    load_calibration,
    retrieval_margin,
    threshold_of,
)
from qa.fusion import Evidence, fuse
from qa.question import is_foreign, parse_question, years_in
from qa.reliability import expected_calibration_error


def evidence(best: float, others: int = 30) -> Evidence:
    dense = np.array([0.85, *[0.80] * others], np.float32)
    keywords = np.array([best, *[1.0] * others], np.float32)
    return Evidence(dense, keywords, keywords)


def test_a_passage_that_stands_out_has_a_wider_margin() -> None:
    margins = [retrieval_margin(evidence(best)) for best in (1.0, 10.0, 40.0)]
    assert margins == sorted(margins)
    assert margins[0] < margins[-1]
    assert retrieval_margin(evidence(5.0, others=0)) > 0


def test_filters_that_leave_one_passage_are_measured_against_the_whole_archive() -> None:
    alone = Evidence(*(values[:1] for values in (evidence(20.0).dense, evidence(20.0).words, evidence(20.0).bigrams)))
    assert retrieval_margin(alone, evidence(20.0)) == pytest.approx(retrieval_margin(evidence(20.0)), abs=0.2)


def test_the_probability_is_the_logistic_of_the_weighted_features() -> None:
    fitted = Calibration(ranking={}, confidence={"bias": -1.0, "reader": 0.5}, cost_of_wrong=1, threshold=0.5)
    assert fitted.probability({"bias": 1.0, "reader": 2.0}) == pytest.approx(0.5)
    assert fitted.probability({"bias": 1.0, "reader": 1e9}) <= 1.0
    assert fitted.probability({"bias": 1.0, "reader": -1e9}) >= 0.0


def test_the_threshold_follows_from_the_costs() -> None:
    assert threshold_of(1.0) == 0.5
    assert threshold_of(0.25) == pytest.approx(0.2)


def test_the_calibration_error_is_nothing_where_confidence_is_the_share_of_right_answers() -> None:
    assert expected_calibration_error([0.75] * 4, [True, True, True, False]) == 0.0
    assert expected_calibration_error([1.0] * 4, [False] * 4) == 1.0


def test_a_damaged_calibration_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "calibration.json").write_text('{"ranking": 1}', encoding="utf-8")
    with pytest.raises(CalibrationError, match="calibrate"):
        load_calibration(tmp_path)


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


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("What did the talent show feature?", "other"),
        ("How many people who came were children?", "number"),
        ("等待时间缩短了多少？", "number"),
        ("仪式持续多长时间？", "number"),
        ("活动时间是哪一天？", "time"),
        ("活动时间？", "time"),
        ("How was the bridge repaired?", "manner"),
        ("How old is the mill?", "number"),
        ("Why was it closed?", "reason"),
        ("村里怎么防洪？", "manner"),
    ],
)
def test_what_is_asked_for(text: str, kind: str) -> None:
    assert parse_question(text).kind == kind


def test_a_unit_is_only_what_counts() -> None:
    assert can_answer(parse_question("有多少游客参加？"), "约3800人")
    assert not can_answer(parse_question("有多少人参加？"), "3800吨")


def test_half_a_surrogate_pair_is_no_letter() -> None:
    assert parse_question("\udcff谁来？").text == "?谁来？"


@pytest.mark.parametrize("text", ["２０２２年李某任局长", "二〇二二年李某任局长", "2022-07-01"])
def test_years_are_known_however_they_are_written(text: str) -> None:
    assert years_in(text) == {"2022"}
    assert parse_question("二〇二二年谁任局长？").years == ("2022",)
    assert years_in("编号120220") == set()
