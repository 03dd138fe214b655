"""The page: a conversation on the left, the cited article on the right."""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib.resources import files
from typing import Any

import gradio as gr

from index.archive import Filters
from index.errors import NotFoundError, WenbaoError
from qa.web.article_view import render_article
from qa.web.markup import attributes, element, escape
from qa.web.rendering import render_conversation, render_holdings, render_no_article, render_status
from qa.web.session import Kind, Opened, Session
from qa.web.startup import Holdings, Service, Starting
from qa.web.texts import LANGUAGES, ZH, Language, Texts, preferred_language

_POLL_SECONDS = 0.7
_STATE_SECONDS = 12 * 60 * 60
_LONGEST_INPUT = 4000
_WORDS = 13  # components that show words, see `_connect`
_FONTS = ("PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Source Han Sans SC", "Source Han Sans", "sans-serif")
_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


def asset(name: str) -> str:
    """Return the text of a file that belongs to the page."""
    return (files("qa.web") / name).read_text(encoding="utf-8")


def theme() -> gr.themes.Base:
    """Return the page's theme, made of fonts that the reader's system has."""
    return gr.themes.Base(
        primary_hue=gr.themes.colors.red,
        neutral_hue=gr.themes.colors.stone,
        font=_FONTS,
        font_mono=("ui-monospace", "Menlo", "Consolas", "Noto Sans Mono CJK SC", "monospace"),
    )


