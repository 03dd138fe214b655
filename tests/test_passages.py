"""Passages: whole sentences, about as long as asked, and never a character lost or moved."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.pages import split_page
from index.passages import _pieces, split_passages
from index.records import Source
from index.sentences import split_sentences
from index.spans import join_spans

PAGE_TEXT = st.lists(
    st.one_of(
        st.text(alphabet="甲乙丙丁河桥路市民记者今日开通。，、！？“”「」（） 0123456789月日.", max_size=90),
        st.sampled_from(
            [
                "",
                "",
                "本报讯 河桥通车。",
                "■ 记者 王某",
                "滨河大桥通车 市民出行更便捷",
                "责编:李某 电话:123456",
                "Bridge opens. It is 3.5 km long.",
            ]
        ),
        st.text(max_size=40),
    ),
    max_size=25,
).map("\n".join)


def source(text: str) -> Source:
    return Source("页.txt", text, "0" * 64, "text")


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("桥通了。路也通了！真的吗？", ["桥通了。", "路也通了！", "真的吗？"]),
        ("“桥通了。路也通了。”他说。", ["“桥通了。路也通了。”他说。"]),
        ("他说：“桥通了！”大家鼓掌。", ["他说：“桥通了！”", "大家鼓掌。"]),
        ("「橋通了。」市民說。路還沒有。", ["「橋通了。」市民說。", "路還沒有。"]),
        ("全长3.5公里。U.S. officials came. They left.", ["全长3.5公里。", "U.S. officials came. ", "They left."]),
        ("Mr. Lee paid 2.50 dollars. He left.", ["Mr. Lee paid 2.50 dollars. ", "He left."]),
        ("第一段\n第二段", ["第一段\n", "第二段"]),
        ("什么？！走吧。", ["什么？！", "走吧。"]),
        ("修桥（全长三里。含引桥）用了一年。通车了。", ["修桥（全长三里。含引桥）用了一年。", "通车了。"]),
        ("分三步:修路;架桥;通车。", ["分三步:修路;", "架桥;", "通车。"]),
        ("风大……雨也大。", ["风大……", "雨也大。"]),
        ("1. 修桥。\n2. 修路。", ["1. 修桥。\n", "2. 修路。"]),
        ("", []),
    ],
)
def test_sentences_end_where_a_reader_sees_one_end(text, expected):
    assert sentences(text) == expected


@given(st.text(max_size=300))
def test_sentences_cover_the_text(text):
    assert "".join(sentences(text)) == text


def test_a_very_long_quotation_is_cut_all_the_same():
    text = "“" + "河水上涨了。" * 100 + "”"
    assert len(split_sentences(text)) > 1


@settings(max_examples=150, deadline=None)
@given(PAGE_TEXT)
def test_passages_are_exact_and_cover_every_body_character(text):
    page = split_page(source(text))
    for article in page.articles:
        passages = split_passages(article, text)
        assert [passage.ordinal for passage in passages] == list(range(len(passages)))
        covered = set()
        for passage in passages:
            assert passage.article_id == article.id
            assert join_spans(text, passage.spans) == passage.text
            assert 0 < len(passage.text) <= 350
            assert passage.text == passage.text.strip()
            covered.update(i for start, end in passage.spans for i in range(start, end))
        headline = {i for start, end in article.headline_spans for i in range(start, end)}
        body = {i for s, e in article.spans for i in range(s, e) if not text[i].isspace()} - headline
        assert body <= covered
        assert covered <= {i for s, e in article.spans for i in range(s, e)}
        assert passages


def article_of(body: str):
    text = "滨河大桥今日正式通车 市民过河省下半小时\n\n" + body
    return split_page(source(text)).articles[0], text


def test_the_headline_is_not_in_the_passages_of_a_body():
    article, text = article_of("本报讯 滨河大桥通车了。" * 20)
    assert not any("省下半小时" in passage.text for passage in split_passages(article, text))


def test_an_article_that_is_only_a_headline_gives_one_passage_of_it():
    text = "滨河大桥今日正式通车 市民过河省下半小时"
    article = split_page(source(text)).articles[0]
    (passage,) = split_passages(article, text)
    assert passage.text == text


def test_neighbours_share_one_sentence_and_the_tail_is_not_tiny():
    body = "".join(f"第{number}座桥在河的上游开工建设并且进展得十分顺利没有延误。" for number in range(40))
    article, text = article_of(body)
    passages = split_passages(article, text)
    assert len(passages) > 3
    for before, after in pairwise(passages):
        first = after.text.split("。")[0]
        assert first in before.text
    assert all(100 <= len(passage.text) <= 350 for passage in passages)


def test_a_short_article_is_one_passage():
    article, text = article_of("本报讯 桥通了。")
    assert len(split_passages(article, text)) == 1


def test_a_sentence_longer_than_the_maximum_is_cut_at_a_comma():
    body = "本报讯 " + "桥上的人越来越多，" * 100 + "终于散了。"
    article, text = article_of(body)
    passages = split_passages(article, text)
    assert len(passages) > 2
    assert all(passage.text.endswith(("，", "。")) for passage in passages)


class CountingText(str):
    """Counts the characters that are copied out of it."""

    copied = 0

    def __getitem__(self, place):
        found = super().__getitem__(place)
        self.copied += len(found)
        return found


def test_an_endless_sentence_is_not_copied_for_every_piece():
    text = CountingText("青石" * 50_000)
    assert len(_pieces(text, 350)) == 286
    assert text.copied < 5 * len(text)


def test_lengths_that_make_no_sense_are_refused():
    article, text = article_of("本报讯 桥通了。")
    with pytest.raises(ValueError, match="minimum"):
        split_passages(article, text, target=50, minimum=100, maximum=350)


def test_a_first_sentence_that_stands_in_for_a_headline_stays_in_the_passages():
    text = "滨河大桥6月3日正式通车,桥长1.2公里。市交通局负责人说,两岸居民过河只要八分钟。"
    article = split_page(source(text)).articles[0]
    assert "".join(passage.text for passage in split_passages(article, text)) == text
