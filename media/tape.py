"""A recording while it is made: what a viewer would get, written down packet by packet as it comes.

A relay records a room while the chair's word says so and the chair is at its node. Each stream has a file of RTP packets beside
``session.json``; what was written stands there whatever becomes of the process. :mod:`media.mux` makes WebM files of them afterwards.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import struct
import time
from pathlib import Path
from typing import Any, BinaryIO

from media import sdp
from media.room import Room, Stream
from media.sink import Sink
from node import logs

log = logs.named("tape")
VIEWER = "tape"
"Name under which a recording is among a room's viewers."
LAYERS = {"camera": "h", "screen": "f"}
"Size in which pictures are recorded."
HEAD = struct.Struct("!IH")
"Milliseconds since the session began, and bytes of the packet that follows."
MOST, SPARE = 8 << 30, 1 << 30
"Bytes of one session, and bytes that stay free on the disk."


class Track:
    """One stream's file, which a sink takes for a viewer."""

    def __init__(self, tape: Tape, file: Path, about: dict[str, str]) -> None:
        self.tape, self.about, self._out = tape, about, file.open("ab")

    def send(self, data: bytes) -> None:
        """A packet to keep."""
        self.tape.write(self._out, data)

    def send_rtcp(self, data: bytes) -> None:
        """Reports are for viewers that play."""

    def flush(self) -> None:
        """What came so far stays, whatever becomes of the process."""
        self._out.flush()

    def close(self) -> None:
        """No more of it comes."""
        with contextlib.suppress(OSError):
            self._out.close()


class Tape:
    """A recording that is being made."""

    def __init__(self, room: Room, folder: Path) -> None:
        self.room, self.began, self.written, self.full = room, int(time.time() * 1000), 0, False
        self.folder = folder / room.id / str(self.began)
        self.folder.mkdir(parents=True, mode=0o700)
        self._start = time.monotonic()
        self._tracks: dict[str, Track] = {}
        self._kept: list[dict[str, str]] = []
        room.views[VIEWER] = {}
        self._save()

    def write(self, out: BinaryIO, data: bytes) -> None:
        """Append a packet, unless there is no room left."""
        if self.full:
            return
        try:
            out.write(HEAD.pack(int((time.monotonic() - self._start) * 1000) & 0xFFFFFFFF, len(data)) + data)
        except OSError as error:
            log.error("recording.stopped", room=self.room.id, error=str(error))
            self.full = True
        self.written += len(data)

    def second(self) -> None:
        """Take up who began to send, and keep what was written so far."""
        sinks = self.room.views.setdefault(VIEWER, {})
        for stream in self.room.streams.values():
            if stream.id not in sinks and stream.layers:
                sinks[stream.id] = self._sink(stream)
            if stream.id in sinks:
                sinks[stream.id].want(LAYERS.get(stream.what, "h"))
        for id_ in [id_ for id_ in self._tracks if id_ not in self.room.streams]:
            self._tracks.pop(id_).close()
        for track in self._tracks.values():
            track.flush()
        self.full |= self.written > MOST or shutil.disk_usage(self.folder).free < SPARE

    def _sink(self, stream: Stream) -> Sink:
        name = next((one.name for one in self.room.members.values() if one.person == stream.person), stream.person)
        about = {"file": f"{len(self._kept)}.rtp", "person": stream.person, "name": name, "what": stream.what, "kind": stream.kind}
        track = self._tracks[stream.id] = Track(self, self.folder / about["file"], about)
        self._kept.append(about)
        self._save()
        return Sink(secrets.randbits(31) | 1, sdp.OPUS if stream.kind == "audio" else sdp.VP8, track, stream.layers)  # type: ignore[arg-type]

    def close(self) -> Path:
        """No more is recorded; the folder to be made into films."""
        self.room.blind(VIEWER)
        for track in self._tracks.values():
            track.close()
        self._tracks.clear()
        return self.folder

    def _save(self) -> None:
        save(self.folder, {"began": self.began, "tracks": self._kept, "films": None})


def save(folder: Path, about: dict[str, Any]) -> None:
    """Write what a session consists of, in one step."""
    new = folder / "session.new"
    new.write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")
    new.replace(folder / "session.json")


def load(folder: Path) -> dict[str, Any]:
    """What a session consists of: ``{began, tracks, films}``; films are None until they are made."""
    found: dict[str, Any] = json.loads((folder / "session.json").read_text(encoding="utf-8"))
    return found


def unfinished(root: Path) -> list[Path]:
    """Sessions of which no films were made yet; those whose notes cannot be read are left alone."""
    found = []
    for file in sorted(root.glob("*/*/session.json")):
        with contextlib.suppress(OSError, ValueError, KeyError):
            if load(file.parent)["films"] is None:
                found.append(file.parent)
    return found
