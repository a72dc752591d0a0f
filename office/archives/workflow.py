"""States of items and lists, who moves them, the code of an item, and the guess how long to keep it. Pure.

Retention follows 国家档案局令第8号 and the hints of the organ's own schedule; it is a proposal with its reason, and the archivist decides.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from enum import StrEnum

from office.frame.flow import Flow, Move

SHANGHAI = dt.timezone(dt.timedelta(hours=8), "Asia/Shanghai")
ARCHIVIST, CLERK, HEAD = "archivist", "registry_clerk", "signer"
FILERS = (ARCHIVIST, CLERK)
WATCHERS = (ARCHIVIST, CLERK, HEAD)
"Roles that see the holdings of their organ."
SUPERVISORS = (*WATCHERS, "reviewer", "seal_keeper")
"Roles that may supervise a destruction; they see the lists and what stands on them."
CLASS = "WS"
"门类 of documents: 文书."
YEARS = {"Y": 0, "D30": 30, "D10": 10}
"Retention to years; 0 for ever."
SECTION = re.compile(r"[A-Z]{2,8}")
FONDS = re.compile(r"[A-Z0-9]{1,12}")


class State(StrEnum):
    """Where an item stands."""

    PROPOSED = "proposed"
    LEFT_OUT = "left_out"
    KEPT = "kept"
    DOOMED = "doomed"
    "Appraised as fit to be destroyed."
    LISTED = "listed"
    DESTROYED = "destroyed"
    TRANSFERRED = "transferred"


class Disposal(StrEnum):
    """Where a destruction list stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    DONE = "done"


ITEM = Flow(
    Move("arrange", (State.PROPOSED, State.LEFT_OUT), State.KEPT, by=FILERS),
    Move("leave_out", State.PROPOSED, State.LEFT_OUT, by=FILERS),
    Move("test", (State.KEPT, State.DOOMED), None, by=FILERS),
    Move("lend", State.KEPT, None, by=FILERS),
    Move("give_back", (State.KEPT, State.DOOMED, State.LISTED), None, by=FILERS),
    Move("hold", (State.KEPT, State.DOOMED), None, by=(*FILERS, HEAD)),
    Move("appraise", (State.KEPT, State.DOOMED), None, by=FILERS),
)
LIST = Flow(
    Move("approve", Disposal.PROPOSED, Disposal.APPROVED, by=HEAD),
    Move("reject", Disposal.PROPOSED, Disposal.REJECTED, by=HEAD),
    Move("supervise", Disposal.APPROVED, None, by=SUPERVISORS),
    Move("destroy", Disposal.APPROVED, Disposal.DONE, by=FILERS),
)


@dataclass(frozen=True, kw_only=True)
class Matter:
    """What the guess is made of."""

    incoming: bool
    kind: str
    title: str
    handled: bool = False
    "Somebody here had to handle it; else it came for information."
    ended: bool = False
    "Recalled, void or sent back."


@dataclass(frozen=True)
class Guess:
    """How long to keep an item, empty for not at all, and the code of the reason."""

    retention: str
    reason: str


_LASTING = re.compile(r"任免|任命|免职|印章|机构编制|行政区划|发展规划|总体规划|年度工作(总结|计划|要点)|五年")
_DECIDES = ("resolution", "decision", "order", "communique", "bill")


def guess(matter: Matter) -> Guess:
    """The proposal for an item, from kind and role."""
    if matter.ended:
        return Guess("", "ended")
    if _LASTING.search(matter.title):
        return Guess("Y", "lasting")
    return _of_incoming(matter) if matter.incoming else _of_own(matter)


def _of_incoming(matter: Matter) -> Guess:
    if matter.kind == "reply":
        return Guess("D30", "their_reply")
    return Guess("D30", "handled") if matter.handled else Guess("D10", "for_information")


def _of_own(matter: Matter) -> Guess:
    if matter.kind in _DECIDES:
        return Guess("Y", "own_decision")
    if matter.kind == "minutes":
        return Guess("Y", "own_minutes")
    if matter.kind in ("request", "report", "reply", "opinion"):
        return Guess("D30", "own_business")
    return Guess("D10", "own_routine")


def class_name(fonds: str, year: int, retention: str, section: str) -> str:
    """The smallest class, in which items are numbered from one."""
    return f"{fonds}-{CLASS}·{year}-{retention}-{section}"


def code(fonds: str, year: int, retention: str, section: str, number: int) -> str:
    """档号 after DA/T 22: ``Z109-WS·2026-Y-BGS-0001``."""
    return f"{class_name(fonds, year, retention, section)}-{number:04}"


def day(moment: dt.datetime) -> dt.date:
    """The day in the prefecture."""
    return moment.astimezone(SHANGHAI).date()


def expires(year: int, retention: str) -> int:
    """The year at whose beginning an item is to be appraised; 0 for never."""
    return year + YEARS[retention] + 1 if YEARS[retention] else 0


def hand_in(year: int) -> dt.date:
    """Rule ``archive.hand_in``: filed by 30 June of the following year."""
    return dt.date(year + 1, 6, 30)
