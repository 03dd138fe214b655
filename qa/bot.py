"""The bot: a question in, a cited answer out. The whole pipeline at a glance."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from index.archive import DEFAULT_INDEX, Archive, Filters
from index.encoder import Encoder, load_encoder
from index.errors import InputError, WenbaoError
from index.layout import IndexFolder
from index.tokens import warm_up
from qa.answer import Answer, Citation, cite, verify_citations
from qa.compose import compose
from qa.confidence import DEFAULT_THRESHOLD, estimate_confidence
from qa.dialogue import Chat
from qa.fusion import Evidence
from qa.question import Question, is_foreign, parse_question
from qa.reader import Reader, ReadPassage, SentenceReader
from qa.retrieve import Hit, Retrieval, Retriever

_PASSAGES_TO_READ = 6
_NEAREST_SHOWN = 3
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Opened:
    """One generation, ready to be asked."""

    archive: Archive
    retriever: Retriever
    reader: Reader


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
        *,
        threshold: float = DEFAULT_THRESHOLD,
        make_reader: Callable[[Encoder], Reader] = SentenceReader,
    ) -> None:
        """Take an opened archive and the encoder it was built with.

        Raises:
            ArchiveError: the archive was built with another encoder.
        """
        self.encoder = encoder
        self.threshold = threshold
        self._make_reader = make_reader
        self._folder: IndexFolder = archive.folder
        self._opened = self._make_ready(archive)
        self._reopening = threading.Lock()
        self._refused = ""

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str] = DEFAULT_INDEX,
        *,
        model: str | None = None,
        threshold: float = DEFAULT_THRESHOLD,
    ) -> Bot:
        """Open the archive in a folder, with the encoder its manifest names, or `model`.

        Raises:
            NotFoundError: there is no archive.
            ArchiveError: it is damaged, or was built with another encoder.
            EncoderError: the encoder cannot be loaded.
        """
        archive = Archive.open(path)
        return cls(archive, load_encoder(model or archive.manifest.encoder.name), threshold=threshold)

    def _make_ready(self, archive: Archive) -> _Opened:
        retriever = Retriever(archive, self.encoder)
        warm_up()
        _ = archive.vectors, archive.keywords
        return _Opened(archive, retriever, self._make_reader(self.encoder))

    def _current(self) -> _Opened:
        """Return the generation in use, opening it first when it is new; one that cannot be opened changes nothing."""
        if self._reopening.acquire(blocking=False):
            try:
                if self._folder.current().id != self._opened.archive.generation.id:
                    self._opened = self._make_ready(Archive(self._folder))
            except WenbaoError as error:
                if str(error) != self._refused:
                    self._refused = str(error)
                    _log.warning("The new archive is not used, the old one goes on answering: %s", error)
            finally:
                self._reopening.release()
        return self._opened

    @property
    def archive(self) -> Archive:
        """The generation that the next question is answered from."""
        return self._current().archive

    def ask(self, question: str, *, filters: Filters | None = None) -> Answer:
        """Answer a question in words of the archive, with citations, or say that the archive does not answer.

        Raises:
            InputError: the question is empty or too long, or a filter cannot be understood.
            ArchiveError: the archive is damaged.
        """
        opened = self._current()
        watch = _Stopwatch()
        parsed = parse_question(question)
        retrieval = opened.retriever.retrieve(parsed, _PASSAGES_TO_READ, filters)
        watch.lap("retrieve")
        passages = [ReadPassage(hit.passage, hit.article.headline, hit.score) for hit in retrieval.hits]
        candidates = opened.reader.read(parsed, retrieval.vector, passages)
        watch.lap("read")
        background = opened.retriever.gather(parsed, vector=retrieval.vector).evidence if filters else None
        confidence = _confidence(parsed, retrieval, background) if candidates else 0.0
        chosen = compose(candidates, passages) if confidence >= self.threshold else ()
        citations = tuple(
            cite(retrieval.hits[candidate.passage].article, candidate.text, candidate.spans, candidate.score)
            for candidate in chosen
        )
        nearest = () if citations else _nearest(retrieval.hits)
        verify_citations(opened.archive, (*citations, *nearest))
        watch.lap("verify")
        return Answer(
            question=parsed.text,
            found=bool(citations),
            answer="\n".join(citation.quote for citation in citations),
            confidence=round(confidence, 4),
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
        return self._current().retriever.retrieve(parse_question(question), k, filters).hits

    def chat(self) -> Chat:
        """Return a new conversation."""
        return Chat(self)


def _confidence(question: Question, retrieval: Retrieval, background: Evidence | None) -> float:
    best = retrieval.hits[0]
    known = f"{best.article.date or ''} {' '.join(best.article.event_dates)} {best.article.text}"
    return estimate_confidence(
        retrieval.evidence,
        background,
        foreign=is_foreign(question.text, best.passage.text),
        other_year=bool(question.years) and not any(year in known for year in question.years),
    )


def _nearest(hits: Sequence[Hit]) -> tuple[Citation, ...]:
    """Return the first passages of articles: who the editors are is only of interest when it is the answer."""
    articles = [hit for hit in hits if hit.article.kind == "article"][:_NEAREST_SHOWN]
    return tuple(cite(hit.article, hit.passage.text, hit.passage.spans, hit.score) for hit in articles)
