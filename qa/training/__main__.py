"""The command line of training: `python -m qa.training`."""

from __future__ import annotations

from pathlib import Path

import click

from index.command_line import WenbaoGroup
from index.packaged_model import packaged_model_folder
from qa.training.calibration import calibrate_command
from qa.training.fusion import fusion_command
from qa.training.samples import SampleOptions
from qa.training.sentences import sentences_command


@click.group(cls=WenbaoGroup)
def training() -> None:
    """Train and fit what answers questions, on your own data if you like."""


@training.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--work", type=click.Path(path_type=Path), default=Path("reader-training"), show_default=True)
@click.option("--start-from", type=click.Path(exists=True, path_type=Path), help="Weights to begin with.")
@click.option("--tokens", default=14.0, show_default=True, help="How long to train, in millions of tokens read.")
@click.option("--learning-rate", default=1.5e-4, show_default=True)
@click.option(
    "--cooldown",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.5,
    show_default=True,
    help="The share of training with a falling learning rate.",
)
@click.option("--whole", default=0.2, show_default=True, help="The share of contexts that are left long.")
@click.option("--negatives", default=0.5, show_default=True, help="How often to ask where there is no answer.")
@click.option("--swaps", default=0.0, show_default=True, help="How often to exchange a word, see qa/training/swaps.py.")
@click.option("--processes", type=click.IntRange(1), help="By default one for each core.")
@click.option("--seed", default=1, show_default=True)
def reader(
    files: tuple[Path, ...],
    work: Path,
    start_from: Path | None,
    tokens: float,
    learning_rate: float,
    cooldown: float,
    whole: float,
    negatives: float,
    swaps: float,
    processes: int | None,
    seed: int,
) -> None:
    r"""Train the span reader on SQuAD-format FILES; run again with the same --work to go on after an interruption.

    \b
    About 1,800 tokens a second on two cores with bfloat16 units, so the 14 million take some two hours.
    A file named twice is read twice as often. The weights come to lie in WORK/weights.
    """
    from qa.training.reader import TrainingOptions, train_reader

    options = TrainingOptions(
        tokens=int(tokens * 1_000_000),
        learning_rate=learning_rate,
        cooldown=cooldown,
        seed=seed,
        samples=SampleOptions(whole=whole, negatives=negatives, swaps=swaps),
    )
    folder = train_reader(files, work, packaged_model_folder(), options, start_from=start_from, processes=processes)
    click.echo(f"{folder}")


@training.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--work", type=click.Path(exists=True, path_type=Path), default=Path("reader-training"), show_default=True
)
def export(folder: Path, work: Path) -> None:
    """Write the weights of a training that is still going on, or was interrupted, to FOLDER."""
    from qa.training.checkpoint import export_checkpoint

    click.echo(f"{export_checkpoint(work, packaged_model_folder(), folder)}")


training.add_command(calibrate_command)
training.add_command(fusion_command)
training.add_command(sentences_command)

if __name__ == "__main__":
    training()
