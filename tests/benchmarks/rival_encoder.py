"""Another library's encoder behind a pipe, for `rivals.py`: runs in its environment and imports nothing of ours.

    python rival_encoder.py txtai|haystack|sentence-transformers MODEL_FOLDER PASSAGES.json THREADS

Loads the model, prints "ready NAME VERSION", and for each line on its input encodes all passages and prints how many
seconds it took.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"


def txtai(model: str, passages: list[str]) -> Callable[[], object]:
    """Index the passages, as txtai's documentation does."""
    from txtai import Embeddings

    embeddings = Embeddings(path=model, instructions={"data": "passage: ", "query": "query: "})
    return lambda: embeddings.index(passages)


def haystack(model: str, passages: list[str]) -> Callable[[], object]:
    """Embed the passages as documents, with the defaults of the component."""
    from haystack import Document

    try:
        from haystack_integrations.components.embedders.sentence_transformers import (
            SentenceTransformersDocumentEmbedder,
        )
    except ImportError:
        from haystack.components.embedders import SentenceTransformersDocumentEmbedder

    embedder = SentenceTransformersDocumentEmbedder(model=model, prefix="passage: ", progress_bar=False)
    embedder.warm_up()
    return lambda: embedder.run([Document(content=passage) for passage in passages])


def sentence_transformers(model: str, passages: list[str]) -> Callable[[], object]:
    """Encode the passages as the library comes."""
    from sentence_transformers import SentenceTransformer

    encoder = SentenceTransformer(model, device="cpu")
    return lambda: encoder.encode(passages, prompt="passage: ", show_progress_bar=False)


RIVALS = {
    "txtai": (txtai, "txtai"),
    "haystack": (haystack, "haystack-ai"),
    "sentence-transformers": (sentence_transformers, "sentence-transformers"),
}


def main() -> None:
    """Serve one library until the input ends."""
    name, model, file, threads = sys.argv[1:5]
    passages = json.loads(Path(file).read_text(encoding="utf-8"))
    import torch

    torch.set_num_threads(int(threads))
    make, package = RIVALS[name]
    encode = make(model, passages)
    print(f"ready {package} {version(package)}", flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        encode()
        print(f"seconds {time.perf_counter() - began}", flush=True)


if __name__ == "__main__":
    main()
