"""Damaged and hostile files, read and cut: none may crash, hang or eat the memory, each refused one is named.

    python -m tests.torture.hostile_files [--files 1000] [--seed 0] [--seconds 60] [--megabytes 2000]

Prints, for each kind: how many were read and refused, the longest time for a file; and the most memory used. Exit
status 1 if a file raised, took longer than `--seconds`, or a process grew beyond `--megabytes`.
"""

from __future__ import annotations

import gzip
import json
import random
import resource
import sys
import tempfile
import time
import zlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import click

from index.manifest import CHUNKING
from index.pages import split_page
from index.passages import split_passages
from index.records import Rejection
from index.sources import SourceFile, find_files, read_file

_SENTENCE = "青石桥昨日通车，总投资1260万元，市民可以免费乘坐接驳车。"
_MARKS = "\u202e\u202d\u2066\u2069\u200f\u200b\ufeff\x00\x07\x1b\x7f\x85\ufffe\ufffd\U000e0041"
Maker = Callable[[random.Random], bytes]


def _text(generator: random.Random) -> str:
    return "\n\n".join(_SENTENCE * generator.randrange(1, 12) for _ in range(generator.randrange(1, 6)))


def damaged_encoding(generator: random.Random) -> bytes:
    """Text of one encoding with bytes flipped, cut or of another."""
    data = bytearray(
        _text(generator).encode(generator.choice(["utf-8", "gb18030", "big5hkscs", "utf-16", "shift_jis"]), "replace")
    )
    for _ in range(generator.randrange(0, len(data) // 4 + 1)):
        data[generator.randrange(len(data))] = generator.randrange(256)
    return bytes(data[: generator.randrange(len(data) + 1)])


def noise(generator: random.Random) -> bytes:
    """Any bytes at all."""
    return generator.randbytes(generator.randrange(0, 20_000))


def marks(generator: random.Random) -> bytes:
    """Control characters and bidirectional marks all through a text."""
    return "".join(
        character + generator.choice(_MARKS) * generator.randrange(3) for character in _text(generator)
    ).encode()


def one_long_line(generator: random.Random) -> bytes:
    """Ten megabytes without a line break, in one of several ways."""
    piece = generator.choice([_SENTENCE, "字", "a", "1,", "。", " ", "“", "（", "的 ", "2023年"])
    return (piece * (10_000_000 // len(piece.encode()) + 1)).encode()[:10_000_000]


def many_lines(generator: random.Random) -> bytes:
    """Hundreds of thousands of lines."""
    return (generator.choice(["字\n", "\n\n字", "本报讯\n", "责编:某某\n", "■\n"]) * 200_000).encode()


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
        "<title>" * 10_000 + _SENTENCE, "<p>" + "&amp" * 300_000, "<" * 500_000,
    ]).encode()  # fmt: skip


def pdf(generator: random.Random) -> bytes:
    """A PDF whose stream unpacks to much, whose pages refer to themselves, or with bytes flipped."""
    bomb = generator.random() < 0.3
    content = b"q " * 50_000_000 if bomb else b"BT /F1 12 Tf 72 720 Td (hello) Tj ET " * generator.randrange(1, 500)
    stream = zlib.compress(content, 9)
    kids = generator.choice([b"[3 0 R]", b"[2 0 R]", b"[3 0 R " + b"3 0 R " * 2000 + b"]"])
    body = (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids" + kids + b"/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R"
        b"/Resources<</Font<</F1 5 0 R>>>>>>endobj\n"
        b"4 0 obj<</Length "
        + str(len(stream)).encode()
        + b"/Filter/FlateDecode>>stream\n"
        + stream
        + b"\nendstream endobj\n"
        b"5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
    )
    data = bytearray(body)
    if not bomb:
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
    "nested HTML": (nested_html, (".html",)),
    "odd HTML": (odd_html, (".html",)),
    "PDF": (pdf, (".pdf",)),
    "records": (records, (".jsonl",)),
    "table": (table, (".csv",)),
    "packed": (packed, (".txt.gz", ".jsonl.gz", ".csv.gz", ".html.gz")),
}
# Files of ten megabytes are few.
_SHARES = {"one long line": 0.2, "many lines": 0.2, "packed": 0.5}


@dataclass
class Tally:
    """What became of the files of one kind."""

    read: int = 0
    refused: int = 0
    longest: float = 0.0
    problems: list[str] = field(default_factory=list)


def read_one(path: Path) -> tuple[int, int]:
    """Read and cut a file; return how many sources and how many refusals it gave."""
    sources = refusals = 0
    for file in find_files([path]):
        for item in [file] if isinstance(file, Rejection) else read_file(file):
            if isinstance(item, Rejection):
                refusals += 1
                if not (item.name and item.reason and item.remedy):
                    raise ValueError(f"a refusal without a name, a reason or a remedy: {item}")
                continue
            if isinstance(item, SourceFile):
                raise TypeError("a file came out of a file")
            sources += 1
            for article in split_page(item).articles:
                split_passages(article, item.text, **CHUNKING.model_dump())
    return sources, refusals


def torture(count: int, seed: int, seconds: float, work: Path) -> dict[str, Tally]:
    """Make so many files, read each, and return what happened, by kind."""
    generator = random.Random(seed)
    kinds = list(KINDS)
    weights = [_SHARES.get(kind, 1.0) for kind in kinds]
    tallies: dict[str, Tally] = defaultdict(Tally)
    for number in range(count):
        (kind,) = generator.choices(kinds, weights)
        make, suffixes = KINDS[kind]
        path = work / f"{number}{generator.choice(suffixes)}"
        path.write_bytes(make(generator))
        tally = tallies[kind]
        began = time.perf_counter()
        try:
            sources, refusals = read_one(path)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what is counted
            tally.problems.append(f"{path.name}: {type(error).__name__}: {str(error)[:200]}")
        else:
            tally.read += bool(sources)
            tally.refused += bool(refusals)
            if not sources and not refusals:
                tally.problems.append(f"{path.name}: neither read nor refused")
        took = time.perf_counter() - began
        tally.longest = max(tally.longest, took)
        if took > seconds:
            tally.problems.append(f"{path.name}: took {took:.1f} s")
        path.unlink()
    return dict(tallies)


@click.command()
@click.option("--files", "count", default=1000, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--seconds", default=60.0, show_default=True, help="The most that one file may take.")
@click.option("--megabytes", default=2000, show_default=True, help="The most memory that the process may use.")
def main(count: int, seed: int, seconds: float, megabytes: int) -> None:
    """Read hostile files and count."""
    with tempfile.TemporaryDirectory() as work:
        tallies = torture(count, seed, seconds, Path(work))
    print("| kind | read | with refusals | longest, s |\n|---|---|---|---|")
    for kind, tally in sorted(tallies.items()):
        print(f"| {kind} | {tally.read} | {tally.refused} | {tally.longest:.1f} |")
    problems = [problem for tally in tallies.values() for problem in tally.problems]
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    if used > megabytes:
        problems.append(f"the process used {used} MB")
    print(f"\n{count} files, {used} MB at most, {len(problems)} problems")
    for problem in problems[:30]:
        print(f"  {problem}")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
