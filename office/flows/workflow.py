"""What a draft can go through and who may draw flows. Pure."""

from __future__ import annotations

from enum import StrEnum

from office.frame.flow import Flow, Move

DESIGNERS = ("registry_clerk", "sysadmin")
"Roles that draw flows at their node."


class Stand(StrEnum):
    """Where a draft stands."""

    DRAFT = "draft"
    DROPPED = "dropped"


DRAFTS = Flow(
    Move("save", Stand.DRAFT, None, by=DESIGNERS),
    Move("publish", Stand.DRAFT, Stand.DROPPED, by=DESIGNERS),
    Move("drop", Stand.DRAFT, Stand.DROPPED, by=DESIGNERS),
)
