"""Speed of the encoder against sentence-transformers as it comes, in one run on the same passages.

    python tests/benchmarks/encoding.py [--passages N] [--length CHARS] [--threads N] [--precision P] [--text FILE ...]

Without `--text` the passages are cut from the starter corpus in seeds/, the sentences shuffled anew for each one. The
two sides take turns, so that other work on the machine meets both; the figure of each is that of its best turn. On a
shared machine, what the CPU gives a plain bf16 product differs by a factor of five from one second to the next: it is
measured before and after each part of our turns, and the share is the median over those parts.
"""

from __future__ import annotations

import argparse
import itertools
import random
import re
import resource
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from index.cpu import usable_cores  # noqa: E402
from index.encoder import SentenceEncoder, load_encoder  # noqa: E402

TURNS = 3
PART = 32  # passages
QUESTIONS = 60


def make_passages(files: list[Path], count: int, length: int) -> list[str]:
    """`count` passages of about `length` characters, each a shuffle of sentences of the files."""
    text = "\n".join(file.read_text(encoding="utf-8", errors="replace") for file in files)
    sentences = [found.strip() for found in re.findall(r"[^。！？\n]{4,}[。！？]?", text)]
    if not sentences:
        raise SystemExit(f"No sentences in {[str(file) for file in files]}; expected text files. Correct --text.")
    chance = random.Random(7)
    passages = []
    for _ in range(count):
        passage, aim = "", chance.gauss(length, length / 5)
        while len(passage) < aim:
            passage += chance.choice(sentences)
        passages.append(passage)
    return passages


def best_seconds(sides: list[Callable[[], object]]) -> list[float]:
    """Wall-clock seconds of each side's best turn, the sides taking turns."""
    seconds = [float("inf")] * len(sides)
    for _, (number, side) in itertools.product(range(TURNS), enumerate(sides)):
        start = time.perf_counter()
        side()
        seconds[number] = min(seconds[number], time.perf_counter() - start)
    return seconds


def shares_of_product(sides: list[Callable[[], object]], flops: list[float], seconds: float = 0.3) -> list[float]:
    """Return for each side its operations a second as a share of a bf16 product's, measured before and after it."""
    shares = []
    before = matmul_flops(seconds)
    for side, work in zip(sides, flops, strict=True):
        start = time.perf_counter()
        side()
        rate = work / (time.perf_counter() - start)
        after = matmul_flops(seconds)
        shares.append(rate / ((before + after) / 2))
        before = after
    return shares


def matmul_flops(seconds: float = 1.5) -> float:
    """Floating-point operations a second of plain bf16 products of the encoder's shape, all threads."""
    import torch

    left = torch.ones(8192, 384, dtype=torch.bfloat16)
    right = torch.ones(1536, 384, dtype=torch.bfloat16)
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        torch.nn.functional.linear(left, right)
        best = min(best, time.perf_counter() - start)
    return 2 * 8192 * 384 * 1536 / best


def forward_flops(lengths: list[int], layers: int, hidden: int, ffn: int) -> float:
    """Multiplications and additions of one pass over texts of these lengths in tokens, without padding."""
    return float(sum(layers * (2 * n * (4 * hidden * hidden + 2 * hidden * ffn) + 4 * n * n * hidden) for n in lengths))


def question_milliseconds(encoder: SentenceEncoder) -> Iterator[float]:
    """How long one short question takes, for different questions."""
    for number in range(QUESTIONS):
        start = time.perf_counter()
        encoder.encode_queries([f"青石桥第{number}期加固工程花了多少钱？"])
        yield 1000 * (time.perf_counter() - start)


def main() -> None:
    """Print one table in Markdown."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n", maxsplit=1)[0])
    parser.add_argument("--passages", type=int, default=192, help="how many passages (default %(default)s)")
    parser.add_argument("--length", type=int, default=320, help="characters of a passage (default %(default)s)")
    parser.add_argument("--precision", choices=["auto", "bf16", "int8", "fp32"], default="auto")
    parser.add_argument("--threads", type=int, default=usable_cores(), help="default: all cores")
    parser.add_argument("--text", type=Path, nargs="+", help="files to take the sentences from")
    options = parser.parse_args()
    passages = make_passages(options.text or sorted((ROOT / "seeds").glob("*.txt")), options.passages, options.length)

    start = time.perf_counter()
    encoder = load_encoder(threads=options.threads, precision=options.precision)
    load_seconds = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # KiB on Linux

    import torch
    from sentence_transformers import SentenceTransformer

    from index.packaged_model import packaged_model_folder

    torch.set_num_threads(options.threads)
    plain = SentenceTransformer(str(packaged_model_folder()), device="cpu")
    prefix = encoder.identity.passage_prefix
    lengths = [len(ids) for ids in plain.tokenizer([prefix + text for text in passages], truncation=True)["input_ids"]]
    theirs = np.asarray(plain.encode(passages[:32], prompt=prefix))
    cosine = float((theirs * encoder.encode_passages(passages[:32])).sum(axis=1).min())

    seconds = best_seconds(
        [lambda: plain.encode(passages, prompt=prefix, batch_size=32), lambda: encoder.encode_passages(passages)]
    )
    config = plain[0].model.config

    def work(some: list[int]) -> float:
        return forward_flops(some, config.num_hidden_layers, config.hidden_size, config.intermediate_size)

    peak = matmul_flops()
    parts = [slice(start, start + PART) for start in range(0, len(passages), PART)] * TURNS
    shares = shares_of_product(
        [partial(encoder.encode_passages, passages[part]) for part in parts], [work(lengths[part]) for part in parts]
    )
    milliseconds = sorted(question_milliseconds(encoder))

    print(f"{len(passages)} passages, {np.mean([len(text) for text in passages]):.0f} characters and", end=" ")
    print(f"{np.mean(lengths):.0f} tokens on average, {options.threads} threads\n")
    print("| encoder | passages/s | tokens/s | ratio |")
    print("|---|---|---|---|")
    for name, taken in zip(
        ["sentence-transformers, fp32, batch 32", f"ours, {encoder.precision}"], seconds, strict=True
    ):
        print(f"| {name} | {len(passages) / taken:.1f} | {sum(lengths) / taken:,.0f} | {seconds[0] / taken:.2f} |")
    low, middle, high = (100 * np.quantile(shares, [0.1, 0.5, 0.9])).round()
    print(f"\nOurs, of what a bf16 product gets: {middle:.0f} % ({low:.0f}–{high:.0f} %, {len(shares)} parts).")
    print(f"A plain bf16 product: {peak / 1e12:.2f} TFLOP/s. Least cosine of the two sides: {cosine:.5f}.")
    print(f"One question: p50 {np.median(milliseconds):.1f} ms, p95 {np.quantile(milliseconds, 0.95):.1f} ms.")
    print(f"Load, imports included: {load_seconds:.1f} s; peak memory then {memory:.0f} MB.")


if __name__ == "__main__":
    main()
