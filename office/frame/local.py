"""``local.db``: what a node may lose without harm. Sessions, lock-outs, drafts saved while typing, read marks, cursors of reactions.

One connection a process, one write at a time in it, and no waiting inside SQLite: another process that holds the lock is waited
for green, so that the others in this process go on meanwhile. Times are seconds of the machine's monotonic clock together
with the id of its boot, so that no wrong clock prolongs a session; after a reboot everybody signs in again.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import eventlet
from eventlet.semaphore import Semaphore

from node.errors import Unreachable
from node.settings import Settings

TABLES = """
create table if not exists sessions(
  id blob primary key, person text not null, boot text not null, opened real not null, seen real not null,
  mark text not null, first integer not null, sealed blob not null);
create index if not exists sessions_person on sessions(person);
create table if not exists lockouts(name text primary key, boot text not null, failures integer not null, until real not null);
create table if not exists entered(name text, network text, at integer not null, primary key(name, network));
create table if not exists drafts(person text, name text, at integer not null, content text not null, primary key(person, name));
create table if not exists marks(person text, name text, at integer not null, primary key(person, name));
create table if not exists cursors(name text primary key, at integer not null);
create table if not exists failures(
  name text, at integer, number integer not null, error text not null, since integer not null, primary key(name, at));
create table if not exists rings(
  id integer primary key autoincrement, topic text not null, record text not null, at integer not null, unique(topic, record));
create table if not exists uploads(id text primary key, person text not null, size integer not null, at integer not null, sha text not null);
"""
TRIES = 200


def moment() -> float:
    """Seconds of the clock that only runs forward, the same in all processes of the machine."""
    return time.monotonic()


def boot() -> str:
    """Id of this run of the machine."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return f"pid{os.getppid()}"


class Local:
    """The file, open for one process."""

    def __init__(self, settings: Settings) -> None:
        path = settings.path("local.db")
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0)
        self._db.row_factory = sqlite3.Row
        self._one = Semaphore(1)
        self.boot = boot()
        self._retry(lambda: self._db.executescript("pragma journal_mode=wal; pragma synchronous=normal;" + TABLES))

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """All rows of a query."""
        return self._retry(lambda: self._db.execute(query, values).fetchall())  # type: ignore[no-any-return]

    def row(self, query: str, *values: Any) -> sqlite3.Row | None:
        """The first row of a query."""
        return next(iter(self.rows(query, *values)), None)

    def write(self, query: str, *values: Any) -> int:
        """One statement that changes something; how many rows it changed."""
        with self._one:
            return self._retry(lambda: self._db.execute(query, values).rowcount)  # type: ignore[no-any-return]

    def many(self, statements: Sequence[tuple[str, tuple[Any, ...]]]) -> None:
        """Several statements, all or nothing."""
        with self._one, self._transaction():
            for query, values in statements:
                self._db.execute(query, values)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._retry(lambda: self._db.execute("begin immediate"))
        try:
            yield
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")

    def _retry(self, act: Any) -> Any:
        for turn in range(TRIES):
            try:
                return act()
            except sqlite3.OperationalError as e:
                if "locked" not in str(e) and "busy" not in str(e):
                    raise
            eventlet.sleep(min(0.05, 0.002 * (turn + 1)))
        raise Unreachable("local.db is held by another process")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    # drafts saved while typing

    def keep(self, person: str, name: str, content: str, at: int) -> None:
        """Keep what somebody is typing into a form."""
        self.write(
            "insert into drafts values(?,?,?,?) on conflict(person, name) do update set at=excluded.at, content=excluded.content",
            person,
            name,
            at,
            content,
        )
        self.write(
            "delete from drafts where person=? and name not in (select name from drafts where person=? order by at desc limit 50)", person, person
        )

    def kept(self, person: str, name: str) -> tuple[str, int] | None:
        """(content, when in ms) of a form that was not sent."""
        row = self.row("select content, at from drafts where person=? and name=?", person, name)
        return (row["content"], row["at"]) if row else None

    def drop(self, person: str, name: str) -> None:
        """Forget what was typed, when the form has been sent."""
        self.write("delete from drafts where person=? and name=?", person, name)

    # cursors

    def cursor(self, name: str) -> int | None:
        """How far a reaction has got; None when it never ran here."""
        row = self.row("select at from cursors where name=?", name)
        return row["at"] if row else None

    def advance(self, name: str, at: int) -> None:
        """A reaction has got so far."""
        self.write("insert into cursors values(?,?) on conflict(name) do update set at=excluded.at", name, at)

    # what reactions could not do

    def fail(self, name: str, at: int, number: int, error: str, since: int) -> None:
        """Keep an entry that a reaction failed with every time; ``since`` in milliseconds."""
        self.write("insert or ignore into failures values(?,?,?,?,?)", name, at, number, error, since)

    def failed(self, name: str) -> list[sqlite3.Row]:
        """Entries that a reaction failed with, in their order."""
        return self.rows("select * from failures where name=? order by at", name)

    def mend(self, name: str, at: int) -> None:
        """A reaction need not come back to this entry."""
        self.write("delete from failures where name=? and at=?", name, at)

    def failures(self) -> list[sqlite3.Row]:
        """(name, count, since) of every reaction that failed."""
        return self.rows("select name, count(*) as count, min(since) as since from failures group by name order by name")

    # rings for the portals of this node

    def ring(self, topic: str, record: str, at: int) -> bool:
        """Tell every portal to look, once for each topic and record; whether it is the first time. ``at`` in milliseconds."""
        return self.write("insert or ignore into rings(topic, record, at) values(?,?,?)", topic, record, at) == 1

    def rung(self, since: int) -> tuple[int, list[str]]:
        """(number of the last ring, topics that rang after the number ``since``)."""
        rows = self.rows("select max(id) as last, topic from rings where id>? group by topic", since)
        return max((row["last"] for row in rows), default=since), sorted(row["topic"] for row in rows)

    def unring(self, before: int) -> None:
        """Forget rings from before a moment (milliseconds)."""
        self.write("delete from rings where at<?", before)
