"""How well pages are cut into articles, measured on pages made of real articles: `page_segmentation.py FILE.jsonl`.

Each line of the file (may be .gz) is an object with `title` and `text`. Pages of 3 to 8 articles are composed in
several styles with a fixed seed. A boundary is the place where an article's headline begins; the first of a page is not
counted, because nobody can miss it. `place` is the share of characters that lie in the right article.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from index.pages import split_page
from index.records import Source

LEAD = re.compile(
    r"^(?:央视网消息（新闻联播）[:：]|本报讯[，, ]*|[^，。]{0,24}?(?:电|讯|消息)[，, 　]*(?:[（(][^）)]{1,30}[）)])?)"
)
SURNAMES = "赵钱孙李周吴郑王冯陈卫蒋沈韩杨朱秦许何吕"
GIVEN = "明华建国丽娟志强晓梅海涛文静伟芳敏军洁磊娜"


@dataclass(frozen=True)
class Style:
    """How a page is made up."""

    name: str
    lead: bool = False
    byline: bool = False
    signature: bool = False
    crossheads: bool = False
    broken: bool = False
    captions: bool = False
    displaced: bool = False
    tight: bool = False
    feature: bool = False


STYLES = (
    Style("lead", lead=True),
    Style("byline", byline=True),
    Style("signature", signature=True),
    Style("bare"),
    Style("bare tight", tight=True),
    Style("bare crossheads", crossheads=True),
    Style("lead crossheads", lead=True, crossheads=True),
    Style("lead broken", lead=True, broken=True, captions=True),
    Style("bare broken", broken=True, captions=True),
    Style("feature", lead=True, broken=True, captions=True, crossheads=True, feature=True),
    Style("displaced", lead=True, broken=True, captions=True, displaced=True),
)


@dataclass
class Page:
    """A made page: its text, the offset and headline of every article, and the article of every character."""

    text: str = ""
    starts: list[int] = field(default_factory=list)
    headlines: list[str] = field(default_factory=list)
    owner: list[int] = field(default_factory=list)

    def add(self, text: str, owner: int) -> None:
        """Append text that belongs to an article."""
        self.text += text
        self.owner += [owner] * len(text)


def name(rng: random.Random) -> str:
    """Return an invented name."""
    return rng.choice(SURNAMES) + "".join(rng.sample(GIVEN, rng.choice((1, 2, 2))))


def paragraphs(text: str, rng: random.Random) -> list[str]:
    """Return the paragraphs of a text; a text in one block is cut after every two to four sentences."""
    blocks = [block.strip() for block in text.split("\n") if block.strip()]
    if len(blocks) > 1:
        return blocks
    sentences = re.findall(r"[^。！？]+[。！？]+[”」]?|[^。！？]+$", text)
    result: list[str] = []
    while sentences:
        take = rng.randint(2, 4)
        result.append("".join(sentences[:take]).strip())
        sentences = sentences[take:]
    return [block for block in result if block]


def crosshead(paragraph: str, shortest: int = 5, longest: int = 18) -> str | None:
    """Return a clause of a paragraph that could stand above it."""
    clauses = [c for c in re.split(r"[，。！？；：、“”（）《》]", paragraph[:200]) if c[:1] not in "的了着和与"]
    clauses = [c for c in clauses if shortest <= len(c) <= longest]
    return clauses[-1] if clauses else None


def break_column(paragraph: str, rng: random.Random) -> list[str]:
    """Return the paragraph cut at one place in mid-sentence."""
    places = [
        i for i in range(20, len(paragraph) - 10) if paragraph[i - 1] not in "。！？；…” 　" and paragraph[i] != " "
    ]
    if len(paragraph) < 60 or not places:
        return [paragraph]
    place = rng.choice(places)
    return [paragraph[:place], paragraph[place:]]


def compose(articles: list[tuple[str, str]], style: Style, rng: random.Random) -> Page:
    """Return a page of the articles in a style."""
    page = Page()
    gap = "\n" if style.tight else "\n\n"
    moved: list[tuple[int, list[str]]] = []
    for owner, (title, text) in enumerate(articles):
        marked = not (style.feature and owner == 1)
        text = LEAD.sub("", text, count=1).strip() or text
        blocks = paragraphs(text, rng)
        if style.lead and marked:
            blocks[0] = (
                rng.choice(("本报讯(记者 {} 通讯员 {})", "江城日报讯（记者/{}）", "本报讯 记者{}报道：")).format(
                    name(rng), name(rng)
                )
                + blocks[0]
            )
        if style.signature:
            blocks.append(rng.choice(("(记者 {})", "（{}）", "（本报记者 {} {}）")).format(name(rng), name(rng)))
        head = [title]
        if (deck := crosshead(blocks[0], 8, 22)) and (dice := rng.random()) < 0.4:
            # a subhead, a subtitle after a dash, or a second part on the same line
            head = [title, deck] if dice < 0.2 else [f"{title} ——{deck}"] if dice < 0.25 else [f"{title} {deck}"]
        if style.byline:
            head.append(rng.choice(("本报记者 {}", "■ 通讯员 {} {}", "□ 记者 {} 文/图")).format(name(rng), name(rng)))
        pieces: list[tuple[str, str]] = []
        numbered = rng.random() < 0.2
        for number, block in enumerate(blocks):
            if style.crossheads and number >= 2 and number % 3 == 0 and (line := crosshead(block)):
                pieces.append(((f"{'一二三四五六七八九十'[number // 3 % 10]}、" if numbered else "") + line, gap))
            parts = break_column(block, rng) if style.broken and rng.random() < 0.4 else [block]
            for part in parts[:-1]:
                pieces.append((part, "\n\n"))
                if style.captions and rng.random() < 0.15:
                    pieces.append(
                        (
                            rng.choice(
                                ("救援人员在现场清理道路。", "图为活动现场。 本报记者 {} 摄", "居民在广场上观看演出。")
                            ).format(name(rng)),
                            "\n\n",
                        )
                    )
                    pieces[-2] = (part, "\n\n\n\n")
            pieces.append((parts[-1], gap))
        if style.displaced and owner < len(articles) - 1 and rng.random() < 0.5:
            broken = [i for i, (_, _) in enumerate(pieces[:-1]) if i > 1 and len(pieces[i][0]) > 60]
            if broken:
                at = rng.choice(broken)
                parts = break_column(pieces[at][0], rng)
                if len(parts) == 2:
                    moved.append((owner, [parts[1], *(piece for piece, _ in pieces[at + 1 :])]))
                    pieces = [*pieces[:at], (parts[0], gap)]
        page.starts.append(len(page.text))
        page.headlines.append(" ".join(line for line in head[:2] if not re.search("记者|通讯员", line)))
        for line in head:
            page.add(line, owner)
            page.add(gap, -1)
        for line, after in pieces:
            page.add(line, owner)
            page.add(after, -1)
    for owner, blocks in moved:
        for block in blocks:
            page.add(block, owner)
            page.add(gap, -1)
    return page


def measure(page: Page) -> tuple[int, int, int, int, int, int, int]:
    """Return boundaries hit, found, expected; characters right and all; headlines whole; single-article pages."""
    result = split_page(Source("page.txt", page.text, "0" * 64, "text"))
    articles = [article for article in result.articles if article.kind == "article"]
    first = min(min(start for start, _ in article.spans) for article in articles)
    found = {article.headline_spans[0][0] for article in articles} - {first}
    expected = set(page.starts[1:])
    by_start = {article.headline_spans[0][0]: article for article in articles}
    whole = sum(
        by_start[start].headline == " ".join(headline.split())
        for start, headline in zip(page.starts, page.headlines, strict=True)
        if start in by_start
    )
    right = total = 0
    for article in articles:
        votes = Counter(page.owner[i] for start, end in article.spans for i in range(start, end) if page.owner[i] >= 0)
        owner = next((n for n, start in enumerate(page.starts) if start == article.headline_spans[0][0]), None)
        right += votes.get(owner, 0) if owner is not None else 0
        total += sum(votes.values())
    total += sum(page.owner[i] >= 0 for start, end in result.furniture for i in range(start, end))
    return len(found & expected), len(found), len(expected), right, total, whole, len(page.starts)


def read(path: Path, inner: bool = False) -> Iterator[tuple[str, str]]:
    """Yield the title and text of every object that has both."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    for line in data.decode("utf-8").splitlines():
        if line:
            row = json.loads(line)
            title, text = (row.get("title") or "").strip(), (row.get("text") or "").strip()
            # a roundup of briefs is several articles under one title
            if title and 6 <= len(title) <= 60 and len(text) >= 120 and "快讯" not in title:
                if not inner and any(
                    len(line) < 40 and line[-1] not in "。！？”）)：" for line in text.split("\n") if line
                ):
                    continue  # titles of its own: nobody says whether they open articles
                whole = re.match(r".*[。！？!?”）)]", text[:3000], re.DOTALL)  # some texts were cut off in mid-sentence
                yield " ".join(title.split()), whole.group() if whole else text[:3000]


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--pages", type=int, default=60, help="pages a style")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--style", help="only this style")
    parser.add_argument("--show", action="store_true", help="print every boundary missed or invented")
    parser.add_argument("--inner", action="store_true", help="also use articles that hold titles of their own")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    pool = list(read(options.file, options.inner))
    print(f"{len(pool)} articles, {options.pages} pages a style")
    print(f"{'style':16} {'precision':>9} {'recall':>9} {'F1':>7} {'place':>7} {'headline':>8} {'ms/page':>8}")
    overall = Counter[str]()
    overall_seconds = 0.0
    for style in STYLES:
        if options.style and style.name != options.style:
            continue
        totals = [0] * 7
        spent = 0.0
        for _ in range(options.pages):
            page = compose(rng.sample(pool, rng.randint(3, 8)), style, rng)
            began = time.perf_counter()
            figures = measure(page)
            spent += time.perf_counter() - began
            totals = [total + figure for total, figure in zip(totals, figures, strict=True)]
            if options.show:
                show(page)
        hit, found, expected, right, total, whole, count = totals
        overall.update(hit=hit, found=found, expected=expected, right=right, total=total, whole=whole, count=count)
        overall_seconds += spent
        print(row(style.name, hit, found, expected, right / total, whole / count, spent / options.pages * 1000))
    pages = options.pages * (1 if options.style else len(STYLES))
    print(
        row(
            "all",
            overall["hit"],
            overall["found"],
            overall["expected"],
            overall["right"] / max(1, overall["total"]),
            overall["whole"] / max(1, overall["count"]),
            overall_seconds / pages * 1000,
        )
    )


def row(name: str, hit: int, found: int, expected: int, place: float, whole: float, spent: float) -> str:
    """Return a line of the table."""
    precision, recall = hit / max(1, found), hit / max(1, expected)
    score = 2 * precision * recall / max(1e-9, precision + recall)
    return f"{name:16} {precision:9.3f} {recall:9.3f} {score:7.3f} {place:7.3f} {whole:8.3f} {spent:8.1f}"


def show(page: Page) -> None:
    """Print the boundaries that were missed or invented on a page."""
    result = split_page(Source("page.txt", page.text, "0" * 64, "text"))
    found = {a.headline_spans[0][0] for a in result.articles}
    for start in sorted(set(page.starts) - found):
        print("  missed  ", page.text[start : start + 50].replace("\n", "⏎"))
    for start in sorted(found - set(page.starts)):
        print("  invented", page.text[start : start + 50].replace("\n", "⏎"))


if __name__ == "__main__":
    main()
