"""Terms and clocks: the working calendar, the rule table, what stops and lengthens a term, and what another law would change."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections import Counter

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from node.directory.entries import Calendar, Ruled
from node.errors import Conflict, Invalid, Missing, NodeError, Refused
from office.documents import terms
from office.documents.model import Incoming
from office.frame import calendar, clocks
from office.frame.calendar import SHANGHAI, Workdays
from office.frame.clocks import Clock, Event, Rules, State
from office.frame.words import speaking

LAW = clocks.rules()
DAYS = Workdays.published()
ONE = dt.timedelta(days=1)

OFF_2026 = """
1: 1 2 3 10 11 17 18 24 25 31
2: 1 7 8 15 16 17 18 19 20 21 22 23
3: 1 7 8 14 15 21 22 28 29
4: 4 5 6 11 12 18 19 25 26
5: 1 2 3 4 5 10 16 17 23 24 30 31
6: 6 7 13 14 19 20 21 27 28
7: 4 5 11 12 18 19 25 26
8: 1 2 8 9 15 16 22 23 29 30
9: 5 6 12 13 19 25 26 27
10: 1 2 3 4 5 6 7 11 17 18 24 25 31
11: 1 7 8 14 15 21 22 28 29
12: 5 6 12 13 19 20 26 27
"""
"Every day of 2026 on which offices are closed, copied from a wall calendar."


def wall() -> list[dt.date]:
    """The days on which offices work in 2026, in order, from the wall calendar alone."""
    closed = set()
    for line in OFF_2026.split("\n"):
        month, _colon, found = line.partition(":")
        closed |= {dt.date(2026, int(month), int(day)) for day in found.split()}
    return [day for day in (dt.date(2026, 1, 1) + n * ONE for n in range(365)) if day not in closed]


OPEN = wall()


def oracle(day: dt.date, rule: str, pause: tuple[dt.date, dt.date] | None = None) -> dt.date:
    """The last day of a term in 2026 by position in the list of working days; nothing is enumerated or asked of the program."""
    number, unit = int(rule.rstrip("wd")), rule.lstrip("0123456789")
    since, until = pause or (day, day)
    if unit == "wd":
        end = _place(day, number)
        if pause and since <= end and since < until:
            spent = bisect_right(OPEN, since) - bisect_right(OPEN, day)
            end = _place(until, max(number - spent, 1))
        return end
    end = OPEN[bisect_left(OPEN, day + number * ONE)]
    if pause and since < until and since <= end:
        spent = (since - day).days
        last = until + max(number - spent, 0) * ONE
        return OPEN[bisect_right(OPEN, until)] if last <= until else OPEN[bisect_left(OPEN, last)]
    return end


def _place(day: dt.date, number: int) -> dt.date:
    return OPEN[bisect_right(OPEN, day) + number - 1]


def at(text: str) -> dt.datetime:
    """A moment in Asia/Shanghai: ``2026-03-02``, at nine, or with a time of its own."""
    return dt.datetime.fromisoformat(text if "T" in text else text + "T09:00").replace(tzinfo=SHANGHAI)


def event(text: str) -> Event:
    """An event at a moment."""
    return Event(at=at(text))


def clock(rule: str, start: str, days: Workdays = DAYS) -> Clock:
    """A clock that an event set going."""
    return clocks.begin("matter", rule, event(start), days, law=LAW)


def ends(found: Clock, days: Workdays = DAYS, law: Rules = LAW) -> str:
    """When a clock ends: the day, or the minute where it is no end of a day."""
    end = clocks.due(found, days, law=law)
    assert end is not None
    return f"{end.at:%Y-%m-%d}" if f"{end.at:%H%M%S}" == "235959" else f"{end.at:%Y-%m-%dT%H:%M}"


# the calendar


@pytest.mark.row("C3")
def test_every_day_of_2026_is_worked_or_not_as_on_the_wall() -> None:
    """365 of 365 days agree with a wall calendar, swapped weekends and all."""
    year = [dt.date(2026, 1, 1) + n * ONE for n in range(365)]
    assert [day for day in year if DAYS.works(day) != (day in OPEN)] == []
    assert len(OPEN) == 248


@pytest.mark.row("C3")
@pytest.mark.parametrize(("year", "worked"), [(2024, 251), (2025, 248), (2026, 248)])
def test_published_years_have_as_many_working_days_as_the_notices_say(year: int, worked: int) -> None:
    """The notices that the program brings along are complete: the sum of a year's working days is right."""
    assert DAYS.known(year)
    assert sum(DAYS.works(dt.date(year, 1, 1) + n * ONE) for n in range(365 + (year == 2024))) == worked


@pytest.mark.row("C3")
@pytest.mark.promise("P15")
@pytest.mark.parametrize("rule", ["1wd", "5wd", "15wd", "20wd", "7d", "15d", "30d", "60d"])
def test_terms_from_every_day_of_the_year_end_where_a_list_says(rule: str) -> None:
    """Whatever the day and the minute of the event: the program's day by day count and a look into a list agree."""
    checked = 0
    for start in (dt.date(2026, 1, 1) + n * ONE for n in range(290)):
        for time in (dt.time(0, 0), dt.time(12, 30), dt.time(23, 59, 59)):
            found = calendar.due(dt.datetime.combine(start, time, SHANGHAI), rule, DAYS)
            assert found.at == dt.datetime.combine(oracle(start, rule), dt.time(23, 59, 59), SHANGHAI), start
            assert (found.calendar, found.provisional, found.missing) == ("2026.1", False, ())
            checked += 1
    assert checked == 870


KNOWN = [
    ("2026-02-13", "1wd", "2026-02-14"),  # a Saturday that is worked
    ("2026-02-14", "1wd", "2026-02-24"),  # over the nine days of the Spring Festival
    ("2026-01-02", "1wd", "2026-01-04"),  # a Sunday that is worked
    ("2026-09-24T23:59", "20wd", "2026-10-29"),
    ("2026-09-30", "1wd", "2026-10-08"),
    ("2026-09-30", "3wd", "2026-10-10"),
    ("2026-04-03", "1d", "2026-04-07"),  # the last day is 清明
    ("2026-09-10", "15d", "2026-09-28"),  # the last day is 中秋
    ("2026-09-16", "15d", "2026-10-08"),  # the last day is 国庆
    ("2026-09-05", "15d", "2026-09-20"),  # the last day is a Sunday that is worked
    ("2026-12-24", "7d", "2026-12-31"),
    ("2026-02-12T08:30", "24h", "2026-02-13T08:30"),
    ("2026-02-15T23:59", "24h", "2026-02-16T23:59"),  # hours run through holidays
    ("2026-06-18T16:00", "30min", "2026-06-18T16:30"),
    ("2026-01-31", "1mo", "2026-02-28"),  # no 31 February, and that Saturday is worked
    ("2026-03-25", "6mo", "2026-09-28"),  # ends in 中秋
    ("2026-02-28", "3mo", "2026-05-28"),
    ("2025-05-04", "10y", "2035-05-04"),
    ("2026-05-05", "06-30", "2027-06-30"),
    ("2026-12-31", "01-31", "2027-01-31"),  # a Sunday: a named date does not move
]


