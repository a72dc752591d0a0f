"""What the two ends of a stream tell each other beside it (RTCP, RFC 3550 and 4585): when what was sent, what arrived, what is missing."""

from __future__ import annotations

import struct
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    pack_remb_fci,
)

from media.sink import Sink
from media.source import OWN, Source
from media.transport import Peer

GRANTED, UNSEEN = 2_500_000, 150_000
"Bits a second that a sender may use while somebody sees it, and while nobody does."
MOST_RESENT = 100
"Packets sent again for one request."
MOST_REPORTS = 31
"Reports in one packet (RFC 3550, 6.4.2)."


def read(data: bytes, counts: Counter[str]) -> list[Any]:
    """The packets of a datagram; none, and a count, for what is none."""
    try:
        return list(RtcpPacket.parse(data))
    except (ValueError, IndexError, struct.error):
        counts["rtcp"] += 1
        return []


def from_sender(packets: Iterable[Any], sources: Mapping[int, Source]) -> None:
    """When a sender sent what, which viewers need to keep voice and picture together."""
    for packet in packets:
        source = sources.get(packet.ssrc) if isinstance(packet, RtcpSrPacket) else None
        if source is None:
            continue
        source.report_of = packet.sender_info.ntp_timestamp >> 16 & 0xFFFFFFFF, time.monotonic()
        for sink in source.sinks:
            if sink.source is source:
                sink.report(packet.sender_info)


def from_viewer(packets: Iterable[Any], sinks: Mapping[int, Sink], counts: Counter[str]) -> None:
    """What a viewer missed, needs anew, or says of what arrived."""
    for packet in packets:
        if isinstance(packet, RtcpRrPacket | RtcpSrPacket):
            for report in packet.reports:
                if (sink := sinks.get(report.ssrc)) is not None:
                    sink.lost = report.fraction_lost / 256
            continue
        sink = sinks.get(getattr(packet, "media_ssrc", 0))
        if sink is None:
            continue
        if isinstance(packet, RtcpRtpfbPacket) and packet.fmt == RTCP_RTPFB_NACK:
            counts["resent"] += sum(sink.resend(seq) for seq in packet.lost[:MOST_RESENT])
        elif isinstance(packet, RtcpPsfbPacket) and packet.fmt in (RTCP_PSFB_PLI, RTCP_PSFB_FIR) and sink.source is not None:
            sink.source.key_frame()


def report(peer: Peer, sources: Iterable[Source]) -> None:
    """Tell a sender what arrived (RFC 3550, 6.4.2)."""
    reports = [told for source in sources if (told := source.report()) is not None]
    for at in range(0, len(reports), MOST_REPORTS):
        peer.send_rtcp(bytes(RtcpRrPacket(ssrc=OWN, reports=reports[at : at + MOST_REPORTS])))


def grant(peer: Peer, sources: Iterable[Source]) -> None:
    """Tell a browser how much it may send: the line to it is ours, so the relay grants a rate and estimates none."""
    pictures = [source for source in sources if source.kind == "video"]
    if pictures:
        seen = any(source.sinks for source in pictures)
        fci = pack_remb_fci(GRANTED if seen else UNSEEN, [source.ssrc for source in pictures])
        peer.send_rtcp(bytes(RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=OWN, media_ssrc=0, fci=fci)))
