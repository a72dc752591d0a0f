"""Offices in one process: a tree of nodes whose books answer directly, and people with keys at their desks.

Each node has a government with a leader, a clerk, an officer on duty and a plain worker, and a department beside it. What the ledger
process answers over its socket is answered here by the same book; everything else is the rooms as they are.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from node import certs, persons, tier
from node.book import Book
from node.client import Ledger
from node.directory import entries as said
from node.directory import lines, writing
from node.entry import Scope
from node.errors import NodeError
from node.settings import Settings
from office.frame.desk import Desk
from office.frame.office import Office
from tests import city as cities

STAFF = (
    ("head", "领导", ("signer", "duty_leader")),
    ("clerk", "文书", ("registry_clerk", "meeting_clerk")),
    ("duty", "值班", ("duty_officer",)),
    ("plain", "科员", ()),
)
"Who works in the government of every node, as ``head.city`` or ``clerk.county1-town2``; ``clerk.dep.city`` is the clerk of the department."

Staff = Sequence[tuple[str, str, tuple[str, ...]]]
"(start of the person's id, title, roles)."


class Near(Ledger):
    """A ledger whose book is in this process."""

    def __init__(self, settings: Settings, book: Book) -> None:
        super().__init__(settings)
        self.book = book

    def ask(self, name: str, *args: Any) -> Any:
        """The book's answer, or its error raised."""
        writes = name in ("write", "take", "held")
        result = self.book.commit([(name, args)])[0] if writes else self._question(name, *args)
        if isinstance(result, NodeError):
            raise result
        return result

    def _question(self, name: str, *args: Any) -> Any:
        book, journal = self.book, self.book.journal
        plain: dict[str, Callable[..., Any]] = {
            "chains": book.chains,
            "read": book.read,
            "released": book.released,
            "refold": book.refold,
            "status": book.status,
        }
        if name in plain:
            return plain[name](*args)
        with journal.engine.connect() as c:
            if name == "carried":
                return tuple((h.holder, h.at) for h in journal.hold_for(c, journal.chain(args[0]), args[1]))
            if name == "forks":
                return tuple(book.intake.forks.all(c))
            return {"versions": journal.versions, "places": journal.places, "holds": journal.holds}[name](c, *args)


@dataclass
class Town:
    """The nodes by name, with their offices, and everybody's key."""

    homes: dict[str, cities.Home]
    staff: Staff = STAFF
    offices: dict[str, Office] = field(default_factory=dict)
    doors: dict[str, persons.Door] = field(default_factory=dict)

    def desk(self, person: str) -> Desk:
        """The desk of ``clerk.city`` and so on, at the person's own node."""
        return Desk(self.offices[person.rsplit(".", 1)[1]], person=person, door=lambda: self.doors[person])

    def node(self, name: str) -> Desk:
        """The node's own desk."""
        return Desk(self.offices[name])

    def carry(self, *names: str) -> None:
        """Bring over what each of these nodes (all) lacks, along the lines of the tree until nothing is new."""
        chosen = names or tuple(self.offices)
        pairs = [(a, b) for a in chosen for b in chosen if self._line(a, b)]
        while sum(carry(self.offices[a], self.offices[b]) for a, b in pairs):
            pass

    def _line(self, a: str, b: str) -> bool:
        tree = self.offices["city"].directory.tree()
        one, other = self.homes[a].id, self.homes[b].id
        return tree.parent(one) == other or tree.parent(other) == one

    def verify(self, act: Callable[[], Any]) -> Any:
        """Do something, carry it, and build every node's tables again: they must be what they were, and no fold may have raised."""
        done = act()
        self.carry()
        for name, office in self.offices.items():
            for room, (living, rebuilt) in office.ledger.ask("refold").items():
                assert living == rebuilt, (name, room)
            self.whole(name)
        return done

    def whole(self, name: str) -> None:
        """No entry of the node is without its effect."""
        book = self.offices[name].ledger.book  # type: ignore[attr-defined]
        for room, shelf in book.shelves.living.items():
            assert shelf.unfolded == 0, (name, room)


def carry(source: Office, target: Office) -> int:
    """Bring over what the target lacks and may see, range statements back; how many entries were new."""
    held = {chain.id: chain.count for chain in target.ledger.chains()}
    fresh = 0
    for chain in source.ledger.chains():
        if chain.audience.scope is Scope.SELF or not _inside(source, target, chain):
            continue
        start = held.get(chain.id, 0)
        while start < chain.count and (batch := source.ledger.read(chain.id, start, 100_000)):
            taken = target.ledger.take(batch)
            fresh, start = fresh + taken.fresh, taken.chain.count
            if taken.hold is not None:
                source.ledger.held((taken.hold,))
    return fresh


