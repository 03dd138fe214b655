"""Reading: from retrieved passages to the spans that may answer. A seam, and the sentence reader behind it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from index.archive import PassageRow
from index.encoder import Encoder
from index.folding import fold_text
from index.sentences import split_sentences
from index.spans import Spans, slice_spans
from index.tokens import character_bigrams
from qa.question import Question

_MAX_SENTENCES = 32
_CONTENT_CHARACTERS = 6
_CONTEXT_SHARE = 0.3  # what the sentence before says is often the subject of this one
_ASKED_UNIT = re.compile(r"(?:多少|几)([^\W\d])")
_NUMERALS = "0-9〇零一二两三四五六七八九十百千万亿多余%％"
_DIGIT = re.compile(r"[0-9〇零一二两三四五六七八九十百千万亿]")
_TIME = re.compile(r"[0-9〇一二三四五六七八九十]+\s*[年月日时点号]|日前|近日|今天|昨天|上午|下午|凌晨|晚上")
_SENTENCE_END = re.compile(r"[。！!；;….][”’」』》）)\"']*$|\d$")
_REASON = re.compile("因为|由于|因|为了|为|所以|导致|才能|because")


@dataclass(frozen=True)
class ReadPassage:
    """A passage to be read, with the score that retrieval gave it."""

    passage: PassageRow
    headline: str
    score: float


@dataclass(frozen=True)
class Candidate:
    """A text that may answer: spans into the source, from the passage of the given place in the list that was read."""

    text: str
    spans: Spans
    passage: int
    score: float


class Reader(Protocol):
    """Finds the texts in passages that may answer a question."""

    def read(self, question: Question, vector: np.ndarray, passages: Sequence[ReadPassage]) -> list[Candidate]:
        """Return candidates, best first. `vector` is the question's embedding, shape (dimension,)."""
        ...


class SentenceReader:
    """Ranks whole sentences by the question's terms they hold, by meaning, and by the kind of answer they can give."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def read(self, question: Question, vector: np.ndarray, passages: Sequence[ReadPassage]) -> list[Candidate]:
        """Return one candidate per distinct sentence, best first."""
        sentences: list[tuple[int, int, int, str]] = []
        seen: set[Spans] = set()
        for place, read in enumerate(passages):
            for start, end in split_sentences(read.passage.text):
                text = read.passage.text[start:end]
                start += len(text) - len(text.lstrip())
                text = text.strip()
                spans = slice_spans(read.passage.spans, start, start + len(text))
                if len(text) >= _CONTENT_CHARACTERS and spans not in seen and len(sentences) < _MAX_SENTENCES:
                    seen.add(spans)
                    sentences.append((place, start, start + len(text), text))
        if not sentences:
            return []
        texts = [text for *_, text in sentences]
        vectors = self._encoder.encode_passages([fold_text(text, casefold=False) for text in texts])
        meaning = _standardize(vectors @ vector)
        own = _overlap(question, texts)
        before = np.array([0.0, *own[:-1]], np.float32) * [
            place > 0 and sentences[place][0] == sentences[place - 1][0] for place in range(len(sentences))
        ]
        overlap = _standardize(own + _CONTEXT_SHARE * before)
        fits = np.array([_can_answer(question, text) for text in texts], np.float32)
        rank = _standardize(np.array([passages[place].score for place, *_ in sentences], np.float32))
        whole = np.array([bool(_SENTENCE_END.search(text)) for text in texts], np.float32)
        scores = 0.5 * meaning + 1.0 * overlap + 1.5 * fits + 0.8 * whole + 0.5 * rank
        candidates = [
            Candidate(text, slice_spans(passages[place].passage.spans, start, end), place, float(score))
            for (place, start, end, text), score in zip(sentences, scores, strict=True)
        ]
        return sorted(candidates, key=lambda candidate: (-candidate.score, candidate.passage, candidate.spans))


def _overlap(question: Question, texts: Sequence[str]) -> np.ndarray:
    """Return the share of the question's character pairs in each text; pairs that few texts hold weigh more."""
    bags = [set(character_bigrams(text)) for text in texts]
    weights = {
        pair: float(np.log(1 + len(texts) / (1 + sum(pair in bag for bag in bags)))) + 0.1 for pair in question.bigrams
    }
    total = sum(weights.values()) or 1.0
    return np.array(
        [sum(weight for pair, weight in weights.items() if pair in bag) / total for bag in bags], np.float32
    )


def _can_answer(question: Question, text: str) -> bool:
    """Say whether the sentence holds the kind of thing the question asks for; true where one cannot tell."""
    if question.kind == "number":
        unit = _ASKED_UNIT.search(question.text)
        return bool(_DIGIT.search(text)) and (unit is None or bool(re.search(rf"[{_NUMERALS}]{{1,2}}{unit[1]}", text)))
    if question.kind == "time":
        return bool(_TIME.search(text))
    if question.kind == "reason":
        return bool(_REASON.search(text))
    return True


def _standardize(values: np.ndarray) -> np.ndarray:
    spread = float(values.std())
    return (values - values.mean()) / spread if spread > 1e-6 else np.zeros_like(values)
