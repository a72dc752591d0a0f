"""Folding a run of entries at once gives the same tables as folding them one by one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from node import fold, store
from node.fold import Room, Shelf
from node.kinds import Content, Entry, kind

ROOM = Room("sums", version=1)


@kind("sums.added")
class Added(Content, frozen=True):
    """Something is added to the sum of a record; a negative amount is one that no fold takes."""

    amount: int


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


@pytest.fixture
def shelves(tmp_path: Path) -> Iterator[list[Shelf]]:
    """Two sets of empty tables of the room."""
    made = [Shelf(ROOM, store.sqlite(tmp_path / f"{name}.db", store.LOOSE), name) for name in ("run", "single")]
    yield made
    for one in made:
        one.engine.dispose()


def entry(number: int, amount: int) -> Entry[Added]:
    """An entry about one of five records."""
    common = {"home": "n", "author": "n", "signer": bytes(32), "person": "", "post": "", "at": number, "recipients": (), "after": ()}
    place = {"chain": bytes(32), "seq": number, "hash": bytes(32), "id": number.to_bytes(32, "big")}
    return Entry(number=number, kind="sums.added", record=f"r{number % 5}", body=Added(amount), **place, **common)


@pytest.mark.parametrize("bad", [(), (7, 30)])
def test_a_run_equals_its_entries(shelves: list[Shelf], bad: tuple[int, ...]) -> None:
    """Fifty entries folded as one run, in which each meets what the others wrote, leave the tables that fifty runs of one leave; bad ones too."""
    entries = [(number, entry(number, -1 if number in bad else number)) for number in range(1, 51)]
    run, single = shelves
    failed = run.fold(entries)
    one_by_one = [error for each in entries for error in single.fold([each])]
    assert failed == one_by_one
    assert [number for number, _ in failed] == list(bad)
    assert fold.digest(ROOM, run.engine) == fold.digest(ROOM, single.engine)
    assert run.at == single.at == 50
