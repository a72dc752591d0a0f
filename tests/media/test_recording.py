"""Recordings: what was sent over real DTLS and SRTP can be played, what is cut off is kept, and only the chair's node records."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import av
import pytest

from media import mux, tape
from media.relay import Relay
from media.transport import Port
from node.errors import Refused
from node.tickets import Gate
from tests.media.test_relay import SECRET, sends, ticket, until


async def recorded(folder: Path, *, crash: bool = False) -> Path:
    """A chair and a guest are recorded for a while; the folder of the session."""
    relay = Relay(Port("127.0.0.1", 0), Gate(SECRET), recordings=folder)
    work = asyncio.ensure_future(relay.run())
    try:
        chair, guest = await sends(relay, "a", chairs=True), await sends(relay, "b")
        with pytest.raises(Refused):
            await relay.lead(ticket("b"), json.dumps({"record": True}))
        await relay.lead(ticket("a", chairs=True), json.dumps({"record": True}))
        assert (await relay.state(ticket("b")))["control"]["record"] is True
        made = await until(lambda: relay.tapes.get("room"))
        await until(lambda: len(sinks := relay.rooms["room"].views["tape"]) == 4 and all(sink.sent > 60 for sink in sinks.values()))
        if not crash:
            await relay.lead(ticket("a", chairs=True), json.dumps({"record": False}))
            await until(lambda: not relay.tapes and tape.load(made.folder)["films"] is not None)
        for pc in (chair, guest):
            await pc.close()
        return Path(made.folder)
    finally:
        work.cancel()
        await relay.close()


def plays(file: Path) -> tuple[int, int, float]:
    """(pictures, voices, seconds) that a player finds in a film, and that it can begin in the middle."""
    with av.open(str(file)) as film:
        pictures = sum(1 for _ in film.decode(video=0))
        length = film.duration / 1_000_000
    with av.open(str(file)) as film:
        voices = sum(1 for _ in film.decode(audio=0))
    with av.open(str(file)) as film:
        film.seek(film.duration // 2)
        assert next(film.decode(video=0)).width == 640
    return pictures, voices, length


def test_what_was_recorded_plays(tmp_path: Path) -> None:
    """Each person's camera and voice are one film that decodes from beginning to end; the packets are gone."""
    folder = asyncio.run(recorded(tmp_path))
    films = tape.load(folder)["films"]
    assert {(one["person"], one["what"]) for one in films} == {("a", "camera"), ("b", "camera")} and not list(folder.glob("*.rtp"))
    for one in films:
        pictures, voices, length = plays(folder / one["file"])
        assert pictures > 20 and voices > 20 and length > 1 and one["size"] == (folder / one["file"]).stat().st_size
    assert tape.unfinished(tmp_path) == []


def test_what_was_recorded_before_a_crash_plays(tmp_path: Path) -> None:
    """A relay that ends in the middle leaves what came until then; a file that is cut off in a packet plays up to there."""
    folder = asyncio.run(recorded(tmp_path, crash=True))
    assert tape.unfinished(tmp_path) == [folder]
    for raw in folder.glob("*.rtp"):
        data = raw.read_bytes()
        raw.write_bytes(data[:-7])
    films = mux.films(folder)
    assert len(films) == 2 and all(plays(folder / one["file"])[0] > 20 for one in films) and tape.unfinished(tmp_path) == []


def test_noise_makes_no_film(tmp_path: Path) -> None:
    """Files of nonsense end in nothing, and in no error."""
    folder = tmp_path / "room" / "1"
    folder.mkdir(parents=True)
    tracks = [{"file": f"{n}.rtp", "person": "a", "name": "A", "what": "camera", "kind": kind} for n, kind in enumerate(("video", "audio"))]
    tape.save(folder, {"began": 1, "tracks": tracks, "films": None})
    (folder / "0.rtp").write_bytes(bytes(range(256)) * 40)
    (folder / "1.rtp").write_bytes(b"".join(tape.HEAD.pack(n, 20) + bytes([0x80, 96, 0, n]) + bytes(16) for n in range(90)))
    assert all(one["what"] == "camera" for one in mux.films(folder))


def test_nothing_says_it_records_when_the_chair_is_gone(tmp_path: Path) -> None:
    """A deputy cannot have it recorded; when the chair goes, the recording ends for all to see, and what there was becomes films."""

    async def story() -> None:
        relay = Relay(Port("127.0.0.1", 0), Gate(SECRET), recordings=tmp_path)
        work = asyncio.ensure_future(relay.run())
        try:
            chair, guest = await sends(relay, "a", chairs=True), await sends(relay, "b")
            await relay.lead(ticket("a", chairs=True), json.dumps({"deputies": ["b"]}))
            with pytest.raises(Refused):
                await relay.lead(ticket("b"), json.dumps({"record": True}))
            await relay.lead(ticket("a", chairs=True), json.dumps({"record": True}))
            await until(lambda: relay.tapes and all(sink.sent > 30 for sink in relay.rooms["room"].views["tape"].values()))
            await relay.leave(ticket("a", chairs=True))
            await until(lambda: not relay.tapes and not relay.rooms["room"].control.record)
            await until(lambda: not tape.unfinished(tmp_path))
            for pc in (chair, guest):
                await pc.close()
        finally:
            work.cancel()
            await relay.close()

    asyncio.run(story())
