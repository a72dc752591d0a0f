"""Tables and folds of calls."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from node.errors import Refused
from node.fold import Room
from node.kinds import Entry
from office.calls.entries import MANY, TITLE, Asked, Ended, Opened
from office.calls.workflow import State
from office.frame import account

ROOM = Room("calls", version=1)


class Call(ROOM.Base):
    """A call."""

    __tablename__ = "calls"
    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    chair: Mapped[str]
    state: Mapped[str]
    opened_at: Mapped[int] = mapped_column(index=True)
    ended_at: Mapped[int] = mapped_column(default=0)
    said: Mapped[bytes] = mapped_column(LargeBinary)
    "Statement id of the last act."

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Whoever was asked to it."""
        return cls.id.in_(select(Guest.call).where(Guest.person == desk.person))


class Guest(ROOM.Base):
    """Somebody who was asked to a call."""

    __tablename__ = "guests"
    call: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(primary_key=True, index=True)
    present: Mapped[bool] = mapped_column(default=False)
    "Whether they were there when it ended."

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Whoever was asked to the same call."""
        return cls.call.in_(select(Call.id).where(Call.visible(desk)))


class Act(ROOM.Base, account.Line):
    """What happened to a call."""

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Whoever sees the call."""
        return cls.record.in_(select(Call.id).where(Call.visible(desk)))


@ROOM.folds(Opened)
def opened(session: Session, entry: Entry[Opened]) -> None:
    """A call begins."""
    body = entry.body
    if entry.author != ROOM.here or session.get(Call, entry.record) is not None:
        raise Refused("a call is opened once, at its own node", code="wrong_writer")
    if entry.person not in body.people or len(body.people) > MANY or not 0 < len(body.title) <= TITLE:
        raise Refused("a call has a title and some people, its chair among them", code="malformed")
    about = {"title": body.title, "chair": entry.person, "state": State.OPEN, "opened_at": entry.at, "said": entry.id}
    session.add(Call(id=entry.record, **about))
    session.add_all(Guest(call=entry.record, person=person) for person in dict.fromkeys(body.people))
    account.keep(session, Act, entry)


@ROOM.folds(Asked)
def asked(session: Session, entry: Entry[Asked]) -> None:
    """More people."""
    call = _of(session, entry)
    held = set(session.scalars(select(Guest.person).where(Guest.call == call.id)))
    more = [person for person in dict.fromkeys(entry.body.people) if person not in held]
    if len(held) + len(more) > MANY:
        raise Refused("too many people for one call", code="too_many")
    session.add_all(Guest(call=call.id, person=person) for person in more)
    call.said = entry.id
    account.keep(session, Act, entry)


@ROOM.folds(Ended)
def ended(session: Session, entry: Entry[Ended]) -> None:
    """The call is over; who was there stays on record."""
    call = _of(session, entry)
    call.state, call.ended_at, call.said = State.ENDED, entry.at, entry.id
    for guest in session.scalars(select(Guest).where(Guest.call == call.id, Guest.person.in_(entry.body.present))):
        guest.present = True
    account.keep(session, Act, entry)


def _of(session: Session, entry: Entry[Any]) -> Call:
    call = session.get(Call, entry.record)
    if call is None or entry.author != ROOM.here or entry.person != call.chair or call.state != State.OPEN:
        raise Refused("an open call is changed by its chair", code="wrong_writer")
    return call
