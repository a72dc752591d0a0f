"""Screens of what stands for all: distribution lists and the working-day calendar."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

from node.directory import entries as said
from node.directory.view import today
from node.errors import Invalid
from office.frame.calendar import dated, term
from office.frame.desk import Desk
from office.frame.words import _
from office.people import rulings, service, standing
from office.people.pen import need
from office.people.workflow import KEEPER
from office.portal.page import Request, Screen, See, day, page, see_other

MONTHS = (_("1月"), _("2月"), _("3月"), _("4月"), _("5月"), _("6月"), _("7月"), _("8月"), _("9月"), _("10月"), _("11月"), _("12月"))
WEEK = (_("一"), _("二"), _("三"), _("四"), _("五"), _("六"), _("日"))
WHY_WORDS = {"weekday": _("工作日"), "weekend": _("周末"), "holiday": _("放假"), "statutory": _("法定节假日"), "swapped": _("调休上班")}
SOURCES = {"L": (_("法定"), "good"), "P": (_("惯例"), ""), "TV": (_("待核实"), "warn")}
UNITS = {"wd": _("{n} 个工作日"), "d": _("{n} 日"), "h": _("{n} 小时"), "min": _("{n} 分钟"), "mo": _("{n} 个月"), "y": _("{n} 年")}


class BoardPages:
    """Lists, calendar and terms."""

    name = "boards"
    desk: Desk

    @page("GET", "/people/lists")
    def lists(self, request: Request) -> Screen:
        """Every standing list."""
        found = standing.lists(self.desk)
        return Screen("people/lists.html", lists=found, keeps=service.may(self.desk, KEEPER), json=[one.listing for one in found])

    @page("GET", "/people/lists/new")
    def new_list(self, request: Request) -> Screen:
        """The form of a new list."""
        return self._form("", "", (), "")

    @page("POST", "/people/lists/new")
    def add_list(self, request: Request) -> See:
        """Found a list."""
        key = standing.save_list(self.desk, name=request.text("name"), organs=request.all("organs"))
        return see_other(f"/people/lists/{key}", _("通讯组已设立。"), id=key)

    @page("GET", "/people/lists/<id>")
    def list(self, request: Request, id: str) -> Screen:
        """A list and its members."""
        found = standing.one_list(self.desk, id)
        keeps = found.here and service.may(self.desk, KEEPER)
        return Screen("people/list.html", kept=found, keeps=keeps, json={"list": found.listing, "members": found.members})

    @page("GET", "/people/lists/<id>/edit")
    def edit_list(self, request: Request, id: str) -> Screen:
        """The form of a list's next version."""
        found = standing.one_list(self.desk, id)
        record = self.desk.directory.record(said.Listing, id)
        return self._form(id, found.listing.name, tuple(o.id for o in found.members), record.said.hex() if record else "")

    @page("POST", "/people/lists/<id>/edit")
    def change_list(self, request: Request, id: str) -> See:
        """Give a list its next version."""
        standing.save_list(self.desk, id=id, name=request.text("name"), organs=request.all("organs"), seen=request.text("seen"))
        return see_other(f"/people/lists/{id}", _("已保存。"))

    @page("GET", "/people/calendar")
    def calendar(self, request: Request) -> Screen:
        """A year, day by day, as terms are counted."""
        text = request.query("year") or str(today().year)
        found = standing.year(self.desk, int(text) if re.fullmatch("[0-9]{4}", text) else 0)
        known = found.signed or standing.proposed(found.year)
        return Screen(
            "people/calendar.html",
            year=found,
            months=MONTHS,
            week=WEEK,
            why=WHY_WORDS,
            today=today(),
            keeps=standing.keeps_city(self.desk),
            form={"off": written(known.off), "worked": written(known.worked), "basis": known.basis} if known else {},
            json={"year": found.year, "signed": found.signed, "working_days": found.worked},
        )

    @page("POST", "/people/calendar/<int:year>")
    def sign_calendar(self, request: Request, year: int) -> See:
        """Sign the city's calendar of a year."""
        standing.save_calendar(
            self.desk, year, off=days(request.text("off"), year), worked=days(request.text("worked"), year), basis=request.text("basis")
        )
        return see_other(f"/people/calendar?year={year}", _("工作日历已签发，各节点收到后即按此计算期限。"))

    @page("POST", "/people/calendar/<int:year>/impact")
    def calendar_impact(self, request: Request, year: int) -> Screen:
        """What the city's calendar of a year would change, before it is signed."""
        given = {name: request.text(name) for name in ("off", "worked", "basis")}
        found = standing.impact(self.desk, year, off=days(given["off"], year), worked=days(given["worked"], year), basis=given["basis"])
        return Screen("people/impact.html", year=year, given=given, found=found, json={"year": year, "running": found.running, "moved": found.moved})

    @page("GET", "/people/rules")
    def rules(self, request: Request) -> Screen:
        """Every term of the table: its length, its article, what the city has said of it."""
        found = rulings.every(self.desk)
        plain = [{"id": one.rule.id, "limit": one.rule.limit, "basis": one.rule.basis, "versions": one.versions} for one in found]
        return Screen("people/rules.html", found=found, limit=limit, sources=SOURCES, json={"rules": plain})

    @page("GET", "/people/rules/<rule>")
    def rule(self, request: Request, rule: str) -> Screen:
        """A term, and the form of its next version."""
        found = rulings.one(self.desk, rule)
        given = {"limit": found.rule.limit, "basis": found.rule.basis, "since": today().isoformat(), "running": False}
        plain = {"rule": found.rule, "versions": found.versions}
        return Screen("people/rule.html", found=found, limit=limit, given=given, sources=SOURCES, keeps=standing.keeps_city(self.desk), json=plain)

    @page("POST", "/people/rules/<rule>")
    def sign_rule(self, request: Request, rule: str) -> See:
        """Sign another length of a term."""
        rulings.save(self.desk, rule, **self._ruling(request))
        return see_other(f"/people/rules/{rule}", _("期限规则已签发，各节点收到后即按此计算。"))

    @page("POST", "/people/rules/<rule>/impact")
    def rule_impact(self, request: Request, rule: str) -> Screen:
        """What another length of a term would change, before it is signed."""
        found, known = rulings.impact(self.desk, rule, **self._ruling(request)), rulings.one(self.desk, rule)
        given = {name: request.text(name) for name in ("limit", "basis", "since", "running") if request.text(name)}
        plain = {"rule": rule, "running": found.running, "moved": found.moved}
        return Screen("people/ruled.html", known=known, given=given, found=found, limit=limit, json=plain)

    def _ruling(self, request: Request) -> dict[str, Any]:
        given = {name: request.text(name) for name in ("limit", "basis")}
        return {**given, "since": day(request.text("since")), "running": bool(request.text("running"))}

    def _form(self, id: str, name: str, chosen: tuple[str, ...], seen: str) -> Screen:
        need(self.desk, KEEPER)
        groups: dict[str, list[tuple[str, str]]] = {}
        for organ in self.desk.directory.organs():
            groups.setdefault(organ.tier, []).append((organ.id, organ.full_name))
        return Screen("people/edit_list.html", id=id, name=name, chosen=chosen, seen=seen, groups=groups, json={"name": name, "organs": chosen})


