"""What the portal asks of the relay: to take what a browser sends, to send what others do, to say how a room stands."""

from __future__ import annotations

import asyncio
import secrets
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiortc import RTCCertificate, RTCDtlsParameters

from media import control, feedback, rtp, sdp
from media.cascade import Cascade
from media.room import LOWEST_FIRST, Room, Stream
from media.sdp import Offered
from media.sink import Sink
from media.source import Source
from media.tape import Tape
from media.transport import Peer, Port
from node import logs
from node.errors import Conflict, Full, Invalid, Missing, Refused
from node.tickets import Gate, Ticket

log = logs.named("relay")
ROOT = Path(__file__).resolve().parent.parent
WHATS = ("camera", "screen")
HANDSHAKE = 20.0
"Seconds in which a browser must have come after its answer."
MOST_ROOMS, MOST_MEMBERS = 200, 250
TICK, REPORT = 0.04, 1.0
"Seconds between two looks at holes, and between two reports to senders."
ENDED = 60.0
"Seconds for which a room that has ended still says so."
DEFAULT = "h"
"The layer that is shown before somebody asks for another."


@dataclass
class Sending:
    """What comes from one browser over one connection."""

    peer: Peer
    person: str
    what: str
    streams: list[Stream] = field(default_factory=list)


@dataclass
class Viewing:
    """What goes to one browser over one connection."""

    peer: Peer
    id: str
    person: str
    sinks: dict[str, Sink]


