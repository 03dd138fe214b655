from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from app import cli
from index.archive import Archive
from index.build import build_archive
from index.errors import ArchiveError
from index.generations import list_generations
from index.keywords import KeywordDocument, write_keywords
from index.layout import Generation, IndexFolder
from index.manifest import Counts, read_manifest
from index.vectors import FaissStore, Vectors
from index.verify import verify_generation
from index.verify_encoding import verify_encoding
from tests.damage import Damage, change_database, change_vectors, seal
from tests.fakes import HashingEncoder


def flip_a_byte(generation: Generation) -> None:
    data = bytearray(generation.vectors.read_bytes())
    data[-5] ^= 0x10
    generation.vectors.write_bytes(data)


def add_a_file(generation: Generation) -> None:
    (generation.folder / "stray.bin").write_bytes(b"x")


def test_a_sound_archive_passes_every_check(index_folder: Path) -> None:
    checks = verify_generation(IndexFolder(index_folder).current())
    assert [check.name for check in checks] == ["manifest", "digests", "counts", "references", "spans", "vectors"]
    assert all(check.passed for check in checks)


def halve_the_second(vectors: Vectors) -> Vectors:
    vectors[1] *= 0.5
    return vectors


def spoil_the_second(vectors: Vectors) -> Vectors:
    vectors[1] = np.nan
    return vectors


def change_keywords(gone: int, added: int | None = None) -> Damage:
    """Take the document of a row away, and give one to another row."""

    def change(generation: Generation) -> None:
        sound = generation.keywords.rename(generation.folder.parent / "sound")
        documents = [] if added is None else [KeywordDocument.of(added, "青石桥")]
        write_keywords(generation.keywords, documents, base=sound, gone=[gone])
        shutil.rmtree(sound)
        seal(generation)

    return change


def miscount(what: str) -> Damage:
    def change(generation: Generation) -> None:
        counts = read_manifest(generation).counts
        seal(generation, counts=counts.model_copy(update={what: getattr(counts, what) + 1}))

    return change


@pytest.mark.parametrize(
    ("damage", "caught_by", "detail"),
    [
        (flip_a_byte, "digests", "vectors.faiss has sha256"),
        (add_a_file, "digests", "stray.bin is not named"),
        (
            change_database("DELETE FROM passages WHERE row = (SELECT max(row) FROM passages)"),
            "counts",
            "database holds . passages",
        ),
        (change_vectors(lambda vectors: vectors[:-1]), "counts", "vectors for . passages"),
        (change_keywords(gone=0), "counts", "keyword documents for . passages"),
        *((miscount(what), "counts", f"database holds . {what}") for what in Counts.model_fields),
        (
            change_database("UPDATE articles SET source = 99 WHERE row = 0"),
            "references",
            "articles belong to no source",
        ),
        (
            change_database("UPDATE passages SET article = 99 WHERE row = 0"),
            "references",
            "passages belong to no article",
        ),
        (change_database("UPDATE sources SET file = 'lost.txt'"), "references", "sources belong to no file"),
        (
            change_database("UPDATE rejections SET file = 'lost.txt'"),
            "references",
            "rejections belong to no file",
        ),
        (
            change_database("UPDATE passages SET article = (SELECT max(article) FROM passages)"),
            "references",
            "articles have no passage",
        ),
        (change_database("UPDATE passages SET row = 99 WHERE row = 0"), "references", "rows run from 1 to 99"),
        (change_keywords(gone=0, added=1), "references", "passage 0 has no keyword document"),
        (change_database("UPDATE passages SET text = text || '!' WHERE row = 0"), "spans", "text of passage 0 is not"),
        (change_database("UPDATE articles SET spans = '[[0, 999999]]' WHERE row = 0"), "spans", "do not lie inside"),
        (change_database("UPDATE articles SET spans = '[[0, 5' WHERE row = 0"), "spans", "JSON"),
        (change_database("UPDATE sources SET text = '改' || text"), "spans", "is not what its spans select"),
        (
            change_database("UPDATE articles SET headline_spans = '[[999998, 999999]]' WHERE row = 0"),
            "spans",
            "headline of article .* inside",
        ),
        (
            change_database("UPDATE articles SET headline_spans = '[[0, 4]]' WHERE row = 0"),
            "spans",
            "headline of article .* neither",
        ),
        (
            change_database("UPDATE articles SET headline = '另' || headline WHERE row = 0"),
            "spans",
            "headline of article .* neither",
        ),
        (change_vectors(halve_the_second), "vectors", "passage 1 has length 0.500"),
        (change_vectors(spoil_the_second), "vectors", "passage 1 has length nan"),
        (change_vectors(lambda vectors: vectors[:, :32]), "vectors", "32 dimensions, the encoder gives 64"),
    ],
)
def test_damage_is_caught_by_its_check(
    pages: Path, tmp_path: Path, damage: Damage, caught_by: str, detail: str
) -> None:
    rejected = tmp_path / "torn.pdf"
    rejected.write_bytes(b"%PDF torn")
    build_archive([pages, rejected], tmp_path / "index", HashingEncoder())
    generation = IndexFolder(tmp_path / "index").current()
    assert all(check.passed for check in verify_generation(generation))
    damage(generation)
    failed = {check.name: check.detail for check in verify_generation(generation) if not check.passed}
    assert re.search(detail, failed[caught_by])


