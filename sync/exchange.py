"""All lines of one node and the journal between them: what one neighbour brings goes to the ledger and on to the others.

Pure like the peers it joins: the journal and the blobs are behind :class:`Store` and :class:`Shelf`, whose answers come
whenever they come. The courier gives it sockets, the simulator an unreliable world.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from node.directory.tree import Tree
from node.entry import Attachment, Hold
from node.errors import NodeError
from node.requests import Met
from node.signals import LIFE, Signal
from sync import peer, wishes
from sync.bootstrap import Bootstrap
from sync.fetch import Fetcher
from sync.peer import Line, Look, Now, Outcome, Peer, Self
from sync.wishes import Read, Take


@dataclass(frozen=True, slots=True)
class Taken:
    """The ledger's answer to a batch."""

    outcome: Outcome
    line: Line | None = None
    "The chain as it stands now."
    attachments: tuple[Attachment, ...] = ()
    "What the new entries name."
    fresh: int = 0
    "Entries that were new."


class Store(Protocol):
    """The journal, asked without waiting; an answer may come at once, later, or never."""

    def take(self, batch: bytes, came: str, then: Callable[[Taken], None]) -> None:
        """Verify and keep a batch that a neighbour brought."""

    def met(self, node: str, epoch: bytes, then: Callable[[Met], None]) -> None:
        """A neighbour lives in this epoch."""

    def twin(self, epoch: bytes, at: int) -> None:
        """The node above has met an older copy of this one."""

    def fence(self, detail: str) -> None:
        """The node above says that this process is a copy."""

    def level(self, node: str) -> None:
        """All that a neighbour told at the beginning of its line is here."""

    def anchor(self, data: bytes, came: str, then: Callable[[], None]) -> None:
        """A neighbour has shown a checkpoint."""

    def vouched(self, chain: bytes, then: Callable[[tuple[Hold, ...]], None]) -> None:
        """Range statements that cover the last entry of a chain."""

    def read(self, wish: Read, then: Callable[[int, bytes], None]) -> None:
        """(number of entries, canonical batch) from a place on; (0, b"") when there are none."""

    def holds(self, since: int, then: Callable[[int, tuple[Hold, ...]], None]) -> None:
        """A page of range statements after a number, and the number to go on from (the same when there are no more)."""

    def held(self, holds: tuple[Hold, ...]) -> None:
        """Keep range statements that a neighbour brought."""

    def arrived(self, sha: bytes) -> None:
        """A blob that entries name is whole."""


class Shelf(Protocol):
    """Where blobs lie."""

    def read(self, sha: bytes, offset: int, length: int) -> bytes:
        """A part of a whole blob, empty when it is not here."""

    def have(self, sha: bytes, size: int) -> int:
        """Bytes of it that are here, whole or partial."""

    def write(self, sha: bytes, size: int, offset: int, data: bytes) -> bool:
        """Write the next part; True when the blob is whole and right. :class:`~node.errors.Forged` when it is whole and wrong."""


