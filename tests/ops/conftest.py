"""Homes and calls of the real command for the tests of ops."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ops import supervise
from ops.caller import command
from tests import schema
from tests.city import free_port


@dataclass(frozen=True)
class Said:
    """How one call of the command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object on standard output; fails when there is anything else, or it is not as its schema says."""
        rows = self.out.splitlines()
        assert len(rows) == 1, self.out
        found = json.loads(rows[0])
        assert isinstance(found, dict)
        assert not schema.wrong(found), schema.wrong(found)
        return found


def call(home: Path | None, *args: str, timeout: float | None = None) -> Said:
    """Call the real command in a process of its own."""
    done = subprocess.run(command(home, *args, timeout=timeout), capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120, check=False)
    return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def ports() -> Callable[[], int]:
    """Gives another free port each time it is called."""
    return free_port


@pytest.fixture
def city(tmp_path: Path, ports: Callable[[], int]) -> Iterator[Path]:
    """The home of a city that is not running; whatever a test starts in it is ended."""
    home = tmp_path / "city"
    said = call(
        home,
        "node",
        "init",
        "--tier",
        "city",
        "--name",
        "滨州市",
        "--code",
        "371600",
        "--listen",
        f"tcp://127.0.0.1:{ports()}",
        "--web",
        f"127.0.0.1:{ports()}",
    )
    assert said.code == 0, said.err
    yield home
    end(home)


def end(home: Path) -> None:
    """Stop whatever runs under a home."""
    if supervise.alive(home):
        pid = supervise.Supervisor(home).pid()
        supervise.stop(home)
        if supervise.running(pid):
            os.kill(pid, signal.SIGKILL)