def test_the_encoder_and_its_vectors_are_checked(index_folder: Path) -> None:
    generation = IndexFolder(index_folder).current()
    checks = verify_encoding(generation, HashingEncoder(), sample=2)
    assert [check.name for check in checks] == ["encoder", "encoded texts", "encoding"]
    assert all(check.passed for check in checks)
    (check,) = verify_encoding(generation, HashingEncoder("other"))
    assert not check.passed
    assert "--model" in check.detail


def test_one_vector_of_another_passage_is_found_by_encoding_all(index_folder: Path) -> None:
    generation = IndexFolder(index_folder).current()
    store = FaissStore.open(generation.vectors)
    vectors = store.fetch(np.arange(len(store)))
    vectors[1] = vectors[0]
    FaissStore.write(generation.vectors, vectors)
    seal(generation)
    assert all(check.passed for check in verify_generation(generation))
    checks = {check.name: check for check in verify_encoding(generation, HashingEncoder(), sample=None)}
    assert not checks["encoding"].passed
    assert "passage 1 " in checks["encoding"].detail


def test_a_headline_that_is_not_the_encoded_one_is_found(index_folder: Path) -> None:
    generation = IndexFolder(index_folder).current()
    given = "UPDATE {} SET headline = '另外的标题'"
    change_database(given.format("articles"), given.format("sources"))(generation)
    assert all(check.passed for check in verify_generation(generation))
    checks = {check.name: check for check in verify_encoding(generation, HashingEncoder())}
    assert "another text" in checks["encoded texts"].detail


@pytest.mark.parametrize("name", ["vectors.faiss", "articles.sqlite"])
def test_a_truncated_file_is_seen_on_opening(index_folder: Path, name: str) -> None:
    path = IndexFolder(index_folder).current().folder / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ArchiveError, match=name):
        Archive.open(index_folder)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", b'{"format_version": 1}'])
def test_a_damaged_manifest_is_refused_in_words(index_folder: Path, content: bytes) -> None:
    generation = IndexFolder(index_folder).current()
    generation.manifest.write_bytes(content)
    with pytest.raises(ArchiveError, match="Rebuild"):
        Archive.open(index_folder)
    assert not verify_generation(generation)[0].passed


def without_digest(manifest: dict[str, Any]) -> None:
    del manifest["digest"]


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest.update(left_out=["a03.txt"]),
        lambda manifest: manifest.update(inputs=["/elsewhere"]),
        lambda manifest: manifest.update(reading="0" * 32),
        lambda manifest: manifest["vector_index"].update(recall=0.5),
        lambda manifest: manifest.update(format_version=3),
        lambda manifest: manifest.update(digest="0" * 64),
        without_digest,
    ],
)
def test_a_manifest_that_is_not_what_was_written_is_refused(
    index_folder: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    generation = IndexFolder(index_folder).current()
    manifest = json.loads(generation.manifest.read_text(encoding="utf-8"))
    change(manifest)
    generation.manifest.write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ArchiveError, match=r"digest.*wenbao index build PATH.*wenbao index rollback"):
        Archive.open(index_folder)
    (check,) = verify_generation(generation)
    assert (check.name, check.passed) == ("manifest", False)
    (summary,) = list_generations(IndexFolder(index_folder))
    assert "digest" in summary.problem


def test_how_a_manifest_is_laid_out_does_not_matter(index_folder: Path) -> None:
    generation = IndexFolder(index_folder).current()
    manifest = json.loads(generation.manifest.read_text(encoding="utf-8"))
    generation.manifest.write_text(json.dumps(dict(reversed(manifest.items()))), encoding="utf-8")
    assert all(check.passed for check in verify_generation(generation))


@pytest.fixture
def verify_command(index_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setattr("index.look_commands.load_encoder", lambda _: HashingEncoder())
    return lambda *options: CliRunner().invoke(cli, ["index", "verify", "--index", str(index_folder), *options])


def test_the_command_tells_each_check_of_a_sound_archive(verify_command: Callable[..., Result]) -> None:
    result = verify_command("--json")
    assert result.exit_code == 0
    checks = json.loads(result.stdout)
    assert [check["name"] for check in checks] == [
        "manifest", "digests", "counts", "references", "spans", "vectors", "encoder", "encoded texts", "encoding",
    ]  # fmt: skip
    assert all(check["passed"] and check["detail"] for check in checks)
    assert verify_command().output.count("ok    ") == len(checks)


def test_the_command_encodes_a_sample_or_all(
    index_folder: Path, verify_command: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.look_commands.SAMPLE", 2)
    total = Archive.open(index_folder).manifest.counts.passages
    assert total > 2
    assert f"2 of {total} passages encoded again" in verify_command().output
    change_vectors(exchange_second_and_third)(IndexFolder(index_folder).current())
    assert verify_command().exit_code == 0
    deep = verify_command("--deep", "--json")
    assert deep.exit_code == 1
    assert [check["name"] for check in json.loads(deep.stdout) if not check["passed"]] == ["encoding"]


def exchange_second_and_third(vectors: Vectors) -> Vectors:
    vectors[[1, 2]] = vectors[[2, 1]]
    return vectors


def test_the_command_ends_with_status_1_where_a_check_fails(
    index_folder: Path, verify_command: Callable[..., Result]
) -> None:
    flip_a_byte(IndexFolder(index_folder).current())
    result = verify_command()
    assert result.exit_code == 1
    assert "FAILED  digests" in result.output
