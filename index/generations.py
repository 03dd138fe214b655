"""The generations of an archive: which there are, going back to one, and removing old ones."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from index.errors import ArchiveError, InputError, NotFoundError
from index.layout import Generation, IndexFolder
from index.manifest import read_manifest
from index.verify import require_sound
from index.writing import has_other_texts, in_use, one_writer


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
    current = in_use(index)
    folders = (folder for folder in index.generations.iterdir() if folder.is_dir())
    return [_summary(Generation(folder), current) for folder in sorted(folders, reverse=True)]


def roll_back(index: IndexFolder, to: str | None = None) -> Generation:
    """Put an older generation in use again, after it has passed its checks; the newer ones stay on disk.

    Args:
        index: The archive's folder.
        to: The generation's name; by default the newest one before the one in use, of other texts if there is one.

    Raises:
        InputError: there is no such generation, or none before the one in use.
        ArchiveError: it does not pass its checks, or a build is at work.
    """
    with one_writer(index):
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
    """Remove all but the `keep` newest generations, never the one in use; return the names of those removed.

    Bots and servers that still read a removed one go on with it until their next question.

    Raises:
        InputError: `keep` is less than 1.
        NotFoundError: there is no archive in the folder.
        ArchiveError: a build is at work.
    """
    if keep < 1:
        raise InputError(f"{keep} generations were to be kept. Keep 1 or more.")
    with one_writer(index):
        current = index.current()
        others = [summary.id for summary in list_generations(index) if summary.id != current.id]
        removed = others[keep - 1 :]
        for name in removed:
            shutil.rmtree(index.generations / name)
        return removed


def _summary(generation: Generation, current: Generation | None) -> GenerationSummary:
    size = sum(path.stat().st_size for path in generation.folder.rglob("*") if path.is_file())
    used = generation == current
    try:
        manifest = read_manifest(generation)
    except (ArchiveError, NotFoundError) as error:
        return GenerationSummary(generation.id, used, "", 0, 0, size, str(error))
    counts = manifest.counts
    return GenerationSummary(generation.id, used, manifest.created, counts.articles, counts.passages, size)
