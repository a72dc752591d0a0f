"""What another node may say about conversations with its own keys, past every rule of its own screens: all nodes decide alike."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from node import clock
from node.kinds import Content
from office.messages import service, workflow
from office.messages.entries import FILES, MANY, WORDS, Gathered, Member, Read, Recalled, Said, Seen, group_id, message_id
from office.messages.tables import Conversation, Mark, Message, Roster
from tests.office.desks import Town, opened
from tests.office.test_messages import CITY, COUNTY, LOW, TOWN, group, texts, unread

pytestmark = pytest.mark.promise("P16")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Three tiers with this room alone."""
    with opened(tmp_path_factory.mktemp("forged"), only=("messages",)) as found:
        yield found


def nodes(town: Town) -> list[str]:
    """All nodes."""
    return [office.settings.id for office in town.offices.values()]


def roster(town: Town, person: str, made: str) -> Roster:
    """The roster of a conversation as somebody's node has it."""
    return town.desk(person).list(Roster, Roster.conversation == made, order=Roster.number.desc(), limit=1)[0]


def forge(town: Town, person: str, content: Content, record: str, *, after: tuple[bytes, ...] = (), at: dt.datetime | None = None) -> None:
    """Sign and send whatever somebody likes."""
    desk = town.desk(person)
    desk.now = at or desk.now
    desk.write(content, record=record, to=nodes(town), after=after)


def said(town: Town, person: str, made: str, number: int, **other: Any) -> Said:
    """A message as a screen would make it, but for what is given."""
    plain = {"conversation": made, "roster": roster(town, CITY, made).number, "number": number, "moment": clock.ms(), "text": "伪造"}
    return Said(**plain | other)


def stand(town: Town, made: str) -> list[list[tuple[Any, ...]]]:
    """What the tables of each node say of a conversation."""
    found = []
    for node in town.offices:
        desk = town.node(node)
        rows = desk.list(Message, Message.conversation == made, order=Message.id, everything=True)
        talk = desk.list(Conversation, Conversation.id == made, everything=True)
        found.append([(r.id, r.text, r.number, r.moment, r.late, r.doubled) for r in rows] + [(t.last, t.number, t.closed, t.owner) for t in talk])
    return found


def test_who_was_put_out_and_speaks_on_is_marked_alike_everywhere(town: Town) -> None:
    """What was said before counts; what is said under the old roster beyond it is late on each node, whichever it heard first, and moves nothing."""
    made = group(town, "移出")
    for text in ("一", "二"):
        service.say(town.desk(LOW), made, text)
    town.carry()
    old = roster(town, LOW, made)
    service.change(town.desk(CITY), made, name="移出", people=[COUNTY])
    service.say(town.desk(LOW), made, "没有听说")
    town.carry("county1", TOWN)
    town.verify(lambda: None)
    forge(town, LOW, said(town, LOW, made, 4, roster=1, text="听说了还说"), message_id(made, LOW, 4), after=(old.said,))
    town.verify(lambda: None)
    rows = {row.text: row.late for row in town.desk(COUNTY).list(Message, Message.conversation == made)}
    assert rows == {"一": False, "二": False, "没有听说": True, "听说了还说": True}
    assert unread(town, COUNTY, made) == unread(town, CITY, made) == 2
    assert stand(town, made)[0] == stand(town, made)[1] == stand(town, made)[2]
    service.change(town.desk(CITY), made, name="移出", people=[COUNTY, LOW])
    town.carry()
    service.say(town.desk(LOW), made, "回来了")
    town.verify(lambda: None)
    assert [row.late for row in town.desk(CITY).list(Message, Message.text == "回来了")] == [False]
    assert stand(town, made)[0] == stand(town, made)[1] == stand(town, made)[2]


def test_nobody_takes_a_group_though_their_roster_comes_first(town: Town) -> None:
    """A roster of a group by another than its owner counts on no node, also where the owner's has not come yet."""
    made = service.gather(town.desk(CITY), "真", [COUNTY, LOW])
    true = roster(town, CITY, made).body
    members = tuple(one for one in true.members if one.person != CITY)
    for owner, number in ((COUNTY, 1), (COUNTY, 9), (CITY, 2)):
        forge(town, COUNTY, msgspec.structs.replace(true, owner=owner, number=number, name="假", members=members), made)
    town.carry("county1", TOWN)
    town.carry()
    assert [(row.name, row.owner, row.number) for row in town.desk(LOW).list(Conversation, Conversation.id == made)] == [("真", CITY, 1)]
    service.say(town.desk(LOW), made, "在")
    town.carry()
    assert texts(town, COUNTY, made) == ["在"]
    assert stand(town, made)[0] == stand(town, made)[1] == stand(town, made)[2]


def test_an_owner_who_sends_two_rosters_ends_the_group(town: Town) -> None:
    """Two rosters of one number, heard in whatever order: nobody speaks in the group any more, and the nodes agree."""
    made = group(town, "两样")
    true = roster(town, CITY, made).body
    for name in ("甲", "乙"):
        forge(town, CITY, msgspec.structs.replace(true, number=2, name=name), made)
    town.carry()
    for person in (CITY, COUNTY, LOW):
        row = town.desk(person).get(Conversation, made)
        assert (row.split, service.standing(town.desk(person), row)) == (True, workflow.State.CLOSED)
    assert stand(town, made)[0] == stand(town, made)[1] == stand(town, made)[2]


