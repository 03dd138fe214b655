"""How long it takes until one changed article of a large archive is in service.

    python tests/benchmarks/one_change.py [--articles N ...] [--texts FILE ...] [--real | --command [--busy]]

Writes N articles, one file each, builds their archive, changes one file, builds again, and asks a bot that was open
before for what is new. The articles are made up, or those of JSONL files (gzip or not) with a column `text`. Without
`--real` and `--command`, all in this process, with an encoder that only hashes: what is measured is what grows with the
archive, for encoding one article takes as long in any. Start-up is not in it.

`--real` encodes with the embedded model, and says which share of the first build was spent outside the encoder.

`--command` measures what a user sees: `wenbao serve` runs on the archive, `wenbao index build --json` is started as a
command, and the server is watched over HTTP until it has the new generation, then asked until it answers from the new
text. The command encodes with the embedded model. Only the first build is spared it: it gets vectors of the model for a
few hundred articles, moved at random to a cosine of 0.9, under the model's identity, so that 70,000 articles take
minutes and not hours. Three times are told: from the start of the command until the server's next answer is from the
new text, until it has given one, and what the build took by its own account. With `--busy`, the server is asked all the
time, one question after the other: they compete with the command for the CPU, as those of readers do.
"""

from __future__ import annotations

import gzip
import itertools
import json
import random
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from index.archive import Archive
from index.build import BuildReport, build_archive
from index.encoder import Encoder, EncoderIdentity, load_encoder
from qa.bot import Bot
from tests.benchmarks.stages import Stages
from tests.benchmarks.vectors import perturbed
from tests.fakes import HashingEncoder, simple_bot

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


_ENCODED_FOR_STAND_IN = 300
_STAND_IN_COSINE = 0.9
_WENBAO = [sys.executable, "-c", "from app import cli; cli()"]
_ROOT = Path(__file__).resolve().parents[2]
_QUESTION = "青石索道的票价是多少元？"
_PATIENCE_S = 600
_PAUSE_S = 0.05


def articles(size: int, files: Sequence[Path]) -> Iterator[str]:
    """Yield so many articles, those of the files where there are any."""
    if not files:
        generator = random.Random(size)
        yield from (article(generator, number) for number in range(size))
        return
    lines = (line for file in files for line in lines_of(file))
    yield from (json.loads(line)["text"] for line in itertools.islice(lines, size))


def lines_of(file: Path) -> Iterator[str]:
    """Yield the lines of a file, gzip or not."""
    with gzip.open(file, "rt", encoding="utf-8") if file.suffix == ".gz" else file.open(encoding="utf-8") as lines:
        yield from lines


def write_articles(pages: Path, texts: Iterable[str]) -> None:
    """Write articles, a thousand in each folder."""
    for number, text in enumerate(texts):
        folder = pages / f"{number // 1000:03}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.txt").write_text(text, encoding="utf-8")


def change_one(pages: Path, price: int) -> str:
    """Give one article a sentence that answers the question, and return what stands in no other."""
    path = pages / "000" / "7.txt"
    new = f"{price}元"
    path.write_text(
        path.read_text(encoding="utf-8") + f"\n青石索道昨日试运行，票价{new}，老人免费乘坐。\n", encoding="utf-8"
    )
    return new


class TimedEncoder:
    """An encoder whose time is noted as a stage of its own."""

    def __init__(self, encoder: Encoder, stages: Stages) -> None:
        self._encoder = encoder
        self._stages = stages
        self.identity = encoder.identity

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
        return self._encoder.encode_queries(texts)

    def encode_passages(self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None) -> np.ndarray:
        with self._stages.within("encoder"):
            return self._encoder.encode_passages(texts, progress)


class StandIn:
    """Gives passages vectors that some text has under a real encoder, moved at random, and bears its identity."""

    def __init__(self, encoder: Encoder) -> None:
        generator = random.Random(0)
        self.identity: EncoderIdentity = encoder.identity
        self._vectors = encoder.encode_passages([article(generator, number) for number in range(_ENCODED_FOR_STAND_IN)])
        self._generator = np.random.default_rng(0)

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
        raise NotImplementedError("only for a build")

    def encode_passages(self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None) -> np.ndarray:
        return perturbed(self._vectors, len(texts), _STAND_IN_COSINE, self._generator)


@dataclass(frozen=True)
class Built:
    """A first build, its seconds, and the seconds of its stages."""

    report: BuildReport
    seconds: float
    stages: Stages


def first_build(pages: Path, index: Path, encoder: Encoder) -> Built:
    """Build the archive of all articles."""
    stages = Stages()
    began = time.perf_counter()
    report = build_archive([pages], index, TimedEncoder(encoder, stages), stages)
    stages.enter("end")
    return Built(report, time.perf_counter() - began, stages)


