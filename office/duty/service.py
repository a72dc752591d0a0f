"""The verbs and questions of the duty room."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from node import clock
from node.codec import digest, uuid7
from node.directory.entries import Organ
from node.entry import UP, Lane
from node.errors import Conflict, Invalid, Missing, Refused
from office.duty import entries as said
from office.duty import workflow
from office.duty.entries import MANY, PLACE, WORDS, Report, To
from office.duty.model import Addressed, Bound, Incident, Order, Roster, Story
from office.duty.workflow import DUTY, INCIDENT, RECEIVER, Lateness, State
from office.frame import clocks
from office.frame.calendar import SHANGHAI
from office.frame.desk import Desk
from office.frame.rights import acting_post, roles, with_role
from office.frame.todo import Column, Todo
from office.frame.words import _

# roster and log


def roster(desk: Desk, given: said.Rostered) -> None:
    """Say who is on duty on a day; those above see it too."""
    _on_duty(desk, given.organ)
    try:
        dt.date.fromisoformat(given.day)
    except ValueError:
        raise Invalid(_("日期应写成 2026-01-31。")) from None
    if not given.leader.strip() or not given.officer.strip():
        raise Invalid(_("请填写带班领导和值班员。"))
    if any(len(text) > PLACE for text in (given.leader, given.officer, given.standin, given.phone)):
        raise Invalid(_("填写的内容太长。"))
    desk.write(given, record=said.roster_id(given.organ, given.day), to=(UP,), post=_post(desk, given.organ))


def log(desk: Desk, organ: str, text: str, *, handover: bool = False) -> None:
    """Write a line of the duty log, or hand over to the next shift."""
    _on_duty(desk, organ)
    desk.write(said.Logged(organ, _words(text), handover), record=uuid7(), post=_post(desk, organ))


# incidents


def report(desk: Desk, given: Report, *, skip: bool = False) -> str:
    """Make a first report to the organ above, or past it to the one over that, which informs the skipped one too. Nobody approves it."""
    _on_duty(desk, given.organ)
    given = msgspec.structs.replace(given, stage="first", number=1)
    workflow.shape(given, clock.to_ms(desk.now))
    over = above(desk, given.organ)
    if skip and len(over) < 2:
        raise Refused(_("没有可以越级报告的上级。"), code="no_level")
    to = tuple(To(organ.id, organ.node) for organ in over[: 2 if skip else 1])
    incident = uuid7()
    content = said.Reported(given, to, over[0].id if skip else "")
    desk.write(content, record=incident, to=_nodes(to), lane=Lane.URGENT, post=_post(desk, given.organ))
    return incident


def follow(desk: Desk, incident: str, given: Report) -> None:
    """Report again: follow-up, verified or final, to everybody the incident was reported to."""
    found = desk.get(Incident, incident)
    if found.home != desk.node:
        raise Refused(_("事件由首报单位续报。"), code="foreign_record")
    INCIDENT.step(found.state, given.stage, roles(desk, found.organ))
    former = found.report
    given = msgspec.structs.replace(
        given, organ=found.organ, number=found.number + 1, happened=former.happened, learned=former.learned, phoned=former.phoned
    )
    workflow.shape(given, clock.to_ms(desk.now))
    to = tuple(To(one.organ, one.node) for one in addressed(desk, incident))
    # no ``after``: whom it was passed on to does not have the report before, and the numbers say the order
    desk.write(said.Reported(given, to), record=incident, to=_nodes(to), lane=Lane.URGENT, post=_post(desk, found.organ))


def receive(desk: Desk, incident: str, organ: str) -> None:
    """R2: say that one has read the reports so far."""
    found, row = _receiving(desk, incident, organ, "receive")
    if row.received_at >= found.changed_at:
        raise Conflict(_("已经接收。"), code="received_already")
    _answer(desk, incident, said.Received(incident, organ), organ, after=found.said, to=(found.home,))


def pass_on(desk: Desk, incident: str, organ: str, *, note: str = "") -> None:
    """Pass the last report on to the organ above, as it is; whoever reported it is told."""
    found, _row = _receiving(desk, incident, organ, "pass_on")
    over = above(desk, organ)[:1]
    if not over:
        raise Refused(_("本级没有上级可以转报。"), code="no_level")
    to = tuple(To(one.id, one.node) for one in over)
    content = said.PassedOn(incident, found.home, organ, found.report, to, note.strip()[:WORDS])
    _answer(desk, incident, content, organ, to=(*_nodes(to), found.home))


def merge(desk: Desk, incident: str, into: str, organ: str) -> None:
    """Count an incident with another that is the same thing; both stay as they were reported."""
    _receiving(desk, incident, organ, "merge")
    other = desk.get(Incident, into)
    if incident == into or other.state == State.MERGED:
        raise Conflict(_("请选择另一起未并案的事件。"), code="same")
    _answer(desk, incident, said.Merged(incident, into, organ), organ)


# orders


def order(desk: Desk, organ: str, to: Sequence[str], text: str, *, incident: str = "") -> str:
    """Give an order, which every organ confirms within the term; else the node tries the next way by itself."""
    _on_duty(desk, organ)
    if incident:
        desk.get(Incident, incident)
    organs = [_organ(desk, id) for id in dict.fromkeys(to)]
    if not organs or len(organs) > MANY or organ in to:
        raise Invalid(_("请选择接收指令的单位。"))
    bound = tuple(To(one.id, one.node) for one in organs)
    content, record = said.Ordered(organ, _words(text), bound, incident), uuid7()
    desk.write(content, record=record, to=_nodes(bound), lane=Lane.URGENT, post=_post(desk, organ))
    return record


def confirm(desk: Desk, order: str, organ: str, *, text: str = "") -> None:
    """R2: confirm an order in the name of an organ."""
    found, row = _bound(desk, order, organ)
    _on_duty(desk, organ)
    if row.confirmed_at:
        raise Conflict(_("指令已经确认。"), code="confirmed_already")
    _answer(desk, order, said.Confirmed(order, organ, text.strip()[:WORDS]), organ, after=found.said, to=(found.home,))


def call(desk: Desk, order: str, organ: str, *, text: str) -> None:
    """Note that an organ was reached by telephone: who answered and what was said."""
    found, row = _bound(desk, order, organ)
    _on_duty(desk, found.organ)
    _answer(desk, order, said.Called(order, organ, _words(text)), found.organ, after=found.said, to=(row.node,))


def escalate(desk: Desk, *, within: dt.timedelta) -> int:
    """Take the next way for every order of this node that waits too long for its term; called by the clerk's timer, and twice is once."""
    open_ = desk.list(Bound, Bound.confirmed_at == 0, Bound.called_at == 0, limit=None, everything=True)
    mine = [Order.home == desk.node, Order.id.in_({row.order for row in open_})]
    orders = {one.id: one for one in desk.list(Order, *mine, limit=None, everything=True)}
    wishes = []
    for row in open_:
        over = orders.get(row.order)
        step = workflow.step(desk.now - clock.from_ms(over.at), row.steps.split(), within) if over is not None else ""
        if over is not None and step:
            once = digest("duty.escalated.1", row.order.encode(), row.organ.encode(), step.encode())[:16]
            content = said.Escalated(row.order, row.organ, step)
            wishes.append(desk.wish(content, record=row.order, after=(over.said,), to=(row.node,), lane=Lane.URGENT, nonce=once))
    if wishes:
        desk.together(wishes)
    return len(wishes)


