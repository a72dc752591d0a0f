"""The board of a call: notes, captions, a whiteboard, and the results of votes and roll calls, which stay when the call is over."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from node.codec import unpack
from node.errors import Invalid
from office.calls.entries import NOTE, Counted, Marked, fits, own_id
from office.calls.model import Call, Mark
from office.frame.desk import Desk
from office.frame.reach import name_of
from office.frame.words import _

MOST, SHOWN = 5_000, 400
"Marks on one board, and lines of a kind that a page shows at once."


def marks(desk: Desk, call: str) -> list[Mark]:
    """What stands on a board, in the order in which it was said."""
    return desk.list(Mark, Mark.call == call, order=(Mark.at, Mark.id), limit=MOST)


def size(desk: Desk, call: str) -> int:
    """How much stands on a board: a page looks anew when it is another number."""
    return desk.count(Mark, Mark.call == call, most=MOST)


def put(desk: Desk, row: Call, what: str, text: str, to: Sequence[str]) -> None:
    """Put something on the board of an open call."""
    text = text if what in ("stroke", "clear") else " ".join(text.split())
    if not fits(what, text):
        raise Invalid(_("请填写一至 {n} 个字。").format(n=NOTE))
    if size(desk, row.id) >= MOST:
        raise Invalid(_("这次会商的笔记和白板已经写满。"))
    _write(desk, row, Marked(row.id, what, text, _seed(desk, row.id, what, text)), to)


def count(desk: Desk, row: Call, state: Mapping[str, Any], to: Sequence[str], *, vote: bool, roll: bool) -> None:
    """Put down what a vote or a roll call has come to, by what the relay tells of the room."""
    control, members = state["control"], state["members"]
    people = {one["person"] for one in members}
    if vote and control["question"]:
        cast = {one["person"]: one["vote"] for one in members if one["poll"] == control["poll"]}
        _count(desk, row, control["question"], people, cast, to)
    if roll and control["roll"]:
        _count(desk, row, "", people, {one["person"]: "yes" for one in members if one["here"] == control["roll"]}, to)


def _count(desk: Desk, row: Call, question: str, people: set[str], cast: Mapping[str, str], to: Sequence[str]) -> None:
    yes, no, abstain, silent = (tuple(sorted(one for one in people if cast.get(one, "") == vote)) for vote in ("yes", "no", "abstain", ""))
    _write(desk, row, Counted(row.id, question, yes, no, abstain, silent, _seed(desk, row.id, question)), to)


def _seed(desk: Desk, *about: str) -> bytes:
    return desk.away.random(*about) if desk.away else secrets.token_bytes(8)


def _write(desk: Desk, row: Call, content: Marked | Counted, to: Sequence[str]) -> None:
    desk.write(content, record=own_id(row.id, desk.person, f"board {content.seed.hex()}"), after=(row.said,), to=to)


class Line(msgspec.Struct):
    """One line of a board as a page shows it."""

    id: str
    who: str
    at: int
    text: str


class Result(msgspec.Struct):
    """What a vote or a roll call has come to; names by vote."""

    id: str
    who: str
    at: int
    question: str
    yes: list[str]
    no: list[str]
    abstain: list[str]
    silent: list[str]


class Board(msgspec.Struct):
    """All of a board for a page."""

    size: int
    notes: list[Line]
    captions: list[Line]
    results: list[Result]
    sheets: list[list[tuple[str, str]]]
    "Whiteboards one after the other, each as (pen, points) a stroke."


def shown(desk: Desk, call: str) -> Board:
    """A board in words and strokes."""
    found, board = marks(desk, call), Board(0, [], [], [], [[]])
    names: dict[str, str] = {}
    for one in found:
        who = names.setdefault(one.person, name_of(desk, one.person))
        match one.what:
            case "note":
                board.notes.append(Line(one.id, who, one.at, one.text))
            case "caption":
                board.captions.append(Line(one.id, who, one.at, one.text))
            case "stroke":
                pen, _space, points = one.text.partition(" ")
                board.sheets[-1].append((pen, points))
            case "clear" if board.sheets[-1]:
                board.sheets.append([])
            case "vote" | "roll":
                board.results.append(_result(desk, one, who))
    board.size, board.notes, board.captions = len(found), board.notes[-SHOWN:], board.captions[-SHOWN:]
    return board


def _result(desk: Desk, mark: Mark, who: str) -> Result:
    counted = unpack(mark.content, Counted)
    parts = ([name_of(desk, one) for one in people] for people in (counted.yes, counted.no, counted.abstain, counted.silent))
    return Result(mark.id, who, mark.at, counted.question, *parts)
