"""What stands for all: distribution lists (通讯组) and the working-day calendar, each a record whose next version replaces the last."""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from node.codec import uuid7
from node.directory import entries as said
from node.directory.lines import check_calendar
from node.errors import Invalid, Missing, Refused
from office.frame import clocks
from office.frame.calendar import Workdays, shipped
from office.frame.desk import Desk
from office.frame.todo import Running, gather
from office.frame.words import Text, _
from office.people.pen import check_words, fresh, may, need, there, write
from office.people.workflow import KEEPER

LONGEST = 1_500
"Organs on one list."
DAYS = 80
"Days that one notice may name."
Version = tuple[clocks.Rules, Workdays]
"What terms are counted by."


@dataclass(frozen=True)
class Kept:
    """A list with its members today."""

    listing: said.Listing
    members: tuple[said.Organ, ...]
    here: bool
    "Whether this node keeps it."


def lists(desk: Desk) -> list[Kept]:
    """Every standing list by name, with its members in its own order."""
    return [_kept(desk, one) for one in desk.directory.lists()]


def one_list(desk: Desk, id: str) -> Kept:
    """A list."""
    return _kept(desk, there(next((one for one in desk.directory.lists() if one.id == id), None)))


def save_list(desk: Desk, *, name: str, organs: Sequence[str], id: str = "", seen: str = "") -> str:
    """Found a list (no id) or give it its next version; documents that were sent keep the version they name."""
    need(desk, KEEPER)
    check_words(name)
    chosen = tuple(dict.fromkeys(o for o in organs if o))
    if not chosen or len(chosen) > LONGEST:
        raise Invalid(_("一个通讯组要有 1 到 {n} 个单位。").format(n=LONGEST), code="organs")
    for organ in chosen:
        there(desk.directory.organ(organ))
    held = fresh(desk, said.Listing, id, seen) if id else None
    if id and held is None:
        raise Missing(_("没有找到，或者您无权查看。"))
    content = said.Listing(id or uuid7(), name.strip(), chosen, held.version + 1 if held else 1)
    if held is None or msgspec.structs.replace(content, version=held.version) != held:
        write(desk, content)
    return content.id


def _kept(desk: Desk, one: said.Listing) -> Kept:
    record = desk.directory.record(said.Listing, one.id)
    return Kept(one, desk.directory.list_members(one.id), record is not None and record.home == desk.node)


# ------------------------------------------------------------------------------------------------------------- the calendar


@dataclass(frozen=True)
class Day:
    """A day of the calendar."""

    on: dt.date
    why: str
    "weekday, weekend, holiday, statutory or swapped, as :class:`office.frame.calendar.Step` says."


@dataclass(frozen=True)
class Year:
    """A year as it is counted here."""

    year: int
    months: tuple[tuple[tuple[Day | None, ...], ...], ...]
    "Months of weeks of seven, Monday first; None outside the month."
    signed: said.Calendar | None
    "What the city signed; None while only the law and the published notice are counted."
    worked: int
    "Working days of the year."


def year(desk: Desk, number: int) -> Year:
    """A year as deadlines are counted at this node."""
    if not 2000 <= number <= 2100:
        raise Missing(_("没有这一年的日历。"))
    days = Workdays(desk.directory.calendars())
    months = tuple(tuple(_weeks(days, number, month)) for month in range(1, 13))
    every = [day for month in months for week in month for day in week if day]
    return Year(number, months, desk.directory.calendar(number), sum(days.works(day.on) for day in every))


def proposed(number: int) -> said.Calendar | None:
    """What this program knows of a year's notice, for the form."""
    return next((one for one in shipped() if one.year == number), None)


def keeps_city(desk: Desk) -> bool:
    """Whether the person may sign what terms are counted by: the city's calendar and rules."""
    return desk.directory.tree().root == desk.node and may(desk, KEEPER)


