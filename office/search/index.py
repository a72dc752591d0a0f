"""The index: what can be found, in tables that may be lost. SQLite's FTS5 or PostgreSQL's GIN over the same tokens, so with the same hits.

**Normal path.** A follower reads the journal on from the index's own cursor, asks the rooms what the matters concerned say now, and writes
that and the cursor in one transaction. A crash in between does a little again; the result is the same.

**Generations.** A generation is made for one ``VERSION`` and one set of sources. When they change, the next one is built from the first
entry while the old one answers; then ``search/current`` is swapped. The first one answers while it grows, and says that it is not whole.

Invariants: the number of a find falls with its age, so the newest are met first without sorting; the tokens of a row can be worked out
from the row, which is how they are taken out again; deleting the folder ``search`` (or the schemas) loses nothing.
"""

from __future__ import annotations

import hashlib
import os
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    delete,
    func,
    insert,
    select,
    text,
    update,
)

from node import keys, store
from node.settings import Settings
from office.frame.find import Piece, Source
from office.search.spelling import Term, spelled, tokens

SHAPE, VERSION = 1, 1
"SHAPE of the tables, VERSION of what is written in them."
BIG = BigInteger().with_variant(Integer, "sqlite")
META = MetaData()
STATE = Table("state", META, Column("id", Integer, primary_key=True), Column("at", BIG), Column("whole", Boolean))
FINDS = Table(
    "finds",
    META,
    Column("id", BIG, primary_key=True, autoincrement=False),
    Column("matter", String),
    *(Column(name, String) for name in ("room", "title", "number", "organ", "issuer", "kind", "validity", "note", "text", "plain", "marks")),
    UniqueConstraint("room", "matter"),
)
SPOTS = Table(
    "spots",
    META,
    Column("find", BIG, primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False),
    *(Column(name, String) for name in ("model", "key", "url", "direction")),
)
LAST = 2**62


