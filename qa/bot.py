"""The bot: a question in, a cited answer out. The whole pipeline at a glance."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from index.archive import DEFAULT_INDEX, Archive, Filters
from index.encoder import Encoder, load_encoder
from index.errors import InputError
from index.spans import slice_spans
from index.tokens import warm_up
from qa.answer import Answer, Citation, cite, verify_citations
from qa.calibration import Calibration, confidence_features
from qa.compose import Part, compose
from qa.dialogue import Chat
from qa.following import Following
from qa.fusion import Evidence
from qa.question import Question, parse_question
from qa.ranking import RankedAnswer, rank_answers
from qa.reader import Reader, ReadPassage
from qa.reader_model import load_calibrated_reader
from qa.retrieve import Hit, Retrieval, Retriever

PASSAGES_TO_READ = 6
_NEAREST_SHOWN = 3


@dataclass
class _Stopwatch:
    timings: dict[str, float] = field(default_factory=dict)
    _last: float = field(default_factory=time.perf_counter)

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.timings[stage] = round((now - self._last) * 1000, 2)
        self._last = now


class Bot:
    """Answers questions from an archive. One bot serves many threads, and follows the archive to new generations."""

    def __init__(
        self,
        archive: Archive,
        encoder: Encoder,
        reader: Reader,
        calibration: Calibration,
        *,
        threshold: float | None = None,
    ) -> None:
        """Take an opened archive, the encoder it was built with, a reader and what was fitted for it.

        `threshold` is the confidence below which the bot declines; by default the calibration's.

        Raises:
            ArchiveError: the archive was built with another encoder.
        """
        self.encoder = encoder
        self.reader = reader
        self.calibration = calibration
        self.threshold = calibration.threshold if threshold is None else threshold
        self._following = Following(self._make_ready(archive), self._make_ready)

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str] = DEFAULT_INDEX,
        *,
        model: str | None = None,
        reader: str | None = None,
        threshold: float | None = None,
    ) -> Bot:
        """Open the archive in a folder, with the encoder its manifest names, or `model`, and a reader.

        Args:
            path: The archive's folder.
            model: Another folder or name of the encoder.
            reader: A folder that a training of the reader wrote, or a question-answering model of transformers, by its
                folder or its name on the Hugging Face hub; by default the reader that comes with Wenbao.
            threshold: The confidence below which the bot declines; by default the calibration's.

        Raises:
            NotFoundError: there is no archive.
            ArchiveError: it is damaged, or was built with another encoder.
            EncoderError: the encoder cannot be loaded.
            ReaderError: the reader cannot be loaded.
            CalibrationError: its calibration cannot be read.
        """
        archive = Archive.open(path)
        encoder = load_encoder(model or archive.manifest.encoder.name)
        return cls(archive, encoder, *load_calibrated_reader(encoder, reader), threshold=threshold)

    def _make_ready(self, archive: Archive) -> Retriever:
        retriever = Retriever(archive, self.encoder)  # refuses another encoder's before anything large is read
        warm_up()
        archive.open_indexes()
        return retriever

    @property
    def archive(self) -> Archive:
        """The generation that the next question is answered from."""
        with self._following.generation() as retriever:
            return retriever.archive

    def follow(self, ended: threading.Event) -> None:
        """Look for new generations of the archive, open them beside the old one and switch, until the event is set.

        To be run in a thread of its own. Without it, each question looks first, and may have to wait for the opening.
        """
        self._following.follow(ended)

    def ask(self, question: str, *, filters: Filters | None = None, threshold: float | None = None) -> Answer:
        """Answer a question in words of the archive, with citations, or say that the archive does not answer.

        Args:
            question: One question.
            filters: Which articles may answer.
            threshold: The confidence below which to decline this time; by default the bot's.

        Raises:
            InputError: the question is empty or too long, or a filter cannot be understood.
            ArchiveError: the archive is damaged.
        """
        with self._following.generation() as retriever:
            return self._answer(retriever, question, filters, self.threshold if threshold is None else threshold)

    def _answer(self, retriever: Retriever, question: str, filters: Filters | None, threshold: float) -> Answer:
        watch = _Stopwatch()
        parsed = parse_question(question)
        retrieval = retriever.retrieve(parsed, PASSAGES_TO_READ, filters)
        watch.lap("retrieve")
        passages = passages_to_read(retrieval.hits)
        candidates = self.reader.read(parsed, retrieval.vector, passages)
        watch.lap("read")
        answers = rank_answers(parsed, candidates, passages, self.calibration.ranking)
        confidence = 0.0
        if answers:
            background = retriever.gather(parsed, vector=retrieval.vector).evidence if filters else None
            confidence = self.calibration.probability(answer_features(parsed, answers, retrieval, background))
        confidence = round(confidence, 4)
        parts = compose(parsed, answers, passages) if confidence >= threshold else ()
        citations = tuple(_cite(part, retrieval.hits[part.passage]) for part in parts)
        nearest = () if citations else _nearest(retrieval.hits)
        verify_citations(retriever.archive, (*citations, *nearest))
        watch.lap("verify")
        return Answer(
            question=parsed.text,
            found=bool(citations),
            answer="\n".join(citation.answer for citation in citations),
            confidence=confidence,
            citations=citations,
            nearest=nearest,
            timings=watch.timings | {"total": round(sum(watch.timings.values()), 2)},
        )

    def search(self, question: str, k: int = 10, *, filters: Filters | None = None) -> tuple[Hit, ...]:
        """Return the `k` best passages for a question, with every stage of their ranking.

        Raises:
            InputError: the question is empty or too long, a filter cannot be understood, or `k` is less than 1.
        """
        if k < 1:
            raise InputError(f"{k} passages were asked for. Ask for 1 or more.")
        with self._following.generation() as retriever:
            return retriever.retrieve(parse_question(question), k, filters).hits

    def chat(self) -> Chat:
        """Return a new conversation."""
        return Chat(self)


def passages_to_read(hits: Sequence[Hit]) -> list[ReadPassage]:
    """Return what a reader is shown of retrieved passages."""
    return [ReadPassage(hit.passage, hit.article.headline, hit.score, hit.article.date) for hit in hits]


def answer_features(
    question: Question, answers: Sequence[RankedAnswer], retrieval: Retrieval, background: Evidence | None = None
) -> dict[str, float]:
    """Return the features of the first answer's confidence."""
    hit = retrieval.hits[answers[0].candidate.passage]
    article = hit.article
    return confidence_features(
        question,
        answers,
        retrieval.evidence,
        passage=hit.passage.text,
        article=f"{article.headline} {article.date or ''} {' '.join(article.event_dates)} {article.text}",
        background=background,
    )


def _cite(part: Part, hit: Hit) -> Citation:
    text, spans = hit.passage.text, hit.passage.spans
    return cite(
        hit.article,
        text[slice(*part.quote)],
        slice_spans(spans, *part.quote),
        part.score,
        answer=text[slice(*part.answer)],
        answer_spans=slice_spans(spans, *part.answer),
    )


def _nearest(hits: Sequence[Hit]) -> tuple[Citation, ...]:
    """Return the first passages of articles: who the editors are is only of interest when it is the answer."""
    articles = [hit for hit in hits if hit.article.kind == "article"][:_NEAREST_SHOWN]
    return tuple(cite(hit.article, hit.passage.text, hit.passage.spans, hit.score) for hit in articles)
