"""What the commands share: options, errors shown as one message, JSON output."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from index.archive import DEFAULT_INDEX
from index.errors import WenbaoError
from index.records import Rejection

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


def show_rejections(rejections: Sequence[Rejection]) -> None:
    """Name the files that were refused on the standard error output, with reason and remedy."""
    if not rejections:
        return
    click.echo(f"{len(rejections)} refused 未能读取:", err=True)
    for rejection in rejections[:_REFUSALS_SHOWN]:
        click.echo(f"  {rejection.name}: {rejection.reason}; {rejection.remedy}", err=True)
    if len(rejections) > _REFUSALS_SHOWN:
        click.echo(f"  … and {len(rejections) - _REFUSALS_SHOWN} more (--json lists all)", err=True)
