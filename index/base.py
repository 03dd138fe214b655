"""The generation that a build goes out from: what it holds is taken over where its sources have not changed."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from index.changes import KnownFile, is_below, is_of, known_files, reading_code
from index.database import DatabaseReader
from index.encoder import EncoderIdentity
from index.errors import ArchiveError, NotFoundError
from index.finding import SourceFile
from index.layout import Generation, IndexFolder, file_digests
from index.manifest import CHUNKING, FORMAT_VERSION, Manifest, parse_manifest, read_manifest
from index.tokens import tokenizer_identity
from index.vector_options import VectorOptions
from index.vectors import FaissStore, Vectors
from index.writing import generations_of, in_use


@dataclass(frozen=True)
class Base:
    """A generation that was read and cut as this version does, and encoded with the same encoder."""

    generation: Generation
    manifest: Manifest
    files: dict[str, KnownFile]


def likely_base(index: IndexFolder, encoder: EncoderIdentity) -> Base | None:
    """Return the generation in use where a build can go out from it, None where all has to be read again.

    Whether its files are whole is for the caller to check: `is_whole`.
    """
    try:
        generation = index.current()
        manifest = read_manifest(generation)
        same_way = (
            manifest.format_version == FORMAT_VERSION
            and manifest.reading == reading_code()
            and manifest.chunking == CHUNKING
            and manifest.tokenizer == tokenizer_identity()
            and manifest.encoder.is_same_model(encoder)
        )
        return Base(generation, manifest, known_files(generation.database)) if same_way else None
    except (NotFoundError, ArchiveError, OSError):
        return None


def is_whole(base: Base) -> bool:
    """Say whether every file of a base is what was written.

    Damage must not be taken over into a generation whose digests would then vouch for it.
    """
    try:
        return _is_sound(base.generation, base.manifest, list(base.manifest.files))
    except OSError:
        return False


def known_vectors(
    digests: Collection[str], index: IndexFolder, encoder: EncoderIdentity, base: Base | None = None
) -> dict[str, Vectors]:
    """Return the vectors that the generation in use already holds for some of the digests, however it was cut.

    Args:
        digests: Of the texts that the encoder is to see.
        index: The archive's folder.
        encoder: The encoder.
        base: The generation in use, where its files have just been checked; they are not checked again then.
    """
    try:
        generation = index.current()
        manifest = parse_manifest(generation)
        if not digests or not manifest.encoder.is_same_model(encoder):
            return {}
        rows = _rows_of(digests, generation)
        files = [path.name for path in (generation.database, generation.vectors)]
        checked = base is not None and base.generation == generation
        if not rows or not (checked or _is_sound(generation, manifest, files)):
            return {}
        fetched = FaissStore.open(generation.vectors, memory=0).fetch(np.array(list(rows.values()), np.int64))
    except (NotFoundError, ArchiveError, KeyError, OSError):
        return {}  # nothing usable to reuse: everything is encoded
    return dict(zip(rows, fetched, strict=True))


def _rows_of(digests: Collection[str], generation: Generation) -> dict[str, int]:
    """Return a row for each of the digests that a generation holds: only these leave the database."""
    reader = DatabaseReader(generation.database)
    try:
        found = reader.query(
            "SELECT encoded_digest, row FROM passages WHERE encoded_digest IN (SELECT value FROM json_each(?))",
            [json.dumps(sorted(digests))],
        )
    finally:
        reader.close()
    return {digest: int(row) for digest, row in found}


def left_out(index: IndexFolder) -> frozenset[str]:
    """Return the names of the sources that were removed by name, and are not to come back by themselves.

    Where the manifest in use is damaged, those of the newest generation that has a sound one.
    """
    manifest = _last_manifest(index)
    return frozenset(manifest.left_out) if manifest else frozenset()


def vector_options(index: IndexFolder) -> VectorOptions:
    """Return what was asked of the vector index, with the same way out where the manifest in use is damaged."""
    manifest = _last_manifest(index)
    return manifest.vector_options if manifest else VectorOptions()


def _last_manifest(index: IndexFolder) -> Manifest | None:
    found = (_manifest(generation) for generation in (in_use(index), *reversed(generations_of(index))))
    return next((manifest for manifest in found if manifest), None)


def require_none_missing(
    index: IndexFolder, found: Sequence[SourceFile], *, below: Collection[str] | None = None
) -> None:
    """Refuse to go on where the archive in use holds files that are not found, and cannot be taken over from it.

    Args:
        index: The archive's folder.
        found: The files found.
        below: Only files at or below these paths count.

    Raises:
        ArchiveError: there is such a file.
    """
    generation = in_use(index)
    if generation is None:
        return
    if below is not None:
        here = {file.known_by for file in found}
        _refuse([name for name, path in _paths(generation) if path not in here and is_below(path, below)])
        return
    reader = DatabaseReader(generation.database)
    try:
        sources = [name for (name,) in reader.query("SELECT name FROM sources ORDER BY row")]
    finally:
        reader.close()
    names = {file.name for file in found}
    _refuse([name for name in sources if not is_of(name, names)])


def _paths(generation: Generation) -> list[tuple[str, str]]:
    """Return names and paths of the files of a generation; none where it is of a format that keeps no paths."""
    try:
        return [(name, file.path) for name, file in known_files(generation.database).items()]
    except ArchiveError:
        return []


def _refuse(missing: Sequence[str]) -> None:
    if missing:
        raise ArchiveError(
            f"{missing[0]!r} and {len(missing) - 1} more of the archive cannot be found or looked at, and cannot be "
            "kept: the archive is damaged, or was made by another version of Wenbao or with another model, so that all "
            "has to be read again. Put the files back, or build without what is missing: wenbao index build PATH"
        )


def _manifest(generation: Generation | None) -> Manifest | None:
    try:
        return parse_manifest(generation) if generation else None
    except ArchiveError:
        return None


def _is_sound(generation: Generation, manifest: Manifest, files: list[str]) -> bool:
    found = file_digests([generation.folder / name for name in files])
    return found == [manifest.files[name].sha256 for name in files]
