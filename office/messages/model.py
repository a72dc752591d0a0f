"""Folds of messages.

Nothing depends on the order in which entries of different nodes come, nor on what somebody claims a time to be:

- A group's id is made of its owner, its home and a seed, so that nobody else can say who is in it; a message's of its author and number.
- A message, a reading and a recall name in ``after`` what they stand on, and wait for it: whether they count is the same on every node.
- Two different rosters under one number end a group: everybody sees that its owner says two things. Two different messages under one
  number show neither.
- A roster that puts somebody out says how many of their messages count (``left``). What they go on saying under an older roster beyond that
  number is late: marked, never unread, and it moves nothing.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node.codec import pack
from node.errors import Refused
from node.kinds import Entry
from office.messages import entries as said
from office.messages.entries import Gathered, Member
from office.messages.tables import DAY, ROOM, Conversation, Count, Mark, Matter, Message, Quiet, Roster, Seat
from office.messages.workflow import recallable

YEARS = 36_500
"Days of retention at most; more is no length of time."
SEEN = 5_000
"Authors of whom one reading speaks, at most."


@ROOM.folds(Gathered)
def gathered(session: Session, entry: Entry[Gathered]) -> None:
    """A roster more; the highest stands."""
    body = entry.body
    held = session.get(Conversation, body.conversation)
    _entitled(entry, held)
    _measured(body)
    session.add(Roster(id=entry.id.hex(), conversation=body.conversation, number=body.number, at=entry.at, body_bytes=pack(body), said=entry.id))
    if held is None:
        empty = {"name": "", "number": 0, "ends": "", "days": 0, "closed": False, "split": False}
        session.add(Conversation(id=body.conversation, home=entry.author, owner=body.owner, seeded=bool(body.seed), last=0, **empty))
    _stand(session, body.conversation)
    gone = [one.author for one in body.left]
    if gone:
        _judge(session, body.conversation, gone)
    _date(session, body.conversation)


@ROOM.folds(said.Said)
def message(session: Session, entry: Entry[said.Said]) -> None:
    """Something said by one of the roster that it names, from the node where they are."""
    body = entry.body
    conversation, roster = session.get(Conversation, body.conversation), _roster(session, entry, body.conversation)
    if conversation is None or roster is None or roster.number != body.roster or Member(entry.person, entry.author) not in roster.members:
        raise Refused("a message is said by a member, at their node", code="wrong_writer")
    if conversation.seeded and entry.record != said.message_id(body.conversation, entry.person, body.number):
        raise Refused("a message has the id of its author and number", code="wrong_record")
    if abs(body.moment - entry.at) > DAY:
        raise Refused("a message stands at its time, or a little later than what it answers", code="wrong_time")
    _fits(body)
    held = session.get(Message, entry.record)
    if held is not None:
        _doubled(session, entry, held)
        return
    place = {"conversation": body.conversation, "roster": body.roster, "number": body.number, "moment": body.moment}
    words = " ".join((body.text, *(annex.name for annex in body.files))).lower()
    what = {"text": body.text, "words": words, "files_bytes": pack(body.files) if body.files else b"", "seconds": body.seconds, "urgent": body.urgent}
    newer = conversation.number > body.roster
    late = newer and _late(_lists(session, body.conversation), entry.person, body.roster, body.number)
    session.add(Message(id=entry.record, author=entry.person, node=entry.author, at=entry.at, said=entry.id, late=late, **place, **what))
    if not late:
        conversation.last = max(conversation.last, body.moment)
    _count(session, body.conversation, entry.person, body.number)


@ROOM.folds(said.Recalled)
def recalled(session: Session, entry: Entry[said.Recalled]) -> None:
    """Taken back in time: what was said is gone from the tables, that it was said is not."""
    row = session.get(Message, entry.record)
    if row is None or (entry.person, entry.author) != (row.author, row.node):
        raise Refused("a message is taken back by its author", code="wrong_writer")
    if row.doubled:
        return
    if row.said not in entry.after:
        raise Refused("a recall names what it takes back", code="wrong_writer")
    if not recallable(row.at, entry.at):
        raise Refused("a message is taken back within two minutes", code="too_late")
    row.text, row.words, row.files_bytes, row.recalled_at = "", "", b"", entry.at


@ROOM.folds(said.Read)
def read(session: Session, entry: Entry[said.Read]) -> None:
    """Counts that only grow, of a reader who is on the roster that is named."""
    conversation = entry.body.conversation
    roster = _roster(session, entry, conversation)
    if roster is None or Member(entry.person, entry.author) not in roster.members:
        raise Refused("a conversation is read by its members", code="wrong_writer")
    if len(entry.body.seen) > SEEN:
        raise Refused("more authors than a conversation has", code="too_large")
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


@ROOM.folds(said.Hushed)
def hushed(session: Session, entry: Entry[said.Hushed]) -> None:
    """The person's own hours; the last word stands."""
    if entry.record != said.own_id("", entry.person, "quiet") or max(entry.body.begins, entry.body.ends) >= DAY // 60_000:
        raise Refused("quiet hours are of a day, and one's own", code="malformed")
    session.merge(Quiet(person=entry.person, begins=entry.body.begins, ends=entry.body.ends))


