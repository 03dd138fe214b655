"""The commands that change an archive: build, add, remove, watch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Literal

import click

from index.base import vector_options
from index.build import BuildReport, build_archive
from index.command_line import index_option, json_option, model_option, print_json, show_rejections
from index.dry_run import DryRun, dry_run
from index.encoder_process import start_encoder
from index.errors import ArchiveError, InputError, NotFoundError, WenbaoError
from index.finding import find_files
from index.inputs import built_from
from index.layout import IndexFolder
from index.maintain import add_to_archive, plan_added, plan_removed, remove_from_archive
from index.manifest import parse_manifest
from index.plan import plan_archive
from index.progress import OnProgress
from index.progress_bars import ProgressBars
from index.vector_options import DEFAULT_RECALL, KINDS, Kind, VectorOptions, parse_size
from index.watch import DEFAULT_QUIET, watch_archive

EXIT_SOME_REFUSED = 3
_NAMES_SHOWN = 10
_dry_run_option = click.option(
    "--dry-run", "is_dry_run", is_flag=True, help="Only say what would be done. 只显示将做什么。"
)
_paths = click.argument("paths", nargs=-1, type=click.Path(path_type=Path))


def _to_bytes(context: click.Context, option: click.Parameter, value: str | None) -> int | Literal["auto"] | None:
    try:
        return None if value is None else "auto" if value == "auto" else parse_size(value)
    except ValueError as error:
        raise click.BadParameter(f"{error} Or auto.", context, option) from error


_vector_index_option = click.option(
    "--vector-index",
    "kind",
    type=click.Choice(["auto", *KINDS]),
    help="Kind of vector index; auto (at first) chooses by number of passages and memory. hnsw is made anew by every "
    "build that removes something. 向量索引类型。",
)
_recall_option = click.option(
    "--recall",
    type=click.FloatRange(0, 1, min_open=True),
    help=f"Share of the true nearest passages that an inexact vector index is to find; at first {DEFAULT_RECALL}. "
    "向量检索的召回率。",
)
_vector_memory_option = click.option(
    "--vector-memory",
    "memory",
    callback=_to_bytes,
    metavar="SIZE",
    help="Memory that the vectors may take when searched, such as 800MB: what is larger is coded shorter, or left on "
    "disk; auto (at first) is half of the machine's. 向量可用内存。",
)


@click.command()
@_paths
@index_option
@model_option
@click.option("--keep-missing", is_flag=True, help="Keep what is no longer at PATHS. 保留已不存在的文件。")
@click.option("--fresh", is_flag=True, help="Read, cut and encode everything again. 全部重新读取并编码。")
@_dry_run_option
@_vector_index_option
@_recall_option
@_vector_memory_option
@json_option
def build(
    paths: tuple[Path, ...],
    folder: Path,
    model: str | None,
    keep_missing: bool,
    fresh: bool,
    is_dry_run: bool,
    kind: Kind | Literal["auto"] | None,
    recall: float | None,
    memory: int | Literal["auto"] | None,
    as_json: bool,
) -> None:
    """Make the archive that of the files and folders at PATHS. 从文件和文件夹建立索引。

    Reads .txt .md .html .pdf .csv .jsonl, folders with all below them; without PATHS, those that the archive was built
    from. Only what has changed is read and encoded; what is no longer there leaves the archive. What is asked of the
    vector index is kept for later builds, also by add, remove and watch. Exit status 0:
    everything is indexed; 3: some files were refused (each is named with the reason and the remedy), the rest is
    indexed; 1: nothing was changed.
    """
    chosen = paths or _inputs(folder)
    find_files(chosen)  # names a missing path before the model is loaded
    encoder = start_encoder(model or _encoder_in_use(folder))
    if is_dry_run:
        plan = partial(plan_archive, chosen, keep_missing=keep_missing)
        _show(dry_run(plan, IndexFolder(folder), encoder.identity, fresh=fresh), as_json)
        return

    def work(on_progress: OnProgress) -> BuildReport:
        # Without PATHS they are looked up again by the one writer: another may have added some meanwhile.
        asked = _asked_of_vectors(folder, kind, recall, memory)
        return build_archive(
            paths or None, folder, encoder, on_progress, keep_missing=keep_missing, fresh=fresh, vectors=asked
        )

    _run(work, folder, as_json)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@index_option
@model_option
@_dry_run_option
@json_option
def add(paths: tuple[Path, ...], folder: Path, model: str | None, is_dry_run: bool, as_json: bool) -> None:
    """Take PATHS into the archive beside what is in it. 向索引添加文件。

    Nothing leaves the archive. Exit status as for build.
    """
    find_files(paths)  # names a missing path before the model is loaded
    encoder = start_encoder(model or _encoder_of(folder))
    if is_dry_run:
        _show(dry_run(partial(plan_added, paths), IndexFolder(folder), encoder.identity), as_json)
        return
    _run(lambda bars: add_to_archive(paths, folder, encoder, bars), folder, as_json)


@click.command()
@click.argument("sources", nargs=-1, required=True)
@index_option
@model_option
@_dry_run_option
@json_option
def remove(sources: tuple[str, ...], folder: Path, model: str | None, is_dry_run: bool, as_json: bool) -> None:
    """Remove SOURCES, or files with all their sources, by name. 从索引删除来源。

    Later builds leave them out too; wenbao index add brings a file back. The generation before still holds them, until
    it is removed: wenbao index prune.
    """
    encoder = start_encoder(model or _encoder_of(folder))
    if is_dry_run:
        _show(dry_run(partial(plan_removed, sources), IndexFolder(folder), encoder.identity), as_json)
        return
    _run(lambda bars: remove_from_archive(sources, folder, encoder, bars), folder, as_json)


@click.command("watch")
@_paths
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
    it was, and is tried again. Without PATHS, follows those that the archive was built from.
    """
    chosen = paths or _inputs(folder)
    find_files(chosen)  # names a missing path before the model is loaded
    encoder = start_encoder(model or _encoder_in_use(folder))
    bars = ProgressBars()
    click.echo(f"Watching {', '.join(map(str, chosen))}; Ctrl-C ends it. 正在监视，按 Ctrl-C 结束。", err=True)
    try:
        for outcome in watch_archive(chosen, folder, encoder, bars, quiet=quiet):
            bars.close()
            if isinstance(outcome, WenbaoError):
                click.echo(f"Not built: {outcome}", err=True)
            else:
                click.echo(_summary(outcome, folder))
                show_rejections(outcome.rejections)
    except KeyboardInterrupt:
        click.echo("Stopped. 已停止。", err=True)
    finally:
        bars.close()


