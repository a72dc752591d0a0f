"""The book: what is written stands, what is taken is checked, what is folded equals a refold; on SQLite and on PostgreSQL."""

from __future__ import annotations

import random
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from node import entry as said
from node import keys, schema
from node.book import Book
from node.codec import pack, unpack
from node.directory import model as directory
from node.entry import Head, Header, Opened, Opening
from node.errors import Conflict, Forged, Fork, Gap, Invalid, Missing, NodeError, TooLarge, Untrusted
from node.fold import Tables
from node.kinds import Content, kind
from node.requests import Batch
from tests import books
from tests.books import Noted, carry, draft, exchange, take, texts, write

Books = dict[str, Book]


def notes(book: Book, *lines: str, to: said.Audience = said.UP) -> None:
    """Write some notes."""
    write(book, *[draft(book, Noted(line), to=to) for line in lines])


def batch_of(book: Book, chain: int = -1, start: int = 0) -> Batch:
    """A batch of the book's own newest chain."""
    state = [s for s in book.journal.chains.values() if s.author == book.here][chain]
    batch = book.read(state.id, start, 10**6)
    assert batch is not None
    return batch


def mended(book: Book, batch: Batch, entries: list[tuple[bytes, bytes]]) -> Batch:
    """A batch with other entries, its links and head made right again with the epoch key, as a thief of it could."""
    out: list[tuple[bytes, bytes]] = []
    prev = unpack(entries[0][0], Header).prev
    for number, (raw, body) in enumerate(entries):
        header = msgspec.structs.replace(unpack(raw, Header), prev=prev, seq=batch.start + number, digest=said.body_digest(body), size=len(body))
        raw = pack(header)
        prev = said.header_hash(raw)
        out.append((raw, body))
    seq = batch.start + len(out) - 1
    head = Head(batch.chain, seq, prev, book.writer.epoch_key.sign(said.head_signed(batch.chain, seq, prev)))
    return Batch(batch.chain, batch.start, tuple(out), head, batch.certs)


def test_up_reaches_every_ancestor_once(branch: Books) -> None:
    """A note upward is folded at township, county and city, once each, and all tables equal a refold from zero."""
    notes(branch["county1-town1"], "水情", "雨情")
    exchange(branch.values())
    exchange(branch.values())
    for book in branch.values():
        assert texts(book) == sorted(["水情", "雨情"])
        assert all(a == b for a, b in book.refold().values())


def test_named_log_is_read_by_its_reader_only(branch: Books, tmp_path: Path) -> None:
    """A note sealed to the city is folded there and at its author, and no file of the county holds a plain character of it."""
    notes(branch["county1-town1"], "CANARY-机密事项-7731", to=said.to_node(branch["city"].here))
    exchange([branch["county1-town1"], branch["county1"]])
    exchange([branch["county1"], branch["city"]])
    assert texts(branch["city"]) == texts(branch["county1-town1"]) == ["CANARY-机密事项-7731"]
    assert texts(branch["county1"]) == []
    canaries = ["CANARY-机密事项-7731".encode(), "机密事项".encode()]
    for file in (tmp_path / "county1").rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            assert not any(canary in data for canary in canaries), file


def test_repeated_nonce_answers_with_the_first_place(branch: Books) -> None:
    """The same draft twice stands once and gives the same place."""
    town = branch["county1-town1"]
    one = draft(town, Noted("一次"))
    first, second = write(town, one)[0], write(town, one)[0]
    assert (first.places, first.repeated, second.repeated) == (second.places, False, True)
    assert texts(town) == ["一次"]


def test_two_hands_at_once(branch: Books) -> None:
    """Who relies on a version that somebody has changed since is told so, and nothing of his is written."""
    town = branch["county1-town1"]
    with town.journal.engine.connect() as c:
        found = town.journal.versions(c, ["r1"])
    write(town, draft(town, Noted("甲"), record="r1", relies=tuple(found.items())))
    with pytest.raises(Conflict):
        write(town, draft(town, Noted("乙前"), record="r2"), draft(town, Noted("乙"), record="r1", relies=tuple(found.items())))
    assert texts(town) == ["甲"]


def test_a_fold_that_raises_stops_nobody(branch: Books) -> None:
    """An entry whose fold raises is marked, and the entries before and behind it are folded."""
    notes(branch["county1-town1"], "前", "raise", "后")
    exchange(branch.values())
    for book in branch.values():
        assert texts(book) == sorted(["前", "后"])
        assert book.refused["unfolded"] == 1
        assert all(a == b for a, b in book.refold().values())