@pytest.mark.row("C3")
@pytest.mark.promise("P15")
@pytest.mark.parametrize(("start", "rule", "end"), KNOWN, ids=[f"{start} {rule}" for start, rule, _ in KNOWN])
def test_known_terms(start: str, rule: str, end: str) -> None:
    """Cases worked out by hand, one for each thing that goes wrong."""
    found = calendar.due(at(start), rule, DAYS).at
    assert end in (f"{found:%Y-%m-%d}", f"{found:%Y-%m-%dT%H:%M}")


@pytest.mark.promise("P15")
def test_the_day_is_the_day_in_shanghai() -> None:
    """A term is the same whatever offset the start was written with, and midnight is Shanghai's."""
    late, early = "2026-03-02T15:59:59+00:00", "2026-03-02T16:00:00+00:00"
    assert calendar.due(dt.datetime.fromisoformat(late), "1wd", DAYS).at.date() == dt.date(2026, 3, 3)
    assert calendar.due(dt.datetime.fromisoformat(early), "1wd", DAYS).at.date() == dt.date(2026, 3, 4)
    same = [dt.datetime.fromisoformat(late).astimezone(dt.timezone(dt.timedelta(hours=h))) for h in (-11, 0, 8, 14)]
    assert len({calendar.due(start, "20wd", DAYS) for start in same}) == 1


@pytest.mark.row("M7")
@pytest.mark.parametrize(("start", "rule"), [("2026-02-10", "5wd"), ("2026-09-16", "15d"), ("2026-12-25", "10wd")])
def test_the_steps_alone_are_enough_to_count_again(start: str, rule: str) -> None:
    """Each day from the event to the end is told once, in order, with why it counts; the counted ones are the term."""
    found = calendar.due(at(start), rule, DAYS)
    days = [step.day for step in found.steps]
    assert days == [at(start).date() + n * ONE for n in range(1, len(days) + 1)]
    assert days[-1] == found.at.date()
    assert sum(step.what == "counted" for step in found.steps) == calendar.term(rule)[0] == found.steps[-1].count
    if rule.endswith("wd"):
        assert {step.why for step in found.steps if step.what == "counted"} <= {"weekday", "swapped"}
        assert {step.why for step in found.steps if step.what == "off"} <= {"weekend", "holiday", "statutory"}
    assert found.steps[-1].why in ("weekday", "swapped")


@pytest.mark.row("M7")
@pytest.mark.parametrize(("start", "rule"), [("2026-02-10", "5wd"), ("2026-09-16", "15d"), ("2026-08-03", "20wd")])
def test_a_third_party_counts_again_from_what_is_printed(start: str, rule: str) -> None:
    """The JSON of an end holds the calendar too: a count from nothing else comes to the same day."""
    told = msgspec.json.decode(msgspec.json.encode(clocks.plain(calendar.due(at(start), rule, DAYS), DAYS)))
    off = {day for year in told["calendars"] for day in year["off"]}
    worked = {day for year in told["calendars"] for day in year["worked"]}
    day, left = at(start).date(), int(told["rule"].rstrip("wd"))
    while left or not ((day.isoformat() in worked) or (day.weekday() < 5 and day.isoformat() not in off)):
        day += ONE
        works = day.isoformat() in worked or (day.weekday() < 5 and day.isoformat() not in off)
        left = max(0, left - (works or "w" not in told["rule"]))
    assert told["due"].startswith(day.isoformat())


@pytest.mark.row("C3")
def test_a_year_nobody_has_signed_is_provisional_and_named() -> None:
    """Over New Year: weekends and holidays by law are counted, the answer is marked and says which year is missing."""
    found = calendar.due(at("2026-12-31"), "1wd", DAYS)
    assert (f"{found.at:%Y-%m-%d}", found.provisional, found.missing, found.calendar) == ("2027-01-04", True, (2027,), "2027.0")
    assert [step.why for step in found.steps] == ["statutory", "weekend", "weekend", "weekday"]
    spring = calendar.due(at("2027-02-04"), "1wd", DAYS)
    assert f"{spring.at:%Y-%m-%d}" == "2027-02-09", "from its eve to the third day, by law"


def test_what_does_not_ask_the_calendar_is_never_provisional() -> None:
    """Hours, and dates that the law names, need no notice."""
    assert not calendar.due(at("2030-12-31"), "24h", DAYS).provisional
    assert not calendar.due(at("2030-12-31"), "01-31", DAYS).provisional
    assert calendar.due(at("2026-12-20"), "20d", DAYS).provisional


def test_a_node_counts_published_days_that_its_city_has_not_signed_as_provisional() -> None:
    """The day is right and the answer says that nobody here has signed for it."""
    found = calendar.due(at("2026-02-14"), "1wd", Workdays([]))
    assert (f"{found.at:%Y-%m-%d}", found.provisional, found.calendar) == ("2026-02-24", True, "2026.0")


def test_a_version_is_chosen_by_name() -> None:
    """An older calendar can be asked for; one that nobody keeps is refused, naming what there is."""
    second = Workdays([_notice(2026, version=2, off=("2026-03-03",))])
    assert calendar.due(at("2026-03-02"), "1wd", second).at.date() == dt.date(2026, 3, 4)
    assert calendar.due(at("2026-03-02"), "1wd", second.at("2026.1")).at.date() == dt.date(2026, 3, 3)
    assert calendar.due(at("2026-03-02"), "1wd", second.at("2026.2+2027.0")).calendar == "2026.2"
    with pytest.raises(Missing, match=r"2026\.1 or 2026\.2"):
        second.at("2026.3")
    with pytest.raises(Missing, match="2031"):
        second.at("2031.1")
    for wrong in ("2026", "2026.1+", "x", "2026.1 ", "二〇二六.1"):
        with pytest.raises(Invalid):
            second.at(wrong)