class Relay:
    """The rooms of a node and everybody's connections."""

    def __init__(self, port: Port, gate: Gate, node: str = "", *, recordings: Path | None = None) -> None:
        """``recordings`` is where rooms are recorded; None where none are."""
        self.recordings = recordings
        self.tapes: dict[str, Tape] = {}
        "Recordings that are being made, by room."
        self.port, self.gate = port, gate
        self.rooms: dict[str, Room] = {}
        self.sending: dict[tuple[str, str, str], Sending] = {}
        "By room, person and what."
        self.viewing: dict[tuple[str, str], Viewing] = {}
        self._offered: dict[str, tuple[str, Viewing]] = {}
        self.life = secrets.token_hex(4)
        "Part of every version, so that none of a former process is taken for one of this."
        self._certificate = RTCCertificate.generateCertificate()
        self.cascade = Cascade(node, self.rooms, lambda: Peer(port, self._certificate), MOST_ROOMS)
        "The relays next to this one."
        self._tasks: set[asyncio.Task[Any]] = set()
        self._over: dict[str, float] = {}
        self.counts: Counter[str] = Counter()

    # --- requests -----------------------------------------------------------------------------------------------

    async def publish(self, ticket: str, what: str, description: str) -> dict[str, Any]:
        """Take what a browser sends: ``{sdp}`` is the answer to its offer. What the same person sent before ends."""
        allowed, room = self._enter(ticket)
        if not allowed.speaks:
            raise Refused("who watches sends nothing", code="watcher")
        if what not in WHATS:
            raise Invalid(f"camera or screen, not {what[:40]!r}", code="malformed")
        peer = Peer(self.port, self._certificate)
        try:
            text, keys, offered = sdp.answer(description, peer)
        except BaseException:
            peer.ice.close()
            raise
        sending = Sending(peer, allowed.person, what)
        await self._stop((room.id, allowed.person, what))
        self.sending[room.id, allowed.person, what] = sending
        self._begin(self._receive(room, sending, keys, offered))
        return {"sdp": text}

    async def view(self, ticket: str) -> dict[str, Any]:
        """Offer what the others send: ``{view, sdp, tracks: [{mid, stream, person, what, kind}], version}``; no description where nobody sends."""
        allowed, room = self._enter(ticket)
        streams = [one for one in room.others(allowed.person) if one.layers]
        if not streams:
            return {"view": "", "sdp": "", "tracks": [], "version": self._version(room)}
        peer = Peer(self.port, self._certificate)
        sinks = {one.id: Sink(secrets.randbits(31) | 1, sdp.OPUS if one.kind == "audio" else sdp.VP8, peer, one.layers) for one in streams}
        sent = [sdp.Sent(one.kind, f"m{at}", sinks[one.id].ssrc, f"{one.person}.{one.what}") for at, one in enumerate(streams)]
        viewing = Viewing(peer, secrets.token_hex(8), allowed.person, sinks)
        self._offered[viewing.id] = (room.id, viewing)
        asyncio.get_running_loop().call_later(HANDSHAKE, self._forget, viewing.id)
        tracks = [
            {"mid": mid.mid, "stream": one.id, "person": one.person, "what": one.what, "kind": one.kind}
            for mid, one in zip(sent, streams, strict=True)
        ]
        return {"view": viewing.id, "sdp": sdp.offer(sent, peer), "tracks": tracks, "version": self._version(room)}

    async def answer(self, ticket: str, view: str, description: str) -> dict[str, Any]:
        """The browser's answer to what was offered."""
        allowed, room = self._enter(ticket)
        place, viewing = self._offered.get(view, ("", None))
        if viewing is None or (place, viewing.person) != (room.id, allowed.person):
            raise Missing("nothing was offered under this name")
        keys = sdp.keys(sdp.parse(description))
        del self._offered[view]
        self._begin(self._send(room, viewing, keys))
        return {}

    async def want(self, ticket: str, stream: str, layer: str) -> dict[str, Any]:
        """Show somebody's picture in another size."""
        allowed, room = self._enter(ticket)
        sink = room.views.get(allowed.person, {}).get(stream)
        if sink is not None:
            sink.want(layer if layer in LOWEST_FIRST else DEFAULT)
            room.changed += 1
        return {}

    async def state(self, ticket: str) -> dict[str, Any]:
        """Who is here, who speaks, what is sent; whoever asks counts as present."""
        _allowed, room = self._enter(ticket)
        return room.state(time.monotonic()) | {"version": self._version(room)}

    async def show(self, ticket: str, hand: str = "", here: str = "", vote: str = "") -> dict[str, Any]:
        """Somebody raises the hand (``hand`` is up or down), answers the roll call (``here``), or votes."""
        allowed, room = self._enter(ticket)
        sign: dict[str, Any] = {"hand": hand == "up"} if hand else {}
        sign |= {"here": room.control.roll} if here else {}
        sign |= {"poll": room.control.poll, "vote": vote} if vote else {}
        room.shows(allowed.person, **sign)
        return {}

    async def lead(self, ticket: str, wish: str) -> dict[str, Any]:
        """The chair's or a deputy's word, see :func:`media.control.read`."""
        allowed, room = self._enter(ticket)
        _leads(allowed, room)
        word = control.read(wish, room.control)
        if word.record is not room.control.record and not allowed.chairs:
            raise Refused("a call is recorded by its chair's word, at the chair's node", code="not_chair")
        room.led(word)
        return {}

    async def nest(self, ticket: str, on: str) -> dict[str, Any]:
        """The chair or a deputy takes the subtree of this node out of the room, or (``on`` empty) gives it back."""
        allowed, room = self._enter(ticket)
        _leads(allowed, room)
        self.cascade.nest(room, on=bool(on))
        return {}

    async def stop(self, ticket: str, what: str) -> dict[str, Any]:
        """Somebody sends one thing no more."""
        allowed, room = self._enter(ticket)
        await self._stop((room.id, allowed.person, what))
        return {}

    async def leave(self, ticket: str) -> dict[str, Any]:
        """Somebody goes."""
        allowed, room = self._enter(ticket)
        await self._gone(room, allowed.person)
        return {}

    async def end(self, ticket: str) -> dict[str, Any]:
        """The room is over for everybody: ``{people}`` were there."""
        allowed, room = self._enter(ticket, ended=True)
        if not allowed.chairs:
            raise Refused("a room is ended by its chair", code="not_chair")
        people = [one.person for one in room.members.values()]
        room.ended = True
        room.version += 1
        self._over[room.id] = time.monotonic()
        for person in people:
            await self._gone(room, person)
        return {"people": people}

    def status(self) -> dict[str, Any]:
        """How much there is, and what was dropped."""
        streams = sum(len(room.streams) for room in self.rooms.values())
        sinks = sum(len(sinks) for room in self.rooms.values() for sinks in room.views.values())
        sources = Counter[str]()
        for room in self.rooms.values():
            for source in room.sources():
                sources += source.counts
        about = {"rooms": len(self.rooms), "streams": streams, "sinks": sinks, "peers": len(self.sending) + len(self.viewing)}
        return {**about, "datagrams": dict(self.port.counts), "media": dict(sources + self.counts), "lines": self.cascade.status()}

    def _version(self, room: Room) -> str:
        return f"{self.life}.{room.version}"

    def _enter(self, ticket: str, *, ended: bool = False) -> tuple[Ticket, Room]:
        """The room of a ticket, with its holder in it."""
        allowed = self.gate.take(ticket)
        room = self.rooms.get(allowed.room)
        if room is None:
            if len(self.rooms) >= MOST_ROOMS:
                raise Full("there are too many rooms on this node")
            room = self.rooms[allowed.room] = Room(allowed.room)
        if room.ended and not ended:
            raise Conflict("the room is over", code="ended")
        if allowed.person not in room.members and len(room.members) >= MOST_MEMBERS:
            raise Full("the room is full")
        room.seen(allowed.person, allowed.name, time.monotonic(), chairs=allowed.chairs)
        room.homes.add(allowed.home or self.cascade.node)
        return allowed, room

    # --- connections --------------------------------------------------------------------------------------------

    def _begin(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("connection", error=repr(error))

    async def _receive(self, room: Room, sending: Sending, keys: RTCDtlsParameters, offered: Iterable[Offered]) -> None:
        """Shake hands with a sender; then its streams are there for all."""
        key = (room.id, sending.person, sending.what)
        if not await _started(sending.peer, keys, server=True):
            await self._stop(key, sending)
            return
        by_ssrc: dict[int, Source] = {}
        unnamed: list[tuple[Stream, Offered]] = []
        for one in offered:
            stream = room.publish(sending.person, sending.what, one.kind)
            sending.streams.append(stream)
            if one.layers:
                unnamed.append((stream, one))
            else:
                level = one.ids.get(rtp.AUDIO_LEVEL, 0)
                by_ssrc[one.ssrc] = stream.layers[""] = Source(one.kind, one.ssrc, sending.peer.send_rtcp, level=level)

        def take(data: bytes) -> None:
            ssrc = int.from_bytes(data[8:12], "big")
            source = by_ssrc.get(ssrc) or self._layer(room, sending, unnamed, by_ssrc, ssrc, data)
            if source is not None:
                source.take(data)

        room.quieten()
        sending.peer.on_rtp = take
        sending.peer.on_rtcp = lambda data: feedback.from_sender(feedback.read(data, self.counts), by_ssrc)

    def _layer(
        self, room: Room, sending: Sending, unnamed: list[tuple[Stream, Offered]], known: dict[int, Source], ssrc: int, data: bytes
    ) -> Source | None:
        """A layer that names itself in its first packets."""
        for stream, one in unnamed:
            name = (rtp.extension(data, one.ids.get(rtp.RID, 0)) or b"").decode("ascii", "replace")
            if data[1] & 0x7F == one.payload and name in one.layers and name not in stream.layers:
                known[ssrc] = stream.layers[name] = Source(one.kind, ssrc, sending.peer.send_rtcp, layer=name)
                room.version += 1
                return known[ssrc]
        self.counts["unnamed"] += 1
        return None

    async def _send(self, room: Room, viewing: Viewing, keys: RTCDtlsParameters) -> None:
        """Shake hands with a viewer; then what was offered goes, and what went before ends."""
        server = keys.role == "client"
        if not await _started(viewing.peer, keys, server=server):
            await viewing.peer.close()
            return
        by_ssrc = {sink.ssrc: sink for sink in viewing.sinks.values()}
        viewing.peer.on_rtcp = lambda data: feedback.from_viewer(feedback.read(data, self.counts), by_ssrc, self.counts)
        former = self.viewing.get((room.id, viewing.person))
        self.viewing[room.id, viewing.person] = viewing
        alive = {id_: sink for id_, sink in viewing.sinks.items() if id_ in room.streams}
        room.view(viewing.person, alive)
        room.changed += 1
        for sink in alive.values():
            sink.want(DEFAULT)
        if former is not None:
            await former.peer.close()

    # --- ends ---------------------------------------------------------------------------------------------------

    async def _stop(self, key: tuple[str, str, str], only: Sending | None = None) -> None:
        """End what somebody sends, unless it is another connection by now."""
        held = self.sending.get(key)
        if held is None or only not in (None, held):
            return
        del self.sending[key]
        if (room := self.rooms.get(key[0])) is not None:
            room.withdraw(key[1], key[2])
        await held.peer.close()

    async def _gone(self, room: Room, person: str) -> None:
        for what in WHATS:
            await self._stop((room.id, person, what))
        if (viewing := self.viewing.pop((room.id, person), None)) is not None:
            await viewing.peer.close()
        room.leave(person)

    def _forget(self, view: str) -> None:
        """An offer that nobody answered."""
        _room, viewing = self._offered.pop(view, ("", None))
        if viewing is not None:
            viewing.peer.ice.close()

    # --- time ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Look after everything until cancelled."""
        reported = time.monotonic()
        while True:
            await asyncio.sleep(TICK)
            for room in self.rooms.values():
                for source in room.sources():
                    source.tick()
            self.cascade.tick()
            if time.monotonic() - reported >= REPORT:
                reported = time.monotonic()
                await self._second()

    def _record(self) -> None:
        """Record what is led from this node and is to be recorded, and make films of what is over."""
        for room in list(self.rooms.values()):
            here = any(one.chairs and not one.via for one in room.members.values())
            if room.control.record and here and not room.ended and self.recordings is not None:
                try:
                    if room.id not in self.tapes:
                        self.tapes[room.id] = Tape(room, self.recordings)
                    tape = self.tapes[room.id]
                    tape.second()
                    going = not tape.full
                except OSError as error:
                    log.error("recording.failed", room=room.id, error=str(error))
                    going = False
                if not going:
                    self._unrecord(room)
            elif room.id in self.tapes:
                self._unrecord(room)

    def _unrecord(self, room: Room) -> None:
        """Record no more; nobody is told that it is recorded when it is not."""
        if (tape := self.tapes.pop(room.id, None)) is not None:
            self.film(tape.close())
        if room.control.record and not room.ended:
            room.led(room.control.changed(record=False))

    def film(self, folder: Path) -> None:
        """Make films of a session in a process of its own."""
        self._begin(_filmed(folder))

    async def _second(self) -> None:
        self.cascade.second()
        self._record()
        for key, sending in list(self.sending.items()):
            if sending.peer.gone:
                await self._stop(key, sending)
            else:
                sources = [source for stream in sending.streams for source in stream.layers.values()]
                feedback.report(sending.peer, sources)
                feedback.grant(sending.peer, sources)
        for place, viewing in list(self.viewing.items()):
            if viewing.peer.gone:
                del self.viewing[place]
                self.rooms[place[0]].blind(place[1])
                await viewing.peer.close()
        now = time.monotonic()
        for room in list(self.rooms.values()):
            for person in room.absent(now):
                await self._gone(room, person)
            if not room.members and not room.streams and now - self._over.get(room.id, 0.0) > ENDED:
                del self.rooms[room.id]
                self._over.pop(room.id, None)

    async def close(self) -> None:
        """Say goodbye to everybody."""
        for tape in self.tapes.values():
            tape.close()
        for task in self._tasks:
            task.cancel()
        for peer in [*(one.peer for one in self.sending.values()), *(one.peer for one in self.viewing.values())]:
            await peer.close()
        await self.cascade.close()
        self.port.close()


def _leads(allowed: Ticket, room: Room) -> None:
    """A deputy of the whole room stays one while a node leads its own subtree."""
    known = {*room.control.deputies, *(room.outer.deputies if room.outer is not None else ())}
    if not (allowed.chairs or allowed.person in known):
        raise Refused("a room is led by its chair and deputies", code="not_chair")


async def _filmed(folder: Path) -> None:
    process = await asyncio.create_subprocess_exec("nice", sys.executable, "-m", "media.mux", str(folder), cwd=ROOT)
    if code := await process.wait():
        log.error("recording.unfilmed", folder=str(folder), code=code)


async def _started(peer: Peer, keys: RTCDtlsParameters, *, server: bool) -> bool:
    """Whether the other side came in time and is who it says."""
    try:
        return await asyncio.wait_for(peer.start(keys, server=server), HANDSHAKE)
    except TimeoutError:
        return False
