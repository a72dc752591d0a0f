"""Tables and folds of messages.

Nothing depends on the order in which entries of different nodes come: rosters are kept by number and seats are made of all of them, messages are
placed by their moment and id, counts of what was read only grow. A recall names the message it comes after and waits for it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Index, LargeBinary, and_, exists, or_, select
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from node import clock
from node.codec import pack, unpack
from node.errors import Refused
from node.fold import Room
from node.kinds import Entry
from office.frame.annex import Annex
from office.frame.rights import seen
from office.messages import entries as said
from office.messages.entries import Gathered, Member
from office.messages.workflow import recallable

ROOM = Room("messages", version=2)
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
    last: Mapped[int] = mapped_column(index=True, default=0)
    "Moment of the newest message, or when it was begun."

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Its members of today."""
        return cls.id.in_(select(Seat.conversation).where(Seat.person == desk.person, Seat.until == 0))


class Roster(ROOM.Base):
    """Who was in a conversation under a number."""

    __tablename__ = "rosters"
    conversation: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
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
    files_bytes: Mapped[bytes] = mapped_column(LargeBinary)
    "Files of the message; empty for none."
    seconds: Mapped[int]
    recalled_at: Mapped[int] = mapped_column(default=0)
    said: Mapped[bytes] = mapped_column(LargeBinary)

    @property
    def files(self) -> tuple[Annex, ...]:
        """What is attached."""
        return annexes(self.files_bytes)

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Those of its roster who are still in the conversation, for as long as messages are shown there."""
        now = clock.to_ms(desk.now.replace(second=0, microsecond=0))
        covers = and_(Seat.since <= cls.roster, Seat.until == 0)
        seated = exists().where(Seat.conversation == cls.conversation, Seat.person == desk.person, covers).correlate(cls)
        shown = or_(Conversation.days == 0, cls.moment > now - Conversation.days * DAY)
        return and_(seated, exists().where(Conversation.id == cls.conversation, shown).correlate(cls))


class Count(ROOM.Base):
    """How many messages somebody has said in a conversation, also those that are shown no more."""

    __tablename__ = "counts"
    conversation: Mapped[str] = mapped_column(primary_key=True)
    author: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]

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
    """Of messages: somebody else's, not taken back, beyond what the person has read of this author."""
    mark = aliased(Mark)
    read = exists().where(
        mark.conversation == Message.conversation, mark.reader == person, mark.author == Message.author, mark.number >= Message.number
    )
    return and_(Message.author != person, Message.recalled_at == 0, ~read.correlate(Message))


# folds


@ROOM.folds(Gathered)
def gathered(session: Session, entry: Entry[Gathered]) -> None:
    """A roster more; the highest stands."""
    body = entry.body
    held = session.get(Conversation, body.conversation)
    _entitled(entry, held)
    if session.get(Roster, (body.conversation, body.number)) is not None:
        return  # the other of two began the same conversation
    session.add(Roster(conversation=body.conversation, number=body.number, body_bytes=pack(body), said=entry.id))
    if held is None:
        held = Conversation(
            id=body.conversation, home=entry.author, owner=body.owner, name="", number=0, ends="", days=0, closed=False, last=entry.at
        )
        session.add(held)
    if body.number > held.number:
        held.number, held.name, held.ends, held.days, held.closed = body.number, body.name, body.ends, body.days, body.closed
    _seat(session, body.conversation)


@ROOM.folds(said.Said)
def message(session: Session, entry: Entry[said.Said]) -> None:
    """Something said by one of the roster, from the node where they are."""
    body = entry.body
    conversation, roster = session.get(Conversation, body.conversation), session.get(Roster, (body.conversation, body.roster))
    if conversation is None or roster is None or Member(entry.person, entry.author) not in roster.members:
        raise Refused("a message is said by a member, at their node", code="wrong_writer")
    if abs(body.moment - entry.at) > DAY:
        raise Refused("a message stands at its time, or a little later than what it answers", code="wrong_time")
    place = {"conversation": body.conversation, "roster": body.roster, "number": body.number, "moment": body.moment}
    what = {"text": body.text, "files_bytes": pack(body.files) if body.files else b"", "seconds": body.seconds}
    session.add(Message(id=entry.record, author=entry.person, node=entry.author, at=entry.at, said=entry.id, **place, **what))
    conversation.last = max(conversation.last, body.moment)
    count = session.get(Count, (body.conversation, entry.person))
    if count is None:
        session.add(Count(conversation=body.conversation, author=entry.person, number=body.number))
    else:
        count.number = max(count.number, body.number)