def test_terms_beyond_the_calendar_are_refused() -> None:
    """No start and no length ends in a crash."""
    for start, rule in (("9999-12-30", "5wd"), ("9990-01-01", "99y"), ("9999-12-31T23:59", "24h"), ("9999-01-01", "06-30"), ("2026-01-01", "02-30")):
        with pytest.raises(Invalid):
            calendar.due(at(start), rule, DAYS)
    with pytest.raises(Invalid):
        calendar.due(dt.datetime(1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=14))), "1wd", DAYS)
    with pytest.raises(Invalid):
        calendar.before(at("0001-01-03"), "7wd", DAYS)
    with pytest.raises(Invalid):
        calendar.before(at("2026-01-03"), "7h", DAYS)


def _notice(year: int, *, version: int = 1, off: tuple[str, ...] = (), worked: tuple[str, ...] = ()) -> Calendar:
    """A year's calendar: that of the program when it has one, with more days off and worked."""
    held = DAYS.years.get(year)
    more, swapped = (tuple(map(dt.date.fromisoformat, days)) for days in (off, worked))
    return Calendar(year, (*(held.off if held else ()), *more), (*(held.worked if held else ()), *swapped), "通知", version)


# properties

starts = st.integers(0, 272 * 86_400 - 1).map(lambda seconds: at("2026-01-01T00:00") + dt.timedelta(seconds=seconds))
counts = st.integers(1, 55)
units = st.sampled_from(["wd", "d"])


@given(starts, counts, units)
def test_a_term_ends_on_a_working_day_after_the_event(start: dt.datetime, count: int, unit: str) -> None:
    """Never on a day off, never on the day of the event, and exactly so many days later."""
    found = calendar.due(start, f"{count}{unit}", DAYS)
    end = found.at.date()
    assert end in OPEN
    assert end > start.date()
    if unit == "wd":
        assert bisect_right(OPEN, end) - bisect_right(OPEN, start.date()) == count
    else:
        nominal = start.date() + count * ONE
        assert all(day not in OPEN for day in (nominal + n * ONE for n in range((end - nominal).days)))


@given(starts, starts, counts, counts, units)
def test_later_events_and_longer_terms_never_end_earlier(one: dt.datetime, two: dt.datetime, short: int, long: int, unit: str) -> None:
    """The end moves with the start and with the length."""
    first, last = sorted((one, two))
    less, more = sorted((short, long))
    assert calendar.due(first, f"{less}{unit}", DAYS).at <= calendar.due(last, f"{more}{unit}", DAYS).at


@given(starts, st.integers(1, 30), units, st.integers(0, 40), st.integers(0, 20))
def test_a_pause_takes_its_days_out_and_no_others(start: dt.datetime, count: int, unit: str, wait: int, length: int) -> None:
    """Days after the beginning of a pause up to the day of its end are not counted; a list of days agrees."""
    since, until = start + wait * ONE, start + (wait + length) * ONE
    assume(until < at("2026-11-01") and since.date() <= calendar.due(start, f"{count}{unit}", DAYS).at.date())
    found = calendar.due(start, f"{count}{unit}", DAYS, pauses=[(since, until)])
    assert found.at.date() == oracle(start.date(), f"{count}{unit}", (since.date(), until.date()))
    assert not any(since.date() < step.day <= until.date() for step in found.steps if step.what == "counted")
    assert found.at >= calendar.due(start, f"{count}{unit}", DAYS).at


@given(starts, st.integers(1, 20), st.integers(1, 10))
def test_an_extension_is_counted_through(start: dt.datetime, count: int, more: int) -> None:
    """Twenty days and ten more are thirty days."""
    begun = Clock(matter="m", rule="permit.decide", start=Event(at=start))
    longer = clocks.extend(begun, f"{more}wd", Event(at=start + count * ONE / 2), DAYS, law=LAW, approver="organ_head", reason="案情复杂", told=True)
    end = clocks.due(longer, DAYS, law=LAW)
    assert end is not None
    assert end.at.date() == oracle(start.date(), f"{20 + more}wd")


# the rule table

