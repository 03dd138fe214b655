"""Contexts and questions in which one word is exchanged for another of its kind.

A question keeps its writer's hand, and its context all but one word, yet the two no longer fit: the model has to
compare them word by word. So that an exchanged word is no sign by itself, others are exchanged where nothing follows
from it: in question and context alike, or where the question does not look. Entity and antonym swaps as in Jia and
Liang, "Adversarial Examples for Evaluating Reading Comprehension Systems", EMNLP 2017; the pairs as in Kaushik and
others, "Learning the Difference that Makes a Difference with Counterfactually-Augmented Data", ICLR 2020.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from index.folding import fold_text
from index.sentences import split_sentences
from index.spans import Span
from index.tokens import dictionary_words
from qa.training.squad import Context

_TERMS = re.compile(
    r"[A-Z][A-Za-z'’-]+(?: [A-Z][A-Za-z'’-]+)*|[0-9]+(?:[.,][0-9]+)*|[A-Za-z]{4,}"
    "|[\u30a1-\u30fc]{3,}|[\u4e00-\u9fff]{2,}"
)
_ASKING = re.compile("[什哪谁誰何几幾怎孰么麼]|多少")
_TAGS = ("nr", "ns", "nt", "nz", "n", "v", "a", "t", "s", "f", "b")
_ENDINGS = ("ing", "ed", "ly", "ion", "er", "al", "ity", "ous", "s", "e")
_PLAIN = frozenset(
    re.findall(
        r"\w+",
        "what when where which who whom whose why how many much long about with from that this these those were was "
        "have has had does did the and for are his her its their there they them than then into been being also would "
        "could should will name names called known some other more most year years time times kind type according "
        "after before during between through over under such only each both same used using made make part many first",
    )
)
_OPPOSITES = re.findall(
    r"(\w+)/(\w+)",
    "first/last before/after more/less most/least highest/lowest largest/smallest higher/lower larger/smaller "
    "increase/decrease increased/decreased north/south east/west northern/southern eastern/western early/late "
    "earliest/latest oldest/youngest older/younger longest/shortest best/worst won/lost begin/end began/ended "
    "start/stop started/stopped inside/outside male/female father/mother son/daughter brother/sister king/queen "
    "rise/fall rose/fell above/below major/minor always/never can/cannot allowed/forbidden accept/reject "
    "accepted/rejected positive/negative winter/summer support/oppose supported/opposed buy/sell bought/sold "
    "最大/最小 最高/最低 最多/最少 最早/最晚 最长/最短 增加/减少 上升/下降 增长/减少 提高/降低 首次/末次 "
    "以前/以后 之前/之后 开始/结束 东部/西部 南部/北部 男性/女性 父亲/母亲 儿子/女儿 国内/国外 进口/出口 买入/卖出 "
    "支持/反对 成功/失败 上半年/下半年 去年/今年 上午/下午 原告/被告 收入/支出 获得/失去 同意/拒绝 优点/缺点",
)
_NAME_WEIGHT = 3.0
_ATTEMPTS = 8


@dataclass(frozen=True)
class Asked:
    """A question of a passage, with the passage's title, and the answer's range in it."""

    question: str
    title: str
    passage: str
    answer: Span


def terms_of(text: str) -> Iterator[tuple[str, str]]:
    """Yield the words of a text that can be exchanged, each with its kind: what may stand in its place."""
    for found in _TERMS.finditer(text):
        run = found.group()
        if "\u4e00" <= run[0] <= "\u9fff":
            yield from _han_terms(run)
        elif kind := _kind_of(run):
            yield run, kind


def _han_terms(run: str) -> Iterator[tuple[str, str]]:
    folded = fold_text(run)
    if len(folded) != len(run):
        return
    start = 0
    for word in dictionary_words(folded):
        surface = run[start : start + len(word)]
        start += len(word)
        tag = next((tag for tag in _TAGS if _tags().get(word, "").startswith(tag)), None)
        if len(word) > 1 and tag and not _ASKING.search(word):
            yield surface, f"{tag}{len(word)}"


def _kind_of(run: str) -> str | None:
    if run[0].isdigit():
        return f"number{len(run)}"
    if "\u30a1" <= run[0] <= "\u30fc":
        return "katakana"
    if run.lower() in _PLAIN or run.split(" ")[0].lower() in _PLAIN:
        return None
    if run[0].isupper():
        return "names" if " " in run else "capitals" if run.isupper() else "name"
    return next((f"-{ending}" for ending in _ENDINGS if run.endswith(ending)), "word")


@lru_cache(maxsize=1)
def _tags() -> dict[str, str]:
    """Return the part of speech of each word of jieba's dictionary."""
    import jieba.posseg

    jieba.posseg.dt.initialize()
    return dict(jieba.posseg.dt.word_tag_tab)


