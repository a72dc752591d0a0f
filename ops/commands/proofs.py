"""``yiwang proof``: does a file prove that somebody signed two different entries for one place? Checked without a node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ops.answer import Answer
from ops.commands.chains import examined
from ops.words import _

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(help="核对分叉证据。")
def proof() -> None:
    """The family of commands."""


@proof.command(help="离线核对一份分叉证据。")
@click.argument("file", type=FILE)
@click.option("--root", type=FILE, help="市根证书。")
def check(file: Path, root: Path | None) -> Answer:
    """Exit 0 when the file proves a fork and all in it holds, 1 when it does not."""
    found = examined([str(file), *(["--root", str(root)] if root else [])])
    forks = [one for one in found["problems"] if one["kind"] == "fork" and "a" in one]
    others = [one for one in found["problems"] if one["kind"] != "fork"]
    if not forks or others:
        return Answer(fields={"kind": None, "problems": others}, exit=1, text=_("这份文件不能证明分叉"))
    fields = _told(forks[0])
    text = _("证据成立：{origin} 在 {epoch} 第 {seq} 位签了两条不同的日志").format(**fields)
    return Answer(fields=fields | {"forks": [_told(one) for one in forks]}, text=text)


def _told(problem: dict[str, Any]) -> dict[str, Any]:
    origin, epoch, seq = problem["position"].split("/")
    return {"kind": "fork", "origin": origin, "epoch": epoch, "seq": int(seq), "a": problem["a"], "b": problem["b"]}
