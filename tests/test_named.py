"""Names and numbers of a question that an article does not have."""

from __future__ import annotations

import pytest

from qa.named import missing_names
from qa.question import parse_question


@pytest.mark.parametrize(
    ("question", "text", "missing"),
    [
        ("Who led the Halden strike?", "The strike at Halden was led by Esther Maboe.", 0),
        ("Who led the Carrow strike?", "The strike at Halden was led by Esther Maboe.", 1),
        ("What did the Normans build?", "The Norman lords built keeps.", 0),
        ("In 1961, what did Maboe found?", "Maboe founded a school in 1959.", 1),
        ("Who led the Halden strike?", "罢工由马博领导。", 0),
        ("第12届青石灯会有多少人参加？", "第11届青石灯会有3万人参加。", 1),
        ("第１１届青石灯会有多少人参加？", "第11届青石灯会有3万人参加。", 0),
        ("NBA 在青石办了几场比赛？", "青石办了三场CBA比赛。", 1),
        ("how many people came?", "Nobody came.", 0),
        ("What's the height of the mast?", "The mast is 120 m high.", 0),
        ("During the siege, who ruled?", "Maboe ruled in the siege.", 0),
        ("2022年7月1日谁到会？", "2022-07-01，贺立言到会。", 0),
        ("10000人参加了什么？", "10,000人参加了长跑。", 0),
        ("这3名教师是谁？", "三名教师获奖。", 0),
    ],
)
def test_names_and_numbers_that_a_text_does_not_have(question: str, text: str, missing: int) -> None:
    assert missing_names(parse_question(question), text) == missing
