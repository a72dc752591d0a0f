"""A tiny city for tests: homes of a city, its counties and their townships, with real keys, certificates and settings.

``build`` founds the city and admits the others as enrolment does, in one process and without a network. What each
superior's ledger must say of the nodes under it (and the city of itself) lies in :attr:`Home.says`; tests write it
once the node's ledger runs. ``Home.start`` starts a role as its own process, ``City.stop`` ends all of them.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from node import enrol
from node.directory.entries import Node
from node.settings import Settings

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Home:
    """One node's home and the processes started from it."""

    settings: Settings
    says: list[Node] = field(default_factory=list)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    "What else its processes find in their environment."

    @property
    def id(self) -> str:
        """The node's id."""
        return self.settings.id

    @property
    def path(self) -> Path:
        """The folder."""
        return self.settings.home

    def start(self, *roles: str) -> None:
        """Start roles as processes; their output goes to ``log/ROLE.out``."""
        for role in roles:
            command = [sys.executable, "-m", f"{self.settings.tier}_node", role, "--home", str(self.path)]
            with (self.path / "log" / f"{role}.out").open("ab") as out:
                self.running[role] = subprocess.Popen(
                    command, stdout=out, stderr=out, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)} | self.env
                )

    def stop(self, *roles: str, how: int = signal.SIGTERM) -> None:
        """End roles and wait for them."""
        for role in roles or tuple(self.running):
            process = self.running.pop(role, None)
            if process is None:
                continue
            if process.poll() is None:
                process.send_signal(how)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def links(self) -> dict[str, object]:
        """What the courier last wrote of its lines; empty before it did."""
        try:
            found: dict[str, object] = json.loads((self.path / "run" / "links.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return found

    def output(self, role: str) -> str:
        """What a role has printed."""
        return (self.path / "log" / f"{role}.out").read_text(errors="replace")


@dataclass
class City:
    """Homes by name: ``city``, ``county1``, ``county1-town2`` and so on."""

    homes: dict[str, Home]

    def __getitem__(self, name: str) -> Home:
        return self.homes[name]

    def __iter__(self) -> Iterator[Home]:
        return iter(self.homes.values())

    def stop(self) -> None:
        """End every process of every home."""
        for home in self.homes.values():
            home.stop()


def free_port() -> int:
    """A loopback port that nobody listens on, below those that outgoing connections get by themselves."""
    while True:
        port = random.randrange(10_000, 30_000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def build(folder: Path, *, counties: int = 1, townships: int = 1, storage: str = "sqlite") -> City:
    """Found a city in a folder: ``townships`` under each of the ``counties``; couriers listen on free ports, all on one kind of store."""
    now = dt.datetime.now(dt.UTC)
    ports = iter(free_port, 0)
    city = Home(enrol.found_city(folder / "city", _wish("city", "云市", "330000", next(ports), storage), now))
    city.says.append(enrol.own(city.settings))
    homes = {"city": city}
    for c in range(1, counties + 1):
        county = admit(folder / f"county{c}", city, "county", f"云{c}县", f"3301{c:02}", next(ports), storage=storage)
        homes[f"county{c}"] = county
        for t in range(1, townships + 1):
            name = f"county{c}-town{t}"
            homes[name] = admit(folder / name, county, "township", f"云{c}县{t}镇", f"3301{c:02}{t:03}", next(ports), storage=storage)
    return City(homes)


def admit(folder: Path, parent: Home, tier: str, name: str, code: str, port: int, *, endpoint: str = "", storage: str = "sqlite") -> Home:
    """Make a home under a parent by token, request, answer; ``endpoint`` is what it dials (the parent's own when empty)."""
    now = dt.datetime.now(dt.UTC)
    token = enrol.new_token(parent.settings, tier, name, code, now, dt.timedelta(hours=1))
    wish = _wish(tier, name, code, port, storage)
    asked = enrol.request(folder, wish, token)
    answer, about = enrol.admit(parent.settings, asked, now)
    parent.says.append(about)
    return Home(enrol.finish(folder, wish, token, endpoint or parent.settings.listen, answer, now))


def _wish(tier: str, name: str, code: str, port: int, storage: str = "sqlite") -> Settings:
    listen = f"tcp://127.0.0.1:{port}" if tier != "township" else ""
    return Settings(id="", tier=tier, name=name, code=code, city="", listen=listen, storage=storage, profile="acceptance")


@contextmanager
def running(city: City) -> Iterator[City]:
    """A city whose processes end with the block, whatever happens."""
    try:
        yield city
    finally:
        city.stop()


def wait(what: object, *, timeout: float = 60.0, why: Callable[[], str] | str = "") -> object:
    """The first true value that calling ``what`` gives; an assertion that says ``why`` after ``timeout`` seconds of asking."""
    deadline = time.monotonic() + timeout
    while True:
        found = what()  # type: ignore[operator]
        if found:
            return found
        assert time.monotonic() < deadline, (why() if callable(why) else why) or "it did not happen in time"
        time.sleep(0.02)
