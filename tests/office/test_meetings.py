"""Meetings: every verb over a city, two counties and four townships, and what the rules, rights, rounds and codes promise."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import msgspec
import pytest

from node.errors import Conflict, Missing, NodeError, Refused
from office.documents.model import Document
from office.meetings import questions, service, workflow
from office.meetings.entries import Decision, Going, Item, Plan, Proposed
from office.meetings.model import Call, Guest, Meeting, Task, Topic
from tests.office.desks import Town, opened

HOUR = 3_600_000
UNITS = ("county1", "county1-town1", "county1-town2", "county2", "county2-town1", "county2-town2")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A city, two counties, two townships under each."""
    with opened(tmp_path_factory.mktemp("meetings"), counties=2, townships=2, only=("meetings", "documents", "flows")) as found:
        yield found


def ms(**ahead: float) -> int:
    """A moment from now."""
    return int((dt.datetime.now(dt.UTC) + dt.timedelta(**ahead)).timestamp() * 1000)


def plan(**more: object) -> Plan:
    """A meeting of the city's government with every county and township and a department of its own."""
    begins = more.pop("begins", ms(days=3))
    values = {
        "organ": "city",
        "kind": "video",
        "title": "全市防汛工作会议",
        "begins": begins,
        "ends": begins + 2 * HOUR,  # type: ignore[operator]
        "venues": ("市政府第一会议室", "各县分会场"),
        "chair": "head.city",
        "organs": ("dep.city", *reversed(UNITS)),
        "podium": ("甲", "乙", "丙"),
        "reply_by": ms(days=1),
    }
    return Plan(**(values | more))  # type: ignore[arg-type]


def noticed(town: Town, **more: object) -> str:
    """A meeting whose notice has reached everybody."""
    meeting = service.plan(town.desk("clerk.city"), plan(**more))
    service.approve(town.desk("head.city"), meeting)
    service.notify(town.desk("clerk.city"), meeting)
    town.carry()
    return meeting


def clerk(unit: str) -> str:
    """Who answers for a unit."""
    return f"clerk.{unit}"


def seen(town: Town, person: str, meeting: str) -> Meeting:
    """The meeting as a person sees it."""
    return town.desk(person).get(Meeting, meeting)


def names(town: Town, person: str, meeting: str) -> list[str]:
    """Who comes, as a person sees it."""
    return [one.name for one in service.expected(town.desk(person), seen(town, person, meeting))]


@pytest.mark.row("D3")
def test_a_meeting_goes_the_whole_way_and_every_step_refolds_to_the_same(town: Town) -> None:
    """From topic to a decision carried out, every verb leaves tables that a rebuild of each of seven nodes reproduces."""
    about = Proposed("county1", "city", "关于水库除险加固的议题", "请予审议。", "县水利局局长", "市水利局", 10)
    topic = town.verify(lambda: service.propose(town.desk("clerk.county1"), about))
    town.verify(lambda: service.vet(town.desk("clerk.city"), topic, passed=True, opinion="可以上会。"))
    assert town.desk("clerk.county1").get(Topic, topic).state == "passed"
    agenda = (Item(about.title, "county1", 10, topic),)
    meeting = town.verify(lambda: service.plan(town.desk("clerk.city"), plan(agenda=agenda)))
    town.verify(lambda: service.plan(town.desk("clerk.city"), plan(agenda=agenda, title="全市防汛抗旱工作会议", principals=True), meeting=meeting))
    town.verify(lambda: service.approve(town.desk("head.city"), meeting, opinion="同意。"))
    town.verify(lambda: service.notify(town.desk("clerk.city"), meeting))
    assert town.desk("clerk.county1").get(Topic, topic).state == "scheduled"
    for unit in ("county1-town1", "county1-town2", "county1"):
        town.verify(lambda unit=unit: service.sign_for(town.desk(clerk(unit)), meeting, unit))
        going = [Going(f"{unit}负责人", "主要负责人", "0543-0001", f"head.{unit}")]
        town.verify(lambda unit=unit, going=going: service.reply(town.desk(clerk(unit)), meeting, unit, going))
    assert names(town, "clerk.city", meeting) == [], "the county has not sent its list yet"
    assert town.verify(lambda: service.gather(town.desk("clerk.county1"), meeting, "county1")) == 3
    assert names(town, "clerk.city", meeting) == ["county1负责人", "county1-town1负责人", "county1-town2负责人"]
    code = service.expected(town.desk("clerk.county1-town1"), seen(town, "clerk.county1-town1", meeting))[0].code
    town.verify(lambda: service.attend(town.desk("clerk.city"), meeting, code))
    town.verify(lambda: service.end(town.desk("clerk.city"), meeting, begun=ms(hours=-2), ended=ms(hours=-1)))
    doc = town.verify(lambda: service.minute(town.desk("clerk.city"), meeting))
    draft = town.desk("clerk.city").get(Document, doc)
    assert (draft.kind, draft.title, draft.state) == ("minutes", "全市防汛抗旱工作会议纪要", "draft")
    assert "county1-town1负责人" in draft.paper.text and "county1-town2负责人" not in draft.paper.text
    decisions = [Decision("加固一号水库。", "county1-town2", ms(days=30))]
    town.verify(lambda: service.decide(town.desk("clerk.city"), meeting, decisions))
    task = town.desk("clerk.county1-town2").list(Task)[0]
    town.verify(lambda: service.carry_out(town.desk("clerk.county1-town2"), task.id, text="已经加固。"))
    assert [one.done for one in service.tasks(town.desk("clerk.city"), meeting)] == ["已经加固。"]
    town.verify(lambda: service.close(town.desk("clerk.city"), meeting))
    assert seen(town, "clerk.city", meeting).state == "closed"


