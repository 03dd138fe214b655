"""Texts to vectors: one encoder, known by its identity, fast on a CPU.

Importing this module loads no library that takes time; `load_encoder` does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from index.cpu import Precision, best_precision, one_thread_pool, prepare_environment, usable_cores
from index.encoder_batches import Vectors, encode_tokens, token_ids
from index.errors import EncoderError
from index.model_files import model_digest
from index.packaged_model import PACKAGED_MODEL, packaged_model_digest, packaged_model_folder

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_SLAB = 512  # texts that a model outside the fast path encodes between two calls of `progress`
_DEFAULT_MAX_TOKENS = 512


@dataclass(frozen=True)
class EncoderIdentity:
    """What must agree between the encoder of an archive and that of a question.

    `digest` is the sha256 over the model's files. The prefixes go before every text, and `max_tokens`, special tokens
    included, is where texts are cut.
    """

    name: str
    digest: str
    dimension: int
    query_prefix: str
    passage_prefix: str
    max_tokens: int

    def is_same_model(self, other: EncoderIdentity) -> bool:
        """Say whether all but the name agree: the same model may lie in another folder."""
        return replace(other, name=self.name) == self


class Encoder(Protocol):
    """Anything that turns questions and passages into unit vectors of one space."""

    @property
    def identity(self) -> EncoderIdentity:
        """Which model this is."""
        ...

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors (n, dimension), float32, of questions."""
        ...

    def encode_passages(self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None) -> Vectors:
        """Unit vectors (n, dimension), float32, of passages; `progress` hears (done, all)."""
        ...


class SentenceEncoder:
    """An encoder that wraps a `SentenceTransformer`. Safe to call from several threads.

    A model that is a plain Transformer → mean Pooling → Normalize is run directly, batched by tokens with one thread to
    a batch; any other through `SentenceTransformer.encode`.
    """

    def __init__(
        self, model: SentenceTransformer, identity: EncoderIdentity, *, threads: int, precision: Precision
    ) -> None:
        self.model = model
        self.precision = precision
        self._identity = identity
        self._plain = is_plain(model)
        if self._plain and precision in ("bf16", "int8"):
            from index.packed_linear import pack_bf16, pack_int8

            packed = (pack_bf16 if precision == "bf16" else pack_int8)(model[0].model)
            if precision == "int8" and not packed:
                self.precision = "fp32"
        elif precision == "int8":
            self.precision = "fp32"
        # Questions have threads of their own: they must not wait behind the passages of a build.
        self._passage_pool = one_thread_pool(threads)
        self._query_pool = one_thread_pool(threads)

    @property
    def identity(self) -> EncoderIdentity:
        """Which model this is."""
        return self._identity

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors (n, dimension), float32, of questions."""
        prefix = self._identity.query_prefix
        return self._run_plain(texts, prefix, self._query_pool) if self._plain else self._run(texts, prefix)

    def encode_passages(self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None) -> Vectors:
        """Unit vectors (n, dimension), float32, of passages.

        Args:
            texts: Without the prefix. What exceeds `identity.max_tokens` is cut off at the end.
            progress: Called with how many texts are done, and how many there are.
        """
        prefix = self._identity.passage_prefix
        if self._plain:
            return self._run_plain(texts, prefix, self._passage_pool, progress)
        return self._run(texts, prefix, progress)

    def _run_plain(
        self, texts: Sequence[str], prefix: str, pool: Any, progress: Callable[[int, int], None] | None = None
    ) -> Vectors:
        if not texts:
            return np.zeros((0, self._identity.dimension), np.float32)
        tokenizer = self.model.tokenizer
        tokens = token_ids(tokenizer, [prefix + text for text in texts], self._identity.max_tokens)
        return encode_tokens(
            self.model[0].model,
            tokens,
            pool,
            dimension=self._identity.dimension,
            padding=tokenizer.pad_token_id,
            longest=self._identity.max_tokens,
            progress=progress,
        )

    def _run(self, texts: Sequence[str], prefix: str, progress: Callable[[int, int], None] | None = None) -> Vectors:
        vectors = np.zeros((len(texts), self._identity.dimension), np.float32)
        order = sorted(range(len(texts)), key=lambda place: -len(texts[place]))
        for start in range(0, len(texts), _SLAB):
            places = order[start : start + _SLAB]
            vectors[places] = self.model.encode(
                [texts[place] for place in places],
                prompt=prefix or None,
                show_progress_bar=False,
            )
            if progress:
                progress(start + len(places), len(texts))
        # Here, in single precision: scaled by a model in bfloat16 they would be off unit length by a thousandth.
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-12))
        return vectors


def load_encoder(
    name_or_path: str | None = None, *, threads: int | None = None, precision: Precision = "auto"
) -> SentenceEncoder:
    """Load the packaged model, or any sentence-transformers model by its folder or its name on the Hugging Face hub.

    A name is looked for in the local cache first; only one that is not there is downloaded. Code that comes with a
    model is never run.

    Args:
        name_or_path: None (or the packaged model's own name) for the packaged model.
        threads: How many batches run side by side; by default one for each CPU that the process may use.
        precision: `auto` takes bfloat16 where the CPU is faster with it, else 8-bit weights on x86, else single
            precision. A model that is not run directly knows no 8-bit weights and takes single precision for them.

    Raises:
        EncoderError: There is no such model, it cannot be loaded, or the packaged one is not available here.
    """
    if threads is not None and threads < 1:
        raise EncoderError(
            f"The encoder was given {threads} threads; expected 1 or more. Leave it out to use all cores."
        )
    packaged = name_or_path is None or (name_or_path == PACKAGED_MODEL and not Path(name_or_path).is_dir())
    folder = packaged_model_folder() if packaged else Path(str(name_or_path)).expanduser()
    local = folder.is_dir()
    prepare_environment(offline=local)
    import torch

    if precision == "auto":
        precision = best_precision()
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    model = _load_model(str(folder if local else name_or_path), dtype, local=local)
    if packaged:
        name, digest = PACKAGED_MODEL, packaged_model_digest()
    else:
        name = str(folder.resolve()) if local else str(name_or_path)
        digest = model_digest(folder if local else _cached_folder(name))
    query_prefix, passage_prefix = prefixes(model.prompts, name)
    identity = EncoderIdentity(
        name=name,
        digest=digest,
        dimension=int(model.get_embedding_dimension() or 0),
        query_prefix=query_prefix,
        passage_prefix=passage_prefix,
        max_tokens=int(model.get_max_seq_length() or _DEFAULT_MAX_TOKENS),
    )
    return SentenceEncoder(model, identity, threads=threads or usable_cores(), precision=precision)


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


def _load_model(name: str, dtype: Any, *, local: bool) -> SentenceTransformer:
    """Load from the disk, and only a name that is not there from the hub.

    Raises:
        EncoderError: It is on neither, or cannot be read.
    """
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]

    def load(*, local_files_only: bool) -> SentenceTransformer:
        return SentenceTransformer(
            name,
            device="cpu",
            trust_remote_code=False,
            local_files_only=local_files_only,
            model_kwargs={"dtype": dtype, "attn_implementation": "sdpa"},
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


def _cached_folder(name: str) -> Path:
    """The folder of the local cache that holds a model of the hub which has just been loaded."""
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(name, local_files_only=True))
