"""A reader without a trained model: whole sentences, by their terms, their meaning, and the kind of answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from index.bylines import lead_length
from index.encoder import Encoder
from index.folding import fold_text
from index.sentences import split_sentences
from index.spans import Spans, slice_spans
from index.tokens import character_bigrams, tokenize
from qa.answer_kinds import can_answer, is_whole_sentence
from qa.question import Question
from qa.reader import Candidate, ReadPassage

Floats = npt.NDArray[np.float32]

_MAX_SENTENCES = 32
_LEAST_CHARACTERS = 6
_COMMON_TERM = 0.1
# Fitted by listwise softmax regression on CMRC 2018 and DRCD contexts: `python -m qa.training sentences`.
WEIGHTS = {
    "meaning": 0.8,
    "pairs": 3.3,
    "words": 3.5,
    "before": 1.9,
    "after": 0.8,
    "kind": 2.1,
    "whole": 0.9,
    "passage": 0.17,
}


@dataclass(frozen=True)
class Sentence:
    """A sentence of a passage: its text without white space at the ends, and where it starts in the passage's text."""

    text: str
    start: int
    passage: int


class SentenceReader:
    """Ranks whole sentences by the question's terms they hold, by meaning, and by the kind of answer they can give."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def read(self, question: Question, vector: Floats, passages: Sequence[ReadPassage]) -> list[Candidate]:
        """Return one candidate per distinct sentence, best first."""
        spans: dict[Spans, Sentence] = {}
        for place, read in enumerate(passages):
            for sentence in sentences_of(read.passage.text, place):
                end = sentence.start + len(sentence.text)
                spans.setdefault(slice_spans(read.passage.spans, sentence.start, end), sentence)
        sentences = list(spans.values())[:_MAX_SENTENCES]
        if not sentences:
            return []
        vectors = self._encoder.encode_passages([fold_text(sentence.text, casefold=False) for sentence in sentences])
        columns = sentence_features(question, sentences, vectors @ vector, [read.score for read in passages])
        scores = np.sum([WEIGHTS[name] * values for name, values in columns.items()], axis=0)
        candidates = [
            Candidate(sentence.passage, sentence.start, sentence.start + len(sentence.text), float(score))
            for sentence, score in zip(sentences, scores, strict=True)
        ]
        return sorted(candidates, key=lambda candidate: (-candidate.score, candidate.passage, candidate.start))


def sentences_of(text: str, passage: int) -> list[Sentence]:
    """Return the sentences of a passage that are long enough to say something, without a lead (本报讯（记者…）)."""
    found = []
    for start, end in split_sentences(text):
        indent = len(text[start:end]) - len(text[start:end].lstrip())
        start += indent + lead_length(text[start + indent : end])
        stripped = text[start:end].rstrip()
        if len(stripped) >= _LEAST_CHARACTERS:
            found.append(Sentence(stripped, start, passage))
    return found


def sentence_features(
    question: Question, sentences: Sequence[Sentence], cosines: Floats, passage_scores: Sequence[float]
) -> dict[str, Floats]:
    """Return the features of the sentences of one question, each of shape (sentences,).

    `before` and `after` are the neighbours' share of the question: what they speak of is often this one's subject too.
    """
    texts = [sentence.text for sentence in sentences]
    pairs = _overlap(question.bigrams, [set(character_bigrams(text)) for text in texts])
    best = max(passage_scores, default=0.0)
    places = [sentence.passage for sentence in sentences]
    follows = np.array([here == there for here, there in zip(places[1:], places, strict=False)], np.float32)
    return {
        "meaning": _standardize(cosines),
        "pairs": pairs,
        "words": _overlap(question.words, [set(tokenize(text)) for text in texts]),
        "before": np.append(np.float32(0), pairs[:-1] * follows).astype(np.float32),
        "after": np.append(pairs[1:] * follows, np.float32(0)).astype(np.float32),
        "kind": np.array([can_answer(question, text) for text in texts], np.float32),
        "whole": np.array([is_whole_sentence(text) for text in texts], np.float32),
        "passage": np.array([passage_scores[place] - best for place in places], np.float32),
    }


def _overlap(terms: Sequence[str], bags: Sequence[set[str]]) -> Floats:
    """Return the share of the terms that each bag holds; terms that few bags hold weigh more."""
    weights = {
        term: float(np.log(1 + len(bags) / (1 + sum(term in bag for bag in bags)))) + _COMMON_TERM for term in terms
    }
    total = sum(weights.values()) or 1.0
    return np.array(
        [sum(weight for term, weight in weights.items() if term in bag) / total for bag in bags], np.float32
    )


def _standardize(values: Floats) -> Floats:
    spread = float(values.std())
    standardized: Floats = (values - values.mean()) / spread if spread > 1e-6 else np.zeros_like(values)
    return standardized
