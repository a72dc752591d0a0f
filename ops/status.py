"""Waiting for what a node says of itself, and saying it to people; the answer itself is :mod:`node.health`'s."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from node.errors import Misconfigured, NodeError
from node.health import Found, collect
from node.settings import Settings
from ops.supervise import ticks

__all__ = ["collect", "condition", "prose", "wait"]
WAITING = 2.0
"Seconds the ledger gets to answer while somebody waits for a condition anyway: on a busy machine an answer may take its time."
WORK = ("to_parent", "to_children", "receipts_due", "blobs_wanted", "blobs_partial")
"Queues that are empty when nothing is left to do."
Condition = Callable[[Found], bool]


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
