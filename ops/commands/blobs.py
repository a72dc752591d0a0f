"""``yiwang blob``: attachments as stored bytes, by their hash."""

from __future__ import annotations

from pathlib import Path

import click

from node.blobs import Blobs
from node.errors import Forged, Misconfigured, Missing, Unreachable
from ops.answer import Answer, Call


@click.group(help="附件。")
def blob() -> None:
    """The family of commands."""


def _sha(text: str) -> bytes:
    bare = text.removeprefix("sha256:")
    try:
        sha = bytes.fromhex(bare)
    except ValueError:
        sha = b""
    if len(sha) != 32:
        raise Misconfigured(f"{text[:80]!r} is no SHA-256", code="usage")
    return sha


@blob.command(help="把一个文件存入本节点。")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_obj
def put(call: Call, file: Path) -> Answer:
    """Store a file as it is; the same file again is the same blob."""
    try:
        with file.open("rb") as stream:
            sha, size = Blobs(call.settings()).put(stream)
    except OSError as e:
        raise Misconfigured(f"cannot read {file}: {e.strerror}", code="usage") from None
    return Answer(fields={"sha": sha.hex(), "bytes": size})


@blob.command(help="取出一个附件；中断以后接着取。")
@click.argument("sha")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="写到这个文件。")
@click.pass_obj
def get(call: Call, sha: str, out: Path) -> Answer:
    """Write the stored bytes of a whole blob, under their name only once all of them were right."""
    name, blobs = _sha(sha), Blobs(call.settings())
    if not blobs.has(name):
        _absent(call, name)
    part = out.with_name(out.name + ".part")
    try:
        with part.open("wb") as sink:
            for data in blobs.open(name):
                sink.write(data)
        part.replace(out)
    except OSError as e:
        raise Misconfigured(f"cannot write {out}: {e.strerror}", code="usage") from None
    finally:
        part.unlink(missing_ok=True)
    return Answer(fields={"sha": name.hex(), "bytes": out.stat().st_size, "file": str(out)})


def _absent(call: Call, name: bytes) -> None:
    from node.client import Ledger

    with Ledger(call.settings(), timeout=5.0) as ledger:
        wanted = any(one.sha == name for one in ledger.wanted())
    if wanted:
        raise Unreachable("this attachment is still on its way", code="partial")
    raise Missing("no such attachment here")


@blob.command(help="一个附件到了多少，对不对。")
@click.argument("sha")
@click.pass_obj
def stat(call: Call, sha: str) -> Answer:
    """How much of a blob is here, and whether its bytes are right."""
    from node.client import Ledger

    name, blobs = _sha(sha), Blobs(call.settings())
    if blobs.has(name):
        size = blobs.size(name)
        return Answer(fields={"sha": name.hex(), "bytes": size, "have": [[0, size]], "verified": _verified(blobs, name)})
    with Ledger(call.settings(), timeout=5.0) as ledger:
        for one in ledger.wanted():
            if one.sha == name:
                held = blobs.have(name, one.size)
                return Answer(fields={"sha": name.hex(), "bytes": one.size, "have": [[0, held]] if held else [], "verified": False})
    raise Missing("no such attachment here, and none is expected")


def _verified(blobs: Blobs, name: bytes) -> bool:
    try:
        for _part in blobs.open(name):
            pass
    except Forged:
        return False
    return True
