"""Verbs of calls, and what the home page shows of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from node import clock
from node.codec import uuid7
from node.directory.entries import Person
from node.errors import Invalid, NodeError
from office.calls import line
from office.calls.entries import MANY, TITLE, Asked, Ended, Opened
from office.calls.model import Call, Guest
from office.calls.workflow import CHAIR, FLOW, GUEST, State
from office.frame.desk import Desk
from office.frame.todo import Todo
from office.frame.words import _

RINGS = 12 * 3_600_000
"Milliseconds for which an open call asks people to come."


def open_(desk: Desk, title: str, people: Sequence[str]) -> str:
    """Open a call for people of this node; its id."""
    title = " ".join(title.split())
    if not 0 < len(title) <= TITLE:
        raise Invalid(_("请填写会商名称，不超过一百字。"))
    asked = _people(desk, people)
    call = uuid7()
    desk.write(Opened(title, (desk.person, *(one for one in asked if one != desk.person))), record=call)
    return call


def ask(desk: Desk, call: str, people: Sequence[str]) -> None:
    """Ask more people to an open call."""
    row = _step(desk, call, "ask")
    if len(guests(desk, call)) + len(people) > MANY:
        raise Invalid(_("一次会商不超过 {n} 人。").format(n=MANY))
    desk.write(Asked(tuple(_people(desk, people))), record=call, after=(row.said,))


def end(desk: Desk, call: str) -> None:
    """End a call for everybody; who is there is written down."""
    row = _step(desk, call, "end")
    try:
        present = media(desk, call, "end")["people"]
    except NodeError:  # a relay that is away has nobody in it
        present = []
    known = {one.person for one in guests(desk, call)}
    desk.write(Ended(tuple(one for one in present if one in known)), record=call, after=(row.said,))


def media(desk: Desk, call: str, verb: str, **fields: str) -> dict[str, Any]:
    """What the relay answers to somebody who was asked to the call."""
    row = _step(desk, call, "join")
    return line.ask(desk.settings, verb, row.id, desk.person, desk.name, chairs=row.chair == desk.person, **fields)


def guests(desk: Desk, call: str) -> list[Guest]:
    """Who was asked to a call."""
    return desk.list(Guest, Guest.call == call, order=Guest.person, limit=MANY)


def moves(desk: Desk, row: Call) -> set[str]:
    """What the person may do with a call now."""
    return {move.name for move in FLOW.offers(row.state, _parts(desk, row))}


def todo(desk: Desk) -> list[Todo]:
    """Open calls to which the person was asked; they ring. One that was opened long ago and never ended rings no more."""
    young = Call.opened_at > clock.to_ms(desk.now) - RINGS
    rows = desk.list(Call, Call.state == State.OPEN, Call.chair != desk.person, young, order=Call.opened_at.desc())
    return [
        Todo(
            title=row.title,
            url=f"/calls/{row.id}",
            arrived=clock.from_ms(row.opened_at),
            state=_("请您加入"),
            urgency="flash",
            room=_("会商"),
            source=card.name if (card := desk.directory.person(row.chair)) is not None else "",
        )
        for row in rows
    ]


def colleagues(desk: Desk, asked: str = "") -> list[Person]:
    """People of this node: those who are found, else those of one's own organs; oneself left out."""
    if asked:
        found = {one.person.id: one.person for one in desk.directory.search(asked)}
    else:
        found = {one.person.id: one.person for post in desk.posts for one in desk.directory.people_of(post.organ)}
    return [one for one in found.values() if one.id != desk.person and _home(desk, one.id) == desk.node][:200]


def _home(desk: Desk, person: str) -> str:
    organs = [held.organ for held in desk.directory.appointments_of(person)]
    return organs[0].node if organs else ""


def _people(desk: Desk, people: Sequence[str]) -> list[str]:
    chosen = list(dict.fromkeys(people))
    if not chosen or len(chosen) >= MANY:
        raise Invalid(_("请选择参加人，不超过 {n} 人。").format(n=MANY))
    for one in chosen:
        if desk.directory.person(one) is None or _home(desk, one) != desk.node:
            raise Invalid(_("目前只能请本节点的人员参加会商。"), code="elsewhere")
    return chosen


def _step(desk: Desk, call: str, move: str) -> Call:
    row = desk.get(Call, call)
    FLOW.step(row.state, move, _parts(desk, row))
    return row


def _parts(desk: Desk, row: Call) -> set[str]:
    return {CHAIR, GUEST} if row.chair == desk.person else {GUEST}
