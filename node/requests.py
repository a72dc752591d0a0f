"""What is asked of a ledger and what it answers: the values and their bytes, for those who ask and for the ledger itself."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from node import clock, entry, kinds
from node.codec import Value, pack, unpack
from node.directory.entries import Node
from node.entry import Attachment, Audience, Head, Hold, Lane
from node.errors import Invalid, revive
from node.kinds import Content, Entry


class Draft(Value, frozen=True):
    """A signed body and where it is to stand."""

    statement: bytes
    "Canonical statement. Unsigned: the ledger fills in its own certificate as signer."
    signature: bytes
    "Empty: the ledger signs as the node."
    salt: bytes
    content: bytes
    audiences: tuple[Audience, ...]
    lane: Lane = Lane.ORDINARY
    attachments: tuple[Attachment, ...] = ()
    relies: tuple[tuple[str, int], ...] = ()
    "Names and the versions that were read; a different one now is a Conflict."
    touches: tuple[str, ...] = ()
    "Further names whose version this changes; the record's always does."


class Place(Value, frozen=True):
    """Where a body stands."""

    audience: Audience
    author: str
    chain: bytes
    seq: int
    hash: bytes

    @property
    def ref(self) -> str:
        """ORIGIN/EPOCH/SEQ@HASH."""
        return entry.ref(self.author, self.chain, self.seq, self.hash)


class Written(Value, frozen=True):
    """The ledger's word that a body is durable and folded."""

    id: bytes
    "Statement id."
    number: int
    "Local order of its first place."
    places: tuple[Place, ...]
    repeated: bool
    "The nonce was known: these are the places of the first time."


class Chain(Value, frozen=True):
    """A chain as others than the ledger need to know it."""

    id: bytes
    author: str
    audience: Audience
    lane: Lane
    count: int
    "Entries held; the next one has this number."
    hash: bytes
    "Header hash of the last one held."
    opened: int
    "Claimed time of the opening, milliseconds since 1970 UTC."
    frozen: str
    "Why nothing more is taken (fork, closed, revoked), or empty."
    closed: int = -1
    "Entries it may have since a later opening of its log; below 0 while it is open."


class Batch(Value, frozen=True):
    """A stretch of one chain, ending where a head was signed."""

    chain: bytes
    start: int
    entries: tuple[tuple[bytes, bytes], ...]
    "(header, stored body)."
    head: Head
    certs: tuple[bytes, ...] = ()
    "The author's certificates (DER, leaf first, without the root); sent with openings, so that strangers can be known."


class Met(Value, frozen=True):
    """What a ledger says of a neighbour's living epoch."""

    fenced: bool
    "A newer one has called meanwhile: this one is a copy that must not write."
    twin: bytes = b""
    "The older epoch that called again after this one, if any."
    at: int = 0
    "When it did, milliseconds since 1970 by the clock of the ledger that met it."


class Taken(Value, frozen=True):
    """What a ledger holds of a chain after a batch."""

    chain: Chain
    fresh: int
    "Entries that were new."
    hold: Hold | None
    "This node's range statement; none for its own chains."
    attachments: tuple[Attachment, ...]
    "Blobs that the new entries name."


class Found(Value, frozen=True):
    """An entry with its place, as evidence and logs need it."""

    number: int
    chain: bytes
    author: str
    seq: int
    hash: bytes
    header: bytes
    body: bytes


class Seen(Value, frozen=True):
    """A fork as this node knows it."""

    chain: bytes
    author: str
    seq: int
    proof: bytes
    at: int
    "When it was seen here, milliseconds since 1970 UTC."
    settled: int
    "When an operator said that it was dealt with; 0 while nobody has."
    by: str
    "The node whose operator did."


class Told(Value, frozen=True):
    """A released entry readable here, as rooms fold it."""

    at: int
    "Place in the order of release."
    found: Found
    "Its place; the body is the plain one."
    person: str
    "Person who signed, or empty for seals and nodes."

    def entry(self) -> Entry[Any] | None:
        """The entry as folds see it; None where its kind is unknown or its content is not of that kind."""
        body = unpack(self.found.body, entry.Body)
        said = unpack(body.statement, entry.Statement)
        try:
            content = kinds.decode(said.kind, body.content)
        except Invalid:
            return None
        at: dict[str, Any] = {
            "number": self.found.number,
            "author": self.found.author,
            "chain": self.found.chain,
            "seq": self.found.seq,
            "hash": self.found.hash,
        }
        return None if content is None else kinds.seen(said, entry.statement_id(body.statement), content, person=self.person, **at)


