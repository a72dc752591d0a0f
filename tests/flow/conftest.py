"""A city with people in it, whose ledger and portal run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.portal.house import House, build


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A city's node; the clerk ``lixiaoyan`` draws flows, the mayor ``zhoulixin`` does not."""
    made = build(tmp_path_factory.mktemp("flow"))
    try:
        made.password("lixiaoyan")
        made.password("zhoulixin")
        yield made
    finally:
        made.home.stop()
