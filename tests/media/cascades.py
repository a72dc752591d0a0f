"""Relays of a small tree in one process: real UDP, DTLS and SRTP between them, their words passed by hand so that a line can be cut."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from aiortc import RTCCertificate

from media import words
from media.crowd import Guest, live
from media.relay import Relay
from media.transport import Port
from node import tickets
from node.tickets import Gate

SECRET = secrets.token_bytes(32)
PATIENCE = 60.0


async def until(holds: Callable[[], Any]) -> Any:
    """What a question answers, once it is true."""
    async with asyncio.timeout(PATIENCE):
        while not (found := holds()):
            await asyncio.sleep(0.02)
    return found


@dataclass
class Tree:
    """Relays by name, and who stands above whom."""

    above: Mapping[str, str]
    relays: dict[str, Relay] = field(default_factory=dict)
    cut: set[frozenset[str]] = field(default_factory=set)
    "Lines over which nothing goes."
    loss: float = 0.0
    "Part of the packets between relays that are lost."
    guests: list[Guest] = field(default_factory=list)
    certificate: RTCCertificate = field(default_factory=RTCCertificate.generateCertificate)
    _work: dict[str, asyncio.Future[None]] = field(default_factory=dict)

    def start(self, name: str) -> Relay:
        """Start one relay, next to those above and below it."""
        relay = self.relays[name] = Relay(Port("127.0.0.1", 0), Gate(SECRET), name)
        relay.port.send = partial(self._send, name, relay.port.send)  # type: ignore[method-assign]
        below = {one: None for one, over in self.above.items() if over == name}
        relay.cascade.neighbours(self.above.get(name, ""), below, partial(self._say, name))
        self._work[name] = asyncio.ensure_future(relay.run())
        return relay

    async def kill(self, name: str) -> None:
        """End a relay without a word to its neighbours."""
        self._work.pop(name).cancel()
        relay = self.relays.pop(name)
        for link in relay.cascade.links.values():
            link.say = lambda word: None
        await relay.close()

    def _say(self, here: str, there: str, word: words.Word) -> None:
        data = words.write(word)
        if frozenset((here, there)) not in self.cut:
            asyncio.get_running_loop().call_soon(lambda: there in self.relays and self.relays[there].cascade.take(here, data))

    def _send(self, here: str, send: Callable[..., None], data: bytes, address: tuple[str, int]) -> None:
        gone = (name for line in self.cut if here in line for name in line if name in self.relays)
        if any(self.relays[name].port.number == address[1] for name in gone):
            return
        between = any(relay.port.number == address[1] for relay in self.relays.values())
        if between and data[0] > 127 and random.random() < self.loss:  # noqa: S311
            self.relays[here].counts["dropped"] += 1
            return
        send(data, address)

    def guest(self, relay: str, person: str, *, home: str = "city", room: str = "room", **may: bool) -> Guest:
        """Somebody at a relay's node."""

        async def ask(verb: str, **fields: str) -> dict[str, Any]:
            ticket = tickets.issue(SECRET, room, person, person.upper(), home=home, **may)
            found: dict[str, Any] = await getattr(self.relays[relay], verb)(ticket, **fields)
            return found

        made = Guest(ask, person, self.certificate)
        self.guests.append(made)
        return made

    async def sees(self, guest: Guest, *people: str) -> None:
        """Somebody receives voice and picture of these people."""
        async with asyncio.timeout(PATIENCE):
            while not {(one["person"], one["kind"]) for one in await guest.view()} >= {(p, k) for p in people for k in ("audio", "video")}:
                await asyncio.sleep(0.1)
        await until(lambda: all(guest.got[p, k] > 5 for p in people for k in ("audio", "video")))

    def crossed(self, here: str, there: str) -> dict[tuple[str, str], int]:
        """Packets that came to ``there`` from ``here``, by person and kind."""
        found = dict[tuple[str, str], int]()
        for room in self.relays[there].rooms.values():
            for stream in room.streams.values():
                if stream.via == here:
                    found[stream.person, stream.kind] = sum(one.counts["packets"] for one in stream.layers.values())
        return found


@asynccontextmanager
async def growing(**above: str) -> AsyncIterator[Tree]:
    """A tree of relays that run, the city on top."""
    tree = Tree(above)
    for name in ("city", *above):
        tree.start(name)
    work = asyncio.ensure_future(live(tree.guests))
    try:
        yield tree
    finally:
        work.cancel()
        for guest in tree.guests:
            guest.close()
        for name in list(tree.relays):
            await tree.kill(name)
