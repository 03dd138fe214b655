"""Reading what has changed into the database of a new generation: sources that are the same keep their articles."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from index.changes import Changes, content_digest, settled_time
from index.database_writer import DatabaseWriter
from index.errors import WenbaoError
from index.finding import SourceFile
from index.manifest import CHUNKING
from index.pages import split_page
from index.passages import split_passages
from index.progress import OnProgress, Progress
from index.reading import printable
from index.records import Rejection, Source
from index.source_rows import SourceRows, rows_of_source
from index.sources import read_file
from index.spans import spans_inside

_FOUND_NOWHERE = ""
_SHOWN_CHARACTERS = 200
_log = logging.getLogger(__name__)


def read_changed(
    changes: Changes,
    refused: Sequence[Rejection],
    removed: Sequence[str],
    left_out: frozenset[str],
    database: DatabaseWriter,
    on_progress: OnProgress,
) -> None:
    """Bring the database from the files as they were to what they are.

    Args:
        changes: What became of the files.
        refused: What the search for files could not follow.
        removed: Sources to remove, by name.
        left_out: Names of sources not to take in.
        database: That of the generation before, or an empty one.
        on_progress: Called for every file.
    """
    now = time.time_ns()
    for name in changes.gone:
        database.remove_file(name)
    for name in removed:
        row = database.source_row(name)
        if row is not None:
            database.remove_source(row)
    database.remove_rejections(_FOUND_NOWHERE)
    for rejection in refused:
        database.add_rejection(rejection, _FOUND_NOWHERE)
    for file in changes.touched:
        database.touch_file(file, settled_time(file, now))
    files = changes.to_read
    for done, file in enumerate(files):
        on_progress(Progress("read", done, len(files)))
        _read(file, left_out, database, now)
    on_progress(Progress("read", len(files), len(files)))


def _read(file: SourceFile, left_out: frozenset[str], database: DatabaseWriter, now: int) -> None:
    """Read a file again: what is in it now takes the place of what was."""
    # Before it is read: if it changes in between, the digest is of neither, and it is read again next time.
    digest = content_digest(file)
    whole = bool(digest)
    database.remove_rejections(file.name)
    before = database.rows_of_file(file.name)
    for found in _contents(file, left_out, database):
        if isinstance(found, Rejection):
            database.add_rejection(found, file.name)
            whole = whole and not found.passing
        elif isinstance(found, SourceRows):
            database.put_source(found)
        else:
            before.discard(found)
    if not whole:  # nothing that was known is lost for a failure that may pass
        database.set_file(file, 0, "")
        return
    database.set_file(file, settled_time(file, now), digest)
    for row in before:
        database.remove_source(row)


def _contents(
    file: SourceFile, left_out: frozenset[str], database: DatabaseWriter
) -> Iterator[SourceRows | int | Rejection]:
    """Read and cut a file, and write nothing: yield what is new or differs, the rows of what is known, refusals."""
    try:
        for source in read_file(file):
            if isinstance(source, Rejection):
                yield source
            elif source.name not in left_out:
                known = database.known_source(source)
                yield _cut(source, file, database) if known is None else known
    except MemoryError:
        reason = "reading it takes more memory than is free"
        remedy = "index it again when more is free, or split it into smaller files"
        yield Rejection(file.name, reason, remedy, passing=True)
    except (WenbaoError, OSError, sqlite3.Error):
        raise  # of the archive and the machine, not of the file
    except Exception as error:  # noqa: BLE001 - a fault of ours that one file brings out must not stop the others
        _log.exception("Reading %s failed.", file.name)
        reason = f"reading it failed ({type(error).__name__}: {printable(str(error))[:_SHOWN_CHARACTERS]})"
        remedy = "this is a fault of Wenbao: report it, and until it is mended convert the file to plain text"
        yield Rejection(file.name, reason, remedy, passing=True)


def _cut(source: Source, file: SourceFile, database: DatabaseWriter) -> SourceRows:
    given: set[str] = set()
    articles = []
    times: Counter[str] = Counter()  # a page may hold thousands of the same article
    for article in split_page(source).articles:
        if not article.spans or not spans_inside(article.spans, len(source.text)):
            raise ValueError(f"article {article.id} does not lie inside its source")
        unique = ""
        while not unique or unique in given or database.is_taken(unique, source.name):
            times[article.id] += 1
            unique = article.id if times[article.id] == 1 else f"{article.id}-{times[article.id]}"
        given.add(unique)
        passages = list(split_passages(article, source.text, **CHUNKING.model_dump()))
        articles.append((replace(article, id=unique), passages))
    return rows_of_source(source, file.name, articles)
