"""``yiwang backup``: make a backup of a node, check one, build a home from one."""

from __future__ import annotations

from pathlib import Path

import click

from node.errors import Misconfigured
from ops.answer import Answer, Call
from ops.words import _

LONG = 3600.0
"Seconds that copying a node may take when nothing else was said."
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group(help="备份。")
def backup() -> None:
    """The family of commands."""


def _phrase(file: Path | None) -> str:
    from ops import vault

    return vault.passphrase(file) if file else ""


@backup.command(help="把本节点备份成一个文件；节点可以继续运行。")
@click.option("--out", type=_FILE, required=True, help="备份文件。")
@click.option("--passphrase-file", "phrase", type=_FILE, help="用这个文件里的口令封存钥匙。")
@click.pass_obj
def create(call: Call, out: Path, phrase: Path | None) -> Answer:
    """Copy the node into one file while it goes on working."""
    from ops import backup as copy
    from ops.cli import GRACE, alarm

    alarm(call.wait(LONG) + GRACE)
    found = copy.create(call.settings(), out, _phrase(phrase))
    keep = _("钥匙已用口令封存") if phrase else _("请像保管钥匙一样保管它")
    return Answer(fields=found, text=_("已备份 {files} 个文件到 {file}；{keep}").format(keep=keep, **found))


@backup.command(help="检查一个备份文件是否完整。")
@click.argument("file", type=_FILE)
def verify(file: Path) -> Answer:
    """Compare a backup with its own sum and manifest."""
    from ops import backup as copy

    return Answer(fields=copy.check(file))


@backup.command(help="把备份恢复到一个空目录；启动后先向上级取回备份之后的内容，再恢复办理。")
@click.argument("file", type=_FILE)
@click.option("--passphrase-file", "phrase", type=_FILE, help="封存钥匙的口令所在的文件。")
@click.option("--storage", default="", help="日志改存到别处：sqlite，或 postgresql:// 地址。")
@click.pass_obj
def restore(call: Call, file: Path, phrase: Path | None, storage: str) -> Answer:
    """Build a home from a backup; it gets back what came later when it starts."""
    from ops import backup as copy
    from ops import supervise
    from ops.cli import GRACE, alarm

    if call.home is None:
        raise Misconfigured("no home was named", hint="--home DIR", code="usage")
    alarm(call.wait(LONG) + GRACE)
    made = copy.restore(file, call.home, _phrase(phrase), storage=storage)
    supervise.prepare(made)
    text = _("{name} 已由备份恢复。下一步：yiwang --home {home} run").format(name=made.name, home=made.home)
    return Answer(fields={"restored": made.id, "tier": made.tier, "name": made.name, "state": "recovering"}, text=text)
