from __future__ import annotations

import gc
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from index.encoder import SentenceEncoder, load_encoder, packaged_identity
from index.encoder_batches import token_ids
from index.encoder_process import EncoderProcess, start_encoder
from index.errors import EncoderError
from index.numpy_bert import NumpyBert, gelu
from index.packaged_model import packaged_model_folder
from index.quick_encoder import FEW_TOKENS, QuickEncoder
from tests.test_encoder import BRIDGE, HARVEST, LIBRARY, MIXED, cosines

FEW = [BRIDGE, "桥", "", HARVEST]


@pytest.fixture(scope="module")
def process() -> EncoderProcess:
    started = start_encoder()
    assert isinstance(started, EncoderProcess)
    return started


def ended(pid: int, within: float = 10) -> bool:
    """Say whether a process ends."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_gelu_is_the_exact_one() -> None:
    inputs = np.linspace(-6, 6, 4001, dtype=np.float32)
    expected = torch.nn.functional.gelu(torch.from_numpy(inputs)).numpy()
    assert np.abs(gelu(inputs) - expected).max() < 2e-6


def test_vectors_in_numpy_are_those_of_the_encoder_in_single_precision(encoder: SentenceEncoder) -> None:
    exact = load_encoder(precision="fp32", threads=1)
    prefix = encoder.identity.passage_prefix
    tokens = token_ids(encoder.tokenizer, [prefix + text for text in MIXED], encoder.identity.max_tokens)
    found = NumpyBert(packaged_model_folder()).encode(tokens)
    assert found.dtype == np.float32
    assert np.abs(found - exact.encode_passages(MIXED)).max() < 1e-5


def test_few_texts_need_no_torch_and_many_take_it() -> None:
    code = (
        "import sys\n"
        "from index.quick_encoder import QuickEncoder\n"
        f"few, many = {FEW!r}, {[LIBRARY * 30] * 3!r}\n"
        "encoder = QuickEncoder()\n"
        "first = encoder.encode_passages(few)\n"
        "encoder.encode_queries(few)\n"
        "assert len(encoder.encode_queries([])) == 0\n"
        "assert not {'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)\n"
        "encoder.encode_passages(many)\n"
        "assert 'torch' in sys.modules\n"
        "assert (first * encoder.encode_passages(few)).sum(axis=1).min() > 0.999\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])


def test_few_is_a_number_of_tokens_that_the_texts_above_pass_and_stay_below(encoder: SentenceEncoder) -> None:
    few, many = (
        sum(map(len, token_ids(encoder.tokenizer, texts, encoder.identity.max_tokens)))
        for texts in (FEW, [LIBRARY * 30] * 3)
    )
    assert few < FEW_TOKENS < many


def test_a_process_gives_the_vectors_of_the_encoder(process: EncoderProcess, encoder: SentenceEncoder) -> None:
    assert process.identity == encoder.identity == packaged_identity()
    heard: list[tuple[int, int]] = []
    for texts in (FEW, MIXED * 4):  # without torch, with it
        found = process.encode_passages(texts, lambda done, total: heard.append((done, total)))
        assert cosines(found, encoder.encode_passages(texts)).min() > 0.999
        assert heard[-1] == (len(texts), len(texts))
    assert cosines(process.encode_queries(FEW), encoder.encode_queries(FEW)).min() > 0.999
    assert process.encode_passages([]).shape == (0, encoder.identity.dimension)
    found[0] = 0  # may be written to, as others are


def test_what_fails_in_the_process_is_told_in_words_and_it_goes_on(process: EncoderProcess) -> None:
    with pytest.raises(EncoderError, match="Encoding failed"):
        process.encode_passages(["\ud800"])  # no text, half a surrogate pair
    assert len(process.encode_passages(FEW)) == len(FEW)


def test_a_process_that_is_killed_at_work_is_told_in_words_and_another_goes_on() -> None:
    started = EncoderProcess(packaged_identity())

    def kill(done: int, total: int) -> None:
        started._process.kill()
        started._process.wait()

    with pytest.raises(EncoderError, match="has ended, perhaps for want of memory"):
        started.encode_passages(MIXED * 4, kill)
    assert len(started.encode_passages(FEW)) == len(FEW)
    started._process.kill()
    started._process.wait()
    assert len(started.encode_queries(FEW)) == len(FEW)


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), OSError("no space left")])
def test_an_interrupted_answer_is_not_taken_for_the_next(fault: BaseException, encoder: SentenceEncoder) -> None:
    started = EncoderProcess(packaged_identity())

    def interrupt(done: int, total: int) -> None:
        raise fault

    with pytest.raises(type(fault)):
        started.encode_passages(FEW, interrupt)
    assert cosines(started.encode_passages([LIBRARY]), encoder.encode_passages([LIBRARY])).min() > 0.999


def test_a_folder_of_the_models_name_is_not_taken_for_the_packaged_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoder: SentenceEncoder
) -> None:
    (tmp_path / encoder.identity.name).mkdir()
    monkeypatch.chdir(tmp_path)
    found = start_encoder().encode_passages(MIXED * 4)
    assert cosines(found, encoder.encode_passages(MIXED * 4)).min() > 0.999


def test_a_process_that_cannot_load_the_encoder_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "tokenizers.py").write_text("raise ImportError('made to fail')\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(EncoderError, match=r"cannot be loaded \(ImportError: made to fail\)"):
        EncoderProcess(packaged_identity()).encode_queries(["桥"])


def test_a_process_ends_with_its_encoder() -> None:
    started = EncoderProcess(packaged_identity())
    pid = started._process.pid
    del started
    gc.collect()
    assert ended(pid)


def test_a_process_ends_when_the_one_that_started_it_is_killed() -> None:
    code = (
        "import time\n"
        "from index.encoder_process import start_encoder\n"
        "encoder = start_encoder()\n"
        "encoder.encode_queries(['桥'])\n"
        "print(encoder._process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        assert psutil.pid_exists(pid)
        parent.kill()
    assert ended(pid)


def test_a_damaged_model_is_told_by_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WENBAO_CACHE_DIR", str(tmp_path))
    folder = packaged_model_folder()
    started = start_encoder()
    assert isinstance(started, EncoderProcess)
    started.encode_queries(["桥"])
    size = (folder / "tokenizer.json").stat().st_size
    (folder / "tokenizer.json").write_bytes(b" " * size)  # of the right size: it counts as complete
    with pytest.raises(EncoderError, match="is damaged"):
        start_encoder().encode_queries(["桥"])
    with pytest.raises(EncoderError, match="is damaged"):
        QuickEncoder()


def test_where_no_process_can_be_started_the_encoder_is_loaded_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr(subprocess, "Popen", fail)
    assert isinstance(start_encoder(), SentenceEncoder)
