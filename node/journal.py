"""The journal: chains and entries in a database, appended, taken from neighbours, read on.

**Parts.** ``chains`` with what is known of each; ``entries`` in the order they came; ``heads`` where a batch may end; ``holds``, the
range statements of nodes; ``released``, the order in which entries became foldable, and ``parked``, what waits for what;
``versions`` of names, for writers who must not overlook each other; ``forks`` with their proof; ``wanted`` blobs.

**Normal path.** A batch is verified whole in memory (links, digests, one signature over its end), then inserted; nothing of a
batch that fails is written. What is already here is compared and skipped.

**When something is wrong.** A *gap*: the batch begins after what is held; :class:`Gap`, ask again. A *fork*: a signed head over
another entry at a held place; the proof is kept, the chain frozen, :class:`Fork`. A *forgery*: anything else that does not
verify; :class:`Forged`, nothing written.

Invariants: positions are dense; stored bytes are the received bytes; no row is changed after it is written but for a chain's end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite as sqlite_dialect

from node import entry as said
from node import keys
from node.client import Batch, Chain, Found, Place
from node.codec import MAX_ENTRY, base32, pack, unpack
from node.entry import Attachment, Audience, Head, Header, Hold, Lane, Opening, Scope
from node.errors import Forged, Fork, Gap, Invalid, Missing, TooLarge, Untrusted
from node.keys import PublicKey

META = MetaData()
NAME = 200
"Characters of the name of something that has a version."
BIG = BigInteger().with_variant(Integer, "sqlite")

CHAINS = Table(
    "chains",
    META,
    Column("no", BIG, primary_key=True, autoincrement=True),
    Column("id", LargeBinary(32), unique=True, nullable=False),
    Column("author", String(26), nullable=False),
    Column("scope", String(8), nullable=False),
    Column("node", String(26), nullable=False),
    Column("lane", String(8), nullable=False),
    Column("epoch", LargeBinary(32), nullable=False),
    Column("epoch_key", LargeBinary(32), nullable=False),
    Column("opened", BIG, nullable=False),
    Column("count", BIG, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("frozen", String(16), nullable=False),
    Column("mark", BIG, nullable=False, index=True),
)
ENTRIES = Table(
    "entries",
    META,
    Column("number", BIG, primary_key=True, autoincrement=False),
    Column("chain", BIG, nullable=False),
    Column("seq", BIG, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("header", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("chain", "seq"),
)
HEADS = Table(
    "heads", META, Column("chain", BIG, primary_key=True), Column("seq", BIG, primary_key=True), Column("signature", LargeBinary(64), nullable=False)
)
HOLDS = Table(
    "holds",
    META,
    Column("no", BIG, primary_key=True, autoincrement=True),
    Column("chain", BIG, nullable=False),
    Column("holder", String(26), nullable=False),
    Column("seq", BIG, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("at", BIG, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    UniqueConstraint("chain", "holder", "seq"),
)
RELEASED = Table(
    "released",
    META,
    Column("at", BIG, primary_key=True, autoincrement=False),
    Column("number", BIG, nullable=False, unique=True),
    Column("sid", LargeBinary(32), nullable=False, unique=True),
    Column("person", String(64), nullable=False),
)
SAID = Table(
    "said",
    META,
    Column("sid", LargeBinary(32), primary_key=True),
    Column("number", BIG, primary_key=True),
    comment="every place a statement stands in",
)
NONCES = Table("nonces", META, Column("nonce", LargeBinary(16), primary_key=True), Column("sid", LargeBinary(32), nullable=False))
PARKED = Table("parked", META, Column("number", BIG, primary_key=True), Column("wants", LargeBinary(32), nullable=False, index=True))
REFUSED = Table("refused", META, Column("number", BIG, primary_key=True), Column("code", String(32), nullable=False))
VERSIONS = Table("versions", META, Column("name", String(NAME), primary_key=True), Column("value", BIG, nullable=False))
FORKS = Table("forks", META, Column("chain", BIG, primary_key=True), Column("seq", BIG, nullable=False), Column("proof", LargeBinary, nullable=False))
WANTED = Table(
    "wanted", META, Column("sha", LargeBinary(32), primary_key=True), Column("size", BIG, nullable=False), Column("here", Boolean, nullable=False)
)


@dataclass
class State:
    """What is known of one chain."""

    no: int
    id: bytes
    author: str
    audience: Audience
    lane: Lane
    epoch: bytes
    epoch_key: bytes
    opened: int
    count: int
    hash: bytes
    frozen: str
    mark: int

    @property
    def log(self) -> tuple[str, Audience, Lane, bytes]:
        """Its log in its epoch, of which there is one chain."""
        return self.author, self.audience, self.lane, self.epoch

    def chain(self) -> Chain:
        """The same for other processes."""
        return Chain(self.id, self.author, self.audience, self.lane, self.count, self.hash, self.opened, self.frozen)


@dataclass(frozen=True)
class Row:
    """One entry about to be written."""

    header: Header
    raw: bytes
    body: bytes
    hash: bytes


Identity = Callable[[str, Sequence[bytes]], PublicKey | None]
"""(author, certificates that came along) to the author's identity key, or None when it is not to be believed."""

