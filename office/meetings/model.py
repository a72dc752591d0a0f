"""Folds of meetings: how each signed act changes the tables.

The arranging organ's inner acts each name the one before. Notices, replies, lists and sign-ins may cross each other: a notice counts
by its issue, a reply by (round, time), and the state is worked out of facts, so every order ends in the same rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from node.codec import pack
from node.errors import Refused
from node.kinds import Entry
from office.frame import account
from office.meetings import entries as said
from office.meetings import workflow
from office.meetings.entries import Going, Plan, Reply
from office.meetings.tables import ROOM, Act, Busy, Call, Guest, Meeting, Task, Topic
from office.meetings.workflow import State

__all__ = ["ROOM", "Act", "Busy", "Call", "Guest", "Meeting", "Task", "Topic"]


@ROOM.folds(said.Proposed)
def proposed(session: Session, entry: Entry[said.Proposed]) -> None:
    """A topic stands before the arranger."""
    b = entry.body
    _own(entry)
    node = next(iter(entry.recipients), entry.author)
    facts = {"organ": b.organ, "to": b.to, "title": b.title, "text": b.text, "presenter": b.presenter, "attend": b.attend, "minutes": b.minutes}
    session.add(Topic(id=entry.record, home=entry.author, node=node, at=entry.at, said=entry.id, **facts))
    account.keep(session, Act, entry, organ=b.organ)


@ROOM.folds(said.Vetted)
def vetted(session: Session, entry: Entry[said.Vetted]) -> None:
    """Let in or given back."""
    topic = session.get(Topic, entry.body.topic)
    if topic is None or entry.author != topic.node:
        raise Refused("a topic is vetted at the node it was put to", code="wrong_writer")
    if topic.state == workflow.Topic.PROPOSED:
        topic.state, topic.opinion = workflow.Topic.PASSED if entry.body.passed else workflow.Topic.RETURNED, entry.body.opinion
    account.keep(session, Act, entry, about=topic.id, organ=entry.body.organ, text=entry.body.opinion)


@ROOM.folds(said.Planned)
def planned(session: Session, entry: Entry[said.Planned]) -> None:
    """Planned, or planned otherwise, which wants approval again."""
    meeting = _inner(session, entry)
    meeting.approved = False
    _write(session, meeting, entry.body.plan)


@ROOM.folds(said.Approved)
def approved(session: Session, entry: Entry[said.Approved]) -> None:
    """May be held."""
    _inner(session, entry, entry.body.opinion).approved = True
    _stand(session, entry.record)


@ROOM.folds(said.Notified)
def notified(session: Session, entry: Entry[said.Notified]) -> None:
    """Called, or called anew: another round voids the replies so far."""
    body, meeting = entry.body, _meeting(session, entry)
    account.keep(session, Act, entry, text=body.note)
    if body.issue <= meeting.issue:
        return
    fresh = body.round > meeting.round
    meeting.issue, meeting.round, meeting.note, meeting.salt, meeting.said = body.issue, body.round, body.note, body.salt, entry.id
    meeting.called_bytes, meeting.noticed_at = pack(body.called), entry.at
    _write(session, meeting, body.plan)
    for order, one in enumerate(body.called):
        call = session.get(Call, (entry.record, one.organ))
        if call is None:
            session.add(Call(meeting=entry.record, organ=one.organ, node=one.node, via=one.via, order=order))
        else:
            call.node, call.via, call.order = one.node, one.via, order
    if fresh:
        _drop(session, session.scalars(select(Guest).where(Guest.meeting == entry.record)))
        _drop(session, session.scalars(select(Busy).where(Busy.meeting == entry.record, Busy.organ != "")))
    for topic in session.scalars(select(Topic).where(Topic.id.in_([item.topic for item in body.plan.agenda if item.topic]))):
        topic.state, topic.meeting = workflow.Topic.SCHEDULED, entry.record


@ROOM.folds(said.Cancelled)
def cancelled(session: Session, entry: Entry[said.Cancelled]) -> None:
    """Not held."""
    meeting = _meeting(session, entry)
    meeting.cancelled, meeting.note = entry.at, entry.body.reason
    _drop(session, session.scalars(select(Busy).where(Busy.meeting == entry.record)))
    account.keep(session, Act, entry, text=entry.body.reason)
    _stand(session, entry.record)


@ROOM.folds(said.SignedFor)
def signed_for(session: Session, entry: Entry[said.SignedFor]) -> None:
    """R2: the first to sign stands."""
    call = _call(session, entry, entry.body.meeting, entry.body.organ)
    if not call.signed_at or (entry.at, entry.person) < (call.signed_at, call.signed_by):
        call.signed_at, call.signed_by = entry.at, entry.person
    account.keep(session, Act, entry, about=call.meeting, organ=call.organ)


@ROOM.folds(said.Replied)
def replied(session: Session, entry: Entry[said.Replied]) -> None:
    """Who comes."""
    body = entry.body
    _take(session, _call(session, entry, body.meeting, body.reply.organ), body.reply)
    account.keep(session, Act, entry, about=body.meeting, organ=body.reply.organ)


@ROOM.folds(said.Gathered)
def gathered(session: Session, entry: Entry[said.Gathered]) -> None:
    """One list of many replies."""
    body = entry.body
    for reply in body.replies:
        call = _call(session, entry, body.meeting, reply.organ)
        _take(session, call, reply)
        call.gathered_at = max(call.gathered_at, entry.at)
    account.keep(session, Act, entry, about=body.meeting, organ=body.organ)


@ROOM.folds(said.Excused)
def excused(session: Session, entry: Entry[said.Excused]) -> None:
    """Leave is granted or declined."""
    body, meeting = entry.body, _meeting(session, entry)
    guest = session.get(Guest, (meeting.id, body.organ, body.name))
    if guest is not None and body.round == meeting.round:
        guest.verdict, guest.opinion = "granted" if body.granted else "declined", body.opinion
    account.keep(session, Act, entry, organ=body.organ, text=body.opinion)


@ROOM.folds(said.Attended)
def attended(session: Session, entry: Entry[said.Attended]) -> None:
    """Is there; the first sign-in stands."""
    body = entry.body
    meeting = session.get(Meeting, body.meeting)
    if meeting is None or entry.author != meeting.home:
        _call(session, entry, body.meeting, body.organ)
    guest = session.get(Guest, (body.meeting, body.organ, body.name))
    if guest is not None and meeting is not None and body.round == meeting.round:
        guest.attended_at = min(guest.attended_at or entry.at, entry.at)


@ROOM.folds(said.Ended)
def ended(session: Session, entry: Entry[said.Ended]) -> None:
    """Held; the counter takes the hours it really took."""
    meeting = _inner(session, entry)
    meeting.held, meeting.begins, meeting.ends = entry.at, entry.body.begun, entry.body.ended
    _stand(session, entry.record)


@ROOM.folds(said.Minuted)
def minuted(session: Session, entry: Entry[said.Minuted]) -> None:
    """The minutes are a draft of the documents room."""
    _inner(session, entry).doc = entry.body.doc


@ROOM.folds(said.Decided)
def decided(session: Session, entry: Entry[said.Decided]) -> None:
    """Tasks for those who carry them out; this may be all that such a node ever hears of the meeting."""
    _own(entry)
    meeting = session.get(Meeting, entry.record)
    if meeting is not None and meeting.home != entry.author:
        raise Refused("a meeting is written by its home node", code="wrong_writer")
    if meeting is not None:
        meeting.decisions = max(meeting.decisions, len(entry.body.decisions))
    for place, one in enumerate(entry.body.decisions, 1):
        if session.get(Task, said.decision_id(entry.record, place)) is None:
            facts = {"title": entry.body.title, "organ": one.organ, "text": one.text, "due": one.due}
            id = said.decision_id(entry.record, place)
            session.add(Task(id=id, meeting=entry.record, home=entry.author, at=entry.at, said=entry.id, **facts))
    account.keep(session, Act, entry)


@ROOM.folds(said.CarriedOut)
def carried_out(session: Session, entry: Entry[said.CarriedOut]) -> None:
    """Done; the last word stands."""
    task = session.get(Task, entry.body.decision)
    if task is None or entry.record != said.answer_id(task.id, task.organ):
        raise Refused("no such decision was handed to this organ", code="wrong_record")
    if entry.at >= task.done_at:
        task.done_at, task.done = entry.at, entry.body.text
    account.keep(session, Act, entry, about=task.meeting, organ=task.organ, text=entry.body.text)


@ROOM.folds(said.Closed)
def closed(session: Session, entry: Entry[said.Closed]) -> None:
    """Done with."""
    _inner(session, entry).closed = entry.at
    _stand(session, entry.record)


# what folds share


def _own(entry: Entry[Any]) -> None:
    if entry.home != entry.author:
        raise Refused("a record is written by its home node", code="wrong_writer")


def _meeting(session: Session, entry: Entry[Any]) -> Meeting:
    """The meeting of an entry of its home node, new at its first."""
    _own(entry)
    found = session.get(Meeting, entry.record)
    if found is None:
        found = Meeting(id=entry.record, home=entry.author)
        session.add(found)
    if found.home != entry.author:
        raise Refused(f"the meeting belongs to node {found.home}", code="wrong_writer")
    found.changed_at = max(found.changed_at, entry.at)
    return found


def _inner(session: Session, entry: Entry[Any], text: str = "") -> Meeting:
    """The meeting of an act that stays with the arranger."""
    found = _meeting(session, entry)
    found.last = entry.id
    account.keep(session, Act, entry, text=text)
    return found


def _write(session: Session, meeting: Meeting, plan: Plan) -> None:
    meeting.plan_bytes, meeting.organ, meeting.title, meeting.kind = pack(plan), plan.organ, plan.title, plan.kind
    meeting.begins, meeting.ends = plan.begins, plan.ends
    if meeting.chair != plan.chair:
        _drop(session, session.scalars(select(Busy).where(Busy.meeting == meeting.id, Busy.organ == "")))
        meeting.chair = plan.chair
    _stand(session, meeting.id)
    busy = session.get(Busy, (meeting.id, "", plan.chair))
    if busy is not None:
        busy.begins, busy.ends = plan.begins, plan.ends
    elif plan.chair and not meeting.cancelled:
        session.add(Busy(meeting=meeting.id, organ="", person=plan.chair, begins=plan.begins, ends=plan.ends))


def _stand(session: Session, id: str) -> None:
    """Work the state out of the facts."""
    meeting = session.get(Meeting, id)
    assert meeting is not None
    order = (
        (meeting.closed, State.CLOSED),
        (meeting.cancelled, State.CANCELLED),
        (meeting.held, State.HELD),
        (meeting.issue, State.NOTIFIED),
        (meeting.approved, State.APPROVED),
    )
    meeting.state = next((state for fact, state in order if fact), State.PLANNED)


def _call(session: Session, entry: Entry[Any], meeting: str, organ: str) -> Call:
    """The call that an answer is about; it comes from the organ's node or from the one that collects for it."""
    call = session.get(Call, (meeting, organ))
    if call is None:
        raise Refused("an answer to a notice that never went there", code="receipt_mismatch")
    over = session.get(Call, (meeting, call.via)) if call.via else None
    if entry.author not in (call.node, over.node if over is not None else call.node):
        raise Refused("the answer comes from another node than the organ's", code="wrong_writer")
    return call


