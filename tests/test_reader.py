"""The reader: windows, valid ranges, and what the trained one makes of pages it has never seen."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sentence_transformers import SentenceTransformer

from index.encoder import SentenceEncoder
from qa.particles import particle_pieces, split_particles
from qa.reader import MAX_ANSWER_TOKENS, SpanReader, best_ranges
from qa.reader_input import ReaderInput, Window, make_windows
from qa.reader_model import ReaderError, load_reader

PASSAGE = (
    "云溪县柳桥镇的老水车上周末重新转动起来。镇长黎望舒说，修复花了四个月，木料来自邻县，共用去杉木37立方米。"
    "水车始建于1953年，直径9.6米，由工匠余小满负责修复。今后每逢周末对游客开放，门票10元。"
)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("柳桥镇水车修复用了多少杉木？", "37立方米"),
        ("老水车始建于哪一年？", "1953年"),
        ("柳桥镇的镇长是谁？", "黎望舒"),
        ("Who led the repair of the water wheel?", "余小满"),
        ("水車の直径は何メートルですか。", "9.6米"),
    ],
)
def test_the_words_that_answer_are_found_in_three_languages(reader: SpanReader, question: str, answer: str) -> None:
    (candidates,) = reader.read_inputs([ReaderInput(question, "柳桥老水车又转了", "2023-04-02", PASSAGE)])
    best = candidates[0]
    assert answer in PASSAGE[best.start : best.end]
    assert best.end - best.start <= len(answer) + 6


def test_a_passage_that_does_not_answer_scores_lower(reader: SpanReader) -> None:
    inputs = [
        ReaderInput("柳桥镇水车修复用了多少杉木？", "", "", PASSAGE),
        ReaderInput("柳桥镇水车修复用了多少杉木？", "", "", "县图书馆昨日开放夜间阅览室，新增座位140个，免费预约。"),
    ]
    here, elsewhere = reader.read_inputs(inputs)
    assert here[0].answerable > max(candidate.answerable for candidate in elsewhere) + 1


def test_a_long_passage_is_read_to_its_end(reader: SpanReader) -> None:
    filler = "会议要求各单位认真落实有关工作部署，确保取得实效。" * 60
    (candidates,) = reader.read_inputs([ReaderInput("老水车始建于哪一年？", "", "", filler + PASSAGE)])
    best = candidates[0]
    assert (filler + PASSAGE)[best.start : best.end].startswith("1953")


def test_nothing_to_read_gives_nothing(reader: SpanReader) -> None:
    assert reader.read_inputs([]) == []
    assert reader.read_inputs([ReaderInput("谁？", "", "", " \n ")]) == [[]]


@given(
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=120),
    st.text(alphabet=st.sampled_from("谁在何时？ who12"), min_size=1, max_size=200),
)
@settings(max_examples=60, deadline=None)
def test_windows_cover_the_passage_and_stand_where_they_say(
    encoder: SentenceEncoder, passage: str, question: str
) -> None:
    inputs = [ReaderInput(question, "标题", "2022-01-01", passage)]
    windows = list(make_windows(encoder.tokenizer, inputs, length=176, stride=16))
    covered: set[int] = set()
    for window in windows:
        assert len(window.ids) <= 176
        assert window.first + len(window.offsets) <= len(window.ids)
        for start, end in window.offsets:
            assert 0 <= start <= end <= len(passage)
            covered |= set(range(start, end))
    wanted = {place for place, character in enumerate(passage) if character.isascii() and character.isalnum()}
    assert wanted <= covered


@given(arrays(np.float32, (40, 2), elements=st.floats(-20, 20, width=32)), st.integers(1, 6))
@settings(deadline=None)
def test_ranges_are_valid_and_in_order(scores: np.ndarray, kept: int) -> None:
    window = Window(0, tuple(range(40)), (), 10, tuple((place, place + 1) for place in range(25)))
    ranges, mass = best_ranges(scores, window, kept)
    values = [score for _, score in ranges]
    assert 1 <= len(ranges) <= 3 * kept
    assert values == sorted(values, reverse=True)
    assert mass >= values[0] - 1e-4
    for (start, end), score in ranges:
        assert 0 <= start < end <= 25
        assert end - start <= MAX_ANSWER_TOKENS
        expected = scores[10 + start, 0] + scores[10 + end - 1, 1] - scores[0].sum()
        assert score == pytest.approx(float(expected), abs=1e-3)


@given(arrays(np.float32, (20, 6), elements=st.floats(-9, 9, width=32)))
@settings(deadline=None)
def test_the_best_range_is_the_best_of_all_by_start_end_and_how_they_go_together(scores: np.ndarray) -> None:
    window = Window(0, tuple(range(20)), (), 8, tuple((place, place + 1) for place in range(10)))
    ((_, best), *_), mass = best_ranges(scores, window, 3)
    passage = scores[8:18].astype(float)
    every = [
        passage[i, 0] + passage[j, 1] + passage[i, 2:4] @ passage[j, 4:6] - scores[0, :2].sum(dtype=float)
        for i in range(10)
        for j in range(i, 10)
    ]
    assert best == pytest.approx(max(every), abs=1e-3)
    assert mass == pytest.approx(np.logaddexp.reduce(every), abs=1e-3)


@given(st.text(alphabet=st.sampled_from("的是在起但了年中国人１㎡ 1999Ab，。\n"), max_size=60))
@settings(deadline=None)
def test_particles_are_tokens_of_their_own_and_the_text_stays_covered(encoder: SentenceEncoder, text: str) -> None:
    tokenizer = encoder.tokenizer.backend_tokenizer
    whole = tokenizer.encode("\n" + text, add_special_tokens=False)
    ids, offsets = split_particles(whole.ids, whole.offsets, particle_pieces_of(encoder))
    tokens = [tokenizer.id_to_token(number) for number in ids]
    assert "".join(tokens) == "".join(whole.tokens)
    assert offsets == sorted(offsets)
    assert {place for span in offsets for place in range(*span)} == {
        place for span in whole.offsets for place in range(*span)
    }
    for token, (start, end) in zip(tokens, offsets, strict=True):
        word = token.replace("▁", "")
        if any(particle in word for particle in "的是在"):
            assert len(word) == 1 or end - start not in (len(word), len(word) + 1)


@lru_cache(maxsize=1)
def particle_pieces_of(encoder: SentenceEncoder) -> dict:
    return particle_pieces(encoder.tokenizer)


def test_a_reader_that_is_none_is_refused(tmp_path: Path, encoder: SentenceEncoder) -> None:
    with pytest.raises(ReaderError, match="question-answering model"):
        load_reader(encoder, str(tmp_path))
    (tmp_path / "reader.safetensors").write_bytes(b"damaged")
    with pytest.raises(ReaderError, match="cannot be read"):
        load_reader(encoder, str(tmp_path))


def test_any_question_answering_model_of_transformers_can_read(
    tmp_path: Path, encoder: SentenceEncoder, library_model: SentenceTransformer
) -> None:
    from transformers import BertConfig, BertForQuestionAnswering

    config = BertConfig(
        vocab_size=library_model.tokenizer.vocab_size + 10,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
    )
    BertForQuestionAnswering(config).save_pretrained(tmp_path)
    library_model.tokenizer.save_pretrained(tmp_path)
    other = load_reader(encoder, str(tmp_path), precision="fp32")
    (candidates,) = other.read_inputs([ReaderInput("谁？", "", "", PASSAGE)])
    assert candidates
    assert all(0 <= candidate.start < candidate.end <= len(PASSAGE) for candidate in candidates)
