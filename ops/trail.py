"""The node's own log walked for its auditor: what was edited, what is missing inside, what was cut off at the end.

It reads the journal on the disk by itself, whether the node runs or not. Every link, every body and every signed head is checked: whoever
owns the disk can rewrite entries and their hashes, but not sign heads, for the key of an epoch is in no file. Only a tail cut off
together with its heads leaves no trace inside; a later chain of the log declares how far the former went, and heads kept
elsewhere (``yiwang audit export``, carried away) say it of the newest.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, RowMapping, select
from sqlalchemy.exc import SQLAlchemyError

from node import entry as said
from node import keys, schema
from node.codec import base32, unpack
from node.entry import Head, Scope
from node.errors import Invalid, NodeError
from node.settings import Settings
from ops.selfcheck import journal

Found = dict[str, Any]
Kept = Mapping[bytes, tuple[int, bytes]]
"Chain to the number and hash of the last entry that somebody knows of."


def kept(file: Path) -> dict[bytes, tuple[int, bytes]]:
    """The newest head of each chain in an exported bundle, whose signatures the caller has had checked."""
    found: dict[bytes, tuple[int, bytes]] = {}
    with file.open(encoding="utf-8") as lines:
        for record in map(json.loads, lines):
            if "head" in record:
                head = unpack(base64.b64decode(record["head"]), Head)
                found[head.chain] = max(found.get(head.chain, (0, b"")), (head.seq, head.hash))
    return found


def verify(settings: Settings, against: Kept | None = None) -> Found:
    """{chains, entries, problems}: each problem with kind (edited, missing, truncated), chain and the range it is about."""
    engine = journal(settings)
    try:
        with engine.connect() as c:
            own = select(schema.CHAINS).where(schema.CHAINS.c.author == settings.id, schema.CHAINS.c.scope == str(Scope.SELF))
            chains = c.execute(own.order_by(schema.CHAINS.c.no)).mappings().all()
            problems = [one for chain in chains for one in _readable(c, chain)]
            problems += _shorter(chains, _declared(c, chains), "a later chain of the log says so")
            problems += _shorter(chains, against or {}, "a head that was kept says so", c)
    finally:
        engine.dispose()
    unique = {(one["kind"], one["epoch"], one["from"]): one for one in reversed(problems)}
    return {"chains": len(chains), "entries": sum(chain["count"] for chain in chains), "problems": list(unique.values())[::-1]}


def _problem(kind: str, chain: bytes, start: int, end: int, detail: str) -> Found:
    return {"kind": kind, "epoch": base32(chain), "from": start, "to": end, "detail": detail}


def _readable(c: Connection, chain: RowMapping) -> list[Found]:
    """What does not hold of one chain; all of it where the database cannot even be read."""
    try:
        return list(_chain(c, chain))
    except SQLAlchemyError as e:
        return [_problem("edited", chain["id"], 0, chain["count"] - 1, str(e).splitlines()[0])]


def _chain(c: Connection, chain: RowMapping) -> Iterator[Found]:
    """What does not hold inside one chain."""
    seen: list[int] = []
    hashes: dict[int, bytes] = {}
    rows = select(schema.ENTRIES).where(schema.ENTRIES.c.chain == chain["no"]).order_by(schema.ENTRIES.c.seq)
    for row in c.execution_options(yield_per=500).execute(rows):
        prev = hashes.get(row.seq - 1, b"")
        hashes[row.seq] = said.header_hash(row.header)
        seen.append(row.seq)
        if row.seq and not prev:
            continue  # what is before it is missing, and told below
        try:
            if said.check_entry(row.header, row.body, chain["id"], row.seq, prev) != row.hash:
                raise Invalid("the header is not the one its hash names", code="bad_hash")
        except NodeError as e:
            yield _problem("edited", chain["id"], row.seq, row.seq, e.message)
    for before, after in pairwise([-1, *seen]):
        if after != before + 1:
            yield _problem("missing", chain["id"], before + 1, after - 1, "entries between others are gone")
    last = seen[-1] if seen else -1
    if last + 1 < chain["count"]:
        yield _problem("truncated", chain["id"], last + 1, chain["count"] - 1, f"{chain['count']} entries are counted")
    yield from _heads(c, chain, hashes, last)


def _heads(c: Connection, chain: RowMapping, hashes: Mapping[int, bytes], last: int) -> Iterator[Found]:
    """Stretches that the epoch key did not sign as they stand."""
    good = -1
    key = keys.from_raw(chain["epoch_key"])
    rows = c.execute(select(schema.HEADS.c.seq, schema.HEADS.c.signature).where(schema.HEADS.c.chain == chain["no"]).order_by(schema.HEADS.c.seq))
    for seq, signature in rows:
        if seq not in hashes:
            continue
        try:
            keys.verify(key, signature, said.head_signed(chain["id"], seq, hashes[seq]))
        except NodeError:
            yield _problem("edited", chain["id"], good + 1, seq, "the head over them is signed for other entries")
            return
        good = seq
    if good < last:
        yield _problem("edited", chain["id"], good + 1, last, "no signed head covers them")


def _declared(c: Connection, chains: Sequence[RowMapping]) -> Kept:
    """How far chains went, as the openings of later ones say."""
    found: dict[bytes, tuple[int, bytes]] = {}
    for chain in chains:
        body = c.execute(select(schema.ENTRIES.c.body).where(schema.ENTRIES.c.chain == chain["no"], schema.ENTRIES.c.seq == 0)).scalar()
        try:
            previous = said.read_opening(body)[0].previous if body else ()
        except NodeError:
            continue  # it is told as edited
        found.update({known.chain: (known.count - 1, known.head) for known in previous})
    return found


def _shorter(chains: Sequence[RowMapping], known: Kept, why: str, c: Connection | None = None) -> Iterator[Found]:
    """Chains that do not reach what is known of them, or hold something else there."""
    held = {chain["id"]: chain for chain in chains}
    for id, (seq, hash) in known.items():
        count = held[id]["count"] if id in held else 0
        if count <= seq:
            yield _problem("truncated" if count else "missing", id, count, seq, why)
        elif c is not None:
            place = schema.ENTRIES.c.chain == held[id]["no"], schema.ENTRIES.c.seq == seq
            stands = c.execute(select(schema.ENTRIES.c.hash).where(*place)).scalar()
            if stands is not None and stands != hash:
                yield _problem("edited", id, 0, seq, why)
