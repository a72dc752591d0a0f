"""Tables and folds of duty: rosters, the log, incidents with their reports, orders with who confirmed.

Reports of one incident may come from its home and, passed on, from a superior in between, in any order: each is kept once by (incident,
number), and what the incident shows is its highest number. Everything else sets columns of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, or_, select, true
from sqlalchemy.orm import Mapped, Session, mapped_column

from node.codec import pack, unpack
from node.errors import Refused
from node.fold import Room
from node.kinds import Entry
from office.duty import entries as said
from office.duty.entries import Report, To
from office.duty.workflow import DUTY, State
from office.frame import account
from office.frame.rights import with_role

ROOM = Room("duty", version=1)


class Roster(ROOM.Base):
    """Who is on duty in an organ on a day."""

    __tablename__ = "rosters"
    id: Mapped[str] = mapped_column(primary_key=True)
    home: Mapped[str]
    organ: Mapped[str] = mapped_column(index=True)
    day: Mapped[str] = mapped_column(index=True)
    leader: Mapped[str]
    officer: Mapped[str]
    standin: Mapped[str]
    phone: Mapped[str]
    at: Mapped[int]

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Everybody: it says whom to call."""
        return true()


class Incident(ROOM.Base):
    """Something that happened, by its last report."""

    __tablename__ = "incidents"
    id: Mapped[str] = mapped_column(primary_key=True)
    home: Mapped[str]
    organ: Mapped[str] = mapped_column(index=True)
    category: Mapped[str]
    level: Mapped[str]
    place: Mapped[str]
    happened: Mapped[int]
    learned: Mapped[int]
    written: Mapped[int] = mapped_column(default=0)
    "When the first report was written; 0 until that one is here."
    phoned: Mapped[int] = mapped_column(default=0)
    number: Mapped[int] = mapped_column(default=0)
    "Of the last report."
    report_bytes: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(index=True, default=State.OPEN)
    changed_at: Mapped[int] = mapped_column(index=True)
    into: Mapped[str] = mapped_column(default="")
    said: Mapped[bytes] = mapped_column(LargeBinary)
    "Statement id of the last report as it came here."

    @property
    def report(self) -> Report:
        """The last report."""
        return unpack(self.report_bytes, Report)

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Those on duty in the reporting organ and in the organs it was reported to."""
        mine = with_role(desk, *DUTY)
        return or_(cls.organ.in_(mine), cls.id.in_(select(Addressed.incident).where(Addressed.organ.in_(mine))))


class Story(ROOM.Base):
    """One report of an incident."""

    __tablename__ = "stories"
    incident: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[int]
    report_bytes: Mapped[bytes] = mapped_column(LargeBinary)

    @property
    def report(self) -> Report:
        """What it says."""
        return unpack(self.report_bytes, Report)

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """As the incident."""
        return cls.incident.in_(select(Incident.id).where(Incident.visible(desk)))


class Addressed(ROOM.Base):
    """An organ an incident was reported or passed on to."""

    __tablename__ = "addressed"
    incident: Mapped[str] = mapped_column(primary_key=True)
    organ: Mapped[str] = mapped_column(primary_key=True, index=True)
    node: Mapped[str]
    skipped: Mapped[bool]
    "It was informed of a report that went past it."
    received_at: Mapped[int] = mapped_column(default=0)
    "When it said so of the last report it had."
    passed_at: Mapped[int] = mapped_column(default=0)

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """As the incident."""
        return cls.incident.in_(select(Incident.id).where(Incident.visible(desk)))


class Order(ROOM.Base):
    """An order that was given here or came here."""

    __tablename__ = "orders"
    id: Mapped[str] = mapped_column(primary_key=True)
    home: Mapped[str]
    organ: Mapped[str] = mapped_column(index=True)
    text: Mapped[str]
    incident: Mapped[str]
    at: Mapped[int] = mapped_column(index=True)
    said: Mapped[bytes] = mapped_column(LargeBinary)

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Those on duty in the issuing organ and in the organs it is for."""
        mine = with_role(desk, *DUTY)
        return or_(cls.organ.in_(mine), cls.id.in_(select(Bound.order).where(Bound.organ.in_(mine))))


