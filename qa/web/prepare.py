"""What the start does: load the model, build the archive if need be, open the bot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import ArchiveError, InputError, NotFoundError
from qa.web.startup import OnStage, Prepare, Ready

if TYPE_CHECKING:
    from index.archive import Archive
    from index.encoder import Encoder
    from index.layout import IndexFolder
    from index.progress import Progress
    from qa.calibration import Calibration
    from qa.reader import Reader

# torch and faiss come with what is imported inside the functions below: the port must be open before they load.


@dataclass(frozen=True)
class Models:
    """Which models answer: names or folders, None for those that come with Wenbao; and from which confidence on."""

    encoder: str | None = None
    reader: str | None = None
    threshold: float | None = None


def prepare_archive(index: Path, models: Models) -> Prepare:
    """Return a start that opens the archive in a folder, as it is."""

    def prepare(on_stage: OnStage) -> Ready:
        from index.archive import Archive
        from index.encoder import load_encoder
        from qa.reader_model import load_calibrated_reader

        archive = Archive.open(index, texts_only=True)
        on_stage("model", 0, 0)
        encoder = load_encoder(models.encoder or archive.manifest.encoder.name)
        reader, calibration = load_calibrated_reader(encoder, models.reader)
        return _open(index, encoder, reader, calibration, models.threshold, on_stage)

    return prepare


def prepare_pages(index: Path, pages: Path, models: Models, *, pages_named: bool) -> Prepare:
    """Return a start that builds the archive of a folder of pages if it is missing or the pages have changed.

    An archive that was built from other pages is opened as it is, unless the pages were named (`pages_named`): then the
    start fails, because it would either answer from other pages than asked for, or replace somebody's archive.
    """

    def prepare(on_stage: OnStage) -> Ready:
        from index.archive import Archive
        from index.build import build_archive
        from index.encoder import load_encoder
        from index.layout import IndexFolder
        from qa.reader_model import load_calibrated_reader

        built_from = _inputs(IndexFolder(index))
        own = built_from is None or _same_paths(built_from, [pages])
        if pages_named and not own:
            raise InputError(
                f"The archive in {index} was built from {', '.join(built_from or ())}, not from {pages}. "
                f"Name another folder with --index DIR, or rebuild it: wenbao index build {pages} --index {index}"
            )
        archive = _open_own(index) if own else Archive.open(index, texts_only=True)
        on_stage("model", 0, 0)
        encoder = load_encoder(models.encoder or (archive.manifest.encoder.name if archive else None))
        # Before the archive is built, which takes long: a reader that cannot be loaded is to be known at once.
        reader, calibration = load_calibrated_reader(encoder, models.reader)
        if archive is None or (
            own and (not archive.manifest.encoder.is_same_model(encoder.identity) or _changed(archive, pages))
        ):

            def report(progress: Progress) -> None:
                on_stage(progress.stage, progress.done, progress.total)

            build_archive([pages], index, encoder, report)
        return _open(index, encoder, reader, calibration, models.threshold, on_stage)

    return prepare


def _open(
    index: Path,
    encoder: Encoder,
    reader: Reader,
    calibration: Calibration,
    threshold: float | None,
    on_stage: OnStage,
) -> Ready:
    from index.archive import Archive
    from qa.bot import Bot
    from qa.web.examples import choose_examples

    on_stage("open", 0, 0)
    bot = Bot(Archive.open(index), encoder, reader, calibration, threshold=threshold)
    return Ready(bot, choose_examples(bot), bot.follow)


def _inputs(folder: IndexFolder) -> tuple[str, ...] | None:
    """Return the paths the archive in use was built from, also of one in a format not known; None if there is none."""
    try:
        manifest = json.loads(folder.current().manifest.read_text(encoding="utf-8"))
        return tuple(str(path) for path in manifest["inputs"])
    except NotFoundError:
        return None
    except (ArchiveError, OSError, ValueError, KeyError, TypeError):
        return ()  # there is something, and nobody knows of what: it is not ours to replace


def _same_paths(built_from: Sequence[str], pages: Sequence[Path]) -> bool:
    return [Path(path).resolve() for path in built_from] == [path.resolve() for path in pages]


def _open_own(index: Path) -> Archive | None:
    """Return the archive of our pages; None if there is none, or one that is damaged or of another format."""
    from index.archive import Archive

    try:
        return Archive.open(index, texts_only=True)
    except (NotFoundError, ArchiveError):
        return None  # it is built anew from the same pages


def _changed(archive: Archive, pages: Path) -> bool:
    """Say whether the pages are not those that the archive was built from; pages that are gone leave it as it is."""
    from index.inputs import digest_paths

    if not pages.is_dir():
        return False
    return digest_paths([pages]) != archive.manifest.inputs_digest
