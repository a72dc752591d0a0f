"""A simulated node: the real book over a small real home, the real exchange, and a desk where requests wait as at the ledger's socket.

A node may die before its book has committed, between the commit and the folds, or before it has answered; its
home may be put back to an older copy. What is not on the disk is then gone: requests, answers, the epoch's key.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from node import certs
from node.book import Book
from node.codec import pack, unpack
from node.directory import model as directory
from node.directory.entries import Node as Stands
from node.directory.tree import Tree
from node.entry import ALL, Attachment, Audience, Hold, Lane
from node.errors import Corrupt, NodeError
from node.fold import Released, Room
from node.kinds import Content, Entry, kind
from node.requests import Batch, Draft, Met, statement
from node.settings import Settings
from sync.exchange import Exchange, Taken
from sync.peer import Now, Outcome, Self
from sync.store import line_of, look, refusal
from sync.wishes import Read

ROOM = Room("sim", version=1)


@kind("sim.noted")
class Noted(Content, frozen=True):
    """Somebody writes something down."""

    text: str
    to: str
    "The audience, so that tables can be compared between those who see the same."


@kind("sim.answered")
class Answered(Content, frozen=True):
    """Somebody answers a note or another answer, which its ``after`` names."""

    text: str
    to: str
    about: bytes


class Note(ROOM.Base):  # type: ignore[misc, name-defined]
    """A note or an answer; an answer knows how deep in a conversation it stands."""

    __tablename__ = "notes"
    id: Mapped[bytes] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(String(26))
    to: Mapped[str] = mapped_column(String(40))
    depth: Mapped[int]


class Count(ROOM.Base):  # type: ignore[misc, name-defined]
    """How many answers a note has; they come in any order."""

    __tablename__ = "counts"
    id: Mapped[bytes] = mapped_column(primary_key=True)
    answers: Mapped[int]


@ROOM.folds(Noted)
def noted(session: Session, entry: Entry[Noted]) -> None:
    """A note begins a conversation."""
    session.add(Note(id=entry.id, text=entry.body.text, author=entry.author, to=entry.body.to, depth=0))


@ROOM.folds(Answered)
def answered(session: Session, entry: Entry[Answered]) -> None:
    """An answer raises unless what it is about was folded before."""
    about = session.get(Note, entry.body.about)
    if about is None:
        raise LookupError("an answer was folded before what it answers")
    session.add(Note(id=entry.id, text=entry.body.text, author=entry.author, to=entry.body.to, depth=about.depth + 1))
    count = session.get(Count, about.id)
    if count is None:
        session.add(Count(id=about.id, answers=1))
    else:
        count.answers += 1


@dataclass(frozen=True)
class Image:
    """A copy of a disk, as a backup or a snapshot has it."""

    files: dict[str, bytes]
    "Databases and pointers by their path inside the home."
    blobs: dict[str, bytes]
    "Attachments by their names."


# --- a node -----------------------------------------------------------------------------------------------------------


class Died(Exception):
    """The simulated process has ended in the middle of its work."""


class Mortal(Book):
    """A book whose process may die between the commit and the folds."""

    doom: Callable[[], None] = staticmethod(lambda: None)

    def fold(self, released: list[Released]) -> None:
        """Fold, unless this is the end."""
        self.doom()
        super().fold(released)


@dataclass(frozen=True)
class Asked:
    """A request that waits for the ledger's next turn."""

    name: str
    args: tuple[Any, ...]
    then: Callable[[Any], None]


class World(Protocol):
    """What a node needs of the world around it."""

    rng: random.Random

    @property
    def now(self) -> Now: ...

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something when so much time has passed."""

    def committed(self, actor: Actor) -> None:
        """A transaction is on an actor's disk."""

    def told(self, actor: Actor, hold: Hold) -> None:
        """An actor heard how far somebody holds one of its own chains."""

    def died(self, actor: Actor) -> None:
        """An actor's process has ended by itself."""


