"""Files that move, come back, share a name or cannot be looked at: no text is lost, doubled or taken for another."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.archive import Archive
from index.build import build_archive
from index.errors import ArchiveError, EncoderError
from index.generations import roll_back
from index.layout import IndexFolder
from index.maintain import add_to_archive, remove_from_archive
from index.manifest import read_manifest
from tests.fakes import HashingEncoder

LONG_AGO = 1_600_000_000


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "index"


def names(index: Path) -> list[str]:
    return sorted(Archive.open(index).source_names())


def texts(index: Path) -> list[str]:
    return sorted(article.text for article in Archive.open(index).articles())


def test_a_folder_that_has_moved_is_known_again_and_does_not_double(tmp_path: Path, index: Path) -> None:
    write(tmp_path / "old" / "x.txt", "青石桥昨日通车。")
    build_archive([tmp_path / "old"], index, HashingEncoder())
    (tmp_path / "old").rename(tmp_path / "new")
    encoder = HashingEncoder()
    assert build_archive([tmp_path / "new"], index, encoder).unchanged == 1
    assert encoder.encoded == []
    add_to_archive([write(tmp_path / "more.txt", "图书馆延长开放。")], index, HashingEncoder())
    assert names(index) == ["more.txt", "x.txt"]


def test_another_file_of_the_same_name_size_and_time_is_read(tmp_path: Path, index: Path) -> None:
    write(tmp_path / "one" / "p.txt", "青石桥昨日通车。")
    write(tmp_path / "two" / "p.txt", "柚园村昨日丰收。")
    build_archive([tmp_path / "one"], index, HashingEncoder())
    build_archive([tmp_path / "two"], index, HashingEncoder())
    assert texts(index) == ["柚园村昨日丰收。"]


def test_a_file_keeps_its_name_when_another_of_the_same_name_goes(tmp_path: Path, index: Path) -> None:
    first = write(tmp_path / "a" / "news.txt", "青石桥昨日通车。")
    write(tmp_path / "b" / "news.txt", "柚园村昨日丰收。")
    paths = [tmp_path / "a", tmp_path / "b"]
    build_archive(paths, index, HashingEncoder())
    remove_from_archive(["news.txt"], index, HashingEncoder())
    first.unlink()
    build_archive(paths, index, HashingEncoder())
    assert names(index) == ["b/news.txt"]


def test_a_removed_record_comes_back_with_its_file(tmp_path: Path, index: Path) -> None:
    records = write(
        tmp_path / "r.jsonl", '{"id": "1", "text": "青石桥昨日通车。"}\n{"id": "2", "text": "柚园村丰收。"}'
    )
    build_archive([records], index, HashingEncoder())
    remove_from_archive(["r.jsonl#1"], index, HashingEncoder())
    add_to_archive([records], index, HashingEncoder())
    assert names(index) == ["r.jsonl#1", "r.jsonl#2"]


def test_a_file_below_a_folder_of_the_archive_is_added_as_part_of_it(tmp_path: Path, index: Path) -> None:
    folder = tmp_path / "folder"
    one = write(folder / "one.txt", "青石桥昨日通车。")
    write(folder / "two.txt", "柚园村丰收。")
    build_archive([folder], index, HashingEncoder())
    add_to_archive([one], index, HashingEncoder())
    one.unlink()
    inputs = [Path(name) for name in read_manifest(IndexFolder(index).current()).inputs]
    build_archive(inputs, index, HashingEncoder())
    assert names(index) == ["two.txt"]


@pytest.mark.parametrize("fresh", [False, True])
def test_what_cannot_be_listed_is_kept_or_the_build_refused(
    tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch, fresh: bool
) -> None:
    write(tmp_path / "a" / "s" / "p.txt", "青石桥昨日通车。")
    write(tmp_path / "b" / "s" / "p.txt", "柚园村丰收。")
    paths = [tmp_path / "a", tmp_path / "b"]
    build_archive(paths, index, HashingEncoder())
    original = os.scandir

    def failing(path: str) -> Any:
        if str(path) == str(tmp_path / "b" / "s"):
            raise OSError(5, "Input/output error")
        return original(path)

    monkeypatch.setattr("index.finding.os.scandir", failing)
    if fresh:
        with pytest.raises(ArchiveError, match=r"b/s/p\.txt"):
            build_archive(paths, index, HashingEncoder(), fresh=True)
    else:
        build_archive(paths, index, HashingEncoder())
    assert names(index) == ["b/s/p.txt", "s/p.txt"]


def test_a_link_to_where_one_may_not_look_stops_nothing(tmp_path: Path, index: Path) -> None:
    write(tmp_path / "pages" / "x.txt", "青石桥昨日通车。")
    (tmp_path / "pages" / "y.txt").symlink_to("/" + "n" * 300)
    report = build_archive([tmp_path / "pages"], index, HashingEncoder())
    assert [rejection.name for rejection in report.rejections] == ["y.txt"]
    assert names(index) == ["x.txt"]


def test_a_build_of_something_else_keeps_what_an_interrupted_one_has_encoded(
    tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.chunk_size.MOST_TEXTS", 1)
    many = [write(tmp_path / "many" / f"{number}.txt", f"第{number}期报纸昨日出版。") for number in range(4)]
    small = write(tmp_path / "small.txt", "柚园村丰收。")

    class Interrupted(HashingEncoder):
        def encode_passages(
            self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None
        ) -> np.ndarray:
            if len(self.encoded) == 3:
                raise KeyboardInterrupt
            return super().encode_passages(texts, progress)

    with pytest.raises(KeyboardInterrupt):
        build_archive([many[0].parent], index, Interrupted())
    build_archive([small], index, HashingEncoder())
    encoder = HashingEncoder()
    build_archive([many[0].parent], index, encoder)
    assert len(encoder.encoded) == 1
    assert not (index / "unfinished.vectors").exists()


def test_a_vector_that_is_no_number_is_refused_and_not_kept(tmp_path: Path, index: Path) -> None:
    class Broken(HashingEncoder):
        def encode_passages(
            self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None
        ) -> np.ndarray:
            return np.full((len(texts), self.identity.dimension), np.nan, np.float32)

    page = write(tmp_path / "x.txt", "青石桥昨日通车。")
    with pytest.raises(EncoderError, match="length nan"):
        build_archive([page], index, Broken())
    assert build_archive([page], index, HashingEncoder()).counts.passages == 1


def test_a_fresh_build_encodes_again(tmp_path: Path, index: Path) -> None:
    page = write(tmp_path / "x.txt", "青石桥昨日通车。")
    build_archive([page], index, HashingEncoder())
    encoder = HashingEncoder()
    build_archive([page], index, encoder, fresh=True)
    assert len(encoder.encoded) == 1


def test_builds_that_change_no_text_leave_what_a_rollback_goes_back_to(tmp_path: Path, index: Path) -> None:
    page = write(tmp_path / "x.txt", "青石桥昨日通车。")
    build_archive([page], index, HashingEncoder())
    page.write_text("柚园村丰收。", encoding="utf-8")
    build_archive([page], index, HashingEncoder())
    for number in (1, 2):
        os.utime(page, (LONG_AGO + number, LONG_AGO + number))
        build_archive([page], index, HashingEncoder())
    roll_back(IndexFolder(index))
    assert texts(index) == ["青石桥昨日通车。"]


def test_a_generation_in_use_is_never_removed_for_a_read_error_after_the_switch(
    tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = write(tmp_path / "x.txt", "青石桥昨日通车。")
    build_archive([page], index, HashingEncoder())
    page.write_text("柚园村丰收。", encoding="utf-8")
    switch, read = IndexFolder.switch_to, Path.read_text

    def switch_then_fail(self: IndexFolder, generation: Any) -> None:
        switch(self, generation)
        monkeypatch.setattr(Path, "read_text", failing)

    def failing(self: Path, *arguments: Any, **named: Any) -> str:
        if self.name == "CURRENT":
            raise OSError(24, "Too many open files")
        return read(self, *arguments, **named)

    monkeypatch.setattr(IndexFolder, "switch_to", switch_then_fail)
    build_archive([page], index, HashingEncoder())
    monkeypatch.undo()
    assert texts(index) == ["柚园村丰收。"]


def test_one_file_that_brings_out_a_fault_does_not_stop_the_others(
    tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import index.read_changed as module

    write(tmp_path / "pages" / "a.txt", "青石桥昨日通车。")
    write(tmp_path / "pages" / "b.txt", "柚园村丰收。")
    original = module.split_page

    def faulty(source: Any) -> Any:
        if source.name == "a.txt":
            raise ZeroDivisionError
        return original(source)

    monkeypatch.setattr(module, "split_page", faulty)
    report = build_archive([tmp_path / "pages"], index, HashingEncoder())
    assert [rejection.name for rejection in report.rejections] == ["a.txt"]
    assert "ZeroDivisionError" in caplog.text
    assert names(index) == ["b.txt"]
    monkeypatch.undo()
    build_archive([tmp_path / "pages"], index, HashingEncoder())
    assert names(index) == ["a.txt", "b.txt"]
