"""Entries, statements, chains and heads: the shapes that are signed, and how their hashes are made.

A **statement** is what a person, a seal or the node signs; it does not know its place. A **body** is the statement with
its signature, salt and content. An **entry** is a body at a place: a **header** in a **chain**. The first entry of a
chain is its **opening**, signed by the node's identity key; the hash of the opening is the chain's id. A **head** is the
epoch key's signature over (chain, seq, hash) and covers everything before it. ``docs/format.md`` has the same in prose
with vectors; nothing here reads a clock, a disk or a key file.
"""

from __future__ import annotations

from enum import StrEnum

from node.codec import Hash, HashOrNone, Natural, Sixteen, Value, base32, digest, pack, unpack
from node.errors import Invalid


class Scope(StrEnum):
    """For whom a log is."""

    SELF = "self"
    UP = "up"
    DOWN = "down"
    ALL = "all"
    NODE = "node"


class Lane(StrEnum):
    """Order of passage on a line; blobs go after all of them."""

    TRUST = "trust"
    URGENT = "urgent"
    ORDINARY = "ordinary"


LANES = (Lane.TRUST, Lane.URGENT, Lane.ORDINARY)


class Audience(Value, frozen=True):
    """Scope, and the node's id when the scope is one named node."""

    scope: Scope
    node: str = ""

    def __str__(self) -> str:
        return f"{self.scope}:{self.node}" if self.node else str(self.scope)


SELF, UP, DOWN, ALL = (Audience(s) for s in (Scope.SELF, Scope.UP, Scope.DOWN, Scope.ALL))


def to_node(node: str) -> Audience:
    """The audience of one named node; its bodies are sealed."""
    return Audience(Scope.NODE, node)


class Attachment(Value, frozen=True):
    """A blob that an entry needs: the hash and size of its *stored* bytes (ciphertext when the audience is sealed)."""

    sha: Hash
    size: Natural


class Header(Value, frozen=True):
    """The place of a body. Its hash (with the digest of the body inside) is what the next header and the head name."""

    chain: HashOrNone
    "Id of the chain; empty in the opening itself."
    seq: Natural
    prev: HashOrNone
    "Hash of the header before; empty in the opening."
    digest: Hash
    "SHA-256 of the stored body."
    size: Natural
    "Bytes of the stored body."
    attachments: tuple[Attachment, ...] = ()


class Known(Value, frozen=True):
    """What the author's disk knew of one of its earlier chains when it opened this one."""

    chain: Hash
    count: Natural
    head: Hash


class Opening(Value, frozen=True):
    """Body of entry 0, always readable: who writes, for whom, under which key, and why a new epoch began."""

    version: int
    city: str
    "Fingerprint of the city root in base32: the same bytes never mean anything in another city."
    author: str
    audience: Audience
    lane: Lane
    epoch: Hash
    "32 random bytes that all chains of one ledger start share."
    epoch_key: Hash
    "Raw Ed25519 public key, whose private half lives only in the ledger's memory."
    reason: str
    "start, restore, rollback or takeover."
    opened: Natural
    "Claimed time, milliseconds since 1970 UTC."
    software: str
    previous: tuple[Known, ...]
    "Earlier chains of the same log (author, audience, lane)."
    keys: tuple[tuple[str, bytes], ...] = ()
    "For sealed audiences: (node id, HPKE ciphertext of the chain key) for the reader and for the author."


class Opened(Value, frozen=True):
    """Stored body of entry 0: the opening and the identity key's signature over it."""

    opening: bytes
    signature: bytes


class Statement(Value, frozen=True):
    """What a signer says, wherever it may later be placed."""

    suite: str
    "ed25519 for persons and seals, p256 for nodes."
    city: str
    kind: str
    record: str
    home: str
    "Node where the record was born; only its own node writes to it."
    recipients: tuple[str, ...]
    "Ids of the organs or nodes the signer means to reach."
    after: tuple[Hash, ...]
    "Statement ids this one answers or builds on."
    nonce: Sixteen
    "The ledger answers a repeated nonce with the first position."
    digest: Hash
    "Salted digest of the content."
    signer: Hash
    "SHA-256 of the signer's certificate (DER)."
    post: str
    "Id of the post in whose name the person acts; empty for seals and nodes."
    at: Natural
    "Claimed time, milliseconds since 1970 UTC."


