"""Spans: the arithmetic that citations stand on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.spans import join_spans, merge_adjacent, slice_spans, spans_inside, spans_length, trim_spans


@st.composite
def text_and_spans(draw):
    text = draw(st.text(min_size=1, max_size=80))
    marks = st.integers(0, len(text))
    return text, [tuple(sorted((draw(marks), draw(marks)))) for _ in range(draw(st.integers(0, 6)))]


@given(text_and_spans())
def test_merging_keeps_the_text_and_leaves_no_empty_span(case):
    text, spans = case
    merged = merge_adjacent(spans)
    assert join_spans(text, merged) == join_spans(text, spans)
    assert spans_inside(merged, len(text))


@given(text_and_spans(), st.data())
def test_a_slice_of_spans_selects_the_slice_of_their_text(case, data):
    text, spans = case
    joined = join_spans(text, spans)
    start = data.draw(st.integers(0, len(joined)))
    end = data.draw(st.integers(start, len(joined)))
    assert join_spans(text, slice_spans(spans, start, end)) == joined[start:end]


@given(text_and_spans())
def test_trimming_is_stripping(case):
    text, spans = case
    assert join_spans(text, trim_spans(text, spans)) == join_spans(text, spans).strip()


@given(text_and_spans())
def test_length_is_the_length_of_the_text(case):
    text, spans = case
    assert spans_length(spans) == len(join_spans(text, spans))


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (0, 5), (3, 2)])
def test_a_range_outside_is_refused(start, end):
    with pytest.raises(ValueError, match="outside"):
        slice_spans([(0, 4)], start, end)
