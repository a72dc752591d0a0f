"""Making films of a recording, in a process of its own: ``python -m media.mux FOLDER``. Packets become WebM (VP8, Opus) without being decoded.

One film a person and camera or screen: voices of several people in one film could not be told apart, and mixing them would mean
decoding. What was lost on the way is left out; a picture of which a part is missing is not shown. The packets are removed when the
films are whole.
"""

from __future__ import annotations

import hashlib
import heapq
import sys
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, dropwhile
from pathlib import Path
from typing import Any

import av
from aiortc.codecs.vpx import VpxPayloadDescriptor

from media import rtp, tape

WINDOW = 256
"Packets among which those that came late are put in their place."
MILLI = Fraction(1, 1000)
RATE = {"audio": 48_000, "video": 90_000}


@dataclass(frozen=True)
class Frame:
    """A picture, or a moment of a voice."""

    at: int
    "Milliseconds since the session began."
    data: bytes
    key: bool


def films(folder: Path) -> list[dict[str, Any]]:
    """Make the films of a session: ``{file, person, name, what, size, sha256, seconds}``; the packets go."""
    about = tape.load(folder)
    if about["films"] is not None:
        return list(about["films"])
    made: list[dict[str, Any]] = []
    groups: dict[tuple[str, str], list[dict[str, str]]] = {}
    for track in about["tracks"]:
        groups.setdefault((track["person"], track["what"]), []).append(track)
    for number, ((person, what), tracks) in enumerate(groups.items(), 1):
        file = folder / f"{number}-{what}.webm"
        seconds = _film(file, {kind: [folder / one["file"] for one in tracks if one["kind"] == kind] for kind in RATE})
        if seconds:
            whose = {"file": file.name, "person": person, "name": tracks[0]["name"], "what": what, "seconds": seconds}
            made.append(whose | {"size": file.stat().st_size, "sha256": _sum(file)})
    tape.save(folder, about | {"films": made})
    for one in about["tracks"]:
        (folder / one["file"]).unlink(missing_ok=True)
    return made


def _sum(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _film(file: Path, parts: dict[str, list[Path]]) -> int:
    """Write a film, frame by frame; its length in whole seconds, at least 1, or 0 where there was nothing to write."""
    voices = chain.from_iterable(_frames(path, "audio") for path in parts["audio"] if path.exists())
    pictures = dropwhile(lambda one: not one.key, chain.from_iterable(_frames(path, "video") for path in parts["video"] if path.exists()))
    heard, seen = next(voices, None), next(pictures, None)
    if heard is None and seen is None:
        return 0
    with av.open(str(file), "w", format="webm") as out:
        ways: list[Iterator[tuple[Frame, Any]]] = []
        if seen is not None:
            stream: Any = out.add_stream("libvpx", rate=30)
            stream.width, stream.height = _size(seen.data)
            ways.append(_with(chain([seen], pictures), stream))
        if heard is not None:
            ways.append(_with(chain([heard], voices), out.add_stream("libopus", rate=RATE["audio"], layout="stereo")))
        first, last = -1, dict[int, int]()
        for frame, stream in heapq.merge(*ways, key=lambda one: one[0].at):
            at = max(frame.at, last.get(stream.index, -1) + 1)
            first, last[stream.index] = (at if first < 0 else first), at
            packet = av.Packet(frame.data)
            packet.stream, packet.time_base, packet.pts, packet.dts, packet.is_keyframe = stream, MILLI, at, at, frame.key
            out.mux(packet)
    return max(1, (max(last.values()) - first) // 1000)


def _with(frames: Iterator[Frame], stream: Any) -> Iterator[tuple[Frame, Any]]:
    return ((frame, stream) for frame in frames)


def _frames(path: Path, kind: str) -> Iterator[Frame]:
    """What a stream's packets hold, in order."""
    origin: tuple[int, int] | None = None
    picture: list[bytes] = []
    expected = -1
    for number, stamp, came, packet in _ordered(path):
        origin = origin or (stamp, came)
        at = max(0, origin[1] + (stamp - origin[0]) * 1000 // RATE[kind])
        if kind == "audio":
            if packet.payload:
                yield Frame(at, packet.payload, True)
            continue
        try:
            head, part = VpxPayloadDescriptor.parse(packet.payload) if packet.payload else (None, b"")
        except ValueError:
            continue
        if head is not None and head.partition_start and not head.partition_id:
            picture, expected = [part], number + 1
        elif picture and number == expected:
            picture.append(part)
            expected += 1
        else:
            picture = []
        if picture and packet.marked:
            data = b"".join(picture)
            picture = []
            if len(data) > 10:
                yield Frame(at, data, not data[0] & 1)


def _ordered(path: Path) -> Iterator[tuple[int, int, int, rtp.Packet]]:
    """(number, time, when it came, packet) by number, each once; numbers and times do not turn over."""
    waiting: list[tuple[int, int, int, bytes]] = []
    last = -1
    for one in _counted(path):
        heapq.heappush(waiting, one)
        if len(waiting) > WINDOW:
            last = yield from _next(waiting, last)
    while waiting:
        last = yield from _next(waiting, last)


def _next(waiting: list[tuple[int, int, int, bytes]], last: int) -> Generator[tuple[int, int, int, rtp.Packet], None, int]:
    number, stamp, came, data = heapq.heappop(waiting)
    packet = rtp.read(data)
    if packet is not None and number > last:
        yield number, stamp, came, packet
    return max(number, last)


def _counted(path: Path) -> Iterator[tuple[int, int, int, bytes]]:
    """(number, time, when it came, bytes) of the packets of a file, up to where it was cut off."""
    number = stamp = -1
    with path.open("rb") as file:
        while len(head := file.read(tape.HEAD.size)) == tape.HEAD.size:
            came, length = tape.HEAD.unpack(head)
            packet = rtp.read(data := file.read(length))
            if packet is None or len(data) < length:
                continue
            number = packet.seq + (1 << 16) if number < 0 else number + _signed(packet.seq - number, 16)
            stamp = packet.time + (1 << 32) if stamp < 0 else stamp + _signed(packet.time - stamp, 32)
            yield number, stamp, came, data


def _signed(difference: int, bits: int) -> int:
    """The nearest way around a counter of so many bits."""
    whole = 1 << bits
    found = difference % whole
    return found - whole if found >= whole // 2 else found


def _size(key: bytes) -> tuple[int, int]:
    """Width and height of a VP8 key frame (RFC 6386, 9.1)."""
    return int.from_bytes(key[6:8], "little") & 0x3FFF, int.from_bytes(key[8:10], "little") & 0x3FFF


if __name__ == "__main__":
    films(Path(sys.argv[1]))
