"""Number series under kills and cut lines: hands at two nodes issue and void while their ledgers are killed, and what must hold afterwards."""

from __future__ import annotations

import random
import signal
import threading
from dataclasses import dataclass, field

from node.client import Ledger
from node.errors import NodeError
from office.documents import service
from office.documents.model import Document, Letter
from office.documents.series import all_series, lines, tally
from office.frame.desk import Desk
from office.frame.office import Office
from tests import city as cities
from tests.office.test_documents import World, _ready, paper

HANDS = (("zhao", "gov", "cgov", "gov政发"), ("zhao", "gov", "cgov", "gov政发"), ("wu", "cgov", "gov", "cgov政发"))
"(who, issuer, recipient, series): two hands draw on one series."


@dataclass
class Hand(threading.Thread):
    """Issues numbered documents as fast as it can, and voids one in eight with a reason."""

    world: World
    who: str
    organ: str
    to: str
    prefix: str
    seed: int
    goal: int
    given: dict[str, str] = field(default_factory=dict)
    "Document to the number that was acknowledged."
    void: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        threading.Thread.__init__(self, daemon=True)

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        """Until so many are acknowledged; a ledger that is away is asked again."""
        home = self.world.offices[self.world.where[self.who]]
        office, chance = Office(home.settings, home.tier), random.Random(self.seed)
        office.ledger._timeout = 3.0
        while len(self.given) < self.goal:
            try:
                self._issue(Desk(office, person=self.who, door=lambda: self.world.doors[self.who]), chance)
            except NodeError:
                continue
        office.close()

    def _issue(self, desk: Desk, chance: random.Random) -> None:
        kind = "notice" if self.organ == "gov" else "report"
        sent = service.send(desk, paper(organ=self.organ, kind=kind, title="关于编号的文件", to=(self.to,)), prefix=self.prefix)
        self.given[sent.doc] = sent.number
        if not chance.randrange(8):
            service.recall(desk, sent.doc, reason="编号有误")
            service.void(desk, sent.doc, reason="撤回后作废，另行编号")
            self.void.add(sent.doc)


def run(world: World, issues: int, kills: int, seed: int = 1) -> None:
    """Issue so many, with so many kills of either ledger; the line between the nodes is carried only now and then."""
    chance = random.Random(seed)
    hands = [Hand(world, *about, seed + at, issues // len(HANDS) + 1) for at, about in enumerate(HANDS)]
    for one in hands:
        one.start()
    for kill in range(1, kills + 1):
        goal = issues * kill // (kills + 1)
        cities.wait(lambda goal=goal: sum(len(one.given) for one in hands) >= goal, timeout=900)  # type: ignore[misc]
        home = world.city[chance.choice(("city", "county1"))]
        home.stop("ledger", how=signal.SIGKILL)
        home.start("ledger")
        if home.settings.parent is None:  # no courier brings the word of its counties, for which a city waits: it has its operator's
            with Ledger(home.settings, timeout=60) as ledger:
                ledger.confirm()
        if chance.randrange(2):
            cities.wait(lambda: all(_ready(office) for office in world.offices.values()))
            world.carry()
    for one in hands:
        one.join(900)
    cities.wait(lambda: all(_ready(office) for office in world.offices.values()))
    world.carry()
    check(world, hands)


def check(world: World, hands: list[Hand]) -> None:
    """Each number from 1 to the last has its one document; what was acknowledged stands; what is void says why; both nodes agree."""
    assert all(len(one.given) >= one.goal for one in hands)
    for who, prefix in (("zhao", "gov政发"), ("wu", "cgov政发")):
        desk = world.desk(who)
        (series,) = [one for one in all_series(desk) if one.prefix == prefix]
        rows = desk.list(Document, Document.series == prefix, order=Document.sequence, limit=None)
        assert [row.sequence for row in rows] == list(range(1, series.last + 1))
        assert [line.row is not None for line in lines(desk, series)] == [True] * series.last and not tally(desk, series)["unexplained"]
        numbers = {row.id: row.number for row in rows}
        mine = [one for one in hands if one.prefix == prefix]
        assert all(numbers[doc] == number for one in mine for doc, number in one.given.items())
        given = [number for one in mine for number in one.given.values()]
        assert len(set(given)) == len(given)
        gone = {row.id: row.void for row in rows if row.state == "void"}
        assert {doc for one in mine for doc in one.void} <= set(gone) and all(gone.values())
        other = world.desk("wu" if who == "zhao" else "zhao")
        there = {letter.id: letter.envelope.number for letter in other.list(Letter, Letter.organ == mine[0].organ, limit=None)}
        assert all(there[row.id] == row.number for row in rows if row.issue and row.id in {doc for one in mine for doc in one.given})
    for office in world.offices.values():
        with Ledger(office.settings, timeout=900) as ledger:  # thousands of documents are folded anew
            assert all(living == rebuilt for living, rebuilt in ledger.refold().values())
