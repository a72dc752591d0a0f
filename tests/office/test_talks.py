"""Everybody talks while lines are cut; see ``tests/office/talks.py``. The whole prefecture is in ``tests/drill``."""

from __future__ import annotations

import pytest

from tests.office.talks import Prefecture


@pytest.mark.row("G1")
@pytest.mark.row("G3")
def test_a_day_of_islands_ends_in_one_order_and_nothing_late_counts_as_read() -> None:
    """A county cut from its city and a tenth of the townships from theirs, all talking: the same everywhere, and unread what nobody saw."""
    world = Prefecture(510, seed=7)
    world.cut = {"county3", *(f"town{n}" for n in range(0, 91, 10))}
    world.day(1_000)
    assert world.whole() == 1_000
    assert world.late(85) > 0