# questions


def above(desk: Desk, organ: str) -> list[Organ]:
    """The organs over one to which it reports, nearest first, one a node."""
    found: dict[str, Organ] = {}
    for one in desk.directory.above(organ):
        found.setdefault(one.node, one)
    home = _organ(desk, organ).node
    return [one for node, one in found.items() if node != home]


def addressed(desk: Desk, incident: str) -> list[Addressed]:
    """Who was told of an incident."""
    return desk.list(Addressed, Addressed.incident == incident, order=Addressed.organ)


def stories(desk: Desk, incident: str) -> list[Story]:
    """The reports of an incident, the first first."""
    return desk.list(Story, Story.incident == incident, order=Story.number)


def lateness(desk: Desk, row: Incident) -> list[Lateness]:
    """How the first report stands against its rules."""
    law, days = clocks.counted(desk.directory)
    return workflow.lateness(row.learned, row.written, row.phoned, days, desk.now, law)


def late(desk: Desk, row: Incident) -> bool:
    """Whether the first report came late."""
    law, days = clocks.counted(desk.directory)
    return workflow.late(row.learned, row.written, row.phoned, days, desk.now, law)


def parts(desk: Desk, row: Incident) -> frozenset[str]:
    """Roles in the reporting organ where it is of this node, and ``receiver`` for those it was reported to."""
    mine = set(with_role(desk, *DUTY))
    got = any(one.organ in mine for one in addressed(desk, row.id))
    own = roles(desk, row.organ) if row.home == desk.node else frozenset()
    return own | ({RECEIVER} if got else frozenset())


def moves(desk: Desk, row: Incident) -> set[str]:
    """What the person may do with an incident now."""
    return {move.name for move in INCIDENT.offers(row.state, parts(desk, row))}


def today(desk: Desk, organs: Iterable[str]) -> list[Roster]:
    """Who is on duty today in these organs."""
    day = desk.now.astimezone(SHANGHAI).date().isoformat()
    return desk.list(Roster, Roster.day == day, Roster.organ.in_(list(organs)), limit=2 * MANY)


