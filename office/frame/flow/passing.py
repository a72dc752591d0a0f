"""Acts by which a matter goes on: opened, done, signed for somebody, returned, recalled."""

from __future__ import annotations

from typing import Any

from node.errors import Conflict, Invalid, Missing, Refused
from office.frame.flow import entries as said
from office.frame.flow.acts import does, end_pieces, learn, needs, seat
from office.frame.flow.course import Course, Token, change
from office.frame.flow.entries import Opinion, Others
from office.frame.flow.state import Done, Seat, Sort, State
from office.frame.flow.template import Asks, Step, Template
from office.frame.words import _

SENT = ("pass", "countersign", "settle", "sign_for", "transcribe", "return")
"What sends a matter on, and may be recalled."


def _conclude(course: Course, here: Seat, how: str, **about: str) -> dict[str, Any]:
    """A seat is done well and the matter goes on."""
    if any(piece.lead and not piece.done for piece in here.pieces):
        raise Refused(_("牵头的一项还没有办结，这一步不能办结。"), code="lead_open")
    course.close(end_pieces(here, course.said.at), how, **about)
    line = len(course.trail) - 1
    course.finish(here)
    course.settle()
    course.note_made(line)
    return {"extension": None}


def _opinion(course: Course, here: Seat, opinion: str) -> str:
    """The opinion, where the step asks for one; refused where it does not fit the step."""
    asks = course.template.step(here.step).asks == Asks.COUNTERSIGN and here.sort == Sort.TASK
    if asks != bool(opinion):
        raise Invalid(_("会签要表明同意、修改后同意或者不同意；其他环节不用。"), code="opinion")
    if opinion not in ("", *Opinion):
        raise Invalid(_("会签要表明同意、修改后同意或者不同意；其他环节不用。"), code="opinion")
    return opinion


@does(said.Opened)
def opened(course: Course, act: said.Opened) -> dict[str, Any]:
    """The first look counts."""
    here = seat(course, act.seat)
    if not here.opened:
        course.seats[here.id] = change(here, opened=course.said.at, opener=course.said.person)
    return {}


@does(said.Passed)
def passed(course: Course, act: said.Passed) -> dict[str, Any]:
    """On to the next."""
    here = seat(course, act.seat)
    _opinion(course, here, "")
    if here.sort == Sort.SETTLE:
        raise Invalid(_("会签意见不一致，请写明裁定意见。"), code="opinion")
    learn(course, act)
    return _conclude(course, here, "pass", text=act.text)


@does(said.Countersigned)
def countersigned(course: Course, act: said.Countersigned) -> dict[str, Any]:
    """Agreeing with changes and disagreeing must say why."""
    here = seat(course, act.seat)
    opinion = _opinion(course, here, act.opinion)
    if opinion != Opinion.AGREE:
        needs(act.text)
    return _conclude(course, here, "countersign", text=act.text, opinion=opinion)


@does(said.Settled)
def settled(course: Course, act: said.Settled) -> dict[str, Any]:
    """The superior has decided; a superior who does not let it pass returns it."""
    here = seat(course, act.seat)
    if here.sort != Sort.SETTLE:
        raise Conflict(_("这一步没有需要裁定的分歧。"), code="moved_on")
    needs(act.text)
    return _conclude(course, here, "settle", text=act.text)


@does(said.SignedFor)
def signed_for(course: Course, act: said.SignedFor) -> dict[str, Any]:
    """Done in another's place."""
    here = seat(course, act.seat)
    if not (act.principal and act.delegation):
        raise Invalid(_("代签要写明替谁、依据哪项授权。"), code="delegation")
    about = {"principal": act.principal, "basis": act.delegation}
    return _conclude(course, here, "sign_for", text=act.text, opinion=_opinion(course, here, act.opinion), **about)


@does(said.Transcribed)
def transcribed(course: Course, act: said.Transcribed) -> dict[str, Any]:
    """A leader's handwriting, entered by a clerk."""
    here = seat(course, act.seat)
    needs(act.text)
    about = {"principal": act.leader, "basis": act.scan.hex()}
    return _conclude(course, here, "transcribe", text=act.text, opinion=_opinion(course, here, act.opinion), **about)