def _entitled(entry: Entry[Gathered], held: Conversation | None) -> None:
    """Whether this author may say who is in the conversation: of two either, of a group its owner at its home."""
    body = entry.body
    ids = {one.person for one in body.members}
    if Member(entry.person, entry.author) not in body.members or len(ids) != len(body.members) or not 1 <= len(ids) <= said.MANY:
        raise Refused("a conversation is gathered by one of its members, each named once", code="wrong_writer")
    if not body.owner:
        if len(ids) != 2 or body.number != 1 or body.conversation != said.pair_id(*ids):
            raise Refused("a conversation of two has their id and one roster", code="wrong_record")
        return
    if body.owner != entry.person or entry.record != body.conversation or not _founded(entry, held):
        raise Refused("a group is changed by its owner, at its home", code="wrong_writer")


def _founded(entry: Entry[Gathered], held: Conversation | None) -> bool:
    """Whether the id of a group says that it is the author's; one of before there were seeds is whose it was first."""
    body = entry.body
    if body.seed:
        return body.conversation == said.group_id(entry.person, entry.author, body.seed)
    return _before(body.conversation) and (held is None or (held.owner, held.home) == (entry.person, entry.author))


def _before(conversation: str) -> bool:
    try:
        return uuid.UUID(conversation).version == 7
    except ValueError:
        return False


def _measured(body: Gathered) -> None:
    """Nothing in a roster that no page could show."""
    try:
        dt.date.fromisoformat(body.ends or "2026-01-01")
    except ValueError:
        raise Refused("a group ends on a day", code="malformed") from None
    fits = body.number >= 1 and len(body.name) <= said.NAME and body.days <= YEARS and len(body.left) <= said.MANY
    if not fits:
        raise Refused("a roster has a number, a short name and a length of time", code="malformed")


def _fits(body: said.Said) -> None:
    clip = not body.seconds or (body.seconds <= said.CLIP and len(body.files) == 1)
    words = (
        len(body.text) + len(body.files) > 0 and len(body.text) <= said.WORDS and len(body.files) <= said.FILES and len(body.urgent) <= said.REASON
    )
    if body.number < 1 or not words or not clip:
        raise Refused("a message has words or files, not too many", code="malformed")


def _roster(session: Session, entry: Entry[Any], conversation: str) -> Roster | None:
    """The roster that an entry stands on; it was waited for."""
    found = (session.get(Roster, one.hex()) for one in entry.after)
    return next((roster for roster in found if roster is not None and roster.conversation == conversation), None)


