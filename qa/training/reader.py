"""Train the reader, a start and an end score on the encoder, from SQuAD-format files."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click
import torch

from index.cpu import usable_cores
from index.errors import InputError
from index.layout import file_digest, replace_file
from qa.span_model import SpanModel, base_transformer, fine_tuned
from qa.training.batches import BatchStream, Place, TrainingBatch
from qa.training.checkpoint import (
    load_checkpoint,
    load_weights,
    put_parameters,
    save_checkpoint,
    save_weights,
)
from qa.training.loss import span_loss
from qa.training.negatives import mine_negatives
from qa.training.optimizer import ShardedAdamW, SharedState, lay_out
from qa.training.plot import draw_losses
from qa.training.samples import SampleMaker, SampleOptions
from qa.training.squad import QuestionSet, read_squad

# glibc gives large buffers back after each step and pays page faults for them at the next: keep them (15 % faster).
_KEEP_MEMORY = "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=8589934592:glibc.malloc.top_pad=268435456"


@dataclass(frozen=True)
class TrainingOptions:
    """How the reader is trained.

    `tokens` is how long: tokens read in all, padding included. `batch_tokens` is what one process reads in a step. The
    learning rate rises over the first `warmup` share, stays, and falls to 0 over the last `cooldown` share.
    """

    tokens: int = 14_000_000
    batch_tokens: int = 2560
    length: int = 384
    learning_rate: float = 1.5e-4
    layer_decay: float = 0.9
    warmup: float = 0.04
    cooldown: float = 0.5
    clip: float = 1.0
    averaging: float = 0.998
    seed: int = 1
    checkpoint_every: float = 300.0
    samples: SampleOptions = field(default_factory=SampleOptions)

    def rate_at(self, done: int) -> float:
        """Return the learning rate when so many tokens have been read."""
        share = done / self.tokens
        return self.learning_rate * min(1.0, (share + 0.002) / self.warmup, max(0.0, 1 - share) / self.cooldown)


def train_reader(
    files: Sequence[Path],
    work: Path,
    base: Path,
    options: TrainingOptions,
    *,
    start_from: Path | None = None,
    processes: int | None = None,
) -> Path:
    """Train, or go on where an interrupted training stopped; return the folder of the weights.

    In `work` it keeps the checkpoint, `log.jsonl`, `losses.svg` and, in the end, `weights/`.

    Args:
        files: SQuAD-format files; the questions of a file named twice are read twice as often.
        work: A folder for what training keeps; the same one resumes.
        base: The folder of the encoder.
        options: See `TrainingOptions`.
        start_from: Weights of an earlier training to begin with, instead of the encoder's.
        processes: By default one for each core, or one where there is a GPU.

    Raises:
        InputError: A file is not in SQuAD format, there is no question, or `work` is of a training on other files or
            with other samples.
    """
    work.mkdir(parents=True, exist_ok=True)
    questions = read_squad(dict.fromkeys(files))
    if not questions.answerable():
        raise InputError(f"No question with an answer was found in {len(files)} files. Name SQuAD-format files.")
    click.echo(f"{len(questions.examples)} questions, mining hard negatives", err=True)
    _ = _mined(questions, files, work)
    count = processes or (1 if torch.cuda.is_available() else usable_cores())
    os.environ.setdefault("GLIBC_TUNABLES", _KEEP_MEMORY)
    os.environ["OMP_NUM_THREADS"] = str(max(1, usable_cores() // count))
    model = SpanModel(base_transformer(base, torch.float32))
    if start_from:
        load_weights(start_from, model)
    parameters = fine_tuned(model)
    segments = lay_out(parameters, layers=model.transformer.config.num_hidden_layers, layer_decay=options.layer_decay)
    state = SharedState.of_size(segments[-1].end, count)
    for segment in segments:
        state.parameters[segment.start : segment.end] = parameters[segment.name].detach().reshape(-1)
    told = _identity(files, options)
    progress = load_checkpoint(work, state, told)
    context = torch.multiprocessing.get_context("spawn")
    barrier = context.Barrier(count)
    arguments = (count, state, barrier, files, work, base, options, progress, told)
    torch.multiprocessing.spawn(_work, arguments, nprocs=count)  # type: ignore[attr-defined, no-untyped-call]
    put_parameters(model, state.average)
    folder = save_weights(work / "weights", model, asdict(options))
    draw_losses(work / "log.jsonl", work / "losses.svg")
    return folder


def _identity(files: Sequence[Path], options: TrainingOptions) -> str:
    """Return what must be the same when a training goes on: all but how long it is, and the learning rate's course."""
    fixed = {"seed": options.seed, "batch": options.batch_tokens, "length": options.length, **asdict(options.samples)}
    return json.dumps([[(file.name, file_digest(file)) for file in files], fixed])


def _mined(questions: QuestionSet, files: Sequence[Path], work: Path) -> dict[str, list[str]]:
    """Return the mined negatives, those of an earlier start where the files are the same."""
    kept, digests = work / "negatives.json", [file_digest(file) for file in files]
    if kept.is_file():
        found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        if found.get("files") == digests:
            return dict(found["mined"])
    mined = mine_negatives(questions)
    replace_file(kept, json.dumps({"files": digests, "mined": mined}))
    return mined


