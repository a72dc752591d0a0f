"""The kinds this room writes: those of the directory, which every node folds, and a person's own notes."""

from __future__ import annotations

import datetime as dt

from node.codec import Value
from node.directory.entries import Appointed, Calendar, Certified, Delegated, File, Listing, Organ, Person, Post, Revoked
from node.kinds import Content, kind

WRITES = (Organ, Post, Person, File, Appointed, Delegated, Certified, Revoked, Listing, Calendar)
"""What the verbs of this room say of the directory, each about one record of this node."""


class Absence(Value, frozen=True):
    """From one day up to and including another."""

    since: dt.date
    until: dt.date
    words: str
    "Where or why, as far as everybody may know."
    stand_in: str
    "Person id of whoever may be asked meanwhile, or empty."


@kind("people.phrased")
class Phrased(Content, frozen=True):
    """A person keeps these phrases (常用批语) at hand, in this order."""

    person: str
    phrases: tuple[str, ...]


@kind("people.announced")
class Announced(Content, frozen=True):
    """A person tells everybody of an absence (外出), or with None that it is over."""

    person: str
    absence: Absence | None
