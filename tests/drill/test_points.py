"""kill -9 at every single moment at which the disk is asked to keep something; a tenth of it runs daily in ``tests/node/test_drills.py``."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.drill import points


@pytest.mark.slow
@pytest.mark.promise("P1")
@pytest.mark.skipif(shutil.which("strace") is None, reason=points.MISSING)
@pytest.mark.parametrize("call", ["fdatasync", "fsync", "pwrite64", "ftruncate"])
def test_every_point(tmp_path: Path, call: str) -> None:
    """No acknowledged entry is lost or doubled, and no write is half there, wherever the ledger is killed; of writes to the disk every fifth."""
    prepared = points.prepare(tmp_path / "prepared")
    step = 5 if call == "pwrite64" else 1
    reached = 0
    for when in range(1, 500, step):
        if not points.at(prepared, tmp_path, call, when):
            break
        reached += 1
    print(f"{call}: {reached} points")
    assert reached >= (10 if call in ("fdatasync", "pwrite64") else 0)