def limit(text: str) -> str:
    """A term in words."""
    if dated(text):
        return str(_("次年 {day}")).format(day=text)
    count, unit = term(text)
    return str(UNITS[unit]).format(n=count) if unit in UNITS else text


def days(text: str, year: int) -> list[dt.date]:
    """Days written as ``10-01`` or ``10-01..10-07``, separated by spaces, commas or lines."""
    found: list[dt.date] = []
    for part in re.split(r"[\s,，、;；]+", text.strip()):
        if not part:
            continue
        ends = re.fullmatch(r"(\d{1,2})-(\d{1,2})(?:(?:\.\.|至|~)(\d{1,2})-(\d{1,2}))?", part)
        try:
            first = dt.date(year, int(ends[1]), int(ends[2])) if ends else None
            last = dt.date(year, int(ends[3]), int(ends[4])) if ends and ends[3] else first
        except ValueError:
            first = last = None
        if first is None or last is None or last < first or (last - first).days > 31:
            raise Invalid(_("日期写成 10-01 或 10-01..10-07，读不懂“{part}”。").format(part=part[:20]), code="bad_day")
        found += [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
    return found


def written(days: Sequence[dt.date]) -> str:
    """Days as :func:`days` reads them."""
    runs: list[list[dt.date]] = []
    for one in sorted(days):
        if runs and one - runs[-1][-1] == dt.timedelta(days=1):
            runs[-1].append(one)
        else:
            runs.append([one])
    return " ".join(f"{run[0]:%m-%d}" if len(run) == 1 else f"{run[0]:%m-%d}..{run[-1]:%m-%d}" for run in runs)
