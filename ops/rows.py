"""``make rows``: each capability and promise of ``docs/capabilities.md`` with the tests that are marked with it."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections import defaultdict
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parent.parent / "docs/capabilities.md"
_ROW = re.compile(r"^\| ([A-Z]\d+) \| (.+?) \|")


class Marks:
    """A pytest plugin that notes which collected test proves which row."""

    def __init__(self) -> None:
        self.proofs: dict[str, list[str]] = defaultdict(list)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Called once, after all tests are collected."""
        for item in items:
            for name in ("row", "promise"):
                for mark in item.iter_markers(name):
                    for row in mark.args:
                        self.proofs[row].append(item.nodeid)


def rows(page: Path) -> list[tuple[str, str]]:
    """(id, title) of every row of the page."""
    return [(found[1], found[2]) for line in page.read_text(encoding="utf-8").splitlines() if (found := _ROW.match(line))]


def main() -> int:
    """Print the table; fails when a test names a row that does not exist."""
    marks = Marks()
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        code = pytest.main(["--collect-only", "-qq"], plugins=[marks])
    if code not in (0, 5):
        print(told.getvalue(), "the tests cannot be collected", sep="\n", file=sys.stderr)
        return 1
    known = rows(PAGE)
    proved = 0
    for row, title in known:
        names = marks.proofs.get(row, [])
        proved += bool(names)
        print(f"{row:<4} {title}\n     {', '.join(sorted(set(names))) or 'none yet'}")
    strangers = sorted(set(marks.proofs) - {row for row, _ in known})
    print(f"\n{proved} of {len(known)} rows have tests" + (f"; tests name rows that do not exist: {', '.join(strangers)}" if strangers else ""))
    return 1 if strangers else 0


if __name__ == "__main__":
    sys.exit(main())
