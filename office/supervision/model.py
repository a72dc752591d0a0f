"""Tables and folds of supervision.

A document whose recipient was urged three times in vain and that its issuer handed to supervision (催办三次转督查) waits in ``referred`` until a
supervisor of the issuing organ opens an item of it.

What crosses between nodes sets columns of its own, so that it may come in any order; where an item stands is worked out of them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, false, or_
from sqlalchemy.orm import Mapped, Session, mapped_column

from node.codec import pack, unpack
from node.errors import Refused
from node.fold import Room
from node.kinds import Entry
from office.documents import entries as documents
from office.frame import account
from office.frame.rights import seen, with_role
from office.supervision import entries as said
from office.supervision.entries import Milestone
from office.supervision.workflow import MEMBERS, SUPERVISOR, State

ROOM = Room("supervision", version=3)


class Item(ROOM.Base):
    """A task that one organ was given by another."""

    __tablename__ = "items"
    id: Mapped[str] = mapped_column(primary_key=True)
    home: Mapped[str]
    organ: Mapped[str] = mapped_column(index=True)
    "Opened it and oversees it."
    lead: Mapped[str] = mapped_column(index=True)
    node: Mapped[str]
    "Of the lead organ."
    parent: Mapped[str] = mapped_column(index=True)
    over: Mapped[str] = mapped_column(index=True)
    title: Mapped[str]
    text: Mapped[str]
    basis: Mapped[str]
    deadline: Mapped[str] = mapped_column(index=True)
    milestones_bytes: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[int]
    signed_at: Mapped[int] = mapped_column(default=0)
    reports: Mapped[int] = mapped_column(default=0)
    "Number of the last report."
    final: Mapped[int] = mapped_column(default=0)
    "Number of the last report that all is done."
    returned: Mapped[int] = mapped_column(default=0)
    "Number of the last report that was returned."
    accepted: Mapped[int] = mapped_column(default=0)
    struck_at: Mapped[int] = mapped_column(default=0, index=True)
    urges: Mapped[int] = mapped_column(default=0)
    asked: Mapped[int] = mapped_column(default=0)
    "Number of the last extension that was asked for."
    decided: Mapped[int] = mapped_column(default=0)
    until: Mapped[str] = mapped_column(default="")
    "The deadline that was asked for last."
    said: Mapped[bytes] = mapped_column(LargeBinary)
    "Statement id of the opening, which all readers have."

    @property
    def state(self) -> State:
        """Where it stands, by what is known here."""
        if self.struck_at:
            return State.STRUCK
        if self.accepted:
            return State.ACCEPTED
        if self.final > self.returned:
            return State.REVIEW
        return State.HAND if self.signed_at else State.SENT

    @property
    def milestones(self) -> tuple[Milestone, ...]:
        """What is to be reached on the way."""
        return unpack(self.milestones_bytes, tuple[Milestone, ...])

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """The organ that opened it, the one that is to do it, and whoever oversees the whole of which it is a part."""
        mine = with_role(desk, *MEMBERS)
        return or_(cls.organ.in_(mine), cls.lead.in_(mine), cls.over.in_(mine))


class Paper(ROOM.Base):
    """What an organ of this node issued: whose it is and what it is called, for when it is handed to supervision."""

    __tablename__ = "papers"
    id: Mapped[str] = mapped_column(primary_key=True)
    organ: Mapped[str]
    title: Mapped[str]

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Nobody: the documents room shows documents."""
        return false()


class Referred(ROOM.Base):
    """A recipient that was urged three times in vain."""

    __tablename__ = "referred"
    id: Mapped[str] = mapped_column(primary_key=True)
    organ: Mapped[str] = mapped_column(index=True)
    "Issued the document."
    lead: Mapped[str]
    "Did not answer."
    title: Mapped[str]
    text: Mapped[str]
    at: Mapped[int]
    item: Mapped[str] = mapped_column(default="", index=True)
    "The item that was opened of it."

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """The supervisors of the issuing organ."""
        return cls.organ.in_(with_role(desk, SUPERVISOR))


class Act(ROOM.Base, account.Line):
    """One thing somebody did about an item."""

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """As the item."""
        return seen(desk, Item, Item.id, cls.record)


@ROOM.folds(said.Opened)
def opened(session: Session, entry: Entry[said.Opened]) -> None:
    """A task is given."""
    body = entry.body
    if entry.home != entry.author:
        raise Refused("an item is written by its home node", code="wrong_writer")
    kept = {name: getattr(body, name) for name in ("organ", "lead", "node", "parent", "over", "title", "text", "basis", "deadline")}
    session.add(Item(id=entry.record, home=entry.author, milestones_bytes=pack(body.milestones), at=entry.at, said=entry.id, **kept))
    account.keep(session, Act, entry, organ=body.organ, text=body.title)
    referred = session.get(Referred, body.source) if entry.author == ROOM.here else None
    if referred is not None:
        referred.item = entry.record


