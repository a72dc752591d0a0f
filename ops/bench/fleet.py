"""Nodes to measure: a city and what is below it as real homes on this machine, a ledger and a courier process each, CURVE on every line."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import zmq
from cryptography.hazmat.primitives.serialization import Encoding

from node import client, enrol, persons, requests
from node.client import Ledger
from node.directory.entries import Certified, Node, Organ, Person
from node.directory.view import Directory
from node.directory.writing import draft
from node.entry import Audience, Lane
from node.errors import Unreachable
from node.fold import Tables
from node.requests import Written
from node.settings import Settings
from ops.bench.papers import Author

ROOT = Path(__file__).resolve().parents[2]
PORT = 28000
"First port that a courier listens on."
READY = 240.0
"Seconds that processes may take to come up: forty-six on two processors that others use too."


@dataclass
class Member:
    """One node and its processes."""

    settings: Settings
    says: list[Node] = field(default_factory=list)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    ledger: Ledger | None = None

    @property
    def id(self) -> str:
        """The node's id."""
        return self.settings.id

    @property
    def book(self) -> Ledger:
        """A client of its ledger."""
        if self.ledger is None:
            self.ledger = Ledger(self.settings, timeout=READY)
        return self.ledger

    def start(self, *roles: str) -> None:
        """Start processes; what they print goes to ``log/``."""
        for role in roles:
            command = [sys.executable, "-m", f"{self.settings.tier}_node", role, "--home", str(self.settings.home)]
            with (self.settings.path("log") / f"{role}.out").open("ab") as out:
                self.processes[role] = subprocess.Popen(command, stdout=out, stderr=out, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})

    def end(self, *roles: str, how: int = signal.SIGTERM) -> None:
        """End processes and wait for them."""
        for role in roles or tuple(self.processes):
            process = self.processes.pop(role, None)
            if process is None:
                continue
            process.send_signal(how)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if "ledger" not in self.processes and self.ledger is not None:
            self.ledger.close()
            self.ledger = None

    def pids(self, *roles: str) -> list[int]:
        """Process ids of some roles, or of all."""
        return [process.pid for role, process in self.processes.items() if not roles or role in roles]

    def held(self, author: str, audience: Audience, lane: Lane = Lane.ORDINARY) -> int:
        """Entries held of one log, openings not counted."""
        return sum(max(0, c.count - 1) for c in self.book.chains() if (c.author, c.audience, c.lane) == (author, audience, lane))


@dataclass
class Fleet:
    """Members by name: ``city``, ``county1``, ``county1-town1`` and so on."""

    members: dict[str, Member]

    def __getitem__(self, name: str) -> Member:
        return self.members[name]

    def pids(self, *roles: str) -> list[int]:
        """Process ids of all members."""
        return [pid for member in self.members.values() for pid in member.pids(*roles)]

    def start(self) -> None:
        """Start every ledger and courier and wait until the directory has reached everybody."""
        for member in self.members.values():
            member.start("ledger")
        for member in self.members.values():
            until(lambda member=member: answers(member), f"the ledger of {member.settings.name}")  # type: ignore[misc]
            with directory(member.settings) as known:
                if member.says:
                    member.book.write([draft(member.settings, known, about) for about in member.says])
            member.start("courier")
        until(lambda: all(len(m.book.nodes()) == len(self.members) for m in self.members.values()), "the directory")

    def end(self) -> None:
        """End every process."""
        for member in self.members.values():
            member.end()

    def person(self, name: str) -> Author:
        """A new person at a node, with an organ, whose certificate every node knows when this returns."""
        member = self.members[name]
        door, cert = persons.make_person_key(member.settings, f"bench-{name}", "测试员", dt.datetime.now(dt.UTC))
        place, id = organ(member.settings), f"bench-{name}"
        contents = [place, Person(id, "测试员", place.id, "", 1, "active", "ce shi yuan"), Certified(id, cert.public_bytes(Encoding.DER), "")]
        with directory(member.settings) as known:
            done = member.book.write([draft(member.settings, known, one) for one in contents])
        until(lambda: all(reached(m, done[-1]) for m in self.members.values()), "a certificate")
        return Author(member.settings.city, member.id, place.id, door.key, door.fingerprint)


def reached(member: Member, written: Written) -> bool:
    """Whether a node holds all places of what was written."""
    held = {chain.id: chain.count for chain in member.book.chains()}
    return all(held.get(place.chain, 0) > place.seq for place in written.places)


def answers(member: Member) -> bool:
    """Whether a ledger answers."""
    one = Ledger(member.settings, timeout=0.2)
    try:
        one.versions(())
    except Unreachable:
        return False
    finally:
        one.close()
    return True


