"""The right to write to an index folder, and what is cleaned up with it."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timezone

import psutil
from filelock import FileLock, Timeout

from index.errors import ArchiveError, InputError, NotFoundError
from index.layout import Generation, IndexFolder, replace_file
from index.manifest import parse_manifest

# So much may a clock be set while a build runs; a process that began later is not the one that took the lock.
_CLOCK_SET_SECONDS = 60


@dataclass(frozen=True)
class Holder:
    """Who writes to an index folder: the process, its machine, and since when (ISO, UTC)."""

    pid: int
    host: str
    since: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, since {self.since}"


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
        raise ArchiveError(
            f"Another build is writing to {index.folder} ({holds or f'it holds {index.lock.name}'}). "
            "Wait until it has finished, or name another folder with --index DIR."
        ) from None
    except OSError as error:
        lock.release()
        raise _unwritable(index, error) from error
    try:
        yield
    finally:
        with suppress(OSError):  # what it says of a process that has ended misleads nobody
            index.lock_holder.unlink(missing_ok=True)
        lock.release()


def _unwritable(index: IndexFolder, error: OSError) -> InputError:
    return InputError(
        f"The index folder {index.folder} cannot be written to ({error.strerror}). "
        "Check its permissions, or name another one with --index DIR."
    )


def _holder(index: IndexFolder) -> Holder | None:
    try:
        return Holder(**json.loads(index.lock_holder.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None  # it has just taken the lock, or just given it back


def writer_at_work(index: IndexFolder) -> Holder | None:
    """Return who is writing to the folder now, None if nobody is; one on another machine is taken at its last word.

    The lock itself is not tried: it is not for those who may only read, and would be in a writer's way.
    """
    holder = _holder(index)
    if holder is None or holder.host != socket.gethostname():
        return holder
    try:
        began = psutil.Process(holder.pid).create_time()
        return holder if began <= datetime.fromisoformat(holder.since).timestamp() + _CLOCK_SET_SECONDS else None
    except (psutil.NoSuchProcess, ValueError, TypeError):
        return None
    except psutil.Error:
        return holder


def remove_abandoned(index: IndexFolder) -> list[str]:
    """Remove what a writer that died left behind: generations that were never in use, or that it was removing.

    Called by the one writer only. Return their names.

    Raises:
        InputError: the folder cannot be written to.
    """
    removed = []
    current = in_use(index)
    try:
        for generation in generations_of(index):
            if generation == current:
                generation.mark_used()
            elif not generation.was_in_use() and not is_named_in_use(index, generation):
                removed += [generation.id] if remove(generation) else []
    except OSError as error:
        raise _unwritable(index, error) from error
    return removed


def generations_of(index: IndexFolder) -> list[Generation]:
    """Return the generations on disk, whatever their state, oldest first."""
    if not index.generations.is_dir():
        return []
    return [Generation(folder) for folder in sorted(index.generations.iterdir()) if folder.is_dir()]


def remove(generation: Generation) -> bool:
    """Remove a generation, and say whether that could be done.

    What a crash or a refusal of the disk leaves of it has no manifest, and is removed by the next writer.
    """
    with suppress(OSError):
        generation.manifest.unlink(missing_ok=True)
        shutil.rmtree(generation.folder)
    return not generation.folder.exists()


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
    generations = generations_of(index)
    kept = [new, before]
    if before and not has_other_texts(before, new):
        kept += [one for one in generations if one.id < before.id and has_other_texts(one, new)][-1:]
    for generation in generations:
        if generation not in kept:
            remove(generation)


def has_other_texts(one: Generation, other: Generation) -> bool:
    """Say whether two generations that can be used hold different passages, by their vectors."""
    try:
        first, second = (parse_manifest(generation).files for generation in (one, other))
    except ArchiveError:
        return False
    return first.get(one.vectors.name) != second.get(other.vectors.name)