class Page:
    """The page's components and what they do."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.blocks = gr.Blocks(title="问报 Wenbao", analytics_enabled=False, fill_width=True)
        with self.blocks:
            self._build()
            self._connect()
        self.blocks.queue(max_size=64, default_concurrency_limit=16, api_open=False)

    def _build(self) -> None:
        self.session = gr.State(None, time_to_live=_STATE_SECONDS)
        self.timer = gr.Timer(_POLL_SECONDS, active=True)
        with gr.Row(elem_id="wb-head"):
            self.masthead = gr.HTML(
                _masthead(ZH, None), elem_id="wb-masthead", js_on_load=None, apply_default_css=False
            )
            self.language = gr.Radio(
                [("中文", "zh"), ("English", "en")],
                value="zh",
                label=ZH.language_label,
                elem_id="wb-language",
                container=False,
            )
        with gr.Row(elem_id="wb-main"):
            with gr.Column(elem_id="wb-left"):
                self.conversation = gr.HTML(
                    "", elem_id="wb-conversation", js_on_load=asset("conversation.js"), apply_default_css=False
                )
                with gr.Row(elem_id="wb-ask"):
                    self.question = gr.Textbox(
                        show_label=False,
                        label=ZH.question_label,
                        placeholder=ZH.placeholder,
                        lines=1,
                        max_lines=4,
                        max_length=_LONGEST_INPUT,
                        container=False,
                        elem_id="wb-question",
                        html_attributes=gr.InputHTMLAttributes(
                            autocomplete="off", spellcheck=False, enterkeyhint="send"
                        ),
                    )
                    self.send = gr.Button(ZH.send, variant="primary", elem_id="wb-send", min_width=72)
                with gr.Row(elem_id="wb-more"):
                    with gr.Accordion(ZH.filters, open=False, elem_id="wb-filters") as self.accordion:
                        with gr.Row():
                            self.date_from = gr.Textbox(
                                label=ZH.date_from, placeholder=ZH.date_hint, max_lines=1, max_length=40
                            )
                            self.date_to = gr.Textbox(
                                label=ZH.date_to, placeholder=ZH.date_hint, max_lines=1, max_length=40
                            )
                        with gr.Row():
                            self.paper = gr.Dropdown([(ZH.everything, "")], value="", label=ZH.paper)
                            self.section = gr.Dropdown([(ZH.everything, "")], value="", label=ZH.section)
                    self.new = gr.Button(ZH.new_conversation, elem_id="wb-new", size="sm", min_width=72)
            with gr.Column(elem_id="wb-right"):
                self.article = gr.HTML(
                    "", elem_id="wb-article", js_on_load=asset("article.js"), apply_default_css=False
                )

    def _connect(self) -> None:
        words = [
            *(self.masthead, self.language, self.conversation, self.question, self.send, self.accordion),
            *(self.date_from, self.date_to, self.paper, self.section, self.new, self.article, self.timer),
        ]
        filters = [self.date_from, self.date_to, self.paper, self.section]
        shown = [self.conversation, self.question, self.article, self.session]
        self.blocks.load(self._arrive, [self.session], [*words, self.session], queue=False, **_QUIET)
        self.timer.tick(self._tick, [self.session], words, queue=False, **_QUIET)
        self.language.input(
            self._switch, [self.language, self.session, *filters], [*words, self.session], queue=False, **_QUIET
        )
        gr.on(
            [self.question.submit, self.send.click],
            self._ask,
            [self.question, self.session, *filters],
            shown,
            concurrency_id="ask",
            concurrency_limit=16,
            **_QUIET,
        )
        self.conversation.example(
            self._ask_example, [self.session, *filters], shown, concurrency_id="ask", concurrency_limit=16, **_QUIET
        )
        self.conversation.open(self._open, [self.session], [self.article, self.session], queue=False, **_QUIET)
        self.new.click(self._begin_anew, [self.session], shown, queue=False, **_QUIET)

    def _arrive(self, request: gr.Request, session: Session | None) -> list[Any]:
        session = session or _begin(request)
        return [*self._words(session, None), session]

    def _switch(self, request: gr.Request, language: Language, session: Session | None, *filters: str) -> list[Any]:
        session = session or _begin(request)
        session.language = language
        return [*self._words(session, filters[2:]), session]

    def _tick(self, session: Session | None) -> list[Any]:
        """While the start goes on, show how far it is; once it is over, fill in what was not known before."""
        if session is None:  # the visit has not begun: `_arrive` is on its way
            return [gr.skip()] * _WORDS
        starting = isinstance(self._service.state, Starting)
        words: list[Any] = [gr.skip()] * _WORDS if starting else self._words(session, None)
        # While a question waits for its answer, it is the one that shows the conversation.
        words[2] = gr.skip() if session.busy else self._conversation(session)
        return words

    def _words(self, session: Session, chosen: tuple[str, ...] | None) -> list[Any]:
        """Return everything on the page that is said in words, in the order of `words` in `_connect`."""
        texts, holdings = session.texts, self._service.holdings()
        papers, sections = (holdings.papers, holdings.sections) if holdings else ((), ())
        paper, section = chosen or ("", "")
        return [
            _masthead(texts, holdings),
            gr.update(value=session.language, label=texts.language_label),
            self._conversation(session),
            gr.update(placeholder=texts.placeholder, label=texts.question_label),
            texts.send,
            gr.update(label=texts.filters),
            gr.update(label=texts.date_from, placeholder=texts.date_hint),
            gr.update(label=texts.date_to, placeholder=texts.date_hint),
            gr.update(label=texts.paper, choices=_choices(papers, texts), value=paper),
            gr.update(label=texts.section, choices=_choices(sections, texts), value=section),
            texts.new_conversation,
            self._article(session),
            gr.update(active=isinstance(self._service.state, Starting)),
        ]

    def _conversation(self, session: Session) -> str:
        examples = self._service.examples(session.language)
        rendered = render_conversation(session.turns, session.texts, self._service.state, examples)
        status = "" if not session.turns or session.busy else render_status(self._service.state, session.texts)
        return element("div", status + rendered, lang=session.texts.html_language, class_="wb-words")

    def _article(self, session: Session) -> str:
        texts = session.texts
        close = element("button", "×", type="button", class_="wb-close", aria_label=texts.close, title=texts.close)
        # The number of the opening makes the browser notice an article that is opened a second time.
        panel = attributes(
            class_="wb-panel",
            role="region",
            aria_label=texts.article,
            lang=texts.html_language,
            data_opening=session.openings,
        )
        return f"<div{panel}>{close if session.opened else ''}{self._article_content(session.opened, texts)}</div>"

    def _article_content(self, opened: Opened | None, texts: Texts) -> str:
        if opened is None:
            return render_no_article(self._service.holdings(), texts)
        try:
            article = self._service.bot.archive.article(opened.citation.article_id)
        except NotFoundError:
            return element("p", escape(texts.article_gone), class_="wb-notice", role="alert")
        except WenbaoError as error:
            return element("p", escape(str(error)), class_="wb-notice", role="alert")
        return render_article(article, texts, opened.citation, number=opened.number)

    async def _ask(
        self, request: gr.Request, question: str | None, session: Session | None, *filters: str | None
    ) -> AsyncIterator[list[Any]]:
        session = session or _begin(request)
        if session.busy or not (question or "").strip():
            yield [gr.skip(), gr.skip(), gr.skip(), session]
            return
        wanted = Filters(*((value or "").strip() or None for value in filters))
        async for _ in session.ask(self._service, str(question).strip(), wanted):
            empty = "" if session.busy else gr.skip()
            yield [self._conversation(session), empty, gr.skip(), session]

    async def _ask_example(
        self,
        request: gr.Request,
        session: Session | None,
        date_from: str | None,
        date_to: str | None,
        paper: str | None,
        section: str | None,
        event: gr.EventData,
    ) -> AsyncIterator[list[Any]]:
        session = session or _begin(request)
        examples, place = self._service.examples(session.language), event._data.get("place")
        question = examples[place] if isinstance(place, int) and 0 <= place < len(examples) else None
        async for update in self._ask(request, question, session, date_from, date_to, paper, section):
            yield update

    def _open(self, request: gr.Request, session: Session | None, event: gr.EventData) -> list[Any]:
        session = session or _begin(request)
        kind: Kind = "nearest" if event._data.get("kind") == "nearest" else "citation"
        opened = session.citation(event._data.get("turn"), kind, event._data.get("place"))
        if opened is None:
            return [gr.skip(), session]
        session.opened, session.openings = opened, session.openings + 1
        return [self._article(session), session]

    def _begin_anew(self, request: gr.Request, session: Session | None) -> list[Any]:
        session = session or _begin(request)
        session.clear()
        return [self._conversation(session), "", self._article(session), session]


def _begin(request: gr.Request) -> Session:
    """Return a new visit, in the language that the address names with `?lang=`, else in the browser's."""
    wished = dict(request.query_params).get("lang")
    accepted = preferred_language(request.headers.get("accept-language"))
    return Session(next((language for language in LANGUAGES if language == wished), accepted))


def _choices(counted: tuple[tuple[str, int], ...], texts: Texts) -> list[tuple[str, str]]:
    return [(texts.everything, ""), *((f"{name} ({count:,})", name) for name, count in counted)]


def _masthead(texts: Texts, holdings: Holdings | None) -> str:
    title = element("h1", element("span", "问报", class_="wb-name") + element("span", "Wenbao", class_="wb-latin"))
    tagline = element("p", escape(texts.tagline), class_="wb-tagline")
    return element(
        "div",
        title + tagline + element("p", render_holdings(holdings, texts), class_="wb-holdings"),
        class_="wb-masthead",
    )