@dataclass
class Exchange:
    """What a node's courier knows and does, whatever carries its frames."""

    me: Self
    store: Store
    shelf: Shelf
    rng: random.Random
    look: Callable[[bytes], Look]
    tree: Tree = field(default_factory=Tree)
    parent: str = ""
    beat: float = peer.BEAT
    lines: dict[bytes, Line] = field(default_factory=dict)
    peers: dict[str, Peer] = field(default_factory=dict)
    epoch: bytes = b""
    "The living epoch of this node's ledger; empty while it is not known."
    heard: dict[str, int] = field(default_factory=dict)
    "Node id to when it was last heard, milliseconds since 1970 by our clock."
    inbox: list[Signal] = field(default_factory=list)
    "Signals for this node."
    refused: Counter[str] = field(default_factory=Counter)
    sheets: dict[str, bytes] = field(default_factory=dict)
    "Neighbour to what it should see of the last checkpoint."
    _anchoring: dict[str, bytes] = field(default_factory=dict)
    "Neighbours whose checkpoint is with the ledger, and the last that came meanwhile."
    _now: Now = Now(0.0, 0)
    _holds: int = 0
    _paging: bool = False
    _more: bool = False
    _signals: dict[bytes, int] = field(default_factory=dict)

    bootstrap: Bootstrap | None = None
    "Takes and gives snapshots; None where there are none."

    def __post_init__(self) -> None:
        self.fetcher = Fetcher(self._ask_blob)

    # --- neighbours ---------------------------------------------------------------------------------------------

    def neighbour(self, node: str) -> Peer:
        """The peer of a neighbour, made at first use."""
        if node not in self.peers:
            self.peers[node] = Peer(
                me=self.me,
                neighbour=node,
                up=node == self.parent,
                lines=self.lines,
                tree=self.tree,
                rng=self.rng,
                look=self.look,
                beat=self.beat,
                epoch=self.epoch,
            )
            if self.bootstrap is not None:
                self.peers[node].begins = self.bootstrap.begins
        return self.peers[node]

    def receive(self, node: str, message: bytes, now: Now) -> None:
        """A message came from a neighbour."""
        self._now = now
        one = self.neighbour(node)
        was = one.state
        one.receive(message, now)
        self._settle(one, was)

    def connected(self, node: str, now: Now) -> None:
        """The connection to the parent stands."""
        self._now = now
        one = self.neighbour(node)
        was = one.state
        one.connected(now)
        self._settle(one, was)

    def lost(self, node: str, now: Now, reason: str = "") -> None:
        """The connection to a neighbour is gone."""
        self._now = now
        one = self.neighbour(node)
        was = one.state
        one.lost(now, reason)
        self._settle(one, was)

    def expel(self, node: str, now: Now) -> None:
        """A node is no neighbour any more."""
        self.lost(node, now, "closed")
        self.peers.pop(node, None)

    def tick(self, now: Now) -> None:
        """Let time pass."""
        self._now = now
        for one in list(self.peers.values()):
            was = one.state
            one.tick(now, self._report(one) if one.due(now) <= 0 else None)
            self._settle(one, was)
        if self.bootstrap is not None:
            self.bootstrap.tick(now)
        self.fetcher.pump(now.mono)
        self._signals = {nonce: until for nonce, until in self._signals.items() if until > now.ms}
        for one in self.peers.values():
            self._settle(one, one.state)

    def _report(self, one: Peer) -> Mapping[str, int]:
        """What to tell a neighbour: upward the own subtree, downward everybody else."""
        near = {name: each.heard_ms for name, each in self.peers.items() if each.state == "up" and name != one.neighbour}
        told = self.heard | near
        below = self.tree.subtree(self.me.node if one.up else one.neighbour)
        return {node: at for node, at in told.items() if (node in below) is one.up and node != self.me.node}

    def _settle(self, one: Peer, was: str) -> None:
        """Do what a peer wishes, and notice when its session begins or ends."""
        if one.state == "up" and one.heard_ms:
            self.heard[one.neighbour] = one.heard_ms
        if was == "up" and one.state != "up":
            self.fetcher.left(one.neighbour)
            if self.bootstrap is not None:
                self.bootstrap.left(one.neighbour)
        if was != "up" and one.state == "up":
            self.fetcher.joined(one.neighbour, self._now.mono)
            one.checkpoint(self.sheets.get(one.neighbour, b""))
        for wish in list(one.drain()):
            self._grant(one, wish)

    # --- wishes -------------------------------------------------------------------------------------------------

    def _grant(self, one: Peer, wish: wishes.Wish) -> None:
        match wish:
            case Take():
                self.store.take(wish.batch, one.neighbour, lambda taken: self._taken(one, wish, taken))
            case Read():
                self.store.read(wish, lambda count, batch: self._batch(one, wish, count, batch))
            case wishes.Held():
                self.store.held(wish.holds)
            case wishes.Review():
                self._review(one, 0)
            case wishes.Fetch():
                one.part(wish, self.shelf.read(wish.sha, wish.offset, wish.length))
            case wishes.Store():
                self._blob(one, wish)
            case wishes.Heard():
                self._note(one, wish.nodes)
            case wishes.Pass():
                self.signal(wish.signal, came=one.neighbour)
            case wishes.Drop():
                pass
            case _:
                self._about_lives(one, wish)

    def _about_lives(self, one: Peer, wish: wishes.Wish) -> None:
        match wish:
            case wishes.Met():
                self.store.met(one.neighbour, wish.epoch, lambda met: self._met(one, wish, met))
            case wishes.Twin():
                self.store.twin(wish.epoch, wish.at)
            case wishes.Fence():
                self.store.fence(wish.text)
            case wishes.Level():
                self.store.level(one.neighbour)
            case wishes.Anchor():
                self._anchor(one.neighbour, wish.data)
            case wishes.Asked() | wishes.Offered():
                self._begin(one, wish)
            case wishes.Vouch():
                self.store.vouched(wish.chain, lambda holds: self._vouched(one, holds))

    def _begin(self, one: Peer, wish: wishes.Asked | wishes.Offered) -> None:
        if isinstance(wish, wishes.Offered):
            if self.bootstrap is None:
                one.tell()
            else:
                self.bootstrap.offered(one, wish, self._now)
        elif self.bootstrap is None:
            one.offer(b"", 0, 0)
        else:
            self.bootstrap.asked(one)

    def _met(self, one: Peer, wish: wishes.Met, met: Met) -> None:
        was = one.state
        one.met(wish, fenced=met.fenced, twin=met.twin, at=met.at, now=self._now)
        self._settle(one, was)

    def _vouched(self, one: Peer, holds: tuple[Hold, ...]) -> None:
        one.vouch(holds)
        self._settle(one, one.state)

    def anchored(self, sheets: Mapping[str, bytes], now: Now) -> None:
        """There is something new of checkpoints: this is what each neighbour should see of it."""
        self._now, self.sheets = now, dict(sheets)
        for one in self.peers.values():
            one.checkpoint(self.sheets.get(one.neighbour, b""))
            self._settle(one, one.state)

    def _anchor(self, came: str, data: bytes) -> None:
        """Show the ledger one checkpoint of a neighbour at a time; of those that come meanwhile the last one counts."""
        waits = came in self._anchoring
        self._anchoring[came] = data if waits else b""

        def then() -> None:
            if last := self._anchoring.pop(came, b""):
                self._anchor(came, last)

        if not waits:
            self.store.anchor(data, came, then)

    def living(self, epoch: bytes, now: Now) -> None:
        """The ledger lives in this epoch: every neighbour is told, and the ledger again of whom all has come."""
        self._now, self.epoch = now, epoch
        for one in self.peers.values():
            one.live(epoch)
            if one.level:
                self.store.level(one.neighbour)
            self._settle(one, one.state)

    def _taken(self, one: Peer, take: Take, taken: Taken) -> None:
        if taken.line is not None:
            self.lines[taken.line.id] = taken.line
        was = one.state
        one.taken(take, taken.outcome, self._now)
        if not taken.outcome.code:
            self._spread(one, take, taken.fresh)
            self.missing(taken.attachments, one.neighbour)
        self._settle(one, was)

    def _spread(self, one: Peer, take: Take, fresh: int) -> None:
        for other in self.peers.values():
            if fresh and other is not one and other.state == "up":
                other.relay(take, self._now)
                self._settle(other, other.state)

    def _batch(self, one: Peer, read: Read, count: int, batch: bytes) -> None:
        one.batch(read, count, batch, self._now)
        self._settle(one, one.state)

    def _review(self, one: Peer, since: int) -> None:
        def page(upto: int, holds: tuple[Hold, ...]) -> None:
            one.holds(holds)
            if upto > since and one.state == "up":
                self._review(one, upto)

        self.store.holds(since, page)

    # --- news from the journal ----------------------------------------------------------------------------------

    def grown(self, lines: Iterable[Line], now: Now) -> None:
        """These chains have grown here."""
        self._now = now
        fresh = list(lines)
        self.lines.update({line.id: line for line in fresh})
        for one in self.peers.values():
            one.news([line.id for line in fresh])
            self._settle(one, one.state)

    def rotten(self, places: Iterable[tuple[bytes, int]], now: Now) -> None:
        """These chains have rotted here from these places on: every neighbour that holds them is asked to send them again."""
        self._now, asked = now, tuple(places)
        for one in self.peers.values():
            for chain, start in asked:
                one.anew(chain, start)
            self._settle(one, one.state)

    def planted(self, tree: Tree, now: Now) -> None:
        """The tree has changed."""
        self._now = now
        self.tree = tree
        for one in self.peers.values():
            one.planted(tree)
            self._settle(one, one.state)

    def promised(self, now: Now) -> None:
        """There are new range statements in the journal: pass them on. Asked again meanwhile, it looks once more afterwards."""
        self._now = now
        if self._paging:
            self._more = True
            return

        def page(upto: int, holds: tuple[Hold, ...]) -> None:
            for one in self.peers.values():
                one.holds(holds)
            again, self._more = self._more or upto > self._holds, False
            self._holds, self._paging = max(upto, self._holds), again
            if again:
                self.store.holds(self._holds, page)

        self._paging = True
        self.store.holds(self._holds, page)

    # --- blobs --------------------------------------------------------------------------------------------------

    def missing(self, attachments: Iterable[Attachment], source: str = "") -> None:
        """Entries held here name these blobs: fetch those that are not here, and say of those that are.

        A blob may be here and the journal not know it: it came for another entry, or a process died before it was told.
        """
        for wanted in attachments:
            have = self.shelf.have(wanted.sha, wanted.size)
            if have < wanted.size:
                self.fetcher.need(wanted.sha, wanted.size, have, [source] if source else [])
            else:
                self.store.arrived(wanted.sha)
        self.fetcher.pump(self._now.mono)

    def stocked(self, sha: bytes, now: Now) -> None:
        """A blob has become whole here: give it to who waits for it."""
        self._now = now
        self.fetcher.met(sha)
        for one in self.peers.values():
            one.stocked(sha)
            self._settle(one, one.state)

    def _ask_blob(self, node: str, sha: bytes, offset: int, length: int) -> None:
        self.peers[node].want(sha, offset, length)

    def _blob(self, one: Peer, part: wishes.Store) -> None:
        if not part.data and self.bootstrap is not None and self.bootstrap.missing(part.sha):
            return
        if not part.data:
            self.fetcher.waits(one.neighbour, part.sha, part.offset, self._now.mono)
            return
        if not self.fetcher.expects(one.neighbour, part.sha, part.offset, len(part.data)):
            self.refused["unasked_chunk"] += 1
            return
        need = self.fetcher.needs[part.sha]
        try:
            whole = self.shelf.write(part.sha, need.size, part.offset, part.data)
        except NodeError as error:
            self.refused[error.code] += 1
            if self.bootstrap is None or not self.bootstrap.missing(part.sha):
                self.fetcher.again(part.sha, self._now.mono)
            return
        one.counts["blob_bytes_in"] += len(part.data)
        self.fetcher.wrote(part.sha, part.offset, len(part.data), self._now.mono)
        if whole:
            if self.bootstrap is None or not self.bootstrap.whole(part.sha, self._now):
                self.store.arrived(part.sha)
            self.stocked(part.sha, self._now)
            self.fetcher.pump(self._now.mono)

    # --- signals, signs of life ---------------------------------------------------------------------------------

    def signal(self, signal: Signal, *, came: str = "", at: Now | None = None) -> None:
        """Hand a signal in, or send it on its way; old ones and repeats are dropped."""
        self._now = at or self._now
        until = min(signal.expires, self._now.ms + LIFE)
        if until <= self._now.ms or signal.nonce in self._signals:
            self.refused["old_signal"] += 1
            return
        self._signals[signal.nonce] = until
        if signal.to == self.me.node:
            self.inbox.append(signal)
            return
        way = self.tree.toward(self.me.node, signal.to) or self.parent
        if way and way != came and way in self.peers:
            self.peers[way].signal(signal)

    def _note(self, one: Peer, nodes: tuple[tuple[str, int], ...]) -> None:
        """Believe a neighbour about the nodes behind it and no others: it could make the dead seem alive."""
        below = self.tree.subtree(self.me.node if one.up else one.neighbour)
        for node, at in nodes:
            if node in self.tree and (node in below) is not one.up and node != self.me.node:
                self.heard[node] = max(self.heard.get(node, 0), min(at, self._now.ms))

    # --- numbers ------------------------------------------------------------------------------------------------

    def counters(self) -> dict[str, object]:
        """What has passed and what was refused, over all neighbours."""
        total: Counter[str] = Counter()
        refused = Counter(self.refused)
        for one in self.peers.values():
            total.update(one.counts)
            refused.update(one.refused)
        names = (
            "entries_in",
            "entries_out",
            "duplicates",
            "resent",
            "bytes_in",
            "bytes_out",
            "blob_bytes_in",
            "blob_bytes_out",
            "relayed",
            "sessions",
        )
        return {**{name: total[name] for name in names}, "refused": dict(refused)}

    def backlog(self) -> dict[str, int]:
        """Entries and range statements that neighbours still lack, and blobs that are missing here."""
        up = sum(one.backlog()[0].total() for one in self.peers.values() if one.up)
        down = sum(one.backlog()[0].total() for one in self.peers.values() if not one.up)
        partial = sum(1 for need in self.fetcher.needs.values() if need.have)
        owed = sum(one.owed for one in self.peers.values())
        return {"to_parent": up, "to_children": down, "receipts_due": owed, "blobs_wanted": len(self.fetcher.needs), "blobs_partial": partial}
