"""Build an archive: read, cut, encode and write a new generation aside, verify it, then put it in use."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from index.database import DatabaseReader, DatabaseWriter
from index.encoded_text import encoded_text, encoded_texts, text_digest
from index.encoder import Encoder
from index.errors import ArchiveError, InputError, NotFoundError
from index.keywords import KeywordDocument, write_keywords
from index.layout import Generation, IndexFolder, file_digest, replace_file
from index.manifest import FORMAT_VERSION, Chunking, Counts, Manifest, read_manifest, record_files
from index.pages import split_page
from index.passages import split_passages
from index.reading import printable
from index.records import Article, Rejection
from index.romanization import pinyin_pairs
from index.sources import SourceFile, find_files, read_file
from index.tokens import character_bigrams, tokenize, tokenizer_identity
from index.unfinished_vectors import UnfinishedVectors
from index.vectors import FaissStore, Vectors
from index.verify import require_sound
from index.writing import in_use, one_writer, remove_abandoned, remove_superseded

CHUNKING = Chunking(target=260, minimum=100, maximum=350)
# What an interruption loses at most: 3 to 6 seconds of work.
_ENCODE_CHUNK = 256
_PROGRESS_STEP = 64


@dataclass(frozen=True)
class Progress:
    """A step of a long piece of work: what is done, how much of how much (`total` 0 when not known yet)."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True)
class BuildReport:
    """What a build did; `reused` counts the passages whose vectors were known, from the generation before or from
    a build that was interrupted."""

    generation: str
    counts: Counts
    reused: int
    rejections: tuple[Rejection, ...]
    seconds: float


OnProgress = Callable[[Progress], None]


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


def named_inputs(paths: Sequence[Path]) -> tuple[str, ...]:
    """Return the paths as a manifest names what its archive was built from."""
    return tuple(printable(str(path.absolute())) for path in paths)


def build_archive(
    paths: Sequence[Path],
    folder: Path,
    encoder: Encoder,
    on_progress: OnProgress = lambda progress: None,
) -> BuildReport:
    """Build an archive of the files at `paths` into `folder` and put it in use; vectors of known texts are reused.

    An interrupted or failed build leaves the archive in use as it was, and what it has encoded to the next one.

    Raises:
        InputError: a path does not exist, or no file could be read.
        ArchiveError: another build is at work, or the new generation does not pass its checks.
    """
    index = IndexFolder(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"The index folder {folder} cannot be made ({error.strerror}). Name another one with --index DIR."
        ) from error
    with one_writer(index):
        remove_abandoned(index)
        before = in_use(index)
        generation = index.new_generation()
        try:
            report = _fill(paths, index, generation, encoder, on_progress)
        except BaseException:
            if in_use(index) != generation:  # interrupted after the switch, it is the archive in use
                shutil.rmtree(generation.folder, ignore_errors=True)
            raise
        remove_superseded(index, keep=(generation, before))
    return report


def _fill(
    paths: Sequence[Path], index: IndexFolder, generation: Generation, encoder: Encoder, on_progress: OnProgress
) -> BuildReport:
    started = time.monotonic()
    on_progress(Progress("find", 0, 0))
    found = list(find_files(paths))
    files = [file for file in found if isinstance(file, SourceFile)]
    rejections = [rejection for rejection in found if isinstance(rejection, Rejection)]
    digests, counts = _read_and_cut(files, rejections, generation, on_progress)
    if counts.passages == 0:
        raise InputError(_nothing_to_index(paths, rejections))
    vectors, reused = _encode(digests, index, generation, encoder, on_progress)
    vector_index = FaissStore.write(generation.vectors, vectors)
    write_keywords(generation.keywords, _keyword_documents(generation, counts.passages, on_progress))
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        generation=generation.id,
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        wenbao_version=_own_version(),
        encoder=encoder.identity,
        tokenizer=tokenizer_identity(),
        chunking=CHUNKING,
        counts=counts,
        inputs=named_inputs(paths),
        inputs_digest=digest_inputs(files),
        build_seconds=round(time.monotonic() - started, 3),
        files=record_files(generation),
        vector_index=vector_index,
    )
    replace_file(generation.manifest, manifest.model_dump_json(indent=2) + "\n")
    on_progress(Progress("verify", 0, 0))
    require_sound(generation, "The new generation", "The archive in use is unchanged.")
    index.switch_to(generation)
    UnfinishedVectors(index, encoder.identity).remove()
    return BuildReport(generation.id, counts, reused, tuple(rejections), time.monotonic() - started)


