"""The generations of an archive: which there are, going back to one, and removing old ones."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from index.errors import ArchiveError, InputError, NotFoundError
from index.layout import Generation, IndexFolder
from index.manifest import read_manifest
from index.verify import require_sound
from index.writing import (
    Holder,
    generations_of,
    has_other_texts,
    in_use,
    one_writer,
    remove,
    remove_abandoned,
    writer_at_work,
)


@dataclass(frozen=True)
class GenerationSummary:
    """One generation: when it was built, what it holds, its bytes on disk, and whether it is the one in use.

    `problem` says why it cannot be used; then `created` is empty and the counts are 0.
    """

    id: str
    in_use: bool
    created: str
    articles: int
    passages: int
    bytes: int
    problem: str = ""


def list_generations(index: IndexFolder) -> list[GenerationSummary]:
    """Return the generations on disk, newest first.

    Raises:
        NotFoundError: there is no archive in the folder.
    """
    if not index.generations.is_dir():
        index.current()
    current, writer = in_use(index), writer_at_work(index)
    found = [_summary(generation, current, writer) for generation in reversed(generations_of(index))]
    # A writer may have removed some meanwhile.
    return [summary for summary in found if (index.generations / summary.id).is_dir()]


def roll_back(index: IndexFolder, to: str | None = None) -> Generation:
    """Put an older generation in use again, after it has passed its checks; newer ones that were in use stay on disk.

    Args:
        index: The archive's folder.
        to: The generation's name; by default the newest one before the one in use, of other texts if there is one.

    Raises:
        InputError: there is no such generation, or none before the one in use.
        ArchiveError: it does not pass its checks, a build is at work, or the disk refuses.
    """
    with one_writer(index), _refusals_told(index):
        remove_abandoned(index)
        current = in_use(index)
        names = [summary.id for summary in list_generations(index) if not summary.problem]
        if to is None:
            older = [name for name in names if current is None or name < current.id]
            if not older:
                raise InputError(
                    f"There is no generation before the one in use in {index.folder}. "
                    "See which there are: wenbao index list"
                )
            others = [
                name for name in older if current and has_other_texts(Generation(index.generations / name), current)
            ]
            to = (others or older)[0]
        if to not in names:
            raise InputError(
                f"{to} is no generation of {index.folder} that can be used. There are: {', '.join(names) or 'none'}."
            )
        generation = Generation(index.generations / to)
        require_sound(generation, f"The generation {to}", "Nothing was changed.")
        index.switch_to(generation)
        return generation


def prune(index: IndexFolder, keep: int) -> list[str]:
    """Remove all but the `keep` newest generations that can be used, never the one in use.

    Return the names of those removed. Bots and servers that still read one of them go on with it until they switch.

    Raises:
        InputError: `keep` is less than 1.
        NotFoundError: there is no archive in the folder.
        ArchiveError: a build is at work, or the disk refuses.
    """
    if keep < 1:
        raise InputError(f"{keep} generations were to be kept. Keep 1 or more.")
    with one_writer(index), _refusals_told(index):
        current = index.current()
        removed = remove_abandoned(index)
        others = [summary for summary in list_generations(index) if summary.id != current.id]
        usable_first = sorted(others, key=lambda summary: bool(summary.problem))
        unwanted = [summary.id for summary in usable_first[keep - 1 :]]
        staying = [name for name in unwanted if not remove(Generation(index.generations / name))]
        if staying:
            raise ArchiveError(
                f"{', '.join(staying)} in {index.generations} could not be removed, or not to the end. "
                "Check permissions, and prune again."
            )
        return removed + unwanted


@contextmanager
def _refusals_told(index: IndexFolder) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ArchiveError(
            f"The generations in {index.generations} could not all be changed as asked ({error}). Check free space and "
            "permissions, and see how they are now: wenbao index list"
        ) from error


def _summary(generation: Generation, current: Generation | None, writer: Holder | None) -> GenerationSummary:
    size = _size(generation.folder)
    used = generation == current
    if not used and not generation.was_in_use():
        state = f"being built by {writer}" if writer else "left by a build that did not finish; the next removes it"
        return GenerationSummary(generation.id, used, "", 0, 0, size, state)
    try:
        manifest = read_manifest(generation)
    except (ArchiveError, NotFoundError) as error:
        return GenerationSummary(generation.id, used, "", 0, 0, size, str(error))
    counts = manifest.counts
    return GenerationSummary(generation.id, used, manifest.created, counts.articles, counts.passages, size)


def _size(folder: Path) -> int:
    """Return the bytes of the files below a folder; a writer makes and removes some meanwhile."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                total += Path(place, name).lstat().st_size
    return total
