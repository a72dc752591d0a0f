"""What a node says of itself, gathered from supervisord, the ledger, the courier's ``links.json`` and the watch.

Each source may be missing: the answer then has what the others know, every field is there all the same, and ``reasons`` says
which one is silent. The whole takes well under 200 ms, because nobody is waited for longer than ``PATIENCE``.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from node import clock
from node.alarms import KINDS, OLD, alarm
from node.errors import NodeError
from node.settings import Settings
from node.supervised import Supervisor

PATIENCE = 0.08
"Seconds the ledger gets to answer."
FRESH = 20.0
"Seconds after which what the courier last wrote of its lines is old."
RESERVE = 64 * 1024 * 1024
SKEW = 60_000
"Milliseconds from the clock of the node above beyond which the own clock is not believed."
EXPIRED = "expired"
"Why a line does not stand when a certificate is not valid yet, or no longer, at the moment that one of the two clocks shows."
STALE = 72 * 3600
"Seconds without news of the city after which trust is stale."
QUEUES = ("to_parent", "to_children", "receipts_due", "blobs_wanted", "blobs_partial", "quarantined_entries")
COUNTERS = ("entries_in", "entries_out", "duplicates", "resent", "bytes_in", "bytes_out")
Found = dict[str, Any]
_STATES = {
    "RUNNING": "up",
    "STARTING": "starting",
    "BACKOFF": "backoff",
    "FATAL": "backoff",
    "EXITED": "backoff",
    "STOPPING": "stopping",
    "STOPPED": "stopped",
}


NOTHING: Found = {
    "epoch": {"id": None, "reason": None, "opened_at": None, "previous": []},
    "head": {"seq": None, "hash": None},
    "durable_head": {"seq": None, "hash": None},
    "origins": [],
    "calendar": {"version": None},
    "state_digest": {"at": {}, "sha256": None},
}
"What stands where the ledger says nothing: it is silent, or nothing has been written yet."
CHECKPOINT = {"no": None, "at": None, "age_s": None, "cosigners": None}
"What stands where no checkpoint of the city has come yet."


def collect(settings: Settings, patience: float = PATIENCE, *, context: Any = None) -> Found:
    """The whole answer of ``yiwang status``, the ledger given so many seconds; :class:`~node.errors.Unreachable` when no supervisor lives.

    ``context`` is the ZeroMQ context of a process that has one of its own kind.
    """
    processes = _processes(settings)
    ledger, silent = _ledger(settings, patience, context)
    watch, lines = _read(settings, "watch.json"), _read(settings, "links.json")
    disk, time_of = _disk(settings.home), clocked(lines)
    trust = _trust(settings, ledger, lines)
    found = [*ledger.get("alarms", ()), *watch.get("alarms", ()), *_office_alarms(settings), *_own_alarms(settings, disk, time_of, trust)]
    links = _links(lines)
    found += [*_stale(settings, ledger, links), *_skewed(links)]
    alarms = list({one["id"]: one for one in map(_listed, found)}.values())
    looping = [f"crash_loop_{one['subject']}" for one in alarms if one["kind"] == "crash_loop"]
    return {
        "node": settings.id,
        "name": settings.name,
        "tier": settings.tier,
        "version": version("yiwang"),
        "state": _state(processes, ledger, settings, looping),
        "reasons": [*ledger.get("reasons", ()), *silent, *(f"{one['role']}_{one['state']}" for one in processes if one["state"] != "up"), *looping],
        "processes": processes,
        "links": links,
        "queues": dict.fromkeys(QUEUES, 0) | lines.get("queues", {}) | _numbers(ledger.get("queues"), but=lines.get("queues", {})),
        "disk": disk,
        "clock": time_of,
        "checkpoint": CHECKPOINT | ledger.get("checkpoint", {}),
        "trust": trust,
        "alarms": alarms,
        "counters": _counters(lines.get("counters", {}), ledger.get("counters", {})),
        **{name: ledger.get(name) or empty for name, empty in NOTHING.items()},
        **{name: ledger[name] for name in ("entries", "folded", "building", "verification") if ledger.get(name) is not None},
    }


def _listed(one: Found) -> Found:
    """An alarm with its time as text; one of no listed kind is told as ``corrupt``, for whoever raised it speaks otherwise than this build."""
    since = one["since"] if isinstance(one["since"], str) else datetime.fromtimestamp(one["since"], UTC).isoformat(timespec="seconds")
    strange = {} if one["kind"] in KINDS else {"kind": "corrupt", "detail": f"{one['kind']}: {one['detail']}"}
    return one | {"since": since} | strange


def _numbers(found: Found | None, *, but: Found) -> Found:
    """What the ledger counts and the courier does not."""
    return {name: count for name, count in (found or {}).items() if name not in but}


def _counters(courier: Found, ledger: Found) -> Found:
    """What passed the lines, what the ledger did, and what either refused."""
    refused: Counter[str] = Counter(courier.get("refused", {})) + Counter(ledger.get("refused", {}))
    return dict.fromkeys(COUNTERS, 0) | _numbers(ledger, but=courier) | courier | {"refused": dict(refused)}


def clocked(lines: Found) -> Found:
    """How far the clock is from that of the node above, as the courier measured it.

    It is not to be trusted either when one of the two refuses the other's certificate by it.
    """
    above: Found = next((row for row in lines.get("links", ()) if row["side"] == "parent"), {})
    skew = above.get("skew_ms") or 0
    return {"skew_ms": skew, "trusted": abs(skew) <= SKEW and above.get("reason") != EXPIRED, "monotonic_ms": time.monotonic_ns() // 1_000_000}


def _trust(settings: Settings, ledger: Found, lines: Found) -> Found:
    """The head of the city's log of trust, and its age: that of the last checkpoint, which no relay can make younger than it is.

    Before there is one it is the time since anything was heard of the city; nothing is known while the ledger is silent.
    """
    known: Found = ledger.get("trust") or {"root": None, "head": None}
    heard = time.time() * 1000 if known["root"] == settings.id else lines.get("heard", {}).get(known["root"])
    age = max(0, round(time.time() - heard / 1000)) if heard else None
    if known["root"] != settings.id:
        age = ledger.get("checkpoint", {}).get("age_s", age)
    return known | {"age_s": age, "stale": age is None or age > STALE}


def _own_alarms(settings: Settings, disk: Found, time_of: Found, trust: Found) -> Iterator[Found]:
    """What nobody but the one who puts it all together can see."""

    def own(kind: str, severity: str, detail: str) -> Found:
        return alarm(kind, severity, settings.id, clock.ms(), detail)

    if disk["state"] != "ok":
        yield own(f"disk_{disk['state']}", "critical" if disk["state"] == "full" else "warn", f"{disk['free_bytes']} bytes are free")
    if not time_of["trusted"]:
        why = (
            f"{time_of['skew_ms']} ms from the node above"
            if time_of["skew_ms"]
            else "by one of the two clocks a certificate on the line upward is not valid"
        )
        yield own("clock_skew", "warn", why)
    if trust["stale"] and trust["age_s"] is not None:
        yield own("stale_trust", "warn", f"nothing was heard of the city for {trust['age_s'] // 3600} hours")


def _stale(settings: Settings, ledger: Found, links: Sequence[Found]) -> Iterator[Found]:
    """The line upward has stood for long, and the last checkpoint is old, or none has come."""
    limit, now = settings.paced(OLD), datetime.now(UTC)
    above = next((row for row in links if row["side"] == "parent" and row["state"] == "up"), None)
    if not ledger or above is None:
        return
    stood = (now - datetime.fromisoformat(above["since"])).total_seconds()
    age = ledger.get("checkpoint", {}).get("age_s")
    if stood > limit and (age is None or age > limit):
        what = "no checkpoint of the city has come" if age is None else f"the last checkpoint of the city is {age // 60} minutes old"
        yield alarm("stale_checkpoint", "warn", above["peer"], clock.ms() - int(1000 * min(stood, age or stood)), f"the line stands and {what}")


def _skewed(links: Sequence[Found]) -> Iterator[Found]:
    """A neighbour speaks no version of the protocol that is spoken here."""
    for row in links:
        if row.get("reason") == "unknown_version":
            since = clock.to_ms(datetime.fromisoformat(row["since"]))
            yield alarm("version_skew", "warn", row["peer"], since, "it speaks no version of the protocol that is spoken here: upgrade the older one")


def _processes(settings: Settings) -> list[Found]:
    watched = _read(settings, "watch.json").get("processes", {})
    rows = []
    for one in Supervisor(settings.home, timeout=1.0).processes():
        if one["name"] == "relay" and one["statename"] == "STOPPED":
            continue  # nobody has called yet
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


def _ledger(settings: Settings, patience: float, context: Any) -> tuple[Found, list[str]]:
    """(what the ledger says, reasons): the latter when it says nothing."""
    from node.client import Ledger

    try:
        ledger = Ledger(settings, context, timeout=patience)
        try:
            return dict(ledger.status()), []
        finally:
            ledger.close()
    except NodeError as e:
        return {}, [f"ledger_{e.code}"]


def _links(found: Found) -> list[Found]:
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


LASTING = 2**62
"Until when an alarm stands that does not end by itself."


def _office_alarms(settings: Settings) -> Iterator[Found]:
    """What the processes of the office wrote (:mod:`office.frame.alerts`), but for what has ended by itself."""
    for name in ("reactions.json", "deadlines.json", "audit.json", "door.json"):
        for one in _read(settings, name).get("alarms", ()):
            if clock.ms() < one.pop("until", LASTING):
                yield one


def _disk(home: Path) -> Found:
    found = os.statvfs(home)
    free = found.f_bavail * found.f_frsize
    state = "full" if free < RESERVE // 8 else "low" if free < RESERVE else "ok"
    return {"free_bytes": free, "reserve_bytes": RESERVE, "state": state}


def _state(processes: Sequence[Found], ledger: Found, settings: Settings, looping: Sequence[str]) -> str:
    states = {one["role"]: one["state"] for one in processes}
    if any(state in ("stopping", "stopped") for state in states.values()):
        return "stopping"
    if not ledger:
        return "starting" if not looping and states.get("ledger") in ("starting", "up") and not _was_up(processes) else "degraded"
    said = str(ledger.get("state", "ready"))
    if said != "ready":
        return said
    if any(state == "starting" for state in states.values()):
        return "starting"
    if looping or any(state != "up" for state in states.values()):
        return "degraded"
    return "ready" if _answers(settings, states) else "starting"


def _was_up(processes: Sequence[Found]) -> bool:
    since = next((one["since"] for one in processes if one["role"] == "ledger"), None)
    return since is not None and (datetime.now(UTC) - datetime.fromisoformat(since)).total_seconds() > FRESH


def _answers(settings: Settings, states: Found) -> bool:
    """Whether the portal takes connections, where there is one."""
    if "portal" not in states or not settings.web:
        return True
    host, _, port = settings.web.rpartition(":")
    try:
        socket.create_connection((host if host != "0.0.0.0" else "127.0.0.1", int(port)), timeout=PATIENCE).close()  # noqa: S104 - compared, not bound
    except OSError:
        return False
    return True
