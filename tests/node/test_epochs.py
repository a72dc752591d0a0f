"""Epochs of a node: closing, what comes back, copies, and when a node that was set back may write."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from node import entry as said
from node import schema, standing
from node.book import Book
from node.codec import base32
from node.directory import model as directory
from node.errors import Operator, Untrusted
from node.requests import Batch
from tests import books
from tests.books import NOTES, Noted, carry, draft, exchange, take, texts, write

CITY, COUNTY, TOWN = "city", "county1", "county1-town1"


@pytest.fixture
def city(tmp_path: Path) -> Iterator[dict[str, Book]]:
    """A city, a county and a township that know each other."""
    with books.opened(tmp_path) as opened:
        yield opened


def again(book: Book, home: Path | None = None) -> Book:
    """A new process over the same home, or over a copy of it."""
    import msgspec

    return Book(msgspec.structs.replace(book.settings, home=home or book.settings.home), [directory.ROOM, NOTES])


def copied(book: Book, to: Path) -> Path:
    """A copy of a home as it lies on the disk; its journal is at rest."""
    shutil.copytree(book.settings.home, to)
    return to


def chain_of(book: Book, text: str) -> bytes:
    """The chain in which a note stands."""
    with book.journal.engine.connect() as c:
        numbers = [n for (n,) in c.execute(select(schema.ENTRIES.c.number))]
        return next(f.chain for f in book.journal.by_numbers(c, numbers) if text.encode() in f.body)


def epochs(book: Book, author: str) -> dict[str, dict[str, object]]:
    """What status says of an author's chains, by their names."""
    return {one["id"]: one for row in book.status()["origins"] if row["origin"] == author for one in row["epochs"]}


def say(book: Book, text: str) -> None:
    """Say something to everybody."""
    write(book, draft(book, Noted(text), to=said.ALL))


@pytest.mark.promise("P7")
def test_a_restart_closes_the_former_epoch_everywhere(city: dict[str, Book]) -> None:
    """After a start the first entry of a log closes the chain before it, at its author and at all who take the opening, where it ended."""
    town = city[TOWN]
    say(town, "before")
    former = base32(chain_of(town, "before"))
    exchange(city.values())
    town.close()
    city[TOWN] = town = again(town)
    say(town, "after")
    exchange(city.values())
    for book in city.values():
        told = epochs(book, town.here)
        assert (told[former]["state"], told[former]["closed"]) == ("closed", {"count": 2})
        assert told[base32(chain_of(book, "after"))]["closed"] is None


@pytest.mark.promise("P7")
def test_what_was_set_back_comes_back_and_is_listed(city: dict[str, Book], tmp_path: Path) -> None:
    """A township put back to an older disk signs nothing twice, gets its later entries from the county, and lists them by their places."""
    town, county = city[TOWN], city[COUNTY]
    say(town, "one")
    exchange(city.values())
    old = copied(town, tmp_path / "old")
    say(town, "two")
    say(town, "three")
    exchange(city.values())
    chain = chain_of(town, "two")
    town.close()
    city[TOWN] = town = again(town, old)
    assert texts(town) == ["one"]
    say(town, "instead")
    carry(county, town)
    assert texts(town) == ["instead", "one", "three", "two"]
    told = next(one for one in town.status()["alarms"] if one["kind"] == "rolled_back")
    assert told["severity"] == "info" and all(said.position(town.here, chain, seq) in told["detail"] for seq in (2, 3))
    exchange(city.values())
    assert all(texts(book) == texts(town) for book in city.values())
    noticed = [one for one in county.status()["alarms"] if one["kind"] == "rolled_back"]
    assert [(one["subject"], one["severity"]) for one in noticed] == [(town.here, "info")]
    assert epochs(county, town.here)[base32(chain)]["closed"] == {"count": 4}


@pytest.mark.promise("P8")
def test_a_copy_writes_nothing_behind_the_end(city: dict[str, Book], tmp_path: Path) -> None:
    """What the author itself brings behind the end of a closed chain is refused; what somebody else held meanwhile is taken."""
    town, county, top = city[TOWN], city[COUNTY], city[CITY]
    say(town, "one")
    exchange(city.values())
    later = again(town, copied(town, tmp_path / "copy"))
    say(later, "by the copy")
    exchange([later, county, top])
    say(town, "too late")
    chain = chain_of(town, "too late")
    batch = town.read(chain, 2, 100_000)
    assert isinstance(batch, Batch)
    told = county.commit([("take", (batch, town.here))])[0]
    assert isinstance(told, Untrusted) and told.code == "closed"
    assert take(top, batch).fresh == 1  # from whom it had come it is a third one's word
    with top.journal.engine.connect() as c:
        vouching = top.journal.hold_for(c, top.journal.chain(chain), 2)
    county.commit([("held", (vouching,))])
    assert county.commit([("take", (batch, town.here))])[0].fresh == 1
    later.close()


