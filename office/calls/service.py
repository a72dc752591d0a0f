"""Verbs of calls, and what the home page shows of them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import select

from node import clock
from node.errors import Invalid, NodeError
from office.calls import board
from office.calls.entries import MANY, TITLE, WHY, Asked, Declined, Ended, Noted, Opened, call_id, own_id
from office.calls.model import Call, Guest
from office.calls.workflow import CHAIR, FLOW, GUEST, MISSED, State
from office.frame import relay
from office.frame.desk import Desk
from office.frame.reach import name_of
from office.frame.todo import Todo
from office.frame.words import _

RINGS, MISSED_FOR = 2 * 3_600_000, 7 * 86_400_000
"Milliseconds for which an open call asks people to come, and for which a missed one is shown."


def open_(desk: Desk, title: str, people: Sequence[str]) -> str:
    """Open a call for people of the whole network; its id."""
    title = " ".join(title.split())
    if not 0 < len(title) <= TITLE:
        raise Invalid(_("请填写会商名称，不超过一百字。"))
    everybody = (desk.person, *(one for one in _people(desk, people) if one != desk.person))
    seed = desk.away.random("call", title) if desk.away else secrets.token_bytes(16)
    call = call_id(desk.person, desk.node, seed)
    desk.write(Opened(title, everybody, seed), record=call, to=_nodes(desk, everybody))
    return call


def ask(desk: Desk, call: str, people: Sequence[str]) -> None:
    """Ask more people to an open call; whose node knew nothing of it learns all of it."""
    row, held = _step(desk, call, "ask"), _everybody(desk, call)
    more = [one for one in _people(desk, people) if one not in held]
    if len(held) + len(more) > MANY:
        raise Invalid(_("一次会商不超过 {n} 人。").format(n=MANY))
    if more:
        desk.write(Asked(tuple(more), row.title, tuple(held), row.seed), record=call, to=_nodes(desk, (*held, *more)))


def decline(desk: Desk, call: str, why: str) -> None:
    """Say that one does not come; everybody who was asked sees the reason."""
    row = _step(desk, call, "decline")
    why = " ".join(why.split())
    if not 0 < len(why) <= WHY:
        raise Invalid(_("请填写不参加的原因，不超过六十字。"))
    everybody = _everybody(desk, call)
    desk.write(Declined(call, why), record=own_id(call, desk.person, "declined"), after=(row.said,), to=_nodes(desk, everybody))


def note(desk: Desk, call: str) -> None:
    """Say that one knows of a call one missed: it asks for attention no more."""
    _step(desk, call, "note")
    desk.write(Noted(call), record=own_id(call, desk.person, "noted"))


def end(desk: Desk, call: str) -> None:
    """End a call for everybody; who is there is written down."""
    row = _step(desk, call, "end")
    try:
        _count(desk, row, media(desk, call, "state"), vote=True, roll=True)
        present = media(desk, call, "end")["people"]
    except NodeError:  # a relay that is away has nobody in it
        present = []
    known = {one.person for one in guests(desk, call)}
    content = Ended(tuple(one for one in present if one in known))
    desk.write(content, record=call, after=(row.said,), to=_nodes(desk, known))


def mark(desk: Desk, call: str, what: str, text: str) -> int:
    """Put a note, a caption or a stroke on the board, or clear its whiteboard; how much stands there now."""
    row = _step(desk, call, "mark")
    board.put(desk, row, what, text, _nodes(desk, _everybody(desk, call)))
    return board.size(desk, call)


def lead(desk: Desk, call: str, wish: str) -> dict[str, Any]:
    """The chair's or a deputy's word to the relay; a vote or a roll call that it ends is put down first."""
    row = _step(desk, call, "join")
    try:
        asked = msgspec.json.decode(wish, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        asked = {}  # the relay says what is wrong with it
    before = media(desk, call, "state") if asked.keys() & {"question", "roll"} else {}
    told = media(desk, call, "lead", wish=wish)
    if before:
        _count(desk, row, before, vote=asked.get("question") is not None, roll=bool(asked.get("roll")))
    return told


def _count(desk: Desk, row: Call, state: dict[str, Any], *, vote: bool, roll: bool) -> None:
    board.count(desk, row, state, _nodes(desk, _everybody(desk, row.id)), vote=vote, roll=roll)


def media(desk: Desk, call: str, verb: str, **fields: str) -> dict[str, Any]:
    """What the relay answers to somebody who was asked to the call."""
    row = _step(desk, call, "join")
    home, names = desk.known(("call", call), lambda: _circle(desk, call))
    told = relay.ask(desk.settings, verb, row.id, desk.person, desk.name, chairs=row.chair == desk.person, home=home, **fields)
    for one in told.get("members", ()):
        one["name"] = called(one["person"], one["name"], names)
    return told


def _circle(desk: Desk, call: str) -> tuple[str, dict[str, str]]:
    """The lowest node under which everybody is who was asked, and their names."""
    asked = _everybody(desk, call)
    return _meeting(desk, _nodes(desk, asked)), {one: name_of(desk, one) for one in asked}


def called(person: str, said: str, names: Mapping[str, str]) -> str:
    """The name of somebody in a call: the address book's, and of one whom nobody asked what a neighbouring relay says, marked as such."""
    return names.get(person) or _("{name}（未受邀请）").format(name=said[:40])