class Swapper:
    """Exchanges words for others of their kind from contexts of the same file."""

    def __init__(self, contexts: Iterable[Context], *, contexts_a_file: int = 400) -> None:
        """Collect words of so many contexts of each file."""
        seen: defaultdict[str, int] = defaultdict(int)
        words: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for context in contexts:
            file = _file_of(context)
            seen[file] += 1
            if seen[file] <= contexts_a_file:
                for term, kind in terms_of(context.text):
                    words[file, kind].add(term)
        self._words = {key: sorted(found) for key, found in words.items()}

    def unanswerable(self, asked: Asked, context: Context, rng: random.Random) -> tuple[str, str, str] | None:
        """Return question, title and passage that no longer fit, by one word; None where none can be exchanged."""
        draw = rng.random()
        if draw < 0.25 and (question := opposite(asked, rng)):
            return question, asked.title, asked.passage
        shared = self._asked_and_told(asked)
        if not shared:
            return None
        term, kind = rng.choices(shared, [_weight(kind) for _, kind in shared])[0]
        if draw < 0.6:
            sentence = _answer_sentence(asked)
            here = [
                other
                for other, same in terms_of(asked.passage)
                if same == kind and not _holds(asked.question, other) and not _holds(sentence, other)
            ]
            other = rng.choice(here) if here else self._another(term, kind, asked, context, rng)
            return (_put(asked.question, term, other), asked.title, asked.passage) if other else None
        other = self._another(term, kind, asked, context, rng)
        if other is None or _named_in_part(asked.passage, term):
            return None
        return asked.question, _put(asked.title, term, other), _put(asked.passage, term, other)

    def still_answerable(self, asked: Asked, context: Context, rng: random.Random) -> Asked:
        """Return a question of a passage with a word exchanged from which nothing follows, or as it was."""
        if rng.random() < 0.5:
            chosen = self._asked_and_told(asked)
        else:
            chosen = [(term, kind) for term, kind in terms_of(asked.passage) if not _holds(asked.question, term)]
        answer = asked.passage[slice(*asked.answer)]
        chosen = [(term, kind) for term, kind in chosen if not _holds(answer, term)]
        if not chosen:
            return asked
        term, kind = rng.choice(chosen)
        other = self._another(term, kind, asked, context, rng)
        return exchanged(asked, term, other) if other else asked

    def _asked_and_told(self, asked: Asked) -> list[tuple[str, str]]:
        """Return the words of the question that stand in the sentence of the answer, and not in the answer."""
        sentence, answer = _answer_sentence(asked), asked.passage[slice(*asked.answer)]
        return [
            (term, kind)
            for term, kind in terms_of(asked.question)
            if _holds(sentence, term) and term not in answer and answer not in term
        ]

    def _another(self, term: str, kind: str, asked: Asked, context: Context, rng: random.Random) -> str | None:
        words = self._words.get((_file_of(context), kind), [])
        for _ in range(_ATTEMPTS if words else 0):
            other = rng.choice(words)
            if other != term and other not in asked.passage and other not in asked.question:
                return other
        return None


def exchanged(asked: Asked, term: str, other: str) -> Asked:
    """Return a question of a passage with a word exchanged in both, wherever it stands outside the answer."""
    start, end = asked.answer
    before = _put(asked.passage[:start], term, other)
    answer = asked.passage[start:end]
    return replace(
        asked,
        question=_put(asked.question, term, other),
        title=_put(asked.title, term, other),
        passage=before + answer + _put(asked.passage[end:], term, other),
        answer=(len(before), len(before) + len(answer)),
    )


def opposite(asked: Asked, rng: random.Random) -> str | None:
    """Return the question with a word turned into its opposite; None where it has none that the passage lacks."""
    turned = [
        (one, other)
        for pair in _OPPOSITES
        for one, other in (pair, pair[::-1])
        if _holds(asked.question, one) and not _holds(asked.passage, other)
    ]
    return _put(asked.question, *rng.choice(turned)) if turned else None


def _put(text: str, term: str, other: str) -> str:
    make: Callable[[re.Match[str]], str] = lambda _: other  # noqa: E731 - no escapes in what is put in
    return _pattern(term).sub(make, text)


def _holds(text: str, term: str) -> bool:
    return term in text and _pattern(term).search(text) is not None


@lru_cache(maxsize=20_000)
def _pattern(term: str) -> re.Pattern[str]:
    left = r"(?<![A-Za-z0-9])" if term[0].isascii() else ""
    right = r"(?![A-Za-z0-9])" if term[-1].isascii() else ""
    return re.compile(left + re.escape(term) + right)


def _named_in_part(text: str, name: str) -> bool:
    """Say whether a word of a name of several stands elsewhere in the text without the others."""
    parts = name.split(" ")
    return len(parts) > 1 and any(_holds(_put(text, name, ""), part) for part in parts)


def _answer_sentence(asked: Asked) -> str:
    start, end = asked.answer
    sentences = [span for span in split_sentences(asked.passage) if span[0] < end and span[1] > start]
    return asked.passage[sentences[0][0] : sentences[-1][1]] if sentences else asked.passage


def _weight(kind: str) -> float:
    return _NAME_WEIGHT if kind.startswith(("name", "number", "capitals", "nr", "ns", "nt", "nz", "kata")) else 1.0


def _file_of(context: Context) -> str:
    return context.id.split("-", 1)[0]
