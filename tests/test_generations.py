"""Going back to an older generation, and removing old ones, under readers that go on asking."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from app import cli
from index.archive import Archive
from index.build import build_archive
from index.errors import ArchiveError, InputError, NotFoundError
from index.generations import list_generations, prune, roll_back
from index.layout import IndexFolder
from index.writing import one_writer
from tests.fakes import HashingEncoder, simple_bot


@pytest.fixture
def twice(pages: Path, index_folder: Path) -> IndexFolder:
    build_archive([pages], index_folder, HashingEncoder(), fresh=True)
    return IndexFolder(index_folder)


def test_the_newest_comes_first_and_the_one_in_use_is_marked(twice: IndexFolder) -> None:
    newest, older = list_generations(twice)
    assert newest.in_use
    assert not older.in_use
    assert newest.id > older.id
    assert newest.articles == older.articles == 3
    assert newest.bytes > 0


def test_a_bot_follows_back_and_forth(twice: IndexFolder) -> None:
    newest, older = list_generations(twice)
    bot = simple_bot(Archive.open(twice.folder), HashingEncoder())
    assert roll_back(twice).id == older.id
    bot.ask("青石桥加固工程总投资多少？")
    assert bot.archive.generation.id == older.id
    with pytest.raises(InputError, match="no generation before"):
        roll_back(twice)
    assert roll_back(twice, newest.id).id == newest.id
    bot.ask("青石桥加固工程总投资多少？")
    assert bot.archive.generation.id == newest.id


def test_a_damaged_generation_is_not_gone_back_to(twice: IndexFolder) -> None:
    newest, older = list_generations(twice)
    vectors = twice.generations / older.id / "vectors.faiss"
    data = bytearray(vectors.read_bytes())
    data[-9] ^= 1
    vectors.write_bytes(data)
    with pytest.raises(ArchiveError, match="Nothing was changed"):
        roll_back(twice)
    (twice.generations / older.id / "manifest.json").write_text("{", encoding="utf-8")
    assert list_generations(twice)[1].problem
    with pytest.raises(InputError, match="There are"):
        roll_back(twice, older.id)
    assert twice.current().id == newest.id


def test_pruning_keeps_the_one_in_use(twice: IndexFolder) -> None:
    newest, older = list_generations(twice)
    assert prune(twice, 2) == []
    roll_back(twice)
    assert prune(twice, 1) == [newest.id]
    assert [summary.id for summary in list_generations(twice)] == [older.id]
    with pytest.raises(InputError):
        prune(twice, 0)


def test_only_one_writer_at_a_time(twice: IndexFolder, tmp_path: Path) -> None:
    with one_writer(twice), pytest.raises(ArchiveError, match="Another build"):
        roll_back(twice)
    with pytest.raises(NotFoundError):
        list_generations(IndexFolder(tmp_path / "none"))


def test_commands(twice: IndexFolder) -> None:
    def run(*arguments: str) -> str:
        result = CliRunner().invoke(cli, ["index", *arguments, "--index", str(twice.folder)])
        assert result.exit_code == 0, result.output
        return result.output

    newest, older = json.loads(run("list", "--json"))
    assert run("list").startswith(f"* {newest['id']}")
    assert older["id"] in run("rollback")
    assert newest["id"] in run("rollback", newest["id"])
    assert json.loads(run("prune", "--keep", "1", "--json")) == [older["id"]]
