"""A million random acts, and every order of a countersign with more returns and recalls; smaller doses are in ``tests/flow``."""

from __future__ import annotations

import pytest

from tests.flow.play import random_matters
from tests.flow.test_fold import explore


@pytest.mark.slow
@pytest.mark.row("C2")
@pytest.mark.parametrize("seed", range(10))
def test_a_million_random_acts_leave_no_dead_matter(seed: int) -> None:
    """After each of a hundred thousand acts a matter has ended, or somebody can go on with it; ten times over."""
    assert sum(len(play.acts) for play in random_matters(seed, 100_000)) >= 100_000


@pytest.mark.slow
@pytest.mark.row("A7")
@pytest.mark.parametrize(("signers", "returns", "recalls"), [(3, 2, 2), (4, 2, 1), (5, 1, 2)])
def test_every_order_of_a_countersign(signers: int, returns: int, recalls: int) -> None:
    """Nobody is lost and nobody is passed over, with more than one return and recall."""
    explore(signers, returns, recalls)
