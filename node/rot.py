"""Rot: stored bytes that are no longer what was written, found before a neighbour is given them and put right from what neighbours hold.

**Found.** Every entry is looked at before it is sent on, and every entry and attachment once in a round (:func:`steps`), a few at a time between
the ledger's other work. A row is sound when its hash is that of its header and its body the one the header names.

**Healed.** The neighbours are asked for a rotten place again, on the line as it is: they send what they hold from there on. Rows that come
are the author's own bytes when a later place that is sound here, or the end of the chain, follows from them, for each entry names the hash
of the one before. Then they take the place of the rotten ones, byte for byte. An attachment that rotted is put aside and fetched again.

**Rot is no fork**: before two entries for one place accuse anybody, the one on this disk is looked at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Protocol

from sqlalchemy import Connection, select, update

from node import clock, logs, schema
from node import entry as said
from node.alarms import alarm
from node.blobs import Blobs
from node.chain import Row, State, check_body
from node.codec import unpack
from node.entry import Header
from node.errors import Corrupt, NodeError, Unreachable
from node.requests import Batch

log = logs.named("rot")
LISTED = 20
"Places named in an alarm."
PATIENCE = 600_000
"Milliseconds after which what nobody has given back is said to be missing."
TOLD = 24 * 3_600_000
"Milliseconds for which a repair is told."
MOST = 64 * 2**20
"Bytes of bodies that may wait until something sound follows from them."
SOME, BLOCK = 200, 4 * 2**20
"Entries, and bytes of an attachment, looked at in one step of a round."

Stored = tuple[bytes, bytes, bytes]
"Header, body and hash as they lie on the disk."
Step = Callable[[Connection], bytes]
"Looks at a little; what it gives is the hash of an attachment that was found rotten, or nothing."


class Sum(Protocol):
    """A hash under way."""

    def update(self, data: bytes, /) -> object:
        """Go on with more bytes."""

    def digest(self) -> bytes:
        """What it is so far."""


def sound(chain: bytes, seq: int, stored: Stored) -> bool:
    """Whether a stored entry is still the one that was written at its place."""
    raw, body, hash = stored
    if not (isinstance(raw, bytes) and isinstance(body, bytes)) or said.header_hash(raw) != hash or (seq == 0 and hash != chain):
        return False
    try:
        header = unpack(raw, Header)
    except NodeError:
        return False
    return (header.seq, header.size, header.chain) == (seq, len(body), chain if seq else b"") and said.body_digest(body) == header.digest


class Rot:
    """What is known to have rotted on the disk of one node, and what was put right."""

    def __init__(self) -> None:
        self.places: dict[tuple[bytes, int], tuple[str, int]] = {}
        "(chain, number) of rotten entries, to their names and when they were found (our clock)."
        self.blobs: dict[bytes, int] = {}
        "Attachments that were put aside, and when."
        self.mended: dict[str, int] = {}
        "Names of what was put right, and when."
        self.unreadable: dict[str, int] = {}
        "What the database or the file system said of what it could not read at all, and when."
        self._brought: dict[bytes, list[Row]] = {}
        "Rows of a chain that came for rotten places, one after the other, and from which nothing sound follows yet."

    def first(self) -> tuple[tuple[bytes, int], ...]:
        """Each chain with rotten entries, and the first place of it that is to be asked for."""
        found: dict[bytes, int] = {}
        for chain, seq in self.places:
            found[chain] = min(seq, found.get(chain, seq))
        ends = {chain: rows[-1].header.seq + 1 for chain, rows in self._brought.items() if rows[0].header.seq <= found.get(chain, -1)}
        return tuple((found | {chain: end for chain, end in ends.items() if chain in found}).items())

    def check(self, state: State, start: int, rows: Sequence[Stored], last: int) -> None:
        """Look at entries that are about to be sent on; :class:`Corrupt` when one of them is rotten or gone."""
        if len(rows) == last - start + 1:
            self.look(state, start, rows)
        if len(rows) != last - start + 1 or any((state.id, seq) in self.places for seq in range(start, last + 1)):
            raise Corrupt(f"entries {start} to {last} of a chain have rotted on this disk", hint="yiwang selfcheck --repair")

    def look(self, state: State, start: int, rows: Sequence[Stored]) -> None:
        """Remember those of these entries that are not sound, and forget those that are again."""
        for seq, row in enumerate(rows, start):
            if sound(state.id, seq, row):
                self.places.pop((state.id, seq), None)
            elif (state.id, seq) not in self.places:
                place = said.position(state.author, state.id, seq)
                log.error("rotten", place=place)
                self.places[state.id, seq] = place, clock.ms()

    def join(self, c: Connection, state: State, batch: Batch, rows: Sequence[Row]) -> tuple[bool, int | None]:
        """(whether something was mended, the first place at which something else is soundly held than what a batch brings)."""
        overlap = min(state.count - batch.start, len(rows))
        suspected = overlap and any(chain == state.id for chain, _ in self.places)
        other = _other(c, state, batch, rows, overlap)
        mended = (suspected or other is not None) and overlap and self.mend(c, state, batch, rows)
        if mended:
            other = _other(c, state, batch, rows, overlap)
        if other is not None:
            self._believe(c, state, other)
        return bool(mended), other

    def _believe(self, c: Connection, state: State, seq: int) -> None:
        """:class:`Unreachable` when the entry held at a place has rotted, so that it accuses nobody."""
        stored = schema.ENTRIES_OF(c, state.no, seq, seq)
        self.look(state, seq, stored)
        if not stored or (state.id, seq) in self.places:
            raise Unreachable("what is held of this chain has rotted; it is asked for again")

    def mend(self, c: Connection, state: State, batch: Batch, rows: Sequence[Row]) -> bool:
        """Put what a batch brings in the place of what has rotted; False when nothing was changed."""
        rows = self._joined(state.id, rows)
        start, last = rows[0].header.seq, min(rows[-1].header.seq, state.count - 1)
        stored = {
            seq: (header, body, hash)
            for seq, header, body, hash in c.execute(
                select(schema.ENTRIES.c.seq, schema.ENTRIES.c.header, schema.ENTRIES.c.body, schema.ENTRIES.c.hash).where(
                    schema.ENTRIES.c.chain == state.no, schema.ENTRIES.c.seq >= start, schema.ENTRIES.c.seq <= last
                )
            )
        }
        for seq in [seq for seq, row in stored.items() if sound(state.id, seq, row)]:
            self.places.pop((state.id, seq), None)
        rotten = [row for row in rows if row.header.seq in stored and not sound(state.id, row.header.seq, stored[row.header.seq])]
        for row in rotten:
            check_body(row)
        if not rotten or not self._vouched(c, state, batch, rows, stored, rotten[-1].header.seq):
            self._brought |= {state.id: list(rows)} if rotten and sum(len(row.body) for row in rows) < MOST else {}
            return False
        self._brought.pop(state.id, None)
        for row in rotten:
            self._put(c, state, row)
        return True

    def _joined(self, chain: bytes, rows: Sequence[Row]) -> Sequence[Row]:
        """The rows with those that came before, if they follow from them; else only what came now counts."""
        before = self._brought.pop(chain, [])
        if not before or (before[-1].header.seq + 1, before[-1].hash) != (rows[0].header.seq, rows[0].header.prev):
            return rows
        return [*before, *rows]

    def _vouched(self, c: Connection, state: State, batch: Batch, rows: Sequence[Row], stored: dict[int, Stored], upto: int) -> bool:
        """Whether something that is sound here follows from the rows up to a place, so that they are what its author wrote."""
        for row in rows[upto - rows[0].header.seq :]:
            seq = row.header.seq
            if seq in stored and row.hash == stored[seq][2] and sound(state.id, seq, stored[seq]):
                return True
            if seq == state.count - 1 and row.hash == state.hash:
                return True
        held = select(schema.HEADS.c.signature).where(schema.HEADS.c.chain == state.no, schema.HEADS.c.seq == batch.head.seq)
        return bool(c.execute(held).scalar_one_or_none() == batch.head.signature)

    def _put(self, c: Connection, state: State, row: Row) -> None:
        place = schema.ENTRIES.c.chain == state.no, schema.ENTRIES.c.seq == row.header.seq
        c.execute(update(schema.ENTRIES).where(*place).values(hash=row.hash, header=row.raw, body=row.body))
        self.places.pop((state.id, row.header.seq), None)
        self._note(said.position(state.author, state.id, row.header.seq))

    def _note(self, name: str) -> None:
        log.warning("mended", what=name)
        self.mended = {one: at for one, at in self.mended.items() if at > clock.ms() - TOLD} | {name: clock.ms()}

    def unread(self, said: str) -> None:
        """The database or the file system could not read something at all."""
        log.error("unreadable", error=said)
        self.unreadable[said] = clock.ms()

    def came(self, sha: bytes) -> bool:
        """An attachment is whole again; False when it had not rotted."""
        if self.blobs.pop(sha, None) is None:
            return False
        self._note(f"blob:{sha.hex()}")
        return True

    def alarms(self, here: str) -> Iterator[dict[str, object]]:
        """What an operator must know of this disk."""
        found = dict(self.places.values()) | {f"blob:{sha.hex()}": at for sha, at in self.blobs.items()}
        if found:
            yield alarm("corrupt", "critical", here, min(found.values()), f"rotten, asked of the neighbours: {_names(found)}")
        if self.unreadable:
            yield alarm("corrupt", "critical", f"{here}/disk", min(self.unreadable.values()), f"cannot be read: {_names(self.unreadable)}")
        if missing := {name: at for name, at in found.items() if at < clock.ms() - PATIENCE}:
            yield alarm("entries_missing", "critical", here, min(missing.values()), f"rotten, and no neighbour gave it back: {_names(missing)}")
        if self.mended:
            yield alarm("repaired", "info", here, max(self.mended.values()), f"put right from a neighbour's copy: {_names(self.mended)}")


def _other(c: Connection, state: State, batch: Batch, rows: Sequence[Row], overlap: int) -> int | None:
    """The first place at which something else is held than what came."""
    held = dict(schema.HASHES(c, state.no, max(0, batch.start - 1), batch.start + overlap)) if overlap else {state.count - 1: state.hash}
    if batch.start and held.get(batch.start - 1) != rows[0].header.prev:
        return batch.start - 1
    return next((row.header.seq for row in rows[:overlap] if held.get(row.header.seq) != row.hash), None)


def _names(found: dict[str, int]) -> str:
    return f"{', '.join(list(found)[:LISTED])}{' …' if len(found) > LISTED else ''}"


def steps(rot: Rot, chains: Sequence[State], blobs: Blobs) -> Iterator[Step]:
    """A round: one walk over all that is stored, each step a little of it."""
    for state in chains:
        for start in range(0, state.count, SOME):
            yield partial(entries, rot, state, start)
    for sha in blobs.all():
        sum_ = hashlib.sha256()
        for offset in range(0, blobs.size(sha) if blobs.has(sha) else 0, BLOCK):
            yield partial(_block, blobs, sha, offset, sum_)
        yield partial(_end, blobs, sha, sum_)


def entries(rot: Rot, state: State, start: int, c: Connection) -> bytes:
    """Look at some entries of a chain from a place on."""
    last = min(start + SOME, state.count) - 1
    rows = schema.ENTRIES_OF(c, state.no, start, last)
    if len(rows) == last - start + 1:
        rot.look(state, start, rows)
    return b""


def _block(blobs: Blobs, sha: bytes, offset: int, sum_: Sum, _c: Connection) -> bytes:
    with suppress(OSError):  # what cannot be read is missing from the sum
        sum_.update(blobs.read(sha, offset, BLOCK))
    return b""


def _end(blobs: Blobs, sha: bytes, sum_: Sum, _c: Connection) -> bytes:
    return sha if blobs.has(sha) and sum_.digest() != sha else b""
