"""``yiwang log``, ``verify`` and ``evidence``: chains and proofs leave the node, and are checked without it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from node.errors import Invalid
from ops.answer import Answer, Call, Lines
from ops.words import _

if TYPE_CHECKING:
    from node.client import Chain, Ledger
    from node.settings import Settings

VERIFIER = Path(__file__).resolve().parent.parent / "yiwang-verify.py"


@click.command(help="离线验证凭证文件：不用节点，不用网络。")
@click.argument("bundles", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--root", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="市根证书。")
@click.option("--doc", default="", help="只看这一件公文。")
@click.option("--proof", type=click.Path(dir_okay=False, path_type=Path), help="把发现的分叉证据写到这个文件。")
@click.pass_obj
def verify(call: Call, bundles: tuple[Path, ...], root: Path | None, doc: str, proof: Path | None) -> Answer:
    """Check bundles with the stand-alone verifier, in a process that has nothing of the node in it."""
    given = [str(file) for file in bundles]
    given += ["--root", str(root)] if root else []
    given += ["--doc", doc] if doc else []
    given += ["--proof", str(proof)] if proof else []
    done = subprocess.run([sys.executable, "-I", str(VERIFIER), "--json", *given], capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode not in (0, 1):
        raise Invalid(done.stderr.strip() or f"the verifier ended with {done.returncode}", code="usage")
    found = json.loads(done.stdout)
    return Answer(fields=found, exit=done.returncode, text=_verdict(found))


def _verdict(found: dict[str, object]) -> str:
    problems = found.get("problems")
    if not problems:
        return _("全部成立：文字、签名、链条、回执")
    assert isinstance(problems, list)
    return "\n".join(_("不成立：{kind} {position} {detail}").format(**{"kind": "", "position": "", "detail": "", **row}) for row in problems)


@click.group(help="日志链的导出和跟踪。")
def log() -> None:
    """The family of commands."""


@log.command(help="跟踪本节点新增的日志，每条一行。")
@click.option("--origin", default="", help="只看这个节点写的。")
@click.option("--follow", is_flag=True, help="一直等新的。")
@click.pass_obj
def tail(call: Call, origin: str, follow: bool) -> Lines:
    """Entries as they become durable here: all there are, then with ``--follow`` each new one."""
    from node.client import Ledger

    settings = call.settings()

    def rows() -> Iterator[dict[str, Any]]:
        with Ledger(settings) as ledger:
            yield from _entries(settings, ledger, origin, follow)

    return Lines(rows=rows())


def _entries(settings: Settings, ledger: Ledger, origin: str, follow: bool) -> Iterator[dict[str, Any]]:
    import zmq

    from node import client
    from ops.cli import alarm

    context = zmq.Context()
    ring = client.bell(settings, context, "entries")
    if follow:
        alarm(0)
    seen: dict[bytes, int] = {}
    mark = 0
    try:
        while True:
            mark, chains = ledger.changed(mark)
            for chain in chains:
                if origin in ("", "all", chain.author):
                    yield from _grown(ledger, chain, seen)
            if not follow:
                return
            if ring.poll(2000):
                ring.recv_multipart()
    finally:
        context.destroy(0)


def _grown(ledger: Ledger, chain: Chain, seen: dict[bytes, int]) -> Iterator[dict[str, Any]]:
    from node.codec import base32
    from node.entry import ref

    start = seen.get(chain.id, 0)
    while start < chain.count:
        found = ledger.found(chain.id, start, min(chain.count, start + 200))
        if not found:
            break
        for one in found:
            yield {
                "ref": ref(one.author, one.chain, one.seq, one.hash),
                "origin": one.author,
                "epoch": base32(one.chain),
                "seq": one.seq,
                "hash": f"sha256:{one.hash.hex()}",
                "number": one.number,
                "audience": str(chain.audience),
                "lane": str(chain.lane),
                "bytes": len(one.header) + len(one.body),
            }
        start += len(found)
    seen[chain.id] = start
