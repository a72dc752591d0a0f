"""The journal: chains and entries in a database, appended, taken from neighbours, read on.

**Normal path.** A batch is verified whole in memory (links, digests, one signature over its end), then inserted; nothing of a
batch that fails is written. What is already here is compared and skipped.

**When something is wrong.** A *gap*: the batch begins after what is held; :class:`Gap`, ask again. A *fork*: a signed head over
another entry at a held place; the proof is kept, the chain frozen, :class:`Fork`. A *forgery*: anything else that does not
verify; :class:`Forged`, nothing written.

Invariants: positions are dense; stored bytes are the received bytes; no row is changed after it is written but for a chain's end.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

from sqlalchemy import Connection, Engine, func, insert, select, update

from node import clock, keys, schema
from node import entry as said
from node.chain import Row, State, check_body, links, log_of
from node.codec import LATEST, base32
from node.entry import Attachment, Audience, Head, Hold, Lane, Opening, Scope
from node.errors import Forged, Fork, Gap, Invalid, Missing, Untrusted
from node.keys import PublicKey
from node.requests import Batch, Chain, Found, Place
from node.rot import Rot

Opens = Callable[[Opening, bytes, bytes, bytes, Sequence[bytes]], None]
"""(opening, its chain, signature, what was signed, certificates that came along): raises unless the author's identity signed it."""

_ID = re.compile("[a-z2-7]{26}")