COMMANDS = (build, add, remove, watch_command)


def _inputs(folder: Path) -> tuple[Path, ...]:
    """Return the paths that the archive in a folder was built from."""
    index = IndexFolder(folder)
    if not index.current_file.exists():
        raise InputError("No files or folders were given to read. Give at least one path: wenbao index build PATH")
    return tuple(built_from(index))


def _asked_of_vectors(
    folder: Path, kind: Kind | Literal["auto"] | None, recall: float | None, memory: int | Literal["auto"] | None
) -> VectorOptions | None:
    """Return what is asked of the vector index where that is other than before; what is not named stays as it was."""
    if kind is None and recall is None and memory is None:
        return None
    kept = vector_options(IndexFolder(folder))
    return VectorOptions(
        kind=kept.kind if kind is None else kind,
        recall=kept.recall if recall is None else recall,
        memory=kept.memory if memory is None else None if memory == "auto" else memory,
    )


def _encoder_of(folder: Path) -> str:
    return parse_manifest(IndexFolder(folder).current()).encoder.name


def _encoder_in_use(folder: Path) -> str | None:
    """Return the model of the archive in a folder, none where there is no archive that says."""
    try:
        return _encoder_of(folder)
    except (NotFoundError, ArchiveError):
        return None


def _run(work: Callable[[OnProgress], BuildReport], folder: Path, as_json: bool) -> None:
    bars = ProgressBars()
    try:
        report = work(bars)
    finally:
        bars.close()
    if as_json:
        print_json(
            {
                "generation": report.generation,
                "counts": report.counts.model_dump(),
                "files": {name: getattr(report, name) for name in ("new", "changed", "unchanged", "gone")},
                "reused": report.reused,
                "rejections": [asdict(rejection) for rejection in report.rejections],
                "seconds": round(report.seconds, 2),
            }
        )
    else:
        click.echo(_summary(report, folder))
        show_rejections(report.rejections)
    if report.rejections:
        raise click.exceptions.Exit(EXIT_SOME_REFUSED)


def _summary(report: BuildReport, folder: Path) -> str:
    counts = report.counts
    return (
        f"{counts.articles} articles, {counts.passages} passages from {counts.sources} sources in {folder} "
        f"({report.new} new, {report.changed} changed, {report.gone} removed and {report.unchanged} unchanged files, "
        f"{report.reused} vectors reused, {report.seconds:.1f} s). 已建立索引：{counts.articles} 篇文章。"
    )


def _show(planned: DryRun, as_json: bool) -> None:
    if as_json:
        print_json(asdict(planned))
        return
    for what in ("new", "changed", "removed", "unchanged"):
        names: tuple[str, ...] = getattr(planned, what)
        more = " …" if len(names) > _NAMES_SHOWN else ""
        click.echo(f"{len(names):>7} {what:<9}  {', '.join(names[:_NAMES_SHOWN])}{more}".rstrip())
    show_rejections(planned.rejections)
    click.echo("Nothing was done. 未作任何改动。")
