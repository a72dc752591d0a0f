"""What a node says of itself, gathered from supervisord, the ledger, the courier's ``links.json`` and the watch.

Each source may be missing: the answer then has what the others know, and ``reasons`` says which one is silent. The whole
takes well under 200 ms, because nobody is waited for longer than ``PATIENCE``.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from node.errors import Misconfigured, NodeError
from node.settings import Settings
from ops.supervise import Supervisor, ticks

PATIENCE = 0.12
"Seconds the ledger gets to answer."
FRESH = 20.0
"Seconds after which what the courier last wrote of its lines is old."
RESERVE = 64 * 1024 * 1024
Found = dict[str, Any]
Condition = Callable[[Found], bool]
_STATES = {
    "RUNNING": "up",
    "STARTING": "starting",
    "BACKOFF": "backoff",
    "FATAL": "backoff",
    "EXITED": "backoff",
    "STOPPING": "stopping",
    "STOPPED": "stopped",
}


def collect(settings: Settings) -> Found:
    """The whole answer of ``yiwang status``; :class:`~node.errors.Unreachable` when no supervisor lives."""
    processes = _processes(settings)
    ledger, silent = _ledger(settings)
    watch, links = _read(settings, "watch.json"), _links(settings)
    alarms = [*ledger.get("alarms", ()), *_as_alarms(watch.get("alarms", ())), *_as_alarms(_read(settings, "reactions.json").get("alarms", ()))]
    reasons = [*ledger.get("reasons", ()), *silent, *(f"{one['role']}_{one['state']}" for one in processes if one["state"] != "up")]
    base: Found = {
        "node": settings.id,
        "name": settings.name,
        "tier": settings.tier,
        "version": "0.1.0",
        "state": _state(processes, ledger, settings),
        "reasons": reasons,
        "epoch": None,
        "head": None,
        "durable_head": None,
        "processes": processes,
        "links": links,
        "origins": [],
        "queues": {},
        "disk": _disk(settings.home),
        "clock": {"skew_ms": 0, "trusted": True, "monotonic_ms": time.monotonic_ns() // 1_000_000},
        "checkpoint": None,
        "trust": None,
        "calendar": None,
        "alarms": alarms,
        "state_digest": None,
        "counters": {},
    }
    known = {key: value for key, value in ledger.items() if key in base and key not in ("state", "reasons", "alarms", "processes", "node")}
    return base | known


def _processes(settings: Settings) -> list[Found]:
    watched = _read(settings, "watch.json").get("processes", {})
    rows = []
    for one in Supervisor(settings.home, timeout=1.0).processes():
        seen = watched.get(one["name"], {})
        state = "hung" if seen.get("hung") else _STATES.get(one["statename"], "backoff")
        since = datetime.fromtimestamp(one["start"] or one["now"], UTC).isoformat(timespec="seconds")
        row = {"role": one["name"], "pid": one["pid"] or None, "state": state, "restarts": seen.get("restarts", 0), "since": since}
        rows.append(row | {"rss_bytes": _memory(one["pid"])})
    return rows


def _memory(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return None


def _ledger(settings: Settings) -> tuple[Found, list[str]]:
    """(what the ledger says, reasons): the latter when it says nothing."""
    from node.client import Ledger

    try:
        ledger = Ledger(settings, timeout=PATIENCE)
        try:
            return dict(ledger.status()), []
        finally:
            ledger.close()
    except NodeError as e:
        return {}, [f"ledger_{e.code}"]


def _links(settings: Settings) -> list[Found]:
    found = _read(settings, "links.json")
    rows: list[Found] = list(found.get("links", ()))
    if time.time() - found.get("at", 0) / 1000 > FRESH:
        return [row | {"state": "down"} for row in rows]
    return rows


def _read(settings: Settings, name: str) -> Found:
    try:
        found = json.loads(settings.path("run", name).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _as_alarms(rows: Sequence[Found]) -> Iterator[Found]:
    for row in rows:
        yield row | {"since": datetime.fromtimestamp(row["since"], UTC).isoformat(timespec="seconds")}


def _disk(home: Path) -> Found:
    found = os.statvfs(home)
    free = found.f_bavail * found.f_frsize
    state = "full" if free < RESERVE // 8 else "low" if free < RESERVE else "ok"
    return {"free_bytes": free, "reserve_bytes": RESERVE, "state": state}


def _state(processes: Sequence[Found], ledger: Found, settings: Settings) -> str:
    states = {one["role"]: one["state"] for one in processes}
    if any(state in ("stopping", "stopped") for state in states.values()):
        return "stopping"
    if not ledger:
        return "starting" if states.get("ledger") in ("starting", "up") and not _was_up(processes) else "degraded"
    said = str(ledger.get("state", "ready"))
    if said != "ready":
        return said
    if any(state == "starting" for state in states.values()):
        return "starting"
    if any(state != "up" for state in states.values()):
        return "degraded"
    return "ready" if _answers(settings, states) else "starting"


def _was_up(processes: Sequence[Found]) -> bool:
    since = next((one["since"] for one in processes if one["role"] == "ledger"), None)
    return since is not None and (datetime.now(UTC) - datetime.fromisoformat(since)).total_seconds() > FRESH


def _answers(settings: Settings, states: Found) -> bool:
    """Whether the portal takes connections, where there is one."""
    import socket

    if "portal" not in states or not settings.web:
        return True
    host, _, port = settings.web.rpartition(":")
    try:
        socket.create_connection((host if host != "0.0.0.0" else "127.0.0.1", int(port)), timeout=PATIENCE).close()  # noqa: S104 - compared, not bound
    except OSError:
        return False
    return True


def wait(settings: Settings, conditions: Sequence[Condition], seconds: float) -> Found | None:
    """The first answer in which all conditions hold, or None after so many seconds."""
    for _passed in ticks(seconds, 0.1):
        try:
            found = collect(settings)
        except NodeError:
            continue
        if all(one(found) for one in conditions):
            return found
    return None


def condition(text: str) -> Condition:
    """The meaning of one word after ``--wait``; a usage error when it has none."""
    for pattern, meaning in _MEANINGS:
        match = re.fullmatch(pattern, text)
        if match:
            return meaning(*match.groups())
    raise Misconfigured(f"--wait does not know {text!r}", code="usage")


def _state_is(wanted: str) -> Condition:
    return lambda found: found["state"] == wanted


def _link_is(node: str, state: str) -> Condition:
    def holds(found: Found) -> bool:
        states = [one["state"] for one in found["links"] if one["peer"] == node]
        return ("up" in states) == (state == "up")

    return holds


def _head_at(origin: str, epoch: str, count: str) -> Condition:
    def holds(found: Found) -> bool:
        epochs = [one for row in found["origins"] if row["origin"] == origin for one in row["epochs"] if one["id"] == epoch]
        return any(one["count"] >= int(count) for one in epochs)

    return holds


def _has_alarm(kind: str) -> Condition:
    return lambda found: any(one["kind"] == kind for one in found["alarms"])


def _version_from(wanted: str) -> Condition:
    def key(version: str) -> list[int]:
        return [int(part) for part in re.findall(r"\d+", version)]

    return lambda found: key(found["version"]) >= key(wanted)


def _synced(found: Found) -> bool:
    quiet = all(one["state"] == "up" and not (one.get("out_backlog") or {}).get("entries") for one in found["links"])
    return found["state"] == "ready" and quiet and not any(row.get("lag_entries") for row in found["origins"])


def _idle(found: Found) -> bool:
    return found["state"] == "ready" and not any(found["queues"].values()) and not any(row.get("lag_entries") for row in found["origins"])


_MEANINGS: tuple[tuple[str, Callable[..., Condition]], ...] = (
    ("ready", lambda: _state_is("ready")),
    ("idle", lambda: _idle),
    ("synced", lambda: _synced),
    (r"state=(\w+)", _state_is),
    (r"link=(\w+):(up|down)", _link_is),
    (r"head=(\w+)/(\w+)>=(\d+)", _head_at),
    (r"alarm=(\w+)", _has_alarm),
    (r"version>=(\d+(?:\.\d+)*)", _version_from),
)


def prose(settings: Settings, found: Found, language: str) -> str:
    """The answer for people: a few lines."""
    head = f"{settings.name} ({settings.id})  {found['state']}" + (f"  {', '.join(found['reasons'])}" if found["reasons"] else "")
    rows = [head]
    rows += [f"  {one['role']:<10} {one['state']:<9} pid {one['pid'] or '-'}  {(one['rss_bytes'] or 0) // 2**20} MiB" for one in found["processes"]]
    rows += [f"  {one['side']:<10} {one['state']:<9} {one['peer']}  {one.get('since') or ''}" for one in found["links"]]
    rows += [f"  ! {one['kind']} {one['subject']} {one['detail']}" for one in found["alarms"]]
    return "\n".join(rows)
