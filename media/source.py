"""One stream that comes in: passed to everybody who has it, kept for a moment for those who missed some, asked for again where it has holes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from aiortc.rtp import RTCP_PSFB_PLI, RTCP_RTPFB_NACK, RtcpPsfbPacket, RtcpReceiverInfo, RtcpRtpfbPacket

from media import rtp
from media.rtp import Packet
from media.speaker import Voice

if TYPE_CHECKING:
    from media.sink import Sink

RING = 512
"Packets kept: about four seconds of pictures."
EACH_KEY = 0.5
"Seconds between two requests of a key frame, whoever asks."
AGAIN, TRIES = 0.04, 6
"Seconds after which a hole is asked for again, and how often."
HOLE = 100
"Packets of the largest hole that is worth asking for."
OWN = 1
"The relay's own SSRC in its reports."


class Source:
    """A published stream, or one layer of it."""

    def __init__(self, kind: str, ssrc: int, tell: Callable[[bytes], None], *, layer: str = "", level: int = 0, mends: bool = False) -> None:
        """``tell`` sends RTCP to whoever sends the stream; ``level`` is the id of the extension with the audio level.

        ``mends`` says that the sender also keeps voices for a moment: relays do, browsers keep pictures only.
        """
        self._mends = mends or kind == "video"
        self.kind, self.ssrc, self.layer, self._tell, self._level = kind, ssrc, layer, tell, level
        self.sinks: list[Sink] = []
        self.voice = Voice()
        self.counts: Counter[str] = Counter()
        self.barred = False
        "Whether what comes is kept back: its sender may not speak now."
        self.heard = 0.0
        "When the last packet came, monotonic seconds."
        self.report_of: tuple[int, float] = (0, 0.0)
        "Middle of the sender's clock in its last report, and when that came."
        self._ring: list[Packet | None] = [None] * RING
        self._missing: dict[int, tuple[int, float]] = {}
        "Number of a missing packet to how often it was asked for, and when last."
        self._first = self._last = -1
        self._reported = (0, 0)
        "Packets expected and missed when the sender was last told."
        self._cycles = 0
        self._asked, self._wanted = 0.0, False

    def take(self, data: bytes) -> None:
        """A packet came: forward it."""
        packet = rtp.read(data)
        if packet is None:
            self.counts["malformed"] += 1
            return
        self.heard = time.monotonic()
        self.counts["packets"] += 1
        self._number(packet.seq)
        self._ring[packet.seq % RING] = packet
        if self._level and not self.barred and (level := rtp.extension(data, self._level)):
            packet.level = level[0] & 127
            self.voice.heard(packet.level, self.heard)
        moment = rtp.send_time()
        if self.barred:
            return
        for sink in tuple(self.sinks):
            sink.take(self, packet, moment)

    def _number(self, seq: int) -> None:
        if self._last < 0:
            self._first = self._last = seq
            return
        ahead = (seq - self._last) & 0xFFFF
        if 0 < ahead < 0x8000:
            self._cycles += 65536 * (seq < self._last)
            if ahead > 1 and self._mends:
                self._ask([(self._last + i) & 0xFFFF for i in range(1, min(ahead, HOLE))])
            self._last = seq
        elif self._missing.pop(seq, None):
            self.counts["repaired"] += 1

    def _ask(self, numbers: list[int]) -> None:
        now = time.monotonic()
        self._missing.update({number: (self._missing.get(number, (0, 0.0))[0] + 1, now) for number in numbers})
        self.counts["asked"] += len(numbers)
        self._tell(bytes(RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=OWN, media_ssrc=self.ssrc, lost=numbers)))

    def tick(self) -> None:
        """Ask again for what is still missing, and give up what never comes; several times a second."""
        now = time.monotonic()
        late = [number for number, (tries, at) in self._missing.items() if now - at > AGAIN and tries < TRIES]
        self._missing = {number: told for number, told in self._missing.items() if told[0] < TRIES}
        if late:
            self._ask(late)
        if self._wanted:
            self.key_frame()

    def key_frame(self) -> None:
        """Ask for a key frame; whoever asks within half a second of the last request is part of the next."""
        now = time.monotonic()
        self._wanted = self.kind == "video"
        if self._wanted and now - self._asked > EACH_KEY:
            self._asked, self._wanted = now, False
            self.counts["keys"] += 1
            self._tell(bytes(RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=OWN, media_ssrc=self.ssrc)))

    def held(self, seq: int) -> Packet | None:
        """A packet of a moment ago."""
        found = self._ring[seq % RING]
        return found if found is not None and found.seq == seq else None

    def report(self) -> RtcpReceiverInfo | None:
        """What the sender is told of the reception (RFC 3550, 6.4.2); None before anything came."""
        if self._last < 0:
            return None
        highest = self._cycles + self._last
        expected, came = highest - self._first + 1, self.counts["packets"]
        lost = max(0, min(expected - came, 0x7FFFFF))
        of_late, missed = expected - self._reported[0], expected - came - self._reported[1]
        self._reported = expected, expected - came
        share = min(255, max(0, 256 * missed // of_late)) if of_late else 0
        middle, at = self.report_of
        since = int((time.monotonic() - at) * 65536) & 0xFFFFFFFF if middle else 0
        return RtcpReceiverInfo(
            ssrc=self.ssrc, fraction_lost=share, packets_lost=lost, highest_sequence=highest & 0xFFFFFFFF, jitter=0, lsr=middle, dlsr=since
        )
