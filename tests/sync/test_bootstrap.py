"""A newcomer begins with a snapshot: real ledgers and couriers, a line that is cut in the middle, and processes that are killed."""

from __future__ import annotations

import secrets
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from node.client import Ledger
from node.directory.entries import Person
from node.entry import ALL
from node.requests import of_node
from tests.city import City, Home, admit, build, wait
from tests.tcpchaos import Chaos

PEOPLE = 1500


@dataclass
class Net:
    """A city and a county with a long past; townships may join through ``line``."""

    city: City
    line: Chaos
    ledgers: dict[str, Ledger]

    def ledger(self, name: str) -> Ledger:
        """A client of a node's ledger."""
        if name not in self.ledgers:
            self.ledgers[name] = Ledger(self.city[name].settings, timeout=20)
        return self.ledgers[name]

    def say(self, name: str, *people: int) -> None:
        """A node writes cards of people."""
        home = self.city[name]
        cards = [Person(f"p{n}", f"人{n}", "organ", "", 1, "active", secrets.token_hex(2000)) for n in people]
        self.ledger(name).write([of_node(home.settings.city, home.id, one, record=one.id, to=ALL) for one in cards])

    def entries(self, name: str) -> int:
        """Entries for all that a node holds."""
        return sum(chain.count for chain in self.ledger(name).chains() if chain.audience == ALL)

    def join(self, folder: Path, name: str, code: str) -> Home:
        """Admit a township, whose courier is not started yet."""
        county = self.city["county1"]
        home = self.city.homes[name] = admit(folder / name, county, "township", name, code, 0, endpoint=self.line.endpoint)
        self.ledger("county1").write([of_node(county.settings.city, county.id, home_of, record=home_of.id, to=ALL) for home_of in county.says[-1:]])
        home.start("ledger")
        return home


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Net]:
    """A county that has made a snapshot of its past."""
    city = build(tmp_path_factory.mktemp("net"), counties=1, townships=0)
    with Chaos(city["county1"].settings.listen.removeprefix("tcp://")) as line:
        made = Net(city, line, {})
        try:
            for name, home in city.homes.items():
                home.start("ledger")
                made.ledger(name).write([of_node(home.settings.city, home.id, one, record=one.id, to=ALL) for one in home.says])
                home.start("courier")
            for start in range(0, PEOPLE, 100):
                made.say("city", *range(start, start + 100))
            wait(lambda: made.entries("county1") > PEOPLE)
            wait(lambda: (city["county1"].path / "snapshot/current").exists(), why="the county makes no snapshot")
            yield made
        finally:
            for ledger in made.ledgers.values():
                ledger.close()
            city.stop()


def counters(home: Home) -> dict[str, int]:
    """What a courier has counted; empty while it has said nothing."""
    return home.links().get("counters", {})  # type: ignore[return-value]


def checked(net: Net, name: str) -> bool:
    """Whether a node has checked all that a snapshot brought, and found nothing false."""
    found = net.ledger(name).status().get("verification")
    return found is not None and found["state"] == "checked" and found["false"] == []


@pytest.mark.row("B2")
def test_a_township_begins_with_a_snapshot(net: Net, tmp_path: Path) -> None:
    """The past comes in parts of a snapshot and only what is newer entry by entry; all is checked afterwards and equals the county's."""
    home = net.join(tmp_path, "town1", "330101001")
    home.start("courier")
    wait(lambda: net.entries("town1") == net.entries("county1"), why="the past does not arrive")
    wait(lambda: checked(net, "town1"), why=lambda: str(net.ledger("town1").status().get("verification")))
    assert net.ledger("town1").status()["verification"]["entries"] >= PEOPLE
    wait(lambda: counters(home).get("blob_bytes_in", 0) > 0)
    assert counters(home)["entries_in"] < PEOPLE // 2
    net.say("city", PEOPLE + 1)
    wait(lambda: net.entries("town1") == net.entries("county1") == net.entries("city"))
    wait(lambda: net.ledger("town1").status()["state_digest"] == net.ledger("county1").status()["state_digest"])
    assert not list((home.path / "snapshot").glob("taking"))


def test_a_line_that_is_cut_and_processes_that_are_killed(net: Net, tmp_path: Path) -> None:
    """Cut and killed while the parts come, a township ends with the same journal, everything checked."""
    home = net.join(tmp_path, "town2", "330101002")
    net.line.set(rate_kbs=600)
    home.start("courier")
    for blow in ("cut", "courier", "ledger"):
        wait((home.path / "snapshot/taking").exists, why=f"nothing is taken before the {blow}")
        if blow == "cut":
            net.line.cut()
            net.line.heal()
        else:
            home.stop(blow, how=signal.SIGKILL)
            home.start(blow)
    net.line.set(rate_kbs=0)
    wait(lambda: net.entries("town2") == net.entries("county1"), why="the past does not arrive")
    wait(lambda: checked(net, "town2") or net.ledger("town2").status().get("verification") is None)
    assert all(a == b for a, b in net.ledger("town2").refold().values())


@pytest.mark.promise("P5")
def test_parts_that_have_rotted_or_are_gone(net: Net, tmp_path: Path) -> None:
    """Where the county's disk has changed or lost the parts, a newcomer gets all of the past entry by entry."""
    parts = sorted((net.city["county1"].path / "snapshot").glob("??/*"), key=lambda file: file.stat().st_size)
    was = {file: file.read_bytes() for file in parts[1:]}  # the smallest is the list
    try:
        for number, (file, data) in enumerate(was.items()):
            file.write_bytes(data[:-9] + bytes(9))
            if number:
                file.unlink()
        home = net.join(tmp_path, "town3", "330101003")
        home.start("courier")
        wait(lambda: net.entries("town3") == net.entries("county1"), why="the past does not arrive")
        wait(lambda: counters(home).get("entries_in", 0) > PEOPLE)
    finally:
        for file, data in was.items():
            file.write_bytes(data)


def test_a_small_past_comes_entry_by_entry(tmp_path: Path) -> None:
    """Where there is no snapshot the newcomer is told so at once, and gets the entries."""
    city = build(tmp_path, counties=1, townships=1)
    try:
        for home in city:
            home.start("ledger", "courier")
            ledger = Ledger(home.settings, timeout=20)
            ledger.write([of_node(home.settings.city, home.id, one, record=one.id, to=ALL) for one in home.says])
            ledger.close()
        town = Ledger(city["county1-town1"].settings, timeout=20)
        wait(lambda: len(town.nodes()) == 3)
        assert town.status().get("verification") is None
        town.close()
    finally:
        city.stop()


def test_a_start_takes_nothing_again(net: Net, tmp_path: Path) -> None:
    """A township that held everything and starts anew, courier first, asks for nothing that it has."""
    home = net.join(tmp_path, "town4", "330101004")
    home.start("courier")
    wait(lambda: net.entries("town4") == net.entries("county1"))
    wait(lambda: checked(net, "town4"))
    was = net.ledger("town4").status()["verification"]
    home.stop("courier", "ledger")
    net.ledgers.pop("town4").close()
    (home.path / "run/links.json").unlink()
    home.start("courier")
    wait(lambda: counters(home).get("sessions", 0) > 0, why="the line does not stand")
    home.start("ledger")
    net.say("city", PEOPLE + 4)
    wait(lambda: net.entries("town4") == net.entries("city"))
    wait(lambda: counters(home).get("entries_in", 0) > 0)
    assert counters(home)["blob_bytes_in"] < 100_000
    assert counters(home)["entries_in"] < PEOPLE // 2
    assert net.ledger("town4").status()["verification"] == was
