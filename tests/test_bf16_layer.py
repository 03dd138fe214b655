"""Layers whose steps are joined give what the plain ones give, but for what these round away in between."""

from __future__ import annotations

import copy

import pytest
import torch

from index.bert import BertEncoder
from index.bert_config import BertConfig
from index.bf16_layer import Bf16Layer, replace_layers
from index.encoder_batches import attention_bias, hidden_states

LENGTH = 24


def network(activation: str = "gelu") -> BertEncoder:
    torch.manual_seed(5)
    made = BertEncoder(BertConfig(50, 64, 3, 4, 128, activation, LENGTH, 2, 1e-12))
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            parameter.normal_(1.0 if "LayerNorm.weight" in name else 0.0, 0.1 if "LayerNorm" in name else 0.3)
    return made.requires_grad_(False).eval()


def states(transformer: BertEncoder) -> torch.Tensor:
    ids = torch.randint(0, 50, (3, LENGTH), generator=torch.Generator().manual_seed(1))
    mask = torch.arange(LENGTH) < torch.tensor([LENGTH, 7, 15])[:, None]
    with torch.inference_mode():
        return hidden_states(transformer, ids, attention_bias(mask, transformer.dtype)).float()[mask]


def test_joined_layers_are_nearer_to_single_precision_than_plain_ones() -> None:
    exact = states(network())
    plain = states(network().to(torch.bfloat16))
    joined = network().to(torch.bfloat16)
    if not replace_layers(joined):
        pytest.skip("this build of torch lacks the operators")
    assert all(isinstance(layer, Bf16Layer) for layer in joined.encoder.layer)
    assert joined.dtype == torch.bfloat16
    error_of_plain, error_of_joined = ((found - exact).pow(2).mean().sqrt().item() for found in (plain, states(joined)))
    assert error_of_joined < 1.05 * error_of_plain
    assert error_of_joined < 0.05


@pytest.mark.parametrize(("activation", "precision"), [("relu", torch.bfloat16), ("gelu", torch.float32)])
def test_layers_of_another_kind_stay_as_they_are(activation: str, precision: torch.dtype) -> None:
    made = network(activation).to(precision)
    before = copy.deepcopy(made)
    assert replace_layers(made) == 0
    assert torch.equal(states(made), states(before))