class Bound(ROOM.Base):
    """An organ that is to confirm an order."""

    __tablename__ = "bound"
    order: Mapped[str] = mapped_column(primary_key=True)
    organ: Mapped[str] = mapped_column(primary_key=True, index=True)
    node: Mapped[str]
    place: Mapped[int]
    confirmed_at: Mapped[int] = mapped_column(default=0)
    confirmed_by: Mapped[str] = mapped_column(default="")
    reply: Mapped[str] = mapped_column(default="")
    steps: Mapped[str] = mapped_column(default="")
    "Ways taken after the screen, separated by spaces."
    called_at: Mapped[int] = mapped_column(default=0)
    called: Mapped[str] = mapped_column(default="")

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """The organ itself and who gave the order."""
        mine = with_role(desk, *DUTY)
        return or_(cls.organ.in_(mine), cls.order.in_(select(Order.id).where(Order.organ.in_(mine))))


class Act(ROOM.Base, account.Line):
    """One thing somebody did: about an incident or an order, or a line of the log (whose record is the organ)."""

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Those on duty in the organ that did it, and those who see the incident, or gave the order."""
        mine = with_role(desk, *DUTY)
        incidents, orders = select(Incident.id).where(Incident.visible(desk)), select(Order.id).where(Order.organ.in_(mine))
        return or_(cls.organ.in_(mine), cls.record.in_(incidents), cls.record.in_(orders))


# folds


@ROOM.folds(said.Rostered)
def rostered(session: Session, entry: Entry[said.Rostered]) -> None:
    """The last one stands."""
    body = entry.body
    _own(entry, said.roster_id(body.organ, body.day))
    held = session.get(Roster, entry.record)
    row = held or Roster(id=entry.record, home=entry.author, organ=body.organ, day=body.day)
    if row.home != entry.author:
        raise Refused("a roster is written by the organ's node", code="wrong_writer")
    row.leader, row.officer, row.standin, row.phone, row.at = body.leader, body.officer, body.standin, body.phone, entry.at
    if held is None:
        session.add(row)


@ROOM.folds(said.Logged)
def logged(session: Session, entry: Entry[said.Logged]) -> None:
    """A line more."""
    account.keep(session, Act, entry, about=entry.body.organ, organ=entry.body.organ, text=entry.body.text)


@ROOM.folds(said.Reported)
def reported(session: Session, entry: Entry[said.Reported]) -> None:
    """A report from the incident's home."""
    body = entry.body
    _own(entry, entry.record)
    _tell(session, entry, entry.record, entry.author, body.report, at=entry.at)
    _address(session, entry.record, body.to, body.skipped)
    account.keep(session, Act, entry, organ=body.report.organ, text=body.report.text)


@ROOM.folds(said.PassedOn)
def passed_on(session: Session, entry: Entry[said.PassedOn]) -> None:
    """The same report by way of a superior: whichever comes first, it is there once."""
    body = entry.body
    _tell(session, entry, body.incident, body.home, body.report, at=0)
    _address(session, body.incident, body.to, "")
    over = session.get(Addressed, (body.incident, body.organ))
    if over is not None:
        over.passed_at = max(over.passed_at, entry.at)
    account.keep(session, Act, entry, about=body.incident, organ=body.organ, text=body.note)


@ROOM.folds(said.Received)
def received(session: Session, entry: Entry[said.Received]) -> None:
    """Read by a superior."""
    row = session.get(Addressed, (entry.body.incident, entry.body.organ))
    if row is None or row.node != entry.author:
        raise Refused("a report is received where it was sent", code="wrong_writer")
    row.received_at = max(row.received_at, entry.at)
    account.keep(session, Act, entry, about=entry.body.incident, organ=entry.body.organ)


@ROOM.folds(said.Merged)
def merged(session: Session, entry: Entry[said.Merged]) -> None:
    """Counted with another, at this node."""
    incident = session.get(Incident, entry.body.incident)
    if incident is None:
        raise Refused("no such incident is here", code="wrong_record")
    incident.into, incident.state = entry.body.into, State.MERGED
    account.keep(session, Act, entry, about=incident.id, organ=entry.body.organ)


