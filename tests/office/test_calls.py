"""Calls: who opens, joins, asks and ends one, what stays on record, and that nobody else learns of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from node.codec import uuid7
from node.errors import Invalid, Missing, NodeError, Refused, Unreachable
from office.calls import board, service
from office.calls.entries import Asked, Counted, Declined, Ended, Marked, Opened, own_id
from office.calls.model import Act, Call, Guest
from office.calls.workflow import State
from tests.office.desks import Town, opened

HERE, ABOVE, BELOW = "county1", "head.city", "head.county1-town1"
HEAD, CLERK, PLAIN, DUTY = (f"{who}.{HERE}" for who in ("head", "clerk", "plain", "duty"))


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A city, a county and a township without relays."""
    with opened(tmp_path_factory.mktemp("calls"), townships=1, only=("calls",)) as made:
        yield made


@pytest.mark.row("G2")
def test_a_call_is_opened_widened_and_ended(town: Town) -> None:
    """It stands on the first page of whom it is for, more can be asked, its end is on record, and every step refolds to the same."""
    call = town.verify(lambda: service.open_(town.desk(HEAD), " 防汛  会商 ", [CLERK]))
    assert town.desk(CLERK).get(Call, call).title == "防汛 会商"
    assert [one.url for one in service.todo(town.desk(CLERK))] == [f"/calls/{call}"] and service.todo(town.desk(HEAD)) == []
    town.verify(lambda: service.ask(town.desk(HEAD), call, [PLAIN, CLERK]))
    assert {one.person for one in service.guests(town.desk(PLAIN), call)} == {HEAD, CLERK, PLAIN}
    assert (service.moves(town.desk(HEAD), town.desk(HEAD).get(Call, call)), service.moves(town.desk(PLAIN), town.desk(PLAIN).get(Call, call))) == (
        {"ask", "end", "join", "mark"},
        {"join", "decline", "mark"},
    )
    town.verify(lambda: service.end(town.desk(HEAD), call))
    row = town.desk(PLAIN).get(Call, call)
    assert row.state == State.ENDED and row.ended_at > 0
    for act in (lambda: service.ask(town.desk(HEAD), call, [DUTY]), lambda: service.media(town.desk(HEAD), call, "state")):
        with pytest.raises(NodeError):
            act()


def test_who_was_not_asked_cannot_learn_of_it(town: Town) -> None:
    """Neither the call nor its people nor its account can be had by others, at this node or above."""
    call = service.open_(town.desk(HEAD), "干部会商", [CLERK])
    town.carry()
    for other in (PLAIN, DUTY, "head.city"):
        desk = town.desk(other)
        assert desk.list(Call, Call.id == call) == desk.list(Guest, Guest.call == call) == desk.list(Act, Act.record == call) == []
        for act in (
            lambda d=desk: service.media(d, call, "state"),
            lambda d=desk: service.end(d, call),
            lambda d=desk: service.ask(d, call, [PLAIN]),
        ):
            with pytest.raises(Missing):
                act()
    with pytest.raises(NodeError) as refused:
        service.end(town.desk(CLERK), call)
    assert refused.value.code != "missing"


def test_what_cannot_be_is_refused_in_words(town: Town) -> None:
    """No name, nobody, somebody unknown, too many: said what is wrong, and nothing written."""
    before = len(town.desk(HEAD).list(Call))
    for title, people in (
        ("", [CLERK]),
        ("长" * 101, [CLERK]),
        ("会", []),
        ("会", ["nobody"]),
        ("会", [f"p{n}" for n in range(200)]),
    ):
        with pytest.raises(Invalid):
            service.open_(town.desk(HEAD), title, people)
    assert len(town.desk(HEAD).list(Call)) == before
    call = service.open_(town.desk(HEAD), "没有中继的会商", [CLERK])
    with pytest.raises(Unreachable) as away:
        service.media(town.desk(CLERK), call, "state")
    assert away.value.code == "no_media"


