"""What the hostile files are made of: for each kind, a function of a random generator that returns its bytes."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections.abc import Callable

_SENTENCE = "青石桥昨日通车，总投资1260万元，市民可以免费乘坐接驳车。"
_MARKS = "\u202e\u202d\u2066\u2069\u200f\u200b\ufeff\x00\x07\x1b\x7f\x85\ufffe\ufffd\U000e0041"
# What file names bear beside a number: some of them are no text, and some are shown as what they are not.
STEMS = (
    "",
    "",
    "",
    "",
    "\u202etxt",
    "a\nb",
    "\udcff\udcfe",
    "#1",
    " ",
    "\u200b",
    "字" * 60,
    "%s{0}",
    "'\"",
    "\x1b[31m",
)
Maker = Callable[[random.Random], bytes]


def _text(generator: random.Random) -> str:
    return "\n\n".join(_SENTENCE * generator.randrange(1, 12) for _ in range(generator.randrange(1, 6)))


def damaged_encoding(generator: random.Random) -> bytes:
    """Text of one encoding with bytes flipped, cut or of another."""
    data = bytearray(
        _text(generator).encode(generator.choice(["utf-8", "gb18030", "big5hkscs", "utf-16", "shift_jis"]), "replace")
    )
    for _ in range(generator.randrange(generator.choice([1, 2, len(data) // 4 + 1]))):
        data[generator.randrange(len(data))] = generator.randrange(256)
    return bytes(data[: generator.choice([len(data), generator.randrange(len(data) + 1)])])


def noise(generator: random.Random) -> bytes:
    """Any bytes at all."""
    return generator.randbytes(generator.randrange(0, 20_000))


def marks(generator: random.Random) -> bytes:
    """Control characters and bidirectional marks all through a text: one of them, a few or all."""
    chosen = generator.sample(_MARKS, generator.choice([1, 1, 3, len(_MARKS)]))
    return "".join(
        character + generator.choice(chosen) * generator.randrange(3) for character in _text(generator)
    ).encode()


def one_long_line(generator: random.Random) -> bytes:
    """Ten megabytes without a line break, in one of several ways."""
    piece = generator.choice([_SENTENCE, "字", "a", "1,", "。", " ", "“", "（", "的 ", "2023年"])
    return (piece * (10_000_000 // len(piece.encode()) + 1)).encode()[:10_000_000]


def many_lines(generator: random.Random) -> bytes:
    """Hundreds of thousands of lines."""
    return (generator.choice(["字\n", "\n\n字", "本报讯\n", "责编:某某\n", "■\n"]) * 200_000).encode()


def page_parts(generator: random.Random) -> bytes:
    """A page of thousands of lines that each mean something to whoever cuts it, a few of them over and over."""
    parts = generator.sample(
        [
            "青石桥通车", "今天天气好。", "导读", "相关阅读", "下转第2版", "（上接第1版）", "图为青石桥。",
            "2023年1月1日", "本报记者 张三", "# 青石", "1 2 3", "■ 青石桥昨日通车，投资一千万元。",
            "本报讯 昨日青石桥通车。", "青石          桥", "“青石", "（青石", "责编：某某", "第2版 要闻",
            "版权所有 不得转载", "【青石桥】", "问：为什么？", "热线 010-88888888", "*" * 40, _SENTENCE,
        ],
        generator.randrange(1, 5),
    )  # fmt: skip
    ends = generator.choice(["\n", "\n\n", "\r\n", "\u2028", "\x0c"])
    return "".join(generator.choice(parts) + ends for _ in range(generator.choice([100, 3_900, 20_000]))).encode()


def nested_html(generator: random.Random) -> bytes:
    """Elements in elements, closed or not."""
    tag = generator.choice(["div", "table><tr><td", "b", "svg", "ul><li", "span", "template", "math"])
    depth = generator.choice([1_000, 20_000, 100_000])
    return (f"<{tag}>" * depth + _SENTENCE + f"</{tag.split('>')[0]}>" * generator.choice([0, depth])).encode()


def odd_html(generator: random.Random) -> bytes:
    """Markup that goes wrong: entities, attributes, comments, scripts."""
    return generator.choice([
        "<!--" * 50_000, "<p " + "a=b " * 200_000 + f">{_SENTENCE}", "&#x202e;&#0;&#xffffffff;" * 20_000,
        "<script>" + _SENTENCE * 1000, "<![CDATA[" * 10_000, f"<meta charset=utf-7><p>{_SENTENCE}",
        "<title>" * 10_000 + _SENTENCE, "<p>" + "&amp" * 300_000, "<" * 500_000, f"<p>{_SENTENCE}</p>" * 20_000,
        "<a href=#>字</a>" * 100_000, "<br>" * 300_000, "<table>" + "<tr><td>1<td>字" * 50_000,
        '<script type="application/ld+json">' + '{"a":[' * 50_000 + "</script>" + _SENTENCE,
        f'<meta name=date content="{"9" * 100_000}"><p>{_SENTENCE}', f"<p>{'甲' * 1_000_000}<b>",
    ]).encode()  # fmt: skip


def pdf(generator: random.Random) -> bytes:
    """A PDF that unpacks to much, once or twice over, whose pages or forms hold themselves, or with bytes flipped."""
    kind = generator.choice(["plain", "plain", "plain", "bomb", "packed twice", "endless form"])
    text = b"BT /F1 12 Tf 72 720 Td (hello) Tj ET "
    content = {
        "plain": text * generator.randrange(1, 500),
        "bomb": generator.choice([b"q ", text]) * 3_000_000,
        "packed twice": zlib.compress(b"\0" * 200_000_000, 9),
        "endless form": b"/X Do " * 10_000,
    }[kind]
    stream = zlib.compress(content, 9)
    filters = b"[/FlateDecode/FlateDecode]" if kind == "packed twice" else b"/FlateDecode"
    kids = generator.choice([b"[3 0 R]", b"[2 0 R]", b"[3 0 R " + b"3 0 R " * 2000 + b"]"])
    count = generator.choice([b"1", b"2001", b"999999999"])
    resources = b"/Resources<</Font<</F1 5 0 R>>/XObject<</X 6 0 R>>>>"
    body = (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids" + kids + b"/Count " + count + b">>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R" + resources + b">>endobj\n"
        b"4 0 obj<</Length " + str(len(stream)).encode() + b"/Filter" + filters + b">>stream\n" + stream
        + b"\nendstream endobj\n"
        b"5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n"
        b"6 0 obj<</Type/XObject/Subtype/Form/BBox[0 0 9 9]" + resources + b"/Length 12>>stream\n/X Do /X Do \n"
        b"endstream endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
    )  # fmt: skip
    data = bytearray(body)
    if kind == "plain":
        for _ in range(generator.randrange(40)):
            data[generator.randrange(len(data))] = generator.randrange(256)
    return bytes(data[: generator.randrange(len(data))] if generator.random() < 0.2 else data)


def records(generator: random.Random) -> bytes:
    """JSON lines of every wrong shape."""
    lines = [
        json.dumps({"text": _text(generator), "date": generator.choice(["2023-99-99", 5, None, "昨天"])}),
        "[" * generator.choice([10, 100_000]), '{"text": ' * 50_000, '{"text": 1e999}', "null", "{}", "",
        '{"text": "\\ud800"}',
        '{"text": {"a": []}}', '{"id": "' + "x" * 100_000 + '", "text": "字"}', "\x00",
        '{"text": "' + "字" * 300_000 + '"}',
    ]  # fmt: skip
    return "\n".join(generator.choice(lines) for _ in range(generator.randrange(1, 12))).encode(
        "utf-8", "surrogatepass"
    )


def table(generator: random.Random) -> bytes:
    """CSV with quotes that never close, wide rows, other separators."""
    rows = [
        "title,text,date", f"标题,{_SENTENCE},2023-01-01", '"' + "字" * 100_000, "," * 100_000, '"a""b"c,"',
        "\x00,\x00", ";".join("abc"), "text",
    ]  # fmt: skip
    return "\n".join(generator.choice(rows) for _ in range(generator.randrange(1, 30))).encode()


def packed(generator: random.Random) -> bytes:
    """A gzip file that unpacks to a gigabyte, or is cut or flipped."""
    if generator.random() < 0.2:
        piece = gzip.compress(b"\0" * 10_000_000, 9)
        return piece * 100
    data = bytearray(gzip.compress(_text(generator).encode()))
    data[generator.randrange(len(data))] ^= 1 << generator.randrange(8)
    return bytes(data[: generator.randrange(1, len(data) + 1)])


KINDS: dict[str, tuple[Maker, tuple[str, ...]]] = {
    "damaged encoding": (damaged_encoding, (".txt", ".md", ".html", ".csv", ".jsonl")),
    "noise": (noise, (".txt", ".html", ".pdf", ".csv", ".jsonl", ".txt.gz")),
    "marks": (marks, (".txt", ".md", ".html")),
    "one long line": (one_long_line, (".txt", ".html", ".csv", ".jsonl")),
    "many lines": (many_lines, (".txt", ".html")),
    "page parts": (page_parts, (".txt", ".md")),
    "nested HTML": (nested_html, (".html",)),
    "odd HTML": (odd_html, (".html",)),
    "PDF": (pdf, (".pdf",)),
    "records": (records, (".jsonl",)),
    "table": (table, (".csv",)),
    "packed": (packed, (".txt.gz", ".jsonl.gz", ".csv.gz", ".html.gz")),
}
# Files of ten megabytes are few.
SHARES = {"one long line": 0.2, "many lines": 0.2, "packed": 0.5}
