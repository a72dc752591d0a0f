"""Evidence: documents and logs leave the node as bundles that can be checked without it (``docs/format.md``, part 9).

A bundle is a file of JSON lines: a first line that says what it is, the city root, certificates before they are needed, then
entries with heads and range statements, blobs, and a last line with a hash over all before. An entry stands with the headers that
lead from it to a signed head, so one document can be shown out of a chain without showing the chain. Of a sealed log only the
keys of the entries shown are disclosed.

:class:`Scroll` writes lines and knows nothing of a ledger; :func:`evidence` and :func:`export` ask the ledger for what to write.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from node import certs, clock, identity, seal
from node.blobs import Blobs
from node.client import Ledger
from node.codec import base32, check, pack, unpack
from node.directory import entries as directory_said
from node.directory.view import Directory
from node.entry import Attachment, Body, Head, Header, Hold, Lane, Scope, Statement, header_hash
from node.errors import Invalid, Missing, NodeError
from node.requests import Chain
from node.settings import Settings

SOFTWARE = "yiwang 0.1.0"
NEAR = 64
"Headers up to the next head, beyond which the name of an organ or post is not worth showing."
PLACES = 2000
"Headers shown for the sake of one range statement, at most."
BODIES = ("none", "meta", "full")


def line(record: dict[str, Any]) -> bytes:
    """The one form of a line: JSON with sorted keys, no spaces, UTF-8."""
    return json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


class Scroll:
    """Writes the lines of one bundle; every certificate once, superiors first."""

    def __init__(self, root: bytes, **first: Any) -> None:
        """``root`` is the city root in DER; ``first`` the fields of the first line: what, city, node, doc, bodies, blobs, made, software."""
        self._sum, self._count, self._known = hashlib.sha256(), 0, {root}
        self.entries = self.heads = 0
        self._start = [{"yiwang": "bundle", "v": 1, **first}, {"root": _text(root)}]

    def _line(self, record: dict[str, Any]) -> bytes:
        data = line(record)
        self._sum.update(data)
        self._count += 1
        return data

    def begin(self) -> Iterator[bytes]:
        """The first lines."""
        yield from map(self._line, self._start)

    def certificates(self, chain: Sequence[bytes]) -> Iterator[bytes]:
        """A certificate and those above it (DER, leaf first), as far as they are not yet written."""
        for der in reversed(chain):
            if der not in self._known:
                self._known.add(der)
                yield self._line({"cert": _text(der)})

    def entry(self, header: bytes, body: bytes | None = None, *, key: bytes = b"", statement: tuple[bytes, bytes] | None = None) -> bytes:
        """An entry: its header alone, with its stored body (and the key that opens it), or with its (statement, signature)."""
        self.entries += 1
        record = {"header": _text(header)}
        if body is not None:
            record["body"] = _text(body)
        if key:
            record["key"] = _text(key)
        if statement is not None:
            record["statement"], record["signature"] = map(_text, statement)
        return self._line(record)

    def head(self, head: Head) -> bytes:
        """A head over an entry already written."""
        self.heads += 1
        return self._line({"head": _text(pack(head))})

    def hold(self, hold: Hold) -> bytes:
        """A range statement about an entry already written."""
        return self._line({"hold": _text(pack(hold))})

    def blob(self, sha: bytes, parts: Iterable[bytes]) -> Iterator[bytes]:
        """A blob in parts of :data:`node.seal.PART` + 16 bytes but the last."""
        at = 0
        for part in parts:
            yield self._line({"blob": _text(sha), "at": at, "data": _text(part)})
            at += len(part)

    def end(self) -> bytes:
        """The last line."""
        return line({"end": {"lines": self._count, "sha256": self._sum.hexdigest()}})


@dataclass
class Strand:
    """What is shown of one chain."""

    id: bytes
    author: str
    sealed: bool
    wanted: set[int] = field(default_factory=set)
    "Entries whose bodies are shown."
    headers: dict[int, bytes] = field(default_factory=dict)
    bodies: dict[int, bytes] = field(default_factory=dict)
    heads: dict[int, Head] = field(default_factory=dict)
    holds: dict[tuple[str, int], Hold] = field(default_factory=dict)


class Gathering:
    """Collects what one bundle shows."""

    def __init__(self, ledger: Ledger, directory: Directory, settings: Settings) -> None:
        self.ledger, self.directory, self.settings = ledger, directory, settings
        self.root = identity.root_of(settings)
        self._own = tuple(map(certs.der, identity.own_chain(settings)))
        self.strands: dict[bytes, Strand] = {}
        self.certs: dict[bytes, tuple[bytes, ...]] = {}
        self.attachments: dict[bytes, Attachment] = {}
        self._named: set[str] = set()

    def node(self, id: str) -> tuple[bytes, ...]:
        """The certificates of a node, its own first; empty when it is not known."""
        if id == self.settings.id:
            return self._own
        found = self.directory.node(id)
        return found.chain if found is not None else ()

    def signer(self, fingerprint: bytes) -> tuple[bytes, ...]:
        """A signer's certificate and those above it; empty when it is not known."""
        if fingerprint not in self.certs:
            found = self.directory.signer(fingerprint)
            if found is None:
                chain = self._own if fingerprint == hashlib.sha256(self._own[0]).digest() else ()
            else:
                own = certs.der(found.certificate)
                chain = (own, *self.node(found.node)) if found.kind != "node" else (own, *self.node(found.id)[1:])
            self.certs[fingerprint] = chain
        return self.certs[fingerprint]

    def statement(self, id: bytes, *, optional: bool = False) -> bool:
        """Show a statement at every place it has here; an optional one only where it stands near a head. False when it is not here."""
        places = self.ledger.places(id)
        for place in places[:1] if optional else places:
            self.entry(place.chain, place.author, place.seq, sealed=place.audience.scope is Scope.NODE, optional=optional)
        return bool(places)

    def entry(self, chain: bytes, author: str, seq: int, *, sealed: bool, optional: bool = False) -> None:
        """Show one entry, with the headers up to the next head and to the first word of everyone who held it."""
        strand = self.strands.get(chain)
        if strand is not None and seq in strand.wanted:
            return
        batch = self.ledger.read(chain, seq, 1)
        if batch is None or (optional and len(batch.entries) > NEAR):
            return
        if strand is None:
            strand = self.strands[chain] = Strand(chain, author, sealed)
            opening = self.ledger.found(chain, 0, 1)[0]
            strand.headers[0], strand.bodies[0] = opening.header, opening.body
        strand.wanted.add(seq)
        strand.headers.update({batch.start + i: header for i, (header, _) in enumerate(batch.entries)})
        strand.bodies[seq] = batch.entries[0][1]
        strand.heads[batch.head.seq] = batch.head
        if not optional:
            self._holds(strand, seq)
            self._opened(strand, seq)

    def _holds(self, strand: Strand, seq: int) -> None:
        for hold in self.ledger.hold_for(strand.id, seq):
            if hold.seq - seq > PLACES:
                continue
            self._reach(strand, seq, hold.seq)
            strand.holds[hold.holder, hold.seq] = hold

    def _reach(self, strand: Strand, start: int, stop: int) -> None:
        """Headers from ``start`` to the first head at or after ``stop``."""
        missing = [seq for seq in range(start, stop + 1) if seq not in strand.headers]
        while missing:
            found = self.ledger.found(strand.id, missing[0], missing[-1] + 1)
            if not found:
                return
            strand.headers.update({f.seq: f.header for f in found})
            missing = [seq for seq in missing if seq > found[-1].seq]
        if any(head >= stop and all(seq in strand.headers for seq in range(stop, head + 1)) for head in strand.heads):
            return
        batch = self.ledger.read(strand.id, stop, 1)
        if batch is not None:
            strand.headers.update({batch.start + i: header for i, (header, _) in enumerate(batch.entries)})
            strand.heads[batch.head.seq] = batch.head

    def _opened(self, strand: Strand, seq: int) -> None:
        """What an entry that is shown makes worth showing: certificates, names, revocations, attachments."""
        body = unpack(self.ledger.body(strand.id, seq), Body)
        statement = unpack(body.statement, Statement)
        self.signer(statement.signer)
        self._name(directory_said.Post, statement.post)
        self._look(check(body.content))
        for attachment in unpack(strand.headers[seq], Header).attachments:
            self.attachments[attachment.sha] = attachment

    def _look(self, value: Any) -> None:
        """Find fingerprints of certificates and ids of organs anywhere in a content."""
        if isinstance(value, list):
            for one in value:
                self._look(one)
        elif isinstance(value, bytes) and len(value) == 32:
            self.signer(value)
        elif isinstance(value, str) and 0 < len(value) <= 64:
            self._name(directory_said.Organ, value)

    def _name(self, cls: Any, id: str) -> None:
        if not id or id in self._named:
            return
        self._named.add(id)
        found = self.directory.record(cls, id)
        if found is not None:
            self.statement(found.said, optional=True)

    def revocations(self) -> None:
        """Show every revocation of a certificate that the bundle needs."""
        needed = {fingerprint for fingerprint, chain in self.certs.items() if chain}
        needed |= {hashlib.sha256(der).digest() for strand in self.strands.values() for der in self.node(strand.author)}
        if not any(self.directory.signer(f) is None or self.directory.signer(f).revoked for f in needed):  # type: ignore[union-attr]
            return
        for chain in self.ledger.chains():
            if chain.lane is Lane.TRUST and chain.audience.scope is Scope.ALL:
                for seq in _revoking(self.ledger, chain, needed):
                    self.entry(chain.id, chain.author, seq, sealed=False)

    def lines(self, scroll: Scroll, blobs: Blobs | None) -> Iterator[bytes]:
        """The bundle of what was gathered; ``blobs`` None leaves the attachments out."""
        yield from scroll.begin()
        for strand in self.strands.values():
            yield from scroll.certificates(self.node(strand.author))
            for holder, _ in strand.holds:
                yield from scroll.certificates(self.node(holder))
        for chain in self.certs.values():
            yield from scroll.certificates(chain)
        for strand in self.strands.values():
            yield from self._strand(scroll, strand)
        for attachment in self.attachments.values() if blobs is not None else ():
            assert blobs is not None
            yield from scroll.blob(attachment.sha, _parts(blobs, attachment))

    def _strand(self, scroll: Scroll, strand: Strand) -> Iterator[bytes]:
        for seq in sorted(strand.headers):
            shown = seq in strand.wanted or not seq
            key = self.ledger.disclose(strand.id, seq) if strand.sealed and shown and seq else b""
            yield scroll.entry(strand.headers[seq], strand.bodies[seq] if shown else None, key=key)
            if seq in strand.heads:
                yield scroll.head(strand.heads[seq])
        yield from map(scroll.hold, (strand.holds[k] for k in sorted(strand.holds, key=lambda k: (k[1], k[0]))))


