"""What a build is to do: the files that are found, compared with those of the generation that it goes out from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from index.base import Base, is_whole, left_out, likely_base, require_none_missing
from index.changes import Changes, find_changes, is_below, named_apart
from index.encoder import EncoderIdentity
from index.finding import SourceFile, find_files
from index.inputs import built_from, digest_inputs, named_inputs
from index.layout import IndexFolder
from index.manifest import Manifest
from index.memory import collector_paused
from index.records import Rejection
from index.vector_options import VectorOptions

Plan = Callable[[IndexFolder, Base | None], "Work"]


@dataclass(frozen=True)
class Work:
    """What one build is to do: which files it found, what became of them, and what was refused on the way.

    `removed` are sources to remove by name, `left_out` all names that are not to be taken in, `vectors` what is asked
    of the vector index: None for what was asked of the one in use.
    """

    inputs: tuple[str, ...]
    inputs_digest: str
    changes: Changes
    refused: tuple[Rejection, ...] = ()
    removed: tuple[str, ...] = ()
    left_out: frozenset[str] = field(default_factory=frozenset)
    vectors: VectorOptions | None = None

    def is_as_asked(self, manifest: Manifest) -> bool:
        """Say whether a manifest says the same of what the archive is made from."""
        made_from = (manifest.inputs, manifest.inputs_digest, frozenset(manifest.left_out))
        return made_from == (self.inputs, self.inputs_digest, self.left_out)


def make_plan(
    plan: Plan, index: IndexFolder, encoder: EncoderIdentity, *, fresh: bool = False
) -> tuple[Base | None, Work]:
    """Return the generation to go out from (none with `fresh`, or where none can be), and what is to be done.

    While its files are checked, those to be read are looked for. Raises what the plan raises.
    """
    with collector_paused():
        likely = None if fresh else likely_base(index, encoder)
        if likely is None:
            return None, plan(index, None)
        with ThreadPoolExecutor(1, thread_name_prefix="base") as beside:
            whole = beside.submit(is_whole, likely)
            try:
                work = plan(index, likely)
            except Exception:  # what is damaged may bring out anything
                if whole.result():
                    raise
            else:
                if whole.result():
                    return likely, work
        return None, plan(index, None)


def plan_archive(paths: Sequence[Path] | None, index: IndexFolder, base: Base | None, *, keep_missing: bool) -> Work:
    """Return what `build_archive` is to do, going out from a base.

    Raises:
        InputError: a path does not exist.
        NotFoundError: no paths are given, and there is no archive.
        ArchiveError: missing files cannot be kept.
    """
    work = plan_build(built_from(index) if paths is None else paths, base, left_out(index), keep_missing=keep_missing)
    unreadable = _unreadable(work.refused)
    if base is None and (keep_missing or unreadable):
        require_none_missing(index, work.changes.new, below=None if keep_missing else unreadable)
    return work


def plan_build(
    paths: Sequence[Path], base: Base | None, names_left_out: frozenset[str], *, keep_missing: bool = False
) -> Work:
    """Find the files at the paths and compare them with those that the base was built from.

    Raises:
        InputError: a path does not exist.
    """
    found = list(find_files(paths))
    files = [file for file in found if isinstance(file, SourceFile)]
    refused = [rejection for rejection in found if isinstance(rejection, Rejection)]
    known = base.files if base else {}
    unreadable = _unreadable(refused)
    here = {file.known_by for file in files}
    staying = {
        name: file
        for name, file in known.items()
        if keep_missing or file.path in here or is_below(file.path, unreadable)
    }
    wanted = [file for file in named_apart(files, staying) if file.name not in names_left_out]
    return Work(
        inputs=named_inputs(paths),
        inputs_digest=digest_inputs(files),
        changes=find_changes(wanted, known, keep_missing=keep_missing, unreadable=unreadable),
        refused=tuple(refused),
        left_out=names_left_out,
    )


def _unreadable(refused: Sequence[Rejection]) -> list[str]:
    """Return the paths that the search for files could not look at."""
    return [rejection.path for rejection in refused if rejection.passing]
