"""jieba's tokenizer with its search for the most probable cut done in one pass.

jieba builds a graph of all words of a sentence, then takes logarithms of their frequencies edge by edge. Here the
dictionary holds the logarithms, and each word is looked up once. The words are jieba's own, bit for bit.
"""

from __future__ import annotations

import marshal
from contextlib import suppress
from math import log
from pathlib import Path
from typing import Any

import jieba

from index.layout import replace_file


class OnePassTokenizer(jieba.Tokenizer):  # type: ignore[misc]
    """jieba's tokenizer, faster; its dictionary cannot be added to."""

    initialized: bool

    def __init__(self, cache: Path) -> None:
        """Make a tokenizer that keeps its dictionary in the folder `cache`, which only this user may write.

        jieba keeps its own in the shared temporary folder, where another user could plant one, and takes twice as long
        to read it.
        """
        super().__init__()
        self._kept = cache / f"words-{jieba.__version__}.marshal"

    def initialize(self, dictionary: str | None = None) -> None:
        """Load the dictionary, with log probabilities in the place of frequencies.

        What is no word but the beginning of one keeps its 0, which is how jieba tells it from a word.
        """
        with self.lock:
            if self.initialized:
                return
            known = self._read() if dictionary is None else None
            self.FREQ, self.total = known or self._make(dictionary)
            if known is None and dictionary is None:
                self._keep()
            self._unknown = -log(self.total)
            self.initialized = True

    def _read(self) -> tuple[dict[str, Any], int] | None:
        """Return the dictionary as it was kept, None where there is none or it is damaged."""
        try:
            words, total = marshal.loads(self._kept.read_bytes())  # noqa: S302 - of a folder of this user's own
            return (words, total) if isinstance(words, dict) and isinstance(total, int) and total > 0 else None
        except (OSError, EOFError, ValueError, TypeError):
            return None

    def _make(self, dictionary: str | None) -> tuple[dict[str, Any], int]:
        if dictionary is not None:
            self.set_dictionary(dictionary)
        words, total = self.gen_pfdict(self.get_dict_file())
        whole = log(total)
        made = {count: log(count) - whole for count in set(words.values()) if count}
        return {word: made[count] if count else 0 for word, count in words.items()}, total

    def _keep(self) -> None:
        with suppress(OSError):  # it is made anew next time
            replace_file(self._kept, marshal.dumps((self.FREQ, self.total)))

    def get_DAG(self, sentence: str) -> dict[int, list[int]]:  # noqa: N802 - jieba's name
        """Return nothing: `calc` looks the words up itself."""
        self.check_initialized()
        return {}

    def calc(self, sentence: str, _: dict[int, list[int]], route: dict[int, tuple[float, int]]) -> None:
        """Fill `route`: the best score from each character on, and the last character of the word it begins with."""
        score_of = self.FREQ.get
        length = len(sentence)
        scores = [0.0] * (length + 1)
        for start in range(length - 1, -1, -1):
            best, last = None, start
            end = start + 1
            score = score_of(sentence[start])
            while score is not None:
                if score:
                    total = score + scores[end]
                    if best is None or total >= best:
                        best, last = total, end - 1
                end += 1
                if end > length:
                    break
                score = score_of(sentence[start:end])
            if best is None:
                best = self._unknown + scores[start + 1]
            scores[start] = best
            route[start] = best, last
