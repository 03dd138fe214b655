"""What a question names and an article does not have: then the article tells it of somebody or something else."""

from __future__ import annotations

import re

from index.folding import fold_text, is_han
from qa.figures import NUMERALS, figures_of
from qa.question import Question, is_asking_term, years_in

_LATIN_WORD = re.compile(r"[A-Za-z][\w-]+")
_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_STEM = 5  # a name may have another ending: Norman, Normans


def missing_names(question: Question, text: str) -> int:
    """Return how many of the names in Latin letters and the numbers of a question a text does not have.

    A name is a word with a capital letter; at the beginning of a question it is none if it only asks. Years are left
    out. In a question in Latin letters, names are not looked for in a Chinese text, which writes them in other ones.
    """
    known = fold_text(text)
    # 三 in 三名 is one of the text's numbers; in a question it may be part of a word (一些), and is not looked for.
    lone = {float(value) for numeral, value in NUMERALS.items() if numeral in known}
    missing = len(_numbers(question.text, set(question.years)) - _numbers(text, years_in(text)) - lone)
    if any(map(is_han, text)) and not any(map(is_han, question.text)):
        return missing
    words = _LATIN_WORD.findall(question.text)
    names = {fold_text(word) for word in words if any(map(str.isupper, word)) and word != _first_word(question.text)}
    return missing + sum(not is_asking_term(name) and name[:_STEM] not in known for name in names)


def _numbers(text: str, years: set[str]) -> set[float]:
    """Return the values of the numbers in a text, however they are written, but for the years."""
    folded = fold_text(text)
    digits = {float(number.replace(",", "")) for number in _NUMBER.findall(folded)}
    return (digits | {value for value, _ in figures_of(text)}) - {float(year) for year in years}


def _first_word(question: str) -> str | None:
    """Return the word that a question begins with where it has its capital letter from that, not from being a name."""
    first = _LATIN_WORD.match(question)
    return first[0] if first and first[0][1:].islower() else None
