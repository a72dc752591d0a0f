"""Following the journal with the index: on from its cursor, or from the first entry beside the one that answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from node import kinds, logs
from node.requests import Told
from office.frame.desk import Desk
from office.frame.find import Source
from office.frame.office import Office
from office.search.index import Generation, Place, wanted

READ, WRITTEN = 200, 25
"Entries read at a time, and matters written in one transaction."
log = logs.named("search")


def sources(office: Office) -> list[Source]:
    """What the rooms of the tier let be found."""
    return [module.FINDS for module in office.tier.parts("service") if hasattr(module, "FINDS")]


class Follower:
    """The one writer of a node's index."""

    def __init__(self, office: Office, *, pause: Callable[[], None] = lambda: None) -> None:
        """``pause`` lets others of the process go on, and is called between pieces of work."""
        self._sources, self._pause = sources(office), pause
        self._place = Place(office.settings)
        self._open: Generation | None = None

    def close(self) -> None:
        """Give the files back."""
        if self._open is not None:
            self._open.engine.dispose()
            self._open = None

    def follow(self, desk: Desk) -> None:
        """Read on until there is no more, with the node's own desk; swap in a generation that has caught up."""
        found = self._begin()
        while not self._turn(found, desk):
            self._pause()
            found = self._begin()
        if self._place.current() != found.name:
            self._place.swap(found.name)
            log.info("search.swapped", generation=found.name)

    def _begin(self) -> Generation:
        if self._open is None:
            name = self._place.current()
            if not name.startswith(wanted(self._sources)):
                first, name = not name, self._place.fresh(self._sources)
                log.info("search.building", generation=name)
                self._open = self._place.open(name, write=True)
                if first:
                    self._place.swap(name)
            else:
                self._open = self._place.open(name, write=True)
        return self._open

    def _turn(self, found: Generation, desk: Desk) -> bool:
        """Take in some entries; whether there are no more."""
        at, whole = found.state()
        end, told = desk.ledger.released(at, READ)
        if end < at:  # the journal is an earlier one than the index was made from
            log.warning("search.set_back", at=at, end=end)
            self._again()
            return False
        for source in self._sources:
            self._take_in(found, desk, source, told)
        last = told[-1].at if told else at
        if not told and not whole:
            found.settle()
        if told or not whole:
            found.move(last, whole=whole or not told)
        return not told

    def _take_in(self, found: Generation, desk: Desk, source: Source, told: Sequence[Told]) -> None:
        names = {kinds.name_of(kind) for kind in source.kinds}
        entries = [entry for one in told if (entry := one.entry()) is not None and entry.kind in names]
        matters = list(dict.fromkeys(matter for entry in entries for matter in source.matters(entry)))
        for start in range(0, len(matters), WRITTEN):
            some = matters[start : start + WRITTEN]
            found.put(source.room, some, source.pieces(desk, some))
            self._pause()

    def _again(self) -> None:
        """Begin a new generation from the first entry; the present one answers meanwhile."""
        self.close()
        name = self._place.fresh(self._sources)
        self._open = self._place.open(name, write=True)
