"""From bytes to text: byte order marks, UTF-8, and the older Chinese encodings told apart by what they would read.

The order of trust: a byte order mark; strict UTF-8, which other encodings hardly ever satisfy by accident; what the
document declares; then the reading whose characters are likeliest (see `text_cost`). The result is exactly what was
decoded: only a byte order mark is dropped, line ends stay, so offsets into the text are stable.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from charset_normalizer import from_bytes

from index.reading import UnreadableError
from index.text_cost import text_cost

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
TOLERATED_BAD_SHARE = 0.001  # of the characters: a scratch in a long text, never the wrong encoding
TOLERATED_CONTROL_SHARE = 0.01
SAMPLE_BYTES = 64 * 1024

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"\x84\x31\x95\x33", "gb18030"),
)

# What may be read, and how many bits of evidence a reading needs to be preferred to the ones above it.
# cp950 is Big5 as Windows writes it; big5hkscs adds the Hong Kong characters and wins only where those are used.
_CANDIDATES = (
    ("utf-8", 0.0),
    ("gb18030", 0.0),
    ("cp950", 4.0),
    ("big5hkscs", 6.0),
    ("utf-16-le", 14.0),
    ("utf-16-be", 16.0),
    ("utf-32-le", 16.0),
    ("utf-32-be", 16.0),
    ("cp932", 24.0),
    ("euc_jp", 24.0),
    ("cp949", 24.0),
    ("cp1251", 60.0),
    ("cp1252", 16.0),
)
# Over this, no reading looks like text: real Chinese costs about 9 bits a character, noise read as Han 15 and more.
_TEXT_COST_LIMIT = 14.0

# Names as documents declare them, to the codec that reads what is found under that name in practice.
_DECLARED = {"gb2312": "gb18030", "gbk": "gb18030", "cp936": "gb18030", "big5": "cp950", "ascii": "utf-8"}

# What a document may declare: the encodings of texts, not those of host names, e-mails or program code.
_DECLARABLE = re.compile(
    r"utf-8|ascii|gb\d+|gbk|hz|big5\w*|cp\d+|euc_\w+|shift_jis\w*|iso2022_\w+|iso8859-\d+|koi8-\w|mac-\w+|johab|tis-620"
)

_NOT_TEXT_REMEDY = "convert it to UTF-8 text (for example with iconv), or remove it from the folder"
_CONTROLS = re.compile(r"[\x01-\x08\x0b\x0e-\x19\x1b-\x1f\x7f]")


@dataclass(frozen=True)
class Decoded:
    """A decoded text, its Python codec name, and how many undecodable places became U+FFFD."""

    text: str
    encoding: str
    replaced: int = 0


def decode_text(data: bytes, declared: str | None = None) -> Decoded:
    """Decode a whole file.

    Up to 0.1 % of the characters may be undecodable; they become U+FFFD and are counted in the result.

    Args:
        data: the bytes of the file.
        declared: the encoding that the document itself names, if any.

    Raises:
        UnreadableError: no encoding gives text, or the text holds NULs or more than 1 % control characters.
    """
    encoding, mark = detect_encoding(data, declared)
    decoded = _decode(data[mark:], encoding)
    if decoded.replaced > len(decoded.text) * TOLERATED_BAD_SHARE:
        raise UnreadableError(
            f"{decoded.replaced:,} of {len(decoded.text):,} characters cannot be decoded, not even as {encoding}",
            _NOT_TEXT_REMEDY,
        )
    check_is_text(decoded.text)
    return decoded


def detect_encoding(data: bytes, declared: str | None = None, *, complete: bool = True) -> tuple[str, int]:
    """Return the codec for `data` and the length of its byte order mark.

    Args:
        data: a whole file, or its beginning.
        declared: the encoding that the document itself names, if any.
        complete: whether `data` is the whole file; if not, a character cut at the end is no error.

    Raises:
        UnreadableError: no encoding gives text.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return encoding, len(mark)
    if _is_utf8(data, complete):
        return "utf-8", 0
    named = _codec(declared)
    if named is not None and _is_tolerable(data, named):
        return named, 0
    return _likeliest(data), 0


def check_is_text(text: str) -> None:
    """Refuse what decodes but is no text.

    Raises:
        UnreadableError: `text` holds a NUL, or more than 1 % other control characters.
    """
    if "\0" in text:
        raise UnreadableError("it holds NUL characters, as binary files do", _NOT_TEXT_REMEDY)
    controls = sum(1 for _ in _CONTROLS.finditer(text))
    if controls > len(text) * TOLERATED_CONTROL_SHARE:
        raise UnreadableError(
            f"{controls:,} of {len(text):,} characters are control characters, as in binary files", _NOT_TEXT_REMEDY
        )


def _is_utf8(data: bytes, complete: bool) -> bool:
    """Say whether the bytes are valid UTF-8 and could hardly be anything else."""
    if b"\0" in data:
        return False  # more likely UTF-16, which the costs decide
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(data, final=complete)
    except UnicodeDecodeError:
        return False
    if text.isascii():
        return _CONTROLS.search(text) is None  # a little UTF-16 without NULs can pass for ASCII, but with controls
    # A few GB18030 characters can pass for two-byte UTF-8; three-byte sequences do not come about by chance.
    return max(text) >= "\u0800"


def _codec(declared: str | None) -> str | None:
    if declared is None:
        return None
    try:
        name = codecs.lookup(declared.strip()).name
    except (LookupError, ValueError):
        return None
    return _DECLARED.get(name, name) if _DECLARABLE.fullmatch(name) else None


def _is_tolerable(data: bytes, encoding: str) -> bool:
    decoded = _decode(data, encoding)
    return decoded.replaced <= len(decoded.text) * TOLERATED_BAD_SHARE and "\0" not in decoded.text


def _decode(data: bytes, encoding: str) -> Decoded:
    try:
        return Decoded(data.decode(encoding), encoding)
    except UnicodeError:
        text = data.decode(encoding, "replace")
        return Decoded(text, encoding, max(text.count(REPLACEMENT) - data.count(REPLACEMENT.encode()), 1))


def _likeliest(data: bytes) -> str:
    start = re.search(rb"[\x00\x80-\xff]", data)
    # Whole groups of four bytes are skipped, so that UTF-16 and UTF-32 stay in step.
    offset = (start.start() & ~3) if start else 0
    sample = data[offset : offset + SAMPLE_BYTES]
    readings = [(text_cost(text := sample.decode(name, "replace")) + bias, name, text) for name, bias in _CANDIDATES]
    _, name, text = min(readings)
    likely = _cost_per_character(text) <= _TEXT_COST_LIMIT
    if not likely or name == "cp1252":  # every byte string is some cp1252
        guess = from_bytes(sample).best()
        if guess is not None and _cost_per_character(str(guess)) <= _TEXT_COST_LIMIT:
            return codecs.lookup(guess.encoding).name
    if not likely:
        raise UnreadableError("its bytes are not text in any known encoding", _NOT_TEXT_REMEDY)
    return name


def _cost_per_character(text: str) -> float:
    foreign = "".join(character for character in text if not character.isascii())
    return text_cost(foreign) / len(foreign) if foreign else 0.0
