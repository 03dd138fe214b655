from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pytest

from index.archive import Archive, Filters
from index.build import build_archive
from index.errors import ArchiveError, InputError
from index.report import report_archive
from index.spans import join_spans
from qa import Bot
from qa.answer import cite, verify_citations
from tests.fakes import HashingEncoder, simple_bot


@pytest.mark.parametrize(
    ("question", "words", "headline"),
    [
        ("青石桥加固工程总投资多少？", "1260万元", "青石桥完成加固"),
        ("圖書館新增了多少個座位？", "140个", "图书馆延长开放"),
        ("丰收节有多少游客参加？", "3800人", "柚园村举行"),
    ],
)
def test_the_answer_are_cited_words_inside_their_sentence(bot: Bot, question: str, words: str, headline: str) -> None:
    answer = bot.ask(question)
    assert answer.found
    assert words in answer.answer
    assert len(answer.answer) <= len(words) + 4
    first = answer.citations[0]
    assert first.headline.startswith(headline)
    assert first.answer == answer.answer
    assert len(first.quote) > len(first.answer)
    for citation in answer.citations:
        text = bot.archive.source(citation.source).text
        assert join_spans(text, citation.spans) == citation.quote
        assert join_spans(text, citation.answer_spans) == citation.answer
        assert citation.marked is not None
        assert citation.quote[slice(*citation.marked)] == citation.answer


def test_an_english_question_finds_the_chinese_passage(bot: Bot) -> None:
    hits = bot.search("How many tonnes of pomelos were harvested in Youyuan village?")
    assert "460吨" in hits[0].passage.text


def test_what_the_archive_does_not_answer_is_declined_with_the_nearest_passages(bot: Bot) -> None:
    answer = bot.ask("火星探测器什么时候登陆？")
    assert not answer.found
    assert answer.answer == ""
    assert answer.citations == ()
    assert answer.nearest


def test_the_same_question_gives_the_same_json(bot: Bot) -> None:
    first, second = (bot.ask("青石桥加固工程总投资多少？").to_dict() for _ in range(2))
    assert json.dumps(first, ensure_ascii=False) == json.dumps(second, ensure_ascii=False)
    assert first.keys() == {"question", "found", "answer", "confidence", "citations", "nearest"}


@pytest.mark.parametrize("question", ["", "   ", "？！", "长" * 501])
def test_a_question_that_is_none_is_refused(bot: Bot, question: str) -> None:
    with pytest.raises(InputError):
        bot.ask(question)


@pytest.mark.parametrize(
    "question", ["'; DROP TABLE passages; --", "AND OR NOT (", "的", "\u202eabc", "🙂 a", "\x00 1"]
)
def test_odd_questions_are_answered_or_declined(bot: Bot, question: str) -> None:
    assert isinstance(bot.ask(question).found, bool)


def test_filters_limit_where_answers_come_from(bot: Bot) -> None:
    hits = bot.search("新增座位", filters=Filters(date_from="2023-05-12", date_to="2023-05-12"))
    assert hits
    assert {hit.article.date for hit in hits} == {"2023-05-12"}
    assert not bot.ask("丰收节有多少游客参加？", filters=Filters(paper="没有这张报")).found


def test_every_stage_of_the_ranking_is_shown(bot: Bot) -> None:
    hit = bot.search("青石桥加固工程总投资多少？")[0]
    assert hit.stages.dense_rank is not None
    assert hit.stages.words_rank is not None
    assert hit.stages.words > 0
    assert sum(hit.stages.features.values()) == pytest.approx(hit.score, abs=1e-2)


def test_a_quote_that_differs_from_its_source_is_never_shown(bot: Bot) -> None:
    article = next(iter(bot.archive.articles()))
    start, end = article.spans[0]
    with pytest.raises(ArchiveError, match="withheld"):
        verify_citations(bot.archive, [cite(article, "not what stands there", ((start, end),), 1.0)])
    with pytest.raises(ArchiveError, match="withheld"):
        verify_citations(bot.archive, [cite(article, "", ((0, 10**9),), 1.0)])
    quote = join_spans(bot.archive.source(article.source).text, [(start, end)])
    with pytest.raises(ArchiveError, match="withheld"):  # the words that answer, too
        verify_citations(
            bot.archive, [cite(article, quote, ((start, end),), 1.0, answer="别的", answer_spans=((start, start + 2),))]
        )


