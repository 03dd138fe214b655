"""Wenbao 问报: `python app.py` answers from the pages in `seeds/`; `wenbao` is the command line to everything else."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import click

from index.cli import index_commands
from index.command_line import WenbaoGroup, index_option, model_option
from index.errors import WenbaoError
from qa.cli import ask_command, eval_command, reader_option, search_command, threshold_option
from qa.web.prepare import Models, prepare_archive, prepare_pages
from qa.web.startup import Prepare

SEEDS = Path(__file__).parent / "seeds"

host_option = click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all. 监听地址。"
)
port_option = click.option(
    "--port", type=click.IntRange(1, 65535), default=7860, show_default=True, help="Port to listen on. 监听端口。"
)


def serve(prepare: Prepare, host: str, port: int) -> None:
    """Open the port at once, then make the bot ready while the page is up already."""
    # gradio takes seconds to import: only those who serve pay for it.
    from qa.web.server import create_app, open_port, run
    from qa.web.startup import Service

    listening = open_port(host, port)
    app = create_app(Service(prepare), host=host, on_failure=lambda message: click.echo(f"Error: {message}", err=True))
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    click.echo(f"问报 Wenbao: http://{shown}:{port}")
    run(app, listening)


@click.command("serve")
@index_option
@model_option
@reader_option
@threshold_option
@host_option
@port_option
def serve_command(
    folder: Path, model: str | None, reader: str | None, threshold: float | None, host: str, port: int
) -> None:
    """Serve the page and the HTTP API of an archive. 启动网页和 HTTP 接口。"""
    from index.archive import Archive

    Archive.open(folder, texts_only=True)  # says at once if there is none
    serve(prepare_archive(folder, Models(model, reader, threshold)), host, port)


@click.command()
@index_option
@click.option(
    "--pages",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=None,
    help="Folder of newspaper pages; the starter corpus by default. 报纸版面所在的文件夹,默认为起始语料。",
)
@model_option
@reader_option
@threshold_option
@host_option
@port_option
def main(
    folder: Path,
    pages: Path | None,
    model: str | None,
    reader: str | None,
    threshold: float | None,
    host: str,
    port: int,
) -> None:
    """Answer questions from a folder of newspaper pages, in the browser. 在浏览器里向一批报纸版面提问。

    The archive is built when it is missing or the pages have changed. 索引不存在或版面有变动时自动重建。
    """
    models = Models(model, reader, threshold)
    serve(prepare_pages(folder, pages or SEEDS, models, pages_named=pages is not None), host, port)


@click.group(cls=WenbaoGroup)
@click.version_option(package_name="wenbao", prog_name="wenbao")
def cli() -> None:
    """Ask a newspaper archive, get the sentence that answers. 向报纸提问,得到报上的原话。"""


for command in (index_commands, ask_command, search_command, eval_command, serve_command):
    cli.add_command(command)


# A terminal that cannot show a character gets it escaped, never a crash.
for stream in (sys.stdout, sys.stderr):
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")

if __name__ == "__main__":
    try:
        main()
    except WenbaoError as problem:
        click.echo(f"Error: {problem}", err=True)
        sys.exit(1)
