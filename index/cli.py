"""The commands `wenbao index …`: build, look at and check an archive."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from index.archive import DEFAULT_INDEX, Archive
from index.build import BuildReport, build_archive
from index.encoder import load_encoder
from index.errors import WenbaoError
from index.export import export_archive
from index.generations import list_generations, prune, roll_back
from index.layout import IndexFolder, replace_file
from index.manifest import read_manifest
from index.progress_bars import STAGES, ProgressBars, progress_bar
from index.records import Rejection
from index.report import report_archive
from index.report_page import render_report
from index.sources import find_files
from index.vector_plan import describe as describe_vectors
from index.verify import verify_generation
from index.verify_encoding import SAMPLE, verify_encoding
from index.watch import DEFAULT_QUIET, watch_archive

EXIT_SOME_REFUSED = 3
_REFUSALS_SHOWN = 20
index_option = click.option(
    "--index",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_INDEX,
    show_default=True,
    help="Folder of the archive. 索引目录。",
)
model_option = click.option(
    "--model",
    metavar="NAME_OR_PATH",
    default=None,
    help="Any sentence-transformers model instead of the embedded one. 改用其他向量模型。",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines. 输出 JSON。")


class WenbaoGroup(click.Group):
    """A group of commands whose errors are shown as one message, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error meant for a person, or of the system, ends it with exit status 1."""
        try:
            return super().invoke(ctx)
        except WenbaoError as error:
            raise click.ClickException(str(error)) from error
        except BrokenPipeError:
            raise
        except (OSError, sqlite3.Error) as error:
            raise click.ClickException(f"{error}. Check free space and permissions.") from error


def print_json(value: Any) -> None:
    """Print a value as JSON, with Chinese as it is."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


@click.group("index", cls=WenbaoGroup)
def index_commands() -> None:
    """Build, look at and check an archive. 建立、查看和校验索引。"""


@index_commands.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@index_option
@model_option
@json_option
def build(paths: tuple[Path, ...], folder: Path, model: str | None, as_json: bool) -> None:
    """Build the archive of files and folders. 从文件和文件夹建立索引。

    Reads .txt .md .html .pdf .csv .jsonl, folders with all below them. Exit status 0: everything is indexed; 3: some
    files were refused (each is named with the reason and the remedy), the rest is indexed; 1: nothing was changed.
    """
    find_files(paths)  # names a missing path before the model is loaded
    bars = ProgressBars()
    try:
        report = build_archive(paths, folder, load_encoder(model), bars)
    finally:
        bars.close()
    if as_json:
        print_json(
            {
                "generation": report.generation,
                "counts": report.counts.model_dump(),
                "reused": report.reused,
                "rejections": [asdict(rejection) for rejection in report.rejections],
                "seconds": round(report.seconds, 2),
            }
        )
    else:
        click.echo(_summary(report, folder))
        _show_rejections(report.rejections)
    if report.rejections:
        raise click.exceptions.Exit(EXIT_SOME_REFUSED)


@index_commands.command("watch")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@index_option
@model_option
@click.option(
    "--quiet",
    type=click.FloatRange(0, min_open=True),
    default=DEFAULT_QUIET,
    show_default=True,
    help="Seconds without a change to wait for. 静默多少秒后重建。",
)
def watch_command(paths: tuple[Path, ...], folder: Path, model: str | None, quiet: float) -> None:
    """Build now, and again whenever files have changed. 文件变动后自动重建索引。

    Goes on until Ctrl-C. Bots and servers that run follow each new generation. A build that fails leaves the archive as
    it was, and is tried again.
    """
    find_files(paths)  # names a missing path before the model is loaded
    encoder = load_encoder(model)
    bars = ProgressBars()
    click.echo(f"Watching {', '.join(map(str, paths))}; Ctrl-C ends it. 正在监视，按 Ctrl-C 结束。", err=True)
    try:
        for outcome in watch_archive(paths, folder, encoder, bars, quiet=quiet):
            bars.close()
            if isinstance(outcome, WenbaoError):
                click.echo(f"Not built: {outcome}", err=True)
            else:
                click.echo(_summary(outcome, folder))
                _show_rejections(outcome.rejections)
    except KeyboardInterrupt:
        click.echo("Stopped. 已停止。", err=True)
    finally:
        bars.close()


@index_commands.command()
@index_option
@json_option
def info(folder: Path, as_json: bool) -> None:
    """Say what an archive holds and what built it. 查看索引内容。"""
    archive = Archive.open(folder)
    manifest = archive.manifest
    if as_json:
        facets = {name: dict(values) for name, values in archive.facets().items()}
        shown = manifest.model_dump(mode="json")
        print_json(shown | {"dates": archive.date_range(), "facets": facets, "sources": archive.source_names()})
        return
    size = sum(record.size for record in manifest.files.values())
    dates = archive.date_range()
    click.echo(f"archive     {folder}, generation {manifest.generation}, built {manifest.created}")
    click.echo(
        f"holds       {manifest.counts.articles} articles, {manifest.counts.passages} passages, "
        f"{manifest.counts.sources} sources, {size / 1e6:.1f} MB"
    )
    click.echo(f"dates       {' to '.join(dates) if dates else 'none stated'}")
    for name, values in archive.facets().items():
        click.echo(f"{name:<11} {', '.join(f'{value} ({count})' for value, count in values[:10]) or 'none stated'}")
    click.echo(
        f"encoder     {manifest.encoder.name}, {manifest.encoder.dimension} dimensions, "
        f"sha256 {manifest.encoder.digest[:12]}…"
    )
    click.echo(f"vectors     {describe_vectors(manifest.vector_index)}")
    names = archive.source_names()
    click.echo(f"sources     {', '.join(names[:10])}{' …' if len(names) > 10 else ''}")
    _show_rejections(archive.rejections())


