"""What a person keeps for himself or tells all: phrases at hand, and when he is away."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from node.directory.view import today
from node.entry import ALL
from node.errors import Invalid
from office.frame.desk import Desk
from office.frame.words import _
from office.people.entries import Absence, Announced, Phrased
from office.people.model import Away, Note

PHRASES, LONG = 30, 200
"Most phrases a person keeps, and characters of one."
LONGEST = dt.timedelta(days=366)


def phrases(desk: Desk) -> tuple[str, ...]:
    """The phrases of the person of the desk, in the person's order."""
    found = desk.list(Note, Note.person == desk.person)
    return found[0].phrases if found else ()


def keep_phrases(desk: Desk, given: Iterable[str]) -> None:
    """Replace the person's phrases, one a line; empty and repeated ones are left out."""
    chosen = tuple(dict.fromkeys(one.strip() for one in given if one.strip()))
    if len(chosen) > PHRASES or any(len(one) > LONG for one in chosen):
        raise Invalid(_("常用批语最多 {n} 条，每条不超过 {m} 字。").format(n=PHRASES, m=LONG), code="too_large")
    held = desk.list(Note, Note.person == desk.person)
    if chosen != (held[0].phrases if held else ()):
        after = (held[0].last,) if held else ()
        desk.write(Phrased(desk.person, chosen), record=f"phrases.{desk.person}", after=after)


def absence(desk: Desk, person: str) -> Absence | None:
    """A person's present or coming absence."""
    found = [one.absence for one in desk.list(Away, Away.person == person)]
    return found[0] if found and found[0] is not None and found[0].until >= today() else None


def away(desk: Desk, people: Iterable[str]) -> dict[str, Absence]:
    """Who of these is away today."""
    found = desk.list(Away, Away.person.in_(sorted(set(people))))
    return {one.person: now for one in found if (now := one.now(today())) is not None}


def announce(desk: Desk, *, since: dt.date, until: dt.date, words: str = "", stand_in: str = "") -> None:
    """Tell everybody that one is away from one day up to and including another."""
    if until < since or until < today() or until - since > LONGEST:
        raise Invalid(_("外出的止日不能早于起日和今天，最长一年。"), code="bad_term")
    if len(words) > LONG:
        raise Invalid(_("说明不超过 {m} 字。").format(m=LONG), code="too_large")
    if stand_in == desk.person or (stand_in and desk.directory.person(stand_in) is None):
        raise Invalid(_("没有这个人，不能由其代理。"), code="unknown_person")
    _say(desk, Absence(since, until, words.strip(), stand_in))


def return_early(desk: Desk) -> None:
    """Tell everybody that one is back."""
    if absence(desk, desk.person) is not None:
        _say(desk, None)


def _say(desk: Desk, what: Absence | None) -> None:
    held = desk.list(Away, Away.person == desk.person)
    after = (held[0].last,) if held else ()
    desk.write(Announced(desk.person, what), record=f"away.{desk.person}", to=(ALL,), recipients=(desk.node,), after=after)
