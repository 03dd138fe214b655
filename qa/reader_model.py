"""Loading a reader: the trained layers on the archive's own encoder, or any model of transformers for the task."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.cpu import Precision, best_precision, one_thread_pool, prepare_environment, usable_cores
from index.encoder import Encoder, SentenceEncoder
from index.encoder_batches import attention_bias, padded
from index.errors import WenbaoError
from index.packaged_model import PACKAGED_MODEL, packaged_model_folder
from qa.calibration import Calibration, load_calibration
from qa.particles import particle_pieces
from qa.reader import Floats, SpanReader
from qa.reader_input import Window

if TYPE_CHECKING:
    import torch

    from qa.span_model import SpanModel

WEIGHTS_FOLDER = Path(__file__).parent / "weights"
WEIGHTS = "reader.safetensors"


class ReaderError(WenbaoError):
    """The reader's weights are missing, damaged, or of another network."""


class OwnScorer:
    """Scores windows with the trained layers, run directly as the encoder's are."""

    def __init__(self, model: SpanModel, padding: int) -> None:
        self._model = model
        self._padding = padding

    def score(self, windows: Sequence[Window], length: int) -> Floats:
        """Return the outputs (windows, length, 2 + 2 · `PAIR_WIDTH`)."""
        import torch

        ids, mask = padded([window.ids for window in windows], length, self._padding)
        bias = attention_bias(mask, self._model.transformer.dtype)
        with torch.inference_mode():
            scores: Floats = self._model(ids, bias).numpy()
        return scores


class TransformersScorer:
    """Scores windows with a question-answering model of transformers."""

    def __init__(self, model: Any, padding: int) -> None:
        self._model = model
        self._padding = padding

    def score(self, windows: Sequence[Window], length: int) -> Floats:
        """Return the scores (windows, length, 2)."""
        import torch

        ids, mask = padded([window.ids for window in windows], length, self._padding)
        inputs = {"input_ids": ids, "attention_mask": mask.long()}
        if windows[0].types:
            types = [list(window.types) + [0] * (length - len(window.types)) for window in windows]
            inputs["token_type_ids"] = torch.tensor(types)
        with torch.inference_mode():
            out = self._model(**inputs)
            scores: Floats = torch.stack([out.start_logits, out.end_logits], dim=-1).float().numpy()
        return scores


def load_reader(
    encoder: Encoder | None = None,
    name_or_path: str | None = None,
    *,
    threads: int | None = None,
    precision: Precision = "auto",
) -> SpanReader:
    """Load the trained reader, or another question-answering model by its folder or its name on the Hugging Face hub.

    Args:
        encoder: Where it is the trained reader's base, the two share the embeddings of words (200 MB).
        name_or_path: None for the trained reader; a folder that a training wrote; or any other model.
        threads: How many batches run side by side; by default one for each CPU that the process may use.
        precision: As for the encoder.

    Raises:
        ReaderError: There is no such reader, or it does not fit.
        EncoderError: The base model is not available here.
    """
    folder = reader_folder(name_or_path)
    prepare_environment(offline=folder.is_dir())
    pool = one_thread_pool(threads or usable_cores())
    if precision == "auto":
        precision = encoder.precision if isinstance(encoder, SentenceEncoder) else best_precision()
    if (folder / WEIGHTS).is_file() or name_or_path is None:
        return _trained(folder, encoder, pool, precision)
    return _of_transformers(str(folder if folder.is_dir() else name_or_path), folder.is_dir(), pool, precision)


def load_calibrated_reader(encoder: Encoder, name_or_path: str | None) -> tuple[SpanReader, Calibration]:
    """Load a reader as `load_reader` does, and what was fitted for it.

    Raises:
        ReaderError: There is no such reader, or it does not fit.
        EncoderError: The base model is not available here.
        CalibrationError: Its calibration cannot be read.
    """
    return load_reader(encoder, name_or_path), load_calibration(reader_folder(name_or_path))


def reader_folder(name_or_path: str | None) -> Path:
    """Return the folder of a reader; for a name on the hub, one that does not exist."""
    return Path(name_or_path).expanduser() if name_or_path else WEIGHTS_FOLDER


def _trained(folder: Path, encoder: Encoder | None, pool: Executor, precision: Precision) -> SpanReader:
    import torch
    from safetensors.torch import load_file

    from index.bert import BertEncoder
    from index.bert_config import BertConfig
    from index.packed_linear import pack
    from qa.span_model import SpanModel, put_weights

    if not (folder / WEIGHTS).is_file():
        raise _missing(folder)
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    base, tokenizer = _shared_base(encoder) or _own_base(dtype)
    with torch.device("meta"):  # its weights come next, and the embeddings from the base
        transformer = BertEncoder(BertConfig.of(vars(base.config)), torch.nn.Identity())
    model = SpanModel(transformer.to_empty(device="cpu"))
    try:
        saved = load_file(folder / WEIGHTS)
    except Exception as error:
        raise ReaderError(f"{folder / WEIGHTS} cannot be read ({error}). Install Wenbao anew.") from error
    wrong = put_weights(model, saved)
    if wrong:
        raise ReaderError(
            f"{folder / WEIGHTS} does not fit {PACKAGED_MODEL} ({len(wrong)} tensors differ). "
            "Train the reader on this base, or leave out --reader for the one that comes with Wenbao."
        )
    model.requires_grad_(False).eval()
    model.transformer.to(dtype)
    model.transformer.embeddings = base.embeddings.requires_grad_(False)
    pack(model.transformer, precision)
    return SpanReader(OwnScorer(model, tokenizer.pad_token_id), tokenizer, pool, particles=particle_pieces(tokenizer))


def _shared_base(encoder: Encoder | None) -> tuple[Any, Any] | None:
    """Return the transformer of the encoder and its tokenizer, where it is the model the reader builds on.

    That is the packaged one, or the same from the hub, on machines that the package does not exist for.
    """
    if not isinstance(encoder, SentenceEncoder):
        return None
    identity = encoder.identity
    same = identity.name == PACKAGED_MODEL or identity.name.lower().rstrip("/").endswith(PACKAGED_MODEL.split("/")[-1])
    return (encoder.transformer, encoder.tokenizer) if same else None


def _own_base(dtype: torch.dtype) -> tuple[Any, Any]:
    from index.bert import BertEncoder
    from index.fast_tokenizer import FastTokenizer

    folder = packaged_model_folder()
    return BertEncoder.load(folder, dtype), FastTokenizer.load(folder)


def _of_transformers(name: str, local: bool, pool: Executor, precision: Precision) -> SpanReader:
    import torch
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    try:
        model = AutoModelForQuestionAnswering.from_pretrained(name, dtype=dtype, local_files_only=local).eval()
        tokenizer = AutoTokenizer.from_pretrained(name, local_files_only=local)
    except (OSError, ValueError) as error:
        raise ReaderError(
            f"{name} cannot be loaded as a question-answering model ({error}). Name a folder with config.json, "
            "tokenizer.json and model.safetensors of such a model, or leave out --reader."
        ) from error
    if not tokenizer.is_fast:
        raise ReaderError(f"The tokenizer of {name} gives no places of tokens. Name a model with a tokenizer.json.")
    return SpanReader(TransformersScorer(model, tokenizer.pad_token_id), tokenizer, pool)


def _missing(folder: Path) -> ReaderError:
    return ReaderError(
        f"The reader's weights {folder / WEIGHTS} are missing. Install Wenbao anew, or name a reader with --reader."
    )
