"""One node for all tests of the portal; a test that changes a person has a person of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.portal.house import House, build


def _port(worker: str) -> int:
    return 24000 + (int(worker.removeprefix("gw")) if worker.startswith("gw") else 50)


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[House]:
    """A city node with the demo's people; ``zhoulixin`` can sign in."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "")
    made = build(tmp_path_factory.mktemp("h"), port=_port(worker))
    try:
        made.password("zhoulixin")
        yield made
    finally:
        made.home.stop()
