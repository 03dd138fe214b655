"""What the page shows: exact highlights, harmless text, the right words."""

from __future__ import annotations

import asyncio
import html
import re
import threading
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest

from index.archive import Filters
from index.records import Article
from index.spans import Spans, join_spans, slice_spans
from qa.answer import Answer, Citation, cite
from qa.web.article_view import ranges_within, render_article, stands_in
from qa.web.examples import read_examples
from qa.web.markup import attributes, element, escape
from qa.web.rendering import Turn, answer_as_text, render_conversation, render_holdings, render_status, stage_line
from qa.web.session import Opened, Session, refusal
from qa.web.startup import BusyError, Failed, Holdings, NotReadyError, Ready, Service, Starting
from qa.web.texts import EN, ZH, preferred_language, texts_of

READY = Ready(SimpleNamespace())  # type: ignore[arg-type]
HOSTILE = (
    "<script>window.hacked=1</script><img src=x onerror=hacked()>\"' onclick=hacked() "
    "**bold** $x^2$ {{value}} ${1+1} \u202ereversed"
)

# A page in two columns: the first article's second part stands after the second article.
PAGE = "暖心包送到一线\n送给流调人员的是牛奶、坚果和\n另一篇文章的话。\n水果。每只包里夹着卡片。\n"
ARTICLE_SPANS: Spans = ((0, 7), (8, 22), (32, 45))


def article(page: str = PAGE, spans: Spans = ARTICLE_SPANS, headline: Spans = ((0, 7),), **more: str) -> Article:
    return Article(
        id="a1",
        source=more.get("source", "a.txt"),
        headline=join_spans(page, headline),
        byline=more.get("byline", "记者 张三"),
        date=more.get("date", "2022-07-18"),
        event_dates=(),
        paper=more.get("paper", "晚报"),
        section="A02",
        spans=spans,
        headline_spans=headline,
        text=join_spans(page, spans),
    )


def quote(found: Article, words: str, page: str = PAGE) -> Citation:
    start = found.text.index(words)
    spans = slice_spans(found.spans, start, start + len(words))
    return cite(found, join_spans(page, spans), spans, 1.0)


def marked(rendered: str) -> str:
    marks = re.findall(r"<mark>(.*?)</mark>", rendered, re.S)
    return html.unescape("".join(re.sub(r"<[^>]+>", "", mark) for mark in marks))