def test_townships_answer_through_their_county_and_the_city_has_one_list(town: Town) -> None:
    """Each county collects its townships' replies and sends one list; who answers late is in the next one; a department answers straight."""
    meeting = noticed(town)
    for unit in UNITS:
        if unit != "county2-town2":
            service.reply(town.desk(clerk(unit)), meeting, unit, [Going(f"{unit}来人")])
    service.reply(town.desk("clerk.dep.city"), meeting, "dep.city", [Going("局长")])
    town.carry()
    assert names(town, "clerk.city", meeting) == ["局长"]
    county = service.gathering(town.desk("clerk.county2"), seen(town, "clerk.county2", meeting), "county2")
    assert [(call.organ, call.reply_round) for call in county] == [("county2", 1), ("county2-town1", 1), ("county2-town2", 0)]
    assert service.gather(town.desk("clerk.county1"), meeting, "county1") == 3
    assert service.gather(town.desk("clerk.county2"), meeting, "county2") == 2
    town.carry()
    assert set(names(town, "clerk.city", meeting)) == {"局长", *(f"{unit}来人" for unit in UNITS if unit != "county2-town2")}
    service.reply(town.desk("clerk.county2"), meeting, "county2-town2", [Going("电话报名的人")])
    town.verify(lambda: service.gather(town.desk("clerk.county2"), meeting, "county2"))
    assert "电话报名的人" in names(town, "clerk.city", meeting)
    lists = [line for line in service.answers(town.desk("clerk.city"), seen(town, "clerk.city", meeting)) if not line.come]
    assert lists == [], "every organ has answered"


def test_a_change_of_time_voids_replies_and_a_change_of_place_does_not(town: Town) -> None:
    """After a new time every organ answers anew, and an answer to the old time that was still under way counts for nothing."""
    meeting = noticed(town)
    service.reply(town.desk("clerk.dep.city"), meeting, "dep.city", [Going("局长", person="clerk.dep.city")])
    late = [Going("晚到的回执")]
    service.reply(town.desk("clerk.county1"), meeting, "county1", late)
    service.gather(town.desk("clerk.county1"), meeting, "county1")
    moved = seen(town, "clerk.city", meeting).plan
    elsewhere = msgspec.structs.replace(moved, venues=("市人民会堂",))
    town.verify(lambda: service.change(town.desk("clerk.city"), meeting, elsewhere, note="会场改在市人民会堂。"))
    assert set(names(town, "clerk.city", meeting)) == {"局长", "晚到的回执"}
    service.reply(town.desk("clerk.county2"), meeting, "county2", [Going("按旧时间")])
    service.gather(town.desk("clerk.county2"), meeting, "county2")  # not carried before the time is changed
    later = msgspec.structs.replace(elsewhere, begins=moved.begins + HOUR, ends=moved.ends + HOUR)
    town.verify(lambda: service.change(town.desk("clerk.city"), meeting, later, note="推迟一小时。"))
    row = seen(town, "clerk.city", meeting)
    assert (row.issue, row.round, row.note) == (3, 2, "推迟一小时。")
    assert names(town, "clerk.city", meeting) == names(town, "clerk.county2", meeting) == []
    void = {line.call.organ for line in service.answers(town.desk("clerk.city"), row) if line.void}
    assert void == {"dep.city", "county1", "county2"}
    with pytest.raises(Conflict):
        service.gather(town.desk("clerk.county1"), meeting, "county1")
    town.verify(lambda: service.reply(town.desk("clerk.dep.city"), meeting, "dep.city", [Going("局长")]))
    assert names(town, "clerk.city", meeting) == ["局长"]
    with pytest.raises(Refused):
        service.change(town.desk("clerk.city"), meeting, msgspec.structs.replace(later, organs=("dep.city",)), note="少几个单位。")