@pytest.mark.promise("P3")
def test_order_by_after(branch: Books) -> None:
    """An answer that arrives before its question waits for it, even over a restart of the book."""
    town, county, city = branch["county1-town1"], branch["county1"], branch["city"]
    asked = write(county, draft(county, Noted("问"), to=said.ALL))[0]
    exchange([county, town])
    write(town, draft(town, Noted("答"), to=said.ALL, after=(asked.id,)))
    answer = batch_of(town)
    take(city, answer)
    assert texts(city) == []
    again = Book(city.settings, [books.directory.ROOM, books.NOTES])
    assert texts(again) == []
    carry(county, again)
    assert texts(again) == sorted(["问", "答"])
    again.close()


def test_shuffled_arrival_gives_equal_tables(small: Books, tmp_path: Path) -> None:
    """Whatever the order in which chains arrive, the tables are the same."""
    notes(small["city"], *"一二三四", to=said.ALL)
    notes(small["county1"], *"五六七八", to=said.ALL)
    batches = [batch_of(small["city"]), batch_of(small["county1"])]
    town = small["county1-town1"]
    random.Random(7).shuffle(batches)
    for batch in batches:
        take(town, batch)
    exchange(small.values())
    assert town.digests()["notes"] == small["city"].digests()["notes"] == small["county1"].digests()["notes"]


def test_gap(branch: Books) -> None:
    """A batch that begins after what is held is not taken, and the answer says how far the chain is held."""
    notes(branch["county1-town1"], "一", "二")
    later = batch_of(branch["county1-town1"], start=2)
    with pytest.raises(Gap):
        take(branch["county1"], later)
    assert later.chain not in branch["county1"].journal.chains


@pytest.mark.promise("P6")
def test_fork(branch: Books) -> None:
    """Two entries signed for one place: the proof is kept, that chain is frozen, the author's other chains go on."""
    town, county = branch["county1-town1"], branch["county1"]
    notes(town, "真")
    honest = batch_of(town)
    take(county, honest)
    other = said.statement_id(b"x") + b"y" * 10
    with pytest.raises(Fork):
        take(county, mended(town, honest, [honest.entries[0], (honest.entries[1][0], other)]))
    assert county.journal.chains[honest.chain].frozen == "fork"
    with county.journal.engine.connect() as c:
        assert len(c.execute(select(schema.FORKS)).all()) == 1
    with pytest.raises(Fork):
        take(county, honest)
    notes(town, "另", to=said.ALL)
    take(county, batch_of(town))
    assert sorted(texts(county)) == sorted(["真", "另"])


def _flip(data: bytes, at: int = 5) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _wrong(world: Books) -> dict[str, tuple[Batch, type[NodeError]]]:
    town, county = world["county1-town1"], world["county1"]
    notes(town, "甲", "乙")
    good = batch_of(town)
    first, second, third = good.entries
    opening = unpack(unpack(first[1], Opened).opening, Opening)
    elsewhere = pack(msgspec.structs.replace(opening, city="a" * 26))
    foreign = (first[0], pack(Opened(elsewhere, keys.sign(town.notary.identity, said.opening_signed(elsewhere)))))
    stolen = pack(msgspec.structs.replace(opening, author=county.here))
    stranger = keys.new_p256()
    return {
        "body flipped": (msgspec.structs.replace(good, entries=(first, (second[0], _flip(second[1])), third)), Forged),
        "header flipped": (msgspec.structs.replace(good, entries=(first, (_flip(second[0], -40), second[1]), third)), NodeError),
        "head flipped": (msgspec.structs.replace(good, head=msgspec.structs.replace(good.head, signature=_flip(good.head.signature))), Forged),
        "head elsewhere": (msgspec.structs.replace(good, entries=good.entries[:2]), Forged),
        "order": (msgspec.structs.replace(good, entries=(first, third, second)), Forged),
        "empty": (msgspec.structs.replace(good, entries=()), Invalid),
        "oversized": (mended(town, good, [first, (second[0], b"x" * 300_000)]), TooLarge),
        "another city": (mended(town, good, [foreign, second]), NodeError),
        "another author": (
            mended(town, good, [(first[0], pack(Opened(stolen, keys.sign(town.notary.identity, said.opening_signed(stolen)))))]),
            NodeError,
        ),
        "opening re-signed": (
            mended(town, good, [(first[0], pack(Opened(pack(opening), keys.sign(stranger, said.opening_signed(pack(opening))))))]),
            NodeError,
        ),
        "not canonical": (msgspec.structs.replace(good, entries=(first, (b"\xdc\x00" + second[0][:1] + second[0][1:], second[1]))), NodeError),
        "another's certificates": (msgspec.structs.replace(mended(town, good, list(good.entries)), chain=bytes(32)), NodeError),
    }


def test_nothing_wrong_is_written(small: Books) -> None:
    """Flipped, re-signed, re-ordered, oversized or foreign: each is refused with its error, and nothing of it is on disk."""
    wrong = _wrong(small)
    county = small["county1"]
    before = county.journal.last, set(county.journal.chains)
    for name, (batch, error) in wrong.items():
        with pytest.raises(error):
            take(county, batch)
        assert (county.journal.last, set(county.journal.chains)) == before, name
    assert sum(county.refused.values()) == len(wrong)
    carry(small["county1-town1"], county)
    assert texts(county) == sorted(["甲", "乙"])


