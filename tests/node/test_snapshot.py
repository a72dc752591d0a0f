"""Snapshots between books: what a newcomer takes over, what it checks afterwards, and what it does when the node above lied."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard

from node import adoption, keys, maker, snapshot
from node import entry as said
from node.adoption import CHECKED, CHECKING, TAKING
from node.book import Book
from node.codec import pack, unpack
from node.entry import ALL, DOWN, Lane
from node.errors import Forged, Invalid, NodeError, TooLarge, Untrusted
from node.snapshot import Manifest, Snapshot
from tests import books, city
from tests.books import Noted, carry, draft, texts, write
from tests.node.test_book import mended
from tests.ops.conftest import call

Books = dict[str, Book]


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Books]:
    """A city with a county, which hold six hundred notes for all, and a township that has just been admitted and holds nothing."""
    made = city.build(tmp_path, counties=1, townships=1)
    opened = {name: books.book(home) for name, home in made.homes.items()}
    for name in ("city", "county1"):
        write(opened[name], *[draft(opened[name], one, record=one.id, lane=Lane.TRUST, to=ALL) for one in made[name].says])
    for start in range(0, 600, 50):
        write(opened["city"], *[draft(opened["city"], Noted(f"第{n}号"), to=DOWN if n % 2 else ALL) for n in range(start, start + 50)])
    carry(opened["city"], opened["county1"])
    carry(opened["county1"], opened["city"])
    yield opened
    for one in opened.values():
        one.close()


def make(book: Book) -> bytes:
    """The packed snapshot that a book makes now."""
    while book.maker.step():
        pass
    return snapshot.files(book.settings).path(book.maker.offer.sha).read_bytes()


def ask(book: Book, name: str, *args: Any) -> Any:
    """The result of one request."""
    [result] = book.commit([(name, args)])
    if isinstance(result, NodeError):
        raise result
    return result


def adopt(source: Book, target: Book, data: bytes) -> int:
    """Take a snapshot over by hand; how many entries were new."""
    fresh = 0
    for number, sha, _ in ask(target, "snapshot", data):
        snapshot.files(target.settings).put([snapshot.files(source.settings).path(sha).read_bytes()])
        fresh += ask(target, "adopt", number)
    ask(target, "adopted", True)
    return fresh


def check(book: Book) -> None:
    """Let a book check what was put off."""
    while book.adoption.checking:
        book.adoption.step()
    book.settle(wait=True)


def resigned(book: Book, data: bytes, **changes: Any) -> bytes:
    """A snapshot with other contents, signed by the book."""
    found = unpack(data, Snapshot)
    manifest = pack(msgspec.structs.replace(unpack(found.manifest, Manifest), **changes))
    return pack(Snapshot(manifest, keys.sign(book.notary.identity, snapshot.signed(manifest)), found.certs))


def forge(city: Book, county: Book, text: str) -> None:
    """Let the city's epoch carry a note whose signature does not hold; the county keeps it and marks it."""
    write(city, draft(city, Noted(text), to=ALL))
    [state] = [s for s in city.journal.chains.values() if s.author == city.here and s.audience == ALL and s.lane is Lane.ORDINARY]
    good = city.read(state.id, county.journal.chains[state.id].count, 10**6)
    assert good is not None
    header, stored = good.entries[-1]
    forged = pack(msgspec.structs.replace(unpack(stored, said.Body), signature=bytes(64)))
    books.take(county, mended(city, good, [*good.entries[:-1], (header, forged)]))


def credulous(county: Book) -> bytes:
    """A snapshot in which the county vouches for what it has refused itself."""
    data = make(county)
    parts = unpack(unpack(data, Snapshot).manifest, Manifest).parts
    assert any(part.doubted for part in parts)
    return resigned(county, data, parts=tuple(msgspec.structs.replace(part, doubted=()) for part in parts))