_ID = re.compile("[a-z2-7]{26}")
LATEST = 253_402_300_799_999
"The last claimed time that has a date, in milliseconds since 1970 UTC."
SPACING = 200, 512 * 1024
"Entries, and bytes, after which a long group of own entries gets a head in between."


class Journal:
    """Chains and entries of one node. Methods that write take the connection of the caller's transaction."""

    def __init__(self, engine: Engine, *, city: str, identity: Identity, here: str = "") -> None:
        """``here`` is the node whose journal it is; empty where only others' open logs are kept."""
        self.engine, self.here, self.city, self._identity = engine, here, city, identity
        META.create_all(engine)
        self.chains: dict[bytes, State] = {}
        self._by_no: dict[int, State] = {}
        self._keys: dict[bytes, PublicKey] = {}
        self.load()

    def load(self) -> None:
        """Read what is on disk; after a failed transaction memory follows it again."""
        with self.engine.connect() as c:
            rows = c.execute(select(CHAINS)).all()
            self.last = c.execute(select(func.coalesce(func.max(ENTRIES.c.number), 0))).scalar_one()
            self.released = c.execute(select(func.coalesce(func.max(RELEASED.c.at), 0))).scalar_one()
            self.mark = max((r.mark for r in rows), default=0)
        self.chains, self._by_no = {}, {}
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
                )
            )

    def _keep(self, state: State) -> None:
        self.chains[state.id] = state
        self._by_no[state.no] = state

    def chain(self, id: bytes) -> State:
        """The chain of an id, or :class:`Missing`."""
        try:
            return self.chains[id]
        except KeyError:
            raise Missing(f"no chain {base32(id)} here") from None

    # --- writing ------------------------------------------------------------------------------------------------

    def open(self, c: Connection, row: Row, opening: Opening) -> State:
        """Write the opening of a chain."""
        self.mark += 1
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
            "mark": self.mark,
        }
        no = c.execute(insert(CHAINS).values(**values)).inserted_primary_key[0]  # type: ignore[index]
        state = State(
            no, row.hash, opening.author, opening.audience, opening.lane, opening.epoch, opening.epoch_key, opening.opened, 0, row.hash, "", self.mark
        )
        self._keep(state)
        return state

    def append(self, c: Connection, state: State, rows: Sequence[Row], *, here: bool = False) -> list[int]:
        """Write entries at the end of a chain; their local numbers. ``here`` says that the blobs they name are on this disk."""
        if not rows:
            return []
        self.mark += 1
        numbers = list(range(self.last + 1, self.last + len(rows) + 1))
        c.execute(
            insert(ENTRIES),
            [
                {"number": n, "chain": state.no, "seq": r.header.seq, "hash": r.hash, "header": r.raw, "body": r.body}
                for n, r in zip(numbers, rows, strict=True)
            ],
        )
        self.last += len(rows)
        state.count, state.hash, state.mark = rows[-1].header.seq + 1, rows[-1].hash, self.mark
        c.execute(update(CHAINS).where(CHAINS.c.no == state.no).values(count=state.count, hash=state.hash, mark=state.mark))
        wanted = [{"sha": a.sha, "size": a.size, "here": here} for r in rows for a in r.header.attachments]
        if wanted:
            self._put(c, WANTED, wanted, keep=True)
        return numbers

    def head(self, c: Connection, state: State, seq: int, signature: bytes) -> None:
        """Keep a head."""
        self._put(c, HEADS, [{"chain": state.no, "seq": seq, "signature": signature}], keep=True)

    def next(self, state: State | None, body: bytes, attachments: tuple[Attachment, ...], *, after: Row | None = None) -> Row:
        """The entry that follows: at the end of a chain, or after a row not yet written; the opening when there is no chain."""
        if after is not None:
            seq, prev, chain = after.header.seq + 1, after.hash, after.header.chain or after.hash
        elif state is not None:
            seq, prev, chain = state.count, state.hash, state.id
        else:
            seq, prev, chain = 0, b"", b""
        header = Header(chain, seq, prev, said.body_digest(body), len(body), attachments)
        raw = pack(header)
        if len(raw) + len(body) > MAX_ENTRY:
            raise TooLarge(f"an entry of {len(raw) + len(body)} bytes; {MAX_ENTRY} are allowed", hint="put the text into an attachment")
        return Row(header, raw, body, said.header_hash(raw))

    def take(self, c: Connection, batch: Batch) -> tuple[State, list[int], list[Row]]:
        """Verify a batch and write what is new of it: (chain, local numbers, rows)."""
        state = self.chains.get(batch.chain)
        if state is not None and state.frozen:
            raise Fork(f"chain {base32(batch.chain)} is closed to new entries: {state.frozen}", code=state.frozen)
        have = state.count if state is not None else 0
        if batch.start > have:
            raise Gap(f"chain {base32(batch.chain)} is held to {have}, the batch begins at {batch.start}")
        rows = _links(batch)
        opening = self._admit(batch, rows[0]) if state is None else None
        twin = next((s for s in self.chains.values() if opening is not None and s.log == _log_of(opening)), None)
        key = self._epoch_key(state.epoch_key if state is not None else opening.epoch_key)  # type: ignore[union-attr]
        self._check_head(batch, rows, key)
        if twin is not None:
            self._fork(c, twin, batch, 0)
        if state is not None:
            self._check_join(c, state, batch, rows)
        fresh = rows[have - batch.start :]
        if not fresh:
            return self.chains[batch.chain], [], []
        for row in fresh:
            _check_body(row)
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
        _check_body(first)
        opening, raw, signature = said.read_opening(first.body)
        if opening.city != self.city:
            raise Untrusted("the chain belongs to another city", code="scope")
        if not _ID.fullmatch(opening.author) or not _ID.fullmatch(opening.audience.node or opening.author) or opening.opened > LATEST:
            raise Invalid("an opening names nodes by their ids, and a time before the year 10000", code="malformed")
        key = self._identity(opening.author, batch.certs)
        if key is None:
            raise Untrusted(f"node {opening.author} is not known here", code="unknown_author")
        if opening.audience.scope is Scope.SELF and opening.author != (self.here or opening.author):
            raise Untrusted("a node's own log is for nobody else", code="scope")
        keys.verify(key, signature, said.opening_signed(raw))
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
        """Compare what is held with what came; the head of ``batch`` is already known to be the author's."""
        overlap = min(state.count - batch.start, len(rows))
        held = dict(
            c.execute(
                select(ENTRIES.c.seq, ENTRIES.c.hash).where(
                    ENTRIES.c.chain == state.no, ENTRIES.c.seq >= max(0, batch.start - 1), ENTRIES.c.seq < batch.start + overlap
                )
            ).all()
        )
        if batch.start and held.get(batch.start - 1) != rows[0].header.prev:
            self._fork(c, state, batch, batch.start - 1)
        for row in rows[:overlap]:
            if held[row.header.seq] != row.hash:
                self._fork(c, state, batch, row.header.seq)

    def _fork(self, c: Connection, state: State, batch: Batch, seq: int) -> None:
        ours = self.read(c, state, seq, 1)
        state.frozen = "fork"
        self.mark += 1
        state.mark = self.mark
        c.execute(update(CHAINS).where(CHAINS.c.no == state.no).values(frozen="fork", mark=state.mark))
        self._put(c, FORKS, [{"chain": state.no, "seq": seq, "proof": pack((ours, batch))}], keep=True)
        raise Fork(f"two different entries are signed for {said.position(state.author, state.id, seq)}", hint="yiwang proof check")

    # --- reading ------------------------------------------------------------------------------------------------

    def read(self, c: Connection, state: State, start: int, limit: int) -> Batch | None:
        """Entries from ``start``, about ``limit`` bytes but at least to the next head; None when there are none."""
        if start >= state.count:
            return None
        heads = c.execute(
            select(HEADS.c.seq, HEADS.c.signature).where(HEADS.c.chain == state.no, HEADS.c.seq >= start).order_by(HEADS.c.seq).limit(2000)
        ).all()
        if not heads:
            return None
        rows = c.execute(
            select(ENTRIES.c.header, ENTRIES.c.body, ENTRIES.c.hash)
            .where(ENTRIES.c.chain == state.no, ENTRIES.c.seq >= start, ENTRIES.c.seq <= self._end(c, state, start, limit, heads))
            .order_by(ENTRIES.c.seq)
        ).all()
        last = start + len(rows) - 1
        signature = next(h.signature for h in heads if h.seq == last)
        return Batch(state.id, start, tuple((r.header, r.body) for r in rows), Head(state.id, last, rows[-1].hash, signature))

    def _end(self, c: Connection, state: State, start: int, limit: int, heads: Sequence[Any]) -> int:
        """The last head before which about ``limit`` bytes lie, or the first one."""
        sizes = c.execute(
            select(ENTRIES.c.seq, func.length(ENTRIES.c.body) + func.length(ENTRIES.c.header))
            .where(ENTRIES.c.chain == state.no, ENTRIES.c.seq >= start, ENTRIES.c.seq <= heads[-1].seq)
            .order_by(ENTRIES.c.seq)
            .limit(max(1, limit // 300))
        )
        reach, total = start - 1, 0
        for seq, size in sizes:
            total += size
            if total > limit and seq > start:
                break
            reach = seq
        within = [h.seq for h in heads if h.seq <= reach]
        return int(within[-1] if within else heads[0].seq)

    def found(self, c: Connection, state: State, start: int, stop: int) -> list[Found]:
        """Entries of a chain in [start, stop)."""
        rows = c.execute(select(ENTRIES).where(ENTRIES.c.chain == state.no, ENTRIES.c.seq >= start, ENTRIES.c.seq < stop).order_by(ENTRIES.c.seq))
        return [Found(r.number, state.id, state.author, r.seq, r.hash, r.header, r.body) for r in rows]

    def by_numbers(self, c: Connection, numbers: Sequence[int]) -> list[Found]:
        """Entries by their local numbers, in that order."""
        held: dict[int, Found] = {}
        for part in (numbers[i : i + 500] for i in range(0, len(numbers), 500)):
            for r in c.execute(select(ENTRIES).where(ENTRIES.c.number.in_(part))):
                state = self._by_no[r.chain]
                held[r.number] = Found(r.number, state.id, state.author, r.seq, r.hash, r.header, r.body)
        return [held[n] for n in numbers]

    def places(self, c: Connection, sid: bytes) -> tuple[Place, ...]:
        """Where a statement stands."""
        numbers = [r.number for r in c.execute(select(SAID.c.number).where(SAID.c.sid == sid).order_by(SAID.c.number))]
        return tuple(Place(self.chains[f.chain].audience, f.author, f.chain, f.seq, f.hash) for f in self.by_numbers(c, numbers))

    def known(self, author: str, audience: Audience, lane: Lane) -> list[State]:
        """Chains of one log, oldest first."""
        return [s for s in self.chains.values() if s.author == author and s.audience == audience and s.lane == lane]

    def changed(self, since: int) -> tuple[int, tuple[Chain, ...]]:
        """(mark, chains that grew after ``since``)."""
        return self.mark, tuple(s.chain() for s in self.chains.values() if s.mark > since)

    # --- range statements ---------------------------------------------------------------------------------------

    def hold(self, c: Connection, hold: Hold) -> bool:
        """Keep a range statement whose signature was checked; False when it says nothing new."""
        state = self.chains.get(hold.chain)
        if state is None:
            return False
        had = c.execute(select(func.max(HOLDS.c.seq)).where(HOLDS.c.chain == state.no, HOLDS.c.holder == hold.holder)).scalar()
        if had is not None and had >= hold.seq:
            return False
        c.execute(insert(HOLDS).values(chain=state.no, holder=hold.holder, seq=hold.seq, hash=hold.hash, at=hold.at, signature=hold.signature))
        return True

    def agrees(self, c: Connection, hold: Hold) -> bool:
        """Whether a range statement is about a chain held here, and names the entry that stands here where one does."""
        state = self.chains.get(hold.chain)
        if state is None or hold.seq >= state.count:
            return state is not None
        return bool(c.execute(select(ENTRIES.c.hash).where(ENTRIES.c.chain == state.no, ENTRIES.c.seq == hold.seq)).scalar_one() == hold.hash)

    def holds(self, c: Connection, since: int, limit: int) -> tuple[int, tuple[Hold, ...]]:
        """(number to go on from, the last statement of each holder and chain among those after ``since``)."""
        rows = c.execute(select(HOLDS).where(HOLDS.c.no > since).order_by(HOLDS.c.no).limit(limit)).all()
        last = {(r.chain, r.holder): r for r in rows}
        return (rows[-1].no if rows else since), tuple(
            Hold(r.holder, self._by_no[r.chain].id, r.seq, r.hash, r.at, r.signature) for r in last.values()
        )

    def hold_for(self, c: Connection, state: State, seq: int) -> tuple[Hold, ...]:
        """The first statement of each holder that covers a place, as evidence carries it."""
        firsts = (
            select(HOLDS.c.holder, func.min(HOLDS.c.seq).label("seq"))
            .where(HOLDS.c.chain == state.no, HOLDS.c.seq >= seq)
            .group_by(HOLDS.c.holder)
            .subquery()
        )
        rows = c.execute(
            select(HOLDS).join(firsts, (HOLDS.c.holder == firsts.c.holder) & (HOLDS.c.seq == firsts.c.seq)).where(HOLDS.c.chain == state.no)
        )
        return tuple(Hold(r.holder, state.id, r.seq, r.hash, r.at, r.signature) for r in rows)

    # --- small tables -------------------------------------------------------------------------------------------

    def versions(self, c: Connection, names: Iterable[str]) -> dict[str, int]:
        """The present version of each name, 0 when never written."""
        names = tuple(names)
        found = dict(c.execute(select(VERSIONS.c.name, VERSIONS.c.value).where(VERSIONS.c.name.in_(names))).all())
        return {name: found.get(name, 0) for name in names}

    def bump(self, c: Connection, names: Iterable[str], found: dict[str, int]) -> None:
        """Raise the version of names whose present versions are ``found``."""
        self._put(c, VERSIONS, [{"name": name, "value": found[name] + 1} for name in names])

    def wanted(self, c: Connection) -> tuple[Attachment, ...]:
        """Blobs named here that have not arrived."""
        return tuple(Attachment(r.sha, r.size) for r in c.execute(select(WANTED).where(~WANTED.c.here)))

    def arrived(self, c: Connection, sha: bytes) -> None:
        """A blob is whole on disk."""
        c.execute(update(WANTED).where(WANTED.c.sha == sha).values(here=True))

    def _put(self, c: Connection, table: Table, rows: Sequence[dict[str, Any]], *, keep: bool = False) -> None:
        """Insert rows; where the key is taken, replace the rest, or keep what is there."""
        dialect = postgresql if self.engine.dialect.name == "postgresql" else sqlite_dialect
        statement = dialect.insert(table)
        primary = [col.name for col in table.primary_key]
        if keep:
            c.execute(statement.on_conflict_do_nothing(index_elements=primary), rows)
            return
        changes = {col.name: statement.excluded[col.name] for col in table.columns if col.name not in primary}
        c.execute(statement.on_conflict_do_update(index_elements=primary, set_=changes), rows)


def _log_of(opening: Opening) -> tuple[str, Audience, Lane, bytes]:
    return opening.author, opening.audience, opening.lane, opening.epoch


def nameable(name: str) -> bool:
    """Whether a record or another thing with a version may be called so."""
    return 0 < len(name) <= NAME and "\0" not in name


def _links(batch: Batch) -> list[Row]:
    """The rows of a batch, each following the one before."""
    if not batch.entries:
        raise Invalid("a batch has at least one entry", code="malformed")
    rows: list[Row] = []
    for raw, body in batch.entries:
        if len(raw) + len(body) > MAX_ENTRY:
            raise TooLarge(f"an entry of {len(raw) + len(body)} bytes; {MAX_ENTRY} are allowed")
        header = unpack(raw, Header)
        seq = batch.start + len(rows)
        prev = rows[-1].hash if rows else header.prev if seq else b""
        try:
            said.check_link(header, batch.chain, seq, prev)
        except Invalid as error:
            raise Forged(error.message, code="bad_hash") from None
        rows.append(Row(header, raw, body, said.header_hash(raw)))
    return rows


def _check_body(row: Row) -> None:
    if len(row.body) != row.header.size or said.body_digest(row.body) != row.header.digest:
        raise Forged("a body is not the one its header names", code="bad_hash")