@ROOM.folds(said.Ordered)
def ordered(session: Session, entry: Entry[said.Ordered]) -> None:
    """An order, and who is to confirm it."""
    body = entry.body
    _own(entry, entry.record)
    order = Order(id=entry.record, home=entry.author, organ=body.organ, text=body.text, incident=body.incident, at=entry.at, said=entry.id)
    session.add(order)
    for place, one in enumerate(body.to):
        session.add(Bound(order=entry.record, organ=one.organ, node=one.node, place=place))
    account.keep(session, Act, entry, organ=body.organ, text=body.text)


@ROOM.folds(said.Confirmed)
def confirmed(session: Session, entry: Entry[said.Confirmed]) -> None:
    """R2: the first to confirm stands."""
    row = _bound(session, entry.body.order, entry.body.organ)
    if entry.author != row.node:
        raise Refused("an order is confirmed where it was sent", code="wrong_writer")
    if not row.confirmed_at or (entry.at, entry.person) < (row.confirmed_at, row.confirmed_by):
        row.confirmed_at, row.confirmed_by, row.reply = entry.at, entry.person, entry.body.text
    account.keep(session, Act, entry, about=row.order, organ=row.organ, text=entry.body.text)


@ROOM.folds(said.Escalated)
def escalated(session: Session, entry: Entry[said.Escalated]) -> None:
    """The next way was taken."""
    row = _bound(session, entry.body.order, entry.body.organ, entry)
    row.steps = " ".join(sorted({*row.steps.split(), entry.body.step}))
    account.keep(session, Act, entry, about=row.order, organ=row.organ, text=entry.body.step)


@ROOM.folds(said.Called)
def called(session: Session, entry: Entry[said.Called]) -> None:
    """Somebody there has it by telephone."""
    row = _bound(session, entry.body.order, entry.body.organ, entry)
    if entry.at >= row.called_at:
        row.called_at, row.called = entry.at, entry.body.text
    account.keep(session, Act, entry, about=row.order, organ=row.organ, text=entry.body.text)


# what folds share


def _own(entry: Entry[Any], record: str) -> None:
    if entry.home != entry.author or entry.record != record:
        raise Refused("a record is written by its home node under its own id", code="wrong_writer")


def _tell(session: Session, entry: Entry[Any], id: str, home: str, report: Report, *, at: int) -> None:
    """Keep a report; ``at`` is when its home wrote it, 0 where a superior only passed it on."""
    row = session.get(Incident, id)
    if row is None:
        facts = {"organ": report.organ, "category": report.category, "level": report.level, "place": report.place}
        moments = {"happened": report.happened, "learned": report.learned, "changed_at": entry.at}
        row = Incident(id=id, home=home, report_bytes=pack(report), said=entry.id, **facts, **moments)
        session.add(row)
    if row.home != home:
        raise Refused(f"the incident belongs to node {row.home}", code="wrong_writer")
    story = session.get(Story, (id, report.number))
    if story is None:
        session.add(Story(incident=id, number=report.number, at=at or entry.at, report_bytes=pack(report)))
    elif at:  # what the home says stands, whoever passed what on before
        story.at, story.report_bytes = at, pack(report)
    if report.number == 1 and (at or not row.written):
        row.written, row.phoned = at or entry.at, report.phoned
    if report.number > row.number or (at and report.number == row.number):
        row.number, row.report_bytes, row.said, row.changed_at = report.number, pack(report), entry.id, entry.at
        row.category, row.level, row.place = report.category, report.level, report.place
    if report.stage == "final" and row.state == State.OPEN:
        row.state = State.ENDED


def _address(session: Session, incident: str, to: Iterable[To], skipped: str) -> None:
    for one in to:
        if session.get(Addressed, (incident, one.organ)) is None:
            session.add(Addressed(incident=incident, organ=one.organ, node=one.node, skipped=one.organ == skipped))


def _bound(session: Session, order: str, organ: str, entry: Entry[Any] | None = None) -> Bound:
    """The organ of an order; with an entry, one that the issuing node writes."""
    row, over = session.get(Bound, (order, organ)), session.get(Order, order)
    if row is None or over is None:
        raise Refused("an answer to an order that never went there", code="receipt_mismatch")
    if entry is not None and entry.author != over.home:
        raise Refused("the issuing node alone escalates its orders", code="wrong_writer")
    return row