def guests(desk: Desk, call: str) -> list[Guest]:
    """Who was asked to a call."""
    return desk.list(Guest, Guest.call == call, order=Guest.person, limit=MANY)


def _everybody(desk: Desk, call: str) -> list[str]:
    return [one.person for one in guests(desk, call)]


def moves(desk: Desk, row: Call) -> set[str]:
    """What the person may do with a call now."""
    return {move.name for move in FLOW.offers(row.state, _parts(desk, row))}


def todo(desk: Desk) -> list[Todo]:
    """Open calls to which the person was asked, which ring, and those missed of late.

    One that was opened long ago and never ended rings no more; one that the person declined neither rings nor counts as missed.
    """
    now = clock.to_ms(desk.now)
    mine = select(Guest.call).where(Guest.person == desk.person, Guest.declined == "", Guest.present.is_(False), Guest.noted.is_(False))
    rings = (Call.state == State.OPEN) & (Call.opened_at > now - RINGS)
    missed = (Call.state == State.ENDED) & (Call.ended_at > now - MISSED_FOR)
    rows = desk.list(Call, Call.id.in_(mine), Call.chair != desk.person, rings | missed, order=Call.opened_at.desc())
    return [_todo(desk, row) for row in rows]


def _todo(desk: Desk, row: Call) -> Todo:
    rings = row.state == State.OPEN
    return Todo(
        title=row.title,
        url=f"/calls/{row.id}",
        arrived=clock.from_ms(row.opened_at),
        state=_("请您加入") if rings else _("未接会商"),
        urgency="flash" if rings else "",
        room=_("会商"),
        source=name_of(desk, row.chair),
    )


def _people(desk: Desk, people: Sequence[str]) -> list[str]:
    chosen = list(dict.fromkeys(people))
    if not chosen or len(chosen) >= MANY:
        raise Invalid(_("请选择参加人，不超过 {n} 人。").format(n=MANY))
    if any(desk.directory.person(one) is None for one in chosen):
        raise Invalid(_("通讯录中没有这个人。"))
    return chosen


def _nodes(desk: Desk, people: Iterable[str]) -> list[str]:
    return sorted({desk.directory.person_home(one) for one in people} - {""})


def _meeting(desk: Desk, nodes: Sequence[str]) -> str:
    """The lowest node under which all of these are: streams go no higher."""
    tree = desk.directory.tree()
    lines = [tree.ancestors(node) for node in (desk.node, *nodes)]
    return next((one for one in lines[0] if all(one in line for line in lines)), lines[0][-1])


def _step(desk: Desk, call: str, move: str) -> Call:
    row = desk.get(Call, call)
    FLOW.step(row.state, move, _parts(desk, row))
    return row


def _parts(desk: Desk, row: Call) -> set[str]:
    if row.chair == desk.person:
        return {CHAIR}
    own = desk.list(Guest, Guest.call == row.id, Guest.person == desk.person)
    return {GUEST, MISSED} if own and not (own[0].present or own[0].noted or own[0].declined) else {GUEST}
