"""The manifest of a generation: what it holds, what built it, and how to know its files are whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from index.encoder import EncoderIdentity
from index.errors import ArchiveError
from index.layout import Generation, file_digest, replace_file
from index.vector_options import VectorOptions
from index.vector_plan import VectorIndex

FORMAT_VERSION = 4
# Version 1 knew no other than exact vector indexes, and did not say so; before version 3 files were not kept apart from
# sources, before version 4 a manifest had no digest of itself, and nothing was asked of a vector index. Such an
# archive is read, but not built on.
_READABLE = (1, 2, 3, 4)
_NAMES_FILES_SINCE = 3
_HAS_DIGEST_SINCE = 4
_DIGEST = "digest"
_REMEDY = "Rebuild the archive: wenbao index build PATH, or go back to the generation before: wenbao index rollback"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileRecord(_Frozen):
    """Size in bytes and sha256 of one file."""

    size: int
    sha256: str


class Counts(_Frozen):
    """How much a generation holds; imprints are the blocks that name a paper's staff, kept apart from the articles."""

    sources: int
    articles: int
    imprints: int
    passages: int
    rejections: int


class Chunking(_Frozen):
    """Lengths of passages in characters."""

    target: int
    minimum: int
    maximum: int


CHUNKING = Chunking(target=260, minimum=100, maximum=350)


class Manifest(_Frozen):
    """Everything one must know of a generation before using it; the content of `manifest.json`.

    `vector_options` is what was asked of the vector index, `reading` a digest of the code that read and cut the files,
    `left_out` names what was removed by name.
    """

    format_version: int
    generation: str
    created: str
    wenbao_version: str
    encoder: EncoderIdentity
    tokenizer: dict[str, str]
    chunking: Chunking
    counts: Counts
    inputs: tuple[str, ...]
    inputs_digest: str
    build_seconds: float
    files: dict[str, FileRecord]
    vector_index: VectorIndex = VectorIndex("flat")
    vector_options: VectorOptions = VectorOptions()
    reading: str = ""
    left_out: tuple[str, ...] = ()

    @property
    def names_files(self) -> bool:
        """Whether the database knows which file each source came from; older formats did not."""
        return self.format_version >= _NAMES_FILES_SINCE


def record_file(path: Path) -> FileRecord:
    """Return size and digest of a file."""
    return FileRecord(size=path.stat().st_size, sha256=file_digest(path))


def record_files(generation: Generation, known: Mapping[str, FileRecord] | None = None) -> dict[str, FileRecord]:
    """Return size and digest of every file of a generation, by its path inside the generation.

    Args:
        generation: The generation.
        known: Those of some of its files, which are not read again.
    """
    known = known or {}
    return {name: known.get(name) or record_file(path) for name, path in generation.named_files().items()}


def shared_records(generation: Generation, base: Generation, manifest: Manifest) -> dict[str, FileRecord]:
    """Return what is known of the files of a generation that are, by a link, those of a whole one with its manifest."""
    return {
        name: manifest.files[name]
        for name, path in generation.named_files().items()
        if name in manifest.files and path.samefile(base.folder / name)
    }


def write_manifest(generation: Generation, manifest: Manifest) -> None:
    """Write a manifest with a digest of itself, where its format has one, in one step that survives a crash.

    Raises:
        OSError: it cannot be written.
    """
    content = manifest.model_dump(mode="json")
    digest = _expected_digest(manifest, content)
    written = content if digest is None else content | {_DIGEST: digest}
    replace_file(generation.manifest, json.dumps(written, ensure_ascii=False, indent=2) + "\n")


def _expected_digest(manifest: Manifest, content: Mapping[str, Any]) -> str | None:
    """Return a digest of what a manifest says but for that digest, however it is laid out; None in older formats."""
    if manifest.format_version < _HAS_DIGEST_SINCE:
        return None
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def parse_manifest(generation: Generation) -> Manifest:
    """Read a manifest, whatever has become of the files it names.

    Raises:
        ArchiveError: the manifest is missing, damaged or of another format.
    """
    path = generation.manifest
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ArchiveError(f"The manifest {path} cannot be read ({error}). {_REMEDY}") from error
    if not isinstance(content, dict):
        raise _damaged(path, f"a {type(content).__name__} instead of an object")
    version = content.get("format_version")
    if isinstance(version, int) and version not in _READABLE:
        raise ArchiveError(
            f"The archive of {path} has format version {version}, this Wenbao reads versions up to {FORMAT_VERSION}. "
            "Rebuild the archive with this version: wenbao index build PATH"
        )
    recorded = content.pop(_DIGEST, None)
    try:
        manifest = Manifest.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise _damaged(path, f"{place}: {first['msg']}") from error
    expected = _expected_digest(manifest, content)
    if recorded != expected:
        found = f"{expected[:12]}…" if expected else "none in this format"
        raise _damaged(path, f"it says that its digest is {str(recorded)[:12]}…, it is {found}")
    return manifest


def _damaged(path: Path, found: str) -> ArchiveError:
    return ArchiveError(f"The manifest {path} is damaged ({found}). {_REMEDY}")


def read_manifest(generation: Generation) -> Manifest:
    """Read a manifest and check that the files it names are there with their sizes.

    Raises:
        ArchiveError: the manifest is missing, damaged or of another format, or a file is missing or of another size.
    """
    manifest = parse_manifest(generation)
    for name, record in manifest.files.items():
        file = generation.folder / name
        try:
            size = file.stat().st_size if file.is_file() else None
        except FileNotFoundError:  # the generation is being removed
            size = None
        if size != record.size:
            found = "is missing" if size is None else f"has {size} bytes"
            raise ArchiveError(f"{file} {found}, the manifest says {record.size} bytes. {_REMEDY}")
    return manifest
