"""The whole way from question to answer on sets of questions, and what each part of it is worth.

    python tests/benchmarks/answering.py QUESTIONS=INDEX... [--ablations] [--memory]

QUESTIONS is an evaluation file as `wenbao eval` reads it, INDEX the archive to ask. Prints for each pair: right
answers among the answerable, refusals of the unanswerable, refusals of the answerable, expected calibration error,
latency; then the same over all of them together. `--ablations` repeats it with one part left out at a time, `--memory`
serves the last archive, asks it a question and prints the server's resident memory.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click
import numpy as np

import qa.fusion
from index.archive import Archive
from index.encoder import Encoder, load_encoder
from qa.bot import Bot
from qa.calibration import Calibration, load_calibration
from qa.evaluate import Outcome, evaluate
from qa.evaluation_set import EvaluationQuestion, load_questions
from qa.question import Question
from qa.reader import Candidate, Floats, Reader, ReadPassage
from qa.reader_model import load_reader, reader_folder
from qa.reliability import expected_calibration_error
from qa.sentence_reader import SentenceReader

Pairs = Sequence[tuple[str, Archive, list[EvaluationQuestion]]]


class WithoutHeadline:
    """A reader that is shown passages without headline and date."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def read(self, question: Question, vector: Floats, passages: Sequence[ReadPassage]) -> list[Candidate]:
        return self._reader.read(question, vector, [replace(read, headline="", date=None) for read in passages])


@contextmanager
def without_keywords() -> Iterator[None]:
    before = dict(qa.fusion.WEIGHTS)
    qa.fusion.WEIGHTS.update(words=0.0, bigrams=0.0)
    try:
        yield
    finally:
        qa.fusion.WEIGHTS.update(before)


def row(name: str, outcomes: Sequence[Outcome]) -> str:
    answerable = [outcome for outcome in outcomes if outcome.answerable]
    others = [outcome for outcome in outcomes if not outcome.answerable]

    def share(values: list[bool]) -> str:
        return f"{np.mean(values):.3f}" if values else "-"

    error = expected_calibration_error([o.confidence for o in outcomes], [o.would_be_right for o in outcomes])
    times = [outcome.total_ms for outcome in outcomes]
    return (
        f"| {name} | {len(answerable)} + {len(others)} | {share([o.right for o in answerable])} | "
        f"{share([o.would_be_right for o in answerable])} | {share([o.quoted for o in answerable])} | "
        f"{share([not o.found for o in others])} | {share([not o.found for o in answerable])} | {error:.3f} | "
        f"{np.percentile(times, 50):.0f} / {np.percentile(times, 95):.0f} |"
    )


def run(label: str, pairs: Pairs, encoder: Encoder, reader: Reader, calibration: Calibration) -> None:
    everything: list[Outcome] = []
    for name, archive, questions in pairs:
        outcomes = evaluate(Bot(archive, encoder, reader, calibration), questions)
        everything += outcomes
        print(row(f"{label}: {name}", outcomes), flush=True)
    if len(pairs) > 1:
        print(row(f"{label}: all", everything), flush=True)


def resident_memory(index: Path) -> None:
    """Serve the archive as a user would, ask a question, and print what the process holds."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = "from app import cli; cli()"
    command = [sys.executable, "-c", code, "serve", "--index", str(index), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            wait_until(lambda: get(f"http://127.0.0.1:{port}/healthz"))
            body = json.dumps({"question": "图书馆新增了多少个座位？"}).encode()
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/api/ask", body, {"Content-Type": "application/json"}
            )
            urllib.request.urlopen(request, timeout=60).read()
            pages = int(Path(f"/proc/{server.pid}/statm").read_text().split()[1])
            print(
                f"\nresident memory of the server after a question: {pages * os.sysconf('SC_PAGE_SIZE') / 1e9:.2f} GB"
            )
        finally:
            server.terminate()


def get(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


def wait_until(done: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise TimeoutError("the server is not ready")
        time.sleep(0.5)


@click.command()
@click.argument("pairs", nargs=-1, required=True, metavar="QUESTIONS=INDEX...")
@click.option("--ablations", is_flag=True)
@click.option("--memory", is_flag=True)
@click.option("--reader", "name", help="Another reader's folder.")
def main(pairs: tuple[str, ...], ablations: bool, memory: bool, name: str | None) -> None:
    """Measure answers and refusals end to end."""
    folders = [pair.split("=", 1) for pair in pairs]
    loaded = [
        (Path(questions).stem, Archive.open(folder), load_questions(Path(questions))) for questions, folder in folders
    ]
    encoder, calibration = load_encoder(), load_calibration(reader_folder(name))
    head = (
        "", "answerable + not", "right", "right if it may not decline", "quoted", "unanswerable declined",
        "answerable declined", "ECE", "ms p50 / p95",
    )  # fmt: skip
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    reader = load_reader(encoder, name)
    run("as shipped", loaded, encoder, reader, calibration)
    if ablations:
        run("without reader", loaded, encoder, SentenceReader(encoder), calibration)
        with without_keywords():
            run("without BM25", loaded, encoder, reader, calibration)
        run("without headline", loaded, encoder, WithoutHeadline(reader), calibration)
        alone = calibration.model_copy(update={"ranking": calibration.ranking | {"support": 0.0}})
        run("without agreement", loaded, encoder, reader, alone)
        for precision in ("fp32", "int8"):
            other = load_reader(None, name, precision=precision)  # type: ignore[arg-type]
            run(f"reader in {precision}", loaded, encoder, other, calibration)
    if memory:
        resident_memory(Path(folders[-1][1]))


if __name__ == "__main__":
    main()
