"""The journal's tables, and the statements that run with every entry.

``chains`` with what is known of each; ``entries`` in the order they came; ``heads`` where a batch may end; ``holds``, the
range statements of nodes; ``released``, the order in which entries became foldable, and ``parked``, what waits for what;
``versions`` of names, for writers who must not overlook each other; ``forks`` with their proof; ``wanted`` blobs.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    bindparam,
    func,
    insert,
    literal_column,
    select,
    update,
)

from node.quick import Quick, listed, put

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
    Column("mark", BIG, nullable=False),
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
    "heads",
    META,
    Column("chain", BIG, primary_key=True),
    Column("seq", BIG, primary_key=True),
    Column("signature", LargeBinary(64), nullable=False),
    sqlite_with_rowid=False,
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
    Column("number", BIG, nullable=False),
    Column("sid", LargeBinary(32), nullable=False, unique=True),
    Column("person", String, nullable=False),
)
SAID = Table(
    "said",
    META,
    Column("sid", LargeBinary(32), primary_key=True),
    Column("number", BIG, primary_key=True),
    comment="places of statements other than the one they were released at",
    sqlite_with_rowid=False,
)
NONCES = Table(
    "nonces", META, Column("nonce", LargeBinary(16), primary_key=True), Column("sid", LargeBinary(32), nullable=False), sqlite_with_rowid=False
)
PARKED = Table("parked", META, Column("number", BIG, primary_key=True), Column("wants", LargeBinary(32), nullable=False, index=True))
REFUSED = Table("refused", META, Column("number", BIG, primary_key=True), Column("code", String(32), nullable=False))
VERSIONS = Table("versions", META, Column("name", String(NAME), primary_key=True), Column("value", BIG, nullable=False), sqlite_with_rowid=False)
FORKS = Table(
    "forked",
    META,
    Column("chain", LargeBinary(32), primary_key=True),
    Column("author", String(26), nullable=False),
    Column("seq", BIG, nullable=False),
    Column("proof", LargeBinary, nullable=False),
    Column("at", BIG, nullable=False),
    Column("settled", BIG, nullable=False),
    Column("by", String(26), nullable=False),
    sqlite_with_rowid=False,
)
CLOSED = Table(
    "closed",
    META,
    Column("chain", BIG, primary_key=True, autoincrement=False),
    Column("declared", BIG, nullable=False),
    Column("count", BIG, nullable=False),
    Column("at", BIG, nullable=False),
    comment="chains that a later opening of their log has closed: what the author's disk declared, what anybody held, when (our clock)",
)
CONTACTS = Table(
    "contacts",
    META,
    Column("no", BIG, primary_key=True, autoincrement=True),
    Column("node", String(26), nullable=False),
    Column("epoch", LargeBinary(32), nullable=False),
    Column("at", BIG, nullable=False),
    Column("twin", BIG, nullable=False),
    UniqueConstraint("node", "epoch"),
    comment="epochs under which neighbours called, in the order of their first call; twin is when an older one called again",
)
RETURNED = Table(
    "returned",
    META,
    Column("number", BIG, primary_key=True, autoincrement=False),
    Column("at", BIG, nullable=False),
    comment="own entries that this disk did not know and a neighbour gave back",
)
CHECKPOINTS = Table(
    "checkpoints",
    META,
    Column("no", BIG, primary_key=True, autoincrement=False),
    Column("at", BIG, nullable=False),
    Column("daily", Boolean, nullable=False),
    Column("signed", LargeBinary, nullable=False),
    comment="the city's checkpoints as they were last seen, with countersignatures; the first of each day for good",
)
SPLITS = Table(
    "splits",
    META,
    Column("no", BIG, primary_key=True, autoincrement=False),
    Column("one", LargeBinary, nullable=False),
    Column("other", LargeBinary, nullable=False),
    Column("at", BIG, nullable=False),
    comment="two signed checkpoints that cannot both be honest",
)
WANTED = Table(
    "wanted", META, Column("sha", LargeBinary(32), primary_key=True), Column("size", BIG, nullable=False), Column("here", Boolean, nullable=False)
)


def _insert(table: Table, *names: str) -> Quick:
    names = names or tuple(column.name for column in table.columns)
    return Quick(insert(table).inline(), *names)


_ZERO, _ONE = literal_column("0", Integer), literal_column("1", Integer)
ADD_ENTRY, ADD_RELEASED = _insert(ENTRIES), _insert(RELEASED)
ADD_HOLD = _insert(HOLDS, "chain", "holder", "seq", "hash", "at", "signature")
ADD_HEAD, ADD_SAID, ADD_NONCE = put(HEADS, keep=True), put(SAID, keep=True), put(NONCES, keep=True)
WANT, ADD_FORK, REFUSE = put(WANTED, keep=True), put(FORKS, keep=True), put(REFUSED, keep=True)
PARK = put(PARKED)
RETURN = put(RETURNED, keep=True)
CLOSE = put(CLOSED)
BUMP = put(VERSIONS, value=VERSIONS.c.value + _ONE)
GROW = Quick(
    update(CHAINS).where(CHAINS.c.no == bindparam("which")).values(count=bindparam("count"), hash=bindparam("hash"), mark=bindparam("mark")),
    "count",
    "hash",
    "mark",
    "which",
)
_PLACE = ENTRIES.c.chain == bindparam("chain"), ENTRIES.c.seq >= bindparam("start")
HASHES = Quick(select(ENTRIES.c.seq, ENTRIES.c.hash).where(*_PLACE, ENTRIES.c.seq < bindparam("stop")), "chain", "start", "stop")
ENTRIES_OF = Quick(
    select(ENTRIES.c.header, ENTRIES.c.body, ENTRIES.c.hash).where(*_PLACE, ENTRIES.c.seq <= bindparam("last")).order_by(ENTRIES.c.seq),
    "chain",
    "start",
    "last",
)
SIZES = Quick(
    select(ENTRIES.c.seq, func.length(ENTRIES.c.body) + func.length(ENTRIES.c.header))
    .where(*_PLACE, ENTRIES.c.seq <= bindparam("last"))
    .order_by(ENTRIES.c.seq)
    .limit(bindparam("limit"))
    .offset(_ZERO),
    "chain",
    "start",
    "last",
    "limit",
)
HEADS_FROM = Quick(
    select(HEADS.c.seq, HEADS.c.signature)
    .where(HEADS.c.chain == bindparam("chain"), HEADS.c.seq >= bindparam("start"))
    .order_by(HEADS.c.seq)
    .limit(bindparam("limit"))
    .offset(_ZERO),
    "chain",
    "start",
    "limit",
)
_AFTER = ENTRIES.c.number > bindparam("since"), ENTRIES.c.number <= bindparam("last")
ENTRIES_AFTER = Quick(
    select(ENTRIES).where(*_AFTER).order_by(ENTRIES.c.number).limit(bindparam("limit")).offset(_ZERO),
    "since",
    "last",
    "limit",
)
OUT_AFTER = Quick(
    select(REFUSED.c.number)
    .where(REFUSED.c.number > bindparam("since"), REFUSED.c.number <= bindparam("last"))
    .union_all(select(PARKED.c.number).where(PARKED.c.number > bindparam("from"), PARKED.c.number <= bindparam("to"))),
    "since",
    "last",
    "from",
    "to",
)
HOLDS_FROM = Quick(
    select(HOLDS).where(HOLDS.c.no > bindparam("since")).order_by(HOLDS.c.no).limit(bindparam("limit")).offset(_ZERO), "since", "limit"
)
VOUCHED = Quick(select(func.max(HOLDS.c.seq)).where(HOLDS.c.chain == bindparam("chain"), HOLDS.c.holder != bindparam("holder")), "chain", "holder")
LAST_HOLD = Quick(select(func.max(HOLDS.c.seq)).where(HOLDS.c.chain == bindparam("chain"), HOLDS.c.holder == bindparam("holder")), "chain", "holder")
ENTRIES_AT = Quick(lambda _, size: select(ENTRIES).where(ENTRIES.c.number.in_(listed(size))))
VERSIONS_OF = Quick(lambda _, size: select(VERSIONS).where(VERSIONS.c.name.in_(listed(size))))
REPEATED = Quick(lambda _, size: select(NONCES).where(NONCES.c.nonce.in_(listed(size))))
RELEASED_OF = Quick(lambda _, size: select(RELEASED.c.sid).where(RELEASED.c.sid.in_(listed(size))))
WANTS = Quick(lambda _, size: select(PARKED.c.wants).where(PARKED.c.wants.in_(listed(size))).distinct())
WAITING = Quick(lambda _, size: select(PARKED.c.number).where(PARKED.c.wants.in_(listed(size))))
