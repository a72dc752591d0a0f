"""``status`` has every field in every state, and the portal answers an administrator with the same."""

from __future__ import annotations

import ast
import http.client
import json
import os
import signal
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node import clock, health, settings
from node.alarms import KINDS, alarm
from ops.supervise import wait_for
from tests.ops.conftest import call, end

ROOT = Path(__file__).resolve().parents[2]
READY = 60.0
FIELDS: dict[str, Any] = {
    "v": None, "node": None, "tier": None, "version": None, "state": None, "reasons": None, "processes": None, "links": None, "origins": None,
    "alarms": None,
    "epoch": ("id", "reason", "opened_at", "previous"),
    "head": ("seq", "hash"),
    "durable_head": ("seq", "hash"),
    "queues": ("to_parent", "to_children", "receipts_due", "blobs_wanted", "blobs_partial", "quarantined_entries"),
    "disk": ("free_bytes", "reserve_bytes", "state"),
    "clock": ("skew_ms", "trusted", "monotonic_ms"),
    "checkpoint": ("no", "at", "age_s", "cosigners"),
    "trust": ("head", "age_s", "stale"),
    "calendar": ("version",),
    "state_digest": ("at", "sha256"),
    "counters": ("entries_in", "entries_out", "refused", "duplicates", "resent", "bytes_in", "bytes_out"),
}  # fmt: skip
ROWS = {
    "processes": ("role", "pid", "state", "restarts", "since", "rss_bytes"),
    "origins": ("origin", "epochs", "applied", "lag_entries"),
    "alarms": ("id", "kind", "severity", "since", "subject", "detail"),
}
STATES = ("starting", "ready", "degraded", "readonly", "recovering", "quarantined", "fenced", "stopping")


