"""What is known of the tree's nodes and lines, as this node hears them, and the word that a fork has been dealt with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from node import certs, clock, forks, health
from node.codec import base32
from node.directory.entries import ADMINISTRATORS, Node
from node.errors import Invalid, Missing, Refused
from node.requests import Seen
from office.frame.desk import Desk
from office.frame.trace import heard, silent
from office.frame.words import _

GUARD = ADMINISTRATORS[1]
"The security administrator, who says that a fork has been dealt with."
NOTE = 2000
"Most characters of that word."


@dataclass(frozen=True, kw_only=True)
class Spot:
    """A node on the map."""

    node: Node
    here: bool
    line: Mapping[str, Any] | None
    "The line to it as ``status`` has it, when it is a neighbour."
    heard: dt.datetime | None
    "When it was last heard, itself or through others; None for never."
    silent: bool
    "What happens there is unknown now."
    above: str
    "Id of the node above it."

    @property
    def state(self) -> str:
        """here, up, connecting, down or refused of a neighbour; heard or silent of the others."""
        if self.here:
            return "here"
        return str(self.line["state"]) if self.line else "silent" if self.silent else "heard"

    @property
    def waiting(self) -> int:
        """Entries that still have to go over the line to it."""
        return int((self.line or {}).get("out_backlog", {}).get("entries", 0))


def is_admin(desk: Desk) -> bool:
    """Whether the person is one of the node's three administrators."""
    return bool(desk.roles & set(ADMINISTRATORS))


def need_admin(desk: Desk) -> None:
    """Refuse everybody else."""
    if not is_admin(desk):
        raise Refused(_("网络运行情况由本节点的管理员查看。"), code="not_yours")


def condition(desk: Desk, context: Any) -> dict[str, Any]:
    """What the node says of itself, as ``yiwang status`` answers; ``context`` is the process's own of ZeroMQ."""
    return health.collect(desk.settings, context=context)


def spots(desk: Desk, found: Mapping[str, Any]) -> list[Spot]:
    """The nodes below this one, this one, and those above it, tier by tier; closed ones are not on the map."""
    tree, last = desk.directory.tree(), heard(desk)
    near = {row["peer"]: row for row in found["links"]}
    shown = tree.subtree(desk.node) | {*tree.ancestors(desk.node)}
    rows = []
    for node in desk.directory.nodes():
        if node.id in shown:
            at = last.get(node.id, 0)
            moment, unknown = clock.from_ms(at) if at else None, silent(desk, node.id, at)
            rows.append(Spot(node=node, here=node.id == desk.node, line=near.get(node.id), heard=moment, silent=unknown, above=node.parent))
    return rows


def spot(desk: Desk, found: Mapping[str, Any], node: str) -> Spot:
    """One of them; :class:`Missing` for one that is not on this node's map."""
    for one in spots(desk, found):
        if one.node.id == node:
            return one
    raise Missing()


def ends(node: Node) -> dt.datetime:
    """When the certificate of a node ends."""
    return certs.load(node.chain[0]).not_valid_after_utc


def name_of(seen: Seen) -> str:
    """The name of a fork: that of the epoch which has two histories."""
    return base32(seen.chain)


def fork(desk: Desk, name: str) -> Seen:
    """A fork that this node knows."""
    for one in desk.ledger.forks():
        if name_of(one) == name:
            return one
    raise Missing()


def proof(desk: Desk, seen: Seen) -> bytes:
    """The proof as the file that ``yiwang proof check`` and the stand-alone verifier read anywhere."""
    return b"".join(forks.told(desk.settings, seen))


def settle(desk: Desk, name: str, note: str) -> None:
    """Say as the node that a fork was dealt with: its alarm ends here, and below when this node stands above the author."""
    if GUARD not in desk.roles:
        raise Refused(_("分叉由本节点的安全管理员处理。"), code="not_yours")
    found, note = fork(desk, name), note.strip()
    if found.settled:
        raise Refused(_("这处分叉已经处理过。"), code="settled")
    if not note or len(note) + len(desk.name) + 2 > NOTE:
        raise Invalid(_("请写明查明了什么、怎样处理，不超过二千字。"), code="reason")
    desk.ledger.write([forks.settlement(desk.settings, desk.directory.tree().ancestors(found.author), found, f"{note}（{desk.name}）")])