class Body(Value, frozen=True):
    """Stored body of every entry but the opening (inside the seal, where the audience is a named node)."""

    statement: bytes
    signature: bytes
    salt: Sixteen
    content: bytes


class Head(Value, frozen=True):
    """The epoch key's word that the chain's entry ``seq`` has this hash."""

    chain: Hash
    seq: Natural
    hash: Hash
    signature: bytes


class Hold(Value, frozen=True):
    """A node's word that it holds a chain up to and including ``seq``: from a carrier R0, from the reader's node R1."""

    holder: str
    chain: Hash
    seq: Natural
    hash: Hash
    at: Natural
    "The holder's clock, milliseconds since 1970 UTC."
    signature: bytes


VERSION = 1


def header_hash(header: bytes) -> bytes:
    """The hash by which entries name each other."""
    return digest("entry.1", header)


def body_digest(body: bytes) -> bytes:
    """Digest of a stored body, as the header carries it."""
    return digest("body.1", body)


def statement_id(statement: bytes) -> bytes:
    """The id of a statement, the same wherever it is placed; ``after`` and receipts name this."""
    return digest("statement.1", statement)


def content_digest(salt: bytes, content: bytes) -> bytes:
    """Digest of a content under its salt, so that a short content cannot be guessed from its digest."""
    return digest("content.1", salt, content)


def statement_signed(statement: bytes) -> bytes:
    """The bytes a signer signs."""
    return b"yiwang.sign.statement.1\0" + statement


def opening_signed(opening: bytes) -> bytes:
    """The bytes the identity key signs to open a chain."""
    return b"yiwang.sign.opening.1\0" + opening


def head_signed(chain: bytes, seq: int, hash: bytes) -> bytes:
    """The bytes the epoch key signs as a head."""
    return b"yiwang.sign.head.1\0" + pack((chain, seq, hash))


def hold_signed(holder: str, chain: bytes, seq: int, hash: bytes, at: int) -> bytes:
    """The bytes the identity key signs as a range statement."""
    return b"yiwang.sign.hold.1\0" + pack((holder, chain, seq, hash, at))


def check_link(header: Header, chain: bytes, seq: int, prev: bytes) -> None:
    """Refuse a header that does not stand at ``seq`` of ``chain`` right after ``prev``."""
    if header.chain != (chain if seq else b"") or header.seq != seq or header.prev != prev:
        raise Invalid(f"entry {seq} of chain {base32(chain)} does not follow the one before", code="bad_link")


def check_entry(raw: bytes, body: bytes, chain: bytes, seq: int, prev: bytes) -> bytes:
    """The hash of an entry that stands at ``seq`` of ``chain`` right after ``prev`` and has the body its header names; refuses any other."""
    header, hash = unpack(raw, Header), header_hash(raw)
    check_link(header, chain, seq, prev)
    if seq == 0 and hash != chain:
        raise Invalid("the header is not the one its hash names", code="bad_hash")
    if body_digest(body) != header.digest:
        raise Invalid("the body is not the one its header names", code="bad_hash")
    return hash


def read_opening(body: bytes) -> tuple[Opening, bytes, bytes]:
    """(opening, its bytes, signature) of the stored body of entry 0."""
    opened = unpack(body, Opened)
    opening = unpack(opened.opening, Opening)
    if opening.version != VERSION:
        raise Invalid(f"opening of version {opening.version}", code="unknown_version")
    if (opening.audience.scope is Scope.NODE) != bool(opening.audience.node):
        raise Invalid("an audience names a node exactly when its scope is node", code="malformed")
    return opening, opened.opening, opened.signature


def position(author: str, chain: bytes, seq: int) -> str:
    """The place of an entry as commands write it: ORIGIN/EPOCH/SEQ."""
    return f"{author}/{base32(chain)}/{seq}"


def ref(author: str, chain: bytes, seq: int, hash: bytes) -> str:
    """A position with the hash of what stands there."""
    return f"{position(author, chain, seq)}@sha256:{hash.hex()}"