def test_a_principal_is_replaced_only_with_leave(town: Town) -> None:
    """Called in person, a head who asks for leave is expected by nobody's name until leave is granted, then the substitute is; declined, nobody."""
    meeting = noticed(town, principals=True)
    away = [Going("局长", "局长", leave="在外招商", substitute="副局长", substitute_title="副局长"), Going("科长")]
    town.verify(lambda: service.reply(town.desk("clerk.dep.city"), meeting, "dep.city", away))
    assert names(town, "clerk.city", meeting) == ["科长"]
    town.verify(lambda: service.excuse(town.desk("head.city"), meeting, "dep.city", "局长", granted=True, opinion="同意。"))
    assert names(town, "clerk.dep.city", meeting) == ["副局长", "科长"]
    again = noticed(town, principals=True)
    service.reply(town.desk("clerk.county1-town1"), again, "county1-town1", away)
    town.carry()
    service.gather(town.desk("clerk.county1"), again, "county1")
    town.carry()
    with pytest.raises(Refused, match="原因"):
        service.excuse(town.desk("clerk.city"), again, "county1-town1", "局长", granted=False)
    town.verify(lambda: service.excuse(town.desk("clerk.city"), again, "county1-town1", "局长", granted=False, opinion="须本人参加。"))
    for person in ("clerk.city", "clerk.county1", "clerk.county1-town1"):
        assert names(town, person, again) == ["科长"]
        assert town.desk(person).list(Guest, Guest.meeting == again, Guest.name == "局长")[0].opinion == "须本人参加。"
    with pytest.raises(Conflict):
        service.excuse(town.desk("clerk.city"), again, "county1-town1", "科长", granted=True)
    with pytest.raises(NodeError):
        service.excuse(town.desk("clerk.county1"), again, "county1-town1", "局长", granted=True)


def test_a_leader_in_two_meetings_at_once_is_pointed_out(town: Town) -> None:
    """Two meetings that overlap warn of the chair and of whoever was named for both, and one after the other does not."""
    begins = ms(days=40)
    first = noticed(town, begins=begins)
    service.reply(town.desk("clerk.county1"), first, "county1", [Going("县长", person="head.county1")])
    town.carry()
    overlapping = plan(begins=begins + HOUR, organs=("dep.city",))
    assert any("领导同一时间另有会议" in one for one in service.warnings(town.desk("clerk.city"), overlapping))
    assert service.clashes(town.desk("clerk.county1"), overlapping, ("head.county1", "plain.county1")) == ["云1县领导"]
    after = plan(begins=begins + 2 * HOUR, organs=("dep.city",))
    assert service.clashes(town.desk("clerk.city"), after, ("head.city",)) == []
    town.verify(lambda: service.cancel(town.desk("head.city"), first, reason="另行通知。"))
    assert service.clashes(town.desk("clerk.county1"), overlapping, ("head.county1",)) == []
    assert seen(town, "clerk.county2-town2", first).state == "cancelled"