def change_in_process(pages: Path, index: Path, encoder: Encoder, bot: Bot) -> tuple[float, Stages]:
    """Change one article, build, and ask the bot, which is open; return the seconds until it has found what is new."""
    new = change_one(pages, 7301)
    bot.ask(_QUESTION)
    stages = Stages()
    began = time.perf_counter()
    build_archive([pages], index, TimedEncoder(encoder, stages), stages)
    stages.enter("ask")
    hits = bot.search(_QUESTION)
    seconds = time.perf_counter() - began
    stages.enter("end")
    if not any(new in hit.passage.text for hit in hits):
        raise click.ClickException("the bot does not find the changed article")
    return seconds, stages


@contextmanager
def served(index: Path) -> Iterator[int]:
    """Serve an archive as a user would, and give the port once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [*_WENBAO, "serve", "--index", str(index), "--port", str(port)]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.DEVNULL) as server:
        try:
            wait_for_answer(port, "{")
            yield port
        finally:
            server.terminate()


def wait_for_generation(port: int, before: str, build: subprocess.Popen[bytes]) -> float:
    """Look at a server until a build has brought it to another generation; return the time when it had."""
    end = time.perf_counter() + _PATIENCE_S
    while generation_in_use(port) == before:
        if build.poll() or time.perf_counter() > end:
            raise click.ClickException("the server keeps to the old generation")
        time.sleep(_PAUSE_S)
    return time.perf_counter()


def generation_in_use(port: int) -> str:
    """Return the generation that a server answers from."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/info", timeout=_PATIENCE_S) as answer:
        return str(json.load(answer)["generation"])


def wait_for_answer(port: int, wanted: str) -> float:
    """Ask a server until the answer, or what came closest, holds what is wanted; return the time when it did."""
    body = json.dumps({"question": _QUESTION}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/ask", body, {"Content-Type": "application/json"})
    end = time.perf_counter() + _PATIENCE_S
    while time.perf_counter() < end:
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE_S) as answer:
                if wanted in json.dumps(json.load(answer), ensure_ascii=False):
                    return time.perf_counter()
        except urllib.error.HTTPError as error:
            if error.code != 503:
                raise
        except urllib.error.URLError:
            pass  # it has not opened its port yet
        time.sleep(_PAUSE_S)
    raise click.ClickException(f"the server does not answer with {wanted!r}")


def change_by_command(pages: Path, index: Path, *, busy: bool) -> str:
    """Change one article under a server, run the command, and return the seconds of each part as cells of a table."""
    with served(index) as port:
        before = generation_in_use(port)
        new = change_one(pages, 7301)
        command = [*_WENBAO, "index", "build", str(pages), "--index", str(index), "--json"]
        began = time.perf_counter()
        with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as build:
            served_from = None if busy else wait_for_generation(port, before, build)
            answered = wait_for_answer(port, new)
            output, _ = build.communicate()
    if build.returncode:
        raise click.ClickException(f"the build ended with status {build.returncode}")
    in_service = f"{served_from - began:.2f}" if served_from else "–"
    return f"{in_service} | {answered - began:.2f} | {float(json.loads(output)['seconds']):.2f}"


@click.command()
@click.option("--articles", "sizes", multiple=True, type=int, default=(1_000, 10_000, 70_000), show_default=True)
@click.option(
    "--texts",
    "files",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Take the articles from these.",
)
@click.option("--real", is_flag=True, help="Encode with the embedded model.")
@click.option("--command", is_flag=True, help="Build by command, under a server.")
@click.option("--busy", is_flag=True, help="Ask that server all the time.")
def main(sizes: tuple[int, ...], files: tuple[Path, ...], real: bool, command: bool, busy: bool) -> None:
    """Measure a build of everything, and of one change."""
    if real and command:
        raise click.UsageError("--command encodes the change with the embedded model; leave out --real.")
    head = "| articles | passages | first build, s |"
    if command:
        print(f"{head} in service, s | first answer from it, s | of it build, s |")
        encoder: Encoder = StandIn(load_encoder())
    else:
        print(f"{head} outside the encoder | of it | one change, s | of it |")
        encoder = load_encoder() if real else HashingEncoder()
    print("|---|---|---|---|---|---|---|")
    for size in sizes:
        with tempfile.TemporaryDirectory() as work:
            pages, index = Path(work) / "pages", Path(work) / "index"
            write_articles(pages, articles(size, files))
            first = first_build(pages, index, encoder)
            print(
                f"| {first.report.counts.articles} | {first.report.counts.passages} | {first.seconds:.1f} |",
                end=" ",
                flush=True,
            )
            if command:
                print(change_by_command(pages, index, busy=busy), "|", flush=True)
                continue
            bot = Bot.open(index) if real else simple_bot(Archive.open(index), HashingEncoder())
            seconds, stages = change_in_process(pages, index, encoder, bot)
            share = f"{first.stages.outside('encoder'):.1%}" if real else "–"
            print(f"{share} | {first.stages} | {seconds:.2f} | {stages} |", flush=True)


if __name__ == "__main__":
    main()