def _read_and_cut(
    files: Sequence[SourceFile], rejections: list[Rejection], generation: Generation, on_progress: OnProgress
) -> tuple[list[str], Counts]:
    """Write sources, articles and passages; return the digests of what the encoder is to see, by row."""
    database = DatabaseWriter(generation.database)
    digests: list[str] = []
    article_ids: set[str] = set()
    for done, file in enumerate(files):
        on_progress(Progress("read", done, len(files)))
        for source in read_file(file):
            if isinstance(source, Rejection):
                rejections.append(source)
                continue
            source_row = database.add_source(source)
            for article in _with_new_ids(split_page(source).articles, article_ids):
                article_row = database.add_article(article, source_row)
                for passage in split_passages(article, source.text, **CHUNKING.model_dump()):
                    digest = text_digest(encoded_text(article.headline, passage.text))
                    database.add_passage(passage, article_row, digest)
                    digests.append(digest)
    for rejection in rejections:
        database.add_rejection(rejection)
    counts = Counts(
        sources=database.sources,
        articles=database.articles,
        imprints=database.imprints,
        passages=database.passages,
        rejections=database.rejections,
    )
    database.close()
    on_progress(Progress("read", len(files), len(files)))
    return digests, counts


def _with_new_ids(articles: Sequence[Article], taken: set[str]) -> Iterator[Article]:
    for article in articles:
        unique, number = article.id, 2
        while unique in taken:
            unique, number = f"{article.id}-{number}", number + 1
        taken.add(unique)
        yield article if unique == article.id else replace(article, id=unique)


def _encode(
    digests: Sequence[str], index: IndexFolder, generation: Generation, encoder: Encoder, on_progress: OnProgress
) -> tuple[Vectors, int]:
    """Return the vectors of all passages, and how many were known, from the generation in use or a build cut short."""
    vectors = np.zeros((len(digests), encoder.identity.dimension), np.float32)
    unfinished = UnfinishedVectors(index, encoder.identity)
    known = unfinished.known() | _known_vectors(digests, index, encoder)
    for row, digest in enumerate(digests):
        if digest in known:
            vectors[row] = known[digest]
    reader = DatabaseReader(generation.database)
    # Texts of like length together need the least padding, and the longest first leaves no core alone at the end.
    order = reader.query("SELECT row FROM passages ORDER BY length(text) DESC, row")
    pending = [int(row) for (row,) in order if digests[int(row)] not in known]
    on_progress(Progress("encode", 0, len(pending)))
    try:
        for start in range(0, len(pending), _ENCODE_CHUNK):
            chunk = pending[start : start + _ENCODE_CHUNK]

            def report(done: int, total: int, before: int = start) -> None:
                on_progress(Progress("encode", before + done, len(pending)))

            vectors[chunk] = encoder.encode_passages(encoded_texts(reader, chunk), progress=report)
            unfinished.add([digests[row] for row in chunk], vectors[chunk])
    finally:
        unfinished.close()
        reader.close()
    return vectors, len(digests) - len(pending)


def _known_vectors(digests: Sequence[str], index: IndexFolder, encoder: Encoder) -> dict[str, Vectors]:
    """Return the vectors that the generation in use already holds for some of the digests."""
    try:
        old = index.current()
        manifest = read_manifest(old)
        same_encoder = manifest.encoder.is_same_model(encoder.identity)
        sound = all(file_digest(path) == manifest.files[path.name].sha256 for path in (old.database, old.vectors))
        if not (same_encoder and sound):
            return {}
        reader = DatabaseReader(old.database)
        rows = {digest: int(row) for digest, row in reader.query("SELECT encoded_digest, row FROM passages")}
        reader.close()
        wanted = [digest for digest in dict.fromkeys(digests) if digest in rows]
        fetched = FaissStore.open(old.vectors).fetch(np.array([rows[digest] for digest in wanted], np.int64))
    except (NotFoundError, ArchiveError, KeyError, OSError):
        return {}  # nothing usable to reuse: everything is encoded
    return dict(zip(wanted, fetched, strict=True))


def _keyword_documents(generation: Generation, total: int, on_progress: OnProgress) -> Iterator[KeywordDocument]:
    reader = DatabaseReader(generation.database)
    for row, headline, text in reader.iterate(
        "SELECT passages.row, articles.headline, passages.text FROM passages"
        " JOIN articles ON articles.row = passages.article ORDER BY passages.row"
    ):
        if int(row) % _PROGRESS_STEP == 0:
            on_progress(Progress("keywords", int(row), total))
        whole = f"{headline}\n{text}" if headline else text
        yield KeywordDocument(int(row), tokenize(whole), character_bigrams(whole) + pinyin_pairs(whole))
    on_progress(Progress("keywords", total, total))
    reader.close()


def _nothing_to_index(paths: Sequence[Path], rejections: Sequence[Rejection]) -> str:
    listed = ", ".join(str(path) for path in paths)
    refused = "".join(f"\n  {rejection.name}: {rejection.reason}; {rejection.remedy}" for rejection in rejections[:5])
    return (
        f"Nothing in {listed} could be indexed. Expected at least one readable file of .txt .md .html .pdf .csv .jsonl."
        f"{refused}"
    )


def _own_version() -> str:
    try:
        return version("wenbao")
    except PackageNotFoundError:
        return "unknown"
