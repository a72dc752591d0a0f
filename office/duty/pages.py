"""Screens of duty: the board, the form for a report, one incident, orders, the roster, the log."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

from node import clock
from node.errors import Invalid, Missing
from office.duty import entries as said
from office.duty import service, workflow
from office.duty.entries import Report
from office.duty.model import Act as Done
from office.duty.model import Addressed, Bound, Incident, Order, Roster
from office.duty.workflow import CATEGORIES, DUTY, LEVELS, STAGES, WAYS, State
from office.frame import account
from office.frame.calendar import SHANGHAI
from office.frame.desk import Desk
from office.frame.rights import with_role
from office.frame.trace import Reached, Trace
from office.frame.words import Text, _
from office.portal.page import Act, Item, Request, Screen, See, page, see_other

INCIDENT_WORDS = {
    "duty.reported": _("报告"),
    "duty.received": _("接收"),
    "duty.passed_on": _("转报"),
    "duty.merged": _("并案"),
}
ORDER_WORDS = {"duty.ordered": _("发出指令"), "duty.confirmed": _("确认"), "duty.called": _("电话通知")}
LOG_WORDS = {"duty.logged": _("记录")}
STATES = {State.OPEN: (_("处置中"), "warn"), State.ENDED: (_("已终报"), "good"), State.MERGED: (_("已并案"), "plain")}
TONES = {"1": "bad", "2": "bad", "3": "warn", "4": "info", "unknown": "plain"}
RULES = {workflow.PHONE: _("电话首报"), workflow.FIRST: _("书面首报")}
STEP_WORDS = {"call": _("转电话"), "message": _("转短信")}
DAYS = 7
"Days of the roster that are shown."


class DutyPages:
    """Everything about duty."""

    name = "duty"
    desk: Desk
    menu = (Item("/duty", _("值班"), icon="bell", count=service.waiting, shown=lambda desk: bool(with_role(desk, *DUTY))),)

    @page("GET", "/duty")
    def board(self, request: Request) -> Screen:
        """The duty board: who is on duty, what is open, what waits, how reports and orders stand."""
        desk, mine = self.desk, self._mine()
        open_ = desk.list(Incident, Incident.state == State.OPEN, order=(Incident.level, Incident.changed_at.desc()), limit=50)
        year = self._year()
        late = sum(service.late(desk, row) for row in year if row.written)
        orders = desk.list(Order, order=Order.at.desc(), limit=8)
        values: dict[str, Any] = {
            "mine": [(id, _short(desk, id)) for id in mine],
            "rosters": [(row, _short(desk, row.organ)) for row in service.today(desk, [*mine, *_below(desk, mine)])],
            "open": [_line(desk, row) for row in open_],
            "months": _months(year),
            "kinds": [(label, Counter(row.category for row in year)[key]) for key, label in CATEGORIES.items()],
            "terms": [(_("按时"), len(year) - late, "done"), (_("迟报"), late, "bad")],
            "orders": [(row, _short(desk, row.organ), _tally(rows)) for row, rows in _with_bound(desk, orders)],
            "phones": [(organ.short_name, organ.duty_phone) for id in mine[:1] for organ in service.above(desk, id)],
        }
        return Screen("duty/board.html", json={"open": [_brief(row) for row in open_], "late": late, "year": len(year)}, **values)

    @page("GET", "/duty/report")
    def form(self, request: Request) -> Screen:
        """The form for a first report: what must be known at once, and the rest folded away."""
        mine = self._mine()
        over = service.above(self.desk, mine[0])
        values: dict[str, Any] = {
            "organs": [(id, _short(self.desk, id)) for id in mine],
            "over": [(organ.short_name, organ.duty_phone) for organ in over],
        }
        now = _local(self.desk.now)
        return Screen("duty/report.html", at=now, **values, **_choices(), json={"organs": mine, "over": [organ.id for organ in over]})

    @page("POST", "/duty/incidents")
    def report(self, request: Request) -> See:
        """Send the first report."""
        incident = service.report(self.desk, self._report(request, "first"), skip=bool(request.text("skip")))
        return see_other(f"/duty/incidents/{incident}", _("首报已存，优先发出。"), incident=incident)

    @page("GET", "/duty/incidents/<incident>")
    def show(self, request: Request, incident: str) -> Screen:
        """An incident: what is known now, whether the report was in time, who has it, what happened so far."""
        desk, row = self.desk, self.desk.get(Incident, incident)
        moves, told = service.moves(desk, row), service.addressed(desk, incident)
        trace = Trace(desk, row.said)
        mine = set(with_role(desk, *DUTY))
        others = desk.list(Incident, Incident.id != incident, Incident.state == State.OPEN, Incident.category == row.category, limit=50)
        values: dict[str, Any] = {
            "row": row,
            "report": row.report,
            "title": _title(row),
            "level": (LEVELS[row.level], TONES[row.level]),
            "state": STATES[State(row.state)][0],
            "tone": STATES[State(row.state)][1],
            "facts": _facts(desk, row),
            "terms": [(RULES[one.rule], one) for one in service.lateness(desk, row) if row.written],
            "told": [(_short(desk, one.organ), _cells(row, one, trace.at(one.node, written=row.changed_at))) for one in told],
            "stories": [_story(one) for one in service.stories(desk, incident)],
            "acts": _acts(row, moves, [one for one in told if one.organ in mine]),
            "moves": moves,
            "receiving": next((one.organ for one in told if one.organ in mine), ""),
            "others": [(one.id, _title(one)) for one in others],
            "acted": account.lines(desk, Done, incident, INCIDENT_WORDS),
        }
        twin = _brief(row) | {"report": row.report, "moves": sorted(moves), "late": service.late(desk, row), "told": told}
        return Screen("duty/incident.html", json=twin | {"stories": [one.report for one in service.stories(desk, incident)]}, **values, **_choices())

    @page("POST", "/duty/incidents/<incident>/<move>")
    def act(self, request: Request, incident: str, move: str) -> See:
        """One of the acts that the move table offers."""
        desk, organ = self.desk, request.text("organ")
        verbs = {
            "report": lambda: service.follow(desk, incident, self._report(request, request.text("stage"))),
            "receive": lambda: service.receive(desk, incident, organ),
            "pass_on": lambda: service.pass_on(desk, incident, organ, note=request.text("text")),
            "merge": lambda: service.merge(desk, incident, request.text("into"), organ),
        }
        if move not in verbs:
            raise Missing()
        verbs[move]()
        return see_other(f"/duty/incidents/{incident}", _("已办理。"))

    @page("GET", "/duty/incidents")
    def incidents(self, request: Request) -> Screen:
        """All incidents that the person may see, the newest first."""
        self._mine()
        rows = self.desk.list(Incident, order=Incident.changed_at.desc(), **request.window())
        return Screen("duty/incidents.html", rows=[_line(self.desk, row) for row in rows], json={"incidents": [_brief(row) for row in rows]})

    @page("GET", "/duty/orders/<order>")
    def order(self, request: Request, order: str) -> Screen:
        """An order: who confirmed, who was called, who is still waited for."""
        desk, row = self.desk, self.desk.get(Order, order)
        ((_row, rows),) = _with_bound(desk, [row])
        trace, mine = Trace(desk, row.said), set(with_role(desk, *DUTY))
        values: dict[str, Any] = {
            "row": row,
            "issuer": _short(desk, row.organ),
            "at": clock.from_ms(row.at),
            "due": clock.from_ms(row.at) + workflow.term(),
            "tally": _tally(rows),
            "table": [(_short(desk, one.organ), _order_cells(desk, one, trace.at(one.node, written=row.at))) for one in rows],
            "confirming": [(one.organ, _short(desk, one.organ)) for one in rows if one.organ in mine and not one.confirmed_at],
            "calling": [_phone(desk, one) for one in rows if row.organ in mine and not one.confirmed_at and not one.called_at],
            "open": any(not one.confirmed_at and not one.called_at for one in rows),
            "acted": account.lines(desk, Done, order, ORDER_WORDS),
        }
        return Screen("duty/order.html", json={"order": order, "text": row.text, "at": row.at, "organs": rows}, **values)

    @page("POST", "/duty/orders/<order>/<move>")
    def answer(self, request: Request, order: str, move: str) -> See:
        """Confirm an order, or note who was reached by telephone."""
        organ, text = request.text("organ"), request.text("text")
        if move == "confirm":
            service.confirm(self.desk, order, organ, text=text)
        elif move == "call":
            service.call(self.desk, order, organ, text=text)
        else:
            raise Missing()
        return see_other(f"/duty/orders/{order}", _("已办理。"))

    @page("GET", "/duty/orders")
    def orders(self, request: Request) -> Screen:
        """Orders that were given here or came here, and the form for one."""
        desk, mine = self.desk, self._mine()
        rows = desk.list(Order, order=Order.at.desc(), **request.window())
        shown = [(row, _short(desk, row.organ), clock.from_ms(row.at), _tally(bound)) for row, bound in _with_bound(desk, rows)]
        choices = [(organ.id, organ.short_name) for organ in desk.directory.organs() if organ.kind == "government" and organ.id not in mine]
        values: dict[str, Any] = {"mine": [(id, _short(desk, id)) for id in mine], "choices": choices, "incident": request.query("incident")}
        return Screen("duty/orders.html", rows=shown, json={"orders": rows}, **values)

    @page("POST", "/duty/orders")
    def give(self, request: Request) -> See:
        """Give an order."""
        r = request.text
        order = service.order(self.desk, r("organ"), request.all("to"), r("text"), incident=r("incident"))
        return see_other(f"/duty/orders/{order}", _("指令已发出。"), order=order)

    @page("GET", "/duty/roster")
    def roster(self, request: Request) -> Screen:
        """Who is on duty this week."""
        desk, mine = self.desk, self._mine()
        organ = request.query("organ") if request.query("organ") in mine else mine[0]
        first = desk.now.astimezone(SHANGHAI).date()
        days = [(first + dt.timedelta(days=n)).isoformat() for n in range(DAYS)]
        rows = {row.day: row for row in desk.list(Roster, Roster.organ == organ, Roster.day.in_(days))}
        choices = [(id, _short(desk, id)) for id in mine]
        return Screen(
            "duty/roster.html", days=[(day, rows.get(day)) for day in days], chosen=organ, choices=choices, json={"roster": list(rows.values())}
        )

    @page("POST", "/duty/roster")
    def put(self, request: Request) -> See:
        """Say who is on duty on a day."""
        r = request.text
        service.roster(self.desk, said.Rostered(r("organ"), r("day"), r("leader"), r("officer"), r("standin"), r("phone")))
        return see_other(f"/duty/roster?organ={r('organ')}", _("已保存。"))

    @page("GET", "/duty/log")
    def log(self, request: Request) -> Screen:
        """The duty log."""
        desk, mine = self.desk, self._mine()
        rows = [(id, _short(desk, id), account.lines(desk, Done, id, LOG_WORDS)[::-1][:100]) for id in mine]
        return Screen("duty/log.html", logs=rows, json={"logs": [{"organ": id, "lines": lines} for id, _name, lines in rows]})

    @page("POST", "/duty/log")
    def write(self, request: Request) -> See:
        """Write a line."""
        service.log(self.desk, request.text("organ"), request.text("text"), handover=bool(request.text("handover")))
        return see_other("/duty/log", _("已记录。"))

    def _mine(self) -> list[str]:
        """The organs in which the person is on duty; nobody else is told that there is such a page."""
        found = with_role(self.desk, *DUTY)
        if not found:
            raise Missing()
        above = {id: len(service.above(self.desk, id)) for id in found}
        rank = {organ.id: n for n, organ in enumerate(self.desk.directory.organs())}
        return sorted(found, key=lambda organ: (-above[organ], rank.get(organ, 0)))

    def _year(self) -> list[Incident]:
        first = dt.datetime(self.desk.now.astimezone(SHANGHAI).year, 1, 1, tzinfo=SHANGHAI)
        since = clock.to_ms(first)
        return self.desk.list(Incident, Incident.learned >= since, Incident.state != State.MERGED, limit=5000)

    def _report(self, request: Request, stage: str) -> Report:
        """The report a form says; what was left out is now or none."""
        r, now = request.text, clock.to_ms(self.desk.now)
        learned = request.milliseconds("learned") or now
        return Report(
            organ=r("organ"),
            stage=stage,
            number=1,
            category=r("category"),
            level=r("level", "unknown"),
            place=r("place"),
            happened=request.milliseconds("happened") or learned,
            learned=learned,
            text=r("text"),
            dead=_whole(r("dead")),
            injured=_whole(r("injured")),
            missing=_whole(r("missing")),
            source=r("source"),
            contact=r("contact"),
            measures=r("measures"),
            way=r("way", "network"),
            phoned=request.milliseconds("phoned"),
            unit=r("unit"),
        )


PAGES = (DutyPages,)


def _choices() -> dict[str, Any]:
    return {"categories": list(CATEGORIES.items()), "levels": list(LEVELS.items()), "ways": list(WAYS.items())}


def _whole(text: str) -> int:
    if text and not (text.isascii() and text.isdigit() and len(text) < 7):
        raise Invalid(_("人数应当是数字。"))
    return int(text or 0)


def _local(moment: dt.datetime) -> str:
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def _short(desk: Desk, organ: str) -> str:
    found = desk.directory.organ(organ)
    return found.short_name if found is not None else organ


def _below(desk: Desk, organs: list[str]) -> list[str]:
    return [organ.id for id in organs for organ in desk.directory.children(id) if organ.node != desk.node]


def _title(row: Incident) -> str:
    return str(_("{category}：{place}").format(category=CATEGORIES[row.category], place=row.place))


def _brief(row: Incident) -> dict[str, Any]:
    keys = ("id", "home", "organ", "category", "level", "place", "happened", "learned", "written", "number", "state", "into")
    return {key: getattr(row, key) for key in keys}


def _line(desk: Desk, row: Incident) -> dict[str, Any]:
    """A line of a list of incidents."""
    report, (state, tone) = row.report, STATES[State(row.state)]
    shown = {"url": f"/duty/incidents/{row.id}", "title": _title(row), "organ": _short(desk, row.organ), "at": clock.from_ms(row.changed_at)}
    shown |= {"level": LEVELS[row.level], "level_tone": TONES[row.level], "state": state, "tone": tone, "number": row.number}
    return shown | {"harm": _harm(report), "late": bool(row.written) and service.late(desk, row)}


def _harm(report: Report) -> str:
    parts = [(_("死亡 {n}"), report.dead), (_("受伤 {n}"), report.injured), (_("失联 {n}"), report.missing)]
    return "，".join(text.format(n=n) for text, n in parts if n)


def _months(rows: list[Incident]) -> list[int]:
    found = Counter(clock.from_ms(row.learned).astimezone(SHANGHAI).month for row in rows)
    return [found[month] for month in range(1, 13)]


def _facts(desk: Desk, row: Incident) -> list[tuple[Text, Any]]:
    report = row.report
    return [
        (_("报告单位"), _short(desk, row.organ)),
        (_("事发单位"), report.unit),
        (_("发生时间"), _local(clock.from_ms(row.happened))),
        (_("接报时间"), _local(clock.from_ms(row.learned))),
        (_("伤亡"), _harm(report) or _("无")),
        (_("信息来源"), report.source),
        (_("联系方式"), report.contact),
        (_("来报方式"), WAYS[report.way]),
        (_("已采取措施"), report.measures),
    ]


def _story(one: Any) -> dict[str, Any]:
    report = one.report
    what = f"{STAGES[report.stage]} {report.number}" if report.number > 1 else str(STAGES[report.stage])
    harm = _harm(report)
    return {"at": clock.from_ms(one.at), "what": what, "who": LEVELS[report.level], "post": harm, "text": report.text, "tone": TONES[report.level]}


def _cells(row: Incident, one: Addressed, reached: Reached) -> list[Any]:
    arrived = {"text": _("已送达"), "sub": _when(reached.delivered), "tone": "good"} if reached.delivered is not None else None
    if reached.silent and arrived is None:
        arrived = {"text": _("线路中断，恢复后优先发出；请电话报告"), "sub": "", "tone": "warn"}
    read = one.received_at >= row.changed_at
    received = {"text": _("已接收") if read else _("有新报告未接收"), "sub": _when(one.received_at), "tone": "good" if read else "warn"}
    passed = {"text": _("已转报"), "sub": _when(one.passed_at), "tone": "good"} if one.passed_at else None
    informed = {"text": _("越级告知"), "sub": "", "tone": "plain"} if one.skipped else None
    return [arrived, received if one.received_at else None, passed or informed]


def _acts(row: Incident, moves: set[str], told: list[Addressed]) -> list[Act]:
    url, found = f"/duty/incidents/{row.id}", []
    for one in told:
        fields = {"organ": one.organ}
        if "receive" in moves and one.received_at < row.changed_at:
            found.append(Act(f"{url}/receive", _("接收"), "main", fields=fields))
        if "pass_on" in moves and not one.passed_at:
            found.append(Act(f"{url}/pass_on", _("转报上级"), ask=_("转报说明"), fields=fields))
    return found


def _with_bound(desk: Desk, orders: list[Order]) -> list[tuple[Order, list[Bound]]]:
    rows: dict[str, list[Bound]] = {order.id: [] for order in orders}
    for one in service.bound(desk, rows):
        rows[one.order].append(one)
    return [(order, rows[order.id]) for order in orders]


def _tally(rows: list[Bound]) -> list[tuple[Text, int, str]]:
    confirmed = sum(bool(one.confirmed_at) for one in rows)
    called = sum(bool(one.called_at) and not one.confirmed_at for one in rows)
    gone = sum(bool(one.steps) and not one.confirmed_at and not one.called_at for one in rows)
    waits = len(rows) - confirmed - called - gone
    return [(_("已确认"), confirmed, "done"), (_("已电话通知"), called, "good"), (_("已升级"), gone, "bad"), (_("等待确认"), waits, "warn")]


def _order_cells(desk: Desk, one: Bound, reached: Reached) -> list[Any]:
    arrived = {"text": _("已送达"), "sub": _when(reached.delivered), "tone": "good"} if reached.delivered is not None else None
    if arrived is None and reached.silent:
        arrived = {"text": _("线路中断，情况不明"), "sub": "", "tone": "warn"}
    who = desk.directory.person(one.confirmed_by)
    confirmed = {"text": who.name if who else _("已确认"), "sub": _when(one.confirmed_at), "tone": "good"} if one.confirmed_at else None
    steps = "、".join(str(STEP_WORDS[step]) for step in one.steps.split())
    gone = {"text": steps, "sub": "", "tone": "bad" if not one.confirmed_at and not one.called_at else "plain"} if steps else None
    told = {"text": one.called, "sub": _when(one.called_at), "tone": "good"} if one.called_at else None
    return [arrived, confirmed, gone, told]


def _phone(desk: Desk, one: Bound) -> tuple[str, str, str]:
    organ = desk.directory.organ(one.organ)
    return one.organ, _short(desk, one.organ), organ.duty_phone if organ is not None else ""


def _when(at: int | None) -> str:
    return _local(clock.from_ms(at))[5:] if at else ""
