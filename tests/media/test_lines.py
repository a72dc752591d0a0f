"""Relays as processes of a city, its county and two townships: they find each other by the directory and let nobody else in."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zmq
import zmq.utils.monitor
from aiortc import RTCCertificate

from media.crowd import Guest, _asked, live
from node import keys, tickets
from node import settings as settings_
from node.client import Ledger
from office.frame import relay
from office.network import views
from tests import city as cities
from tests.city import City, Home, free_port, wait
from tests.media.cascades import until
from tests.media.test_api import asked
from tests.sync.test_courier import say


def opened(home: Home, above: str) -> None:
    """Give a home a relay; ``above`` is where the one above it is."""
    made = msgspec.structs.replace(home.settings, media=f"127.0.0.1:{free_port()}")
    if made.parent is not None:
        made = msgspec.structs.replace(made, parent=msgspec.structs.replace(made.parent, media=above))
    home.settings = made
    Path(made.home, "node.toml").write_bytes(settings_.dump(made))


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """Ledgers and relays of four nodes."""
    with cities.running(cities.build(tmp_path_factory.mktemp("lines"), counties=1, townships=2)) as made:
        opened(made["city"], "")
        opened(made["county1"], made["city"].settings.media)
        for town in ("county1-town1", "county1-town2"):
            opened(made[town], made["county1"].settings.media)
        for home in made:
            home.start("ledger", "relay")
            with Ledger(home.settings, timeout=60) as ledger:
                for one in home.says:
                    say(home, ledger, one)
        yield made


def guest(home: Home, person: str, city: City, certificate: RTCCertificate) -> Guest:
    """Somebody at a node."""

    async def ask(verb: str, **fields: str) -> dict[str, Any]:
        ticket = tickets.issue(tickets.key(home.settings), "r", person, person, home=city["city"].id)
        found: dict[str, Any] = await asyncio.to_thread(_asked, home.settings, verb, {"ticket": ticket, **fields})
        return found

    return Guest(ask, person, certificate)


def open_lines(home: Home) -> set[str]:
    """Nodes to which a relay has an open line."""
    try:
        return {one["node"] for one in asked(home.settings, "GET", "/status")[1]["lines"] if one["open"]}
    except OSError:
        return set()


@pytest.mark.row("G8")
def test_two_townships_speak_through_their_county(city: City) -> None:
    """Every relay finds those next to it; a voice and a picture from one township are got in the other, also after the county's was killed."""
    towns = [city["county1-town1"], city["county1-town2"]]
    wait(lambda: open_lines(city["county1"]) == {city["city"].id, *(one.id for one in towns)})

    async def speaks() -> None:
        certificate = RTCCertificate.generateCertificate()
        one, other = (guest(home, name, city, certificate) for home, name in zip(towns, ("one", "other"), strict=True))
        work = asyncio.ensure_future(live([one, other]))
        await one.publish(("q", "h", "f"))
        for killed in (False, True):
            if killed:
                city["county1"].stop("relay", how=9)
                city["county1"].start("relay")
            other.got.clear()
            async with asyncio.timeout(60):
                while min((other.got["one", kind] for kind in ("audio", "video")), default=0) < 20:
                    await other.view()
                    await asyncio.sleep(0.5)
        work.cancel()
        for each in (one, other):
            each.close()

    asyncio.run(speaks())


def test_administrators_see_how_voices_go_to_each_neighbour(city: City) -> None:
    """The portal of a node knows of its relay's lines: open or not, how much may go and comes; of a relay that rests it knows nothing."""
    county, towns = city["county1"], {city["county1-town1"].id, city["county1-town2"].id}
    wait(lambda: open_lines(county) == {city["city"].id, *towns})
    found = {one["node"]: one for one in relay.lines(county.settings)}
    assert found.keys() == {city["city"].id, *towns} and all(one["open"] and one["kbps"] == county.settings.media_kbps for one in found.values())
    assert [str(value) for _label, value in views.voices(found[min(towns)])][:2] == ["已接通", "7500 kbit/s"]
    city["city"].stop("relay")
    assert relay.lines(city["city"].settings) == [] == views.voices(None)
    city["city"].start("relay")


@pytest.mark.row("G9")
def test_whom_the_directory_does_not_name_gets_no_word(city: City) -> None:
    """A stranger's key, and the city's own towards a township, are refused at the door; the relay serves on."""
    county = city["county1"]
    server = keys.read_secret(county.settings.path("keys", "curve.key")).strip()

    async def tried() -> None:
        context = zmq.Context()
        for secret in (zmq.curve_keypair()[1], keys.read_secret(city["city"].settings.path("keys", "curve.key")).strip()):
            socket = context.socket(zmq.DEALER)
            socket.linger, socket.curve_secretkey, socket.curve_publickey = 0, secret, zmq.curve_public(secret)
            socket.curve_serverkey = zmq.curve_public(server)
            monitor = socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_SUCCEEDED)
            socket.connect(f"tcp://{county.settings.media}")
            socket.send(secrets.token_bytes(100))
            assert await until(lambda monitor=monitor: monitor.poll(0))
            assert zmq.utils.monitor.parse_monitor_message(monitor.recv_multipart())["event"] == zmq.EVENT_HANDSHAKE_FAILED_AUTH
            socket.disable_monitor()
            socket.close(0)
        context.destroy(0)

    asyncio.run(tried())
    assert asked(county.settings, "GET", "/status")[0] == 200
