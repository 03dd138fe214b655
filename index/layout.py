"""The names of an archive's files on disk, and the switch from one generation to the next."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import BinaryIO

from index.cpu import usable_cores
from index.errors import ArchiveError, NotFoundError

_DIGEST_CHUNK = 1 << 20


@dataclass(frozen=True)
class Generation:
    """The files of one generation."""

    folder: Path

    @property
    def id(self) -> str:
        """The generation's name."""
        return self.folder.name

    @property
    def manifest(self) -> Path:
        """Format, encoder, counts, and size and digest of every other file."""
        return self.folder / "manifest.json"

    @property
    def database(self) -> Path:
        """Sources, articles and passages."""
        return self.folder / "articles.sqlite"

    @property
    def vectors(self) -> Path:
        """The passages' vectors."""
        return self.folder / "vectors.faiss"

    @property
    def keywords(self) -> Path:
        """The folder of the keyword index."""
        return self.folder / "keywords"

    @property
    def unused(self) -> Path:
        """The file that is there until the generation has been put in use."""
        return self.folder / "UNUSED"

    def was_in_use(self) -> bool:
        """Say whether the generation is, or was, in use. No other is known to be whole."""
        return self.manifest.exists() and not self.unused.exists()

    def mark_used(self) -> None:
        """Note, for good, that the generation has been put in use."""
        if self.unused.exists():
            self.unused.unlink()
            sync(self.folder)

    def files(self) -> list[Path]:
        """Return every file of the generation but the manifest, marks and lock files, sorted."""
        return sorted(
            path
            for path in self.folder.rglob("*")
            if path.is_file()
            and path not in (self.manifest, self.unused)
            and path.suffix != ".lock"
            and not path.name.endswith("-journal")
        )

    def named_files(self) -> dict[str, Path]:
        """Return `files` by their paths inside the generation, as a manifest names them."""
        return {path.relative_to(self.folder).as_posix(): path for path in self.files()}


@dataclass(frozen=True)
class IndexFolder:
    """The folder that holds the generations of an archive and says which one is in use."""

    folder: Path

    @property
    def current_file(self) -> Path:
        """The file that names the generation in use."""
        return self.folder / "CURRENT"

    @property
    def generations(self) -> Path:
        """The folder of the generations."""
        return self.folder / "generations"

    @property
    def lock(self) -> Path:
        """The file that the one writer holds locked."""
        return self.folder / "build.lock"

    @property
    def lock_holder(self) -> Path:
        """The file that says who that is."""
        return self.folder / "build.holder"

    def current_name(self) -> str:
        """Return what CURRENT says.

        Raises:
            NotFoundError: there is no archive in the folder.
            ArchiveError: it cannot be read.
        """
        try:
            return self.current_file.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            raise NotFoundError(
                f"There is no archive in {self.folder} (no file CURRENT). Build one: "
                f"wenbao index build PATH --index {self.folder}"
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise ArchiveError(
                f"{self.current_file} cannot be read ({error}). Check its permissions, or rebuild."
            ) from error

    def current(self) -> Generation:
        """Return the generation in use.

        Raises:
            NotFoundError: there is no archive in the folder.
            ArchiveError: CURRENT names no generation that exists.
        """
        name = self.current_name()
        generation = Generation(self.generations / name)
        if not name or Path(name).name != name or not generation.folder.is_dir():
            raise ArchiveError(
                f"{self.current_file} names the generation {name[:80]!r}, which is not in {self.generations}. "
                "Rebuild the archive: wenbao index build PATH"
            )
        return generation

    def new_generation(self) -> Generation:
        """Make the folder of a new generation, which nobody reads before `switch_to`."""
        stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S%f")
        generation = Generation(self.generations / f"{stamp}-{secrets.token_hex(3)}")
        generation.folder.mkdir(parents=True)
        generation.unused.touch()
        sync(generation.folder)
        return generation

    def switch_to(self, generation: Generation) -> None:
        """Put the generation in use, atomically: a crash leaves the old one or the new one, never neither."""
        for path in [*generation.files(), generation.manifest]:
            sync(path)
        for folder in [generation.keywords, generation.folder, self.generations]:
            sync(folder)
        replace_file(self.current_file, f"{generation.id}\n")
        with suppress(OSError):  # it is in use, and the next writer sees that it is
            generation.mark_used()


def sync(path: Path) -> None:
    """Make a file's bytes, or a folder's entries, survive a power cut (Windows has no such call for them)."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, content: str | bytes) -> None:
    """Replace a file's content, text as UTF-8, in one step that survives a crash."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("wb") as file:
            file.write(content.encode("utf-8") if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync(path.parent)


def file_digest(path: Path) -> str:
    """Return the sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return stream_digest(file)


def file_digests(paths: Sequence[Path]) -> list[str]:
    """Return the sha256 of each file, in hexadecimal; several are read side by side."""
    with ThreadPoolExecutor(usable_cores(), thread_name_prefix="digests") as pool:
        return list(pool.map(file_digest, paths))


def stream_digest(stream: BinaryIO) -> str:
    """Return the sha256 of what is left of a stream, in hexadecimal."""
    digest = hashlib.sha256()
    while chunk := stream.read(_DIGEST_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()
