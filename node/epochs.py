"""The lives of nodes: which epoch of whom is the living one, which are over, and whether this node may write in its own.

**A start** begins a new epoch (:mod:`node.book`). A home that was restored is *recovering*: it writes nothing until the node above has told
all it holds and all of that is here, so that no number is given out twice. The city, which has nobody above, waits at every start
for more than half of its counties. The operator may say that it shall not wait.

**A neighbour** names its epoch whenever a line begins. The one that called first most lately is the living one; when an older one calls again there
are two processes with one identity: the older is told that it is a copy and *fences* itself, the living one is told that it has a twin. Both raise
``duplicate_identity``. A fence outlives restarts: else the copies would take turns.

**Own entries that come back** are those this disk had lost. They are listed, and so is what others hold or refer to and nobody gave back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from node import entry as said
from node import logs, schema, standing
from node.alarms import alarm
from node.chain import State
from node.directory.view import Directory
from node.journal import Journal
from node.requests import Met
from node.settings import Settings
from node.standing import Standing

log = logs.named("epochs")
KEPT = 16
"Epochs of one neighbour that are remembered."
LISTED = 50
"Places named in an alarm."
WEEK = 7 * 24 * 3_600_000
"Milliseconds for which it is told that somebody was set back."


class Epochs:
    """What the ledger knows of its own life and its neighbours'."""

    def __init__(self, settings: Settings, journal_: Journal, directory: Callable[[], Directory | None], now: Callable[[], int]) -> None:
        self._settings, self._journal, self._directory, self._now = settings, journal_, directory, now
        self.standing = standing.load(settings)
        self._level: set[str] = set()
        "Neighbours of which all they told is here."
        self._twin = (b"", 0)
        if self.standing == Standing(reason=self.standing.reason) and self.standing.reason != "start":
            standing.save(settings, Standing())  # it was the operator's word for one start

    def wait_for_counties(self) -> None:
        """At the start of a city: write nothing before most of its counties were heard."""
        if self.standing.state == standing.READY and self._counties():
            self.standing = Standing(state=standing.RECOVERING, reason="start", since=self._now(), detail="waiting for most of the counties")

    def _counties(self) -> set[str]:
        directory = self._directory()
        if self._settings.parent is not None or directory is None:
            return set()
        return {node.id for node in directory.nodes() if node.parent == self._settings.id and node.tier == "county" and not node.closed}

    def requests(self) -> dict[str, Callable[..., Any]]:
        """What the ledger does about lives, in the transaction of a group."""
        return {"level": self.level, "met": self.met, "twin": self.twin, "fence": self.fence}

    def reasons(self) -> list[str]:
        """Why this node does not write, in a word."""
        return [f"{self.standing.state}_{self.standing.reason}"] if self.standing.state != standing.READY else []

    # --- requests -----------------------------------------------------------------------------------------------

    def level(self, c: Connection, _group: object, node: str) -> None:
        """All that a neighbour told at the beginning of its line is here."""
        self._level.add(node)
        if self.standing.state == standing.RECOVERING and self._heard_enough():
            log.info("recovered", entries=self._returned(c))
            self._stand(Standing())

    def _heard_enough(self) -> bool:
        if self._settings.parent is not None:
            return self._settings.parent.id in self._level
        counties = self._counties()
        return len(counties & self._level) * 2 > len(counties) or not counties

    def confirm(self) -> str:
        """The operator's word that this node may write; the state that it had."""
        before = self.standing
        if before.state != standing.READY:
            self._stand(Standing())
            log.warning("confirmed", state=before.state, detail=before.detail)
        return before.state

    def fence(self, _c: Connection, _group: object, detail: str) -> None:
        """The node above says that a newer copy of this node is at work."""
        if self.standing.state != standing.FENCED:
            log.error("fenced", detail=detail)
            self._stand(Standing(state=standing.FENCED, reason="takeover", since=self._now(), detail=detail))

    def twin(self, _c: Connection, _group: object, epoch: bytes, at: int) -> None:
        """A neighbour says that an older copy of this node called, and when."""
        if at > self._twin[1]:
            log.error("twin", at=at)
            self._twin = epoch, at

    def _stand(self, new: Standing) -> None:
        standing.save(self._settings, new)
        self.standing = new

    def met(self, c: Connection, _group: object, node: str, epoch: bytes) -> Met:
        """A neighbour has named the epoch it lives in."""
        table = schema.CONTACTS
        rows = c.execute(select(table).where(table.c.node == node).order_by(table.c.no)).all()
        known = next((row for row in rows if row.epoch == epoch), None)
        if known is None:
            c.execute(insert(table).values(node=node, epoch=epoch, at=self._now(), twin=0))
            c.execute(delete(table).where(table.c.no.in_([row.no for row in rows[: 1 - KEPT]])))
            return Met(False)
        newest = rows[-1]
        if known is not newest:
            c.execute(update(table).where(table.c.no == newest.no).values(twin=self._now()))
            log.error("duplicate", node=node)
            return Met(True, epoch, self._now())
        return Met(False, rows[-2].epoch if newest.twin else b"", newest.twin)

    def returned(self, c: Connection, state: State, numbers: list[int]) -> None:
        """Own entries came that this disk did not know."""
        log.warning("entries.returned", chain=said.position(state.author, state.id, state.count - 1), count=len(numbers))
        schema.RETURN.many(c, [(number, self._now()) for number in numbers])

    # --- telling ------------------------------------------------------------------------------------------------

    def _returned(self, c: Connection) -> int:
        return int(c.execute(select(func.count()).select_from(schema.RETURNED)).scalar_one())

    def alarms(self, c: Connection) -> Iterator[dict[str, Any]]:
        """What an operator must know of lives and copies."""
        here = self._settings.id
        if self.standing.state == standing.FENCED:
            yield alarm("duplicate_identity", "critical", here, self.standing.since, f"another copy of this node is at work: {self.standing.detail}")
        elif self._twin[1]:
            yield alarm("duplicate_identity", "critical", here, self._twin[1], "an older copy of this node has called and was fenced")
        newest = select(func.max(schema.CONTACTS.c.no)).group_by(schema.CONTACTS.c.node)
        for row in c.execute(select(schema.CONTACTS).where(schema.CONTACTS.c.no.in_(newest), schema.CONTACTS.c.twin > 0)):
            yield alarm("duplicate_identity", "critical", row.node, row.twin, "two processes with the identity of this node have called")
        yield from self._set_back(c)
        if back := self.lost(c):
            yield alarm("rolled_back", "info", here, max(at for _, at in back["at"]), _told(back))

    def _set_back(self, c: Connection) -> Iterator[dict[str, Any]]:
        """Neighbours whose disk declared less of a chain than was held here."""
        since = self._now() - WEEK
        table = schema.CLOSED
        rows = c.execute(select(table).where(table.c.declared < table.c.count, table.c.at > since)).all()
        chains = {state.no: state for state in self._journal.chains.values()}
        authors = {chains[row.chain].author: row.at for row in rows if row.chain in chains and chains[row.chain].author != self._settings.id}
        for author, at in authors.items():
            yield alarm("rolled_back", "info", author, at, "its disk was set back; what it had said before is held here and given back")

    def lost(self, c: Connection) -> dict[str, Any]:
        """{returned, missing, at}: own places given back of late; places and statements that others know and nobody gave back.

        Empty when nothing was lost.
        """
        since = self._now() - WEEK
        back = c.execute(select(schema.RETURNED).where(schema.RETURNED.c.at > since).order_by(schema.RETURNED.c.number)).all()
        if not back:
            return {}
        found = self._journal.by_numbers(c, [row.number for row in back])
        return {
            "returned": [said.position(one.author, one.chain, one.seq) for one in found],
            "missing": [*self._unreturned(c), *self._unknown(c)],
            "at": [(row.number, row.at) for row in back],
        }

    def _unreturned(self, c: Connection) -> list[str]:
        """Own places that others signed to hold and that are not here."""
        own = {state.no: state for state in self._journal.chains.values() if state.author == self._settings.id}
        most = c.execute(select(schema.HOLDS.c.chain, func.max(schema.HOLDS.c.seq)).group_by(schema.HOLDS.c.chain)).all()
        places = [(own[no], seq) for no, last in most if no in own for seq in range(own[no].count, min(last + 1, own[no].count + LISTED))]
        return [said.position(state.author, state.id, seq) for state, seq in places]

    def _unknown(self, c: Connection) -> list[str]:
        """Statements to which others refer and which nobody has brought."""
        wanted = c.scalars(select(schema.PARKED.c.wants).distinct().limit(LISTED)).all()
        certificates = directory.fingerprints() if (directory := self._directory()) else ()
        return [f"statement:{sid.hex()}" for sid in wanted if sid not in certificates]


def _told(back: dict[str, Any]) -> str:
    """What came back and what did not, in a line."""
    returned, missing = back["returned"], back["missing"]
    text = f"{len(returned)} own entries came back: {', '.join(returned[:LISTED])}{' …' if len(returned) > LISTED else ''}"
    return text + (f"; nobody has {', '.join(missing[:LISTED])}" if missing else "; nothing is missing")