class Tags(HTMLParser):
    """The names of all tags and attributes."""

    def __init__(self, rendered: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.feed(rendered)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names |= {tag, *(name for name, _ in attrs)}


def answer(*citations: Citation, nearest: tuple[Citation, ...] = (), question: str = "包里有什么？") -> Answer:
    text = "\n".join(citation.quote for citation in citations)
    return Answer(question, bool(citations), text, 0.83, citations, nearest, {"total": 12.3})


def test_a_quote_across_columns_is_marked_exactly() -> None:
    found = article()
    citation = quote(found, "牛奶、坚果和水果。")
    assert len(citation.spans) == 2
    rendered = render_article(found, ZH, citation, number=1)
    assert marked(rendered) == citation.quote
    assert "另一篇文章" not in rendered


def test_the_highlight_follows_spans_and_not_words() -> None:
    page = "标题\n他说好。她也说好。"
    found = article(page, ((0, 2), (3, 12)), ((0, 2),))
    second = cite(found, "说好。", ((9, 12),), 1.0)
    assert "她也<mark>说好。</mark>" in render_article(found, ZH, second, number=1)


def test_a_quote_over_paragraphs_keeps_its_line_ends() -> None:
    page = "标题\n第一段话。\n\n　　第二段话。\n"
    found = article(page, ((0, len(page)),), ((0, 2),))
    citation = quote(found, "段话。\n\n　　第二段", page)
    rendered = render_article(found, ZH, citation, number=1)
    assert marked(rendered) == citation.quote
    assert rendered.count("<p>") == 2


def test_a_quote_in_the_headline_is_marked_there() -> None:
    found = article()
    rendered = render_article(found, ZH, quote(found, "暖心包"), number=1)
    assert re.search(r"<h2[^>]*>.*<mark>暖心包</mark>.*</h2>", rendered)


def test_a_line_end_inside_a_sentence_does_not_end_the_paragraph() -> None:
    page = "标题\n这一行写到一半就到了栏的边上\n所以接着写下去直到另一行的边\n上才写完。\n"
    rendered = render_article(article(page, ((0, len(page)),), ((0, 2),)), ZH)
    assert rendered.count("<p>") == 1
    words = "the quick brown fox jumps\nover the lazy dog and then\nruns on\n"
    assert "jumps\nover" in render_article(article(words, ((0, len(words)),), ()), EN)


def test_a_quote_of_an_older_archive_is_not_marked() -> None:
    found = article()
    stale = cite(found, "别的话", ((1, 4),), 1.0)
    assert not stands_in(found, stale)
    rendered = render_article(found, ZH, stale, number=1)
    assert "<mark>" not in rendered
    assert ZH.changed in rendered
    assert not stands_in(found, cite(article(source="b.txt"), found.text[:3], ((0, 3),), 1.0))


def test_ranges_within_clips_to_the_article() -> None:
    assert ranges_within(((10, 20), (30, 40)), ((18, 32),)) == ((8, 12),)
    assert ranges_within(((10, 20),), ((0, 5),)) == ()


@pytest.mark.parametrize("number", [1, None])
def test_nothing_from_an_article_becomes_markup(number: int | None) -> None:
    page = f"{HOSTILE}\n{HOSTILE}完。"
    end = len(HOSTILE)
    found = article(page, ((0, len(page)),), ((0, end),), byline=HOSTILE, paper=HOSTILE, source=HOSTILE)
    citation = cite(found, page[end + 1 :], ((end + 1, len(page)),), 1.0)
    turns = [Turn(HOSTILE, answer(citation, nearest=()), None), Turn(HOSTILE, answer(nearest=(citation,)))]
    turns += [Turn(HOSTILE, problem=HOSTILE)]
    for rendered in (
        render_article(found, ZH, citation, number=number),
        render_conversation(turns, ZH, READY, [HOSTILE]),
        render_conversation([], ZH, Failed(HOSTILE), [HOSTILE]),
    ):
        assert not Tags(rendered).names & {"script", "img", "onerror", "onclick"}
        assert "\u202e" not in rendered
        assert "&lt;script&gt;" in rendered


def test_attributes_are_quoted() -> None:
    assert attributes(class_="a", data_turn=0, hidden=True, title=None, lang=False) == ' class="a" data-turn="0" hidden'
    assert element("b", escape('"><'), title='"') == '<b title="&quot;">&quot;&gt;&lt;</b>'


def test_an_answer_shows_quote_citations_and_sources() -> None:
    found = article()
    rendered = render_conversation([Turn("包里有什么？", answer(quote(found, "牛奶、坚果和水果。")))], EN, READY, [])
    assert "牛奶、坚果和水果。" in rendered
    assert 'data-turn="0" data-citation="0" aria-label="Citation 1, open the article: 暖心包送到一线"' in rendered
    for word in ("[1]", "晚报", "2022-07-18", "A02", "a.txt", "about 83% sure", "12 ms"):
        assert word in rendered


def test_no_answer_is_not_dressed_as_one() -> None:
    found = article()
    rendered = render_conversation([Turn("问", answer(nearest=(quote(found, "牛奶"),)))], ZH, READY, [])
    assert ZH.not_found in rendered
    assert ZH.nearest in rendered
    assert 'data-nearest="0"' in rendered
    assert "data-citation" not in rendered
    assert "wb-quote" not in rendered
    assert ZH.nothing_near in render_conversation([Turn("问", answer())], ZH, READY, [])


def test_the_copied_text_names_the_sources() -> None:
    text = answer_as_text(answer(quote(article(), "牛奶、坚果和水果。")), ZH)
    assert "“牛奶、坚果和水果。” [1]" in text
    assert "[1] 暖心包送到一线, 晚报, 2022-07-18, a.txt" in text


def test_the_start_is_told_with_rate_and_time_left() -> None:
    state = Starting("encode", 50, 200, 5.0)
    assert stage_line(state, ZH) == "编码段落 · 50 / 200 · 每秒 10 项 · 约剩 15 秒"
    assert stage_line(Starting("encode", 10, 4000, 10.0), EN).endswith("1.0 a second · about 67 min left")
    assert stage_line(Starting("model"), EN) == "Loading the embedding model"
    assert 'aria-valuenow="25"' in render_status(state, ZH)
    assert ZH.failed in render_status(Failed("why"), ZH)
    assert render_status(READY, ZH) == ""


def test_holdings_name_counts_and_dates() -> None:
    assert render_holdings(Holdings(1234, ("2020-02-18", "2022-11-21"), (), ()), EN) == (
        "1,234 articles · 2020-02-18 to 2022-11-21"
    )
    assert render_holdings(Holdings(3, None, (), ()), ZH) == "3 篇文章"
    assert render_holdings(None, ZH) == ""


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "zh"),
        ("", "zh"),
        ("en-US,en;q=0.9", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("fr-FR,en;q=0.5,zh;q=0.7", "zh"),
        ("de", "zh"),
        ("en;q=0, zh;q=0.1", "zh"),
        (",;=," * 500, "zh"),
    ],
)
def test_the_browser_chooses_the_language(header: str | None, language: str) -> None:
    assert preferred_language(header) == language
    assert texts_of(language).language == language