CASES = [
    ("disclose.proactive", "2026-01-30", "2026-03-05"),
    ("disclose.proactive", "2026-04-24T23:59", "2026-05-26"),
    ("disclose.proactive", "2026-09-14", "2026-10-16"),
    ("disclose.correction_notice", "2026-02-04", "2026-02-13"),
    ("disclose.correction_notice", "2026-04-29T23:59", "2026-05-12"),
    ("disclose.correction_notice", "2026-09-19", "2026-09-29"),
    ("disclose.reply", "2026-02-09", "2026-03-13"),
    ("disclose.reply", "2026-05-04T23:59", "2026-06-01"),
    ("disclose.reply", "2026-09-24", "2026-10-29"),
    ("disclose.third_party", "2026-02-14", "2026-03-13"),
    ("disclose.third_party", "2026-04-22T23:59", "2026-05-15"),
    ("disclose.third_party", "2026-09-12", "2026-10-09"),
    ("disclose.third_party.co_author", "2026-02-02", "2026-02-28"),
    ("disclose.third_party.co_author", "2026-04-27T23:59", "2026-05-20"),
    ("disclose.third_party.co_author", "2026-09-17", "2026-10-14"),
    ("disclose.annual_report.department", "2025-06-01", "2026-01-31"),
    ("disclose.annual_report.department", "2026-12-31T23:59", "2027-01-31"),
    ("disclose.annual_report.department", "2027-01-01T00:00", "2028-01-31"),
    ("disclose.annual_report.government", "2025-06-01", "2026-03-31"),
    ("disclose.annual_report.government", "2026-12-31T23:59", "2027-03-31"),
    ("disclose.annual_report.government", "2027-01-01T00:00", "2028-03-31"),
    ("petition.forward", "2026-01-28", "2026-02-12"),
    ("petition.forward", "2026-06-16T00:00", "2026-07-01"),
    ("petition.forward", "2026-08-17T23:59", "2026-09-01"),
    ("petition.notify", "2026-02-02", "2026-02-24"),
    ("petition.notify", "2026-06-21T00:00", "2026-07-06"),
    ("petition.notify", "2026-08-05T23:59", "2026-08-20"),
    ("petition.objection", "2026-01-31", "2026-02-06"),
    ("petition.objection", "2026-04-25T23:59", "2026-05-06"),
    ("petition.objection", "2026-09-15", "2026-09-21"),
    ("petition.close", "2026-01-26", "2026-03-27"),
    ("petition.close", "2026-06-14T00:00", "2026-08-13"),
    ("petition.close", "2026-08-15T23:59", "2026-10-14"),
    ("petition.review.request", "2026-01-31", "2026-03-02"),
    ("petition.review.request", "2026-06-19T00:00", "2026-07-20"),
    ("petition.review.request", "2026-08-03T23:59", "2026-09-02"),
    ("petition.review", "2026-02-05", "2026-03-09"),
    ("petition.review", "2026-06-07T00:00", "2026-07-07"),
    ("petition.review", "2026-08-08T23:59", "2026-09-07"),
    ("petition.recheck.request", "2026-01-24", "2026-02-24"),
    ("petition.recheck.request", "2026-06-12T00:00", "2026-07-13"),
    ("petition.recheck.request", "2026-08-13T23:59", "2026-09-14"),
    ("petition.recheck", "2026-01-29", "2026-02-28"),
    ("petition.recheck", "2026-06-17T00:00", "2026-07-17"),
    ("petition.recheck", "2026-08-18T23:59", "2026-09-17"),
    ("permit.correction_notice", "2026-02-13", "2026-02-27"),
    ("permit.correction_notice", "2026-04-21T23:59", "2026-04-28"),
    ("permit.correction_notice", "2026-09-11", "2026-09-18"),
    ("permit.decide", "2026-02-01", "2026-03-05"),
    ("permit.decide", "2026-04-26T23:59", "2026-05-26"),
    ("permit.decide", "2026-09-16", "2026-10-20"),
    ("permit.joint", "2026-02-06", "2026-04-17"),
    ("permit.joint", "2026-05-01T23:59", "2026-07-07"),
    ("permit.joint", "2026-09-21", "2026-11-30"),
    ("permit.lower_review", "2026-02-11", "2026-03-17"),
    ("permit.lower_review", "2026-05-06T23:59", "2026-06-02"),
    ("permit.lower_review", "2026-09-09", "2026-10-13"),
    ("permit.deliver", "2026-01-30", "2026-02-13"),
    ("permit.deliver", "2026-04-24T23:59", "2026-05-12"),
    ("permit.deliver", "2026-09-14", "2026-09-28"),
    ("permit.hearing.ask", "2026-02-04", "2026-02-11"),
    ("permit.hearing.ask", "2026-04-29T23:59", "2026-05-09"),
    ("permit.hearing.ask", "2026-09-19", "2026-09-24"),
    ("permit.hearing.hold", "2026-02-09", "2026-03-13"),
    ("permit.hearing.hold", "2026-05-04T23:59", "2026-06-01"),
    ("permit.hearing.hold", "2026-09-24", "2026-10-29"),
    ("permit.hearing.notice", "2026-03-20", "2026-03-11"),
    ("permit.hearing.notice", "2026-10-12", "2026-09-24"),
    ("permit.hearing.notice", "2026-02-26T14:00", "2026-02-10"),
    ("supervise.review.ask", "2026-02-04", "2026-03-06"),
    ("supervise.review.ask", "2026-06-06T00:00", "2026-07-06"),
    ("supervise.review.ask", "2026-08-07T23:59", "2026-09-07"),
    ("supervise.review", "2026-01-23", "2026-02-24"),
    ("supervise.review", "2026-06-11T00:00", "2026-07-13"),
    ("supervise.review", "2026-08-12T23:59", "2026-09-11"),
    ("proposal.reply", "2026-03-15", "2026-06-15"),
    ("proposal.reply", "2026-02-05", "2026-05-06"),
    ("proposal.reply", "2026-06-26T23:59", "2026-09-28"),
    ("proposal.reply.hard", "2026-03-15", "2026-09-15"),
    ("proposal.reply.hard", "2026-03-26", "2026-09-28"),
    ("proposal.reply.hard", "2026-04-01", "2026-10-08"),
    ("accident.company", "2026-02-17T03:10", "2026-02-17T04:10"),
    ("accident.company", "2026-12-31T23:30", "2027-01-01T00:30"),
    ("accident.company", "2026-05-04T12:00", "2026-05-04T13:00"),
    ("accident.level", "2026-02-17T03:10", "2026-02-17T05:10"),
    ("accident.level", "2026-12-31T23:30", "2027-01-01T01:30"),
    ("accident.level", "2026-05-04T12:00", "2026-05-04T14:00"),
    ("accident.supplement", "2026-01-28", "2026-02-27"),
    ("accident.supplement", "2026-06-16T00:00", "2026-07-16"),
    ("accident.supplement", "2026-08-17T23:59", "2026-09-16"),
    ("accident.supplement.traffic_fire", "2026-02-02", "2026-02-09"),
    ("accident.supplement.traffic_fire", "2026-06-21T00:00", "2026-06-29"),
    ("accident.supplement.traffic_fire", "2026-08-05T23:59", "2026-08-12"),
    ("emergency.first.phone", "2026-02-17T03:10", "2026-02-17T03:40"),
    ("emergency.first.phone", "2026-12-31T23:45", "2027-01-01T00:15"),
    ("emergency.first.phone", "2026-05-04T12:00", "2026-05-04T12:30"),
    ("emergency.first.written", "2026-02-17T03:10", "2026-02-17T04:10"),
    ("emergency.order.confirm", "2026-02-17T03:10", "2026-02-17T03:15"),
    ("emergency.order.confirm", "2026-12-31T23:58", "2027-01-01T00:03"),
    ("emergency.order.confirm", "2026-05-04T12:00", "2026-05-04T12:05"),
    ("emergency.first.written", "2026-12-31T23:45", "2027-01-01T00:45"),
    ("emergency.first.written", "2026-05-04T12:00", "2026-05-04T13:00"),
    ("hotline.handle", "2026-01-31", "2026-02-06"),
    ("hotline.handle", "2026-04-25T23:59", "2026-05-06"),
    ("hotline.handle", "2026-09-15", "2026-09-21"),
    ("hotline.handle.consult", "2026-02-05", "2026-02-10"),
    ("hotline.handle.consult", "2026-04-30T23:59", "2026-05-08"),
    ("hotline.handle.consult", "2026-09-20", "2026-09-23"),
    ("legal_review", "2026-02-10", "2026-03-09"),
    ("legal_review", "2026-05-05T23:59", "2026-05-25"),
    ("legal_review", "2026-09-08", "2026-09-29"),
    ("doc.sign_in", "2026-02-15", "2026-02-24"),
    ("doc.sign_in", "2026-04-23T23:59", "2026-04-24"),
    ("doc.sign_in", "2026-09-13", "2026-09-14"),
    ("doc.sign_in.urgent", "2026-02-13T16:00", "2026-02-13T20:00"),
    ("doc.sign_in.urgent", "2026-10-03T22:00", "2026-10-04T02:00"),
    ("doc.sign_in.urgent", "2026-03-02T09:00", "2026-03-02T13:00"),
    ("doc.sign_in.flash", "2026-02-13T23:30", "2026-02-14T00:30"),
    ("doc.sign_in.flash", "2026-10-03T22:00", "2026-10-03T23:00"),
    ("doc.sign_in.flash", "2026-03-02T09:00", "2026-03-02T10:00"),
    ("archive.hand_in", "2025-01-01", "2026-06-30"),
    ("archive.hand_in", "2026-12-31T23:59", "2027-06-30"),
    ("archive.hand_in", "2027-07-01", "2028-06-30"),
    ("archive.transfer.city", "2006-03-02", "2026-03-02"),
    ("archive.transfer.city", "2006-10-01", "2026-10-08"),
    ("archive.transfer.city", "2026-02-28", "2046-02-28"),
    ("archive.transfer.county", "2016-03-02", "2026-03-02"),
    ("archive.transfer.county", "2016-02-29", "2026-02-28"),
    ("archive.transfer.county", "2016-02-15T23:59", "2026-02-24"),
]


