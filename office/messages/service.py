"""The verbs and questions of the messages room."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, select

from node import clock
from node.codec import uuid7
from node.errors import Conflict, Invalid, Missing, Refused
from office.frame.annex import Annex
from office.frame.calendar import SHANGHAI
from office.frame.desk import Desk, again
from office.frame.files import attach as attach
from office.frame.files import blob_state as blob_state
from office.frame.files import open_annex as open_annex
from office.frame.files import stored
from office.frame.reach import name_of
from office.frame.todo import Todo
from office.frame.words import _
from office.messages import entries as said
from office.messages.entries import CLIP, FILES, MANY, NAME, REASON, WORDS, Gathered, Member, Seen, group_id, message_id, own_id, pair_id
from office.messages.tables import DAY, Conversation, Count, Mark, Matter, Message, Quiet, Roster, Seat, unread
from office.messages.workflow import FLOW, MEMBER, OWNER, State, hushed, recallable, state

PIECE = 50
"Messages shown at a time; older ones are asked for."
ASKED, FEW = 8, 20
"Words of a question, and conversations of a name, that are looked at."


# conversations


def begin(desk: Desk, person: str) -> str:
    """Open the conversation with one other person; it is the same one whoever of the two opens it."""
    if person == desk.person:
        raise Invalid(_("请选择另一个人。"))
    record, members = pair_id(desk.person, person), _members(desk, (desk.person, person))
    if record in desk.among(Conversation, (record,)):
        return record
    content = Gathered(record, 1, "", "", members)
    desk.write(content, record=own_id(record, desk.person, "began"), to=_nodes(members))
    return record


def gather(desk: Desk, name: str, people: Iterable[str], *, ends: str = "", days: int = 0) -> str:
    """Make a group, which one owns oneself."""
    seed, members = desk.away.random("group", name) if desk.away else secrets.token_bytes(16), _members(desk, (desk.person, *people))
    record = group_id(desk.person, desk.node, seed)
    content = _fit(desk, Gathered(record, 1, desk.person, name.strip(), members, ends, days, seed=seed))
    desk.write(content, record=record, to=_nodes(members))
    return record


def change(desk: Desk, conversation: str, *, name: str, people: Iterable[str], ends: str = "", days: int = 0) -> None:
    """Say anew who is in a group, what it is called and how long it lasts; who left hears of it and sees nothing more."""
    last = _step(desk, conversation, "change")
    members = _members(desk, (desk.person, *people))
    _gather(desk, last, name=name.strip(), members=members, ends=ends, days=days)


def close(desk: Desk, conversation: str) -> None:
    """End a group for good; what was said stays to be read."""
    _gather(desk, _step(desk, conversation, "close"), closed=True)


# messages


def say(desk: Desk, conversation: str, text: str, *, files: Sequence[Annex] = (), seconds: int = 0, urgent: str = "") -> str:
    """Say something to those who are in the conversation now, in words, with files, or by a voice clip of so many ``seconds``.

    ``urgent`` is why it cannot wait: those who have quiet hours are told all the same.
    """
    _step(desk, conversation, "say")
    clean = text.strip()
    if not (clean or files) or len(clean) > WORDS:
        raise Invalid(_("请填写消息，不超过四千字。"))
    if len(files) > FILES:
        raise Invalid(_("一条消息最多带九个文件。"))
    if seconds and (len(files) != 1 or seconds > CLIP or not files[0].mime.startswith("audio/")):
        raise Invalid(_("语音最长两分钟。"))
    if len(urgent) > REASON:
        raise Invalid(_("紧急事由不超过六十字。"))
    return again(lambda: _say(desk, conversation, clean, tuple(files), seconds, urgent))


def recall(desk: Desk, message: str) -> None:
    """Take back what one said in the last two minutes."""
    row = desk.get(Message, message)
    if row.author != desk.person:
        raise Refused(_("只能撤回自己的消息。"), code="not_yours")
    if row.recalled_at:
        raise Conflict(_("消息已经撤回。"), code="recalled_already")
    if not recallable(row.at, clock.to_ms(desk.now)):
        raise Refused(_("消息发出两分钟后不能撤回。"), code="too_late")
    roster = _roster(desk, row.conversation, row.roster)
    desk.write(said.Recalled(), record=message, after=(row.said,), to=_nodes(roster.members))


def read(desk: Desk, conversation: str) -> None:
    """Say that one has read what is here; nothing is written when nothing is new."""
    last = _last(desk, desk.get(Conversation, conversation))
    new = desk.list(Message, Message.conversation == conversation, unread(desk.person), limit=None, narrow=True)
    if not new:
        return
    most: dict[str, int] = {}
    for one in new:
        most[one.author] = max(most.get(one.author, 0), one.number)
    content = said.Read(conversation, tuple(Seen(author, number) for author, number in sorted(most.items())))
    desk.write(content, record=own_id(conversation, desk.person, "read"), after=(last.said,), to=_nodes(last.members))


# one's own


def hush(desk: Desk, begins: str, ends: str) -> None:
    """Say between which times of the day one wants to be told only of what cannot wait; empty or the same twice for none."""
    content = said.Hushed(_minute(begins), _minute(ends))
    desk.write(content, record=own_id("", desk.person, "quiet"))


def keep(desk: Desk, message: str, *, due: str = "") -> str:
    """Make a matter of a message: it waits on one's home page, with what was said and the id of its signed statement."""
    row = desk.get(Message, message)
    if row.recalled_at:
        raise Conflict(_("消息已经撤回。"), code="recalled_already")
    record = uuid7()
    desk.write(said.Kept(message, row.said, row.author, row.text, _day(due), row.files), record=record, attachments=stored(row.files))
    return record


