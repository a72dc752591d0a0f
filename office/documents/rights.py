"""Who a person is in a document: roles in its organ, parts played in it, and so the steps the person may take."""

from __future__ import annotations

from node.directory.entries import Organ
from office.documents import workflow
from office.documents.flows import ANYWAY, COVERS, Way
from office.documents.issuers import blocked
from office.documents.model import Document, Hand, Incoming
from office.documents.workflow import CLERK, DELEGATE, DRAFTER, HANDLER, INCOMING, OUTGOING, READER, SIGNER
from office.frame import rights
from office.frame.desk import Desk
from office.frame.rights import roles as roles
from office.frame.rights import staff as staff
from office.frame.rights import with_role as with_role

EVERYBODY = frozenset(role for move in OUTGOING.moves for role in ((move.by,) if isinstance(move.by, str) else move.by))
"Every part that the table of moves knows."


def parts_in(desk: Desk, document: Document) -> frozenset[str]:
    """Roles in the document's organ, ``drafter`` for its drafter, and ``delegate`` for whom a signer has lent the power to."""
    part = {DRAFTER} if document.drafter == desk.person else set()
    return roles(desk, document.organ) | part | ({DELEGATE} if lent(desk, document.organ) is not None else set())


def lent(desk: Desk, organ: str) -> rights.Lent | None:
    """The live power to sign for an organ that was lent to the person, if there is one."""
    return next((one for one in rights.powers(desk) if one.organ == organ and one.role == SIGNER), None)


def parts_of(desk: Desk, incoming: Incoming) -> frozenset[str]:
    """Roles in the receiving organ, and ``handler`` or ``reader`` for those it was given to."""
    tasks = {hand.task for hand in desk.list(Hand, Hand.incoming == incoming.id, Hand.person == desk.person)}
    given = {HANDLER if task in ("lead", "assist") else READER for task in tasks if task}
    return roles(desk, incoming.organ) | given


def parts_on(desk: Desk, document: Document, move: str) -> frozenset[str]:
    """What the person is with regard to one step: where a flow says who does it, those may who have it, whatever their roles, and nobody else."""
    parts = parts_in(desk, document)
    if not document.flow:
        return parts
    way = Way.of(desk, document)
    return _by_flow(way, move, parts) if way.lies(move) else parts


def _by_flow(way: Way, move: str, parts: frozenset[str]) -> frozenset[str]:
    if move == "return":
        return EVERYBODY if way.returns() else parts & {SIGNER}
    if move not in COVERS or (move in ANYWAY and parts & {DRAFTER, CLERK}):
        return parts if way.may(move) else frozenset()
    return EVERYBODY if way.may(move) else frozenset()


def moves(desk: Desk, document: Document) -> tuple[str, ...]:
    """What the person may do with a document now; ``issue`` numbers, seals and dispatches it in one."""
    shut = blocked(desk, document)
    return tuple(name for name in _moves(desk, document) if name not in shut)


def _moves(desk: Desk, document: Document) -> tuple[str, ...]:
    parts = parts_in(desk, document)
    if not document.flow:
        found = [move.name for move in OUTGOING.offers(document.state, parts)]
        return (*found, "issue") if "dispatch" in found else tuple(found)
    way, names = Way.of(desk, document), dict.fromkeys(move.name for move in OUTGOING.moves)
    found = [name for name in names if OUTGOING.allows(document.state, name, _by_flow(way, name, parts))]
    return (*found, "issue") if OUTGOING.allows(document.state, "dispatch", _by_flow(way, "issue", parts)) else tuple(found)


def incoming_moves(desk: Desk, incoming: Incoming) -> tuple[str, ...]:
    """What the person may do with an incoming document now."""
    found = (move.name for move in INCOMING.offers(incoming.state, parts_of(desk, incoming)))
    return tuple(move for move in found if move != "read" or _unread(desk, incoming))


def issuers(desk: Desk) -> list[Organ]:
    """Organs in whose name the person may draft."""
    return [organ for organ in desk.directory.acts_for(desk.person) if organ.may_issue and organ.node == desk.node]


def acting_post(desk: Desk, organ: str) -> str:
    """The post in which the person acts for an organ: one that serves it, with a watching role if there is one."""
    return rights.acting_post(desk, organ, workflow.WATCHERS)


def _unread(desk: Desk, incoming: Incoming) -> bool:
    return any(not hand.read_at and hand.task == "read" for hand in desk.list(Hand, Hand.incoming == incoming.id, Hand.person == desk.person))
