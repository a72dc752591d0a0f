"""Working days and due times. A term is counted from the calendar that the city keeps, never from weekends alone.

Terms: ``20wd`` working days, ``15d`` calendar days, ``24h`` hours, ``30min`` minutes, ``3mo`` months, ``10y`` years, and
``06-30``, that date of the year after the event. The day of the event is not counted; a term in days, months or years ends
with the end of its last day, and when that is a day off, with the end of the first working day after it (民法典 §201–203). A
date that the law names is no term and does not move. All days are those of Asia/Shanghai.

Years that the city has not signed are provisional and say so: what the State Council published and this program
brings along is counted; else the holidays of 全国年节及纪念日放假办法 §2, without the weekends worked in exchange, which nobody
can know before the notice.

A pause takes the days after its beginning up to the day of its end out of a term in days; no term ends while paused.
"""

from __future__ import annotations

import datetime as dt
import re
from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

from node.directory.entries import Calendar
from node.errors import Invalid, Missing

SHANGHAI = dt.timezone(dt.timedelta(hours=8), "Asia/Shanghai")
_DATA = Path(__file__).parent / "data/calendars.json"
_TERM = re.compile(r"(\d{1,4})(wd|d|h|min|mo|y)", re.ASCII)
_DATE = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", re.ASCII)
_DAY = dt.timedelta(days=1)
_CLOCK = {"h": dt.timedelta(hours=1), "min": dt.timedelta(minutes=1)}
_MONTHS = {"mo": 1, "y": 12}

Span = tuple[dt.datetime, dt.datetime]
"A pause: the events that began and ended it."


@dataclass(frozen=True)
class Step:
    """One day of a count, so that anyone can count again."""

    day: dt.date
    what: str
    "counted, off, paused, moved (past the last day, which was a day off or paused), or ends (a term that is not counted in days)."
    why: str
    "weekday, weekend, holiday, swapped (a weekend that is worked), statutory (a holiday by law in a year nobody has published), or clock."
    count: int
    "How much of the term is over with this day."


@dataclass(frozen=True)
class Due:
    """When a term ends, and how it was counted."""

    at: dt.datetime
    rule: str
    calendar: str
    "Versions of the years that were asked, such as ``2026.1+2027.0``; version 0 is a year that the city has not signed. Empty for clocks."
    provisional: bool
    steps: tuple[Step, ...]

    @property
    def missing(self) -> tuple[int, ...]:
        """The years that were asked and that the city has not signed."""
        return tuple(year for year, version in versions(self.calendar) if not version)


class Statutory(msgspec.Struct, frozen=True):
    """Holidays by law, known before a year's notice."""

    basis: str
    every: tuple[str, ...]
    "Month and day."
    moon: dict[str, tuple[str, ...]]
    "Year to the days that follow the moon and the sun: 春节 from its eve, 清明, 端午, 中秋."


class Notice(msgspec.Struct, frozen=True):
    """The notice of one year; the fields of :class:`Calendar`."""

    year: int
    version: int
    basis: str
    off: tuple[dt.date, ...]
    worked: tuple[dt.date, ...]


class _Shipped(msgspec.Struct, frozen=True):
    published: tuple[Notice, ...]
    statutory: Statutory


@cache
def shipped() -> tuple[Calendar, ...]:
    """The published calendars that this program brings along."""
    return tuple(Calendar(n.year, n.off, n.worked, n.basis, n.version) for n in _read().published)


@cache
def _read() -> _Shipped:
    return msgspec.json.decode(_DATA.read_bytes(), type=_Shipped)


def versions(text: str) -> tuple[tuple[int, int], ...]:
    """(year, version) of ``2026.1+2027.0``; :class:`Invalid` for anything else."""
    parts = [re.fullmatch(r"(\d{4})\.(\d{1,6})", part, re.ASCII) for part in text.split("+")] if text else []
    if not all(parts):
        raise Invalid(f"not a version of a calendar: {text[:60]!r}", hint="2026.1 or 2026.1+2027.1")
    return tuple((int(part[1]), int(part[2])) for part in parts if part)


class Workdays:
    """Which days are worked, by the calendars of the years."""

    def __init__(self, calendars: Iterable[Calendar]) -> None:
        """``calendars`` are those that the city signed, the last of a year counts; other years are provisional."""
        self._every = tuple(calendars)
        self.years = {c.year: c for c in self._every}
        self._known = {c.year: c for c in shipped()} | self.years
        self._off = {day for c in self._known.values() for day in c.off}
        self._worked = {day for c in self._known.values() for day in c.worked}

    @classmethod
    def published(cls) -> Workdays:
        """By the notices of the State Council that this program brings along, without asking a city."""
        return cls(shipped())

    def at(self, version: str) -> Workdays:
        """The same with other versions of the years that ``version`` names; :class:`Missing` when one is not kept here."""
        chosen = dict(self.years)
        for year, number in versions(version):
            kept = [c for c in (*self._every, *shipped()) if c.year == year]
            found = next((c for c in kept if c.version == number), None)
            if found is None and (number or kept):
                have = " or ".join(sorted({f"{c.year}.{c.version}" for c in kept})) or f"{year}.0"
                raise Missing(f"no version {number} of the calendar of {year} is kept here", hint=f"there is {have}", code="no_calendar")
            if found is not None:
                chosen[year] = found
        return Workdays(chosen.values())

    def works(self, day: dt.date) -> bool:
        """Whether offices work on a day."""
        return self.why(day) in ("weekday", "swapped")

    def why(self, day: dt.date) -> str:
        """Why a day is worked or not; the words of :class:`Step`."""
        if day in self._worked:
            return "swapped"
        if day in self._off:
            return "holiday"
        if day.year not in self._known and _statutory(day):
            return "statutory"
        return "weekday" if day.weekday() < 5 else "weekend"

    def known(self, year: int) -> bool:
        """Whether the city has signed the year's calendar."""
        return year in self.years

    def used(self, asked: Iterable[int]) -> str:
        """The versions of the years that were asked, as :class:`Due` says them."""
        return "+".join(f"{year}.{self.years[year].version if self.known(year) else 0}" for year in sorted(set(asked)))


