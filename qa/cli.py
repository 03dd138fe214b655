"""The commands that ask: `wenbao search`, `wenbao ask`, `wenbao eval`."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from index.archive import Archive, Filters
from index.command_line import index_option, json_option, model_option, print_json
from index.encoder import load_encoder
from index.errors import InputError, WenbaoError
from qa.answer import Answer, Citation
from qa.bot import Bot
from qa.curves import render_curves
from qa.evaluate import Outcome, Summary, evaluate, failures, summarize, to_dict
from qa.evaluation_set import load_questions
from qa.question import parse_question
from qa.retrieve import Hit, Retriever

EXIT_DECLINED = 4
_FAILURES_SHOWN = 40
_FILTERS = (
    click.option("--from", "date_from", metavar="DATE", help="Published on or after, e.g. 2022-07. 起始日期。"),
    click.option("--to", "date_to", metavar="DATE", help="Published on or before. 截止日期。"),
    click.option("--paper", metavar="TEXT", help="Name of the paper, or a part of it. 报纸。"),
    click.option("--section", metavar="TEXT", help="Name of the section, or a part of it. 版面。"),
)


threshold_option = click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    help="Decline below this confidence; the calibration's by default. 低于此置信度则不作答。",
)
reader_option = click.option(
    "--reader",
    metavar="NAME_OR_FOLDER",
    help="Another reader: trained by you, or any question-answering model. 换用其他阅读模型。",
)


def filter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that limit a search to some articles."""
    return reduce(lambda decorated, option: option(decorated), reversed(_FILTERS), command)


@click.command("search")
@click.argument("question")
@click.option("-k", "count", type=click.IntRange(1, 100), default=10, show_default=True, help="How many. 返回段落数。")
@click.option("--explain", is_flag=True, help="Show every stage of the ranking. 显示排序的每个阶段。")
@filter_options
@index_option
@model_option
@json_option
def search_command(
    question: str, count: int, explain: bool, folder: Path, model: str | None, as_json: bool, **filters: str | None
) -> None:
    """Find the passages nearest to a question. 检索与问题最相关的段落。"""
    archive = Archive.open(folder)
    retriever = Retriever(archive, load_encoder(model or archive.manifest.encoder.name))
    hits = retriever.retrieve(parse_question(question), count, Filters(**filters)).hits
    if as_json:
        print_json([hit.to_dict() for hit in hits])
        return
    for rank, hit in enumerate(hits, start=1):
        click.echo(
            f"{rank:>2}. {hit.score:6.2f}  {hit.article.headline}  {_origin(hit.article.source, hit.article.date)}"
        )
        if explain:
            _show_stages(hit)
        click.echo(f"    {_on_one_line(hit.passage.text, 160)}\n")


@click.command("ask")
@click.argument("question", required=False)
@threshold_option
@filter_options
@index_option
@model_option
@reader_option
@json_option
def ask_command(
    question: str | None,
    threshold: float | None,
    folder: Path,
    model: str | None,
    reader: str | None,
    as_json: bool,
    **filters: str | None,
) -> None:
    """Ask a question; without one, ask several in turn. 提问；不带问题则进入连续问答。

    Exit status 0: answered; 4: the archive does not answer; 1 or 2: an error.
    """
    bot = Bot.open(folder, model=model, reader=reader, threshold=threshold)
    if question is None:
        _converse(bot, Filters(**filters), as_json=as_json)
        return
    answer = bot.ask(question, filters=Filters(**filters))
    _show_answer(answer, as_json=as_json)
    if not answer.found:
        raise click.exceptions.Exit(EXIT_DECLINED)


@click.command("eval")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--curve",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.html",
    help="Draw risk against coverage, and confidence against right answers. 绘制风险—覆盖曲线和可靠性图。",
)
@threshold_option
@index_option
@model_option
@reader_option
@json_option
def eval_command(
    file: Path,
    curve: Path | None,
    threshold: float | None,
    folder: Path,
    model: str | None,
    reader: str | None,
    as_json: bool,
) -> None:
    """Measure retrieval, answers, citations and refusals on a file of questions. 用题集评测。"""
    questions = load_questions(file)
    if not questions:
        raise InputError(f"{file} holds no question. Expected a list of questions with their accepted answers.")
    if curve is not None and not curve.absolute().parent.is_dir():
        raise InputError(f"There is no folder {curve.parent} to write {curve.name} to. Make it, or name another file.")
    bot = Bot.open(folder, model=model, reader=reader, threshold=threshold)
    with tqdm(total=len(questions), desc="asking 提问", unit="") as bar:
        outcomes = evaluate(bot, questions, lambda done, _: _advance(bar, done))
    if curve is not None:
        curve.write_text(render_curves(outcomes, bot.threshold), encoding="utf-8")
        click.echo(f"{curve}", err=True)
    if as_json:
        print_json(to_dict(outcomes))
        return
    _show_summaries(summarize(outcomes))
    _show_failures(failures(outcomes))


