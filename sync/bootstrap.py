"""How a node that holds next to nothing begins with a snapshot of the node above (:mod:`node.snapshot`), on the line as it is.

**Normal path.** When a session begins such a node says Begin in the place of Have, so that nothing is sent to it yet. The node above answers with
Offer: the file that lists the parts, or nothing. List and parts are fetched like blobs, in resumable chunks, a few at a time; the ledger takes each
in its turn, trust before all else. When all are taken the node tells what it holds (Have), and the rest comes entry by entry.

**When something is wrong**, whatever it is: no snapshot, one that does not verify, a part that never comes, a ledger that went away. The node tells
what it holds and gets the rest entry by entry. When the line drops, it begins again in the next session; parts that were taken stay taken,
and chunks that came lie on the disk.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sync.exchange import Shelf
    from sync.fetch import Fetcher
    from sync.peer import Line, Now, Peer
    from sync.wishes import Offered

AHEAD = 8
"Parts that are fetched, or wait for the ledger, at a time."
PATIENCE = 120.0
"Seconds without a whole part, or a word of the ledger, after which entries come one by one."
LARGEST = 8 * 1024 * 1024
"Bytes of a list of parts: some fifty million entries."
Parts = tuple[tuple[int, bytes, int], ...]
"(number, hash, size) of each part."


class Keeper(Protocol):
    """The ledger, asked without waiting."""

    def offered(self, then: Callable[[bytes, int, int], None]) -> None:
        """(hash, size, entries) of the last snapshot that was made here; empty when there is none."""

    def listed(self, data: bytes, then: Callable[[Parts | None], None]) -> None:
        """Check a list of parts: those that are not here, None when it is refused."""

    def adopt(self, number: int, then: Callable[[bool], None]) -> None:
        """Take a part that is whole; whether it was taken."""

    def adopted(self, whole: bool, then: Callable[[], None]) -> None:
        """There are no more parts; ``then`` is called when everything that was taken is known here."""


@dataclass
class Bootstrap:
    """The one snapshot that a node takes, and those it gives."""

    keeper: Keeper
    files: Shelf
    lines: Mapping[bytes, Line]
    fetcher: Callable[[], Fetcher]
    marker: Path
    "A file that is there while parts are being taken, whatever ends meanwhile."
    few: int
    "Entries below which a node begins with a snapshot."
    failed: bool = False
    "Whether one was refused since the start: no other is asked for."
    _from: Peer | None = None
    _list: tuple[bytes, int] | None = None
    "Hash and size of the list that is being fetched."
    _todo: deque[tuple[int, bytes, int]] = field(default_factory=deque)
    _coming: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    "Hash to number and size of the parts that are being fetched."
    _order: deque[int] = field(default_factory=deque)
    "Numbers of the parts that the ledger has not taken, in the order in which it must."
    _ready: set[int] = field(default_factory=set)
    "Those of them that are here."
    _taking: bool = False
    _now: float = 0.0
    "Seconds of a clock that never jumps: the present moment, also when the ledger answers what was asked long ago."
    _last: float = 0.0
    _round: int = 0
    "Counts the snapshots, so that what the ledger says of an earlier one is not taken for this."

    def begins(self) -> bool:
        """Whether to ask for a snapshot when a line upward begins."""
        return not self.failed and (self.marker.exists() or sum(line.count for line in self.lines.values()) < self.few)

    def asked(self, one: Peer) -> None:
        """A neighbour asks: say what there is."""
        self.keeper.offered(one.offer)

    def offered(self, one: Peer, offer: Offered, now: Now) -> None:
        """The neighbour above has answered."""
        self._now = now.mono
        if self._from is not None:
            return  # an answer to what an earlier session asked
        if not offer.sha or not 0 < offer.size <= LARGEST:
            one.tell()
            return
        self._round += 1
        self._from, self._list, self._last = one, (offer.sha, offer.size), now.mono
        if self.files.have(offer.sha, offer.size) == offer.size:
            self.whole(offer.sha, now)
            return
        self._fetch(offer.sha, offer.size)

    def _fetch(self, sha: bytes, size: int) -> None:
        assert self._from is not None
        self.fetcher().need(sha, size, self.files.have(sha, size), [self._from.neighbour])
        self.fetcher().pump(self._now)

    def mine(self, sha: bytes) -> bool:
        """Whether a blob is one of a snapshot that is being fetched."""
        return sha in self._coming or (self._list is not None and self._list[0] == sha)

    def whole(self, sha: bytes, now: Now) -> bool:
        """A blob is whole; whether it was one of a snapshot."""
        if not self.mine(sha):
            return False
        self._now = self._last = now.mono
        if self._list is not None and self._list[0] == sha:
            (_, size), self._list = self._list, None
            mine = self._round
            self.keeper.listed(self.files.read(sha, 0, size), lambda parts: self._listed(mine, parts))
            return True
        number, _ = self._coming.pop(sha)
        self._ready.add(number)
        self._go_on()
        return True

    def missing(self, sha: bytes) -> bool:
        """The neighbour does not have a blob, or has something else under its name; whether it was one of the snapshot, which is given up then."""
        found = self._from is not None and self.mine(sha)
        if found:
            self._give_up()
        return found

    def _listed(self, mine: int, parts: Parts | None) -> None:
        if mine != self._round or self._from is None:
            return
        if parts is None:
            self._give_up()
            return
        self.marker.touch()
        self._todo.extend(parts)
        self._order.extend(number for number, _, _ in parts)
        self._go_on()

    def _go_on(self) -> None:
        """Fetch some more parts, let the ledger take the next that is here, or end."""
        while self._todo and len(self._coming) + len(self._ready) < AHEAD:
            number, sha, size = self._todo.popleft()
            if self.files.have(sha, size) == size:
                self._ready.add(number)
                continue
            self._coming[sha] = number, size
            self._fetch(sha, size)
        if self._taking:
            return
        if not self._order:
            self._end(whole=True)
        elif self._order[0] in self._ready:
            self._taking, mine = True, self._round
            number = self._order.popleft()
            self._ready.discard(number)
            self.keeper.adopt(number, lambda taken: self._taken(mine, taken))

    def _taken(self, mine: int, taken: bool) -> None:
        if mine != self._round or self._from is None:
            return
        self._taking, self._last = False, self._now
        if taken:
            self._go_on()
        else:
            self._give_up()

    def tick(self, now: Now) -> None:
        """Let time pass."""
        self._now = now.mono
        if self._from is not None and now.mono - self._last > PATIENCE:
            self._give_up()

    def _give_up(self) -> None:
        self.failed = True
        self._end(whole=False)

    def left(self, node: str) -> None:
        """The line to a neighbour has ended."""
        if self._from is not None and self._from.neighbour == node:
            self._stop()
            self.keeper.adopted(False, lambda: None)

    def _end(self, *, whole: bool) -> None:
        one = self._from
        assert one is not None
        self.marker.unlink(missing_ok=True)
        self._stop()
        self.keeper.adopted(whole, one.tell)

    def _stop(self) -> None:
        self._round += 1
        for sha in (*self._coming, *([self._list[0]] if self._list else [])):
            self.fetcher().met(sha)
        self._from, self._list, self._taking = None, None, False
        self._todo.clear()
        self._coming.clear()
        self._order.clear()
        self._ready.clear()


@dataclass
class Both:
    """Attachments and the files of snapshots, for the lines: they ask for both by hash, and each lies in its own folder."""

    blobs: Shelf
    files: Shelf
    mine: Callable[[bytes], bool]

    def read(self, sha: bytes, offset: int, length: int) -> bytes:
        """A part of whichever is whole."""
        return self.blobs.read(sha, offset, length) or self.files.read(sha, offset, length)

    def have(self, sha: bytes, size: int) -> int:
        """Bytes that are here."""
        return (self.files if self.mine(sha) else self.blobs).have(sha, size)

    def write(self, sha: bytes, size: int, offset: int, data: bytes) -> bool:
        """Write the next part."""
        return (self.files if self.mine(sha) else self.blobs).write(sha, size, offset, data)
