"""Packets, sources and sinks by themselves: what is forwarded, repaired and renumbered, and that nonsense passes by."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field

import pytest
from aiortc.rtp import RtcpPacket as Rtcp
from aiortc.rtp import RtcpPsfbPacket, RtcpRtpfbPacket, RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from media import rtp, source, words
from media.allot import LOWEST, Wish, allot, paced
from media.room import Room
from media.sink import Sink
from media.source import Source
from media.speaker import Voice, foremost
from node.errors import Invalid

TAGS = ("hello", "who", "alive", "room", "other")


@dataclass
class Line:
    """Where packets go."""

    sent: list[bytes] = field(default_factory=list)
    told: list[bytes] = field(default_factory=list)

    def send(self, data: bytes) -> None:
        self.sent.append(data)

    def send_rtcp(self, data: bytes) -> None:
        self.told.append(data)

    @property
    def packets(self) -> list[RtpPacket]:
        """What went, as another reader of RTP sees it."""
        return [RtpPacket.parse(data) for data in self.sent]


def vp8(picture: int, *, key: bool = False) -> bytes:
    """The payload of a picture's first packet, with an id of 15 bits."""
    return bytes([0x90, 0x80, 0x80 | picture >> 8, picture & 0xFF, 0 if key else 1]) + b"data"


def packet(seq: int, stamp: int, payload: bytes, *, kind: int = 96, ssrc: int = 7) -> bytes:
    """A packet as a browser sends it, with an extension that is none of ours."""
    extension = struct.pack("!HH", 0xBEDE, 1) + b"\x50\x7f\0\0"
    return struct.pack("!BBHLL", 0x90, 0x80 | kind, seq & 0xFFFF, stamp & 0xFFFFFFFF, ssrc) + extension + payload


def made(kind: str, layers: dict[str, Source], line: Line) -> Sink:
    """A sink that shows the only layer there is, or the smallest."""
    sink = Sink(99, 111 if kind == "audio" else 96, line, layers)  # type: ignore[arg-type]
    sink.want("q")
    return sink


def test_a_packet_is_forwarded_under_the_names_of_its_sink() -> None:
    """Payload, time and marker stay; the stream is the sink's own, and nothing of the sender's header goes on."""
    line, told = Line(), Line()
    voice = Source("audio", 7, told.send_rtcp, level=5)
    made("audio", {"": voice}, line)
    voice.take(packet(10, 960, b"voice", kind=111))
    (sent,) = line.packets
    assert (sent.ssrc, sent.payload_type, sent.sequence_number, sent.timestamp, sent.marker, sent.payload) == (99, 111, 10, 960, 1, b"voice")
    assert (
        rtp.extension(line.sent[0], 5) is None
        and rtp.extension(line.sent[0], rtp.LEVEL_ID) == b"\x7f"
        and rtp.extension(line.sent[0], rtp.TIME_ID) is not None
    )


def test_padding_leaves_no_hole() -> None:
    """A packet of padding alone, with which browsers probe a line, goes on as one, so that nobody misses its number."""
    line, told = Line(), Line()
    pictures = Source("video", 7, told.send_rtcp)
    made("video", {"": pictures}, line)
    probe = bytearray(packet(11, 1, b"\0" * 9 + b"\x0a"))
    probe[0] |= 0x20
    for data in (packet(10, 1, vp8(1, key=True)), bytes(probe), packet(12, 1, vp8(2))):
        pictures.take(data)
    assert [(one.sequence_number, one.payload, one.padding_size) for one in line.packets] == [
        (10, vp8(1, key=True), 0),
        (11, b"", 1),
        (12, vp8(2), 0),
    ]


def test_holes_are_asked_for_and_closed_for_everybody() -> None:
    """A missing picture packet is asked for at once and again, a voice packet never; what comes late goes on, a viewer gets what it missed."""
    line, told = Line(), Line()
    pictures, voice = Source("video", 7, told.send_rtcp), Source("audio", 8, told.send_rtcp)
    sink = made("video", {"": pictures}, line)
    told.told.clear()
    for seq in (65534, 65535, 2):
        pictures.take(packet(seq, 1, vp8(1, key=True)))
        voice.take(packet(seq, 1, b"v", kind=111))
    (asked,) = [one for data in told.told for one in Rtcp.parse(data)]
    assert isinstance(asked, RtcpRtpfbPacket) and (asked.media_ssrc, asked.lost) == (7, [0, 1])
    pictures.take(packet(0, 1, vp8(1)))
    pictures.take(packet(1, 1, vp8(1)))
    assert [one.sequence_number for one in line.packets] == [65534, 65535, 2, 0, 1] and pictures.counts["repaired"] == 2
    assert sink.resend(0) and line.packets[-1].sequence_number == 0 and not sink.resend(700)
    report = pictures.report()
    assert report is not None and (report.packets_lost, report.highest_sequence) == (0, 65538)


