"""States of a call and who moves it. Pure."""

from __future__ import annotations

from enum import StrEnum

from office.frame.flow import Flow, Move


class State(StrEnum):
    """Where a call stands."""

    OPEN = "open"
    ENDED = "ended"


CHAIR, GUEST, MISSED = "chair", "guest", "missed"
FLOW = Flow(
    Move("ask", State.OPEN, State.OPEN, by=CHAIR),
    Move("end", State.OPEN, State.ENDED, by=CHAIR),
    Move("join", State.OPEN, State.OPEN, by=(CHAIR, GUEST)),
    Move("mark", State.OPEN, State.OPEN, by=(CHAIR, GUEST)),
    Move("decline", State.OPEN, State.OPEN, by=GUEST),
    Move("note", State.ENDED, State.ENDED, by=MISSED),
)