def _revoking(ledger: Ledger, chain: Chain, needed: set[bytes]) -> Iterator[int]:
    """Places in an open trust chain that revoke one of these certificates."""
    for start in range(1, chain.count, 500):
        for found in ledger.found(chain.id, start, min(chain.count, start + 500)):
            body = unpack(found.body, Body)
            if unpack(body.statement, Statement).kind == "directory.revoked" and check(body.content)[0] in needed:
                yield found.seq


def _parts(blobs: Blobs, attachment: Attachment) -> Iterator[bytes]:
    step = seal.PART + 16
    for at in range(0, attachment.size, step):
        yield blobs.read(attachment.sha, at, min(step, attachment.size - at))


def _first(settings: Settings, what: str, **more: Any) -> dict[str, Any]:
    made = clock.now().isoformat(timespec="seconds")
    return {"what": what, "city": settings.city, "node": settings.id, "made": made, "software": SOFTWARE, **more}


def evidence(
    ledger: Ledger, directory: Directory, settings: Settings, statements: Sequence[bytes], *, doc: str = "", attachments: bool = True
) -> Iterator[bytes]:
    """The evidence file of a document: the lines that show these statements (its envelopes and receipts) and all that proves them.

    The caller has checked that the asker may see them. :class:`Missing` when none of them stands here.
    """
    gathering = Gathering(ledger, directory, settings)
    if not sum([gathering.statement(id) for id in statements]):
        raise Missing("the document is not here")
    gathering.revocations()
    blobs = Blobs(settings)
    whole = attachments and all(blobs.has(sha) for sha in gathering.attachments)
    scroll = Scroll(certs.der(gathering.root), **_first(settings, "evidence", doc=doc, bodies="full", blobs=whole))
    yield from gathering.lines(scroll, blobs if whole else None)
    yield scroll.end()


