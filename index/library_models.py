"""Models that sentence-transformers loads: from a folder, the cache or the hub, and what can be said of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.errors import EncoderError
from index.packaged_model import PACKAGED_MODEL

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


def prefixes(prompts: Mapping[str, str | None], name: str) -> tuple[str, str]:
    """What goes before a question and before a passage: the model's own prompts, or what the E5 family was trained on.

    sentence-transformers adds empty prompts of its own, so an empty one says nothing.
    """
    query = prompts.get("query") or ""
    passage = prompts.get("passage") or prompts.get("document") or ""
    words = name.lower().split("/")[-1].split("-")
    if not query and not passage and "e5" in words and "instruct" not in words:
        return "query: ", "passage: "
    return query, passage


def is_plain(model: SentenceTransformer) -> bool:
    """Whether a model is no more than a text encoder, the mean over its tokens, and scaling to unit length."""
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    modules: list[Any] = list(model)
    if [type(module) for module in modules[:2]] != [Transformer, Pooling] or len(modules) > 3:
        return False
    transformer, pooling = modules[0], modules[1]
    return bool(
        all(type(module) is Normalize for module in modules[2:])
        and pooling.pooling_mode in ("mean", ("mean",))
        and pooling.include_prompt
        and type(transformer.model).__name__ in ("BertModel", "XLMRobertaModel")
        and not getattr(transformer.model.config, "is_decoder", False)
        and model.tokenizer.is_fast
        and not getattr(transformer, "do_lower_case", False)
    )


def load_model(name: str, *, bf16: bool, local: bool) -> SentenceTransformer:
    """Load from the disk, and only a name that is not there from the hub.

    Raises:
        EncoderError: It is on neither, or cannot be read.
    """
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]

    def load(*, local_files_only: bool) -> SentenceTransformer:
        return SentenceTransformer(
            name,
            device="cpu",
            trust_remote_code=False,
            local_files_only=local_files_only,
            model_kwargs={"dtype": torch.bfloat16 if bf16 else torch.float32, "attn_implementation": "sdpa"},
        ).eval()

    try:
        try:
            return load(local_files_only=True)
        except (OSError, ValueError):
            if local:
                raise
        return load(local_files_only=False)
    except Exception as error:  # the libraries raise whatever they like for a folder or a name that is no model
        found = "the folder is there but cannot be loaded" if local else "there is no such folder, cached or hub model"
        reason = (str(error).splitlines() or [""])[0][:200]
        raise EncoderError(
            f"The embedding model {name!r}: {found} ({type(error).__name__}: {reason}). "
            "Expected a folder that sentence-transformers saved, or a model's name on the Hugging Face hub. Correct "
            f"`--model`, or leave it out to use the packaged {PACKAGED_MODEL}."
        ) from error


def cached_folder(name: str) -> Path:
    """The folder of the local cache that holds a model of the hub which has just been loaded."""
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(name, local_files_only=True))
