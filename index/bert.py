"""A BERT encoder, straight from its files.

The numbers are those of transformers, to the bit. To import that and what it brings takes several times as long as to
read the model: a command that encodes one page would mostly wait for it.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from index.bert_config import WORD_EMBEDDINGS, BertConfig

_POOLING = "pooler."


class Embeddings(nn.Module):
    """Token ids (texts, length) → the sum of the embeddings of word, position and kind (texts, length, hidden)."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.word_embeddings = _embedding(config.vocab_size, config.hidden_size)
        self.position_embeddings = _embedding(config.max_position_embeddings, config.hidden_size)
        self.token_type_embeddings = _embedding(config.type_vocab_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        """Embed ids; all tokens are of the first kind."""
        # In this order: a sum of half-precision numbers depends on it.
        words = self.word_embeddings(input_ids).to(self.LayerNorm.weight.dtype) + self.token_type_embeddings.weight[0]
        embedded: torch.Tensor = self.LayerNorm(words + self.position_embeddings.weight[: input_ids.shape[1]])
        return embedded


def _embedding(count: int, width: int) -> nn.Embedding:
    # Made of a tensor, since drawing random numbers where there is no memory for them imports torch's compiler.
    made: nn.Embedding = nn.Embedding.from_pretrained(torch.empty(count, width))  # type: ignore[no-untyped-call]
    return made


class BertEncoder(nn.Module):
    """The parts of a BERT without its pooling, named as in transformers: `encoder_batches.hidden_states` runs them."""

    def __init__(self, config: BertConfig, embeddings: nn.Module | None = None) -> None:
        """Make a network whose weights are to be loaded.

        Args:
            config: Its sizes.
            embeddings: What stands in their place, where they come from another network later.
        """
        super().__init__()
        self.config = config
        self.embeddings = embeddings or Embeddings(config)
        layers = [_layer(config) for _ in range(config.num_hidden_layers)]
        self.encoder = nn.ModuleDict({"layer": nn.ModuleList(layers)})

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the layers."""
        return next(self.encoder.parameters()).dtype

    @classmethod
    def load(cls, folder: Path, dtype: torch.dtype) -> BertEncoder:
        """Load a network from the folder of a BERT that transformers or sentence-transformers saved.

        Raises:
            OSError: a file cannot be read.
            KeyError, ValueError, RuntimeError: it holds something else.
        """
        config = BertConfig.read(folder)
        with torch.device("meta"):  # no room for weights that are replaced at once
            network = cls(config)
        weights = load_file(folder / "model.safetensors")
        kept = {
            name: value if name == WORD_EMBEDDINGS else value.to(dtype)
            for name, value in weights.items()
            if not name.startswith(_POOLING)
        }
        network.load_state_dict(kept, assign=True)
        return network.requires_grad_(False).eval()


def _layer(config: BertConfig) -> nn.ModuleDict:
    hidden, wide = config.hidden_size, config.intermediate_size

    def narrowing(width: int) -> nn.ModuleDict:
        norm = nn.LayerNorm(hidden, eps=config.layer_norm_eps)
        return nn.ModuleDict({"dense": nn.Linear(width, hidden), "LayerNorm": norm})

    projections = nn.ModuleDict({name: nn.Linear(hidden, hidden) for name in ("query", "key", "value")})
    return nn.ModuleDict(
        {
            "attention": nn.ModuleDict({"self": projections, "output": narrowing(hidden)}),
            "intermediate": nn.ModuleDict({"dense": nn.Linear(hidden, wide), "intermediate_act_fn": nn.GELU()}),
            "output": narrowing(wide),
        }
    )
