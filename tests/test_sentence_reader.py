from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.bylines import lead_length
from qa.sentence_reader import sentences_of


@pytest.mark.parametrize(
    ("paragraph", "begins"),
    [
        ("本报讯(记者/沈砚秋)历时四个月的工程完工。", "历时"),
        ("清溪晚报讯（记者 莫青禾 通讯员 图宣）图书馆宣布延长开放。", "图书馆"),
        ("本报讯 9月17日,大桥恢复通车。", "9月17日"),
        ("【本報訊】市長昨日視察工地。", "市長"),
        ("本报讯（全长3公里）的说法有误。", "（全长"),
        ("通讯社发布消息。", "通讯社"),
        ("新华社北京7月1日电 会议召开。", "新华社"),
    ],
)
def test_a_lead_is_not_part_of_the_sentence(paragraph: str, begins: str) -> None:
    assert paragraph[lead_length(paragraph) :].startswith(begins)


@given(st.text(alphabet=st.sampled_from("本报讯（记者沈）历时完工。\n 　1,a.”"), max_size=80))
def test_sentences_stand_where_they_say(text: str) -> None:
    for sentence in sentences_of(text, 0):
        assert text[sentence.start : sentence.start + len(sentence.text)] == sentence.text
        assert sentence.text == sentence.text.strip()
