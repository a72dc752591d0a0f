"""Signing whatever one is given, at any place and time: what somebody with a stolen key could do, for those who test that it is refused.

Nothing here is checked. What a shape leaves out is filled in as an honest node would (digests, sizes, suite, random nonces, the
present moment); what it says is taken as it stands, wrong or right.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from node import certs, clock, codec, entry, keys
from node.errors import Invalid
from ops import notation

Given = Mapping[str, Any]


def key(path: Path) -> keys.PrivateKey:
    """The private key of a PEM file, whoever may read it."""
    try:
        return keys.from_pem(path.read_bytes())
    except OSError as e:
        raise Invalid(f"cannot read {path}: {e.strerror}", code="usage") from None


def sign(signer: keys.PrivateKey, given: Given, *, fingerprint: bytes = b"", raw: bool = False) -> dict[str, bytes]:
    """What comes of signing a notation, by name: ``entry`` (header and body), ``hash`` and the like; ``signed`` is the whole.

    An ``opening`` becomes entry 0 of its chain; an ``entry`` (header; statement, content) an entry at its place; ``statement``, ``head``
    and ``hold`` are signed alone.
    """
    shape = given.get("$")
    if shape == "opening":
        return _opening(signer, given, raw)
    if shape == "entry":
        return _entry(signer, given, fingerprint, raw)
    if shape == "statement":
        statement = _statement(signer, given, fingerprint, b"", raw)
        return {"signed": statement, "signature": keys.sign(signer, entry.statement_signed(statement)), "id": entry.statement_id(statement)}
    if shape in ("head", "hold"):
        return _word(signer, given, raw)
    raise Invalid(f"{shape!r} cannot be signed", hint="opening, entry, statement, head, hold", code="notation")


def _opening(signer: keys.PrivateKey, given: Given, raw: bool) -> dict[str, bytes]:
    made = {"version": entry.VERSION, "reason": "start", "opened": clock.ms(), "software": "", "previous": [], "epoch": _hex(secrets.token_bytes(32))}
    opening = notation.write(made | dict(given), raw=raw)
    body = codec.pack((opening, keys.sign(signer, entry.opening_signed(opening))))
    return _placed({"chain": _hex(b""), "seq": 0, "prev": _hex(b"")}, body, raw)


def _entry(signer: keys.PrivateKey, given: Given, fingerprint: bytes, raw: bool) -> dict[str, bytes]:
    inside = given.get("body")
    if not isinstance(inside, Mapping) or "statement" not in inside:
        raise Invalid("an entry to be signed has a header and a body with statement and content", code="notation")
    salt = notation.bytes_of(inside["salt"]) if "salt" in inside else secrets.token_bytes(16)
    plain = notation.bytes_of(inside.get("content", _hex(b"")), raw=raw)
    statement = _statement(signer, inside["statement"], fingerprint, entry.content_digest(salt, plain), raw)
    body = codec.pack((statement, keys.sign(signer, entry.statement_signed(statement)), salt, plain))
    return _placed(given.get("header", {}), body, raw) | {"id": entry.statement_id(statement)}


def _statement(signer: keys.PrivateKey, given: Given, fingerprint: bytes, digest: bytes, raw: bool) -> bytes:
    made = {"suite": keys.suite_of(signer), "recipients": [], "after": [], "nonce": _hex(secrets.token_bytes(16)), "post": "", "at": clock.ms()}
    made |= {"digest": _hex(digest or bytes(32)), "signer": _hex(fingerprint or bytes(32))}
    return notation.write(made | dict(given) | {"$": "statement"}, raw=raw)


def _placed(header: Given, body: bytes, raw: bool) -> dict[str, bytes]:
    made = {"digest": _hex(entry.body_digest(body)), "size": len(body), "attachments": []}
    packed = notation.write(made | dict(header) | {"$": "header"}, raw=raw)
    return {"signed": codec.pack((packed, body)), "header": packed, "body": body, "hash": entry.header_hash(packed)}


def _word(signer: keys.PrivateKey, given: Given, raw: bool) -> dict[str, bytes]:
    said = {"at": clock.ms()} | dict(given) if given["$"] == "hold" else dict(given)
    shape = entry.Hold if given["$"] == "hold" else entry.Head
    bare = codec.unpack(notation.write(said | {"signature": _hex(b"")}, raw=raw), shape)
    fields = [getattr(bare, name) for name in shape.__struct_fields__[:-1]]
    data = entry.hold_signed(*fields) if shape is entry.Hold else entry.head_signed(*fields)
    signature = keys.sign(signer, data)
    return {"signed": codec.pack((*fields, signature)), "signature": signature}


def _hex(data: bytes) -> dict[str, str]:
    return {"$hex": data.hex()}


def certify(issuer: ec.EllipticCurvePrivateKey, request: x509.CertificateSigningRequest, given: Given) -> x509.Certificate:
    """A certificate for the key of a request, with whatever is told.

    ``given``: kind, id, name, code; issuer (PEM of its certificate); not_before, not_after (milliseconds since 1970); ca, path,
    serial, key_cert_sign, critical (an object identifier to add as a critical extension).
    """
    above = certs.load(str(given["issuer"]).encode()) if given.get("issuer") else None
    public = request.public_key()
    about = _about(request, given)
    ca, path = bool(given.get("ca", about.kind == "node")), given.get("path")
    builder = (
        x509.CertificateBuilder()
        .subject_name(certs.name_of(about))
        .issuer_name(above.subject if above else certs.name_of(about))
        .public_key(public)
        .serial_number(int(given.get("serial", x509.random_serial_number())))
        .not_valid_before(clock.from_ms(int(given.get("not_before", clock.ms() - 86_400_000))))
        .not_valid_after(clock.from_ms(int(given.get("not_after", clock.ms() + 365 * 86_400_000))))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=path if ca else None), critical=True)
        .add_extension(_usage(bool(given.get("key_cert_sign", ca))), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False)
    )
    if strange := given.get("critical"):
        builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(str(strange)), b"\x05\x00"), critical=True)
    return builder.sign(issuer, hashes.SHA256())


def _about(request: x509.CertificateSigningRequest, given: Given) -> certs.Subject:
    asked = certs.subject_of(request.subject)
    public = request.public_key()
    own = certs.node_id(public) if isinstance(public, ec.EllipticCurvePublicKey) else asked.id
    told = {name: str(given.get(name, getattr(asked, name))) for name in ("kind", "name", "code")}
    return certs.Subject(id=str(given.get("id", asked.id or own)), **told)


def _usage(signs: bool) -> x509.KeyUsage:
    never = dict.fromkeys(("key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"), False)
    return x509.KeyUsage(digital_signature=True, content_commitment=not signs, key_cert_sign=signs, crl_sign=signs, **never)


def request(path: Path) -> x509.CertificateSigningRequest:
    """The certificate request of a PEM file."""
    try:
        return x509.load_pem_x509_csr(path.read_bytes())
    except (OSError, ValueError) as e:
        raise Invalid(f"{path} is no certificate request: {e}", code="usage") from None


def text(cert: x509.Certificate) -> str:
    """A certificate as PEM."""
    return cert.public_bytes(serialization.Encoding.PEM).decode()
