"""How long it takes until one changed article of a large archive is in service.

    python tests/benchmarks/one_change.py [--articles N ...] [--real]

Writes N made-up articles, one file each, builds their archive, changes one file, and builds again; prints the time of
both builds and, of the second, of each stage. The encoder is one that only hashes, unless `--real`: what is measured is
everything else, and encoding one article takes as long in any archive.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from index.archive import Archive
from index.build import build_archive
from index.encoder import load_encoder
from index.progress import Progress
from tests.fakes import HashingEncoder

_PLACES = ["青石", "柚园", "渡口", "梅岭", "竹桥", "芦花", "鹿门", "云砚", "澄河", "禾浦", "沛安", "柏宁"]
_THINGS = ["大桥", "图书馆", "码头", "菜场", "小学", "公园", "泵站", "体育馆", "敬老院", "书店", "车站", "粮库"]
_DONE = ["昨日建成开放", "开始招标", "完成验收", "提前封顶", "恢复使用", "公布方案", "举行首场活动", "调整开放时间"]


def article(generator: random.Random, number: int) -> str:
    """Return a made-up article of some 400 characters."""
    sentences = [
        f"{generator.choice(_PLACES)}{generator.choice(_THINGS)}{generator.choice(_DONE)}，"
        f"投资{generator.randrange(10, 9000)}万元，惠及居民{generator.randrange(100, 9000)}户。"
        for _ in range(14)
    ]
    return f"{generator.choice(_PLACES)}第{number}号通告\n\n" + "".join(sentences) + "\n"


class Stages:
    """Notes when each stage begins."""

    def __init__(self) -> None:
        self.began: list[tuple[str, float]] = []

    def __call__(self, progress: Progress) -> None:
        if not self.began or self.began[-1][0] != progress.stage:
            self.began.append((progress.stage, time.perf_counter()))

    def table(self, end: float) -> str:
        """Return the seconds of each stage."""
        ends = [start for _, start in self.began[1:]] + [end]
        return ", ".join(f"{name} {stop - start:.2f}" for (name, start), stop in zip(self.began, ends, strict=True))


@click.command()
@click.option("--articles", "sizes", multiple=True, type=int, default=(1_000, 10_000, 70_000), show_default=True)
@click.option("--real", is_flag=True, help="Encode with the embedded model.")
def main(sizes: tuple[int, ...], real: bool) -> None:
    """Measure a build of everything, and of one change."""
    encoder = load_encoder() if real else HashingEncoder()
    print("| articles | passages | first build, s | one change, s | of it |\n|---|---|---|---|---|")
    for size in sizes:
        with tempfile.TemporaryDirectory() as work:
            pages, index = Path(work) / "pages", Path(work) / "index"
            generator = random.Random(size)
            for number in range(size):
                folder = pages / f"{number // 1000:03}"
                folder.mkdir(parents=True, exist_ok=True)
                (folder / f"{number}.txt").write_text(article(generator, number), encoding="utf-8")
            began = time.perf_counter()
            report = build_archive([pages], index, encoder)
            first = time.perf_counter() - began
            (pages / "000" / "7.txt").write_text(article(generator, 7), encoding="utf-8")
            stages = Stages()
            began = time.perf_counter()
            build_archive([pages], index, encoder, stages)
            Archive.open(index)
            end = time.perf_counter()
            print(
                f"| {size} | {report.counts.passages} | {first:.1f} | {end - began:.2f} | {stages.table(end)} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
