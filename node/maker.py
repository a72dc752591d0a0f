"""Making the snapshot of a node (:mod:`node.snapshot`): by the ledger, between its other work, one part at a time.

**When.** When the journal has grown by a quarter since the last one, and is large enough that a newcomer gains by it.

**What stays.** Parts that are full stay as they are for ever, since entries never change; only the small ones at the end are made anew with what has
come since. What the last list named is kept until the next but one, for those who are still fetching.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from node import keys, logs, schema
from node.blobs import Blobs
from node.chain import State
from node.codec import pack, unpack
from node.directory.tree import Tree
from node.entry import Lane, Scope
from node.errors import NodeError
from node.journal import Journal
from node.notary import Notary
from node.requests import Batch
from node.settings import Settings
from node.snapshot import FOLDER, VERSION, Manifest, Offer, Part, Snapshot, files, least, ranges, signed, squeeze

log = logs.named("snapshot")
BATCH, PLAIN = 128 * 1024, 2 * 1024 * 1024
"Bytes of one batch in a part, and of all of them at which it is closed, about; before compression."
FULL = PLAIN // 8
"Compressed bytes from which a part is never made anew."
GROWN = 1.25
"How much longer the journal must be than the last snapshot for another to be made."
_RANK = {Lane.TRUST: 0, Lane.URGENT: 1, Lane.ORDINARY: 2}


@dataclass
class _Open:
    """A part that is being filled."""

    batches: list[Batch] = field(default_factory=list)
    size: int = 0


class Maker:
    """Makes the snapshots of one node, and knows the last one."""

    def __init__(
        self, settings: Settings, journal: Journal, notary: Notary, read: Callable[[bytes, int, int], Batch | None], now: Callable[[], int]
    ) -> None:
        self.settings, self.journal, self.notary, self._read, self._now = settings, journal, notary, read, now
        self._index = settings.path(FOLDER, "current")
        self.parts: tuple[Part, ...] = ()
        self.offer = Offer()
        self._round: Iterator[None] | None = None
        self._tried = 0
        "Entries there were when one was last begun, whatever became of it."
        self._load()

    def _load(self) -> None:
        """What was made before this start; nothing when it cannot be read, since it can be made again."""
        try:
            self.offer = unpack(self._index.read_bytes(), Offer)
            found = unpack(files(self.settings).path(self.offer.sha).read_bytes(), Snapshot)
            self.parts = unpack(found.manifest, Manifest).parts
        except (OSError, NodeError):
            self.offer, self.parts = Offer(), ()

    def shared(self) -> list[State]:
        """Chains that every node below may see, in the order in which they are packed."""
        here = self.notary.here
        tree = self.notary.directory.tree() if self.notary.directory is not None else Tree()
        above = {here, *tree.ancestors(here)}
        seen = [s for s in self.journal.chains.values() if s.frozen != "fork" and s.count and _for_below(s, above)]
        return sorted(seen, key=lambda s: (_RANK[s.lane], s.no))

    def step(self) -> bool:
        """Make one part of a snapshot that is due; False when there is nothing to do for now."""
        if self._round is None:
            if not self.settings.listen or not self._due():
                return False
            self._round = self._make()
        try:
            if next(self._round, self) is not self:
                return True
        except OSError as error:  # no room on the disk: whoever needs it later comes entry by entry
            log.error("snapshot.failed", error=str(error))
        self._round = None
        return False

    def _due(self) -> bool:
        total = sum(s.count for s in self.shared())
        due = total >= least(self.settings) and total >= GROWN * max(self.offer.entries, self._tried)
        self._tried = total if due else self._tried
        return due

    def _make(self) -> Iterator[None]:
        doubted, chains = self._doubted(), self.shared()
        parts, covered = self._kept(chains)
        total, part = sum(covered.values()), _Open()
        for state in chains:
            at, end = covered.get(state.id, 0), state.count
            while at < end and (batch := self._batch(state, at)) is not None:
                part.batches.append(batch)
                part.size += sum(len(header) + len(body) for header, body in batch.entries)
                at += len(batch.entries)
                total += len(batch.entries)
                if part.size >= PLAIN:
                    parts.append(self._close(part, doubted))
                    part = _Open()
                    yield
        if part.batches:
            parts.append(self._close(part, doubted))
        self._publish(tuple(parts), total)
        yield

    def _kept(self, chains: Sequence[State]) -> tuple[list[Part], dict[bytes, int]]:
        """Full parts of the last snapshot that go on where those before them end, and how far they reach in each chain."""
        held, kept, blobs = {s.id for s in chains}, [], files(self.settings)
        covered: dict[bytes, int] = {}
        for part in self.parts:
            follows = all(one.chain in held and one.start == covered.get(one.chain, 0) for one in part.ranges)
            if part.size >= FULL and follows and _sound(blobs, part.sha):
                kept.append(part)
                covered |= {one.chain: one.start + one.count for one in part.ranges}
        return kept, covered

    def _batch(self, state: State, at: int) -> Batch | None:
        """The next batch of a chain; None where it has rotted, or has no head yet."""
        try:
            return self._read(state.id, at, BATCH)
        except NodeError:
            return None

    def _doubted(self) -> dict[bytes, list[int]]:
        """Places whose signature does not hold or was not checked."""
        chains = {s.no: s.id for s in self.journal.chains.values()}
        found: dict[bytes, list[int]] = {}
        with self.journal.asking() as c:
            for table in (schema.REFUSED, schema.PARKED):
                held = select(schema.ENTRIES.c.chain, schema.ENTRIES.c.seq).join(table, table.c.number == schema.ENTRIES.c.number)
                for no, seq in c.execute(held):
                    found.setdefault(chains[no], []).append(seq)
        return found

    def _close(self, part: _Open, doubted: dict[bytes, list[int]]) -> Part:
        sha, size = files(self.settings).put([squeeze(part.batches)])
        held = ranges(part.batches)
        places = tuple((one.chain, seq) for one in held for seq in doubted.get(one.chain, ()) if one.start <= seq < one.start + one.count)
        return Part(sha, size, held, places)

    def _publish(self, parts: tuple[Part, ...], entries: int) -> None:
        manifest = pack(Manifest(VERSION, self.settings.city, self.notary.here, self._now(), entries, parts))
        own = self.notary.certs_of(self.notary.here)
        sha, size = files(self.settings).put([pack(Snapshot(manifest, keys.sign(self.notary.identity, signed(manifest)), own))])
        before = {self.offer.sha, *(part.sha for part in self.parts)}
        self.offer, self.parts = Offer(sha, size, entries), parts
        keys.write_secret(self._index, pack(self.offer))
        self._sweep({sha, *(part.sha for part in parts)} | before)
        log.info("snapshot.made", entries=entries, parts=len(parts))

    def _sweep(self, needed: set[bytes]) -> None:
        blobs = files(self.settings)
        for sha in blobs.all():
            if sha not in needed:
                blobs.path(sha).unlink(missing_ok=True)


def _sound(blobs: Blobs, sha: bytes) -> bool:
    """Whether a file is here and still what was written."""
    try:
        for _ in blobs.open(sha):
            pass
    except (NodeError, OSError):
        return False
    return True


def _for_below(state: State, above: set[str]) -> bool:
    return state.audience.scope is Scope.ALL or (state.audience.scope is Scope.DOWN and state.author in above)
