"""The user's private cache folder."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def cache_folder(name: str) -> Path:
    """Return the folder `name` in Wenbao's cache, made if missing and closed to other users.

    The environment variable `WENBAO_CACHE_DIR` moves the cache.
    """
    root = Path(os.environ.get("WENBAO_CACHE_DIR") or platformdirs.user_cache_path("wenbao", appauthor=False))
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
