"""Nodes put back from backups and homes that run twice, as real processes between real lines."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from node import requests, standing
from node.client import Ledger
from node.codec import pack, uuid7
from node.directory.entries import Person
from node.entry import ALL, Lane
from node.errors import NodeError, Operator
from node.requests import Draft, Written
from node.settings import load
from ops import backup
from tests.city import City, Home, build, running, wait

CITY, COUNTY = "city", "county1"


@dataclass
class Pair:
    """A city and a county under it, and whatever homes of the county a test makes of it."""

    city: City
    homes: list[Home] = field(default_factory=list)

    @property
    def top(self) -> Home:
        """The city."""
        return self.city[CITY]

    def home(self, path: Path) -> Home:
        """A home of the county that ends with the test."""
        self.homes.append(Home(load(path)))
        return self.homes[-1]


def say(home: Home, text: str, timeout: float = 10) -> Written:
    """A node says something to everybody."""
    about = Person(uuid7(), text, "organ", "", 1, "active", "")
    with Ledger(home.settings, timeout=timeout) as ledger:
        return put(home, ledger, about, about.id)


def put(home: Home, ledger: Ledger, content: Any, record: str) -> Written:
    """Write in the name of the node."""
    said, salt, data = requests.statement(home.settings.city, content, record=record, home=home.id, suite="p256")
    return ledger.write([Draft(pack(said), b"", salt, data, (ALL,), Lane.TRUST)])[0]


def has(home: Home, written: Written) -> bool:
    """Whether a node holds what was written."""
    place = written.places[0]
    with Ledger(home.settings, timeout=10) as ledger:
        return any(one.id == place.chain and one.count > place.seq for one in ledger.chains())


def status(home: Home) -> dict[str, Any]:
    """What a node's ledger says; empty while it does not answer."""
    try:
        with Ledger(home.settings, timeout=5) as ledger:
            return ledger.status()
    except NodeError:
        return {}


def alarms(home: Home, kind: str) -> list[dict[str, Any]]:
    """The alarms of one kind."""
    return [one for one in status(home).get("alarms", ()) if one["kind"] == kind]


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """A city and a county whose ledgers and couriers run and know each other."""
    with running(build(tmp_path, counties=1, townships=0)) as city:
        made = Pair(city, [city[COUNTY]])
        for home in city:
            home.start("ledger", "courier")
        for home in city:
            with Ledger(home.settings, timeout=20) as ledger:
                for about in home.says:
                    put(home, ledger, about, about.id)
        wait(lambda: has(made.top, say(city[COUNTY], "first")), why="the county does not reach the city")
        try:
            yield made
        finally:
            for home in made.homes:
                home.stop()


@contextmanager
def loaded(home: Home) -> Iterator[list[Written]]:
    """Somebody writes all the while; what was written is in the list."""
    written: list[Written] = []
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            written.append(say(home, f"number {len(written)}"))

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield written
    finally:
        over.set()
        worker.join()


@pytest.mark.row("H6")
@pytest.mark.promise("P7")
def test_a_node_restored_under_load_gets_everything_back_by_itself(pair: Pair, tmp_path: Path) -> None:
    """Backed up while it writes, lost, and restored elsewhere: it is recovering, then ready by itself, with every entry the city had."""
    county = pair.city[COUNTY]
    with loaded(county) as written:
        wait(lambda: len(written) > 10)
        backup.create(county.settings, tmp_path / "county.tar", "a long passphrase")
        before = len(written)
        wait(lambda: len(written) > before + 10)
    wait(lambda: has(pair.top, written[-1]), why="the city does not have all")
    county.stop()
    shutil.rmtree(county.path)
    backup.restore(tmp_path / "county.tar", tmp_path / "new", "a long passphrase")
    again = pair.home(tmp_path / "new")
    assert standing.load(again.settings).state == "recovering"
    again.start("ledger")
    wait(lambda: status(again).get("state") == "recovering")
    with pytest.raises(Operator):
        say(again, "too early")
    again.start("courier")
    wait(lambda: status(again).get("state") == "ready", why="it does not recover")
    assert all(has(again, one) for one in (written[0], written[-1]))
    told = alarms(again, "rolled_back")
    assert len(told) == 1 and "nothing is missing" in told[0]["detail"]
    after = say(again, "afterwards")
    wait(lambda: has(pair.top, after))
    assert not alarms(again, "fork") and not alarms(pair.top, "fork")


