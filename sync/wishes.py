"""What a line wishes of its owner: one value a wish, granted by :mod:`sync.exchange`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from node.entry import Hold, Lane
from node.signals import Signal


@dataclass(frozen=True, slots=True)
class Take:
    """Wish: give this batch to the ledger, then say :meth:`Peer.taken`."""

    chain: bytes
    start: int
    count: int
    lane: Lane
    batch: bytes
    frame: bytes
    "The frame as it came, to be passed on untouched."


class Read(NamedTuple):
    """Wish: read a stretch of a chain, then say :meth:`Peer.batch`."""

    chain: bytes
    start: int
    limit: int
    "About how many bytes."


class Held(NamedTuple):
    """Wish: give range statements to the ledger."""

    holds: tuple[Hold, ...]


class Review(NamedTuple):
    """Wish: a session has begun; give :meth:`Peer.holds` all that the journal has."""


class Fetch(NamedTuple):
    """Wish: read a part of a blob, then say :meth:`Peer.part`."""

    sha: bytes
    offset: int
    length: int


class Store(NamedTuple):
    """Wish: write a part of a blob that was wanted."""

    sha: bytes
    offset: int
    data: bytes


class Heard(NamedTuple):
    """Wish: remember when the nodes behind the neighbour were heard: (node, milliseconds since 1970 by our clock)."""

    nodes: tuple[tuple[str, int], ...]


class Pass(NamedTuple):
    """Wish: pass a signal on, or hand it in if it is for this node."""

    signal: Signal


class Met(NamedTuple):
    """Wish: tell the ledger in which epoch the neighbour lives, then say :meth:`Peer.met`."""

    epoch: bytes
    session: bytes


class Twin(NamedTuple):
    """Wish: tell the ledger that an older copy of this node called at the neighbour."""

    epoch: bytes
    at: int


class Fence(NamedTuple):
    """Wish: tell the ledger that this very process is the copy, and a newer one is at work."""

    text: str


class Level(NamedTuple):
    """Wish: tell the ledger that all the neighbour told at the beginning is here now."""


class Anchor(NamedTuple):
    """Wish: show the ledger a checkpoint of the city."""

    data: bytes


class Asked(NamedTuple):
    """Wish: the neighbour below holds next to nothing and asks for a snapshot; say :meth:`Peer.offer`, whatever there is."""


class Offered(NamedTuple):
    """Wish: the neighbour above has a snapshot of this size, or none; take it, then say :meth:`Peer.tell`."""

    sha: bytes
    size: int
    entries: int


class Vouch(NamedTuple):
    """Wish: the range statements that cover the end of an own chain, then say :meth:`Peer.vouch`."""

    chain: bytes


class Drop(NamedTuple):
    """Wish: end the connection; the neighbour erred, or went silent."""

    code: str
    text: str


Wish = Take | Read | Held | Review | Fetch | Store | Heard | Pass | Met | Twin | Fence | Level | Anchor | Vouch | Asked | Offered | Drop
