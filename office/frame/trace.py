"""How far something written has come: R0 and R1, as the nodes on the way signed them.

Nothing is inferred: a node that is not heard is unknown since then, and is said to be so.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from node import clock
from office.frame.desk import Desk

SILENT = 30_000
"Milliseconds after which a node that was not heard counts as cut off."


@dataclass(frozen=True, kw_only=True)
class Reached:
    """What is known of a statement at one node that is to get it."""

    carried: tuple[tuple[str, int], ...] = ()
    "R0: (node on the way, when it held the statement first)."
    delivered: int | None = None
    "R1: when the node held it, milliseconds; None while that has not been heard."
    place: str = ""
    "Ref of the place of which this is said."
    silent: bool = False
    "The node is not heard now: what happens there is unknown."
    heard: int = 0
    "When it was last heard, milliseconds; 0 for never."


class Trace:
    """What holds say of one statement, for every node that is to get it."""

    def __init__(self, desk: Desk, statement: bytes) -> None:
        self._desk, self._heard = desk, heard(desk)
        self._held: dict[str, tuple[tuple[str, int], ...]] = {"": ()}
        self._places: dict[str, str] = {}
        for place in desk.ledger.places(statement):
            node = place.audience.node or ""
            self._held[node] = tuple(sorted(desk.ledger.carried(place.chain, place.seq), key=lambda pair: pair[1]))
            self._places[node] = place.ref

    def at(self, node: str, *, written: int) -> Reached:
        """How far it has come towards a node; ``written`` is when it was, which is its delivery at the node that wrote it."""
        desk, here = self._desk, node == self._desk.node
        holders = self._held.get(node, self._held[""])
        way = desk.directory.path(desk.node, node)
        last = self._heard.get(node, 0)
        return Reached(
            carried=tuple((holder, at) for holder, at in holders if holder not in (node, desk.node) and holder in way),
            delivered=written if here else dict(holders).get(node),
            place=self._places.get(node, self._places.get("", "")),
            silent=silent(desk, node, last),
            heard=last,
        )


def silent(desk: Desk, node: str, last: int) -> bool:
    """Whether nothing is known of a node now that was last heard at ``last`` (milliseconds, 0 for never)."""
    return node != desk.node and clock.to_ms(desk.now) - last > SILENT


def heard(desk: Desk) -> dict[str, int]:
    """When each node was last heard, itself or through its neighbours, as the courier notes it; milliseconds."""
    try:
        links = msgspec.json.decode(desk.settings.path("run", "links.json").read_bytes())
        return {str(node): int(at) for node, at in links["heard"].items()}
    except (OSError, msgspec.DecodeError, KeyError, TypeError, AttributeError, ValueError):
        return {}
