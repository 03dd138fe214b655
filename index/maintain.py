"""Adding files to an archive and removing sources from it, without reading the rest again."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from index.base import Base, left_out, require_none_missing
from index.build import BuildReport, build
from index.changes import Changes, is_below, is_of
from index.database import DatabaseReader
from index.encoder import Encoder
from index.errors import ArchiveError, InputError
from index.finding import SourceFile, find_files, stored_path
from index.inputs import built_from, named_inputs
from index.layout import IndexFolder
from index.plan import Work, plan_build
from index.progress import OnProgress
from index.records import Rejection

_SHOWN = 3


def add_to_archive(
    paths: Sequence[Path], folder: Path, encoder: Encoder, on_progress: OnProgress = lambda progress: None
) -> BuildReport:
    """Take the files at `paths` into an archive, beside what it was built from; nothing leaves it.

    What was removed by name comes back when its file is among them.

    Raises:
        NotFoundError: there is no archive.
        InputError: a path does not exist, or no file could be read.
        ArchiveError: another build is at work, or the archive or the new generation does not pass its checks.
    """
    IndexFolder(folder).current()
    return build(partial(plan_added, paths), folder, encoder, on_progress)


def plan_added(paths: Sequence[Path], index: IndexFolder, base: Base | None) -> Work:
    """Return what `add_to_archive` is to do, going out from a base; it raises the same."""
    given = find_files(paths)
    inputs = built_from(index)
    beside = [path for path in paths if not is_below(stored_path(path), named_inputs(inputs))]
    everything = [*(path for path in inputs if os.path.lexists(path)), *beside]
    out = left_out(index)
    returning = _names(given, everything) if out else frozenset()
    still_out = frozenset(name for name in out if not is_of(name, returning))
    work = plan_build(everything, base, still_out, keep_missing=True)
    changes = work.changes.reading_again(out - still_out)
    work = replace(work, inputs=named_inputs([*inputs, *beside]), changes=changes)
    if base is None:
        require_none_missing(index, work.changes.new)
    return work


def _names(given: Iterable[SourceFile | Rejection], everything: Sequence[Path]) -> frozenset[str]:
    """Return the names that files which were found have where everything is looked through."""
    wanted = {found.path.resolve() for found in given if isinstance(found, SourceFile)}
    found_there = (found for found in find_files(everything) if isinstance(found, SourceFile))
    return frozenset(found.name for found in found_there if found.path.resolve() in wanted)


def remove_from_archive(
    names: Sequence[str], folder: Path, encoder: Encoder, on_progress: OnProgress = lambda progress: None
) -> BuildReport:
    """Remove sources, or files with all their sources, by name; later builds leave them out too.

    Raises:
        NotFoundError: there is no archive.
        InputError: a name is not in the archive, or nothing would be left.
        ArchiveError: another build is at work, or the archive is damaged, or built by another version.
    """
    IndexFolder(folder).current()
    return build(partial(plan_removed, names), folder, encoder, on_progress)


def plan_removed(names: Sequence[str], index: IndexFolder, base: Base | None) -> Work:
    """Return what `remove_from_archive` is to do, going out from a base; it raises the same."""
    if base is None:
        raise ArchiveError(
            f"The archive in {index.folder} is damaged, or was built by another version of Wenbao or with another "
            "model. Build it again first: wenbao index build PATH"
        )
    reader = DatabaseReader(base.generation.database)
    sources = {name for (name,) in reader.query("SELECT name FROM sources")}
    reader.close()
    _require_known(names, sources | base.files.keys())
    files = tuple(name for name in names if name in base.files)
    return Work(
        inputs=base.manifest.inputs,
        inputs_digest=base.manifest.inputs_digest,
        changes=Changes((), (), (), (), gone=files),
        removed=tuple(name for name in names if name not in base.files),
        left_out=left_out(index) | frozenset(names),
    )


def _require_known(names: Sequence[str], known: set[str]) -> None:
    unknown = [name for name in names if name not in known]
    if unknown:
        near = difflib.get_close_matches(unknown[0], sorted(known), n=_SHOWN, cutoff=0.5)
        hint = f" Near it are: {', '.join(near)}." if near else ""
        raise InputError(
            f"The archive holds no source or file {unknown[0]!r}.{hint} Names are listed by wenbao index info --json."
        )
