"""Screens of archives: what waits to be filed, the holdings, one item, appraisal and lists, hand-over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import ColumnElement, or_

from node.blobs import Blobs
from node.errors import Invalid, Missing
from office.archives import service, views, workflow
from office.archives.model import Act as Done
from office.archives.model import Fonds, Item, Original, Roll, Step
from office.archives.service import Choice, disposal
from office.archives.workflow import FILERS, SUPERVISORS, State
from office.frame.desk import Desk
from office.frame.rights import staff, with_role
from office.frame.words import _
from office.portal.page import Act, Request, Response, Screen, See, page, see_other, whole
from office.portal.page import Item as Line

TABS = {
    "proposed": (_("待归档"), (State.PROPOSED,)),
    "kept": (_("已归档"), (State.KEPT, State.TRANSFERRED)),
    "expired": (_("到期鉴定"), (State.KEPT, State.DOOMED)),
    "out": (_("不归档和已销毁"), (State.LEFT_OUT, State.LISTED, State.DESTROYED)),
    "lists": (_("销毁清册"), ()),
}


class ArchivesPages:
    """Everything about archives."""

    name = "archives"
    desk: Desk
    menu = (Line("/archives", _("档案"), icon="tray", count=service.waiting, shown=lambda desk: bool(with_role(desk, *SUPERVISORS))),)

    @page("GET", "/archives")
    def holdings(self, request: Request) -> Screen:
        """What waits to be filed, what is kept, what is to be appraised."""
        desk = self.desk
        tab = request.query("tab") if request.query("tab") in TABS else "proposed"
        tabs = [
            (f"/archives?tab={key}", words, service.waiting(desk) if key == "proposed" else None, key == tab) for key, (words, _s) in TABS.items()
        ]
        filer = with_role(desk, *FILERS)
        fonds = {row.organ: row for row in desk.list(Fonds)}
        values: dict[str, Any] = {
            "tab": tab,
            "tabs": tabs,
            "filer": bool(filer),
            "retentions": views.RETENTION,
            "openness": views.OPENNESS,
            "words": request.query("q"),
        }
        values |= {"bare": [(organ, _name(desk, organ)) for organ in filer if organ not in fonds and _issues(desk, organ)], "fonds": fonds}
        if tab == "lists":
            rolls = [views.roll(desk, row) for row in desk.list(Roll, order=Roll.proposed_at.desc(), **request.window())]
            return Screen("archives/lists.html", rolls=rolls, json={"lists": rolls}, **values)
        found = service.expired(desk) if tab == "expired" else self._rows(request, tab)
        rows = [views.line(desk, row) for row in found]
        filed, accepted = service.accepted(desk) if tab == "kept" else (0, 0)
        values |= {"filed": filed, "accepted": accepted}
        return Screen("archives/holdings.html", rows=rows, years=_years(found), json={"items": rows, "filed": filed, "accepted": accepted}, **values)

    def _rows(self, request: Request, tab: str) -> list[Item]:
        where: list[ColumnElement[bool]] = [Item.state.in_(TABS[tab][1])]
        words, year = request.query("q"), request.query("year")
        if words:
            where.append(or_(*(column.contains(words, autoescape=True) for column in (Item.title, Item.code, Item.doc_no, Item.creator))))
        if year.isdigit() and len(year) == 4:
            where.append(Item.year == int(year))
        order = (Item.year, Item.doc_date, Item.doc_no, Item.id) if tab == "proposed" else (Item.filed_at.desc(), Item.code.desc(), Item.id)
        return self.desk.list(Item, *where, order=order, **request.window(), narrow=None)

    @page("POST", "/archives/fonds")
    def fonds(self, request: Request) -> See:
        """Register the fonds number of an organ."""
        service.register_fonds(self.desk, request.text("organ"), fonds=request.text("fonds"), section=request.text("section"))
        return see_other("/archives", _("已登记全宗号。"))

    @page("POST", "/archives/arrange")
    def arrange(self, request: Request) -> See:
        """File the chosen items under their codes."""
        choices = [
            Choice(
                item=id,
                retention=request.text(f"retention-{id}") or request.text("retention"),
                section=request.text("section"),
                pages=whole(request.text(f"pages-{id}"), digits=5),
                openness=request.text("openness", "later"),
            )
            for id in request.all("item")
        ]
        codes = service.arrange(self.desk, choices)
        return see_other("/archives?tab=kept", _("已归档 {n} 件：{codes}").format(n=len(codes), codes="、".join(codes[:3])), codes=codes)

    @page("GET", "/archives/<item>")
    def show(self, request: Request, item: str) -> Screen:
        """One item: what it is, where it stands, what may be done, what happened so far."""
        desk = self.desk
        found = desk.get(Item, item)
        original = next(iter(desk.list(Original, Original.doc == found.doc)), None)
        moves = service.moves(desk, found)
        steps = views.process(desk, desk.list(Step, Step.record == found.source, order=(Step.at, Step.id)))
        acts = views.account(desk, desk.list(Done, Done.record == found.id, order=(Done.at, Done.id)))
        paper = original.envelope.paper if original is not None else None
        annexes = [{"name": a.name, "size": a.size, "url": f"/archives/{item}/files/{n}"} for n, a in enumerate(paper.annexes)] if paper else []
        return Screen(
            "archives/item.html",
            item=found,
            state=views.STATES[State(found.state)],
            tone=views.TONES.get(State(found.state), ""),
            facts=views.facts(desk, found),
            text=paper.text if paper else "",
            files=[{**one, "state": "", "tone": ""} for one in annexes],
            tests=views.tests(found) if found.tested_at else [],
            acts=_acts(found, moves),
            lends="lend" in moves,
            appraises="appraise" in moves,
            retentions=views.RETENTION,
            readers=[(person.id, person.name) for person in staff(desk, found.organ)] if "lend" in moves else [],
            steps=steps,
            happened=acts,
            json={"item": found, "findings": [views.finding(one) for one in found.findings], "process": steps, "acts": acts},
        )

    @page("GET", "/archives/<item>/files/<int:place>")
    def file(self, request: Request, item: str, place: int) -> Response:
        """One of the files of an item."""
        found = self.desk.get(Item, item)
        annexes = self.desk.get(Original, found.doc).envelope.paper.annexes
        if place >= len(annexes):
            raise Missing()
        annex = annexes[place]
        body = Blobs(self.desk.settings).open(annex.sha, annex.key)
        return _download(body, annex.name, annex.size)

    @page("POST", "/archives/<item>/lend")
    def lend(self, request: Request, item: str) -> See:
        """Lend an item to a person."""
        until = request.moment("until")
        if until is None:
            raise Invalid(_("请填写归还日期。"), code="malformed")
        service.lend(self.desk, item, person=request.text("person"), purpose=request.text("purpose"), until=until)
        return see_other(f"/archives/{item}", _("已借出。"))

    @page("POST", "/archives/<item>/<move>")
    def act(self, request: Request, item: str, move: str) -> See:
        """Test, give back, hold, release, leave out or appraise."""
        text = request.text("text")
        acts: dict[str, Callable[[], Sequence[object] | None]] = {
            "leave_out": lambda: service.leave_out(self.desk, item, reason=text),
            "test": lambda: service.test(self.desk, item),
            "give_back": lambda: service.give_back(self.desk, item),
            "hold": lambda: service.hold(self.desk, item, on=True, reason=text),
            "release": lambda: service.hold(self.desk, item, on=False, reason=text),
            "appraise": lambda: service.appraise(self.desk, item, retention=request.text("retention"), reason=text),
        }
        if move not in acts:
            raise Missing()
        found = acts[move]()
        return see_other(f"/archives/{item}", _("检测发现 {n} 处问题。").format(n=len(found)) if found else _("已办理。"))

    @page("GET", "/archives/lists/<roll>")
    def roll(self, request: Request, roll: str) -> Screen:
        """A destruction list with what stands on it."""
        desk = self.desk
        found = desk.get(Roll, roll)
        rows = [views.line(desk, row) for row in desk.list(Item, Item.disposal == roll, order=Item.code)]
        moves = disposal.moves(desk, found)
        acts = views.account(desk, desk.list(Done, Done.record == roll, order=(Done.at, Done.id)))
        shown = views.roll(desk, found)
        values: dict[str, Any] = {"rows": rows, "happened": acts, "acts": _list_acts(found, moves)}
        return Screen("archives/list.html", roll=shown, json={"list": shown, "items": rows, "acts": acts}, **values)

    @page("POST", "/archives/lists")
    def propose(self, request: Request) -> See:
        """Put chosen items on a new destruction list."""
        roll = disposal.propose(self.desk, request.all("item"), reason=request.text("reason"))
        return see_other(f"/archives/lists/{roll}", _("已提出销毁清册，等待批准。"), list=roll)

    @page("POST", "/archives/lists/<roll>/<move>")
    def dispose(self, request: Request, roll: str, move: str) -> See:
        """Approve, reject, supervise or carry out a list."""
        text = request.text("text")
        acts: dict[str, Callable[[], object]] = {
            "approve": lambda: disposal.approve(self.desk, roll, opinion=text),
            "reject": lambda: disposal.reject(self.desk, roll, reason=text),
            "supervise": lambda: disposal.supervise(self.desk, roll),
            "destroy": lambda: disposal.destroy(self.desk, roll),
        }
        if move not in acts:
            raise Missing()
        acts[move]()
        return see_other(f"/archives/lists/{roll}", _("已办理。"))

    @page("POST", "/archives/package", json=False)
    def package(self, request: Request) -> Response:
        """The package of chosen items; with the name of an archive, the hand-over is put on record."""
        made = service.pack(self.desk, request.all("item"))
        try:
            if request.text("archive"):
                service.transfer(self.desk, made, archive=request.text("archive"))
            size = made.file.stat().st_size
        except BaseException:
            made.file.unlink(missing_ok=True)
            raise
        return _download(_once(made.file), f"档案移交包-{workflow.day(self.desk.now):%Y%m%d}.zip", size)


def _once(file: Path) -> Iterator[bytes]:
    """A file part by part; it is gone afterwards."""
    try:
        with file.open("rb") as stream:
            yield from iter(lambda: stream.read(256 * 1024), b"")
    finally:
        file.unlink(missing_ok=True)


def _download(body: Iterator[bytes], name: str, size: int) -> Response:
    response = Response(body, mimetype="application/octet-stream", headers={"Content-Length": str(size)})
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return response


def _acts(item: Item, moves: tuple[str, ...]) -> list[Act]:
    url = f"/archives/{item.id}"
    every = {
        "give_back": Act(f"{url}/give_back", _("归还"), "main"),
        "test": Act(f"{url}/test", _("四性检测"), "main" if not item.tested_at else "plain"),
        "hold": Act(f"{url}/release", _("解除冻结"), ask=_("原因"), need=True)
        if item.hold
        else Act(f"{url}/hold", _("冻结"), ask=_("原因"), need=True),
        "leave_out": Act(f"{url}/leave_out", _("不归档"), "danger", ask=_("原因"), need=True),
    }
    return [act for name, act in every.items() if name in moves]


def _list_acts(roll: Roll, moves: tuple[str, ...]) -> list[Act]:
    url = f"/archives/lists/{roll.id}"
    every = {
        "approve": Act(f"{url}/approve", _("批准销毁"), "main", ask=_("意见")),
        "reject": Act(f"{url}/reject", _("不批准"), ask=_("原因"), need=True),
        "supervise": Act(f"{url}/supervise", _("监销签字"), "main", confirm=_("确认已将档案与清册逐件核对。")),
        "destroy": Act(f"{url}/destroy", _("执行销毁"), "danger", confirm=_("销毁后不能恢复，清册永久保存。")),
    }
    return [act for name, act in every.items() if name in moves]


def _years(items: list[Item]) -> list[tuple[int, dt.date]]:
    return [(year, workflow.hand_in(year)) for year in sorted({item.year for item in items})]


def _name(desk: Desk, organ: str) -> str:
    found = desk.directory.organ(organ)
    return found.full_name if found is not None else organ


def _issues(desk: Desk, organ: str) -> bool:
    found = desk.directory.organ(organ)
    return found is not None and found.may_issue


PAGES = (ArchivesPages,)
