"""States of a conversation and of what is made of a message, and who moves them. Pure."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from office.frame.flow import Flow, Move

OWNER, MEMBER, AUTHOR = "owner", "member", "author"
RECALL = dt.timedelta(minutes=2)
"For how long a message may be taken back."


class State(StrEnum):
    """Where a conversation stands."""

    OPEN = "open"
    ENDED = "ended"
    "Its last day is over."
    CLOSED = "closed"


FLOW = Flow(
    Move("say", State.OPEN, State.OPEN, by=MEMBER),
    Move("change", State.OPEN, State.OPEN, by=OWNER),
    Move("close", State.OPEN, State.CLOSED, by=OWNER),
    Move("change", State.ENDED, State.OPEN, by=OWNER),
    Move("close", State.ENDED, State.CLOSED, by=OWNER),
)


def state(closed: bool, ends: str, today: dt.date) -> State:
    """The state on a day."""
    if closed:
        return State.CLOSED
    return State.ENDED if ends and dt.date.fromisoformat(ends) < today else State.OPEN


def recallable(at: int, now: int) -> bool:
    """Whether a message of a moment (milliseconds) may still be taken back."""
    return now - at <= RECALL // dt.timedelta(milliseconds=1)


def hushed(begins: int, ends: int, minute: int) -> bool:
    """Whether a minute of the day lies in quiet hours, which may go over midnight."""
    return begins <= minute < ends if begins <= ends else minute >= begins or minute < ends
