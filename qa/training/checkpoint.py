"""What training keeps on disk: checkpoints to go on from, and the weights of the finished reader. No pickle."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file, save_file

from index.errors import InputError
from index.layout import replace_file
from qa.reader_model import WEIGHTS
from qa.span_model import SpanModel, base_transformer, fine_tuned, put_weights
from qa.training.batches import Place
from qa.training.optimizer import SharedState

if TYPE_CHECKING:
    from qa.training.reader import Progress

_CHECKPOINT = "checkpoint.safetensors"
RECIPE = "recipe.json"


def save_checkpoint(work: Path, state: SharedState, progress: Progress, training: str) -> None:
    """Write the state to a file aside, then put it in the place of the last one; `training` says of which training."""
    aside = work / f"{_CHECKPOINT}.new"
    metadata = {"progress": json.dumps(asdict(progress)), "training": training}
    save_file({name: tensor.clone() for name, tensor in state.saved().items()}, aside, metadata)
    aside.replace(work / _CHECKPOINT)


def load_checkpoint(work: Path, state: SharedState, training: str) -> Progress:
    """Restore the state, and return where training stood; the beginning where there is no checkpoint.

    Raises:
        InputError: the checkpoint is of another network, or of another training.
    """
    from safetensors import safe_open

    from qa.training.reader import Progress

    path = work / _CHECKPOINT
    if not path.is_file():
        state.average.copy_(state.parameters)
        return Progress()
    with safe_open(path, "pt") as opened:
        metadata = opened.metadata()
    known = json.loads(metadata["progress"])
    if metadata["training"] != training:
        raise InputError(
            f"{path} is of a training on other files, or with other samples or seed. Name another --work folder, or "
            "remove it to begin anew."
        )
    saved = load_file(path)
    if saved["parameters"].shape != state.parameters.shape:
        raise InputError(f"{path} is of another base model. Name another --work folder, or remove it to begin anew.")
    state.restore(saved)
    return Progress(known["step"], known["tokens"], Place(**known["place"]))


def export_checkpoint(work: Path, base: Path, folder: Path) -> Path:
    """Write the weights that the checkpoint of an unfinished training has, averaged, as a weights folder.

    Raises:
        InputError: there is no checkpoint.
    """
    path = work / _CHECKPOINT
    if not path.is_file():
        raise InputError(f"{work} holds no {_CHECKPOINT}. Name the --work folder of a training that has begun.")
    model = SpanModel(base_transformer(base, torch.float32))
    put_parameters(model, load_file(path)["average"])
    return save_weights(folder, model, {})


def put_parameters(model: SpanModel, flat: torch.Tensor) -> None:
    """Put parameters that lie one after the other in a vector into the model."""
    start = 0
    for value in fine_tuned(model).values():
        value.data.copy_(flat[start : start + value.numel()].view_as(value))
        start += value.numel()


def save_weights(folder: Path, model: SpanModel, recipe: dict[str, Any]) -> Path:
    """Write the fine-tuned layers and the head in half precision, and the recipe beside them; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: value.detach().half().contiguous() for name, value in fine_tuned(model).items()}, folder / WEIGHTS)
    replace_file(folder / RECIPE, json.dumps(recipe, indent=2) + "\n")
    return folder


def load_weights(folder: Path, model: SpanModel) -> None:
    """Put the fine-tuned layers and the head of a weights folder into a model of the same base.

    Raises:
        InputError: there are none, or they are of another network.
    """
    path = folder / WEIGHTS
    if not path.is_file():
        raise InputError(f"{folder} holds no {WEIGHTS}. Name a folder that a training of the reader wrote.")
    wrong = put_weights(model, load_file(path))
    if wrong:
        raise InputError(
            f"{path} is of another network ({len(wrong)} tensors do not fit). Name the base it was trained on."
        )