@ROOM.folds(said.SignedFor)
def signed_for(session: Session, entry: Entry[said.SignedFor]) -> None:
    """R2: the first signature stands."""
    item = _answered(session, entry, entry.body.item)
    item.signed_at = min(item.signed_at or entry.at, entry.at)
    account.keep(session, Act, entry, about=item.id, organ=item.lead)


@ROOM.folds(said.Reported)
def reported(session: Session, entry: Entry[said.Reported]) -> None:
    """One report more."""
    body = entry.body
    item = _answered(session, entry, body.item)
    item.reports = max(item.reports, body.number)
    if body.done:
        item.final = max(item.final, body.number)
    account.keep(session, Act, entry, about=item.id, organ=item.lead, text="\n".join(filter(None, (body.text, body.despite))))


@ROOM.folds(said.Accepted)
def accepted(session: Session, entry: Entry[said.Accepted]) -> None:
    """The review is passed."""
    item = _ruled(session, entry)
    item.accepted = max(item.accepted, entry.body.number)
    account.keep(session, Act, entry, organ=item.organ, text=entry.body.text)


@ROOM.folds(said.Returned)
def returned(session: Session, entry: Entry[said.Returned]) -> None:
    """To be done again."""
    item = _ruled(session, entry)
    item.returned = max(item.returned, entry.body.number)
    account.keep(session, Act, entry, organ=item.organ, text=entry.body.reason)


@ROOM.folds(said.StruckOff)
def struck_off(session: Session, entry: Entry[said.StruckOff]) -> None:
    """Off the list."""
    item = _ruled(session, entry)
    item.struck_at = entry.at
    account.keep(session, Act, entry, organ=item.organ, text="\n".join(filter(None, (entry.body.finding, entry.body.despite))))


@ROOM.folds(documents.Dispatched)
def dispatched(session: Session, entry: Entry[documents.Dispatched]) -> None:
    """Remember what this node issued."""
    paper = entry.body.envelope.paper
    if entry.author == ROOM.here and session.get(Paper, entry.record) is None:
        session.add(Paper(id=entry.record, organ=paper.organ, title=paper.title))


@ROOM.folds(documents.Supervised)
def supervised(session: Session, entry: Entry[documents.Supervised]) -> None:
    """After the third urging; what an organ hands over about its own handlers stays in the organ."""
    body = entry.body
    paper = session.get(Paper, body.doc) if entry.author == ROOM.here and entry.record == body.doc else None
    if paper is None:
        return
    key = said.referred_id(body.doc, body.organ)
    if session.get(Referred, key) is None:
        session.add(Referred(id=key, organ=paper.organ, lead=body.organ, title=paper.title, text=body.words, at=entry.at))


@ROOM.folds(said.Urged)
def urged(session: Session, entry: Entry[said.Urged]) -> None:
    """Once more."""
    item = _ruled(session, entry)
    item.urges += 1
    account.keep(session, Act, entry, organ=item.organ, text=entry.body.text)


@ROOM.folds(said.ExtensionAsked)
def extension_asked(session: Session, entry: Entry[said.ExtensionAsked]) -> None:
    """A later deadline is asked for."""
    body = entry.body
    item = _answered(session, entry, body.item)
    if body.number > item.asked:
        item.asked, item.until = body.number, body.until
    account.keep(session, Act, entry, about=item.id, organ=item.lead, text=f"{body.until} {body.reason}")


@ROOM.folds(said.ExtensionDecided)
def extension_decided(session: Session, entry: Entry[said.ExtensionDecided]) -> None:
    """The deadline never moves forward."""
    body = entry.body
    item = _ruled(session, entry)
    item.decided, item.deadline = max(item.decided, body.number), max(item.deadline, body.until)
    account.keep(session, Act, entry, organ=item.organ, text=" ".join(filter(None, (body.until, body.text))))


def _answered(session: Session, entry: Entry[Any], id: str) -> Item:
    """The item that its lead organ speaks of."""
    item = session.get(Item, id)
    if item is None or entry.author != item.node or entry.record != said.answer_id(id, item.lead):
        raise Refused("an item is answered by the node of its lead organ", code="wrong_writer")
    return item


def _ruled(session: Session, entry: Entry[Any]) -> Item:
    """The item that whoever opened it decides about."""
    item = session.get(Item, entry.record)
    if item is None or entry.author != item.home:
        raise Refused("an item is reviewed at its home node", code="wrong_writer")
    return item