def whole(found: dict[str, Any]) -> dict[str, Any]:
    """The answer, after every field was looked for."""
    for name, inside in FIELDS.items():
        assert name in found, name
        assert inside is None or set(inside) <= set(found[name]), name
    for name, inside in ROWS.items():
        assert all(set(inside) <= set(row) for row in found[name]), name
    assert found["state"] in STATES and {row["kind"] for row in found["alarms"]} <= KINDS
    assert all(isinstance(row["since"], str) for row in found["alarms"])
    return found


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A city that runs, with the directory of the demonstration in it."""
    from tests.city import free_port

    home = tmp_path_factory.mktemp("s") / "city"
    given = ("--tier", "city", "--name", "滨州市", "--code", "371600", "--web", f"127.0.0.1:{free_port()}")
    assert call(home, "node", "init", *given).code == 0
    assert call(home, "run", timeout=READY).code == 0
    lines = (ROOT / "ops/data/demo.jsonl").read_text(encoding="utf-8").splitlines()
    file = home.parent / "directory.jsonl"
    file.write_text("\n".join(line for line in lines if line and json.loads(line).get("node", "371600") == "371600"), encoding="utf-8")
    assert call(home, "dir", "import", "--file", str(file), timeout=READY).code == 0
    yield home
    end(home)


def pid_of(home: Path, role: str) -> int:
    """The process of a role."""
    return int(next(row["pid"] for row in call(home, "status").json["processes"] if row["role"] == role))


class Web:
    """Somebody who is signed in at the portal of a home."""

    def __init__(self, home: Path, login: str, password: str) -> None:
        self.settings = settings.load(home)
        self.cookie = self.csrf = ""
        said = self.ask("POST", "/api/v1/session", {"login": login, "password": password})
        assert said[0] == 200, said

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """(status, JSON) of a request."""
        trust = ssl.create_default_context(cafile=str(self.settings.path("certs", "root.pem")))
        host, _colon, port = self.settings.web.rpartition(":")
        line = http.client.HTTPSConnection(host, int(port), context=trust, timeout=20)
        line.request(method, path, json.dumps(body), {"Content-Type": "application/json", "Cookie": self.cookie, "X-CSRF-Token": self.csrf})
        answer = line.getresponse()
        for value in answer.headers.get_all("Set-Cookie", []):
            self.cookie = value.partition(";")[0]
        found = json.loads(answer.read())
        line.close()
        self.csrf = found.get("csrf", self.csrf)
        return answer.status, found


def signed_in(home: Path, login: str) -> Web:
    """Somebody with a fresh password."""
    given = call(home, "user", "password", "--user", login, "--settled", timeout=READY).json["users"][0]
    return Web(home, login, given["password"])


def test_every_field_is_there_when_all_is_well(running: Path) -> None:
    """A ready node tells of itself in every field, and of an entry it wrote in heads and origins."""
    found = whole(call(running, "status", "--wait", "ready", timeout=READY).json)
    assert found["state"] == "ready" and found["head"]["hash"].startswith("sha256:") and found["durable_head"] == found["head"]
    assert found["origins"][0]["applied"] == sum(one["count"] for one in found["origins"][0]["epochs"]) and found["origins"][0]["lag_entries"] == 0
    assert found["checkpoint"]["no"] is None or (found["checkpoint"]["age_s"] >= 0 and found["checkpoint"]["cosigners"] == [])


def test_an_administrator_sees_the_same_over_http(running: Path) -> None:
    """``GET /api/v1/status`` is what the command answers, for an administrator and nobody else."""
    admin = next(row for row in map(json.loads, _people(running)) if "sysadmin" in _roles(running, row))
    status, found = signed_in(running, admin["login"]).ask("GET", "/api/v1/status")
    assert status == 200
    said = call(running, "status").json
    assert whole(found).keys() == said.keys() - {"cmd", "ok", "at"}
    moving = {"clock", "processes", "disk", "counters", "trust"}
    assert {k: v for k, v in found.items() if k not in moving} == {k: said[k] for k in found.keys() - moving}
    assert [(p["role"], p["pid"]) for p in found["processes"]] == [(p["role"], p["pid"]) for p in said["processes"]]
    other = next(row for row in map(json.loads, _people(running)) if not _roles(running, row) & {"sysadmin", "secadmin", "auditor"})
    status, refusal = signed_in(running, other["login"]).ask("GET", "/api/v1/status")
    assert (status, refusal["code"]) == (403, "not_yours")


def test_an_administrator_sees_how_the_network_stands(running: Path) -> None:
    """The page of the network tells of the node what ``status`` tells, its processes and the map; nobody but administrators sees it."""
    admin = next(row for row in map(json.loads, _people(running)) if "sysadmin" in _roles(running, row))
    web, said = signed_in(running, admin["login"]), call(running, "status").json
    status, found = web.ask("GET", "/network.json")
    assert status == 200 and (found["state"], [one["id"] for one in found["nodes"]]) == (said["state"], [said["node"]])
    assert {one["kind"] for one in found["alarms"]} == {one["kind"] for one in said["alarms"]}
    status, node = web.ask("GET", f"/network/nodes/{said['node']}.json")
    assert status == 200 and sum(one["count"] for one in node["logs"]) > 0
    other = next(row for row in map(json.loads, _people(running)) if not _roles(running, row) & {"sysadmin", "secadmin", "auditor"})
    clerk = signed_in(running, other["login"])
    for path in ("/network.json", f"/network/nodes/{said['node']}.json", "/network/forks.json"):
        status, refusal = clerk.ask("GET", path)
        assert (status, refusal["code"]) == (403, "not_yours")


def _people(home: Path) -> list[str]:
    return [line for line in (home.parent / "directory.jsonl").read_text(encoding="utf-8").splitlines() if '"login"' in line]


def _roles(home: Path, person: dict[str, Any]) -> set[str]:
    rows = [json.loads(line) for line in (home.parent / "directory.jsonl").read_text(encoding="utf-8").splitlines() if line]
    return {role for row in rows if row["type"] == "post" and row["id"] in person["posts"] for role in row.get("roles", ())}


def test_it_answers_while_the_ledger_hangs(running: Path) -> None:
    """With the ledger standing still every field is there, those only it knows empty, and a reason says who is silent."""
    pid = pid_of(running, "ledger")
    os.kill(pid, signal.SIGSTOP)
    try:
        found = whole(call(running, "status").json)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert found["state"] in ("starting", "degraded") and "ledger_unreachable" in found["reasons"]
    assert found["head"] == {"seq": None, "hash": None} and found["state_digest"] == {"at": {}, "sha256": None}
    assert call(running, "status", "--wait", "ready", timeout=READY).code == 0


def test_it_answers_while_the_ledger_cannot_start(running: Path) -> None:
    """With a ledger that ends again and again status says so, with the alarm of a crash loop, until it may run again."""
    key = running / "keys/identity.key"
    key.chmod(0o644)  # a key that others may read is refused
    try:
        os.kill(pid_of(running, "ledger"), signal.SIGKILL)
        assert wait_for(lambda: "crash_loop" in {row["kind"] for row in call(running, "status").json["alarms"]}, 60)
        found = whole(call(running, "status").json)
        assert found["state"] == "degraded" and "crash_loop_ledger" in found["reasons"]
    finally:
        key.chmod(0o600)
    assert call(running, "stop", timeout=READY).code == 0
    assert call(running, "run", timeout=READY).code == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="a small disk is mounted, which only root may")
def test_it_answers_when_the_disk_is_full(tmp_path: Path) -> None:
    """On a full disk the node is read only and says so, reading goes on, and with room it is ready again by itself."""
    from tests.city import free_port

    room = tmp_path / "d"
    room.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(room)], check=True)
    home = room / "city"
    try:
        given = (
            "--tier",
            "city",
            "--name",
            "滨州市",
            "--code",
            "371600",
            "--listen",
            f"tcp://127.0.0.1:{free_port()}",
            "--roles",
            "ledger,courier,watch",
        )
        assert call(home, "node", "init", *given).code == 0
        assert call(home, "run", timeout=READY).code == 0
        file = tmp_path / "one.jsonl"
        organ = {"type": "organ", "id": "bz-x", "node": "371600", "full_name": "滨州市某局", "short_name": "市某局", "kind": "department"}
        file.write_text(json.dumps(organ | {"tier": "city", "region_code": "371600"}) + "\n")
        _fill(room / "filler")
        refused = call(home, "dir", "import", "--file", str(file), timeout=20)
        assert (refused.code, refused.json["error"]["code"]) == (5, "disk_full")
        found = whole(call(home, "status").json)
        assert found["state"] == "readonly" and "disk_full" in found["reasons"] and found["disk"]["state"] == "full"
        assert "disk_full" in {row["kind"] for row in found["alarms"]}
        (room / "filler").unlink()
        assert call(home, "status", "--wait", "state=ready", timeout=READY).code == 0
        assert call(home, "dir", "import", "--file", str(file), timeout=20).code == 0
    finally:
        end(home)
        subprocess.run(["umount", "-l", str(room)], check=True)


def _fill(file: Path) -> None:
    with file.open("wb", buffering=0) as sink:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while sink.write(bytes(size)):
                    pass
            except OSError:
                continue


def test_alarms_are_of_a_closed_list() -> None:
    """A kind outside the list cannot be raised, and every kind that a source names is in it."""
    with pytest.raises(ValueError, match="no alarm unheard_of"):
        alarm("unheard_of", "warn", "n", 0, "")
    named = set()
    for package in ("node", "office", "sync", "ops"):
        for file in (ROOT / package).rglob("*.py"):
            for one in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(one, ast.Call) and getattr(one.func, "id", getattr(one.func, "attr", "")) in ("alarm", "_alarm", "own") and one.args:
                    named |= {one.args[0].value} if isinstance(one.args[0], ast.Constant) and isinstance(one.args[0].value, str) else set()
    assert {"fork", "crash_loop", "hung_process", "backlog", "corrupt", "clock_skew"} <= named <= KINDS


@pytest.mark.promise("P9")
@pytest.mark.parametrize(("stood", "age"), [(1000, 901), (1000, 20), (100, 5000), (1000, None), (100, None)])
def test_a_line_without_checkpoints_is_noticed(stood: int, age: int | None) -> None:
    """When the line upward has stood for a quarter of an hour and the last checkpoint is older, or none came, the alarm names the node above."""
    above = {"peer": "above", "side": "parent", "state": "up", "since": clock.from_ms(clock.ms() - stood * 1000).isoformat()}
    wish = settings.Settings(id="here", tier="township", name="", code="", city="")
    ledger = {"state": "ready", "checkpoint": {} if age is None else {"age_s": age}}
    found = [(one["kind"], one["subject"]) for one in health._stale(wish, ledger, [above])]
    assert found == ([("stale_checkpoint", "above")] if (stood, age) in ((1000, 901), (1000, None)) else [])
    assert not list(health._stale(wish, ledger, [above | {"state": "down"}])) and not list(health._stale(wish, {}, [above]))


def test_no_relay_makes_trust_younger_than_the_last_checkpoint() -> None:
    """The age of trust is that of the last checkpoint, however lately a relay says to have heard the city."""
    here = settings.Settings(id="here", tier="township", name="", code="", city="")
    lines = {"heard": {"root": clock.ms()}}
    known = {"trust": {"root": "root", "head": None}}
    old = health._trust(here, known | {"checkpoint": {"age_s": health.STALE + 1}}, lines)
    assert old["stale"] and old["age_s"] == health.STALE + 1
    assert not health._trust(here, known, lines)["stale"]
