"""Texts to vectors: one encoder, known by its identity, fast on a CPU.

Importing this module loads no library that takes time; `load_encoder` does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from index.cpu import Precision, best_precision, one_thread_pool, prepare_environment, usable_cores
from index.encoder_batches import Vectors, encode_tokens, token_ids
from index.errors import EncoderError
from index.library_models import cached_folder, is_plain, load_model, prefixes
from index.model_files import model_digest
from index.packaged_model import PACKAGED_MODEL, packaged_model_digest, packaged_model_folder

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_SLAB = 512  # texts that sentence-transformers encodes between two calls of `progress`
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
    """An encoder whose network is run directly, batched by tokens with one thread to a batch.

    It averages over a text's tokens. Safe to call from several threads.
    """

    def __init__(
        self, transformer: Any, tokenizer: Any, identity: EncoderIdentity, *, threads: int, precision: Precision
    ) -> None:
        """Make an encoder of a network.

        Args:
            transformer: See `index.encoder_batches.hidden_states`.
            tokenizer: Its fast tokenizer, of transformers or `index.fast_tokenizer`.
            identity: Which model this is.
            threads: How many batches run side by side.
            precision: Of the network; it is changed to 8-bit weights here, where this build of torch can.
        """
        self.transformer = transformer
        self.tokenizer = tokenizer
        self.precision = precision
        self._identity = identity
        from index.packed_linear import pack

        if not pack(transformer, precision) and precision == "int8":
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
        return self._run(texts, self._identity.query_prefix, self._query_pool)

    def encode_passages(self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None) -> Vectors:
        """Unit vectors (n, dimension), float32, of passages.

        Args:
            texts: Without the prefix. What exceeds `identity.max_tokens` is cut off at the end.
            progress: Called with how many texts are done, and how many there are.
        """
        return self._run(texts, self._identity.passage_prefix, self._passage_pool, progress)

    def _run(
        self, texts: Sequence[str], prefix: str, pool: Any, progress: Callable[[int, int], None] | None = None
    ) -> Vectors:
        if not texts:
            return np.zeros((0, self._identity.dimension), np.float32)
        tokens = token_ids(self.tokenizer, [prefix + text for text in texts], self._identity.max_tokens)
        return encode_tokens(
            self.transformer,
            tokens,
            pool,
            dimension=self._identity.dimension,
            padding=self.tokenizer.pad_token_id,
            longest=self._identity.max_tokens,
            progress=progress,
        )


class LibraryEncoder:
    """An encoder that sentence-transformers runs, whatever its parts. Safe to call from several threads."""

    def __init__(self, model: SentenceTransformer, identity: EncoderIdentity) -> None:
        self._model = model
        self._identity = identity

    @property
    def identity(self) -> EncoderIdentity:
        """Which model this is."""
        return self._identity

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors (n, dimension), float32, of questions."""
        return self._run(texts, self._identity.query_prefix)

    def encode_passages(self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None) -> Vectors:
        """Unit vectors (n, dimension), float32, of passages; `progress` hears (done, all)."""
        return self._run(texts, self._identity.passage_prefix, progress)

    def _run(self, texts: Sequence[str], prefix: str, progress: Callable[[int, int], None] | None = None) -> Vectors:
        vectors = np.zeros((len(texts), self._identity.dimension), np.float32)
        order = sorted(range(len(texts)), key=lambda place: -len(texts[place]))
        for start in range(0, len(texts), _SLAB):
            places = order[start : start + _SLAB]
            vectors[places] = self._model.encode(
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
) -> SentenceEncoder | LibraryEncoder:
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
    threads = threads or usable_cores()
    packaged = is_packaged(name_or_path)
    asked = PACKAGED_MODEL if name_or_path is None else name_or_path
    folder = packaged_model_folder() if packaged else Path(asked).expanduser()
    local = folder.is_dir()
    prepare_environment(offline=local)
    precision = best_precision() if precision == "auto" else precision
    if packaged:
        return _packaged(folder, threads, precision)
    model = load_model(str(folder if local else asked), bf16=precision == "bf16", local=local)
    name = str(folder.resolve()) if local else asked
    query_prefix, passage_prefix = prefixes(model.prompts, name)
    identity = EncoderIdentity(
        name=name,
        digest=model_digest(folder if local else cached_folder(name)),
        dimension=int(model.get_embedding_dimension() or 0),
        query_prefix=query_prefix,
        passage_prefix=passage_prefix,
        max_tokens=int(model.get_max_seq_length() or _DEFAULT_MAX_TOKENS),
    )
    if not is_plain(model):
        return LibraryEncoder(model, identity)
    return SentenceEncoder(model[0].model, model.tokenizer, identity, threads=threads, precision=precision)


def is_packaged(name_or_path: str | None) -> bool:
    """Say whether a name, or none, means the packaged model; a folder of its name comes before it."""
    return name_or_path is None or (name_or_path == PACKAGED_MODEL and not Path(name_or_path).is_dir())


def packaged_identity() -> EncoderIdentity:
    """Return which model the packaged one is, without loading it.

    Raises:
        EncoderError: It is not available here, or damaged.
    """
    folder = packaged_model_folder()
    with damage_reported(folder):
        sizes = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        prompts = json.loads((folder / "config_sentence_transformers.json").read_text(encoding="utf-8"))["prompts"]
        return EncoderIdentity(
            name=PACKAGED_MODEL,
            digest=packaged_model_digest(),
            dimension=sizes["hidden_size"],
            query_prefix=prompts["query"],
            passage_prefix=prompts["passage"],
            max_tokens=sizes["max_position_embeddings"],
        )


@contextmanager
def damage_reported(folder: Path) -> Iterator[None]:
    """Turn whatever the libraries raise for a damaged file of the packaged model into an error in words."""
    try:
        yield
    except Exception as error:
        raise EncoderError(
            f"The unpacked embedding model in {folder} is damaged ({type(error).__name__}: {str(error)[:200]}). "
            "Delete that folder: it is unpacked anew."
        ) from error


def _packaged(folder: Path, threads: int, precision: Precision) -> SentenceEncoder:
    import torch

    from index.bert import BertEncoder
    from index.fast_tokenizer import FastTokenizer

    identity = packaged_identity()
    with damage_reported(folder):
        transformer = BertEncoder.load(folder, torch.bfloat16 if precision == "bf16" else torch.float32)
        tokenizer = FastTokenizer.load(folder)
    return SentenceEncoder(transformer, tokenizer, identity, threads=threads, precision=precision)