def of_node(city: str, node: str, content: Content, *, record: str, to: Audience, after: Iterable[bytes] = (), nonce: bytes = b"") -> Draft:
    """What a node itself says in the lane of trust; the ledger signs it as the node."""
    said, salt, data = statement(city, content, record=record, home=node, suite="p256", after=after, nonce=nonce)
    return Draft(pack(said), b"", salt, data, (to,), Lane.TRUST)


def statement(
    city: str,
    content: Content,
    *,
    record: str,
    home: str,
    recipients: Iterable[str] = (),
    after: Iterable[bytes] = (),
    suite: str = "ed25519",
    signer: bytes = bytes(32),
    post: str = "",
    nonce: bytes = b"",
    salt: bytes = b"",
    at: int = 0,
) -> tuple[entry.Statement, bytes, bytes]:
    """(statement, salt, content bytes) for a content; the caller signs :func:`node.entry.statement_signed` of its packed form."""
    data, salt = kinds.encode(content), salt or secrets.token_bytes(16)
    said = entry.Statement(
        suite=suite,
        city=city,
        kind=kinds.name_of(content),
        record=record,
        home=home,
        recipients=tuple(recipients),
        after=tuple(after),
        nonce=nonce or secrets.token_bytes(16),
        digest=entry.content_digest(salt, data),
        signer=signer,
        post=post,
        at=at or clock.ms(),
    )
    return said, salt, data


def encode(request: bytes, name: str, args: Sequence[Any]) -> list[bytes]:
    """The frames of a request."""
    return [request, name.encode(), msgspec.msgpack.encode(args)]


def decode(frames: Sequence[bytes], name: str) -> Any:
    """The value of an answer to a request of this name; raises the error the ledger named."""
    return _answers[name].decode(plain(frames))


def plain(frames: Sequence[bytes]) -> bytes:
    """The bytes of an answer, for who passes them on; raises the error the ledger named."""
    word, payload = frames[-2:]
    if word == b"no":
        raise revive(*_refusal.decode(payload))
    return payload


Grown = tuple[int, int, tuple[Chain, ...]]
"""(mark before, mark now, chains that changed between): who knows all up to the first need not ask."""
ANSWERS: dict[str, Any] = {
    "write": tuple[Written, ...],
    "versions": dict[str, int],
    "chains": tuple[Chain, ...],
    "changed": tuple[int, tuple[Chain, ...]],
    "read": Batch | None,
    "take": Taken,
    "holds": tuple[int, tuple[Hold, ...]],
    "held": int,
    "carried": tuple[tuple[str, int], ...],
    "hold_for": tuple[Hold, ...],
    "refold": dict[str, tuple[str, str]],
    "places": tuple[Place, ...],
    "found": tuple[Found, ...],
    "released": tuple[int, tuple[Told, ...]],
    "wanted": tuple[Attachment, ...],
    "rot": tuple[tuple[bytes, int], ...],
    "look": int,
    "rotten": None,
    "arrived": None,
    "disclose": bytes,
    "body": bytes,
    "nodes": tuple[Node, ...],
    "forks": tuple[Seen, ...],
    "sign": bytes,
    "status": dict[str, Any],
    "digest": dict[str, str],
    "signal": bytes,
    "stop": None,
    "living": tuple[bytes, str],
    "sheets": tuple[tuple[str, bytes], ...],
    "offer": tuple[bytes, int, int],
    "snapshot": tuple[tuple[int, bytes, int], ...],
    "adopt": int,
    "adopted": None,
    "anchor": None,
    "met": Met,
    "twin": None,
    "fence": None,
    "level": None,
    "confirm": str,
}
_answers = {name: msgspec.msgpack.Decoder(shape) for name, shape in ANSWERS.items()}
_refusal = msgspec.msgpack.Decoder(tuple[str, str, str])
