"""A tokenizer straight from its file, without transformers, whose import takes longer than to read it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer


@dataclass(frozen=True)
class FastTokenizer:
    """What is used of a fast tokenizer of transformers, under its names; safe to use from several threads."""

    backend_tokenizer: Tokenizer
    pad_token_id: int
    all_special_ids: tuple[int, ...]
    model_input_names: tuple[str, ...]

    @classmethod
    def load(cls, folder: Path) -> FastTokenizer:
        """Load a tokenizer from the folder that transformers saved it to.

        Raises:
            OSError: a file cannot be read.
            KeyError, ValueError: it holds something else.
        """
        stated = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        backend = Tokenizer.from_str((folder / "tokenizer.json").read_text(encoding="utf-8"))
        ids = {name: _id_of(token, backend) for name, token in stated.items() if name.endswith("_token")}
        return cls(backend, ids["pad_token"], tuple(dict.fromkeys(ids.values())), tuple(stated["model_input_names"]))


def _id_of(token: str, backend: Tokenizer) -> int:
    number = backend.token_to_id(token)
    if number is None:
        raise KeyError(token)
    return number
