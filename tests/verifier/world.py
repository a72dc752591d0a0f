"""A small city made of the node's signing shapes alone: root, city, county, two townships, their people and logs.

Everything is derived from a seed but the certificates' and ECDSA signatures' randomness. No disk, no process, no clock.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node import certs, entry, keys, kinds, seal
from node.certs import Subject
from node.codec import pack, unpack
from node.entry import Attachment, Audience, Body, Head, Header, Hold, Known, Lane, Opened, Opening, Statement
from node.evidence import Scroll, line
from office.documents import entries as said

NOW = dt.datetime(2026, 11, 20, 8, 0, tzinfo=dt.UTC)
AT = int(NOW.timestamp() * 1000)
ROOT = Path(__file__).resolve().parents[2]
VERIFIER = ROOT / "ops" / "yiwang-verify.py"


def bytes_of(name: str, length: int = 32) -> bytes:
    """Bytes that are always the same for a name."""
    return hashlib.sha512(name.encode()).digest()[:length]


def p256(name: str) -> ec.EllipticCurvePrivateKey:
    """The identity key of a name."""
    return ec.derive_private_key(int.from_bytes(bytes_of(name)) >> 8, ec.SECP256R1())


def ed25519(name: str) -> Ed25519PrivateKey:
    """The Ed25519 key of a name."""
    return Ed25519PrivateKey.from_private_bytes(bytes_of(name))


@dataclass
class Person:
    """Somebody (or a seal) with a key and a certificate."""

    id: str
    key: Ed25519PrivateKey
    cert: x509.Certificate
    site: Site


@dataclass
class Site:
    """A node: its identity, its certificates up to the root, and the logs it has opened."""

    name: str
    key: ec.EllipticCurvePrivateKey
    chain: list[x509.Certificate]
    city: str
    storage: seal.StorageKey
    logs: dict[Audience, Log] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Its node id."""
        return certs.node_id(self.key.public_key())

    @property
    def ders(self) -> list[bytes]:
        """Its certificates."""
        return [certs.der(c) for c in self.chain]

    def person(self, id: str, name: str, kind: str = "person", now: dt.datetime = NOW, days: int = 0) -> Person:
        """A person or seal certified here."""
        key = ed25519(f"{self.name}/{id}")
        cert = certs.issue(Subject(kind=kind, id=id, name=name), key.public_key(), self.chain[0], self.key, now, days=days)
        return Person(id, key, cert, self)

    def log(self, audience: Audience, epoch: str = "1", previous: tuple[Known, ...] = (), opened: int = AT, reader: Site | None = None) -> Log:
        """The log for an audience, opened when it is new."""
        if audience not in self.logs or epoch != "1":
            self.logs[audience] = Log(self, audience, epoch, previous, opened, reader)
        return self.logs[audience]


class Log:
    """A chain under a known epoch key."""

    def __init__(self, site: Site, audience: Audience, epoch: str, previous: tuple[Known, ...], opened: int, reader: Site | None) -> None:
        self.site, self.audience, self.epoch_key = site, audience, ed25519(f"{site.name}/epoch/{epoch}")
        self.chain_key = bytes_of(f"{site.name}/{audience}/{epoch}") if audience.node else b""
        raw = bytes_of(f"{site.name}/epoch-id/{epoch}")
        wrapped = []
        if reader is not None:
            for node, public in ((reader.id, reader.storage.public()), (site.id, site.storage.public())):
                wrapped.append((node, seal.wrap(self.chain_key, public, seal.chain_info(site.city, site.id, node, raw))))
        opening = Opening(
            version=1,
            city=site.city,
            author=site.id,
            audience=audience,
            lane=Lane.ORDINARY,
            epoch=raw,
            epoch_key=keys.raw_public(self.epoch_key.public_key()),
            reason="start",
            opened=opened,
            software="test",
            previous=previous,
            keys=tuple(wrapped),
        )
        data = pack(opening)
        self.entries: list[tuple[bytes, bytes]] = []
        self.id = b""
        self.hash = b""
        self.add(pack(Opened(data, keys.sign(site.key, entry.opening_signed(data)))))
        self.id = self.hash

    @property
    def count(self) -> int:
        """Entries so far."""
        return len(self.entries)

    def add(self, body: bytes, attachments: tuple[Attachment, ...] = ()) -> int:
        """Append a stored body; its place."""
        seq = self.count
        header = pack(Header(self.id, seq, self.hash, entry.body_digest(body), len(body), attachments))
        self.entries.append((header, body))
        self.hash = entry.header_hash(header)
        return seq

    def say(self, body: bytes, attachments: tuple[Attachment, ...] = ()) -> int:
        """Append a plain body, sealed where the audience is a node."""
        seq = self.count
        return self.add(seal.close(body, self.key(seq), seq) if self.chain_key else body, attachments)

    def key(self, seq: int) -> bytes:
        """The key of a place; empty in open logs."""
        return seal.entry_key(self.chain_key, seq) if self.chain_key else b""

    def head(self, seq: int | None = None, key: Ed25519PrivateKey | None = None) -> Head:
        """The head over an entry, the last one by default."""
        seq = self.count - 1 if seq is None else seq
        hash_ = entry.header_hash(self.entries[seq][0])
        return Head(self.id, seq, hash_, (key or self.epoch_key).sign(entry.head_signed(self.id, seq, hash_)))

    def hold(self, site: Site, at: int, seq: int | None = None) -> Hold:
        """A node's word that it holds this chain."""
        seq = self.count - 1 if seq is None else seq
        hash_ = entry.header_hash(self.entries[seq][0])
        return Hold(site.id, self.id, seq, hash_, at, keys.sign(site.key, entry.hold_signed(site.id, self.id, seq, hash_, at)))

    def known(self) -> Known:
        """What a later opening says of this chain."""
        return Known(self.id, self.count, self.hash)