@pytest.mark.promise("P7")
def test_restored_while_nobody_answers_it_waits_for_its_operator(pair: Pair, tmp_path: Path) -> None:
    """With the city away a restored county writes only after the operator's word; what the city had comes back afterwards, and nothing forks."""
    county = pair.city[COUNTY]
    backup.create(county.settings, tmp_path / "county.tar")
    lost = say(county, "after the backup")
    wait(lambda: has(pair.top, lost))
    county.stop()
    pair.top.stop()
    backup.restore(tmp_path / "county.tar", tmp_path / "new")
    again = pair.home(tmp_path / "new")
    again.start("ledger", "courier")
    wait(lambda: status(again).get("state") == "recovering")
    with Ledger(again.settings, timeout=10) as ledger:
        assert ledger.confirm() == "recovering"
    new = say(again, "meanwhile")
    pair.top.start("ledger", "courier")
    wait(lambda: has(pair.top, new) and has(again, lost), why="the union is not made")
    assert [one["severity"] for one in alarms(again, "rolled_back")] == ["info"]
    wait(lambda: [one["subject"] for one in alarms(pair.top, "rolled_back")] == [again.id])
    assert not alarms(again, "fork") and not alarms(pair.top, "fork")


@pytest.mark.row("M16")
@pytest.mark.promise("P7")
def test_a_burned_machine_is_built_again_from_its_identity(pair: Pair, tmp_path: Path) -> None:
    """Without any backup of its journal a county gets back what it had told the city, waits until then, and goes on in a new epoch."""
    county = pair.city[COUNTY]
    backup.export_identity(county.settings, tmp_path / "identity", "a long passphrase")
    told = say(county, "before the fire")
    wait(lambda: has(pair.top, told))
    county.stop()
    shutil.rmtree(county.path)
    backup.import_identity(tmp_path / "identity", tmp_path / "new", "a long passphrase")
    again = pair.home(tmp_path / "new")
    again.start("ledger", "courier")
    wait(lambda: status(again).get("state") == "ready", why="it does not recover")
    assert has(again, told)
    after = say(again, "after the fire")
    wait(lambda: has(pair.top, after))
    assert not alarms(again, "fork") and not alarms(pair.top, "fork")


@pytest.mark.promise("P8")
@pytest.mark.parametrize("order", ["the copy first", "across a partition"])
def test_of_two_running_copies_one_writes_and_all_tell(pair: Pair, tmp_path: Path, order: str) -> None:
    """Both copies of a home run, whichever came first: one is fenced and refuses with exit 7, the other writes, both and the city raise the alarm."""
    one = pair.city[COUNTY]
    one.stop()
    shutil.copytree(one.path, tmp_path / "copy", ignore=shutil.ignore_patterns("*.sock", "ledger", "bell", "post", "signals"))
    two = pair.home(tmp_path / "copy")
    first, second = (two, one) if order == "the copy first" else (one, two)
    first.start("ledger", "courier")
    wait(lambda: has(pair.top, say(first, "by the first")))
    if order == "across a partition":
        second.start("ledger")
        say(second, "behind the partition", timeout=20)
        second.start("courier")
    else:
        second.start("ledger", "courier")
    wait(lambda: alarms(first, "duplicate_identity") and alarms(second, "duplicate_identity"), timeout=10, why="nobody tells")
    assert [alarm["subject"] for alarm in alarms(pair.top, "duplicate_identity")] == [one.id]
    assert (status(first)["state"], status(second)["state"]) == ("fenced", "ready")
    with pytest.raises(Operator) as refused:
        say(first, "as a copy")
    assert (refused.value.code, refused.value.exit_code) == ("fenced", 7)
    wait(lambda: has(pair.top, say(second, "by the living one")))
    assert not alarms(pair.top, "fork") and not alarms(second, "fork")
