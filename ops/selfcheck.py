"""Whether what lies on the disk is still what was put there: every chain walked from its opening to its head, every attachment hashed.

It reads the journal by itself, so it works whether the node runs or not, and believes nothing that is not recomputed: the link of
each header to the one before, the digest of each body, the signature of the newest head under the epoch key of the opening, the count and
hash that the ledger goes on from. The identity's signature under an opening is checked where the directory is at hand (``yiwang verify``).
``repair`` lets the running node ask its neighbours for what is damaged;
``refold`` asks the running ledger to build every room's tables afresh and compares.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Engine, Row, RowMapping, select
from sqlalchemy.exc import SQLAlchemyError

from node import entry as said
from node import keys, schema, store
from node.errors import Invalid, Missing, NodeError
from node.settings import Settings

LOOK = 1.0
"Seconds between two looks at what has come back."
ANSWERS = 10.0
"Seconds in which a ledger says that it is there."
Found = dict[str, Any]


def check(settings: Settings, *, deep: bool) -> Found:
    """{rows, blobs, bad, index_ok}: how much was looked at and what is wrong; ``deep`` has the database look at its own pages too."""
    bad: list[Found] = []
    rows = 0
    try:
        engine = journal(settings)
        with engine.connect() as c:
            sound = _sound(c, engine, deep)
            for chain in c.execute(select(schema.CHAINS).order_by(schema.CHAINS.c.no)).mappings().all():
                rows += chain["count"]
                bad += _chain(c, chain)
            wanted = [row.sha for row in c.execute(select(schema.WANTED.c.sha).where(schema.WANTED.c.here))]
        engine.dispose()
    except (SQLAlchemyError, sqlite3.DatabaseError) as e:
        return {"rows": rows, "blobs": 0, "bad": [*bad, _bad("journal", detail=str(e).splitlines()[0])], "index_ok": False}
    looked = list(_blobs(settings))
    bad += [one for found in looked for one in found]
    bad += [_bad("missing_blob", blob=sha.hex()) for sha in wanted if not _file(settings, sha.hex()).exists()]
    return {"rows": rows, "blobs": len(looked), "bad": bad, "index_ok": sound}


def refold(settings: Settings) -> list[Found]:
    """Rooms whose living tables are not what the journal makes of them; the node must run."""
    from node.client import Ledger

    with Ledger(settings, timeout=ANSWERS) as ledger:
        ledger.status()  # one that is not there is known at once, not after the time a rebuild may take
    with Ledger(settings, timeout=600) as ledger:
        return [
            _bad("tables", detail=f"{name}: {living} is kept, {built} was built")
            for name, (living, built) in ledger.refold().items()
            if living != built
        ]


def repair(settings: Settings, found: list[Found], patience: float) -> None:
    """Have the running node ask its neighbours for what is bad, wait so many seconds for it, and note what was repaired."""
    from node.client import Ledger

    with Ledger(settings, timeout=ANSWERS) as ledger:
        for chain in ledger.chains():
            start = 0
            while start < chain.count:
                start = ledger.look(chain.id, start)
        for one in found:
            if one["kind"] == "blob":
                ledger.rotten(bytes.fromhex(one["blob"]))
        until = time.monotonic() + patience
        while (bad := _still(settings)) & set(map(_name, found)) and time.monotonic() < until:
            time.sleep(LOOK)
    for one in found:
        one["repaired"] = _name(one) not in bad


def _still(settings: Settings) -> set[str]:
    """Names of what is bad now; a blob that was put aside and has not come is."""
    return set(map(_name, check(settings, deep=False)["bad"]))


def _name(one: Found) -> str:
    return str(one.get("ref") or one.get("blob") or one["kind"])


def _bad(kind: str, **about: str) -> Found:
    return {"kind": kind, **about, "repaired": False}


def journal(settings: Settings) -> Engine:
    """The journal of a home, for reading; the ledger may work meanwhile."""
    if settings.storage != "sqlite":
        return store.postgresql(settings.storage, f"journal_{settings.id}", durable=True)
    file = settings.path("journal.db")
    if not file.exists():
        raise Missing("there is no journal yet", hint="start the node once")
    return store.reader(file)


def _sound(c: Connection, engine: Engine, deep: bool) -> bool:
    """Whether the database believes in its own indexes."""
    if engine.dialect.name != "sqlite":
        return True
    return str(c.exec_driver_sql("pragma integrity_check(1)" if deep else "pragma quick_check(1)").scalar_one()) == "ok"


def _chain(c: Connection, chain: RowMapping) -> Iterator[Found]:
    """What is wrong with one chain: at the first break it ends, for nothing behind it can be judged."""
    prev, count = b"", 0
    entries = select(schema.ENTRIES).where(schema.ENTRIES.c.chain == chain["no"]).order_by(schema.ENTRIES.c.seq)
    for row in c.execution_options(yield_per=500).execute(entries):
        try:
            _link(chain, row, count, prev)
        except NodeError as e:
            yield _bad("entry", ref=said.position(chain["author"], chain["id"], count), detail=f"{e.code}: {e.message}")
            return
        prev, count = row.hash, count + 1
    if (count, prev) != (chain["count"], chain["hash"]):
        yield _bad("chain", ref=said.position(chain["author"], chain["id"], count), detail=f"{count} entries are here, {chain['count']} are counted")
        return
    yield from _head(c, chain)


def _link(chain: RowMapping, row: Row[Any], seq: int, prev: bytes) -> None:
    if said.check_entry(row.header, row.body, chain["id"], seq, prev) != row.hash:
        raise Invalid("the header is not the one its hash names", code="bad_hash")


def _head(c: Connection, chain: RowMapping) -> Iterator[Found]:
    """The newest head must be the epoch key's word for the last entry."""
    last = chain["count"] - 1
    held = select(schema.HEADS.c.signature).where(schema.HEADS.c.chain == chain["no"], schema.HEADS.c.seq == last)
    signature = c.execute(held).scalar_one_or_none()
    place = said.position(chain["author"], chain["id"], last)
    if signature is None:
        yield _bad("head", ref=place, detail="no head covers the last entries")
        return
    try:
        keys.verify(keys.from_raw(chain["epoch_key"]), signature, said.head_signed(chain["id"], last, chain["hash"]))
    except NodeError as e:
        yield _bad("head", ref=place, detail=e.message)


def _file(settings: Settings, name: str) -> Any:
    return settings.path("blobs", name[:2], name)


def _blobs(settings: Settings) -> Iterator[list[Found]]:
    """For each attachment on the disk what is wrong with it: nothing, one thing."""
    for file in sorted(settings.path("blobs").glob("??/*")):
        try:
            with file.open("rb") as source:
                whole = hashlib.file_digest(source, "sha256").hexdigest() == file.name
        except OSError as e:
            yield [_bad("blob", blob=file.name, detail=str(e.strerror))]
            continue
        yield [] if whole else [_bad("blob", blob=file.name, detail="its bytes have changed")]