def body(
    content: kinds.Content, who: Person | Site, *, record: str, city: str = "", after: tuple[bytes, ...] = (), at: int = AT, **more: Any
) -> bytes:
    """A signed body; ``more`` replaces fields of the statement."""
    site = who.site if isinstance(who, Person) else who
    cert = who.cert if isinstance(who, Person) else who.chain[0]
    data, salt = kinds.encode(content), bytes_of(f"salt/{record}/{at}", 16)
    fields = {
        "suite": keys.suite_of(who.key),
        "city": city or site.city,
        "kind": kinds.name_of(content),
        "record": record,
        "home": site.id,
        "recipients": (),
        "after": after,
        "nonce": bytes_of(f"nonce/{record}/{at}/{kinds.name_of(content)}", 16),
        "digest": entry.content_digest(salt, data),
        "signer": certs.fingerprint(cert),
        "post": "post-1",
        "at": at,
    }
    statement = pack(Statement(**(fields | more)))
    return pack(Body(statement, keys.sign(who.key, entry.statement_signed(statement)), salt, data))


def text(data: bytes) -> str:
    """Base64, as bundles hold bytes."""
    return base64.b64encode(data).decode()


replaced = msgspec.structs.replace


def statement_of(plain: bytes) -> bytes:
    """The statement id of a plain body."""
    return entry.statement_id(unpack(plain, Body).statement)


class City:
    """Root, city, county, two townships; a clerk at each."""

    def __init__(self, name: str = "city") -> None:
        root_key = p256(f"{name}/root")
        self.root = certs.issue(Subject(kind="root", id=name, name="滨州市根证书"), root_key.public_key(), None, root_key, NOW)
        self.id = certs.city_id(self.root)
        self.city = self.site(f"{name}/city", "滨州市", None, root_key, 2)
        self.county = self.site(f"{name}/county", "惠民县", self.city, self.city.key, 1)
        self.town = self.site(f"{name}/town", "石庙镇", self.county, self.county.key, 0)
        self.other = self.site(f"{name}/other", "桑落墅镇", self.county, self.county.key, 0)
        self.issuer = self.city.person("p-issuer", "张三")
        self.seal = self.city.person("s-city", "滨州市人民政府", "seal")
        self.clerk = self.town.person("p-clerk", "李四")
        self.stranger = self.other.person("p-other", "王五")

    def site(self, name: str, label: str, above: Site | None, key: ec.EllipticCurvePrivateKey, path: int) -> Site:
        """A node under another (or under the root)."""
        own = p256(name)
        issuer = above.chain[0] if above else self.root
        cert = certs.issue(Subject(kind="node", id=certs.node_id(own.public_key()), name=label), own.public_key(), issuer, key, NOW, path=path)
        return Site(name, own, [cert, *(above.chain if above else [])], self.id, seal.StorageKey(bytes_of(name + "a", 48) + bytes_of(name + "b", 48)))


ANNEX = b"".join(bytes_of(f"annex {i}", 64) for i in range(2100))
"134,400 bytes: three parts."


