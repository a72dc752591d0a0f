"""The signed kinds of meetings: what the arranging organ says, what those who are called answer, and what came of it."""

from __future__ import annotations

import datetime as dt
import uuid

from node.codec import Moment, Natural, Value, digest
from node.kinds import Content, kind

TITLE, WORDS, MANY = 200, 2_000, 1_500
"Most characters of a title and of a text, most organs or persons of a list."


class Item(Value, frozen=True):
    """A line of the agenda."""

    title: str
    organ: str = ""
    "Who reports."
    minutes: Natural = 0
    topic: str = ""
    "Id of the topic it came from."


class Plan(Value, frozen=True):
    """Everything about a meeting that its arranger decides."""

    organ: str
    kind: str
    "One of :data:`office.meetings.workflow.KINDS`."
    title: str
    begins: Moment
    "Milliseconds since 1970 UTC, as all moments here."
    ends: Moment
    venues: tuple[str, ...]
    "主会场 first, then 分会场."
    chair: str
    "Person id of the leader in the chair."
    organs: tuple[str, ...]
    "Who is called, in protocol order."
    podium: tuple[str, ...] = ()
    "Names on the platform by rank, the first in the middle."
    agenda: tuple[Item, ...] = ()
    contact: str = ""
    reply_by: Moment = 0
    reply_rule: str = "set"
    "The arranger set the term."
    principals: bool = False
    "The head of each organ is to come in person."
    note: str = ""


class Called(Value, frozen=True):
    """An organ that is called, and the way of its reply."""

    organ: str
    node: str
    via: str = ""
    "The organ that collects its reply; its own id for one that collects; empty: the reply goes straight to the arranger."


class Going(Value, frozen=True):
    """A person of a reply: comes, or asks for leave and may send somebody."""

    name: str
    title: str = ""
    phone: str = ""
    person: str = ""
    "Person id where the directory has one."
    leave: str = ""
    "Why the person asks for leave; empty for one who comes."
    substitute: str = ""
    substitute_title: str = ""


class Reply(Value, frozen=True):
    """What one organ answers to one round of a notice."""

    organ: str
    round: Natural
    at: Moment
    people: tuple[Going, ...]


class Decision(Value, frozen=True):
    """A matter that a meeting decided, for one organ to carry out."""

    text: str
    organ: str
    due: Moment = 0
    due_rule: str = "set"


@kind("meetings.proposed")
class Proposed(Content, frozen=True):
    """An organ puts a topic forward to the organ that arranges the meeting."""

    organ: str
    to: str
    title: str
    text: str
    presenter: str
    attend: str
    "列席单位, in words."
    minutes: Natural

    def speaks_for(self) -> tuple[str, ...]:
        """The organ that puts it forward."""
        return (self.organ,)


@kind("meetings.vetted")
class Vetted(Content, frozen=True):
    """The arranging organ lets a topic in, or gives it back with a reason."""

    topic: str
    organ: str
    passed: bool
    opinion: str


@kind("meetings.planned")
class Planned(Content, frozen=True):
    """The meeting is to be so; the whole of it, the last one stands."""

    plan: Plan

    def speaks_for(self) -> tuple[str, ...]:
        """The organ that arranges it."""
        return (self.plan.organ,)


@kind("meetings.approved")
class Approved(Content, frozen=True):
    """A leader lets the meeting be held."""

    opinion: str


@kind("meetings.notified")
class Notified(Content, frozen=True):
    """The notice: who is called when and where; a further one replaces it, and a change of time begins a new round."""

    plan: Plan
    called: tuple[Called, ...]
    issue: Natural
    round: Natural
    note: str
    "What was changed."
    salt: bytes
    "From which sign-in codes are made."

    def speaks_for(self) -> tuple[str, ...]:
        """The organ that calls."""
        return (self.plan.organ,)


@kind("meetings.cancelled")
class Cancelled(Content, frozen=True):
    """The meeting is not held."""

    reason: str


@kind("meetings.signed_for")
class SignedFor(Content, frozen=True):
    """R2: a clerk of an organ that is called signs for the notice."""

    meeting: str
    organ: str


@kind("meetings.replied")
class Replied(Content, frozen=True):
    """An organ names who comes, who asks for leave and who comes instead; the last reply of a round stands."""

    meeting: str
    reply: Reply


@kind("meetings.gathered")
class Gathered(Content, frozen=True):
    """An organ sends up the replies of those under it and its own, as one list."""

    meeting: str
    organ: str
    replies: tuple[Reply, ...]


@kind("meetings.excused")
class Excused(Content, frozen=True):
    """The arranging organ grants or declines a leave and with it the substitute."""

    organ: str
    name: str
    round: Natural
    granted: bool
    opinion: str


@kind("meetings.attended")
class Attended(Content, frozen=True):
    """Somebody is there: signed in by code at the main or a branch venue."""

    meeting: str
    organ: str
    name: str
    round: Natural


@kind("meetings.ended")
class Ended(Content, frozen=True):
    """The meeting was held from then to then."""

    begun: Moment
    ended: Moment


@kind("meetings.minuted")
class Minuted(Content, frozen=True):
    """The minutes were handed to the documents room as a draft of the kind 纪要."""

    doc: str


@kind("meetings.decided")
class Decided(Content, frozen=True):
    """What was decided, handed to those who carry it out; the list only grows at its end."""

    title: str
    decisions: tuple[Decision, ...]


@kind("meetings.carried_out")
class CarriedOut(Content, frozen=True):
    """The organ a decision was handed to says what came of it."""

    decision: str
    text: str


@kind("meetings.closed")
class Closed(Content, frozen=True):
    """The arranging organ is done with the meeting."""

    on: dt.date


_ANSWER = uuid.UUID("3c0f5b1e-7d1f-5c0e-8f53-6f2f6f0b7a21")


def answer_id(matter: str, organ: str) -> str:
    """Record under which an organ answers about a meeting, topic or decision of another: every node computes the same."""
    return str(uuid.uuid5(_ANSWER, f"{matter}\0{organ}"))


def decision_id(meeting: str, place: int) -> str:
    """Id of the decision at a place of the list, from 1."""
    return f"{meeting}.{place}"


def code(salt: bytes, organ: str, name: str) -> str:
    """The sign-in code of somebody who is expected: six digits that the organ's clerk and the door compute alike."""
    return f"{int.from_bytes(digest('meetings.code.1', salt, organ.encode(), name.encode())[:8], 'big') % 1_000_000:06d}"
