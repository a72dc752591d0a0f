"""A node on two machines: one PostgreSQL, two portals, and a bell over RabbitMQ that only makes the other one look sooner."""

from __future__ import annotations

import http.client
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from node import settings as node_settings
from tests import postgres
from tests.city import Home, free_port, wait
from tests.portal.house import Browser, House, answers, build
from tests.rabbit import Rabbit, program

pytestmark = pytest.mark.skipif(program() is None, reason="needs the Debian package rabbitmq-server")


@pytest.fixture(scope="module")
def broker() -> Iterator[Rabbit]:
    """A RabbitMQ."""
    made = Rabbit()
    try:
        made.start()
        yield made
    finally:
        made.end()


@pytest.fixture(scope="module")
def machines(broker: Rabbit, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, House]]:
    """The machine with ledger, clerk and portal, and one with a portal alone, which reaches the ledger's socket but not its bell."""
    folder = tmp_path_factory.mktemp("b")
    with postgres.server() as url:
        first = build(folder, storage=url, bell=broker.url)
        second = House(Home(first.settings), 0)
        try:
            first.password("zhoulixin")
            first.home.start("clerk")
            second = other(first, folder / "other")
            yield first, second
        finally:
            second.home.stop()
            first.home.stop()


def other(first: House, folder: Path) -> House:
    """A second machine's home: the same keys, people, attachments and store, its own address and ``local.db``, the ledger's socket passed on."""
    shutil.copytree(first.settings.home, folder, ignore=shutil.ignore_patterns("run", "local.db*", "log", "people", "blobs"))
    for name in ("run", "log"):
        (folder / name).mkdir(mode=0o700)
    for name in ("run/ledger", "people", "blobs"):
        (folder / name).symlink_to(first.settings.path(name))
    port = free_port()
    moved = msgspec.structs.replace(node_settings.load(folder), web=f"127.0.0.1:{port}")
    (folder / "node.toml").write_bytes(node_settings.dump(moved))
    house = House(Home(node_settings.load(folder)), port, first.people)
    house.home.start("portal")
    wait(lambda: answers(house), why=lambda: house.home.output("portal"))
    return house


def stream(person: Browser) -> http.client.HTTPResponse:
    """The live events of somebody who is signed in."""
    line = person.connect()
    line.timeout = 40
    line.request("GET", "/api/v1/events", headers={"Cookie": "; ".join(f"{name}={value}" for name, value in person.cookies.items())})
    answer = line.getresponse()
    assert answer.status == 200
    return answer


def event(answer: http.client.HTTPResponse) -> str:
    """The next event's name."""
    while True:
        name, _colon, value = answer.readline().decode().strip().partition(": ")
        if name == "event":
            return value


def heard(answer: http.client.HTTPResponse, wanted: str) -> None:
    """Wait for an event of this name."""
    while event(answer) != wanted:
        pass


def write(house: House, number: int) -> None:
    """Something is written at the first machine."""
    house.password(("dinghui", "majun", "chengxue", "xuegang")[number])


def said(home: Home, *roles: str) -> str:
    """What processes have printed."""
    return "".join(home.output(role) for role in roles)


def test_the_other_machine_is_told(machines: tuple[House, House]) -> None:
    """What is written on one machine rings in browsers at the other, which has no other bell, and both show the same."""
    first, second = machines
    assert not second.settings.path("run", "bell").exists()
    answer = stream(second.enter("zhoulixin"))
    write(first, 0)
    heard(answer, "entries")
    assert second.enter("dinghui").get("/documents").status == first.enter("dinghui").get("/documents").status == 200


def test_what_reactions_ring_for_is_passed_on(machines: tuple[House, House]) -> None:
    """A ring of the clerk's (特急, a term) reaches browsers of the other machine."""
    from office.frame.local import Local

    first, second = machines
    answer = stream(second.enter("zhoulixin"))
    local = Local(first.settings)
    local.ring("urgent", "some-record", 1)
    local.close()
    heard(answer, "urgent")


def test_without_the_broker_documents_go_on(machines: tuple[House, House], broker: Rabbit) -> None:
    """While the broker is away both machines work and say so once each; when it is back the bell rings again."""
    first, second = machines
    person = second.enter("zhoulixin")
    broker.stop()
    wait(lambda: "broker.away" in said(second.home, "portal"))
    for number in (1, 2):
        write(first, number)
        assert second.enter("zhoulixin").get("/documents").status == 200
    wait(lambda: "broker.away" in said(first.home, "clerk"))
    broker.start()
    wait(lambda: "broker.back" in said(second.home, "portal"), timeout=90)
    answer = stream(person)
    write(first, 3)
    heard(answer, "entries")
    wait(lambda: "broker.back" in said(first.home, "clerk"))
    for home, role in ((first.home, "clerk"), (second.home, "portal")):
        assert said(home, role).count("broker.away") == 1
        assert "Traceback" not in said(home, role)
