"""Training the reader: what it is shown, how it is updated, and that an interruption changes nothing."""

from __future__ import annotations

import gzip
import itertools
import json
import random
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sentence_transformers import SentenceTransformer

from index.encoder import SentenceEncoder
from index.errors import InputError
from index.folding import fold_text
from qa.calibration import load_calibration
from qa.curves import risk_coverage
from qa.reader_model import reader_folder
from qa.reliability import reliability
from qa.span_model import SpanModel, base_transformer, fine_tuned
from qa.training.__main__ import training
from qa.training.batches import BatchStream, Place, TrainingBatch
from qa.training.checkpoint import load_checkpoint, load_weights, save_checkpoint
from qa.training.fit import Ranked, fit_listwise
from qa.training.loss import span_loss
from qa.training.negatives import mine_negatives
from qa.training.optimizer import ShardedAdamW, SharedState, lay_out
from qa.training.reader import Progress, TrainingOptions, train_reader
from qa.training.samples import SampleMaker, SampleOptions, another_year, broken_in_columns, without_answer
from qa.training.squad import Context, QuestionSet, read_squad
from qa.training.swaps import Asked, Swapper, opposite, terms_of

TEXTS = [
    ("老水车", "柳桥镇的老水车上周末转动起来。镇长黎望舒说，修复共用去杉木37立方米。水车始建于1953年，门票10元。"),
    ("图书馆", "清溪市图书馆昨日宣布延长开放。馆长童若谷说，儿童阅览室新增座位140个。暑期将举办32场讲座。"),
    ("丰收节", "柚园村举行首届丰收节。村支书卢望山说，今年蜜柚产量达到460吨。活动当天销售额超过21万元。"),
]
ASKED = [("镇长是谁？", "黎望舒"), ("馆长是谁？", "童若谷"), ("村支书是谁？", "卢望山")]


