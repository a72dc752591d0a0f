"""RTP as bytes: the header (RFC 3550), one-byte extensions (RFC 8285), audio levels (RFC 6464), the VP8 descriptor (RFC 7741)."""

from __future__ import annotations

import struct
import time
from dataclasses import dataclass

HEADER = struct.Struct("!BBHLL")
OUT = struct.Struct("!BBHLLHHL")
"Fixed header and an extension block of one word: the time at which it was sent."
LOUD = struct.Struct("!BBHLLHHLL")
"The same with a second word: how loud a voice is (RFC 6464)."
SEND_TIME, AUDIO_LEVEL = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time", "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
MID, RID = "urn:ietf:params:rtp-hdrext:sdes:mid", "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
LEVEL_ID, TIME_ID = 1, 3
"Ids of the audio level and the send time in what the relay sends."
SILENT = 127
"The lowest audio level, in -dBov."


def send_time() -> int:
    """The present moment as 24 bits of seconds, 18 of them fraction."""
    return int((time.time() % 64) * 262144) & 0xFFFFFF


@dataclass(slots=True)
class Packet:
    """What a relay needs of a packet."""

    marked: int
    "0x80 where the marker bit stands."
    kind: int
    "Payload type."
    seq: int
    time: int
    ssrc: int
    payload: bytes
    level: int = -1
    "How loud the voice in it is, in -dBov; -1 where nobody said."


def read(data: bytes) -> Packet | None:
    """A packet, or None for what is none."""
    if len(data) < 12 or data[0] >> 6 != 2:
        return None
    first, second, seq, stamp, ssrc = HEADER.unpack_from(data)
    at = 12 + 4 * (first & 15)
    if first & 0x10:
        if len(data) < at + 4:
            return None
        at += 4 + 4 * (data[at + 2] << 8 | data[at + 3])
    end = len(data) - (data[-1] if first & 0x20 else 0)
    return Packet(second & 0x80, second & 0x7F, seq, stamp, ssrc, data[at:end]) if at <= end else None


def write(packet: Packet, kind: int, ssrc: int, seq: int, stamp: int, payload: bytes, moment: int) -> bytes:
    """A packet as the relay sends it, with nothing of the sender's header but the marker.

    One of padding alone, with which browsers probe a line, goes on with one byte of padding, or the numbers would have a hole.
    """
    first, rest = (0x90, payload) if payload else (0xB0, b"\1")
    if packet.level >= 0:
        told = (LEVEL_ID << 4) << 24 | packet.level << 16
        return LOUD.pack(first, packet.marked | kind, seq, stamp, ssrc, 0xBEDE, 2, (TIME_ID << 4 | 2) << 24 | moment, told) + rest
    return OUT.pack(first, packet.marked | kind, seq, stamp, ssrc, 0xBEDE, 1, (TIME_ID << 4 | 2) << 24 | moment) + rest


def extension(data: bytes, wanted: int) -> bytes | None:
    """The value of a one-byte extension of a packet, or None."""
    if not wanted or len(data) < 12 or not data[0] & 0x10:
        return None
    at = 12 + 4 * (data[0] & 15)
    if len(data) < at + 4 or data[at : at + 2] != b"\xbe\xde":
        return None
    end = min(len(data), at + 4 + 4 * (data[at + 2] << 8 | data[at + 3]))
    at += 4
    while at < end:
        size = (data[at] & 15) + 1
        if data[at] == 0:
            at += 1
        elif data[at] >> 4 == wanted:
            return data[at + 1 : at + 1 + size] if at + 1 + size <= end else None
        else:
            at += 1 + size
    return None


@dataclass(frozen=True, slots=True)
class Picture:
    """What the descriptor of a VP8 payload says."""

    key: bool
    "Whether a key frame begins here."
    id: int | None
    "Picture id."
    at: int
    "Where the id stands."
    wide: bool
    "Whether it has 15 bits."


def picture(payload: bytes) -> Picture:
    """The descriptor of a VP8 payload; one that ends too soon begins no key frame."""
    try:
        return _picture(payload)
    except IndexError:
        return Picture(False, None, 0, False)


def _picture(p: bytes) -> Picture:
    at, id_, place, wide = 1, None, 0, False
    if p[0] & 0x80:
        flags, at = p[1], 2
        if flags & 0x80:
            place, wide = at, bool(p[at] & 0x80)
            id_ = (p[at] & 0x7F) << 8 | p[at + 1] if wide else p[at] & 0x7F
            at += 2 if wide else 1
        at += bool(flags & 0x40) + bool(flags & 0x30)
    begins = p[0] & 0x10 and not p[0] & 0x0F
    return Picture(bool(begins and not p[at] & 1), id_, place, wide)


def renumbered(payload: bytes, found: Picture, id_: int) -> bytes:
    """A VP8 payload with another picture id."""
    changed = bytearray(payload)
    changed[found.at], changed[found.at + 1] = 0x80 | id_ >> 8, id_ & 0xFF
    return bytes(changed)
