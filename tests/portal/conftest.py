"""One node for all tests of the portal; a test that changes a person has a person of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.portal.house import House, build


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A city node with the demo's people; ``zhoulixin`` can sign in."""
    made = build(tmp_path_factory.mktemp("h"))
    try:
        made.password("zhoulixin")
        yield made
    finally:
        made.home.stop()
