"""What all tests share: one living city, started when first asked for; no test changes the program it tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.world.net import FIRST_PORT, World, free_ports


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A city, a county and two townships as ``yiwang demo up`` makes them; ended with the session, whatever happens."""
    if "YIWANG_WORLD" in os.environ:  # one that is running already, while tests are being written
        yield World.running(Path(os.environ["YIWANG_WORLD"]))
        return
    made = World(tmp_path_factory.mktemp("w"))
    try:
        made.start(free_ports(FIRST_PORT))
        yield made
    finally:
        made.stop()