@pytest.mark.row("C4")
@pytest.mark.promise("P15")
@pytest.mark.parametrize(("rule", "start", "end"), CASES, ids=[f"{rule} {start}" for rule, start, _ in CASES])
def test_every_rule_ends_when_the_law_says(rule: str, start: str, end: str) -> None:
    """Worked out apart from the program, for each rule of the table."""
    assert ends(clock(rule, start)) == end


ROWS = [
    "disclose.proactive",
    "disclose.correction_notice",
    "disclose.reply",
    "disclose.third_party",
    "disclose.annual_report",
    "petition.forward",
    "petition.notify",
    "petition.objection",
    "petition.close",
    "petition.review",
    "permit.correction_notice",
    "permit.decide",
    "permit.joint",
    "permit.lower_review",
    "permit.deliver",
    "permit.hearing",
    "supervise.review",
    "proposal.reply",
    "accident.company",
    "emergency.first",
    "emergency.order",
    "hotline.handle",
    "legal_review",
    "doc.sign_in",
    "archive.hand_in",
    "archive.transfer",
]


@pytest.mark.row("C4")
def test_every_row_of_the_table_has_three_cases() -> None:
    """No row is missing from the data, none is untested, and every variant has its cases too."""
    assert sorted({rule.row for rule in LAW.rules}) == sorted(ROWS)
    tested = Counter(rule for rule, _start, _end in CASES)
    assert {rule.id: tested[rule.id] for rule in LAW.rules if tested[rule.id] < 3} == {}


EXTENDS = {
    "disclose.reply": ("disclosure_head", "20wd", "§33"),
    "petition.close": ("unit_head", "30d", "§34"),
    "permit.decide": ("organ_head", "10wd", "§42"),
    "permit.joint": ("government_head", "15wd", "§42"),
    "hotline.handle": ("dispatcher", "5wd", "12345"),
    "hotline.handle.consult": ("dispatcher", "5wd", "12345"),
}
"Rule to who approves, how much at most (for the hotline any amount), and the article."
LICENCE = {"hearing", "bidding", "auction", "inspection", "testing", "quarantine", "appraisal", "expert_review"}
PAUSES = {
    "disclose.reply": {"third_party", "co_author"},
    "petition.recheck": {"hearing"},
    "permit.decide": LICENCE,
    "permit.joint": LICENCE,
    "permit.lower_review": LICENCE,
}
RESTARTS = {"disclose.reply": {"corrected"}}
CAUSES = sorted(LICENCE | {"third_party", "co_author", "corrected", "holiday", ""})
START, NEXT = "2026-03-02", "2026-03-02T09:20"
"Twenty minutes later even the shortest term still runs."
IDS = [rule.id for rule in LAW.rules]


@pytest.mark.row("C4")
@pytest.mark.parametrize("rule", IDS)
def test_only_what_the_law_lets_be_extended_is_extended(rule: str) -> None:
    """By the one whom it names, once, not longer than it says; anything else is refused and cites the article."""
    found, grant = clock(rule, START), event(NEXT)
    granted = {"approver": "", "reason": "案情复杂", "told": True}
    if rule not in EXTENDS:
        _refused("no_extension", lambda: clocks.extend(found, "1wd", grant, DAYS, law=LAW, **granted), LAW.rule(rule).basis)
        return
    granted["approver"], most, article = EXTENDS[rule]
    longer = clocks.extend(found, most, grant, DAYS, law=LAW, **granted)
    assert ends(longer) > ends(found)
    _refused("wrong_approver", lambda: clocks.extend(found, most, grant, DAYS, law=LAW, **granted | {"approver": "clerk"}), article)
    _refused("unit", lambda: clocks.extend(found, "1h", grant, DAYS, law=LAW, **granted), article)
    late = Event(at=dt.datetime.fromisoformat("2026-12-01T00:00:00+08:00"))
    _refused(
        "passed", lambda: clocks.extend(found, "1" + most.lstrip("0123456789"), late, DAYS, law=LAW, **granted), "§" if "§" in article else "12345"
    )
    if rule.startswith("hotline"):
        assert ends(clocks.extend(longer, most, grant, DAYS, law=LAW, **granted)) > ends(longer)
        return
    count, unit = calendar.term(most)
    _refused("too_long", lambda: clocks.extend(found, f"{count + 1}{unit}", grant, DAYS, law=LAW, **granted), article)
    _refused("extended", lambda: clocks.extend(longer, f"1{unit}", grant, DAYS, law=LAW, **granted), article)
    _refused("not_told", lambda: clocks.extend(found, most, grant, DAYS, law=LAW, **granted | {"told": False}), article)
    _refused("not_told", lambda: clocks.extend(found, most, grant, DAYS, law=LAW, **granted | {"reason": " "}), article)


