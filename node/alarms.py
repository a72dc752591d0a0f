"""Alarms: a closed list of kinds, and the one shape in which all processes raise them."""

from __future__ import annotations

from typing import Any

from node import clock

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
"""All there are. What has no kind of its own is of the nearest one, and its detail says what it is."""
OLD = 900.0
"Seconds after which a checkpoint is old, and what it does not hold is withheld."


def alarm(kind: str, severity: str, subject: str, since: int, detail: str) -> dict[str, Any]:
    """An alarm as the status command shows it; ``since`` in milliseconds since 1970 UTC. A kind outside the list is a bug."""
    if kind not in KINDS:
        raise ValueError(f"there is no alarm {kind}")
    at = clock.from_ms(since).isoformat(timespec="seconds")
    return {"id": f"{kind}:{subject}", "kind": kind, "severity": severity, "since": at, "subject": subject, "detail": detail}
