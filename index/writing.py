"""The right to write to an index folder, and what is cleaned up with it."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timezone

from filelock import FileLock, Timeout

from index.errors import ArchiveError, InputError, NotFoundError
from index.layout import Generation, IndexFolder, replace_file
from index.manifest import parse_manifest


@dataclass(frozen=True)
class Holder:
    """Who writes to an index folder: the process, its machine, and since when (ISO, UTC)."""

    pid: int
    host: str
    since: str


@contextmanager
def one_writer(index: IndexFolder) -> Iterator[None]:
    """Hold the index folder's write lock, which the system gives back if the holder dies.

    Raises:
        ArchiveError: another process holds it; the message says which.
        InputError: the folder cannot be written to.
    """
    lock = FileLock(index.lock, timeout=0)
    try:
        lock.acquire()
        holder = Holder(os.getpid(), socket.gethostname(), datetime.now(timezone.utc).isoformat(timespec="seconds"))
        replace_file(index.lock_holder, json.dumps(asdict(holder)))
    except Timeout:
        holds = _holder(index)
        by = f"process {holds.pid} on {holds.host}, since {holds.since}" if holds else f"it holds {index.lock.name}"
        raise ArchiveError(
            f"Another build is writing to {index.folder} ({by}). "
            "Wait until it has finished, or name another folder with --index DIR."
        ) from None
    except OSError as error:
        lock.release()
        raise InputError(
            f"The index folder {index.folder} cannot be written to ({error.strerror}). "
            "Check its permissions, or name another one with --index DIR."
        ) from error
    try:
        yield
    finally:
        index.lock_holder.unlink(missing_ok=True)
        lock.release()


def _holder(index: IndexFolder) -> Holder | None:
    try:
        return Holder(**json.loads(index.lock_holder.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None  # it has just taken the lock, or just given it back


def remove_abandoned(index: IndexFolder) -> None:
    """Remove what a build that died left behind: generations without a manifest. Called by the one writer only."""
    if index.generations.is_dir():
        for folder in index.generations.iterdir():
            if folder.is_dir() and not Generation(folder).manifest.exists():
                shutil.rmtree(folder, ignore_errors=True)


def in_use(index: IndexFolder) -> Generation | None:
    """Return the generation in use, None where there is none that can be opened."""
    try:
        return index.current()
    except (NotFoundError, ArchiveError):
        return None  # the first build, or one that replaces a damaged archive


def is_named_in_use(index: IndexFolder, generation: Generation) -> bool:
    """Say whether a generation is the one in use; where that cannot be read, it may be, and must not be removed."""
    try:
        return index.current_file.read_text(encoding="utf-8", errors="replace").strip() == generation.id
    except FileNotFoundError:
        return False
    except OSError:
        return True


def remove_superseded(index: IndexFolder, new: Generation, before: Generation | None) -> None:
    """Keep the new generation and the one in use before it; if their texts are the same, the last one of others too."""
    generations = sorted((Generation(folder) for folder in index.generations.iterdir()), key=lambda one: one.id)
    kept = [new, before]
    if before and not has_other_texts(before, new):
        kept += [one for one in generations if one.id < before.id and has_other_texts(one, new)][-1:]
    for generation in generations:
        if generation not in kept:
            shutil.rmtree(generation.folder, ignore_errors=True)


def has_other_texts(one: Generation, other: Generation) -> bool:
    """Say whether two generations that can be used hold different passages, by their vectors."""
    try:
        first, second = (parse_manifest(generation).files for generation in (one, other))
    except ArchiveError:
        return False
    return first.get(one.vectors.name) != second.get(other.vectors.name)
