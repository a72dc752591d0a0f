"""Where matters lie and how long, by step: from recorded acts, about matters and never about persons.

Every line of a trail says from when until when a seat waited. A step's days are those of all its lines but the skipped ones and those
taken away unseen; halves and nineteen in twenty are told (p50, p95), with how many lie there now and since when.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from office.frame.flow.state import State
from office.frame.flow.template import Name, Template

DAY = 86_400_000
"Milliseconds."
_UNSEEN = ("skipped", "cancelled", "ended", "recalled", "jump")


@dataclass(frozen=True)
class Lies:
    """One step of a flow."""

    step: str
    name: Name
    done: int
    "How many times it was done."
    p50: float
    "Days; half were done sooner."
    p95: float
    now: int
    "Matters that lie there now."
    oldest: int
    "Since when the oldest of them does, milliseconds; 0 for none."
    returned: int
    "How many times it was returned from here."


def lying(template: Template, states: Iterable[State]) -> list[Lies]:
    """The tasks of a template in its order, each with what the matters under it (whatever the version) tell."""
    spans: dict[str, list[int]] = {}
    back: dict[str, int] = {}
    here: dict[str, list[int]] = {}
    for state in states:
        for line in state.trail:
            if line.how not in _UNSEEN:
                spans.setdefault(line.step, []).append(max(0, line.until - line.seat.since))
            back[line.step] = back.get(line.step, 0) + (line.how == "return")
        for step, since in {seat.step: seat.since for seat in reversed(state.live())}.items():
            here.setdefault(step, []).append(since)
    return [
        Lies(
            step=step.id,
            name=step.name,
            done=len(spans.get(step.id, ())),
            p50=percentile(spans.get(step.id, []), 50) / DAY,
            p95=percentile(spans.get(step.id, []), 95) / DAY,
            now=len(here.get(step.id, ())),
            oldest=min(here.get(step.id, [0])),
            returned=back.get(step.id, 0),
        )
        for step in template.tasks()
    ]


def percentile(values: list[int], share: int) -> int:
    """The least value below which a share in hundred lies (nearest rank); 0 of nothing."""
    ordered = sorted(values)
    return ordered[max(0, -(-share * len(ordered) // 100) - 1)] if ordered else 0
