"""Screens of meetings: the list, one meeting with its notice and replies, the door, the hall, topics, decisions, the burden counter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from node import clock
from node.errors import Invalid, Missing
from office.frame import account
from office.frame.desk import Desk
from office.frame.rights import staff, with_role
from office.frame.words import Text, _
from office.meetings import entries as said
from office.meetings import service, views, workflow
from office.meetings.entries import Decision, Going, Item, Plan
from office.meetings.model import Act as Done
from office.meetings.model import Call, Meeting, Task, Topic
from office.meetings.questions import STATES
from office.meetings.workflow import CLERKS, KINDS, WATCHERS, State
from office.portal.page import Item as Line
from office.portal.page import Request, Screen, See, page, see_other, whole

TABS: dict[str, tuple[Text, tuple[State, ...]]] = {
    "coming": (_("筹备和召开"), (State.PLANNED, State.APPROVED, State.NOTIFIED)),
    "held": (_("已散会"), (State.HELD,)),
    "past": (_("办结和取消"), (State.CLOSED, State.CANCELLED)),
}
WIDTH = 11
"Seats in a row of the hall."


class MeetingsPages:
    """Everything about meetings."""

    name = "meetings"
    desk: Desk
    menu = (Line("/meetings", _("会议"), icon="calendar", count=service.waiting),)

    @page("GET", "/meetings")
    def register(self, request: Request) -> Screen:
        """Meetings that are arranged here or to which somebody here is called."""
        desk = self.desk
        tab = request.query("tab") if request.query("tab") in TABS else "coming"
        newest = Meeting.begins if tab == "coming" else Meeting.begins.desc()
        rows = desk.list(Meeting, Meeting.state.in_(TABS[tab][1]), order=newest, **request.window())
        tabs = [(f"/meetings?tab={key}", label, None, key == tab) for key, (label, _states) in TABS.items()]
        shown = [
            (row, STATES[State(row.state)], views.TONES.get(State(row.state), ""), views.short(desk, row.organ), clock.from_ms(row.begins))
            for row in rows
        ]
        values: dict[str, Any] = {"rows": shown, "tabs": tabs, "kinds": KINDS, "arranges": bool(with_role(desk, *CLERKS))}
        return Screen("meetings/register.html", json={"meetings": [views.brief(row) for row in rows]}, **values)

    @page("GET", "/meetings/new")
    def new(self, request: Request) -> Screen:
        """The sheet for a new meeting."""
        organs = with_role(self.desk, *CLERKS)
        if not organs:
            raise Missing()
        return self._form(Plan(organs[0], "special", "", 0, 0, (), "", ()), "", 0)

    @page("POST", "/meetings")
    def create(self, request: Request) -> See | Screen:
        """Plan it."""
        return self._planned(request, "")

    @page("GET", "/meetings/<meeting>")
    def show(self, request: Request, meeting: str) -> Screen:
        """A meeting: what, when and where; what one may do; who was reached and who comes; what happened so far."""
        desk, found = self.desk, self.desk.get(Meeting, meeting)
        plan, moves = found.plan, service.moves(self.desk, found)
        lines = service.answers(desk, found) if found.issue else []
        expected = service.expected(desk, found) if found.issue else []
        mine = set(with_role(desk, *WATCHERS))
        values: dict[str, Any] = {
            "row": found,
            "plan": plan,
            "state": views.standing(found)[0],
            "tone": views.standing(found)[1],
            "steps": views.steps(found),
            "acts": views.acts(desk, found, moves, lines, mine),
            "moves": moves,
            "facts": views.facts(desk, found),
            "warnings": service.warnings(desk, plan, meeting=meeting) if "approve" in moves or "plan" in moves else [],
            "answering": [(one, views.cells(desk, one, found.round)) for one in lines],
            "tally": views.tally(lines, found.round),
            "guests": service.guests(desk, meeting),
            "codes": {(one.guest.organ, one.guest.name): (one.name, one.code) for one in expected},
            "organs": {one.call.organ: one.name for one in lines},
            "tasks": [(task, views.short(desk, task.organ)) for task in service.tasks(desk, meeting)],
            "choices": views.organs(desk),
            "minutes": service.minutes_text(desk, found) if "minute" in moves else "",
            "acted": account.lines(desk, Done, meeting, views.ACT_WORDS),
            "answers": [one.call.organ for one in lines if {one.call.organ, one.call.via} & mine],
            "local": views.local,
            "qr": views.qr,
        }
        twin = views.brief(found) | {"plan": plan, "moves": sorted(moves), "answers": [views.answer_line(desk, one, found.round) for one in lines]}
        return Screen("meetings/show.html", json=twin | {"guests": values["guests"], "codes": [views.code_line(one) for one in expected]}, **values)

    @page("GET", "/meetings/<meeting>/edit")
    def edit(self, request: Request, meeting: str) -> Screen:
        """The sheet of a meeting that is planned, or of one whose notice is to be changed."""
        found = self.desk.get(Meeting, meeting)
        if not {"plan", "change"} & service.moves(self.desk, found):
            raise Missing()
        return self._form(found.plan, meeting, self.desk.version(meeting), changing=bool(found.issue))

    @page("POST", "/meetings/<meeting>/edit")
    def save(self, request: Request, meeting: str) -> See | Screen:
        """Keep it, or send the changed notice."""
        return self._planned(request, meeting)

    @page("GET", "/meetings/<meeting>/reply/<organ>")
    def answer(self, request: Request, meeting: str, organ: str) -> Screen:
        """The reply of an organ as a form: who comes, who asks for leave."""
        desk, found = self.desk, self.desk.get(Meeting, meeting)
        call = next(iter(desk.list(Call, Call.meeting == meeting, Call.organ == organ)), None)
        if call is None or "reply" not in service.moves(desk, found):
            raise Missing()
        people = [(one.id, one.name) for one in staff(desk, organ)]
        busy = service.clashes(desk, found.plan, [id for id, _name in people], meeting=meeting)
        return Screen(
            "meetings/reply.html",
            row=found,
            answering=organ,
            unit=views.short(desk, organ),
            people=people,
            busy=busy,
            json={"people": people, "busy": busy},
        )

    @page("POST", "/meetings/<meeting>/reply/<organ>")
    def reply(self, request: Request, meeting: str, organ: str) -> See:
        """Send the reply."""
        desk = self.desk
        found, people = desk.get(Meeting, meeting), self._people(request)
        service.reply(desk, meeting, organ, people)
        two = service.clashes(desk, found.plan, [one.person for one in people if not one.leave], meeting=meeting)
        note = _("回执已发出。注意：{names}同一时间另有会议。").format(names="、".join(two)) if two else _("回执已发出。")
        return see_other(f"/meetings/{meeting}", note, clashes=two)

    @page("GET", "/meetings/<meeting>/door")
    def door(self, request: Request, meeting: str) -> Screen:
        """The door: one field for the code, who is there, who is not."""
        found = self.desk.get(Meeting, meeting)
        if "attend" not in service.moves(self.desk, found):
            raise Missing()
        expected = service.expected(self.desk, found)
        there = [one for one in expected if one.guest.attended_at]
        return Screen(
            "meetings/door.html",
            row=found,
            expected=expected,
            there=there,
            organs=views.names(self.desk, expected),
            json={"there": len(there), "expected": len(expected)},
        )

    @page("POST", "/meetings/<meeting>/door")
    def enter(self, request: Request, meeting: str) -> See:
        """Sign in by code."""
        guest = service.attend(self.desk, meeting, request.text("code"), name=request.text("name"))
        return see_other(f"/meetings/{meeting}/door", _("{name} 已签到。").format(name=guest.name), name=guest.name)

    @page("GET", "/meetings/<meeting>/seats")
    def seats(self, request: Request, meeting: str) -> Screen:
        """The hall drawn: the platform by rank, the floor in protocol order."""
        found = self.desk.get(Meeting, meeting)
        if not found.issue:
            raise Missing()
        floor = [
            (one.name, views.short(self.desk, one.guest.organ)) for one in service.expected(self.desk, found) if one.name not in found.plan.podium
        ]
        podium, rows = tuple(workflow.ranked(found.plan.podium)), workflow.rows(floor, WIDTH)
        return Screen("meetings/seats.html", row=found, podium=podium, rows=rows, width=WIDTH, json={"podium": podium, "rows": rows})

    @page("POST", "/meetings/<meeting>/<move>")
    def move(self, request: Request, meeting: str, move: str) -> See:
        """One of the acts that the move table offers."""
        desk, text, organ = self.desk, request.text("text"), request.text("organ")
        verbs: dict[str, Callable[[], object]] = {
            "approve": lambda: service.approve(desk, meeting, opinion=text),
            "notify": lambda: service.notify(desk, meeting),
            "cancel": lambda: service.cancel(desk, meeting, reason=text),
            "sign_for": lambda: service.sign_for(desk, meeting, organ),
            "gather": lambda: service.gather(desk, meeting, organ),
            "excuse": lambda: service.excuse(desk, meeting, organ, request.text("name"), granted=request.text("granted") == "1", opinion=text),
            "end": lambda: service.end(desk, meeting, begun=request.milliseconds("begun"), ended=request.milliseconds("ended")),
            "minute": lambda: service.minute(desk, meeting, text=text),
            "decide": lambda: service.decide(desk, meeting, [Decision(text, organ, request.milliseconds("due"))]),
            "close": lambda: service.close(desk, meeting),
        }
        if move not in verbs:
            raise Missing()
        verbs[move]()
        return see_other(f"/meetings/{meeting}", _("已办理。"))

    @page("GET", "/meetings/topics")
    def topics(self, request: Request) -> Screen:
        """Topics that were put forward by organs here or to them."""
        desk = self.desk
        rows = desk.list(Topic, order=Topic.at.desc(), **request.window())
        vets = set(with_role(desk, *WATCHERS))
        shown = [(row, *views.TOPICS[workflow.Topic(row.state)], views.short(desk, row.organ), row.to in vets, clock.from_ms(row.at)) for row in rows]
        mine = [(id, views.short(desk, id)) for id in with_role(desk, *WATCHERS)]
        return Screen("meetings/topics.html", rows=shown, mine=mine, choices=views.organs(desk), json={"topics": rows})

    @page("POST", "/meetings/topics")
    def propose(self, request: Request) -> See:
        """Put one forward."""
        r = request.text
        given = said.Proposed(
            r("organ"), r("to"), " ".join(r("title").split()), r("text"), r("presenter")[:200], r("attend")[:2000], whole(r("minutes"), digits=9)
        )
        return see_other("/meetings/topics", _("议题已申报。"), topic=service.propose(self.desk, given))

    @page("POST", "/meetings/topics/<topic>/vet")
    def vet(self, request: Request, topic: str) -> See:
        """Let it in or give it back."""
        service.vet(self.desk, topic, passed=request.text("passed") == "1", opinion=request.text("text"))
        return see_other("/meetings/topics", _("已办理。"))

    @page("GET", "/meetings/decisions")
    def decisions(self, request: Request) -> Screen:
        """Decisions handed to organs here, or by them."""
        desk = self.desk
        rows, mine = desk.list(Task, order=(Task.done_at > 0, Task.due, Task.id), **request.window()), set(with_role(desk, *WATCHERS))
        shown = [(row, views.short(desk, row.organ), row.organ in mine, clock.from_ms(row.due) if row.due else None) for row in rows]
        return Screen("meetings/decisions.html", rows=shown, json={"decisions": rows})

    @page("POST", "/meetings/decisions/<decision>/done")
    def carry_out(self, request: Request, decision: str) -> See:
        """Say what came of it."""
        service.carry_out(self.desk, decision, text=request.text("text"))
        return see_other("/meetings/decisions", _("落实情况已报送。"))

    @page("GET", "/meetings/burden")
    def burden(self, request: Request) -> Screen:
        """What meetings cost an organ: those it arranged and those it was called to, this year against last."""
        organs = with_role(self.desk, *WATCHERS)
        if not organs:
            raise Missing()
        organ = request.query("organ") if request.query("organ") in organs else organs[0]
        arranged, called = service.burden(self.desk, organ)
        choices = [(id, views.short(self.desk, id)) for id in organs]
        return Screen(
            "meetings/burden.html",
            arranged=arranged,
            called=called,
            chosen=organ,
            choices=choices,
            json={"organ": organ, "arranged": arranged, "called": called},
        )

    def _planned(self, request: Request, meeting: str) -> See | Screen:
        desk, given = self.desk, self._plan(request)
        if request.text("version"):
            desk.expect(meeting, whole(request.text("version"), digits=9))
        changing = bool(meeting and desk.get(Meeting, meeting).issue)
        try:
            if changing:
                service.change(desk, meeting, given, note=request.text("change"))
            else:
                meeting = service.plan(desk, given, meeting=meeting)
        except Invalid as e:
            return self._form(given, meeting, 0, changing=changing, error=e)
        return see_other(f"/meetings/{meeting}", _("已保存。") if not changing else _("更改通知已发出。"), meeting=meeting)

    def _form(self, plan: Plan, meeting: str, version: int, *, changing: bool = False, error: Invalid | None = None) -> Screen:
        desk = self.desk
        topics = desk.list(Topic, Topic.to == plan.organ, Topic.state == workflow.Topic.PASSED)
        agenda = "\n".join("，".join([one.title, str(one.minutes or "")]).rstrip("，") for one in plan.agenda if not one.topic)
        values: dict[str, Any] = {
            "plan": plan,
            "meeting": meeting,
            "version": version or "",
            "changing": changing,
            "error": str(error) if error else "",
            "mine": [(id, views.short(desk, id)) for id in with_role(desk, *CLERKS)],
            "kinds": list(KINDS.items()),
            "leaders": [(one.id, one.name) for one in staff(desk, plan.organ)],
            "groups": views.organs(desk),
            "topics": [(one.id, f"{one.title}（{views.short(desk, one.organ)}）") for one in topics],
            "chosen": [one.topic for one in plan.agenda if one.topic],
            "agenda": agenda,
            "local": views.local,
        }
        return Screen(
            "meetings/compose.html", status=error.http if error else 200, json={"plan": plan, "version": version, "error": values["error"]}, **values
        )

    def _plan(self, request: Request) -> Plan:
        """The plan a form says; a program sends the Struct itself."""
        if request.mimetype == "application/json":
            return request.read(Plan)
        topics = {one.id: one for one in self.desk.list(Topic, Topic.id.in_(request.all("topics")))}
        agenda = [Item(one.title, one.organ, one.minutes, id) for id in request.all("topics") if (one := topics.get(id)) is not None]
        for line in views.lines(request.text("agenda")):
            title, minutes = (*line, "")[:2]
            agenda.append(Item(title, minutes=whole(minutes, digits=9)))
        r = request.text
        return Plan(
            organ=r("organ"),
            kind=r("kind"),
            title=" ".join(r("title").split()),
            begins=request.milliseconds("begins"),
            ends=request.milliseconds("ends"),
            venues=tuple(" ".join(line) for line in views.lines(r("venues"))),
            chair=r("chair"),
            organs=tuple(dict.fromkeys(request.all("organs"))),
            podium=tuple(line[0] for line in views.lines(r("podium"))),
            agenda=tuple(agenda),
            contact=r("contact"),
            reply_by=request.milliseconds("reply_by"),
            principals=bool(r("principals")),
            note=r("note"),
        )

    def _people(self, request: Request) -> list[Going]:
        """The people a form says: ticked, written a line each (name, title, telephone), and one who asks for leave."""
        if request.mimetype == "application/json":
            return msgspec.convert(request.given.get("people", []), list[Going])
        found = [self._card(id) for id in request.all("come") if id != request.text("leave")]
        for line in views.lines(request.text("others")):
            name, title, phone = (*line, "", "")[:3]
            found.append(Going(name, title, phone))
        if request.text("leave"):
            away, instead = self._card(request.text("leave")), request.text("substitute")
            other = self._card(instead) if instead else Going("")
            found = [one for one in found if not other.name or one.name != other.name]
            found.append(msgspec.structs.replace(away, leave=request.text("reason"), substitute=other.name, substitute_title=other.title))
        return found

    def _card(self, person: str) -> Going:
        card = self.desk.directory.person(person)
        if card is None:
            raise Invalid(_("没有这个人。"))
        held = self.desk.directory.appointments_of(person)
        return Going(card.name, held[0].post.title if held else "", card.office_phone, person)


PAGES = (MeetingsPages,)
