"""The clocks of a matter, counted: what its acts say of a term, turned into a running clock of :mod:`office.frame.clocks`.

The acts name what stopped and lengthened a term; whether they may is asked here before they are written, by the rule and the calendar.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from node.clock import from_ms
from node.errors import Missing
from office.frame import clocks
from office.frame.calendar import Due, Workdays
from office.frame.clocks import Clock, Event, Extension, Restart, Rules, Suspension
from office.frame.flow.state import State, Ticking


@dataclass(frozen=True)
class Term:
    """A clock of a matter as it stands at a moment."""

    round: str
    "Round of the step that it hangs on; empty for the whole matter."
    clock: Clock
    state: clocks.State
    due: Due | None
    "None while it stands still."

    @property
    def step(self) -> str:
        """The step, or empty."""
        return self.round.rpartition(".")[0]


def clock(matter: str, ticking: Ticking) -> Clock:
    """A clock as the acts tell it."""
    begun = Clock(matter=matter, rule=ticking.rule, start=_event(ticking.start, ticking.said))
    stops = tuple(Suspension(cause=s.cause, since=_event(s.since, s.said), until=_event(s.until) if s.until else None) for s in ticking.stops)
    longer = tuple(Extension(by=one.by, granted=_event(one.at), approver=one.approver, reason=one.reason) for one in ticking.longer)
    again = tuple(Restart(cause="supplement", event=_event(at)) for at in ticking.again)
    return replace(begun, suspensions=stops, extensions=longer, restarts=again, met=_event(ticking.met) if ticking.met else None)


def _event(at: int, said: bytes = b"") -> Event:
    return Event(at=from_ms(at), ref=said.hex())


def terms(matter: str, state: State, days: Workdays, *, now: dt.datetime, law: Rules | None = None) -> list[Term]:
    """All clocks of a matter; one whose rule this program does not know is left out."""
    law, found = law or clocks.rules(), []
    for one in state.clocks:
        running = clock(matter, one)
        try:
            end = clocks.due(running, days, law=law)
            found.append(Term(one.round, running, clocks.state(running, days, law=law, now=now), end))
        except Missing:
            continue
    return found


def stoppable(matter: str, state: State, cause: str, days: Workdays, *, now: dt.datetime) -> tuple[str, ...]:
    """The rules whose clocks a cause lets stand still now: what an act that stops them names."""
    law = clocks.rules()
    running = [clock(matter, one) for one in state.clocks if one.running]
    return tuple(one.rule for one in running if not one.suspended and any(c.cause == cause for c in law.rule(one.rule).pauses))


def restartable(state: State, cause: str) -> tuple[str, ...]:
    """The rules whose clocks begin anew for a cause."""
    law = clocks.rules()
    return tuple(one.rule for one in state.clocks if one.running and any(c.cause == cause for c in law.rule(one.rule).restarts))


def extension(
    matter: str,
    state: State,
    rule: str,
    by: str,
    days: Workdays,
    *,
    now: dt.datetime,
    approver: str,
    reason: str,
    told: bool,
    law: Rules | None = None,
) -> None:
    """Refuse more time that the rule does not allow, citing its article."""
    for one in state.clocks:
        if one.running and one.rule == rule:
            granted = Event(at=now)
            clocks.extend(clock(matter, one), by, granted, days, law=law or clocks.rules(), approver=approver, reason=reason, told=told)
