"""Duty: every verb over a city, a county and two townships; reports that come two ways, terms by rule, orders that are confirmed or escalated."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import msgspec
import pytest

from node.errors import Conflict, Missing, NodeError, Refused
from office.duty import service, workflow
from office.duty.entries import Report, Rostered
from office.duty.model import Addressed, Bound, Incident, Order
from office.frame import clocks
from office.frame.calendar import SHANGHAI, Workdays
from tests.office.desks import Town, opened

TOWN, OTHER = "county1-town1", "county1-town2"
TERM = workflow.term()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A city, a county and its two townships."""
    with opened(tmp_path_factory.mktemp("duty"), townships=2, only=("duty",)) as found:
        yield found


def ms(**ago: float) -> int:
    """A moment in the past."""
    return int((dt.datetime.now(dt.UTC) - dt.timedelta(**ago)).timestamp() * 1000)


def first(**more: object) -> Report:
    """What a township's officer knows after a call."""
    values = {"organ": TOWN, "stage": "first", "number": 1, "category": "accident", "level": "unknown", "place": "省道205线"}
    return Report(**(values | {"happened": ms(minutes=9), "learned": ms(minutes=5), "text": "两车相撞，正在救援。"} | more))  # type: ignore[arg-type]


def seen(town: Town, person: str, incident: str) -> Incident:
    """The incident as a person sees it."""
    return town.desk(person).get(Incident, incident)


@pytest.mark.row("D5")
def test_an_incident_is_reported_followed_received_passed_on_and_ended(town: Town) -> None:
    """Every verb leaves tables that a rebuild of each node reproduces; the first report needs nobody's approval; numbers change with reports."""
    incident = town.verify(lambda: service.report(town.desk(f"duty.{TOWN}"), first()))
    assert seen(town, "duty.county1", incident).place == "省道205线"
    with pytest.raises(Missing):
        seen(town, "duty.city", incident)
    town.verify(lambda: service.receive(town.desk("duty.county1"), incident, "county1"))
    with pytest.raises(Conflict):
        service.receive(town.desk("head.county1"), incident, "county1")
    assert town.desk(f"duty.{TOWN}").list(Addressed, Addressed.incident == incident)[0].received_at
    town.verify(lambda: service.pass_on(town.desk("duty.county1"), incident, "county1", note="情况属实。"))
    assert seen(town, "duty.city", incident).report.text == "两车相撞，正在救援。"
    more = first(stage="follow", text="死亡一人，受伤三人。", dead=1, injured=3, level="4")
    town.verify(lambda: service.follow(town.desk(f"duty.{TOWN}"), incident, more))
    for person in ("duty.county1", "duty.city"):
        row = seen(town, person, incident)
        assert (row.number, row.level, row.report.dead) == (2, "4", 1), "who it was passed on to hears what follows"
    town.verify(lambda: service.follow(town.desk(f"duty.{TOWN}"), incident, msgspec.structs.replace(more, stage="verified", dead=0, injured=4)))
    town.verify(lambda: service.follow(town.desk(f"duty.{TOWN}"), incident, msgspec.structs.replace(more, stage="final", text="处置完毕。")))
    assert seen(town, "duty.city", incident).state == "ended"
    assert [one.number for one in service.stories(town.desk("duty.city"), incident)] == [1, 2, 3, 4]
    with pytest.raises(Conflict):
        service.follow(town.desk(f"duty.{TOWN}"), incident, more)


def test_a_report_may_skip_a_level_and_the_skipped_one_is_informed(town: Town) -> None:
    """The city has it at once, the county in the same breath and marked as informed; from the city there is nowhere to skip to."""
    incident = town.verify(lambda: service.report(town.desk(f"head.{TOWN}"), first(), skip=True))
    told = {one.organ: one.skipped for one in service.addressed(town.desk("duty.city"), incident)}
    assert told == {"county1": True, "city": False}
    assert seen(town, "duty.city", incident).id == seen(town, "duty.county1", incident).id == incident
    with pytest.raises(Refused):
        service.report(town.desk("duty.city"), first(organ="city"), skip=True)
    with pytest.raises(Refused):
        service.report(town.desk("duty.county1"), first(organ="county1"), skip=True)


