"""jieba's tokenizer with its search for the most probable cut done in one pass.

jieba builds a graph of all words of a sentence, then takes logarithms of their frequencies edge by edge. Here the
dictionary holds the logarithms, and each word is looked up once. The words are jieba's own, bit for bit.
"""

from __future__ import annotations

from math import log
from typing import Any

import jieba


class OnePassTokenizer(jieba.Tokenizer):  # type: ignore[misc]
    """jieba's tokenizer, faster; its dictionary cannot be added to."""

    def initialize(self, dictionary: str | None = None) -> None:
        """Load the dictionary, and put log probabilities in the place of its frequencies.

        What is no word but the beginning of one keeps its 0, which is how jieba tells it from a word.
        """
        if self.initialized:
            return
        super().initialize(dictionary)
        whole = log(self.total)
        made = {count: log(count) - whole for count in set(self.FREQ.values()) if count}
        frequencies: dict[str, Any] = self.FREQ
        for word, count in frequencies.items():
            if count:
                frequencies[word] = made[count]
        self._unknown = -whole

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