@dataclass
class Actor:
    """One simulated node."""

    world: World
    name: str
    settings: Settings
    images: list[Image] = field(default_factory=list)
    "Backups."
    doomed: str = ""
    "Where the next turn ends in death: before, between or after commit and answers; empty to live."
    life: int = 0
    "Number of the living process."
    restored: bool = False
    "Whether an older copy of its disk was ever put back."

    def __post_init__(self) -> None:
        self.boot("start")

    @property
    def id(self) -> str:
        """The node's id."""
        return self.settings.id

    def boot(self, reason: str) -> None:
        """Start: what was in memory is gone, the epoch with it."""
        self.life += 1
        self.restored = self.restored or reason == "restore"
        self.doomed = ""
        self.book = Mortal(self.settings, [directory.ROOM, ROOM], reason=reason, now=lambda: self.world.now.ms)
        self.book.doom = self._between
        self.asked: list[Asked] = []
        self.answered: dict[bytes, int] = {}
        "How far each chain reached when the ledger last answered."
        self.mark = 0
        me = Self(node=self.id, certs=tuple(certs.der(c) for c in self.book.notary.certs), root=self.book.notary.root)
        parent = self.settings.parent.id if self.settings.parent else ""
        rng = random.Random(self.world.rng.random())  # noqa: S311 - nonces of a simulation
        self.exchange = Exchange(me=me, store=self, shelf=self.book.blobs, rng=rng, look=look, parent=parent)
        self.exchange.epoch = self.book.writer.epoch
        self._plant()
        self._tell()
        with self.book.journal.engine.connect() as c:
            wanted = self.book.journal.wanted(c)
        self.exchange.missing(wanted)
        self.exchange.promised(self.world.now)

    def end(self) -> None:
        """The process is gone; its files are closed as the system closes them."""
        self.life += 1
        self.book.doom = staticmethod(lambda: None)
        self.book.close()

    # --- the desk -----------------------------------------------------------------------------------------------

    def ask(self, name: str, args: tuple[Any, ...], then: Callable[[Any], None]) -> None:
        """Lay a request on the ledger's desk; a turn takes all that lie there."""
        self.asked.append(Asked(name, args, then))
        if len(self.asked) == 1:
            life = self.life
            self.world.later(0.001, lambda: self.turn() if self.life == life else None)

    def turn(self) -> None:
        """One group: committed, folded, answered."""
        group, self.asked = self.asked, []
        try:
            self._die("before")
            try:
                results = self.book.commit([(one.name, one.args) for one in group])
            finally:
                self.world.committed(self)
            self._die("after")
        except Died:
            self.world.died(self)
            return
        self.answered = {id: state.count for id, state in self.book.journal.chains.items()}
        for one, result in zip(group, results, strict=True):
            one.then(result)
        self._ring({one.name for one in group})

    def _die(self, where: str) -> None:
        if self.doomed == where:
            raise Died

    def _between(self) -> None:
        self._die("between")

    def _ring(self, names: set[str]) -> None:
        """What bells make the courier do."""
        self._tell()
        if self.book.writer.epoch != self.exchange.epoch:
            self.exchange.living(self.book.writer.epoch, self.world.now)
        if names & {"anchor", "checkpoint"}:
            self.exchange.anchored(dict(self.book.witness.sheets()), self.world.now)
        if names & {"held", "take"}:
            self.exchange.promised(self.world.now)
        if places := self.book.journal.rot.first():
            self.exchange.rotten(places, self.world.now)

    def _tell(self) -> None:
        self.mark, chains = self.book.journal.changed(self.mark)
        self.exchange.grown([line_of(chain) for chain in chains], self.world.now)
        if any(chain.lane is Lane.TRUST for chain in chains):
            self._plant()

    def _plant(self) -> None:
        assert self.book.directory is not None
        parents: dict[str, str | None] = {node.id: node.parent or None for node in self.book.directory.nodes()}
        if self.settings.parent is not None:
            parents.setdefault(self.id, self.settings.parent.id)
        if parents != self.exchange.tree.parents:
            self.exchange.planted(Tree(parents), self.world.now)

    # --- writing ------------------------------------------------------------------------------------------------

    def admit(self, about: Sequence[Stands]) -> None:
        """Say that nodes stand under this one; whoever looks after the node does it again while its directory does not show them."""
        drafts = [self.draft(one, record=one.id, to=(ALL,), lane=Lane.TRUST) for one in about]
        self.ask("write", (drafts,), lambda _: None)

    def draft(self, content: Content, *, record: str, to: tuple[Audience, ...], lane: Lane, **more: Any) -> Draft:
        """Something the node itself says."""
        attached = more.pop("attachments", ())
        said, salt, data = statement(self.settings.city, content, record=record, home=self.id, at=self.world.now.ms, **more)
        return Draft(pack(said), b"", salt, data, to, lane, attachments=attached)

    def put(self, data: bytes) -> Attachment:
        """Store an attachment."""
        return Attachment(*self.book.blobs.put([data]))

    def notes(self) -> list[Note]:
        """What has been folded, in an order that is the same for the same seed."""
        with self.book.shelves.session(ROOM) as session:
            return list(session.scalars(select(Note).order_by(Note.text)))

    def shows(self, node: str) -> bool:
        """Whether a node stands in the directory."""
        return self.book.directory is not None and self.book.directory.node(node) is not None

    def knows(self, node: str) -> bool:
        """Whether a log can be sealed to a node."""
        return self.book.directory is not None and self.book.directory.storage_key(node) is not None

    # --- sync.exchange.Store ------------------------------------------------------------------------------------

    def take(self, batch: bytes, came: str, then: Callable[[Taken], None]) -> None:
        """Verify and keep a batch that a neighbour brought."""
        chain = look(batch).chain

        def result(answer: Any) -> None:
            if isinstance(answer, NodeError):
                known = self.exchange.lines.get(chain)
                then(Taken(refusal(answer, known.count if known else 0)))
            else:
                then(Taken(Outcome(answer.chain.count), line_of(answer.chain), answer.attachments, answer.fresh))

        self.ask("take", (unpack(batch, Batch), came), result)

    def met(self, node: str, epoch: bytes, then: Callable[[Met], None]) -> None:
        """A neighbour lives in this epoch."""
        self.ask("met", (node, epoch), lambda answer: None if isinstance(answer, NodeError) else then(answer))

    def twin(self, epoch: bytes, at: int) -> None:
        """The node above has met an older copy of this one."""
        self.ask("twin", (epoch, at), lambda _: None)

    def fence(self, detail: str) -> None:
        """The node above says that this process is a copy."""
        self.ask("fence", (detail,), lambda _: None)

    def level(self, node: str) -> None:
        """All that a neighbour told at the beginning of its line is here."""
        self.ask("level", (node,), lambda _: None)

    def anchor(self, data: bytes, came: str, then: Callable[[], None]) -> None:
        """A neighbour has shown a checkpoint."""
        self.ask("anchor", (data, came), lambda _: then())

    def vouched(self, chain: bytes, then: Callable[[tuple[Hold, ...]], None]) -> None:
        """Range statements that cover the last entry of a chain."""
        with self.book.journal.engine.connect() as c:
            state = self.book.journal.chain(chain)
            then(self.book.journal.hold_for(c, state, state.count - 1))

    def read(self, wish: Read, then: Callable[[int, bytes], None]) -> None:
        """A stretch of a chain."""
        try:
            batch = self.book.read(wish.chain, wish.start, wish.limit)
        except Corrupt:  # it is asked for anew, and goes on when it is whole
            batch = None
        then(len(batch.entries) if batch else 0, pack(batch) if batch else b"")

    def holds(self, since: int, then: Callable[[int, tuple[Hold, ...]], None]) -> None:
        """A page of range statements."""
        with self.book.journal.engine.connect() as c:
            upto, holds = self.book.journal.holds(c, since, 200)
        then(upto, holds)

    def held(self, holds: tuple[Hold, ...]) -> None:
        """Keep what neighbours brought."""

        def told(_: Any) -> None:
            for hold in holds:
                state = self.book.journal.chains.get(hold.chain)
                if state is not None and state.author == self.id:
                    self.world.told(self, hold)

        self.ask("held", (holds,), told)

    def arrived(self, sha: bytes) -> None:
        """A blob is whole."""
        self.ask("arrived", (sha,), lambda _: None)

    # --- disks --------------------------------------------------------------------------------------------------

    def back_up(self) -> None:
        """Copy the disk away."""
        home = self.settings.home
        files = {str(path.relative_to(home)): _copied(path) for path in (home / "journal.db", *home.glob("tables/*/*.db"))}
        files |= {str(path.relative_to(home)): path.read_bytes() for path in home.glob("tables/*/current")}
        self.images = [*self.images[-3:], Image(files, {path.name: path.read_bytes() for path in home.glob("blobs/??/*")})]

    def put_back(self, image: Image) -> None:
        """Make the disk what it was; the process must have ended."""
        home = self.settings.home
        for path in home.glob("journal.db*"):
            path.unlink()
        shutil.rmtree(home / "tables")
        for name, data in image.files.items():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_bytes(data)
        shutil.rmtree(home / "blobs")
        for name, data in image.blobs.items():
            (home / "blobs" / name[:2]).mkdir(parents=True, exist_ok=True)
            (home / "blobs" / name[:2] / name).write_bytes(data)


def _copied(path: Path) -> bytes:
    """A database with what still lies in its write-ahead log."""
    source, copy = sqlite3.connect(f"file:{path}?mode=ro", uri=True), sqlite3.connect(":memory:")
    try:
        source.backup(copy)
        return copy.serialize()
    finally:
        source.close()
        copy.close()
