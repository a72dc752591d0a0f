"""The page of alarms for operators."""

from __future__ import annotations

from pathlib import Path

from node.alarms import KINDS

PAGE = Path(__file__).resolve().parents[2] / "docs/alarms.md"


def test_every_kind_of_alarm_has_its_cause_and_its_mend() -> None:
    """The page names each kind of the closed list once, with what has happened and what to do, and none besides."""
    rows = [line.strip("| ").split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert sorted(row[0].strip("`") for row in rows) == sorted(KINDS)
    assert all(len(row) == 3 and all(row) for row in rows)
