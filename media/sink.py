"""One stream that goes to one viewer: the chosen layer of what somebody sends, under numbers that never jump when the layer changes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from aiortc.rtp import RtcpSenderInfo, RtcpSrPacket

from media import rtp
from media.rtp import Packet
from media.source import Source
from media.transport import Peer

CLOCK = 90_000
"Ticks of a picture's second."
WIDE = 0x7FFF
"The largest picture id."


@dataclass
class Shift:
    """What is added to a layer's numbers so that they go on from those sent before."""

    seq: int = 0
    time: int = 0
    picture: int = 0


@dataclass
class Sink:
    """A stream towards a viewer."""

    ssrc: int
    kind: int
    "Payload type."
    peer: Peer
    layers: Mapping[str, Source]
    "Layer to its source; one without a name where there is no simulcast. It grows as layers come."
    source: Source | None = None
    "Where packets are taken from now."
    sent: int = 0
    _target: Source | None = None
    _shift: Shift = field(default_factory=Shift)
    _last: tuple[int, int, int, float] | None = None
    "Number, time and picture id last sent, and when."

    def want(self, layer: str) -> None:
        """Have this layer from its next key frame on, the nearest one there is; until then the present one goes on."""
        target = self.layers.get(layer) or next(iter(self.layers.values()), None)
        if target is None or target is self._target:
            return
        if self._target is not None and self._target is not self.source:
            self._leave(self._target)
        self._target = target
        if self not in target.sinks:
            target.sinks.append(self)
        if target.kind == "audio" or self.source is None:
            self.source = target
        target.key_frame()

    def _leave(self, source: Source) -> None:
        if self in source.sinks:
            source.sinks.remove(self)

    def close(self) -> None:
        """Take nothing more."""
        for source in (self.source, self._target):
            if source is not None:
                self._leave(source)
        self.source = self._target = None

    def take(self, source: Source, packet: Packet, moment: int) -> None:
        """A packet of a source: forwarded if it is of the layer that is shown, or begins the one that is wanted."""
        if source is not self.source and not self._begins(source, packet):
            return
        self._forward(packet, moment)

    def _begins(self, source: Source, packet: Packet) -> bool:
        """Whether the wanted layer begins with this packet, and is shown from now on."""
        if source is not self._target:
            return False
        found = rtp.picture(packet.payload)
        if not found.key:
            source.key_frame()
            return False
        if self.source is not None:
            self._leave(self.source)
        self.source = source
        if self._last is not None:
            seq, stamp, picture, at = self._last
            passed = max(1, int((time.monotonic() - at) * CLOCK))
            self._shift = Shift((seq + 1 - packet.seq) & 0xFFFF, (stamp + passed - packet.time) & 0xFFFFFFFF, (picture + 1 - (found.id or 0)) & WIDE)
        return True

    def _forward(self, packet: Packet, moment: int) -> None:
        seq, stamp, payload, picture = self._mapped(packet)
        if self._last is None or 0 < (seq - self._last[0]) & 0xFFFF < 0x8000:
            self._last = seq, stamp, picture, time.monotonic()
        self.sent += 1
        self.peer.send(rtp.write(packet, self.kind, self.ssrc, seq, stamp, payload, moment))

    def _mapped(self, packet: Packet) -> tuple[int, int, bytes, int]:
        shift, payload, picture = self._shift, packet.payload, 0
        if shift.picture or (self.source is not None and self.source.layer):
            found = rtp.picture(payload)
            if found.id is not None and found.wide:
                picture = (found.id + shift.picture) & WIDE
                payload = rtp.renumbered(payload, found, picture) if shift.picture else payload
        return (packet.seq + shift.seq) & 0xFFFF, (packet.time + shift.time) & 0xFFFFFFFF, payload, picture

    def report(self, about: RtcpSenderInfo) -> None:
        """Pass on when the sender sent what, in the numbers of this stream."""
        told = replace(about, rtp_timestamp=(about.rtp_timestamp + self._shift.time) & 0xFFFFFFFF)
        self.peer.send_rtcp(bytes(RtcpSrPacket(ssrc=self.ssrc, sender_info=told)))

    def resend(self, seq: int) -> bool:
        """Send again what the viewer missed, if it is still here."""
        packet = self.source.held((seq - self._shift.seq) & 0xFFFF) if self.source is not None else None
        if packet is not None:
            self._forward(packet, rtp.send_time())
        return packet is not None
