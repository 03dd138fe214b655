"""Builds that read only what has changed: what comes out is what a build of everything gives."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import index.build
import index.opening
import index.read_changed
from app import cli
from index.archive import Archive
from index.base import Base
from index.build import build_archive
from index.changes import find_changes
from index.errors import ArchiveError, InputError
from index.finding import SourceFile
from index.folding import fold_text
from index.layout import IndexFolder
from index.maintain import add_to_archive, remove_from_archive
from index.pages import Page
from index.plan import Work, make_plan
from index.records import Rejection, Source
from index.verify import verify_generation
from tests.archive_content import content
from tests.conftest import PAGE
from tests.fakes import HashingEncoder

WORDS = ("青石桥昨日通车", "图书馆延长开放时间", "柚园村举行丰收节", "渡口开通夜间渡轮", "体育馆向市民开放")
PAIRS = ("青石", "书馆", "柚园", "夜间", "市民")


def write(pages: Path, name: str, pieces: list[int]) -> None:
    """Write a text of so many paragraphs, a file of records, or one that is refused."""
    path = pages / name
    path.parent.mkdir(exist_ok=True)
    texts = [f"{WORDS[piece % len(WORDS)]}，第{piece}期。" * 12 for piece in pieces]
    if name.endswith(".jsonl"):
        records = [{"id": str(piece), "text": text} for piece, text in zip(pieces, texts, strict=True)]
        path.write_text("\n".join(json.dumps(record, ensure_ascii=False) for record in records), encoding="utf-8")
    else:
        path.write_text("\n\n".join(texts), encoding="utf-8")


names = st.sampled_from(["a.txt", "b.txt", "below/c.txt", "r.jsonl"])
pieces = st.lists(st.integers(0, 7), max_size=4, unique=True)
steps = st.lists(st.dictionaries(names, st.none() | pieces, min_size=1, max_size=3), min_size=1, max_size=4)


def apply(pages: Path, change: dict[str, list[int] | None]) -> None:
    """Write files anew with the chosen articles; those of none are removed."""
    for name, chosen in change.items():
        if chosen is None:
            (pages / name).unlink(missing_ok=True)
        else:
            write(pages, name, chosen)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_many_small_builds_give_what_one_build_gives(
    tmp_path_factory: pytest.TempPathFactory, changes: list[dict[str, list[int] | None]]
) -> None:
    root = tmp_path_factory.mktemp("incremental")
    pages = root / "pages"
    pages.mkdir()
    write(pages, "always.txt", [0, 1])
    build_archive([pages], root / "grown", HashingEncoder())
    for change in changes:
        apply(pages, change)
        build_archive([pages], root / "grown", HashingEncoder())
    build_archive([pages], root / "at once", HashingEncoder())
    grown = Archive.open(root / "grown")
    assert content(grown, PAIRS) == content(Archive.open(root / "at once"), PAIRS)
    assert [check for check in verify_generation(grown.generation) if not check.passed] == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    for name, chosen in (("one.txt", [1]), ("two.txt", [2]), ("news.jsonl", [3, 4, 5])):
        folder.mkdir(exist_ok=True)
        write(folder, name, chosen)
        os.utime(folder / name, (1_600_000_000, 1_600_000_000))
    return folder


@pytest.fixture
def read_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read from now on."""
    read: list[str] = []
    original = index.read_changed.read_file

    def noted(file: Any) -> Any:
        read.append(file.name)
        return original(file)

    monkeypatch.setattr(index.read_changed, "read_file", noted)
    return read


def test_only_what_has_changed_is_read_and_encoded(folder: Path, tmp_path: Path, read_files: list[str]) -> None:
    build_archive([folder], tmp_path / "index", HashingEncoder())
    read_files.clear()
    write(folder, "two.txt", [6])
    encoder = HashingEncoder()
    report = build_archive([folder], tmp_path / "index", encoder)
    assert read_files == ["two.txt"]
    assert len(encoder.encoded) == 1
    assert (report.new, report.changed, report.unchanged, report.gone) == (0, 1, 2, 0)


def test_of_a_changed_file_of_records_only_the_changed_ones_are_cut_again(folder: Path, tmp_path: Path) -> None:
    build_archive([folder], tmp_path / "index", HashingEncoder())
    before = {source.name for source in Archive.open(tmp_path / "index").sources()}
    write(folder, "news.jsonl", [3, 5, 7])
    encoder = HashingEncoder()
    build_archive([folder], tmp_path / "index", encoder)
    assert len(encoder.encoded) == 1
    assert {source.name for source in Archive.open(tmp_path / "index").sources()} == before - {"news.jsonl#4"} | {
        "news.jsonl#7"
    }


