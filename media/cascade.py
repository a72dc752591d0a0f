"""The relays next to this one: what people of a room send crosses each line once, whatever the audience behind it.

Nodes are a tree, so nothing is routed: what comes from one neighbour goes to the others whom the room concerns. The relay above is told of
rooms to which people above, or beside, were asked (``home`` of their tickets); one below is told of those it has told of itself. A line that
breaks leaves two islands, in which everybody goes on; when it is back, each side says anew who is there.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from media.allot import LINE, VOICE, VOICES, Wish, allot
from media.control import Control
from media.link import Link
from media.room import Room
from media.sink import Sink
from media.speaker import foremost
from media.transport import Peer
from media.words import Alive, Hello, Told, Who, Word, read
from node import logs
from node.errors import Invalid

log = logs.named("relay")
PULSE, ALLOT, BEAT = 0.1, 0.25, 1.0
"Seconds between two looks at what neighbours should be told, at what lines carry, and between two signs of life."
KBPS = 7_500
"Kilobits a second of a line that voices and pictures may fill, unless the settings say another number: three quarters of 10 Mbit/s."


class Cascade:
    """Every neighbour of a relay."""

    def __init__(self, node: str, rooms: dict[str, Room], connect: Callable[[], Peer], most: int) -> None:
        self.node, self.rooms, self._connect, self._most = node, rooms, connect, most
        self.links: dict[str, Link] = {}
        "Node id to the line there."
        self.kbps = float(KBPS)
        self.counts: Counter[str] = Counter()
        self._pulsed = self._allotted = self._beaten = 0.0
        self._tasks: set[asyncio.Task[Any]] = set()

    def neighbours(self, above: str, below: Mapping[str, Any], say: Callable[[str, Word], None]) -> None:
        """Who may be a neighbour from now on: the node above (or none) and those below."""
        for node in {above, *below} - {"", *self.links}:
            self.links[node] = Link(self.node, node, node == above, lambda word, to=node: say(to, word), self._connect)  # type: ignore[misc]
        for node in [node for node in self.links if node not in below and node != above]:
            self._end(self.links.pop(node))

    def take(self, node: str, data: bytes) -> None:
        """A word of a neighbour."""
        link, now = self.links.get(node), time.monotonic()
        if link is None:
            self.counts["strangers"] += 1
            return
        try:
            word = read(data)
        except Invalid as error:
            self.counts["malformed"] += 1
            log.warning("word", node=node, error=error.message)
            return
        if isinstance(word, Hello):
            self._hello(link, word, now)
        elif isinstance(word, Who):
            if link.up and link.open:
                self._end(link)
        elif not link.open:
            link.say(Who())
        else:
            link.heard = now
            if isinstance(word, Told):
                self._told(link, word, now)

    def _hello(self, link: Link, word: Hello, now: float) -> None:
        if not link.up and link.open and word.session != link.session:
            self._end(link)  # the neighbour began anew
        link.hello(word, now)

    def _told(self, link: Link, told: Told, now: float) -> None:
        room = self.rooms.get(told.room)
        if room is not None and room.outer is not None and link.up:
            return  # for the time being this node leads those below by itself
        empty = not (told.people or told.tracks or told.wants)
        if room is None:
            if empty or len(self.rooms) >= self._most:
                self.counts["full"] += not empty
                return
            room = self.rooms[told.room] = Room(told.room)
        link.learn(room, told, now)
        if empty and not link.up:
            link.rooms.discard(room.id)
            link.told.pop(room.id, None)  # should it come back, it is told all
            room.blind(link.name)
            return
        link.rooms.add(room.id)
        if new := set(told.homes) - room.homes - {self.node}:
            room.homes |= new
            room.changed += 1

    # --- time ---------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Call, tell and allot; several times a second."""
        now = time.monotonic()
        if now - self._pulsed >= PULSE:
            self._pulsed = now
            for link in self.links.values():
                if link.alive(now):
                    self._tell(link)
                elif link.open:
                    log.warning("line", node=link.node, gone=True)
                    self._end(link)
                elif link.up:
                    link.call(now)
        if now - self._allotted >= ALLOT:
            self._allotted = now
            for link in self.links.values():
                if link.open:
                    self._allot(link, now)
        if now - self._beaten >= BEAT:
            self._beaten = now
            for link in self.links.values():
                if link.open:
                    link.say(Alive())

    def _concerns(self, link: Link, room: Room) -> bool:
        if link.up:
            return bool(room.homes - {self.node}) and room.outer is None
        return room.id in link.rooms

    def nest(self, room: Room, *, on: bool) -> None:
        """Take the subtree out of a room, or give it back: those below stay in it, those above are heard again afterwards (套开)."""
        above = next((link for link in self.links.values() if link.up), None)
        if on == (room.outer is not None) or above is None:
            return
        if on:
            room.cut(above.node)
            above.forget(room.id)
            room.outer = room.control
            room.led(Control(nest=self.node, deputies=room.control.deputies))
        else:
            held, room.outer = room.outer, None
            room.led(held or Control())

    def _tell(self, link: Link) -> None:
        rooms = [room for room in self.rooms.values() if self._concerns(link, room)]
        before = sum(link.told.values()), len(link.told)
        for room in rooms:
            link.tell(room)
        link.rooms &= self.rooms.keys()
        for room_id in [one for one in link.told if one not in self.rooms]:
            link.forget(room_id)
        if (sum(link.told.values()), len(link.told)) != before:
            link.sort(rooms)
            self._allot(link, time.monotonic())

    def second(self) -> None:
        """Reports to those who send, once a second; and how much each line may carry."""
        for link in self.links.values():
            link.report(self.kbps)

    # --- what a line carries ------------------------------------------------------------------------------------

    def _allot(self, link: Link, now: float) -> None:
        """Give the loudest voices and as much of the pictures as the line carries; whoever wants more is told why it does not come."""
        wishes, budget = dict[str, tuple[Room, Sink, Wish]](), link.rate
        for room in self.rooms.values():
            sinks = room.views.get(link.name)
            if not sinks:
                continue
            voices = {id_: sink for id_, sink in sinks.items() if room.streams[id_].kind == "audio"}
            budget -= VOICE * _voices(room, voices, now)
            speaking = {one.person for one in room.streams.values() if one.kind == "audio" and one.speaks(now)}
            for id_, sink in sinks.items():
                stream = room.streams[id_]
                if stream.kind == "video":
                    sizes = [room.wanted(stream)] if stream.via else stream.offered  # what comes over a line comes in one size
                    wish = Wish(f"{room.id}.{id_}", stream.what, sink.wanted, sizes, stream.person in speaking)
                    wishes[wish.id] = room, sink, wish
        given = allot([wish for _room, sink, wish in wishes.values() if sink.wanted], budget)
        for id_, (room, sink, _wish) in wishes.items():
            sink.take_from(given.get(id_, ""))
            held = LINE if sink.wanted and given[id_] == "" else ""
            if held != sink.held:
                sink.held = held
                room.changed += 1

    # --- ends ---------------------------------------------------------------------------------------------------

    def _end(self, link: Link) -> None:
        for room in self.rooms.values():
            room.cut(link.node)
        if (peer := link.forgo()) is not None:
            self._begin(peer.close())

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Say goodbye."""
        for link in self.links.values():
            if (peer := link.forgo()) is not None:
                await peer.close()

    def status(self) -> list[dict[str, Any]]:
        """How each line stands."""
        return [link.status(time.monotonic()) for link in self.links.values()]


def _voices(room: Room, sinks: Mapping[str, Sink], now: float) -> int:
    """Let the loudest of the wanted go, and no others; how many go."""
    levels = {id_: next(iter(room.streams[id_].layers.values())).voice for id_, sink in sinks.items() if sink.wanted}
    chosen = foremost(levels, {id_ for id_, sink in sinks.items() if sink.source is not None}, VOICES, now)
    for id_, sink in sinks.items():
        sink.take_from(sink.wanted if id_ in chosen else "")
    return len(chosen)