def test_a_report_that_comes_two_ways_is_there_once(town: Town) -> None:
    """Passed on by the county while the township's own report past it is under way, the city shows one incident, in either order."""
    for directly_first in (True, False):
        incident = service.report(town.desk(f"duty.{TOWN}"), first(place="桥头"), skip=True)
        if directly_first:
            town.carry()
        else:
            town.carry(TOWN, "county1")
        service.pass_on(town.desk("duty.county1"), incident, "county1")
        town.verify(lambda: None)
        assert len(town.desk("duty.city").list(Incident, Incident.id == incident)) == 1
        assert len(service.stories(town.desk("duty.city"), incident)) == 1


def test_two_reports_of_one_thing_are_held_together_later(town: Town) -> None:
    """Two townships report one flood; the county counts one of them with the other, both stay as they were, and what is merged is not merged into."""
    one = service.report(town.desk(f"duty.{TOWN}"), first(category="nature"))
    other = service.report(town.desk(f"duty.{OTHER}"), first(organ=OTHER, category="nature"))
    town.carry()
    town.verify(lambda: service.merge(town.desk("duty.county1"), other, one, "county1"))
    merged = seen(town, "duty.county1", other)
    assert (merged.state, merged.into, merged.report.organ) == ("merged", one, OTHER)
    assert seen(town, f"duty.{OTHER}", other).state == "open", "its own node goes on reporting"
    with pytest.raises(Conflict):
        service.merge(town.desk("duty.county1"), one, other, "county1")


CASES = [
    (20, 59, False, False),
    (20, 61, False, True),
    (31, 40, True, True),
    (0, 59, False, False),
    (0, 61, False, True),
]


@pytest.mark.row("D5")
@pytest.mark.parametrize(("phoned", "written", "by_phone", "late"), CASES)
def test_the_late_flag_follows_the_rules_of_telephone_and_writing(phoned: int, written: int, by_phone: bool, late: bool) -> None:
    """Thirty minutes by telephone and an hour in writing after it was learned of, by their rule ids; no call is no late call."""
    learned = dt.datetime(2026, 2, 17, 1, 0, tzinfo=dt.UTC)
    at = {minutes: int((learned + dt.timedelta(minutes=minutes)).timestamp() * 1000) for minutes in (phoned, written)}
    start, now, days = int(learned.timestamp() * 1000), learned + dt.timedelta(hours=3), Workdays.published()
    found = workflow.lateness(start, at[written], at[phoned] if phoned else 0, days, now, clocks.rules())
    assert [one.rule for one in found] == ["emergency.first.phone", "emergency.first.written"]
    assert [one.due - learned for one in found] == [dt.timedelta(minutes=30), dt.timedelta(hours=1)]
    assert not phoned or found[0].late is by_phone
    assert workflow.late(start, at[written], at[phoned] if phoned else 0, days, now, clocks.rules()) is late


def test_a_late_report_is_flagged_at_every_node(town: Town) -> None:
    """Learned two hours ago and written now is late at home and above; learned now is not."""
    late = service.report(town.desk(f"duty.{TOWN}"), first(happened=ms(hours=3), learned=ms(hours=2)))
    prompt = service.report(town.desk(f"duty.{TOWN}"), first())
    town.carry()
    for person in (f"duty.{TOWN}", "duty.county1"):
        assert service.late(town.desk(person), seen(town, person, late))
        assert not service.late(town.desk(person), seen(town, person, prompt))


@pytest.mark.row("D6")
def test_an_order_is_confirmed_or_goes_on_to_telephone_and_message(town: Town) -> None:
    """Of three organs one confirms, one is reached by telephone, one by neither: for that one every way is tried within the term, each once."""
    order = town.verify(lambda: service.order(town.desk("duty.city"), "city", ["county1", TOWN, OTHER], "立即转移低洼地带群众。"))
    town.verify(lambda: service.confirm(town.desk("duty.county1"), order, "county1", text="已部署。"))
    with pytest.raises(Conflict):
        service.confirm(town.desk("head.county1"), order, "county1")

    def after(share: float) -> int:
        desk = town.node("city")
        desk.now += TERM * share
        return service.escalate(desk, within=TERM)

    assert after(0.1) == 0
    assert town.verify(lambda: after(0.3)) == 2 and after(0.3) == 0
    assert [one.state for one in service.todo(town.desk("duty.city")) if order in one.url] == ["待电话通知", "待电话通知"]
    town.verify(lambda: service.call(town.desk("duty.city"), order, OTHER, text="王值班员接听。"))
    assert town.verify(lambda: after(0.7)) == 1 and after(1.0) == 0
    rows = {one.organ: one for one in service.bound(town.desk("duty.city"), [order])}
    assert (rows["county1"].reply, rows["county1"].steps) == ("已部署。", "")
    assert (rows[OTHER].called, rows[OTHER].steps) == ("王值班员接听。", "call")
    assert rows[TOWN].steps == "call message" and not rows[TOWN].confirmed_at
    assert town.desk(f"duty.{TOWN}").list(Bound, Bound.order == order)[0].steps == "call message", "the organ sees that it was looked for"
    town.verify(lambda: service.confirm(town.desk(f"duty.{TOWN}"), order, TOWN))
    assert town.desk("duty.city").list(Bound, Bound.organ == TOWN, Bound.order == order)[0].confirmed_at
    assert [one for one in service.todo(town.desk("duty.city")) if order in one.url] == []


