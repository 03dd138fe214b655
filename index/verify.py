"""Checks of a generation on disk. Each is a pure function of the files that returns what it found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from index.database import DatabaseReader, parse_spans
from index.errors import ArchiveError
from index.keywords import KeywordIndex
from index.layout import Generation, file_digest
from index.manifest import Manifest, read_manifest
from index.spans import join_spans, spans_inside
from index.vectors import FaissStore, Rows, Vectors, first_not_unit

_VECTOR_CHUNK = 8192
_SAME_COSINE = 1 - 1e-2  # half-precision codes lose a thousandth


@dataclass(frozen=True)
class Check:
    """The result of one check; `detail` says in words what was found."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class Changed:
    """What a generation does not share with a sound one that it was made from: rows of sources and of passages.

    `vectors`, shape (len(encoded), dimension), are those that the passages in the rows `encoded` must have.
    """

    sources: frozenset[int]
    passages: Sequence[int]
    encoded: Rows
    vectors: Vectors


def verify_generation(
    generation: Generation,
    changed: Changed | None = None,
    on_check: Callable[[int, int], None] = lambda done, total: None,
) -> list[Check]:
    """Run the checks on a generation, no further than the digests when these fail. Damage never raises.

    Args:
        generation: The generation.
        changed: Where the rest is known to be sound, what to look at; digests, counts and references are checked whole.
        on_check: Called with how many checks are done, and how many there are.
    """
    try:
        manifest = read_manifest(generation)
    except ArchiveError as error:
        return [Check("manifest", passed=False, detail=str(error))]
    results = [Check("manifest", passed=True, detail=f"format {manifest.format_version}, {len(manifest.files)} files")]
    for done, (name, check) in enumerate(_CHECKS.items(), start=1):
        try:
            problem = next(check(generation, manifest, changed), None)
        except (ArchiveError, OSError, RuntimeError, ValueError, TypeError, IndexError) as error:
            problem = str(error) or type(error).__name__
        results.append(Check(name, passed=problem is None, detail=problem or "ok"))
        on_check(done, len(_CHECKS))
        if name == "digests" and problem:
            break  # what is not what was written cannot be read with confidence
    return results


def require_sound(
    generation: Generation,
    called: str,
    consequence: str,
    changed: Changed | None = None,
    on_check: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Run the checks before a generation is put in use, on no more than has `changed` where that is given.

    Raises:
        ArchiveError: one fails. It says which, of what is `called` so, and the `consequence`.
    """
    failed = [check for check in verify_generation(generation, changed, on_check) if not check.passed]
    if failed:
        problems = "; ".join(f"{check.name}: {check.detail}" for check in failed)
        raise ArchiveError(f"{called} does not pass its checks ({problems}). {consequence}")


def _digests(generation: Generation, manifest: Manifest, _: Changed | None) -> Iterator[str]:
    on_disk = {path.relative_to(generation.folder).as_posix() for path in generation.files()}
    for name, record in manifest.files.items():
        found = file_digest(generation.folder / name)
        if found != record.sha256:
            yield f"{name} has sha256 {found[:12]}…, the manifest says {record.sha256[:12]}…; rebuild the archive"
    for name in sorted(on_disk - manifest.files.keys()):
        yield f"{name} is not named in the manifest; remove it or rebuild the archive"


def _counts(generation: Generation, manifest: Manifest, _: Changed | None) -> Iterator[str]:
    expected = manifest.counts
    reader = DatabaseReader(generation.database)
    for what, rows in (
        ("sources", "sources"),
        ("articles", "articles WHERE kind = 'article'"),
        ("imprints", "articles WHERE kind = 'imprint'"),
        ("passages", "passages"),
        ("rejections", "rejections"),
    ):
        found = int(reader.query(f"SELECT count(*) FROM {rows}")[0][0])  # noqa: S608 - fixed names
        if found != getattr(expected, what):
            yield f"the database holds {found} {what}, the manifest says {getattr(expected, what)}"
    for what, count in (
        ("vectors", len(FaissStore.open(generation.vectors))),
        ("keyword documents", len(KeywordIndex(generation.keywords))),
    ):
        if count != expected.passages:
            yield f"there are {count} {what} for {expected.passages} passages"


def _references(generation: Generation, manifest: Manifest, _: Changed | None) -> Iterator[str]:
    reader = DatabaseReader(generation.database)
    for child, parent in (("articles", "sources"), ("passages", "articles")):
        column = parent.removesuffix("s")
        orphans = reader.query(
            f"SELECT count(*) FROM {child} WHERE {column} NOT IN (SELECT row FROM {parent})"  # noqa: S608 - fixed names
        )[0][0]
        if int(orphans):
            yield f"{orphans} {child} belong to no {column}"
    rows = reader.query("SELECT min(row), max(row) FROM passages")[0]
    if (int(rows[0]), int(rows[1])) != (0, manifest.counts.passages - 1):
        yield f"passage rows run from {rows[0]} to {rows[1]} instead of 0 to {manifest.counts.passages - 1}"


def _spans(generation: Generation, manifest: Manifest, changed: Changed | None) -> Iterator[str]:
    reader = DatabaseReader(generation.database)
    rows = [int(row) for (row,) in reader.query("SELECT row FROM sources")]
    for row in rows if changed is None else sorted(changed.sources):
        [(name, text)] = reader.query("SELECT name, text FROM sources WHERE row = ?", [row])
        pieces = reader.query("SELECT 'article ' || id, spans, text FROM articles WHERE source = ?", [row])
        pieces += reader.query(
            "SELECT 'passage ' || passages.row, passages.spans, passages.text FROM passages"
            " JOIN articles ON articles.row = passages.article WHERE articles.source = ?",
            [row],
        )
        for piece, encoded, expected in pieces:
            spans = parse_spans(encoded)
            if not spans or not spans_inside(spans, len(text)):
                yield f"the spans of {piece} do not lie inside {name}"
            elif join_spans(text, spans) != expected:
                yield f"the text of {piece} is not what its spans select in {name}"


def _vectors(generation: Generation, manifest: Manifest, changed: Changed | None) -> Iterator[str]:
    store = FaissStore.open(generation.vectors)
    if store.dimension != manifest.encoder.dimension:
        yield f"vectors have {store.dimension} dimensions, the encoder gives {manifest.encoder.dimension}"
    rows = np.arange(len(store)) if changed is None else np.array(changed.passages, np.int64)
    for start in range(0, len(rows), _VECTOR_CHUNK):
        chunk = rows[start : start + _VECTOR_CHUNK]
        wrong = first_not_unit(store.fetch(chunk))
        if wrong:
            yield f"the vector of passage {chunk[wrong[0]]} has length {wrong[1]:.3f} instead of 1"
    if changed is not None:
        for start in range(0, len(changed.encoded), _VECTOR_CHUNK):
            chunk = changed.encoded[start : start + _VECTOR_CHUNK]
            cosines = (store.fetch(chunk) * changed.vectors[start : start + _VECTOR_CHUNK]).sum(axis=1)
            if not (cosines >= _SAME_COSINE).all():
                yield f"passage {chunk[int(cosines.argmin())]} has another vector than the one made for it"


_CHECKS: dict[str, Callable[[Generation, Manifest, Changed | None], Iterator[str]]] = {
    "digests": _digests,
    "counts": _counts,
    "references": _references,
    "spans": _spans,
    "vectors": _vectors,
}
