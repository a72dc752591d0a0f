"""What each act does to a matter. An act that does not fit is refused and changes nothing; who may do it is asked elsewhere.

Effects take the course and the act and answer with what else of the state changes. They are in ``passing`` (done, returned, recalled),
``handing`` (to somebody else, to several, to be read, somewhere else) and ``waiting`` (urged, supplemented, extended, suspended, over).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from node.errors import Conflict, Invalid
from office.frame.flow import entries as said
from office.frame.flow.course import Course, change
from office.frame.flow.entries import Act
from office.frame.flow.state import Seat, Sort
from office.frame.flow.template import DRAFTER, Fact
from office.frame.words import _

A = TypeVar("A", bound=Act)
Effect = Callable[[Course, Any], dict[str, Any]]
EFFECTS: dict[type[Act], Effect] = {}


def does(kind: type[A]) -> Callable[[Callable[[Course, A], dict[str, Any]]], Callable[[Course, A], dict[str, Any]]]:
    """Declare what an act does."""

    def register(effect: Callable[[Course, A], dict[str, Any]]) -> Callable[[Course, A], dict[str, Any]]:
        EFFECTS[kind] = effect
        return effect

    return register


def seat(course: Course, id: str) -> Seat:
    """A seat that may be done now; :class:`Conflict` when the matter has moved on."""
    found = course.seats.get(id)
    if found is None or found.sort == Sort.WAIT:
        raise Conflict(_("这件事刚刚有了变化，已不在这一步。请刷新后再看。"), code="moved_on")
    if found.held:
        raise Conflict(_("有人退回了这件事，这一步正在等待，暂时不能办理。"), code="held")
    return found


def needs(text: str) -> None:
    """:class:`Invalid` without a reason."""
    if not text.strip():
        raise Invalid(_("请写明原因。"), code="reason")


def _learn(course: Course, facts: dict[str, Fact]) -> None:
    known = {one.id: one for one in course.template.facts}
    for name, value in facts.items():
        if name not in known or type(value) is not type(known[name].plain):
            raise Invalid(_("流程里没有“{name}”这项事实，或者写法不对。").format(name=name[:40]), code="fact")
    course.facts |= facts


def learn(course: Course, act: said.Started | said.Passed) -> None:
    """Take over facts and parts that somebody named."""
    _learn(course, act.facts)
    known = {part.id for part in course.template.parts} | {DRAFTER}
    if not set(act.parts) <= known:
        raise Invalid(_("流程里没有“{name}”这个角色。").format(name=sorted(set(act.parts) - known)[0][:40]), code="part")
    course.parts |= act.parts


def end_pieces(here: Seat, at: int) -> Seat:
    """Parts that are still open end with their whole; none is left behind."""
    return change(here, pieces=tuple(one if one.done else change(one, done=at) for one in here.pieces))
