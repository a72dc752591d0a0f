"""The signed kinds of messages."""

from __future__ import annotations

import uuid
from typing import ClassVar

from node.codec import Natural, Value
from node.kinds import Content, kind
from office.frame.annex import Annex

NAME, WORDS, MANY = 60, 4_000, 500
"Most characters of a group's name and of a message, most members."
FILES, CLIP, REASON = 9, 120, 60
"Most files of a message, most seconds of a voice clip, most characters of why a message is urgent."


class Member(Value, frozen=True):
    """Somebody in a conversation, and the node where they read and write."""

    person: str
    node: str


class Seen(Value, frozen=True):
    """How many of an author's messages somebody has read."""

    author: str
    number: Natural


@kind("messages.gathered")
class Gathered(Content, frozen=True):
    """A conversation as it is from now on, whole; of two the higher number stands."""

    conversation: str
    number: Natural
    "1 is the first roster."
    owner: str
    "Empty for one to one, where both are equal and the roster never changes."
    name: str
    members: tuple[Member, ...]
    ends: str = ""
    "Last day on which something may be said in it, such as 2026-12-31; empty for none."
    days: Natural = 0
    "For how many days messages are shown; 0 for ever."
    closed: bool = False
    seed: bytes = b""
    "Of a group: with its owner and home what its id is made of; empty in groups of before."
    left: tuple[Seen, ...] = ()
    "Of those whom this roster puts out: how many of their messages count under earlier ones, as far as the owner's node has them."


@kind("messages.said")
class Said(Content, frozen=True):
    """Somebody says something; its record is the message."""

    conversation: str
    roster: Natural
    "Number of the roster under which it is said: those people read it."
    number: Natural
    "How many messages the author has now said in the conversation."
    moment: Natural
    "Milliseconds since 1970 UTC; later than every message its author had before them, so that answers stand after what they answer."
    text: str
    "Empty where files say it all."
    files: tuple[Annex, ...] = ()
    seconds: Natural = 0
    "Of a voice clip (语音), which then is the only file; 0 for none."
    urgent: str = ""
    "Why it cannot wait (紧急事由); empty where it can."


@kind("messages.recalled")
class Recalled(Content, frozen=True):
    """The author takes a message back; that there was one stays to be seen."""


@kind("messages.read")
class Read(Content, frozen=True):
    """How far somebody has read a conversation: a count for each author, which only grows."""

    conversation: str
    seen: tuple[Seen, ...]


@kind("messages.kept")
class Kept(Content, frozen=True):
    """Somebody makes a matter of a message for themselves: it waits on their home page, with what was said and its proof."""

    inner: ClassVar[bool] = True

    message: str
    statement: bytes
    "Id of the signed statement of the message."
    author: str
    text: str
    due: str = ""
    "The day by which, such as 2026-12-31."
    files: tuple[Annex, ...] = ()
    "The files of the message, which the matter keeps though the message be taken back."


@kind("messages.settled")
class Settled(Content, frozen=True):
    """What was made of a message is done."""

    inner: ClassVar[bool] = True


@kind("messages.hushed")
class Hushed(Content, frozen=True):
    """Between which minutes of the day somebody does not want to be told of what can wait (免打扰); the same twice for never."""

    inner: ClassVar[bool] = True

    begins: Natural
    "Minutes after midnight of Asia/Shanghai."
    ends: Natural
    "May be the smaller one, for a night."


_SPACE = uuid.UUID("0b1f3d1e-64f5-5a0e-9d58-5b1f2f0c9a77")


def pair_id(one: str, other: str) -> str:
    """The conversation of two persons, whoever of them begins it."""
    return str(uuid.uuid5(_SPACE, "pair\0" + "\0".join(sorted((one, other)))))


def group_id(owner: str, home: str, seed: bytes) -> str:
    """The id of a group, which nobody but its owner at its home can claim."""
    return str(uuid.uuid5(_SPACE, f"group\0{owner}\0{home}\0{seed.hex()}"))


def message_id(conversation: str, author: str, number: int) -> str:
    """The id of an author's message of a number."""
    return str(uuid.uuid5(_SPACE, f"message\0{conversation}\0{author}\0{number}"))


def own_id(conversation: str, person: str, what: str) -> str:
    """Record of one person's own part of a conversation: ``began``, ``said`` or ``read``."""
    return str(uuid.uuid5(_SPACE, f"{what}\0{conversation}\0{person}"))
