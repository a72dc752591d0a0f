"""A meeting of a whole prefecture; townships that answer through their county are among the daily tests (``tests/office/test_meetings.py``)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.office.desks import opened
from tests.office.prefecture import COUNTIES, STAFF, TOWNSHIPS, hold


@pytest.mark.slow
@pytest.mark.row("D3")
def test_ninety_one_townships_come_into_one_list(tmp_path: Path) -> None:
    """Ten counties and ninety-one townships are called, sign and answer; the counties send up ten lists, and the city has one with two people of
    every unit, each of whom has signed."""
    each = TOWNSHIPS // COUNTIES
    more = [f"county{n + 1}" for n in range(TOWNSHIPS - each * COUNTIES)]
    with opened(tmp_path, counties=COUNTIES, townships=each, more=more, only=("meetings",), staff=STAFF) as town:
        found = hold(town)
    assert (found["lists"], found["organs"], found["people"], found["signed"]) == (10, 101, 202, 101)
