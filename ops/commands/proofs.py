"""``yiwang proof``: does a file prove that somebody signed two entries for one place, or vouched for a false one? Checked without a node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from node.errors import Invalid, NodeError
from ops.answer import Answer
from ops.commands.chains import examined
from ops.words import _

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(help="核对分叉证据和失实快照证据。")
def proof() -> None:
    """The family of commands."""


@proof.command(help="离线核对一份分叉证据或失实快照证据。")
@click.argument("file", type=FILE)
@click.option("--root", type=FILE, help="市根证书。")
def check(file: Path, root: Path | None) -> Answer:
    """Exit 0 when the file proves a fork, or a snapshot that vouches for what is false, and all in it holds; 1 when it does not."""
    if not file.read_bytes().startswith((b"{", b"[")):
        return _vouched(file, root)
    found = examined([str(file), *(["--root", str(root)] if root else [])])
    forks = [one for one in found["problems"] if one["kind"] == "fork" and "a" in one]
    others = [one for one in found["problems"] if one["kind"] != "fork"]
    if not forks or others:
        return Answer(fields={"kind": None, "problems": others}, exit=1, text=_("这份文件不能证明分叉"))
    fields = _told(forks[0])
    text = _("证据成立：{origin} 在 {epoch} 第 {seq} 位签了两条不同的日志").format(**fields)
    return Answer(fields=fields | {"forks": [_told(one) for one in forks]}, text=text)


def _vouched(file: Path, root: Path | None) -> Answer:
    """A proof that a node kept in ``snapshot/``."""
    from node import adoption, certs
    from node.codec import base32, unpack

    if root is None:
        raise Invalid(_("核对失实快照证据要用 --root 给出市根证书"), code="usage")
    data = file.read_bytes()
    try:
        manifest = adoption.proved(data, certs.load(root.read_bytes()))
    except NodeError as error:
        problem = {"kind": error.code, "position": "", "detail": str(error)}
        return Answer(fields={"kind": None, "problems": [problem]}, exit=1, text=_("这份文件不能证明快照失实"))
    proof = unpack(data, adoption.Proof)
    fields = {"kind": "vouched", "origin": manifest.maker, "epoch": base32(proof.chain), "seq": proof.seq}
    text = _("证据成立：{origin} 的快照担保了 {epoch} 第 {seq} 位的日志，而其签名不实").format(**fields)
    return Answer(fields=fields, text=text)


def _told(problem: dict[str, Any]) -> dict[str, Any]:
    origin, epoch, seq = problem["position"].split("/")
    return {"kind": "fork", "origin": origin, "epoch": epoch, "seq": int(seq), "a": problem["a"], "b": problem["b"]}
