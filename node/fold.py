"""Rooms' tables are folds of the journal: disposable, built again from zero whenever their shape changes.

**Normal path.** The journal releases entries in one order (after what they build on, once their signer is known). Each room
folds what is released, in that order, in its own file, its cursor in the same transaction as its rows. A fold that
raises is rolled back to before that entry, the entry is marked with the error, and the next one is folded.

**Rebuilding.** A room whose VERSION has no file yet, or whose file is lost, is built from the journal into a new file; when it has
caught up the pointer ``current`` is swapped. Upgrade, roll-back, repair and ``verify`` are this one operation.

Invariants: a fold depends on its own tables and the entry only; rows equal a rebuild from zero; losing a file loses nothing.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    Engine,
    Integer,
    MetaData,
    PoolProxiedConnection,
    Text,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from node import keys, kinds, logs, store
from node.errors import Missing
from node.kinds import Content, Entry
from node.settings import Settings
from node.work import Row, Work

C = TypeVar("C", bound=Content)
Fold = Callable[[Session, Entry[Any]], None]
log = logs.named("fold")


class Room:
    """The tables and folds of one subsystem."""

    def __init__(self, name: str, version: int) -> None:
        """``version`` rises with every change of tables or folds; the tables are then built again."""
        self.name, self.version = name, version
        self.here = ""
        "Id of this node; set by whoever opens the room's tables, and again before folds run: several nodes may live in one process."
        self.kinds: dict[str, Fold] = {}

        class Base(Row, DeclarativeBase):
            """Base of the room's tables, which know their room."""

            metadata = MetaData(info={"room": self})
            type_annotation_map = {int: BigInteger().with_variant(Integer, "sqlite")}

        class Cursor(Base):
            """How far the room has folded, in the order of release."""

            __tablename__ = "cursor"
            id: Mapped[int] = mapped_column(Integer, primary_key=True)
            at: Mapped[int]

        class Unfolded(Base):
            """An entry whose fold raised; it had no effect."""

            __tablename__ = "unfolded"
            at: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
            number: Mapped[int]
            error: Mapped[str] = mapped_column(Text)

        self.Base, self.Cursor, self.Unfolded = Base, Cursor, Unfolded

    def folds(self, kind: type[C]) -> Callable[[Callable[[Session, Entry[C]], None]], Callable[[Session, Entry[C]], None]]:
        """Declare the fold of a kind."""

        def register(fold: Callable[[Session, Entry[C]], None]) -> Callable[[Session, Entry[C]], None]:
            self.kinds[kinds.name_of(kind)] = fold
            return fold

        return register


Released = tuple[int, Entry[Any] | None]
"""(place in the order of release, entry), or None where the entry's kind is unknown or its body is gone."""


class Shelf:
    """One built generation of a room's tables, open for writing."""

    def __init__(self, room: Room, engine: Engine, place: str) -> None:
        self.room, self.engine, self.place = room, engine, place
        room.Base.metadata.create_all(engine)
        with Session(engine) as session, session.begin():
            if session.get(room.Cursor, 1) is None:
                session.add(room.Cursor(id=1, at=0))

    @property
    def at(self) -> int:
        """Place in the order of release up to which everything is folded."""
        with Session(self.engine) as session:
            return session.execute(select(self.room.Cursor.at)).scalar_one()

    def move(self, at: int) -> None:
        """Move the cursor past entries that are none of this room's."""
        with Session(self.engine) as session, session.begin():
            session.execute(update(self.room.Cursor).values(at=at))

    @property
    def unfolded(self) -> int:
        """Entries whose fold raised."""
        with Session(self.engine) as session:
            return session.execute(select(func.count()).select_from(self.room.Unfolded)).scalar_one()

    def fold(self, released: Sequence[Released]) -> list[tuple[int, str]]:
        """Fold entries in order and commit; returns (entry number, error) of those whose fold raised."""
        if not released:
            return []
        try:
            return self._fold(released, careful=False)
        except _Again:
            return self._fold(released, careful=True)

    def _fold(self, released: Sequence[Released], *, careful: bool) -> list[tuple[int, str]]:
        bad = []
        with Work(self.engine) as session, session.begin():
            for at, entry in released:
                fold = self.room.kinds.get(entry.kind) if entry is not None else None
                if fold is None or entry is None:
                    continue
                error = self._one(session, fold, entry, careful=careful)
                if error:
                    bad.append((entry.number, error))
                    session.execute(insert(self.room.Unfolded).values(at=at, number=entry.number, error=error))
            self._write(session)
            session.execute(update(self.room.Cursor).values(at=released[-1][0]))
        return bad

    def _write(self, session: Session) -> None:
        try:
            session.flush()
        except Exception as error:
            if store.broken(error):
                raise
            raise _Again from error

    def _one(self, session: Session, fold: Fold, entry: Entry[Any], *, careful: bool) -> str:
        try:
            if not careful:
                fold(session, entry)
                return ""
            with session.begin_nested():
                fold(session, entry)
                session.flush()
        except Exception as error:  # a fold must never stop the line behind it
            if store.broken(error):
                raise
            if not careful:
                raise _Again from error
            session.expunge_all()
            return f"{type(error).__name__}: {error}"[:2000]
        return ""


class _Again(Exception):
    """A fold raised in a batch without savepoints: do the batch again with them."""


