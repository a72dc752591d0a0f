"""The verbs and questions of the archives room, in one place; and what waits for an archivist."""

from __future__ import annotations

import datetime as dt

from node import clock
from office.archives import disposal, workflow
from office.archives.filing import Choice, appraise, arrange, expired, give_back, hold, leave_out, lend, loan, moves, pages_of, register_fonds
from office.archives.handover import Package, pack, transfer
from office.archives.model import Item, Roll
from office.archives.proving import findings, test
from office.archives.workflow import FILERS, Disposal, State
from office.frame.desk import MOST, Desk
from office.frame.rights import with_role
from office.frame.todo import Column, Todo
from office.frame.words import _

__all__ = [
    "Choice",
    "Package",
    "accepted",
    "appraise",
    "arrange",
    "disposal",
    "expired",
    "findings",
    "give_back",
    "hold",
    "leave_out",
    "lend",
    "loan",
    "moves",
    "pack",
    "pages_of",
    "register_fonds",
    "test",
    "todo",
    "transfer",
    "waiting",
]


def waiting(desk: Desk) -> int:
    """How many items wait to be filed by the person."""
    return min(MOST, sum(_proposed(desk).values()))


def accepted(desk: Desk) -> tuple[int, int]:
    """(items filed, those of them filed with the retention that was proposed), so that the guesses can be judged."""
    return desk.count(Item, Item.code != ""), desk.count(Item, Item.code != "", Item.retention == Item.guess)


def _proposed(desk: Desk) -> dict[int, int]:
    """How many items of each year wait to be filed by the person."""
    organs = with_role(desk, *FILERS)
    where = Item.state == State.PROPOSED, Item.organ.in_(organs)
    return desk.known("archives.proposed", lambda: desk.tally(Item, Item.year, *where, narrow=None)) if organs else {}


def todo(desk: Desk) -> list[Todo]:
    """One matter for each year that must be handed in (rule ``archive.hand_in``), lists that wait, and loans that have ended."""
    found = [_hand_in(desk, year, count) for year, count in _proposed(desk).items() if year < workflow.day(desk.now).year]
    for roll in desk.list(Roll, Roll.state.in_((Disposal.PROPOSED, Disposal.APPROVED))):
        if disposal.moves(desk, roll):
            title = _("销毁清册：{reason}").format(reason=roll.reason)
            found.append(_todo(title, f"/archives/lists/{roll.id}", clock.from_ms(roll.proposed_at), _("待办")))
    late = (Item.lent(), Item.lent_until < clock.to_ms(desk.now), Item.organ.in_(with_role(desk, *FILERS)))
    for item in desk.list(Item, *late, narrow=True):
        found.append(_todo(item.title, f"/archives/{item.id}", clock.from_ms(item.lent_until), _("借阅到期"), due=loan(item)))
    return found


def _hand_in(desk: Desk, year: int, count: int) -> Todo:
    due = dt.datetime.combine(workflow.hand_in(year), dt.time(23, 59, 59), workflow.SHANGHAI)
    begun = dt.datetime(year + 1, 1, 1, tzinfo=workflow.SHANGHAI)
    return _todo(_("{year} 年度归档，还有 {n} 件").format(year=year, n=count), f"/archives?year={year}", begun, _("待归档"), due=due)


def _todo(title: str, url: str, at: dt.datetime, state: str, *, due: dt.datetime | None = None) -> Todo:
    return Todo(title=title, url=url, arrived=at, state=state, column=Column.TODO, due=due, room=_("档案"))
