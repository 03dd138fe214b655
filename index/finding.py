"""Which files there are to read: the folders walked, links followed with care, every file under a name of its own."""

from __future__ import annotations

import errno
import os
import stat
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from index.errors import InputError
from index.opening import not_regular
from index.reading import printable
from index.records import MediaType, Rejection

MEDIA_TYPES: dict[str, MediaType] = {
    ".txt": "text",
    ".md": "markdown",
    ".html": "html",
    ".htm": "html",
    ".pdf": "pdf",
    ".csv": "csv",
    ".jsonl": "jsonl",
}
_SKIPPED_NAMES = {"readme.md", "readme.txt"}
_NOTHING_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class SourceFile(NamedTuple):
    """A file that was found and not yet read.

    Plain and as text, since an archive has tens of thousands of them, of which a build reads a few.

    Attributes:
        location: the path where it is.
        name: its path below the folder that was given, with `/`, or its file name if it was given itself.
        size: bytes on disk.
        mtime_ns: time of the last change, in nanoseconds.
        known_by: the path that it is known again by.
    """

    location: str
    name: str
    size: int
    mtime_ns: int
    known_by: str

    @property
    def path(self) -> Path:
        """Where it is."""
        return Path(self.location)


def find_files(paths: Sequence[Path]) -> Iterator[SourceFile | Rejection]:
    """Find the files to read in folders and among single paths, in the order of `paths` and sorted by name in each.

    In folders, `README.md`, `README.txt`, hidden entries and unsupported suffixes are skipped; named directly, a file
    is taken whatever its name, and rejected if its suffix is not supported. A file is found once, however many links or
    paths lead to it. Links are followed as long as they stay inside one of the folders given; others are rejected,
    because an archive must not publish what somebody merely linked to. If two files would have the same name, the later
    one's is prefixed with the name of its folder, and numbered if that is taken too.

    Raises:
        InputError: no path is given, or one does not exist.
    """
    if not paths:
        raise InputError("no files or folders were given to read; give at least one path")
    missing = [path for path in paths if not os.path.lexists(path)]
    if missing:
        names = ", ".join(printable(str(path)) for path in missing)
        raise InputError(f"these paths do not exist: {names}; check the spelling, or give other files or folders")
    return _Search(paths).run()


def media_type(path: Path) -> MediaType | None:
    """Return what kind of file the suffix names, `.gz` set aside (except for PDF), or None if it is not supported."""
    return _media_type(path.name)


def _media_type(name: str) -> MediaType | None:
    stem, mark, suffix = name.rpartition(".")
    if stem.strip(".") and mark + suffix in MEDIA_TYPES:  # nearly all: what follows takes several times as long
        return MEDIA_TYPES[mark + suffix]
    suffixes = name.lower().lstrip(".").split(".")[1:]
    gzipped = bool(suffixes) and suffixes[-1] == "gz"
    kinds = suffixes[:-1] if gzipped else suffixes
    found = MEDIA_TYPES.get(f".{kinds[-1]}") if kinds else None
    return None if gzipped and found == "pdf" else found


def is_gzipped(path: Path) -> bool:
    """Say whether the suffix names a gzip file."""
    return path.suffix.lower() == ".gz"


