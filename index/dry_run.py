"""What a change to an archive would do, without doing it: nothing is read, encoded or written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from index.base import Base
from index.database import DatabaseReader
from index.encoder import EncoderIdentity
from index.layout import IndexFolder
from index.plan import Plan, Work, make_plan
from index.records import Rejection


@dataclass(frozen=True)
class DryRun:
    """Names of files, by what would become of them; of those removed, also the names of single sources.

    `rejections` are what the search for files refuses, and what was refused before and has not changed since.
    """

    new: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]
    rejections: tuple[Rejection, ...]


def dry_run(plan: Plan, index: IndexFolder, encoder: EncoderIdentity, *, fresh: bool = False) -> DryRun:
    """Say what `index.build.build` would do; it raises what the plan raises."""
    base, work = make_plan(plan, index, encoder, fresh=fresh)
    changes = work.changes
    return DryRun(
        new=tuple(file.name for file in changes.new),
        changed=tuple(file.name for file in changes.changed),
        removed=(*changes.gone, *work.removed),
        unchanged=tuple(file.name for file in (*changes.unchanged, *changes.touched)),
        rejections=(*work.refused, *_still_refused(work, base)),
    )


def _still_refused(work: Work, base: Base | None) -> Iterator[Rejection]:
    if base is None:
        return
    looked_at_anew = {"", *(file.name for file in work.changes.to_read), *work.changes.gone}
    reader = DatabaseReader(base.generation.database)
    for file, name, reason, remedy in reader.query("SELECT file, name, reason, remedy FROM rejections ORDER BY rowid"):
        if file not in looked_at_anew:
            yield Rejection(name, reason, remedy)
    reader.close()
