"""The simulator: thirteen nodes, real peers and books, twenty lives; and proof that it would notice."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from node.entry import ALL, UP, Lane, to_node
from sync import sim
from sync.actor import Actor, Noted
from sync.fetch import AT_ONCE
from tests.city import ROOT

STEPS = 100


def said(actor: Actor, text: str, to: sim.Audience = UP) -> None:
    """Write one note and wait until it is on the disk."""
    actor.ask("write", ([actor.draft(Noted(text, str(to.scope)), record=text, to=(to,), lane=Lane.ORDINARY)],), lambda _: None)
    actor.turn()


@pytest.mark.promise("P7")
@pytest.mark.parametrize("seed", range(1, 21))
def test_whatever_happens_all_agree_in_the_end(seed: int) -> None:
    """Lost messages, broken lines, deaths in the middle of work and restored disks: what :mod:`sync.verdict` lists holds when all is healed."""
    found = sim.run(seed, STEPS)
    assert not found["violations"], f"python -m sync.sim --seed {seed} --steps {STEPS}: {found['violations']}"
    assert found["writes"] and found["messages"]


def test_the_same_seed_is_the_same_life() -> None:
    """A seed does the same in another process, whatever its hashes are salted with, so a failure can be looked at again."""
    call = [sys.executable, "-m", "sync.sim", "--seed", "5", "--steps", "60"]
    done = subprocess.run(call, cwd=ROOT, env={"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "1"}, capture_output=True, text=True, check=True)
    other, here = json.loads(done.stdout), sim.run(5, 60)
    assert {k: v for k, v in other.items() if k != "s"} == {k: v for k, v in here.items() if k != "s"}


def test_the_simulator_sees_a_place_signed_twice() -> None:
    """If the epoch's key came back with the disk, as in a live snapshot, the world would say so."""
    with sim.living(1) as world:
        world.heal()
        actor = world.actors["c1t1"]
        said(actor, "one")
        actor.back_up()
        writer = actor.book.writer
        memory = writer.epoch_key, writer.epoch, writer.opened, {log: state.id for log, state in writer._logs.items()}
        said(actor, "two")
        world.heal()
        world.restart(actor, actor.images[-1])
        writer = actor.book.writer
        writer.epoch_key, writer.epoch, writer.opened, logs = memory
        writer._logs = {log: actor.book.journal.chains[id] for log, id in logs.items()}
        said(actor, "another")
        world.heal()
        assert any("signed twice" in violation for violation in world.judge())


def test_the_simulator_sees_what_is_missing() -> None:
    """A node that never hears of a chain, and an attachment that never comes, are named."""
    with sim.living(1) as world:
        world.heal()
        world.hang_up("c2t2")
        city = world.actors["city"]
        said(city, "for everyone", ALL)
        file = city.put(b"a file")
        city.ask("write", ([city.draft(Noted("with a file", "all"), record="f", to=(ALL,), lane=Lane.TRUST, attachments=(file,))],), lambda _: None)
        while world.step():
            pass
        world.actors["c3t3"].book.blobs.path(file.sha).unlink()
        with world.actors["c3t3"].book.journal.transaction() as c:
            c.exec_driver_sql("update wanted set here = 0")
        found = world.judge()
    assert any("differs" in violation and "c2t2" in violation for violation in found)
    assert any("still wants" in violation and violation.startswith("c3t3") for violation in found)


def test_a_death_before_an_attachment_is_noted_leaves_no_question_open() -> None:
    """A blob that is whole on the disk, while the journal was never told, is known after the next start and asked of nobody."""
    with sim.living(1) as world:
        world.heal()
        city, town = world.actors["city"], world.actors["c1t1"]
        file = city.put(b"a file")
        city.ask("write", ([city.draft(Noted("with a file", "all"), record="f", to=(ALL,), lane=Lane.TRUST, attachments=(file,))],), lambda _: None)
        while world.step():
            if not world.counts["deaths"] and any(asked.name == "arrived" for asked in town.asked):
                town.doomed = "before"
        world.heal()
        assert world.counts["deaths"] == 1
        assert not world.judge()


def test_attachments_that_are_nowhere_keep_no_other_back() -> None:
    """A township names more attachments than are fetched at a time, and sends none of them: the next one comes to everybody all the same."""
    with sim.living(1) as world:
        world.heal()
        evil, city = world.actors["c1t1"], world.actors["city"]
        nowhere = tuple(evil.put(bytes([n]) * 200_000) for n in range(2 * AT_ONCE))
        evil.ask("write", ([evil.draft(Noted("to come", "all"), record="n", to=(ALL,), lane=Lane.TRUST, attachments=nowhere)],), lambda _: None)
        evil.turn()
        for one in nowhere:
            evil.book.blobs.path(one.sha).unlink()
        while world.step():
            pass
        file = city.put(b"a file")
        city.ask("write", ([city.draft(Noted("with a file", "all"), record="f", to=(ALL,), lane=Lane.TRUST, attachments=(file,))],), lambda _: None)
        while world.step():
            pass
        assert [name for name, actor in world.actors.items() if not actor.book.blobs.has(file.sha)] == []


def test_the_simulator_sees_a_note_that_is_not_at_a_reader() -> None:
    """A note for two nodes of which one has folded nothing is named, also when its author's disk was put back some time."""
    with sim.living(1) as world:
        world.heal()
        town = world.actors["c1t1"]
        town.restored = True
        to = to_node(world.actors["c1"].id), to_node(world.actors["city"].id)
        town.ask("write", ([town.draft(Noted("two", "c1+city"), record="t", to=to, lane=Lane.ORDINARY)],), lambda _: None)
        world.heal()
        assert not world.judge()
        with world.actors["city"].book.shelves.living["sim"].engine.begin() as c:
            c.exec_driver_sql("delete from notes")
        assert any("a note of c1t1 to c1+city" in violation for violation in world.judge())


def test_a_township_whose_admission_was_lost_with_a_disk_is_admitted_again() -> None:
    """What it has said meanwhile has reached who may read it, and every node's journal verifies from its first entry on."""
    with sim.living(1) as world:
        county = world.actors["c1"]
        county.asked.clear()  # it dies before it has written anything
        world.restart(county)
        for name in ("c1t1", "c1t2"):
            said(world.actors[name], name, ALL)
        world.heal()
        assert world.counts["admitted"] > len(world.actors)
        assert not world.judge()


def test_the_simulator_sees_tables_that_are_no_fold() -> None:
    """A row that no entry made is found by the refold."""
    with sim.living(1) as world:
        world.heal()
        shelf = world.actors["c1"].book.shelves.living["sim"]
        with shelf.engine.begin() as c:
            c.exec_driver_sql("insert into counts values (x'00', 7)")
        assert any("refold" in violation for violation in world.judge())