def settle(desk: Desk, matter: str) -> None:
    """Say that a matter made of a message is done."""
    row = desk.get(Matter, matter)
    if row.done_at:
        raise Conflict(_("已经办结。"), code="settled_already")
    desk.write(said.Settled(), record=matter, after=(row.said,))


# questions


def standing(desk: Desk, row: Conversation) -> State:
    """Where a conversation stands today."""
    return state(row.closed, row.ends, _today(desk))


def moves(desk: Desk, row: Conversation) -> set[str]:
    """What the person may do with a conversation now."""
    return {move.name for move in FLOW.offers(standing(desk, row), _parts(desk, row))}


def members(desk: Desk, row: Conversation) -> list[str]:
    """Who is in a conversation now."""
    return [one.person for one in seats(desk, row)]


def seats(desk: Desk, row: Conversation) -> tuple[Member, ...]:
    """Who is in a conversation now, and where."""
    return _last(desk, row).members


def messages(desk: Desk, conversation: str, *, before: tuple[int, str] | None = None, most: int = PIECE) -> list[Message]:
    """The newest messages, or those before a place (moment, id); the oldest of them first."""
    where = [Message.conversation == conversation, *_before(before)]
    return desk.list(Message, *where, order=(Message.moment.desc(), Message.id.desc()), limit=most, narrow=True)[::-1]


def search(desk: Desk, asked: str, *, before: tuple[int, str] | None = None, most: int = PIECE) -> list[Message]:
    """The newest of one's own messages in which all the words stand, or those before a place.

    Only one's own conversations are read through; the search of documents has no messages in it, for a message is no document.
    """
    own = select(Seat.conversation).where(Seat.person == desk.person, Seat.until == 0)
    where = [Message.conversation.in_(own), *(Message.words.contains(word, autoescape=True) for word in asked.lower().split()[:ASKED])]
    if len(where) == 1:
        return []
    where += _before(before)
    return desk.list(Message, *where, order=(Message.moment.desc(), Message.id.desc()), limit=most, narrow=True)


def called(desk: Desk, asked: str) -> list[Conversation]:
    """Conversations with people, or groups, of a name."""
    if not asked.strip():
        return []
    pairs = [pair_id(desk.person, one.person.id) for one in desk.directory.search(asked, limit=FEW)]
    named = Conversation.id.in_(pairs) | Conversation.name.contains(asked.strip(), autoescape=True)
    return desk.list(Conversation, named, order=Conversation.last.desc(), limit=FEW)


def readers(desk: Desk, conversation: str, shown: Iterable[Message]) -> dict[str, list[str]]:
    """By message of one conversation: those of its roster who have read it."""
    rows = list(shown)
    marks = desk.list(Mark, Mark.conversation == conversation, Mark.author.in_({row.author for row in rows}), order=Mark.reader, limit=None)
    rosters = {n: {one.person for one in _roster(desk, conversation, n).members} for n in {row.roster for row in rows}}

    def counts(row: Message, mark: Mark) -> bool:
        return mark.author == row.author != mark.reader and mark.number >= row.number and mark.reader in rosters[row.roster]

    return {row.id: [mark.reader for mark in marks if counts(row, mark)] for row in rows}


def waiting(desk: Desk) -> dict[str, int]:
    """How many unread messages there are in each conversation that has some."""
    return desk.known("messages.waiting", lambda: desk.tally(Message, Message.conversation, unread(desk.person)))


def ringing(desk: Desk) -> int:
    """How many unread messages somebody is told of now: in quiet hours only those that cannot wait."""
    if not quiet(desk):
        return sum(waiting(desk).values())
    return desk.known("messages.ringing", lambda: desk.count(Message, unread(desk.person), Message.urgent != ""))


def quiet(desk: Desk) -> bool:
    """Whether it is quiet for the person now."""
    found, now = hours(desk), desk.now.astimezone(SHANGHAI)
    return found is not None and hushed(found.begins, found.ends, now.hour * 60 + now.minute)


def hours(desk: Desk) -> Quiet | None:
    """The person's quiet hours, if there are any."""
    found = desk.known("messages.quiet", lambda: desk.list(Quiet, Quiet.person == desk.person, limit=1))
    return found[0] if found and found[0].begins != found[0].ends else None


