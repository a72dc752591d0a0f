"""The signed kinds of calls."""

from __future__ import annotations

import uuid

from node.kinds import Content, kind

TITLE, MANY, WHY = 100, 200, 60
"Most characters of a title, most people of a call, most characters of why somebody does not come."
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
