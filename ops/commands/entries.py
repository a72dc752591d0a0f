"""``yiwang entry`` and ``yiwang cert``: entries and certificates as anybody could make them, honest or not; no node is needed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from cryptography.hazmat.primitives.asymmetric import ec

from node import certs
from node.codec import base32
from node.errors import Invalid
from ops import forge, notation
from ops.answer import Answer

IN = click.Path(dir_okay=False, allow_dash=True)
OUT = click.Path(dir_okay=False, path_type=Path)


@click.group(help="日志条目的字节和 JSON。")
def entry() -> None:
    """The family of commands."""


def data(source: str) -> bytes:
    """The bytes of a file, or of standard input for ``-``."""
    try:
        return sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as e:
        raise Invalid(f"cannot read {source}: {e.strerror}", code="usage") from None


def given(source: str) -> dict[str, Any]:
    """A notation out of a JSON file; what ``entry decode`` printed is one too."""
    try:
        found = json.loads(data(source))
    except (ValueError, RecursionError) as e:
        raise Invalid(f"{source} is no JSON: {e}", code="notation") from None
    if not isinstance(found, dict):
        raise Invalid(f"{source} holds no object", code="notation")
    return dict(found["value"]) if "value" in found and "cmd" in found else found


def out(path: Path | None, made: bytes) -> None:
    """Write bytes to a file, where one was named."""
    if path is not None:
        try:
            path.write_bytes(made)
        except OSError as e:
            raise Invalid(f"cannot write {path}: {e.strerror}", code="usage") from None


@entry.command(help="把字节解成 JSON。")
@click.argument("source", type=IN)
@click.option("--shape", default="", help="按这种结构解；不写则自行辨认。")
@click.option("--hex", "as_hex", is_flag=True, help="文件里是十六进制文字。")
def decode(source: str, shape: str, as_hex: bool) -> Answer:
    """Canonical bytes as JSON; exit 4 for bytes that are not."""
    raw = data(source)
    try:
        found, value = notation.read(bytes.fromhex(raw.decode("ascii")) if as_hex else raw, shape)
    except ValueError as e:
        raise Invalid(f"{source} is no hexadecimal text: {e}", code="usage") from None
    return Answer(fields={"shape": found, "bytes": len(raw), "value": value}, text=json.dumps(value, ensure_ascii=False, indent=1))


@entry.command(help="把 JSON 编成字节。")
@click.argument("source", type=IN)
@click.option("--raw-order", is_flag=True, help="照给定的次序和字节，不求规范。")
@click.option("--out", "path", type=OUT, help="写到这个文件。")
def encode(source: str, raw_order: bool, path: Path | None) -> Answer:
    """The bytes of a notation."""
    made = notation.write(given(source), raw=raw_order)
    out(path, made)
    return Answer(fields={"bytes": len(made), "hex": made.hex()}, text=made.hex())


@entry.command(help="用给定的钥匙签任何内容、位置和时间。")
@click.option("--key", type=OUT, required=True, help="私钥（PEM）。")
@click.option("--in", "source", type=IN, required=True, help="要签的 JSON。")
@click.option("--cert", "certificate", type=OUT, help="签署人的证书，语句里写它的指纹。")
@click.option("--raw-order", is_flag=True, help="照给定的次序和字节，不求规范。")
@click.option("--out", "path", type=OUT, help="写到这个文件。")
def sign(key: Path, source: str, certificate: Path | None, raw_order: bool, path: Path | None) -> Answer:
    """Sign an opening, an entry, a statement, a head or a hold."""
    own = certs.load_chain(data(str(certificate)))[0] if certificate else None
    made = forge.sign(forge.key(key), given(source), fingerprint=certs.fingerprint(own) if own else b"", raw=raw_order)
    out(path, made["signed"])
    fields: dict[str, Any] = {name: value.hex() for name, value in made.items() if name != "signed"}
    if "hash" in made:
        fields["epoch"] = base32(made["hash"])
    return Answer(fields={"hex": made["signed"].hex(), "bytes": len(made["signed"]), **fields})


@click.group(help="按给定内容签发证书。")
def cert() -> None:
    """The family of commands."""


@cert.command(help="签发任何证书，越权的也签。")
@click.option("--key", type=OUT, required=True, help="签发人的私钥（PEM）。")
@click.option("--csr", type=OUT, required=True, help="证书申请（PEM）。")
@click.option("--set", "told", default="{}", help='JSON，如 {"kind":"node","path":0,"code":"371623"}。')
@click.option("--issuer", type=OUT, help="签发人的证书（PEM）；没有则自签。")
@click.option("--out", "path", type=OUT, help="写到这个文件。")
def issue(key: Path, csr: Path, told: str, issuer: Path | None, path: Path | None) -> Answer:
    """Sign a certificate with whatever scope is told."""
    signer = forge.key(key)
    if not isinstance(signer, ec.EllipticCurvePrivateKey):
        raise Invalid("certificates are signed by P-256 keys", code="usage")
    above = {"issuer": data(str(issuer)).decode()} if issuer else {}
    try:
        made = forge.certify(signer, forge.request(csr), json.loads(told) | above)
    except (ValueError, TypeError, AttributeError, OverflowError) as e:
        raise Invalid(f"--set: {e}", code="usage") from None
    out(path, forge.text(made).encode())
    about = certs.subject(made)
    return Answer(
        fields={"fpr": f"sha256:{certs.fingerprint(made).hex()}", "subject": about.name, "kind": about.kind, "id": about.id, "pem": forge.text(made)}
    )
