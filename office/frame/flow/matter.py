"""The state of a matter as a fold of its acts: :func:`start`, then :func:`fold` for each act in the order they were written.

Pure: no clock, no directory, no table. The same acts give the same state on every node and at every replay, in microseconds an act.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from node.errors import Conflict, Invalid
from office.frame.flow import handing, passing, waiting
from office.frame.flow.acts import EFFECTS, learn
from office.frame.flow.course import Course, Token
from office.frame.flow.entries import Circulated, Merged, Migrated, Read, Resumed, Started, Voided
from office.frame.flow.state import Said, State
from office.frame.flow.template import Template
from office.frame.words import _

WHILE_SUSPENDED = (Resumed, Voided, Migrated, Read, Circulated, Merged)
AFTER_END = (Read, Circulated)
KINDS_OF_ACTS = (passing, handing, waiting)
"The modules that say what acts do."
Find = Callable[[bytes], Template]
"The template of a digest; :class:`~node.errors.Missing` when it is not known."


def start(find: Find, said: Said) -> State:
    """The state of a matter that begins."""
    act = said.act
    if not isinstance(act, Started):
        raise Invalid("a matter begins with being started", code="not_started")
    empty = State(
        room=act.room, organ=act.organ, title=act.title, template=act.template, began=said.at, starter=said.person,
        seats=(), trail=(), facts={}, parts={}, rounds={},
    )  # fmt: skip
    template = find(act.template)
    course = Course(template, empty, said)
    learn(course, act)
    course.tick(template.term, "")
    course.enter(template.first, Token("", ()))
    return course.state()


def fold(find: Find, state: State, said: Said) -> State:
    """The state after an act; refused acts change nothing."""
    act = said.act
    if state.ended and not isinstance(act, AFTER_END):
        raise Conflict(_("事项已经办结。"), code="ended")
    if state.suspended and not isinstance(act, WHILE_SUSPENDED):
        raise Conflict(_("事项已经挂起，恢复以后才能办理。"), code="suspended")
    effect = EFFECTS.get(type(act))
    if effect is None:
        raise Invalid("a matter begins only once", code="started")
    template = find(act.template if isinstance(act, Migrated) else state.template)
    course = Course(template, state, said)
    return course.state(**effect(course, act))


def replay(find: Find, acts: Iterable[Said]) -> State:
    """The state after all acts of a matter."""
    first, *rest = acts
    state = start(find, first)
    for said in rest:
        state = fold(find, state, said)
    return state
