"""Files are found once, in a stable order, under names that are unique and printable."""

import errno
import os
import socket
from contextlib import contextmanager
from pathlib import Path

import pytest

from index.errors import InputError
from index.records import Rejection
from index.sources import SourceFile, find_files, read_file


def write(path: Path, content: str = "正文") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def names(*paths: Path) -> list[str]:
    return [found.name for found in find_files(paths) if isinstance(found, SourceFile)]


def rejections(*paths: Path) -> list[Rejection]:
    return [found for found in find_files(paths) if isinstance(found, Rejection)]


def test_a_folder_is_walked_in_order_and_what_is_not_for_readers_is_skipped(tmp_path):
    for name in ["b/2.txt", "a.md", "b/1.HTML", "c.jsonl.gz", "README.md", "b/readme.TXT", ".hidden/x.txt", ".y.txt"]:
        write(tmp_path / name)
    write(tmp_path / "photo.jpg")
    write(tmp_path / "d.pdf.gz")
    assert names(tmp_path) == ["a.md", "b/1.HTML", "b/2.txt", "c.jsonl.gz"]
    assert rejections(tmp_path) == []


def test_a_file_given_itself_is_named_by_its_file_name_and_taken_even_if_it_is_a_readme(tmp_path):
    assert names(write(tmp_path / "README.md"), write(tmp_path / "x" / "1.txt")) == ["README.md", "1.txt"]


def test_an_unsupported_file_given_itself_is_rejected_with_what_is_supported(tmp_path):
    (rejection,) = rejections(write(tmp_path / "report.docx"))
    assert rejection.name == "report.docx"
    assert ".docx" in rejection.reason
    assert ".txt" in rejection.remedy


def test_equal_names_from_several_folders_are_told_apart(tmp_path):
    for folder in ["x/2023", "y/2023", "z/2023"]:
        write(tmp_path / folder / "1.txt", folder)
    assert names(*(tmp_path / root / "2023" for root in "xyz")) == ["1.txt", "2023/1.txt", "2023-2/1.txt"]


def test_overlapping_paths_find_a_file_once(tmp_path):
    file = write(tmp_path / "a" / "1.txt")
    assert names(tmp_path, tmp_path / "a", file) == ["a/1.txt"]


def test_a_missing_path_is_an_input_error_before_anything_is_read(tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        find_files([tmp_path, tmp_path / "nowhere"])
    with pytest.raises(InputError):
        find_files([])


def test_links_are_followed_inside_the_folder_once_and_loops_end(tmp_path):
    write(tmp_path / "in" / "z" / "real.txt")
    write(tmp_path / "in" / ".store" / "object")
    (tmp_path / "in" / "a.txt").symlink_to(tmp_path / "in" / "z" / "real.txt")
    (tmp_path / "in" / "b.txt").symlink_to(tmp_path / "in" / ".store" / "object")
    (tmp_path / "in" / "z" / "loop").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "self.txt").symlink_to(tmp_path / "in" / "self.txt")
    assert names(tmp_path / "in") == ["b.txt", "z/real.txt"]
    assert [rejection.name for rejection in rejections(tmp_path / "in")] == ["self.txt"]


def test_a_link_out_of_the_folder_is_rejected_unless_its_target_is_given_too(tmp_path):
    write(tmp_path / "out" / "1.txt")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link.txt").symlink_to(tmp_path / "out" / "1.txt")
    (tmp_path / "in" / "folder").symlink_to(tmp_path / "out")
    assert names(tmp_path / "in") == []
    assert [rejection.name for rejection in rejections(tmp_path / "in")] == ["folder", "link.txt"]
    assert rejections(tmp_path / "in", tmp_path / "out") == []
    (tmp_path / "root").symlink_to(tmp_path / "out")
    assert names(tmp_path / "root") == ["1.txt"]


def test_names_that_are_not_utf8_or_hold_control_characters_become_printable(tmp_path):
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xd0\xc2.txt")).write_text("正文", encoding="utf-8")
    except OSError:
        pytest.skip("the file system takes only UTF-8 names")
    write(tmp_path / "a\nb.txt")
    found = list(find_files([tmp_path]))
    assert [file.name for file in found] == ["\\xd0\\xc2.txt", "a\\u000ab.txt"]
    for file in found:
        file.name.encode("utf-8")
        assert file.name.isprintable()
        assert [source.text for source in read_file(file)] == ["正文"]


def test_pipes_and_sockets_are_rejected_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe.txt")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(tmp_path / "socket.md"))
        assert [rejection.name for rejection in rejections(tmp_path)] == ["pipe.txt", "socket.md"]
        assert len(rejections(tmp_path / "pipe.txt")) == 1
    (rejection,) = read_file(SourceFile(str(tmp_path / "pipe.txt"), "pipe.txt", 0, 0, ""))
    assert "pipe" in rejection.reason


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_folder_is_rejected_and_the_rest_found(tmp_path):
    write(tmp_path / "ok.txt")
    write(tmp_path / "locked" / "1.txt")
    (tmp_path / "locked").chmod(0)
    try:
        assert names(tmp_path) == ["ok.txt"]
        assert [rejection.name for rejection in rejections(tmp_path)] == ["locked"]
    finally:
        (tmp_path / "locked").chmod(0o700)


class Unlookable:
    """A folder's entry on a drive that is away."""

    def __init__(self, entry: os.DirEntry) -> None:
        self.name, self.path = entry.name, entry.path

    def is_symlink(self) -> bool:
        raise OSError(errno.EIO, "Input/output error")


def test_an_entry_that_cannot_be_looked_at_is_rejected_and_the_rest_found(tmp_path, monkeypatch):
    for name in ["a.txt", "b/1.txt", "c.txt"]:
        write(tmp_path / name)
    scan = os.scandir

    @contextmanager
    def failing(folder):
        with scan(folder) as entries:
            yield [Unlookable(entry) if entry.name == "b" else entry for entry in entries]

    monkeypatch.setattr("index.finding.os.scandir", failing)
    assert names(tmp_path) == ["a.txt", "c.txt"]
    (rejection,) = rejections(tmp_path)
    assert (rejection.name, rejection.passing, rejection.path) == ("b", True, str(tmp_path / "b"))


def test_a_link_to_a_folder_that_cannot_be_looked_at_is_rejected_for_now(tmp_path, monkeypatch):
    write(tmp_path / ".store" / "1.txt")
    write(tmp_path / "a.txt")
    (tmp_path / "link").symlink_to(tmp_path / ".store")
    assert names(tmp_path) == ["a.txt", "link/1.txt"]
    status = os.stat

    def failing(path, **options):
        if os.fspath(path) == str(tmp_path / ".store"):
            raise OSError(errno.EIO, "Input/output error")
        return status(path, **options)

    monkeypatch.setattr(os, "stat", failing)
    found = list(find_files([tmp_path]))
    monkeypatch.undo()
    assert [item.name for item in found] == ["a.txt", "link"]
    assert getattr(found[1], "passing", False)
    assert getattr(found[1], "path", "") == str(tmp_path / "link")
