"""Offers and answers (RFC 8866, 8829) as text: what a browser offers to send is answered, what it may receive is offered.

aiortc's parser reads them; it does not know simulcast (RFC 8853), so the lines ``a=rid`` and ``a=simulcast`` are read here.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aiortc import RTCDtlsParameters
from aiortc.sdp import MediaDescription, SessionDescription, grouplines, parameters_to_sdp

from media import rtp
from media.transport import Peer
from node.errors import Invalid

MOST = 64 * 1024
"Characters of a description."
CODECS = {"audio": ("opus",), "video": ("VP8",)}
OPUS, VP8 = 111, 96
"Payload types of what the relay sends."
FEEDBACK = ("nack", "nack pli", "ccm fir", "goog-remb")
MOST_LAYERS = 3


@dataclass(frozen=True)
class Offered:
    """One stream that a browser offers to send."""

    kind: str
    "audio or video."
    payload: int
    clock: int
    ssrc: int
    "0 with simulcast, where each layer names itself in its first packets."
    layers: tuple[str, ...]
    ids: dict[str, int]
    "Extension to its id."


@dataclass(frozen=True)
class Sent:
    """One stream that the relay offers to send."""

    kind: str
    mid: str
    ssrc: int
    owner: str
    "Name under which the browser groups tracks: what they belong to."


def parse(text: str) -> SessionDescription:
    """A description that a browser sent; :class:`Invalid` for what is none."""
    if not text.startswith("v=0") or len(text) > MOST:
        raise Invalid("this is no session description", code="malformed")
    try:
        found = SessionDescription.parse(text)
        if not found.media or any(one.dtls is None or not one.dtls.fingerprints or one.ice is None for one in found.media):
            raise Invalid("a session description without media or without keys", code="malformed")
    except (ValueError, IndexError, KeyError, AttributeError, AssertionError, TypeError) as error:
        raise Invalid(f"this is no session description: {error}", code="malformed") from None
    return found


def keys(found: SessionDescription) -> RTCDtlsParameters:
    """The fingerprints of the other side."""
    own = found.media[0].dtls
    assert own is not None  # parse() refuses descriptions without
    return own


def answer(text: str, peer: Peer) -> tuple[str, RTCDtlsParameters, list[Offered]]:
    """The answer to what a browser offers to send, its keys, and its streams."""
    found = parse(text)
    _session, raw = grouplines(text)
    lines, offered = _session_lines([one.rtp.muxId for one in found.media]), list[Offered]()
    for one, own in zip(found.media, raw, strict=True):
        stream = _offered(one, own)
        offered.append(stream)
        lines += [*_answered(one, stream), *_transport(peer, "passive")]
    return "\r\n".join(lines) + "\r\n", keys(found), offered


def _offered(one: MediaDescription, raw: Sequence[str]) -> Offered:
    codec = next((codec for codec in one.rtp.codecs if codec.name in CODECS.get(one.kind, ())), None)
    if codec is None or one.direction not in ("sendonly", "sendrecv"):
        raise Invalid("voice as Opus and pictures as VP8 can be sent, and nothing else", code="codec")
    chosen = next((line.split()[1] for line in raw if line.startswith("a=simulcast:send ")), "")
    layers = tuple(name.lstrip("~") for name in chosen.split(";") if name)
    if len(layers) > MOST_LAYERS or not (layers or one.ssrc) or codec.payloadType is None or codec.clockRate is None:
        raise Invalid("one stream, or up to three layers of it", code="malformed")
    ids = {extension.uri: extension.id for extension in one.rtp.headerExtensions}
    return Offered(one.kind, codec.payloadType, codec.clockRate, 0 if layers else one.ssrc[0].ssrc, layers, ids)


def _answered(one: MediaDescription, stream: Offered) -> Iterator[str]:
    codec = next(codec for codec in one.rtp.codecs if codec.payloadType == stream.payload)
    yield from (f"m={one.kind} 9 UDP/TLS/RTP/SAVPF {stream.payload}", "c=IN IP4 0.0.0.0", "a=rtcp-mux", f"a=mid:{one.rtp.muxId}", "a=recvonly")
    yield f"a=rtpmap:{stream.payload} {codec}"
    kept = (rtp.MID, rtp.RID) if stream.layers else (rtp.AUDIO_LEVEL,) if one.kind == "audio" else ()
    yield from (f"a=extmap:{stream.ids[uri]} {uri}" for uri in (rtp.SEND_TIME, *kept) if uri in stream.ids)
    if stream.layers:
        yield from (f"a=rid:{name} recv" for name in stream.layers)
        yield "a=simulcast:recv " + ";".join(stream.layers)
    if one.kind == "video":
        yield from (f"a=rtcp-fb:{stream.payload} {what}" for what in FEEDBACK)
    if codec.parameters:
        yield f"a=fmtp:{stream.payload} {parameters_to_sdp(codec.parameters)}"


def offer(streams: Sequence[Sent], peer: Peer) -> str:
    """What the relay offers to send."""
    lines = _session_lines([one.mid for one in streams])
    for one in streams:
        kind, codec = (OPUS, "opus/48000/2") if one.kind == "audio" else (VP8, "VP8/90000")
        lines += [f"m={one.kind} 9 UDP/TLS/RTP/SAVPF {kind}", "c=IN IP4 0.0.0.0", "a=rtcp-mux", f"a=mid:{one.mid}", "a=sendonly"]
        lines += [f"a=rtpmap:{kind} {codec}", f"a=extmap:{rtp.TIME_ID} {rtp.SEND_TIME}"]
        lines += [f"a=rtcp-fb:{kind} {what}" for what in FEEDBACK] if one.kind == "video" else [f"a=fmtp:{kind} minptime=10;useinbandfec=1"]
        lines += [f"a=msid:{one.owner} {one.mid}", f"a=ssrc:{one.ssrc} cname:{one.owner}", f"a=ssrc:{one.ssrc} msid:{one.owner} {one.mid}"]
        lines += _transport(peer, "actpass")
    return "\r\n".join(lines) + "\r\n"


def _session_lines(mids: Sequence[str]) -> list[str]:
    number = secrets.randbits(60)
    about = ["v=0", f"o=- {number} 2 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=ice-lite"]
    return [*about, "a=group:BUNDLE " + " ".join(mids), "a=msid-semantic:WMS *"]


def _transport(peer: Peer, setup: str) -> list[str]:
    algorithm, value = peer.fingerprint
    port = peer.ice.port
    return [
        f"a=ice-ufrag:{peer.ice.ufrag}",
        f"a=ice-pwd:{peer.ice.pwd}",
        f"a=fingerprint:{algorithm} {value}",
        f"a=setup:{setup}",
        f"a=candidate:1 1 udp 2130706431 {port.ip} {port.number} typ host",
        "a=end-of-candidates",
    ]