def test_the_roster_says_whom_to_call_at_this_node_and_above(town: Town) -> None:
    """A township's roster of today is read at the county and the city; the last one of a day stands; the log is the organ's own."""
    day = dt.datetime.now(SHANGHAI).date().isoformat()
    town.verify(lambda: service.roster(town.desk(f"duty.{TOWN}"), Rostered(TOWN, day, "张镇长", "李科员", "", "0543-1")))
    town.verify(lambda: service.roster(town.desk(f"duty.{TOWN}"), Rostered(TOWN, day, "张镇长", "赵科员", "孙科员", "0543-1")))
    for person in ("duty.county1", "duty.city"):
        assert [(one.officer, one.standin) for one in service.today(town.desk(person), [TOWN])] == [("赵科员", "孙科员")]
    town.verify(lambda: service.log(town.desk(f"duty.{TOWN}"), TOWN, "一切正常。", handover=True))
    with pytest.raises(Refused):
        service.roster(town.desk(f"clerk.{TOWN}"), Rostered(TOWN, day, "我", "我", "", ""))
    with pytest.raises(Refused):
        service.log(town.desk("duty.county1"), TOWN, "别人的日志。")
    with pytest.raises(Refused):
        service.roster(town.desk(f"duty.{TOWN}"), Rostered(TOWN, "tomorrow", "甲", "乙", "", ""))


def test_nobody_else_sees_it(town: Town) -> None:
    """An incident and an order are for those on duty where they were written and sent; a clerk, a worker and another township are told nothing."""
    incident = service.report(town.desk(f"duty.{TOWN}"), first(place="保密的地点"))
    order = service.order(town.desk("duty.county1"), "county1", [TOWN], "内部指令。")
    town.carry()
    for person in (f"clerk.{TOWN}", f"plain.{TOWN}", f"clerk.dep.{TOWN}", "clerk.county1", f"duty.{OTHER}"):
        desk = town.desk(person)
        assert desk.list(Incident, Incident.id == incident) == desk.list(Order, Order.id == order) == []
        for act in (
            lambda desk=desk: service.follow(desk, incident, first(stage="follow")),
            lambda desk=desk: service.receive(desk, incident, "county1"),
            lambda desk=desk: service.pass_on(desk, incident, "county1"),
            lambda desk=desk: service.merge(desk, incident, incident, "county1"),
            lambda desk=desk: service.confirm(desk, order, TOWN),
            lambda desk=desk: service.call(desk, order, TOWN, text="x"),
        ):
            with pytest.raises(Missing):
                act()
    with pytest.raises(NodeError):
        service.call(town.desk(f"duty.{TOWN}"), order, TOWN, text="自己给自己打电话")
    with pytest.raises(Refused):
        service.follow(town.desk("duty.county1"), incident, first(stage="follow"))


BAD = [
    {"category": "war"},
    {"place": " "},
    {"text": ""},
    {"text": "长" * 2001},
    {"learned": ms(hours=-1)},
    {"happened": ms(hours=-1)},
    {"phoned": ms(hours=9)},
    {"way": "pigeon"},
]


@pytest.mark.parametrize("wrong", BAD, ids=[next(iter(one)) + str(n) for n, one in enumerate(BAD)])
def test_what_cannot_be_is_refused(town: Town, wrong: dict[str, object]) -> None:
    """A report that says the impossible, or nothing, is refused in words; everything that may wait may be left out."""
    with pytest.raises(Refused):
        service.report(town.desk(f"duty.{TOWN}"), first(**wrong))
