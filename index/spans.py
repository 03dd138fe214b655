"""Spans: half-open `(start, end)` ranges of characters in the decoded text of a source.

An article, a passage and a quote are each an ordered tuple of spans; their text is the spans joined, nothing added.
Offsets count Unicode code points, as Python does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Span = tuple[int, int]
Spans = tuple[Span, ...]


def join_spans(text: str, spans: Iterable[Span]) -> str:
    """Return the text that the spans select, in their order."""
    return "".join(text[start:end] for start, end in spans)


def spans_length(spans: Iterable[Span]) -> int:
    """Return the number of characters the spans select."""
    return sum(end - start for start, end in spans)


def merge_adjacent(spans: Iterable[Span]) -> Spans:
    """Drop empty spans and merge each span that begins where the one before it ends; the joined text stays the same."""
    merged: list[Span] = []
    for start, end in spans:
        if start >= end:
            continue
        if merged and merged[-1][1] == start:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return tuple(merged)


def slice_spans(spans: Sequence[Span], start: int, end: int) -> Spans:
    """Return the spans of `joined[start:end]`, where `joined` is the joined text of `spans`.

    `start` and `end` are offsets into the joined text, `0 <= start <= end <= spans_length(spans)`.

    Raises:
        ValueError: the range does not lie inside the joined text.
    """
    if not 0 <= start <= end <= spans_length(spans):
        raise ValueError(f"range ({start}, {end}) is outside the joined text of {spans_length(spans)} characters")
    selected: list[Span] = []
    offset = 0
    for span_start, span_end in spans:
        length = span_end - span_start
        low, high = max(start - offset, 0), min(end - offset, length)
        if low < high:
            selected.append((span_start + low, span_start + high))
        offset += length
    return merge_adjacent(selected)


def trim_spans(text: str, spans: Sequence[Span]) -> Spans:
    """Return the spans without white space at either end of their joined text."""
    joined = join_spans(text, spans)
    return slice_spans(spans, len(joined) - len(joined.lstrip()), len(joined.rstrip())) if joined.strip() else ()


def spans_inside(spans: Iterable[Span], length: int) -> bool:
    """Say whether every span is non-empty and lies inside a text of `length` characters."""
    return all(0 <= start < end <= length for start, end in spans)
