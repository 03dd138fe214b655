"""Dates: what a page states becomes ISO dates, and nothing else does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.dates import full_date, stated_dates, valid_date


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021年3月4日 星期四", "2021-03-04"),
        ("2021 年 3 月 4 日 星期四", "2021-03-04"),
        ("滨河日报 2021-03-04 08:17", "2021-03-04"),
        ("2021/3/4", "2021-03-04"),
        ("二〇二一年三月二十四日", "2021-03-24"),
        ("2021年2月30日", None),
        ("电话0750-2021345", None),
        ("没有日期", None),
    ],
)
def test_a_full_date_is_found_in_its_many_forms(text, expected):
    assert full_date(text) == expected


@pytest.mark.parametrize(
    ("text", "reference", "expected"),
    [
        ("7月15日,会议召开。", "2022-07-16", ("2022-07-15",)),
        ("7月15日,会议召开。", None, ("--07-15",)),
        ("9月15日、16日、17日,筛查进行。", "2022-09-20", ("2022-09-15", "2022-09-16", "2022-09-17")),
        ("11月18日—20日,支援社区。", "2022-11-21", ("2022-11-18", "2022-11-20")),
        ("12月30日,年终盘点。", "2023-01-03", ("2022-12-30",)),
        ("1月5日将开幕。", "2022-12-28", ("2023-01-05",)),
        ("2020年1月27日起,取消休假。", "2022-07-16", ("2020-01-27",)),
        ("9月14日拉响警报,15日上午下沉。", "2022-09-20", ("2022-09-14", "2022-09-15")),
        ("工期10日内完成,气温13月40日。", "2022-09-20", ()),
        ("On July 3, 2021 and July 5 the team met.", "2021-07-06", ("2021-07-03", "2021-07-05")),
        ("五月六日起开设,五月十二日结束。", "2024-05-06", ("2024-05-06", "2024-05-12")),
        ("增长7.15%,编号3.12。", "2022-07-16", ()),
    ],
)
def test_stated_dates_take_the_nearest_year(text, reference, expected):
    assert stated_dates(text, reference) == expected


@given(st.text(alphabet="0123456789年月日-/. 、至二〇一十", max_size=60))
def test_any_text_gives_valid_dates_or_none(text):
    full_date(text)
    for found in stated_dates(text, "2022-02-28"):
        assert valid_date(found) == found
    for found in stated_dates(text):
        assert found.startswith("--") or valid_date(found) == found