def _lists(session: Session, conversation: str) -> list[Gathered]:
    """What all rosters say, by number; of two under one number the one with the lower id."""
    session.flush()
    rows = session.scalars(select(Roster).where(Roster.conversation == conversation).order_by(Roster.number, Roster.id.desc())).all()
    return [row.body for row in {row.number: row for row in rows}.values()]


def _stand(session: Session, conversation: str) -> None:
    """The conversation and its seats as all rosters that are here say: the same in whatever order these came."""
    lists = _lists(session, conversation)
    row, top = session.get_one(Conversation, conversation), lists[-1]
    packed = session.execute(select(Roster.number, Roster.body_bytes).where(Roster.conversation == conversation).distinct()).all()
    row.split = bool(row.owner) and len(packed) > len(lists)
    row.number, row.name, row.ends, row.days, row.closed = top.number, top.name, top.ends, top.days, top.closed or row.split
    for seat in session.scalars(select(Seat).where(Seat.conversation == conversation)).all():
        session.delete(seat)
    session.flush()
    sitting: dict[str, Seat] = {}
    for roster in lists:
        now = {one.person: one.node for one in roster.members}
        for person in [each for each in sitting if each not in now]:
            sitting.pop(person).until = roster.number
        for person in [each for each in now if each not in sitting]:
            sitting[person] = Seat(conversation=conversation, person=person, since=roster.number, node=now[person], until=0)
            session.add(sitting[person])


def _late(lists: list[Gathered], author: str, roster: int, number: int) -> bool:
    """Whether the first roster without the author after this one says that fewer of their messages count."""
    for one in lists:
        if one.number > roster and all(member.person != author for member in one.members):
            return any(seen.author == author and number > seen.number for seen in one.left)
    return False


def _judge(session: Session, conversation: str, authors: list[str]) -> None:
    """Say anew of what these authors said whether it came late."""
    lists = _lists(session, conversation)
    for row in session.scalars(select(Message).where(Message.conversation == conversation, Message.author.in_(authors))).all():
        row.late = _late(lists, row.author, row.roster, row.number)


def _date(session: Session, conversation: str) -> None:
    """The moment of the newest message that counts, or when the conversation was begun."""
    session.flush()
    counts = (Message.conversation == conversation, Message.late.is_(False), Message.doubled.is_(False))
    began = session.scalars(select(func.min(Roster.at)).where(Roster.conversation == conversation)).one()
    newest = session.scalars(select(func.max(Message.moment)).where(*counts)).one()
    session.get_one(Conversation, conversation).last = max(began, newest or 0)


def _doubled(session: Session, entry: Entry[said.Said], held: Message) -> None:
    """A second message of one number: neither is shown, and what is left of both is the same whichever came first."""
    if (held.author, held.conversation, held.number) != (entry.person, entry.body.conversation, entry.body.number):
        raise Refused("a message has an id of its own", code="wrong_record")
    held.text, held.words, held.files_bytes, held.seconds, held.urgent, held.recalled_at, held.doubled = "", "", b"", 0, "", 0, True
    held.roster, held.moment = min(held.roster, entry.body.roster), min(held.moment, entry.body.moment)
    held.at, held.said = min(held.at, entry.at), min(held.said, entry.id)
    held.late = _late(_lists(session, held.conversation), held.author, held.roster, held.number)
    _date(session, held.conversation)


def _count(session: Session, conversation: str, author: str, number: int) -> None:
    """Up to which number an author's messages are here without a gap: what a roster may say of somebody it puts out."""
    count = session.get(Count, (conversation, author))
    if count is None:
        count = Count(conversation=conversation, author=author, number=0, most=0)
        session.add(count)
    count.most = max(count.most, number)
    if number == count.number + 1:
        count.number = number
    while count.number < count.most and _said(session, conversation, author, count.number + 1):
        count.number += 1


def _said(session: Session, conversation: str, author: str, number: int) -> bool:
    where = (Message.conversation == conversation, Message.author == author, Message.number == number)
    return session.scalars(select(Message.id).where(*where).limit(1)).first() is not None
