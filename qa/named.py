"""What a question names and an article does not have: then the article tells it of somebody or something else."""

from __future__ import annotations

import re

from index.folding import fold_text, is_han
from qa.question import is_asking_term

_LATIN_WORD = re.compile(r"[A-Za-z][\w'’-]+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_STEM = 5  # a name may have another ending: Norman, Normans, Norman's


def missing_names(question: str, text: str) -> int:
    """Return how many of the names in Latin letters and the numbers of a question a text does not have.

    A name is a word with a capital letter. Those of a question in Latin letters are not looked for in a Chinese text,
    which writes them in other ones.
    """
    known = fold_text(text)
    numbers = set(_NUMBER.findall(known))
    missing = sum(number not in numbers for number in set(_NUMBER.findall(fold_text(question))))
    if any(map(is_han, text)) and not any(map(is_han, question)):
        return missing
    names = {fold_text(word) for word in _LATIN_WORD.findall(question) if any(map(str.isupper, word))}
    return missing + sum(not is_asking_term(name) and name[:_STEM] not in known for name in names)