def test_signed_by_nobody_is_marked_and_passed_on(small: Books) -> None:
    """An entry whose person's signature is wrong is kept and forwarded as bytes, folded nowhere, and stops nothing behind it."""
    town, county, city = small["county1-town1"], small["county1"], small["city"]
    notes(town, "好")
    good = batch_of(town)
    body = unpack(good.entries[1][1], said.Body)
    forged = pack(msgspec.structs.replace(body, signature=_flip(body.signature)))
    batch = mended(town, good, [good.entries[0], (good.entries[1][0], forged), good.entries[1]])
    take(county, batch)
    carry(county, city)
    assert texts(county) == texts(city) == ["好"]
    assert county.refused["bad_signature"] == city.refused["bad_signature"] == 1


def test_unknown_kinds_are_kept(small: Books) -> None:
    """A kind this build does not know is carried on byte for byte and folded by nobody."""

    @kind("future.thing")
    class Thing(Content, frozen=True):
        a: int

    write(small["county1-town1"], draft(small["county1-town1"], Thing(1), to=said.UP))
    from node.kinds import KINDS

    del KINDS["future.thing"]
    exchange(small.values())
    batch = batch_of(small["county1-town1"])
    assert small["city"].read(batch.chain, 0, 10**6) == batch
    assert not set(small["city"].refused) - {"unknown_hold"}


def test_missing_forerunner_or_attachment_is_refused(small: Books) -> None:
    """A draft that builds on what is not here, or names a blob not stored here, is refused before anything is written."""
    town = small["county1-town1"]
    with pytest.raises(Missing):
        write(town, draft(town, Noted("x"), after=(bytes(32),)))
    with pytest.raises(Missing):
        write(town, draft(town, Noted("x"), attachments=(said.Attachment(bytes(32), 5),)))
    assert texts(town) == []


@pytest.mark.promise("P7")
def test_old_disk_never_signs_an_occupied_place(tmp_path: Path) -> None:
    """A home restored from an old copy opens a new epoch, gets its own past back, and no place carries two entries."""
    import shutil

    with books.opened(tmp_path) as world:
        town, county = world["county1-town1"], world["county1"]
        notes(town, "一")
        carry(town, county)
        settings = town.settings
        shutil.copytree(settings.home, tmp_path / "old")
        notes(town, "二", "三")
        carry(town, county)
        town.close()
        shutil.rmtree(settings.home)
        shutil.move(tmp_path / "old", settings.home)
        back = world["county1-town1"] = Book(settings, [books.directory.ROOM, books.NOTES], reason="restore")
        notes(back, "四")
        exchange(world.values())
        assert texts(back) == texts(county) == sorted("一二三四")
        assert not any(state.frozen for state in county.journal.chains.values())


def test_stranger_node_is_refused(small: Books, tmp_path: Path) -> None:
    """A node of another city, with certificates of its own root, is not believed."""
    with books.opened(tmp_path / "other") as others:
        notes(others["county1"], "外", to=said.ALL)
        with pytest.raises(Untrusted):
            take(small["county1"], batch_of(others["county1"]))


def test_new_version_is_built_beside_the_work(tmp_path: Path) -> None:
    """A room whose VERSION rose is built from the journal while the book goes on writing, and ends equal to a refold."""
    from node import shelves as module

    with books.opened(tmp_path) as world:
        town = world["county1-town1"]
        for part in range(3):
            notes(town, *[f"{part}-{i}" for i in range(module.BUILD // 2)])
        town.close()
        books.NOTES.version += 1
        try:
            again = world["county1-town1"] = Book(town.settings, [books.directory.ROOM, books.NOTES])
            assert again.status()["building"] == ["notes"]
            notes(again, "meanwhile")
            again.settle(wait=True)
            assert len(texts(again)) == 3 * (module.BUILD // 2) + 1
            assert all(a == b for a, b in again.refold().values())
        finally:
            books.NOTES.version -= 1


def test_a_stamp_dates_tables(branch: Books) -> None:
    """Whoever kept the stamp of a room's tables knows from the next one whether anything was folded into them, and into them alone."""
    book = next(iter(branch.values()))
    tables = Tables(book.settings, [books.NOTES, directory.ROOM])
    try:
        first, other = tables.stamp(books.NOTES), tables.stamp(directory.ROOM)
        assert tables.stamp(books.NOTES) == first
        notes(book, "something new")
        second = tables.stamp(books.NOTES)
        assert second != first
        assert (tables.stamp(books.NOTES), tables.stamp(directory.ROOM)) == (second, other)
    finally:
        tables.close()
