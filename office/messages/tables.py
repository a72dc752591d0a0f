"""Tables of messages, and who may see which row."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Index, LargeBinary, and_, case, exists, or_, select
from sqlalchemy.orm import Mapped, aliased, mapped_column

from node import clock
from node.codec import unpack
from node.fold import Room
from office.frame.annex import Annex
from office.frame.rights import seen
from office.messages.entries import Gathered, Member

ROOM = Room("messages", version=6)
DAY = 86_400_000


class Conversation(ROOM.Base):
    """A conversation by its highest roster."""

    __tablename__ = "conversations"
    id: Mapped[str] = mapped_column(primary_key=True)
    home: Mapped[str]
    owner: Mapped[str]
    name: Mapped[str]
    number: Mapped[int]
    ends: Mapped[str]
    days: Mapped[int]
    closed: Mapped[bool]
    split: Mapped[bool]
    "Its owner has said two things under one number; nothing more is said in it."
    seeded: Mapped[bool]
    "Its id names its owner, and the ids of its messages their authors."
    last: Mapped[int] = mapped_column(index=True, default=0)
    "Moment of the newest message that counts, or when it was begun."

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Its members of today."""
        return cls.id.in_(select(Seat.conversation).where(Seat.person == desk.person, Seat.until == 0))


class Roster(ROOM.Base):
    """Who was in a conversation under a number, by the id of the statement that said so."""

    __tablename__ = "rosters"
    __table_args__ = (Index("rosters_numbered", "conversation", "number"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    conversation: Mapped[str]
    number: Mapped[int]
    at: Mapped[int]
    body_bytes: Mapped[bytes] = mapped_column(LargeBinary)
    said: Mapped[bytes] = mapped_column(LargeBinary)

    @property
    def body(self) -> Gathered:
        """What was said."""
        return unpack(self.body_bytes, Gathered)

    @property
    def members(self) -> tuple[Member, ...]:
        """Who is in it."""
        return self.body.members

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """As the conversation."""
        return seen(desk, Conversation, Conversation.id, cls.conversation)


class Seat(ROOM.Base):
    """A person in a conversation, from a roster on until another."""

    __tablename__ = "seats"
    conversation: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(primary_key=True, index=True)
    since: Mapped[int] = mapped_column(primary_key=True)
    node: Mapped[str]
    until: Mapped[int] = mapped_column(default=0)
    "Number of the first roster without the person; 0 for none."

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """As the conversation."""
        return seen(desk, Conversation, Conversation.id, cls.conversation)


class Message(ROOM.Base):
    """Something said."""

    __tablename__ = "messages"
    __table_args__ = (Index("messages_placed", "conversation", "moment", "id"), Index("messages_counted", "conversation", "author", "number"))
    id: Mapped[str] = mapped_column(primary_key=True)
    conversation: Mapped[str]
    roster: Mapped[int]
    author: Mapped[str]
    node: Mapped[str]
    number: Mapped[int]
    moment: Mapped[int]
    at: Mapped[int]
    text: Mapped[str]
    words: Mapped[str]
    "The text and the names of its files in small letters, for who looks for them."
    files_bytes: Mapped[bytes] = mapped_column(LargeBinary)
    "Files of the message; empty for none."
    seconds: Mapped[int]
    urgent: Mapped[str]
    recalled_at: Mapped[int] = mapped_column(default=0)
    late: Mapped[bool]
    "Said by somebody who had been put out; see the folds."
    doubled: Mapped[bool] = mapped_column(default=False)
    "Its author has said two things under one number; neither is shown."
    said: Mapped[bytes] = mapped_column(LargeBinary)

    @property
    def files(self) -> tuple[Annex, ...]:
        """What is attached."""
        return annexes(self.files_bytes)

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Those of its roster who are still in the conversation, for as long as messages are shown there; none that stands in days to come."""
        now = clock.to_ms(desk.now.replace(second=0, microsecond=0))
        covers = and_(Seat.since <= cls.roster, Seat.until == 0)
        seated = exists().where(Seat.conversation == cls.conversation, Seat.person == desk.person, covers).correlate(cls)
        shown = or_(Conversation.days == 0, cls.moment > now - Conversation.days * DAY)
        return and_(seated, cls.moment <= now + 60_000 + DAY, exists().where(Conversation.id == cls.conversation, shown).correlate(cls))


class Count(ROOM.Base):
    """Up to which number somebody's messages are here without a gap, also those that are shown no more."""

    __tablename__ = "counts"
    conversation: Mapped[str] = mapped_column(primary_key=True)
    author: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]
    most: Mapped[int]
    "The highest number that is here."

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """As the conversation."""
        return seen(desk, Conversation, Conversation.id, cls.conversation)


class Mark(ROOM.Base):
    """How many of an author's messages somebody has read."""

    __tablename__ = "marks"
    conversation: Mapped[str] = mapped_column(primary_key=True)
    reader: Mapped[str] = mapped_column(primary_key=True)
    author: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(default=0)

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """As the conversation."""
        return seen(desk, Conversation, Conversation.id, cls.conversation)


class Quiet(ROOM.Base):
    """When somebody does not want to be told of what can wait."""

    __tablename__ = "quiets"
    person: Mapped[str] = mapped_column(primary_key=True)
    begins: Mapped[int]
    ends: Mapped[int]

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Whose it is."""
        own: ColumnElement[bool] = cls.person == desk.person
        return own


class Matter(ROOM.Base):
    """What somebody made of a message, for themselves."""

    __tablename__ = "matters"
    id: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(index=True)
    message: Mapped[str]
    statement: Mapped[bytes] = mapped_column(LargeBinary)
    author: Mapped[str]
    text: Mapped[str]
    files_bytes: Mapped[bytes] = mapped_column(LargeBinary)
    due: Mapped[str]
    at: Mapped[int]
    done_at: Mapped[int] = mapped_column(default=0)
    said: Mapped[bytes] = mapped_column(LargeBinary)

    @property
    def files(self) -> tuple[Annex, ...]:
        """The files of the message."""
        return annexes(self.files_bytes)

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Whose it is."""
        own: ColumnElement[bool] = cls.person == desk.person
        return own


def annexes(packed: bytes) -> tuple[Annex, ...]:
    """Files as a row keeps them."""
    return unpack(packed, tuple[Annex, ...]) if packed else ()


def unread(person: str) -> ColumnElement[bool]:
    """Of messages: somebody else's that count, not taken back, beyond what the person has read of this author."""
    mark = aliased(Mark)
    read = exists().where(
        mark.conversation == Message.conversation, mark.reader == person, mark.author == Message.author, mark.number >= Message.number
    )
    counts = and_(Message.recalled_at == 0, Message.late.is_(False), Message.doubled.is_(False))
    return and_(Message.author != person, counts, ~read.correlate(Message))


def newest(now: int) -> ColumnElement[int]:
    """By what conversations are put in order; a moment far ahead, which only a lie or a broken clock gives, counts as none."""
    return case((Conversation.last > now + DAY, 0), else_=Conversation.last)