class _Search:
    """One run of `find_files`: what was seen, which names are taken, what could not be followed."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._roots = [Path(os.path.realpath(path)) for path in paths]
        self._seen: defaultdict[int, set[int]] = defaultdict(set)
        self._names: set[str] = set()

    def run(self) -> Iterator[SourceFile | Rejection]:
        for path in self._paths:
            try:
                status = path.stat()
            except OSError as error:  # noqa: PERF203 (one bad path must not end the search)
                yield _unreadable(path, printable(path.name or str(path)), error)
            else:
                if stat.S_ISDIR(status.st_mode):
                    yield from self._folder(path)
                else:
                    yield from self._named(path, status)

    def _named(self, path: Path, status: os.stat_result) -> Iterator[SourceFile | Rejection]:
        name = printable(path.name)
        if media_type(path) is None:
            supported = " ".join(MEDIA_TYPES)
            yield Rejection(
                name, f"its suffix {printable(path.suffix)!r} is not supported", f"convert it to one of {supported}"
            )
        elif not stat.S_ISREG(status.st_mode):
            error = not_regular()
            yield Rejection(name, error.reason, error.remedy)
        elif self._is_new(status):
            yield self._file(str(path), name, path.absolute().parent, status)

    def _folder(self, root: Path) -> Iterator[SourceFile | Rejection]:
        found: list[tuple[str, SourceFile | Rejection]] = []
        links: list[Path] = []
        self._walk(root, root, found, links)
        # Links come last, so that a file that is there itself is found under its own name and not under a link's.
        for link in sorted(links):
            self._follow(root, link, found)
        yield from (item for _, item in sorted(found, key=lambda pair: pair[0]))

    def _walk(
        self, root: Path, top: Path, found: list[tuple[str, SourceFile | Rejection]], links: list[Path] | None
    ) -> None:
        """Collect what lies under `top`; links go to `links`, or are followed at once where that is None.

        A folder may hold tens of thousands of files: of one that is not wanted no more than its name is looked at.
        """
        folders = [(os.fspath(top), _relative(root, top))]
        while folders:
            folder, below = folders.pop()
            try:
                if not self._is_new(Path(folder).stat()):
                    continue
                with os.scandir(folder) as opened:
                    children = sorted(opened, key=lambda child: child.name, reverse=True)
            except OSError as error:
                name = below or printable(root.name or str(root))
                found.append((name, _unreadable(Path(folder), name, error)))
                continue
            for child in children:
                if child.name.startswith("."):
                    continue
                name = f"{below}/{printable(child.name)}" if below else printable(child.name)
                try:
                    is_link, is_folder = child.is_symlink(), child.is_dir(follow_symlinks=False)
                except OSError as error:
                    found.append((name, _unreadable(Path(child.path), name, error)))
                    continue
                if is_link:
                    if links is None:
                        self._follow(root, Path(child.path), found)
                    else:
                        links.append(Path(child.path))
                elif is_folder:
                    folders.append((child.path, name))
                elif _is_wanted(child.name):
                    self._entry(root, child.path, name, found)

    def _follow(self, root: Path, link: Path, found: list[tuple[str, SourceFile | Rejection]]) -> None:
        target = Path(os.path.realpath(link))
        name = _relative(root, link)
        inside = any(target.is_relative_to(base) for base in self._roots)
        try:
            is_folder = stat.S_ISDIR(target.stat().st_mode)
        except OSError as error:
            if inside and error.errno not in _NOTHING_THERE:  # perhaps a folder: what is known of it is not gone
                found.append((name, _unreadable(link, name, error)))
                return
            is_folder = False
        if not is_folder and not _is_wanted(link.name):
            return
        if not inside:
            reason = f"it links to {printable(str(target))}, outside the folders given"
            found.append((name, Rejection(name, reason, "give what it links to as a path of its own, or copy it here")))
        elif is_folder:
            self._walk(root, link, found, None)
        else:
            self._entry(root, str(link), name, found)

    def _entry(self, root: Path, location: str, name: str, found: list[tuple[str, SourceFile | Rejection]]) -> None:
        try:
            status = os.stat(location)  # noqa: PTH116 - see `SourceFile`
        except OSError as error:
            found.append((name, _unreadable(Path(location), name, error)))
            return
        if not stat.S_ISREG(status.st_mode):
            error_found = not_regular()
            found.append((name, Rejection(name, error_found.reason, error_found.remedy)))
        elif self._is_new(status):
            found.append((name, self._file(location, name, root, status)))

    def _is_new(self, status: os.stat_result) -> bool:
        seen, number = self._seen[status.st_dev], status.st_ino
        if number in seen and number != 0:  # 0 where the file system numbers nothing
            return False
        seen.add(number)
        return True

    def _file(self, location: str, name: str, root: Path, status: os.stat_result) -> SourceFile:
        unique, number = name, 1
        while unique in self._names:
            folder = printable(Path(os.path.realpath(root)).name or "root")
            unique = f"{folder}/{name}" if number == 1 else f"{folder}-{number}/{name}"
            number += 1
        self._names.add(unique)
        return SourceFile(location, unique, status.st_size, status.st_mtime_ns, stored_path(location))


def _is_wanted(name: str) -> bool:
    return _media_type(name) is not None and name.lower() not in _SKIPPED_NAMES


def _relative(root: Path, path: Path) -> str:
    relative = PurePosixPath(path.relative_to(root).as_posix())
    return "" if relative == PurePosixPath(".") else printable(str(relative))


def stored_path(path: Path | str) -> str:
    """Return the path that a file is known again by."""
    text = os.fspath(path)
    return printable(text if os.path.isabs(text) else os.fspath(Path(text).absolute()))  # noqa: PTH117 - see `SourceFile`


def _unreadable(path: Path, name: str, error: OSError) -> Rejection:
    reason = error.strerror or str(error)
    return Rejection(
        name,
        f"it cannot be read: {reason}",
        "check that it exists and that its permissions let you read it",
        passing=True,
        path=stored_path(path),
    )