def test_people_sign_in_by_a_code_that_only_their_organ_and_the_door_know(town: Town) -> None:
    """The code an organ shows opens the door at the city and at the county's branch; a wrong one names nobody; twice is once."""
    meeting = noticed(town)
    service.reply(town.desk("clerk.county1-town1"), meeting, "county1-town1", [Going("镇长"), Going("武装部长")])
    town.carry()
    service.gather(town.desk("clerk.county1"), meeting, "county1")
    town.carry()
    mine = {one.name: one.code for one in service.expected(town.desk("clerk.county1-town1"), seen(town, "clerk.county1-town1", meeting))}
    assert all(len(code) == 6 and code.isdigit() for code in mine.values()) and len(set(mine.values())) == 2
    town.verify(lambda: service.attend(town.desk("clerk.county1"), meeting, mine["镇长"]))
    first = town.desk("clerk.city").list(Guest, Guest.meeting == meeting, Guest.name == "镇长")[0].attended_at
    assert first
    town.verify(lambda: service.attend(town.desk("clerk.city"), meeting, mine["镇长"]))
    assert town.desk("clerk.city").list(Guest, Guest.meeting == meeting, Guest.name == "镇长")[0].attended_at == first
    wrong = next(f"{n:06d}" for n in range(10) if f"{n:06d}" not in mine.values())
    with pytest.raises(Missing):
        service.attend(town.desk("clerk.city"), meeting, wrong)
    with pytest.raises(Missing):
        service.attend(town.desk("clerk.county2"), meeting, mine["武装部长"])


def test_nobody_else_sees_it(town: Town) -> None:
    """An organ sees its own call and reply; a plain worker, another organ of the same node and another county see neither it nor the list."""
    meeting = noticed(town, organs=("county1", "county1-town1"), title="内部会议")
    service.reply(town.desk("clerk.county1-town1"), meeting, "county1-town1", [Going("镇长", person="plain.county1-town1")])
    town.carry()
    for person in ("plain.city", "clerk.dep.city", "clerk.dep.county1", "clerk.county2", "duty.county1"):
        desk = town.desk(person)
        with pytest.raises(Missing):
            desk.get(Meeting, meeting)
        assert desk.list(Call, Call.meeting == meeting) == desk.list(Guest, Guest.meeting == meeting) == []
        for act in (
            lambda desk=desk: service.sign_for(desk, meeting, "county1"),
            lambda desk=desk: service.reply(desk, meeting, "county1", [Going("我")]),
            lambda desk=desk: service.gather(desk, meeting, "county1"),
            lambda desk=desk: service.cancel(desk, meeting, reason="x"),
            lambda desk=desk: service.attend(desk, meeting, "000000"),
        ):
            with pytest.raises(Missing):
                act()
    assert [call.organ for call in town.desk("clerk.county1-town1").list(Call, Call.meeting == meeting)] == ["county1-town1"]
    with pytest.raises(Missing):
        service.reply(town.desk("clerk.county1-town1"), meeting, "county1", [Going("我")])
    assert town.desk("plain.county1-town1").get(Meeting, meeting).title == "内部会议", "who is named for it sees it"
    assert town.desk("plain.county1-town1").list(Guest, Guest.meeting == meeting) == []
    with pytest.raises(Refused):
        service.approve(town.desk("clerk.city"), service.plan(town.desk("clerk.city"), plan()))
    with pytest.raises(Refused):
        service.plan(town.desk("clerk.county1"), plan())


BAD = [
    ({"title": " "}, "名称"),
    ({"title": "长" * 201}, "名称"),
    ({"kind": "party"}, "类型"),
    ({"ends": 1}, "晚于开始"),
    ({"venues": ()}, "会场"),
    ({"organs": ()}, "参会单位"),
    ({"reply_by": ms(days=-1)}, "回执时限已过"),
    ({"reply_by": ms(days=400)}, "回执时限"),
    ({"note": "长" * 2001}, "太长"),
]


@pytest.mark.parametrize(("wrong", "said"), BAD, ids=[next(iter(wrong)) for wrong, _said in BAD])
def test_what_is_no_plan_is_refused_in_words(town: Town, wrong: dict[str, object], said: str) -> None:
    """Each part that is missing or impossible is named."""
    with pytest.raises(Refused, match=said):
        service.plan(town.desk("clerk.city"), msgspec.structs.replace(plan(), **wrong))


