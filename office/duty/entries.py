"""The signed kinds of duty: rosters and logs, reports of incidents, orders and what became of them."""

from __future__ import annotations

import uuid

from node.codec import Natural, Value
from node.kinds import Content, kind

PLACE, WORDS, MANY = 100, 2_000, 1_500
"Most characters of a place or contact and of a text, most organs of an order."


class To(Value, frozen=True):
    """An organ that is to get something, and its node."""

    organ: str
    node: str


class Report(Value, frozen=True):
    """What is known of an incident at a moment (省突发事件应对条例 §29)."""

    organ: str
    stage: str
    "first, follow, verified or final."
    number: Natural
    "1 is the first report."
    category: str
    level: str
    "1 特别重大 to 4 一般, or ``unknown``."
    place: str
    happened: Natural
    "Milliseconds since 1970 UTC, as all moments here."
    learned: Natural
    "When the organ learned of it."
    text: str
    dead: Natural = 0
    injured: Natural = 0
    missing: Natural = 0
    source: str = ""
    contact: str = ""
    measures: str = ""
    way: str = "network"
    "network, phone, message or radio: how it came to the duty officer who writes it down."
    phoned: Natural = 0
    "When the superior was told by telephone; 0 for not."
    unit: str = ""
    "The organ for which a superior's duty officer writes it down while its network is away."


@kind("duty.rostered")
class Rostered(Content, frozen=True):
    """Who is on duty on a day; the last one stands."""

    organ: str
    day: str
    leader: str
    officer: str
    standin: str
    phone: str


@kind("duty.logged")
class Logged(Content, frozen=True):
    """A line of the duty log."""

    organ: str
    text: str
    handover: bool = False
    "The line hands over to the next shift."


@kind("duty.reported")
class Reported(Content, frozen=True):
    """An incident is reported to those above; nobody has to approve the first report."""

    report: Report
    to: tuple[To, ...]
    skipped: str = ""
    "The organ between, which is informed and not waited for."


@kind("duty.received")
class Received(Content, frozen=True):
    """R2: a superior's duty officer has read the reports so far."""

    incident: str
    organ: str


@kind("duty.passed_on")
class PassedOn(Content, frozen=True):
    """A superior passes a report on to its own, whole and with a note."""

    incident: str
    home: str
    organ: str
    report: Report
    to: tuple[To, ...]
    note: str


@kind("duty.merged")
class Merged(Content, frozen=True):
    """Two incidents are one: this organ counts the one with the other."""

    incident: str
    into: str
    organ: str


@kind("duty.ordered")
class Ordered(Content, frozen=True):
    """An order to organs below or beside, each of which confirms it."""

    organ: str
    text: str
    to: tuple[To, ...]
    incident: str = ""


@kind("duty.confirmed")
class Confirmed(Content, frozen=True):
    """R2: the duty officer of an organ has the order."""

    order: str
    organ: str
    text: str


@kind("duty.escalated")
class Escalated(Content, frozen=True):
    """Nobody confirmed in time: the node goes on to the next way of reaching the organ."""

    order: str
    organ: str
    step: str
    "call or message."


@kind("duty.called")
class Called(Content, frozen=True):
    """The issuing duty room reached the organ by telephone, and somebody there has the order."""

    order: str
    organ: str
    text: str
    "Who answered and what was said."


_ANSWER = uuid.UUID("b6a6c0a0-3c55-5d5b-9a63-7f4a3d0c8e52")


def answer_id(matter: str, organ: str) -> str:
    """Record under which an organ answers about an incident or order of another."""
    return str(uuid.uuid5(_ANSWER, f"{matter}\0{organ}"))


def roster_id(organ: str, day: str) -> str:
    """Record of an organ's roster of a day."""
    return str(uuid.uuid5(_ANSWER, f"roster\0{organ}\0{day}"))
