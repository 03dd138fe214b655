"""Going back to an older generation, and removing old ones, under readers that go on asking."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from click.testing import CliRunner

from app import cli
from index.archive import Archive
from index.build import build_archive
from index.errors import ArchiveError, InputError, NotFoundError
from index.generations import GenerationSummary, list_generations, prune, roll_back
from index.layout import Generation, IndexFolder
from index.manifest import Manifest, read_manifest
from index.progress import Progress
from index.writing import Holder, one_writer, remove, writer_at_work
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


def die_within(step: str, pages: Path, folder: Path) -> None:
    """Build, and die as by SIGKILL before the switch begins, before CURRENT is replaced, or right after."""
    import index.layout

    switch = IndexFolder.switch_to

    def die(*_: object) -> None:
        os._exit(9)

    def switch_to(index_folder: IndexFolder, generation: Generation) -> None:
        if step == "begin":
            die()
        setattr(index.layout if step == "replace_file" else Generation, step, die)
        switch(index_folder, generation)

    IndexFolder.switch_to = switch_to  # type: ignore[method-assign]
    build_archive([pages], folder, HashingEncoder(), fresh=True)


def killed_build(step: str, pages: Path, folder: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=die_within, args=(step, pages, folder))
    process.start()
    process.join(120)
    assert process.exitcode == 9


@pytest.mark.parametrize("step", ["begin", "replace_file"])
def test_a_generation_that_was_never_in_use_does_not_count(pages: Path, twice: IndexFolder, step: str) -> None:
    newest, older = list_generations(twice)
    killed_build(step, pages, twice.folder)
    left, *rest = list_generations(twice)
    assert rest == [newest, older]
    assert "did not finish" in left.problem
    assert twice.current().id == newest.id
    with pytest.raises(InputError, match="no generation"):
        roll_back(twice, left.id)
    assert [summary.id for summary in list_generations(twice)] == [newest.id, older.id]
    killed_build(step, pages, twice.folder)
    left = list_generations(twice)[0]
    assert prune(twice, 2) == [left.id]
    killed_build(step, pages, twice.folder)
    assert build_archive([pages], twice.folder, HashingEncoder()).generation == newest.id
    assert list_generations(twice) == [newest, older]


def test_a_generation_counts_when_its_build_died_right_after_the_switch(pages: Path, twice: IndexFolder) -> None:
    before = twice.current().id
    killed_build("mark_used", pages, twice.folder)
    switched_to = twice.current().id
    assert switched_to != before
    assert list_generations(twice)[0].problem == ""
    assert roll_back(twice).id == before
    assert build_archive([pages], twice.folder, HashingEncoder()).generation == before
    assert roll_back(twice, switched_to).id == switched_to


def test_damaged_generations_are_pruned_before_those_that_can_be_used(twice: IndexFolder) -> None:
    newest, older = list_generations(twice)
    roll_back(twice)
    damaged = Generation(twice.generations / f"9{newest.id}")
    shutil.copytree(twice.generations / newest.id, damaged.folder)
    damaged.manifest.write_text("{", encoding="utf-8")
    assert prune(twice, 2) == [damaged.id]
    assert [summary.id for summary in list_generations(twice)] == [newest.id, older.id]


def test_the_list_tells_a_generation_in_the_making_from_a_damaged_one(pages: Path, twice: IndexFolder) -> None:
    seen: list[GenerationSummary] = []

    def look(progress: Progress) -> None:
        if progress.stage in ("keywords", "verify"):
            seen.append(list_generations(twice)[0])

    build_archive([pages], twice.folder, HashingEncoder(), look, fresh=True)
    assert seen
    assert all(f"being built by process {os.getpid()} on " in summary.problem for summary in seen)
    assert list_generations(twice)[0].problem == ""


def test_the_list_bears_with_what_goes_away_meanwhile(twice: IndexFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    newest, older = list_generations(twice)
    walk, read = os.walk, read_manifest

    def walk_too_late(top: Path) -> Iterator[tuple[str, list[str], list[str]]]:
        return ((place, folders, [*files, "gone"]) for place, folders, files in walk(top))

    def read_too_late(generation: Generation) -> Manifest:
        if generation.id == older.id:
            remove(generation)
        return read(generation)

    monkeypatch.setattr("index.generations.os.walk", walk_too_late)
    monkeypatch.setattr("index.generations.read_manifest", read_too_late)
    assert list_generations(twice) == [newest]


def test_a_lock_holder_that_has_died_is_not_taken_for_a_build_at_work(twice: IndexFolder) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    now = datetime.now(timezone.utc)

    def named(pid: int, host: str, since: datetime) -> Holder | None:
        holder = Holder(pid, host, since.isoformat(timespec="seconds"))
        twice.lock_holder.write_text(json.dumps(asdict(holder)), encoding="utf-8")
        return writer_at_work(twice)

    assert named(process.pid, socket.gethostname(), now) is None
    assert named(os.getpid(), socket.gethostname(), now) is not None
    assert named(os.getpid(), socket.gethostname(), now - timedelta(days=30)) is None  # its number is used again
    assert named(process.pid, "elsewhere.invalid", now) is not None
    twice.lock_holder.write_text("{", encoding="utf-8")
    assert writer_at_work(twice) is None


def test_what_cannot_be_removed_is_told(twice: IndexFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    older = list_generations(twice)[1]

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr("index.writing.shutil.rmtree", refuse)
        with pytest.raises(ArchiveError, match=f"{older.id}.*could not be removed"):
            prune(twice, 1)
    assert prune(twice, 1) == [older.id]
