"""Inexact indexes under archives that change: changed in place, made anew in time, as asked for build after build."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings

import index.base
from app import cli
from index import vector_plan, vector_update
from index.archive import Archive
from index.base import known_vectors, likely_base
from index.build import build_archive
from index.folding import fold_text
from index.layout import IndexFolder
from index.maintain import add_to_archive, remove_from_archive
from index.vector_options import Kind, VectorOptions
from index.vectors import FaissStore
from index.verify import verify_generation
from tests.archive_content import content
from tests.fakes import HashingEncoder
from tests.test_incremental import PAIRS, apply, steps, write

INEXACT: tuple[Kind, ...] = ("ivf-fp16", "ivf-rabitq", "hnsw")
COUNT = 60
CHARACTERS = "青石桥通车图书馆延长开放柚园村丰收渡口夜间体育市民广场修缮学校"


@pytest.fixture(autouse=True)
def _lists_also_of_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_plan, "_LEAST_PER_LIST", 15)


@pytest.mark.parametrize("kind", INEXACT)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=steps)
def test_many_small_builds_give_what_one_build_gives(
    kind: Kind,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    changes: list[dict[str, list[int] | None]],
) -> None:
    monkeypatch.setattr(vector_plan, "_LEAST_PER_LIST", 2)
    monkeypatch.setattr(vector_update, "_MOST_CHANGED", 1000)
    root = tmp_path_factory.mktemp("growing")
    pages = root / "pages"
    pages.mkdir()
    write(pages, "always.txt", [0, 1, 2, 3])
    asked = VectorOptions(kind)
    build_archive([pages], root / "grown", HashingEncoder(), vectors=asked)
    for change in changes:
        apply(pages, change)
        build_archive([pages], root / "grown", HashingEncoder())
    build_archive([pages], root / "at once", HashingEncoder(), vectors=asked)
    grown = Archive.open(root / "grown")
    assert grown.manifest.vector_index.kind == kind
    assert content(grown, PAIRS) == content(Archive.open(root / "at once"), PAIRS)
    assert [check for check in verify_generation(grown.generation) if not check.passed] == []
    _require_each_is_found(grown)


def _require_each_is_found(archive: Archive) -> None:
    """Ask for every vector: the best found is it, or its like."""
    vectors = archive.vectors.fetch(np.arange(len(archive.vectors)))
    rows, scores = archive.vectors.search(vectors, 10)
    np.testing.assert_allclose(scores[:, 0], 1, atol=1e-3)
    np.testing.assert_allclose((archive.vectors.fetch(rows[:, 0]) * vectors).sum(axis=1), 1, atol=1e-3)


def text(number: int) -> str:
    generator = np.random.default_rng(number)
    return f"第{number}号。" + "".join(generator.choice(list(CHARACTERS), 120))


def write_records(folder: Path, numbers: Sequence[int]) -> None:
    folder.mkdir(exist_ok=True)
    records = [json.dumps({"id": str(number), "text": text(number)}, ensure_ascii=False) for number in numbers]
    (folder / "news.jsonl").write_text("\n".join(records), encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_records(tmp_path / "folder", range(COUNT))
    return tmp_path / "folder"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many vectors each index has that is written anew from now on."""
    counts: list[int] = []
    original = FaissStore.write

    def noted(path: Path, vectors: Any, *arguments: Any, **named: Any) -> Any:
        counts.append(len(vectors))
        return original(path, vectors, *arguments, **named)

    monkeypatch.setattr(FaissStore, "write", staticmethod(noted))
    return counts


@pytest.mark.parametrize("kind", ["ivf-fp16", "ivf-rabitq"])
def test_few_changes_are_made_in_place_and_many_make_it_anew(
    kind: Kind, folder: Path, tmp_path: Path, written: list[int]
) -> None:
    build_archive([folder], tmp_path / "index", HashingEncoder(), vectors=VectorOptions(kind))
    first = Archive.open(tmp_path / "index").manifest.vector_index
    assert (first.kind, first.lists, first.tuned_for, first.changed) == (kind, 4, COUNT, 0)
    assert written == [COUNT]
    # 3 leave the middle, so that the last ones move into their rows, and 1 is new
    write_records(folder, [number for number in range(COUNT + 1) if number not in (10, 20, 30)])
    build_archive([folder], tmp_path / "index", HashingEncoder())
    archive = Archive.open(tmp_path / "index")
    second = archive.manifest.vector_index
    assert written == [COUNT]
    assert (second.recall, second.tuned_for, second.changed) == (first.recall, COUNT, 4)
    assert f"when it was made; 4 of {COUNT} vectors changed since" in vector_plan.describe(second)
    _require_texts_have_their_vectors(archive)
    _require_each_is_found(archive)
    write_records(folder, range(20, COUNT + 1))
    build_archive([folder], tmp_path / "index", HashingEncoder())
    third = Archive.open(tmp_path / "index").manifest.vector_index
    assert written == [COUNT, COUNT - 19]
    assert (third.tuned_for, third.changed) == (COUNT - 19, 0)


