"""The lines to the neighbours, as the courier last wrote of them: for the light in the corner of each page."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import msgspec

from node import clock
from node.progress import CHECKING, TAKING, Progress
from node.settings import Settings

STALE = 15_000
"Milliseconds after which the courier's word no longer counts."


@dataclass(frozen=True)
class Line:
    """A line to one neighbour."""

    peer: str
    side: str
    "parent or child."
    state: str
    "up, connecting, down or refused."
    since: dt.datetime | None
    waiting: int
    "Entries that still have to go over it."
    reason: str = ""

    @property
    def up(self) -> bool:
        """Whether it carries."""
        return self.state == "up"


@dataclass(frozen=True)
class Checking:
    """A snapshot of the node above that is being taken, or whose signatures are being checked (:mod:`node.adoption`)."""

    state: str
    "taking or checking."
    percent: int
    "Of the entries that came by it, how many were checked."


@dataclass(frozen=True)
class Lines:
    """All lines of the node."""

    lines: tuple[Line, ...]
    courier: bool
    "Whether the courier runs at all."
    checking: Checking | None = None
    "What has come by a snapshot and is not checked yet; None when there is nothing of that."

    @property
    def parent(self) -> Line | None:
        """The line upward."""
        return next((line for line in self.lines if line.side == "parent"), None)

    @property
    def children(self) -> tuple[Line, ...]:
        """The lines downward."""
        return tuple(line for line in self.lines if line.side == "child")

    @property
    def down(self) -> tuple[Line, ...]:
        """Lines that do not carry."""
        return tuple(line for line in self.lines if not line.up)

    @property
    def waiting(self) -> int:
        """Entries that wait on any line."""
        return sum(line.waiting for line in self.lines)


def read(settings: Settings) -> Lines:
    """The lines now; without a courier all are down."""
    checking = _checking(settings)
    try:
        found = msgspec.json.decode(settings.path("run", "links.json").read_bytes())
        fresh = clock.ms() - int(found.get("at", 0)) < STALE
        return Lines(tuple(_line(one, fresh) for one in found.get("links", ())), fresh, checking)
    except (OSError, msgspec.DecodeError, AttributeError, TypeError, ValueError):
        above = (Line(settings.parent.id, "parent", "down", None, 0),) if settings.parent else ()
        return Lines(above, False, checking)


def _checking(settings: Settings) -> Checking | None:
    try:
        found = msgspec.json.decode(settings.path("snapshot.json").read_bytes(), type=Progress)
    except (OSError, msgspec.DecodeError):
        return None
    if found.state not in (TAKING, CHECKING):
        return None
    done = (found.at - found.first) * 100 // max(1, found.last - found.first) if found.state == CHECKING else 0
    return Checking(found.state, max(0, min(99, done)))


def _line(found: dict[str, Any], fresh: bool) -> Line:
    since, backlog = found.get("since"), found.get("out_backlog") or {}
    moment = clock.from_ms(int(since)) if isinstance(since, (int, float)) else dt.datetime.fromisoformat(since) if since else None
    waiting = int(backlog.get("entries", 0)) if isinstance(backlog, dict) else 0
    return Line(str(found["peer"]), str(found["side"]), str(found["state"]) if fresh else "down", moment, waiting, str(found.get("reason") or ""))