def test_a_reply_names_each_person_once_and_a_substitute_only_for_leave(town: Town) -> None:
    """Nobody, a nameless one, one named twice and a substitute for one who comes are refused."""
    meeting = noticed(town, organs=("dep.city",))
    for people in ([], [Going(" ")], [Going("甲"), Going("甲")], [Going("甲", substitute="乙")], [Going("长" * 201)]):
        with pytest.raises(Refused):
            service.reply(town.desk("clerk.dep.city"), meeting, "dep.city", people)


def test_the_home_page_names_the_next_step(town: Town) -> None:
    """A notice waits to be signed for, then answered, then sent up, and then is in hand; the term of the reply goes with it."""
    meeting = noticed(town, organs=("county2", "county2-town1"))

    def step(person: str) -> tuple[str, str]:
        found = next(one for one in service.todo(town.desk(person)) if one.url.endswith(meeting))
        return str(found.state), found.column

    assert step("clerk.county2") == ("待签收", "todo")
    service.sign_for(town.desk("clerk.county2"), meeting, "county2")
    assert step("clerk.county2") == ("待回执", "todo")
    assert next(one.due for one in service.todo(town.desk("clerk.county2")) if one.url.endswith(meeting)) is not None
    service.reply(town.desk("clerk.county2"), meeting, "county2", [Going("县长")])
    assert step("clerk.county2") == ("待汇总上报", "todo")
    service.gather(town.desk("clerk.county2"), meeting, "county2")
    assert step("clerk.county2") == ("已通知", "hand")


def test_the_burden_counter_compares_with_the_same_days_of_last_year() -> None:
    """Meetings and hours count up to today against the same span of last year; what lies ahead does not count."""
    now = dt.datetime(2026, 5, 20, 4, 0, tzinfo=dt.UTC)
    days = ((2026, 3, 1), (2026, 5, 20), (2026, 6, 1), (2025, 3, 1), (2025, 5, 20), (2025, 5, 21), (2024, 1, 1))
    held = [workflow.Held(begins=dt.datetime(*day, 1, 0, tzinfo=dt.UTC), hours=1.5) for day in days]
    found = workflow.burden(held, now)
    assert (found.count, found.hours, found.before, found.hours_before) == (2, 3.0, 2, 3.0)
    assert found.months[2] == (1, 1) and found.months[4] == (1, 2) and found.months[5] == (0, 0)


def test_meetings_count_for_who_arranges_and_for_who_is_called(town: Town) -> None:
    """The township's counter grows by a meeting it was called to, the city's by one it arranged, by the hours it really took."""
    meeting = noticed(town, organs=("county1-town2",), begins=ms(hours=1), reply_by=0)
    before = service.burden(town.desk("clerk.city"), "city")[0]
    service.end(town.desk("clerk.city"), meeting, begun=ms(minutes=-30), ended=ms(minutes=-1))
    after = service.burden(town.desk("clerk.city"), "city")[0]
    assert after.count == before.count + 1 and 0 < after.hours - before.hours < 0.6
    town.carry()
    called = [one for _id, one in questions.times(town.desk("clerk.county1-town2"), "") if _id == meeting]
    assert len(called) == 1 and workflow.burden(called, dt.datetime.now(dt.UTC) + dt.timedelta(days=1)).count == 1


@pytest.mark.parametrize(("count", "seats"), [(1, "1"), (2, "12"), (3, "312"), (4, "3124"), (5, "53124")])
def test_the_first_sits_in_the_middle(count: int, seats: str) -> None:
    """Seen from the hall the second sits right of the first, which is the first's left hand, the third on the other side, and so on."""
    assert "".join(workflow.ranked([str(n + 1) for n in range(count)])) == seats


def test_a_second_general_meeting_a_long_speech_and_a_long_day_are_asked_about(town: Town) -> None:
    """The burden rules warn of each, and none of them stops a plan."""
    item = Item("讲话", minutes=61)
    begins = ms(days=3)
    bold = plan(kind="general", agenda=(item,), begins=begins, ends=begins + 5 * HOUR)
    held = [workflow.Held(begins=dt.datetime.now(dt.UTC), hours=1, kind="general")]
    assert len(workflow.warnings(bold, held)) == 3 and len(workflow.warnings(bold, [])) == 2
    assert service.plan(town.desk("clerk.city"), bold)
