"""``yiwang sim``: one life of a simulated tree of nodes under faults, or a whole prefecture's year, the same for the same seed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from node.errors import Invalid
from ops.answer import Answer, Call
from ops.words import _


@click.command(help="模拟一张网：断线、掉电、恢复旧盘，看历史是否一致；--year 模拟全市一年。")
@click.option("--seed", type=int, default=1, help="种子；同一个种子是同一次经过。")
@click.option("--steps", type=click.IntRange(min=0), default=100, help="发生多少件事。")
@click.option("--topology", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="节点树：JSON，节点名 → 上级名，市为空。")
@click.option("--faults", default="all", help="all、none，或用逗号分隔的 cut、deaf、crash、restore。")
@click.option("--year", is_flag=True, help="一市、各县和各镇，按工作日和钟点的一年公文。")
@click.option("--scale", type=click.FloatRange(min=0, max=1, min_open=True), default=0.01, help="全年五十万件的多大一份。")
@click.option("--days", type=click.IntRange(1, 366), default=365, help="过多少天。")
@click.option("--counties", type=click.IntRange(1, 20), default=10, help="多少个县。")
@click.option("--townships", type=click.IntRange(0, 200), default=91, help="多少个镇。")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="把带图的报告写到这个 HTML 文件。")
@click.pass_obj
def sim(call: Call, /, seed: int, steps: int, topology: Path | None, faults: str, year: bool, report: Path | None, **about: Any) -> Answer:
    """Live through one seed and judge what is left."""
    from sync import load
    from sync.sim import FAULTS, run

    tree = _tree(topology) if topology else None
    if not year:
        found = run(seed, steps, tree=tree, faults=_faults(faults, FAULTS))
        return Answer(fields=found, exit=1 if found["violations"] else 0)
    from sync import year as whole

    plan = whole.Plan(
        seed=seed,
        tree=tree or load.tree(about["counties"], about["townships"]),
        scale=about["scale"],
        days=about["days"],
        faults=_faults(faults, load.KINDS),
    )
    with _Progress() as progress:
        found = whole.run(plan, progress.tell)
    if report:
        from ops.report import page

        report.write_text(page(found), encoding="utf-8")
    return Answer(fields=found, text=_story(found, report), exit=1 if found["violations"] else 0)


def _faults(given: str, known: tuple[str, ...]) -> tuple[str, ...]:
    named = known if given == "all" else () if given == "none" else tuple(one.strip() for one in given.split(","))
    if wrong := [one for one in named if one not in known]:
        raise Invalid(_("没有这种故障：{name}；有 {known}。").format(name="、".join(wrong), known="、".join(known)), code="usage")
    return named


def _tree(file: Path) -> dict[str, str]:
    """The tree a file gives: every node's name and the name of the one above it, parents first."""
    try:
        given = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Invalid(_("{file} 不是 JSON：{error}").format(file=file, error=error), code="usage") from None
    if not isinstance(given, dict) or not all(isinstance(above, str) for above in given.values()):
        raise Invalid(_("节点树应写成 JSON 对象：节点名 → 上级名，市的上级为空。"), code="usage")
    found: dict[str, str] = {}
    for name, above in given.items():
        if (above and above not in found) or (not above and found) or _depth(found, above) > 2:
            raise Invalid(_("节点 {name}：上级应写在前面，最多三级，只有一个市。").format(name=name), code="usage")
        found[name] = above
    if len(found) < 2:
        raise Invalid(_("至少要有一个市和一个下级。"), code="usage")
    return found


def _depth(tree: dict[str, str], name: str) -> int:
    return 1 + _depth(tree, tree[name]) if name else 0


def _story(found: dict[str, Any], report: Path | None) -> str:
    lines = [
        _("{nodes} 个节点，{documents} 件公文，{deliveries} 次送达，{receipts} 份回执，{s} 秒。").format(**found),
        _("丢失 {lost}，重复 {doubled}；结果摘要 {digest}").format(**found),
        *found["violations"],
    ]
    return "\n".join([*lines, *([_("报告：{file}").format(file=report)] if report else [])])


class _Progress:
    """A bar on the error output, where there is somebody to see it."""

    def __init__(self) -> None:
        self._bars: dict[str, Any] = {}

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_error: object) -> None:
        self._end()

    def _end(self) -> None:
        for bar in self._bars.values():
            bar.render_finish()

    def tell(self, what: str, done: int, of: int) -> None:
        """``done`` of ``of`` of something."""
        words = {"founding": _("建立节点"), "living": _("这一年"), "healing": _("线路修复"), "judging": _("逐条校验")}
        if what not in self._bars:
            self._end()
            self._bars = {what: click.progressbar(length=of, label=words[what], file=sys.stderr)}
        bar = self._bars[what]
        bar.update(done - bar.pos)
