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
from tests.city import City, build, running, wait


@pytest.fixture
def branch(tmp_path: Path) -> Iterator[City]:
    """A city and a county whose ledgers run, and no courier."""
    made = build(tmp_path, counties=1, townships=0)
    with running(made):
        city = made["city"]
        for home in made:
            home.start("ledger")
        with Ledger(city.settings, timeout=60) as ledger:
            ledger.write([of_node(city.settings.city, city.id, about, record=about.id, to=ALL) for about in city.says])
        yield made


def served(courier: Courier, later: float = 0.0) -> None:
    """What has come from the ledger, and what time has made due ``later`` seconds from now."""
    courier.poller.poll(20)
    moment = now()
    courier.store.serve(moment)
    courier.store.tick(Now(moment.mono + later, moment.ms))


def test_what_is_asked_while_the_ledger_is_away_does_not_keep_it_from_telling_everything(branch: City) -> None:
    """A read that died with the ledger is only made good when all chains are told anew, so they are, whatever was asked meanwhile."""
    home = branch["city"]
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


def test_a_range_statement_that_died_with_the_ledger_is_kept_by_the_next(branch: City) -> None:
    """A neighbour says it once: what no ledger had kept when it was killed, the next one is told again."""
    home = branch["city"]
    with Ledger(home.settings, timeout=60) as here, Ledger(branch["county1"].settings, timeout=60) as there:
        [chain] = here.chains()
        batch = here.read(chain.id, 0, 1 << 20)
        assert batch is not None
        hold = there.take(batch).hold
        assert hold is not None
        courier = Courier(home.settings)
        try:
            wait(lambda: served(courier) or courier.store.known)
            home.running["ledger"].send_signal(signal.SIGSTOP)
            courier.store.held((hold,))
            home.stop("ledger", how=signal.SIGKILL)
            for _ in range(20):
                served(courier)
            home.start("ledger")
            wait(lambda: served(courier) or hold in here.holds(0)[1])
        finally:
            courier.close()
