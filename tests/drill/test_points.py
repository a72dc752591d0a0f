"""kill -9 at every single moment at which the disk is asked to keep something; a tenth of it runs daily in ``tests/node/test_drills.py``."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.drill import points

EACH = 20
"Points in one test, so that an interrupted drill loses minutes and not an hour."
MOST = {"fdatasync": 20, "fsync": 20, "ftruncate": 20, "unlink": 40, "write": 40, "pwrite64": 360}
"Where the script that writes has ended for sure; with more calls than these the last test fails and says so."
BUILDING = {"rename": 40, "fsync": 60, "fdatasync": 60, "unlink": 40}
"The same where the ledger first has to build its tables."
CASES = [
    *(("writing", call, first) for call, most in MOST.items() for first in range(1, most, EACH)),
    *(("building", call, first) for call, most in BUILDING.items() for first in range(1, most, EACH)),
]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A home whose tables are built, and one that has lost them."""
    writing = points.prepare(tmp_path_factory.mktemp("prepared"))
    building = tmp_path_factory.mktemp("building") / "city"
    shutil.copytree(writing, building)
    shutil.rmtree(building / "tables")
    return {"writing": writing, "building": building}


@pytest.mark.slow
@pytest.mark.promise("P1")
@pytest.mark.skipif(shutil.which("strace") is None, reason=points.MISSING)
@pytest.mark.parametrize(("script", "call", "first"), CASES)
def test_every_point(prepared: dict[str, Path], tmp_path: Path, script: str, call: str, first: int) -> None:
    """No acknowledged entry is lost or doubled, and no write is half there, wherever the ledger is killed."""
    reached = 0
    for when in range(first, first + EACH):
        if not points.at(prepared[script], tmp_path, call, when):
            break
        reached += 1
    print(f"{script} {call} from {first}: {reached} points")
    assert reached or first > 1, "the script never comes to this call"


@pytest.mark.slow
@pytest.mark.promise("P1")
@pytest.mark.skipif(shutil.which("strace") is None, reason=points.MISSING)
@pytest.mark.parametrize("call", MOST)
def test_no_point_lies_beyond(prepared: dict[str, Path], tmp_path: Path, call: str) -> None:
    """The last points of the script that writes are among those at which it was killed."""
    assert not points.at(prepared["writing"], tmp_path, call, MOST[call] + 1), "the script makes more calls than the drill looks at"