@pytest.mark.promise("P7")
def test_a_restored_node_waits_for_the_one_above(city: dict[str, Book]) -> None:
    """While it is recovering it writes nothing and takes everything; told that it has all, it writes again, in an epoch that says restore."""
    town, county = city[TOWN], city[COUNTY]
    town.close()
    standing.save(town.settings, standing.Standing(state=standing.RECOVERING, reason="restore", since=1))
    city[TOWN] = town = again(town)
    with pytest.raises(Operator):
        say(town, "too early")
    say(county, "meanwhile")
    carry(county, town)
    assert texts(town) == ["meanwhile"] and town.status()["state"] == "recovering"
    town.commit([("level", (city[CITY].here,))])
    assert town.status()["state"] == "recovering"
    town.commit([("level", (county.here,))])
    assert town.status()["state"] == "ready"
    say(town, "now")
    assert town.status()["epoch"]["reason"] == "restore"
    town.close()
    city[TOWN] = town = again(town)
    assert (town.status()["state"], town.writer.reason) == ("ready", "start")


@pytest.mark.promise("P7")
def test_a_city_waits_for_most_of_its_counties(tmp_path: Path) -> None:
    """At its start a city with three counties writes when two were heard, or when its operator says so; one with none writes at once."""
    with books.opened(tmp_path, counties=3, townships=0) as opened:
        top = opened[CITY]
        top.close()
        for heard in (["county1", "county2"], []):
            opened[CITY] = top = again(top)
            top.epochs.wait_for_counties()
            assert top.status()["reasons"] == ["recovering_start"]
            for name in heard:
                with pytest.raises(Operator):
                    say(top, "too early")
                top.commit([("level", (opened[name].here,))])
            if not heard:
                assert top.commit([("confirm", ())]) == ["recovering"]
            say(top, f"heard {len(heard)}")
            top.close()
    with books.opened(tmp_path / "alone", counties=0, townships=0) as opened:
        opened[CITY].epochs.wait_for_counties()
        say(opened[CITY], "at once")


@pytest.mark.promise("P8")
def test_of_two_copies_the_newer_one_writes(city: dict[str, Book]) -> None:
    """An epoch that calls again after a newer one is fenced for good; the living one hears of its twin; all three tell."""
    town, county = city[TOWN], city[COUNTY]
    first, second = town.writer.epoch, bytes([2]) * 32
    assert not county.commit([("met", (town.here, first))])[0].fenced
    assert not county.commit([("met", (town.here, second))])[0].fenced
    assert county.commit([("met", (town.here, first))])[0].fenced
    alive = county.commit([("met", (town.here, second))])[0]
    assert not alive.fenced and alive.twin == first
    town.commit([("fence", ("told by the county",))])
    with pytest.raises(Operator) as refused:
        say(town, "as a copy")
    assert refused.value.code == "fenced" and refused.value.exit_code == 7
    for book, subject in ((town, town.here), (county, town.here)):
        assert [one["subject"] for one in book.status()["alarms"] if one["kind"] == "duplicate_identity"] == [subject]
    town.close()
    city[TOWN] = town = again(town)
    assert town.status()["state"] == "fenced"  # else the copies would take turns
    assert town.commit([("confirm", ())]) == ["fenced"]
    assert town.writer.reason == "takeover" and not county.commit([("met", (town.here, town.writer.epoch))])[0].fenced
    assert county.commit([("met", (town.here, second))])[0].fenced
    say(town, "again")


def test_a_living_epoch_that_was_set_back_burns_its_key(city: dict[str, Book]) -> None:
    """Whoever's memory was set back learns it from its neighbour: a new epoch begins and nothing is signed twice."""
    town, county = city[TOWN], city[COUNTY]
    say(town, "one")
    exchange(city.values())
    state = town.journal.chain(chain_of(town, "one"))
    epoch = town.writer.epoch
    say(town, "two")
    carry(town, county)
    with town.journal.transaction() as c:
        c.execute(schema.ENTRIES.delete().where(schema.ENTRIES.c.chain == state.no, schema.ENTRIES.c.seq == 2))
        c.execute(schema.HEADS.delete().where(schema.HEADS.c.chain == state.no, schema.HEADS.c.seq == 2))
        prev = c.execute(select(schema.ENTRIES.c.hash).where(schema.ENTRIES.c.chain == state.no, schema.ENTRIES.c.seq == 1)).scalar_one()
        c.execute(schema.CHAINS.update().where(schema.CHAINS.c.no == state.no).values(count=2, hash=prev))
    town.journal.load()
    carry(county, town)
    assert town.writer.epoch != epoch and town.writer.reason == "rollback"
    say(town, "three")
    exchange(city.values())
    assert not any(one["kind"] == "fork" for book in city.values() for one in book.status()["alarms"])