def _take(session: Session, call: Call, reply: Reply) -> None:
    """A reply counts by round and time, whichever way it came."""
    if (reply.round, reply.at) <= (call.reply_round, call.reply_at):
        return
    call.reply_round, call.reply_at, call.reply_bytes = reply.round, reply.at, pack(reply)
    meeting = session.get(Meeting, call.meeting)
    if meeting is None or reply.round != meeting.round:
        return
    held = {one.name: one for one in session.scalars(select(Guest).where(Guest.meeting == call.meeting, Guest.organ == call.organ))}
    _drop(session, [one for name, one in held.items() if name not in {going.name for going in reply.people}])
    _drop(session, session.scalars(select(Busy).where(Busy.meeting == call.meeting, Busy.organ == call.organ)))
    for place, going in enumerate(reply.people):
        _guest(session, meeting, call, place, going, held.get(going.name))


def _guest(session: Session, meeting: Meeting, call: Call, place: int, going: Going, held: Guest | None) -> None:
    facts = {name: getattr(going, name) for name in ("person", "title", "phone", "leave", "substitute", "substitute_title")}
    row = held or Guest(meeting=call.meeting, organ=call.organ, name=going.name)
    if held is not None and (held.leave, held.substitute) != (going.leave, going.substitute):
        held.verdict = held.opinion = ""
    for name, value in (facts | {"via": call.via, "order": call.order, "place": place}).items():
        setattr(row, name, value)
    if held is None:
        session.add(row)
    if going.person and not going.leave and session.get(Busy, (meeting.id, call.organ, going.person)) is None:
        session.add(Busy(meeting=meeting.id, organ=call.organ, person=going.person, begins=meeting.begins, ends=meeting.ends))


def _drop(session: Session, rows: Iterable[Any]) -> None:
    for row in list(rows):
        session.delete(row)
    session.flush()
