"""Number series that survive kills and cut lines, and the register on which everybody can check them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from office.documents import service
from office.documents.series import all_series, lines, tally
from tests.drill import numbers
from tests.office.test_documents import World, paper, started

pytestmark = pytest.mark.row("A5")
ISSUES = 200
"A part of the drill's ten thousand."


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A city and a county."""
    with started(tmp_path_factory.mktemp("numbers"), "sqlite") as found:
        yield found


@pytest.mark.promise("P1")
def test_numbers_have_no_gap_and_no_double_under_kill(world: World) -> None:
    """With the ledgers of two nodes killed again and again while several hands issue and void, the numbers are 1 to n, each once, each explained."""
    numbers.run(world, issues=ISSUES, kills=3)


def test_a_void_number_stays_on_the_register_with_its_reason(world: World) -> None:
    """It is not given again, the register names it and why; who watches nothing sees no series."""
    first = service.send(world.desk("zhao"), paper(title="关于作废的通知"), prefix="gov政字")
    service.recall(world.desk("zhao"), first.doc, reason="有误")
    service.void(world.desk("zhao"), first.doc, reason="重新发文")
    second = service.send(world.desk("zhao"), paper(title="关于重发的通知"), prefix="gov政字")
    assert first.number.endswith("〕1号") and second.number.endswith("〕2号")
    (series,) = [one for one in all_series(world.desk("li")) if one.prefix == "gov政字"]
    latest, former = lines(world.desk("li"), series, limit=2)
    assert (latest.text, former.text) == (second.number, first.number)
    assert former.row is not None and (former.row.id, former.row.void) == (first.doc, "重新发文")
    assert tally(world.desk("li"), series) == {"void": 1, "recalled": 0, "unexplained": 0}
    assert [one.text for one in lines(world.desk("li"), series, offset=1, limit=30)] == [first.number]
    assert all_series(world.desk("qian")) == []
