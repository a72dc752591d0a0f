"""What a node says of itself, gathered from supervisord, the ledger, the courier's ``links.json`` and the watch.

Each source may be missing: the answer then has what the others know, and ``reasons`` says which one is silent. The whole
takes well under 200 ms, because nobody is waited for longer than ``PATIENCE``. Alarms are of the kinds in ``KINDS`` and no others.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from node.errors import Misconfigured, NodeError
from node.settings import Settings
from ops.supervise import Supervisor, ticks

PATIENCE = 0.12
"Seconds the ledger gets to answer."
WAITING = 2.0
"The same while somebody waits for a condition anyway: on a busy machine an answer may take its time."
FRESH = 20.0
"Seconds after which what the courier last wrote of its lines is old."
RESERVE = 64 * 1024 * 1024
SKEW = 60_000
"Milliseconds from the clock of the node above beyond which the own clock is not believed."
STALE = 72 * 3600
"Seconds without news of the city after which trust is stale."
QUEUES = ("to_parent", "to_children", "receipts_due", "blobs_wanted", "blobs_partial", "quarantined_entries")
WORK = ("to_parent", "to_children", "receipts_due", "blobs_wanted", "blobs_partial")
"Queues that are empty when nothing is left to do."
COUNTERS = ("entries_in", "entries_out", "duplicates", "resent", "bytes_in", "bytes_out")
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


KINDS = frozenset(
    [
        "fork",
        "duplicate_identity",
        "rolled_back",
        "entries_missing",
        "withheld",
        "stale_checkpoint",
        "stale_trust",
        "clock_skew",
        "disk_low",
        "disk_full",
        "io_error",
        "corrupt",
        "repaired",
        "cert_expiring",
        "cert_refused",
        "revoked_use",
        "relay_misbehaviour",
        "audit_broken",
        "audit_stopped",
        "crash_loop",
        "hung_process",
        "backlog",
        "deadline_near",
        "deadline_passed",
        "version_skew",
        "login_attack",
        "flood",
        "label_refused",
    ]
)


def collect(settings: Settings, patience: float = PATIENCE) -> Found:
    """The whole answer of ``yiwang status``, the ledger given so many seconds; :class:`~node.errors.Unreachable` when no supervisor lives."""
    processes = _processes(settings)
    ledger, silent = _ledger(settings, patience)
    watch, lines = _read(settings, "watch.json"), _read(settings, "links.json")
    links, disk, clock = _links(lines), _disk(settings.home), _clock(lines)
    trust = _trust(settings, ledger, lines)
    alarms = [*ledger.get("alarms", ()), *_as_alarms(watch.get("alarms", ())), *_office_alarms(settings), *_own_alarms(settings, disk, clock, trust)]
    alarms = list({one["id"]: one for one in alarms if one["kind"] in KINDS}.values())
    looping = [f"crash_loop_{one['subject']}" for one in alarms if one["kind"] == "crash_loop"]
    reasons = [*ledger.get("reasons", ()), *silent, *(f"{one['role']}_{one['state']}" for one in processes if one["state"] != "up"), *looping]
    return {
        "node": settings.id,
        "name": settings.name,
        "tier": settings.tier,
        "version": version("yiwang"),
        "state": _state(processes, ledger, settings, looping),
        "reasons": reasons,
        "epoch": ledger.get("epoch"),
        "head": ledger.get("head"),
        "durable_head": ledger.get("durable_head"),
        "processes": processes,
        "links": links,
        "origins": ledger.get("origins", []),
        "queues": dict.fromkeys(QUEUES, 0) | lines.get("queues", {}) | _numbers(ledger.get("queues"), but=lines.get("queues", {})),
        "disk": disk,
        "clock": clock,
        "checkpoint": None,
        "trust": trust,
        "calendar": ledger.get("calendar"),
        "alarms": alarms,
        "state_digest": ledger.get("state_digest"),
        "counters": _counters(lines.get("counters", {}), ledger.get("counters", {})),
        **{name: ledger[name] for name in ("entries", "folded", "building") if name in ledger},
    }


def _numbers(found: Found | None, *, but: Found) -> Found:
    """What the ledger counts and the courier does not."""
    return {name: count for name, count in (found or {}).items() if name not in but}


def _counters(courier: Found, ledger: Found) -> Found:
    """What passed the lines, what the ledger did, and what either refused."""
    refused: Counter[str] = Counter(courier.get("refused", {})) + Counter(ledger.get("refused", {}))
    return dict.fromkeys(COUNTERS, 0) | _numbers(ledger, but=courier) | courier | {"refused": dict(refused)}


def _clock(lines: Found) -> Found:
    """How far the clock is from that of the node above, as the courier measured it."""
    skew = next((row["skew_ms"] for row in lines.get("links", ()) if row["side"] == "parent" and row["skew_ms"] is not None), 0)
    return {"skew_ms": skew, "trusted": abs(skew) <= SKEW, "monotonic_ms": time.monotonic_ns() // 1_000_000}


def _trust(settings: Settings, ledger: Found, lines: Found) -> Found | None:
    """The head of the city's log of trust, and the seconds since anything was heard of the city; None while the ledger is silent."""
    known: Found | None = ledger.get("trust")
    if known is None:
        return None
    heard = time.time() * 1000 if known["root"] == settings.id else lines.get("heard", {}).get(known["root"])
    age = max(0, round(time.time() - heard / 1000)) if heard else None
    return known | {"age_s": age, "stale": age is None or age > STALE}


def _own_alarms(settings: Settings, disk: Found, clock: Found, trust: Found | None) -> Iterator[Found]:
    """What nobody but the one who puts it all together can see."""

    def alarm(kind: str, severity: str, detail: str) -> Found:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        return {"id": f"{kind}:{settings.id}", "kind": kind, "severity": severity, "since": at, "subject": settings.id, "detail": detail}

    if disk["state"] != "ok":
        yield alarm(f"disk_{disk['state']}", "critical" if disk["state"] == "full" else "warn", f"{disk['free_bytes']} bytes are free")
    if not clock["trusted"]:
        yield alarm("clock_skew", "warn", f"{clock['skew_ms']} ms from the node above")
    if trust is not None and trust["stale"] and trust["age_s"] is not None:
        yield alarm("stale_trust", "warn", f"nothing was heard of the city for {trust['age_s'] // 3600} hours")


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


def _ledger(settings: Settings, patience: float) -> tuple[Found, list[str]]:
    """(what the ledger says, reasons): the latter when it says nothing."""
    from node.client import Ledger

    try:
        ledger = Ledger(settings, timeout=patience)
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


def _office_alarms(settings: Settings) -> Iterator[Found]:
    """What the clerk's reactions and timers wrote of failures and of terms that end."""
    for name in ("reactions.json", "deadlines.json"):
        yield from _as_alarms(_read(settings, name).get("alarms", ()))


def _as_alarms(rows: Sequence[Found]) -> Iterator[Found]:
    for row in rows:
        yield row | {"since": datetime.fromtimestamp(row["since"], UTC).isoformat(timespec="seconds")}


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
        return "starting" if states.get("ledger") in ("starting", "up") and not _was_up(processes) else "degraded"
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
            found = collect(settings, WAITING)
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
    waiting = any(found["queues"].get(name) for name in WORK) or any(row.get("lag_entries") for row in found["origins"])
    return found["state"] == "ready" and not waiting


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
