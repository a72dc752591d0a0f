"""What the ledger says of itself when asked for its status: its chains, what waits, what is wrong, and one hash of the directory."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from node import certs, clock, schema
from node import entry as said
from node.adoption import Adoption
from node.alarms import alarm
from node.chain import State
from node.codec import base32
from node.digest import Digest
from node.entry import Lane, Scope
from node.epochs import Epochs
from node.journal import Journal
from node.notary import Notary
from node.shelves import Shelves
from node.witness import Witness
from node.writer import Writer

EXPIRING = dt.timedelta(days=30)
"What is left of the node's certificate when the alarm begins."


class Report:
    """The state of a book in plain values."""

    def __init__(
        self,
        journal: Journal,
        notary: Notary,
        writer: Writer,
        epochs: Epochs,
        shelves: Shelves,
        witness: Witness,
        adoption: Adoption,
        now: Callable[[], int],
    ) -> None:
        self.journal, self.notary, self.writer, self.epochs, self.shelves, self._now = journal, notary, writer, epochs, shelves, now
        self.witness, self.adoption = witness, adoption
        self._digest = Digest()

    def close(self) -> None:
        """Close every file."""
        self._digest.close()

    def _alarms(self, forks: Sequence[Any], refused: int, unfolded: int) -> list[dict[str, Any]]:
        found = []
        if unfolded:
            found.append(alarm("corrupt", "warn", self.notary.here, self.writer.opened, f"{unfolded} entries could not be folded"))
        for fork in {fork.author: fork for fork in forks}.values():
            place = said.position(fork.author, fork.chain, fork.seq)
            found.append(alarm("fork", "critical", fork.author, fork.at, f"two different entries are signed for {place}: yiwang trust forks"))
        if refused:
            found.append(alarm("cert_refused", "warn", self.notary.here, self.writer.opened, f"{refused} entries were not signed as they say"))
        if self.writer.reason == "rollback":
            found.append(alarm("rolled_back", "critical", self.notary.here, self.writer.opened, "this process was set back while it ran"))
        ends = self.notary.certs[0].not_valid_after_utc
        if ends - clock.from_ms(self._now()) < EXPIRING:
            found.append(
                alarm("cert_expiring", "critical", self.notary.here, self.writer.opened, f"the certificate of this node ends on {ends:%Y-%m-%d}")
            )
        return found

    def _used(self, counters: dict[str, Any]) -> list[dict[str, Any]]:
        """Somebody goes on with a key that was revoked."""
        count = counters["refused"].get("revoked", 0)
        detail = f"{count} times since the start something came that a revoked key had signed"
        return [alarm("revoked_use", "warn", self.notary.here, self.writer.opened, detail)] if count else []

    def state_digest(self) -> dict[str, Any] | None:
        """One hash of what the logs for all have made of the directory, and the exact places it was made from."""
        shelf = self.shelves.living.get("directory")
        if shelf is None:
            return None
        chains = {s.no: s for s in self.journal.chains.values() if s.audience.scope is Scope.ALL}
        at = {f"{s.author}/{base32(s.id)}": s.count for s in chains.values()}
        with self.journal.engine.connect() as c:
            held = select(schema.ENTRIES.c.chain, schema.ENTRIES.c.seq).join(schema.PARKED, schema.PARKED.c.number == schema.ENTRIES.c.number)
            waiting = [(base32(chains[r.chain].id), r.seq) for r in c.execute(held) if r.chain in chains]
        return self._digest.ask(shelf, at, waiting)

    def _trust(self) -> dict[str, Any]:
        """How far the city's own log of trust has come here, and the city's calendars."""
        if self.notary.directory is None:
            return {}
        root = certs.subject(self.notary.certs[-1]).id
        newest = [s for s in self.journal.chains.values() if (s.author, s.audience, s.lane) == (root, said.ALL, Lane.TRUST)]
        last = max(newest, key=lambda s: s.opened, default=None)
        days = {str(one.year): f"{one.year}.{one.version}" for one in self.notary.directory.calendars()}
        return {
            "trust": {"root": root, "head": said.ref(root, last.id, last.count - 1, last.hash) if last else None},
            "calendar": {"version": max(days.values(), default=None), "years": days},
        }

    def _lagging(self, c: Connection) -> Counter[str]:
        """Entries of each author that are held here and wait for those they build on."""
        held = select(schema.ENTRIES.c.chain, func.count()).join(schema.PARKED, schema.PARKED.c.number == schema.ENTRIES.c.number)
        authors = {s.no: s.author for s in self.journal.chains.values()}
        counted: Counter[str] = Counter()
        for no, count in c.execute(held.group_by(schema.ENTRIES.c.chain)):
            counted[authors[no]] += count
        return counted

    def status(self, counters: dict[str, Any], *, behind: bool) -> dict[str, Any]:
        """What the ledger knows of itself, in the words of the status command; ``behind`` says that the journal is ahead of the tables."""
        with self.journal.engine.connect() as c:

            def count(table: Any) -> int:
                return int(c.execute(select(func.count()).select_from(table)).scalar_one())

            parked, refused = count(schema.PARKED), count(schema.REFUSED)
            forks = c.execute(select(schema.FORKS).where(schema.FORKS.c.settled == 0)).all()
            rooms = {name: shelf.unfolded for name, shelf in self.shelves.living.items()}
            wanted = int(c.execute(select(func.count()).select_from(schema.WANTED).where(~schema.WANTED.c.here)).scalar_one())
            lagging, lives = self._lagging(c), [*self.epochs.alarms(c), *self.witness.alarms(c), *self.adoption.alarms()]
        own = [s for s in self.journal.chains.values() if self.writer.mine(s)]
        top = max(own, key=lambda s: s.mark, default=None)
        head = {"seq": top.count - 1, "hash": f"sha256:{top.hash.hex()}"} if top else None
        before = [s for s in self.journal.chains.values() if s.author == self.notary.here and s.epoch != self.writer.epoch]
        return {
            "state": "recovering" if self.shelves.building else self.epochs.standing.state,
            "building": sorted(self.shelves.building),
            "epoch": {
                "id": base32(self.writer.epoch),
                "reason": self.writer.reason,
                "opened_at": clock.from_ms(self.writer.opened).isoformat(timespec="milliseconds"),
                "previous": _origins(before)[0]["epochs"][-8:] if before else [],
            },
            "head": head,
            "durable_head": head,
            "origins": _origins(self.journal.chains.values(), lagging),
            "entries": self.journal.last,
            "folded": self.journal.released,
            "queues": {"blobs_wanted": wanted, "quarantined_entries": refused, "parked": parked, "unfolded": sum(rooms.values())},
            "reasons": [*self.epochs.reasons(), *(f"unfolded_{name}" for name, count in rooms.items() if count)],
            "alarms": [
                *self._alarms(forks, refused, sum(rooms.values())),
                *self._used(counters),
                *lives,
                *self.journal.rot.alarms(self.notary.here),
            ],
            "counters": counters,
            "checkpoint": self.witness.status(),
            "verification": self.adoption.status(),
            "state_digest": None if behind else self.state_digest(),
            **self._trust(),
        }


def _closed(s: State) -> dict[str, int] | None:
    return {"count": s.closed} if s.closed >= 0 else None


def _origins(chains: Any, lagging: Counter[str] | None = None) -> list[dict[str, Any]]:
    rows: dict[str, list[dict[str, Any]]] = {}
    for s in sorted(chains, key=lambda s: s.no):
        state = "forked" if s.frozen == "fork" else "revoked" if s.frozen else "open" if s.closed < 0 else "closed"
        log_name = f"{s.audience}/{s.lane}"
        rows.setdefault(s.author, []).append(
            {
                "id": base32(s.id),
                "log": log_name,
                "count": s.count,
                "head": f"sha256:{s.hash.hex()}",
                "closed": _closed(s),
                "state": state,
            }
        )
    lag = lagging or Counter()
    return [
        {"origin": author, "epochs": epochs, "applied": sum(e["count"] for e in epochs) - lag[author], "lag_entries": lag[author]}
        for author, epochs in rows.items()
    ]