class Journal:
    """Chains and entries of one node. Methods that write take the connection of the caller's transaction."""

    def __init__(self, engine: Engine, *, city: str, opens: Opens, here: str = "") -> None:
        """``here`` is the node whose journal it is; empty where only others' open logs are kept."""
        self.engine, self.here, self.city, self._opens = engine, here, city, opens
        schema.META.create_all(engine)
        self._writer = engine.connect()
        self.chains: dict[bytes, State] = {}
        self._by_no: dict[int, State] = {}
        self._grown: dict[bytes, State] = {}
        "Chains in the order of their marks."
        self._keys: dict[bytes, PublicKey] = {}
        self.forked: set[bytes] = set()
        "Chains into which nothing more is taken because of a fork, whether they are here or not."
        self.rot = Rot()
        self.load()

    def close(self) -> None:
        """Close every file."""
        self._writer.close()
        self.engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A transaction on the connection of the one thread that writes; it stays open between them."""
        with self._writer.begin():
            yield self._writer

    @contextmanager
    def asking(self) -> Iterator[Connection]:
        """The same connection for questions of the same thread."""
        try:
            yield self._writer
        finally:
            self._writer.rollback()
            self._writer.connection.rollback()  # what went past SQLAlchemy began a transaction of the driver's

    def load(self) -> None:
        """Read what is on disk; after a failed transaction memory follows it again."""
        with self.engine.connect() as c:
            rows = c.execute(select(schema.CHAINS)).all()
            self.last = c.execute(select(func.coalesce(func.max(schema.ENTRIES.c.number), 0))).scalar_one()
            self.released = c.execute(select(func.coalesce(func.max(schema.RELEASED.c.at), 0))).scalar_one()
            closed = {row.chain: row._mapping["count"] for row in c.execute(select(schema.CLOSED))}
            self.mark = max((r.mark for r in rows), default=0)
            self.forked = set(c.scalars(select(schema.FORKS.c.chain)))
        self.chains, self._by_no, self._grown = {}, {}, {}
        for r in rows:
            self._keep(
                State(
                    r.no,
                    r.id,
                    r.author,
                    Audience(Scope(r.scope), r.node),
                    Lane(r.lane),
                    r.epoch,
                    r.epoch_key,
                    r.opened,
                    r._mapping["count"],  # a row's own count is a method
                    r.hash,
                    r.frozen,
                    r.mark,
                    closed.get(r.no, -1),
                )
            )
        self._grown = dict(sorted(self._grown.items(), key=lambda item: item[1].mark))

    def _keep(self, state: State) -> None:
        self.chains[state.id] = state
        self._by_no[state.no] = state
        self._grown[state.id] = state

    def _touch(self, state: State) -> None:
        """A chain has changed: it is the last of those that have."""
        self.mark += 1
        state.mark = self.mark
        self._grown[state.id] = self._grown.pop(state.id, state)

    def chain(self, id: bytes) -> State:
        """The chain of an id, or :class:`Missing`."""
        try:
            return self.chains[id]
        except KeyError:
            raise Missing(f"no chain {base32(id)} here") from None

    # --- writing ------------------------------------------------------------------------------------------------

    def open(self, c: Connection, row: Row, opening: Opening) -> State:
        """Write the opening of a chain."""
        values = {
            "id": row.hash,
            "author": opening.author,
            "scope": str(opening.audience.scope),
            "node": opening.audience.node,
            "lane": str(opening.lane),
            "epoch": opening.epoch,
            "epoch_key": opening.epoch_key,
            "opened": opening.opened,
            "count": 0,
            "hash": row.hash,
            "frozen": "",
            "mark": self.mark + 1,
        }
        no = c.execute(insert(schema.CHAINS).values(**values)).inserted_primary_key[0]  # type: ignore[index]
        state = State(
            no, row.hash, opening.author, opening.audience, opening.lane, opening.epoch, opening.epoch_key, opening.opened, 0, row.hash, "", 0
        )
        self._keep(state)
        self._touch(state)
        self._close_former(c, state, opening)
        return state

    def _close_former(self, c: Connection, state: State, opening: Opening) -> None:
        """A later opening closes the chains it names: at what their author declares or anybody held, whichever is more."""
        for known in opening.previous:
            former = self.chains.get(known.chain)
            if former is None or former is state or (former.author, former.audience, former.lane) != state.log[:3]:
                continue
            count = max(known.count, former.count, former.closed, self.vouched(c, former))
            schema.CLOSE.many(c, [(former.no, known.count, count, clock.ms())])
            former.closed = count
            self._touch(former)

    def vouched(self, c: Connection, state: State) -> int:
        """Up to how many entries of a chain somebody else than its author said to hold."""
        last = schema.VOUCHED(c, state.no, state.author)[0][0]
        return 0 if last is None else int(last) + 1

    def append(self, c: Connection, state: State, rows: Sequence[Row], *, here: bool = False) -> list[int]:
        """Write entries at the end of a chain; their local numbers. ``here`` says that the blobs they name are on this disk."""
        if not rows:
            return []
        self._touch(state)
        numbers = list(range(self.last + 1, self.last + len(rows) + 1))
        schema.ADD_ENTRY.many(c, [(n, state.no, r.header.seq, r.hash, r.raw, r.body) for n, r in zip(numbers, rows, strict=True)])
        self.last += len(rows)
        state.count, state.hash = rows[-1].header.seq + 1, rows[-1].hash
        schema.GROW.many(c, [(state.count, state.hash, state.mark, state.no)])
        schema.WANT.many(c, [(a.sha, a.size, here) for r in rows for a in r.header.attachments])
        return numbers

    def head(self, c: Connection, state: State, seq: int, signature: bytes) -> None:
        """Keep a head."""
        schema.ADD_HEAD.many(c, [(state.no, seq, signature)])

    def take(self, c: Connection, batch: Batch, came: str = "") -> tuple[State, list[int], list[Row]]:
        """Verify a batch and write what is new of it: (chain, local numbers, rows). ``came`` is the node that brought it."""
        state = self.chains.get(batch.chain)
        if state is not None and state.frozen:
            raise Fork(f"chain {base32(batch.chain)} is closed to new entries: {state.frozen}", code=state.frozen)
        if batch.chain in self.forked:
            raise Fork(f"chain {base32(batch.chain)} is closed to new entries: fork")
        have = state.count if state is not None else 0
        if batch.start > have:
            raise Gap(f"chain {base32(batch.chain)} is held to {have}, the batch begins at {batch.start}")
        rows = links(batch)
        opening = self._admit(batch, rows[0]) if state is None else None
        twin = None if opening is None else next((s for s in self.chains.values() if s.log == log_of(opening)), None)
        key = self._epoch_key(state.epoch_key if state is not None else opening.epoch_key)  # type: ignore[union-attr]
        self._check_head(batch, rows, key)
        if twin is not None:
            self._fork(twin, batch, 0)
        if state is not None:
            self._check_join(c, state, batch, rows)
        fresh = rows[have - batch.start :]
        if state is not None and fresh:
            self._check_closed(c, state, batch.start + len(rows), came)
        if not fresh:
            return self.chains[batch.chain], [], []
        for row in fresh:
            check_body(row)
        if state is None:
            assert opening is not None
            state = self.open(c, rows[0], opening)
        numbers = self.append(c, state, fresh)
        self.head(c, state, batch.head.seq, batch.head.signature)
        return state, numbers, fresh

    def _admit(self, batch: Batch, first: Row) -> Opening:
        """The opening of a chain not seen before, its author known and its signature checked."""
        if first.hash != batch.chain or first.header.seq:
            raise Forged("a chain is named by the hash of its opening", code="bad_hash")
        check_body(first)
        opening, raw, signature = said.read_opening(first.body)
        if opening.city != self.city:
            raise Untrusted("the chain belongs to another city", code="scope")
        if not _ID.fullmatch(opening.author) or not _ID.fullmatch(opening.audience.node or opening.author) or opening.opened > LATEST:
            raise Invalid("an opening names nodes by their ids, and a time before the year 9999", code="malformed")
        if opening.audience.scope is Scope.SELF and opening.author != (self.here or opening.author):
            raise Untrusted("a node's own log is for nobody else", code="scope")
        self._opens(opening, batch.chain, signature, said.opening_signed(raw), batch.certs)
        return opening

    def _epoch_key(self, raw: bytes) -> PublicKey:
        if raw not in self._keys:
            self._keys[raw] = keys.from_raw(raw)
        return self._keys[raw]

    def _check_head(self, batch: Batch, rows: Sequence[Row], key: PublicKey) -> None:
        head, last = batch.head, rows[-1]
        if head.chain != batch.chain or head.seq != last.header.seq or head.hash != last.hash:
            raise Forged("the head names another entry than the batch ends with", code="bad_hash")
        keys.verify(key, head.signature, said.head_signed(head.chain, head.seq, head.hash))

    def _check_join(self, c: Connection, state: State, batch: Batch, rows: Sequence[Row]) -> None:
        """Compare what is held with what came, whose head is known to be the author's, and put right what had rotted."""
        mended, other = self.rot.join(c, state, batch, rows)
        if mended:
            self._touch(state)  # what waits to be sent on may go now
        if other is not None:
            self._fork(state, batch, other)

    def _check_closed(self, c: Connection, state: State, end: int, came: str) -> None:
        """What its author brings behind the end of a closed chain must have been held by somebody else: else a copy, or a stolen key, wrote it."""
        if 0 <= state.closed < end and came == state.author != self.here and self.vouched(c, state) < end:
            raise Untrusted(f"chain {base32(state.id)} was closed at {state.closed}", code="closed")

    def _fork(self, state: State, batch: Batch, seq: int) -> NoReturn:
        place = said.position(state.author, state.id, seq)
        raise Fork(f"two different entries are signed for {place}", hint="yiwang trust forks", state=state, batch=batch, seq=seq)

    def freeze(self, c: Connection, chains: Iterable[bytes]) -> None:
        """Take nothing more into these chains, because of a fork."""
        for id in chains:
            self.forked.add(id)
            state = self.chains.get(id)
            if state is not None:
                state.frozen = "fork"
                self._touch(state)
                c.execute(update(schema.CHAINS).where(schema.CHAINS.c.no == state.no).values(frozen="fork", mark=state.mark))

    # --- reading ------------------------------------------------------------------------------------------------

    def read(self, c: Connection, state: State, start: int, limit: int) -> Batch | None:
        """Entries from ``start``, about ``limit`` bytes but at least to the next head; None when there are none."""
        if start >= state.count:
            return None
        heads = dict(schema.HEADS_FROM(c, state.no, start, max(2, limit // 300)))
        if not heads:
            return None
        last = self._end(c, state, start, limit, list(heads))
        rows = schema.ENTRIES_OF(c, state.no, start, last)
        self.rot.check(state, start, rows, last)
        return Batch(state.id, start, tuple((header, body) for header, body, _ in rows), Head(state.id, last, rows[-1][2], heads[last]))

    def _end(self, c: Connection, state: State, start: int, limit: int, heads: Sequence[int]) -> int:
        """The last head before which about ``limit`` bytes lie, or the first one."""
        if len(heads) == 1:
            return heads[0]
        reach, total = start - 1, 0
        for seq, size in schema.SIZES(c, state.no, start, heads[-1], max(1, limit // 300)):
            total += size
            if total > limit and seq > start:
                break
            reach = seq
        return next((seq for seq in reversed(heads) if seq <= reach), heads[0])

    def found(self, c: Connection, state: State, start: int, stop: int) -> list[Found]:
        """Entries of a chain in [start, stop)."""
        rows = c.execute(
            select(schema.ENTRIES)
            .where(schema.ENTRIES.c.chain == state.no, schema.ENTRIES.c.seq >= start, schema.ENTRIES.c.seq < stop)
            .order_by(schema.ENTRIES.c.seq)
        )
        return [Found(r.number, state.id, state.author, r.seq, r.hash, r.header, r.body) for r in rows]

    def after(self, c: Connection, since: int, last: int, limit: int) -> list[Found]:
        """Entries whose local numbers lie after one and not after another, in their order."""
        rows = schema.ENTRIES_AFTER(c, since, last, limit)
        states = [self._by_no[row[1]] for row in rows]
        return [Found(row[0], state.id, state.author, *row[2:]) for row, state in zip(rows, states, strict=True)]

    def by_numbers(self, c: Connection, numbers: Sequence[int]) -> list[Found]:
        """Entries by their local numbers, in that order."""
        held: dict[int, Found] = {}
        for number, no, seq, hash, header, body in schema.ENTRIES_AT.among(c, numbers):
            state = self._by_no[no]
            held[number] = Found(number, state.id, state.author, seq, hash, header, body)
        return [held[n] for n in numbers]

    def released_among(self, c: Connection, ids: Sequence[bytes]) -> set[bytes]:
        """Those of these statements that are released."""
        return {sid for (sid,) in schema.RELEASED_OF.among(c, ids)}

    def places(self, c: Connection, sid: bytes) -> tuple[Place, ...]:
        """Where a statement stands."""
        released = select(schema.RELEASED.c.number).where(schema.RELEASED.c.sid == sid)
        numbers = sorted(c.scalars(select(schema.SAID.c.number).where(schema.SAID.c.sid == sid).union(released)))
        return tuple(Place(self.chains[f.chain].audience, f.author, f.chain, f.seq, f.hash) for f in self.by_numbers(c, numbers))

    def known(self, author: str, audience: Audience, lane: Lane) -> list[State]:
        """Chains of one log, oldest first."""
        return [s for s in self.chains.values() if s.author == author and s.audience == audience and s.lane == lane]

    def changed(self, since: int) -> tuple[int, tuple[Chain, ...]]:
        """(mark, chains that grew after ``since``)."""
        fresh = itertools.takewhile(lambda s: s.mark > since, reversed(self._grown.values()))
        return self.mark, tuple(s.chain() for s in fresh)[::-1]

    # --- range statements ---------------------------------------------------------------------------------------

    def hold(self, c: Connection, hold: Hold) -> bool:
        """Keep a range statement whose signature was checked; False when it says nothing new."""
        state = self.chains.get(hold.chain)
        if state is None:
            return False
        had = schema.LAST_HOLD(c, state.no, hold.holder)[0][0]
        if had is not None and had >= hold.seq:
            return False
        schema.ADD_HOLD.many(c, [(state.no, hold.holder, hold.seq, hold.hash, hold.at, hold.signature)])
        return True

    def agrees(self, c: Connection, hold: Hold) -> bool:
        """Whether a range statement is about a chain held here, and names the entry that stands here where one does."""
        state = self.chains.get(hold.chain)
        if state is None or hold.seq >= state.count:
            return state is not None
        return schema.HASHES(c, state.no, hold.seq, hold.seq + 1) == [(hold.seq, hold.hash)]

    def holds(self, c: Connection, since: int, limit: int) -> tuple[int, tuple[Hold, ...]]:
        """(number to go on from, the last statement of each holder and chain among those after ``since``)."""
        rows = schema.HOLDS_FROM(c, since, limit)
        last = {(no, holder): (holder, self._by_no[no].id, *rest) for _, no, holder, *rest in rows}
        return (rows[-1][0] if rows else since), tuple(Hold(*values) for values in last.values())

    def hold_for(self, c: Connection, state: State, seq: int) -> tuple[Hold, ...]:
        """The first statement of each holder that covers a place, as evidence carries it."""
        firsts = (
            select(schema.HOLDS.c.holder, func.min(schema.HOLDS.c.seq).label("seq"))
            .where(schema.HOLDS.c.chain == state.no, schema.HOLDS.c.seq >= seq)
            .group_by(schema.HOLDS.c.holder)
            .subquery()
        )
        rows = c.execute(
            select(schema.HOLDS)
            .join(firsts, (schema.HOLDS.c.holder == firsts.c.holder) & (schema.HOLDS.c.seq == firsts.c.seq))
            .where(schema.HOLDS.c.chain == state.no)
        )
        return tuple(Hold(r.holder, state.id, r.seq, r.hash, r.at, r.signature) for r in rows)

    # --- small tables -------------------------------------------------------------------------------------------

    def versions(self, c: Connection, names: Iterable[str]) -> dict[str, int]:
        """The present version of each name, 0 when never written."""
        names = tuple(names)
        found = dict(schema.VERSIONS_OF.among(c, names))
        return {name: found.get(name, 0) for name in names}

    def bump(self, c: Connection, names: Iterable[str]) -> None:
        """Raise the version of names."""
        schema.BUMP.many(c, [(name, 1) for name in sorted(names)])

    def wanted(self, c: Connection) -> tuple[Attachment, ...]:
        """Blobs named here that have not arrived."""
        return tuple(Attachment(r.sha, r.size) for r in c.execute(select(schema.WANTED).where(~schema.WANTED.c.here)))

    def arrived(self, c: Connection, sha: bytes) -> None:
        """A blob is whole on disk."""
        c.execute(update(schema.WANTED).where(schema.WANTED.c.sha == sha).values(here=True))


def nameable(name: str) -> bool:
    """Whether a record or another thing with a version may be called so."""
    return 0 < len(name) <= schema.NAME and "\0" not in name
