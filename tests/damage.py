"""Damage to a generation that its digests do not show, so that the other checks have to."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import numpy as np

from index.layout import Generation
from index.manifest import parse_manifest, record_files, write_manifest
from index.vectors import FaissStore, Vectors

Damage = Callable[[Generation], None]


def seal(generation: Generation, **changes: Any) -> None:
    """Write the manifest anew: with the digests of the files as they are now, and other fields changed."""
    files = {"files": record_files(generation)}
    write_manifest(generation, parse_manifest(generation).model_copy(update=files | changes))


def change_database(*statements: str) -> Damage:
    def change(generation: Generation) -> None:
        connection = sqlite3.connect(generation.database)
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()
        seal(generation)

    return change


def change_vectors(change: Callable[[Vectors], Vectors]) -> Damage:
    def write(generation: Generation) -> None:
        store = FaissStore.open(generation.vectors)
        FaissStore.write(generation.vectors, change(store.fetch(np.arange(len(store)))))
        seal(generation)

    return write
