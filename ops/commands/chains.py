"""``yiwang log``, ``verify`` and ``evidence``: chains and proofs leave the node, and are checked without it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from node.errors import Invalid, Misconfigured
from ops.answer import Answer, Call, Lines
from ops.words import _

if TYPE_CHECKING:
    from node.client import Ledger
    from node.requests import Chain
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
    found = examined(given)
    fields = {key: value for key, value in found.items() if key not in ("v", "cmd", "node", "at", "ok")}
    return Answer(fields=fields, exit=0 if found["ok"] else 1, text=_verdict(found))


def examined(given: list[str]) -> dict[str, Any]:
    """What the stand-alone verifier answers to these arguments."""
    done = subprocess.run([sys.executable, "-I", str(VERIFIER), "--json", *given], capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode not in (0, 1):
        raise Invalid(done.stderr.strip() or f"the verifier ended with {done.returncode}", code="usage")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _verdict(found: dict[str, object]) -> str:
    problems = found.get("problems")
    if not problems:
        return _("全部成立：文字、签名、链条、回执")
    assert isinstance(problems, list)
    return "\n".join(_("不成立：{kind} {position} {detail}").format(**{"kind": "", "position": "", "detail": "", **row}) for row in problems)


@click.group(help="日志链的导出和跟踪。")
def log() -> None:
    """The family of commands."""


@log.command(help="把日志导出成凭证文件。")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="写到这个文件。")
@click.option("--origin", default="all", help="只看这个节点写的。")
@click.option("--from", "start", default="", help="从这个位置起：ORIGIN/EPOCH/SEQ。")
@click.option("--upto", "stop", default="", help="到这个位置为止。")
@click.option("--bodies", type=click.Choice(["none", "meta", "full"]), default="full", help="内容写多少。")
@click.pass_obj
def export(call: Call, out: Path, origin: str, start: str, stop: str, bodies: str) -> Answer:
    """Write logs held here as a bundle for the verifier."""
    from node import evidence as proof
    from ops import seat

    wanted = proof.Range(bodies=bodies, **_range("" if origin == "all" else origin, parsed(start), parsed(stop)))
    with seat.office(call.settings()) as office:
        office.directory.refresh()
        return Answer(fields=write_bundle(out, proof.export(office.ledger, office.directory, office.settings, wanted)))


def parsed(text: str) -> tuple[str, str, int] | None:
    """The position of a text, None of an empty one."""
    parts = text.partition("@")[0].split("/")
    if not text:
        return None
    if len(parts) != 3 or not parts[2].isdigit():
        raise Misconfigured(f"{text[:100]!r} is no position", hint="ORIGIN/EPOCH/SEQ", code="usage")
    return parts[0], parts[1], int(parts[2])


def _range(origin: str, start: tuple[str, str, int] | None, stop: tuple[str, str, int] | None) -> dict[str, Any]:
    """The range between two positions of one chain, both included."""
    ends = [end for end in (start, stop) if end]
    if len({end[:2] for end in ends}) > 1 or (origin and ends and ends[0][0] != origin):
        raise Misconfigured("--from and --upto are positions in one chain of --origin", code="usage")
    found: dict[str, Any] = {"origin": ends[0][0], "chain": ends[0][1]} if ends else {"origin": origin}
    return found | ({"start": start[2]} if start else {}) | ({"stop": stop[2] + 1} if stop else {})


def write_bundle(out: Path, lines: Iterator[bytes]) -> dict[str, Any]:
    """Write a bundle under its name only once it is whole; what it holds."""
    total, counts = hashlib.sha256(), {"header": 0, "head": 0}
    part = out.with_name(out.name + ".part")
    try:
        with part.open("wb") as sink:
            for line in lines:
                total.update(line)
                sink.write(line)
                counts.update({kind: counts[kind] + 1 for kind in counts if kind in json.loads(line)})
        part.replace(out)
    except OSError as e:
        raise Invalid(f"cannot write {out}: {e.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
    return {"file": str(out), "entries": counts["header"], "heads": counts["head"], "bytes": out.stat().st_size, "sha256": total.hexdigest()}


@click.group(help="导出凭证文件")
def evidence() -> None:
    """The family of commands."""


@evidence.command("export", help="把一件公文和它的全部回执导出成一个凭证文件，任何人可以离线验证。")
@click.option("--doc", "ident", required=True, help="公文编号。")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="写到这个文件。")
@click.option("--no-attachments", is_flag=True, help="不带附件。")
@click.pass_obj
def evidence_export(call: Call, ident: str, out: Path, no_attachments: bool) -> Answer:
    """Write the evidence file of a document that this node sent or got."""
    from node import evidence as proof
    from office.documents import service
    from ops import seat

    with seat.office(call.settings()) as office:
        shown = [id for id, _place in service.statements(seat.operator(office), ident)]
        lines = proof.evidence(office.ledger, office.directory, office.settings, shown, doc=ident, attachments=not no_attachments)
        return Answer(fields={"doc": ident} | write_bundle(out, lines))


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
