"""The line to one neighbouring relay: one encrypted association over the shared port, every stream at most once and in one layer."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from aiortc import RTCDtlsFingerprint, RTCDtlsParameters

from media import feedback, rtp, sdp
from media.allot import paced
from media.control import Sign
from media.room import LINK, Room, Stream
from media.sink import Sink
from media.source import Source
from media.transport import Peer
from media.words import VERSION, Hello, Told, Track, Word
from node import logs

log = logs.named("relay")
DEAD = 5.0
"Seconds without a word after which a neighbour counts as away."
CALL, CHECK = 1.0, 2.0
"Seconds until an unanswered call is repeated, and between two checks of the way."
MOST_PEOPLE, MOST_TRACKS = 2_000, 2_000
"People and streams of one room behind one neighbour."


@dataclass
class Link:
    """A neighbour, as long as it may be one."""

    here: str
    "Id of this node."
    node: str
    up: bool
    "Whether it is the relay above, which this one calls."
    say: Callable[[Word], None]
    connect: Callable[[], Peer]
    peer: Peer | None = None
    session: str = ""
    open: bool = False
    "Whether both have said hello."
    heard: float = 0.0
    "When its last word came, monotonic seconds."
    sources: dict[int, Source] = field(default_factory=dict)
    "What comes, by SSRC."
    sinks: dict[int, Sink] = field(default_factory=dict)
    "What may go, by SSRC."
    rate: float = 0.0
    "Kilobits a second that the line carries now."
    came: int = 0
    "Kilobits that came in the last second."
    lost: float = 0.0
    "Part of what was sent in the last second that did not arrive."
    rooms: set[str] = field(default_factory=set)
    "Rooms that concern the neighbour."
    told: dict[str, int] = field(default_factory=dict)
    "Room to its changes of which the neighbour was told."
    counts: Counter[str] = field(default_factory=Counter)
    _bytes: int = 0
    _called: float = 0.0
    _checked: float = 0.0
    _task: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """As a viewer of rooms."""
        return LINK + self.node

    # --- the association ----------------------------------------------------------------------------------------

    def call(self, now: float) -> None:
        """Say hello to the relay above, again until it answers."""
        if self.open or now - self._called < CALL:
            return
        self._called = now
        if self.peer is None:
            self.session, self.peer = secrets.token_hex(8), self._peer()
        self._say_hello()

    def hello(self, word: Hello, now: float) -> bool:
        """The neighbour says hello; whether a new session begins."""
        self.heard = now
        if self.up:
            if word.session != self.session or self.open or self.peer is None:
                return False
            self.peer.ice.call(word.name, word.secret, (word.ip, word.port))
        else:
            if word.session == self.session:
                self._say_hello()  # the answer was lost
                return False
            self.session, self.peer = word.session, self._peer()
            self._say_hello()
        self.open = True
        self._task = asyncio.get_running_loop().create_task(self._shake(self.peer, word))
        return True

    def _peer(self) -> Peer:
        peer = self.connect()
        peer.on_rtp = self._take
        peer.on_rtcp = self._take_rtcp
        return peer

    def _say_hello(self) -> None:
        assert self.peer is not None
        ice = self.peer.ice
        self.say(Hello(VERSION, self.session, ice.ufrag, ice.pwd, " ".join(self.peer.fingerprint), ice.port.ip, ice.port.number))

    async def _shake(self, peer: Peer, word: Hello) -> None:
        algorithm, value = word.fingerprint.split(" ")
        keys = RTCDtlsParameters(fingerprints=[RTCDtlsFingerprint(algorithm=algorithm, value=value)], role="auto")
        try:
            await peer.start(keys, server=not self.up)
        except ConnectionError:
            self.counts["handshakes"] += 1
        log.info("line", node=self.node, connected=peer.connected)
        for source in self.sources.values():
            source.key_frame()

    def alive(self, now: float) -> bool:
        """Whether the neighbour is there; the way to it is checked now and then."""
        if self.peer is None or not self.open:
            return False
        if self.up and now - self._checked > CHECK:
            self._checked = now
            self.peer.ice.check()
        return now - self.heard < DEAD and not self.peer.gone

    def forgo(self) -> Peer | None:
        """Forget the association, so that another may begin at once; its transport is still to be closed."""
        peer, self.peer, self.open, self.session = self.peer, None, False, ""
        for held in (self.sources, self.sinks, self.rooms, self.told):
            held.clear()
        if self._task is not None:
            self._task.cancel()
        return peer

    # --- packets ------------------------------------------------------------------------------------------------

    def _take(self, data: bytes) -> None:
        source = self.sources.get(int.from_bytes(data[8:12], "big"))
        if source is None:
            self.counts["unnamed"] += 1
            return
        self.counts["bytes_in"] += len(data)
        source.take(data)

    def _take_rtcp(self, data: bytes) -> None:
        packets = feedback.read(data, self.counts)
        feedback.from_sender(packets, self.sources)
        feedback.from_viewer(packets, self.sinks, self.counts)

    # --- rooms --------------------------------------------------------------------------------------------------

    def learn(self, room: Room, told: Told, now: float) -> None:
        """Take over how a room stands behind the neighbour."""
        self._learn_people(room, {person: (name, sign) for person, name, sign in told.people[:MOST_PEOPLE]}, now)
        if told.people and room.outer is None and told.control.follows(room.control, above=self.up):
            room.led(told.control)
        known = {one.far: one for one in room.streams.values() if one.via == self.node}
        named = {one.id: one for one in told.tracks[:MOST_TRACKS]}
        gone = [stream for far, stream in known.items() if far not in named]
        for stream in gone:
            self.sources.pop(stream.layers[""].ssrc, None)
        room.drop(gone)
        for far, track in named.items():
            held = known.get(far) or self._learn_track(room, track)
            if held is not None and held.held != track.held:
                held.held = track.held
                room.changed += 1
        sinks = room.views.get(self.name, {})
        for id_, sink in sinks.items():
            if sink.wanted != (layer := told.wants.get(id_, "")):
                sink.wanted = layer
                room.changed += 1

    def _learn_people(self, room: Room, people: dict[str, tuple[str, Sign]], now: float) -> None:
        for person in [one.person for one in room.members.values() if one.via == self.node and one.person not in people]:
            del room.members[person]
            room.changed += 1
        for person, (name, sign) in people.items():
            room.arrived(person, name, self.node, sign, now)

    def _learn_track(self, room: Room, track: Track) -> Stream | None:
        member = room.members.get(track.person)
        if track.ssrc in self.sources or self.peer is None or member is None or member.via != self.node:
            self.counts["refused"] += 1  # a stream of somebody who is elsewhere, or under a number that another has
            return None
        stream = room.publish(track.person, track.what, track.kind, via=self.node, far=track.id, sizes=track.sizes)
        level = rtp.LEVEL_ID if track.kind == "audio" else 0
        self.sources[track.ssrc] = stream.layers[""] = Source(track.kind, track.ssrc, self.peer.send_rtcp, level=level, mends=True)
        return stream

    def tell(self, room: Room) -> None:
        """Say how a room stands on this side, unless it was said."""
        if self.told.get(room.id) == room.changed or self.peer is None:
            return
        sinks = self._sinks(room, self.peer)
        people = tuple((one.person, one.name, one.sign) for one in room.members.values() if one.via != self.node)
        tracks = tuple(
            Track(id_, one.person, one.what, one.kind, sink.ssrc, tuple(one.offered), sink.held or one.held)
            for id_, sink in sinks.items()
            if (one := room.streams[id_])
        )
        wants = {one.far: layer for one in room.streams.values() if one.via == self.node and (layer := room.wanted(one))}
        self.told[room.id] = room.changed
        self.say(Told(room.id, tuple(sorted(room.homes - {self.here})), people, room.control, tracks, wants))

    def _sinks(self, room: Room, peer: Peer) -> dict[str, Sink]:
        """One sink for each stream that does not come from the neighbour itself; what is gone has gone with its stream."""
        sinks = room.views.setdefault(self.name, {})
        for stream in room.streams.values():
            if stream.via != self.node and stream.id not in sinks and stream.layers:
                sink = Sink(secrets.randbits(31) | 1, sdp.OPUS if stream.kind == "audio" else sdp.VP8, peer, stream.layers)
                sinks[stream.id] = sink
        return sinks

    def sort(self, rooms: Iterable[Room]) -> None:
        """Find anew which streams go to the neighbour."""
        self.sinks = {sink.ssrc: sink for room in rooms for sink in room.views.get(self.name, {}).values()}

    def forget(self, room: str) -> None:
        """The room is over on this side."""
        if self.told.pop(room, None) is not None:
            self.say(Told(room))

    def report(self, configured: float) -> None:
        """Tell the neighbour what arrived, and see from its reports how much the line carries."""
        if self.peer is None:
            return
        feedback.report(self.peer, self.sources.values())
        self.came, self._bytes = (self.counts["bytes_in"] - self._bytes) // 125, self.counts["bytes_in"]
        going = [sink for sink in self.sinks.values() if sink.source is not None]
        self.lost = sum(sink.lost for sink in going) / len(going) if going else 0.0
        for sink in going:
            sink.lost = 0.0
        self.rate = paced(self.rate or configured, configured, self.lost)

    def status(self, now: float) -> dict[str, object]:
        """How the line stands."""
        silent = round(now - self.heard, 1) if self.heard else None
        going = sum(sink.source is not None for sink in self.sinks.values())
        about = {"node": self.node, "up": self.up, "open": self.open, "silent": silent, "kbps": round(self.rate)}
        return about | {"came_kbps": self.came, "lost": round(self.lost, 3), "comes": len(self.sources), "goes": going, "counts": dict(self.counts)}
