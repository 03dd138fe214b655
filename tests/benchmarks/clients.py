"""How a server does when several clients ask at once, against one client that asks alone.

    python tests/benchmarks/clients.py QUESTIONS INDEX [--clients 8] [--questions 64]

QUESTIONS is an evaluation file as `wenbao eval` reads it. Serves the archive as a user would, asks the same questions
from one client and from several at once, and prints throughput and latency of both and their ratios. The two take
turns, a part of the questions each, so that other work on the machine meets both.
"""

from __future__ import annotations

import itertools
import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from qa.evaluation_set import load_questions

_PATIENCE = 120.0


def ask(port: int, question: str) -> float:
    """Ask over HTTP and return the milliseconds until the answer."""
    body = json.dumps({"question": question}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/ask", body, {"Content-Type": "application/json"})
    began = time.perf_counter()
    with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
        answer.read()
    return 1000 * (time.perf_counter() - began)


def is_ready(port: int) -> bool:
    """Say whether the server answers."""
    try:
        ask(port, "图书馆新增了多少个座位？")
    except (OSError, urllib.error.URLError):
        return False
    return True


def wait_until_ready(port: int) -> None:
    """Wait until the server answers."""
    end = time.monotonic() + _PATIENCE
    while not is_ready(port):
        if time.monotonic() > end:
            raise TimeoutError("the server is not ready")
        time.sleep(0.5)


def asked_by(clients: int, port: int, questions: list[str]) -> tuple[float, list[float]]:
    """Ask the questions from so many clients at once; return the seconds it took, and the latencies."""
    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        times = list(pool.map(lambda question: ask(port, question), questions))
    return time.perf_counter() - began, times


@click.command()
@click.argument("questions_file", type=click.Path(exists=True, path_type=Path), metavar="QUESTIONS")
@click.argument("index", type=click.Path(exists=True, path_type=Path))
@click.option("--clients", default=8, show_default=True)
@click.option("--questions", "count", default=64, show_default=True)
def main(questions_file: Path, index: Path, clients: int, count: int) -> None:
    """Measure one client, and several at once."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = "from app import cli; cli()"
    command = [sys.executable, "-c", code, "serve", "--index", str(index), "--port", str(port)]
    texts = [question.text for question in load_questions(questions_file)]
    chosen = list(itertools.islice(itertools.cycle(texts), count))
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            wait_until_ready(port)
            parts = [chosen[start : start + 2 * clients] for start in range(0, count, 2 * clients)]
            turns = [[asked_by(number, port, part) for number in (1, clients)] for part in parts]
        finally:
            server.terminate()
    print("| clients | questions a second | p50, ms | p95, ms |\n|---|---|---|---|")
    rows = [
        (count / sum(seconds for seconds, _ in side), [time for _, times in side for time in times])
        for side in zip(*turns, strict=True)
    ]
    for number, (rate, times) in zip((1, clients), rows, strict=True):
        print(f"| {number} | {rate:.2f} | {np.percentile(times, 50):.0f} | {np.percentile(times, 95):.0f} |")
    (alone, first), (together, others) = rows
    print(
        f"\nthroughput of {clients} clients : one = {together / alone:.2f}; "
        f"p95 of {clients} : p50 of one = {np.percentile(others, 95) / np.percentile(first, 50):.1f}"
    )


if __name__ == "__main__":
    main()
