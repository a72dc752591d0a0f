"""The page of alarms for operators."""

from __future__ import annotations

from pathlib import Path

from node import health
from node.alarms import KINDS

PAGE = Path(__file__).resolve().parents[2] / "docs/alarms.md"


def test_every_kind_of_alarm_has_its_cause_and_its_mend() -> None:
    """The page names each kind of the closed list once, with what has happened and what to do, and none besides."""
    rows = [line.strip("| ").split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert sorted(row[0].strip("`") for row in rows) == sorted(KINDS)
    assert all(len(row) == 3 and all(row) for row in rows)


def test_a_neighbour_of_another_version_raises_the_alarm() -> None:
    """A line that was refused because no version of the protocol is spoken by both names the neighbour; others raise nothing."""
    rows = [
        {"peer": peer, "state": "refused", "since": "2026-11-24T09:00:00+00:00", "reason": why} for peer, why in (("a", "unknown_version"), ("b", ""))
    ]
    assert [(one["kind"], one["subject"]) for one in health._skewed(rows)] == [("version_skew", "a")]