def target(course: Course, here: Seat, to: str) -> str:
    """The step that a return leads to; :class:`Refused` when the matter has not been there on its way to this seat."""
    been = [step.id for step in earlier(course.before, course.template, here)]
    if to == "drafter":
        to = been[0] if been else course.template.first
    elif to == "previous":
        to = _previous(course, here)
    if to not in been:
        raise Refused(_("只能退回到已经办过的环节。"), code="not_earlier")
    return to


def earlier(state: State, template: Template, here: Seat) -> list[Step]:
    """The steps to which a seat may be returned, in the order in which they were first done."""
    known = {step.id: step for step in template.tasks() if step.id != here.step}
    been = (one.step for one in state.trail if one.how != "skipped" and here.scope[: len(one.seat.scope)] == one.seat.scope)
    return [known[id] for id in dict.fromkeys(been) if id in known]


def _previous(course: Course, here: Seat) -> str:
    by = {one.seat.id: one.seat for one in course.trail}
    found, seen = by.get(here.by), {here.id}
    while found is not None and found.step == here.step and found.id not in seen:
        seen.add(found.id)
        found = by.get(found.by)
    return found.step if found is not None else ""


@does(said.Returned)
def returned(course: Course, act: said.Returned) -> dict[str, Any]:
    """Back; those who have it at the same time are suspended or cancelled, never forgotten."""
    here = seat(course, act.seat)
    needs(act.reason)
    to = target(course, here, act.to)
    scopes = [one.seat.scope for one in course.trail if one.step == to and here.scope[: len(one.seat.scope)] == one.seat.scope]
    scope = scopes[-1]
    course.close(end_pieces(here, course.said.at), "return", text=act.reason)
    line = len(course.trail) - 1
    others = [one for one in course.seats.values() if one.scope[: len(scope)] == scope]
    if act.others == Others.CANCEL:
        course.cancel(others)
        course.kept = [one for one in course.kept if one.seat.scope[: len(scope)] != scope]
        course.stop(here.round)
    else:
        course.hold(here, others)
    course.enter(to, Token(here.id, scope))
    course.settle()
    course.note_made(line)
    return {"extension": None}


@does(said.Recalled)
def recalled(course: Course, act: said.Recalled) -> dict[str, Any]:
    """Only while nobody after has opened it; what was done then is undone, and the log keeps both."""
    line = next((one for one in reversed(course.trail) if one.seat.id == act.seat), None)
    if line is None or act.seat in course.seats:
        raise Missing(_("没有可以撤回的办理。"))
    if not recallable(course.before, line):
        raise Refused(_("下一步已经有人打开或办理，不能撤回。请联系对方退回。"), code="opened")
    course.cancel([course.seats[id] for id in line.made], "recalled")
    course.take_back(line)
    course.unmeet(line.seat.round)
    course.add(change(line.seat, since=course.said.at, opened=course.said.at, opener=course.said.person, pieces=()))
    return {}


def recallable(state: State, line: Done) -> bool:
    """Whether what a line of the trail tells of may still be taken back: everything it led to lies there unopened."""
    touched = (*line.made, *(id for id, _cause in line.woke))
    sent = [found for id in touched if (found := state.seat(id)) is not None]
    if line.how not in SENT or len(sent) < len(touched) or any(one.opened or one.held for one in sent):
        return False
    if any(_led(state, id) is not line for id in touched):
        return False
    if line.how == "return" and any(one.how == "cancelled" and one.said == line.said for one in state.trail):
        return False
    return bool(sent) or any(one.round == line.seat.round and one.live for one in state.seats)


def _led(state: State, seat: str) -> Done | None:
    """The last thing done that led to a seat or let it go on."""
    return next((one for one in reversed(state.trail) if seat in one.made or any(id == seat for id, _cause in one.woke)), None)
