"""The relay as a process of a node: its door, its secrets, and what it says of itself."""

from __future__ import annotations

import json
import socket
import stat
from pathlib import Path
from typing import Any

import msgspec
import pytest

from node import settings as settings_
from node import tickets
from node.settings import Settings
from node.supervised import Line
from tests import city as cities
from tests.city import Home, wait


def free_udp() -> int:
    """A free UDP port of the loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def asked(found: Settings, method: str, path: str, fields: Any = None) -> tuple[int, dict[str, Any]]:
    """(status, answer) of a request at the relay's door."""
    line = Line(found.path("run", "media.sock"), 30)
    try:
        line.request(method, path, json.dumps(fields) if fields is not None else None)
        answer = line.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        line.close()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A township with a relay that runs."""
    folder = tmp_path_factory.mktemp("relay")
    with cities.running(cities.build(folder, counties=1, townships=0)) as city:
        made: Home = city["county1"]
        made.settings = msgspec.structs.replace(made.settings, media=f"127.0.0.1:{free_udp()}")
        Path(made.settings.home, "node.toml").write_bytes(settings_.dump(made.settings))
        made.start("relay")
        wait(lambda: made.settings.path("run", "media.sock").exists())
        yield made


def test_its_door_is_the_nodes_own_and_takes_tickets(home: Home) -> None:
    """Socket and key are for the node's user alone; a request with a ticket is answered, others are refused by name and others are served on."""
    found = home.settings
    for path in (found.path("run", "media.sock"), found.path("keys", "media.key")):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    ticket = tickets.issue(tickets.key(found), "r", "a", "A")
    status, state = asked(found, "POST", "/state", {"ticket": ticket})
    assert (status, [(one["person"], one["name"]) for one in state["members"]]) == (200, [("a", "A")])
    wrong = [({"ticket": ticket}, 403, "ticket_used"), ({"ticket": "x"}, 403, "ticket_forged"), ({}, 422, "malformed"), ([1], 422, "malformed")]
    for fields, status, code in [*wrong, ({"ticket": 1}, 422, "malformed"), ({"ticket": "x", "more": "y"}, 422, "malformed")]:
        answered, why = asked(found, "POST", "/state", fields)
        assert (answered, why["code"]) == (status, code), fields
    status, said = asked(found, "GET", "/status")
    assert (status, said["rooms"], said["peers"]) == (200, 1, 0)


def test_a_relay_that_was_killed_serves_again(home: Home) -> None:
    """Killed and started again on the same port and door, it knows no room and takes new tickets."""
    home.stop("relay", how=9)
    home.start("relay")

    def again() -> bool:
        try:
            return asked(home.settings, "GET", "/status")[1]["rooms"] == 0
        except OSError:
            return False

    wait(again)
    ticket = tickets.issue(tickets.key(home.settings), "r", "b", "B")
    assert asked(home.settings, "POST", "/state", {"ticket": ticket})[0] == 200
