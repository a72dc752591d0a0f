"""A node's life by the real command: joining, running, status, a kill, stopping."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ops import supervise
from ops.caller import command
from ops.supervise import wait_for
from tests.ops.conftest import Said, call, end

READY = 60.0


@pytest.fixture
def running(city: Path) -> Path:
    """A city that runs."""
    said = call(city, "run", timeout=READY)
    assert said.code == 0, said.out + said.err
    return city


@pytest.fixture
def pair(running: Path, tmp_path: Path, ports: Callable[[], int]) -> Iterator[tuple[Path, Path]]:
    """A city that runs and a county that has just joined it."""
    county = tmp_path / "county"
    said = join(running, county, ports)
    assert said.code == 0, said.out + said.err
    yield running, county
    end(county)


def listening(home: Path) -> str:
    """The courier's address of a home."""
    from node import settings

    return settings.load(home).listen


def join(above: Path, home: Path, ports: Callable[[], int], **changed: str) -> Said:
    """Have a county admitted by a city."""
    token = call(above, "node", "token", "--tier", "county", "--name", "无棣县", "--code", "371623").json
    given = {"tier": "county", "name": "无棣县", "code": "371623", "listen": f"tcp://127.0.0.1:{ports()}", "web": f"127.0.0.1:{ports()}"}
    given |= {"parent": listening(above), "parent-pin": token["parent_pin"], "join": token["join"]} | {
        k.replace("_", "-"): v for k, v in changed.items()
    }
    return call(home, "node", "init", *(word for key, value in given.items() for word in (f"--{key}", value)), timeout=20)


def pid_of(home: Path, role: str) -> int | None:
    """The process id of a role."""
    return next((row["pid"] for row in call(home, "status").json.get("processes", ()) if row["role"] == role), None)


def test_a_running_node_answers_and_stops_in_order(running: Path) -> None:
    """status tells of every process within the blink of an eye; stop ends all of them within ten seconds, clean."""
    begun = time.monotonic()
    said = call(running, "status")
    assert said.code == 0 and time.monotonic() - begun < 2.0
    found = said.json
    assert found["state"] == "ready" and {row["role"] for row in found["processes"]} >= {"ledger", "courier", "portal", "watch"}
    assert all(row["state"] == "up" and row["rss_bytes"] > 0 for row in found["processes"])
    begun = time.monotonic()
    said = call(running, "stop")
    assert said.code == 0 and time.monotonic() - begun < 12
    assert set(said.json["stopped"]) >= {"ledger", "courier", "portal"} and said.json["unclean"] == []
    assert call(running, "status").code == 5


def test_a_killed_ledger_comes_back(running: Path) -> None:
    """After kill -9 of the ledger the node is ready again by itself and has counted the restart."""
    pid = pid_of(running, "ledger")
    assert pid
    os.kill(pid, signal.SIGKILL)
    assert wait_for(lambda: pid_of(running, "ledger") not in (pid, None), 60)
    said = call(running, "status", "--wait", "ready", timeout=READY)
    assert said.code == 0
    assert next(row["restarts"] for row in said.json["processes"] if row["role"] == "ledger") >= 1


def test_in_the_foreground_it_ends_clean_on_sigterm(city: Path) -> None:
    """run --foreground stays, and on SIGTERM ends with 0 within ten seconds, nothing left behind."""
    process = subprocess.Popen(command(city, "run", "--foreground"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert call(city, "status", "--wait", "ready", timeout=READY).code == 0
    pids = [row["pid"] for row in call(city, "status").json["processes"]]
    begun = time.monotonic()
    process.terminate()
    out, err = process.communicate(timeout=15)
    assert process.returncode == 0, (out, err)
    assert time.monotonic() - begun < 11
    assert not any(supervise.running(pid) for pid in pids)


def test_waiting_for_what_does_not_come_is_exit_1(running: Path) -> None:
    """--wait answers 1 when the time is over, and what it saw is told."""
    said = call(running, "status", "--wait", "alarm=fork", timeout=1)
    assert said.code == 1 and said.json["ok"] is False and said.json["state"]


def test_a_county_joins_and_the_line_comes_up(pair: tuple[Path, Path]) -> None:
    """With a token a county becomes a node of the same city, and both ends see the line."""
    city, county = pair
    assert call(county, "run", timeout=READY).code == 0
    ids = {home: call(home, "status").json["node"] for home in pair}
    assert call(county, "status", "--wait", f"link={ids[city]}:up,synced", timeout=30).code == 0
    assert call(city, "status", "--wait", f"link={ids[county]}:up", timeout=30).code == 0


def test_wrong_tokens_join_nothing(running: Path, tmp_path: Path, ports: Callable[[], int]) -> None:
    """Another name, a wrong pin, a token cut short: refused with exit 4, and no home is left behind."""
    refused = {
        "name": join(running, tmp_path / "a", ports, name="沾化区"),
        "pin": join(running, tmp_path / "b", ports, parent_pin="sha256:" + "0" * 64),
        "token": join(running, tmp_path / "c", ports, join="yw1.abc"),
    }
    assert {why: said.code for why, said in refused.items()} == {"name": 4, "pin": 4, "token": 4}
    assert not any((tmp_path / name / "node.toml").exists() for name in "abc")


def test_nobody_above_is_not_now(running: Path, tmp_path: Path, ports: Callable[[], int]) -> None:
    """A parent that does not answer is exit 5 when the time is over; the same token works later."""
    token = call(running, "node", "token", "--tier", "county", "--name", "无棣县", "--code", "371623").json
    silent = ["--parent", f"tcp://127.0.0.1:{ports()}", "--parent-pin", token["parent_pin"], "--join", token["join"]]
    about = ["node", "init", "--tier", "county", "--name", "无棣县", "--code", "371623"]
    assert call(tmp_path / "county", *about, *silent, timeout=2).code == 5
    assert call(tmp_path / "county", *about, "--parent", listening(running), *silent[2:], timeout=20).code == 0
