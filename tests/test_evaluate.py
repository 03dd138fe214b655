from __future__ import annotations

import json
from pathlib import Path

import pytest

from index.errors import InputError
from qa.bot import Bot
from qa.evaluate import evaluate, summarize, to_dict
from qa.evaluation_set import load_questions

QUESTIONS = [
    {"id": "1", "doc": "a03.txt", "question": "青石桥加固工程总投资多少？", "answers": ["1260万元"], "type": "number"},
    {"id": "2", "doc": "pomelo.txt", "question": "蜜柚产量达到多少？", "answers": ["460吨"], "type": "number"},
    {"id": "3", "doc": None, "question": "火星探测器什么时候登陆？", "answers": [], "type": "none"},
    {"id": "4", "doc": "not-indexed.txt", "question": "木星有几颗卫星？", "answers": ["95颗"], "type": "number"},
]


def write(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


def test_figures_are_those_of_the_outcomes(bot: Bot, tmp_path: Path) -> None:
    questions = load_questions(write(tmp_path / "set.json", QUESTIONS))
    seen: list[tuple[int, int]] = []
    outcomes = evaluate(bot, questions, lambda done, total: seen.append((done, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert [outcome.answerable for outcome in outcomes] == [True, True, False, False]
    assert outcomes[0].passage_rank == outcomes[0].article_rank == 1
    assert outcomes[0].quoted
    everything = summarize(outcomes)[-1]
    assert everything.kind == "all"
    assert everything.questions == 4
    assert everything.article_recall == {1: 1.0, 5: 1.0, 20: 1.0}
    assert everything.citations_exact == 1.0
    assert everything.refusal_recall == sum(not outcome.found for outcome in outcomes[2:]) / 2
    assert json.loads(json.dumps(to_dict(outcomes)))["summary"][-1]["kind"] == "all"


def test_conversations_and_lines_are_read_too(tmp_path: Path) -> None:
    turns = [{"question": "甲?", "answers": ["1"]}, {"question": "乙呢?", "answers": ["2"]}]
    dialogue = load_questions(write(tmp_path / "d.json", [{"id": "t", "doc": "a", "turns": turns}]))
    assert [(question.kind, question.turn, question.conversation) for question in dialogue] == [
        ("first turn", 0, "t"),
        ("follow-up", 1, "t"),
    ]
    line = {"id": "c", "question": "甲?", "answers": ["1"], "doc_id": "x", "near_dup_docs": ["y"], "quality": "A"}
    (only,) = load_questions(write(tmp_path / "l.jsonl", line))
    assert only.documents == ("x", "y")
    assert only.kind == "quality A"


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[1]",
        '[{"question": ""}]',
        '{"a": 1}',
        '[{"question": 5}]',
        '[{"question": "甲", "answers": "乙"}]',
        "[" * 99999,
    ],
)
def test_a_file_that_is_no_set_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "set.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"set\.json"):
        load_questions(path)
    with pytest.raises(InputError, match="cannot be read"):
        load_questions(tmp_path / "missing.json")