def test_two_messages_of_one_number_show_neither(town: Town) -> None:
    """An author who says two things under one number is shown with neither; another's number, and a recall of another's, are nothing."""
    made = group(town, "同号")
    message = service.say(town.desk(CITY), made, "市里说的")
    town.carry()
    under = (roster(town, COUNTY, made).said,)
    forge(town, COUNTY, said(town, COUNTY, made, 1), message_id(made, CITY, 1), after=under)
    forge(town, COUNTY, Recalled(), message, after=(town.desk(CITY).get(Message, message).said,))
    assert [texts(town, who, made) for who in (CITY, COUNTY, LOW)] == [["市里说的"]] * 3
    for text in ("对市里说的", "对镇里说的"):
        forge(town, COUNTY, said(town, COUNTY, made, 1, text=text), message_id(made, COUNTY, 1), after=under)
    town.carry()
    assert [texts(town, who, made) for who in (CITY, COUNTY, LOW)] == [["市里说的", ""]] * 3
    assert unread(town, LOW, made) == 1
    assert stand(town, made)[0] == stand(town, made)[1] == stand(town, made)[2]


ROSTERS: tuple[dict[str, Any], ...] = (
    {"ends": "明天"},
    {"days": 10**15},
    {"name": "长" * 61},
    {"number": 0},
    {"members": tuple(Member(f"p{n}", "x") for n in range(MANY))},
    {"left": tuple(Seen(f"p{n}", 1) for n in range(MANY + 1))},
)
SAID: tuple[dict[str, Any], ...] = (
    {"text": ""},
    {"text": "长" * (WORDS + 1)},
    {"number": 0},
    {"roster": 7},
    {"moment": 0},
    {"moment": clock.ms() + 3 * 86_400_000},
    {"seconds": 5},
    {"files": FILES + 1},
)


def test_what_no_page_could_show_counts_nowhere(town: Town) -> None:
    """Rosters and messages with days that are none, lengths without end or times far from their own are refused, and every page goes on."""
    made = group(town, "畸形")
    true, under = roster(town, CITY, made), (roster(town, CITY, made).said,)
    seed = bytes(16)
    for wrong in ROSTERS:
        members = (*true.body.members, *wrong.get("members", ()))
        forge(town, CITY, msgspec.structs.replace(true.body, **{"number": 5} | wrong | {"members": members}), made)
    other = group_id(CITY, town.offices["city"].settings.id, seed)
    forge(town, CITY, msgspec.structs.replace(true.body, conversation=other, owner=COUNTY, seed=seed), other)
    forge(town, CITY, msgspec.structs.replace(true.body, number=5, members=true.body.members * 2), made)
    file = service.attach(town.desk(COUNTY), "x", "", [b"x"])
    for wrong in SAID:
        given = {"number": 1} | wrong | ({"files": (file,) * wrong["files"]} if "files" in wrong else {})
        forge(town, COUNTY, said(town, COUNTY, made, **given), message_id(made, COUNTY, given["number"]), after=under)
    forge(town, COUNTY, said(town, COUNTY, made, 1), message_id(made, COUNTY, 1))
    forge(town, "head.county1", said(town, "head.county1", made, 1), message_id(made, "head.county1", 1), after=under)
    forge(town, "head.county1", Read(made, (Seen(CITY, 9),)), "r", after=under)
    forge(town, COUNTY, Read(made, tuple(Seen(f"p{n}", 1) for n in range(5001))), "r", after=under)
    town.carry()
    for person in (CITY, COUNTY, LOW):
        desk = town.desk(person)
        row = desk.get(Conversation, made)
        assert (row.number, service.messages(desk, made), service.moves(desk, row) >= {"say"}) == (1, [], True)
        assert desk.list(Mark, Mark.conversation == made) == []
        assert desk.list(Conversation, Conversation.id == other) == []
    assert stand(town, made)[0] == stand(town, made)[1] == stand(town, made)[2]


def test_a_time_far_ahead_takes_nobody_along(town: Town) -> None:
    """A message of years to come is not shown and pins nothing, and the others go on speaking, in order."""
    made = group(town, "将来")
    under, later = (roster(town, CITY, made).said,), clock.now() + dt.timedelta(days=3650)
    forge(town, COUNTY, said(town, COUNTY, made, 1, moment=clock.to_ms(later)), message_id(made, COUNTY, 1), after=under, at=later)
    town.carry()
    for text in ("一", "二"):
        service.say(town.desk(CITY), made, text)
        town.carry()
        service.say(town.desk(LOW), made, text + "答")
        town.carry()
    assert [texts(town, who, made) for who in (CITY, LOW)] == [["一", "一答", "二", "二答"]] * 2


def test_only_what_is_a_conversation_of_two_has_their_id(town: Town) -> None:
    """A roster of three under the id of two, by a third, or of a number more: nothing."""
    made = service.begin(town.desk(CITY), COUNTY)
    true = roster(town, CITY, made).body
    third = Member(LOW, town.offices[TOWN].settings.id)
    for wrong in (msgspec.structs.replace(true, members=(*true.members, third)), msgspec.structs.replace(true, number=2)):
        forge(town, LOW, wrong, "x")
        forge(town, CITY, wrong, "x")
    town.carry()
    assert isinstance(roster(town, COUNTY, made).body, Gathered)
    assert roster(town, COUNTY, made).number == 1
    assert town.desk(LOW).list(Conversation, Conversation.id == made) == []