def squad(path: Path, copies: int = 1) -> Path:
    data = []
    for copy in range(copies):
        for place, ((title, text), (question, answer)) in enumerate(zip(TEXTS, ASKED, strict=True)):
            answers = [{"text": answer, "answer_start": text.index(answer)}]
            qas = [
                {"id": f"{copy}-{place}", "question": question, "answers": answers},
                {"id": f"{copy}-{place}-none", "question": "1971年发生了什么？", "answers": [], "is_impossible": True},
            ]
            data.append({"title": title, "paragraphs": [{"context": text, "date": "2023-05-01", "qas": qas}]})
    path.write_text(json.dumps({"data": data}, ensure_ascii=False), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def questions(tmp_path_factory: pytest.TempPathFactory) -> QuestionSet:
    return read_squad([squad(tmp_path_factory.mktemp("squad") / "set.json")])


def test_files_are_read_with_titles_dates_and_questions_without_answer(questions: QuestionSet) -> None:
    assert len(questions.contexts) == 3
    assert len(questions.examples) == 6
    assert len(questions.answerable()) == 3
    first = questions.contexts[questions.examples[0].context]
    assert (first.title, first.date) == ("老水车", "2023-05-01")


@pytest.mark.parametrize("content", ["{", "[]", '{"data": [{"paragraphs": [{}]}]}', '{"data": 5}'])
def test_another_file_is_refused_by_name(tmp_path: Path, content: str) -> None:
    (tmp_path / "other.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"other\.json"):
        read_squad([tmp_path / "other.json"])


def test_a_damaged_archive_is_refused_by_name(tmp_path: Path) -> None:
    whole = gzip.compress(json.dumps({"data": []}).encode())
    for content in (whole[:-6], whole[:12] + b"\0\1\2\3" + whole[16:]):
        (tmp_path / "cut.json.gz").write_bytes(content)
        with pytest.raises(InputError, match=r"cut\.json"):
            read_squad([tmp_path / "cut.json.gz"])


def test_nothing_to_learn_from_is_told() -> None:
    with pytest.raises(InputError, match="none has a right candidate"):
        fit_listwise([Ranked(np.zeros((2, 1), np.float32), np.array([False, False]))])


def test_mined_negatives_are_near_and_hold_no_answer(questions: QuestionSet) -> None:
    mined = mine_negatives(questions)
    for example in questions.answerable():
        assert example.context not in mined[example.id]
        for near in mined[example.id]:
            assert example.answers[0] not in questions.contexts[near].text


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_an_answer_stands_where_the_sample_says_whatever_is_drawn(questions: QuestionSet, seed: int) -> None:
    maker = SampleMaker(
        questions,
        {example.id: [] for example in questions.examples},
        SampleOptions(columns=0.5, negatives=1.0, swaps=1.0),
    )
    rng = random.Random(seed)
    for example in questions.examples:
        for sample in maker.make(example, rng):
            if sample.answer is None:
                continue
            words = sample.input.passage[slice(*sample.answer)]
            assert fold_text(words.replace("\n", "")) == fold_text(example.answers[0])


ASKED_OF_ENGLISH = Asked(
    "Who rebuilt the old mill of Harwood after the fire?",
    "Harwood",
    "The old mill of Harwood was rebuilt by Ellen Marsh after the fire. Peter Doyle rebuilt the bridge of Kelby.",
    (39, 50),
)


@given(st.integers(0, 10**6))
@settings(max_examples=200, deadline=None)
def test_an_exchanged_word_parts_question_and_passage_or_is_exchanged_in_both(seed: int) -> None:
    asked = ASKED_OF_ENGLISH
    assert asked.passage[slice(*asked.answer)] == "Ellen Marsh"
    context = Context("0-x-0", asked.passage, asked.title)
    others = Context("0-x-1", "The Mayor of Northam opened a farm. Alan Reed burned 1867 letters, then painted a door.")
    swapper, rng = Swapper([context, others]), random.Random(seed)

    still = swapper.still_answerable(asked, context, rng)
    assert still.passage[slice(*still.answer)] == "Ellen Marsh"
    for word in ("Harwood", "mill", "fire"):
        assert (word in still.question) == (word in still.passage.split(".")[0])

    parted = swapper.unanswerable(asked, context, rng)
    assume(parted)
    assert parted is not None
    question, title, passage = parted
    assert (question == asked.question) != (passage == asked.passage)
    assert "Ellen Marsh" in passage
    if question == asked.question:
        assert any(word in question and word not in passage for word in ("Harwood", "mill", "fire", "rebuilt"))
        assert title == ("Harwood" if "Harwood" in passage else title)
    else:
        changed = set(re.findall(r"\w+", question)) - set(re.findall(r"\w+", asked.question))
        assert not changed & set(re.findall(r"\w+", asked.passage.split(".")[0]))


def test_chinese_words_are_exchanged_for_words_of_their_kind_and_words_that_ask_are_kept() -> None:
    assert dict(terms_of("清溪市图书馆在1953年什么时候开放？")).keys() >= {"1953", "开放"}
    assert not any("什么" in term for term, _ in terms_of("什么时候开放？"))
    asked = Asked("首次开放是哪年？", "", "该馆首次开放是1953年。", (7, 12))
    assert "末次" in (opposite(asked, random.Random(1)) or "")


def test_near_questions_without_an_answer() -> None:
    text = TEXTS[0][1]
    assert "黎望舒" not in without_answer(text, ("黎望舒",))
    assert "1953年" in without_answer(text, ("黎望舒",))
    moved = another_year("1953年谁建了水车？", text, random.Random(1))
    assert moved is not None
    assert moved != "1953年谁建了水车？"
    assert another_year("谁建了水车？", text, random.Random(1)) is None
    broken, where = broken_in_columns(text, (5, 9), random.Random(3))
    assert where is not None
    assert broken.replace("\n", "") == text
    assert broken[slice(*where)].replace("\n", "") == text[5:9]


@pytest.mark.parametrize("processes", [1, 2])
def test_the_sharded_optimizer_is_adamw(processes: int) -> None:
    torch.manual_seed(0)
    weight, bias = torch.randn(5, 3), torch.randn(5)
    reference = [torch.nn.Parameter(weight.clone()), torch.nn.Parameter(bias.clone())]
    groups = [{"params": [reference[0]], "weight_decay": 0.01}, {"params": [reference[1]], "weight_decay": 0.0}]
    adamw = torch.optim.AdamW(groups, lr=0.1, betas=(0.9, 0.98), eps=1e-6)
    segments = lay_out({"weight": weight, "bias": bias}, layers=1, layer_decay=1.0)
    state = SharedState.of_size(20, processes)
    state.parameters.copy_(torch.cat([weight.flatten(), bias]))
    shards = [ShardedAdamW(state, segments, rank, averaging=0.9) for rank in range(processes)]
    for step in range(1, 6):
        gradients = torch.randn(processes, 20)
        state.gradients.copy_(gradients)
        total = gradients.sum(0)
        reference[0].grad, reference[1].grad = total[:15].view(5, 3).clone(), total[15:].clone()
        adamw.step()
        for shard in shards:
            shard.sum_gradients()
        for shard in shards:
            shard.update(step, 0.1, clip=1e9)
    wanted = torch.cat([parameter.detach().flatten() for parameter in reference])
    assert torch.allclose(state.parameters, wanted, atol=2e-3)


@pytest.fixture(scope="module")
def tiny_base(tmp_path_factory: pytest.TempPathFactory, library_model: SentenceTransformer) -> Path:
    """A base of two narrow layers with the real tokenizer."""
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("base")
    config = BertConfig(
        vocab_size=250_037,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        pad_token_id=1,
    )
    BertModel(config).save_pretrained(folder)
    library_model.tokenizer.save_pretrained(folder)
    return folder


def test_training_learns_and_goes_on_where_it_stopped(tmp_path: Path, tiny_base: Path) -> None:
    file = squad(tmp_path / "set.json", copies=20)
    options = TrainingOptions(
        tokens=24_000,
        learning_rate=1e-2,
        batch_tokens=1024,
        length=128,
        layer_decay=1.0,
        averaging=0.5,
        cooldown=0.01,
        checkpoint_every=0.0,
    )
    folder = train_reader([file], tmp_path / "work", tiny_base, options, processes=1)
    *_, line = (tmp_path / "work" / "log.jsonl").read_text().splitlines()
    assert json.loads(line)["loss"] < np.log(60)  # below what guessing among some sixty tokens gives
    assert (tmp_path / "work" / "losses.svg").read_text().startswith("<svg")
    model = SpanModel(base_transformer(tiny_base, torch.float32))
    load_weights(folder, model)
    again = train_reader([file], tmp_path / "work", tiny_base, options, processes=1)  # nothing is left to do
    other = SpanModel(base_transformer(tiny_base, torch.float32))
    load_weights(again, other)
    for one, two in zip(fine_tuned(model).values(), fine_tuned(other).values(), strict=True):
        assert torch.equal(one, two)


@pytest.mark.parametrize("answer", [(0, 0), (3, 5)])
def test_the_loss_is_the_surprise_at_the_answer_alone_and_as_a_pair(answer: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(3)
    scores = torch.randn(1, 7, 6, generator=generator)
    allowed = torch.tensor([[0.0, -1e4, -1e4, 0.0, 0.0, 0.0, -1e4]])
    starts, ends = torch.tensor([answer[0]]), torch.tensor([answer[1]])
    loss = span_loss(scores, TrainingBatch(torch.zeros(1, 7, dtype=torch.long), None, allowed, starts, ends))
    values = {(0, 0): scores[0, 0, :2].sum()} | {
        (i, j): scores[0, i, 0] + scores[0, j, 1] + scores[0, i, 2:4] @ scores[0, j, 4:]
        for i in (3, 4, 5)
        for j in (3, 4, 5)
        if i <= j
    }
    together = torch.logsumexp(torch.stack(list(values.values())), 0) - values[answer]
    places = [0, 3, 4, 5]
    apart = sum(torch.logsumexp(scores[0, places, side], 0) - scores[0, answer[side], side] for side in (0, 1))
    assert float(loss) == pytest.approx(float(together / 4 + apart / 4), abs=1e-4)


def test_the_stream_goes_on_at_any_place(questions: QuestionSet, encoder: SentenceEncoder) -> None:
    def stream() -> BatchStream:
        maker = SampleMaker(questions, {example.id: [] for example in questions.examples}, SampleOptions())
        tokenizer = encoder.tokenizer
        return BatchStream(questions.examples, maker, tokenizer, seed=1, budget=256, length=128)

    first = list(itertools.islice(stream().batches(Place()), 12))
    for stop in (0, 4, 9):
        (_, after), *_ = itertools.islice(stream().batches(first[stop][0]), 1)
        assert torch.equal(after.ids, first[stop + 1][1].ids)
        assert torch.equal(after.starts, first[stop + 1][1].starts)


def test_a_checkpoint_gives_back_all_it_was_given(tmp_path: Path) -> None:
    state, fresh = SharedState.of_size(10, 1), SharedState.of_size(10, 1)
    for tensor in state.saved().values():
        tensor.copy_(torch.randn(10))
    save_checkpoint(tmp_path, state, Progress(7, 1234, Place(1, 2, 3)), "one training")
    assert load_checkpoint(tmp_path, fresh, "one training") == Progress(7, 1234, Place(1, 2, 3))
    for name, tensor in state.saved().items():
        assert torch.equal(tensor, fresh.saved()[name])
    with pytest.raises(InputError, match="another base"):
        load_checkpoint(tmp_path, SharedState.of_size(11, 1), "one training")
    with pytest.raises(InputError, match="other files"):
        load_checkpoint(tmp_path, fresh, "another training")


def test_weights_of_another_network_are_refused(tmp_path: Path, tiny_base: Path) -> None:
    model = SpanModel(base_transformer(tiny_base, torch.float32))
    with pytest.raises(InputError, match="holds no"):
        load_weights(tmp_path, model)


def test_curves() -> None:
    curve = risk_coverage([0.9, 0.8, 0.3, 0.1], [True, True, False, False])
    assert curve.coverage == (0.25, 0.5, 0.75, 1.0)
    assert curve.risk == pytest.approx((0, 0, 1 / 3, 0.5))
    assert curve.area == pytest.approx(np.mean([0, 0, 1 / 3, 0.5]))
    assert [found.count for found in reliability([0.91, 0.95, 0.12], [True, False, False])] == [1, 2]


def test_a_calibration_is_fitted_and_written_beside_the_reader(tmp_path: Path) -> None:
    file = squad(tmp_path / "set.json")
    folder = tmp_path / "reader"
    shutil.copytree(reader_folder(None), folder)
    (folder / "calibration.json").unlink()
    arguments = [str(file), "--reader", str(folder), "--work", str(tmp_path / "work"), "--cost", "0.25"]
    result = CliRunner().invoke(training, ["calibrate", *arguments])
    assert result.exit_code == 0, result.output
    fitted = load_calibration(folder)
    assert fitted.threshold == pytest.approx(0.2)
    assert "3 of them answerable" in fitted.fitted_on
    none = tmp_path / "none.json"
    data = json.loads(file.read_text(encoding="utf-8"))
    for entry in data["data"]:
        entry["paragraphs"][0]["qas"] = entry["paragraphs"][0]["qas"][1:]
    none.write_text(json.dumps(data), encoding="utf-8")
    refused = CliRunner().invoke(training, ["calibrate", str(none), *arguments[1:]])
    assert refused.exit_code == 1
    assert "needs both" in refused.output