def mark(what: str, value: str) -> str:
    """The token of a field's value; begins with a character that no text has."""
    return f"\ue000{what}{hashlib.blake2s(value.encode(), digest_size=8).hexdigest()}"


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a match must have: every term, and one token of each group."""

    terms: Sequence[Term] = ()
    groups: Sequence[Sequence[str]] = ()
    since: int = 0
    until: int = LAST
    "Milliseconds, the end not included."


class Generation:
    """One built index, open."""

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine, self.name = engine, name
        self.sqlite = engine.dialect.name == "sqlite"

    def create(self) -> None:
        """Make the tables where there are none."""
        words = (
            ["CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(tokens, content='', detail=none, tokenize='ascii')"]
            if self.sqlite
            else [
                "CREATE TABLE IF NOT EXISTS words (id bigint PRIMARY KEY, tokens tsvector)",
                "CREATE INDEX IF NOT EXISTS words_tokens ON words USING gin (tokens)",
            ]
        )
        META.create_all(self.engine)
        with self.engine.begin() as connection:
            for line in words:
                connection.execute(text(line))
            if connection.execute(select(STATE.c.at)).first() is None:
                connection.execute(insert(STATE).values(id=1, at=0, whole=False))

    def state(self) -> tuple[int, bool]:
        """(place in the order of release up to which it has followed, whether it ever had caught up)."""
        with self.engine.connect() as connection:
            at, whole = connection.execute(select(STATE.c.at, STATE.c.whole)).one()
        return int(at), bool(whole)

    def move(self, at: int, *, whole: bool) -> None:
        """The journal was followed so far."""
        with self.engine.begin() as connection:
            connection.execute(update(STATE).values(at=at, whole=whole))

    def settle(self) -> None:
        """After a long building: let the database tidy up and count."""
        lines = ["INSERT INTO words(words) VALUES('optimize')"] if self.sqlite else ["ANALYZE words", "ANALYZE finds", "ANALYZE spots"]
        with self.engine.begin() as connection:
            for line in lines:
                connection.execute(text(line))

    # writing

    def put(self, room: str, matters: Iterable[str], pieces: Iterable[Piece]) -> None:
        """These matters of a room are now these pieces, all or nothing; those without one are gone."""
        fresh = {piece.id: (piece, _row(room, piece)) for piece in pieces}
        with self.engine.begin() as connection:
            for matter in matters:
                held = connection.execute(select(FINDS).where(FINDS.c.matter == matter, FINDS.c.room == room)).first()
                given = fresh.get(matter)
                if held is not None:
                    self._replace(connection, held, given)
                elif given is not None:
                    self._add(connection, *given)

    def _add(self, connection: Connection, piece: Piece, row: dict[str, Any]) -> None:
        id = piece.at * 1024 + zlib.crc32(piece.id.encode()) % 1024
        while connection.execute(select(FINDS.c.id).where(FINDS.c.id == id)).first() is not None:
            id += 1
        connection.execute(insert(FINDS).values(id=id, **row))
        self._file(connection, id, row)
        self._place(connection, id, piece)

    def _replace(self, connection: Connection, held: Any, given: tuple[Piece, dict[str, Any]] | None) -> None:
        id = held.id
        if given is None or id // 1024 != given[0].at:
            self._take_out(connection, id, held)
            connection.execute(delete(FINDS).where(FINDS.c.id == id))
            connection.execute(delete(SPOTS).where(SPOTS.c.find == id))
            if given is not None:
                self._add(connection, *given)
            return
        piece, row = given
        if (held.plain, held.marks) != (row["plain"], row["marks"]):
            self._take_out(connection, id, held)
            self._file(connection, id, row)
        connection.execute(update(FINDS).where(FINDS.c.id == id).values(**row))
        connection.execute(delete(SPOTS).where(SPOTS.c.find == id))
        self._place(connection, id, piece)

    def _file(self, connection: Connection, id: int, row: dict[str, Any]) -> None:
        filed = sorted(tokens(row["plain"]) | set(row["marks"].split()))
        if self.sqlite:
            connection.execute(text("INSERT INTO words(rowid, tokens) VALUES (:id, :tokens)"), {"id": id, "tokens": " ".join(filed)})
        else:
            connection.execute(
                text("INSERT INTO words(id, tokens) VALUES (:id, array_to_tsvector(CAST(:tokens AS text[])))"), {"id": id, "tokens": filed}
            )

    def _take_out(self, connection: Connection, id: int, held: Any) -> None:
        if not self.sqlite:
            connection.execute(text("DELETE FROM words WHERE id = :id"), {"id": id})
            return
        filed = " ".join(sorted(tokens(held.plain) | set(held.marks.split())))  # FTS5 without contents must be told what it forgets
        connection.execute(text("INSERT INTO words(words, rowid, tokens) VALUES ('delete', :id, :tokens)"), {"id": id, "tokens": filed})

    def _place(self, connection: Connection, id: int, piece: Piece) -> None:
        rows = [
            {"find": id, "place": place, "model": spot.model, "key": spot.id, "url": spot.url, "direction": str(spot.direction)}
            for place, spot in enumerate(piece.spots)
        ]
        if rows:
            connection.execute(insert(SPOTS), rows)

    # asking

    def match(self, asked: Question, before: int, limit: int) -> tuple[list[Any], int]:
        """(finds that match, the newest first; where to go on, 0 at the end), looked for among so many candidates before one."""
        values = {"q": self._asked(asked), "before": min(before, asked.until * 1024), "low": asked.since * 1024, "n": limit}
        unsure = [term for term in asked.terms if not term.sure]
        with self.engine.connect() as connection:
            if self.sqlite:
                found = connection.execute(text(_FTS), values)
            else:
                connection.execute(text("SET LOCAL enable_seqscan = off"))  # reading every row would open every list of tokens
                connection.execute(text("SET LOCAL enable_indexscan = off"))
                found = connection.execute(text(_GIN), values)
            ids = [row[0] for row in found]
            holds = func.instr if self.sqlite else func.strpos
            query = select(*(column for column in FINDS.c if column.name not in ("plain", "marks", "text"))).where(FINDS.c.id.in_(ids))
            query = query.where(*(holds(FINDS.c.plain, term.plain) > 0 for term in unsure)).order_by(FINDS.c.id.desc())
            rows = list(connection.execute(query)) if ids else []
        return rows, ids[-1] if len(ids) == limit else 0

    def spots(self, finds: Sequence[int]) -> list[Any]:
        """Where these finds can be seen."""
        query = select(SPOTS).where(SPOTS.c.find.in_(finds)).order_by(SPOTS.c.find, SPOTS.c.place)
        with self.engine.connect() as connection:
            return list(connection.execute(query))

    def texts(self, finds: Sequence[int]) -> dict[int, str]:
        """What these finds say."""
        with self.engine.connect() as connection:
            return {row.id: row.text for row in connection.execute(select(FINDS.c.id, FINDS.c.text).where(FINDS.c.id.in_(finds)))}

    def _asked(self, asked: Question) -> str:
        """The match in the words of the database; tokens are letters and digits only, so there is nothing to escape."""
        quote, begins, also, either = ('"', '" *', " AND ", " OR ") if self.sqlite else ("'", "':*", " & ", " | ")
        parts = [f"{quote}{token}{quote}" for term in asked.terms for token in term.whole]
        parts += [f"{quote}{token}{begins}" for term in asked.terms for token in term.begun]
        parts += ["(" + either.join(f"{quote}{token}{quote}" for token in group) + ")" for group in asked.groups]
        return also.join(parts)


_FTS = "SELECT rowid FROM words WHERE words MATCH :q AND rowid < :before AND rowid >= :low ORDER BY rowid DESC LIMIT :n"
_GIN = """WITH hit AS MATERIALIZED (SELECT id FROM words WHERE tokens @@ CAST(:q AS tsquery))
SELECT id FROM hit WHERE id < :before AND id >= :low ORDER BY id DESC LIMIT :n"""


def _row(room: str, piece: Piece) -> dict[str, Any]:
    head = " ".join((piece.number, piece.title, piece.issuer))
    fields = [("o", piece.organ), ("t", piece.kind), ("v", str(piece.validity))]
    fields += [("d", str(spot.direction)) for spot in piece.spots]
    fields += [("h", f"{room}:{holder}") for spot in piece.spots for holder in spot.holders]
    marks = " ".join(sorted({mark(what, value) for what, value in fields}))
    names = ("title", "number", "organ", "issuer", "kind", "note", "text")
    values = {name: getattr(piece, name) for name in names}
    return values | {"matter": piece.id, "room": room, "validity": str(piece.validity), "plain": spelled(f"{head}\n{piece.text}"), "marks": marks}


class Place:
    """Where generations live: files, or schemas of a database; ``current`` names the one that answers."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.files = settings.storage == "sqlite"

    @property
    def pointer(self) -> Path:
        """The file that names the generation which answers."""
        return self.settings.path("search", "current")

    def current(self) -> str:
        """Name of the generation that answers, or empty when there is none that can."""
        try:
            name = self.pointer.read_text().strip()
        except OSError:
            return ""
        return name if name.startswith(f"s{SHAPE}-") and (not self.files or self._file(name).exists()) else ""

    def fresh(self, sources: Sequence[Source]) -> str:
        """A name for the next generation."""
        last = re.search(r"-g(\d+)$", self.current())
        return f"{wanted(sources)}-g{int(last[1]) + 1 if last else 1}"

    def swap(self, name: str) -> None:
        """Let a generation answer, and drop the others."""
        self.pointer.parent.mkdir(parents=True, exist_ok=True)
        new = self.pointer.with_name("current.new")
        new.write_text(name)
        os.replace(new, self.pointer)
        keys.sync_folder(self.pointer.parent)
        self._sweep(name)

    def _sweep(self, name: str) -> None:
        if self.files:
            for old in self.pointer.parent.glob("s*.db*"):
                if not old.name.startswith(f"{name}.db"):
                    old.unlink(missing_ok=True)
            return
        engine = store.postgresql(self.settings.storage, self.schema(name), durable=False)
        with engine.begin() as connection:
            query = text("SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE :a AND schema_name LIKE :b")
            others = connection.execute(query, {"a": "search\\_s%", "b": f"%\\_{self.settings.id}"}).scalars().all()
            for schema in others:
                if schema != self.schema(name):
                    connection.execute(text(f'DROP SCHEMA "{schema}" CASCADE'))
        engine.dispose()

    def _file(self, name: str) -> Path:
        return self.settings.path("search", f"{name}.db")

    def schema(self, name: str) -> str:
        """Name of a generation's schema."""
        return f"search_{name.replace('-', '_')}_{self.settings.id}"

    def open(self, name: str, *, write: bool = False) -> Generation:
        """A generation; one to write to is made where it is missing."""
        if not self.files:
            found = Generation(store.postgresql(self.settings.storage, self.schema(name), durable=False), name)
        else:
            found = Generation(store.sqlite(self._file(name), store.LOOSE) if write else store.reader(self._file(name)), name)
        if write:
            found.create()
        return found


def wanted(sources: Sequence[Source]) -> str:
    """What the name of a generation must begin with to be up to date."""
    known = ",".join(sorted(f"{source.room}:{source.version}" for source in sources))
    return f"s{SHAPE}-v{VERSION}-{hashlib.blake2s(known.encode(), digest_size=4).hexdigest()}"
