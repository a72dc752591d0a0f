"""Acts by which a matter waits or ends: urged, supplemented, extended, suspended, void, merged."""

from __future__ import annotations

from typing import Any

from node.errors import Conflict, Invalid, Missing, Refused
from office.frame.flow import entries as said
from office.frame.flow.acts import does, end_pieces, needs, seat
from office.frame.flow.course import Course, change
from office.frame.flow.state import Asked, End, Longer, Stop, Urge
from office.frame.words import _

URGES = 3
"Urgings of one seat; then supervision."


@does(said.Urged)
def urged(course: Course, act: said.Urged) -> dict[str, Any]:
    """Three times; then supervision."""
    here = seat(course, act.seat)
    if len(here.urges) >= URGES:
        raise Refused(_("已经催办三次，应当转为督查事项。"), code="supervise")
    urge = Urge(course.said.at, course.said.person, act.channel, act.text)
    course.seats[here.id] = change(here, urges=(*here.urges, urge))
    return {}


@does(said.UrgeAnswered)
def urge_answered(course: Course, act: said.UrgeAnswered) -> dict[str, Any]:
    """The last urging is answered."""
    here = seat(course, act.seat)
    needs(act.text)
    if not here.urges:
        raise Conflict(_("没有人催办。"), code="moved_on")
    last = change(here.urges[-1], answer=act.text, answered=course.said.at)
    course.seats[here.id] = change(here, urges=(*here.urges[:-1], last))
    return {}


@does(said.Supervised)
def supervised(course: Course, act: said.Supervised) -> dict[str, Any]:
    """Only after three urgings."""
    here = seat(course, act.seat)
    if len(here.urges) < URGES:
        raise Refused(_("催办满三次才转为督查事项。"), code="urge_first")
    course.seats[here.id] = change(here, supervised=act.item or "-")
    return {}


@does(said.SupplementAsked)
def supplement_asked(course: Course, act: said.SupplementAsked) -> dict[str, Any]:
    """What is missing must be said once and whole; clocks stand still as their rules say."""
    seat(course, act.seat)
    needs(act.text)
    if course.before.supplement:
        raise Conflict(_("已经要求补正，正在等待材料。"), code="supplement")
    _stop(course, act.stops, act.cause)
    return {"supplement": course.said.at, "supplements": course.before.supplements + 1}


@does(said.Supplemented)
def supplemented(course: Course, act: said.Supplemented) -> dict[str, Any]:
    """Clocks go on, or begin anew."""
    if not course.before.supplement:
        raise Conflict(_("没有要求补正。"), code="moved_on")
    _go_on(course)
    at = course.said.at
    course.clocks = [change(one, again=(*one.again, at)) if one.running and one.rule in act.restarts else one for one in course.clocks]
    return {"supplement": 0}


def _stop(course: Course, rules: tuple[str, ...], cause: str) -> None:
    stop = Stop(cause, course.said.at, 0, course.said.id)
    stands = [one.running and one.rule in rules and not any(not s.until for s in one.stops) for one in course.clocks]
    course.clocks = [change(one, stops=(*one.stops, stop)) if still else one for one, still in zip(course.clocks, stands, strict=True)]


def _go_on(course: Course) -> None:
    at = course.said.at
    course.clocks = [change(one, stops=tuple(s if s.until else change(s, until=at) for s in one.stops)) for one in course.clocks]


@does(said.ExtensionAsked)
def extension_asked(course: Course, act: said.ExtensionAsked) -> dict[str, Any]:
    """Waits for the approver that the rule names."""
    seat(course, act.seat)
    needs(act.reason)
    if not any(one.running and one.rule == act.rule for one in course.clocks):
        raise Missing(_("没有这项期限在计算。"))
    return {"extension": Asked(act.seat, act.rule, act.by, act.reason, course.said.at)}


@does(said.Extended)
def extended(course: Course, act: said.Extended) -> dict[str, Any]:
    """More time, or not."""
    needs(act.reason)
    if not any(one.running and one.rule == act.rule for one in course.clocks):
        raise Missing(_("没有这项期限在计算。"))
    if act.granted:
        more = Longer(act.by, course.said.at, act.approver, act.reason)
        course.clocks = [change(one, longer=(*one.longer, more)) if one.running and one.rule == act.rule else one for one in course.clocks]
    return {"extension": None}


@does(said.Merged)
def merged(course: Course, act: said.Merged) -> dict[str, Any]:
    """Goes on elsewhere."""
    needs(act.reason)
    if not act.into or act.into == course.said.record:
        raise Invalid(_("请选择并入的事项。"), code="into")
    return _over(course, End.MERGED, act.reason) | {"into": act.into}


@does(said.Voided)
def voided(course: Course, act: said.Voided) -> dict[str, Any]:
    """Counts for nothing."""
    needs(act.reason)
    return _over(course, End.VOID, act.reason)


def _over(course: Course, end: End, reason: str) -> dict[str, Any]:
    for one in list(course.seats.values()):
        course.close(end_pieces(one, course.said.at), "ended", text=reason)
    course.kept.clear()
    course.meet("")
    return {"ended": course.said.at, "end": end, "suspended": "", "extension": None, "supplement": 0}


@does(said.Suspended)
def suspended(course: Course, act: said.Suspended) -> dict[str, Any]:
    """Nobody can do it for a while, for a reason that the law knows."""
    needs(act.reason)
    _stop(course, act.stops, act.cause)
    return {"suspended": act.reason}


@does(said.Resumed)
def resumed(course: Course, _act: said.Resumed) -> dict[str, Any]:
    """Goes on where it was."""
    if not course.before.suspended:
        raise Conflict(_("事项没有挂起。"), code="moved_on")
    if not course.before.supplement:
        _go_on(course)
    return {"suspended": ""}
