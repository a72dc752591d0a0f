"""``yiwang audit``: the node's own log taken out, and checked against what was taken out before."""

from __future__ import annotations

from pathlib import Path

import click

from node.errors import Invalid
from ops.answer import Answer, Call
from ops.commands.chains import examined, write_bundle
from ops.words import _


@click.group(help="审计日志的导出和核对。")
def audit() -> None:
    """The family of commands."""


@audit.command(help="把本节点自己的日志导出成凭证文件；存到别处，就能发现以后的删改。")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="写到这个文件。")
@click.option("--bodies", type=click.Choice(["none", "meta", "full"]), default="full", help="内容写多少。")
@click.pass_obj
def export(call: Call, out: Path, bodies: str) -> Answer:
    """The log that a node keeps for itself, as a bundle for the verifier."""
    from node import evidence
    from ops import seat

    settings = call.settings()
    with seat.office(settings) as office:
        office.directory.refresh()
        wanted = evidence.Range(origin=settings.id, scope="self", bodies=bodies)
        return Answer(fields=write_bundle(out, evidence.export(office.ledger, office.directory, settings, wanted)))


@audit.command(help="核对本节点自己的日志：改动、缺失、截断都指明位置；--against 同以前导出的文件对照。")
@click.option("--against", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="以前导出的文件。")
@click.pass_obj
def verify(call: Call, against: Path | None) -> Answer:
    """Exit 0 when all holds, 1 when something was edited, is missing or was cut off."""
    from ops import trail

    if against is not None and not examined([str(against)])["ok"]:
        raise Invalid(f"{against} does not hold by itself", hint="yiwang verify", code="bad_checkpoint")
    found = trail.verify(call.settings(), trail.kept(against) if against else None)
    lines = [_("{kind} {epoch} 第 {from} 至 {to} 条：{detail}").format(**one) for one in found["problems"]]
    text = "\n".join(lines) or _("日志完整：{chains} 条链，{entries} 条").format(**found)
    return Answer(fields=found, exit=1 if found["problems"] else 0, text=text)
