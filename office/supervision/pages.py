"""Screens of supervision: the register, the form for an item, one item."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from node import clock
from node.errors import Missing
from office.frame import account
from office.frame.desk import Desk
from office.frame.rights import with_role
from office.frame.words import Text, _
from office.portal.page import Act, Item, Request, Screen, See, page, see_other
from office.supervision import service, workflow
from office.supervision.entries import Opened
from office.supervision.model import Act as Done
from office.supervision.model import Item as Task
from office.supervision.model import Referred
from office.supervision.service import OPEN, STATES
from office.supervision.workflow import MEMBERS, SUPERVISOR, WAYS, Lamp, State

WORDS = {
    "supervision.opened": _("立项交办"),
    "supervision.signed_for": _("签收"),
    "supervision.reported": _("反馈"),
    "supervision.accepted": _("审核通过"),
    "supervision.returned": _("退回重办"),
    "supervision.struck_off": _("销号"),
    "supervision.urged": _("催办"),
    "supervision.extension_asked": _("申请延期"),
    "supervision.extension_decided": _("答复延期"),
}
LAMPS = {
    Lamp.GREEN: (_("正常"), "good"),
    Lamp.YELLOW: (_("临期"), "warn"),
    Lamp.RED: (_("超期"), "bad"),
    Lamp.OFF: (_("已销号"), "plain"),
}


class SupervisionPages:
    """Everything about supervision."""

    name = "supervision"
    desk: Desk
    menu = (Item("/supervision", _("督查"), icon="list", count=service.waiting, shown=lambda desk: bool(with_role(desk, *MEMBERS))),)

    @page("GET", "/supervision")
    def register(self, request: Request) -> Screen:
        """The items that are not struck off, the nearest deadline first, and then those that are."""
        desk = self._inside()
        rows = desk.list(Task, order=(Task.struck_at != 0, Task.deadline, Task.id), **request.window())
        shown, mine = [_line(desk, row) for row in rows], with_role(desk, SUPERVISOR)
        return Screen(
            "supervision/register.html",
            rows=shown,
            open=desk.count(Task, OPEN),
            opens=bool(mine),
            json={"items": [_brief(desk, row) for row in rows]},
        )

    @page("GET", "/supervision/new")
    def form(self, request: Request) -> Screen:
        """The form for an item."""
        mine = with_role(self._inside(), SUPERVISOR)
        if not mine:
            raise Missing()
        leads = {organ: _choices(self.desk, organ) for organ in mine}
        organs = [(id, _short(self.desk, id)) for id in mine if leads[id]]
        row = self.desk.get(Referred, request.query("referred")) if request.query("referred") else None
        choices = list(dict(pair for one in leads.values() for pair in one).items())
        return Screen("supervision/new.html", organs=organs, choices=choices, referred=row, json={"organs": [id for id, _name in organs]})

    @page("POST", "/supervision")
    def open(self, request: Request) -> See:
        """Open an item."""
        item = service.open_item(self.desk, _given(request))
        return see_other(f"/supervision/{item}", _("已立项交办。"), item=item)

    @page("GET", "/supervision/<item>")
    def show(self, request: Request, item: str) -> Screen:
        """An item: what, until when, how it was split, what may be done, what happened so far."""
        desk, row = self.desk, self.desk.get(Task, item)
        moves, parts = service.moves(desk, row), service.children(desk, row)
        lamp = service.lamp(desk, row)
        values: dict[str, Any] = {
            "row": row,
            "state": STATES[row.state],
            "lamp": LAMPS[lamp],
            "facts": _facts(desk, row),
            "whole": next(iter(desk.list(Task, Task.id == row.parent)), None) if row.parent else None,
            "parts": [_line(desk, one) for one in parts],
            "open_parts": sum(one.state != State.STRUCK for one in parts),
            "acts": _acts(row, moves),
            "moves": moves,
            "choices": _choices(desk, row.lead) if "split" in moves else [],
            "ways": list(WAYS.items()),
            "acted": account.lines(desk, Done, item, WORDS),
        }
        twin = _brief(desk, row) | {"moves": sorted(moves), "parts": [_brief(desk, one) for one in parts]}
        return Screen("supervision/item.html", json=twin, **values)

    @page("POST", "/supervision/<item>/<move>")
    def act(self, request: Request, item: str, move: str) -> See:
        """One of the acts that the move table offers."""
        desk, text, despite = self.desk, request.text("text"), request.text("despite")
        verbs: dict[str, Callable[[], object]] = {
            "sign": lambda: service.sign(desk, item),
            "report": lambda: service.report(desk, item, text=text),
            "finish": lambda: service.finish(desk, item, text=text, despite=despite),
            "split": lambda: service.split(desk, item, _given(request)),
            "urge": lambda: service.urge(desk, item, text=text),
            "extend": lambda: service.ask_extension(desk, item, until=request.text("until"), reason=text),
            "decide": lambda: service.decide_extension(desk, item, granted=bool(request.text("granted")), text=text),
            "accept": lambda: service.accept(desk, item, text=text),
            "return": lambda: service.send_back(desk, item, reason=text),
            "strike": lambda: service.strike_off(desk, item, way=request.text("way"), finding=text, despite=despite),
        }
        if move not in verbs:
            raise Missing()
        verbs[move]()
        return see_other(f"/supervision/{item}", _("已办理。"))

    def _inside(self) -> Desk:
        """The desk of somebody who has to do with supervision; nobody else is told that there is such a page."""
        if not with_role(self.desk, *MEMBERS):
            raise Missing()
        return self.desk


PAGES = (SupervisionPages,)


def _given(request: Request) -> Opened:
    r = request.text
    milestones = workflow.milestones(r("milestones"))
    return Opened(r("organ"), r("title").strip(), r("text").strip(), r("basis").strip(), r("lead"), "", r("deadline"), milestones, source=r("source"))


def _choices(desk: Desk, organ: str) -> list[tuple[str, str]]:
    return [(one.id, one.short_name) for one in service.below(desk, organ)]


def _short(desk: Desk, organ: str) -> str:
    found = desk.directory.organ(organ)
    return found.short_name if found is not None else organ


def _line(desk: Desk, row: Task) -> dict[str, Any]:
    """A line of a list of items."""
    text, tone = LAMPS[service.lamp(desk, row)]
    shown = {"url": f"/supervision/{row.id}", "title": row.title, "organ": _short(desk, row.organ), "lead": _short(desk, row.lead)}
    return shown | {"deadline": row.deadline, "lamp": text, "tone": tone, "state": STATES[row.state], "part": bool(row.parent)}


def _brief(desk: Desk, row: Task) -> dict[str, Any]:
    keys = ("id", "home", "organ", "lead", "parent", "title", "text", "basis", "deadline", "milestones", "reports", "signed_at", "struck_at")
    return {key: getattr(row, key) for key in keys} | {"state": row.state, "lamp": service.lamp(desk, row)}


def _facts(desk: Desk, row: Task) -> list[tuple[Text, Any]]:
    return [
        (_("立项单位"), _short(desk, row.organ)),
        (_("立项依据"), row.basis),
        (_("牵头单位"), _short(desk, row.lead)),
        (_("办结时限"), row.deadline),
        (_("催办次数"), row.urges or ""),
        (_("申请延期到"), row.until if row.asked > row.decided else ""),
        (_("立项时间"), clock.from_ms(row.at)),
    ]


def _acts(row: Task, moves: set[str]) -> list[Act]:
    """The acts that need no form of their own."""
    url = f"/supervision/{row.id}"
    every = {
        "sign": Act(f"{url}/sign", _("签收"), "main"),
        "report": Act(f"{url}/report", _("反馈进展"), ask=_("进展、问题和下步措施"), need=True),
        "urge": Act(f"{url}/urge", _("催办"), ask=_("催办内容"), need=True),
        "accept": Act(f"{url}/accept", _("审核通过"), "main", ask=_("审核意见")),
        "return": Act(f"{url}/return", _("退回重办"), "danger", ask=_("退回原因"), need=True),
    }
    found = [act for name, act in every.items() if name in moves]
    if "decide" in moves:
        found.append(Act(f"{url}/decide", _("同意延期"), ask=_("意见"), fields={"granted": "1"}))
        found.append(Act(f"{url}/decide", _("不同意延期"), "danger", ask=_("原因"), need=True))
    return found