class Place:
    """Where generations of rooms' tables live, and which one is current: files, or schemas of a database."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.files = settings.storage == "sqlite"

    def _pointer(self, room: Room) -> Path:
        return self.settings.path("tables", room.name, "current")

    def current(self, room: Room) -> str:
        """Name of the living generation, or empty."""
        try:
            return self._pointer(room).read_text().strip()
        except OSError:
            return ""

    def pointed(self, room: Room) -> tuple[int, int]:
        """Changes whenever a generation is swapped in; zeros where there is none."""
        try:
            found = self._pointer(room).stat()
        except OSError:
            return 0, 0
        return found.st_ino, found.st_mtime_ns

    def fresh(self, room: Room) -> str:
        """A name for a new generation of the room's VERSION."""
        last = re.search(r"\.g(\d+)", self.current(room))
        return f"v{room.version}.g{int(last[1]) + 1 if last else 1}"

    def belongs(self, room: Room, name: str) -> bool:
        """Whether a generation has the room's present VERSION and can still be opened."""
        return name.startswith(f"v{room.version}.") and (not self.files or self._file(room, name).exists())

    def swap(self, room: Room, name: str) -> None:
        """Make a generation the living one and drop the others."""
        pointer = self._pointer(room)
        pointer.parent.mkdir(parents=True, exist_ok=True)
        temporary = pointer.with_name("current.new")
        temporary.write_text(name)
        os.replace(temporary, pointer)
        keys.sync_folder(pointer.parent)
        if self.files:
            for old in pointer.parent.glob("v*.db*"):
                if not old.name.startswith(name + ".db"):
                    old.unlink(missing_ok=True)

    def _file(self, room: Room, name: str) -> Path:
        return self.settings.path("tables", room.name, f"{name}.db")

    def clear(self, room: Room, name: str) -> None:
        """Remove what an interrupted build left under a name."""
        if self.files:
            for left in self._file(room, name).parent.glob(f"{name}.db*"):
                left.unlink(missing_ok=True)
        else:
            with self.engine(room, name).begin() as connection:
                connection.execute(text(f'DROP SCHEMA "{self._schema(room, name)}" CASCADE'))

    def _schema(self, room: Room, name: str) -> str:
        return f"{room.name}_{name.replace('.', '_')}_{self.settings.id}"

    def engine(self, room: Room, name: str) -> Engine:
        """The generation, open for writing; made when missing."""
        if self.files:
            return store.sqlite(self._file(room, name), store.LOOSE)
        return store.postgresql(self.settings.storage, self._schema(room, name), durable=False)

    def reader(self, room: Room, name: str) -> Engine:
        """The generation, open for reading."""
        if self.files:
            return store.reader(self._file(room, name))
        return store.postgresql(self.settings.storage, self._schema(room, name), durable=False)


class Tables:
    """Read-only sessions of rooms' living tables, for portals, clerks and the command line."""

    def __init__(self, settings: Settings, rooms: Iterable[Room] = ()) -> None:
        self._place = Place(settings)
        self._open: dict[str, tuple[str, Engine]] = {}
        self._names: dict[str, tuple[str, tuple[int, int]]] = {}
        self._watches: dict[str, tuple[Engine, PoolProxiedConnection]] = {}
        for room in rooms:
            room.here = settings.id
        self._here = settings.id

    @contextmanager
    def session(self, room: Room) -> Iterator[Session]:
        """A session of the room's tables as of now; :class:`Missing` while they are built for the first time."""
        with Session(self._engine(room), autoflush=False) as session:
            yield session

    def stamp(self, room: Room) -> Hashable:
        """Equal as long as nothing has been folded into the room's tables; taken before reading, it dates what is read. Quick to take."""
        engine = self._engine(room)
        if not self._place.files:
            with engine.connect() as connection:
                return self._open[room.name][0], connection.execute(select(room.Cursor.at)).scalar_one()
        watched, watch = self._watches.get(room.name, (None, None))
        if watched is not engine or watch is None:  # SQLite counts other connections' commits, so one connection must do all the asking
            watch = engine.raw_connection()
            self._watches[room.name] = (engine, watch)
        cursor = watch.cursor()
        cursor.execute("pragma data_version")
        return self._open[room.name][0], *cursor.fetchall()

    def _engine(self, room: Room) -> Engine:
        name = self._living(room)
        held = self._open.get(room.name)
        if held and held[0] == name:
            return held[1]
        room.here = self._here
        engine = self._place.reader(room, name)
        self._open[room.name] = (name, engine)
        if held:
            held[1].dispose()
        return engine

    def _living(self, room: Room) -> str:
        """Name of the living generation; read again only when the pointer has been swapped."""
        pointed = self._place.pointed(room)
        name, seen = self._names.get(room.name, ("", (0, 0)))
        if seen != pointed or not name:
            name = self._place.current(room)
            self._names[room.name] = (name, pointed)
        if not self._place.belongs(room, name):
            raise Missing(f"the tables of {room.name} are being built", hint="wait a moment and try again")
        return name

    def close(self) -> None:
        """Close every file."""
        self._watches.clear()
        for _, engine in self._open.values():
            engine.dispose()
        self._open.clear()


def digest(room: Room, engine: Engine) -> str:
    """Hash of all rows of a room's tables whatever their order; equal tables have equal digests."""
    total = 0
    with Session(engine) as session:
        for table in sorted(room.Base.metadata.tables.values(), key=lambda t: t.name):
            if table.name == "cursor":
                continue
            columns = [c for c in table.columns if (table.name, c.name) != ("unfolded", "error")]  # an error's words are not a fold's result
            for row in session.execute(select(*columns)):
                line = repr((table.name, tuple(row))).encode()
                total = (total + int.from_bytes(hashlib.sha256(line).digest(), "big")) % 2**256
    return f"{total:064x}"