@dataclass
class Story:
    """A document from the city to a township and a receipt from there."""

    world: City
    down: Log
    up: Log
    plain: bytes
    receipt: bytes
    annex: said.Annex
    stored: list[bytes]
    doc: str = "0190f5b6-0000-7000-8000-000000000001"

    def bundle(self, *, blobs: bool = True) -> list[dict[str, Any]]:
        """The evidence file as records, without its last line."""
        return assemble(self.world, [self.down, self.up], blobs={self.annex.sha: self.stored} if blobs else {}, doc=self.doc)


def story(world: City | None = None) -> Story:
    """A document is sealed, sent sealed to a township with an attachment, held on the way, and signed for there."""
    w = world or City()
    key = bytes_of("annex key")
    parts = [ANNEX[i : i + seal.PART] for i in range(0, len(ANNEX), seal.PART)]
    stored = list(seal.close_blob(parts, key))
    whole = b"".join(stored)
    annex = said.Annex("附件.pdf", len(ANNEX), "application/pdf", hashlib.sha256(whole).digest(), hashlib.sha256(ANNEX).digest(), key, len(whole))
    paper = said.Paper("o-city", "notice", "关于做好今冬明春森林防火工作的通知", "各县区人民政府：\n请认真贯彻执行。", ("o-town",), annexes=(annex,))
    recipients = (said.Recipient("o-town", w.town.id, "to"),)
    bare = said.Envelope(paper, "滨政发〔2026〕12号", "滨州市人民政府", "张三", "2026-11-20", recipients)
    rendered = said.rendering_digest(bare)
    mark = said.Mark(w.seal.id, certs.fingerprint(w.seal.cert), rendered, w.seal.key.sign(said.seal_signed(rendered)))
    envelope = said.Envelope(paper, bare.number, bare.issuer, bare.signer, bare.signed_on, recipients, mark)
    doc = Story.doc
    plain = body(said.Dispatched(envelope), w.issuer, record=doc, at=AT + 1000)
    down = w.city.log(entry.to_node(w.town.id), reader=w.town)
    down.say(body(said.Submitted("x"), w.issuer, record="other", at=AT))
    down.say(plain, (Attachment(annex.sha, annex.stored),))
    down.say(body(said.Submitted("y"), w.issuer, record="other", at=AT + 1))
    received = said.SignedFor(doc, "o-town", "李四")
    receipt = body(received, w.clerk, record=said.incoming_id(doc, "o-town"), after=(statement_of(plain),), at=AT + 90_000)
    up = w.town.log(entry.to_node(w.city.id), reader=w.city)
    up.say(receipt)
    return Story(w, down, up, plain, receipt, annex, stored)


def assemble(
    world: City, logs: list[Log], *, blobs: dict[bytes, list[bytes]], doc: str = "", what: str = "evidence", only: set[int] | None = None
) -> list[dict[str, Any]]:
    """Records of a bundle showing these logs whole, with the certificates of everybody and holds of the county and the reader."""
    scroll = Scroll(
        certs.der(world.root),
        what=what,
        city=world.id,
        node=world.city.id,
        doc=doc,
        bodies="full",
        blobs=bool(blobs),
        made="2026-11-20T10:00:00+00:00",
        software="test",
    )
    lines = list(scroll.begin())
    for site in (world.city, world.county, world.town, world.other):
        lines += scroll.certificates(site.ders)
    for person in (world.issuer, world.seal, world.clerk, world.stranger):
        lines += scroll.certificates([certs.der(person.cert), *person.site.ders])
    sites = {site.id: site for site in (world.city, world.county, world.town, world.other)}
    for log in logs:
        for seq, (header, stored) in enumerate(log.entries):
            lines.append(scroll.entry(header, stored, key=log.key(seq) if seq else b""))
        lines.append(scroll.head(log.head()))
        if log.count > 1:
            lines.append(scroll.hold(log.hold(world.county, AT + 60_000 + 40_000)))
            if log.audience.node:
                lines.append(scroll.hold(log.hold(sites[log.audience.node], AT + 120_000)))
    for sha, parts in blobs.items():
        lines += scroll.blob(sha, parts)
    return [json.loads(one) for one in lines]


def sealed(records: list[dict[str, Any]]) -> bytes:
    """The file of records, with its last line made to fit."""
    return ended([line(r) for r in records])


def ended(lines: list[bytes]) -> bytes:
    """Lines with the last one that fits them."""
    return b"".join([*lines, line({"end": {"lines": len(lines), "sha256": hashlib.sha256(b"".join(lines)).hexdigest()}})])
