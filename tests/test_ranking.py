"""From candidates to what is shown: agreement, clauses, enumerations, figures side by side."""

from __future__ import annotations

import pytest

from index.archive import PassageRow
from qa.compose import clause_around, compose, further_items, sentences_around
from qa.question import parse_question
from qa.ranking import rank_answers, same_answer
from qa.reader import Candidate, ReadPassage

WEIGHTS = {"reader": 1.0, "passage": 0.1, "support": 2.0, "kind": 0.5, "echo": -1.0}


def passage(text: str, article: int, score: float = 10.0) -> ReadPassage:
    return ReadPassage(PassageRow(article, article, 0, text, ((100 * article, 100 * article + len(text)),)), "", score)


def candidate(passages: list[ReadPassage], place: int, words: str, score: float) -> Candidate:
    start = passages[place].passage.text.index(words)
    return Candidate(place, start, start + len(words), score, score)


def shown(passages: list[ReadPassage], question: str, *candidates: Candidate) -> list[tuple[str, str]]:
    parsed = parse_question(question)
    ranked = rank_answers(parsed, candidates, passages, WEIGHTS)
    texts = [read.passage.text for read in passages]
    return [
        (texts[part.passage][slice(*part.answer)], texts[part.passage][slice(*part.quote)])
        for part in compose(parsed, ranked, passages)
    ]


def test_articles_that_agree_support_one_another() -> None:
    read = [passage("大桥由贺立言设计。", 1), passage("桥的设计者是贺立言。", 2), passage("沈砚秋报道了大桥。", 3)]
    candidates = [
        candidate(read, 0, "贺立言", 2.0),
        candidate(read, 1, "贺立言", 1.5),
        candidate(read, 2, "沈砚秋", 2.5),
    ]
    best = rank_answers(parse_question("大桥是谁设计的？"), candidates, read, WEIGHTS)[0]
    assert best.text == "贺立言"
    assert best.candidate.passage == 0
    assert best.support == (1,)


def test_overlapping_passages_of_one_article_are_no_support() -> None:
    text = "大桥由贺立言设计。"
    twice = [passage(text, 1), passage(text, 1)]
    candidates = [candidate(twice, 0, "贺立言", 2.0), candidate(twice, 1, "贺立言", 1.0)]
    ranked = rank_answers(parse_question("大桥是谁设计的？"), candidates, twice, WEIGHTS)
    assert len(ranked) == 1
    assert ranked[0].support == ()


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("1260万元", "总投资1260万元", True),
        ("12人", "112人", False),
        ("贺立言", "“贺立言”", True),
        ("清溪市", "清溪市图书馆儿童阅览室", False),
        ("二十人", "三十人", False),
        ("5月20日", "2023年5月20日", True),
        ("3,800人", "约3800余人次", True),
        ("二十人", "20人", True),
        ("1.2亿元", "12000万元", True),
        ("20人", "20吨", False),
        ("增长5%", "下降5%", False),
        ("上午9时", "下午9时", False),
        ("9时", "上午9时", True),
        ("王伟3次", "李强3次", False),
        ("3%", "3‰", False),
        ("百分之十二点五", "12.5%", True),
        ("一亿二千万元", "1.2亿元", True),
        ("1亿2000万元", "1.2亿元", True),
        ("约120 万元", "120万元", True),
        ("2023年5月", "2023年5月20日", True),
        ("12人", "12人和5辆车", False),
    ],
)
def test_same_answers(left: str, right: str, same: bool) -> None:
    assert same_answer(left, right) is same
    assert same_answer(right, left) is same


def test_a_reason_is_its_whole_clause() -> None:
    text = "昨日，由于水位监测仪连续报警，大桥临时封闭。"
    read = [passage(text, 1)]
    assert shown(read, "大桥为什么封闭？", candidate(read, 0, "监测仪连续报警", 3.0)) == [
        ("由于水位监测仪连续报警", text)
    ]
    assert clause_around("甲，乙丙丁。", (3, 4)) == (2, 5)


