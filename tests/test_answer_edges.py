from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.answer_edges import tidy


@pytest.mark.parametrize(
    ("text", "chosen", "kept"),
    [
        ("总投资1260万元，限重20吨。", "1260万元，", "1260万元"),
        ("他说，“桥修好了。”大家笑了。", "“桥修好了。”", "“桥修好了。”"),
        ("名为《远山》的书", "远山》", "《远山》"),
        ("名为《远山》（初版）的书", "《远山》（", "《远山》"),
        ("馆长（童若谷）说", "童若谷）", "（童若谷）"),
        ("《远山》与《近水》两书", "远山》与《近水", "《远山》与《近水》"),
        ("气温降到-5度。", "-5度。", "-5度"),
        ("共有 3800 人\n参加", " 3800 人\n", "3800 人"),
        ("其中（含税）12元", "（含税）12元", "（含税）12元"),
        ("环比下降30.19%，", ".19%", "30.19%"),
        ("投资12,800万元", "投资12", "投资12,800万元"),
        ("建于1953年", "53年", "1953年"),
        ("土方120万立方米，", "120万", "120万立方米"),
        ("有200多名群众参加", "200", "200多名"),
        ("卖出四百万册书", "四百万", "四百万册"),
        ("环比上升11.4%，", "11.4", "11.4%"),
        ("编号为1260，中国制造", "1260", "1260"),
        ("总成绩排名第三，", "三，", "第三"),
        ("1.2022年开工", "2022年", "2022年"),
        ("增长3.5，下同", "增长3", "增长3.5"),
        ("投资１２００万元", "１２", "１２００万元"),
        ("五一期间客流", "五一", "五一"),
        ("等了5分钟", "5", "5分钟"),
        ("等了15个月", "15", "15个月"),
        ("25人民警察", "25", "25"),
        ("90年代建成", "90", "90年代"),
        ("born in the U.S. in", "U.S.", "U.S."),
        ("end. World ended.", ". World", "World"),
    ],
)
def test_edges(text: str, chosen: str, kept: str) -> None:
    start = text.index(chosen)
    found = tidy(text, start, start + len(chosen))
    assert found is not None
    assert text[slice(*found)] == kept


def test_what_is_no_word_is_no_answer() -> None:
    assert tidy("他说：“……”。", 2, 7) is None


@given(st.text(alphabet=st.sampled_from("甲乙12“”《》（）(),。 \n-a"), max_size=30), st.data())
def test_a_range_stays_inside_and_is_tidy_once_tidied(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    found = tidy(text, start, end)
    if found is not None:
        assert 0 <= found[0] < found[1] <= len(text)
        assert not text[found[0]].isspace()
        assert not text[found[1] - 1].isspace()
