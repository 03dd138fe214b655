"""A question, parsed: its text checked, and the terms it is searched by."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from index.errors import InputError
from index.folding import fold_text, is_han
from index.romanization import pinyin_pairs_of_names
from index.tokens import character_bigrams, tokenize

MAX_CHARACTERS = 500
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?=\s*年|-\d|\W*$)")
_YEAR_IN_TEXT = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_CHINESE_YEAR = re.compile("[一二][〇零○一二三四五六七八九]{3}(?=年)")
_CHINESE_DIGITS = str.maketrans("〇零○一二三四五六七八九", "000123456789")
AnswerKind = Literal["number", "person", "time", "place", "reason", "manner", "list", "other"]

# Words that ask, or hold a sentence together: they say what kind of answer is wanted, not what the article is about.
_ASKING = (
    "什么 哪 哪个 哪些 哪里 哪儿 哪位 哪天 哪年 哪一天 哪一 谁 几 多少 多大 多高 多长 多久 "
    "为什么 为何 如何 怎么 怎样 怎么样 何时 何地 是否 "
    "吗 呢 吧 啊 请问 是 的 了 在 有 和 与 及 被 把 由 对 于 从 到 个 位 名 这 那 其 之 也 都 就 "
    "什麼 哪裡 誰 幾 為什麼 為何 怎麼 嗎 "
    "what which who whom whose when where why how many much is are was were do does did "
    "the a an of in on at to for by and"
)
_ASKING_TERMS = frozenset(fold_text(term) for term in _ASKING.split())
_ASKING_BIGRAMS = frozenset(term for term in _ASKING_TERMS if len(term) == 2 and is_han(term[0]))

# The first kind whose mark the question holds is taken.
_KIND_MARKS: tuple[tuple[AnswerKind, tuple[str, ...]], ...] = (
    ("reason", ("为什么", "为何", "原因", "why")),
    (
        "number",
        (
            "多长时间",
            "多少时间",
            "多久",
            "how many",
            "how much",
            "how long",
            "how old",
            "how far",
            "how tall",
            "how high",
            "how large",
            "how big",
            "what percentage",
            "what percent",
            "what share",
            "what proportion",
        ),
    ),
    (
        "time",
        (
            "什么时候",
            "何时",
            "哪天",
            "哪一天",
            "哪年",
            "哪一年",
            "几点",
            "几月",
            "几号",
            "几日",
            "几时",
            "哪个月",
            "when",
        ),
    ),
    ("list", ("哪些", "哪两", "哪几", "哪三", "哪四", "which two")),
    (
        "place",
        ("哪里", "哪儿", "何地", "什么地方", "哪个市", "哪个省", "哪个城市", "哪个国家", "哪个区", "地点", "where"),
    ),
    ("person", ("谁", "哪位", "何人", "什么人", "who", "whom")),
    ("number", ("多少", "几", "多大", "多高", "多长", "比例", "金额")),
    ("time", ("时间", "日期")),
    ("manner", ("如何", "怎么", "怎样", "how")),
)


@dataclass(frozen=True)
class Question:
    """A question as asked, its search terms, the kind of answer it asks for, and the years it names."""

    text: str
    words: tuple[str, ...]
    bigrams: tuple[str, ...]
    kind: AnswerKind
    years: tuple[str, ...] = ()


def has_words(text: str) -> bool:
    """Say whether a text holds a letter or a digit."""
    return any(character.isalnum() for character in text)


def checked_text(text: str) -> str:
    """Return the text of a question without white space at its ends.

    Raises:
        InputError: it is empty, or longer than `MAX_CHARACTERS`.
    """
    # Half a surrogate pair, as from bytes of a command line that are no UTF-8, stands for nothing.
    stripped = text.encode("utf-8", "replace").decode("utf-8").strip()
    if not has_words(stripped):
        raise InputError("The question is empty. Ask in words, for example: 活动有多少人参加？")
    if len(stripped) > MAX_CHARACTERS:
        raise InputError(
            f"The question has {len(stripped)} characters, at most {MAX_CHARACTERS} can be read. "
            "Shorten it to one question."
        )
    return stripped


def parse_question(text: str) -> Question:
    """Check a question and find its search terms.

    Raises:
        InputError: as for `checked_text`.
    """
    stripped = checked_text(text)
    words = tuple(dict.fromkeys(tokenize(stripped)))
    bigrams = tuple(dict.fromkeys(character_bigrams(stripped)))
    return Question(
        text=stripped,
        words=tuple(word for word in words if word not in _ASKING_TERMS) or words,
        bigrams=(tuple(pair for pair in bigrams if pair not in _ASKING_BIGRAMS | _ASKING_TERMS) or bigrams)
        + tuple(dict.fromkeys(pinyin_pairs_of_names(stripped))),
        kind=_answer_kind(fold_text(stripped)),
        years=tuple(dict.fromkeys(_YEAR.findall(_CHINESE_YEAR.sub(_in_digits, fold_text(stripped))))),
    )


def years_in(text: str) -> set[str]:
    """Return the years that a text names, also in Chinese numerals, four digits each."""
    return set(_YEAR_IN_TEXT.findall(_CHINESE_YEAR.sub(_in_digits, fold_text(text))))


def _in_digits(match: re.Match[str]) -> str:
    return match[0].translate(_CHINESE_DIGITS)


def is_foreign(question: str, passage: str) -> bool:
    """Say whether a question without Chinese characters meets a passage with them."""
    return any(map(is_han, passage)) and not any(map(is_han, question))


def _holds(folded: str, mark: str) -> bool:
    """Say whether a question holds a mark; one in Latin letters as whole words."""
    return bool(re.search(rf"\b{mark}\b", folded)) if mark.isascii() else mark in folded


def _answer_kind(folded: str) -> AnswerKind:
    for kind, marks in _KIND_MARKS:
        if any(_holds(folded, mark) for mark in marks):
            return kind
    return "other"