def test_reports_that_differ_in_their_figures_are_no_duplicates(tmp_path: Path, hashing: HashingEncoder) -> None:
    report = "市气象台发布消息：{}日晴间多云，最高{}摄氏度，最低{}摄氏度，东南风三到四级，空气质量良好，适宜户外活动。"
    for day in (1, 2):
        (tmp_path / f"{day}.txt").write_text(report.format(day, 35 + day, 25 + day) * 2, encoding="utf-8")
    build_archive([tmp_path], tmp_path / "index", hashing)
    hits = simple_bot(Archive.open(tmp_path / "index"), hashing).search("2日最高气温是多少？")
    assert {hit.article.source for hit in hits} == {"1.txt", "2.txt"}


def test_near_duplicates_are_collapsed(tmp_path: Path, hashing: HashingEncoder) -> None:
    text = "山城举办第七届花展,共展出兰花600盆、盆景120件,展期持续到5月底,市民可以免费入园参观。"
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text(f"{text}{'详见网站。' * (number == 2)}", encoding="utf-8")
    (tmp_path / "other.txt").write_text("河湾镇开通三条公交线路,覆盖十二个村。", encoding="utf-8")
    build_archive([tmp_path], tmp_path / "index", hashing)
    hits = simple_bot(Archive.open(tmp_path / "index"), hashing).search("花展展出多少盆兰花？")
    assert len(hits[0].duplicates) == 2
    assert len(hits) == 2


def test_a_new_generation_is_picked_up_without_a_failed_question(pages: Path, index_folder: Path) -> None:
    bot = simple_bot(Archive.open(index_folder), HashingEncoder())
    before = bot.archive.generation.id
    failures: list[BaseException] = []
    stop = threading.Event()

    def keep_asking() -> None:
        try:
            while not stop.is_set():
                bot.ask("青石桥加固工程总投资多少？")
        except BaseException as error:  # noqa: BLE001 - the test reports it
            failures.append(error)

    asking = threading.Thread(target=keep_asking)
    asking.start()
    build_archive([pages], index_folder, HashingEncoder(), fresh=True)
    build_archive([pages], index_folder, HashingEncoder(), fresh=True)
    stop.set()
    asking.join()
    assert failures == []
    assert bot.archive.generation.id != before


def test_a_reader_outlives_the_files_of_its_generation(pages: Path, index_folder: Path) -> None:
    archive = Archive.open(index_folder)
    first = next(iter(archive.articles()))
    for _ in range(2):
        build_archive([pages], index_folder, HashingEncoder(), fresh=True)
    assert not archive.generation.folder.exists()
    found: list[str] = []
    reading = threading.Thread(target=lambda: found.append(archive.article(first.id).text))
    reading.start()
    reading.join()
    assert found == [first.text]
    assert len(archive.keywords.search(["图书馆"], 5)[0]) > 0
    assert archive.vectors.fetch(np.array([0])).shape == (1, archive.vectors.dimension)
    assert report_archive(archive).bytes > 0


def test_a_new_archive_of_another_encoder_does_not_stop_the_answers(pages: Path, index_folder: Path) -> None:
    bot = simple_bot(Archive.open(index_folder), HashingEncoder())
    before = bot.archive.generation.id
    build_archive([pages], index_folder, HashingEncoder("other"))
    assert bot.ask("青石桥加固工程总投资多少？").timings
    assert bot.archive.generation.id == before


def test_a_filter_that_leaves_one_passage_does_not_hide_the_answer(bot: Bot) -> None:
    question = "丰收节有多少游客参加？"
    assert not bot.ask(question, filters=Filters(paper="清溪")).found
    assert bot.ask("图书馆新增了多少个座位？", filters=Filters(paper="清溪", date_from="2023")).found


def test_a_chat_remembers_its_answers(bot: Bot) -> None:
    chat, other = bot.chat(), bot.chat()
    chat.ask("丰收节有多少游客参加？")
    assert len(chat.answers) == 1
    assert other.answers == ()
