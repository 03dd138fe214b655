from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from app import cli
from index.archive import Archive, Filters
from index.build import build_archive
from index.encoder import EncoderIdentity
from index.errors import ArchiveError, InputError, NotFoundError
from index.generations import prune
from index.layout import Generation, IndexFolder
from index.manifest import Manifest, read_manifest
from tests.damage import seal
from tests.fakes import HashingEncoder, simple_bot


def headlines(archive: Archive, filters: Filters) -> set[str]:
    rows = archive.rows_matching(filters)
    assert rows is not None
    passages = archive.passages_at(rows.tolist())
    return {article.headline for article in archive.articles_at([passage.article_row for passage in passages])}


def test_filters_select_by_date_paper_and_section(index_folder: Path) -> None:
    archive = Archive.open(index_folder)
    assert archive.rows_matching(Filters()) is None
    dated = headlines(archive, Filters(date_from="2023-05", date_to="2023"))
    assert "青石桥完成加固 今起恢复通车" in dated
    assert "柚园村举行丰收节" not in dated
    assert headlines(archive, Filters(date_from="2024")) == set()
    assert headlines(archive, Filters(paper="清溪")) == dated
    assert headlines(archive, Filters(section="民生")) == dated


@pytest.mark.parametrize("date", ["2023-13", "yesterday", "2023-02-30", "0000"])
def test_a_date_that_is_none_is_refused(index_folder: Path, date: str) -> None:
    with pytest.raises(InputError, match="2022-07-15"):
        Archive.open(index_folder).rows_matching(Filters(date_from=date))


def test_an_empty_range_of_dates_is_refused(index_folder: Path) -> None:
    with pytest.raises(InputError, match="earlier date first"):
        Archive.open(index_folder).rows_matching(Filters(date_from="2023", date_to="2022"))


def test_unknown_articles_and_sources_are_named(index_folder: Path) -> None:
    archive = Archive.open(index_folder)
    with pytest.raises(NotFoundError, match="nowhere"):
        archive.article("nowhere")
    with pytest.raises(NotFoundError, match="nowhere"):
        archive.source("nowhere")


def test_no_archive_says_how_to_build_one(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="wenbao index build"):
        Archive.open(tmp_path)


def test_another_encoder_is_refused_with_both_values_and_the_remedy(index_folder: Path) -> None:
    archive = Archive.open(index_folder)
    other = EncoderIdentity("other", "f" * 64, 64, "query: ", "passage: ", 512)
    with pytest.raises(ArchiveError) as refused:
        archive.require_encoder(other)
    assert all(
        part in str(refused.value)
        for part in ("hashing", "other", "ffffffff", archive.manifest.encoder.digest[:8], "--model")
    )


def test_another_format_version_is_refused(index_folder: Path) -> None:
    path = IndexFolder(index_folder).current().manifest
    manifest = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(manifest | {"format_version": 99, "unknown": 1}), encoding="utf-8")
    with pytest.raises(ArchiveError, match="version 99"):
        Archive.open(index_folder)


def test_another_tokenizer_is_refused(index_folder: Path) -> None:
    seal(IndexFolder(index_folder).current(), tokenizer={"name": "jieba", "version": "0.1"})
    with pytest.raises(ArchiveError, match="tokenizer"):
        Archive.open(index_folder)


def test_a_generation_that_is_removed_while_it_is_opened_gives_way_to_the_next(
    pages: Path, index_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = IndexFolder(index_folder)
    before = index.current()
    read = read_manifest

    def read_too_late(generation: Generation) -> Manifest:
        if generation == before:
            build_archive([pages], index_folder, HashingEncoder(), fresh=True)
            assert prune(index, 1) == [before.id]
        return read(generation)

    monkeypatch.setattr("index.archive.read_manifest", read_too_late)
    archive = Archive.open(index_folder)
    assert archive.generation == index.current() != before
    assert len(archive.keywords) == len(archive.vectors) == archive.manifest.counts.passages


def test_texts_are_read_without_opening_the_indexes(index_folder: Path) -> None:
    vectors = IndexFolder(index_folder).current().vectors
    vectors.write_bytes(bytes(vectors.stat().st_size))
    with pytest.raises(ArchiveError, match="vector index"):
        Archive.open(index_folder)
    assert Archive.open(index_folder, texts_only=True).articles()
    shown = CliRunner().invoke(cli, ["index", "info", "--index", str(index_folder)])
    assert shown.exit_code == 0, shown.output


@pytest.mark.parametrize("content", ["", "{", "../..", "no-such-generation"])
def test_a_damaged_current_file_is_refused(index_folder: Path, content: str) -> None:
    (index_folder / "CURRENT").write_text(content, encoding="utf-8")
    with pytest.raises(ArchiveError, match="Rebuild"):
        Archive.open(index_folder)


def test_an_archive_is_whole_in_another_folder_without_its_sources(
    pages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.look_commands.load_encoder", lambda _: HashingEncoder())
    here, there = tmp_path / "here", tmp_path / "elsewhere" / "archive"
    shutil.copytree(pages, here / "pages")
    build_archive([here / "pages"], here / "index", HashingEncoder())
    shutil.copytree(here / "index", there)
    shutil.rmtree(here)
    answer = simple_bot(Archive.open(there), HashingEncoder()).ask("青石桥加固工程总投资多少？")
    assert "1260万元" in answer.answer
    assert answer.citations[0].source == "a03.txt"
    for command in (["verify", "--deep"], ["info"], ["list"]):
        result = CliRunner().invoke(cli, ["index", *command, "--index", str(there)])
        assert result.exit_code == 0, result.output
