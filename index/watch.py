"""Follow files and folders: when they have changed and been quiet for a while, build the archive again."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, Protocol

from index.base import Base
from index.build import BuildReport, build
from index.changes import has_files_to_read_again
from index.encoder import Encoder
from index.errors import ArchiveError, NotFoundError, WenbaoError
from index.inputs import built_from, digest_paths, named_inputs
from index.layout import IndexFolder
from index.manifest import read_manifest
from index.plan import Work, plan_archive
from index.progress import OnProgress

DEFAULT_QUIET = 5.0
# However busy the files are, they are built again after so many seconds.
_LONGEST_WAIT = 600.0
# The archive is compared with the files then, even if nothing was noticed: another writer may have finished.
_RETRY_SECONDS = 30.0
# Where the system does not say what changes, all files are looked at twice in the quiet time, but not more often.
_LEAST_LOOK_SECONDS = 1.0
_STOP_SECONDS = 0.5
# Files that cannot be read are tried again then, and ever more rarely.
_LONGEST_RETRY = 1800.0


class Stop(Protocol):
    """Says when to stop, as `threading.Event` does."""

    def is_set(self) -> bool:
        """Say whether to stop."""
        ...


def watch_archive(
    paths: Sequence[Path],
    folder: Path,
    encoder: Encoder,
    on_progress: OnProgress = lambda progress: None,
    *,
    quiet: float = DEFAULT_QUIET,
    stop: Stop | None = None,
) -> Iterator[BuildReport | WenbaoError]:
    """Bring the archive up to date now and after every change; yield the report of each build, or why it failed.

    A build that fails leaves the archive in use as it was, and is tried again.

    Args:
        paths: Files and folders to index; what another command adds to the archive meanwhile stays in it.
        folder: Where the archive lies.
        encoder: As for `build_archive`.
        on_progress: As for `build_archive`.
        quiet: Seconds without a change to wait for before building.
        stop: When it is set, the iteration ends within a few seconds.
    """
    waits = _waits(paths, quiet, stop)
    named, begun = paths, False

    def plan(index: IndexFolder, base: Base | None) -> Work:
        # By the one writer: another may have added files since the archive was compared with them.
        return plan_archive(_with_added(named, folder) if begun else named, index, base, keep_missing=False)

    # Asked after every wait, also when nothing was noticed: files may change during a build, or be put in the place of
    # those that are followed.
    told, retry_at, wait = "", 0.0, _RETRY_SECONDS
    while True:
        try:
            needed = what_is_needed(paths, folder, encoder)
            if needed == "build" or (needed == "retry" and time.monotonic() >= retry_at):
                report = build(plan, folder, encoder, on_progress)
                wait = min(2 * wait, _LONGEST_RETRY) if needed == "retry" else _RETRY_SECONDS
                retry_at = time.monotonic() + wait
                if report.generation != told:  # not again that a file still cannot be read
                    told = report.generation
                    yield report
        except WenbaoError as error:
            yield error
        except OSError as error:
            yield ArchiveError(
                f"The files could not be compared with the archive ({error}). Check permissions and disk."
            )
        trouble = next(waits, None)
        if stop is not None and stop.is_set():
            return
        if trouble is not None:
            yield trouble
        paths, begun = _with_added(named, folder), True


def _waits(paths: Sequence[Path], quiet: float, stop: Stop | None) -> Iterator[ArchiveError | None]:
    """Wait, each time for changes or for as long as one may go without looking, until told to stop.

    Where the system cannot say what changes, that is told, and all files are looked at again and again instead.
    """
    from watchfiles import watch

    looking = False
    between = max(quiet / 2, _LEAST_LOOK_SECONDS)
    while True:
        try:
            for _ in watch(
                *paths,
                watch_filter=None,
                step=max(int((2 * between if looking else quiet) * 1000), 1),
                debounce=int(max(_LONGEST_WAIT, quiet) * 1000),
                rust_timeout=int(_RETRY_SECONDS * 1000),
                yield_on_timeout=True,
                stop_event=stop,
                force_polling=looking or None,
                poll_delay_ms=int(between * 1000),
                ignore_permission_denied=True,
            ):
                yield None
        except FileNotFoundError:  # noqa: PERF203 - what is missing is told where the files are compared
            looking = False
            _pause(_RETRY_SECONDS, stop)
            yield None
        except (OSError, RuntimeError) as error:
            if looking:
                _pause(_RETRY_SECONDS, stop)
                yield ArchiveError(f"The files cannot be looked at ({error}). It is tried again.")
            else:
                yield ArchiveError(
                    f"The system cannot say which files change ({error}). All are looked at every {between:g} s "
                    "instead. On Linux, raise the limit and begin again: sysctl fs.inotify.max_user_watches=1048576"
                )
            looking = not looking
        else:
            return


def _pause(seconds: float, stop: Stop | None) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not (stop is not None and stop.is_set()):
        time.sleep(min(_STOP_SECONDS, seconds))


def _with_added(paths: Sequence[Path], folder: Path) -> Sequence[Path]:
    """Return what the archive was built from, where that is the paths and others that were added."""
    try:
        inputs = built_from(IndexFolder(folder))
    except (NotFoundError, ArchiveError):
        return paths
    return inputs if set(named_inputs(paths)) < set(named_inputs(inputs)) else paths


def is_up_to_date(paths: Sequence[Path], folder: Path, encoder: Encoder) -> bool:
    """Say whether nothing is needed (see `what_is_needed`).

    Raises:
        InputError: a path does not exist.
    """
    return what_is_needed(paths, folder, encoder) == "nothing"


def what_is_needed(paths: Sequence[Path], folder: Path, encoder: Encoder) -> Literal["nothing", "retry", "build"]:
    """Say whether the archive in a folder was built with this encoder from these paths, and the files as they are now.

    Files are compared by name, size and time. `retry` is needed where only files that could not be read, for a reason
    that may pass, are not up to date.

    Raises:
        InputError: a path does not exist.
    """
    try:
        generation = IndexFolder(folder).current()
        manifest = read_manifest(generation)
        retry = has_files_to_read_again(generation.database)
    except (NotFoundError, ArchiveError):
        return "build"
    if manifest.inputs != named_inputs(paths) or not manifest.encoder.is_same_model(encoder.identity):
        return "build"
    if manifest.inputs_digest != digest_paths(paths):
        return "build"
    return "retry" if retry else "nothing"