@pytest.mark.row("C4")
@pytest.mark.parametrize("rule", IDS)
def test_only_what_the_law_leaves_out_stops_a_term(rule: str) -> None:
    """Each cause that the rule knows pauses it, told in writing where the law asks for that; every other is refused with the article."""
    found, since = clock(rule, START), event(NEXT)
    for cause in CAUSES:
        if cause not in PAUSES.get(rule, set()):
            _refused("no_pause", lambda c=cause: clocks.pause(found, c, since, DAYS, law=LAW, told=True), "（")
            continue
        stopped = clocks.pause(found, cause, since, DAYS, law=LAW, told=True)
        assert stopped.suspended and clocks.due(stopped, DAYS, law=LAW) is None
        assert clocks.state(stopped, DAYS, law=LAW, now=at("2027-06-01")) == State.SUSPENDED
        assert ends(clocks.resume(stopped, event("2026-04-01"))) > ends(found)
        if cause in LICENCE and rule.startswith("permit"):
            _refused("not_told", lambda c=cause: clocks.pause(found, c, since, DAYS, law=LAW), "§45")


@pytest.mark.row("C4")
@pytest.mark.parametrize("rule", IDS)
def test_only_what_the_law_begins_anew_is_begun_anew(rule: str) -> None:
    """A corrected application restarts the term of the answer; nothing else does."""
    found, later = clock(rule, START), event("2026-03-10")
    for cause in CAUSES:
        if cause not in RESTARTS.get(rule, set()):
            _refused("no_restart", lambda c=cause: clocks.restart(found, c, later, law=LAW), "（")
            continue
        assert ends(clocks.restart(found, cause, later, law=LAW)) == ends(clock(rule, "2026-03-10"))


def _refused(code: str, act: object, cites: str) -> None:
    with pytest.raises(Refused) as caught:
        act()  # type: ignore[operator]
    assert caught.value.code == code
    assert cites in str(caught.value)
    assert caught.value.about["basis"]


@pytest.mark.row("C4")
@pytest.mark.parametrize("rule", ["disclose.correction_notice", "permit.correction_notice"])
def test_what_may_be_asked_once_is_asked_once(rule: str) -> None:
    """The second request to correct one application is refused; another matter has its own."""
    first = clock(rule, START)
    with pytest.raises(Refused, match="§3"):
        clocks.begin("matter", rule, event("2026-03-05"), DAYS, law=LAW, earlier=[first])
    assert clocks.begin("other", rule, event("2026-03-05"), DAYS, law=LAW, earlier=[first]).matter == "other"
    twice = clocks.begin("matter", "petition.notify", event("2026-03-05"), DAYS, law=LAW, earlier=[clock("petition.notify", START)])
    assert twice.rule == "petition.notify"


def test_silence_has_the_meaning_that_the_law_gives_it() -> None:
    """A third party's silence leaves the decision to the organ, a co-author's is agreement, a late request to correct is acceptance."""
    said = {rule.id: rule.lapse.zh for rule in LAW.rules if rule.lapse is not None}
    assert said == {
        "disclose.third_party": "由行政机关决定是否公开",
        "disclose.third_party.co_author": "视为同意公开",
        "permit.correction_notice": "自收到材料之日起即为受理",
    }


def test_a_refusal_is_said_in_the_language_of_the_page() -> None:
    """The name of the rule and the sentence are both translated; the article is the law's own."""
    with speaking("en"), pytest.raises(Refused, match=r"^Deliver the licence: the term cannot be extended \(行政许可法§44"):
        clocks.extend(clock("permit.deliver", START), "1wd", event(NEXT), DAYS, law=LAW, approver="organ_head")


# pauses, extensions, restarts, worked out by hand


@pytest.mark.row("C4")
def test_consulting_a_third_party_takes_exactly_its_days() -> None:
    """Received on 2 March, letter on the 6th, answer on the 13th: five working days later than otherwise."""
    found = clock("disclose.reply", "2026-03-02")
    assert ends(found) == "2026-03-30"
    assert ends(_paused(found, "third_party", "2026-03-06", "2026-03-13")) == "2026-04-07"


@pytest.mark.row("C4")
def test_a_pause_that_ends_the_same_day_costs_nothing() -> None:
    """Asked and answered on one day: the term is what it was."""
    found = clock("disclose.reply", "2026-03-02")
    assert ends(_paused(found, "third_party", "2026-03-06T08:00", "2026-03-06T17:00")) == ends(found)


@pytest.mark.row("C4")
def test_a_term_does_not_end_while_it_is_paused() -> None:
    """Paused on its very last day, it ends with the first working day after the pause."""
    found = clock("disclose.reply", "2026-03-02")
    assert ends(_paused(found, "third_party", "2026-03-30T16:00", "2026-04-03")) == "2026-04-07"


@pytest.mark.row("C4")
def test_a_hearing_and_a_test_are_both_left_out() -> None:
    """Two pauses of one decision add up, each told in writing."""
    found = _paused(clock("permit.decide", "2026-03-02"), "hearing", "2026-03-04", "2026-03-06", told=True)
    assert ends(found) == "2026-04-01"
    assert ends(_paused(found, "testing", "2026-03-10", "2026-03-11", told=True)) == "2026-04-02"


@pytest.mark.row("C4")
def test_an_extended_term_that_was_paused_keeps_both() -> None:
    """Twenty days, ten more, and five that do not count."""
    found = _paused(clock("permit.decide", "2026-03-02"), "hearing", "2026-03-06", "2026-03-13", told=True)
    longer = clocks.extend(found, "10wd", event("2026-03-20"), DAYS, law=LAW, approver="organ_head", reason="疑难", told=True)
    assert ends(longer) == f"{oracle(dt.date(2026, 3, 2), '35wd')}"


@pytest.mark.row("C4")
def test_after_a_restart_earlier_pauses_and_extensions_no_longer_matter() -> None:
    """The corrected application begins the whole term again, and it may be extended again."""
    longer = clocks.extend(
        clock("disclose.reply", START), "20wd", event("2026-03-03"), DAYS, law=LAW, approver="disclosure_head", reason="量大", told=True
    )
    stopped = clocks.pause(longer, "third_party", event("2026-03-04"), DAYS, law=LAW)
    anew = clocks.restart(stopped, "corrected", event("2026-03-16"), law=LAW)
    assert not anew.suspended
    assert ends(anew) == ends(clock("disclose.reply", "2026-03-16"))
    clocks.extend(anew, "20wd", event("2026-03-17"), DAYS, law=LAW, approver="disclosure_head", reason="量大", told=True)


