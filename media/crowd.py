"""People without browsers: they send and receive as peers of the relay's own kind, and decode nothing. For measuring and trying relays."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from aiortc import RTCCertificate

from media import rtp, sdp
from media.transport import Peer, Port
from node import tickets
from node.errors import Unreachable
from node.settings import Settings
from node.supervised import Line

VOICE = (50, 80)
"Packets a second and bytes of each."
PICTURES = {"q": (16, 1_100), "h": (42, 1_170), "f": (107, 1_170)}
"The same of the layers of a picture: 180p, 360p, 720p."
CHECK = 2.0
"Seconds between two signs of life."
ROOM = "bench"
LEVEL = 20
"How loud a guest speaks, in -dBov."
LEVEL_ID, RID_ID, MID_ID = 5, 4, 6
Told = Callable[[str, int, int, int], None]
"What happens (joining, joined, begins, over), with how many viewers, packets sent, and packets got by all."
Ask = Callable[..., Awaitable[dict[str, Any]]]
"Asks the relay: verb, then fields."


def play(settings: Settings, steps: Sequence[int], seconds: float, told: Told) -> None:
    """Send to more and more viewers through the relay of a home, for some seconds each."""
    asyncio.run(_played(settings, steps, seconds, told))


async def _played(settings: Settings, steps: Sequence[int], seconds: float, told: Told) -> None:
    secret, certificate = tickets.key(settings), RTCCertificate.generateCertificate()

    def guest(person: str) -> Guest:
        return Guest(partial(_ask, settings, secret, person), person, certificate)

    sender, viewers = guest("sender"), list[Guest]()
    work = asyncio.ensure_future(live([sender], viewers))
    await sender.publish(("f",))
    for count in steps:
        told("joining", count - len(viewers), 0, 0)
        while len(viewers) < count:
            viewers.append(guest(f"v{len(viewers)}"))
            await viewers[-1].view()
        told("joined", count, 0, 0)
        await asyncio.sleep(1.0)
        told("begins", count, sender.sent, sum(one.got.total() for one in viewers))
        await asyncio.sleep(seconds)
        told("over", count, sender.sent, sum(one.got.total() for one in viewers))
    work.cancel()
    for one in (sender, *viewers):
        one.close()


async def _ask(settings: Settings, secret: bytes, person: str, verb: str, **fields: str) -> dict[str, Any]:
    ticket = tickets.issue(secret, ROOM, person, person)
    return await asyncio.to_thread(_asked, settings, verb, {"ticket": ticket, **fields})


def _asked(settings: Settings, verb: str, fields: dict[str, str]) -> Any:
    line = Line(settings.path("run", "media.sock"), 30)
    try:
        line.request("POST", f"/{verb}", json.dumps(fields))
        return json.loads(line.getresponse().read())
    finally:
        line.close()


async def live(*guests: Iterable[Guest]) -> None:
    """Send pictures and voices at their pace, and signs of life, until cancelled; lists may grow meanwhile."""
    while True:
        await asyncio.sleep(0.005)
        now = time.monotonic()
        for some in guests:
            for one in some:
                one.pump(now)


@dataclass
class Layer:
    """A stream that a guest sends."""

    ssrc: int
    kind: int
    rate: int
    head: bytes
    "Extension block, where there is one."
    payload: bytes
    clock: int
    first: int = 0
    number: int = 0

    def packet(self) -> bytes:
        """The next packet."""
        first = 0x90 if self.head else 0x80
        stamp = int(self.number * self.clock / self.rate) & 0xFFFFFFFF
        made = rtp.HEADER.pack(first, self.kind, self.first + self.number & 0xFFFF, stamp, self.ssrc) + self.head + self.payload
        self.number += 1
        return made


@dataclass
class Guest:
    """Somebody in a room."""

    ask: Ask
    person: str
    certificate: RTCCertificate
    sent: int = 0
    got: Counter[tuple[str, str]] = field(default_factory=Counter)
    "Person and kind to packets that came."
    gaps: Counter[tuple[str, str]] = field(default_factory=Counter)
    "The same to packets that are missing."
    size: int = 0
    "Bytes of what came."
    last: dict[tuple[str, str], float] = field(default_factory=dict)
    "When the last one came, monotonic seconds."
    silent: bool = False
    _peers: list[Peer] = field(default_factory=list)
    _sender: Peer | None = None
    _layers: list[Layer] = field(default_factory=list)
    _began: float = 0.0
    _checked: float = 0.0
    _highest: dict[tuple[str, str], int] = field(default_factory=dict)

    async def publish(self, layers: Sequence[str] = (), *, voice: bool = True) -> None:
        """Begin to send a voice and a picture; several layers go as simulcast (RFC 8853)."""
        self._sender = peer = self._peer()
        streams = [sdp.Sent("audio", "0", 11, self.person)] if voice else []
        streams += [sdp.Sent("video", "1", 12, self.person)] if layers else []
        text = sdp.offer(streams, peer).replace("a=mid:0", f"a=mid:0\r\na=extmap:{LEVEL_ID} {rtp.AUDIO_LEVEL}")
        if len(layers) > 1:
            rids = "".join(f"a=rid:{one} send\r\n" for one in layers) + "a=simulcast:send " + ";".join(layers)
            ids = f"a=extmap:{RID_ID} {rtp.RID}\r\na=extmap:{MID_ID} {rtp.MID}\r\n"
            text = text.replace("a=mid:1", f"a=mid:1\r\n{ids}{rids}")
        self._layers = [Layer(11, sdp.OPUS, VOICE[0], _head(LEVEL_ID, bytes([LEVEL])), os.urandom(VOICE[1]), 48_000)] if voice else []
        self._layers += [_picture(12 + at, name, simulcast=len(layers) > 1) for at, name in enumerate(layers)]
        told = await self.ask("publish", what="camera", description=text)
        self._began = time.monotonic()
        await self._connect(peer, told["sdp"])

    async def view(self) -> list[dict[str, Any]]:
        """Receive what the others send from now on; what that is."""
        peer = self._peer()
        offered = await self.ask("view")
        if not offered["view"]:
            return []
        names = dict(zip(_ssrcs(offered["sdp"]), ((one["person"], one["kind"]) for one in offered["tracks"]), strict=True))
        streams = [sdp.Sent(one["kind"], one["mid"], 0, "guest") for one in offered["tracks"]]
        text = sdp.offer(streams, peer).replace("a=sendonly", "a=recvonly").replace("a=setup:actpass", "a=setup:active")
        peer.on_rtp = partial(self._take, names)
        self._highest.clear()
        await self.ask("answer", view=offered["view"], description=text)
        await self._connect(peer, offered["sdp"])
        tracks: list[dict[str, Any]] = offered["tracks"]
        return tracks

    def _peer(self) -> Peer:
        peer = Peer(Port("127.0.0.1", 0), self.certificate)
        self._peers.append(peer)
        return peer

    async def _connect(self, peer: Peer, description: str) -> None:
        (name, secret), (ip, port) = _way(description)
        peer.ice.call(name, secret, (ip, int(port)))
        await peer.start(sdp.keys(sdp.parse(description)), server=False)

    def _take(self, names: dict[int, tuple[str, str]], data: bytes) -> None:
        ssrc, seq = int.from_bytes(data[8:12], "big"), data[2] << 8 | data[3]
        name = names.get(ssrc)
        if name is None:
            return
        self.got[name] += 1
        self.size += len(data)
        self.last[name] = time.monotonic()
        ahead = (seq - self._highest.get(name, seq - 1)) & 0xFFFF
        if 0 < ahead < 0x8000:
            self.gaps[name] += ahead - 1
            self._highest[name] = seq
        else:
            self.gaps[name] -= 1  # it was only late

    def pump(self, now: float) -> None:
        """Send what is due, and a sign of life now and then."""
        if now - self._checked > CHECK:
            self._checked = now
            for peer in self._peers:
                peer.ice.check()
        sender = self._sender
        if sender is None or not sender.connected or self.silent:
            self._began = now - max((one.number / one.rate for one in self._layers), default=0.0)
            return
        for layer in self._layers:
            while layer.number < (now - self._began) * layer.rate:
                sender.send(layer.packet())
                self.sent += 1

    def close(self) -> None:
        """Give the ports back."""
        for peer in self._peers:
            peer.ice.port.close()


def _head(id_: int, value: bytes) -> bytes:
    """A one-byte extension block (RFC 8285) of one value."""
    body = bytes([id_ << 4 | len(value) - 1]) + value
    body += bytes(-len(body) % 4)
    return b"\xbe\xde" + (len(body) // 4).to_bytes(2, "big") + body


def _picture(ssrc: int, name: str, *, simulcast: bool) -> Layer:
    """Key frames of VP8 throughout (RFC 7741): whoever comes may begin with any packet. Random bytes otherwise."""
    rate, size = PICTURES[name]
    payload = bytes([0x10, 0]) + random.randbytes(size - 2)  # noqa: S311
    return Layer(ssrc, sdp.VP8, rate, _head(RID_ID, name.encode()) if simulcast else b"", payload, 90_000, first=secrets.randbits(14))


def _ssrcs(description: str) -> list[int]:
    return [int(one) for one in re.findall(r"a=ssrc:(\d+) cname:", description)]


def _way(description: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """(name, secret) and (ip, port) of a description."""
    found = re.search(r"a=ice-ufrag:(\S+)\r\na=ice-pwd:(\S+)", description), re.search(r"a=candidate:1 1 udp \d+ (\S+) (\d+) ", description)
    if found[0] is None or found[1] is None:
        raise Unreachable(f"the relay said nothing of its way: {description[:200]}")
    return (found[0][1], found[0][2]), (found[1][1], found[1][2])
