"""Whom to reach: people found by words or along the tree of organs, and those chosen so far, who stay chosen while one looks further."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from node.directory.view import Found
from office.frame.desk import Desk
from office.frame.reach import everybody, name_of
from office.frame.words import _
from office.portal.page import Request

Pair = tuple[str, str]
"Id and name."


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What the finder shows."""

    asked: str
    organ: str
    "Where in the tree one stands; empty at its top."
    path: tuple[Pair, ...]
    "From the top to where one stands."
    below: tuple[Pair, ...]
    people: tuple[Pair, ...]
    "Found by the words, or at work in the organ."
    chosen: tuple[Pair, ...]
    "Persons chosen so far."
    whole: tuple[Pair, ...]
    "Organs that are chosen, or may be, with all under them."
    organs: tuple[str, ...]
    "Those of them that are chosen."

    @property
    def groups(self) -> list[tuple[str, list[Pair]]]:
        """For boxes to tick: those chosen first."""
        held = {id_ for id_, _name in self.chosen}
        found = [(str(_("已选")), list(self.chosen)), (self.path[-1][1] if self.path and not self.asked else str(_("找到的人")), [])]
        found[1][1].extend(one for one in self.people if one[0] not in held)
        return [group for group in found if group[1]]


def choose(desk: Desk, request: Request, held: Sequence[str] = ()) -> Choice:
    """What was asked for, by address or form; ``held`` are chosen until a form says otherwise."""
    form = request.method == "POST"
    into = request.text("into") if form else ""
    asked = "" if into else request.text("q") if form else request.query("q")
    organ = into or (request.text("organ") if form else request.query("organ")) or _own(desk)
    organ = "" if organ == TOP or desk.directory.organ(organ) is None else organ
    people = desk.directory.search(asked) if asked else desk.directory.people_of(organ) if organ else ()
    persons, organs = (request.all("people"), request.all("organs")) if form else (list(held), [])
    whole = [*organs, *([organ] if organ and not asked else [])]
    return Choice(
        asked=asked,
        organ=organ,
        path=tuple((o.id, o.short_name) for o in (*desk.directory.above(organ)[::-1], desk.directory.organ(organ)) if o is not None),
        below=tuple((o.id, o.short_name) for o in desk.directory.children(organ)),
        people=tuple(_pair(one) for one in people if one.person.id != desk.person),
        chosen=tuple((one, name_of(desk, one)) for one in dict.fromkeys(persons)),
        whole=tuple((one, _all_of(desk, one)) for one in dict.fromkeys(whole)),
        organs=tuple(organs),
    )


TOP = "-"
"What a form says for the top of the tree."


def people(desk: Desk, request: Request) -> list[str]:
    """The persons a form has chosen, by themselves and with their organs."""
    return [*request.all("people"), *everybody(desk, request.all("organs"))]


def _own(desk: Desk) -> str:
    return desk.posts[0].organ if desk.posts else ""


def _all_of(desk: Desk, organ: str) -> str:
    found = desk.directory.organ(organ)
    return str(_("%(name)s及下级全体人员") % {"name": found.short_name if found else organ})


def _pair(found: Found) -> Pair:
    organ = next((one.organ.short_name for one in found.holdings), "")
    return found.person.id, f"{found.person.name}（{organ}）" if organ else found.person.name


def names(pairs: Iterable[Pair]) -> list[str]:
    """Their ids, for programs."""
    return [id_ for id_, _name in pairs]