def _advance(bar: tqdm[Any], done: int) -> None:
    bar.update(done - bar.n)


def _converse(bot: Bot, filters: Filters, *, as_json: bool) -> None:
    chat = bot.chat()
    click.echo("Ask; an empty line ends. 请提问，空行结束。", err=True)
    while True:
        try:
            question = click.prompt("?", default="", show_default=False, err=True)
        except click.Abort:
            return
        if not question.strip():
            return
        try:
            _show_answer(chat.ask(question, filters=filters), as_json=as_json)
        except WenbaoError as error:
            click.echo(f"Error: {error}", err=True)


def _show_answer(answer: Answer, *, as_json: bool) -> None:
    if as_json:
        print_json(answer.to_dict())
    elif answer.found:
        for number, citation in enumerate(answer.citations, start=1):
            click.echo(f"{_on_one_line(citation.answer)} [{number}]")
        click.echo("")
        for number, citation in enumerate(answer.citations, start=1):
            _show_citation(f"[{number}]", citation)
            click.echo(f"    {_on_one_line(citation.quote)}")
        click.echo(f"confidence 置信度 {answer.confidence:.2f}")
    else:
        click.echo("The archive does not answer this. 档案中没有找到答案。\n")
        if answer.nearest:
            click.echo("Nearest passages, not an answer 最接近的段落（并非答案）:")
        for citation in answer.nearest:
            _show_citation("  -", citation)
            click.echo(f"    {_on_one_line(citation.quote, 120)}")


def _show_citation(mark: str, citation: Citation) -> None:
    where = " ".join(f"{start}–{end}" for start, end in citation.spans)
    paper = "，".join(part for part in (citation.paper, citation.section) if part)
    click.echo(f"{mark} {citation.headline}  {paper}  {_origin(citation.source, citation.date)} @ {where}")


def _show_stages(hit: Hit) -> None:
    stages = hit.stages
    lists = (
        ("dense", stages.dense_rank, stages.dense),
        ("words", stages.words_rank, stages.words),
        ("bigrams", stages.bigrams_rank, stages.bigrams),
    )
    shown = (f"{name} {score:.3f} (rank {rank})" if rank else f"{name} {score:.3f} (-)" for name, rank, score in lists)
    click.echo(f"    {'  '.join(shown)}")
    parts = sorted(stages.features.items(), key=lambda part: -abs(part[1]))
    click.echo(f"    fused = {'  '.join(f'{name} {value:+.2f}' for name, value in parts)}")
    if hit.duplicates:
        click.echo(f"    says the same as {len(hit.duplicates)} other passages")


def _origin(source: str, date: str | None) -> str:
    return f"({source}{f', {date}' if date else ''})"


def _on_one_line(text: str, limit: int | None = None) -> str:
    line = " ".join(text.split())
    return line if limit is None or len(line) <= limit else f"{line[:limit]}…"


def _show_summaries(summaries: list[Summary]) -> None:
    head = (
        "kind", "n", "article R@1/5/20", "MRR", "passage R@1/5/20", "right", "quoted", "EM", "F1", "citations",
        "refusal P/R", "declined", "ECE", "retrieval ms", "total ms",
    )  # fmt: skip
    click.echo(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for summary in summaries:
        row = (
            summary.kind,
            str(summary.questions),
            _recalls(summary.article_recall),
            _figure(summary.article_mrr),
            _recalls(summary.passage_recall),
            _figure(summary.right),
            _figure(summary.quoted),
            _figure(summary.exact_match),
            _figure(summary.f1),
            _figure(summary.citations_exact),
            f"{_figure(summary.refusal_precision)} / {_figure(summary.refusal_recall)}",
            _figure(summary.answerable_declined),
            _figure(summary.calibration_error),
            f"{summary.retrieval_p50} / {summary.retrieval_p95}",
            f"{summary.total_p50} / {summary.total_p95}",
        )
        click.echo(f"| {' | '.join(row)} |")


def _recalls(recall: dict[int, float] | None) -> str:
    return " / ".join(_figure(value) for value in recall.values()) if recall else "-"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _show_failures(failed: list[Outcome]) -> None:
    click.echo(f"\n{len(failed)} not right:")
    for outcome in failed[:_FAILURES_SHOWN]:
        question = outcome.question
        accepted = " | ".join(question.answers) or "(no answer)"
        given = _on_one_line(outcome.answer, 80) if outcome.found else "(declined)"
        click.echo(
            f"  {question.id} [{question.kind}] {question.text}\n"
            f"      expected {accepted}; got {given}; passage rank {outcome.passage_rank or '-'}, "
            f"confidence {outcome.confidence:.2f}"
        )
    if len(failed) > _FAILURES_SHOWN:
        click.echo(f"  … and {len(failed) - _FAILURES_SHOWN} more (--json lists all)")
