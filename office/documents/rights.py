"""Who a person is in a document: roles in its organ, parts played in it, and so the steps the person may take."""

from __future__ import annotations

from node.directory.entries import Organ
from office.documents import workflow
from office.documents.model import Document, Hand, Incoming
from office.documents.workflow import DELEGATE, DRAFTER, HANDLER, INCOMING, OUTGOING, READER, SIGNER
from office.frame import rights
from office.frame.desk import Desk
from office.frame.rights import roles as roles
from office.frame.rights import staff as staff
from office.frame.rights import with_role as with_role


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


def moves(desk: Desk, document: Document) -> tuple[str, ...]:
    """What the person may do with a document now."""
    return tuple(move.name for move in OUTGOING.offers(document.state, parts_in(desk, document)))


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
