"""The signed kinds of archives; all stay with the organ's own node."""

from __future__ import annotations

import uuid

from node.codec import Hash, Natural, Value
from node.kinds import Content, kind

_ITEMS = uuid.UUID("7d0c6a3e-2f55-5b0a-8f2b-5a2a0d9b7c31")


def item_id(doc: str, organ: str) -> str:
    """Id of the item that ``organ`` files of ``doc``."""
    return str(uuid.uuid5(_ITEMS, f"{doc}\0{organ}"))


class Finding(Value, frozen=True):
    """One thing that a test found wrong."""

    property: str
    "authentic, complete, usable or safe."
    code: str
    about: str


@kind("archives.fonds_registered")
class FondsRegistered(Content, frozen=True):
    """The organ's fonds number and the section that is proposed; record is the organ's id with a prefix."""

    organ: str
    fonds: str
    section: str


@kind("archives.arranged")
class Arranged(Content, frozen=True):
    """The item is filed under its code, once and for ever."""

    organ: str
    fonds: str
    year: Natural
    retention: str
    section: str
    number: Natural
    code: str
    pages: Natural
    openness: str
    "开放意见: open, later or never."
    proposed: str
    "What the program had proposed, so that guesses can be judged."
    digest: Hash
    "Of the document's rendered text; tests compare."


@kind("archives.left_out")
class LeftOut(Content, frozen=True):
    """The item is not to be filed."""

    organ: str
    reason: str


@kind("archives.tested")
class Tested(Content, frozen=True):
    """A four-property test and what it found; nothing found is a pass."""

    organ: str
    occasion: str
    "filing, kept or transfer."
    findings: tuple[Finding, ...]


@kind("archives.lent")
class Lent(Content, frozen=True):
    """A person may read the item until a day."""

    organ: str
    person: str
    purpose: str
    until: Natural
    "Milliseconds since 1970 UTC."


@kind("archives.given_back")
class GivenBack(Content, frozen=True):
    """The loan is over."""

    organ: str


@kind("archives.held")
class Held(Content, frozen=True):
    """The item must not be destroyed for now, or may be again."""

    organ: str
    on: bool
    reason: str


@kind("archives.appraised")
class Appraised(Content, frozen=True):
    """At the end of its retention: kept on for a longer one, or fit to be destroyed."""

    organ: str
    retention: str
    "The longer retention, or empty when it may be destroyed."
    reason: str


@kind("archives.list_proposed")
class ListProposed(Content, frozen=True):
    """A destruction list: these items and no others."""

    organ: str
    items: tuple[str, ...]
    reason: str


@kind("archives.list_approved")
class ListApproved(Content, frozen=True):
    """The head of the organ approves the list."""

    organ: str
    opinion: str


@kind("archives.list_rejected")
class ListRejected(Content, frozen=True):
    """The head of the organ does not; its items stay."""

    organ: str
    reason: str


@kind("archives.supervised")
class Supervised(Content, frozen=True):
    """One of two supervisors has compared the items with the list."""

    organ: str
    name: str


@kind("archives.destroyed")
class Destroyed(Content, frozen=True):
    """The items of an approved and twice supervised list are destroyed."""

    organ: str


@kind("archives.transferred")
class Transferred(Content, frozen=True):
    """A package with these items has been handed over to an archive."""

    organ: str
    items: tuple[str, ...]
    archive: str
    digest: Hash
    "SHA-256 of the package."
