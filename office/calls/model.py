"""Tables and folds of calls."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from node.codec import pack
from node.errors import Refused
from node.fold import Room
from node.kinds import Entry
from office.calls.entries import MANY, TITLE, WHY, Asked, Counted, Declined, Ended, Marked, Noted, Opened, call_id, fits, own_id
from office.calls.workflow import State
from office.frame import account

ROOM = Room("calls", version=3)


class Call(ROOM.Base):
    """A call."""

    __tablename__ = "calls"
    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    chair: Mapped[str]
    home: Mapped[str]
    "The chair's node."
    state: Mapped[str]
    opened_at: Mapped[int] = mapped_column(index=True)
    ended_at: Mapped[int] = mapped_column(default=0)
    seed: Mapped[bytes] = mapped_column(LargeBinary)
    "Of its id; empty for a call of before they went beyond their node."
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
    declined: Mapped[str] = mapped_column(default="")
    "Why they said they would not come."
    noted: Mapped[bool] = mapped_column(default=False)
    "Whether they know that they missed it, as said at this node."

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Whoever was asked to the same call."""
        return cls.call.in_(select(Call.id).where(Call.visible(desk)))


class Mark(ROOM.Base):
    """Something on the board of a call."""

    __tablename__ = "marks"
    id: Mapped[str] = mapped_column(primary_key=True)
    call: Mapped[str] = mapped_column(index=True)
    person: Mapped[str]
    at: Mapped[int]
    what: Mapped[str]
    "note, caption, stroke, clear, vote or roll."
    text: Mapped[str]
    "A vote's question."
    content: Mapped[bytes] = mapped_column(LargeBinary)
    "Of a vote or a roll call: packed :class:`~office.calls.entries.Counted`."

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Whoever was asked to the call."""
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
    if session.get(Call, entry.record) is not None or not _claimed(entry, body.seed):
        raise Refused("a call is opened once, by its chair at the chair's node", code="wrong_writer")
    _begin(session, entry, body.title, body.people)
    account.keep(session, Act, entry)


@ROOM.folds(Asked)
def asked(session: Session, entry: Entry[Asked]) -> None:
    """More people; where nothing was known of the call, it begins with them."""
    body, call = entry.body, session.get(Call, entry.record)
    if call is None and body.seed and _claimed(entry, body.seed):
        call = _begin(session, entry, body.title, (*body.before, *body.people))
    else:
        call = _of(session, entry)
        held = set(session.scalars(select(Guest.person).where(Guest.call == call.id)))
        more = [person for person in dict.fromkeys(body.people) if person not in held]
        if len(held) + len(more) > MANY:
            raise Refused("too many people for one call", code="too_many")
        session.add_all(Guest(call=call.id, person=person) for person in more)
    call.said = entry.id
    account.keep(session, Act, entry)


@ROOM.folds(Declined)
def declined(session: Session, entry: Entry[Declined]) -> None:
    """Somebody does not come, as they say of themselves."""
    guest = _own(session, entry, entry.body.call, "declined")
    if not 0 < len(entry.body.why) <= WHY:
        raise Refused("a reason is a few words", code="malformed")
    guest.declined = entry.body.why


@ROOM.folds(Noted)
def noted(session: Session, entry: Entry[Noted]) -> None:
    """Somebody knows that they missed it."""
    _own(session, entry, entry.body.call, "noted").noted = True


@ROOM.folds(Marked)
def marked(session: Session, entry: Entry[Marked]) -> None:
    """Something more stands on the board; what was on its way when the call ended too."""
    body = entry.body
    if not fits(body.what, body.text):
        raise Refused("this is nothing for a board", code="malformed")
    _mark(session, entry, body.what, body.text, b"")


@ROOM.folds(Counted)
def counted(session: Session, entry: Entry[Counted]) -> None:
    """A vote or a roll call has its result."""
    body = entry.body
    people = (*body.yes, *body.no, *body.abstain, *body.silent)
    if len(body.question) > TITLE or len(people) > MANY or len(people) != len(set(people)):
        raise Refused("a result counts each person once", code="malformed")
    _mark(session, entry, "vote" if body.question else "roll", body.question, pack(body))


@ROOM.folds(Ended)
def ended(session: Session, entry: Entry[Ended]) -> None:
    """The call is over; who was there stays on record."""
    call = _of(session, entry)
    call.state, call.ended_at, call.said = State.ENDED, entry.at, entry.id
    for guest in session.scalars(select(Guest).where(Guest.call == call.id, Guest.person.in_(entry.body.present))):
        guest.present = True
    account.keep(session, Act, entry)


def _mark(session: Session, entry: Entry[Any], what: str, text: str, content: bytes) -> None:
    body = entry.body
    if session.get(Guest, (body.call, entry.person)) is None or entry.record != own_id(body.call, entry.person, f"board {body.seed.hex()}"):
        raise Refused("who was asked to a call writes on its board", code="wrong_writer")
    if session.get(Mark, entry.record) is None:
        session.add(Mark(id=entry.record, call=body.call, person=entry.person, at=entry.at, what=what, text=text, content=content))


def _own(session: Session, entry: Entry[Any], call: str, what: str) -> Guest:
    guest = session.get(Guest, (call, entry.person))
    if guest is None or entry.record != own_id(call, entry.person, what):
        raise Refused("who was asked to a call speaks of it for themselves", code="wrong_writer")
    return guest


def _claimed(entry: Entry[Any], seed: bytes) -> bool:
    """Whether the call's id says that it is this chair's; one of before there were seeds is known at its own node only."""
    return entry.record == call_id(entry.person, entry.author, seed) if seed else entry.author == ROOM.here


def _begin(session: Session, entry: Entry[Any], title: str, people: tuple[str, ...]) -> Call:
    if entry.person not in people or len(people) > MANY or not 0 < len(title) <= TITLE:
        raise Refused("a call has a title and some people, its chair among them", code="malformed")
    about = {"title": title, "chair": entry.person, "home": entry.author, "state": State.OPEN, "opened_at": entry.at, "said": entry.id}
    call = Call(id=entry.record, seed=entry.body.seed, **about)
    session.add(call)
    session.add_all(Guest(call=entry.record, person=person) for person in dict.fromkeys(people))
    return call


def _of(session: Session, entry: Entry[Any]) -> Call:
    call = session.get(Call, entry.record)
    if call is None or (entry.author, entry.person) != (call.home, call.chair) or call.state != State.OPEN:
        raise Refused("an open call is changed by its chair", code="wrong_writer")
    return call