@pytest.mark.row("G4")
def test_a_call_goes_through_the_tiers_and_who_is_asked_later_learns_all_of_it(town: Town) -> None:
    """People of three nodes see one call; one asked in the middle of it sees who else is; its streams go as high as its people, and no higher."""
    call = town.verify(lambda: service.open_(town.desk(HEAD), "三级会商", [CLERK, ABOVE]))
    town.carry()
    assert [one.url for one in service.todo(town.desk(ABOVE))] == [f"/calls/{call}"]
    assert town.desk(BELOW).list(Call, Call.id == call) == []
    town.verify(lambda: service.ask(town.desk(HEAD), call, [BELOW]))
    town.carry()
    for one in (HEAD, CLERK, ABOVE, BELOW):
        desk = town.desk(one)
        assert {guest.person for guest in service.guests(desk, call)} == {HEAD, CLERK, ABOVE, BELOW}, one
        assert (desk.get(Call, call).title, desk.get(Call, call).chair) == ("三级会商", HEAD)
        assert service._meeting(desk, service._nodes(desk, [HEAD, CLERK, ABOVE, BELOW])) == town.desk(ABOVE).node
        assert service._meeting(desk, service._nodes(desk, [one])) == desk.node
    town.verify(lambda: service.end(town.desk(HEAD), call))
    town.carry()
    assert {town.desk(one).get(Call, call).state for one in (HEAD, CLERK, ABOVE, BELOW)} == {State.ENDED}


@pytest.mark.row("G4")
def test_who_declines_says_why_and_a_missed_call_waits_to_be_noted(town: Town) -> None:
    """The chair at another node reads the reason and it rings there no more; what was missed stands on the first page until it is noted."""
    call = service.open_(town.desk(HEAD), "防火会商", [CLERK, ABOVE, BELOW])
    town.carry()
    with pytest.raises(Invalid):
        service.decline(town.desk(ABOVE), call, "  ")
    town.verify(lambda: service.decline(town.desk(ABOVE), call, "正在开会"))
    town.carry()
    assert not [one for one in service.todo(town.desk(ABOVE)) if one.title == "防火会商"]
    assert {one.person: one.declined for one in service.guests(town.desk(HEAD), call)}[ABOVE] == "正在开会"
    with pytest.raises(NodeError):
        service.note(town.desk(BELOW), call)
    service.end(town.desk(HEAD), call)
    town.carry()
    assert [(one.title, str(one.state)) for one in service.todo(town.desk(BELOW)) if one.title == "防火会商"] == [("防火会商", "未接会商")]
    assert not [one for one in service.todo(town.desk(ABOVE)) if one.title == "防火会商"]
    town.verify(lambda: service.note(town.desk(BELOW), call))
    assert not [one for one in service.todo(town.desk(BELOW)) if one.title == "防火会商"]
    for desk in (town.desk(BELOW), town.desk(HEAD)):
        with pytest.raises(NodeError):
            service.note(desk, call)


def test_a_name_is_the_address_books_and_a_stranger_is_marked(town: Town) -> None:
    """Whatever a relay says of somebody's name, pages show the address book's; who was not asked is shown as such, never hidden."""
    call = service.open_(town.desk(HEAD), "认人", [CLERK])
    _home, names = service._circle(town.desk(HEAD), call)
    assert service.called(CLERK, "市长", names) == town.desk(HEAD).directory.person(CLERK).name
    assert service.called("x", "市长", names) == "市长（未受邀请）"


