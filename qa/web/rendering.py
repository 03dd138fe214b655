"""The conversation, the state of the start and the archive's holdings as HTML."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from index.spans import Span, Spans
from qa.answer import Answer, Citation
from qa.web.markup import element, escape, isolate
from qa.web.startup import Failed, Holdings, Starting, State
from qa.web.texts import Texts

_EXCERPT = 160


@dataclass(frozen=True)
class Turn:
    """A question and what came of it: an answer, a problem in words, or neither yet."""

    question: str
    answer: Answer | None = None
    problem: str | None = None


def render_conversation(turns: Sequence[Turn], texts: Texts, state: State, examples: Sequence[str]) -> str:
    """Return the conversation; before the first question, an invitation with questions to try."""
    if not turns:
        return _invitation(texts, state, examples)
    rendered = "".join(_turn(number, turn, texts, state) for number, turn in enumerate(turns))
    return element("div", rendered, class_="wb-turns", role="log", aria_label=texts.conversation)


def render_status(state: State, texts: Texts) -> str:
    """Return how far the start has come, or why it failed; nothing once everything is ready."""
    if isinstance(state, Failed):
        head = element("strong", escape(texts.failed))
        message = element("p", isolate(state.message)) + element("p", escape(texts.failed_note), class_="wb-fine")
        return element("div", head + message, class_="wb-status wb-failed", role="alert")
    if not isinstance(state, Starting):
        return ""
    head = element("strong", escape(texts.starting)) + element("span", escape(stage_line(state, texts)))
    note = element("p", escape(texts.starting_note), class_="wb-fine")
    return element("div", element("p", head) + _bar(state, texts) + note, class_="wb-status")


def stage_line(state: Starting, texts: Texts) -> str:
    """Return the stage in words: name, count, rate and time left, as far as they are known."""
    parts = [texts.stages.get(state.stage, state.stage)]
    if state.total:
        parts.append(f"{state.done} / {state.total}")
    rate = state.rate
    if rate is not None:
        parts.append(texts.rate.format(rate=f"{rate:.0f}" if rate >= 10 else f"{rate:.1f}"))
    left = state.seconds_left
    if left is not None:
        template = texts.seconds_left if left < 90 else texts.minutes_left
        parts.append(template.format(count=math.ceil(left if left < 90 else left / 60)))
    return " · ".join(parts)


def render_holdings(holdings: Holdings | None, texts: Texts) -> str:
    """Return one line on how much the archive holds."""
    if holdings is None:
        return ""
    if holdings.dates is None:
        return escape(texts.holdings_undated.format(articles=f"{holdings.articles:,}"))
    first, last = holdings.dates
    return escape(texts.holdings.format(articles=f"{holdings.articles:,}", first=first, last=last))


def render_no_article(holdings: Holdings | None, texts: Texts) -> str:
    """Return what the panel shows while no article is open: what it is for, and which papers the archive holds."""
    parts = [element("p", escape(texts.article_hint), class_="wb-hint")]
    if holdings is not None and holdings.papers:
        rows = "".join(
            element("li", isolate(name) + element("span", escape(texts.articles_count.format(count=f"{count:,}"))))
            for name, count in holdings.papers[:8]
        )
        parts.append(element("h3", escape(texts.holdings_heading)) + element("ul", rows, class_="wb-papers"))
    return element("div", "".join(parts), class_="wb-no-article")


def _invitation(texts: Texts, state: State, examples: Sequence[str]) -> str:
    parts = [
        element("h2", escape(texts.empty_heading)),
        element("p", escape(texts.empty_hint), class_="wb-hint"),
        render_status(state, texts),
    ]
    if examples:
        buttons = "".join(
            element("li", element("button", isolate(example), type="button", data_example=place))
            for place, example in enumerate(examples)
        )
        parts.append(element("h3", escape(texts.examples)) + element("ul", buttons, class_="wb-examples"))
    return element("div", "".join(parts), class_="wb-empty")


def _turn(number: int, turn: Turn, texts: Texts, state: State) -> str:
    label = element("span", escape(texts.you_asked), class_="wb-who", aria_hidden="true")
    question = element("h3", label + isolate(turn.question), class_="wb-question")
    if turn.problem is not None:
        inner = element("strong", escape(texts.error)) + element("p", isolate(turn.problem))
        reply = element("div", inner, class_="wb-reply wb-problem", role="alert")
    elif turn.answer is None:
        reply = _pending(texts, state)
    elif turn.answer.found:
        reply = _found(number, turn.answer, texts)
    else:
        reply = _not_found(number, turn.answer, texts)
    return element("section", question + reply, class_="wb-turn", data_turn=number)


def _pending(texts: Texts, state: State) -> str:
    if isinstance(state, Starting):
        inner = element("p", escape(texts.waiting)) + render_status(state, texts)
        return element("div", inner, class_="wb-reply wb-pending", aria_busy="true")
    spinner = element("span", "", class_="wb-spinner", aria_hidden="true")
    return element("div", spinner + escape(texts.working), class_="wb-reply wb-pending", aria_busy="true")


def _found(turn: int, answer: Answer, texts: Texts) -> str:
    answers: list[str] = []
    cards: list[str] = []
    for place, citation in enumerate(answer.citations):
        label = texts.citation.format(number=place + 1, headline=citation.headline)
        number = element(
            "button",
            f"[{place + 1}]",
            type="button",
            class_="wb-cite",
            data_turn=turn,
            data_citation=place,
            aria_label=label,
        )
        answers.append(element("p", isolate(citation.answer or citation.quote) + number))
        cards.append(_card(turn, place, citation, texts, near=False))
    label = element("span", escape(texts.answer), class_="wb-who", aria_hidden="true")
    words = element("div", "".join(answers), class_="wb-quote", lang="zh")
    quotes = _sentences(answer.citations)
    around = element("blockquote", quotes, class_="wb-sentences", lang="zh") if quotes else ""
    sources = element("ol", "".join(cards), class_="wb-cards", aria_label=texts.sources)
    measured = [texts.confidence.format(percent=round(answer.confidence * 100))]
    if "total" in answer.timings:
        measured.append(texts.took.format(milliseconds=round(answer.timings["total"])))
    copy = element(
        "button",
        escape(texts.copy),
        type="button",
        class_="wb-copy",
        data_copy=answer_as_text(answer, texts),
        data_copied=texts.copied,
    )
    foot = element("p", element("span", escape(" · ".join(measured))) + copy, class_="wb-foot")
    return element("div", label + words + around + sources + foot, class_="wb-reply wb-found")


def _sentences(citations: Sequence[Citation]) -> str:
    """Return each quote once, the words in it that answer marked; none that is no longer than its answer."""
    marks: dict[tuple[str, Spans], list[Span]] = {}
    for citation in citations:
        marked = citation.marked
        if marked is not None and marked != (0, len(citation.quote)):
            marks.setdefault((citation.source, citation.spans), []).append(marked)
    quotes = {(citation.source, citation.spans): citation.quote for citation in citations}
    return "".join(element("p", _with_marks(quotes[place], sorted(spans))) for place, spans in marks.items())


def _with_marks(text: str, marks: Sequence[Span]) -> str:
    parts: list[str] = []
    at = 0
    for start, end in marks:
        parts += [escape(text[at:start]), element("mark", escape(text[max(start, at) : end]))]
        at = max(at, end)
    return element("bdi", "".join(parts) + escape(text[at:]))


def _not_found(turn: int, answer: Answer, texts: Texts) -> str:
    head = element("p", escape(texts.not_found), class_="wb-none")
    if not answer.nearest:
        return element("div", head + element("p", escape(texts.nothing_near)), class_="wb-reply wb-not-found")
    cards = "".join(_card(turn, place, citation, texts, near=True) for place, citation in enumerate(answer.nearest))
    note = element("p", escape(texts.nearest), class_="wb-fine")
    nearest = element("ul", cards, class_="wb-cards wb-nearest")
    return element("div", head + note + nearest, class_="wb-reply wb-not-found")


def _card(turn: int, place: int, citation: Citation, texts: Texts, *, near: bool) -> str:
    about = [citation.paper, citation.date or texts.undated, citation.section]
    excerpt = citation.quote if len(citation.quote) <= _EXCERPT else f"{citation.quote[:_EXCERPT]}…"
    number = element("span", "≈" if near else str(place + 1), class_="wb-number", aria_hidden="true")
    words = element("span", isolate(citation.headline or citation.source), class_="wb-card-headline")
    if near:
        words += element("span", isolate(" ".join(excerpt.split())), class_="wb-card-excerpt", lang="zh")
    words += element("span", " · ".join(isolate(part) for part in about if part), class_="wb-card-about")
    words += element("span", isolate(citation.source), class_="wb-card-source")
    button = element(
        "button",
        number + element("span", words, class_="wb-card-words"),
        type="button",
        class_="wb-card",
        data_turn=turn,
        **{"data_nearest" if near else "data_citation": place},
        aria_label=texts.open_article.format(headline=citation.headline),
    )
    return element("li", button)


def answer_as_text(answer: Answer, texts: Texts) -> str:
    """Return an answer with its sources as plain text, for the clipboard."""
    quotes = [
        f"{citation.answer} [{place}]\n“{citation.quote}”"
        if citation.answer not in ("", citation.quote)
        else f"“{citation.quote}” [{place}]"
        for place, citation in enumerate(answer.citations, start=1)
    ]
    sources = [
        f"[{place}] " + ", ".join(filter(None, (citation.headline, citation.paper, citation.date, citation.source)))
        for place, citation in enumerate(answer.citations, start=1)
    ]
    return "\n".join([answer.question, "", *quotes, "", f"{texts.sources}:", *sources])


def _bar(state: Starting, texts: Texts) -> str:
    share = state.done / state.total if state.total else None
    style = f"width:{share:.1%}" if share is not None else None
    return element(
        "div",
        element("div", "", class_="wb-bar-fill" if share is not None else "wb-bar-fill wb-bar-unknown", style=style),
        class_="wb-bar",
        role="progressbar",
        aria_label=texts.stages.get(state.stage, state.stage),
        aria_valuemin=0 if share is not None else None,
        aria_valuemax=100 if share is not None else None,
        aria_valuenow=round(share * 100) if share is not None else None,
    )
