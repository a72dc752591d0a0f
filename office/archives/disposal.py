"""Verbs of destruction: a list, the head's approval, two supervisors, and then only what stands on the list. There is no other way out."""

from __future__ import annotations

from collections.abc import Sequence

from node.codec import uuid7
from node.errors import Invalid, Refused
from node.kinds import Content
from office.archives import entries as said
from office.archives.filing import MANY, reason_of
from office.archives.model import Item, Roll
from office.archives.workflow import FILERS, HEAD, LIST, SUPERVISORS, State
from office.frame.desk import Desk
from office.frame.rights import acting_post, roles
from office.frame.words import _


def propose(desk: Desk, items: Sequence[str], *, reason: str) -> str:
    """Put items that were appraised as fit for it on a new list; its id."""
    found = [desk.get(Item, id) for id in dict.fromkeys(items)]
    organs = {item.organ for item in found}
    if not found or len(found) > MANY or len(organs) != 1:
        raise Invalid(_("请选择同一机关的一至 {n} 件。").format(n=MANY), code="none_chosen")
    (organ,) = organs
    if not set(FILERS) & roles(desk, organ):
        raise Refused(_("您的岗位不能办理这一步。"), code="not_yours")
    if any(item.state != State.DOOMED or item.hold or item.borrower for item in found):
        raise Refused(_("只有经鉴定可以销毁、没有冻结也没有借出的档案才能列入清册。"), code="not_fit")
    roll = uuid7()
    desk.expect(roll, 0)
    body = said.ListProposed(organ, tuple(item.id for item in found), reason_of(reason))
    after = tuple(item.said for item in found)
    desk.write(body, record=roll, after=after, touches=tuple(item.id for item in found), post=acting_post(desk, organ, FILERS))
    return roll


def approve(desk: Desk, roll: str, *, opinion: str) -> None:
    """The head of the organ approves a list that another proposed."""
    found = _step(desk, roll, "approve")
    if found.proposer == desk.person:
        raise Refused(_("清册不能由提出的人自己批准。"), code="own_list")
    _write(desk, found, said.ListApproved(found.organ, opinion.strip()), HEAD)


def reject(desk: Desk, roll: str, *, reason: str) -> None:
    """The head does not approve; the items stay."""
    found = _step(desk, roll, "reject")
    _write(desk, found, said.ListRejected(found.organ, reason_of(reason)), HEAD)


def supervise(desk: Desk, roll: str) -> None:
    """Sign as one of two supervisors that the items are those of the list."""
    found = _step(desk, roll, "supervise")
    if desk.person in (found.proposer, found.first) or found.second:
        raise Refused(_("监销人应为两人，不能是提出清册的人。"), code="supervisor")
    _write(desk, found, said.Supervised(found.organ, desk.name), *SUPERVISORS)


def destroy(desk: Desk, roll: str) -> None:
    """Destroy what a list names, once it is approved and two have supervised."""
    found = _step(desk, roll, "destroy")
    if not (found.first and found.second):
        raise Refused(_("还没有两名监销人签字。"), code="supervisor")
    items = desk.list(Item, Item.disposal == found.id)
    if any(item.hold or item.borrower for item in items):
        raise Refused(_("清册中有冻结或借出的档案。"), code="not_fit")
    _write(desk, found, said.Destroyed(found.organ), *FILERS, touches=tuple(item.id for item in items))


def moves(desk: Desk, roll: Roll) -> tuple[str, ...]:
    """What the person may do with a list now."""
    shut = set()
    if desk.person == roll.proposer:
        shut |= {"approve", "supervise"}
    if desk.person == roll.first or roll.second:
        shut.add("supervise")
    if not roll.second:
        shut.add("destroy")
    return tuple(move.name for move in LIST.offers(roll.state, roles(desk, roll.organ)) if move.name not in shut)


def _step(desk: Desk, roll: str, move: str) -> Roll:
    found = desk.get(Roll, roll)
    LIST.step(found.state, move, roles(desk, found.organ))
    return found


def _write(desk: Desk, roll: Roll, content: Content, *prefer: str, touches: tuple[str, ...] = ()) -> None:
    desk.write(content, record=roll.id, after=(roll.said,), post=acting_post(desk, roll.organ, prefer), touches=touches)
