"""A courier's conversation with its ledger, when the ledger dies in the middle of it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.client import Ledger
from node.entry import ALL
from node.requests import of_node
from sync.courier import Courier, now
from sync.peer import Now
from sync.store import SAFETY
from tests.city import Home, build, wait


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A city whose ledger runs."""
    made = build(tmp_path, counties=0)
    city = made["city"]
    city.start("ledger")
    with Ledger(city.settings, timeout=60) as ledger:
        ledger.write([of_node(city.settings.city, city.id, about, record=about.id, to=ALL) for about in city.says])
    yield city
    made.stop()


def served(courier: Courier, later: float = 0.0) -> None:
    """What has come from the ledger, and what time has made due ``later`` seconds from now."""
    courier.poller.poll(20)
    moment = now()
    courier.store.serve(moment)
    courier.store.tick(Now(moment.mono + later, moment.ms))


def test_what_is_asked_while_the_ledger_is_away_does_not_keep_it_from_telling_everything(home: Home) -> None:
    """A read that died with the ledger is only made good when all chains are told anew, so they are, whatever was asked meanwhile."""
    courier = Courier(home.settings)
    try:

        def known() -> bool:
            served(courier)
            return len(courier.exchange.lines) > 0 and courier.store.known

        wait(known)
        told = dict(courier.exchange.lines)
        home.stop("ledger", how=signal.SIGKILL)
        for _ in range(20):
            served(courier)
        served(courier, SAFETY)  # the look that needs no bell falls into the time without a ledger
        courier.exchange.lines.clear()
        home.start("ledger")
        wait(lambda: served(courier) or courier.exchange.lines.keys() >= told.keys())
    finally:
        courier.close()