def test_the_board_is_written_by_all_and_stays(town: Town) -> None:
    """Notes, captions and strokes of people of three nodes stand on one board, a result in names; after the end nothing is added."""
    call = town.verify(lambda: service.open_(town.desk(HEAD), "三级会商", [CLERK, ABOVE, BELOW]))
    town.carry()
    town.verify(lambda: service.mark(town.desk(BELOW), call, "note", " 先转移  低洼处群众 "))
    town.verify(lambda: service.mark(town.desk(ABOVE), call, "caption", "水位已到警戒线"))
    for stroke in ("0 0,0 1600,900", "3 15,20 18,25"):
        service.mark(town.desk(CLERK), call, "stroke", stroke)
    service.mark(town.desk(HEAD), call, "clear", "")
    service.mark(town.desk(HEAD), call, "stroke", "1 5,5 6,6")
    state = {
        "control": {"question": "是否转移", "poll": 2, "roll": 1},
        "members": [
            {"person": HEAD, "poll": 2, "vote": "yes", "here": 1},
            {"person": CLERK, "poll": 1, "vote": "no", "here": 1},
            {"person": ABOVE, "poll": 2, "vote": "no", "here": 0},
        ],
    }
    row = town.desk(HEAD).get(Call, call)
    town.verify(lambda: board.count(town.desk(HEAD), row, state, [town.desk(one).node for one in (HEAD, ABOVE, BELOW)], vote=True, roll=True))
    town.carry()
    for one in (HEAD, CLERK, ABOVE, BELOW):
        found = board.shown(town.desk(one), call)
        assert [line.text for line in found.notes] == ["先转移 低洼处群众"] and [line.text for line in found.captions] == ["水位已到警戒线"]
        assert [len(sheet) for sheet in found.sheets] == [2, 1] and found.size == board.size(town.desk(one), call) == 8
        results = {each.question: each for each in found.results}
        assert [len(part) for part in (results["是否转移"].yes, results["是否转移"].no, results["是否转移"].silent)] == [1, 1, 1]
        assert (len(results[""].yes), len(results[""].silent)) == (2, 1)
    with pytest.raises(Missing):
        service.mark(town.desk(PLAIN), call, "note", "未受邀请")
    assert board.size(town.desk(PLAIN), call) == 0
    for what, text in (
        ("note", ""),
        ("note", "长" * 501),
        ("stroke", "5 1,1"),
        ("stroke", "0 1601,1"),
        ("stroke", "0"),
        ("clear", "x"),
        ("vote", "x"),
    ):
        with pytest.raises(Invalid):
            service.mark(town.desk(HEAD), call, what, text)
    service.end(town.desk(HEAD), call)
    with pytest.raises(NodeError):
        service.mark(town.desk(HEAD), call, "note", "散会以后")


def test_forged_calls_fold_to_nothing(town: Town) -> None:
    """A call of which its chair is not, one opened twice, and an end by somebody else change nothing."""
    desk, call = town.desk(PLAIN), service.open_(town.desk(HEAD), "真会商", [PLAIN])
    wrong = [(Opened("假", (HEAD,)), uuid7()), (Opened("假", (PLAIN,)), call), (Opened("假", (PLAIN,), b"x" * 16), call), (Ended((PLAIN,)), call)]
    wrong += [(Asked((DUTY,), "假", (PLAIN,), b"y" * 16), call), (Declined(call, "替人"), own_id(call, HEAD, "declined"))]
    for content, record in wrong:
        town.desk(PLAIN).write(content, record=record)
    row = desk.get(Call, call)
    assert (row.title, row.chair, row.state) == ("真会商", HEAD, State.OPEN)
    assert [one.title for one in town.desk(HEAD).list(Call, Call.title == "假")] == []
    assert isinstance(Refused(), NodeError)


def test_nobody_writes_on_a_board_for_others(town: Town) -> None:
    """A forged mark of somebody who was not asked, under another's record or out of shape is not folded, at any node."""
    call = service.open_(town.desk(HEAD), "干部会商", [CLERK, ABOVE])
    town.carry()
    stranger, seed = town.desk(PLAIN), bytes(8)
    for content, record in (
        (Marked(call, "note", "冒名", seed), own_id(call, PLAIN, f"board {seed.hex()}")),
        (Marked(call, "note", "冒名", seed), own_id(call, HEAD, f"board {seed.hex()}")),
        (Counted(call, "是否", (PLAIN,), (PLAIN,), (), (), seed), own_id(call, PLAIN, f"board {seed.hex()}")),
    ):
        stranger.write(content, record=record, to=[town.desk(HEAD).node, town.desk(ABOVE).node])
    guest = town.desk(CLERK)
    guest.write(Marked(call, "stroke", "9 noise", seed), record=own_id(call, CLERK, f"board {seed.hex()}"), to=[town.desk(HEAD).node])
    town.carry()
    assert board.size(town.desk(HEAD), call) == board.size(town.desk(ABOVE), call) == 0
