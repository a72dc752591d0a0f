"""``yiwang selfcheck``: is what the node keeps still what it was?"""

from __future__ import annotations

import click

from ops.answer import Answer, Call
from ops.words import _

REPAIRS = 120.0
"Seconds for which a repair waits for the neighbours when nothing else was said."
LONG = 3600.0
"Seconds a check may take when nothing else was said: it reads every byte."


@click.command(help="检查本节点的日志链和附件是否完好；发现损坏时退出码为 8。")
@click.option("--deep", is_flag=True, help="连同数据库的索引逐页检查。")
@click.option("--repair", is_flag=True, help="损坏之处向上下级取回；节点须在运行。")
@click.option("--refold", is_flag=True, help="由日志重建全部业务表并比较；节点须在运行。")
@click.pass_obj
def selfcheck(call: Call, deep: bool, repair: bool, refold: bool) -> Answer:
    """Walk every chain, hash every attachment; with ``--refold`` compare every table with a rebuild."""
    from ops import selfcheck as look
    from ops.cli import GRACE, alarm

    settings = call.settings()
    alarm(call.wait(LONG) + GRACE)
    found = look.check(settings, deep=deep)
    if repair and found["bad"]:
        look.repair(settings, found["bad"], call.wait(REPAIRS))
    if refold:
        found["bad"] += look.refold(settings)
    good = found["index_ok"] and not any(not one["repaired"] for one in found["bad"])
    text = _("完好：{rows} 条日志，{blobs} 个附件").format(**found) if good else _("有损坏：{count} 处").format(count=len(found["bad"]))
    lines = [text, *(f"  {one['kind']} {one.get('ref') or one.get('blob', '')} {one.get('detail', '')}" for one in found["bad"])]
    return Answer(fields=found, text="\n".join(lines), exit=0 if good else 8)
