"""Archives of older formats, made of one of today's as they were: read, checked, gone back to, and built anew."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner

from app import cli
from index.archive import Archive, Filters
from index.build import build_archive
from index.errors import ArchiveError
from index.generations import list_generations, roll_back
from index.layout import Generation, IndexFolder
from index.maintain import add_to_archive, remove_from_archive
from index.manifest import FORMAT_VERSION, parse_manifest, record_files
from index.verify import verify_generation
from index.verify_encoding import verify_encoding
from tests.archive_content import content
from tests.fakes import HashingEncoder, simple_bot

VERSIONS = (1, 2, 3)
# What the manifest of a version did not have yet.
LACKING = {1: ("vector_index", "reading", "left_out", "digest"), 2: ("reading", "left_out", "digest"), 3: ("digest",)}
# Before version 3, files were not kept apart from sources.
WITHOUT_FILES = """
CREATE TABLE older (
    row INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, text TEXT NOT NULL, sha256 TEXT NOT NULL,
    media_type TEXT NOT NULL, encoding TEXT, headline TEXT, date TEXT, paper TEXT, section TEXT, url TEXT
);
INSERT INTO older
    SELECT row, name, text, sha256, media_type, encoding, headline, date, paper, section, url FROM sources;
DROP TABLE sources;
ALTER TABLE older RENAME TO sources;
CREATE TABLE older (name TEXT NOT NULL, reason TEXT NOT NULL, remedy TEXT NOT NULL);
INSERT INTO older SELECT name, reason, remedy FROM rejections;
DROP TABLE rejections;
ALTER TABLE older RENAME TO rejections;
DROP TABLE files;
"""


def make_older(generation: Generation, version: int) -> None:
    if version < 3:
        connection = sqlite3.connect(generation.database)
        connection.executescript(WITHOUT_FILES)
        connection.close()
    manifest = json.loads(generation.manifest.read_text(encoding="utf-8"))
    manifest = {name: value for name, value in manifest.items() if name not in LACKING[version]}
    files = {name: record.model_dump() for name, record in record_files(generation).items()}
    generation.manifest.write_text(json.dumps(manifest | {"format_version": version, "files": files}), encoding="utf-8")


@pytest.fixture(params=VERSIONS)
def older(request: pytest.FixtureRequest, pages: Path, tmp_path: Path) -> Path:
    """The folder of an archive of an older format, with a file that was refused."""
    folder = tmp_path / "index"
    torn = tmp_path / "torn.pdf"
    torn.write_bytes(b"%PDF torn")
    build_archive([pages, torn], folder, HashingEncoder())
    make_older(IndexFolder(folder).current(), request.param)
    return folder


def test_it_is_read_as_it_is(older: Path, pages: Path, tmp_path: Path) -> None:
    archive = Archive.open(older)
    assert archive.manifest.format_version in VERSIONS
    bot = simple_bot(archive, HashingEncoder())
    assert "1260万元" in bot.ask("青石桥加固工程总投资多少？").answer
    assert bot.search("青石桥", filters=Filters(date_from="2023", paper="清溪"))
    assert [rejection.name for rejection in archive.rejections()] == ["torn.pdf"]
    build_archive([pages, tmp_path / "torn.pdf"], tmp_path / "today", HashingEncoder())
    assert content(archive, ["加固"]) == content(Archive.open(tmp_path / "today"), ["加固"])
    assert CliRunner().invoke(cli, ["index", "info", "--index", str(older)]).exit_code == 0


def test_it_passes_its_checks_and_damage_is_seen(older: Path) -> None:
    generation = IndexFolder(older).current()
    checks = [*verify_generation(generation), *verify_encoding(generation, HashingEncoder())]
    assert [check for check in checks if not check.passed] == []
    data = bytearray(generation.database.read_bytes())
    data[-9] ^= 1
    generation.database.write_bytes(data)
    assert [check.name for check in verify_generation(generation) if not check.passed] == ["digests"]


@pytest.mark.parametrize("named", [True, False])
def test_a_build_makes_one_of_today_with_the_vectors_it_has(older: Path, pages: Path, named: bool) -> None:
    before = content(Archive.open(older), ["加固"])
    encoder = HashingEncoder()
    report = build_archive([pages, older.parent / "torn.pdf"] if named else None, older, encoder)
    assert encoder.encoded == []
    assert report.reused == report.counts.passages
    archive = Archive.open(older)
    assert archive.manifest.format_version == FORMAT_VERSION
    assert content(archive, ["加固"]) == before
    assert all(check.passed for check in verify_generation(archive.generation))


def test_it_can_be_gone_back_to(older: Path, pages: Path) -> None:
    first = IndexFolder(older).current()
    build_archive([pages], older, HashingEncoder())
    assert [summary.problem for summary in list_generations(IndexFolder(older))] == ["", ""]
    assert roll_back(IndexFolder(older)) == first
    assert "1260万元" in simple_bot(Archive.open(older), HashingEncoder()).ask("青石桥加固工程总投资多少？").answer


def test_files_are_added_and_removed_or_the_remedy_is_told(older: Path, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="Build it again first: wenbao index build"):
        remove_from_archive(["a03.txt"], older, HashingEncoder())
    (tmp_path / "more.txt").write_text("水库放水\n\n本报讯 水库今天放水,村民很高兴。\n", encoding="utf-8")
    add_to_archive([tmp_path / "more.txt"], older, HashingEncoder())
    assert parse_manifest(IndexFolder(older).current()).format_version == FORMAT_VERSION
    assert set(Archive.open(older).source_names()) == {"a03.txt", "villages/pomelo.txt", "more.txt"}
    remove_from_archive(["a03.txt"], older, HashingEncoder())
    assert set(Archive.open(older).source_names()) == {"villages/pomelo.txt", "more.txt"}
