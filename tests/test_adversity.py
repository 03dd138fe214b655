"""What may befall an archive: no space, no permission, damage of every file. Refused or repaired, in words."""

from __future__ import annotations

import json
import multiprocessing
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app import cli
from index.archive import Archive
from index.build import build_archive
from index.errors import ArchiveError, InputError, WenbaoError
from index.layout import IndexFolder
from index.maintain import remove_from_archive
from index.reading import Limits
from index.sources import SourceFile, find_files, read_file
from index.verify import verify_generation
from tests.fakes import HashingEncoder


def build_within(stage: str, limit: int, pages: Path, folder: Path, told: Any) -> None:
    """Build as on a disk where from a stage on no file can grow beyond so many bytes."""
    import resource

    import index.build
    import index.read_changed

    # Imported by the build only when it comes to that stage.
    home = index.read_changed if stage == "read_changed" else index.build
    original = getattr(home, stage)

    def limited(*arguments: Any, **options: Any) -> Any:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        return original(*arguments, **options)

    setattr(home, stage, limited)
    try:
        build_archive([pages], folder, HashingEncoder(), fresh=True)
        told.put("")
    except WenbaoError as error:
        told.put(str(error))


@pytest.mark.skipif(os.name == "nt", reason="no such limit")
@pytest.mark.parametrize(
    ("stage", "limit"),
    [
        ("remove_abandoned", 0),
        ("read_changed", 3_000),
        ("encode_added", 0),
        ("encode_added", 1_000),
        ("write_updated", 0),
        ("write_updated", 3_000),
        ("write_keywords", 0),
        ("write_keywords", 150),
        ("write_keywords", 3_000),
        ("write_manifest", 150),
    ],
)
def test_on_a_full_disk_the_archive_stays_and_the_reason_is_told(
    pages: Path, tmp_path: Path, stage: str, limit: int
) -> None:
    (tmp_path / "pages").mkdir()
    for number in range(12):
        text = (pages / "a03.txt").read_text(encoding="utf-8")
        (tmp_path / "pages" / f"{number}.txt").write_text(text.replace("1260", f"{number}260"), encoding="utf-8")
    build_archive([tmp_path / "pages"], tmp_path / "index", HashingEncoder())
    before = Archive.open(tmp_path / "index").generation.id
    context = multiprocessing.get_context("spawn")
    told = context.SimpleQueue()
    process = context.Process(target=build_within, args=(stage, limit, tmp_path / "pages", tmp_path / "index", told))
    process.start()
    process.join(60)
    assert process.exitcode == 0
    message = told.get()
    assert "Check" in message
    assert "permissions" in message
    assert Archive.open(tmp_path / "index").generation.id == before
    assert [path.name for path in (tmp_path / "index" / "generations").iterdir()] == [before]
    build_archive([tmp_path / "pages"], tmp_path / "index", HashingEncoder(), fresh=True)


def test_a_file_in_the_way_of_the_folder_is_told(pages: Path, tmp_path: Path) -> None:
    (tmp_path / "index").write_text("not a folder", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be made"):
        build_archive([pages], tmp_path / "index", HashingEncoder())


def test_a_file_that_shrinks_while_it_is_read_is_refused_for_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("青石桥昨日通车。" * 100, encoding="utf-8")
    (found,) = find_files([path])
    assert isinstance(found, SourceFile)
    original = os.fstat

    def shrinking(descriptor: int) -> os.stat_result:
        status = original(descriptor)
        os.truncate(path, status.st_size // 2)
        return status

    monkeypatch.setattr("index.sources.os.fstat", shrinking)
    (refused,) = read_file(found, Limits())
    assert "changed while it was read" in getattr(refused, "reason", "")


def damage_manifest(folder: Path) -> None:
    IndexFolder(folder).current().manifest.write_bytes(b"{")


def truncate_vectors(folder: Path) -> None:
    vectors = IndexFolder(folder).current().vectors
    os.truncate(vectors, vectors.stat().st_size // 2)


def flip_a_bit_of_the_database(folder: Path) -> None:
    database = IndexFolder(folder).current().database
    data = bytearray(database.read_bytes())
    data[len(data) // 2] ^= 8
    database.write_bytes(data)


def lose_a_segment(folder: Path) -> None:
    max(IndexFolder(folder).current().keywords.glob("*.*"), key=lambda path: path.stat().st_size).unlink()


def lose_current(folder: Path) -> None:
    IndexFolder(folder).current_file.unlink()


def empty_current(folder: Path) -> None:
    IndexFolder(folder).current_file.write_bytes(b"")


@pytest.mark.parametrize(
    "damage",
    [damage_manifest, truncate_vectors, flip_a_bit_of_the_database, lose_a_segment, lose_current, empty_current],
)
def test_the_next_build_repairs_any_damage(pages: Path, index_folder: Path, damage: Any) -> None:
    damage(index_folder)
    report = build_archive([pages], index_folder, HashingEncoder())
    assert report.counts.articles == 3
    assert all(check.passed for check in verify_generation(IndexFolder(index_folder).current()))


def test_what_was_removed_by_name_stays_away_when_the_manifest_is_lost(pages: Path, index_folder: Path) -> None:
    remove_from_archive(["villages/pomelo.txt"], index_folder, HashingEncoder())
    build_archive([pages], index_folder, HashingEncoder(), fresh=True)
    damage_manifest(index_folder)
    build_archive([pages], index_folder, HashingEncoder())
    assert Archive.open(index_folder).source_names() == ["a03.txt"]


def test_nothing_is_removed_from_a_damaged_archive(index_folder: Path) -> None:
    flip_a_bit_of_the_database(index_folder)
    with pytest.raises(ArchiveError, match="Build it again first"):
        remove_from_archive(["a03.txt"], index_folder, HashingEncoder())


def test_an_archive_of_another_encoder_is_refused_with_the_remedy(
    index_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.look_commands.load_encoder", lambda _: HashingEncoder("other"))
    result = CliRunner().invoke(cli, ["index", "verify", "--json", "--index", str(index_folder)])
    assert result.exit_code == 1
    assert any("--model" in check["detail"] for check in json.loads(result.stdout))
