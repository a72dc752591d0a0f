"""All rooms' tables of one node: folded forward, built again beside the work, compared with a rebuild.

A room whose VERSION has no tables yet is built from the journal in a thread of its own while the ledger goes on; when it has
caught up it is swapped in. The directory alone is waited for, because trust needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from node import fold, logs
from node.fold import Released, Room, Shelf
from node.settings import Settings

log = logs.named("shelves")
BUILD = 1000
"Entries folded at a time when tables are built, and so few that building them is not put off."
FAR = 5000
"Entries after which the cursor of a room that none of them concerned is moved on, so that a start need not read them all again."


class Shelves:
    """The living generation of each room, and those being built."""

    def __init__(
        self,
        settings: Settings,
        rooms: Sequence[Room],
        released: Callable[[int, int, Container[str]], list[Released]],
        *,
        end: Callable[[], int],
        alive: Callable[[], None],
    ) -> None:
        """``released(at, limit, kinds)`` reads what was released after a place, other kinds as None.

        ``end`` is the last place, ``alive`` is called during long work.
        """
        self._released, self._end, self._alive = released, end, alive
        self._place = fold.Place(settings)
        self._tables = fold.Tables(settings, rooms)
        self._builder = ThreadPoolExecutor(1, "build")
        for room in rooms:
            room.here = settings.id
        self.building: dict[str, Future[Shelf]] = {}
        self.living = {room.name: shelf for room in rooms if (shelf := self._open(room))}
        self._at = {name: shelf.at for name, shelf in self.living.items()}

    def close(self) -> None:
        """Close every file."""
        self._builder.shutdown(cancel_futures=True)
        self._tables.close()
        for name, shelf in self.living.items():
            with suppress(DBAPIError):  # a full disk: the next start then looks through what was none of the room's
                if shelf.at < self._at[name]:
                    shelf.move(self._at[name])
            shelf.engine.dispose()

    def session(self, room: Room) -> AbstractContextManager[Session]:
        """A read-only session of a room's living tables."""
        return self._tables.session(room)

    @property
    def least(self) -> int:
        """Place in the order of release up to which every living room has folded."""
        return min(self._at.values(), default=self._end())

    def fold(self, released: Sequence[Released]) -> int:
        """Fold what was released; how many folds raised."""
        bad, last = 0, released[-1][0]
        for name, shelf in self.living.items():
            if any(e is not None and e.kind in shelf.room.kinds for _, e in released):
                bad += self._forward(shelf, released)
            elif last // FAR > self._at[name] // FAR:
                shelf.move(last)
            self._at[name] = last
        return bad

    def catch_up(self) -> None:
        """Fold in every living room what it has not yet."""
        for name, shelf in self.living.items():
            self._fill(shelf, self._at[name])
            self._at[name] = self._end()

    def settle(self, *, wait: bool = False) -> None:
        """Take over tables that have been built: fold what came meanwhile, then swap. An error of the building is raised here."""
        for name, building in list(self.building.items()):
            if not (building.done() or wait):
                continue
            shelf = building.result()
            del self.building[name]
            self._fill(shelf, shelf.at)
            self._place.swap(shelf.room, shelf.place)
            self.living[name], self._at[name] = shelf, self._end()
            log.info("tables.built", room=name, entries=self._end())

    def renew(self) -> None:
        """Build the tables of every room anew beside the work; those of the directory at once, because trust needs them."""
        for name, shelf in list(self.living.items()):
            if name in self.building:
                self.settle(wait=True)
            if name == "directory":
                self.living[name] = self.build(shelf.room, self._place.fresh(shelf.room))
                self._at[name] = self._end()
                self._place.swap(shelf.room, self.living[name].place)
                shelf.engine.dispose()
                continue
            self.building[name] = self._builder.submit(self.build, shelf.room, self._place.fresh(shelf.room))

    def build(self, room: Room, name: str) -> Shelf:
        """Fold a room from zero into a generation of this name."""
        self._place.clear(room, name)
        shelf = Shelf(room, self._place.engine(room, name), name)
        self._fill(shelf, 0)
        return shelf

    def digests(self) -> dict[str, str]:
        """Hash of each room's living tables."""
        return {name: fold.digest(shelf.room, shelf.engine) for name, shelf in self.living.items()}

    def refold(self) -> dict[str, tuple[str, str]]:
        """(living, rebuilt) digest of each room."""
        compared = {}
        for name, shelf in self.living.items():
            self._alive()
            rebuilt = self.build(shelf.room, "verify")
            compared[name] = fold.digest(shelf.room, shelf.engine), fold.digest(shelf.room, rebuilt.engine)
            rebuilt.engine.dispose()
            self._place.clear(shelf.room, rebuilt.place)
        return compared

    def _open(self, room: Room) -> Shelf | None:
        """The living tables of a room; None while they are built beside the work."""
        name = self._place.current(room)
        if self._place.belongs(room, name):
            return Shelf(room, self._place.engine(room, name), name)
        if room.name != "directory" and self._end() > BUILD:
            self.building[room.name] = self._builder.submit(self.build, room, self._place.fresh(room))
            log.info("tables.building", room=room.name, entries=self._end())
            return None
        shelf = self.build(room, self._place.fresh(room))
        self._place.swap(room, shelf.place)
        return shelf

    def _fill(self, shelf: Shelf, at: int) -> None:
        """Fold everything released after ``at``."""
        while released := self._released(at, BUILD, shelf.room.kinds):
            self._forward(shelf, released)
            self._alive()
            at = released[-1][0]

    def _forward(self, shelf: Shelf, released: Sequence[Released]) -> int:
        shelf.room.here = self._place.settings.id  # several nodes may live in one process, and they share the room
        bad = shelf.fold(released)
        for number, error in bad:
            log.error("fold.failed", room=shelf.room.name, number=number, error=error)
        return len(bad)
