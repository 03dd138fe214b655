"""Encode token lists in batches that waste little: like lengths together, one thread to a batch, order restored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, as_completed
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from index.cpu import attends_faster_by_products

Vectors = npt.NDArray[np.float32]
Attention = Callable[[Any, Any, Any, Any], Any]

# Attention runs a third faster when the length is a multiple of 16 (measured on AMX: 3.2 against 4.5 ms a layer for
# 1,024 tokens in texts of 224 and 228), which is more than the padding costs.
LENGTH_MULTIPLE = 16
# Tokens of a batch, padding included. The activations of 2,048 tokens still fit the second-level cache of one core.
TOKEN_BUDGET = 2048


@dataclass(frozen=True)
class Batch:
    """Texts that are encoded together: their places in the input, and the common length they are padded to."""

    places: tuple[int, ...]
    length: int


def plan_batches(lengths: Sequence[int], *, budget: int = TOKEN_BUDGET, longest: int | None = None) -> list[Batch]:
    """Group texts of like length, the longest first so that no thread is left alone with them at the end.

    Args:
        lengths: Tokens of each text.
        budget: Tokens of one batch, padding included; a longer text has a batch of its own.
        longest: A length that padding may not exceed (the model's positions).
    """
    batches: list[Batch] = []
    places: list[int] = []
    common = 0
    for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        if not places or (len(places) + 1) * common > budget:
            if places:
                batches.append(Batch(tuple(places), common))
            places, common = [], -(-lengths[place] // LENGTH_MULTIPLE) * LENGTH_MULTIPLE
            common = max(lengths[place], min(common, longest or common))
        places.append(place)
    if places:
        batches.append(Batch(tuple(places), common))
    return batches


def hidden_states(transformer: Any, ids: Any, bias: Any, attend: Attention | None = None) -> Any:
    """The last hidden states (texts, length, hidden) of a Hugging Face BERT or XLM-R, from the model's own layers.

    With the model's own layers and fused attention the same numbers, to the bit, as its `forward`; without its hooks
    and output records, which take a quarter of the time of one short question.

    Args:
        transformer: A `BertModel` or `XLMRobertaModel` in evaluation mode; its layers may be `Bf16Layer`s.
        ids: Token ids (texts, length).
        bias: What is added to the attention scores (texts, 1, 1, length), or None.
        attend: Another attention, of (query, key, value, bias), than the one that is faster here.
    """
    import torch

    from index.bf16_layer import Bf16Layer

    by_products = transformer.dtype == torch.bfloat16 and attends_faster_by_products()
    attend = attend or (attention_by_products if by_products else fused_attention)
    heads = transformer.config.num_attention_heads
    hidden = transformer.embeddings(input_ids=ids)
    for layer in transformer.encoder.layer:
        joined = isinstance(layer, Bf16Layer)
        hidden = layer(hidden, bias, attend) if joined else _plain_layer(layer, heads, hidden, bias, attend)
    return hidden


def _plain_layer(layer: Any, heads: int, hidden: Any, bias: Any, attend: Attention) -> Any:
    texts, length, width = hidden.shape
    projections, attention, output = layer.attention.self, layer.attention.output, layer.output
    query, key, value = (
        project(hidden).view(texts, length, heads, -1).transpose(1, 2)
        for project in (projections.query, projections.key, projections.value)
    )
    mixed = attend(query, key, value, bias).transpose(1, 2)
    hidden = attention.LayerNorm(attention.dense(mixed.reshape(texts, length, width)) + hidden)
    wide = layer.intermediate.intermediate_act_fn(layer.intermediate.dense(hidden))
    return output.LayerNorm(output.dense(wide) + hidden)


def fused_attention(query: Any, key: Any, value: Any, bias: Any) -> Any:
    """Attention (texts, heads, length, head size) by torch's fused operator."""
    from torch.nn.functional import scaled_dot_product_attention

    return scaled_dot_product_attention(query, key, value, attn_mask=bias)


def attention_by_products(
    query: Any, key: Any, value: Any, bias: Any, softmax: Callable[[Any], Any] | None = None
) -> Any:
    """The same out of plain products and a softmax over the last dimension, torch's where no other is given."""
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
    if bias is not None:
        scores += bias.to(scores.dtype)
    shares = softmax(scores) if softmax else scores.softmax(-1)
    return shares.to(value.dtype) @ value


def padded(tokens: Sequence[Sequence[int]], length: int, padding: int) -> tuple[Any, Any]:
    """Return token ids padded to a length (texts, length), and a mask of what is not padding, of the same shape."""
    import torch

    ids = np.full((len(tokens), length), padding, np.int64)
    for row, text in zip(ids, tokens, strict=True):
        row[: len(text)] = text
    counts = torch.tensor([len(text) for text in tokens])
    return torch.from_numpy(ids), torch.arange(length) < counts[:, None]


def attention_bias(mask: Any, dtype: Any) -> Any | None:
    """Return what hides the padding from attention: (texts, 1, 1, length), added to the scores; None without padding.

    A mask of ones and zeros would be turned into one of (length × length) for every text, in every layer.
    """
    import torch

    if bool(mask.all()):
        return None
    return torch.zeros(mask.shape, dtype=dtype).masked_fill_(~mask, torch.finfo(dtype).min)[:, None, None, :]


def untruncated(tokenizer: Any) -> Any:
    """Return the tokenizer below a fast one of transformers, which cuts and pads nothing.

    It has no state that a call changes, so several users and threads share it, and its 250 MB.
    """
    backend = tokenizer.backend_tokenizer
    if backend.truncation or backend.padding:  # someone has called the one of transformers
        backend.no_truncation()
        backend.no_padding()
    return backend


def token_ids(tokenizer: Any, texts: Sequence[str], longest: int) -> list[list[int]]:
    """Return the token ids of texts, special tokens included, those of a longer one cut at the end."""
    backend = untruncated(tokenizer)
    room = longest - backend.num_special_tokens_to_add(False)
    encoded = backend.encode_batch(list(texts), add_special_tokens=False)
    for one in encoded:
        if len(one) > room:
            one.truncate(room)
    return [backend.post_process(one).ids for one in encoded]


def encode_batch(transformer: Any, tokens: Sequence[Sequence[int]], length: int, padding: int) -> Vectors:
    """Run the transformer, average over each text's tokens, scale to unit length: (texts, dimension).

    Args:
        transformer: See `hidden_states`.
        tokens: Token ids of each text.
        length: What to pad them to.
        padding: The id to pad with.
    """
    import torch

    ids, mask = padded(tokens, length, padding)
    with torch.inference_mode():
        hidden = hidden_states(transformer, ids, attention_bias(mask, transformer.dtype))
        total = (hidden * mask[:, :, None]).sum(1, dtype=torch.float32)
        vectors: Vectors = torch.nn.functional.normalize(total, dim=1).numpy()
    return vectors


def encode_tokens(
    transformer: Any,
    tokens: Sequence[Sequence[int]],
    pool: Executor,
    *,
    dimension: int,
    padding: int,
    longest: int,
    progress: Callable[[int, int], None] | None = None,
) -> Vectors:
    """Encode token lists side by side on the pool's threads; row i is the unit vector of tokens[i].

    Args:
        transformer: See `hidden_states`.
        tokens: Token ids of each text, special tokens included.
        pool: Where a batch runs; each of its threads is to run torch on one thread.
        dimension: Length of a vector.
        padding: The id to pad with.
        longest: The longest length that the model takes.
        progress: Called in the caller's thread with how many texts are done, and how many there are.
    """
    vectors = np.zeros((len(tokens), dimension), np.float32)
    batches = plan_batches([len(text) for text in tokens], longest=longest)
    futures = {
        pool.submit(encode_batch, transformer, [tokens[place] for place in batch.places], batch.length, padding): batch
        for batch in batches
    }
    done = 0
    try:
        for future in as_completed(futures):
            batch = futures[future]
            vectors[list(batch.places)] = future.result()
            done += len(batch.places)
            if progress:
                progress(done, len(tokens))
    finally:
        for future in futures:  # after an error or Ctrl-C, do not encode what nobody will see
            future.cancel()
    return vectors
