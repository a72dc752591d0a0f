"""Three nodes under load whose ledgers and couriers are killed again and again, and what must hold when it is over."""

from __future__ import annotations

import random
import signal
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from node import entry as said
from node.client import Ledger
from node.codec import pack, uuid7
from node.directory.entries import Person
from node.entry import ALL, UP
from node.errors import NodeError, Unreachable
from node.requests import Draft, statement
from tests import city
from tests.city import City, Home

ROLES = ("ledger", "courier")


@dataclass
class Writer(threading.Thread):
    """Writes at one node as fast as it can, and remembers what was acknowledged."""

    home: Home
    audience: said.Audience
    seed: int
    stopping: threading.Event = field(default_factory=threading.Event)
    acknowledged: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        threading.Thread.__init__(self, daemon=True)

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        """Write until told to stop; a ledger that is away is asked again."""
        chance = random.Random(self.seed)
        ledger = Ledger(self.home.settings, timeout=1)
        while not self.stopping.is_set():
            try:
                drafts = [self._draft() for _ in range(chance.randint(1, 4))]
                self.acknowledged.update(written.id for written in ledger.write(drafts))
            except Unreachable:
                self.stopping.wait(0.05)
        ledger.close()

    def _draft(self) -> Draft:
        settings = self.home.settings
        content = Person(uuid7(), "张三", "organ", "", 1, "active", "zhang san")
        stated, salt, data = statement(settings.city, content, record=content.id, home=settings.id)
        return Draft(pack(stated), b"", salt, data, (self.audience,))


def run(folder: Path, seed: int, seconds: float) -> int:
    """Storm for so long, heal, check; how many entries were acknowledged."""
    chance = random.Random(seed)
    made = city.build(folder)
    with city.running(made):
        _begin(made)
        writers = [Writer(made["county1-town1"], UP, seed), Writer(made["county1"], ALL, seed + 1), Writer(made["city"], ALL, seed + 2)]
        for one in writers:
            one.start()
        kills = _storm(made, chance, seconds)
        for one in writers:
            one.stopping.set()
            one.join(10)
        for home in made:
            home.start(*(role for role in ROLES if role not in home.running))
        _check(made, {writer.home.id: writer.acknowledged for writer in writers})
        total = sum(len(one.acknowledged) for one in writers)
        print(f"seed {seed}: {total} acknowledged, {kills} kills")
        assert total
        return total


def _begin(made: City) -> None:
    for home in made:
        home.start("ledger")
    for home in made:
        city.wait(lambda home=home: _answers(home), why=partial(home.output, "ledger"))  # type: ignore[misc]
        with Ledger(home.settings, timeout=30) as ledger:
            for about in home.says:
                stated, salt, data = statement(home.settings.city, about, record=about.id, home=home.id, suite="p256")
                ledger.write([Draft(pack(stated), b"", salt, data, (ALL,), said.Lane.TRUST)])
        home.start("courier")


def _answers(home: Home) -> bool:
    try:
        with Ledger(home.settings, timeout=0.5) as ledger:
            return bool(ledger.status())
    except Unreachable:
        return False


def _storm(made: City, chance: random.Random, seconds: float) -> int:
    end, kills = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        time.sleep(chance.uniform(0.1, 1.2))
        home, role = chance.choice(list(made)), chance.choice(ROLES)
        home.stop(role, how=signal.SIGKILL)
        time.sleep(chance.uniform(0.0, 0.4))
        home.start(role)
        kills += 1
    return kills


def _check(made: City, acknowledged: dict[str, set[bytes]]) -> None:
    """Every node holds the same chains; each acknowledged entry stands once everywhere; tables equal a refold."""
    ledgers = {home.id: Ledger(home.settings, timeout=60) for home in made}
    try:
        city.wait(lambda: _equal(ledgers, made), why="the nodes do not come to hold the same")
        for author, ids in acknowledged.items():
            for holder, ledger in ledgers.items():
                if (author, holder) == (made["city"].id, author) or _reads(made, author, holder):
                    lost = [id_ for id_ in ids if len(ledger.places(id_)) != 1]
                    assert not lost, f"{len(lost)} of {len(ids)} entries of {author} do not stand once at {holder}"
        for ledger in ledgers.values():
            assert not [c for c in ledger.chains() if c.frozen]
            assert all(a == b for a, b in ledger.refold().values())
    finally:
        for ledger in ledgers.values():
            ledger.close()


def _reads(made: City, author: str, holder: str) -> bool:
    """What is for all is everywhere; what goes up is at the author and above it, which here is everywhere too."""
    return {author, holder} <= {home.id for home in made}


def _equal(ledgers: dict[str, Ledger], made: City) -> bool:
    try:
        held = [{(c.id, c.count, c.hash) for c in ledger.chains() if c.audience.scope is not said.Scope.SELF} for ledger in ledgers.values()]
    except NodeError:
        return False
    return len(held) == len(list(made)) and all(each == held[0] for each in held)
