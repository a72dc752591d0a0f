"""What one transaction of the book gathers: rows put off to its end, chains that need a head, entries to fold after its commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection

from node import kinds, schema
from node.chain import Row, State
from node.directory.view import Signer
from node.entry import Body, Statement
from node.fold import Released
from node.journal import Journal
from node.kinds import Entry
from node.quick import Quick

T = TypeVar("T")


@dataclass(frozen=True)
class Readable:
    """An entry meant for this node, opened and checked as far as it can be alone."""

    number: int
    state: State
    row: Row
    body: Body
    statement: Statement
    id: bytes

    def entry(self, person: str, content: kinds.Content) -> Entry[Any]:
        """The entry as folds see it."""
        at: dict[str, Any] = {
            "number": self.number,
            "author": self.state.author,
            "chain": self.state.id,
            "seq": self.row.header.seq,
            "hash": self.row.hash,
        }
        return kinds.seen(self.statement, self.id, content, person=person, **at)


@dataclass
class Group:
    """What one transaction gathers for after its commit."""

    journal: Journal
    released: list[Released] = field(default_factory=list)
    rows: dict[Quick, list[tuple[Any, ...]]] = field(default_factory=dict)
    "Small rows by what inserts them, together at the end of each request."
    grown: set[bytes] = field(default_factory=set)
    "Own chains that need a head."
    counts: Counter[str] = field(default_factory=Counter)
    "What was done, and what was refused, by name."
    refused: Counter[str] = field(default_factory=Counter)

    def release(self, one: Readable, signer: Signer, content: kinds.Content | None) -> None:
        """Give an entry its place in the order of folding."""
        self.journal.released += 1
        person = signer.id if signer.kind == "person" else ""
        self.later(schema.ADD_RELEASED, self.journal.released, one.number, one.id, person)
        self.released.append((self.journal.released, None if content is None else one.entry(person, content)))

    def later(self, into: Quick, *row: Any) -> None:
        """Insert a row at the end of the request."""
        self.rows.setdefault(into, []).append(row)

    def flush(self, c: Connection) -> None:
        """Insert what was put off; what follows may look it up."""
        for into, rows in self.rows.items():
            into.many(c, rows)
        self.rows.clear()


def parts(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Few enough values at a time for one query."""
    return (values[i : i + 500] for i in range(0, len(values), 500))
