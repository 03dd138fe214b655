"""The commands `wenbao index …`."""

from __future__ import annotations

import click

from index import build_commands, look_commands
from index.command_line import WenbaoGroup


@click.group("index", cls=WenbaoGroup)
def index_commands() -> None:
    """Build, look at and check an archive. 建立、查看和校验索引。"""


for command in (*build_commands.COMMANDS, *look_commands.COMMANDS):
    index_commands.add_command(command)
