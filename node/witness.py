"""The city's checkpoints at one node: made at the city; everywhere else checked, kept, countersigned by counties and passed down.

**The city** signs how far it holds every chain, each minute in which something came and now and then when nothing did; what it has signed
is on its disk before anybody hears of it. **A county** countersigns what it took. **Every node** keeps the last ones it saw, refuses
what cannot follow them, and keeps two that cannot both be honest as a proof.

**Withheld.** With each checkpoint comes the proof of this node's own line. What the city still lacks of an own log a quarter of an hour of the
city's time after it was first seen to lack it, somebody on the way withholds.

The cost of a checkpoint is that of the chains that are still open: one that is closed and complete stands in none any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from node import certs, clock, keys, logs, schema
from node import entry as said
from node.alarms import OLD, alarm
from node.chain import State
from node.checkpoint import (
    VERSION,
    Checkpoint,
    Cosignature,
    Mark,
    Share,
    Signed,
    Stand,
    check,
    check_share,
    checkpoint_hash,
    cosign,
    cosigners,
    sign,
    split,
)
from node.codec import Value, base32, pack, unpack
from node.directory.tree import Tree
from node.entry import Lane
from node.epochs import WEEK, Epochs
from node.errors import NodeError
from node.group import Group
from node.journal import Journal
from node.notary import Notary
from node.settings import Settings
from node.standing import READY

log = logs.named("witness")
PERIOD, QUIET = 60.0, 300.0
"Seconds between two checkpoints while something comes, and while nothing does."
KEPT, DAY = 1440, 24 * 3_600_000
"Checkpoints that are kept besides the first of each day; milliseconds of a day."
LEAP = 1000
"Numbers a city that was put back leaves out: what it said in those it forgot, it must not say otherwise."


class Sheet(Value, frozen=True):
    """What goes over a line: downward with the shares of all nodes that way, upward with what a county countersigned."""

    signed: Signed
    shares: tuple[Share, ...] = ()


class Witness:
    """What a ledger knows of checkpoints."""

    def __init__(self, settings: Settings, journal: Journal, notary: Notary, epochs: Epochs, now: Callable[[], int], *, leaps: bool) -> None:
        """``leaps`` says that this disk may have forgotten what it signed."""
        self.here, self._city, self._parent = settings.id, settings.city, settings.parent.id if settings.parent else ""
        self._countersigns = settings.tier == "county"
        self._journal, self._notary, self._epochs, self._now = journal, notary, epochs, now
        self._leaps = leaps
        self.period, self.quiet, self.limit = settings.paced(PERIOD), settings.paced(QUIET), settings.paced(OLD)
        self.root = certs.subject(notary.certs[-1]).id
        self.news = 0
        "Grows with whatever neighbours should hear."
        self._shares: dict[str, Share] = {}
        "Proofs under the last checkpoint, by author: of this node and those below."
        self._stand: Stand | None = None
        self._marked, self._made, self._ready = -1, 0.0, 0.0
        "The journal when the last one was made; by the clock that never jumps: when that was, and since when this node may write."
        self._lacking: dict[bytes, tuple[int, int]] = {}
        "Own chain to (entries the city does not hold all of, since when by the city's clock)."
        self._wrong = ("", 0)
        "Who brought a proof that does not hold, and when."
        self.load()

    def load(self) -> None:
        """Read the last one from the disk; after a failed transaction memory follows it again."""
        with self._journal.engine.connect() as c:
            held = c.scalars(select(schema.CHECKPOINTS.c.signed).order_by(schema.CHECKPOINTS.c.no.desc()).limit(1)).first()
        self.signed = unpack(held, Signed) if held else None
        self.last = unpack(self.signed.checkpoint, Checkpoint) if self.signed else None

    def requests(self) -> dict[str, Callable[..., Any]]:
        """What the ledger does about checkpoints, in the transaction of a group."""
        return {"anchor": self.heard, "checkpoint": self.make}

    # --- at the city --------------------------------------------------------------------------------------------

    def due(self, mono: float) -> bool:
        """Whether the city has one to make; not before it may write, and its counties had time to say what they saw."""
        if self.here != self.root or self._epochs.standing.state != READY:
            self._ready = 0.0
            return False
        self._ready = self._ready or mono
        waited = mono - max(self._made, self._ready)
        return waited >= self.quiet or (waited >= self.period and self._journal.mark != self._marked)

    def make(self, c: Connection, _group: Group, mono: float) -> None:
        """Sign how far everything is held now."""
        before = self.last
        leap = LEAP if self._leaps else 0
        stand = Stand((s.author, Mark(s.id, s.count - 1, s.hash)) for s in self._journal.chains.values() if _open(s))
        no = (before.no if before else 0) + 1 + leap
        made = Checkpoint(
            version=VERSION,
            city=self._city,
            no=no,
            at=max(self._now(), before.at if before else 0),
            previous=checkpoint_hash(self.signed.checkpoint) if self.signed else b"" if no == 1 else bytes(32),
            authors=stand.authors,
            root=stand.root,
            trust=self._trust(),
            calendar=self._calendar(),
        )
        self._keep(c, sign(made, self._notary.identity), made)
        self._stand, self._marked, self._made, self._leaps = stand, self._journal.mark, mono, False

    def _trust(self) -> bytes:
        own = [s for s in self._journal.chains.values() if (s.author, s.audience, s.lane) == (self.root, said.ALL, Lane.TRUST) and s.count]
        return max(own, key=lambda s: s.opened).hash if own else b""

    def _calendar(self) -> str:
        directory = self._notary.directory
        return max((f"{one.year}.{one.version}" for one in directory.calendars()), default="") if directory is not None else ""

    # --- everywhere ---------------------------------------------------------------------------------------------

    def heard(self, c: Connection, group: Group, data: bytes, came: str) -> None:
        """A neighbour has shown a checkpoint: keep it if it may follow what is known, with the proofs and countersignatures that hold."""
        sheet = unpack(data, Sheet)
        try:
            given = check(sheet.signed, self._city, self._notary.identity_of(self.root, ()))
        except NodeError:
            self._wrong = came, self._now()
            raise
        if self.signed is None or sheet.signed.checkpoint != self.signed.checkpoint:
            if not self._follows(c, group, sheet.signed, given):
                return
            self._keep(c, msgspec.structs.replace(sheet.signed, cosignatures=()), given)
            self._stand, self._shares = None, {}
        self._merge(c, sheet.signed.cosignatures)
        if came == self._parent:
            self._prove(group, given, sheet.shares, came)

    def _follows(self, c: Connection, group: Group, signed: Signed, given: Checkpoint) -> bool:
        """Whether one is the next; what cannot be honest beside one that was kept is kept as a proof."""
        table = schema.CHECKPOINTS
        for held in c.scalars(select(table.c.signed).where(table.c.no.between(given.no - 1, given.no + 1))):
            kept = unpack(held, Signed).checkpoint
            if kept == signed.checkpoint:
                return False  # a neighbour that was away shows what it saw last
            if split(kept, signed.checkpoint):
                group.refused["bad_checkpoint"] += 1
                self._accuse(c, given.no, held, pack(signed))
                return False
        if self.last is not None and (given.no < self.last.no or given.at < self.last.at):
            group.refused["old_checkpoint" if given.no < self.last.no else "time_reversed"] += 1
            return False
        return True

    def _accuse(self, c: Connection, no: int, one: bytes, other: bytes) -> None:
        table = schema.SPLITS
        if c.execute(select(table.c.no).where(table.c.no == no)).first() is None:
            log.error("checkpoint.split", no=no)
            c.execute(insert(table).values(no=no, one=one, other=other, at=self._now()))

    def _keep(self, c: Connection, signed: Signed, given: Checkpoint) -> None:
        table = schema.CHECKPOINTS
        daily = self.last is None or self.last.at // DAY != given.at // DAY
        c.execute(insert(table).values(no=given.no, at=given.at, daily=daily, signed=pack(signed)))
        c.execute(delete(table).where(table.c.no <= given.no - KEPT, ~table.c.daily))
        self.signed, self.last = signed, given
        self.news += 1

    def _merge(self, c: Connection, given: Iterable[Cosignature]) -> None:
        """Add countersignatures of counties, the own one too, to the last checkpoint."""
        assert self.signed is not None
        known = {one.node: one for one in self.signed.cosignatures}
        counties = self._counties()
        fresh = {one.node: one for one in given if one.node in counties and one.node not in known}
        if self._countersigns and self.here not in known:
            fresh[self.here] = cosign(self.signed, self.here, self._notary.identity)
        held = cosigners(msgspec.structs.replace(self.signed, cosignatures=tuple(fresh.values())), counties) if fresh else []
        if held:
            all_ = known | {node: fresh[node] for node in held}
            self.signed = msgspec.structs.replace(self.signed, cosignatures=tuple(all_[node] for node in sorted(all_)))
            assert self.last is not None
            c.execute(update(schema.CHECKPOINTS).where(schema.CHECKPOINTS.c.no == self.last.no).values(signed=pack(self.signed)))
            self.news += 1

    def _counties(self) -> dict[str, tuple[keys.PublicKey, ...]]:
        directory = self._notary.directory
        found = {self.here: self._notary.identity_of(self.here, ())} if self._countersigns else {}
        if directory is not None:
            below = [node.id for node in directory.nodes() if node.parent == self.root and node.tier == "county" and node.id != self.here]
            found |= {id: directory.identities(id) for id in below}
        return found

    # --- own logs -----------------------------------------------------------------------------------------------

    def _prove(self, group: Group, given: Checkpoint, shares: Iterable[Share], came: str) -> None:
        """Keep the proofs that hold for this node and those below, and look how far the city holds the own logs."""
        wanted = self._tree().subtree(self.here)
        for share in shares:
            if share.line.author not in wanted or self._shares.get(share.line.author) == share:
                continue
            try:
                check_share(share, share.line.author, given)
            except NodeError as error:
                group.refused[error.code] += 1
                self._wrong = came, self._now()
                continue
            self._shares[share.line.author] = share
            self.news += 1
        self._compare(given)

    def _compare(self, given: Checkpoint) -> None:
        share = self._shares.get(self.here)
        held = {mark.chain: mark.seq + 1 for mark in share.marks} if share else {}
        lacking: dict[bytes, tuple[int, int]] = {}
        for state in self._expected():
            have = held.get(state.id, state.count if state.closed >= 0 else 0)  # what is closed and complete stands in no checkpoint
            goal, since = self._lacking.get(state.id, (0, 0))
            if have < goal:
                lacking[state.id] = goal, since
            elif have < state.count:
                lacking[state.id] = state.count, given.at
        self._lacking = lacking

    def _expected(self) -> Iterator[State]:
        """Own chains that belong at the city."""
        tree = self._tree()
        for state in self._journal.chains.values():
            if state.author == self.here and state.count and not state.frozen and tree.spans(self.here, state.audience, self.root):
                yield state

    def _tree(self) -> Tree:
        return self._notary.directory.tree() if self._notary.directory is not None else Tree({self.here: self._parent or None})

    # --- telling ------------------------------------------------------------------------------------------------

    def sheets(self) -> tuple[tuple[str, bytes], ...]:
        """(neighbour, :class:`Sheet`) for everybody who should hear of the last checkpoint."""
        if self.signed is None:
            return ()
        tree = self._tree()
        down = [(node, pack(Sheet(self.signed, tuple(self._cut(tree.subtree(node)))))) for node in tree.children(self.here)]
        own = tuple(one for one in self.signed.cosignatures if one.node == self.here)
        up = [(self._parent, pack(Sheet(msgspec.structs.replace(self.signed, cosignatures=own))))] if self._parent else []
        return (*up, *down)

    def _cut(self, authors: Iterable[str]) -> Iterator[Share]:
        for author in sorted(authors):
            share = self._stand.share(author) if self._stand else self._shares.get(author)
            if share is not None:
                yield share

    def status(self) -> dict[str, Any]:
        """The last checkpoint, in the words of the status command; empty before there is one."""
        if self.signed is None or self.last is None:
            return {}
        age = max(0, self._now() - self.last.at) // 1000
        at = clock.from_ms(self.last.at).isoformat(timespec="milliseconds")
        return {"no": self.last.no, "at": at, "age_s": age, "cosigners": [one.node for one in self.signed.cosignatures]}

    def alarms(self, c: Connection) -> Iterator[dict[str, Any]]:
        """What an operator must know: logs that do not reach the city, a city of two words, proofs that do not hold."""
        limit = int(self.limit * 1000)
        late = {id: (goal, since) for id, (goal, since) in self._lacking.items() if self.last and self.last.at - since > limit}
        if late:
            places = ", ".join(f"{base32(id)} {goal - 1}" for id, (goal, _) in sorted(late.items())[:8])
            detail = f"the city's checkpoint does not hold what this node wrote long ago: {len(late)} logs, up to {places}"
            yield alarm("withheld", "critical", self._parent, min(since for _, since in late.values()), detail)
        table = schema.SPLITS
        no, at = c.execute(select(func.max(table.c.no), func.max(table.c.at))).one()
        if at is not None and at > self._now() - WEEK:
            yield alarm("fork", "critical", self.root, at, f"the city has signed two checkpoints {no} that cannot both be honest; both are kept")
        if self._wrong[0] and self._now() - self._wrong[1] < limit:
            yield alarm(
                "relay_misbehaviour", "critical", self._wrong[0], self._wrong[1], "it showed a checkpoint, or a proof of one, that does not hold"
            )


def _open(state: State) -> bool:
    """Whether more may come of a chain: one that a later opening closed, and that is here to its end, is settled."""
    return state.count > 0 and not 0 <= state.closed <= state.count
