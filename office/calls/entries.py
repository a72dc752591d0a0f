"""The signed kinds of calls."""

from __future__ import annotations

from node.kinds import Content, kind

TITLE, MANY = 100, 50
"Most characters of a title, most people of a call."


@kind("calls.opened")
class Opened(Content, frozen=True):
    """Somebody opens a call for some people, the one who opens it among them."""

    title: str
    people: tuple[str, ...]


@kind("calls.asked")
class Asked(Content, frozen=True):
    """The chair asks more people to it."""

    people: tuple[str, ...]


@kind("calls.ended")
class Ended(Content, frozen=True):
    """The chair has ended it."""

    present: tuple[str, ...]
    "Who was there to the end."
