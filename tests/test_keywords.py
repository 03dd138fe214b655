from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.errors import ArchiveError
from index.keywords import KeywordDocument, KeywordIndex, write_keywords

TEXTS = ["大桥 加固 完工", "图书馆 开放 时间 延长 图书馆", "大桥 通车", "丰收节 蜜柚 产量", "产量 创 新高 产量 产量"]


@pytest.fixture
def index(tmp_path: Path) -> KeywordIndex:
    documents = (KeywordDocument(row, text.split(), list(text.replace(" ", ""))) for row, text in enumerate(TEXTS))
    assert write_keywords(tmp_path / "keywords", documents) == len(TEXTS)
    return KeywordIndex(tmp_path / "keywords")


def bm25(query: list[str], k1: float = 1.2, b: float = 0.75) -> list[float]:
    """The textbook formula, to compare with."""
    bags = [Counter(text.split()) for text in TEXTS]
    lengths = [sum(bag.values()) for bag in bags]
    mean = sum(lengths) / len(lengths)
    scores = []
    for bag, length in zip(bags, lengths, strict=True):
        score = 0.0
        for term in query:
            frequency = sum(term in other for other in bags)
            idf = math.log(1 + (len(bags) - frequency + 0.5) / (frequency + 0.5))
            score += idf * bag[term] * (k1 + 1) / (bag[term] + k1 * (1 - b + b * length / mean))
        scores.append(score)
    return scores


def test_scores_are_those_of_the_textbook(index: KeywordIndex) -> None:
    query = ["大桥", "产量", "图书馆"]
    rows, scores = index.search(query, 10)
    expected = bm25(query)
    assert scores.tolist() == pytest.approx([expected[row] for row in rows], rel=0.02)
    assert scores.tolist() == sorted(scores, reverse=True)


def test_only_the_given_rows_are_scored_and_scores_stay_the_same(index: KeywordIndex) -> None:
    everywhere = dict(zip(*index.search(["大桥"], 10), strict=True))
    rows, scores = index.search(["大桥"], 10, rows=np.array([1, 2]))
    assert rows.tolist() == [2]
    assert scores[0] == pytest.approx(everywhere[2])


def test_unknown_terms_and_empty_queries_find_nothing(index: KeywordIndex) -> None:
    assert len(index.search(["航天"], 5)[0]) == 0
    assert len(index.search([], 5)[0]) == 0


def test_a_folder_that_is_no_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="wenbao index build"):
        KeywordIndex(tmp_path)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> KeywordIndex:
    """Documents of different lengths, so that no two have the same score."""
    folder = tmp_path_factory.mktemp("many") / "keywords"
    documents = (
        KeywordDocument(row, ["大桥"] * (1 + row % 3) + [f"词{row}"] * row + ["产量"] * (row % 5 == 0), [])
        for row in range(300)
    )
    write_keywords(folder, documents)
    return KeywordIndex(folder)


@pytest.mark.parametrize(("broad", "looked_up"), [(0.05, 500), (1, 500), (1, 0)])
@settings(max_examples=40, deadline=None)
@given(
    st.sets(st.integers(0, 299), min_size=1),
    st.integers(1, 50),
    st.sampled_from([["大桥"], ["产量"], ["大桥", "产量"]]),
)
def test_narrow_and_broad_filters_find_what_a_scan_of_all_scores_finds(
    many: KeywordIndex, broad: float, looked_up: int, chosen: set[int], k: int, query: list[str]
) -> None:
    everything = list(zip(*many.search(query, 300), strict=True))
    expected = [(row, score) for row, score in everything if row in chosen][:k]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("index.keywords._BROAD", broad)
        patch.setattr("index.keywords._LOOKED_UP", looked_up)
        rows, scores = many.search(query, k, rows=np.array(sorted(chosen)))
    assert scores.tolist() == pytest.approx([score for _, score in expected], rel=1e-5)
    assert set(rows.tolist()) <= chosen
