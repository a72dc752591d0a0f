"""Books in one process: a tiny city whose nodes exchange batches by hand, for tests of everything below the lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Text
from sqlalchemy.orm import Mapped, Session, mapped_column

from node import entry as said
from node.book import Book
from node.codec import pack, uuid7
from node.directory import model as directory
from node.entry import Audience, Lane
from node.errors import NodeError
from node.fold import Room
from node.kinds import Content, Entry, kind
from node.requests import Draft, statement
from tests import city

NOTES = Room("notes", version=1)


@kind("notes.written")
class Noted(Content, frozen=True):
    """Somebody writes something down."""

    text: str


class Note(NOTES.Base):
    """A note, with the statement it stands in and how many were folded before it."""

    __tablename__ = "notes"
    id: Mapped[bytes] = mapped_column(primary_key=True)
    record: Mapped[str]
    text: Mapped[str] = mapped_column(Text)
    author: Mapped[str]


@NOTES.folds(Noted)
def noted(session: Session, entry: Entry[Noted]) -> None:
    """Keep it; a note that says so is one that no table can take."""
    if entry.body.text == "raise":
        raise ValueError("this note cannot be folded")
    session.add(Note(id=entry.id, record=entry.record, text=entry.body.text, author=entry.author))


@contextmanager
def opened(folder: Path, *, counties: int = 1, townships: int = 1, storage: str = "sqlite") -> Iterator[dict[str, Book]]:
    """Books of a city by the names of its homes, each knowing all the others."""
    homes = city.build(folder, counties=counties, townships=townships).homes
    books = {name: book(home, storage) for name, home in homes.items()}
    try:
        for name, home in homes.items():
            if home.says:
                write(books[name], *[draft(books[name], one, record=one.id, lane=Lane.TRUST, to=said.ALL) for one in home.says])
        exchange(books.values())
        yield books
    finally:
        for one in books.values():
            one.close()


def book(home: city.Home, storage: str = "sqlite") -> Book:
    """The book of a home, with the directory and the notes."""
    return Book(msgspec.structs.replace(home.settings, storage=storage), [directory.ROOM, NOTES])


def draft(book: Book, content: Content, *, record: str = "", lane: Lane = Lane.ORDINARY, to: Audience = said.SELF, **more: Any) -> Draft:
    """Something the node itself says."""
    known = {key: more.pop(key) for key in ("relies", "touches", "attachments") if key in more}
    stated, salt, data = statement(book.settings.city, content, record=record or uuid7(), home=book.here, **more)
    return Draft(pack(stated), b"", salt, data, (to,), lane, **known)


def write(book: Book, *drafts: Draft) -> Any:
    """Write all or none; the error as an exception."""
    result = book.commit([("write", (drafts,))])[0]
    if isinstance(result, NodeError):
        raise result
    return result


def take(book: Book, batch: Any) -> Any:
    """Take a batch; the error as an exception."""
    result = book.commit([("take", (batch,))])[0]
    if isinstance(result, NodeError):
        raise result
    return result


def carry(source: Book, target: Book, limit: int = 100_000) -> int:
    """Bring over everything the target lacks and may have; how many entries were new."""
    fresh = 0
    for chain in source.chains():
        if chain.audience.scope is said.Scope.SELF:
            continue
        held = target.journal.chains.get(chain.id)
        start = held.count if held else 0
        while batch := source.read(chain.id, start, limit):
            taken = take(target, batch)
            start, fresh = taken.chain.count, fresh + taken.fresh
            if taken.hold is not None:
                source.commit([("held", ((taken.hold,),))])
    return fresh


def exchange(books: Sequence[Book] | Any) -> None:
    """Carry to and fro until nothing is new."""
    books = list(books)
    while any(carry(a, b) for a in books for b in books if a is not b):
        pass


def texts(book: Book) -> list[str]:
    """Texts of all notes folded, in no order."""
    from sqlalchemy import select

    with book.shelves.session(NOTES) as session:
        return sorted(session.scalars(select(Note.text)))
