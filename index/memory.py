"""Memory: how much there is, the machine's or the part that the process is kept to; when Python looks for garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

_NO_LIMIT = 2**63
# What a container may take (cgroups, version 2 and 1); the machine's figures know nothing of it.
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def memory_there_is() -> int:
    """Return the bytes of memory that this process can be given at most: the same at every call."""
    return min(int(psutil.virtual_memory().total), *_limits())


def memory_free() -> int:
    """Return the bytes of memory that are free now."""
    return min(int(psutil.virtual_memory().available), *_limits())


def _limits() -> list[int]:
    texts = [path.read_text(encoding="ascii").strip() for path in _LIMITS if path.is_file()]
    return [int(text) for text in texts if text.isdigit()] or [_NO_LIMIT]  # without one it says "max"


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep Python's collector from running: it would look through all objects each time that many have been made.

    For steps that make many and leave no cycles among them: they take half the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
