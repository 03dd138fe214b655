"""Follow files and folders: when they have changed and been quiet for a while, build the archive again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from index.build import BuildReport, build_archive
from index.changes import has_files_to_read_again
from index.encoder import Encoder
from index.errors import ArchiveError, NotFoundError, WenbaoError
from index.inputs import digest_paths, named_inputs
from index.layout import IndexFolder
from index.manifest import read_manifest
from index.progress import OnProgress

DEFAULT_QUIET = 5.0
# However busy the files are, they are built again after so many seconds.
_LONGEST_WAIT = 600.0
# The archive is compared with the files then, even if nothing was noticed: another writer may have finished.
_RETRY_SECONDS = 30.0


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
        paths: Files and folders to index.
        folder: Where the archive lies.
        encoder: As for `build_archive`.
        on_progress: As for `build_archive`.
        quiet: Seconds without a change to wait for before building.
        stop: When it is set, the iteration ends within a few seconds.
    """
    from watchfiles import watch

    changes = watch(
        *paths,
        watch_filter=None,
        step=max(int(quiet * 1000), 1),
        debounce=int(max(_LONGEST_WAIT, quiet) * 1000),
        rust_timeout=int(_RETRY_SECONDS * 1000),
        yield_on_timeout=True,
        stop_event=stop,
        ignore_permission_denied=True,
    )
    # Asked after every wait, also when nothing was noticed: files may change during a build, or be put in the place of
    # those that are followed.
    told = ""
    while True:
        try:
            report = (
                None if is_up_to_date(paths, folder, encoder) else build_archive(paths, folder, encoder, on_progress)
            )
        except WenbaoError as error:
            yield error
        else:
            if report and report.generation != told:  # not again that a file still cannot be read
                told = report.generation
                yield report
        next(changes, None)
        if stop is not None and stop.is_set():
            return


def is_up_to_date(paths: Sequence[Path], folder: Path, encoder: Encoder) -> bool:
    """Say whether the archive in a folder was built with this encoder from these paths, and the files as they are now.

    Files are compared by name, size and time; one that could not be read for a reason that may pass is not up to date.

    Raises:
        InputError: a path does not exist.
    """
    try:
        generation = IndexFolder(folder).current()
        manifest = read_manifest(generation)
        if has_files_to_read_again(generation.database):
            return False
    except (NotFoundError, ArchiveError):
        return False
    if manifest.inputs != named_inputs(paths):
        return False
    return manifest.encoder.is_same_model(encoder.identity) and manifest.inputs_digest == digest_paths(paths)
