"""What has changed in the files since an archive was built: they are told apart by size and time, then by content."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

from index.database import DatabaseReader
from index.finding import SourceFile
from index.layout import stream_digest
from index.opening import open_regular
from index.reading import DEFAULT_LIMITS, UnreadableError, printable

# A file may change again within one tick of its file system's clock and look as before. The coarsest tick is 2 s (FAT).
SETTLED_NS = 2_000_000_000


class KnownFile(NamedTuple):
    """What a file was when it was read, or refused for good; plain, as a `SourceFile` is.

    `mtime_ns` is the time of its last change, 0 where it may have changed since. `sha256` is empty where it was not
    read to its end for a reason that may pass: then it has to be read again whatever its time says.
    """

    path: str
    size: int
    mtime_ns: int
    sha256: str


@dataclass(frozen=True)
class Changes:
    """Which files have to be read, and which leave the archive; the rest is as it was.

    `touched` have a new time or place and the old content, and `gone` are names.
    """

    new: tuple[SourceFile, ...]
    changed: tuple[SourceFile, ...]
    touched: tuple[SourceFile, ...]
    unchanged: tuple[SourceFile, ...]
    gone: tuple[str, ...]

    @property
    def to_read(self) -> tuple[SourceFile, ...]:
        """The files to read, in the order they were found."""
        return (*self.new, *self.changed)

    def reading_again(self, sources: Collection[str]) -> Changes:
        """Return the same, but the files that these sources are of are read though they have not changed."""
        same = (*self.unchanged, *self.touched)
        again = [file for file in same if any(is_of(source, {file.name}) for source in sources)]
        unchanged, touched = (
            tuple(file for file in files if file not in again) for files in (self.unchanged, self.touched)
        )
        return replace(self, changed=(*self.changed, *again), unchanged=unchanged, touched=touched)


def find_changes(
    files: Sequence[SourceFile],
    known: Mapping[str, KnownFile],
    *,
    keep_missing: bool = False,
    unreadable: Collection[str] = (),
) -> Changes:
    """Compare the files found with those an archive knows.

    One that was refused for good stays refused until it changes; one that was not read for a reason that may pass is
    read again.

    Args:
        files: Those found.
        known: Those of the archive, by name; none for a new one.
        keep_missing: Nothing leaves the archive.
        unreadable: Paths of files and folders that could not be looked at: what is below them is not gone.
    """
    new, changed, touched, unchanged = [], [], [], []
    for file in files:
        before = known.get(file.name)
        if before is None:
            new.append(file)
        elif not before.sha256:
            changed.append(file)
        elif (file.size, file.mtime_ns, file.known_by) == (before.size, before.mtime_ns, before.path):
            unchanged.append(file)
        elif file.size == before.size and content_digest(file) == before.sha256:
            touched.append(file)
        else:
            changed.append(file)
    found = {file.name for file in files}
    gone = tuple(
        name
        for name, before in known.items()
        if not (keep_missing or name in found or is_below(before.path, unreadable))
    )
    return Changes(tuple(new), tuple(changed), tuple(touched), tuple(unchanged), gone)


def known_files(database: Path) -> dict[str, KnownFile]:
    """Return the files that a generation was built from, by name.

    Raises:
        ArchiveError: the database cannot be read.
    """
    reader = DatabaseReader(database)
    try:
        rows = reader.query("SELECT path, size, mtime_ns, sha256, name FROM files ORDER BY rowid")
    finally:
        reader.close()
    return {row[4]: KnownFile._make(row[:4]) for row in rows}


def has_files_to_read_again(database: Path) -> bool:
    """Say whether a generation was built without some files that could not be read, for a reason that may pass.

    Raises:
        ArchiveError: the database cannot be read, or is of an older format.
    """
    reader = DatabaseReader(database)
    try:
        return bool(reader.query("SELECT 1 FROM files WHERE sha256 = '' LIMIT 1"))
    finally:
        reader.close()


def settled_time(file: SourceFile, now_ns: int) -> int:
    """Return the time to know a file by: 0 where it was written to just now, so that its content is compared next."""
    return file.mtime_ns if now_ns - file.mtime_ns > SETTLED_NS else 0


def is_of(source: str, files: Collection[str]) -> bool:
    """Say whether a source is one of the files, or a record of one (`#` and its id behind the file's name)."""
    return source in files or any(source[: mark.start()] in files for mark in re.finditer("#", source))


def is_below(path: str, folders: Collection[str]) -> bool:
    """Say whether a path is one of the folders (or files), or lies below one."""
    return path in folders or path.startswith(tuple(folder.rstrip(os.sep) + os.sep for folder in folders))


def named_apart(files: Sequence[SourceFile], known: Mapping[str, KnownFile]) -> list[SourceFile]:
    """Return the files under names of their own: a known file keeps its name, by its path, and no other file gets it.

    Args:
        files: Those found.
        known: Those of the archive that stay in it, found or not.
    """
    names = {one.path: name for name, one in known.items()}
    taken = set(known)
    apart = []
    for file in files:
        name = names.get(file.known_by)
        if name is None:
            name, number, folder = file.name, 1, printable(file.path.absolute().parent.name or "root")
            while name in taken:
                name = f"{folder}/{file.name}" if number == 1 else f"{folder}-{number}/{file.name}"
                number += 1
        taken.add(name)
        apart.append(file if name == file.name else file._replace(name=name))
    return apart


@cache
def reading_code() -> str:
    """Return a digest of this package's code: what another version has read and cut is read and cut anew."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:32]


def content_digest(file: SourceFile) -> str:
    """Return the sha256 of a file's bytes, its size where it is larger than any that is read; empty if unreadable."""
    if file.size > max(DEFAULT_LIMITS.records_bytes, DEFAULT_LIMITS.pdf_bytes):
        return f"{file.size} bytes"
    try:
        with open_regular(file.path) as stream:
            return stream_digest(stream)
    except (OSError, UnreadableError):
        return ""  # reading it says what is the matter
