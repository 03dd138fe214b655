"""Lines: the atoms of a newspaper page. Blank lines and white space around a line are noted, not kept."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE = re.compile(r"[^\n\r\f\v\x1c\x1d\x1e\x85\u2028\u2029]+")
_BREAK = re.compile(r"\r\n|[\n\r\f\v\x1c\x1d\x1e\x85\u2028\u2029]")
_END_MARKS = "。！？!?；;…"
_CLOSERS = "”’」』）)】》〉〕］]\"'"
_PAIRS = (("“", "”"), ("「", "」"), ("『", "』"), ("《", "》"), ("（(", "）)"), ("【", "】"))
_LATIN_END = re.compile(r"[A-Za-z0-9%)\"'’”][.!?:][\"'”’)\]]*$")
_CJK = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_SPACES = re.compile(r"\s+")
_NUMERAL = re.compile(r"[一二三四五六七八九十]、")
_ITEM = re.compile(
    r"[（(][一二三四五六七八九十\d]{1,3}[)）]|[一二三四五六七八九十]{1,3}、|\d{1,2}[.、．](?!\d)|\d{1,2}[:：]\d\d\s|[①-⑳●○■□◆◇▲△★☆▪]"
)
_SCORE = re.compile(r"\S{2,12}\s+\d{1,3}\s*[:：∶比-]\s*\d{1,3}\s+\S{2,12}(?:\s.{0,12})?$")
_FIGURE = re.compile(r"[+-]?\d[\d.,:：%％/-]*[\u4e00-\u9fff]?$")
LONGEST_ROW = 60


@dataclass(frozen=True)
class Line:
    """A line that is not blank: `text[start:end]` of the source, without white space at its ends.

    `blanks` counts the blank lines before it, `indent` the white space characters it began with. `break_end` is where
    the line break after it ends (`end` where none follows). `level` is that of a
    Markdown heading, 0 for any other line.
    """

    number: int
    start: int
    end: int
    text: str
    blanks: int
    indent: int
    break_end: int
    level: int = 0

    @property
    def compact(self) -> str:
        """The line without white space: what repetitions are recognised by."""
        return _SPACES.sub("", self.text)


def split_lines(text: str) -> list[Line]:
    """Return the lines of `text` that are not blank."""
    lines: list[Line] = []
    blanks = 0
    last_end = 0
    for match in _LINE.finditer(text):
        raw = match.group()
        content = raw.strip()
        blanks += sum(1 for _ in _BREAK.finditer(text, last_end, match.start()))
        last_end = match.end()
        if not content:
            continue
        indent = len(raw) - len(raw.lstrip())
        start = match.start() + indent
        following = _BREAK.match(text, match.end())
        lines.append(
            Line(
                number=len(lines),
                start=start,
                end=start + len(content),
                text=content,
                blanks=max(0, blanks - 1) if lines else blanks,
                indent=indent,
                break_end=following.end() if following else start + len(content),
            )
        )
        blanks = 0
    return lines


def is_cjk_text(text: str) -> bool:
    """Say whether a text is written in Chinese characters, mostly."""
    sample = text[:300]
    return len(_CJK.findall(sample)) * 4 >= sum(1 for character in sample if character.isalpha())


def ends_sentence(text: str) -> bool:
    """Say whether a line ends with the end of a sentence, closing quotes and brackets aside."""
    stripped = text.rstrip(_CLOSERS)
    if stripped and stripped[-1] in _END_MARKS:
        return True
    return bool(_LATIN_END.search(text[-8:])) and not _CJK.search(text[-3:])


def open_pairs(text: str) -> int:
    """Return how many quotes and brackets a text opens and does not close (below 0: closes and did not open)."""
    balance = 0
    for opening, closing in _PAIRS:
        balance += sum(text.count(mark) for mark in opening) - sum(text.count(mark) for mark in closing)
    return balance


def begins_inside(text: str) -> bool:
    """Say whether a line cannot begin a sentence: it begins with a mark, or one character and then a comma."""
    if not text or _NUMERAL.match(text):
        return False
    if text[0] in "，,、。；;：:！!？?…”’」』）)】》％%的":
        return not text.startswith(("的士", "的确", "的哥", "……"))
    return len(text) > 1 and text[1] in "，,、" and bool(_CJK.match(text[0]))


def is_table_row(text: str) -> bool:
    """Say whether a line is a row of a table: a score between two names, or short fields of which most are figures."""
    if len(text) > LONGEST_ROW or ends_sentence(text):
        return False
    if _SCORE.match(text):
        return True
    fields = text.split()
    figures = sum(bool(_FIGURE.match(field)) for field in fields)
    return len(fields) >= 3 and figures >= 2 and 2 * figures >= len(fields) and max(map(len, fields)) <= 12


def begins_item(text: str) -> bool:
    """Say whether a line begins with the mark or the number of an item of a list."""
    return bool(_ITEM.match(text))
