"""The state digest: one hash of everything that the logs for all have made of the directory, with the exact places up to which.

**What is hashed.** Every row of the directory's tables but ``files`` (they come from logs for a few) and what each
process counts for itself (``cursor``, ``pulse``, ``unfolded``), and the places of entries in logs for all that still wait for their
signer or a forerunner. Everything else in those logs changes nothing. So two nodes that hold the same prefixes have the same digest;
where they differ, one of the two folds wrongly or was lied to.

**How.** A snapshot is opened between two commits, together with the counts of the chains, and hashed in a thread, a table only when its
pulse has moved. A large directory may take seconds: the ledger then answers with the last finished pair, which is as
true as it was, and rests between two rounds so that hashing takes a twentieth of the time at most.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from sqlalchemy import Connection, Table, select

from node.codec import pack
from node.directory import model
from node.fold import Shelf

OWN = {"cursor", "unfolded", "pulse", "files"}
"Tables that are not made from logs for all, or count for this process only."
SHARE = 20
"Time between two rounds, as a multiple of the time one takes."
PATIENCE = 0.03
"Seconds that the ledger waits for a round: a small directory is done by then."
MODULUS = 2**256


class Digest:
    """The last finished digest and the round under way."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "digest")
        self._tables = [table for table in model.ROOM.Base.metadata.sorted_tables if table.name not in OWN]
        self._sums: dict[str, tuple[int, int]] = {}
        "Of each table, the pulse at which it was hashed and the sum."
        self._done: dict[str, Any] | None = None
        self._round: Future[dict[str, Any]] | None = None
        self._next = 0.0

    def ask(self, shelf: Shelf, at: Mapping[str, int], waiting: list[tuple[str, int]]) -> dict[str, Any] | None:
        """{at, sha256}: of these places, or of earlier ones while a round is under way; None before the first has ended.

        Called between commits, when the tables hold exactly what ``at`` says; ``waiting`` are places inside ``at`` that are not folded.
        """
        self._finish(0.0)
        if self._round is None and time.monotonic() >= self._next and (self._done is None or self._done["at"] != at):
            self._round = self._pool.submit(self._hash, _snapshot(shelf), dict(at), waiting)
            self._finish(PATIENCE)
        return self._done

    def close(self) -> None:
        """Wait for the round under way and end the thread."""
        self._pool.shutdown()

    def _finish(self, seconds: float) -> None:
        if self._round is None:
            return
        try:
            self._done = self._round.result(seconds)
        except TimeoutError:
            return
        self._round = None

    def _hash(self, c: Connection, at: dict[str, int], waiting: list[tuple[str, int]]) -> dict[str, Any]:
        begun = time.monotonic()
        with c:
            pulses = {name: int(count) for name, count in c.execute(select(model.Pulse.name, model.Pulse.count))}
            for table in self._tables:
                pulse = pulses.get(table.name, 0)
                if self._sums.get(table.name, (-1, 0))[0] != pulse:
                    self._sums[table.name] = pulse, _sum(c, table)
        whole = pack((tuple((str(t.name), self._sums[t.name][1].to_bytes(32)) for t in self._tables), tuple(sorted(waiting))))
        ended = time.monotonic()
        self._next = ended + SHARE * (ended - begun)
        return {"at": at, "sha256": hashlib.sha256(b"yiwang.state.1\0" + whole).hexdigest()}


def _snapshot(shelf: Shelf) -> Connection:
    """A connection that sees the tables as they are now, whatever is folded later."""
    options: dict[str, Any] = {"readonly": True} if shelf.engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    c = shelf.engine.connect().execution_options(**options)
    c.execute(select(shelf.room.Cursor.at)).all()
    return c


def _sum(c: Connection, table: Table) -> int:
    """The sum of the hashes of all rows: equal tables have equal sums, whatever the order of their rows."""
    return sum(int.from_bytes(hashlib.sha256(line).digest(), "big") for line in _lines(c, table)) % MODULUS


def _lines(c: Connection, table: Table) -> Iterator[bytes]:
    columns = sorted(table.columns, key=lambda column: column.name)
    for row in c.execution_options(yield_per=1000).execute(select(*columns)):
        yield pack((str(table.name), tuple(row)))
