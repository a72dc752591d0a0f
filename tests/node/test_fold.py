"""Folding a run of entries at once gives the same tables as folding them one by one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from node import fold, kinds, store
from node.codec import pack
from node.errors import Invalid
from node.fold import Room, Shelf
from node.kinds import Content, Entry, kind

ROOM = Room("sums", version=1)


@kind("sums.added")
class Added(Content, frozen=True):
    """Something is added to the sum of a record; a negative amount is one that no fold takes."""

    amount: int


@kind("sums.noted")
class Noted(Content, frozen=True):
    """Words."""

    text: str


class Sum(ROOM.Base):
    """The sum of a record and how often it changed."""

    __tablename__ = "sums"
    id: Mapped[str] = mapped_column(primary_key=True)
    total: Mapped[int] = mapped_column(default=0)
    changes: Mapped[int] = mapped_column(default=0)


@ROOM.folds(Added)
def added(session: Session, entry: Entry[Added]) -> None:
    """Reads what an entry before it may just have written, by key and by query."""
    held = session.get(Sum, entry.record)
    if held is None:
        held = Sum(id=entry.record)
        session.add(held)
    held.total += entry.body.amount
    held.changes += 1
    if entry.body.amount < 0:
        raise ValueError("less than nothing")
    if entry.body.amount % 3 == 0:
        held.total += len(session.scalars(select(Sum.id)).all())


class Mark(ROOM.Base):
    """A mark on a record: of two columns a key, and a value that no driver takes as it is."""

    __tablename__ = "marks"
    record: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    on: Mapped[dt.date | None]
    done: Mapped[bool] = mapped_column(default=False)
    note: Mapped[str] = mapped_column(default="none")


@kind("sums.marked")
class Marked(Content, frozen=True):
    """Something is done with the marks of a record, by all the ways there are."""

    number: int


@ROOM.folds(Marked)
def marked(session: Session, entry: Entry[Marked]) -> None:
    """Adds, gives new values, asks, removes and changes many at once, each after what the entries before it did."""
    number, name = entry.body.number, f"m{entry.body.number % 4}"
    session.merge(Mark(record=entry.record, name=name, on=dt.date(2026, 1, 1) + dt.timedelta(number)))
    mine = session.scalars(select(Mark).where(Mark.record == entry.record).order_by(Mark.name)).all()
    assert session.get(Mark, (entry.record, name)) in mine
    for mark in mine:
        mark.note += str(len(mine))
    if number % 7 == 0:
        session.delete(mine[0])
    if number % 11 == 0:
        session.execute(update(Mark).where(Mark.name == "m1").values(done=True))
    if number % 13 == 0:
        session.execute(delete(Mark).where(Mark.done))
    session.merge(Mark(record=entry.record, name="count", note=str(session.scalar(select(func.count()).select_from(Mark)))))
    if number % 17 == 0:
        raise ValueError("after all that")


@pytest.fixture
def shelves(tmp_path: Path) -> Iterator[list[Shelf]]:
    """Two sets of empty tables of the room."""
    made = [Shelf(ROOM, store.sqlite(tmp_path / f"{name}.db", store.LOOSE), name) for name in ("run", "single")]
    yield made
    for one in made:
        one.engine.dispose()


def entry(number: int, body: Content) -> Entry[Any]:
    """An entry about one of five records."""
    common = {"home": "n", "author": "n", "signer": bytes(32), "person": "", "post": "", "at": number, "recipients": (), "after": ()}
    place = {"chain": bytes(32), "seq": number, "hash": bytes(32), "id": number.to_bytes(32, "big")}
    return Entry(number=number, kind=kinds.name_of(body), record=f"r{number % 5}", body=body, **place, **common)


@pytest.mark.parametrize("bad", [(), (7, 30)])
def test_a_run_equals_its_entries(shelves: list[Shelf], bad: tuple[int, ...]) -> None:
    """Fifty entries folded as one run, in which each meets what the others wrote, leave the tables that fifty runs of one leave; bad ones too."""
    entries = [(number, entry(number, Added(-1 if number in bad else number))) for number in range(1, 51)]
    run, single = shelves
    failed = run.fold(entries)
    one_by_one = [error for each in entries for error in single.fold([each])]
    assert failed == one_by_one
    assert [number for number, _ in failed] == list(bad)
    assert fold.digest(ROOM, run.engine) == fold.digest(ROOM, single.engine)
    assert run.at == single.at == 50


def test_every_way_of_writing_a_row_gives_the_same_in_a_run(shelves: list[Shelf]) -> None:
    """Adding, merging, deleting and changing many rows leave in one run what they leave one by one, and bad entries leave nothing."""
    entries = [(number, entry(number, Marked(number))) for number in range(1, 61)]
    run, single = shelves
    failed = [*run.fold(entries[:30]), *run.fold(entries[30:])]
    assert [number for number, _ in failed] == [17, 34, 51]
    assert failed == [error for each in entries for error in single.fold([each])]
    with Session(run.engine) as session:
        rows = session.scalars(select(Mark).order_by(Mark.record, Mark.name)).all()
        assert {type(row.on) for row in rows if row.name != "count"} == {dt.date}
        assert any(len(row.note) > 5 for row in rows) and not any(row.done for row in rows if row.name == "m2")
    assert fold.digest(ROOM, run.engine) == fold.digest(ROOM, single.engine)


def test_a_content_with_a_nul_or_another_form_is_refused_however_it_is_read() -> None:
    """Reading a content quickly admits no NUL character, no longer form of a number and no other type than reading it slowly."""
    good = pack(Added(5))
    assert kinds.decode("sums.added", good) == Added(5)
    for bad in (b"\x91\xcc\x05", b"\x91\xa15", b"\x91\xcb\x40\x14" + bytes(6), good + b"\x00"):
        with pytest.raises(Invalid):
            kinds.decode("sums.added", bad)
    assert kinds.decode("sums.noted", pack(Noted("a\\u0000"))) == Noted("a\\u0000")
    with pytest.raises(Invalid):
        kinds.decode("sums.noted", pack(Noted("a\0")))
