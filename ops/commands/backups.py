"""``yiwang backup``: make a backup of a node, and check one."""

from __future__ import annotations

from pathlib import Path

import click

from ops.answer import Answer, Call
from ops.words import _


@click.group(help="备份。")
def backup() -> None:
    """The family of commands."""


@backup.command(help="把本节点备份成一个文件；节点可以继续运行。")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="备份文件。")
@click.pass_obj
def create(call: Call, out: Path) -> Answer:
    """Copy the node into one file while it goes on working."""
    from ops import backup as copy

    found = copy.create(call.settings(), out)
    return Answer(fields=found, text=_("已备份 {files} 个文件到 {file}；请像保管钥匙一样保管它").format(**found))


@backup.command(help="检查一个备份文件是否完整。")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def verify(file: Path) -> Answer:
    """Compare a backup with its own manifest."""
    from ops import backup as copy

    return Answer(fields=copy.check(file))
