"""Passages: pieces of an article, a few whole sentences long, that overlap by one sentence.

The headline is left out: it is given to the encoder as context of its own. Offsets are kept exactly, so that the text
of a passage is the joined ranges of the source.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from index.records import Article, Passage
from index.sentences import split_sentences
from index.spans import Span, Spans, join_spans, merge_adjacent

_SOFT_BREAKS = "，,、；;：: 　\n\r\t"


def split_passages(
    article: Article, text: str, *, target: int = 260, minimum: int = 100, maximum: int = 350
) -> tuple[Passage, ...]:
    """Cut an article into passages of about `target` characters, at most `maximum`.

    Args:
        article: The article; its spans point into `text`.
        text: The text of the article's source.
        target: A passage is closed once it is this long.
        minimum: A last passage shorter than this is merged or takes more overlap.
        maximum: No passage is longer; a longer sentence is cut at a comma, or hard.

    Returns:
        The passages in order. An article that is only a headline gives one passage of it.

    Raises:
        ValueError: The lengths are not `1 <= minimum <= target <= maximum`.
    """
    if not 1 <= minimum <= target <= maximum:
        raise ValueError(f"expected 1 <= minimum <= target <= maximum, found {minimum}, {target}, {maximum}")
    made = _stands_in_text(text, article.headline_spans)
    body_spans = merge_adjacent(article.spans) if made else subtract_spans(article.spans, article.headline_spans)
    body = join_spans(text, body_spans)
    if not body.strip():
        body_spans = article.spans
        body = join_spans(text, body_spans)
    slicer = _Slicer(body_spans)
    passages: list[Passage] = []
    for start, end in _windows(body, _pieces(body, maximum), target, minimum, maximum):
        spans = slicer.slice(start, end)
        passages.append(Passage(article.id, len(passages), join_spans(text, spans), spans))
    return tuple(passages)


def _stands_in_text(text: str, headline: Spans) -> bool:
    """Say whether a headline is only the first sentence of the text, standing in for one that is missing."""
    if not headline:
        return False
    end = headline[-1][1]
    if text[end - 1] in "。.":
        return True
    rest = text[end : end + 1]
    return bool(rest) and not rest.isspace()


def subtract_spans(spans: Sequence[Span], removed: Sequence[Span]) -> Spans:
    """Return `spans` without the characters that `removed` selects, in the order of `spans`."""
    cuts = sorted(removed)
    if not cuts:
        return merge_adjacent(spans)
    kept: list[Span] = []
    for start, end in spans:
        index = max(bisect_right(cuts, (start, start)) - 1, 0)
        position = start
        while index < len(cuts) and cuts[index][0] < end:
            low, high = cuts[index]
            if high > position:
                kept.append((position, min(low, end)))
                position = max(position, high)
            index += 1
        kept.append((position, end))
    return merge_adjacent((start, end) for start, end in kept if start < end)


class _Slicer:
    """Slices of the joined text of spans, found by bisection."""

    def __init__(self, spans: Spans) -> None:
        self._spans = spans
        self._offsets = [0, *accumulate(end - start for start, end in spans)]

    def slice(self, start: int, end: int) -> Spans:
        """Return the spans of characters `start` to `end` of the joined text."""
        index = bisect_right(self._offsets, start) - 1
        selected: list[Span] = []
        while index < len(self._spans) and self._offsets[index] < end:
            span_start, _ = self._spans[index]
            low = max(start - self._offsets[index], 0)
            high = min(end, self._offsets[index + 1]) - self._offsets[index]
            selected.append((span_start + low, span_start + high))
            index += 1
        return merge_adjacent(selected)


def _trim(body: str, start: int, end: int) -> Span:
    """Return the range without white space at its ends."""
    # Character by character: a copy of what is left, for every piece, takes minutes for a line of megabytes.
    while start < end and body[start].isspace():
        start += 1
    while start < end and body[end - 1].isspace():
        end -= 1
    return start, end


def _pieces(body: str, maximum: int) -> list[Span]:
    """Return the trimmed sentences of `body`, those longer than `maximum` cut at a comma or hard."""
    pieces: list[Span] = []
    for sentence_start, sentence_end in split_sentences(body):
        start, end = _trim(body, sentence_start, sentence_end)
        while end - start > maximum:
            cut = max(body.rfind(mark, start + maximum // 2, start + maximum) for mark in _SOFT_BREAKS) + 1
            if cut <= start:
                cut = start + maximum
            pieces.append(_trim(body, start, cut))
            start, end = _trim(body, cut, end)
        if start < end:
            pieces.append((start, end))
    return pieces


def _windows(body: str, pieces: Sequence[Span], target: int, minimum: int, maximum: int) -> list[Span]:
    """Pack whole pieces into ranges of the body, each beginning with the last piece of the one before."""
    windows: list[Span] = []
    first = 0
    count = len(pieces)
    while first < count:
        last = first
        start = pieces[first][0]
        while last + 1 < count and pieces[last][1] - start < target and pieces[last + 1][1] - start <= maximum:
            last += 1
        # the rest would be a tiny tail: take it along where it fits
        if last + 1 < count and pieces[-1][1] - pieces[last + 1][0] < minimum and pieces[-1][1] - start <= maximum:
            last = count - 1
        if last == count - 1:
            end = pieces[last][1]
            while first > 0 and end - start < minimum and end - pieces[first - 1][0] <= maximum:
                first -= 1
                start = pieces[first][0]
            if end - start < minimum and first > 0:
                # the sentence before is too long to take whole: take its end
                start, end = _trim(body, max(0, end - minimum), end)
            windows.append((start, end))
            break
        windows.append((start, pieces[last][1]))
        # one sentence of overlap, where it leaves room for at least one more
        overlaps = last > first and pieces[last + 1][1] - pieces[last][0] <= maximum
        first = last if overlaps else last + 1
    return windows
