"""Frames: what is written is read back, and every kind of nonsense is refused by name before it costs anything."""

from __future__ import annotations

import os
import resource

import msgspec
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from node.codec import pack
from node.entry import Hold, Lane
from node.errors import Invalid, NodeError, TooLarge
from node.signals import MOST, Signal
from sync import frames

CHAIN = bytes(range(32))
SAMPLES: list[frames.Frame] = [
    frames.Hello(1, 1, "node", (b"der",), bytes(16), b"", "yiwang 0.1"),
    frames.Have((frames.Position(CHAIN, 7, CHAIN),), True),
    frames.Entries(CHAIN, 0, 1, Lane.ORDINARY, frames.PLAIN, 4, b"1234"),
    frames.Ack(CHAIN, 3, again=False),
    frames.Holds((Hold("n", CHAIN, 6, CHAIN, 1, b"s"),)),
    frames.Want(CHAIN, 0, frames.CHUNK),
    frames.Chunk(CHAIN, 0, b"data"),
    frames.Beat(1, 0, 0, (("n", 5),)),
    frames.Signal(Signal("a", "b", 1, bytes(16), b"sealed", CHAIN, b"s")),
    frames.Enrol("yw1.token", b"request"),
    frames.Admitted(b"answer"),
    frames.Refuse("forged", "no"),
    frames.Checkpoint(b"root"),
]


@pytest.mark.parametrize("frame", SAMPLES, ids=lambda f: type(f).__name__)
def test_each_frame_is_read_back(frame: frames.Frame) -> None:
    """What one side writes the other reads as the same value."""
    assert frames.read(frames.write(frame)) == frame


@pytest.mark.parametrize("frame", SAMPLES, ids=lambda f: type(f).__name__)
def test_no_cut_of_a_frame_is_a_frame(frame: frames.Frame) -> None:
    """A frame cut anywhere, or with anything after it, is refused."""
    whole = frames.write(frame)
    for cut in range(len(whole)):
        with pytest.raises(Invalid):
            frames.read(whole[:cut])
    with pytest.raises(Invalid):
        frames.read(whole + b"\0")


def test_another_encoding_of_the_same_frame_is_refused() -> None:
    """A length written in more bytes than it needs means the same to MessagePack and nothing to a node."""
    whole = frames.write(frames.Refuse("no", "text"))
    longer = whole.replace(b"\xa2no", b"\xd9\x02no")
    assert msgspec.msgpack.decode(longer) == msgspec.msgpack.decode(whole)
    with pytest.raises(Invalid) as caught:
        frames.read(longer)
    assert caught.value.code == "noncanonical"


def test_a_frame_of_an_unknown_number_is_nothing() -> None:
    """A newer neighbour may say more; it is passed over, not refused."""
    assert frames.read(pack((99, "new", 1))) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x90",
        b"\xc0\x01",
        b"\x92\xc3\x01",
        b"{}",
        b"\xdc\xff\xff" + b"\x01" * 10,
        b"\x91\x01" * 5000,
        pack(frames.Hello(0, 1, "n", (), bytes(16), b"", "")),
        pack(frames.Hello(2, 1, "n", (), bytes(16), b"", "")),
        pack(frames.Hello(1, 1, "n", (b"",) * 6, bytes(16), b"", "")),
        pack(frames.Hello(1, 1, "n", (), bytes(15), b"", "")),
        pack(frames.Have((frames.Position(b"short", 1, CHAIN),), True)),
        pack(frames.Have((frames.Position(CHAIN, -1, CHAIN),), True)),
        pack(frames.Entries(CHAIN, -1, 1, Lane.TRUST, 0, 0, b"")),
        pack(frames.Entries(CHAIN, 0, 0, Lane.TRUST, 0, 0, b"")),
        pack(frames.Entries(CHAIN, 1 << 63, 1, Lane.TRUST, 0, 0, b"")),
        pack((3, CHAIN, 0, 1, "fast", 0, 0, b"")),
        pack(frames.Want(CHAIN, 1 << 62, 1)),
        pack(frames.Beat(0, 0, 0, (("n", -5),))),
    ],
)
def test_malformed_frames_are_refused(data: bytes) -> None:
    """Wrong types, wrong lengths and numbers out of range are errors with a code, never another exception."""
    with pytest.raises(Invalid):
        frames.read(data)


@pytest.mark.parametrize(
    "data",
    [
        bytes(frames.MAX_FRAME + 1),
        pack(frames.Have((frames.Position(CHAIN, 1, CHAIN),) * (frames.MAX_POSITIONS + 1), True)),
        pack(frames.Want(CHAIN, 0, frames.CHUNK + 1)),
        pack(frames.Chunk(CHAIN, 0, bytes(frames.CHUNK + 1))),
        pack(frames.Signal(Signal("a", "b", 1, bytes(16), bytes(MOST + 1), CHAIN, b""))),
        pack(frames.Beat(0, 0, 0, (("n", 5),) * (frames.MAX_HEARD + 1))),
    ],
    ids=["frame", "have", "want", "chunk", "signal", "beat"],
)
def test_oversized_frames_are_refused(data: bytes) -> None:
    """Every list and every field has a most."""
    with pytest.raises(TooLarge):
        frames.read(data)


@given(st.binary(max_size=300))
@settings(max_examples=500, deadline=None)
def test_noise_is_never_anything_but_refused(data: bytes) -> None:
    """Random bytes give a frame, nothing, or an error of the tree."""
    try:
        frame = frames.read(data)
    except NodeError:
        return
    assert frame is None or frames.write(frame) == data


def test_a_batch_survives_its_frame() -> None:
    """A batch that compresses, one that does not, and one that would compress too well all arrive as they were."""
    for batch in (b"abc" * 100 + os.urandom(50), os.urandom(1000), bytes(100_000), b""):
        frame = frames.read(frames.entries(CHAIN, 0, 1, Lane.URGENT, batch))
        assert isinstance(frame, frames.Entries)
        assert frames.batch_of(frame) == batch


def bomb(plain: int, **changes: object) -> frames.Entries:
    """An Entries frame whose few bytes decompress to ``plain`` zeros."""
    packed = zstandard.ZstdCompressor(level=19, write_content_size=False).compress(bytes(plain))
    frame = frames.Entries(CHAIN, 0, 1, Lane.TRUST, frames.ZSTD, plain, packed)
    return msgspec.structs.replace(frame, **changes)


def test_a_bomb_costs_its_limit_and_no_more() -> None:
    """A few kilobytes that decompress to 256 MB are refused without being decompressed to the end."""
    frame = bomb(256 * 1024 * 1024)
    assert len(frame.data) < 64 * 1024
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(TooLarge):
        frames.batch_of(frame)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


def test_a_window_larger_than_allowed_is_refused() -> None:
    """A compressed batch cannot ask its reader for a huge window."""
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=27, write_content_size=False)
    packed = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    data = packed.compress(os.urandom(100_000)) + packed.flush()
    with pytest.raises(Invalid):
        frames.batch_of(frames.Entries(CHAIN, 0, 1, Lane.TRUST, frames.ZSTD, 100_000, data))


@pytest.mark.parametrize(
    "frame",
    [bomb(100, size=99), bomb(100, data=b"not zstd"), bomb(100, coding=7), bomb(100, data=b""), bomb(1000, data=bomb(1000).data[:-3])],
    ids=["size", "noise", "coding", "empty", "cut"],
)
def test_a_batch_that_is_not_what_it_says_is_refused(frame: frames.Entries) -> None:
    """A wrong size, another coding, noise and a cut stream are errors with a code."""
    with pytest.raises(Invalid):
        frames.batch_of(frame)
