from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.archive import Archive
from index.errors import ArchiveError
from index.generations import list_generations
from index.layout import Generation, IndexFolder
from index.vectors import FaissStore
from index.verify import verify_generation
from index.verify_encoding import verify_encoding
from tests.damage import change_database, seal
from tests.fakes import HashingEncoder


def spoil_vectors(factor: float) -> Callable[[Generation], None]:
    def spoil(generation: Generation) -> None:
        store = FaissStore.open(generation.vectors)
        vectors = store.fetch(np.arange(len(store)))
        vectors[1] *= factor
        FaissStore.write(generation.vectors, vectors)
        seal(generation)

    return spoil


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


@pytest.mark.parametrize(
    ("damage", "caught_by"),
    [
        (flip_a_byte, "digests"),
        (add_a_file, "digests"),
        (change_database("DELETE FROM passages WHERE row = (SELECT max(row) FROM passages)"), "counts"),
        (change_database("UPDATE articles SET source = 99 WHERE row = 0"), "references"),
        (change_database("UPDATE passages SET article = 99 WHERE row = 0"), "references"),
        (change_database("UPDATE passages SET text = text || '!' WHERE row = 0"), "spans"),
        (change_database("UPDATE articles SET spans = '[[0, 999999]]' WHERE row = 0"), "spans"),
        (change_database("UPDATE sources SET text = '改' || text"), "spans"),
        (spoil_vectors(0.5), "vectors"),
        (spoil_vectors(float("nan")), "vectors"),
    ],
)
def test_damage_is_caught_by_its_check(
    index_folder: Path, damage: Callable[[Generation], None], caught_by: str
) -> None:
    generation = IndexFolder(index_folder).current()
    damage(generation)
    failed = {check.name: check.detail for check in verify_generation(generation) if not check.passed}
    assert caught_by in failed
    assert failed[caught_by]


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
    change_database("UPDATE articles SET headline = '另' || headline")(generation)
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