def test_both_languages_have_the_same_holes_to_fill() -> None:
    def holes(text: object) -> set[str]:
        return set(re.findall(r"{(\w+)}", str(text)))

    for name in ZH.__dataclass_fields__:
        assert holes(getattr(ZH, name)) == holes(getattr(EN, name)), name
    assert ZH.stages.keys() == EN.stages.keys()


def test_what_cannot_be_asked_is_refused_in_the_readers_language() -> None:
    assert refusal("问" * 501, Filters(), ZH) == "问题有 501 个字，最多 500 个字。请缩短成一个问题再问。"
    assert refusal("？？？", Filters(), ZH) == ZH.no_words
    assert "昨天" in (refusal("问", Filters(date_from="昨天"), EN) or "")
    assert refusal("问", Filters(date_from="2023", date_to="2022"), ZH) is not None
    assert refusal("问", Filters(date_from="2022", date_to="2022"), ZH) is None


class _Chat:
    def __init__(self, reply: Answer | Exception) -> None:
        self.reply = reply

    def ask(self, question: str, *, filters: Filters | None = None) -> Answer:
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


def _asked(session: Session, service: Service, question: str = "问？", filters: Filters | None = None) -> list[str]:
    """Ask, and return how the last turn looked each time there was something to show."""

    async def run() -> list[str]:
        seen = []
        async for _ in session.ask(service, question, filters or Filters()):
            turn = session.turns[-1]
            seen.append("answer" if turn.answer else "problem" if turn.problem else "pending")
        return seen

    return asyncio.run(run())


def _service(reply: Answer | Exception) -> Service:
    ready = Ready(SimpleNamespace(chat=lambda: _Chat(reply)))  # type: ignore[arg-type]
    service = Service(lambda on_stage: ready)
    service.start()
    service.wait(5)
    return service