def test_where_nothing_has_changed_the_archive_stays_the_one_in_use(folder: Path, tmp_path: Path) -> None:
    first = build_archive([folder], tmp_path / "index", HashingEncoder())
    assert build_archive([folder], tmp_path / "index", HashingEncoder()).generation == first.generation


def test_a_file_with_a_new_time_and_the_old_content_is_not_read(
    folder: Path, tmp_path: Path, read_files: list[str]
) -> None:
    build_archive([folder], tmp_path / "index", HashingEncoder())
    read_files.clear()
    os.utime(folder / "one.txt", (1_600_000_500, 1_600_000_500))
    assert build_archive([folder], tmp_path / "index", HashingEncoder()).unchanged == 3
    assert read_files == []


def test_a_change_within_one_tick_of_the_clock_is_seen(folder: Path, tmp_path: Path) -> None:
    write(folder, "one.txt", [1])
    status = (folder / "one.txt").stat()
    build_archive([folder], tmp_path / "index", HashingEncoder())
    write(folder, "one.txt", [6])
    os.utime(folder / "one.txt", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (folder / "one.txt").stat().st_size == status.st_size
    build_archive([folder], tmp_path / "index", HashingEncoder())
    assert "第6期" in Archive.open(tmp_path / "index").source("one.txt").text


def test_a_file_that_could_not_be_read_is_tried_again(folder: Path, tmp_path: Path) -> None:
    (folder / "empty.txt").write_text("", encoding="utf-8")
    os.utime(folder / "empty.txt", (1_600_000_000, 1_600_000_000))
    first = build_archive([folder], tmp_path / "index", HashingEncoder())
    again = build_archive([folder], tmp_path / "index", HashingEncoder())
    assert len(first.rejections) == len(again.rejections) == 1
    assert again.generation == first.generation
    write(folder, "empty.txt", [7])
    assert build_archive([folder], tmp_path / "index", HashingEncoder()).rejections == ()


def test_a_file_refused_for_good_is_not_read_again_until_it_changes(
    folder: Path, tmp_path: Path, read_files: list[str]
) -> None:
    scan = folder / "scan.pdf"
    scan.write_bytes(b"%PDF-1.4 no more than this")
    (folder / "broken.jsonl").write_text('{"text": "柚园村丰收。"}\nno record', encoding="utf-8")
    for path in (scan, folder / "broken.jsonl"):
        os.utime(path, (1_600_000_000, 1_600_000_000))
    first = build_archive([folder], tmp_path / "index", HashingEncoder())
    assert [one.name for one in first.rejections] == ["broken.jsonl#line 2", "scan.pdf"]
    read_files.clear()
    again = build_archive([folder], tmp_path / "index", HashingEncoder())
    write(folder, "one.txt", [6])
    later = build_archive([folder], tmp_path / "index", HashingEncoder())
    assert read_files == ["one.txt"]
    assert set(again.rejections) == set(later.rejections) == set(first.rejections)
    assert (again.generation, later.unchanged) == (first.generation, 4)
    os.utime(scan, (1_600_000_500, 1_600_000_500))
    build_archive([folder], tmp_path / "index", HashingEncoder())
    assert read_files == ["one.txt"]
    scan.write_bytes(b"%PDF-1.4 no more than that")
    os.utime(scan, (1_600_000_900, 1_600_000_900))
    build_archive([folder], tmp_path / "index", HashingEncoder())
    assert read_files == ["one.txt", "scan.pdf"]


@pytest.mark.parametrize("time", [0, 1_600_000_700])
def test_a_known_file_that_one_may_not_open_for_a_while_is_read_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, time: int
) -> None:
    build_archive([folder], tmp_path / "index", HashingEncoder())
    write(folder, "one.txt", [6])
    os.utime(folder / "one.txt", (time, time))
    original = index.opening.open_regular

    def forbidden(path: Path) -> Any:
        if path.name == "one.txt":
            raise PermissionError(13, "Permission denied")
        return original(path)

    with monkeypatch.context() as patch:
        for module in ("sources", "changes"):
            patch.setattr(f"index.{module}.open_regular", forbidden)
        for _ in range(2):
            report = build_archive([folder], tmp_path / "index", HashingEncoder())
            assert [one.name for one in report.rejections] == ["one.txt"]
        assert "第1期" in Archive.open(tmp_path / "index").source("one.txt").text
    assert build_archive([folder], tmp_path / "index", HashingEncoder()).rejections == ()
    assert "第6期" in Archive.open(tmp_path / "index").source("one.txt").text


