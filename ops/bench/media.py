"""The media relay: one who sends a picture of 720p and a voice, and more and more who receive both; what the relay's process takes for each.

Senders and receivers are peers of the relay's own kind (ICE, DTLS and SRTP in full) that decode nothing, so that one processor carries them while the
other carries the relay. A *stream* is one picture (107 packets a second, 1 Mbit/s) and one voice (50 a second) to one viewer.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from aioice import stun
from aiortc import RTCCertificate

from media import rtp, sdp
from media.transport import Peer, Port
from node import tickets
from node.errors import Unreachable
from node.settings import Settings
from node.supervised import Line
from ops.bench import fleet, meter, portal
from ops.bench.fleet import Member

UDP = fleet.PORT + 900
STEPS = (10, 40, 100)
"Viewers."
PICTURE, VOICE = (107, 1_170), (50, 80)
"Packets a second and bytes of each."
CHECK = 2.0
"Seconds between two signs of life."
ROOM = "bench"


def run(seconds: float) -> None:
    """Measure with more and more viewers."""
    meter.note("media")
    with TemporaryDirectory(prefix="yw-bench-") as folder:
        member = portal.founded(Path(folder) / "city")
        member.settings = msgspec.structs.replace(member.settings, media=f"127.0.0.1:{UDP}")
        Path(member.settings.home, "node.toml").write_text(
            re.sub(r'media = ".*"', f'media = "{member.settings.media}"', Path(member.settings.home, "node.toml").read_text(encoding="utf-8")),
            encoding="utf-8",
        )
        try:
            member.start("relay")
            fleet.until(member.settings.path("run", "media.sock").exists, "the relay")
            asyncio.run(_measure(member, seconds))
        finally:
            member.end()


async def _measure(member: Member, seconds: float) -> None:
    crowd = Crowd(member.settings)
    work = asyncio.ensure_future(crowd.live())
    await crowd.publish()
    for count in STEPS:
        joined = meter.Span(member.pids())
        new = count - len(crowd.viewers)
        for _ in range(new):
            await crowd.view()
        joining = joined.used() / new
        await asyncio.sleep(1.0)
        before, span = dict(crowd.counts()), meter.Span(member.pids())
        await asyncio.sleep(seconds)
        used, after = span.used(), crowd.counts()
        got, sent = after["got"] - before["got"], after["sent"] - before["sent"]
        meter.emit(
            "yiwang.media",
            viewers=count,
            packets_per_s=round(got / seconds),
            lost_share=round(max(0.0, 1 - got / (sent * count)), 4),
            cpu_share=round(used / seconds, 3),
            cpu_ms_per_stream_s=round(1000 * used / (seconds * count), 2),
            us_per_packet_out=round(1e6 * used / max(1, got), 1),
            streams_per_core=round(seconds * count / used) if used else None,
            join_cpu_ms=round(1000 * joining, 1),
            pss_mib=round(meter.pss(member.pids()), 1),
            **span.figures(),
        )
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

    def counts(self) -> dict[str, int]:
        """Packets sent by the one, and got by all."""
        return {"sent": self.sent, "got": sum(one.got for one in self.viewers)}

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
