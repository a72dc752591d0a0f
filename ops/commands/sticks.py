"""``yiwang courier``: the line by hand, for a node that no line reaches."""

from __future__ import annotations

from pathlib import Path

import click

from node import clock
from node.codec import base32
from ops.answer import Answer, Call
from ops.words import _

LONG = 3600.0
"Seconds that copying may take when nothing else was said."
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group(help="用移动介质代替线路。")
def courier() -> None:
    """The family of commands."""


@courier.command(help="把邻近节点还缺的内容装进一个只有它能打开的文件。")
@click.option("--out", type=_FILE, required=True, help="要写的文件。")
@click.option("--to", "name", default="", help="上级或下级节点的编号、代码或名称；不写则为上级。")
@click.option("--most", type=click.IntRange(min=1), help="至多约多少兆字节；装不下的下次再装。")
@click.pass_obj
def pack(call: Call, out: Path, name: str, most: int | None) -> Answer:
    """Write a stick for a neighbour."""
    from node.client import Ledger
    from ops.cli import GRACE, alarm
    from sync import parcel

    alarm(call.wait(LONG) + GRACE)
    with Ledger(call.settings(), timeout=call.wait(60.0)) as ledger:
        packer = parcel.Parcel(call.settings(), ledger)
        to = packer.neighbour(name)
        load = packer.pack(to, out, most * 2**20 if most else parcel.MOST)
    fields = {"file": str(out), "to": to.id, "name": to.name, "bytes": out.stat().st_size}
    fields |= {"entries": load.entries, "receipts": load.receipts, "blobs": load.blobs, "more": load.more}
    text = _("已为{name}装入 {entries} 条内容、{receipts} 份回执、{blobs} 个附件：{file}").format(**fields)
    rest = _("还有没装下的：请用另一个介质再装一次") if load.more else _("送到后在那里执行：yiwang courier unpack 文件；再把那里装好的文件带回来")
    return Answer(fields=fields, text=f"{text}\n{rest}")


@courier.command(help="取出移动介质上的文件里带给本节点的内容。")
@click.argument("file", type=_FILE)
@click.pass_obj
def unpack(call: Call, file: Path) -> Answer:
    """Take what came on a stick."""
    from node.client import Ledger
    from ops.cli import GRACE, alarm
    from sync.parcel import Parcel

    alarm(call.wait(LONG) + GRACE)
    with Ledger(call.settings(), timeout=call.wait(60.0)) as ledger:
        parcel = Parcel(call.settings(), ledger)
        done = parcel.unpack(file)
        name = parcel.nodes[done.sender].name if done.sender in parcel.nodes else done.sender
    snags = [{"epoch": base32(chain), "code": snag.code, "detail": snag.message} for chain, snag in done.snags.items()]
    fields = {"of": done.sender, "name": name, "made": clock.from_ms(done.at).isoformat(), "entries": done.entries}
    fields |= {"duplicates": done.known, "receipts": done.receipts, "blobs": done.blobs, "refused": snags}
    text = _("已从{name}取得 {entries} 条新内容、{receipts} 份新回执、{blobs} 个附件").format(**fields)
    if not snags:
        return Answer(fields=fields, text=text)
    again = _("有 {number} 组没有取：请先把本节点装好的文件带过去，再让对方重新装").format(number=len(snags))
    return Answer(fields=fields, text=f"{text}\n{again}", error=next(iter(done.snags.values())))
