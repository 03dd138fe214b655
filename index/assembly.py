"""Assembly: from the lines of an article to its spans, with the breaks that columns made left out."""

from __future__ import annotations

import re
from collections.abc import Sequence

from index.bylines import signature_at_end
from index.lines import Line, ends_sentence, is_table_row
from index.spans import Span, Spans, merge_adjacent

_HAN_OR_MARK = re.compile(r"[\u2e80-\u9fff\uf900-\uffef“”‘’…—]")


def breaks_paragraph(text: str) -> bool:
    """Say whether a line of running text ends its paragraph: its sentence is complete, or it is a list's."""
    return ends_sentence(text) or text.endswith(("：", ":")) or is_table_row(text) or bool(signature_at_end(text))


def paragraph_spans(source: str, line: Line, following: Line | None, joins: bool) -> list[Span]:
    """Return the spans of a line and of what must stand between it and the line that follows it in its article.

    Args:
        source: The text of the source.
        line: The line.
        following: The line that follows it in its article, if any.
        joins: The sentence goes on in `following`, so no break may stand between them.
    """
    if following is None:
        return [(line.start, line.end)]
    gap_is_blank = following.start > line.end and not source[line.end : following.start].strip()
    if not joins:
        return [(line.start, following.start if gap_is_blank else line.break_end)]
    if _HAN_OR_MARK.match(line.text[-1]) or _HAN_OR_MARK.match(following.text[0]):
        return [(line.start, line.end)]
    # between words of a Western text one white space character stays
    return [(line.start, min(line.end + 1, line.break_end) if source[line.end : line.end + 1].isspace() else line.end)]


def assemble(source: str, lines: Sequence[Line], joins: Sequence[bool]) -> Spans:
    """Return the spans of an article: `joins[i]` says that line i goes on in line i + 1 without a break."""
    spans: list[Span] = []
    for index, line in enumerate(lines):
        following = lines[index + 1] if index + 1 < len(lines) else None
        spans.extend(paragraph_spans(source, line, following, following is not None and joins[index]))
    return merge_adjacent(spans)