def _statutory(day: dt.date) -> bool:
    law, short = _read().statutory, f"{day:%m-%d}"
    return short in law.every or short in law.moon.get(str(day.year), ())


def due(start: dt.datetime, rule: str, days: Workdays, *, pauses: Sequence[Span] = ()) -> Due:
    """The end of a term that begins with an event at ``start``; :class:`Invalid` for a rule that is none."""
    try:
        return _due(start, rule, days, pauses)
    except (OverflowError, ValueError):
        raise Invalid("the term ends beyond the calendar", code="beyond_calendar") from None


def before(event: dt.datetime, rule: str, days: Workdays) -> Due:
    """The last moment to do what must be done so many days (``7wd``) before an event."""
    count, unit = term(rule)
    if unit not in ("wd", "d"):
        raise Invalid(f"{rule} cannot be counted backwards", hint="7wd or 7d")
    try:
        steps = tuple(_count(_days(event.astimezone(SHANGHAI).date(), -_DAY), count, days, (), unit == "wd"))
    except OverflowError:
        raise Invalid("the term begins before the calendar", code="beyond_calendar") from None
    return _told(steps, rule, days, steps)


def dated(rule: str) -> bool:
    """Whether a rule is a date of the next year, such as ``06-30``, and no term."""
    return _DATE.fullmatch(rule) is not None


def term(rule: str) -> tuple[int, str]:
    """(20, ``wd``) of ``20wd``; :class:`Invalid` for what is no term that is counted."""
    found = _TERM.fullmatch(rule)
    if not found or not int(found[1]):
        raise Invalid(f"not a rule for a term: {rule[:40]!r}", hint="20wd, 15d or 24h", code="rule")
    return int(found[1]), found[2]


def _due(start: dt.datetime, rule: str, days: Workdays, pauses: Sequence[Span]) -> Due:
    first = start.astimezone(SHANGHAI).date()
    dated = _DATE.fullmatch(rule)
    count, unit = (0, "date") if dated else term(rule)
    if pauses and unit not in ("wd", "d"):
        raise Invalid(f"a term of {rule} is not counted in days and cannot pause", code="no_pause")
    if dated:
        day = dt.date(first.year + 1, int(dated[1]), int(dated[2]))
        return _told((Step(day, "ends", days.why(day), 1),), rule, days, ())
    if unit in _CLOCK:
        end = (start + count * _CLOCK[unit]).astimezone(SHANGHAI)
        return Due(end, rule, "", False, (Step(end.date(), "ends", "clock", count),))
    if unit in _MONTHS:
        steps = tuple(_rolled(_later(first, count * _MONTHS[unit]), count, days))
        return _told(steps, rule, days, steps)
    steps = tuple(_count(_days(first, _DAY), count, days, [_dates(pause) for pause in pauses], unit == "wd"))
    return _told(steps, rule, days, steps if unit == "wd" else [step for step in steps if step.count == count])


def _told(steps: Sequence[Step], rule: str, days: Workdays, asked: Iterable[Step]) -> Due:
    """The end of the last day; ``asked`` are the steps for which it mattered whether offices work."""
    end = dt.datetime.combine(steps[-1].day, dt.time(23, 59, 59), SHANGHAI)
    years = {step.day.year for step in asked}
    return Due(end, rule, days.used(years), not all(map(days.known, years)), tuple(steps))


def _dates(pause: Span) -> tuple[dt.date, dt.date]:
    since, until = (moment.astimezone(SHANGHAI).date() for moment in pause)
    return since, until


def _days(day: dt.date, step: dt.timedelta) -> Iterator[dt.date]:
    while True:
        day += step
        yield day


def _count(ahead: Iterator[dt.date], count: int, days: Workdays, pauses: Sequence[tuple[dt.date, dt.date]], working: bool) -> Iterator[Step]:
    """Each day until so many are counted and the last of them is worked and not paused."""
    over = 0
    for day in ahead:
        paused = any(since < day <= until for since, until in pauses)
        works, full = days.works(day), over == count
        counts = not full and not paused and (works or not working)
        over += counts
        yield Step(day, "moved" if full else "paused" if paused else "counted" if counts else "off", days.why(day), over)
        if over == count and works and not any(since <= day <= until and since < until for since, until in pauses):
            return


def _rolled(day: dt.date, count: int, days: Workdays) -> Iterator[Step]:
    yield Step(day, "ends", days.why(day), count)
    while not days.works(day):
        day += _DAY
        yield Step(day, "moved", days.why(day), count)


def _later(day: dt.date, months: int) -> dt.date:
    """The same day so many months later, or the last of a month that has no such day (民法典 §202)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
