"""What waits for a person, from every room, in one shape."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any

from node.errors import Missing
from office.frame.clocks import Clock

if TYPE_CHECKING:
    from office.frame.desk import Desk


class Column(StrEnum):
    """Where a matter stands for the person: 待办, 在办, 已办."""

    TODO = "todo"
    HAND = "hand"
    DONE = "done"


@dataclass(frozen=True, kw_only=True)
class Todo:
    """A matter on somebody's home page; a room's ``service.todo(desk)`` returns a list of them, the newest first."""

    title: str
    url: str
    arrived: dt.datetime
    state: str
    "The state in the room's own word, translated when shown."
    column: Column = Column.TODO
    due: dt.datetime | None = None
    urgency: str = "none"
    "none, urgent or flash."
    room: str = ""
    "Name of the room, in words for people."
    post: str = ""
    "Title of the post for which it waits."
    number: str = ""
    "Document number or the like."
    source: str = ""
    "From whom it came."
    about: str = ""
    "One more line, such as why it was sent back."

    def overdue(self, now: dt.datetime) -> bool:
        """Whether the matter waits although its time is over."""
        return self.due is not None and self.due < now and self.column is not Column.DONE


class Why(StrEnum):
    """Why something is brought to a person's notice."""

    NEAR = "near"
    PASSED = "passed"
    RECENT = "recent"


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Something to know: a term that ends, or what came in of late; a room's ``service.notices(desk)`` returns a list of them."""

    title: str
    url: str
    at: dt.datetime
    "When it came."
    why: Why
    due: dt.datetime | None = None
    urgency: str = "none"
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Running:
    """A term of the law that runs in a matter; a room's ``service.running(desk)`` returns all of this node's."""

    clock: Clock
    title: str = ""
    url: str = ""
    "Both empty for a matter that the person may not see: that a term runs is known, not in what."


def gather(desk: Desk, what: str) -> tuple[list[Any], list[str]]:
    """What every room of the tier answers to ``service.<what>(desk)``, and the rooms that cannot answer while their tables are built."""
    found: list[Any] = []
    missing: list[str] = []
    for module in desk.office.tier.parts("service"):
        asks = getattr(module, what, None)
        if asks is None:
            continue
        try:
            found += desk.known((what, module.__name__), partial(asks, desk))
        except Missing:
            missing.append(module.__name__.split(".")[1])
    return found, missing