def need_city(desk: Desk, elsewhere: Text) -> None:
    """Refuse who may not; ``elsewhere`` is said at every other node."""
    need(desk, KEEPER)
    if not keeps_city(desk):
        raise Refused(elsewhere, code="foreign_record")


def save_calendar(desk: Desk, number: int, *, off: Sequence[dt.date], worked: Sequence[dt.date], basis: str) -> None:
    """Sign the city's calendar of a year; every node counts by it as soon as it arrives."""
    made, held = _drafted(desk, number, off, worked, basis), desk.directory.calendar(number)
    if held is None or (held.off, held.worked, held.basis) != (made.off, made.worked, made.basis):
        write(desk, made)


@dataclass(frozen=True, kw_only=True)
class Moved:
    """A running term that another calendar or rule would end at another time."""

    title: str
    "Empty for a matter that the person may not see."
    url: str
    rule: str
    before: dt.datetime | None
    after: dt.datetime | None


@dataclass(frozen=True, kw_only=True)
class Impact:
    """What a calendar or a rule that is not signed yet would do to the terms that run at this node."""

    running: int
    moved: tuple[Moved, ...]
    missing: tuple[str, ...]
    "Rooms that could not be asked."

    @property
    def later(self) -> int:
        """How many would end later."""
        return sum(one.before is not None and one.after is not None and one.after > one.before for one in self.moved)


def impact(desk: Desk, number: int, *, off: Sequence[dt.date], worked: Sequence[dt.date], basis: str) -> Impact:
    """Count every running term of this node by the calendar as it is and as it would be; nothing is written."""
    made, law = _drafted(desk, number, off, worked, basis), clocks.law(desk.directory.rulings())
    signed = desk.directory.calendars()
    old, new = Workdays(signed), Workdays([*(one for one in signed if one.year != number), made])
    found, missing = gather(desk, "running")
    return moves(found, missing, (law, old), (law, new), desk.now)


def moves(found: Sequence[Running], missing: Sequence[str], old: Version, new: Version, now: dt.datetime) -> Impact:
    """What another version of law and calendar does to terms that run."""
    by = {(one.clock.matter, one.clock.rule): one for one in found}
    moved = clocks.what_if([one.clock for one in found], old, new, now=now)
    lines = tuple(_moved(by[change.matter, change.rule], change, new[0]) for change in moved)
    return Impact(running=len(found), moved=lines, missing=tuple(missing))


def _moved(one: Running, change: clocks.Change, law: clocks.Rules) -> Moved:
    before, after = (end.at if end is not None else None for end in (change.before, change.after))
    return Moved(title=one.title, url=one.url, rule=str(law.rule(change.rule).name), before=before, after=after)


def _drafted(desk: Desk, number: int, off: Sequence[dt.date], worked: Sequence[dt.date], basis: str) -> said.Calendar:
    """A year's next calendar, checked and not written."""
    need_city(desk, _("工作日历由市级节点签发。"))
    if not basis.strip():
        raise Invalid(_("请填写依据，例如国务院办公厅的放假通知。"), code="basis_missing")
    if len(off) + len(worked) > DAYS:
        raise Invalid(_("一年的放假和调休不会超过 {n} 天，请检查。").format(n=DAYS), code="too_large")
    chosen = (tuple(sorted(set(off))), tuple(sorted(set(worked))))
    check_calendar(number, *chosen)
    held = desk.directory.calendar(number)
    return said.Calendar(number, *chosen, basis.strip(), held.version + 1 if held else 1)


def _weeks(days: Workdays, number: int, month: int) -> Iterator[tuple[Day | None, ...]]:
    lead, count = monthrange(number, month)
    row: list[Day | None] = [None] * lead
    for day in range(1, count + 1):
        on = dt.date(number, month, day)
        row.append(Day(on, days.why(on)))
        if len(row) == 7:
            yield tuple(row)
            row = []
    if row:
        yield (*row, *[None] * (7 - len(row)))
