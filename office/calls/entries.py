"""The signed kinds of calls."""

from __future__ import annotations

import re
import uuid

from node.kinds import Content, kind

TITLE, MANY, WHY = 100, 200, 60
"Most characters of a title, most people of a call, most characters of why somebody does not come."
NOTE, STROKE = 500, 400
"Most characters of a note or a caption, most points of a stroke."
WIDE, HIGH = 1600, 900
"The whiteboard's corner opposite to 0,0."
_LINE = re.compile(r"[0-3]( \d{1,4},\d{1,4}){1,400}")
_SPACE = uuid.UUID("6b1c0f2e-5a0e-4b43-9a35-0d7f5d6b8c11")


@kind("calls.opened")
class Opened(Content, frozen=True):
    """Somebody opens a call for some people, the one who opens it among them."""

    title: str
    people: tuple[str, ...]
    seed: bytes = b""
    "Makes the call's id, see :func:`call_id`; empty in calls of before they went beyond their node."


@kind("calls.asked")
class Asked(Content, frozen=True):
    """The chair asks more people to it; whoever hears of the call only now learns all of it."""

    people: tuple[str, ...]
    title: str = ""
    before: tuple[str, ...] = ()
    "Who had been asked before."
    seed: bytes = b""


@kind("calls.declined")
class Declined(Content, frozen=True):
    """Somebody who was asked does not come, for this reason."""

    call: str
    why: str


@kind("calls.marked")
class Marked(Content, frozen=True):
    """Somebody puts something on the board of a call: what all read or see, and what stays when it is over."""

    call: str
    what: str
    "note, caption (what is said, typed along), stroke (on the whiteboard), clear (a fresh whiteboard)."
    text: str
    "A stroke is a pen of 0 to 3 and its points, ``2 15,20 18,25``; a clearing has none."
    seed: bytes
    "Makes the record's id."


@kind("calls.counted")
class Counted(Content, frozen=True):
    """The result of a vote or a roll call, as whoever led it put it down from what the relays told."""

    call: str
    question: str
    "What was voted on; empty for a roll call."
    yes: tuple[str, ...]
    "Persons; at a roll call those who answered."
    no: tuple[str, ...]
    abstain: tuple[str, ...]
    silent: tuple[str, ...]
    "Who was there and did not answer."
    seed: bytes


@kind("calls.ended")
class Ended(Content, frozen=True):
    """The chair has ended it."""

    present: tuple[str, ...]
    "Who was there to the end."


@kind("calls.noted")
class Noted(Content, frozen=True):
    """Somebody has taken note of a call they missed; said to nobody else."""

    call: str


def call_id(chair: str, home: str, seed: bytes) -> str:
    """The id of a call, which nobody but its chair at that node can claim."""
    return str(uuid.uuid5(_SPACE, f"call\0{chair}\0{home}\0{seed.hex()}"))


def own_id(call: str, person: str, what: str) -> str:
    """Record of one person's own part of a call: ``declined`` or ``noted``."""
    return str(uuid.uuid5(_SPACE, f"{what}\0{call}\0{person}"))


def fits(what: str, text: str) -> bool:
    """Whether something may stand on a board."""
    if what == "stroke":
        points = text.split(" ")[1:]
        return len(text) < 12 * STROKE and _LINE.fullmatch(text) is not None and all(_inside(*one.split(",")) for one in points)
    return not text if what == "clear" else what in ("note", "caption") and 0 < len(text) <= NOTE and text.isprintable()


def _inside(x: str, y: str) -> bool:
    return int(x) <= WIDE and int(y) <= HIGH
