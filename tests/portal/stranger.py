"""A client that somebody else might write: it knows docs/format.md, docs/http.md and ``cryptography``, and nothing of the product."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

STATEMENT = ("suite", "city", "kind", "record", "home", "recipients", "after", "nonce", "digest", "signer", "post", "at")


def packed(value: Any) -> bytes:
    """Texts, bytes and arrays as docs/format.md, part 1, writes them; short ones only."""
    if isinstance(value, (list, tuple)):
        return bytes([0x90 + len(value)]) + b"".join(map(packed, value))
    data = value.encode() if isinstance(value, str) else value
    if isinstance(value, str) and len(data) < 32:
        return bytes([0xA0 + len(data)]) + data
    assert len(data) < 256
    return bytes([0xD9 if isinstance(value, str) else 0xC4, len(data)]) + data


def read(data: bytes, at: int = 0) -> tuple[Any, int]:
    """(value, where it ends) of packed bytes."""
    first = data[at]
    if first < 0x80:
        return first, at + 1
    if first in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[first], at + 1
    if 0xCC <= first <= 0xCF:
        size = 1 << (first - 0xCC)
        return int.from_bytes(data[at + 1 : at + 1 + size], "big"), at + 1 + size
    long = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4, 0xDC: 2, 0xDD: 4}.get(first, 0)
    small = first & (0x1F if 0xA0 <= first < 0xC0 else 0x0F)
    count = int.from_bytes(data[at + 1 : at + 1 + long], "big") if long else small
    at += 1 + long
    if first in (0xDC, 0xDD) or 0x90 <= first < 0xA0:
        found = []
        for _each in range(count):
            value, at = read(data, at)
            found.append(value)
        return found, at
    raw = data[at : at + count]
    return raw.decode() if first in (0xD9, 0xDA, 0xDB) or 0xA0 <= first < 0xC0 else raw, at + count


@dataclass
class Stranger:
    """Somebody with a key file, at one portal."""

    port: int
    root: Path
    user: str
    keyfile: bytes
    cookie: str = ""
    csrf: str = ""
    wary: Any = None
    "What looks at each statement and content before they are signed."
    signed: list[str] = field(default_factory=list)
    "Kinds that were signed."

    def __post_init__(self) -> None:
        key = serialization.load_pem_private_key(self.keyfile, None)
        assert isinstance(key, Ed25519PrivateKey)
        self.key = key
        self.fingerprint = hashlib.sha256(x509.load_pem_x509_certificate(self.keyfile).public_bytes(serialization.Encoding.DER)).digest()

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """One request."""
        line = http.client.HTTPSConnection("127.0.0.1", self.port, context=ssl.create_default_context(cafile=str(self.root)), timeout=60)
        sent = {"Cookie": self.cookie, "X-CSRF-Token": self.csrf} | {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if body is not None and "Content-Type" not in sent:
            sent["Content-Type"] = "application/json"
        line.request(method, path, data, sent)
        answer = line.getresponse()
        for value in answer.headers.get_all("Set-Cookie", []):
            self.cookie = value.partition(";")[0]
        found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        line.close()
        return found

    def json(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """(status, what it says) of one request."""
        status, _headers, said = self.ask(method, path, body, **headers)
        return status, json.loads(said) if said else None

    def enter(self) -> int:
        """Sign in by answering the challenge."""
        _status, asked = self.json("GET", "/api/v1/session")
        signature = self.key.sign(b"yiwang.sign.session.1\0" + packed([asked["node"], self.user, asked["nonce"]]))
        proof = {"user": self.user, "nonce": asked["nonce"], "signature": base64.b64encode(signature).decode()}
        status, said = self.json("POST", "/api/v1/session", proof)
        self.csrf = said.get("csrf", "")
        return status

    def act(self, path: str, body: Any, key: str) -> tuple[int, Any]:
        """Post, sign what comes back to be signed, and post the same again, until it is done or refused for another reason."""
        headers = {"Idempotency-Key": key}
        for _turn in range(5):
            status, said = self.json("POST", path, body, **headers)
            if said.get("code") != "unsigned":
                return status, said
            headers["Yiwang-Signed"] = " ".join([said["ticket"], *map(self.sign, said["sign"])])
        raise AssertionError("it never ends")

    def sign(self, one: dict[str, str]) -> str:
        """The signature of a statement, after looking at what it says."""
        statement, salt, content = (base64.b64decode(one[name]) for name in ("statement", "salt", "content"))
        fields, end = read(statement)
        said = dict(zip(STATEMENT, fields, strict=True))
        assert end == len(statement) and said["kind"] == one["kind"] and said["suite"] == "ed25519" and said["signer"] == self.fingerprint
        assert said["digest"] == hashlib.sha256(b"yiwang.content.1\0" + salt + content).digest() and len(salt) == 16
        if self.wary:
            self.wary(said, read(content)[0])
        self.signed.append(said["kind"])
        return base64.urlsafe_b64encode(self.key.sign(b"yiwang.sign.statement.1\0" + statement)).decode()
