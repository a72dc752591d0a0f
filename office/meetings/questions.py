"""What pages and the home page ask of meetings: who is expected, who was reached, who is taken, what it all costs, what waits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from node import clock
from node.directory.entries import Organ
from node.errors import Missing
from office.frame.calendar import SHANGHAI
from office.frame.desk import Desk
from office.frame.rights import roles, with_role
from office.frame.todo import Column, Todo
from office.frame.trace import Reached, Trace
from office.frame.words import Text, _
from office.meetings import entries as said
from office.meetings import workflow
from office.meetings.entries import Plan
from office.meetings.model import Busy, Call, Guest, Meeting, Task, Topic
from office.meetings.workflow import CALLED, CLERKS, COLLECTOR, MEETING, WATCHERS, State

EVERYBODY = 20_000
"Rows of a list that nobody pages through."


@dataclass(frozen=True, kw_only=True)
class Expected:
    """Somebody who is to come, or the substitute, with the code for the door."""

    guest: Guest
    name: str
    title: str
    code: str


@dataclass(frozen=True)
class Line:
    """An organ that is called, by what is known of it."""

    call: Call
    name: str
    reached: Reached
    come: int
    leave: int
    void: bool
    "It replied to a former round only."


def parts(desk: Desk, meeting: Meeting) -> frozenset[str]:
    """Roles in the arranging organ, ``called`` for who answers for an organ that is, ``collector`` for who sends replies up."""
    mine = set(with_role(desk, *WATCHERS))
    played = {CALLED for one in meeting.called if {one.organ, one.via} & mine} | {COLLECTOR for one in meeting.called if one.via in mine}
    return roles(desk, meeting.organ) | played


def moves(desk: Desk, meeting: Meeting) -> set[str]:
    """What the person may do with a meeting now."""
    return {move.name for move in MEETING.offers(meeting.state, parts(desk, meeting))}


def tasks(desk: Desk, meeting: str) -> list[Task]:
    """The decisions of a meeting in their order."""
    return sorted(desk.list(Task, Task.meeting == meeting), key=lambda one: int(one.id.rsplit(".", 1)[1]))


def gathering(desk: Desk, meeting: Meeting, organ: str) -> list[Call]:
    """The calls whose replies an organ collects, its own among them."""
    return desk.list(Call, Call.meeting == meeting.id, Call.via == organ, order=Call.order, limit=EVERYBODY)


def guests(desk: Desk, meeting: str) -> list[Guest]:
    """Everybody named by the replies to the present round, in protocol order."""
    return desk.list(Guest, Guest.meeting == meeting, order=(Guest.order, Guest.place), limit=EVERYBODY)


def expected(desk: Desk, meeting: Meeting) -> list[Expected]:
    """Who is to come, substitutes in the place of those who have leave: with a call to principals only once it is granted."""
    found, principals = [], meeting.plan.principals
    for guest in guests(desk, meeting.id):
        excused = guest.leave and (guest.verdict == "granted" or (not principals and guest.verdict != "declined"))
        if guest.leave and not (excused and guest.substitute):
            continue
        name, title = (guest.substitute, guest.substitute_title) if guest.leave else (guest.name, guest.title)
        found.append(Expected(guest=guest, name=name, title=title, code=said.code(meeting.salt, guest.organ, name)))
    return found


def answers(desk: Desk, meeting: Meeting) -> list[Line]:
    """Who was reached, signed and replied, for the organs that this desk may know of."""
    trace, named = Trace(desk, meeting.said), guests(desk, meeting.id)
    found = []
    for call in desk.list(Call, Call.meeting == meeting.id, order=Call.order, limit=EVERYBODY):
        mine = [one for one in named if one.organ == call.organ]
        away = sum(bool(one.leave) for one in mine)
        void = 0 < call.reply_round < meeting.round
        reached = trace.at(call.node, written=meeting.noticed_at)
        found.append(Line(call, organ_of(desk, call.organ).short_name, reached, len(mine) - away, away, void))
    return found


def clashes(desk: Desk, plan: Plan, people: Iterable[str], *, meeting: str = "") -> list[str]:
    """Names of persons who sit in another meeting at the time."""
    asked = [one for one in people if one]
    rows = desk.list(Busy, Busy.person.in_(asked), Busy.meeting != meeting, Busy.begins < plan.ends, Busy.ends > plan.begins)
    cards = (desk.directory.person(one) for one in dict.fromkeys(row.person for row in rows))
    return [card.name for card in cards if card is not None]


def warnings(desk: Desk, plan: Plan, *, meeting: str = "") -> list[str]:
    """What to think about before a plan is put forward: the burden rules, and a chair in two places at once."""
    year = [h for id, h in times(desk, plan.organ) if id != meeting and h.begins.year == clock.from_ms(plan.begins).year]
    two = [_("{name}同一时间另有会议。").format(name=name) for name in clashes(desk, plan, (plan.chair,), meeting=meeting)]
    return [*two, *map(str, workflow.warnings(plan, year))]


def burden(desk: Desk, organ: str) -> tuple[workflow.Burden, workflow.Burden]:
    """What meetings cost: those an organ arranged, and those it was called to."""
    called = desk.list(Call, Call.organ == organ, limit=EVERYBODY)
    ids = [one.meeting for one in called]
    elsewhere = [h for id, h in times(desk, "") if id in set(ids)]
    return workflow.burden([h for _id, h in times(desk, organ)], desk.now), workflow.burden(elsewhere, desk.now)


def times(desk: Desk, organ: str) -> list[tuple[str, workflow.Held]]:
    """The meetings of an organ (of everybody, as far as this desk sees them) as the burden counter takes them, by their ids."""
    states = Meeting.state.in_([State.NOTIFIED, State.HELD, State.CLOSED])
    rows = desk.list(Meeting, states, *([Meeting.organ == organ] if organ else []), limit=EVERYBODY)
    return [(m.id, workflow.Held(begins=clock.from_ms(m.begins), hours=(m.ends - m.begins) / 3_600_000, kind=m.kind)) for m in rows]


def minutes_text(desk: Desk, meeting: Meeting) -> str:
    """The text with which the minutes begin: when, where, who was in the chair, who was there, what was on the agenda."""
    plan, there = meeting.plan, guests(desk, meeting.id)
    chair = desk.directory.person(plan.chair)
    when = clock.from_ms(meeting.begins).astimezone(SHANGHAI)
    present = [one for one in expected(desk, meeting) if one.guest.attended_at]
    absent = [one.name for one in there if one.leave]
    lines = [
        f"{when.year}年{when.month}月{when.day}日，{chair.name if chair else ''}在{plan.venues[0]}主持召开{meeting.title}。现纪要如下：",
        *(f"{number}、{item.title}" for number, item in enumerate(plan.agenda, 1)),
        "出席：" + "、".join(f"{one.name}（{organ_of(desk, one.guest.organ).short_name}{one.title}）" for one in present),
        *(["请假：" + "、".join(absent)] if absent else []),
    ]
    return "\n".join(lines)


def todo(desk: Desk) -> list[Todo]:
    """Notices to sign for and answer, lists to send up, leaves and topics to decide, decisions to carry out, meetings to come."""
    found = [_todo(desk, row, state, column) for row, state, column in _waiting(desk)]
    clerks, watching = with_role(desk, *CLERKS), with_role(desk, *WATCHERS)
    for topic in desk.list(Topic, Topic.to.in_(watching), Topic.state == workflow.Topic.PROPOSED):
        at = clock.from_ms(topic.at)
        found.append(Todo(title=topic.title, url="/meetings/topics", arrived=at, state=_("待审核"), room=_("会议议题")))
    for task in desk.list(Task, Task.organ.in_(clerks), Task.done_at == 0):
        due = clock.from_ms(task.due) if task.due else None
        found.append(
            Todo(
                title=task.text,
                url="/meetings/decisions",
                arrived=clock.from_ms(task.at),
                state=_("待落实"),
                due=due,
                room=_("议定事项"),
                source=task.title,
            )
        )
    return found


def waiting(desk: Desk) -> int:
    """How many meetings wait for the person to do something."""
    return sum(column is Column.TODO for _row, _state, column in _waiting(desk))


def _waiting(desk: Desk) -> list[tuple[Meeting, Text, Column]]:
    return desk.known("meetings.open", partial(_open, desk))


def _open(desk: Desk) -> list[tuple[Meeting, Text, Column]]:
    clerks, signs = set(with_role(desk, *CLERKS)), set(with_role(desk, workflow.SIGNER))
    open_ = desk.list(Meeting, Meeting.state.in_([State.PLANNED, State.APPROVED, State.NOTIFIED, State.HELD]), order=Meeting.begins)
    calls: dict[str, list[Call]] = {}
    for call in desk.list(Call, Call.meeting.in_([m.id for m in open_]), Call.organ.in_(sorted(clerks)), limit=EVERYBODY):
        calls.setdefault(call.meeting, []).append(call)
    return [(m, *_next(m, calls.get(m.id, []), clerks, signs)) for m in open_]


def _next(meeting: Meeting, calls: Sequence[Call], clerks: set[str], signs: set[str]) -> tuple[Text, Column]:
    """The person's own next step in a meeting."""
    mine = meeting.organ in clerks
    unsigned = any(not call.signed_at for call in calls)
    unanswered = any(call.reply_round < meeting.round for call in calls)
    order = (
        (meeting.state == State.PLANNED and meeting.organ in signs, _("待审批")),
        (meeting.state == State.APPROVED and mine, _("待发通知")),
        (meeting.state == State.HELD and mine, _("待办结")),
        (meeting.state == State.NOTIFIED and unsigned, _("待签收")),
        (meeting.state == State.NOTIFIED and unanswered, _("待回执")),
        (meeting.state == State.NOTIFIED and any(c.via == c.organ and not c.gathered_at for c in calls), _("待汇总上报")),
    )
    label = next((text for holds, text in order if holds), None)
    return (label, Column.TODO) if label else (STATES[State(meeting.state)], Column.HAND)


def _todo(desk: Desk, row: Meeting, state: Text, column: Column) -> Todo:
    organ = desk.directory.organ(row.organ)
    due = row.plan.reply_by if state in (_("待签收"), _("待回执")) else 0
    where = clock.from_ms(row.begins).astimezone(SHANGHAI).strftime("%m-%d %H:%M")
    return Todo(
        title=row.title,
        url=f"/meetings/{row.id}",
        arrived=clock.from_ms(row.changed_at),
        state=state,
        column=column,
        due=clock.from_ms(due) if due else None,
        room=_("会议"),
        source=organ.short_name if organ is not None else "",
        about=f"{where} {row.plan.venues[0]}",
    )


STATES = {
    State.PLANNED: _("拟办"),
    State.APPROVED: _("已批准"),
    State.NOTIFIED: _("已通知"),
    State.HELD: _("已散会"),
    State.CLOSED: _("已办结"),
    State.CANCELLED: _("已取消"),
}


def organ_of(desk: Desk, id: str) -> Organ:
    """An organ that a meeting names; :class:`Missing` when the directory does not have it."""
    found = desk.directory.organ(id)
    if found is None:
        raise Missing()
    return found
