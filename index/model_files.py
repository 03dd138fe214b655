"""Which files make up a model on disk, and the digest that tells one model from another."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from index.cache import cache_folder
from index.layout import file_digest, replace_file

_SUFFIXES = {".safetensors", ".bin", ".json", ".txt", ".model"}
_OTHER_BACKENDS = {"onnx", "openvino"}  # exports of the same weights, which torch does not read


def model_files(folder: Path) -> list[Path]:
    """The files under a model's folder that can change its vectors, sorted by their path."""
    found = []
    for path in folder.rglob("*"):
        relative = path.relative_to(folder)
        hidden = any(part.startswith(".") or part in _OTHER_BACKENDS for part in relative.parts)
        if path.suffix in _SUFFIXES and not hidden and path.is_file():
            found.append(path)
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def model_digest(folder: Path) -> str:
    """The sha256 over the names and contents of a model's files.

    Computed once (about 1 s per GB) and kept in the cache with the sizes and times of the files it was computed from.
    """
    files = model_files(folder)
    state = [[path.relative_to(folder).as_posix(), path.stat().st_size, path.stat().st_mtime_ns] for path in files]
    note = cache_folder("digests") / f"{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:32]}.json"
    try:
        kept = json.loads(note.read_text(encoding="utf-8"))
        if kept["files"] == state:
            return str(kept["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # not computed yet, or the note is damaged: compute it
    total = hashlib.sha256()
    for path in files:
        total.update(f"{path.relative_to(folder).as_posix()}\0{file_digest(path)}\n".encode())
    replace_file(note, json.dumps({"digest": total.hexdigest(), "files": state}))
    return total.hexdigest()