def test_acts_out_of_their_order_are_refused() -> None:
    """Nothing resumes that is not paused, nothing is paused twice or after it is done, and time does not run backwards."""
    found = clock("disclose.reply", START)
    stopped = clocks.pause(found, "third_party", event("2026-03-06"), DAYS, law=LAW)
    done = clocks.meet(found, event("2026-03-05"))
    with pytest.raises(Conflict):
        clocks.resume(found, event("2026-03-06"))
    with pytest.raises(Conflict):
        clocks.pause(stopped, "third_party", event("2026-03-07"), DAYS, law=LAW)
    with pytest.raises(Conflict):
        clocks.pause(done, "third_party", event("2026-03-07"), DAYS, law=LAW)
    with pytest.raises(Conflict):
        clocks.restart(done, "corrected", event("2026-03-07"), law=LAW)
    with pytest.raises(Invalid):
        clocks.resume(stopped, event("2026-03-05"))
    with pytest.raises(Invalid):
        clocks.pause(found, "third_party", event("2026-03-01"), DAYS, law=LAW)
    with pytest.raises(Invalid):
        clocks.pause(_paused(found, "third_party", "2026-03-06", "2026-03-13"), "co_author", event("2026-03-10"), DAYS, law=LAW)
    with pytest.raises(Invalid):
        clocks.restart(found, "corrected", event("2026-03-01"), law=LAW)
    assert clocks.meet(done, event("2026-03-09")) == done, "the first time counts"


def _paused(found: Clock, cause: str, since: str, until: str, *, told: bool = False) -> Clock:
    """A clock that was paused and runs again."""
    return clocks.resume(clocks.pause(found, cause, event(since), DAYS, law=LAW, told=told), event(until))


@pytest.mark.promise("P15")
def test_a_clock_is_open_then_near_then_passed_and_met_stays_met() -> None:
    """To the second: an end is passed only after it; what is done late is done, and late."""
    found = clock("disclose.reply", "2026-03-02")
    stands = [
        clocks.state(found, DAYS, law=LAW, now=at(now))
        for now in ("2026-03-02T09:00", "2026-03-23T12:00", "2026-03-24T12:00", "2026-03-30T23:59:59", "2026-03-31T00:00")
    ]
    assert stands == [State.OPEN, State.OPEN, State.NEAR, State.NEAR, State.PASSED]
    for done, late in (("2026-03-30T23:59:59", False), ("2026-03-31T00:00", True)):
        met = clocks.meet(found, event(done))
        assert (clocks.state(met, DAYS, law=LAW, now=at("2026-06-01")), clocks.late(met, DAYS, law=LAW)) == (State.MET, late)


@pytest.mark.promise("P15")
def test_an_outage_neither_stops_nor_lengthens_a_term() -> None:
    """A clock is a value: asked for the first time months later it ends when it always did, and has passed."""
    found = msgspec.json.decode(msgspec.json.encode(clock("petition.notify", "2026-03-02T23:59")), type=Clock)
    assert ends(found) == "2026-03-17"
    assert clocks.state(found, DAYS, law=LAW, now=at("2026-09-01")) == State.PASSED


def test_a_clock_keeps_what_it_needs_and_no_due_date() -> None:
    """Stored and read back it is the same, with rule, versions and history; the end is always worked out."""
    found = _paused(clock("disclose.reply", START), "third_party", "2026-03-06", "2026-03-13")
    stored = msgspec.json.encode(found)
    assert msgspec.json.decode(stored, type=Clock) == found
    assert (found.calendar, found.law) == ("2026.1", LAW.version)
    assert b"due" not in stored


# law as data


def changed(which: str, /, **values: object) -> Rules:
    """The law with one rule changed, read as any table is."""
    table = msgspec.to_builtins(LAW)
    table["version"] = LAW.version + 1
    for rule in table["rules"]:
        if rule["id"] == which:
            rule.update(values)
    return clocks.read(msgspec.json.encode(table))


RUNNING = [clock(rule, "2026-03-02") for rule in IDS]


@pytest.mark.row("M9")
def test_the_same_law_changes_nothing() -> None:
    """Without a difference there is no report."""
    assert clocks.what_if(RUNNING, (LAW, DAYS), (changed(""), DAYS), now=at("2026-03-03")) == []


@pytest.mark.row("M9")
def test_one_changed_rule_changes_its_own_clocks_only_and_going_back_is_the_reverse() -> None:
    """Before and after of each clock that would change, and exactly the reverse on the way back."""
    new = changed("petition.notify", limit="10d")
    there = clocks.what_if(RUNNING, (LAW, DAYS), (new, DAYS), now=at("2026-03-15"))
    assert [(one.rule, f"{one.before.at:%m-%d}", f"{one.after.at:%m-%d}", one.state) for one in there if one.before and one.after] == [
        ("petition.notify", "03-17", "03-12", (State.NEAR, State.PASSED))
    ]
    back = clocks.what_if(RUNNING, (new, DAYS), (LAW, DAYS), now=at("2026-03-15"))
    assert [(one.before, one.after, one.state) for one in back] == [(one.after, one.before, one.state[::-1]) for one in there]


@pytest.mark.row("M9")
def test_what_another_law_cannot_count_is_told_and_not_guessed() -> None:
    """A rule that is gone, and an extension granted in a unit that the new limit does not have."""
    longer = clocks.extend(clock("permit.decide", START), "10wd", event(NEXT), DAYS, law=LAW, approver="organ_head", reason="疑难", told=True)
    other = changed("permit.decide", limit="30d", extension=None, pauses=[])
    (found,) = clocks.what_if([longer], (LAW, DAYS), (other, DAYS), now=at("2026-03-10"))
    assert found.before is not None and (found.after, found.state[1]) == (None, None)
    less = Rules(version=9, rules=tuple(rule for rule in LAW.rules if rule.id != "permit.decide"))
    (found,) = clocks.what_if([longer, clocks.meet(longer, event(NEXT))], (LAW, DAYS), (less, DAYS), now=at("2026-03-10"))
    assert found.state == (State.OPEN, None)


@pytest.mark.row("M9")
@pytest.mark.promise("P15")
def test_a_calendar_changed_half_way_moves_the_clocks_that_run_over_it() -> None:
    """The city makes 20 March a day off: terms in working days over it are a day longer, others stay, and the versions say why."""
    later = Workdays([*DAYS.years.values(), _notice(2026, version=2, off=("2026-03-20",))])
    found = clocks.what_if(RUNNING, (LAW, DAYS), (LAW, later), now=at("2026-03-16"))
    moved = {one.rule: (one.before, one.after) for one in found}
    assert "permit.decide" in moved and "petition.objection" not in moved and "doc.sign_in" not in moved and "petition.close" not in moved
    for before, after in moved.values():
        assert before is not None and after is not None
        assert (before.calendar, after.calendar) == ("2026.1", "2026.2")
        assert bisect_left(OPEN, after.at.date()) == bisect_left(OPEN, before.at.date()) + 1