@dataclass(frozen=True, kw_only=True)
class Range:
    """Which entries of which logs an export shows."""

    origin: str = ""
    "Author's id; empty for all."
    chain: str = ""
    "Chain's id in base32, when only one is meant."
    scope: str = ""
    "Scope of the logs, when only those of one are meant."
    start: int = 0
    stop: int = 2**62
    "First entry that is not shown any more."
    bodies: str = "full"


def export(ledger: Ledger, directory: Directory, settings: Settings, wanted: Range) -> Iterator[bytes]:
    """Logs as a bundle, one chain after the other; sealed bodies are shown with their keys where this node may read them."""
    if wanted.bodies not in BODIES:
        raise Invalid(f"bodies are {', '.join(BODIES)}")
    gathering = Gathering(ledger, directory, settings)
    scroll = Scroll(certs.der(gathering.root), **_first(settings, "log", doc="", bodies=wanted.bodies, blobs=False))
    yield from scroll.begin()
    chains = [c for c in ledger.chains() if wanted.origin in ("", c.author) and wanted.chain in ("", base32(c.id))]
    chains = [c for c in chains if wanted.scope in ("", str(c.audience.scope))]
    for chain in sorted(chains, key=lambda c: (c.author, str(c.lane), str(c.audience), c.opened, c.id)):
        yield from _chain(gathering, scroll, chain, wanted)
    yield scroll.end()


