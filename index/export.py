"""An archive's sources, articles and passages as JSON lines, for other tools."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from index.archive import Archive
from index.errors import InputError

_CHUNK = 256


def export_archive(
    archive: Archive, folder: Path, on_progress: Callable[[int, int], None] = lambda done, total: None
) -> dict[str, int]:
    """Write `sources.jsonl`, `articles.jsonl` and `passages.jsonl` to a folder; return the number of lines of each.

    The lines have the fields of `index.records`. Spans are half-open ranges of code points in the `text` of the source
    that an article names; a passage names its article. A file is complete or not there.

    Raises:
        InputError: the folder holds one of the files already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    articles = archive.articles(imprints=True)
    total = archive.manifest.counts.sources + 2 * len(articles)
    names = ("sources", "articles", "passages")
    for name in names:
        if (folder / f"{name}.jsonl").exists():
            raise InputError(f"{folder / name}.jsonl exists already. Export to an empty folder.")
    done = 0

    def counted(records: Iterable[Any]) -> Iterable[Any]:
        nonlocal done
        for record in records:
            yield record
            done += 1
            if done % _CHUNK == 0:
                on_progress(done, total)

    passages = (passage for article in counted(articles) for passage in archive.passages(article.id))
    records = (counted(archive.source(name) for name in archive.source_names()), counted(articles), passages)
    written = {name: _write(folder / f"{name}.jsonl", lines) for name, lines in zip(names, records, strict=True)}
    on_progress(total, total)
    return written


def _write(path: Path, records: Iterable[Any]) -> int:
    aside = path.with_suffix(".part")
    count = 0
    with aside.open("w", encoding="utf-8", errors="surrogatepass") as out:
        for record in records:
            out.write(json.dumps(asdict(record), ensure_ascii=False) + "\n")
            count += 1
    aside.replace(path)
    return count
