"""A journal in memory without signatures, as :class:`sync.exchange.Store`: it tells gap and fork, and can lose its tail.

Quick enough for thousands of runs of the peers; the simulator runs the same peers over the real journal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from node.codec import Value, pack, unpack
from node.entry import Audience, Hold, Lane
from node.requests import Met
from sync.exchange import Taken
from sync.peer import Line, Look, Outcome
from sync.wishes import Read


class Strip(Value, frozen=True):
    """A batch of a tape: where it stands, whose it is, and entries that are just bytes."""

    chain: bytes
    start: int
    author: str
    audience: Audience
    lane: Lane
    entries: tuple[bytes, ...]


@dataclass
class Reel:
    """One chain."""

    author: str
    audience: Audience
    lane: Lane
    entries: list[bytes] = field(default_factory=list)


def look(batch: bytes) -> Look:
    """What a batch claims to be."""
    strip = unpack(batch, Strip)
    return Look(strip.chain, strip.start, len(strip.entries), strip.author, strip.audience)


@dataclass
class Tape:
    """All chains one node holds."""

    node: str
    reels: dict[bytes, Reel] = field(default_factory=dict)
    forged: set[bytes] = field(default_factory=set)
    "Entries that count as forged."
    promised: list[Hold] = field(default_factory=list)
    full: bool = False
    "The disk is full."

    def line(self, chain: bytes) -> Line:
        """The chain as sync sees it."""
        reel = self.reels[chain]
        digest = hashlib.sha256(b"".join(reel.entries)).digest()
        return Line(chain, reel.author, reel.audience, reel.lane, len(reel.entries), digest)

    def write(self, name: str, audience: Audience, lane: Lane, *entries: bytes) -> Line:
        """Append to a chain of one's own."""
        chain = hashlib.sha256(f"{self.node}/{name}".encode()).digest()
        self.reels.setdefault(chain, Reel(self.node, audience, lane)).entries.extend(entries)
        return self.line(chain)

    def take(self, batch: bytes, came: str, then: Callable[[Taken], None]) -> None:
        """Keep what follows; a gap, a fork and a forgery are told apart."""
        strip = unpack(batch, Strip)
        reel = self.reels.get(strip.chain)
        have = len(reel.entries) if reel else 0
        if self.full:
            then(Taken(Outcome(have, "disk_full")))
        elif self.forged & set(strip.entries):
            then(Taken(Outcome(have, "forged")))
        elif strip.start > have:
            then(Taken(Outcome(have, "gap")))
        elif reel and reel.entries[strip.start : strip.start + len(strip.entries)] != list(strip.entries[: have - strip.start]):
            then(Taken(Outcome(have, "fork")))
        else:
            reel = self.reels.setdefault(strip.chain, Reel(strip.author, strip.audience, strip.lane))
            reel.entries.extend(strip.entries[have - strip.start :])
            then(Taken(Outcome(len(reel.entries)), self.line(strip.chain), (), len(reel.entries) - have))

    def met(self, node: str, epoch: bytes, then: Callable[[Met], None]) -> None:
        """A tape knows of no lives."""

    def twin(self, epoch: bytes, at: int) -> None:
        """A tape has no twin."""

    def fence(self, detail: str) -> None:
        """A tape writes whatever it is told."""

    def level(self, node: str) -> None:
        """A tape waits for nobody."""

    def anchor(self, data: bytes, came: str, then: Callable[[], None]) -> None:
        """A tape keeps no checkpoints."""
        then()

    def vouched(self, chain: bytes, then: Callable[[tuple[Hold, ...]], None]) -> None:
        """A tape closes nothing."""

    def read(self, wish: Read, then: Callable[[int, bytes], None]) -> None:
        """A stretch of at most ``limit`` bytes, at least one entry."""
        reel, size, upto = self.reels[wish.chain], 0, wish.start
        while upto < len(reel.entries) and (upto == wish.start or size + len(reel.entries[upto]) <= wish.limit):
            size += len(reel.entries[upto])
            upto += 1
        some = tuple(reel.entries[wish.start : upto])
        then(len(some), pack(Strip(wish.chain, wish.start, reel.author, reel.audience, reel.lane, some)) if some else b"")

    def holds(self, since: int, then: Callable[[int, tuple[Hold, ...]], None]) -> None:
        """Everything promised after a number."""
        then(len(self.promised), tuple(self.promised[since:]))

    def held(self, holds: tuple[Hold, ...]) -> None:
        """Keep what is new."""
        self.promised.extend(hold for hold in holds if hold not in self.promised)

    def arrived(self, sha: bytes) -> None:
        """Blobs lie elsewhere."""