def bound(desk: Desk, orders: Iterable[str]) -> list[Bound]:
    """The organs of orders, in the order in which they were named."""
    return desk.list(Bound, Bound.order.in_(list(orders)), order=(Bound.order, Bound.place), limit=20_000)


def todo(desk: Desk) -> list[Todo]:
    """Orders to confirm, incidents to receive, organs to call, and incidents in hand."""
    mine = with_role(desk, *DUTY)
    if not mine:
        return []
    found = [_order_todo(desk, one, row) for one, row in _orders(desk, mine)]
    unread = {one.incident for one in desk.list(Addressed, Addressed.organ.in_(mine), Addressed.received_at == 0)}
    for incident in desk.list(Incident, Incident.state == State.OPEN, order=Incident.changed_at.desc(), limit=200):
        got = desk.list(Addressed, Addressed.incident == incident.id, Addressed.organ.in_(mine))
        waits = any(one.received_at < incident.changed_at for one in got)
        found.append(_incident_todo(desk, incident, waits, new=incident.id in unread))
    return found


def waiting(desk: Desk) -> int:
    """How many matters of duty wait for the person."""
    return sum(one.column is Column.TODO for one in todo(desk))


def _orders(desk: Desk, mine: Sequence[str]) -> list[tuple[Order, Bound]]:
    """Orders that wait: to be confirmed by an organ of the person, or to be told by telephone."""
    open_ = desk.list(Bound, Bound.confirmed_at == 0, Bound.called_at == 0, limit=2000)
    orders = {one.id: one for one in desk.list(Order, Order.id.in_({row.order for row in open_}))}
    found = [(orders[row.order], row) for row in open_ if row.order in orders]
    return [(one, row) for one, row in found if row.organ in mine or (row.steps and one.organ in mine)]


def _order_todo(desk: Desk, order: Order, row: Bound) -> Todo:
    mine = row.organ in with_role(desk, *DUTY)
    at, organ = clock.from_ms(order.at), desk.directory.organ(row.organ)
    return Todo(
        title=order.text[:60],
        url=f"/duty/orders/{order.id}",
        arrived=at,
        state=_("待确认") if mine else _("待电话通知"),
        due=at + workflow.term(),
        urgency="flash",
        room=_("应急指令"),
        source=_organ(desk, order.organ).short_name,
        about="" if mine or organ is None else f"{organ.short_name} {organ.duty_phone}",
    )


def _incident_todo(desk: Desk, row: Incident, waits: bool, *, new: bool) -> Todo:
    return Todo(
        title=row.place,
        url=f"/duty/incidents/{row.id}",
        arrived=clock.from_ms(row.changed_at),
        state=_("待接收") if waits else _("处置中"),
        column=Column.TODO if waits else Column.HAND,
        urgency="flash" if waits and new else "none",
        room=_("突发事件"),
        source=_organ(desk, row.organ).short_name,
        number=workflow.LEVELS[row.level],
        about=workflow.CATEGORIES[row.category],
    )


# inside


def _organ(desk: Desk, id: str) -> Organ:
    found = desk.directory.organ(id)
    if found is None:
        raise Missing()
    return found


def _on_duty(desk: Desk, organ: str) -> None:
    if organ not in with_role(desk, *DUTY):
        raise Refused(_("您不在这个单位的值班岗位上。"), code="not_yours")


def _words(text: str) -> str:
    if not text.strip() or len(text) > WORDS:
        raise Invalid(_("请填写内容，不超过两千字。"))
    return text.strip()


def _post(desk: Desk, organ: str) -> str:
    return acting_post(desk, organ, DUTY)


def _nodes(to: Iterable[To]) -> list[str]:
    return sorted({one.node for one in to})


def _receiving(desk: Desk, incident: str, organ: str, move: str) -> tuple[Incident, Addressed]:
    """An incident and the row of an organ of the person to which it was reported."""
    found = desk.get(Incident, incident)
    INCIDENT.step(found.state, move, parts(desk, found))
    row = next((one for one in addressed(desk, incident) if one.organ == organ and organ in with_role(desk, *DUTY)), None)
    if row is None:
        raise Missing()
    return found, row


def _bound(desk: Desk, order: str, organ: str) -> tuple[Order, Bound]:
    found = desk.get(Order, order)
    row = next(iter(desk.list(Bound, Bound.order == order, Bound.organ == organ)), None)
    if row is None:
        raise Missing()
    return found, row


def _answer(desk: Desk, matter: str, content: Any, organ: str, *, after: bytes = b"", to: Iterable[str] = ()) -> None:
    record = said.answer_id(matter, organ)
    desk.write(content, record=record, after=(after,), to=tuple(to), lane=Lane.URGENT, post=_post(desk, organ))
