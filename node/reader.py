"""Reading entries as what they say: bodies opened where they are sealed to this node, statements unpacked, released ones told again."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from node import entry as said
from node import keys, kinds, schema, seal
from node.chain import Row, State
from node.codec import unpack
from node.entry import Body, Scope, Statement
from node.errors import Invalid, Missing, Refused
from node.fold import Released
from node.group import Readable
from node.journal import Journal
from node.kinds import Entry
from node.notary import Notary
from node.requests import Found, Told
from node.settings import Settings

PAGE = 1000
"Released entries told at a time."
TELL = 4 * 2**20
"Bytes of entries told to a follower at a time, about."


class Reader:
    """The bodies of a node's journal that it may read."""

    def __init__(self, settings: Settings, journal: Journal, notary: Notary) -> None:
        self.here, self.city, self.journal, self.notary = settings.id, settings.city, journal, notary
        self.storage = seal.StorageKey(keys.read_secret(settings.path("keys", "storage.key")))
        self.chain_keys: dict[bytes, bytes] = {}
        "Of sealed chains, once opened or made."

    # --- seals --------------------------------------------------------------------------------------------------

    def readable(self, state: State) -> bool:
        """Whether a chain's bodies are for this node."""
        if state.author == self.here or state.audience.scope is not Scope.NODE:
            return True  # open logs come only to those they are for, and the tree that says so may come later than they
        return state.audience.node == self.here

    def plain(self, c: Connection, state: State, seq: int, stored: bytes) -> bytes:
        """The body inside a stored one; :class:`Refused` when the log is sealed to somebody else."""
        if state.audience.scope is not Scope.NODE:
            return stored
        return seal.open_(stored, seal.entry_key(self.opened_key(c, state), seq), seq)

    def opened_key(self, c: Connection, state: State) -> bytes:
        """The key of a sealed chain that this node may read."""
        if state.id not in self.chain_keys:
            opening, _, _ = said.read_opening(self.journal.found(c, state, 0, 1)[0].body)
            wrapped = dict(opening.keys).get(self.here)
            if wrapped is None:
                raise Refused("this log is sealed to another node", code="sealed")
            info = seal.chain_info(self.city, opening.author, self.here, opening.epoch)
            self.chain_keys[state.id] = self.storage.unwrap(wrapped, info)
        return self.chain_keys[state.id]

    def disclose(self, chain: bytes, seq: int) -> bytes:
        """The key of one sealed entry; empty for open logs."""
        state = self.journal.chain(chain)
        if state.audience.scope is not Scope.NODE:
            return b""
        with self.journal.engine.connect() as c:
            return seal.entry_key(self.opened_key(c, state), seq)

    def body(self, chain: bytes, seq: int) -> bytes:
        """The plain body of an entry readable here."""
        state = self.journal.chain(chain)
        if not self.readable(state):
            raise Refused("this log is not for this node", code="sealed")
        with self.journal.engine.connect() as c:
            found = self.journal.found(c, state, seq, seq + 1)
            if not found:
                raise Missing(f"no entry {seq} here")
            return self.plain(c, state, seq, found[0].body)

    # --- entries ------------------------------------------------------------------------------------------------

    def open(self, c: Connection, state: State, number: int, row: Row) -> Readable:
        """An entry meant for this node; whatever is wrong with its body is an error, its signature is not looked at."""
        body = unpack(self.plain(c, state, row.header.seq, row.body), Body)
        statement = unpack(body.statement, Statement)
        self.notary.check_body(body, statement)
        return Readable(number, state, row, body, statement, said.statement_id(body.statement))

    def again(self, c: Connection, found: Found) -> Readable:
        """The same of an entry that is in the journal."""
        state = self.journal.chain(found.chain)
        return self.open(c, state, found.number, Row(unpack(found.header, said.Header), found.header, found.body, found.hash))

    def released(self, at: int, limit: int, wanted: Container[str]) -> list[Released]:
        """Entries released after a place, as they were folded; None in the place of those of other kinds."""
        with self.journal.engine.connect() as c:
            rows = c.execute(
                select(schema.RELEASED.c.at, schema.RELEASED.c.number, schema.RELEASED.c.person)
                .where(schema.RELEASED.c.at > at)
                .order_by(schema.RELEASED.c.at)
                .limit(limit)
            ).all()
            found = self.journal.by_numbers(c, [r.number for r in rows])
            return [(r.at, self._reread(c, f, r.person, wanted)) for r, f in zip(rows, found, strict=True)]

    def _reread(self, c: Connection, found: Found, person: str, wanted: Container[str]) -> Entry[Any] | None:
        """A released entry again; its signature was checked when it was released."""
        one = self.again(c, found)
        if one.statement.kind not in wanted:
            return None
        try:
            content = kinds.decode(one.statement.kind, one.body.content)
        except Invalid:  # its kind was unknown when it came, and now it shows that it is not one of that kind
            return None
        return None if content is None else one.entry(person, content)

    def told(self, since: int, end: int, limit: int) -> tuple[Told, ...]:
        """Entries released after ``since`` and up to ``end``, for those who follow what folds saw."""
        size, told = 0, []
        with self.journal.engine.connect() as c:
            between = schema.RELEASED.c.at > since, schema.RELEASED.c.at <= end
            rows = c.execute(select(schema.RELEASED).where(*between).order_by(schema.RELEASED.c.at).limit(min(limit, PAGE))).all()
            for r, found in zip(rows, self.journal.by_numbers(c, [r.number for r in rows]), strict=True):
                plain = self.plain(c, self.journal.chain(found.chain), found.seq, found.body)
                told.append(Told(r.at, msgspec.structs.replace(found, body=plain), r.person))
                size += len(found.header) + len(plain)
                if size > TELL:
                    break
        return tuple(told)
