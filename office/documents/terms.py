"""When documents are due: signing for them by the rules of the clock table, answering by the issuer's term or the organ's own."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ColumnElement, and_, or_

from node import clock
from node.errors import Invalid
from office.documents import workflow
from office.documents.model import Incoming
from office.documents.workflow import Standing
from office.frame import calendar, clocks
from office.frame.clocks import Clock, Event, State
from office.frame.desk import Desk
from office.frame.words import _

RULES = {"flash": "doc.sign_in.flash", "urgent": "doc.sign_in.urgent"}
"Rule of signing for a document by its urgency; ``doc.sign_in`` otherwise."

LAST = dt.timedelta(days=1)
"An answer is near its end on its last day, however short or long its term."


def sign_in(row: Incoming, place: str = "") -> Clock:
    """The clock of signing for a document that came in; ``place`` is the ref of its dispatch."""
    met = Event(at=clock.from_ms(row.signed_at)) if row.signed_at else None
    start = Event(at=clock.from_ms(row.sent_at), ref=place)
    return Clock(matter=row.doc, rule=RULES.get(row.urgency, "doc.sign_in"), start=start, met=met)


class Terms:
    """When incoming documents are due, by the calendars of the years, read once."""

    def __init__(self, desk: Desk) -> None:
        self._now, (self._law, self._days) = desk.now, clocks.counted(desk.directory)

    def sign_in(self, row: Incoming) -> dt.datetime:
        """The end of the term of signing for it."""
        end = clocks.due(sign_in(row), self._days, law=self._law)
        return end.at if end is not None else clock.from_ms(row.sent_at)

    def due(self, row: Incoming) -> dt.datetime | None:
        """When the next step is due: signing for it, else the organ's own term or the issuer's, whichever ends first."""
        if row.state == Standing.DELIVERED:
            return self.sign_in(row)
        ends = [end for end in (row.term, row.until) if end]
        return clock.from_ms(min(ends)) if ends else None

    def stage(self, row: Incoming) -> str:
        """``near``, ``passed`` or empty."""
        due = self.due(row)
        if due is None:
            return ""
        stands = clocks.standing(clock.from_ms(row.sent_at), due, self._now)
        if stands is State.OPEN and row.state != Standing.DELIVERED and due - self._now <= LAST:
            stands = State.NEAR
        return str(stands) if stands in (State.NEAR, State.PASSED) else ""


def sign_in_due(desk: Desk, incoming: Incoming) -> dt.datetime:
    """When an incoming document must be signed for."""
    return Terms(desk).sign_in(incoming)


def open_terms() -> ColumnElement[bool]:
    """Incoming documents whose next step has an end: those not signed for, and those in hand with a term."""
    in_hand = Incoming.state.in_([Standing.SIGNED_IN, Standing.REGISTERED, Standing.IN_HAND, Standing.CIRCULATING])
    return or_(Incoming.state == Standing.DELIVERED, and_(or_(Incoming.due > 0, Incoming.term > 0), in_hand))


def deadline(desk: Desk, text: str) -> tuple[int, str]:
    """(milliseconds, rule) of a deadline given as a day (its end), a moment, or a rule that begins now."""
    if not text:
        return 0, ""
    if text[0].isdigit() and text.endswith(("wd", "d", "h")):
        end = calendar.due(desk.now, text, calendar.Workdays(desk.directory.calendars()))
        return clock.to_ms(end.at), text
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(_("时限应写成 2026-01-31 17:00，或者 5wd（工作日）、15d（日）、24h（小时）。"), code="deadline") from None
    if len(text) == len("2026-01-31"):
        moment += dt.timedelta(hours=23, minutes=59, seconds=59)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=workflow.SHANGHAI)
    return max(0, clock.to_ms(moment)), "set"
