"""A browser for all tests of this folder, and somebody to sit at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.browser.screen import Album, Person, launch
from tests.world.net import World


@pytest.fixture(scope="session")
def player() -> Iterator[Playwright]:
    """What drives browsers; there can be only one."""
    with sync_playwright() as found:
        yield found


@pytest.fixture(scope="session")
def chromium(world: World, player: Playwright) -> Iterator[Browser]:
    """One browser, with a window for each person."""
    found = launch(player, world)
    yield found
    found.close()


@pytest.fixture(scope="session")
def album() -> Album:
    """Where pictures are kept."""
    return Album()


@pytest.fixture
def sit(world: World, chromium: Browser) -> Iterator[Callable[..., Person]]:
    """Sit somebody down at a screen and sign in; everybody leaves with the test."""
    here: list[Person] = []

    def down(login: str, tongue: str = "zh", *, enter: bool = True) -> Person:
        one = Person(world, chromium, world.login(login), tongue=tongue)
        here.append(one)
        return one.enter() if enter else one

    yield down
    for one in here:
        one.close()
