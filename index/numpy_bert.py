"""A BERT encoder in NumPy, in single precision: for a few texts, which take less time than the import of torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import safe_open

from index.bert_config import WORD_EMBEDDINGS, BertConfig
from index.encoder_batches import Vectors


class NumpyBert:
    """The network of a sentence-transformers folder that averages over tokens; what is not asked for stays on disk."""

    def __init__(self, folder: Path) -> None:
        """Load the weights.

        Raises:
            OSError: a file cannot be read.
            KeyError, ValueError: it holds something else.
        """
        self._config = BertConfig.read(folder)
        file: Any = safe_open(folder / "model.safetensors", framework="np")
        self._words = file.get_slice(WORD_EMBEDDINGS)
        names = set(file.keys()) - {WORD_EMBEDDINGS}
        self._weights = {name: file.get_tensor(name).astype(np.float32) for name in names}

    def encode(self, tokens: Sequence[Sequence[int]]) -> Vectors:
        """Unit vectors (n, dimension), float32, of token ids, special tokens included."""
        states = [self._hidden_states(ids).mean(axis=0) for ids in tokens]
        means = np.array(states, np.float32).reshape(len(tokens), self._config.hidden_size)
        unit: Vectors = means / np.linalg.norm(means, axis=1, keepdims=True)
        return unit

    def _hidden_states(self, ids: Sequence[int]) -> Vectors:
        words = np.concatenate([self._words[one : one + 1] for one in ids]).astype(np.float32)
        positions = self._weights["embeddings.position_embeddings.weight"][: len(ids)]
        kinds = self._weights["embeddings.token_type_embeddings.weight"][0]
        hidden = self._normalized(words + positions + kinds, "embeddings.LayerNorm")
        for number in range(self._config.num_hidden_layers):
            layer = f"encoder.layer.{number}"
            mixed = self._product(self._attended(hidden, f"{layer}.attention.self"), f"{layer}.attention.output.dense")
            hidden = self._normalized(mixed + hidden, f"{layer}.attention.output.LayerNorm")
            wide = gelu(self._product(hidden, f"{layer}.intermediate.dense"))
            hidden = self._normalized(
                self._product(wide, f"{layer}.output.dense") + hidden, f"{layer}.output.LayerNorm"
            )
        return hidden

    def _attended(self, hidden: Vectors, name: str) -> Vectors:
        length, width = hidden.shape
        query, key, value = (
            self._product(hidden, f"{name}.{part}")
            .reshape(length, self._config.num_attention_heads, -1)
            .transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) / np.float32(np.sqrt(query.shape[-1]))
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        attended: Vectors = (shares @ value).transpose(1, 0, 2).reshape(length, width)
        return attended

    def _product(self, inputs: Vectors, name: str) -> Vectors:
        product: Vectors = inputs @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return product

    def _normalized(self, inputs: Vectors, name: str) -> Vectors:
        centred = inputs - inputs.mean(axis=-1, keepdims=True)
        deviation = np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + np.float32(self._config.layer_norm_eps))
        normalized: Vectors = centred / deviation * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        return normalized


def gelu(inputs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return x·Φ(x), with the error function of Abramowitz and Stegun, 7.1.26, which is off by 1.5e-7 at most."""
    distance = np.abs(inputs) * np.float32(2**-0.5)
    part = 1 / (1 + np.float32(0.3275911) * distance)
    series = np.zeros_like(part)
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series = (series + np.float32(factor)) * part
    beyond = series * np.exp(-distance * distance) / 2  # of the normal distribution, on the far side
    activated: npt.NDArray[np.float32] = inputs * np.where(inputs < 0, beyond, 1 - beyond)
    return activated
