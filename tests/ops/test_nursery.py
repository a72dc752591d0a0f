"""Nodes born of one process: they live, die and come back as others do, and share what they have loaded."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from node import settings
from node.errors import Unreachable
from ops import supervise
from ops.nursery import Nursery
from ops.supervise import wait_for
from tests.ops.conftest import call


def pid_of(home: Path, role: str) -> int:
    """The process that a role runs in."""
    return next(one["pid"] for one in supervise.Supervisor(home).processes() if one["name"] == role)


def shared(pid: int) -> float:
    """MiB of written memory that a process has in common with others: none, where a program was executed."""
    found = re.search(r"^Shared_Dirty:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024


def test_a_node_that_was_born_here_lives_as_any_other(city: Path) -> None:
    """It is ready after its nursery is gone, shares its memory, comes back after a kill, and ends in order."""
    supervise.prepare(settings.load(city))
    with Nursery() as nursery:
        nursery.bear(city)
    assert call(city, "run", timeout=60).json["state"] == "ready"
    assert all(shared(pid_of(city, role)) > 10 for role in ("ledger", "courier", "watch"))
    assert shared(pid_of(city, "portal")) < 1
    before = pid_of(city, "ledger")
    os.kill(before, signal.SIGKILL)
    assert wait_for(lambda: pid_of(city, "ledger") not in (0, before), 60)
    assert call(city, "status", "--wait", "ready", timeout=60).code == 0
    assert shared(pid_of(city, "ledger")) > 10
    assert "ledger" in call(city, "stop").json["stopped"]
    assert not supervise.alive(city)


def test_no_start_stops_no_other(city: Path, tmp_path: Path) -> None:
    """A home without a supervisor's file is told to who asked, and the next one is born all the same."""
    supervise.prepare(settings.load(city))
    with Nursery() as nursery:
        with pytest.raises(Unreachable):
            nursery.bear(tmp_path / "no")  # a short name: sockets have short paths
        nursery.bear(city)
    assert wait_for(lambda: supervise.alive(city), 60)
