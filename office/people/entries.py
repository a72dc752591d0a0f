"""The kinds this room writes: those of the directory, which every node folds, and a person's own notes."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from node.codec import Natural, Value
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


@kind("people.seal_asked")
class SealAsked(Content, frozen=True):
    """用印申请 or 制章申请: somebody asks that an organ's seal be put under something that is no document of the flow, or that one be made."""

    task: str
    "use or make."
    organ: str
    what: str
    "What is to be sealed, or which seal is wanted."
    copies: Natural
    reason: str


@kind("people.seal_decided")
class SealDecided(Content, frozen=True):
    """The application is granted, or it is not."""

    granted: bool
    words: str


@kind("people.seal_done")
class SealDone(Content, frozen=True):
    """What was granted is done: the seal was put under so many copies, or was made."""

    seal: str
    copies: Natural
    words: str


@kind("people.seal_withdrawn")
class SealWithdrawn(Content, frozen=True):
    """Whoever asked takes it back."""

    words: str


@kind("people.seal_moved")
class SealMoved(Content, frozen=True):
    """What became of a seal itself: 停用, 启用, 移交, 收回 or 销毁."""

    seal: str
    organ: str
    move: str
    "A move of :data:`office.people.workflow.SEALS`."
    words: str


@kind("people.announced")
class Announced(Content, frozen=True):
    """A person tells everybody of an absence (外出), or with None that it is over."""

    person: str
    absence: Absence | None


@kind("people.correction_asked")
class CorrectionAsked(Content, frozen=True):
    """A person asks that what is kept of him or her be put right (个人信息保护法 §46)."""

    inner: ClassVar[bool] = True
    person: str
    name: str
    office_phone: str
    mobile: str
    "As they should be; what is right already is repeated."
    words: str


@kind("people.correction_decided")
class CorrectionDecided(Content, frozen=True):
    """The administrator has put it right, or says why not; or the person takes the request back."""

    inner: ClassVar[bool] = True
    state: str
    "granted, refused or withdrawn."
    words: str
