"""The packaged model, ready at once: a few texts are encoded in NumPy, and torch is imported when there are more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from index.cpu import prepare_environment
from index.encoder import Encoder, EncoderIdentity, damage_reported, load_encoder, packaged_identity
from index.encoder_batches import Vectors, token_ids
from index.fast_tokenizer import FastTokenizer
from index.numpy_bert import NumpyBert
from index.packaged_model import packaged_model_folder

# What NumPy encodes in about the second that importing torch takes.
FEW_TOKENS = 1024


@dataclass(frozen=True)
class _Few:
    tokenizer: FastTokenizer
    network: NumpyBert


class QuickEncoder:
    """An encoder of the packaged model that begins without torch. Not for several threads at once."""

    def __init__(self) -> None:
        """Load the model.

        Raises:
            EncoderError: It is not available here, or damaged.
        """
        prepare_environment(offline=True)
        folder = packaged_model_folder()
        self.identity: EncoderIdentity = packaged_identity()
        with damage_reported(folder):
            self._few: _Few | None = _Few(FastTokenizer.load(folder), NumpyBert(folder))
        self._many: Encoder | None = None

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors (n, dimension), float32, of questions."""
        few = self._of_few(texts, self.identity.query_prefix)
        return self._loaded().encode_queries(texts) if few is None else few

    def encode_passages(self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None) -> Vectors:
        """Unit vectors (n, dimension), float32, of passages; `progress` hears (done, all)."""
        few = self._of_few(texts, self.identity.passage_prefix)
        if few is None:
            return self._loaded().encode_passages(texts, progress)
        if progress:
            progress(len(texts), len(texts))
        return few

    def _of_few(self, texts: Sequence[str], prefix: str) -> Vectors | None:
        """Return the vectors of texts, None where torch is to encode them."""
        if self._few is None:
            return None
        tokens = token_ids(self._few.tokenizer, [prefix + text for text in texts], self.identity.max_tokens)
        return self._few.network.encode(tokens) if sum(map(len, tokens)) <= FEW_TOKENS else None

    def _loaded(self) -> Encoder:
        if self._many is None:
            self._few = None  # first, so that the memory it took serves the other
            self._many = load_encoder()
        return self._many
