"""Build an archive: read what has changed, cut, encode, write a new generation aside, verify it, put it in use."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from index.base import Base, vector_options
from index.changes import reading_code
from index.database import DatabaseReader
from index.database_writer import DatabaseWriter, PassageRows
from index.encode_added import encode_added
from index.encoder import Encoder
from index.errors import ArchiveError, InputError
from index.held_out_queries import held_out_queries
from index.keywords import KeywordDocument, write_keywords
from index.layout import Generation, IndexFolder, sync
from index.manifest import (
    CHUNKING,
    FORMAT_VERSION,
    Counts,
    FileRecord,
    Manifest,
    record_file,
    record_files,
    shared_records,
    write_manifest,
)
from index.plan import Plan, Work, make_plan, plan_archive
from index.progress import OnProgress, Progress
from index.records import Rejection
from index.tokens import tokenizer_identity
from index.unfinished_vectors import UnfinishedVectors
from index.vector_options import VectorOptions
from index.vector_update import write_updated
from index.verify import Changed, require_sound
from index.writing import in_use, is_named_in_use, one_writer, remove, remove_abandoned, remove_superseded

_PROGRESS_STEP = 64
# A headline is looked for with each of its article's passages, so that an endless one must not be.
_HEADLINE_CHARACTERS = 200


@dataclass(frozen=True)
class BuildReport:
    """What a build did.

    `reused` counts the passages whose vectors were known, from the generation before or from a build that was
    interrupted. The files are counted by what became of them; where nothing has changed, `generation` is the one that
    was in use.
    """

    generation: str
    counts: Counts
    reused: int
    rejections: tuple[Rejection, ...]
    seconds: float
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    gone: int = 0


def build_archive(
    paths: Sequence[Path] | None,
    folder: Path,
    encoder: Encoder,
    on_progress: OnProgress = lambda progress: None,
    *,
    keep_missing: bool = False,
    fresh: bool = False,
    vectors: VectorOptions | None = None,
) -> BuildReport:
    """Make `folder` an archive of the files at `paths`, or at those that it was built from, and put it in use.

    Only files that have changed are read, only sources that differ are cut, only texts without a vector are encoded;
    with `fresh`, everything is read, cut and encoded. What is no longer at the paths leaves the
    archive, unless `keep_missing`. Of the vector index is asked what `vectors` says, else what was asked before. An
    interrupted or failed build leaves the archive in use as it was, and what it has encoded to the next one.

    Raises:
        InputError: a path does not exist, or no file could be read.
        NotFoundError: no paths are given, and there is no archive.
        ArchiveError: another build is at work, missing files cannot be kept, or the new generation cannot be written or
            does not pass its checks.
    """

    def plan(index: IndexFolder, base: Base | None) -> Work:
        return replace(plan_archive(paths, index, base, keep_missing=keep_missing), vectors=vectors)

    return build(plan, folder, encoder, on_progress, fresh=fresh)


def build(
    plan: Plan,
    folder: Path,
    encoder: Encoder,
    on_progress: OnProgress,
    *,
    fresh: bool = False,
) -> BuildReport:
    """Do what `plan` makes of the generation to go out from (none with `fresh`), as the one writer of the folder.

    Raises:
        InputError: the folder cannot be written to, nothing would be in the archive, or what the plan raises.
        ArchiveError: another build is at work, or the new generation cannot be written or does not pass its checks.
    """
    index = IndexFolder(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"The index folder {folder} cannot be made ({error.strerror}). Name another one with --index DIR."
        ) from error
    started = time.monotonic()
    with one_writer(index):
        remove_abandoned(index)
        before = in_use(index)
        on_progress(Progress("find", 0, 0))
        base, work = make_plan(plan, index, encoder.identity, fresh=fresh)
        with _aside(index) as generation:
            report = _fill(work, index, base, generation, encoder, on_progress, started, fresh=fresh)
        if report.generation == generation.id:
            remove_superseded(index, generation, before)
    return report


@contextmanager
def _aside(index: IndexFolder) -> Iterator[Generation]:
    """Make a new generation, and remove it again if it does not come to be used."""
    try:
        generation = index.new_generation()
    except OSError as error:
        raise _unwritable(index, error) from error
    try:
        yield generation
    except (OSError, sqlite3.Error) as error:
        if is_named_in_use(index, generation):
            raise
        raise _unwritable(index, error) from error
    finally:
        if not is_named_in_use(index, generation):  # even when interrupted: after the switch, it is the archive in use
            remove(generation)


def _unwritable(index: IndexFolder, error: Exception) -> ArchiveError:
    return ArchiveError(
        f"The new generation in {index.folder} could not be written ({error}). Check free space and permissions. "
        "The archive in use is unchanged."
    )


def _fill(
    work: Work,
    index: IndexFolder,
    base: Base | None,
    generation: Generation,
    encoder: Encoder,
    on_progress: OnProgress,
    started: float,
    *,
    fresh: bool,
) -> BuildReport:
    from index.read_changed import read_changed  # what reads and cuts pages: while the encoder gets ready, not before

    with DatabaseWriter(generation.database, base.generation.database if base else None) as database:
        read_changed(work.changes, work.refused, work.removed, work.left_out, database, on_progress)
        rows, counts, rejections = database.arrange(), database.counts(), database.rejections()
        changed = database.close()
    options = work.vectors or vector_options(index)
    if base and not changed and work.is_as_asked(base.manifest) and options == base.manifest.vector_options:
        return _report(work, base.generation, counts, 0, rejections, started)
    if counts.passages == 0:
        raise InputError(_nothing_to_index(work, rejections))
    with ThreadPoolExecutor(2, thread_name_prefix="beside") as beside:
        # As large as it may be: of a small change, this is most of what is to be waited for.
        recording = beside.submit(_made_durable, generation.database)
        added, vectors, encoded = encode_added(
            database.added,
            index,
            generation,
            encoder,
            on_progress,
            base,
            fresh=fresh,
            meanwhile=lambda: beside.submit(KeywordDocument.of, 0, "问报"),  # loads the dictionaries
        )
        on_progress(Progress("vectors", 0, 0))
        vector_index = write_updated(
            generation.vectors,
            base,
            rows,
            added,
            vectors,
            options,
            lambda: held_out_queries(generation, counts.passages, encoder),
        )
        write_keywords(
            generation.keywords,
            _keyword_documents(generation, rows, on_progress),
            base=base.generation.keywords if base else None,
            gone=rows.gone.tolist(),
        )
        known = shared_records(generation, base.generation, base.manifest) if base else {}
        known[generation.database.name] = recording.result()
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        generation=generation.id,
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        wenbao_version=_own_version(),
        encoder=encoder.identity,
        tokenizer=tokenizer_identity(),
        chunking=CHUNKING,
        counts=counts,
        inputs=work.inputs,
        inputs_digest=work.inputs_digest,
        build_seconds=round(time.monotonic() - started, 3),
        files=record_files(generation, known),
        vector_index=vector_index,
        vector_options=options,
        reading=reading_code(),
        left_out=tuple(sorted(work.left_out)),
    )
    write_manifest(generation, manifest)
    on_progress(Progress("verify", 0, 0))
    to_check = Changed(frozenset(database.added_sources), _moved_or_new(rows), added, vectors) if base else None
    require_sound(
        generation,
        "The new generation",
        "The archive in use is unchanged.",
        to_check,
        lambda done, total: on_progress(Progress("verify", done, total)),
    )
    index.switch_to(generation)
    with suppress(OSError):  # what is left of it does no harm
        UnfinishedVectors(index, encoder.identity).settle(set(database.added.values()))
    return _report(work, generation, counts, encoded, rejections, started)


def _made_durable(path: Path) -> FileRecord:
    sync(path)
    return record_file(path)


def _moved_or_new(rows: PassageRows) -> list[int]:
    """Return the rows that do not hold the passage that they held in the generation before."""
    return [int(row) for row in np.flatnonzero(rows.origin != np.arange(len(rows.origin)))]


def _keyword_documents(generation: Generation, rows: PassageRows, on_progress: OnProgress) -> Iterator[KeywordDocument]:
    reader = DatabaseReader(generation.database)
    wanted = _moved_or_new(rows)
    for start in range(0, len(wanted), _PROGRESS_STEP):
        on_progress(Progress("keywords", start, len(wanted)))
        for row, headline, text in reader.in_chunks(
            "SELECT passages.row, articles.headline, passages.text FROM passages"
            " JOIN articles ON articles.row = passages.article WHERE passages.row IN ({}) ORDER BY passages.row",
            wanted[start : start + _PROGRESS_STEP],
        ):
            yield KeywordDocument.of(int(row), f"{headline[:_HEADLINE_CHARACTERS]}\n{text}" if headline else text)
    on_progress(Progress("keywords", len(wanted), len(wanted)))
    reader.close()


def _report(
    work: Work,
    generation: Generation,
    counts: Counts,
    encoded: int,
    rejections: Sequence[Rejection],
    started: float,
) -> BuildReport:
    changes = work.changes
    return BuildReport(
        generation=generation.id,
        counts=counts,
        reused=counts.passages - encoded,
        rejections=tuple(rejections),
        seconds=time.monotonic() - started,
        new=len(changes.new),
        changed=len(changes.changed),
        unchanged=len(changes.unchanged) + len(changes.touched),
        gone=len(changes.gone),
    )


def _nothing_to_index(work: Work, rejections: Sequence[Rejection]) -> str:
    refused = "".join(f"\n  {rejection.name}: {rejection.reason}; {rejection.remedy}" for rejection in rejections[:5])
    return (
        f"Nothing in {', '.join(work.inputs)} could be indexed. Expected at least one readable file of .txt .md .html "
        f".pdf .csv .jsonl.{refused}"
    )


def _own_version() -> str:
    try:
        return version("wenbao")
    except PackageNotFoundError:
        return "unknown"
