"""Nodes with wrong clocks (P14)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from node import health
from node.client import Ledger
from node.entry import ALL
from node.requests import Written
from tests.city import City, build, running, wait
from tests.clocks import DAY, Clock
from tests.clocks import build as shim
from tests.sync.test_courier import card, say
from tests.sync.test_restore import has, put

NAMES = CITY, COUNTY, TOWN = "city", "county1", "county1-town1"


@dataclass
class Sundial:
    """Three nodes, of which the county's clock can be set."""

    city: City
    clock: Clock

    def write(self, name: str, text: str) -> Written:
        """A node says something to everybody."""
        home = self.city[name]
        with Ledger(home.settings, timeout=30) as ledger:
            return say(home, ledger, card(text))

    def entries(self, name: str) -> int:
        """How many entries for everybody a node holds."""
        with Ledger(self.city[name].settings, timeout=30) as ledger:
            return sum(chain.count - 1 for chain in ledger.chains() if chain.audience == ALL)

    def link(self) -> dict[str, Any]:
        """What the county's courier says of its line upward."""
        links: Any = self.city[COUNTY].links().get("links", ())
        return next((one for one in links if one["side"] == "parent"), {})


@pytest.fixture(scope="module")
def dial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sundial]:
    """Running nodes that know each other."""
    folder = tmp_path_factory.mktemp("clocks")
    library = shim(folder)
    with running(build(folder, townships=1)) as city:
        clock = Clock(library, folder / "clock")
        city[COUNTY].env = clock.env
        for home in city:
            home.start("ledger", "courier")
        for home in city:
            with Ledger(home.settings, timeout=30) as ledger:
                for about in home.says:
                    put(home, ledger, about, about.id)
        made = Sundial(city, clock)
        wait(lambda: has(city[CITY], made.write(TOWN, "first")))
        yield made


def told(dial: Sundial) -> dict[str, Any]:
    """What the county's node says of its clock."""
    return health.clocked(dial.city[COUNTY].links())


@pytest.mark.promise("P14")
@pytest.mark.parametrize(("offset", "drift"), [(400 * DAY, 0), (-400 * DAY, 0), (DAY, 0), (-DAY, 0), (0, 0.05), (0, -1)])
def test_a_clock_that_jumps_drifts_or_stands_loses_nothing(dial: Sundial, offset: float, drift: float) -> None:
    """While a county's clock is wrong, what is said above, in and below it arrives everywhere, once, and the county says that it is wrong."""
    before = {name: dial.entries(name) for name in NAMES}
    dial.clock.set(offset, drift)
    said = [dial.write(name, f"{offset} {drift} {n}") for n in range(3) for name in NAMES]
    wait(lambda: all(has(home, one) for one in said for home in dial.city), why="not all arrives")
    assert {name: dial.entries(name) - before[name] for name in NAMES} == dict.fromkeys(NAMES, len(said))
    if offset:
        wait(lambda: not told(dial)["trusted"], why="the county does not notice")
    dial.clock.set()
    wait(lambda: told(dial)["trusted"], why="the county goes on mistrusting its clock")


@pytest.mark.promise("P14")
@pytest.mark.parametrize("offset", [400 * DAY, -400 * DAY])
def test_a_node_that_starts_with_a_wrong_clock_loses_nothing(dial: Sundial, offset: float) -> None:
    """No rule of certificates gives way: a county a year behind does not believe the city's and says so; set right, it gives and gets all."""
    county = dial.city[COUNTY]
    county.stop()
    dial.clock.set(offset)
    county.start("ledger", "courier")
    said = [dial.write(name, f"started {offset} {n}") for n in range(3) for name in NAMES]
    wait(lambda: not told(dial)["trusted"], why="the county does not notice")
    if offset < 0:
        assert dial.link()["reason"] == health.EXPIRED and dial.link()["state"] != "up"
    dial.clock.set()
    wait(lambda: all(has(home, one) for one in said for home in dial.city), why="not all arrives", timeout=120)
    wait(lambda: told(dial)["trusted"])
