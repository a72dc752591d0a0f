"""The verbs and questions of the supervision room."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from node import clock
from node.codec import uuid7
from node.directory.entries import Organ
from node.directory.view import today
from node.errors import Conflict, Invalid, Refused
from office.frame.calendar import SHANGHAI, Workdays
from office.frame.desk import Desk
from office.frame.rights import acting_post, roles, with_role
from office.frame.todo import Column, Todo
from office.frame.words import _
from office.supervision import entries as said
from office.supervision import workflow
from office.supervision.entries import WORDS, Opened
from office.supervision.model import Item, Referred
from office.supervision.workflow import FLOW, HANDLER, MEMBERS, OVERSEE, OVERSEER, SUPERVISOR, WAYS, Lamp, State

STATES = {
    State.SENT: _("待签收"),
    State.HAND: _("承办中"),
    State.REVIEW: _("待审核"),
    State.ACCEPTED: _("待核查销号"),
    State.STRUCK: _("已销号"),
}
OPEN = Item.struck_at == 0
MOST = 500
"Items that are looked at for a home page."


# verbs


def open_item(desk: Desk, given: Opened) -> str:
    """Give a task to an organ below: on what basis, what, until when."""
    if given.organ not in with_role(desk, SUPERVISOR):
        raise Refused(_("只有本单位的督查员可以立项。"), code="not_yours")
    if given.source:
        _refers(desk, given)
    return _open(desk, msgspec.structs.replace(given, parent="", over=""))


def split(desk: Desk, item: str, given: Opened) -> str:
    """Give a part of a task to an organ further below; the lead organ goes on answering for the whole."""
    whole = _step(desk, item, "split")
    if given.deadline > whole.deadline:
        raise Invalid(_("分解事项的时限不能晚于总时限（{day}）。").format(day=whole.deadline))
    return _open(desk, msgspec.structs.replace(given, organ=whole.lead, parent=item, over=whole.organ, source=""), whole.home)


def sign(desk: Desk, item: str) -> None:
    """R2: say that the task has arrived."""
    _answer(desk, _step(desk, item, "sign"), said.SignedFor(item))


def report(desk: Desk, item: str, *, text: str) -> None:
    """Say how far the task is."""
    row = _step(desk, item, "report")
    _answer(desk, row, said.Reported(item, row.reports + 1, _words(text)))


def finish(desk: Desk, item: str, *, text: str, despite: str = "") -> None:
    """Report that all is done; where a part is still open, with a reason."""
    row = _step(desk, item, "finish")
    _answer(desk, row, said.Reported(item, row.reports + 1, _words(text), True, _despite(desk, row, despite)))


def accept(desk: Desk, item: str, *, text: str = "") -> None:
    """The report that all is done passes the review."""
    row = _step(desk, item, "accept")
    _rule(desk, row, said.Accepted(row.final, text.strip()[:WORDS]), row.node)


def send_back(desk: Desk, item: str, *, reason: str) -> None:
    """The report that all is done does not pass; say what is to be done again."""
    row = _step(desk, item, "return")
    _rule(desk, row, said.Returned(row.final, _words(reason)), row.node)


def strike_off(desk: Desk, item: str, *, way: str, finding: str, despite: str = "") -> None:
    """Take a verified item off the list; over an open part only with a reason."""
    row = _step(desk, item, "strike")
    if way not in WAYS:
        raise Invalid(_("请选择核查方式。"))
    content = said.StruckOff(way, _words(finding), _despite(desk, row, despite))
    _rule(desk, row, content, row.node, _overseen(desk, row))


def urge(desk: Desk, item: str, *, text: str) -> None:
    """Urge the lead organ, which has not signed for it or is slow."""
    row = _step(desk, item, "urge")
    _rule(desk, row, said.Urged(_words(text)), row.node)


def ask_extension(desk: Desk, item: str, *, until: str, reason: str) -> None:
    """Ask for a later deadline before the present one is over."""
    row = _step(desk, item, "extend")
    if row.asked > row.decided:
        raise Conflict(_("已经申请延期，立项单位尚未答复。"), code="asked")
    if row.deadline < today().isoformat():
        raise Refused(_("时限已过，不能再申请延期；请尽快办理并说明原因。"), code="passed")
    if workflow.day(until).isoformat() <= row.deadline:
        raise Invalid(_("延长后的时限应晚于原时限。"))
    _answer(desk, row, said.ExtensionAsked(item, row.asked + 1, workflow.day(until).isoformat(), _words(reason)))


def decide_extension(desk: Desk, item: str, *, granted: bool, text: str = "") -> None:
    """Grant the later deadline that was asked for, or say why not; a part ends no later than the whole."""
    row = _step(desk, item, "decide")
    if row.asked <= row.decided:
        raise Conflict(_("没有待答复的延期申请。"), code="moved_on")
    whole = desk.get(Item, row.parent) if row.parent and granted else None
    if whole is not None and row.until > whole.deadline:
        raise Invalid(_("分解事项的时限不能晚于总时限（{day}）。").format(day=whole.deadline))
    until, words = (row.until, text.strip()[:WORDS]) if granted else ("", _words(text))
    _rule(desk, row, said.ExtensionDecided(row.asked, until, words), row.node, _overseen(desk, row))


# questions


def children(desk: Desk, row: Item) -> list[Item]:
    """The parts into which the lead organ split an item."""
    return desk.list(Item, Item.parent == row.id, Item.home == row.node, Item.organ == row.lead, order=(Item.deadline, Item.id))


def parts(desk: Desk, row: Item) -> frozenset[str]:
    """What the person is in an item, each at the node where that is written."""
    over = row.home == desk.node and roles(desk, row.organ) & set(OVERSEE)
    mine = row.node == desk.node and roles(desk, row.lead) & set(MEMBERS)
    return frozenset(part for part, holds in ((OVERSEER, over), (HANDLER, mine)) if holds)


def moves(desk: Desk, row: Item) -> set[str]:
    """What the person may do with an item now."""
    not_now = "extend" if row.asked > row.decided else "decide"
    return {move.name for move in FLOW.offers(row.state, parts(desk, row))} - {not_now}


def lamp(desk: Desk, row: Item) -> Lamp:
    """How an item stands to its deadline, on working days."""
    return workflow.lamp(row.state, dt.date.fromisoformat(row.deadline), today(), Workdays(desk.directory.calendars()))


def below(desk: Desk, organ: str) -> list[Organ]:
    """The organs to which one may give a task: those under it, their inner sections left out."""
    found = desk.directory.organs()
    return [one for one in found if one.kind != "section" and any(over.id == organ for over in desk.directory.above(one.id))]


def referred(desk: Desk) -> list[Referred]:
    """What was handed to supervision after the third urging and no item was opened of, where the organ stands below."""
    rows = desk.list(Referred, Referred.item == "", order=Referred.at.desc(), limit=MOST)
    return [row for row in rows if any(over.id == row.organ for over in desk.directory.above(row.lead))]


def todo(desk: Desk) -> list[Todo]:
    """Items that wait for the person, and those in hand."""
    mine = with_role(desk, *MEMBERS)
    rows = desk.list(Item, OPEN, Item.organ.in_(mine) | Item.lead.in_(mine), order=Item.at.desc(), limit=MOST) if mine else []
    found = [_todo(desk, row, moves(desk, row)) for row in rows if parts(desk, row)]
    return [_referred_todo(desk, row) for row in referred(desk)] + found


def waiting(desk: Desk) -> int:
    """How many items wait for the person."""
    return sum(one.column is Column.TODO for one in todo(desk))


# inside


def _refers(desk: Desk, given: Opened) -> None:
    """Refuse an item that is not of what was handed over, or the second one of it."""
    row = desk.get(Referred, given.source)
    if (row.organ, row.lead) != (given.organ, given.lead):
        raise Invalid(_("这件公文由发文单位立项，由催办三次未答复的单位牵头。"))
    desk.version(row.id)
    if row.item:
        raise Conflict(_("这件公文已经立项。"), code="opened_already")


def _referred_todo(desk: Desk, row: Referred) -> Todo:
    lead = desk.directory.organ(row.lead)
    return Todo(
        title=row.title,
        url=f"/supervision/new?referred={row.id}",
        arrived=clock.from_ms(row.at),
        state=_("催办三次未答复，待立项"),
        room=_("督查"),
        source=lead.short_name if lead is not None else "",
    )


def _todo(desk: Desk, row: Item, offered: set[str]) -> Todo:
    waits = (row.state != State.HAND and bool(offered - {"urge"})) or "decide" in offered
    last = dt.datetime.combine(dt.date.fromisoformat(row.deadline), dt.time(23, 59, 59), SHANGHAI)
    source = desk.directory.organ(row.organ)
    return Todo(
        title=row.title,
        url=f"/supervision/{row.id}",
        arrived=clock.from_ms(row.at),
        state=STATES[row.state],
        column=Column.TODO if waits else Column.HAND,
        due=last,
        room=_("督查"),
        source=source.short_name if source is not None else "",
    )


def _open(desk: Desk, given: Opened, *more: str) -> str:
    workflow.shape(given, today())
    lead = desk.directory.organ(given.lead)
    if lead is None or all(one.id != lead.id for one in below(desk, given.organ)):
        raise Invalid(_("请选择本单位的下级单位牵头。"))
    record, post = uuid7(), acting_post(desk, given.organ, MEMBERS)
    content = msgspec.structs.replace(given, node=lead.node)
    desk.write(content, record=record, to=_others(desk, lead.node, *more), post=post, touches=(given.source,) if given.source else ())
    return record


def _step(desk: Desk, item: str, move: str) -> Item:
    row = desk.get(Item, item)
    FLOW.step(row.state, move, parts(desk, row))
    return row


def _answer(desk: Desk, row: Item, content: Any) -> None:
    """What the lead organ says to whoever opened the item."""
    record = said.answer_id(row.id, row.lead)
    desk.version(record)  # two who report at once have the same number
    desk.write(content, record=record, after=(row.said,), to=_others(desk, row.home), post=acting_post(desk, row.lead, MEMBERS))


def _rule(desk: Desk, row: Item, content: Any, *to: str) -> None:
    """What whoever opened the item says to the lead organ."""
    desk.write(content, record=row.id, after=(row.said,), to=_others(desk, *to), post=acting_post(desk, row.organ, OVERSEE))


def _others(desk: Desk, *nodes: str) -> list[str]:
    return sorted({node for node in nodes if node and node != desk.node})


def _overseen(desk: Desk, row: Item) -> str:
    """The node of whoever oversees the whole of which an item is a part."""
    if not row.parent:
        return ""
    return desk.get(Item, row.parent).home


def _despite(desk: Desk, row: Item, reason: str) -> str:
    open_ = sum(not one.struck_at for one in children(desk, row))
    if not open_:
        return ""
    if not reason.strip():
        raise Invalid(_("还有 {n} 项分解事项没有销号。牵头单位对全部事项负责：请先办结，或者写明原因。").format(n=open_), code="open_parts")
    return reason.strip()[:WORDS]


def _words(text: str) -> str:
    if not text.strip() or len(text) > WORDS:
        raise Invalid(_("请填写内容，不超过两千字。"))
    return text.strip()
