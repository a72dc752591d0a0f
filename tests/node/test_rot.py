"""Stored bytes that changed: found, never sent on, never taken for a fork, put right from a neighbour's copy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import select, update

from node import entry as said
from node import schema
from node.book import Book
from node.entry import Attachment
from node.errors import Corrupt, Fork, Unreachable
from node.requests import Batch
from tests import books
from tests.books import Noted, draft, exchange, take, write

CITY, COUNTY, TOWN = "city", "county1", "county1-town1"
Rows = list[tuple[int, bytes, bytes, bytes]]


@pytest.fixture
def city(tmp_path: Path) -> Iterator[dict[str, Book]]:
    """A city, a county and a township that hold five notes of the county."""
    with books.opened(tmp_path) as opened:
        for i in range(5):
            write(opened[COUNTY], draft(opened[COUNTY], Noted(f"note {i}"), to=said.ALL))
        exchange(opened.values())
        yield opened


def notes(book: Book) -> bytes:
    """The chain that holds the notes."""
    with book.journal.engine.connect() as c:
        rows = c.execute(select(schema.ENTRIES.c.number, schema.ENTRIES.c.body)).all()
        number = next(n for n, body in rows if b"note 4" in body)
        return book.journal.by_numbers(c, [number])[0].chain


def stored(book: Book, chain: bytes) -> Rows:
    """Every byte of a chain as it lies on the disk."""
    with book.journal.engine.connect() as c:
        columns = schema.ENTRIES.c.seq, schema.ENTRIES.c.header, schema.ENTRIES.c.body, schema.ENTRIES.c.hash
        where = schema.ENTRIES.c.chain == book.journal.chain(chain).no
        return [tuple(row) for row in c.execute(select(*columns).where(where).order_by(schema.ENTRIES.c.seq))]


def flip(book: Book, chain: bytes, seq: int, column: str) -> None:
    """One bit of a stored entry turns over."""
    place = schema.ENTRIES.c.chain == book.journal.chain(chain).no, schema.ENTRIES.c.seq == seq
    with book.journal.transaction() as c:
        data = bytearray(c.execute(select(schema.ENTRIES.c[column]).where(*place)).scalar_one())
        data[len(data) // 2] ^= 4
        c.execute(update(schema.ENTRIES).where(*place).values({column: bytes(data)}))


def walk(book: Book) -> None:
    """A whole round."""
    while book.scrub():
        pass


def given(source: Book, target: Book, chain: bytes, limit: int = 100_000) -> None:
    """What a neighbour that is asked for a rotten chain anew sends."""
    for _ in range(10):
        for found, start in target.journal.rot.first():
            assert found == chain
            with suppress(Unreachable):  # a piece that proves nothing yet
                take(target, source.read(chain, start, limit))


def kinds(book: Book) -> set[str]:
    """Kinds of alarm that stand."""
    return {one["kind"] for one in book.status()["alarms"]}


@pytest.mark.promise("P23")
@pytest.mark.parametrize("column", ["header", "body", "hash"])
@pytest.mark.parametrize("seq", [0, 2, 5])
def test_a_flipped_bit_is_found_and_healed_byte_for_byte(city: dict[str, Book], column: str, seq: int) -> None:
    """Wherever in an entry a bit turns over, a round finds it, an alarm names it, and a neighbour's copy brings back every byte."""
    town, chain = city[TOWN], notes(city[TOWN])
    before = stored(town, chain)
    flip(town, chain, seq, column)
    assert stored(town, chain) != before
    walk(town)
    assert "corrupt" in kinds(town) and town.journal.rot.first() == ((chain, seq),)
    given(city[COUNTY], town, chain)
    assert stored(town, chain) == before and town.journal.rot.first() == ()
    assert "repaired" in kinds(town) and "corrupt" not in kinds(town)


@pytest.mark.promise("P23")
@pytest.mark.parametrize("limit", [1, 100_000])
def test_a_rotten_page_is_healed_in_pieces(city: dict[str, Book], limit: int) -> None:
    """Many entries beside each other, the last of the chain among them, come back whether they are sent at once or one by one."""
    town, chain = city[TOWN], notes(city[TOWN])
    before = stored(town, chain)
    for seq in range(1, 6):
        flip(town, chain, seq, ("header", "body", "hash")[seq % 3])
    walk(town)
    given(city[COUNTY], town, chain, limit)
    assert stored(town, chain) == before


