"""Figures of answers: how many there are, and whether that is what the question asks for."""

from __future__ import annotations

import pytest

from qa.answer_kinds import can_answer, names_what_is_asked
from qa.figures import count_figures
from qa.question import parse_question


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("近200人", 1),
        ("30.19%和26.87%", 2),
        ("398户9.6万平方米", 2),
        ("3万辆至5万辆", 1),
        ("3-5万辆", 1),
        ("十几个村", 1),
        ("三百二十余人", 1),
        ("没有数字", 0),
        ("1亿2000万元", 1),
        ("3小时20分", 1),
        ("百分之十二点五", 1),
        ("1至2万", 1),
    ],
)
def test_figures_are_counted_and_a_range_is_one(text: str, count: int) -> None:
    assert count_figures(text) == count


@pytest.mark.parametrize(
    ("question", "answer", "can"),
    [
        ("盗窃警情同比下降了多少？", "26.87%", True),
        ("盗窃警情同比下降了多少？", "218起", False),
        ("三月份产量同比增加多少吨？", "320吨", True),
        ("不良贷款率是多少？", "1.68%", True),
        ("夏令营几月几日开营？", "7月20日", True),
        ("夏令营几月几日开营？", "20日", False),
        ("来了多少人？", "近200人", True),
        ("来了多少人？", "12辆", False),
        ("来了多少人？", "200多名", True),
        ("来了几位医生？", "6人", True),
        ("会议几点开始？", "凌晨2时", True),
        ("会议几点开始？", "1个小时", False),
        ("展览开了几天？", "20日", False),
        ("来了多少人？", "200 人", True),
        ("等了几个小时？", "3小时", True),
        ("等了多少个小时？", "48个小时", True),
        ("等了多少时间？", "3小时", True),
        ("投资多少亿元？", "8000万元", True),
        ("投资多少万元？", "20吨", False),
        ("会议几点开始？", "14:30", True),
        ("比赛什么时候开始？", "星期五", True),
        ("活动时间是？", "2022-07-01", True),
        ("活动持续了多长时间？", "30分钟", True),
        ("工程完成时间比计划提前了多少天？", "45天", True),
        ("What percentage of the vegetables were on offer?", "六成", True),
        ("What share of the site is housing?", "9个", False),
    ],
)
def test_units_and_shares_that_are_asked_for(question: str, answer: str, can: bool) -> None:
    assert can_answer(parse_question(question), answer) == can


def test_words_that_ask_are_no_answer() -> None:
    assert not names_what_is_asked(parse_question("一共印了多少份？"), "第一批印了多少份")
    assert names_what_is_asked(parse_question("一共印了多少份？"), "几十份")
    assert names_what_is_asked(parse_question("他为什么辞职？"), "不知道什么时候能开工")
    assert names_what_is_asked(parse_question("谁发布了指南？"), "WHO")
