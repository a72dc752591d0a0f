"""Acts by which somebody else has a matter: forwarded, assigned, split, more or fewer signers, circulated, moved elsewhere."""

from __future__ import annotations

from typing import Any

from node.errors import Conflict, Invalid, Missing, Refused
from office.frame.flow import entries as said
from office.frame.flow.acts import does, needs, seat
from office.frame.flow.course import Course, Token, change
from office.frame.flow.passing import SENT
from office.frame.flow.state import Piece, Reading, Seat, Sort
from office.frame.flow.template import Kind
from office.frame.words import _

READERS = 500
"Most readers of a matter."


@does(said.Forwarded)
def forwarded(course: Course, act: said.Forwarded) -> dict[str, Any]:
    """A seat, or a part of one, is somebody else's; who leads is still who leads."""
    needs(act.reason)
    for one in course.seats.values():
        if any(piece.id == act.seat and not piece.done for piece in one.pieces):
            here = seat(course, one.id)
            moved = tuple(change(p, holder=act.to, since=course.said.at) if p.id == act.seat else p for p in here.pieces)
            course.seats[here.id] = change(here, pieces=moved)
            return {}
    here = seat(course, act.seat)
    _hand_on(course, here, "forward", act.reason)
    course.seats[here.id] = change(here, holders=(act.to,), since=course.said.at, opened=0, opener="")
    return {}


def _hand_on(course: Course, here: Seat, how: str, text: str) -> None:
    """Write down who had a seat until now; it stays open for somebody else, in its place among the others."""
    order = list(course.seats)
    course.close(here, how, text=text)
    course.seats[here.id] = here
    course.seats = {id: course.seats[id] for id in order}


@does(said.Assigned)
def assigned(course: Course, act: said.Assigned) -> dict[str, Any]:
    """Somebody below does it; who had it still answers for it."""
    here = seat(course, act.seat)
    answerable = tuple(dict.fromkeys((*here.answerable, *here.holders)))
    _hand_on(course, here, "assign", act.text)
    now = {"holders": (act.lead,), "assistants": act.assistants, "answerable": answerable}
    course.seats[here.id] = change(here, since=course.said.at, opened=0, opener="", **now)
    return {}


@does(said.Split)
def split(course: Course, act: said.Split) -> dict[str, Any]:
    """One lead, always."""
    here = seat(course, act.seat)
    if any(not piece.done for piece in here.pieces):
        raise Conflict(_("已经分办，请先收回或者等各项办结。"), code="split_already")
    if sum(item.lead for item in act.items) != 1:
        raise Invalid(_("分办要有一个、也只能有一个牵头单位。"), code="lead")
    first, at = len(here.pieces), course.said.at
    pieces = [Piece(f"{here.id}/{first + n}", one.about, one.holder, one.lead, at) for n, one in enumerate(act.items)]
    course.seats[here.id] = change(here, pieces=(*here.pieces, *pieces))
    return {}


@does(said.ItemClosed)
def item_closed(course: Course, act: said.ItemClosed) -> dict[str, Any]:
    """A part is done; the whole is not before its holder says so."""
    here = seat(course, act.seat.partition("/")[0])
    found = next((piece for piece in here.pieces if piece.id == act.seat and not piece.done), None)
    if found is None:
        raise Conflict(_("这一项已经办结。"), code="moved_on")
    needs(act.text)
    done = change(found, done=course.said.at, text=act.text)
    course.seats[here.id] = change(here, pieces=tuple(done if one.id == found.id else one for one in here.pieces))
    return {}


