"""Drills take hours: with ``YIWANG_DRILL`` naming a file, what has passed is written there and passed over the next time.

So an interrupted drill goes on where it was; to begin anew, remove the file.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

KEPT = Path(os.environ["YIWANG_DRILL"]).absolute() if os.environ.get("YIWANG_DRILL") else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what has passed before."""
    passed = set(KEPT.read_text(encoding="utf-8").splitlines()) if KEPT is not None and KEPT.exists() else set()
    again = [item for item in items if item.nodeid not in passed]
    if len(again) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid in passed])
        items[:] = again


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Write down at once what has passed."""
    if KEPT is not None and report.when == "call" and report.passed and "tests/drill/" in report.nodeid:
        with KEPT.open("a", encoding="utf-8") as out:
            out.write(report.nodeid + "\n")
