"""All 26,925 people of a prefecture talk for a day on which islands form; a dose is in ``tests/office/test_talks.py``."""

from __future__ import annotations

import pytest

from tests.office.talks import Prefecture

PEOPLE = 26_925


@pytest.mark.slow
@pytest.mark.row("G1")
@pytest.mark.row("G3")
@pytest.mark.parametrize("seed", range(2))
def test_a_whole_prefecture_talks_through_a_day_of_islands(seed: int) -> None:
    """Two messages for each: one order and the same read states on every node, and unread what nobody had before their eyes."""
    world = Prefecture(PEOPLE, seed=seed)
    world.cut = {"county3", "county7", *(f"town{n}" for n in range(seed, 91, 9))}
    world.day(2 * PEOPLE)
    assert world.whole() == 2 * PEOPLE
    assert world.late(PEOPLE // 6) > 0
