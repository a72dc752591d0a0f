"""``yiwang calendar`` and ``deadlines``: when terms end, by which days, and which deadlines run here.

Without a home the notices that the program brings along are counted; with one, what the city has signed.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from node.errors import Invalid, Misconfigured
from ops.answer import Answer, Call, Lines
from ops.words import _

if TYPE_CHECKING:
    from node.directory.entries import Calendar
    from office.documents.model import Incoming
    from office.frame.calendar import Due, Workdays
    from office.frame.clocks import Change, Rules
    from office.frame.desk import Desk

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_PAGE = 500


@click.group(help="工作日历和办理期限。")
def calendar() -> None:
    """The family of commands."""


@calendar.command("eval", help="一个期限何时届满，逐日列明。")
@click.option("--from", "start", required=True, help="起算事件的时刻（RFC 3339）。")
@click.option("--rule", required=True, help="期限：20wd、15d、24h、3mo，或者规则编号，例如 disclose.reply。")
@click.option("--calendar", "version", default="", help="日历版本，例如 2026.1；不指定则用现行的。")
@click.pass_obj
def evaluate(call: Call, start: str, rule: str, version: str) -> Answer:
    """The end of a term and each day that leads to it."""
    from office.frame import clocks

    begun = moment(start)
    with _known(call) as (known, law):
        days = known.at(version)
    end = _end(begun, rule, days, law)
    fields = {"from": begun.isoformat(), **clocks.plain(end, days), **_cited(rule, begun, law)}
    return Answer(fields=fields, text=_prose(end))


def moment(text: str) -> dt.datetime:
    """A moment in the form of RFC 3339, with its offset; :class:`Invalid` for anything else."""
    try:
        if _MOMENT.fullmatch(text):
            return dt.datetime.fromisoformat(text.upper())
    except ValueError:
        pass
    raise Invalid(f"not a moment: {text[:60]!r}", hint="2026-01-31T17:00:00+08:00", code="moment")


def _end(begun: dt.datetime, rule: str, days: Workdays, law: Rules) -> Due:
    from office.frame import calendar

    found = law.rule(rule, begun) if "." in rule or "_" in rule else None
    if found is not None and found.before:
        return calendar.before(begun, found.limit, days)
    return calendar.due(begun, found.limit if found else rule, days)


def _cited(rule: str, begun: dt.datetime, law: Rules) -> dict[str, Any]:
    if "." not in rule and "_" not in rule:
        return {}
    found = law.rule(rule, begun)
    return {"law": {"id": found.id, "version": law.version, "counted": law.told(rule, begun), "basis": found.basis, "source": found.source}}


def _prose(end: Due) -> str:
    why = {
        "weekday": _("工作日"),
        "weekend": _("周末"),
        "holiday": _("放假"),
        "swapped": _("调休上班"),
        "statutory": _("法定节假日"),
        "clock": _("按钟点"),
    }
    what = {"counted": _("计入"), "off": _("不计"), "paused": _("中止"), "moved": _("顺延"), "ends": _("届满")}
    rows = [_("届满：{at}").format(at=end.at.isoformat(" "))]
    if end.provisional:
        years = "、".join(map(str, end.missing))
        rows.append(_("暂定：{years} 年的日历尚未由本市公布，按已知的放假规定和周末推算，公布后重算。").format(years=years))
    if end.calendar:
        rows.append(_("日历：{version}").format(version=end.calendar))
    rows += [f"  {step.day.isoformat()}  {what[step.what]}  {step.count:>4}  {why[step.why]}" for step in end.steps]
    return "\n".join(rows)


@contextmanager
def _known(call: Call) -> Iterator[tuple[Workdays, Rules]]:
    """Days and rules as the home's city signed them, or as published where no home was named."""
    from office.frame import clocks
    from office.frame.calendar import Workdays

    if call.home is None:
        yield Workdays.published(), clocks.rules()
        return
    from ops import seat

    with seat.office(call.settings()) as office:
        office.directory.refresh()
        yield Workdays(office.directory.every_calendar()), clocks.law(office.directory.rulings())


@calendar.command("rules", help="期限规则表，每条一行。")
def table() -> Lines:
    """The table of terms: each with its limit, what lengthens or stops it, and the article."""
    import msgspec

    from office.frame import clocks

    law = clocks.rules()
    return Lines(rows=({"version": law.version, **msgspec.to_builtins(rule)} for rule in law.rules))


@calendar.command("what-if", help="换用另一份规则或者日历，本节点哪些期限会变；什么都不写。")
@click.option("--rules", "law", type=click.Path(dir_okay=False, path_type=Path), help="规则表文件（JSON）。")
@click.option("--calendars", type=click.Path(dir_okay=False, path_type=Path), help="日历文件：名录格式，每行一个 JSON 对象。")
@click.pass_obj
def compare(call: Call, law: Path | None, calendars: Path | None) -> Answer:
    """The running deadlines of this node that other rules or calendars would change, and how."""
    from office.documents.terms import sign_in
    from office.frame import clocks
    from office.frame.calendar import Workdays
    from ops import seat

    if law is None and calendars is None:
        raise Misconfigured("name other rules, other calendars or both", hint="--rules FILE, --calendars FILE", code="usage")
    with seat.office(call.settings()) as office:
        desk = seat.operator(office)
        signed = desk.directory.calendars()
        running = [clock for row, place in _incoming(desk) if (clock := sign_in(row, place)).met is None]
        other = {c.year: c for c in (*signed, *(_calendars(calendars) if calendars else ()))}
        old: tuple[Rules, Workdays] = (clocks.law(desk.directory.rulings()), Workdays(signed))
        new = (clocks.read(_bytes(law)) if law else old[0], Workdays(other.values()))
        found = clocks.what_if(running, old, new, now=desk.now)
    return Answer(fields={"running": len(running), "changed": len(found), "changes": [_change(one) for one in found]})


