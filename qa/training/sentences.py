"""Fit the weights of `qa.sentence_reader` on reading-comprehension questions.

Each question is read in its own context: the sentences that hold the answer should come first. The weight of the
passage's rank cannot be learned from one passage and is left out.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from index.command_line import model_option
from index.encoder import load_encoder
from index.folding import fold_text
from qa.question import parse_question
from qa.scoring import normalize_answer
from qa.sentence_reader import sentence_features, sentences_of
from qa.training.contexts import is_askable, sample
from qa.training.fit import Ranked, fit_listwise
from qa.training.squad import read_squad


@click.command("sentences")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--questions", default=400, show_default=True, help="How many questions of each file.")
@click.option("--seed", default=0, show_default=True)
@model_option
def sentences_command(files: tuple[Path, ...], questions: int, seed: int, model: str | None) -> None:
    """Fit and print the weights of the reader of whole sentences, and how often its best one holds the answer."""
    encoder = load_encoder(model)
    lists: list[Ranked] = []
    names: list[str] = []
    for file in files:
        read = read_squad([file])
        for example in sample([one for one in read.answerable() if is_askable(one.question)], questions, seed):
            sentences = sentences_of(read.contexts[example.context].text, 0)
            if len(sentences) < 2:
                continue
            question = parse_question(example.question)
            vectors = encoder.encode_passages([fold_text(sentence.text, casefold=False) for sentence in sentences])
            cosines = vectors @ encoder.encode_queries([fold_text(question.text, casefold=False)])[0]
            columns = sentence_features(question, sentences, cosines, [0.0])
            names = [name for name in columns if name != "passage"]
            accepted = [normalize_answer(answer) for answer in example.answers]
            texts = [normalize_answer(sentence.text) for sentence in sentences]
            relevant = np.array([any(answer in text for answer in accepted) for text in texts])
            lists.append(Ranked(np.stack([columns[name] for name in names], axis=1), relevant))
    weights = fit_listwise(lists)
    right = np.mean([bool(one.relevant[int(np.argmax(one.features @ weights))]) for one in lists])
    click.echo(f"{len(lists)} questions; the best sentence holds the answer in {right:.3f} of them")
    found = {name: round(float(weight), 2) for name, weight in zip(names, weights, strict=True)}
    click.echo(f"qa/sentence_reader.py  WEIGHTS = {found}")
