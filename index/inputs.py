"""What an archive is built from: the paths that were named, and the files found there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from index.finding import SourceFile, find_files
from index.layout import IndexFolder
from index.manifest import parse_manifest
from index.reading import printable


def digest_inputs(files: Sequence[SourceFile]) -> str:
    """Return a digest that changes when a file is added, removed, renamed or written to (by name, size and time)."""
    listing = [(file.name, file.size, file.mtime_ns) for file in files]
    return hashlib.sha256(json.dumps(listing).encode("utf-8", "surrogateescape")).hexdigest()


def digest_paths(paths: Sequence[Path]) -> str:
    """Return `digest_inputs` of the files found at the paths.

    Raises:
        InputError: a path does not exist.
    """
    return digest_inputs([found for found in find_files(paths) if isinstance(found, SourceFile)])


def built_from(index: IndexFolder) -> list[Path]:
    """Return the paths that the archive in use was built from.

    Raises:
        NotFoundError: there is no archive.
        ArchiveError: its manifest cannot be read.
    """
    return [Path(name) for name in parse_manifest(index.current()).inputs]


def named_inputs(paths: Sequence[Path]) -> tuple[str, ...]:
    """Return the paths as a manifest names what its archive was built from, each once."""
    return tuple(dict.fromkeys(printable(str(path.absolute())) for path in paths))
