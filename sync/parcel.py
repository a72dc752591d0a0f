"""What goes on a stick for a neighbour, and what becomes of what came on one: a line whose two ends are never there at once.

**Packing** follows the line's own rules (:mod:`sync.peer`): chains whose span holds the neighbour, trust before urgent before ordinary, then
attachments; range statements toward the authors of their chains. How far the neighbour holds a chain is known from its own stick, else from its
range statements; what it may hold already is sent again rather than left out, for the ledger takes nothing twice.

**Unpacking** gives every frame to the ledger as a courier would: it verifies, commits and signs that it holds. What does not fit (a gap, a closed
chain) is named and stops its own chain only. What the neighbour said it holds and lacks is kept, for the answer.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from node import certs, clock, identity, keys
from node.blobs import Blobs
from node.client import Ledger
from node.codec import Natural, Value, pack, unpack
from node.directory.entries import Node
from node.directory.tree import Tree
from node.entry import LANES, Header, Hold, Lane, header_hash
from node.errors import Gap, Missing, NodeError, Operator, Refused, Unreachable
from node.requests import Batch
from node.seal import StorageKey
from node.settings import Settings
from sync import frames, span, stick
from sync.peer import BATCH, Line, Self
from sync.store import line_of, look

T = TypeVar("T")
F = TypeVar("F", bound=frames.Frame)
MOST_TOLD = 100_000
"Chains that a stick says are held, and attachments that it asks for; what lies beyond is sent again, or asked for the next time."
AHEAD = 24 * 3600 * 1000
"Milliseconds by which a word may be ahead of this node's clock and still count as the last one: what is dated later would stand for ever."
MOST = 256 * 2**30
"Bytes of one stick when nothing else was said."


class Heard(Value, frozen=True):
    """What a neighbour said on its last stick."""

    at: Natural
    "Its clock, milliseconds since 1970 UTC."
    chains: tuple[frames.Position, ...]
    wants: tuple[frames.Want, ...]


@dataclass
class Load:
    """What goes on a stick."""

    most: int
    bytes: int = 0
    entries: int = 0
    receipts: int = 0
    blobs: int = 0
    more: bool = False
    "Whether something had to stay behind."

    def room(self) -> bool:
        """Whether there is room for more; asked only when there is more."""
        self.more = self.more or self.bytes >= self.most
        return not self.more


@dataclass
class Unpacked:
    """What came of a stick."""

    sender: str
    "Node id."
    at: int
    "When it was packed, by the sender's clock."
    entries: int = 0
    "New entries."
    known: int = 0
    "Entries that were here already."
    receipts: int = 0
    "New range statements."
    blobs: int = 0
    "Attachments that became whole."
    snags: dict[bytes, NodeError] = field(default_factory=dict)
    "Why nothing more of a chain, or nothing of an attachment, was taken."

    def snag(self, what: bytes, error: NodeError) -> None:
        """Note why something was not taken; without its traceback, which would keep the whole frame."""
        if len(self.snags) >= MOST_TOLD:
            raise error
        error.__cause__ = error.__context__ = None
        self.snags[what] = error.with_traceback(None)


class Parcel:
    """One node's side of what it exchanges with its neighbours by stick."""

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        self.settings, self.ledger, self.blobs = settings, ledger, Blobs(settings)
        self.me = Self(node=settings.id, certs=tuple(map(certs.der, identity.own_chain(settings))), root=identity.root_of(settings))
        self.above = settings.parent.id if settings.parent else ""
        self._look()

    def _look(self) -> None:
        self.nodes = {node.id: node for node in self.ledger.nodes()}
        parents = {node.id: node.parent or None for node in self.nodes.values()}
        self.tree = Tree(parents | {self.me.node: self.above or None})
        self.lines = {chain.id: line_of(chain) for chain in self.ledger.chains()}
        self.lacking = {blob.sha: blob.size for blob in self.ledger.wanted()}

    def neighbour(self, wanted: str = "") -> Node:
        """The node directly above or below with an id, a code or a name, the one above by default; :class:`~node.errors.Missing` names all."""
        near = [node for node in self.nodes.values() if not node.closed and (node.parent == self.me.node or node.id == self.above)]
        found = [node for node in near if (wanted or self.above) in (node.id, node.code, node.name)]
        if len(found) != 1:
            names = ", ".join(f"{node.name} ({node.id})" for node in near)
            hint = "unpack a stick from there first" if wanted in ("", self.above) else "--to ID"
            raise Missing(f"not known directly above or below this node: {wanted or self.above or '-'}; known: {names or 'none'}", hint=hint)
        return found[0]

    # --- packing ------------------------------------------------------------------------------------------------

    def pack(self, to: Node, out: Path, most: int = MOST) -> Load:
        """Write what a neighbour lacks to a new file, up to about ``most`` bytes."""
        load = Load(most)
        stick.write(out, self.me, self.settings.city, to, lambda data: self.ledger.sign("stick", data), self._told(to, load))
        return load

    def _told(self, to: Node, load: Load) -> Iterator[bytes]:
        heard = self._heard(to.id)
        holds = tuple(self._holds())
        wants = {want.sha: want.offset for want in heard.wants} if heard else {}
        "Attachments that the neighbour lacks, and from where on."
        for frame in itertools.chain(
            self._haves(to),
            self._wants(),
            self._receipts(to, holds, load),
            self._entries(to, self._held_by(to, heard, holds), wants, load),
            self._attachments(wants, load),
        ):
            load.bytes += len(frame)
            yield frame

    def _goes(self, line: Line, to: Node) -> bool:
        return line.count > 0 and line.frozen != "fork" and span.goes(self.tree, line, to.id, up=to.id == self.above)

    def _haves(self, to: Node) -> Iterator[bytes]:
        held = [frames.Position(line.id, line.count, line.hash) for line in self.lines.values() if self._goes(line, to)]
        for part in _parts(held, frames.MAX_POSITIONS):
            yield frames.write(frames.Have(part, False))

    def _wants(self) -> Iterator[bytes]:
        for sha, size in self.lacking.items():
            yield frames.write(frames.Want(sha, self.blobs.have(sha, size), frames.CHUNK))

    def _holds(self) -> Iterator[Hold]:
        upto, page = self.ledger.holds(0)
        while page:
            yield from page
            upto, page = self.ledger.holds(upto)

    def _receipts(self, to: Node, holds: Iterable[Hold], load: Load) -> Iterator[bytes]:
        for part in _parts([hold for hold in holds if self._toward(hold, to)], frames.MAX_HOLDS):
            load.receipts += len(part)
            yield frames.write(frames.Holds(part))

    def _toward(self, hold: Hold, to: Node) -> bool:
        line = self.lines.get(hold.chain)
        return line is not None and hold.holder != to.id and self.tree.toward(self.me.node, line.author) == to.id

    def _held_by(self, to: Node, heard: Heard | None, holds: Iterable[Hold]) -> dict[bytes, int]:
        """How far a neighbour holds each chain by its last word: that of its stick, or a later range statement."""
        if heard is None:  # what comes from there is there
            told = {line.id: line.count for line in self.lines.values() if self.tree.toward(self.me.node, line.author) == to.id}
        else:
            told = {position.chain: position.count for position in heard.chains if self._ours(position, to)}
        for hold in holds:
            if hold.holder == to.id and (heard is None or heard.at < hold.at < clock.ms() + AHEAD):
                told[hold.chain] = max(told.get(hold.chain, 0), hold.seq + 1)
        return told

    def _ours(self, position: frames.Position, to: Node) -> bool:
        """Whether what a neighbour says it holds is what is held here; it may hold more only of what comes from its side."""
        line = self.lines.get(position.chain)
        if line is None or position.count > line.count:
            return line is not None and self.tree.toward(self.me.node, line.author) == to.id
        last = self.ledger.read(position.chain, position.count - 1, 1) if position.count else None
        return last is not None and header_hash(last.entries[0][0]) == position.hash

    def _entries(self, to: Node, held: dict[bytes, int], wants: dict[bytes, int], load: Load) -> Iterator[bytes]:
        going = [line for line in self.lines.values() if self._goes(line, to)]
        for line in sorted(going, key=lambda line: LANES.index(line.lane)):
            start = held.get(line.id, 0)
            while start < line.count and load.room() and (batch := self.ledger.read(line.id, start, BATCH)) is not None:
                yield frames.entries(line.id, start, len(batch.entries), line.lane, pack(batch))
                start += len(batch.entries)
                load.entries += len(batch.entries)
                for raw, _ in batch.entries:
                    wants |= {blob.sha: 0 for blob in unpack(raw, Header).attachments if blob.sha not in wants}

    def _attachments(self, wants: dict[bytes, int], load: Load) -> Iterator[bytes]:
        for sha, offset in wants.items():
            size = self.blobs.size(sha) if self.blobs.has(sha) else 0
            while offset < size and load.room():
                data = self.blobs.read(sha, offset, frames.CHUNK)
                yield frames.write(frames.Chunk(sha, offset, data))
                offset += len(data)
                load.blobs += offset == size

    # --- unpacking ----------------------------------------------------------------------------------------------

    def unpack(self, file: Path) -> Unpacked:
        """Take what came on a stick. What was taken stays, whatever is wrong with what follows it."""
        with stick.opened(file, self.me, self.settings.city, self._key) as (cover, told):
            if cover.sender != self.above and self.tree.parent(cover.sender) != self.me.node:
                raise Refused(f"node {cover.sender}, which packed this, is not directly above or below this node", code="wrong_node")
            if (sender := self.nodes.get(cover.sender)) is not None and sender.closed:
                raise Refused(f"node {cover.sender}, which packed this, was closed or its certificate revoked", code="closed")
            done = Unpacked(cover.sender, cover.at)
            chains: list[frames.Position] = []
            wants: list[frames.Want] = []
            for frame in told:
                match frame:
                    case frames.Have():
                        chains += frame.chains[: MOST_TOLD - len(chains)]
                    case frames.Want() if len(wants) < MOST_TOLD:
                        wants.append(frame)
                    case _:
                        self._take(frame, done)
            self._keep(done.sender, Heard(cover.at, tuple(chains), tuple(wants)))
        return done

    def _key(self) -> StorageKey:
        return StorageKey(keys.read_secret(self.settings.path("keys", "storage.key")))

    def _take(self, frame: frames.Frame, done: Unpacked) -> None:
        match frame:
            case frames.Holds():
                done.receipts += self.ledger.held(frame.holds)
            case frames.Entries() if frame.chain not in done.snags:
                self._try(self._batch, frame, frame.chain, done)
            case frames.Chunk() if frame.sha not in done.snags:
                self._try(self._chunk, frame, frame.sha, done)

    def _try(self, act: Callable[[F, Unpacked], None], frame: F, what: bytes, done: Unpacked) -> None:
        try:
            act(frame, done)
        except (Unreachable, Operator):  # the same for every chain: to be mended, and the stick read again
            raise
        except NodeError as error:
            done.snag(what, error)

    def _batch(self, frame: frames.Entries, done: Unpacked) -> None:
        batch = frames.batch_of(frame)
        seen = look(batch)
        line = self.lines.get(seen.chain)
        if line is None and seen.start:
            raise Gap(f"entries {seen.start} on of a chain whose beginning is not here")
        if not span.welcome(self.tree, line or seen, self.me.node):
            raise Refused("a chain that is not for this node", code="out_of_span")
        taken = self.ledger.take(unpack(batch, Batch), done.sender)
        self.lacking |= {blob.sha: blob.size for blob in taken.attachments}
        done.entries += taken.fresh
        done.known += seen.count - taken.fresh
        if taken.chain.lane is Lane.TRUST and taken.fresh:
            self._look()  # there may be new nodes in it
        else:
            self.lines[taken.chain.id] = line_of(taken.chain)

    def _chunk(self, chunk: frames.Chunk, done: Unpacked) -> None:
        """Write the next part of an attachment that entries here name; parts that are here already are passed over."""
        size = self.lacking.get(chunk.sha, 0)
        here = self.blobs.have(chunk.sha, size) if size else 0
        if not chunk.offset <= here < min(size, chunk.offset + len(chunk.data)):
            return
        if self.blobs.write(chunk.sha, size, here, chunk.data[here - chunk.offset :]):
            del self.lacking[chunk.sha]
            self.ledger.arrived(chunk.sha)
            done.blobs += 1

    # --- what a neighbour said last -----------------------------------------------------------------------------

    def _heard(self, node: str) -> Heard | None:
        """Its last word; None without one, or when its clock or this one's is wrong: then more is sent than is needed, and nothing is lost."""
        try:
            heard = unpack(self.settings.path("sticks", node).read_bytes(), Heard)
        except (FileNotFoundError, NodeError):
            return None
        return heard if heard.at < clock.ms() + AHEAD else None

    def _keep(self, node: str, heard: Heard) -> None:
        before = self._heard(node)
        if heard.at < clock.ms() + AHEAD and (before is None or heard.at > before.at):
            self.settings.path("sticks").mkdir(mode=0o700, exist_ok=True)
            keys.write_secret(self.settings.path("sticks", node), pack(heard))


def _parts(values: Sequence[T], most: int) -> Iterator[tuple[T, ...]]:
    for start in range(0, len(values), most):
        yield tuple(values[start : start + most])
