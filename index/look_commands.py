"""The commands that look at an archive, check it, and manage its generations."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from index.archive import Archive
from index.command_line import index_option, json_option, model_option, print_json, show_rejections
from index.encoder import load_encoder
from index.export import export_archive
from index.generations import list_generations, prune, roll_back
from index.layout import IndexFolder, replace_file
from index.manifest import read_manifest
from index.progress_bars import STAGES, progress_bar
from index.report import report_archive
from index.report_page import render_report
from index.vector_plan import describe as describe_vectors
from index.verify import verify_generation
from index.verify_encoding import SAMPLE, verify_encoding


@click.command()
@index_option
@json_option
def info(folder: Path, as_json: bool) -> None:
    """Say what an archive holds and what built it. 查看索引内容。"""
    archive = Archive.open(folder, texts_only=True)
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
    show_rejections(archive.rejections())


@click.command()
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


@click.command("list")
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


@click.command()
@click.argument("generation", required=False)
@index_option
def rollback(generation: str | None, folder: Path) -> None:
    """Put an older GENERATION in use again; the one before by default. 退回到旧的一代索引。

    It is verified first; servers that run follow at once, bots with their next question. The newer ones stay on disk,
    and the way back is the same command with their name.
    """
    click.echo(f"{roll_back(IndexFolder(folder), generation).id} is in use now. 已切换。")


@click.command("prune")
@click.option("--keep", type=click.IntRange(1), default=1, show_default=True, help="How many to keep. 保留几代。")
@index_option
@json_option
def prune_command(keep: int, folder: Path, as_json: bool) -> None:
    """Remove old generations, never the one in use. 删除旧的各代索引。

    The newest that can be used are kept.
    """
    removed = prune(IndexFolder(folder), keep)
    if as_json:
        print_json(removed)
    else:
        click.echo("\n".join([*(f"removed {name}" for name in removed), f"{len(removed)} removed. 已删除。"]))


@click.command("export")
@click.argument("target", type=click.Path(file_okay=False, path_type=Path))
@index_option
@json_option
def export_command(target: Path, folder: Path, as_json: bool) -> None:
    """Write sources, articles and passages with their spans to TARGET, as JSON lines. 导出文章和段落。"""
    archive = Archive.open(folder, texts_only=True)
    with progress_bar("exporting 导出", hidden=as_json) as show:
        written = export_archive(archive, target, show)
    if as_json:
        print_json(written)
    else:
        click.echo(", ".join(f"{count} {name}" for name, count in written.items()) + f" in {target}. 已导出。")


@click.command("report")
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path), default=Path("wenbao-report.html"))
@index_option
def report_command(target: Path, folder: Path) -> None:
    """Write one HTML page with the figures of an archive to TARGET. 生成索引概览网页。

    Articles by month and paper, passage lengths, a map of the passages, pages worth a look, articles told more than
    once, files refused. The page refers to nothing outside it.
    """
    replace_file(target, render_report(report_archive(Archive.open(folder))))
    click.echo(f"{target} is written. 已生成。")


COMMANDS = (info, verify, list_command, rollback, prune_command, export_command, report_command)