def _chain(gathering: Gathering, scroll: Scroll, chain: Chain, wanted: Range) -> Iterator[bytes]:
    ledger = gathering.ledger
    yield from scroll.certificates(gathering.node(chain.author))
    hashes: dict[int, bytes] = {}
    holds: dict[tuple[str, int], Hold] = {}
    if wanted.start > 0:
        opening = ledger.found(chain.id, 0, 1)[0]
        yield scroll.entry(opening.header, opening.body)
    start, stop = wanted.start, min(wanted.stop, chain.count)
    while start < stop:
        batch = ledger.read(chain.id, start, 512 * 1024)
        if batch is None:
            break
        for seq, (header, body) in enumerate(batch.entries, start):
            hashes[seq] = header_hash(header)
            yield from _entry(gathering, scroll, chain, seq, header, body, wanted.bodies if seq < stop else "none")
        yield scroll.head(batch.head)
        for hold in (*ledger.hold_for(chain.id, start), *ledger.hold_for(chain.id, batch.head.seq)):
            holds[hold.holder, hold.seq] = hold
        start = batch.head.seq + 1
    for (holder, seq), hold in sorted(holds.items(), key=lambda item: (item[0][1], item[0][0])):
        if hashes.get(seq) == hold.hash and gathering.node(holder):
            yield from scroll.certificates(gathering.node(holder))
            yield scroll.hold(hold)


def _entry(gathering: Gathering, scroll: Scroll, chain: Chain, seq: int, header: bytes, body: bytes, bodies: str) -> Iterator[bytes]:
    if not seq:
        yield scroll.entry(header, body)
        return
    key, plain = _plain(gathering, chain, seq, body) if bodies != "none" else (b"", None)
    if bodies == "none" or (plain is None and bodies == "meta"):
        yield scroll.entry(header)
        return
    if plain is not None:
        cited = _digests(check(plain.content)) if bodies == "full" else ()  # a seal is cited by its fingerprint
        for fingerprint in (unpack(plain.statement, Statement).signer, *cited):
            yield from scroll.certificates(gathering.signer(fingerprint))
    if bodies == "meta" and plain is not None:
        yield scroll.entry(header, statement=(plain.statement, plain.signature))
    else:
        yield scroll.entry(header, body, key=key)


def _digests(value: Any) -> Iterator[bytes]:
    """Whatever in a content may be the fingerprint of a certificate."""
    if isinstance(value, list):
        for one in value:
            yield from _digests(one)
    elif isinstance(value, bytes) and len(value) == 32:
        yield value


def _plain(gathering: Gathering, chain: Chain, seq: int, body: bytes) -> tuple[bytes, Body | None]:
    """(key, body) of an entry; no body where it is sealed to others or cannot be read."""
    try:
        if chain.audience.scope is not Scope.NODE:
            return b"", unpack(body, Body)
        key = gathering.ledger.disclose(chain.id, seq)
        return key, unpack(seal.open_(body, key, seq), Body)
    except NodeError:
        return b"", None