@dataclass(frozen=True)
class Progress:
    """Where training stands: steps and tokens done, and the next batch."""

    step: int = 0
    tokens: int = 0
    place: Place = field(default_factory=Place)


def _work(
    rank: int,
    count: int,
    state: SharedState,
    barrier: Any,
    files: Sequence[Path],
    work: Path,
    base: Path,
    options: TrainingOptions,
    progress: Progress,
    told: str,
) -> None:
    """One process: reads every `count`-th batch, and updates its part of the parameters."""
    from transformers import AutoTokenizer

    torch.set_num_threads(max(1, usable_cores() // count))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = SpanModel(base_transformer(base, torch.float32)).to(device).train()
    model.transformer.embeddings.requires_grad_(False)
    parameters = fine_tuned(model)
    segments = lay_out(parameters, layers=model.transformer.config.num_hidden_layers, layer_decay=options.layer_decay)
    for segment in segments:
        parameter = parameters[segment.name]
        if device.type == "cpu":
            parameter.data = state.parameters[segment.start : segment.end].view_as(parameter)
            parameter.grad = state.gradients[rank, segment.start : segment.end].view_as(parameter)
    if device.type != "cpu":
        _to_device(parameters, segments, state.parameters)
    optimizer = ShardedAdamW(state, segments, rank, averaging=options.averaging)
    order = list(dict.fromkeys(files))
    questions = read_squad(order)
    examples = [example for file in files for example in questions.examples if example.file == order.index(file)]
    stream = BatchStream(
        examples,
        SampleMaker(questions, _mined(questions, files, work), options.samples),
        AutoTokenizer.from_pretrained(base, local_files_only=True),
        seed=options.seed,
        budget=options.batch_tokens,
        length=options.length,
    )
    log = (work / "log.jsonl").open("a", encoding="utf-8") if rank == 0 else None
    began, tokens_before, saved, losses = time.monotonic(), progress.tokens, time.monotonic(), [0.0, 0.0]
    batches = stream.batches(progress.place)
    step, tokens, place = progress.step, progress.tokens, progress.place
    parent = os.getppid()
    while tokens < options.tokens:
        if os.getppid() != parent:  # it was killed: without it, nobody would ever stop these
            barrier.abort()
            return
        mine: TrainingBatch | None = None
        for turn in range(count):
            place, batch = next(batches)
            tokens += batch.tokens
            mine = batch if turn == rank else mine
        assert mine is not None  # noqa: S101 - rank < count
        state.gradients[rank].zero_()
        loss = _backward(model, mine, device, count)
        if device.type != "cpu":
            _from_device(parameters, segments, state.gradients[rank])
        barrier.wait()
        optimizer.sum_gradients()
        barrier.wait()
        step += 1
        norm = optimizer.update(step, options.rate_at(tokens), options.clip)
        barrier.wait()
        if device.type != "cpu":
            _to_device(parameters, segments, state.parameters)
        losses[0] += loss * len(mine.starts)
        losses[1] += len(mine.starts)
        if log and (step % 20 == 0 or tokens >= options.tokens):
            seconds = time.monotonic() - began
            line = {
                "step": step,
                "epoch": place.epoch,
                "tokens": tokens,
                "loss": round(losses[0] / losses[1], 4),
                "norm": round(norm, 3),
                "rate": options.rate_at(tokens),
                "tokens/s": round((tokens - tokens_before) / seconds),
                "minutes left": round((options.tokens - tokens) / (tokens - tokens_before) * seconds / 60, 1),
            }
            log.write(json.dumps(line) + "\n")
            log.flush()
            click.echo("  ".join(f"{name} {value:g}" for name, value in line.items()), err=True)
            losses = [0.0, 0.0]
        if time.monotonic() - saved > options.checkpoint_every or tokens >= options.tokens:
            # The others wait for this process at the next barrier before they change anything.
            saved = time.monotonic()
            if rank == 0:
                save_checkpoint(work, state, Progress(step, tokens, place), told)
    barrier.wait()


def _backward(model: SpanModel, batch: TrainingBatch, device: torch.device, processes: int) -> float:
    batch = batch.to(device)
    with torch.autocast(device.type, dtype=torch.bfloat16):
        scores = model(batch.ids, batch.bias)
    loss = span_loss(scores, batch)
    (loss / processes).backward()  # type: ignore[no-untyped-call]
    return float(loss.detach())


def _from_device(parameters: Any, segments: Any, gradient: torch.Tensor) -> None:
    for segment in segments:
        gradient[segment.start : segment.end] = parameters[segment.name].grad.reshape(-1).cpu()
        parameters[segment.name].grad = None


def _to_device(parameters: Any, segments: Any, values: torch.Tensor) -> None:
    for segment in segments:
        parameters[segment.name].data.copy_(values[segment.start : segment.end].view_as(parameters[segment.name]))