@does(said.SignerAdded)
def signer_added(course: Course, act: said.SignerAdded) -> dict[str, Any]:
    """One more to ask, beside the others or at the end of the queue."""
    here = seat(course, act.seat)
    if here.sort == Sort.SETTLE:
        raise Refused(_("裁定由一人作出，不能加签。"), code="settle")
    if here.queue:
        course.seats[here.id] = change(here, queue=(*here.queue, (act.holder,)))
        return {}
    taken = [one for one in (*(line.seat for line in course.trail), *course.seats.values()) if one.round == here.round and one.sort == Sort.TASK]
    place = 1 + max(int(one.id.rpartition(".")[2]) for one in taken)
    fresh = {"holders": (act.holder,), "since": course.said.at, "opened": 0, "opener": "", "pieces": (), "urges": (), "answerable": ()}
    course.add(change(here, id=f"{here.round}.{place}", **fresh))
    return {}


@does(said.SignerDropped)
def signer_dropped(course: Course, act: said.SignerDropped) -> dict[str, Any]:
    """Somebody need not be asked; at least one has been, or will be."""
    here = seat(course, act.seat)
    needs(act.reason)
    beside = any(one.round == here.round and one.id != here.id for one in course.seats.values())
    asked = any(one.seat.round == here.round and one.how in SENT and one.how != "return" for one in course.trail)
    if here.sort == Sort.SETTLE or not (beside or here.queue or asked):
        raise Refused(_("最后一位不能减签。"), code="last_signer")
    course.close(here, "drop_signer", text=act.reason)
    line = len(course.trail) - 1
    course.finish(here)
    course.settle()
    course.note_made(line)
    return {}


@does(said.Circulated)
def circulated(course: Course, act: said.Circulated) -> dict[str, Any]:
    """More readers; of those who read one after the other the first has it now."""
    if not act.readers or len(course.before.reading) + len(act.readers) > READERS:
        raise Invalid(_("请选择传阅对象，最多 {n} 个。").format(n=READERS), code="readers")
    busy = act.serial and any(one.since and not one.read for one in course.before.reading)
    fresh = [Reading(holder, 0 if act.serial and (n or busy) else course.said.at) for n, holder in enumerate(act.readers)]
    return {"reading": (*course.before.reading, *fresh)}


@does(said.Read)
def read(course: Course, act: said.Read) -> dict[str, Any]:
    """One has read it and the next has it."""
    rows = list(course.before.reading)
    if act.reader >= len(rows) or not rows[act.reader].since:
        raise Missing(_("还没有传阅到这里。"))
    if not rows[act.reader].read:
        rows[act.reader] = change(rows[act.reader], read=course.said.at, person=course.said.person, text=act.text)
    if not any(one.since and not one.read for one in rows):
        place = next((n for n, one in enumerate(rows) if not one.since), None)
        if place is not None:
            rows[place] = change(rows[place], since=course.said.at)
    return {"reading": tuple(rows)}


@does(said.Jumped)
def jumped(course: Course, act: said.Jumped) -> dict[str, Any]:
    """Straight there; whoever had it is told that it is gone."""
    needs(act.reason)
    step = course.template.step(act.to)
    if step.kind != Kind.TASK:
        raise Invalid(_("只能转到有人办理的环节。"), code="not_task")
    course.cancel_all("jump")
    course.enter(step.id, Token("", ()))
    if act.holder is not None and course.made:
        kept = course.seats[course.made[0]]
        for id in course.made[1:]:
            course.seats.pop(id)
        course.seats[kept.id] = change(kept, holders=(act.holder,), queue=())
    return {"extension": None}


@does(said.Migrated)
def migrated(course: Course, act: said.Migrated) -> dict[str, Any]:
    """Seats stand at the steps of another template; what was suspended goes on, for its branches may be gone."""
    for id, one in list(course.seats.items()):
        step = course.template.step(act.steps.get(one.step, one.step))
        if (step.kind == Kind.JOIN) != (one.sort == Sort.WAIT) or step.kind not in (Kind.TASK, Kind.JOIN):
            raise Invalid(_("只能转到有人办理的环节。"), code="not_task")
        course.seats[id] = change(one, step=step.id, held="")
    course.kept.clear()
    return {"template": act.template}