def test_a_newcomer_has_the_same_tables_and_then_checks(pair: Books) -> None:
    """After a snapshot the township's tables are the county's; its journal says checking, and when all is checked nothing was false."""
    town, county = pair["county1-town1"], pair["county1"]
    data = make(county)
    assert adopt(county, town, data) == county.maker.offer.entries
    assert texts(town) == texts(county)
    assert town.adoption.progress is not None and town.adoption.progress.state == CHECKING
    status = town.status()["verification"]
    assert (status["state"], status["checked"], status["maker"]) == (CHECKING, 0, county.here)
    check(town)
    assert town.status()["verification"]["state"] == CHECKED
    assert town.status()["verification"]["checked"] == status["entries"] >= 600
    assert not carry(county, town)
    assert ask(town, "snapshot", data) == ()
    assert town.status()["verification"]["state"] == CHECKED
    assert all(a == b for a, b in town.refold().values())


def test_what_has_not_changed_is_not_made_again(pair: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next snapshot keeps the full parts of the last one and adds what has grown since."""
    monkeypatch.setattr(maker, "FULL", 1)
    monkeypatch.setattr(maker, "PLAIN", 64 * 1024)
    county = pair["county1"]
    make(county)
    before = county.maker.parts
    assert len(before) > 1
    for start in range(0, 400, 50):
        write(pair["city"], *[draft(pair["city"], Noted(f"又{n}号"), to=ALL) for n in range(start, start + 50)])
    carry(pair["city"], county)
    make(county)
    assert county.maker.parts[: len(before)] == before
    assert len(county.maker.parts) > len(before)
    adopt(county, pair["county1-town1"], make(county))
    assert texts(pair["county1-town1"]) == texts(county)


def test_a_snapshot_of_somebody_else_is_refused(pair: Books) -> None:
    """Only the node above may vouch: one signed by another node, changed after signing, or of endless parts is refused and nothing is taken."""
    town, county = pair["county1-town1"], pair["county1"]
    data = make(county)
    with pytest.raises(Untrusted):
        ask(town, "snapshot", resigned(pair["city"], data, maker=pair["city"].here))
    with pytest.raises(Forged):
        ask(town, "snapshot", resigned(pair["city"], data))
    parts = tuple(msgspec.structs.replace(part, size=2**40) for part in county.maker.parts)
    with pytest.raises(TooLarge):
        ask(town, "snapshot", resigned(county, data, parts=parts))
    assert town.adoption.progress is None
    assert not town.adoption.checking


@pytest.mark.promise("P16")
def test_a_bomb_in_a_part(pair: Books) -> None:
    """A part that is larger than it says once decompressed, or no part at all, is refused and leaves nothing; the entries come one by one."""
    town, county = pair["county1-town1"], pair["county1"]
    data = make(county)
    for bomb in (zstandard.ZstdCompressor().compress(bytes(64 * 2**20)), b"no part", b""):
        sha, size = snapshot.files(town.settings).put([bomb])
        parts = (msgspec.structs.replace(county.maker.parts[0], sha=sha, size=size),)
        [(number, *_)] = ask(town, "snapshot", resigned(county, data, parts=parts))
        with pytest.raises((Invalid, TooLarge)):
            ask(town, "adopt", number)
        ask(town, "adopted", False)
    check(town)
    carry(county, town)
    assert texts(town) == texts(county)


def test_a_start_in_the_middle_checks_everything(pair: Books) -> None:
    """A ledger that ends while parts are being taken checks at its next start all that had come, and goes on with the parts it lacks."""
    town, county = pair["county1-town1"], pair["county1"]
    data = make(county)
    number, sha, _ = ask(town, "snapshot", data)[0]
    snapshot.files(town.settings).put([snapshot.files(county.settings).path(sha).read_bytes()])
    ask(town, "adopt", number)
    assert town.adoption.progress is not None and town.adoption.progress.state == TAKING
    town.close()
    again = pair["county1-town1"] = Book(town.settings, town.rooms)
    assert again.adoption.checking
    check(again)
    assert number not in [one for one, *_ in ask(again, "snapshot", data)]
    adopt(county, again, data)
    check(again)
    assert texts(again) == texts(county)


@pytest.mark.promise("P9")
def test_what_the_maker_doubts_is_checked_at_once(pair: Books) -> None:
    """An entry whose signature the county refused is refused by the newcomer as it comes, and accuses nobody."""
    town, county = pair["county1-town1"], pair["county1"]
    forge(pair["city"], county, "假")
    adopt(county, town, make(county))
    assert town.refused["bad_signature"] == county.refused["bad_signature"] == 1
    assert texts(town) == texts(county)
    check(town)
    assert town.status()["verification"]["false"] == []


@pytest.mark.promise("P9")
def test_what_is_false_is_taken_back_and_proved(pair: Books) -> None:
    """A county that vouches for a false note is named by an alarm with a proof that anybody can check; the note is gone, the rest stays."""
    town, county = pair["county1-town1"], pair["county1"]
    forge(pair["city"], county, "假")
    data = credulous(county)
    adopt(county, town, data)
    assert "假" in texts(town)
    check(town)
    assert texts(town) == texts(county)
    assert "假" not in texts(town)
    assert [one["subject"] for one in town.status()["alarms"] if one["kind"] == "relay_misbehaviour"] == [county.here]
    proof = town.settings.path("snapshot", "proof-1").read_bytes()
    assert adoption.proved(proof, town.notary.root).maker == county.here
    told = call(None, "proof", "check", str(town.settings.path("snapshot", "proof-1")), "--root", str(town.settings.path("certs", "root.pem")))
    assert (told.code, told.json["kind"], told.json["origin"]) == (0, "vouched", county.here)
    with pytest.raises(Untrusted):
        ask(town, "snapshot", data)
    assert all(a == b for a, b in town.refold().values())


@pytest.mark.promise("P9")
def test_a_proof_accuses_nobody_who_is_honest(pair: Books) -> None:
    """A proof about an entry that holds, that the maker doubted, or that is not in its snapshot proves nothing."""
    town, county = pair["county1-town1"], pair["county1"]
    forge(pair["city"], county, "假")
    honest = make(county)
    adopt(county, town, credulous(county))
    check(town)
    proof = unpack(town.settings.path("snapshot", "proof-1").read_bytes(), adoption.Proof)
    other = town.read(proof.chain, 0, 10**7)
    assert other is not None
    header, body = other.entries[1]
    for wrong in (
        msgspec.structs.replace(proof, snapshot=honest),
        msgspec.structs.replace(proof, seq=1, header=header, body=body),
        msgspec.structs.replace(proof, header=header, body=body),
        msgspec.structs.replace(proof, body=body),
    ):
        with pytest.raises(Forged):
            adoption.proved(pack(wrong), town.notary.root)


def test_what_was_built_on_what_is_false_waits(pair: Books) -> None:
    """A note that names a false one as its forerunner is taken back with it, and waits as it would have done without the snapshot."""
    town, county, above = pair["county1-town1"], pair["county1"], pair["city"]
    county.notary.doubted = frozenset()  # a county that checks nothing
    forge(above, county, "假")
    county.notary.doubted = None
    held = next(s for s in county.journal.chains.values() if s.author == above.here and s.audience == ALL and s.lane is Lane.ORDINARY)
    with county.journal.asking() as c:
        false = county.reader.again(c, county.journal.found(c, held, held.count - 1, held.count)[0])
    write(county, draft(county, Noted("后"), to=ALL, after=(false.id,)))
    write(county, draft(county, Noted("别"), to=ALL))
    adopt(county, town, make(county))
    assert {"假", "后", "别"} <= set(texts(town))
    check(town)
    assert {"假", "后", "别"} & set(texts(town)) == {"别"}
    assert town.status()["queues"]["parked"] == 1
    assert all(a == b for a, b in town.refold().values())
