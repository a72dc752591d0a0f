"""One stream that goes to one viewer, or to a neighbouring relay for all behind it.

It is the chosen layer of what somebody sends, under numbers that never jump when the layer changes or when it rests for a while.
"""

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
    wanted: str = ""
    "The layer that was asked for; nothing is taken while it is empty."
    lost: float = 0.0
    "Part of what was sent that did not arrive of late, as the other side reports."
    held: str = ""
    "Why less is sent than was asked for: line; empty where all is."
    _target: Source | None = None
    _shift: Shift = field(default_factory=Shift)
    _since: int = 0
    "First number under the present shift: what was sent before cannot be sent again."
    _last: tuple[int, int, int, float] | None = None
    "Number, time and picture id last sent, and when."

    def want(self, layer: str) -> None:
        """Have this layer from its next key frame on, the nearest one there is; until then the present one goes on."""
        self.wanted = layer
        self.take_from(layer)

    def take_from(self, layer: str) -> None:
        """Take this layer, whatever was wanted; an empty one rests until another is taken."""
        target = (self.layers.get(layer) or next(iter(self.layers.values()), None)) if layer else None
        if target is self._target:
            return
        if self._target is not None and self._target is not self.source:
            self._leave(self._target)
        if target is None and self.source is not None:
            self._leave(self.source)
            self.source = None
        self._target = target
        if target is not None:
            if self not in target.sinks:
                target.sinks.append(self)
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
        """Whether the wanted layer begins with this packet, and is shown from now on; a voice begins anywhere, a picture with a key frame."""
        if source is not self._target:
            return False
        found = rtp.picture(packet.payload) if source.kind == "video" else None
        if found is not None and not found.key:
            source.key_frame()
            return False
        if self.source is not None:
            self._leave(self.source)
        self.source = source
        if self._last is not None:
            self._shift = self._onward(packet, found)
        self._since = (packet.seq + self._shift.seq) & 0xFFFF
        return True

    def _onward(self, packet: Packet, found: rtp.Picture | None) -> Shift:
        """The shift under which this packet follows what was sent last; a voice keeps its time, its pause being silence."""
        assert self._last is not None
        seq, stamp, picture, at = self._last
        follows = (seq + 1 - packet.seq) & 0xFFFF
        if found is None:
            return replace(self._shift, seq=follows)
        passed = max(1, int((time.monotonic() - at) * CLOCK))
        return Shift(follows, (stamp + passed - packet.time) & 0xFFFFFFFF, (picture + 1 - (found.id or 0)) & WIDE)

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
        """Send again what the viewer missed, if it is still here and was sent under the present numbers."""
        if (seq - self._since) & 0xFFFF >= 0x8000:
            return False
        packet = self.source.held((seq - self._shift.seq) & 0xFFFF) if self.source is not None else None
        if packet is not None:
            self._forward(packet, rtp.send_time())
        return packet is not None
