"""Tables of meetings: topics, meetings, who is called, who comes, who is taken when, and what was decided."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, Select, or_, select, true
from sqlalchemy.orm import Mapped, mapped_column

from node.codec import unpack
from node.fold import Room
from office.frame import account
from office.frame.rights import with_role
from office.meetings import workflow
from office.meetings.entries import Called, Plan, Reply
from office.meetings.workflow import WATCHERS, State

ROOM = Room("meetings", version=1)


class Meeting(ROOM.Base):
    """A meeting that is arranged here, or to which somebody here is called."""

    __tablename__ = "meetings"
    id: Mapped[str] = mapped_column(primary_key=True)
    home: Mapped[str]
    organ: Mapped[str] = mapped_column(index=True, default="")
    title: Mapped[str] = mapped_column(default="")
    kind: Mapped[str] = mapped_column(default="")
    begins: Mapped[int] = mapped_column(index=True, default=0)
    ends: Mapped[int] = mapped_column(default=0)
    chair: Mapped[str] = mapped_column(index=True, default="")
    plan_bytes: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    called_bytes: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    state: Mapped[str] = mapped_column(index=True, default=State.PLANNED)
    approved: Mapped[bool] = mapped_column(default=False)
    issue: Mapped[int] = mapped_column(default=0)
    "Of the notice; 0 until there is one."
    round: Mapped[int] = mapped_column(default=0)
    note: Mapped[str] = mapped_column(default="")
    "What the last notice changed, or why the meeting was cancelled."
    salt: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    cancelled: Mapped[int] = mapped_column(default=0)
    held: Mapped[int] = mapped_column(default=0)
    closed: Mapped[int] = mapped_column(default=0)
    doc: Mapped[str] = mapped_column(default="")
    "The minutes in the documents room."
    decisions: Mapped[int] = mapped_column(default=0)
    changed_at: Mapped[int] = mapped_column(default=0)
    noticed_at: Mapped[int] = mapped_column(default=0)
    said: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    "Statement id of the last notice."
    last: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    "Statement id of the arranger's last inner act."

    @property
    def plan(self) -> Plan:
        """What the meeting is to be."""
        return unpack(self.plan_bytes, Plan)

    @property
    def called(self) -> tuple[Called, ...]:
        """Who is called by the last notice."""
        return unpack(self.called_bytes, tuple[Called, ...]) if self.called_bytes else ()

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Watching roles of the arranging organ and of organs that are called or collect, the chair, and whoever comes."""
        come = select(Busy.meeting).where(Busy.person == desk.person)
        calls = select(Call.meeting).where(_concerns(Call, desk))
        return or_(cls.organ.in_(with_role(desk, *WATCHERS)), cls.id.in_(calls), cls.id.in_(come))


def _concerns(row: Any, desk: Any) -> ColumnElement[bool]:
    """Rows of organs in which the person watches, or whose replies such an organ collects."""
    mine = with_role(desk, *WATCHERS)
    return or_(row.organ.in_(mine), row.via.in_(mine))


def _arranged(desk: Any) -> Select[Any]:
    return select(Meeting.id).where(Meeting.organ.in_(with_role(desk, *WATCHERS)))


class Call(ROOM.Base):
    """An organ that is called to a meeting, and what it answered."""

    __tablename__ = "calls"
    meeting: Mapped[str] = mapped_column(primary_key=True)
    organ: Mapped[str] = mapped_column(primary_key=True)
    node: Mapped[str]
    via: Mapped[str] = mapped_column(index=True)
    order: Mapped[int]
    signed_at: Mapped[int] = mapped_column(default=0)
    signed_by: Mapped[str] = mapped_column(default="")
    reply_round: Mapped[int] = mapped_column(default=0)
    reply_at: Mapped[int] = mapped_column(default=0)
    reply_bytes: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    gathered_at: Mapped[int] = mapped_column(default=0)

    @property
    def reply(self) -> Reply | None:
        """Its last reply, which may be to a former round."""
        return unpack(self.reply_bytes, Reply) if self.reply_bytes else None

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """The organ itself, who collects its reply, and the arranger."""
        return or_(_concerns(cls, desk), cls.meeting.in_(_arranged(desk)))


class Guest(ROOM.Base):
    """A person of a reply to the present round."""

    __tablename__ = "guests"
    meeting: Mapped[str] = mapped_column(primary_key=True)
    organ: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    via: Mapped[str] = mapped_column(index=True)
    order: Mapped[int]
    place: Mapped[int]
    "Place in the organ's reply."
    person: Mapped[str]
    title: Mapped[str]
    phone: Mapped[str]
    leave: Mapped[str]
    substitute: Mapped[str]
    substitute_title: Mapped[str]
    verdict: Mapped[str] = mapped_column(default="")
    "granted, declined, or empty while nobody has said."
    opinion: Mapped[str] = mapped_column(default="")
    attended_at: Mapped[int] = mapped_column(default=0)

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """As the reply."""
        return or_(_concerns(cls, desk), cls.meeting.in_(_arranged(desk)))


class Busy(ROOM.Base):
    """When somebody sits in a meeting."""

    __tablename__ = "busy"
    meeting: Mapped[str] = mapped_column(primary_key=True)
    organ: Mapped[str] = mapped_column(primary_key=True)
    "Whose reply says so; empty for the chair."
    person: Mapped[str] = mapped_column(primary_key=True, index=True)
    begins: Mapped[int]
    ends: Mapped[int]

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Everybody: a time when somebody is taken says nothing of what for."""
        return true()


class Topic(ROOM.Base):
    """A topic that an organ here put forward, or that was put forward to one here."""

    __tablename__ = "topics"
    id: Mapped[str] = mapped_column(primary_key=True)
    home: Mapped[str]
    organ: Mapped[str]
    to: Mapped[str]
    node: Mapped[str]
    "Home node of the organ it was put to."
    title: Mapped[str]
    text: Mapped[str]
    presenter: Mapped[str]
    attend: Mapped[str]
    minutes: Mapped[int]
    state: Mapped[str] = mapped_column(default=workflow.Topic.PROPOSED)
    opinion: Mapped[str] = mapped_column(default="")
    meeting: Mapped[str] = mapped_column(default="")
    at: Mapped[int]
    said: Mapped[bytes] = mapped_column(LargeBinary)

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Watching roles of both organs."""
        mine = with_role(desk, *WATCHERS)
        return or_(cls.organ.in_(mine), cls.to.in_(mine))


class Task(ROOM.Base):
    """A decision, and what came of it."""

    __tablename__ = "tasks"
    id: Mapped[str] = mapped_column(primary_key=True)
    meeting: Mapped[str] = mapped_column(index=True)
    title: Mapped[str]
    home: Mapped[str]
    organ: Mapped[str]
    text: Mapped[str]
    due: Mapped[int]
    at: Mapped[int]
    said: Mapped[bytes] = mapped_column(LargeBinary)
    done_at: Mapped[int] = mapped_column(default=0)
    done: Mapped[str] = mapped_column(default="")

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Who carries it out, and the arranger."""
        return or_(cls.organ.in_(with_role(desk, *WATCHERS)), cls.meeting.in_(_arranged(desk)))


class Act(ROOM.Base, account.Line):
    """One thing somebody did about a meeting or topic."""

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Who arranges or put forward sees all of it; an organ that is called sees what it and those under it did."""
        mine = with_role(desk, *WATCHERS)
        topics = select(Topic.id).where(Topic.visible(desk))
        return or_(cls.record.in_(_arranged(desk)), cls.record.in_(topics), cls.organ.in_(mine))
