"""The verbs of the meetings room; its questions stand in :mod:`office.meetings.questions` and are found here too."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from typing import Any

import msgspec

from node import clock
from node.codec import uuid7
from node.entry import Lane
from node.errors import Conflict, Invalid, Missing, Refused
from office.documents.entries import Drafted, Label, Paper
from office.frame.desk import Desk
from office.frame.rights import acting_post, roles, with_role
from office.frame.words import _
from office.meetings import entries as said
from office.meetings import workflow
from office.meetings.entries import WORDS, Decision, Going, Plan, Reply
from office.meetings.model import Call, Guest, Meeting, Task, Topic
from office.meetings.questions import answers as answers
from office.meetings.questions import burden as burden
from office.meetings.questions import clashes as clashes
from office.meetings.questions import expected as expected
from office.meetings.questions import gathering as gathering
from office.meetings.questions import guests as guests
from office.meetings.questions import minutes_text as minutes_text
from office.meetings.questions import moves as moves
from office.meetings.questions import organ_of as organ_of
from office.meetings.questions import parts as parts
from office.meetings.questions import tasks as tasks
from office.meetings.questions import todo as todo
from office.meetings.questions import waiting as waiting
from office.meetings.questions import warnings as warnings
from office.meetings.workflow import CLERKS, MEETING, TOPIC, WATCHERS

SOON = dt.timedelta(days=1)
"A notice for a meeting that begins sooner goes in the urgent lane."

# topics


def propose(desk: Desk, given: said.Proposed) -> str:
    """Put a topic forward to the organ that arranges the meeting."""
    _acts_for(desk, given.organ)
    to = organ_of(desk, given.to)
    workflow.refuse(
        [(not given.title.strip() or len(given.title) > said.TITLE, _("请填写议题名称，不超过二百字。")), (len(given.text) > WORDS, _TOO_LONG)]
    )
    topic = uuid7()
    desk.write(given, record=topic, to=(to.node,), recipients=(to.node,), post=acting_post(desk, given.organ, WATCHERS))
    return topic


def vet(desk: Desk, topic: str, *, passed: bool, opinion: str) -> None:
    """Let a topic in, or give it back with a reason."""
    found = desk.get(Topic, topic)
    TOPIC.step(found.state, "vet", roles(desk, found.to))
    content = said.Vetted(topic, found.to, passed, opinion.strip() if passed else _words(opinion))
    desk.write(content, record=said.answer_id(topic, found.to), after=(found.said,), to=(found.home,), post=acting_post(desk, found.to, WATCHERS))


# the arranger


def plan(desk: Desk, given: Plan, *, meeting: str = "") -> str:
    """Plan a meeting of an organ one acts for, or plan it otherwise."""
    _fits(desk, given)
    _acts_for(desk, given.organ, *CLERKS)
    held = _step(desk, meeting, "plan") if meeting else None
    if held is not None and held.organ != given.organ:
        raise Refused(_("会议的召集单位不能改，请另拟一个会议。"), code="organ_fixed")
    meeting = meeting or uuid7()
    desk.write(said.Planned(given), record=meeting, after=(held.last,) if held else (), post=acting_post(desk, given.organ, CLERKS))
    return meeting


def _fits(desk: Desk, given: Plan, held: int = 0) -> None:
    """Refuse what is no plan, and a last day for replies that is over before anybody was asked; the one already set may stay."""
    workflow.shape(given)
    over = 0 < given.reply_by <= clock.to_ms(desk.now) and given.reply_by != held
    workflow.refuse([(over, _("回执时限已过，请改为今后的时间，或者不填。"))])


def approve(desk: Desk, meeting: str, *, opinion: str = "") -> None:
    """Let a meeting be held."""
    _inner(desk, _step(desk, meeting, "approve"), said.Approved(opinion.strip()[:WORDS]))


def notify(desk: Desk, meeting: str) -> None:
    """Send the first notice to everybody who is called."""
    found = _step(desk, meeting, "notify")
    _fits(desk, found.plan)
    _send(desk, found, found.plan, "", 1)


def change(desk: Desk, meeting: str, given: Plan, *, note: str) -> None:
    """Send another notice; a change of time begins a new round, and the replies so far are void."""
    found = _step(desk, meeting, "change")
    _fits(desk, given, found.plan.reply_by)
    former = found.plan
    if given.organ != former.organ or not set(former.organs) <= set(given.organs):
        raise Refused(_("更改通知时，召集单位不能改，参会单位只能增加。"), code="organs_fixed")
    moved = (given.begins, given.ends) != (former.begins, former.ends)
    _send(desk, found, given, _words(note), found.round + moved)


def cancel(desk: Desk, meeting: str, *, reason: str) -> None:
    """Call a meeting off."""
    found = _step(desk, meeting, "cancel")
    after = (found.said,) if found.issue else (found.last,)
    desk.write(said.Cancelled(_words(reason)), record=meeting, after=after, to=_nodes(found), lane=Lane.URGENT, post=_post(desk, found))


def excuse(desk: Desk, meeting: str, organ: str, name: str, *, granted: bool, opinion: str = "") -> None:
    """Grant or decline a leave, and with it the substitute."""
    found = _step(desk, meeting, "excuse")
    guest = _guest(desk, meeting, organ, name)
    if not guest.leave:
        raise Conflict(_("此人没有请假。"), code="no_leave")
    content = said.Excused(organ, name, found.round, granted, opinion.strip()[:WORDS] if granted else _words(opinion))
    way = [one for one in found.called if one.organ in (organ, guest.via)]
    desk.write(content, record=meeting, after=(found.said,), to={one.node for one in way}, post=_post(desk, found))


def end(desk: Desk, meeting: str, *, begun: int, ended: int) -> None:
    """Say from when to when a meeting was really held."""
    if not 0 < begun < ended <= clock.to_ms(desk.now):
        raise Invalid(_("散会时间应当晚于开始时间，并且不晚于现在。"))
    _inner(desk, _step(desk, meeting, "end"), said.Ended(begun, ended))


def minute(desk: Desk, meeting: str, *, text: str = "") -> str:
    """Hand the minutes to the documents room as a draft of the kind 纪要; its id. From there on they go the way of every document."""
    found = _step(desk, meeting, "minute")
    if found.doc:
        raise Conflict(_("纪要已经起草。"), code="minuted")
    organ = organ_of(desk, found.organ)
    if not organ.may_issue:
        raise Refused(_("召集单位不是发文机关，不能起草纪要。"), code="not_issuer")
    doc = uuid7()
    to = tuple(id for id in found.plan.organs if id != found.organ)
    paper = Paper(found.organ, "minutes", f"{found.title}纪要"[: said.TITLE], text.strip() or minutes_text(desk, found), to, label=Label.INTERNAL)
    drafted = desk.wish(Drafted(paper), record=doc, post=_post(desk, found))
    desk.together([drafted, desk.wish(said.Minuted(doc), record=meeting, after=(found.last,), post=_post(desk, found))])
    return doc


def decide(desk: Desk, meeting: str, decisions: Sequence[Decision]) -> None:
    """Hand what was decided to those who carry it out, after what was handed over before."""
    found = _step(desk, meeting, "decide")
    before = [Decision(one.text, one.organ, one.due) for one in tasks(desk, meeting)]
    given = (*before, *decisions)
    nodes = {organ_of(desk, one.organ).node for one in decisions}
    if not decisions or len(given) > 200 or any(not one.text.strip() or len(one.text) > WORDS for one in decisions):
        raise Invalid(_("请填写议定事项和承办单位。"))
    desk.write(said.Decided(found.title, given), record=meeting, to=nodes, post=_post(desk, found))


def close(desk: Desk, meeting: str) -> None:
    """Be done with a meeting."""
    _inner(desk, _step(desk, meeting, "close"), said.Closed(desk.now.date()))


# those who are called


def sign_for(desk: Desk, meeting: str, organ: str) -> None:
    """R2: sign for the notice in the name of an organ."""
    found, call = _answering(desk, meeting, "sign_for", organ)
    if call.signed_at:
        raise Conflict(_("通知已经签收。"), code="signed_already")
    _answer(desk, found, said.SignedFor(meeting, organ), organ, to={found.home, _collector(found, call)})


def reply(desk: Desk, meeting: str, organ: str, people: Sequence[Going]) -> None:
    """Name who comes, who asks for leave, who comes instead; to the organ that collects, or straight to the arranger."""
    found, call = _answering(desk, meeting, "reply", organ)
    workflow.people(people)
    given = Reply(organ, found.round, clock.to_ms(desk.now), tuple(people))
    _answer(desk, found, said.Replied(meeting, given), organ, to={_collector(found, call)})


def gather(desk: Desk, meeting: str, organ: str) -> int:
    """Send the replies to the present round up as one list; how many organs it has."""
    found, _call = _answering(desk, meeting, "gather", organ)
    given = [one.reply for one in gathering(desk, found, organ) if one.reply is not None and one.reply_round == found.round]
    if not given:
        raise Conflict(_("还没有单位回执，暂不能汇总上报。"), code="nothing")
    _answer(desk, found, said.Gathered(meeting, organ, tuple(given)), organ, to={found.home})
    return len(given)


def attend(desk: Desk, meeting: str, code: str, *, name: str = "") -> Guest:
    """Sign somebody in by code, at the main venue or where a collecting organ keeps a branch; asked again it changes nothing."""
    found = _step(desk, meeting, "attend")
    fit = [one for one in expected(desk, found) if one.code == code.strip() and name in ("", one.name)]
    if not fit:
        raise Missing(_("没有这个签到码。"))
    if len(fit) > 1:
        raise Conflict(_("签到码重复，请补充姓名。"), code="two_people")
    guest = fit[0].guest
    if not guest.attended_at:
        content = said.Attended(meeting, guest.organ, guest.name, found.round)
        mine = found.home == desk.node
        record = meeting if mine else said.answer_id(meeting, guest.organ)
        desk.write(content, record=record, after=(found.said,), to=(found.home,), post=acting_post(desk, guest.organ, CLERKS))
    return guest


def carry_out(desk: Desk, decision: str, *, text: str) -> None:
    """Say what came of a decision."""
    task = desk.get(Task, decision)
    _acts_for(desk, task.organ)
    content = said.CarriedOut(decision, _words(text))
    record = said.answer_id(decision, task.organ)
    desk.write(content, record=record, after=(task.said,), to=(task.home,), post=acting_post(desk, task.organ, WATCHERS))


# inside

_TOO_LONG = _("填写的内容太长。")


def _acts_for(desk: Desk, organ: str, *names: str) -> None:
    if organ not in with_role(desk, *(names or WATCHERS)):
        raise Refused(_("您的岗位不能为这个单位办理会议。"), code="not_yours")


def _words(text: str) -> str:
    """A text that must be given."""
    if not text.strip():
        raise Invalid(_("请写明原因或者情况。"), code="reason")
    if len(text) > WORDS:
        raise Invalid(_TOO_LONG)
    return text.strip()


def _step(desk: Desk, meeting: str, move: str) -> Meeting:
    found = desk.get(Meeting, meeting)
    MEETING.step(found.state, move, parts(desk, found))
    return found


def _post(desk: Desk, meeting: Meeting) -> str:
    return acting_post(desk, meeting.organ, WATCHERS)


def _inner(desk: Desk, meeting: Meeting, content: Any) -> None:
    desk.write(content, record=meeting.id, after=(meeting.last,), post=_post(desk, meeting))


def _nodes(meeting: Meeting) -> list[str]:
    return sorted({one.node for one in meeting.called})


def _send(desk: Desk, meeting: Meeting, given: Plan, note: str, round: int) -> None:
    tree = desk.directory.tree()
    order = {organ.id: place for place, organ in enumerate(desk.directory.organs())}
    organs = sorted((organ_of(desk, id) for id in given.organs), key=lambda organ: order.get(organ.id, len(order)))
    above = {organ.node: tree.parent(organ.node) or "" for organ in organs}
    called = workflow.routes([(organ.id, organ.node) for organ in organs], above, desk.node)
    given = msgspec.structs.replace(given, organs=tuple(organ.id for organ in organs))
    content = said.Notified(given, called, meeting.issue + 1, round, note, meeting.salt or os.urandom(16))
    lane = Lane.URGENT if clock.from_ms(given.begins) - desk.now < SOON else Lane.ORDINARY
    after = (meeting.said,) if meeting.issue else ()
    desk.write(content, record=meeting.id, after=after, to={one.node for one in called}, lane=lane, post=_post(desk, meeting))


def _answering(desk: Desk, meeting: str, move: str, organ: str) -> tuple[Meeting, Call]:
    """A meeting and the call that the person answers: for the organ itself, or for one whose replies its own organ collects."""
    found = _step(desk, meeting, move)
    mine = with_role(desk, *WATCHERS)
    call = next(iter(desk.list(Call, Call.meeting == meeting, Call.organ == organ)), None)
    if call is None or not {call.organ, call.via} & set(mine):
        raise Missing()
    return found, call


def _collector(meeting: Meeting, call: Call) -> str:
    """The node to which a reply goes."""
    return next((one.node for one in meeting.called if one.organ == call.via), meeting.home)


def _answer(desk: Desk, meeting: Meeting, content: Any, organ: str, *, to: set[str]) -> None:
    record = said.answer_id(meeting.id, organ)
    desk.write(content, record=record, after=(meeting.said,), to=to, lane=Lane.ORDINARY, post=acting_post(desk, organ, WATCHERS))


def _guest(desk: Desk, meeting: str, organ: str, name: str) -> Guest:
    found = desk.list(Guest, Guest.meeting == meeting, Guest.organ == organ, Guest.name == name)
    if not found:
        raise Missing()
    return found[0]