def _inside(source: Office, target: Office, chain: Any) -> bool:
    """Whether the target stands in the span of a chain."""
    return target.settings.id in source.directory.tree().span(chain.author, chain.audience)


@contextmanager
def opened(
    folder: Path, *, counties: int = 1, townships: int = 1, more: Sequence[str] = (), only: Sequence[str] = (), staff: Staff = STAFF
) -> Iterator[Town]:
    """A city whose nodes know each other and each other's people.

    ``more`` names counties that get one township more, ``only`` the rooms (all of the tier), ``staff`` who works in each government.
    """
    made = cities.build(folder, counties=counties, townships=townships)
    for county in more:
        over, name = made[county], f"{county}-town{townships + 1}"
        code, title = f"{over.settings.code}{townships + 1:03}", f"{over.settings.name}{townships + 1}镇"
        made.homes[name] = cities.admit(folder / name, over, "township", title, code, cities.free_port())
    town, books = Town(made.homes, staff=staff), []
    for name, home in made.homes.items():
        declared = tier.load(home.settings.tier)
        declared = dataclasses.replace(declared, rooms=tuple(only) or declared.rooms)
        book = Book(home.settings, [module.ROOM for module in declared.models()])
        office = Office(home.settings, declared)
        office.ledger.close()
        office.ledger = Near(home.settings, book)
        books.append(book)
        town.offices[name] = office
    try:
        _introduce(town)
        yield town
    finally:
        for office in town.offices.values():
            office.close()
        for book in books:
            book.close()


def _introduce(town: Town) -> None:
    """Nodes first, from above, then organs and people of each, then everything everywhere."""
    for name, home in town.homes.items():
        office = town.offices[name]
        office.directory.refresh()
        if name == "city":
            writing.introduce(office.ledger, office.settings, office.directory)
        writing.write(office.ledger, office.settings, office.directory, home.says[1:] if name == "city" else home.says)
    town.carry()
    for level in ("city", "county", "township"):
        for name, home in town.homes.items():
            if home.settings.tier == level:
                _settle(town, name)
        town.carry()
    for office in town.offices.values():
        office.directory.refresh()


def _settle(town: Town, name: str) -> None:
    office, home = town.offices[name], town.homes[name].settings
    office.directory.refresh()
    plan = lines.plan(office.directory, list(_lines(name, home.tier, home.name, town.staff)))
    assert plan.refused == []
    writing.write(office.ledger, office.settings, office.directory, plan.contents)
    office.directory.refresh()
    now, made = dt.datetime.now(dt.UTC), []
    for person, title in _people(name, town.staff):
        door, cert = persons.make_person_key(office.settings, person, title, now, first=False)
        town.doors[person] = door
        made.append(said.Certified(person, certs.der(cert), ""))
    writing.write(office.ledger, office.settings, office.directory, made)


def _people(name: str, staff: Staff) -> list[tuple[str, str]]:
    return [*((f"{who}.{name}", title) for who, title, _roles in staff), (f"clerk.dep.{name}", "部门文书")]


def _lines(name: str, level: str, full: str, staff: Staff) -> Iterable[str]:
    above = {"city": "", "county": "city"}.get(level, name.partition("-")[0])
    organ = {"type": "organ", "tier": level, "may_issue": True}
    of = {"kind": "government", "parent_id": above, "doc_prefixes": [f"{full}政发", f"{full}政字"]}
    yield json.dumps(organ | of | {"id": name, "full_name": f"{full}人民政府", "short_name": f"{full}政府"})
    of = {"kind": "department", "parent_id": name, "doc_prefixes": [f"{full}财发"]}
    yield json.dumps(organ | of | {"id": f"dep.{name}", "full_name": f"{full}财政局", "short_name": f"{full}财政局"})
    for who, title, roles in staff:
        yield json.dumps({"type": "post", "id": f"post.{who}.{name}", "organ": name, "title": title, "roles": roles})
        person = f"{who}.{name}"
        yield json.dumps({"type": "person", "id": person, "name": f"{full}{title}", "organ": name, "login": person, "posts": [f"post.{person}"]})
    yield json.dumps({"type": "post", "id": f"post.dep.{name}", "organ": f"dep.{name}", "title": "部门文书", "roles": ["registry_clerk", "signer"]})
    person = f"clerk.dep.{name}"
    yield json.dumps(
        {"type": "person", "id": person, "name": f"{full}部门文书", "organ": f"dep.{name}", "login": person, "posts": [f"post.dep.{name}"]}
    )