def test_an_enumeration_is_completed_with_a_citation_for_each_item() -> None:
    text = "会议提出三点：一是加固堤坝；二是清理河道；三是增设监测站。会后代表参观了水库。"
    read = [passage(text, 1)]
    answers = shown(read, "会议提出哪些要求？", candidate(read, 0, "加固堤坝", 3.0))
    assert [answer for answer, _ in answers] == ["加固堤坝", "清理河道", "增设监测站"]
    whole = text.index("加固堤坝"), text.index("。")
    assert further_items(text, whole) == []
    assert further_items("没有列举，只有一句话。", (0, 4)) == []
    third = shown(read, "会议提出哪些要求？", candidate(read, 0, "增设监测站", 3.0))
    assert [answer for answer, _ in third] == ["加固堤坝", "清理河道", "增设监测站"]
    commas = [passage("镇里决定，一是加固堤坝，二是清理河道，代表们会后参观了水库。", 1)]
    assert [answer for answer, _ in shown(commas, "怎么防洪？", candidate(commas, 0, "加固堤坝", 3.0))] == [
        "加固堤坝",
        "清理河道",
    ]
    circled = "一要增设路灯，会后讨论。镇里还决定：①加固堤坝；②清理河道。第三，散会。"
    others = further_items(circled, (circled.index("加固"), circled.index("加固") + 4))
    assert [circled[start:end] for start, end in others] == ["清理河道"]


def test_a_clause_never_loses_the_answer_to_the_lead() -> None:
    text = "本报讯（记者 沈砚秋）大桥今起通车。"
    assert "沈砚秋" in text[slice(*clause_around(text, (text.index("沈"), text.index("沈") + 3)))]


def test_a_clause_stays_in_its_sentence() -> None:
    text = "The bridge closed on Monday. Traffic stopped because heavy rain fell. Nobody was hurt."
    start = text.index("heavy")
    assert text[slice(*clause_around(text, (start, start + 15)))] == "Traffic stopped because heavy rain fell"


def test_differing_figures_of_different_articles_stand_side_by_side() -> None:
    read = [passage("去年游客3800人。", 1), passage("前年游客2100人。", 2), passage("去年游客3800人次。", 3)]
    found = [candidate(read, 0, "3800人", 3.0), candidate(read, 1, "2100人", 2.6), candidate(read, 2, "3800人次", 1.0)]
    assert [answer for answer, _ in shown(read, "有多少游客？", *found)] == ["3800人", "2100人"]
    weak = [found[0], candidate(read, 1, "2100人", -1.0)]
    assert [answer for answer, _ in shown(read, "有多少游客？", *weak)] == ["3800人"]
    assert [answer for answer, _ in shown(read, "谁来了？", *found)] == ["3800人"]


def test_figures_of_other_units_are_not_shown_beside_the_first() -> None:
    read = [passage("新馆有座位46个。", 1), passage("新馆有工作人员12名。", 2), passage("每天送大米5公斤。", 3)]
    three = [
        candidate(read, 0, "46个", 3.0),
        candidate(read, 1, "12名", 2.5),
        candidate(read, 2, "5公斤", 2.4),
    ]
    assert [answer for answer, _ in shown(read, "How many are there?", *three)] == ["46个", "12名"]
    assert [answer for answer, _ in shown(read, "How many are there?", three[0], three[2])] == ["46个"]


@pytest.mark.parametrize(
    ("question", "best"),
    [
        ("新馆的馆长是谁？", "童若谷"),
        ("馆长和镇长分别是谁？", "童若谷、镇长黎望舒"),
        ("出席的有哪些人？", "童若谷、镇长黎望舒"),
    ],
)
def test_a_question_for_one_person_prefers_an_answer_that_names_one(question: str, best: str) -> None:
    read = [passage("馆长童若谷、镇长黎望舒出席。", 1)]
    candidates = [candidate(read, 0, "童若谷、镇长黎望舒", 2.0), candidate(read, 0, "童若谷", 1.0)]
    assert rank_answers(parse_question(question), candidates, read, WEIGHTS | {"joined": -2.0})[0].text == best


def test_the_sentence_around_an_answer_is_whole_and_without_its_lead() -> None:
    text = "本报讯（记者 沈砚秋）工程昨日完工，总投资1260万元。大桥今起通车。"
    start = text.index("1260")
    assert text[slice(*sentences_around(text, (start, start + 6)))] == "工程昨日完工，总投资1260万元。"
    reporter = text.index("沈砚秋")
    assert text[slice(*sentences_around(text, (reporter, reporter + 3)))].startswith("本报讯")


def test_nothing_gives_nothing() -> None:
    assert rank_answers(parse_question("谁？"), [], [], WEIGHTS) == []
    assert compose(parse_question("谁？"), [], []) == ()
