"""A daily dose of the drills in ``tests/drill``: some of the points at which a ledger can be killed, and a short storm."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from tests.drill import points, storm

DOSE = 4


@pytest.mark.promise("P1")
@pytest.mark.skipif(shutil.which("strace") is None, reason=points.MISSING)
def test_killed_at_some_points(tmp_path: Path) -> None:
    """Killed exactly when it asks the disk to keep something, a ledger loses nothing acknowledged and leaves no half write; the seed is printed."""
    seed = int(os.environ.get("YIWANG_SEED", random.randrange(2**32)))
    print("seed", seed)
    prepared = points.prepare(tmp_path / "prepared")
    for when in random.Random(seed).sample(range(2, 16), DOSE):
        points.at(prepared, tmp_path, "fdatasync", when)


@pytest.mark.promise("P1")
@pytest.mark.promise("P3")
def test_short_storm(tmp_path: Path) -> None:
    """Ten seconds of kills of ledgers and couriers under load lose, double and reorder nothing; the seed is printed."""
    seed = int(os.environ.get("YIWANG_SEED", random.randrange(2**32)))
    print("seed", seed)
    storm.run(tmp_path, seed, 10)
