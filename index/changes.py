"""What has changed in the files since an archive was built: they are told apart by size and time, then by content."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from index.database import DatabaseReader
from index.finding import SourceFile
from index.layout import file_digest

# A file may change again within one tick of its file system's clock and look as before. The coarsest tick is 2 s (FAT).
SETTLED_NS = 2_000_000_000


@dataclass(frozen=True)
class KnownFile:
    """What a file was when it was read: bytes, time of its last change (0 where it may have changed since), digest."""

    size: int
    mtime_ns: int
    sha256: str
    sources: int


@dataclass(frozen=True)
class Changes:
    """Which files have to be read, and which leave the archive; the rest is as it was.

    `touched` have a new time and the old content, and `gone` are names.
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


def find_changes(files: Sequence[SourceFile], known: Mapping[str, KnownFile], *, keep_missing: bool = False) -> Changes:
    """Compare the files found with those an archive knows.

    A file of which nothing could be read is read again, whatever its time says.

    Args:
        files: Those found.
        known: Those of the archive, by name; none for a new one.
        keep_missing: Nothing leaves the archive.
    """
    new, changed, touched, unchanged = [], [], [], []
    for file in files:
        before = known.get(file.name)
        if before is None:
            new.append(file)
        elif not before.sources:
            changed.append(file)
        elif (file.size, file.mtime_ns) == (before.size, before.mtime_ns):
            unchanged.append(file)
        elif file.size == before.size and _content(file) == before.sha256:
            touched.append(file)
        else:
            changed.append(file)
    found = {file.name for file in files}
    gone = () if keep_missing else tuple(name for name in known if name not in found)
    return Changes(tuple(new), tuple(changed), tuple(touched), tuple(unchanged), gone)


def known_files(database: Path) -> dict[str, KnownFile]:
    """Return the files that a generation was built from, by name.

    Raises:
        ArchiveError: the database cannot be read.
    """
    reader = DatabaseReader(database)
    try:
        rows = reader.query(
            "SELECT files.name, size, mtime_ns, files.sha256, count(sources.row) FROM files"
            " LEFT JOIN sources ON sources.file = files.name GROUP BY files.name ORDER BY files.rowid"
        )
    finally:
        reader.close()
    return {name: KnownFile(int(size), int(mtime), sha256, int(count)) for name, size, mtime, sha256, count in rows}


def settled_time(file: SourceFile, now_ns: int) -> int:
    """Return the time to know a file by: 0 where it was written to just now, so that its content is compared next."""
    return file.mtime_ns if now_ns - file.mtime_ns > SETTLED_NS else 0


def without(files: Sequence[SourceFile], names: Collection[str]) -> list[SourceFile]:
    """Return the files but those of the given names."""
    return [file for file in files if file.name not in names]


@cache
def reading_code() -> str:
    """Return a digest of this package's code: what another version has read and cut is read and cut anew."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:32]


def _content(file: SourceFile) -> str | None:
    try:
        return file_digest(file.path)
    except OSError:
        return None  # reading it says what is the matter
