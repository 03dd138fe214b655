"""Reading what has changed into the database of a new generation: sources that are the same keep their articles."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from index.changes import Changes, content_digest, settled_time
from index.database_writer import DatabaseWriter
from index.encoded_text import encoded_text, text_digest
from index.finding import SourceFile
from index.manifest import CHUNKING
from index.pages import split_page
from index.passages import split_passages
from index.progress import OnProgress, Progress
from index.records import Article, Rejection, Source
from index.sources import read_file

_FOUND_NOWHERE = ""


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
        database.touch_file(file.name, settled_time(file, now))
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
    for source in read_file(file):
        if isinstance(source, Rejection):
            database.add_rejection(source, file.name)
            whole = whole and not source.passing
        elif source.name not in left_out:
            known = database.known_source(source)
            if known is None:
                _cut(source, file, database)
            else:
                before.discard(known)
    if not whole:  # nothing that was known is lost for a failure that may pass
        database.set_file(file, 0, "")
        return
    database.set_file(file, settled_time(file, now), digest)
    for row in before:
        database.remove_source(row)


def _cut(source: Source, file: SourceFile, database: DatabaseWriter) -> None:
    source_row = database.add_source(source, file.name)
    for article in _with_new_ids(split_page(source).articles, database):
        article_row = database.add_article(article, source_row)
        for passage in split_passages(article, source.text, **CHUNKING.model_dump()):
            database.add_passage(passage, article_row, text_digest(encoded_text(article.headline, passage.text)))


def _with_new_ids(articles: Sequence[Article], database: DatabaseWriter) -> Iterator[Article]:
    for article in articles:
        unique, number = article.id, 2
        while database.has_article(unique):
            unique, number = f"{article.id}-{number}", number + 1
        yield article if unique == article.id else replace(article, id=unique)
