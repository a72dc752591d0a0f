"""The simulator: thirteen nodes, real peers and journals, twenty lives; and proof that it would notice."""

from __future__ import annotations

import pytest

from sync import sim


@pytest.mark.promise("P7")
@pytest.mark.parametrize("seed", range(1, 21))
def test_whatever_happens_all_agree_in_the_end(seed: int) -> None:
    """Lost messages, broken lines, crashes and restored disks: histories converge and no place is signed twice."""
    world = sim.run(seed, 150)
    assert not world.violations, f"python -m sync.sim --seed {seed} --steps 150: {world.violations}"


def test_the_same_seed_is_the_same_life() -> None:
    """Two runs of one seed end with the same contents everywhere."""
    first, second = sim.run(5, 120), sim.run(5, 120)
    assert first.digest() == second.digest()
    assert first.counts == second.counts


def test_the_simulator_sees_a_place_signed_twice() -> None:
    """If the epoch's key came back with the disk, as in a live snapshot, the world would say so."""
    world = sim.World(1)
    for child in world.children():
        world.dial(child)
    node = world.nodes["c1t1"]
    node.write(sim.UP, sim.Lane.ORDINARY, [b"one"])
    image, epoch, key, logs = node.disk.copy(), node.epoch, node.epoch_key, dict(node.open)
    node.write(sim.UP, sim.Lane.ORDINARY, [b"two"])
    world.heal()
    node.restore(image)
    node.epoch, node.epoch_key, node.open = epoch, key, logs
    node.write(sim.UP, sim.Lane.ORDINARY, [b"another"])
    world.heal()
    assert any("signed twice" in violation for violation in world.judge())
    assert world.forks


def test_the_simulator_sees_what_is_missing() -> None:
    """A node that never hears of a chain is named."""
    world = sim.World(1)
    for child in world.children():
        world.dial(child)
    world.heal()
    world.hang_up("c2t2")
    world.nodes["city"].write(sim.ALL, sim.Lane.TRUST, [b"for everyone"])
    while world.step():
        pass
    assert any("differs" in violation for violation in world.judge())
