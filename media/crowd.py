"""People without browsers: one who sends and many who receive, as peers of the relay's own kind that decode nothing. For measuring the relay."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aioice import stun
from aiortc import RTCCertificate

from media import rtp, sdp
from media.transport import Peer, Port
from node import tickets
from node.errors import Unreachable
from node.settings import Settings
from node.supervised import Line

PICTURE, VOICE = (107, 1_170), (50, 80)
"Packets a second and bytes of each."
CHECK = 2.0
"Seconds between two signs of life."
ROOM = "bench"
Told = Callable[[str, int, int, int], None]
"What happens (joining, joined, begins, over), with how many viewers, packets sent, and packets got by all."


def play(settings: Settings, steps: Sequence[int], seconds: float, told: Told) -> None:
    """Send to more and more viewers through the relay of a home, for some seconds each."""
    asyncio.run(_played(settings, steps, seconds, told))


async def _played(settings: Settings, steps: Sequence[int], seconds: float, told: Told) -> None:
    crowd = Crowd(settings)
    work = asyncio.ensure_future(crowd.live())
    await crowd.publish()
    for count in steps:
        told("joining", count - len(crowd.viewers), 0, 0)
        while len(crowd.viewers) < count:
            await crowd.view()
        told("joined", count, 0, 0)
        await asyncio.sleep(1.0)
        told("begins", count, crowd.sent, crowd.got)
        await asyncio.sleep(seconds)
        told("over", count, crowd.sent, crowd.got)
    work.cancel()
    crowd.close()


@dataclass
class Viewer:
    """Somebody who receives."""

    peer: Peer
    got: int = 0

    def take(self, _data: bytes) -> None:
        """A packet came."""
        self.got += 1


class Crowd:
    """One who sends and all who receive."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.secret = settings, tickets.key(settings)
        self.certificate = RTCCertificate.generateCertificate()
        self.viewers: list[Viewer] = []
        self.calls: list[tuple[Peer, str, str, tuple[str, int]]] = []
        self.sender: Peer | None = None
        self.sent = 0

    @property
    def got(self) -> int:
        """Packets that all viewers got."""
        return sum(one.got for one in self.viewers)

    async def publish(self) -> None:
        """Begin to send."""
        self.sender = peer = Peer(Port("127.0.0.1", 0), self.certificate)
        streams = [sdp.Sent("audio", "0", 11, "bench"), sdp.Sent("video", "1", 12, "bench")]
        told = await self._ask("publish", "sender", what="camera", description=sdp.offer(streams, peer))
        await self._connect(peer, told["sdp"])

    async def view(self) -> None:
        """One viewer more."""
        person, peer = f"v{len(self.viewers)}", Peer(Port("127.0.0.1", 0), self.certificate)
        offered = await self._ask("view", person)
        streams = [sdp.Sent(one["kind"], one["mid"], 0, "bench") for one in offered["tracks"]]
        text = sdp.offer(streams, peer).replace("a=sendonly", "a=recvonly").replace("a=setup:actpass", "a=setup:active")
        await self._ask("answer", person, view=offered["view"], description=text)
        await self._connect(peer, offered["sdp"])
        viewer = Viewer(peer)
        peer.on_rtp = viewer.take
        self.viewers.append(viewer)

    async def _connect(self, peer: Peer, description: str) -> None:
        """Check the way to the relay, then shake hands."""
        (name, secret), (ip, port) = _way(description)
        self.calls.append((peer, name, secret, (ip, int(port))))
        self._check(*self.calls[-1])
        peer.ice.selected((ip, int(port)))
        await peer.start(sdp.keys(sdp.parse(description)), server=False)

    def _check(self, peer: Peer, name: str, secret: str, address: tuple[str, int]) -> None:
        asked = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        asked.attributes |= {"USERNAME": f"{name}:{peer.ice.ufrag}", "PRIORITY": 1, "ICE-CONTROLLING": secrets.randbits(64), "USE-CANDIDATE": None}
        asked.add_message_integrity(secret.encode())
        peer.ice.port.send(bytes(asked), address)

    async def live(self) -> None:
        """Send pictures and voices at their pace, and signs of life."""
        began = checked = time.monotonic()
        numbers = {11: 0, 12: 0}
        payload = {11: os.urandom(VOICE[1]), 12: bytes([0x10, 1]) + random.randbytes(PICTURE[1] - 2)}  # noqa: S311
        while True:
            await asyncio.sleep(0.005)
            now = time.monotonic()
            for ssrc, kind, (rate, _size), clock in ((11, sdp.OPUS, VOICE, 48_000), (12, sdp.VP8, PICTURE, 90_000)):
                while self.sender is not None and self.sender.connected and numbers[ssrc] < (now - began) * rate:
                    header = rtp.HEADER.pack(0x80, kind, numbers[ssrc] & 0xFFFF, int(numbers[ssrc] * clock / rate) & 0xFFFFFFFF, ssrc)
                    self.sender.send(header + payload[ssrc])
                    numbers[ssrc] += 1
                    self.sent += 1
                if self.sender is None or not self.sender.connected:
                    began = now
            if now - checked > CHECK:
                checked = now
                for call in self.calls:
                    self._check(*call)

    async def _ask(self, verb: str, person: str, **fields: str) -> Any:
        ticket = tickets.issue(self.secret, ROOM, person, person)
        return await asyncio.to_thread(_asked, self.settings, verb, {"ticket": ticket, **fields})

    def close(self) -> None:
        """Give the ports back."""
        for peer, _name, _secret, _address in self.calls:
            peer.ice.port.close()


def _asked(settings: Settings, verb: str, fields: dict[str, str]) -> Any:
    line = Line(settings.path("run", "media.sock"), 30)
    try:
        line.request("POST", f"/{verb}", json.dumps(fields))
        return json.loads(line.getresponse().read())
    finally:
        line.close()


def _way(description: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """(name, secret) and (ip, port) of a description."""
    found = re.search(r"a=ice-ufrag:(\S+)\r\na=ice-pwd:(\S+)", description), re.search(r"a=candidate:1 1 udp \d+ (\S+) (\d+) ", description)
    if found[0] is None or found[1] is None:
        raise Unreachable(f"the relay said nothing of its way: {description[:200]}")
    return (found[0][1], found[0][2]), (found[1][1], found[1][2])