def test_a_change_of_layer_waits_for_a_key_frame_and_leaves_no_jump() -> None:
    """Until the wanted layer begins anew the old one goes on; then numbers, times and picture ids go on by one; what is missed can be had again."""
    line, small, large = Line(), Source("video", 1, lambda data: None, layer="q"), Source("video", 2, lambda data: None, layer="f")
    sink = made("video", {"q": small, "f": large}, line)
    for n in range(3):
        small.take(packet(100 + n, 3000 * n, vp8(50 + n, key=not n)))
    sink.want("f")
    large.take(packet(9000, 777, vp8(8000)))
    small.take(packet(103, 9000, vp8(53)))
    large.take(packet(9001, 3777, vp8(8001, key=True)))
    small.take(packet(104, 12000, vp8(54)))
    large.take(packet(9002, 6777, vp8(8002)))
    told = line.packets
    assert [one.sequence_number for one in told] == [100, 101, 102, 103, 104, 105]
    assert [(rtp.picture(one.payload).id) for one in told] == [50, 51, 52, 53, 54, 55]
    assert all(b.timestamp - a.timestamp > 0 for a, b in zip(told[2:], told[3:], strict=False)) and not small.sinks
    assert sink.resend(105) and line.packets[-1].payload == told[-1].payload
    sink.close()
    assert not large.sinks