def _require_texts_have_their_vectors(archive: Archive) -> None:
    rows = list(range(archive.manifest.counts.passages))
    expected = HashingEncoder().encode_passages([passage.text for passage in archive.passages_at(rows)])
    np.testing.assert_allclose((archive.vectors.fetch(np.array(rows)) * expected).sum(axis=1), 1, atol=1e-3)


def test_a_graph_is_added_to_and_made_anew_when_something_leaves(
    folder: Path, tmp_path: Path, written: list[int]
) -> None:
    build_archive([folder], tmp_path / "index", HashingEncoder(), vectors=VectorOptions("hnsw"))
    write_records(folder, range(COUNT + 5))
    build_archive([folder], tmp_path / "index", HashingEncoder())
    archive = Archive.open(tmp_path / "index")
    assert written == [COUNT]
    assert (len(archive.vectors), archive.manifest.vector_index.changed) == (COUNT + 5, 5)
    _require_texts_have_their_vectors(archive)
    _require_each_is_found(archive)
    remove_from_archive(["news.jsonl#7"], tmp_path / "index", HashingEncoder())
    archive = Archive.open(tmp_path / "index")
    assert written == [COUNT, COUNT + 4]
    _require_texts_have_their_vectors(archive)
    _require_each_is_found(archive)


@pytest.mark.parametrize("kind", INEXACT)
def test_changes_add_up_over_builds(kind: Kind, folder: Path, tmp_path: Path, written: list[int]) -> None:
    build_archive([folder], tmp_path / "index", HashingEncoder(), vectors=VectorOptions(kind))
    for more in (4, 8, 12):
        write_records(folder, range(COUNT + more))
        build_archive([folder], tmp_path / "index", HashingEncoder())
        assert Archive.open(tmp_path / "index").manifest.vector_index.changed == more
    assert written == [COUNT]
    write_records(folder, range(COUNT + 13))
    build_archive([folder], tmp_path / "index", HashingEncoder())
    assert written == [COUNT, COUNT + 13]
    assert Archive.open(tmp_path / "index").manifest.vector_index.changed == 0


def test_another_index_is_made_of_the_vectors_there_are(folder: Path, tmp_path: Path) -> None:
    build_archive([folder], tmp_path / "index", HashingEncoder())
    before = content(Archive.open(tmp_path / "index"), PAIRS)
    for kind in (*INEXACT, "fp16", "auto"):
        encoder = HashingEncoder()
        build_archive([folder], tmp_path / "index", encoder, vectors=VectorOptions(kind))
        archive = Archive.open(tmp_path / "index")
        assert archive.manifest.vector_index.kind == ("flat" if kind == "auto" else kind)
        assert encoder.encoded == []
        after = content(archive, PAIRS)
        assert {name: held for name, held in after.items() if name != "passages"} == {
            name: held for name, held in before.items() if name != "passages"
        }
        _require_texts_have_their_vectors(archive)


def test_what_was_asked_for_is_kept_until_it_is_asked_otherwise(folder: Path, tmp_path: Path) -> None:
    asked = VectorOptions("ivf-rabitq", recall=0.9, memory=10**9)

    def kept() -> VectorOptions:
        return Archive.open(tmp_path / "index").manifest.vector_options

    first = build_archive([folder], tmp_path / "index", HashingEncoder(), vectors=asked)
    assert build_archive([folder], tmp_path / "index", HashingEncoder(), vectors=asked).generation == first.generation
    assert build_archive([folder], tmp_path / "index", HashingEncoder()).generation == first.generation
    write(tmp_path / "more", "four.txt", [6])
    add_to_archive([tmp_path / "more"], tmp_path / "index", HashingEncoder())
    assert kept() == asked
    remove_from_archive(["four.txt"], tmp_path / "index", HashingEncoder())
    assert kept() == asked
    build_archive([folder], tmp_path / "index", HashingEncoder(), fresh=True)
    assert kept() == asked
    IndexFolder(tmp_path / "index").current().manifest.write_text("{", encoding="utf-8")
    build_archive([folder], tmp_path / "index", HashingEncoder())
    assert kept() == asked
    build_archive([folder], tmp_path / "index", HashingEncoder(), vectors=VectorOptions())
    assert kept() == VectorOptions()