def todo(desk: Desk) -> list[Todo]:
    """Matters made of messages, and unread messages that cannot wait."""
    rows = desk.list(Matter, Matter.person == desk.person, Matter.done_at == 0, order=Matter.at.desc())
    found = [
        Todo(
            title=row.text[:60] or row.files[0].name,
            url=f"/messages/matters/{row.id}",
            arrived=clock.from_ms(row.at),
            state=_("待办"),
            room=_("消息"),
        )
        for row in rows
    ]
    return [
        *map(partial(_pressing, desk), desk.list(Message, unread(desk.person), Message.urgent != "", order=Message.moment.desc(), limit=FEW)),
        *found,
    ]


# inside


def _pressing(desk: Desk, row: Message) -> Todo:
    return Todo(
        title=row.text[:60] or row.urgent,
        url=f"/messages/{row.conversation}#m-{row.id}",
        arrived=clock.from_ms(row.at),
        state=_("未读"),
        urgency="urgent",
        room=_("消息"),
        source=name_of(desk, row.author),
        about=row.urgent,
    )


def _before(place: tuple[int, str] | None) -> list[ColumnElement[bool]]:
    if place is None:
        return []
    moment, id_ = place
    return [(Message.moment < moment) | ((Message.moment == moment) & (Message.id < id_))]


def _say(desk: Desk, conversation: str, text: str, files: tuple[Annex, ...], seconds: int, urgent: str) -> str:
    """Count on from the author's last message, and stand after everything that is here."""
    own = own_id(conversation, desk.person, "said")
    desk.version(own)
    row = desk.get(Conversation, conversation)
    last = _last(desk, row)
    number = 1 + sum(one.number for one in desk.list(Count, Count.conversation == conversation, Count.author == desk.person))
    now, record = clock.to_ms(desk.now), message_id(conversation, desk.person, number)
    moment = max(now, min(row.last + 1, now + DAY))  # whoever claims a time far ahead takes nobody along
    content = said.Said(conversation, last.number, number, moment, text, files, seconds, urgent)
    desk.write(content, record=record, after=(last.said,), to=_nodes(last.members), touches=(own,), attachments=stored(files))
    return record


def _gather(desk: Desk, last: Roster, **new: Any) -> None:
    """The next roster, told to those of the last one too; it says of who is put out how much they had said."""
    content = _fit(desk, msgspec.structs.replace(last.body, number=last.number + 1, **new))
    gone = sorted({one.person for one in last.members} - {one.person for one in content.members})
    counts = {one.author: one.number for one in desk.list(Count, Count.conversation == last.conversation, Count.author.in_(gone), limit=None)}
    content = msgspec.structs.replace(content, left=tuple(Seen(person, counts.get(person, 0)) for person in gone))
    desk.write(content, record=content.conversation, to=_nodes((*last.members, *content.members)))


def _fit(desk: Desk, given: Gathered) -> Gathered:
    if not given.name or len(given.name) > NAME:
        raise Invalid(_("请填写群组名称，不超过六十字。"))
    if not 2 <= len(given.members) <= MANY:
        raise Invalid(_("请选择群组成员，最多五百人。"))
    if _day(given.ends) and dt.date.fromisoformat(given.ends) < _today(desk):
        raise Invalid(_("到期日期不能早于今天。"))
    return given


def _members(desk: Desk, people: Iterable[str]) -> tuple[Member, ...]:
    """Persons with the nodes where they are at home, each once."""
    found = []
    for id_ in dict.fromkeys(people):
        if desk.directory.person(id_) is None:
            raise Missing(_("通讯录中没有这个人。"))
        found.append(Member(id_, desk.directory.person_home(id_)))
    return tuple(found)


def _step(desk: Desk, conversation: str, move: str) -> Roster:
    """The last roster of a conversation in which the person may do this."""
    row = desk.get(Conversation, conversation)
    FLOW.step(standing(desk, row), move, _parts(desk, row))
    return _last(desk, row)


def _parts(desk: Desk, row: Conversation) -> frozenset[str]:
    return frozenset({MEMBER, OWNER} if row.owner == desk.person else {MEMBER})


def _last(desk: Desk, row: Conversation) -> Roster:
    return _roster(desk, row.id, row.number)


def _roster(desk: Desk, conversation: str, number: int) -> Roster:
    found = desk.list(Roster, Roster.conversation == conversation, Roster.number == number, order=Roster.id, limit=1)
    if not found:
        raise Missing()
    return found[0]


def _nodes(members: Iterable[Member]) -> list[str]:
    return sorted({one.node for one in members})


def _today(desk: Desk) -> dt.date:
    return desk.now.astimezone(SHANGHAI).date()


def _day(text: str) -> str:
    if not text:
        return ""
    try:
        return dt.date.fromisoformat(text).isoformat()
    except ValueError:
        raise Invalid(_("日期应写成 2026-01-31。")) from None


def _minute(text: str) -> int:
    if not text:
        return 0
    try:
        found = dt.time.fromisoformat(text)
    except ValueError:
        raise Invalid(_("时间应写成 22:00。")) from None
    return found.hour * 60 + found.minute