def test_key_frames_are_asked_for_once_and_then_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks within half a second asks together, and the last is not forgotten."""
    told = Line()
    pictures = Source("video", 7, told.send_rtcp)
    for _ in range(20):
        pictures.key_frame()
    assert len(told.told) == 1 and isinstance(Rtcp.parse(told.told[0])[0], RtcpPsfbPacket)
    monkeypatch.setattr(source, "EACH_KEY", 0.0)
    pictures.tick()
    pictures.tick()
    assert len(told.told) == 2


def test_a_voice_is_noticed_at_once_and_a_cough_is_not() -> None:
    """Half a second of speech speaks; one loud packet does not, nor does silence after a while."""
    voice = Voice()
    voice.heard(20, 1.0)
    assert not voice.speaks(1.0)
    for _ in range(25):
        voice.heard(30, 1.0)
    assert voice.speaks(1.5) and not voice.speaks(3.0), "who sends nothing more is silent"
    for _ in range(200):
        voice.heard(127, 3.0)
    assert not voice.speaks(3.0)


def test_the_foremost_keep_their_place_against_the_hardly_louder() -> None:
    """The loudest are chosen; one who has the floor keeps it unless another is louder by far."""
    voices = {name: Voice(level, 1.0) for name, level in (("a", 30.0), ("b", 40.0), ("c", 44.0), ("d", 41.0))}
    assert foremost(voices, set(), 3, 1.0) == {"a", "b", "d"}
    assert foremost(voices, {"c"}, 3, 1.0) == {"a", "b", "c"}
    assert foremost(voices, {"c"}, 3, 9.0) == {"a", "b", "c"}, "when nobody speaks nobody changes"


def test_a_voice_that_rested_goes_on_under_the_next_number() -> None:
    """A pause leaves no hole in the numbers and keeps the time; what was sent before it cannot be had again under a wrong number."""
    line = Line()
    voice = Source("audio", 7, lambda data: None)
    sink = made("audio", {"": voice}, line)
    for seq in (10, 11):
        voice.take(packet(seq, 960 * seq, b"v%d" % seq, kind=111))
    sink.take_from("")
    voice.take(packet(12, 960 * 12, b"v12", kind=111))
    sink.take_from("q")
    for seq in (13, 14):
        voice.take(packet(seq, 960 * seq, b"v%d" % seq, kind=111))
    assert [(p.sequence_number, p.timestamp, p.payload) for p in line.packets] == [
        (10, 9600, b"v10"), (11, 10560, b"v11"), (12, 12480, b"v13"), (13, 13440, b"v14"),
    ]  # fmt: skip
    assert not sink.resend(11) and sink.resend(12) and line.packets[-1].payload == b"v13"


def test_a_relay_that_keeps_voices_is_asked_for_lost_ones() -> None:
    """What a neighbouring relay sends is asked for when it is missing, voices too."""
    told = Line()
    voice = Source("audio", 8, told.send_rtcp, mends=True)
    for seq in (1, 2, 5):
        voice.take(packet(seq, 1, b"v", kind=111))
    (asked,) = [one for data in told.told for one in Rtcp.parse(data)]
    assert (asked.media_ssrc, asked.lost) == (8, [3, 4])
    report = voice.report()
    assert report is not None and (report.packets_lost, report.fraction_lost) == (2, 256 * 2 // 5)


def test_a_line_gives_each_picture_something_before_any_gets_more() -> None:
    """Screens come first, then who speaks; a line too thin for all leaves out the last and says so by giving nothing."""
    sizes = ("q", "h", "f")
    wishes = [
        Wish("a", "camera", "f", sizes, speaks=False),
        Wish("b", "camera", "f", sizes, speaks=True),
        Wish("s", "screen", "f", ("",), speaks=False),
    ]
    assert allot(wishes, 10_000) == {"a": "f", "b": "f", "s": "f"}
    assert allot(wishes, 2_600) == {"a": "q", "b": "f", "s": "f"}
    assert allot(wishes, 1_400) == {"a": "", "b": "q", "s": "f"}
    assert allot(wishes, 64) == {"a": "", "b": "", "s": ""}
    assert allot([Wish("a", "camera", "h", sizes, speaks=False)], 9_000) == {"a": "h"}


@given(st.lists(st.floats(0, 1), max_size=50))
def test_a_line_that_loses_is_given_less_and_recovers(losses: list[float]) -> None:
    """Whatever is lost, one voice always goes and never more than was configured; without loss all of it is there again."""
    rate = 7_500.0
    for lost in losses:
        after = paced(rate, 7_500, lost)
        assert LOWEST <= after <= 7_500 and (after < rate or lost <= 0.1 or rate == LOWEST)
        rate = after
    for _ in range(100):
        rate = paced(rate, 7_500, 0.0)
    assert rate == 7_500


def test_a_room_knows_who_sends_what() -> None:
    """Each change is a new version; who leaves takes everything along; who only looks on and falls silent is absent."""
    room = Room("r")
    room.seen("a", "A", 0.0)
    room.seen("b", "B", 0.0)
    stream = room.publish("a", "camera", "video")
    stream.layers[""] = Source("video", 7, lambda data: None)
    sink = made("video", stream.layers, Line())
    room.view("b", {stream.id: sink})
    version = room.version
    assert room.absent(11.0) == [] and room.absent(91.0) == ["a", "b"], "who asks nothing for very long is gone whatever is sent"
    assert [one.id for one in room.others("b")] == [stream.id] and room.others("a") == []
    room.withdraw("a", "camera")
    assert room.version > version and not room.views["b"] and sink.source is None
    room.blind("b")
    assert room.absent(11.0) == ["a", "b"]


@given(
    st.one_of(
        st.binary(max_size=300), st.recursive(st.none() | st.integers() | st.text(), lambda each: st.lists(each) | st.dictionaries(st.text(), each))
    )
)
def test_nonsense_is_no_word_of_a_neighbour(what: object) -> None:
    """Any bytes, and any JSON under any tag, are a word that could be or refused by name."""
    given = (
        [what]
        if isinstance(what, bytes)
        else [json.dumps({"word": tag, **(what if isinstance(what, dict) else {"room": what})}).encode() for tag in TAGS]
    )
    for data in given:
        try:
            word = words.read(data)
        except Invalid as error:
            assert error.code == "malformed"
        else:
            assert words.read(words.write(word)) == word


@given(st.binary(max_size=200))
def test_nonsense_is_no_packet_or_a_harmless_one(data: bytes) -> None:
    """Any bytes go through reader, extensions and descriptor without an error, and through a source into well-formed packets or nothing."""
    line = Line()
    pictures = Source("video", 7, line.send_rtcp, level=3)
    made("video", {"": pictures}, line)
    pictures.take(data)
    rtp.extension(data, 3)
    rtp.picture(data)
    assert all(one.ssrc == 99 for one in line.packets)
