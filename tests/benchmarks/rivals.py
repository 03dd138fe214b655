"""Passages encoded a second: ours beside sentence-transformers, txtai and Haystack with their defaults, in one run.

    python -m venv rivals && rivals/bin/pip install txtai haystack-ai sentence-transformers-haystack
    python tests/benchmarks/rivals.py rivals/bin/python [--passages N] [--length CHARS] [--threads N] [--text FILE ...]

Same model folder, same passages, same threads. Each library runs in a process of its own, in the environment whose
Python is given; they take turns, so that other work on the machine meets all; the figure of each is its best turn.
txtai's includes that it builds its index, which for so few vectors is next to nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from index.cpu import usable_cores
from index.encoder import load_encoder
from index.packaged_model import packaged_model_folder
from tests.benchmarks.encoding import ROOT, best_seconds, make_passages


class Rival:
    """Another library's encoder in its own process."""

    def __init__(self, python: str, name: str, passages: Path, threads: int) -> None:
        command = [python, str(Path(__file__).with_name("rival_encoder.py")), name, str(packaged_model_folder())]
        self._process = subprocess.Popen(
            [*command, str(passages), str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.name = self._answer("ready")

    def encode(self) -> None:
        """Encode all passages."""
        assert self._process.stdin is not None
        print(file=self._process.stdin, flush=True)
        self._answer("seconds")

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def _answer(self, kind: str) -> str:
        assert self._process.stdout is not None
        for line in self._process.stdout:  # the libraries may print lines of their own
            if line.startswith(kind + " "):
                return line.removeprefix(kind).strip()
        raise SystemExit(
            f"A library ended with status {self._process.wait()} before it was done; see what it said above."
        )


@click.command()
@click.argument("python", type=click.Path(exists=True, dir_okay=False))
@click.option("--passages", "count", default=192, show_default=True)
@click.option("--length", default=200, show_default=True, help="Characters of a passage.")
@click.option("--threads", default=usable_cores(), show_default=True)
@click.option("--text", "files", multiple=True, type=click.Path(exists=True, path_type=Path))
def main(python: str, count: int, length: int, threads: int, files: tuple[Path, ...]) -> None:
    """Print one table in Markdown."""
    passages = make_passages(list(files) or sorted((ROOT / "seeds").glob("*.txt")), count, length)
    encoder = load_encoder(threads=threads)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "passages.json"
        file.write_text(json.dumps(passages), encoding="utf-8")
        rivals = [Rival(python, name, file, threads) for name in ("sentence-transformers", "txtai", "haystack")]
        sides: list[Callable[[], object]] = [rival.encode for rival in rivals]
        seconds = best_seconds([*sides, lambda: encoder.encode_passages(passages)])
        for rival in rivals:
            rival.close()
    best = min(seconds[:-1])
    print(f"{count} passages of {length} characters, {threads} threads\n")
    print("| encoder | passages/s | the best other : this |\n|---|---|---|")
    for name, taken in zip([*(rival.name for rival in rivals), f"ours, {encoder.precision}"], seconds, strict=True):
        print(f"| {name} | {count / taken:.1f} | {best / taken:.2f} |")


if __name__ == "__main__":
    main()