def until(true: Callable[[], object], what: str, seconds: float = READY) -> None:
    """Ask until it is true; :class:`~node.errors.Unreachable` when the time is over."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise Unreachable(f"{what} has not come up within {seconds:g} s")
        time.sleep(0.02)


@contextmanager
def running(folder: Path, *, counties: int = 1, townships: int = 1, dials: dict[str, str] | None = None) -> Iterator[Fleet]:
    """A fleet with all its processes, ended with the block; ``dials`` gives members another address for their parent."""
    fleet = found(folder, counties, townships, dials or {})
    try:
        fleet.start()
        yield fleet
    finally:
        fleet.end()


def found(folder: Path, counties: int, townships: int, dials: dict[str, str]) -> Fleet:
    """Homes of a new city, made as enrolment makes them."""
    now, ports = dt.datetime.now(dt.UTC), iter(range(PORT, PORT + 500))
    city = Member(enrol.found_city(folder / "city", _wish("city", "云市", "330000", next(ports)), now))
    city.says.append(enrol.own(city.settings))
    members = {"city": city}
    for c in range(1, counties + 1):
        county = members[f"county{c}"] = admit(folder, f"county{c}", city, "county", f"3301{c:02}", next(ports), dials)
        for t in range(1, townships + 1):
            name = f"county{c}-town{t}"
            members[name] = admit(folder, name, county, "township", f"3301{c:02}{t:03}", 0, dials)
    return Fleet(members)


def admit(folder: Path, name: str, parent: Member, tier: str, code: str, port: int, dials: dict[str, str]) -> Member:
    """A home under a parent, whose ledger must still be told (``parent.says``)."""
    now, home = dt.datetime.now(dt.UTC), folder / name
    wish = _wish(tier, f"云{code}", code, port)
    token = enrol.new_token(parent.settings, tier, wish.name, code, now, dt.timedelta(hours=1))
    answer, about = enrol.admit(parent.settings, enrol.request(home, wish, token), now)
    parent.says.append(about)
    return Member(enrol.finish(home, wish, token, dials.get(name, parent.settings.listen), answer, now))


def _wish(tier: str, name: str, code: str, port: int) -> Settings:
    return Settings(id="", tier=tier, name=name, code=code, city="", listen=f"tcp://127.0.0.1:{port}" if port else "", profile="acceptance")


def organ(settings: Settings) -> Organ:
    """The government at a node."""
    names = f"{settings.name}人民政府", settings.name
    place = settings.tier, settings.code, "", "", ""
    return Organ(f"organ-{settings.code}", settings.code, *names, "government", *place, settings.id, True, (), "", 1)


@contextmanager
def directory(settings: Settings) -> Iterator[Directory]:
    """The directory of a home, read from its tables."""
    from node.directory import model

    tables = Tables(settings, [model.ROOM])
    try:
        yield Directory.of(settings, lambda: tables.session(model.ROOM))
    finally:
        tables.close()


class Watch:
    """Waits at a node until a log has grown to a length, woken by its bell."""

    def __init__(self, member: Member, author: str, audience: Audience, lane: Lane = Lane.ORDINARY) -> None:
        self.member, self.log = member, (author, audience, lane)
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._bell = client.bell(member.settings, self._context, "grown")
        self._chains: dict[bytes, int] = {}
        self.count = 0
        self.look()

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self._context.destroy(0)

    def look(self) -> int:
        """The log's length now, openings not counted."""
        return self._note(self.member.book.chains())

    def _note(self, chains: Iterable[requests.Chain]) -> int:
        self._chains |= {c.id: c.count - 1 for c in chains if (c.author, c.audience, c.lane) == self.log}
        self.count = sum(self._chains.values())
        return self.count

    def rung(self, patience: float) -> None:
        """Wait for the bell, which tells what has grown; look for oneself when it does not ring."""
        if not self._bell.poll(int(patience * 1000)):
            self.look()
            return
        while self._bell.poll(0):
            _, told = self._bell.recv_multipart()
            self._note(msgspec.msgpack.decode(told, type=requests.Grown)[2])

    def until(self, count: int, *, seconds: float = 900.0) -> float:
        """The moment (of ``perf_counter``) at which the bell told that the log had this length."""
        deadline = time.perf_counter() + seconds
        moment = time.perf_counter()
        while self.count < count:
            if time.perf_counter() > deadline:
                raise Unreachable(f"{self.member.settings.name} stands at {self.count} of {count}")
            self.rung(0.5)
            moment = time.perf_counter()
        return moment


def each(values: Iterable[str], size: int) -> Iterator[list[str]]:
    """Portions of at most ``size``."""
    held = list(values)
    return (held[i : i + size] for i in range(0, len(held), size))
