from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from index.bert import BertEncoder
from index.cpu import Precision, one_thread_pool
from index.encoder import SentenceEncoder, load_encoder
from index.encoder_batches import (
    LENGTH_MULTIPLE,
    attention_bias,
    attention_by_products,
    fused_attention,
    hidden_states,
    padded,
    plan_batches,
    token_ids,
)
from index.errors import EncoderError
from index.fast_tokenizer import FastTokenizer
from index.library_models import load_model, prefixes
from index.model_files import model_digest
from index.packaged_model import packaged_model_folder

BRIDGE = "青石桥加固工程昨日完工，总投资1260万元，大桥今起恢复双向通车。"
LIBRARY = "清溪市图书馆宣布，自7月1日起每天开放到22时，儿童阅览室新增座位140个。"
HARVEST = "柚园村举行首届丰收节，今年蜜柚产量达到460吨，当天销售额超过21万元。"
MIXED = [BRIDGE * 9, "桥", LIBRARY, HARVEST * 4, "", BRIDGE, LIBRARY * 30, "丰收节", HARVEST, BRIDGE * 2]


@pytest.fixture(scope="session")
def mixed(encoder: SentenceEncoder) -> np.ndarray:
    return encoder.encode_passages(MIXED)


def cosines(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return (left * right).sum(axis=1)


def test_vectors_are_float32_of_unit_length(encoder: SentenceEncoder, mixed: np.ndarray) -> None:
    assert mixed.dtype == np.float32
    assert mixed.shape == (len(MIXED), encoder.identity.dimension)
    np.testing.assert_allclose(np.linalg.norm(mixed, axis=1), 1, atol=1e-5)


def test_order_is_kept_and_a_batch_equals_its_parts(encoder: SentenceEncoder, mixed: np.ndarray) -> None:
    alone = np.concatenate([encoder.encode_passages([text]) for text in MIXED])
    assert cosines(alone, mixed).min() > 0.999


def test_vectors_equal_those_of_sentence_transformers(
    encoder: SentenceEncoder, mixed: np.ndarray, library_model: SentenceTransformer
) -> None:
    theirs = np.asarray(library_model.encode(MIXED, prompt=encoder.identity.passage_prefix), np.float32)
    theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
    assert cosines(theirs, mixed).min() > 0.999


@pytest.mark.parametrize("precision", ["bf16", "fp32"])
def test_numbers_are_those_of_transformers_to_the_bit(precision: Precision) -> None:
    import torch

    theirs = load_model(str(packaged_model_folder()), bf16=precision == "bf16", local=True)
    transformer = BertEncoder.load(packaged_model_folder(), theirs[0].model.dtype)
    tokenizer = FastTokenizer.load(packaged_model_folder())
    tokens = token_ids(tokenizer, MIXED, 512)
    assert tokens == token_ids(theirs.tokenizer, MIXED, 512)
    assert tokenizer.pad_token_id == theirs.tokenizer.pad_token_id
    assert set(tokenizer.all_special_ids) == set(theirs.tokenizer.all_special_ids)
    ids, mask = padded(tokens, max(len(text) for text in tokens), tokenizer.pad_token_id)
    with torch.inference_mode():
        ours, others = (
            hidden_states(network, ids, attention_bias(mask, network.dtype))
            for network in (transformer, theirs[0].model)
        )
    assert torch.equal(ours, others)


def test_a_damaged_unpacked_model_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = shutil.copytree(packaged_model_folder(), tmp_path / "model")
    (damaged / "model.safetensors").write_bytes(b"x")
    monkeypatch.setattr("index.encoder.packaged_model_folder", lambda: damaged)
    with pytest.raises(EncoderError, match=f"{damaged} is damaged.*Delete"):
        load_encoder()


def test_encoding_needs_none_of_the_libraries_that_take_long_to_import() -> None:
    code = """
import sys
from index.encoder import load_encoder
load_encoder().encode_passages(["桥"])
print({"transformers", "sentence_transformers", "sklearn"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_every_precision_keeps_the_vectors_of_single_precision(mixed: np.ndarray) -> None:
    exact = load_encoder(precision="fp32", threads=1).encode_passages(MIXED)
    assert cosines(exact, mixed).min() > 0.99
    for precision, least in (("bf16", 0.999), ("int8", 0.99)):
        assert cosines(exact, load_encoder(precision=precision, threads=1).encode_passages(MIXED)).min() > least


def test_a_question_finds_its_passage_across_languages(encoder: SentenceEncoder) -> None:
    passages = encoder.encode_passages([BRIDGE, LIBRARY, HARVEST])
    questions = encoder.encode_queries(["青石桥的加固花了多少钱？", "圖書館幾點關門？", "How many tonnes of pomelos?"])
    assert (questions @ passages.T).argmax(axis=1).tolist() == [0, 1, 2]


def test_prefixes_make_a_difference(encoder: SentenceEncoder) -> None:
    assert encoder.identity.query_prefix == "query: "
    assert encoder.identity.passage_prefix == "passage: "
    assert 0.5 < cosines(encoder.encode_queries([BRIDGE]), encoder.encode_passages([BRIDGE]))[0] < 0.999


def test_no_texts_give_no_rows(encoder: SentenceEncoder) -> None:
    assert encoder.encode_queries([]).shape == (0, encoder.identity.dimension)
    assert encoder.encode_passages([]).shape == (0, encoder.identity.dimension)


def test_progress_ends_with_all_texts(encoder: SentenceEncoder) -> None:
    heard: list[tuple[int, int]] = []
    encoder.encode_passages(MIXED, progress=lambda done, total: heard.append((done, total)))
    assert heard[-1] == (len(MIXED), len(MIXED))
    assert heard == sorted(heard)


def test_threads_of_others_are_left_as_they_were(encoder: SentenceEncoder) -> None:
    import torch

    before = torch.get_num_threads()
    encoder.encode_passages([BRIDGE] * 3)
    assert torch.get_num_threads() == before


def test_each_thread_of_a_pool_runs_torch_on_one_thread_and_others_do_not() -> None:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        together = threading.Barrier(2)  # so that each of the two has its turn

        def threads() -> int:
            together.wait(10)
            return torch.get_num_threads()

        with one_thread_pool(2) as pool:
            assert [turn.result() for turn in [pool.submit(threads) for _ in range(2)]] == [1, 1]
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("bias", [None, [0.0] * 9 + [float("-inf")] * 4])
def test_attention_by_products_is_the_fused_one(bias: list[float] | None) -> None:
    import torch

    generator = torch.Generator().manual_seed(0)
    query, key, value = torch.randn((3, 2, 4, 13, 8), generator=generator)
    hidden = None if bias is None else torch.tensor(bias)[None, None, None, :]
    expected = fused_attention(query, key, value, hidden)
    assert torch.allclose(attention_by_products(query, key, value, hidden), expected, atol=1e-5)


@pytest.mark.parametrize("by_products", [False, True])
def test_either_attention_gives_the_vectors_of_single_precision(
    by_products: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = load_encoder(precision="fp32", threads=1).encode_passages(MIXED)
    monkeypatch.setattr("index.encoder_batches.attends_faster_by_products", lambda: by_products)
    assert cosines(exact, load_encoder(precision="bf16", threads=1).encode_passages(MIXED)).min() > 0.999


def test_identity_is_stable(encoder: SentenceEncoder) -> None:
    identity = encoder.identity
    assert identity.name == "multilingual-e5-small"
    assert (identity.dimension, identity.max_tokens, len(identity.digest)) == (384, 512, 64)


@pytest.mark.parametrize("made", [False, True])
def test_a_path_that_is_no_model_is_explained(tmp_path: Path, made: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    folder = tmp_path / "no" / "model" / "here"
    if made:
        folder.mkdir(parents=True)
    with pytest.raises(EncoderError, match=f"(?s){folder}.*Expected.*--model") as caught:
        load_encoder(str(folder))
    assert "\n" not in str(caught.value)


def test_no_threads_are_refused() -> None:
    with pytest.raises(EncoderError, match="expected 1 or more"):
        load_encoder(threads=0)


def test_another_model_runs_through_sentence_transformers(tmp_path: Path) -> None:
    """A model whose first token stands for the text is outside the fast path; its prompts and digest are its own."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    words = {word: number for number, word in enumerate(["[PAD]", "[UNK]", *"青石桥图书馆问报"])}
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]"}
    tokenizer = Tokenizer(models.WordLevel(words, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=32, **special)
    config = BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    BertModel(config).save_pretrained(tmp_path / "body")
    fast.save_pretrained(tmp_path / "body")
    body = Transformer(str(tmp_path / "body"))
    folder = tmp_path / "tiny"
    SentenceTransformer(modules=[body, Pooling(16, "cls")], prompts={"query": "问", "document": "报"}).save(str(folder))

    tiny = load_encoder(str(folder))
    identity = tiny.identity
    assert (identity.name, identity.dimension) == (str(folder.resolve()), 16)
    assert (identity.query_prefix, identity.passage_prefix) == ("问", "报")
    texts = ["青石桥", "图书馆青石桥", "桥"]
    vectors = tiny.encode_passages(texts)
    assert cosines(vectors, np.concatenate([tiny.encode_passages([text]) for text in texts])).min() > 0.999
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert tiny.encode_queries([]).shape == (0, 16)

    assert identity.digest == model_digest(folder)
    (folder / "README.md").write_text("changed")
    assert identity.digest == model_digest(folder)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    assert identity.digest != model_digest(folder)


@pytest.mark.parametrize(
    ("prompts", "name", "expected"),
    [
        ({"query": "q: ", "passage": "p: ", "document": ""}, "any", ("q: ", "p: ")),
        ({"query": "q: ", "document": "d: "}, "any", ("q: ", "d: ")),
        ({"query": "", "document": ""}, "intfloat/multilingual-e5-base", ("query: ", "passage: ")),
        ({}, "bge-m3", ("", "")),
    ],
)
def test_prefixes_come_from_the_model(prompts: dict[str, str], name: str, expected: tuple[str, str]) -> None:
    assert prefixes(prompts, name) == expected


def test_batches_hold_every_text_once_within_the_budget() -> None:
    lengths = [5, 300, 17, 512, 40, 40, 3, 511, 128, 2000]
    batches = plan_batches(lengths, budget=1024, longest=512)
    assert sorted(place for batch in batches for place in batch.places) == list(range(len(lengths)))
    for batch in batches:
        assert all(lengths[place] <= batch.length for place in batch.places)
        assert len(batch.places) == 1 or len(batch.places) * batch.length <= 1024
        assert batch.length % LENGTH_MULTIPLE == 0 or batch.length == 2000


def test_importing_the_module_loads_no_heavy_library() -> None:
    code = "import sys, index.encoder; print({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