@pytest.mark.row("C3")
@pytest.mark.row("M9")
def test_the_year_changes() -> None:
    """December's clocks end provisionally in January; when the notice comes they are settled, and those it moves are reported."""
    december = [clock(rule, "2026-12-21") for rule in ("disclose.reply", "petition.notify", "permit.deliver", "petition.objection")]
    ends_now = {one.rule: clocks.due(one, DAYS, law=LAW) for one in december}
    assert [end.provisional for end in ends_now.values() if end] == [True, True, True, False]
    assert december[0].calendar == "2026.1+2027.0"
    notice = _notice(2027, off=("2027-01-01", "2027-01-02", "2027-01-03", "2027-01-04"), worked=("2027-01-09",))
    settled = Workdays([*DAYS.years.values(), notice])
    found = clocks.what_if(december, (LAW, DAYS), (LAW, settled), now=at("2026-12-22"))
    assert [one.rule for one in found] == ["disclose.reply", "petition.notify", "permit.deliver"]
    assert all(one.after is not None and not one.after.provisional and one.after.calendar.endswith("2027.1") for one in found)
    ends_then = [f"{one.after.at:%m-%d}" for one in found if one.after]
    assert ends_then == ["01-19", "01-05", "01-06"]


@pytest.mark.row("M9")
def test_thousands_of_clocks_are_compared_in_seconds() -> None:
    """A report over as many running matters as a county has takes a moment, not an evening."""
    import time

    many = [Clock(matter=str(n), rule=IDS[n % len(IDS)], start=Event(at=at("2026-03-02") + (n % 100) * ONE)) for n in range(2000)]
    begun = time.process_time()
    found = clocks.what_if(many, (LAW, DAYS), (changed("permit.joint", limit="40wd"), DAYS), now=at("2026-06-01"))
    assert {one.rule for one in found} == {"permit.joint"}
    assert time.process_time() - begun < 10


WRONG = [
    b"",
    b"{}",
    b'{"version": 1}',
    b'{"version": 1, "rules": [{"id": "x"}]}',
]


@pytest.mark.parametrize("data", WRONG)
def test_what_is_no_table_is_refused(data: bytes) -> None:
    """Broken JSON and missing fields are told, not guessed."""
    with pytest.raises(Invalid):
        clocks.read(data)


@pytest.mark.parametrize(
    "values",
    [
        {"limit": "soon"},
        {"limit": "0wd"},
        {"limit": "24h"},
        {"limit": "06-30"},
        {"limit": "60d"},
        {"id": "permit.joint"},
        {"colour": "red"},
        {"pauses": [{"cause": "x"}]},
    ],
)
def test_a_table_that_contradicts_itself_is_refused(values: dict[str, object]) -> None:
    """Limits that are no terms, extensions in other units, two rules of one id, unknown fields."""
    with pytest.raises(Invalid):
        changed("permit.decide", **values)


def test_every_rule_is_told_in_both_languages_with_its_article() -> None:
    """No rule without a name, an event, a basis and how sure we are of it."""
    for rule in LAW.rules:
        assert all((rule.name.zh, rule.name.en, rule.starts.zh, rule.starts.en, rule.basis)), rule.id
        assert rule.source in ("L", "P", "TV")
    with pytest.raises(Missing, match=r"permit\.hearing\.ask"):
        LAW.rule("permit.hearing")


def test_signing_for_documents_has_one_rule() -> None:
    """Whatever the urgency of a document, the clock of signing for it is one of the table's rules of that row."""
    for urgency, rule in (("flash", "doc.sign_in.flash"), ("urgent", "doc.sign_in.urgent"), ("none", "doc.sign_in")):
        clock = terms.sign_in(Incoming(doc="d", urgency=urgency, sent_at=1_770_000_000_000, signed_at=0))
        assert (clock.rule, LAW.rule(clock.rule).row) == (rule, "doc.sign_in")
        assert clocks.due(clock, DAYS, law=LAW) is not None


@given(st.text(max_size=12))
def test_no_text_makes_a_term_crash(text: str) -> None:
    """Whatever is given as a rule is counted or refused."""
    try:
        calendar.due(at("2026-03-02"), text, DAYS)
    except NodeError as e:
        assert isinstance(e, Invalid)


@pytest.mark.row("M9")
def test_what_the_city_says_of_a_rule_holds_from_its_day_or_for_all() -> None:
    """By the version that holds for a term's beginning; whoever knows the versions counts the same years later."""
    says = (
        Ruled("disclose.reply", "15wd", "条例修正案§1", dt.date(2026, 7, 1), False, 1),
        Ruled("disclose.reply", "10wd", "条例修正案§2", dt.date(2026, 9, 1), False, 2),
        Ruled("permit.decide", "15wd", "许可法修正案", dt.date(2026, 9, 1), True, 1),
        Ruled("no.such_rule", "15wd", "无", dt.date(2026, 1, 1), True, 1),
        Ruled("petition.close", "60h", "另一种单位", dt.date(2026, 1, 1), True, 1),
    )
    law = clocks.law(says)
    found = [law.rule("disclose.reply", at(day)).limit for day in ("2026-06-30T10:00", "2026-07-01T00:00", "2026-08-31T23:59", "2026-09-01T00:00")]
    assert found == ["20wd", "15wd", "15wd", "10wd"]
    assert [law.told("disclose.reply", at(day)) for day in ("2026-06-30T10:00", "2026-09-01T00:00")] == ["1", "1+disclose.reply.2"]
    assert law.rule("permit.decide", at("2026-01-05T10:00")).limit == "15wd" != clocks.rules().rule("permit.decide").limit
    assert {one.id for one in law.signed} == {"disclose.reply", "permit.decide"}
    old, new = clock("disclose.reply", "2026-06-30T10:00"), clock("disclose.reply", "2026-09-01T10:00")
    assert clocks.due(old, DAYS, law=law) == clocks.due(old, DAYS, law=LAW) and ends(new, law=law) < ends(new)


def test_former_versions_of_a_calendar_are_counted_by() -> None:
    """A term is counted by the version that it names, also when the city has signed another since."""
    first, second = _notice(2026, version=1, off=("2026-03-09",)), _notice(2026, version=2)
    days = Workdays([first, second])
    assert days.years[2026] == second and days.at("2026.1").years[2026] == first
