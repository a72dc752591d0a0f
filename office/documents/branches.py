"""The delivery map: whom a document was for, drawn along the tree of nodes on which it travels.

It says what the matrix says, by place instead of by receipt. A node that is not heard is unknown since then; what its people have
done meanwhile is not guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.directory.entries import Node
from office.documents import views
from office.documents.matrix import Row
from office.frame.desk import Desk
from office.frame.trace import heard, silent


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """A recipient."""

    organ: str
    name: str
    state: str
    "How far it has come there: ``answered``, ``signed``, ``delivered``, ``underway``, ``unknown`` or ``back``."
    words: str
    tone: str
    who: str
    "The named person who signed, answered or sent it back."
    at: int | None
    "When that was, or when it was delivered; milliseconds."
    when: str
    "The same in words."


@dataclass(frozen=True, kw_only=True)
class Branch:
    """A node on the way, the recipients at home there, and the nodes below it."""

    node: str
    name: str
    tier: str
    here: bool
    carried: str
    "R0: when the node held what it was to carry further, in words."
    unknown: str
    "Since when nothing is known of the node, in words; empty while it is heard."
    leaves: tuple[Leaf, ...]
    branches: tuple[Branch, ...] = ()


def branches(desk: Desk, rows: Sequence[Row]) -> list[Branch]:
    """The tree of a document's recipients, from the highest node on its way; empty without recipients."""
    at: dict[str, list[Row]] = {}
    for row in rows:
        at.setdefault(row.node, []).append(row)
    met = {desk.node, *(node for to in at for node in desk.directory.path(desk.node, to))} if at else set()
    found = [node for node in desk.directory.nodes() if node.id in met]
    known = _Known(desk, at)
    return [known.branch(node, found) for node in found if node.parent not in met]


class _Known:
    """What is known of each node on the way."""

    def __init__(self, desk: Desk, at: dict[str, list[Row]]) -> None:
        self.desk, self.at, self.heard = desk, at, heard(desk)

    def branch(self, node: Node, met: Sequence[Node]) -> Branch:
        """A node with all below it that the document was for or passes."""
        return Branch(
            node=node.id,
            name=node.name,
            tier=node.tier,
            here=node.id == self.desk.node,
            carried=self._carried(node),
            unknown=self._unknown(node),
            leaves=tuple(_leaf(row) for row in self.at.get(node.id, ())),
            branches=tuple(self.branch(one, met) for one in met if one.parent == node.id),
        )

    def _carried(self, node: Node) -> str:
        times = [when for rows in self.at.values() for row in rows for name, when in row.carried if name == node.name]
        return views.when(min(times, default=None))

    def _unknown(self, node: Node) -> str:
        last = self.heard.get(node.id, 0)
        return str(views.unknown_since(last)) if silent(self.desk, node.id, last) else ""


def _leaf(row: Row) -> Leaf:
    state = views.furthest(row)
    words, tone, _always = views.FURTHEST[state]
    receipt = {"answered": "R4", "signed": "R2"}.get(state) or ("R2x" if "R2x" in row.receipts else "R5")
    act = row.receipts.get(receipt)
    at = act.at if act is not None else row.delivered
    who = act.name if act is not None else ""
    return Leaf(organ=row.organ, name=row.name, state=state, words=str(words), tone=tone, who=who, at=at, when=views.when(at))