def test_a_question_is_answered_and_can_be_opened() -> None:
    citation = quote(article(), "牛奶")
    session = Session()
    assert _asked(session, _service(answer(citation))) == ["pending", "answer"]
    assert session.citation(0, "citation", 0) == Opened(citation, 1)
    for turn, place in ((0, 1), (1, 0), (-1, 0), (0, -1), ("0", 0), (None, None)):
        assert session.citation(turn, "citation", place) is None
    assert session.citation(0, "nearest", 0) is None
    session.clear()
    assert session.turns == []


def test_errors_are_told_in_words_and_never_as_a_traceback() -> None:
    session = Session(language="en")
    assert _asked(session, _service(NotReadyError("in words"))) == ["pending", "problem"]
    assert session.turns[-1].problem == "in words"
    assert _asked(Session(), _service(BusyError("x")))[-1] == "problem"
    fresh = Session(language="en")
    _asked(fresh, _service(ZeroDivisionError("secret")))
    assert fresh.turns[-1].problem == EN.unexpected
    assert not fresh.busy


def test_a_question_waits_for_the_start() -> None:
    go_on = threading.Event()
    reply = answer(quote(article(), "牛奶"))

    def prepare(on_stage: object) -> Ready:
        go_on.wait(10)
        return Ready(SimpleNamespace(chat=lambda: _Chat(reply)))  # type: ignore[arg-type]

    service = Service(prepare)
    service.start()
    with pytest.raises(NotReadyError):
        _ = service.bot
    threading.Timer(0.3, go_on.set).start()
    assert _asked(Session(), service)[-1] == "answer"


def test_a_failed_start_is_told() -> None:
    def prepare(on_stage: object) -> Ready:
        raise RuntimeError("disk gone")

    told: list[str] = []
    service = Service(prepare)
    service.start(told.append)
    assert service.wait(5) == Failed("RuntimeError: disk gone")
    session = Session()
    _asked(session, service)
    assert "disk gone" in (session.turns[-1].problem or "")
    assert told == ["RuntimeError: disk gone"]


def test_examples_are_read_and_a_broken_file_is_passed_over(tmp_path) -> None:
    assert read_examples([tmp_path]).zh == []
    (tmp_path / "examples.json").write_text("[1, 2", encoding="utf-8")
    assert read_examples([tmp_path, tmp_path / "missing"]).zh == []
    (tmp_path / "examples.json").write_text('{"zh": ["问？"], "en": []}', encoding="utf-8")
    assert read_examples([tmp_path]).zh == ["问？"]


def test_the_words_that_answer_stand_marked_in_their_sentence() -> None:
    found = article()
    quoted = quote(found, "送给流调人员的是牛奶、坚果和水果。")
    words = [
        slice_spans(quoted.spans, quoted.quote.index(word), quoted.quote.index(word) + 2) for word in ("牛奶", "坚果")
    ]
    citations = [
        cite(found, quoted.quote, quoted.spans, 1.0, answer=join_spans(PAGE, spans), answer_spans=spans)
        for spans in words
    ]
    shown = render_conversation([Turn("包里有什么？", answer(*citations))], ZH, READY, ())
    assert marked(shown) == "牛奶坚果"
    (sentences,) = re.findall(r"<blockquote.*?</blockquote>", shown)
    assert sentences.count("流调人员") == 1  # what both stand in is shown once
    panel = render_article(found, ZH, citations[0], number=1)
    assert re.findall(r"<strong>(.*?)</strong>", panel) == ["牛奶"]
    assert marked(panel) == quoted.quote
    assert "牛奶 [1]" in answer_as_text(answer(citations[0]), ZH)


def test_a_word_that_answers_keeps_the_space_after_it() -> None:
    page = "Old bridge\nreopens in May."
    found = article(page, ((0, len(page)),), ((0, 0),))
    one = cite(found, page, ((0, len(page)),), 1.0, answer="Old bridge", answer_spans=((0, 10),))
    panel = re.sub(r"<[^>]+>", "", render_article(found, EN, one, number=1))
    assert re.search(r"Old bridge\s+reopens", panel)