@index_commands.command()
@index_option
@model_option
@click.option("--deep", is_flag=True, help="Encode every passage again, not only a sample. 全部段落重新编码比对。")
@json_option
def verify(folder: Path, model: str | None, deep: bool, as_json: bool) -> None:
    """Check every file, span and vector of an archive. 校验索引。

    Passages are encoded again and compared with their vectors, a sample of them, or all with --deep. Exit status 1 if a
    check fails.
    """
    generation = IndexFolder(folder).current()
    checks = verify_generation(generation)
    if all(check.passed for check in checks):
        encoder = load_encoder(model or read_manifest(generation).encoder.name)
        with progress_bar(STAGES["encode"], hidden=as_json or not deep) as show:
            checks += verify_encoding(generation, encoder, sample=None if deep else SAMPLE, progress=show)
    if as_json:
        print_json([asdict(check) for check in checks])
    else:
        for check in checks:
            click.echo(f"{'ok    ' if check.passed else 'FAILED'}  {check.name:<13} {check.detail}")
    if not all(check.passed for check in checks):
        raise click.exceptions.Exit(1)


@index_commands.command("list")
@index_option
@json_option
def list_command(folder: Path, as_json: bool) -> None:
    """List the generations of an archive, newest first. 列出各代索引。"""
    found = list_generations(IndexFolder(folder))
    if as_json:
        print_json([asdict(summary) for summary in found])
        return
    for summary in found:
        mark = "*" if summary.in_use else " "
        holds = summary.problem or (
            f"{summary.created}  {summary.articles} articles, {summary.passages} passages, {summary.bytes / 1e6:.1f} MB"
        )
        click.echo(f"{mark} {summary.id}  {holds}")


@index_commands.command()
@click.argument("generation", required=False)
@index_option
def rollback(generation: str | None, folder: Path) -> None:
    """Put an older GENERATION in use again; the one before by default. 退回到旧的一代索引。

    It is verified first; bots and servers that run follow with their next question. The newer ones stay on disk, and
    the way back is the same command with their name.
    """
    click.echo(f"{roll_back(IndexFolder(folder), generation).id} is in use now. 已切换。")


@index_commands.command("prune")
@click.option("--keep", type=click.IntRange(1), default=1, show_default=True, help="How many to keep. 保留几代。")
@index_option
@json_option
def prune_command(keep: int, folder: Path, as_json: bool) -> None:
    """Remove old generations, never the one in use. 删除旧的各代索引。"""
    removed = prune(IndexFolder(folder), keep)
    if as_json:
        print_json(removed)
    else:
        click.echo("\n".join([*(f"removed {name}" for name in removed), f"{len(removed)} removed. 已删除。"]))


@index_commands.command("export")
@click.argument("target", type=click.Path(file_okay=False, path_type=Path))
@index_option
@json_option
def export_command(target: Path, folder: Path, as_json: bool) -> None:
    """Write sources, articles and passages with their spans to TARGET, as JSON lines. 导出文章和段落。"""
    archive = Archive.open(folder)
    with progress_bar("exporting 导出", hidden=as_json) as show:
        written = export_archive(archive, target, show)
    if as_json:
        print_json(written)
    else:
        click.echo(", ".join(f"{count} {name}" for name, count in written.items()) + f" in {target}. 已导出。")


@index_commands.command("report")
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path), default=Path("wenbao-report.html"))
@index_option
def report_command(target: Path, folder: Path) -> None:
    """Write one HTML page with the figures of an archive to TARGET. 生成索引概览网页。

    Articles by month and paper, passage lengths, a map of the passages, pages worth a look, articles told more than
    once, files refused. The page refers to nothing outside it.
    """
    replace_file(target, render_report(report_archive(Archive.open(folder))))
    click.echo(f"{target} is written. 已生成。")


def _summary(report: BuildReport, folder: Path) -> str:
    counts = report.counts
    return (
        f"{counts.articles} articles, {counts.passages} passages from {counts.sources} sources in {folder} "
        f"({report.reused} vectors reused, {report.seconds:.1f} s). 已建立索引：{counts.articles} 篇文章。"
    )


def _show_rejections(rejections: tuple[Rejection, ...] | list[Rejection]) -> None:
    if not rejections:
        return
    click.echo(f"{len(rejections)} refused 未能读取:", err=True)
    for rejection in rejections[:_REFUSALS_SHOWN]:
        click.echo(f"  {rejection.name}: {rejection.reason}; {rejection.remedy}", err=True)
    if len(rejections) > _REFUSALS_SHOWN:
        click.echo(f"  … and {len(rejections) - _REFUSALS_SHOWN} more (--json lists all)", err=True)
