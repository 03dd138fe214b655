"""Linear layers for inference only, their weights laid out once in the form that the CPU's fast units want."""

from __future__ import annotations

import warnings
from typing import Any

import torch

from index.bf16_layer import replace_layers
from index.cpu import Precision


class Int8Linear(torch.nn.Module):
    """A linear layer with 8-bit weights, one scale to an output, and inputs brought to 8 bits at each call.

    For x86 CPUs without bfloat16. Inputs use 7 bits (`reduce_range`), since AVX2 sums pairs of products in 16.
    """

    def __init__(self, linear: torch.nn.Linear) -> None:
        super().__init__()
        weight = linear.weight.detach()
        scales = (weight.abs().amax(1) / 127).clamp_min(1e-12).double()
        with warnings.catch_warnings():  # a torch that no longer has this falls back to single precision, see `_works`
            warnings.filterwarnings("ignore", message=".*quantized tensor creation functions.*")
            quantised = torch.quantize_per_channel(weight, scales, torch.zeros_like(scales).long(), 0, torch.qint8)
        bias = None if linear.bias is None else linear.bias.detach()
        self._packed = torch.ops.quantized.linear_prepack(quantised, bias)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Inputs (…, in) → (…, out), both single precision."""
        outputs: torch.Tensor = torch.ops.quantized.linear_dynamic(inputs, self._packed, True)
        return outputs


def pack(transformer: Any, precision: Precision) -> int:
    """Replace layers of a BERT or XLM-R by faster ones of a precision; return how many were, 0 where there are none."""
    if precision == "bf16":
        return replace_layers(transformer)
    return pack_int8(transformer) if precision == "int8" else 0


def pack_int8(module: Any) -> int:
    """Replace the single-precision linear layers that bear it; return how many were replaced, 0 where torch cannot.

    Layers that narrow their input stay as they are: the outliers after the activation of a feed-forward block need more
    than 8 bits. Measured for multilingual-e5-small with AVX2 only: 1.7 times the tokens a second of single precision,
    cosine to it 0.997 on average and 0.994 at least (with those layers too: 2.6 times, 0.988 and 0.974).
    """
    if not _works():
        return 0
    replaced = 0
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is torch.nn.Linear and child.in_features <= child.out_features:
                setattr(parent, name, Int8Linear(child))
                replaced += 1
    return replaced


def _works() -> bool:
    probe = torch.nn.Linear(32, 32)
    inputs = torch.linspace(-1, 1, 64).reshape(1, 2, 32)
    with torch.inference_mode():
        try:
            return torch.allclose(Int8Linear(probe)(inputs), probe(inputs), atol=0.05)
        except (AttributeError, RuntimeError):  # NotImplementedError is a RuntimeError
            return False
