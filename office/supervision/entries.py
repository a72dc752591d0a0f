"""The signed kinds of supervision: items, and what the lead organ and whoever opened them say of them."""

from __future__ import annotations

import uuid

from node.codec import Natural, Value
from node.kinds import Content, kind

TITLE, WORDS, MANY = 200, 2_000, 30
"Most characters of a title and of a text, most milestones of an item."


class Milestone(Value, frozen=True):
    """Something that is to be reached on the way, by a day."""

    day: str
    text: str


@kind("supervision.opened")
class Opened(Content, frozen=True):
    """A task is given to a lead organ; with ``parent``, as a part of the task that this organ was given itself."""

    organ: str
    title: str
    text: str
    basis: str
    lead: str
    node: str
    "Of the lead organ."
    deadline: str
    milestones: tuple[Milestone, ...] = ()
    parent: str = ""
    over: str = ""
    "The organ that oversees the parent, which sees how it was split."
    source: str = ""
    "Id of what was handed to supervision and is taken up with this item."


@kind("supervision.signed_for")
class SignedFor(Content, frozen=True):
    """R2: the lead organ has the task."""

    item: str


@kind("supervision.reported")
class Reported(Content, frozen=True):
    """The lead organ says how far it is, or that all is done."""

    item: str
    number: Natural
    "1 is the first."
    text: str
    done: bool = False
    despite: str = ""
    "Why the whole is done although a part is still open."


@kind("supervision.accepted")
class Accepted(Content, frozen=True):
    """The report that all is done passes the review."""

    number: Natural
    text: str = ""


@kind("supervision.returned")
class Returned(Content, frozen=True):
    """The report that all is done does not pass: it is to be done again."""

    number: Natural
    reason: str


@kind("supervision.struck_off")
class StruckOff(Content, frozen=True):
    """Verified and off the list."""

    way: str
    "site or papers: how it was verified."
    finding: str
    despite: str = ""
    "Why it is struck off although a part is still open."


@kind("supervision.urged")
class Urged(Content, frozen=True):
    """Whoever opened the item urges the lead organ."""

    text: str


@kind("supervision.extension_asked")
class ExtensionAsked(Content, frozen=True):
    """The lead organ asks for a later deadline."""

    item: str
    number: Natural
    "1 is the first that was asked for."
    until: str
    reason: str


@kind("supervision.extension_decided")
class ExtensionDecided(Content, frozen=True):
    """The later deadline is granted, or not."""

    number: Natural
    until: str
    "The new deadline; empty for refused."
    text: str


_ANSWER = uuid.UUID("5d0c4f0e-6f0e-5b64-9a35-3c1f4d6b7a21")


def answer_id(item: str, organ: str) -> str:
    """Record under which a lead organ answers about an item of another."""
    return str(uuid.uuid5(_ANSWER, f"{item}\0{organ}"))


def referred_id(doc: str, organ: str) -> str:
    """Key of a document of which a recipient was handed to supervision."""
    return str(uuid.uuid5(_ANSWER, f"referred\0{doc}\0{organ}"))
