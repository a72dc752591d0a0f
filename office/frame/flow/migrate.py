"""Carrying running matters to another version of their template: a preview says what becomes of each, one act a matter does it, another undoes it.

A seat stays where its step has the same id and is still a task; a step that is gone needs one in its place. Matters in the midst of a
return are left alone: their branches are yet to be walked. Undoing is the same act the other way, as long as nothing else has happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from office.frame.flow.entries import Migrated
from office.frame.flow.state import Sort, State
from office.frame.flow.template import Kind, Step, Template, digest_of, index
from office.frame.words import _


@dataclass(frozen=True)
class Preview:
    """What would become of one matter."""

    steps: dict[str, str]
    "Former step to present one, where they differ."
    here: tuple[tuple[Step, Step], ...]
    "Where it lies, and where it would."
    why: str = ""
    "Why it cannot be carried over; empty when it can."

    def act(self, to: Template, reason: str) -> Migrated:
        """The act that carries it over."""
        return Migrated(digest_of(to), self.steps, reason)


def preview(old: Template, new: Template, state: State, instead: Mapping[str, str] | None = None) -> Preview:
    """What would become of a matter; ``instead`` names a step for each that is gone."""
    instead, steps, here = instead or {}, index(new), []
    moved: dict[str, str] = {}
    if state.ended:
        return Preview({}, (), _("事项已经办结。"))
    if state.kept or any(seat.held for seat in state.seats):
        return Preview({}, (), _("正在退回修改，等它回来再换。"))
    for seat in state.seats:
        step, to = old.step(seat.step), instead.get(seat.step, seat.step)
        kind = Kind.JOIN if seat.sort == Sort.WAIT else Kind.TASK
        if to not in steps or steps[to].kind != kind:
            return Preview({}, (), _("新流程里没有“{step}”，请指定对应的环节。").format(step=step.name))
        moved |= {seat.step: to} if to != seat.step else {}
        here.append((step, steps[to]))
    return Preview(moved, tuple(here))


def undo(state: State, id: bytes, former: Template, reason: str) -> Preview | Migrated:
    """The act that takes the migration ``id`` back, or why it cannot be; a seat's id tells from which step it came."""
    if state.last != id:
        return Preview({}, (), _("换用以后又有了办理，不能撤销。"))
    known = index(former)
    came = {seat.step: seat.id.partition(".")[0] for seat in state.seats}
    return Migrated(digest_of(former), {now: step for now, step in came.items() if now != step and step in known}, reason, id)


def gone(old: Template, new: Template) -> list[Step]:
    """Tasks of the old version that the new one does not have."""
    present = {step.id for step in new.tasks()}
    return [step for step in old.tasks() if step.id not in present]