def test_a_record_comes_back_from_a_file_with_a_new_time(folder: Path, tmp_path: Path) -> None:
    build_archive([folder], tmp_path / "index", HashingEncoder())
    remove_from_archive(["news.jsonl#4"], tmp_path / "index", HashingEncoder())
    os.utime(folder / "news.jsonl", (1_600_000_500, 1_600_000_500))
    add_to_archive([folder / "news.jsonl"], tmp_path / "index", HashingEncoder())
    assert "news.jsonl#4" in Archive.open(tmp_path / "index").source_names()


def test_missing_files_leave_the_archive_unless_they_are_kept(folder: Path, tmp_path: Path) -> None:
    build_archive([folder], tmp_path / "index", HashingEncoder())
    (folder / "two.txt").unlink()
    build_archive([folder], tmp_path / "index", HashingEncoder(), keep_missing=True)
    assert "two.txt" in Archive.open(tmp_path / "index").source_names()
    assert build_archive([folder], tmp_path / "index", HashingEncoder()).gone == 1
    assert "two.txt" not in Archive.open(tmp_path / "index").source_names()


def test_what_is_missing_is_not_lost_where_it_cannot_be_kept(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_archive([folder], tmp_path / "index", HashingEncoder())
    (folder / "two.txt").unlink()
    monkeypatch.setattr("index.base.reading_code", lambda: "another")
    with pytest.raises(ArchiveError, match=r"two\.txt.* cannot be kept"):
        build_archive([folder], tmp_path / "index", HashingEncoder(), keep_missing=True)
    with pytest.raises(ArchiveError, match=r"two\.txt.* cannot be kept"):
        add_to_archive([folder / "one.txt"], tmp_path / "index", HashingEncoder())
    assert "two.txt" in Archive.open(tmp_path / "index").source_names()


def test_a_damaged_generation_is_not_built_on(folder: Path, tmp_path: Path) -> None:
    build_archive([folder], tmp_path / "index", HashingEncoder())
    database = IndexFolder(tmp_path / "index").current().database
    data = bytearray(database.read_bytes())
    data[-20] ^= 1
    database.write_bytes(data)
    report = build_archive([folder], tmp_path / "index", HashingEncoder())
    assert (report.new, report.reused) == (3, 0)


def test_what_another_version_has_cut_is_cut_anew(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_files: list[str]
) -> None:
    build_archive([folder], tmp_path / "index", HashingEncoder())
    read_files.clear()
    monkeypatch.setattr("index.base.reading_code", lambda: "another")
    encoder = HashingEncoder()
    build_archive([folder], tmp_path / "index", encoder)
    assert len(read_files) == 3
    assert encoder.encoded == []


def test_added_files_stay_beside_what_is_there(folder: Path, tmp_path: Path) -> None:
    build_archive([folder], tmp_path / "index", HashingEncoder())
    (folder / "two.txt").unlink()
    write(tmp_path / "more", "four.txt", [6])
    add_to_archive([tmp_path / "more"], tmp_path / "index", HashingEncoder())
    archive = Archive.open(tmp_path / "index")
    assert {"one.txt", "two.txt", "four.txt"} <= set(archive.source_names())
    assert archive.manifest.inputs == (str(folder), str(tmp_path / "more"))


def test_what_is_removed_by_name_stays_away_until_it_is_added(folder: Path, tmp_path: Path) -> None:
    build_archive([folder], tmp_path / "index", HashingEncoder())
    remove_from_archive(["one.txt", "news.jsonl#4"], tmp_path / "index", HashingEncoder())
    left = {"two.txt", "news.jsonl#3", "news.jsonl#5"}
    assert set(Archive.open(tmp_path / "index").source_names()) == left
    write(folder, "news.jsonl", [3, 4, 5])
    for fresh in (False, True):
        build_archive([folder], tmp_path / "index", HashingEncoder(), fresh=fresh)
        assert set(Archive.open(tmp_path / "index").source_names()) == left
    add_to_archive([folder / "one.txt"], tmp_path / "index", HashingEncoder())
    assert set(Archive.open(tmp_path / "index").source_names()) == left | {"one.txt"}


def test_what_is_removed_is_no_longer_in_the_files(folder: Path, tmp_path: Path) -> None:
    build_archive([folder], tmp_path / "index", HashingEncoder())
    secret = "第2期".encode()
    assert secret in IndexFolder(tmp_path / "index").current().database.read_bytes()
    remove_from_archive(["two.txt"], tmp_path / "index", HashingEncoder())
    assert secret not in IndexFolder(tmp_path / "index").current().database.read_bytes()


def test_an_unknown_name_is_told_with_those_near_it(folder: Path, tmp_path: Path) -> None:
    build_archive([folder], tmp_path / "index", HashingEncoder())
    with pytest.raises(InputError, match=r"Near it are: .*one\.txt"):
        remove_from_archive(["on.txt"], tmp_path / "index", HashingEncoder())


def test_the_archive_cannot_be_emptied_by_removing(folder: Path, tmp_path: Path) -> None:
    build_archive([folder / "one.txt"], tmp_path / "index", HashingEncoder())
    with pytest.raises(InputError, match="could be indexed"):
        remove_from_archive(["one.txt"], tmp_path / "index", HashingEncoder())


def test_records_are_not_lost_to_a_read_error_that_may_pass(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_archive([folder], tmp_path / "index", HashingEncoder())
    write(folder, "news.jsonl", [3, 4, 5, 6])
    original = index.read_changed.read_file

    def failing(file: SourceFile) -> Iterator[Source | Rejection]:
        if file.name == "news.jsonl":
            yield next(iter(original(file)))
            yield Rejection(file.name, "it cannot be read: Input/output error", "check the disk", passing=True)
        else:
            yield from original(file)

    with monkeypatch.context() as patch:
        patch.setattr(index.read_changed, "read_file", failing)
        assert len(build_archive([folder], tmp_path / "index", HashingEncoder()).rejections) == 1
    assert {"news.jsonl#4", "news.jsonl#5"} <= set(Archive.open(tmp_path / "index").source_names())
    assert build_archive([folder], tmp_path / "index", HashingEncoder()).rejections == ()
    assert "news.jsonl#6" in Archive.open(tmp_path / "index").source_names()


def faulty_on(word: str) -> Any:
    """Return a `fold_text` with a fault that texts with this word bring out."""

    def fold(text: str, **options: bool) -> str:
        if word in text:
            raise IndexError("a fault")
        return fold_text(text, **options)

    return fold


@pytest.mark.parametrize("is_new", [True, False])
def test_a_fault_in_the_second_article_leaves_no_half_of_a_page(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_new: bool
) -> None:
    page = folder / "page.txt"
    if not is_new:
        page.write_text(PAGE, encoding="utf-8")
    build_archive([folder], tmp_path / "index", HashingEncoder())
    before = content(Archive.open(tmp_path / "index"), PAIRS)
    page.write_text(PAGE.replace("1260", "3260").replace("140", "240"), encoding="utf-8")
    with monkeypatch.context() as patch:
        patch.setattr("index.encoded_text.fold_text", faulty_on("新增座位240个"))
        for _ in range(2):
            assert [one.name for one in build_archive([folder], tmp_path / "index", HashingEncoder()).rejections] == [
                "page.txt"
            ]
            assert content(Archive.open(tmp_path / "index"), PAIRS) | {"rejections": set()} == before
    assert build_archive([folder], tmp_path / "index", HashingEncoder()).rejections == ()
    text = "".join(one.text for one in Archive.open(tmp_path / "index").articles() if one.source == "page.txt")
    assert "3260" in text
    assert "新增座位240个" in text


@pytest.mark.parametrize("reason", [MemoryError(), ValueError("a fault")])
def test_one_file_that_cannot_be_read_now_does_not_stop_the_others(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: Exception
) -> None:
    original = index.read_changed.read_file

    def failing(file: SourceFile) -> Iterator[Source | Rejection]:
        if file.name == "one.txt":
            raise reason
        yield from original(file)

    with monkeypatch.context() as patch:
        patch.setattr(index.read_changed, "read_file", failing)
        report = build_archive([folder], tmp_path / "index", HashingEncoder())
    assert [rejection.name for rejection in report.rejections] == ["one.txt"]
    assert report.counts.sources == 4
    assert build_archive([folder], tmp_path / "index", HashingEncoder()).rejections == ()


def test_what_is_below_a_folder_that_cannot_be_listed_is_not_gone(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, "below/c.txt", [6])
    build_archive([folder], tmp_path / "index", HashingEncoder())
    original = os.scandir
    for unlistable in (folder / "below", folder):

        def failing(path: str, away: str = str(unlistable)) -> Any:
            if str(path) == away:
                raise OSError(5, "Input/output error")
            return original(path)

        monkeypatch.setattr("index.finding.os.scandir", failing)
        report = build_archive([folder], tmp_path / "index", HashingEncoder())
        assert report.gone == 0
        assert len(report.rejections) == 1
        assert "below/c.txt" in Archive.open(tmp_path / "index").source_names()


def test_what_a_damaged_generation_brings_out_does_not_stop_a_build(folder: Path, tmp_path: Path) -> None:
    build_archive([folder], tmp_path / "index", HashingEncoder())
    index = IndexFolder(tmp_path / "index")
    without_base = Work(inputs=(), inputs_digest="", changes=find_changes([], {}))

    def plan(_: IndexFolder, base: Base | None) -> Work:
        if base is not None:
            raise AttributeError("nothing of this kind is in the database")
        return without_base

    with pytest.raises(AttributeError):  # the generation is whole: this is a fault
        make_plan(plan, index, HashingEncoder().identity)
    vectors = index.current().vectors
    vectors.write_bytes(vectors.read_bytes()[:-1] + b"\xff")
    assert make_plan(plan, index, HashingEncoder().identity) == (None, without_base)


def test_a_removed_source_stays_away_when_a_data_file_is_damaged(folder: Path, tmp_path: Path) -> None:
    build_archive([folder], tmp_path / "index", HashingEncoder())
    remove_from_archive(["two.txt"], tmp_path / "index", HashingEncoder())
    os.truncate(IndexFolder(tmp_path / "index").current().vectors, 10)
    build_archive([folder], tmp_path / "index", HashingEncoder())
    assert "two.txt" not in Archive.open(tmp_path / "index").source_names()


def test_an_added_file_never_takes_the_place_of_one_that_is_away(folder: Path, tmp_path: Path) -> None:
    build_archive([folder], tmp_path / "index", HashingEncoder())
    folder.rename(tmp_path / "away")
    write(tmp_path / "more", "one.txt", [6])
    for _ in range(2):
        add_to_archive([tmp_path / "more"], tmp_path / "index", HashingEncoder())
        archive = Archive.open(tmp_path / "index")
        assert "第1期" in archive.source("one.txt").text
        assert "第6期" in archive.source("more/one.txt").text
        assert archive.manifest.inputs == (str(folder), str(tmp_path / "more"))


def test_a_time_in_the_future_makes_no_generation_every_time(folder: Path, tmp_path: Path) -> None:
    os.utime(folder / "one.txt", (4_000_000_000, 4_000_000_000))
    first = build_archive([folder], tmp_path / "index", HashingEncoder())
    assert build_archive([folder], tmp_path / "index", HashingEncoder()).generation == first.generation


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("index.build_commands.start_encoder", lambda _: HashingEncoder())

    def invoke(*arguments: str, status: int = 0) -> str:
        result = CliRunner().invoke(cli, ["index", *arguments, "--index", str(tmp_path / "index")])
        assert result.exit_code == status, result.output
        return result.stdout if status == 0 else result.output

    return invoke


def test_commands(folder: Path, tmp_path: Path, run: Any) -> None:
    run("build", str(folder))
    write(tmp_path / "more", "four.txt", [6])
    assert json.loads(run("add", str(tmp_path / "more"), "--dry-run", "--json"))["new"] == ["four.txt"]
    assert json.loads(run("remove", "two.txt", "news.jsonl#3", "--dry-run", "--json"))["removed"] == [
        "two.txt", "news.jsonl#3",
    ]  # fmt: skip
    assert "two.txt" in Archive.open(tmp_path / "index").source_names()
    assert "Near it" in run("remove", "tow.txt", "--dry-run", status=1)
    run("add", str(tmp_path / "more"))
    run("remove", "two.txt")
    (folder / "one.txt").unlink()
    write(folder, "six.txt", [0])
    planned = json.loads(run("build", "--dry-run", "--json"))
    assert (planned["new"], planned["removed"]) == (["six.txt"], ["one.txt"])
    assert "1 removed    one.txt" in run("build", "--dry-run")
    assert "one.txt" in Archive.open(tmp_path / "index").source_names()
    assert json.loads(run("build", "--json"))["files"] == {"new": 1, "changed": 0, "unchanged": 2, "gone": 1}
    assert set(Archive.open(tmp_path / "index").source_names()) == {
        "four.txt", "six.txt", "news.jsonl#3", "news.jsonl#4", "news.jsonl#5",
    }  # fmt: skip


def test_a_dry_run_names_what_stays_refused_and_what_cannot_be_kept(
    folder: Path, tmp_path: Path, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("empty.txt", "also.txt"):
        (folder / name).write_text("", encoding="utf-8")
        os.utime(folder / name, (1_600_000_000, 1_600_000_000))
    (folder / "away.txt").symlink_to(folder / "away.txt")
    run("build", str(folder), status=3)
    write(folder, "also.txt", [6])
    planned = json.loads(run("build", "--dry-run", "--json"))
    assert planned["changed"] == ["also.txt"]
    assert [one["name"] for one in planned["rejections"]] == ["away.txt", "empty.txt"]
    assert planned["rejections"][1]["reason"] == "it is empty"
    assert json.loads(run("build", "--dry-run", "--fresh", "--json"))["new"] == [
        "also.txt", "empty.txt", "news.jsonl", "one.txt", "two.txt",
    ]  # fmt: skip
    monkeypatch.setattr("index.base.reading_code", lambda: "another")
    (folder / "two.txt").unlink()
    assert "cannot be kept" in run("build", "--keep-missing", "--dry-run", status=1)


def test_without_paths_and_without_an_archive_paths_are_asked_for(run: Any) -> None:
    assert "Give at least one path" in run("build", status=1)


def test_later_builds_use_the_model_that_the_archive_was_built_with(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str | None] = []

    def load(name: str | None) -> HashingEncoder:
        asked.append(name)
        return HashingEncoder(name or "embedded")

    monkeypatch.setattr("index.build_commands.start_encoder", load)
    build = ["index", "build", str(folder), "--index", str(tmp_path / "index")]
    for options in ([], ["--model", "theirs"], [], ["--dry-run"]):
        assert CliRunner().invoke(cli, [*build, *options]).exit_code == 0
    assert asked == [None, "theirs", HashingEncoder("theirs").identity.name, HashingEncoder("theirs").identity.name]


def test_vectors_in_the_wrong_rows_are_not_put_in_use(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_archive([folder], tmp_path / "index", HashingEncoder())
    before = IndexFolder(tmp_path / "index").current()
    write(folder, "three.txt", [6])
    write(folder, "four.txt", [7])
    original = index.build.write_updated
    monkeypatch.setattr(
        index.build,
        "write_updated",
        lambda path, base, rows, added, vectors, *rest: original(path, base, rows, added, vectors[::-1], *rest),
    )
    with pytest.raises(ArchiveError, match="another vector"):
        build_archive([folder], tmp_path / "index", HashingEncoder())
    assert IndexFolder(tmp_path / "index").current() == before


def test_an_article_outside_its_source_refuses_its_file_only(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = index.read_changed.split_page

    def without_spans(source: Source) -> Page:
        page = real(source)
        if source.name != "two.txt":
            return page
        return replace(page, articles=tuple(replace(article, spans=()) for article in page.articles))

    monkeypatch.setattr(index.read_changed, "split_page", without_spans)
    report = build_archive([folder], tmp_path / "index", HashingEncoder())
    assert [rejection.name for rejection in report.rejections] == ["two.txt"]
    assert "does not lie inside its source" in report.rejections[0].reason
    assert "two.txt" not in Archive.open(tmp_path / "index").source_names()


def test_equal_articles_of_one_source_have_ids_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    rows = "".join(f'{{"id": "same-{number % 2}", "text": "青石桥昨日通车。"}}\n' for number in range(4))
    (tmp_path / "pages" / "rows.jsonl").write_text(rows, encoding="utf-8")
    build_archive([tmp_path / "pages"], tmp_path / "index", HashingEncoder())
    ids = [article.id for article in Archive.open(tmp_path / "index").articles()]
    assert len(set(ids)) == len(ids) == 4
