"""Persons as pages name and gather them: by themselves, and by the organs they work in."""

from __future__ import annotations

from collections.abc import Iterable

from node.errors import Invalid
from office.frame.desk import Desk
from office.frame.words import _

MANY = 500
"Most people reached at once."


def everybody(desk: Desk, organs: Iterable[str]) -> list[str]:
    """All who work in these organs and those under them; :class:`Invalid` for more than can be reached at once."""
    found: dict[str, None] = {}
    waiting = list(organs)
    while waiting:
        organ = waiting.pop(0)
        found.update(dict.fromkeys(one.person.id for one in desk.directory.people_of(organ)))
        waiting += [one.id for one in desk.directory.children(organ)]
        if len(found) > MANY:
            raise Invalid(_("一次最多选择五百人。"))
    return list(found)


def name_of(desk: Desk, person: str) -> str:
    """A person's name, also of one who has left."""
    card = desk.directory.person(person)
    return card.name if card is not None else str(_("已离开的人员"))
