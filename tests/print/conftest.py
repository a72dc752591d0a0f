"""Each sheet is printed once for all that measure it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from office.print.press import render
from office.print.sheet import Sheet
from tests.print.gauge import Gauge

Print = Callable[[Sheet], Gauge]


@pytest.fixture(scope="session")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Print:
    """Prints a sheet as the portal does, in a process of its own, and gives a gauge for it."""
    done: dict[Sheet, Gauge] = {}

    def one(sheet: Sheet) -> Gauge:
        if sheet not in done:
            done[sheet] = Gauge(render(sheet), tmp_path_factory.mktemp("print"))
        return done[sheet]

    return one
