"""Working days and due times. A term is counted from the calendar that the city keeps, never from weekends alone.

Rules: ``20wd`` working days, ``15d`` calendar days, ``24h`` hours. The day of the event is not counted; a term in days ends with the end
of its last day, and when that is a day off, with the end of the first working day after it (民法典 §201, §203). Years without
a calendar count plain weekdays; what rests on them is provisional and says so.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from node.directory.entries import Calendar
from node.errors import Invalid

SHANGHAI = dt.timezone(dt.timedelta(hours=8), "Asia/Shanghai")
_RULE = re.compile(r"(\d{1,4})(wd|d|h)")
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Due:
    """When a term ends, and how it was counted."""

    at: dt.datetime
    rule: str
    calendar: str
    "Versions of the years that were counted, such as ``2026.1+2027.0``; version 0 is a year nobody has published."
    provisional: bool
    steps: tuple[tuple[dt.date, str], ...]
    "Each day passed and why it counts or not: counted, off, moved."


class Workdays:
    """Which days are worked, by the calendars of the years."""

    def __init__(self, calendars: Iterable[Calendar]) -> None:
        self.years = {c.year: c for c in calendars}
        self._off = {day for c in self.years.values() for day in c.off}
        self._worked = {day for c in self.years.values() for day in c.worked}

    def works(self, day: dt.date) -> bool:
        """Whether offices work on a day."""
        return day in self._worked or (day not in self._off and day.weekday() < 5)

    def known(self, year: int) -> bool:
        """Whether the year's calendar has been published."""
        return year in self.years

    def after(self, day: dt.date) -> Iterator[dt.date]:
        """The days after a day."""
        while True:
            day += _DAY
            yield day


def due(start: dt.datetime, rule: str, days: Workdays) -> Due:
    """The end of a term that begins with an event at ``start``; :class:`Invalid` for a rule that is none."""
    found = _RULE.fullmatch(rule)
    if not found or not int(found[1]):
        raise Invalid(f"not a rule for a term: {rule[:40]!r}", hint="20wd, 15d or 24h")
    count, unit = int(found[1]), found[2]
    if unit == "h":
        end = start + dt.timedelta(hours=count)
        return _due(end, rule, days, start, ())
    first = start.astimezone(SHANGHAI).date()
    steps = list(_working(first, count, days) if unit == "wd" else _plain(first, count, days))
    end = dt.datetime.combine(steps[-1][0], dt.time(23, 59, 59), SHANGHAI)
    return _due(end, rule, days, start, tuple(steps))


def _working(first: dt.date, count: int, days: Workdays) -> Iterator[tuple[dt.date, str]]:
    for day in days.after(first):
        works = days.works(day)
        yield day, "counted" if works else "off"
        count -= works
        if not count:
            return


def _plain(first: dt.date, count: int, days: Workdays) -> Iterator[tuple[dt.date, str]]:
    for day in days.after(first):
        if count > 0:
            count -= 1
            yield day, "counted"
            if not count and days.works(day):
                return
        else:
            yield day, "moved"
            if days.works(day):
                return


def _due(end: dt.datetime, rule: str, days: Workdays, start: dt.datetime, steps: tuple[tuple[dt.date, str], ...]) -> Due:
    years = range(start.astimezone(SHANGHAI).year, end.astimezone(SHANGHAI).year + 1)
    versions = "+".join(f"{year}.{days.years[year].version if days.known(year) else 0}" for year in years)
    provisional = not rule.endswith("h") and not all(days.known(year) for year in years)
    return Due(end, rule, versions, provisional, steps)