def test_the_archive_opens_its_vectors_within_the_memory_allowed(folder: Path, tmp_path: Path) -> None:
    maps = Path("/proc/self/maps")
    if not maps.exists():
        pytest.skip("what is mapped is read from /proc, which this system does not have")
    build_archive([folder], tmp_path / "index", HashingEncoder(), vectors=VectorOptions(memory=1000))
    archive = Archive.open(tmp_path / "index")
    assert archive.manifest.vector_index.kind == "ivf-fp16"
    _require_each_is_found(archive)
    assert str(archive.generation.vectors) in maps.read_text()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.setattr("index.build_commands.start_encoder", lambda _: HashingEncoder())

    def invoke(*arguments: str, status: int = 0) -> str:
        result = CliRunner().invoke(cli, ["index", *arguments, "--index", str(tmp_path / "index")])
        assert result.exit_code == status, result.output
        return result.output

    return invoke


def test_the_command_line_asks_and_tells(folder: Path, tmp_path: Path, run: Callable[..., str]) -> None:
    def asked() -> tuple[str, float, int | None]:
        shown = json.loads(run("info", "--json"))["vector_options"]
        return shown["kind"], shown["recall"], shown["memory"]

    run("build", str(folder))
    assert asked() == ("auto", 0.99, None)
    run("build", "--vector-index", "ivf-fp16", "--recall", "0.9")
    assert asked() == ("ivf-fp16", 0.9, None)
    reached = Archive.open(tmp_path / "index").manifest.vector_index.recall
    assert f"inverted lists searched, half-precision codes, recall@10 {reached:.3f} against exact" in run("info")
    run("build", "--vector-memory", "1.5MB")
    assert asked() == ("ivf-fp16", 0.9, 1_500_000)
    run("build", "--vector-memory", "auto", "--vector-index", "auto")
    assert asked() == ("auto", 0.9, None)
    assert "is no size" in run("build", "--vector-memory", "much", status=2)
    for option, value in (("--recall", "0"), ("--recall", "1.5"), ("--vector-index", "best")):
        run("build", option, value, status=2)


def test_files_that_were_just_checked_are_not_checked_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = HashingEncoder()
    build_archive([folder], tmp_path / "index", encoder)
    where = IndexFolder(tmp_path / "index")
    reader = Archive.open(tmp_path / "index")._reader
    digests = {digest for (digest,) in reader.query("SELECT encoded_digest FROM passages WHERE row < 5")}
    base = likely_base(where, encoder.identity)
    checked: list[Path] = []
    original = index.base.file_digests

    def noted(paths: Sequence[Path]) -> list[str]:
        checked.extend(paths)
        return original(paths)

    monkeypatch.setattr(index.base, "file_digests", noted)
    assert known_vectors({"ab" * 16}, where, encoder.identity) == {}
    assert known_vectors(digests, where, encoder.identity, base).keys() == digests
    assert checked == []
    assert known_vectors(digests | {"ab" * 16}, where, encoder.identity).keys() == digests
    assert len(checked) == 2


def test_an_inexact_index_is_tuned_on_headlines_asked_as_questions(
    pages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    class Noting(HashingEncoder):
        def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
            asked.extend(texts)
            return super().encode_queries(texts)

        def encode_passages(
            self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None
        ) -> np.ndarray:
            return super().encode_queries(texts)

    build_archive([pages], tmp_path / "exact", Noting())
    assert asked == []
    monkeypatch.setattr(vector_plan, "_LEAST_PER_LIST", 1)
    build_archive([pages], tmp_path / "index", Noting(), vectors=VectorOptions("ivf-fp16"))
    archive = Archive.open(tmp_path / "index")
    assert len(asked) == archive.manifest.counts.passages
    assert set(asked) >= {fold_text(article.headline, casefold=False)[:30] for article in archive.articles()}
