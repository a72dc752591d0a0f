"""How far a document has come: local, parent, root, delivered, signed; each level means the ones before it too.

Read from range statements (who says to hold which chain up to where) and from receipts, never from what was sent.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from node.requests import Place
from office.documents.matrix import matrix
from office.documents.model import Letter
from office.frame.desk import Desk

LEVELS = ("local", "parent", "root", "delivered", "signed")


@dataclass(frozen=True, kw_only=True)
class Reached:
    """Where a document has come."""

    level: str
    copies: int
    "Nodes that say they hold it, this one included."


def await_level(desk: Desk, doc: str, wanted: str, seconds: float) -> Reached:
    """Look until the level is reached or the time is over; what was reached then."""
    until = time.monotonic() + seconds
    while True:
        found = reached(desk, doc)
        if LEVELS.index(found.level) >= LEVELS.index(wanted) or time.monotonic() >= until:
            return found
        time.sleep(0.1)


def reached(desk: Desk, doc: str) -> Reached:
    """The highest level that holds now."""
    places = desk.ledger.places(desk.get(Letter, doc).said)
    held = [(place, {holder for holder, _ in desk.ledger.carried(place.chain, place.seq)}) for place in places]
    level = "local"
    for name, holds in zip(LEVELS[1:], _levels(desk, doc, held), strict=True):
        if not holds:
            break
        level = name
    return Reached(level=level, copies=len({desk.node}.union(*(holders for _, holders in held))))


def _levels(desk: Desk, doc: str, held: list[tuple[Place, set[str]]]) -> Iterator[bool]:
    tree = desk.directory.tree()
    above = tree.ancestors(desk.node)[1:]
    yield all(set(_way(desk, place)) & set(above[:1]) <= holders for place, holders in held)
    yield all(set(_way(desk, place)) & set(above) <= holders for place, holders in held)
    rows = matrix(desk, doc)
    yield all(row.delivered is not None for row in rows)
    yield all("R2" in row.receipts for row in rows)


def _way(desk: Desk, place: Place) -> tuple[str, ...]:
    """The nodes a log passes on its way to its reader."""
    return desk.directory.path(desk.node, place.audience.node) if place.audience.node else ()