@ROOM.folds(said.Recalled)
def recalled(session: Session, entry: Entry[said.Recalled]) -> None:
    """Taken back in time: what was said is gone from the tables, that it was said is not."""
    row = session.get(Message, entry.record)
    if row is None or (entry.person, entry.author) != (row.author, row.node):
        raise Refused("a message is taken back by its author", code="wrong_writer")
    if not recallable(row.at, entry.at):
        raise Refused("a message is taken back within two minutes", code="too_late")
    row.text, row.files_bytes, row.recalled_at = "", b"", entry.at


@ROOM.folds(said.Read)
def read(session: Session, entry: Entry[said.Read]) -> None:
    """Counts that only grow, of a reader who is or was in the conversation."""
    conversation = entry.body.conversation
    query = select(Seat).where(Seat.conversation == conversation, Seat.person == entry.person, Seat.node == entry.author)
    if session.scalars(query).first() is None:
        raise Refused("a conversation is read by its members", code="wrong_writer")
    for one in entry.body.seen:
        row = session.get(Mark, (conversation, entry.person, one.author))
        if row is None:
            session.add(Mark(conversation=conversation, reader=entry.person, author=one.author, number=one.number))
        else:
            row.number = max(row.number, one.number)


@ROOM.folds(said.Kept)
def kept(session: Session, entry: Entry[said.Kept]) -> None:
    """A matter of the person's own."""
    body = entry.body
    words: dict[str, Any] = {"message": body.message, "statement": body.statement, "author": body.author, "text": body.text, "due": body.due}
    words["files_bytes"] = pack(body.files) if body.files else b""
    session.add(Matter(id=entry.record, person=entry.person, at=entry.at, said=entry.id, **words))


@ROOM.folds(said.Settled)
def settled(session: Session, entry: Entry[said.Settled]) -> None:
    """Done by whose it is."""
    row = session.get(Matter, entry.record)
    if row is None or row.person != entry.person:
        raise Refused("a matter is settled by whose it is", code="wrong_writer")
    row.done_at, row.said = entry.at, entry.id


def _entitled(entry: Entry[Gathered], held: Conversation | None) -> None:
    """Whether this author may say who is in the conversation: of two either, of a group its owner."""
    body = entry.body
    ids = {one.person for one in body.members}
    if Member(entry.person, entry.author) not in body.members or len(ids) != len(body.members) or not 1 <= len(ids) <= said.MANY:
        raise Refused("a conversation is gathered by one of its members, each named once", code="wrong_writer")
    if not body.owner:
        if len(ids) != 2 or body.number != 1 or body.conversation != said.pair_id(*ids):
            raise Refused("a conversation of two has their id and one roster", code="wrong_record")
        return
    same = (held.owner, held.home) == (entry.person, entry.author) if held is not None else True
    if body.owner != entry.person or entry.record != body.conversation or not same:
        raise Refused("a group is changed by its owner, at its home", code="wrong_writer")


def _seat(session: Session, conversation: str) -> None:
    """Seats as all rosters that are here say, by number: the same in whatever order these came."""
    session.flush()
    for seat in session.scalars(select(Seat).where(Seat.conversation == conversation)).all():
        session.delete(seat)
    session.flush()
    sitting: dict[str, Seat] = {}
    for roster in session.scalars(select(Roster).where(Roster.conversation == conversation).order_by(Roster.number)).all():
        now = {one.person: one.node for one in roster.members}
        for person in [each for each in sitting if each not in now]:
            sitting.pop(person).until = roster.number
        for person in [each for each in now if each not in sitting]:
            sitting[person] = Seat(conversation=conversation, person=person, since=roster.number, node=now[person], until=0)
            session.add(sitting[person])
