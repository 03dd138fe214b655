"""The network of the reader: a transformer with a start and an end score for every token."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from index.encoder_batches import attention_by_products, hidden_states

HEAD_SEED = 0
# How many numbers a token has to say which starts and ends belong together.
PAIR_WIDTH = 64


class SpanModel(torch.nn.Module):
    """A BERT-like encoder and a linear head with 2 + 2 · `PAIR_WIDTH` outputs a token.

    The first two are the scores of an answer's start and end; token 0 stands for "no answer", and their sum there is
    the null score (Devlin et al. 2019, for SQuAD 2.0). The others tell which belong together: the score of a range is
    its start's plus its end's plus the product of what its start says as a start and its end as an end (after Dozat and
    Manning 2017). Without that product, where two passages of the text may answer, the start of one and the end of the
    other win together.
    """

    def __init__(self, transformer: Any) -> None:
        super().__init__()
        self.transformer = transformer
        self.head = torch.nn.Linear(transformer.config.hidden_size, 2 + 2 * PAIR_WIDTH)
        generator = torch.Generator().manual_seed(HEAD_SEED)
        with torch.no_grad():
            self.head.weight.normal_(0.0, 0.02, generator=generator)
            self.head.bias.zero_()
            # Products begin at nothing, and learn from the other factor's noise.
            self.head.weight[2 + PAIR_WIDTH :].zero_()

    def forward(self, ids: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        """Outputs (sequences, length, 2 + 2 · `PAIR_WIDTH`), single precision, of token ids (sequences, length).

        Args:
            ids: Token ids, padded.
            bias: What is added to the attention scores (sequences, 1, 1, length), or None where nothing is padded.
        """
        attend = training_attention if torch.is_grad_enabled() else None
        hidden = hidden_states(self.transformer, ids, bias, attend)
        scores: torch.Tensor = self.head(hidden.to(self.head.weight.dtype)).float()
        return scores


def training_attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, bias: torch.Tensor | None
) -> torch.Tensor:
    """Attention out of plain batched products: on a CPU, forward and backward take 0.6 of the fused operator's time.

    Shapes (sequences, heads, length, head size), and of the bias (sequences, 1, 1, length).
    """
    attended: torch.Tensor = attention_by_products(query, key, value, bias, _Softmax.apply)
    return attended


class _Softmax(torch.autograd.Function):
    """Softmax in the precision of its input, which autocast would raise to single precision and twice the memory."""

    @staticmethod
    def forward(ctx: Any, scores: torch.Tensor) -> torch.Tensor:
        shares = torch._softmax(scores, -1, False)
        ctx.save_for_backward(shares)
        return shares

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        (shares,) = ctx.saved_tensors
        return torch._softmax_backward_data(gradients[0], shares, -1, shares.dtype)


def base_transformer(folder: Path, dtype: torch.dtype) -> Any:
    """Load the encoder in a sentence-transformers or transformers folder, without its pooling, dropout off."""
    from transformers import AutoConfig, AutoModel
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0
    return AutoModel.from_pretrained(
        folder, config=config, dtype=dtype, add_pooling_layer=False, attn_implementation="sdpa", local_files_only=True
    )


def put_weights(model: SpanModel, saved: Mapping[str, torch.Tensor]) -> list[str]:
    """Put saved weights into the parameters that training changes; where any does not fit, change nothing.

    Returns the names of those that are missing, too many, or of another shape.
    """
    wanted = fine_tuned(model)
    wrong = sorted(wanted.keys() ^ saved.keys())
    wrong += [name for name, value in wanted.items() if name in saved and saved[name].shape != value.shape]
    if not wrong:
        with torch.no_grad():
            for name, value in wanted.items():
                value.copy_(saved[name])
    return wrong


def fine_tuned(model: SpanModel) -> dict[str, torch.nn.Parameter]:
    """Return the parameters that training changes, by name: all but the embeddings, which keep the base's values."""
    return {name: value for name, value in model.named_parameters() if ".embeddings." not in name}
