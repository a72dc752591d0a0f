"""Who is in a room, what they send, and who sees it. Pure: no sockets, no clock of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from media.sink import Sink
from media.source import Source

AWAY = 10.0
"Seconds without a question after which somebody who neither sends nor receives is no longer there."
LOWEST_FIRST = ("q", "h", "f")
"Layers as our pages name them: a quarter, half and full size."


@dataclass
class Stream:
    """Something a member sends: one voice or one picture, in one or more layers."""

    id: str
    person: str
    what: str
    "camera or screen; a voice belongs to its camera."
    kind: str
    layers: dict[str, Source] = field(default_factory=dict)

    @property
    def speaks(self) -> bool:
        """Whether a voice is heard in it."""
        return any(source.voice.speaks for source in self.layers.values())


@dataclass
class Member:
    """Somebody in the room."""

    person: str
    name: str
    seen: float
    "When they last asked, monotonic seconds."


@dataclass
class Room:
    """One meeting of people."""

    id: str
    members: dict[str, Member] = field(default_factory=dict)
    streams: dict[str, Stream] = field(default_factory=dict)
    views: dict[str, dict[str, Sink]] = field(default_factory=dict)
    "Person to what goes to them: stream id to sink."
    version: int = 0
    "Grows whenever streams come or go: who sees another number looks anew."
    ended: bool = False
    _number: int = 0

    def seen(self, person: str, name: str, now: float) -> None:
        """Somebody asks: they are here."""
        member = self.members.get(person)
        if member is None:
            self.members[person] = Member(person, name, now)
        else:
            member.seen = now

    def publish(self, person: str, what: str, kind: str) -> Stream:
        """Somebody sends something more."""
        self._number += 1
        stream = Stream(f"s{self._number}", person, what, kind)
        self.streams[stream.id] = stream
        self.version += 1
        return stream

    def withdraw(self, person: str, what: str = "") -> None:
        """What somebody sends (or one part of it) ends, for everybody."""
        for stream in [one for one in self.streams.values() if one.person == person and what in ("", one.what)]:
            del self.streams[stream.id]
            self.version += 1
            for sinks in self.views.values():
                if (sink := sinks.pop(stream.id, None)) is not None:
                    sink.close()

    def others(self, person: str) -> list[Stream]:
        """What somebody may see and hear: all that the others send."""
        return [one for one in self.streams.values() if one.person != person]

    def view(self, person: str, sinks: dict[str, Sink]) -> None:
        """What goes to somebody from now on, in place of what went before."""
        self.blind(person)
        self.views[person] = sinks

    def blind(self, person: str) -> None:
        """Nothing goes to somebody any more."""
        for sink in self.views.pop(person, {}).values():
            sink.close()

    def leave(self, person: str) -> None:
        """Somebody goes."""
        self.withdraw(person)
        self.blind(person)
        self.members.pop(person, None)

    def absent(self, now: float) -> list[str]:
        """Members who were not heard of for a while and neither send nor receive anything."""
        busy = {one.person for one in self.streams.values()} | {*self.views}
        return [one.person for one in self.members.values() if now - one.seen > AWAY and one.person not in busy]

    def sources(self) -> Iterator[Source]:
        """Everything that comes in."""
        for stream in self.streams.values():
            yield from stream.layers.values()

    def state(self) -> dict[str, Any]:
        """What a page needs to know."""
        streams = [
            {"id": s.id, "person": s.person, "what": s.what, "kind": s.kind, "layers": sorted(s.layers, key=_place)} for s in self.streams.values()
        ]
        speaking = sorted({one.person for one in self.streams.values() if one.kind == "audio" and one.speaks})
        people = [{"person": one.person, "name": one.name} for one in self.members.values()]
        return {"ended": self.ended, "members": people, "speaking": speaking, "streams": streams}


def _place(layer: str) -> int:
    return LOWEST_FIRST.index(layer) if layer in LOWEST_FIRST else len(LOWEST_FIRST)
