"""Checks of a generation on disk. Each is a pure function of the files that returns what it found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import TypeAdapter

from index.database import DatabaseReader, StoredSpans
from index.errors import ArchiveError
from index.keywords import KeywordIndex
from index.layout import Generation, file_digests
from index.manifest import Manifest, read_manifest
from index.spans import join_spans, spans_inside
from index.vectors import FaissStore, Rows, Vectors, first_not_unit

_VECTOR_CHUNK = 8192
_KEYWORD_CHUNK = 65_536
# To look up single rows takes 25 times as long for each as to look up all.
_FEW = 0.04
_SAME_COSINE = 1 - 1e-2  # half-precision codes lose a thousandth

_PIECES = TypeAdapter(list[tuple[str, StoredSpans, str]])
# The last is the paper of an imprint, which may stand for its headline.
_HEADLINES = TypeAdapter(list[tuple[str, str, StoredSpans, str | None]])
_NAMED_TEXTS = TypeAdapter(list[tuple[str, str, str | None]])


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
        changed: Where the rest is known to be sound, what to look at; counts and references in the database are checked
            whole, and the digests, which have just been taken, not at all.
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


def _digests(generation: Generation, manifest: Manifest, changed: Changed | None) -> Iterator[str]:
    # Those of a generation that is just being made were taken from its files a moment ago.
    named = [] if changed else list(manifest.files)
    for name, found in zip(named, file_digests([generation.folder / name for name in named]), strict=True):
        expected = manifest.files[name].sha256
        if found != expected:
            yield f"{name} has sha256 {found[:12]}…, the manifest says {expected[:12]}…; rebuild the archive"
    for name in sorted(generation.named_files().keys() - manifest.files.keys()):
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
        ("vectors", len(FaissStore.open(generation.vectors, memory=0))),
        ("keyword documents", len(KeywordIndex(generation.keywords))),
    ):
        if count != expected.passages:
            yield f"there are {count} {what} for {expected.passages} passages"


def _references(generation: Generation, manifest: Manifest, changed: Changed | None) -> Iterator[str]:
    reader = DatabaseReader(generation.database)
    yield from _orphans(reader, "articles", "source NOT IN (SELECT row FROM sources)", "belong to no source")
    yield from _orphans(reader, "passages", "article NOT IN (SELECT row FROM articles)", "belong to no article")
    if manifest.names_files:
        of_no_file = "file NOT IN (SELECT name FROM files)"
        yield from _orphans(reader, "sources", of_no_file, "belong to no file")
        yield from _orphans(reader, "rejections", f"file != '' AND {of_no_file}", "belong to no file")
    empty = "NOT EXISTS (SELECT 1 FROM passages WHERE passages.article = articles.row)"
    yield from _orphans(reader, "articles", empty, "have no passage")
    total = manifest.counts.passages
    rows = reader.query("SELECT min(row), max(row) FROM passages")[0]
    if (int(rows[0]), int(rows[1])) != (0, total - 1):
        yield f"passage rows run from {rows[0]} to {rows[1]} instead of 0 to {total - 1}"
    keywords = KeywordIndex(generation.keywords)
    # Where few have changed, the others are those of the generation before, and as many as there should be.
    few = changed is not None and len(changed.passages) < _FEW * total
    looked_up = np.array(changed.passages if changed and few else np.arange(total), np.int64)
    for stretch in _stretches(looked_up):
        start, stop = int(stretch[0]), int(stretch[-1]) + 1
        expected = np.arange(start, stop)
        found = keywords.rows(start, stop)
        wrong = np.setxor1d(found, expected)
        if len(wrong):
            yield f"passage {wrong[0]} has no keyword document"
        if len(found) != len(expected):
            yield f"a passage of {start} to {stop - 1} has two keyword documents"


def _stretches(rows: Rows) -> Iterator[Rows]:
    """Yield sorted rows in parts that have no gap, and are not too long to be looked up at once."""
    for part in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1):
        yield from (part[start : start + _KEYWORD_CHUNK] for start in range(0, len(part), _KEYWORD_CHUNK))


def _orphans(reader: DatabaseReader, table: str, condition: str, what: str) -> Iterator[str]:
    found = int(reader.query(f"SELECT count(*) FROM {table} WHERE {condition}")[0][0])  # noqa: S608 - fixed names
    if found:
        yield f"{found} {table} {what}"


def _spans(generation: Generation, manifest: Manifest, changed: Changed | None) -> Iterator[str]:
    reader = DatabaseReader(generation.database)
    if changed is None:
        rows = [int(row) for (row,) in reader.query("SELECT row FROM sources")]
    else:
        rows = sorted(changed.sources)
    for row in rows:
        [(name, text, given)] = reader.rows(
            _NAMED_TEXTS, "SELECT name, text, headline FROM sources WHERE row = ?", [row]
        )
        pieces = reader.rows(_PIECES, "SELECT 'article ' || id, spans, text FROM articles WHERE source = ?", [row])
        pieces += reader.rows(
            _PIECES,
            "SELECT 'passage ' || passages.row, passages.spans, passages.text FROM passages"
            " JOIN articles ON articles.row = passages.article WHERE articles.source = ?",
            [row],
        )
        for piece, spans, expected in pieces:
            if not spans or not spans_inside(spans, len(text)):
                yield f"the spans of {piece} do not lie inside {name}"
            elif join_spans(text, spans) != expected:
                yield f"the text of {piece} is not what its spans select in {name}"
        headlines = reader.rows(
            _HEADLINES,
            "SELECT id, headline, headline_spans, CASE kind WHEN 'imprint' THEN paper END FROM articles"
            " WHERE source = ?",
            [row],
        )
        for article, headline, spans, paper in headlines:
            if not spans_inside(spans, len(text)):
                yield f"the headline of article {article} does not lie inside {name}"
            elif _compact(headline) not in {_compact(one) for one in (join_spans(text, spans), given, paper) if one}:
                yield f"the headline of article {article} is neither what its spans select in {name} nor given with it"


def _compact(text: str) -> str:
    """Return a text without white space: a headline has other white space than the lines that it was set in."""
    return "".join(text.split())


def _vectors(generation: Generation, manifest: Manifest, changed: Changed | None) -> Iterator[str]:
    store = FaissStore.open(generation.vectors, memory=0)  # an incremental build looks at few of them
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
