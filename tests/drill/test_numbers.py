"""Ten thousand numbers under kills and cut lines; a smaller run is among the daily tests (``tests/office/test_documents_numbers.py``)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.drill import numbers
from tests.office.test_documents import started


@pytest.mark.slow
@pytest.mark.row("A5")
def test_ten_thousand_numbers(tmp_path: Path) -> None:
    """No gap that is not explained and no number twice, at two nodes whose ledgers are killed thirty times."""
    with started(tmp_path, "sqlite") as world:
        numbers.run(world, issues=10_000, kills=30)
