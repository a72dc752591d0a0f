"""Who is in a room, what they send, and who sees it. Pure: no sockets, no clock of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from media.control import Control, Sign
from media.sink import Sink
from media.source import Source

AWAY = 10.0
"Seconds without a question after which somebody who neither sends nor receives is no longer there."
GONE = 90.0
"Seconds after which somebody whose page asks nothing any more is gone, whatever is still sent: the portal may have taken the right away."
LOWEST_FIRST = ("q", "h", "f")
"Layers as our pages name them: a quarter, half and full size."
LINK = "link:"
"Begins the name of a viewer that is a neighbouring relay; its node id follows."


@dataclass
class Stream:
    """Something a member sends: one voice or one picture, in one or more layers."""

    id: str
    person: str
    what: str
    "camera or screen; a voice belongs to its camera."
    kind: str
    layers: dict[str, Source] = field(default_factory=dict)
    via: str = ""
    "Node id of the neighbouring relay from which it comes; empty for a browser of this node."
    far: str = ""
    "Its id there."
    sizes: tuple[str, ...] = ()
    "Layers between which that relay chooses."
    held: str = ""
    "Why less of it comes than was asked for."

    def speaks(self, now: float) -> bool:
        """Whether a voice is heard in it."""
        return any(source.voice.speaks(now) for source in self.layers.values())

    @property
    def offered(self) -> list[str]:
        """Names of the layers that may be wanted, the smallest first."""
        return sorted(self.sizes or self.layers, key=place)


@dataclass
class Member:
    """Somebody in the room."""

    person: str
    name: str
    seen: float
    "When they last asked, monotonic seconds."
    via: str = ""
    "Node id of the neighbouring relay behind which they are."
    sign: Sign = Sign()
    chairs: bool = False
    "Whether their ticket says that they lead the room."


@dataclass
class Room:
    """One meeting of people."""

    id: str
    members: dict[str, Member] = field(default_factory=dict)
    streams: dict[str, Stream] = field(default_factory=dict)
    views: dict[str, dict[str, Sink]] = field(default_factory=dict)
    "Viewer (a person, or :data:`LINK` and a node) to what goes to them: stream id to sink."
    version: int = 0
    "Grows whenever streams come or go: who sees another number looks anew."
    changed: int = 0
    "Grows whenever a neighbouring relay should be told something."
    homes: set[str] = field(default_factory=set)
    "The lowest nodes under which everybody who was asked is; more than one after people of elsewhere were asked too."
    ended: bool = False
    control: Control = Control()
    outer: Control | None = None
    "The whole room's word, kept while this node leads its own subtree."
    _number: int = 0

    def seen(self, person: str, name: str, now: float, *, chairs: bool = False) -> None:
        """Somebody asks: they are here."""
        member = self.members.get(person)
        if member is None or member.via:
            member = self.members[person] = Member(person, name, now)
            self.changed += 1
        member.seen, member.chairs = now, chairs

    def arrived(self, person: str, name: str, via: str, sign: Sign, now: float) -> None:
        """Somebody is behind a neighbour and shows this, unless they are here or behind another."""
        member = self.members.setdefault(person, Member(person, name, now, via))
        if member.via == via and (member.sign != sign or member.seen == now):
            member.sign = sign
            self.changed += 1

    def shows(self, person: str, **sign: Any) -> None:
        """Somebody of this node raises a hand, answers a roll call, votes."""
        member = self.members[person]
        shown = msgspec.structs.replace(member.sign, **sign)
        shown.check()
        member.sign = shown
        self.changed += 1

    def led(self, control: Control) -> None:
        """The chair's word from now on: voices of this node that may not speak are kept back where they come in."""
        self.control = control
        self.changed += 1
        self.quieten()

    def quieten(self) -> None:
        """Keep back the voices of those who may not speak."""
        for stream in self.streams.values():
            if not stream.via and stream.kind == "audio":
                chairs = stream.person in self.members and self.members[stream.person].chairs
                for source in stream.layers.values():
                    source.barred = not self.control.may_speak(stream.person, chairs=chairs)

    def publish(self, person: str, what: str, kind: str, *, via: str = "", far: str = "", sizes: tuple[str, ...] = ()) -> Stream:
        """Somebody sends something more."""
        self._number += 1
        stream = Stream(f"s{self._number}", person, what, kind, via=via, far=far, sizes=sizes)
        self.streams[stream.id] = stream
        self._news()
        return stream

    def withdraw(self, person: str, what: str = "") -> None:
        """What somebody of this node sends (or one part of it) ends, for everybody."""
        self.drop([one for one in self.streams.values() if not one.via and one.person == person and what in ("", one.what)])

    def drop(self, streams: list[Stream]) -> None:
        """These come no more."""
        for stream in streams:
            del self.streams[stream.id]
            self._news()
            for sinks in self.views.values():
                if (sink := sinks.pop(stream.id, None)) is not None:
                    sink.close()

    def _news(self) -> None:
        self.version += 1
        self.changed += 1

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
        """Somebody of this node goes."""
        self.withdraw(person)
        self.blind(person)
        if person in self.members and not self.members[person].via:
            del self.members[person]
            self.changed += 1

    def cut(self, node: str) -> None:
        """Nothing is known any more of what lies behind a neighbouring relay, and nothing goes there."""
        self.blind(LINK + node)
        self.drop([one for one in self.streams.values() if one.via == node])
        for person in [one.person for one in self.members.values() if one.via == node]:
            del self.members[person]
            self.changed += 1

    def absent(self, now: float) -> list[str]:
        """Members of this node who were not heard of for a while and neither send nor receive anything, or not for very long."""
        busy = {one.person for one in self.streams.values()} | {*self.views}
        return [m.person for m in self.members.values() if not m.via and now - m.seen > (GONE if m.person in busy else AWAY)]

    def wanted(self, stream: Stream) -> str:
        """The largest layer in which anybody here, or behind another neighbour, wants what a neighbour sends; empty for none."""
        wishes = [sinks[stream.id].wanted for viewer, sinks in self.views.items() if stream.id in sinks and viewer != LINK + stream.via]
        return max(wishes, key=place, default="")

    def sources(self) -> Iterator[Source]:
        """Everything that comes in."""
        for stream in self.streams.values():
            yield from stream.layers.values()

    def state(self, now: float) -> dict[str, Any]:
        """What a page needs to know."""
        streams = [
            {"id": s.id, "person": s.person, "what": s.what, "kind": s.kind, "layers": s.offered, "held": s.held} for s in self.streams.values()
        ]
        speaking = sorted({one.person for one in self.streams.values() if one.kind == "audio" and one.speaks(now)})
        people = [{"person": one.person, "name": one.name, **msgspec.structs.asdict(one.sign)} for one in self.members.values()]
        control = msgspec.structs.asdict(self.control) | {"nested": self.outer is not None}
        return {"ended": self.ended, "members": people, "speaking": speaking, "streams": streams, "control": control}


def place(layer: str) -> int:
    """Where a layer stands among the sizes: nothing first, one that our pages do not name last."""
    return -1 if not layer else LOWEST_FIRST.index(layer) if layer in LOWEST_FIRST else len(LOWEST_FIRST)