def _change(one: Change) -> dict[str, Any]:
    def side(end: Due | None, at: int) -> dict[str, Any]:
        state = one.state[at]
        return {
            "due": end.at.isoformat() if end else None,
            "calendar": end.calendar if end else None,
            "provisional": end.provisional if end else None,
            "state": str(state) if state else None,
        }

    return {"doc": one.matter, "rule": one.rule, "before": side(one.before, 0), "after": side(one.after, 1)}


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as e:
        raise Misconfigured(f"cannot read {file}: {e.strerror}", code="usage") from None


def _calendars(file: Path) -> list[Calendar]:
    import msgspec

    from node.directory.entries import Calendar
    from node.directory.lines import CalendarLine, check_calendar

    found = []
    for number, line in enumerate(filter(bytes.strip, _bytes(file).splitlines()), 1):
        try:
            one = msgspec.json.decode(line, type=CalendarLine)
        except (msgspec.DecodeError, UnicodeDecodeError) as e:
            raise Invalid(f"{file}, calendar {number}: {e}") from None
        check_calendar(one.year, one.off, one.worked)
        found.append(Calendar(one.year, one.off, one.worked, one.basis, one.version))
    return found


@click.command(help="本节点收文的期限：签收和答复，每项一行；办结的不列。")
@click.option("--as", "user", default="", help="只列这个人能看到的：人员编号或登录名。")
@click.option("--all", "every", is_flag=True, help="办结的也列。")
@click.pass_obj
def deadlines(call: Call, user: str, every: bool) -> Lines:
    """Each deadline of the documents that came in: when it began, when it ends, why, and how it stands."""
    from office.frame import clocks
    from office.frame.desk import Desk
    from ops import seat

    settings = call.settings()

    def rows() -> Iterator[dict[str, Any]]:
        with seat.office(settings) as office:
            desk = Desk(office, person=seat.person_of(office, user), tracks=False) if user else seat.operator(office)
            law, days = clocks.counted(desk.directory)
            for row, place in _incoming(desk, every=every):
                yield from _rows(desk, row, place, days, law)

    return Lines(rows=rows())


def _incoming(desk: Desk, *, every: bool = False) -> Iterator[tuple[Incoming, str]]:
    """Documents that came in and still count, with the ref of their dispatch, oldest first."""
    from sqlalchemy import tuple_

    from office.documents.model import Incoming, Letter
    from office.documents.workflow import Standing

    gone = [str(state) for state in (Standing.SENT_BACK, Standing.RECALLED, *(() if every else (Standing.CLOSED,)))]
    where = (Incoming.state.not_in(gone),)
    order = (Incoming.order, Incoming.id)
    rows = desk.list(Incoming, *where, order=order, limit=_PAGE)
    while rows:
        places = {one.id: one.place for one in desk.list(Letter, Letter.id.in_({row.doc for row in rows}), limit=_PAGE)}
        yield from ((row, places.get(row.doc, "")) for row in rows)
        beyond = tuple_(*order) > (rows[-1].order, rows[-1].id)
        rows = desk.list(Incoming, *where, beyond, order=order, limit=_PAGE)


def _rows(desk: Desk, row: Incoming, place: str, days: Workdays, law: Rules) -> Iterator[dict[str, Any]]:
    from node import clock
    from office.documents.terms import sign_in
    from office.frame import clocks
    from office.frame.calendar import SHANGHAI

    term = sign_in(row, place)
    end = clocks.due(term, days, law=law)
    begun = {"ref": place, "anchored": {"from": term.start.at.astimezone(SHANGHAI).isoformat(), "to": None}}
    about = {"doc": row.doc, "organ": row.organ, "title": row.title, "started": begun}
    state = clocks.state(term, days, law=law, now=desk.now)
    if end is not None:
        told = {"due": end.at.isoformat(), "basis": law.rule(term.rule, term.start.at).basis, "calendar": end.calendar, "state": str(state)}
        yield about | {"kind": "sign_in", "rule": term.rule, "provisional": end.provisional, "law": law.told(term.rule, term.start.at)} | told
    if row.until:
        until = clock.from_ms(row.until).astimezone(SHANGHAI)
        stands = clocks.State.MET if row.answered_at or row.closed_at else clocks.standing(term.start.at, until, desk.now)
        told = {"due": until.isoformat(), "basis": row.number or row.issuer_name, "calendar": "", "state": str(stands)}
        yield about | {"kind": "reply", "rule": "issuer", "provisional": False} | told
