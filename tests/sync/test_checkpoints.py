"""The city's checkpoints: between real processes, and in the simulated tree with relays, cities and disks that cannot be trusted."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from node import checkpoint, keys
from node.checkpoint import Checkpoint, Signed
from node.client import Ledger
from node.codec import unpack
from node.entry import ALL, UP, Lane, to_node
from node.errors import NodeError
from node.witness import LEAP, Sheet, Witness
from sync import sim
from sync.actor import Actor, Noted
from tests.city import Home, admit, build, running, wait
from tests.sync.test_courier import card, say

TREE = {"city": "", "c1": "city", "c2": "city", "c1t1": "c1", "c1t2": "c1"}


def told(home: Home) -> dict[str, Any]:
    """What a node's ledger says of checkpoints; empty while it does not answer."""
    try:
        with Ledger(home.settings, timeout=5) as ledger:
            return ledger.status() | {"alive": True}
    except NodeError:
        return {}


@pytest.mark.promise("P9")
def test_checkpoints_reach_every_node_with_countersignatures_and_outlive_kill_9(tmp_path: Path) -> None:
    """City, two counties and a township, as processes: all see the numbers grow, countersigned by both counties.

    A city that is killed goes on from what it had signed.
    """
    with running(build(tmp_path, counties=2, townships=0)) as city:
        city.homes["town"] = admit(tmp_path / "town", city["county1"], "township", "云镇", "330101001", 0)
        for home in city:
            home.start("ledger")
            with Ledger(home.settings, timeout=60) as ledger:
                if home is city["city"]:
                    ledger.confirm()
                for about in home.says:
                    say(home, ledger, about)
            home.start("courier")
        counties = sorted(city[name].id for name in ("county1", "county2"))

        def point(name: str) -> dict[str, Any]:
            return told(city[name]).get("checkpoint") or {}

        for name in city.homes:
            wait(lambda name=name: sorted(point(name).get("cosigners", ())) == counties, why=f"{name} sees no countersigned checkpoint")  # type: ignore[misc]
        before = point("town")["no"]
        city["city"].stop("ledger", how=signal.SIGKILL)
        city["city"].start("ledger")
        wait(lambda: told(city["city"]).get("state") == "ready", why="the city does not come back")
        with Ledger(city["town"].settings, timeout=60) as ledger:
            say(city["town"], ledger, card("甲"))
        wait(
            lambda: point("town").get("no", 0) > before and sorted(point("town")["cosigners"]) == counties,
            why="no later checkpoint reaches the township",
        )
        for home in city:
            assert not [one for one in told(home)["alarms"] if one["kind"] in ("fork", "withheld", "relay_misbehaviour")]


@pytest.fixture
def world() -> Iterator[sim.World]:
    """A small tree in which everybody knows everybody."""
    with sim.living(7, tree=TREE) as made:
        made.heal()
        yield made


@pytest.fixture(scope="module")
def shared() -> Iterator[sim.World]:
    """The same for tests that leave nothing behind."""
    with sim.living(8, tree=TREE) as made:
        made.heal()
        yield made


def drain(world: sim.World) -> None:
    """Until nobody has anything left to say."""
    world.calm = True
    while world.step():
        pass


def mark(world: sim.World, seconds: float = 60) -> Checkpoint:
    """The city makes a checkpoint, some time after the last one, and everybody hears of it."""
    for _ in range(3):  # in steps in which the lines stay up
        world._tick(0.5)
        drain(world)
    world.time += seconds
    for child in world.children():
        world.dial(child)
    drain(world)
    city = world.actors["city"]
    city.ask("checkpoint", (world.time,), lambda _: None)
    drain(world)
    assert city.book.witness.last is not None
    return city.book.witness.last


def note(world: sim.World, name: str, text: str, to: Any = UP) -> None:
    """A node writes one note."""
    actor = world.actors[name]
    actor.ask("write", ([actor.draft(Noted(text, str(to.scope)), record=text, to=(to,), lane=Lane.ORDINARY)],), lambda _: None)
    drain(world)


def witness(world: sim.World, name: str) -> Witness:
    """What a node knows of checkpoints."""
    return world.actors[name].book.witness


def alarms(actor: Actor) -> dict[str, str]:
    """(kind, subject) of what its checkpoints tell a node."""
    with actor.book.journal.engine.connect() as c:
        return {one["kind"]: one["subject"] for one in actor.book.witness.alarms(c)}


def forged(world: sim.World, **other: Any) -> Signed:
    """The city's last checkpoint said otherwise, by the city's own key."""
    city = world.actors["city"].book
    assert city.witness.last is not None
    return checkpoint.sign(msgspec.structs.replace(city.witness.last, **other), city.notary.identity)


def show(world: sim.World, name: str, came: str, sheet: Sheet) -> Any:
    """What a node's ledger says when a neighbour shows it this."""
    said: list[Any] = []
    world.actors[name].ask("anchor", (checkpoint.pack(sheet), world.actors[came].id), said.append)
    drain(world)
    return said[0]


@pytest.mark.promise("P9")
def test_every_node_gets_the_proof_of_its_own_logs(shared: sim.World) -> None:
    """Each has the share of its own line, under the root that both counties countersigned; nobody gets a sibling's."""
    for name in shared.actors:
        note(shared, name, "one")
    last = mark(shared)
    for name, actor in shared.actors.items():
        assert witness(shared, name).last == last
        assert {one.node for one in witness(shared, name).signed.cosignatures} == {shared.actors["c1"].id, shared.actors["c2"].id}  # type: ignore[union-attr]
        if actor.settings.parent:
            checkpoint.check_share(witness(shared, name)._shares[actor.id], actor.id, last)
    town = shared.actors["c1t1"]
    assert set(witness(shared, "c1t1")._shares) == {town.id}
    assert all(mark.seq + 1 == town.book.journal.chains[mark.chain].count for mark in witness(shared, "c1t1")._shares[town.id].marks)
    assert not any(alarms(actor) for actor in shared.actors.values())


