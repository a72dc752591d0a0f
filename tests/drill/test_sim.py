"""Two hundred simulated lives of thirteen nodes; the smaller daily dose is in ``tests/sync/test_sim.py``."""

from __future__ import annotations

import pytest

from sync import sim

STEPS = 250


@pytest.mark.slow
@pytest.mark.promise("P7")
@pytest.mark.parametrize("seed", range(1001, 1201))
def test_two_hundred_lives(seed: int) -> None:
    """No seed signs a place twice, loses what was acknowledged, or leaves two nodes of a span with different chains, tables or attachments."""
    found = sim.run(seed, STEPS)
    assert not found["violations"], f"python -m sync.sim --seed {seed} --steps {STEPS}: {found['violations']}"
