"""The frame without a web: move tables, working days, to whom an entry goes."""

from __future__ import annotations

import datetime as dt

import pytest

from node.directory.entries import Calendar
from node.errors import Conflict, Invalid, Missing, Refused
from office.frame.calendar import SHANGHAI, Workdays, due
from office.frame.flow import Flow, Move
from office.frame.todo import Column, Todo
from office.portal.page import Request, page, plain, routes

FLOW = Flow(
    Move("submit", ("draft", "returned"), "review", by="drafter"),
    Move("return", "review", "returned", by=("reviewer", "signer")),
    Move("return", "sign", "returned", by="signer"),
    Move("note", ("draft", "review"), None),
)


def days(*dates: str) -> tuple[dt.date, ...]:
    """Days from text."""
    return tuple(dt.date.fromisoformat("2026-" + d) for d in dates)


YEAR = Workdays(
    [
        Calendar(
            2026,
            off=days(
                "01-01", "01-02", "01-03", *(f"02-{d}" for d in range(15, 24)), "04-04", "04-05", "04-06",
                *(f"05-0{d}" for d in range(1, 6)), "06-19", "06-20", "06-21", "09-25", "09-26", "09-27", *(f"10-0{d}" for d in range(1, 8)),
            ),
            worked=days("01-04", "02-14", "02-28", "05-09", "09-20", "10-10"),
            basis="国办发明电〔2025〕7号",
        )
    ]
)  # fmt: skip


def at(text: str) -> dt.datetime:
    """A moment in Asia/Shanghai."""
    return dt.datetime.fromisoformat("2026-" + text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("start", "rule", "end"),
    [
        ("03-02 10:00", "1wd", "03-03"),
        ("03-06 23:59", "1wd", "03-09"),  # a Friday: the Monday after
        ("02-13 09:00", "1wd", "02-14"),  # the Saturday before the Spring Festival is worked
        ("02-14 09:00", "1wd", "02-24"),  # over nine days off
        ("09-30 09:00", "3wd", "10-10"),  # 8, 9, and the Saturday that is worked
        ("09-24 09:00", "5d", "09-29"),
        ("09-26 09:00", "5d", "10-08"),  # the last day is a day off: the first day after
        ("12-28 09:00", "3wd", "12-31"),
    ],
)
def test_terms_are_counted_in_the_days_that_are_worked(start: str, rule: str, end: str) -> None:
    """The day of the event does not count; days off do not count or are not the last; Saturdays that are worked do count."""
    found = due(at(start), rule, YEAR)
    assert found.at.astimezone(SHANGHAI).date() == dt.date.fromisoformat("2026-" + end)
    assert (found.rule, found.calendar, found.provisional) == (rule, "2026.1", False)


def test_hours_run_through_nights_and_holidays() -> None:
    """A term in hours is the clock's."""
    assert due(at("02-14 18:00"), "24h", YEAR).at == at("02-15 18:00")


def test_a_term_over_an_unknown_year_is_provisional_and_says_so() -> None:
    """Nobody has published 2027: plain weekdays are counted and the answer is marked."""
    found = due(at("12-30 09:00"), "5wd", YEAR)
    assert found.provisional
    assert found.calendar == "2026.1+2027.0"


@pytest.mark.parametrize("rule", ["", "0wd", "5", "5w", "-1d", "5wd ", "五天", "99999d"])
def test_what_is_no_rule_is_refused(rule: str) -> None:
    """A term without a proper rule is no term."""
    with pytest.raises(Invalid):
        due(at("03-02 10:00"), rule, YEAR)


def test_the_table_that_draws_the_buttons_checks_the_post() -> None:
    """What is offered can be done, and nothing else can."""
    assert [m.name for m in FLOW.offers("review", {"reviewer"})] == ["return", "note"]
    assert FLOW.step("review", "return", {"reviewer"}) == "returned"
    assert FLOW.step("draft", "note", set()) == "draft"


def test_a_step_fails_for_one_of_three_reasons() -> None:
    """Not this person's, not any more, or no such step: the three are told apart."""
    with pytest.raises(Refused):
        FLOW.step("sign", "return", {"reviewer"})
    with pytest.raises(Refused):
        FLOW.step("draft", "submit", {"signer"})
    with pytest.raises(Conflict):
        FLOW.step("review", "submit", {"drafter"})
    with pytest.raises(Missing):
        FLOW.step("draft", "explode", {"drafter"})


def test_what_is_done_is_never_overdue() -> None:
    """A matter is overdue only while it still waits."""
    late = {"title": "x", "url": "/x", "arrived": at("03-01 09:00"), "state": "s", "due": at("03-02 09:00")}
    assert Todo(**late).overdue(at("03-03 09:00"))
    assert not Todo(**late, column=Column.DONE).overdue(at("03-03 09:00"))


def test_a_method_may_answer_several_addresses() -> None:
    """One method marked twice is two routes, and the table is in order."""

    class Room:
        name = "room"

        @page("GET", "/room")
        @page("GET", "/api/v1/room", public=True)
        def show(self, request: Request) -> None:
            """Shows it."""

    assert [(r.path, r.public, r.about) for r in routes([Room])] == [("/api/v1/room", True, "Shows it."), ("/room", False, "Shows it.")]


def test_twins_leave_bytes_out_and_print_moments_by_the_standard() -> None:
    """What a page knows becomes JSON without secrets in raw bytes."""
    assert plain({"at": at("03-02 10:00"), "rows": ({1}, "x")}) == {"at": "2026-03-02T10:00:00+08:00", "rows": [[1], "x"]}