@pytest.mark.promise("P9")
def test_a_relay_that_withholds_entries_is_noticed_at_their_origin(shared: sim.World) -> None:
    """A county that takes a township's entries and keeps them is named after a quarter of an hour; when it lets go, the alarm ends."""
    mark(shared)
    relay, city, town = shared.actors["c1"], shared.actors["city"], shared.actors["c1t1"]
    honest = relay.exchange.peers[city.id]._goes
    relay.exchange.peers[city.id]._goes = lambda line: line.author != town.id and honest(line)  # type: ignore[method-assign]
    note(shared, "c1t1", "never to arrive")
    for _ in range(3):
        mark(shared, 400)
    assert alarms(town) == {"withheld": relay.id}
    assert not alarms(shared.actors["c1t2"]) and not alarms(shared.actors["c2"])
    relay.exchange.peers[city.id]._goes = honest  # type: ignore[method-assign]
    mark(shared)
    mark(shared)
    assert not alarms(town)


def test_what_is_not_for_the_city_is_not_missed_there(shared: sim.World) -> None:
    """Letters between two townships of a county never pass the city, and raise no alarm however long they are not in a checkpoint."""
    note(shared, "c1t1", "between us", to_node(shared.actors["c1t2"].id))
    for _ in range(3):
        mark(shared, 400)
    assert not alarms(shared.actors["c1t1"])


@pytest.mark.promise("P6")
def test_a_city_of_two_words_is_proved(world: sim.World) -> None:
    """A second checkpoint of one number, signed by the city, is not believed; both are kept as a proof, and the alarm names the city."""
    last = mark(world)
    show(world, "c1", "city", Sheet(forged(world, root=bytes(32))))
    assert alarms(world.actors["c1"]) == {"fork": world.actors["city"].id}
    assert witness(world, "c1").last == last
    with world.actors["c1"].book.journal.engine.connect() as c:
        one, other = c.exec_driver_sql("select one, other from splits").one()
    assert checkpoint.split(unpack(one, Signed).checkpoint, unpack(other, Signed).checkpoint)
    mark(world)
    assert witness(world, "c1").last == witness(world, "city").last
    assert "fork" in alarms(world.actors["c1"])


@pytest.mark.promise("P9")
def test_old_and_foreign_checkpoints_change_nothing(world: sim.World) -> None:
    """One replayed, of an earlier time, signed by another key, or with a proof that was touched: the last good one stands, and the relay is named."""
    for town in ("c1t1", "c1t2"):
        note(world, town, "one")
    first = witness(world, "city").signed if mark(world) else None
    last, relay = mark(world), world.actors["c1"]
    assert first is not None
    show(world, "c1t1", "c1", Sheet(first))
    assert not world.actors["c1t1"].book.refused["old_checkpoint"]
    show(world, "c1t1", "c1", Sheet(forged(world, no=last.no + 5, at=last.at - 1)))
    assert world.actors["c1t1"].book.refused["time_reversed"] == 1
    assert witness(world, "c1t1").last == last and not alarms(world.actors["c1t1"])
    stranger = checkpoint.sign(msgspec.structs.replace(last, no=last.no + 1), keys.new_p256())
    assert isinstance(show(world, "c1t1", "c1", Sheet(stranger)), NodeError)
    assert alarms(world.actors["c1t1"]) == {"relay_misbehaviour": relay.id}
    share = witness(world, "c1t2")._shares[world.actors["c1t2"].id]
    touched = msgspec.structs.replace(share, marks=share.marks[1:])
    signed = witness(world, "c1t2").signed
    assert signed is not None
    show(world, "c1t2", "c1", Sheet(signed, (touched,)))
    assert alarms(world.actors["c1t2"]) == {"relay_misbehaviour": relay.id}
    assert witness(world, "c1t2")._shares[world.actors["c1t2"].id] == share


@pytest.mark.promise("P7")
def test_a_city_put_back_says_nothing_twice(world: sim.World) -> None:
    """A city restored to a day before its last checkpoints takes the counties' word for what it said, leaves out numbers, and nobody sees a fork."""
    city = world.actors["city"]
    mark(world)
    city.back_up()
    for _ in range(3):
        seen = mark(world)
    world.restart(city, city.images[-1])
    assert witness(world, "city").last.no == seen.no - 3  # type: ignore[union-attr]
    for child in world.children():
        world.dial(child)
    drain(world)
    for actor in world.actors.values():
        actor._ring({"anchor"})
    drain(world)
    assert witness(world, "city").last == seen
    assert mark(world).no == seen.no + 1 + LEAP
    assert all(witness(world, name).last == witness(world, "city").last for name in world.actors)
    assert not any("fork" in alarms(actor) for actor in world.actors.values())


def test_the_cost_does_not_grow_with_the_age_of_a_node(shared: sim.World) -> None:
    """Epochs that are over and complete leave the checkpoint: after ten more starts a township has as many leaves in it as before."""
    town = shared.actors["c1t1"]
    note(shared, "c1t1", "first", ALL)
    mark(shared)
    before = len(witness(shared, "c1t1")._shares[town.id].marks)
    for n in range(10):
        shared.restart(town)
        shared.dial("c1t1")
        drain(shared)
        note(shared, "c1t1", f"again {n}", ALL)
        note(shared, "c1t1", f"up {n}", UP)
    mark(shared)
    assert len([s for s in town.book.journal.chains.values() if s.author == town.id]) > 10
    assert len(witness(shared, "c1t1")._shares[town.id].marks) <= before + 1
    assert not alarms(town)