@pytest.mark.promise("P23")
@pytest.mark.parametrize("column", ["header", "body", "hash"])
def test_what_rotted_is_not_sent_on(city: dict[str, Book], column: str) -> None:
    """A neighbour that asks gets nothing of the rotten part, though nobody had looked at it before, and all of it afterwards."""
    county, chain = city[COUNTY], notes(city[COUNTY])
    flip(county, chain, 3, column)
    with pytest.raises(Corrupt):
        county.read(chain, 0, 100_000)
    given(city[TOWN], county, chain)
    assert len(county.read(chain, 0, 100_000).entries) == 6  # type: ignore[union-attr]


@pytest.mark.promise("P6")
def test_rot_accuses_nobody_of_a_fork(city: dict[str, Book]) -> None:
    """When the rotten place is just the one by which the next batch is joined on, no fork is proved and the chain goes on."""
    county, town = city[COUNTY], city[TOWN]
    chain = notes(town)
    flip(town, chain, 5, "hash")
    take(town, county.read(chain, 4, 100_000))
    flip(town, chain, 3, "hash")
    take(town, county.read(chain, 3, 100_000))
    write(county, draft(county, Noted("note 6"), to=said.ALL))
    take(town, county.read(chain, 6, 100_000))
    assert stored(town, chain) == stored(county, chain) and "fork" not in kinds(town)


@pytest.mark.promise("P6")
def test_a_fork_beside_rot_is_still_a_fork(city: dict[str, Book]) -> None:
    """Another entry signed for a place that is soundly held is refused and proved, and heals nothing, though a place beside it has rotted."""
    county, town = city[COUNTY], city[TOWN]
    chain = notes(town)
    batch = county.read(chain, 5, 100_000)
    assert batch is not None
    flip(town, chain, 2, "body")
    walk(town)
    before = stored(town, chain)
    with pytest.raises(Fork):
        take(town, _other(county, batch))
    assert stored(town, chain) == before


def _other(author: Book, batch: Batch) -> Batch:
    """Another entry that the author's own epoch key signs for the same place."""
    import msgspec

    from node.codec import pack, unpack
    from node.entry import Head, Header

    raw, _ = batch.entries[0]
    body = b"something else"
    header = pack(msgspec.structs.replace(unpack(raw, Header), digest=said.body_digest(body), size=len(body)))
    hash = said.header_hash(header)
    signature = author.writer.epoch_key.sign(said.head_signed(batch.chain, batch.start, hash))
    return msgspec.structs.replace(batch, entries=((header, body),), head=Head(batch.chain, batch.start, hash, signature))


@pytest.mark.promise("P23")
def test_an_attachment_that_rotted_is_wanted_again(city: dict[str, Book]) -> None:
    """A round finds it, nobody is given the changed bytes any more, and the whole one is told as repaired when it has come."""
    county = city[COUNTY]
    sha, size = county.blobs.put([b"a map of the flood " * 1000])
    write(county, draft(county, Noted("with a map"), to=said.ALL, attachments=(Attachment(sha, size),)))
    whole = county.blobs.path(sha).read_bytes()
    county.blobs.path(sha).write_bytes(whole[:50] + b"?" + whole[51:])
    walk(county)
    assert county.blobs.read(sha, 0, 100) == b"" and "corrupt" in kinds(county)
    with county.journal.engine.connect() as c:
        assert county.journal.wanted(c) == (Attachment(sha, size),)
    assert county.blobs.write(sha, size, 0, whole)
    county.commit([("arrived", (sha,))])
    assert county.blobs.path(sha).read_bytes() == whole and {"repaired"} <= kinds(county) and "corrupt" not in kinds(county)


@pytest.mark.promise("P23")
def test_what_cannot_be_read_at_all_is_told_and_ends_nothing(city: dict[str, Book]) -> None:
    """When the database itself fails under the round, the alarm carries its word, the rest of the round is done and entries are written as before."""
    county = city[COUNTY]
    with county.journal.transaction() as c:
        c.exec_driver_sql("alter table entries rename to elsewhere")
    walk(county)
    assert any("no such table" in one["detail"] for one in county.journal.rot.alarms(county.here))
    with county.journal.transaction() as c:
        c.exec_driver_sql("alter table elsewhere rename to entries")
    write(county, draft(county, Noted("afterwards"), to=said.ALL))
    assert county.read(notes(county), 0, 100_000) is not None
