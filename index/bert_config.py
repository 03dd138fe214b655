"""What a saved BERT says of itself: the sizes of its network, and which of its weights stay on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

# Four fifths of all weights, of which a text needs a few hundred rows: they stay in the file, mapped into memory, and
# what is looked up gets the precision of the rest.
WORD_EMBEDDINGS = "embeddings.word_embeddings.weight"


@dataclass(frozen=True)
class BertConfig:
    """The sizes of a network, under the names that transformers gives them in `config.json`."""

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    hidden_act: str
    max_position_embeddings: int
    type_vocab_size: int
    layer_norm_eps: float

    @classmethod
    def of(cls, stated: Mapping[str, Any]) -> BertConfig:
        """Return the sizes that a configuration of transformers states."""
        return cls(**{field.name: stated[field.name] for field in fields(cls)})

    @classmethod
    def read(cls, folder: Path) -> BertConfig:
        """Read the sizes of the BERT in a folder that transformers or sentence-transformers saved.

        Raises:
            OSError: the file cannot be read.
            KeyError, ValueError: it is of another network.
        """
        stated = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        if (stated["model_type"], stated["hidden_act"]) != ("bert", "gelu"):
            raise ValueError(f"a {stated['model_type']} with {stated['hidden_act']}, not a bert with gelu")
        return cls.of(stated)
