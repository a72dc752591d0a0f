"""What a hostile insider may sign, and what happens to honest nodes at awkward moments: each is contained, and the book goes on."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest

from node import entry as said
from node import keys
from node.book import Book
from node.codec import pack
from node.directory.entries import Organ
from node.entry import Audience, Head, Header, Hold, Lane, Opened, Opening, Scope
from node.errors import Conflict, Fork, Invalid, NodeError, Refused, Untrusted
from node.kinds import Content, kind
from node.requests import Batch, statement
from tests import books, city
from tests.books import Noted, carry, draft, exchange, take, texts, write

Books = dict[str, Book]


def batches(book: Book) -> Iterator[Batch]:
    """The book's own chains, whole, but the one that stays at home."""
    for state in list(book.journal.chains.values()):
        if state.author == book.here and state.audience.scope is not Scope.SELF:
            found = book.read(state.id, 0, 10**7)
            assert found is not None
            yield found


def opened(
    book: Book, audience: Audience, *, epoch: bytes = b"", sealed: tuple[tuple[str, bytes], ...] = (), at: int = 1, more: bytes = b""
) -> Batch:
    """A chain of any audience, signed by the book's identity and epoch, with one further body."""
    raw_key = keys.raw_public(book.writer.epoch_key.public_key())
    opening = pack(
        Opening(1, book.settings.city, book.here, audience, Lane.ORDINARY, epoch or secrets.token_bytes(32), raw_key, "start", at, "x", (), sealed)
    )
    rows: list[tuple[bytes, bytes]] = []
    chain = prev = b""
    for seq, body in enumerate([pack(Opened(opening, keys.sign(book.notary.identity, said.opening_signed(opening)))), *([more] if more else [])]):
        header = pack(Header(chain, seq, prev, said.body_digest(body), len(body)))
        prev = said.header_hash(header)
        chain = chain or prev
        rows.append((header, body))
    return Batch(chain, 0, tuple(rows), Head(chain, seq, prev, book.writer.epoch_key.sign(said.head_signed(chain, seq, prev))))


@pytest.mark.promise("P16")
def test_a_time_without_a_date(branch: Books) -> None:
    """A claimed time beyond the year 9998 is refused at the pen and marked when it comes from others; the entry behind it is folded."""
    town, county = branch["county1-town1"], branch["county1"]
    with pytest.raises(Invalid):
        write(town, draft(town, Noted("远"), to=said.UP, at=2**62))
    with pytest.raises(NodeError):
        take(county, opened(town, said.UP, at=2**62))
    write(town, draft(town, Noted("近"), to=said.UP))
    for batch in batches(town):
        take(county, batch)
    assert texts(county) == ["近"]


@pytest.mark.promise("P16")
@pytest.mark.parametrize("name", ["x" * 500, "a\0b", "é" * 13, "A" * 26])
def test_an_audience_that_is_no_node(branch: Books, name: str) -> None:
    """An opening that names no possible node is refused whatever the store, and the next chain is taken."""
    town, county = branch["county1-town1"], branch["county1"]
    with pytest.raises(Invalid):
        take(county, opened(town, Audience(Scope.NODE, name)))
    write(town, draft(town, Noted("好"), to=said.UP))
    carry(town, county)
    assert texts(county) == ["好"]


@pytest.mark.parametrize("name", ["", "r" * 201, "a\0b"])
def test_a_record_without_a_name(branch: Books, name: str) -> None:
    """A record whose name no store can hold is refused at the pen; from others the entry counts, only without a version."""
    town = branch["county1-town1"]
    one = draft(town, Noted("x"), record="r")
    wrong = msgspec.structs.replace(one, relies=((name, 0),))
    with pytest.raises(Invalid):
        write(town, wrong)
    assert write(town, one)[0].number


@pytest.mark.promise("P16")
@pytest.mark.parametrize("wrapped", [b"", b"x", b"x" * 1120, b"x" * 5000])
def test_a_seal_that_does_not_open(small: Books, wrapped: bytes) -> None:
    """A sealed chain whose key is nonsense is kept and marked; nothing else suffers."""
    town, county = small["county1-town1"], small["county1"]
    batch = opened(town, said.to_node(county.here), sealed=((county.here, wrapped),), more=b"zz")
    assert take(county, batch).chain.count == 2
    assert sum(county.refused.values()) == 1


def test_anothers_own_log_is_not_taken(small: Books) -> None:
    """What a node keeps for itself is for nobody else, even if it comes."""
    with pytest.raises(Untrusted):
        take(small["county1"], opened(small["county1-town1"], said.SELF))


@pytest.mark.promise("P6")
def test_a_second_chain_of_one_log_in_one_epoch_is_a_fork(small: Books) -> None:
    """Two openings for the same log and epoch leave the choice which is true: the first is frozen, both are kept as proof."""
    town, county = small["county1-town1"], small["county1"]
    write(town, draft(town, Noted("一"), to=said.UP))
    carry(town, county)
    with pytest.raises(Fork):
        take(county, opened(town, said.UP, epoch=town.writer.epoch))
    assert [a["kind"] for a in county.status()["alarms"]] == ["fork"]


@kind("notes.proclaimed")
class Proclaimed(Content, frozen=True):
    """An organ says something."""

    organ: str

    def speaks_for(self) -> tuple[str, ...]:
        """The organ."""
        return (self.organ,)


@kind("notes.thought")
class Thought(Content, frozen=True):
    """A node thinks something to itself."""

    text: str
    inner: ClassVar[bool] = True


def signed(book: Book, content: Content, data: bytes = b"") -> bytes:
    """The stored body of what a node's identity signs (``data`` in place of the content), with none of the checks of its own ledger."""
    stated, salt, plain = statement(book.settings.city, content, record="r", home=book.here, suite=keys.P256, signer=book.notary.fingerprint)
    data = data or plain
    raw = pack(msgspec.structs.replace(stated, digest=said.content_digest(salt, data)))
    return pack(said.Body(raw, keys.sign(book.notary.identity, said.statement_signed(raw)), salt, data))


@pytest.mark.promise("P16")
def test_the_name_of_anothers_organ(branch: Books) -> None:
    """What a township says in the name of an organ of the county is marked where it arrives; in its own organ's name it counts."""
    town, county = branch["county1-town1"], branch["county1"]
    for book, organ in ((county, "county-office"), (town, "town-office")):
        about = Organ(organ, "", organ, organ, "department", "county", "", "", "", "", book.here, True, (), "", 0)
        write(book, draft(book, about, record=organ, lane=Lane.TRUST, to=said.ALL))
    exchange([town, county])
    for organ, counts in (("county-office", 0), ("town-office", 1)):
        released = county.journal.released
        take(county, opened(town, said.UP, more=signed(town, Proclaimed(organ))))
        assert county.journal.released - released == counts
    assert county.refused["scope"] == 1
    with pytest.raises(Refused):
        write(town, draft(town, Proclaimed("county-office")))


@pytest.mark.promise("P16")
def test_anothers_inner_affair(branch: Books) -> None:
    """What a node says to itself counts there, and sent to another is marked."""
    town, county = branch["county1-town1"], branch["county1"]
    write(town, draft(town, Thought("mine")))
    released = county.journal.released
    take(county, opened(town, said.UP, more=signed(town, Thought("yours"))))
    assert county.journal.released == released and county.refused["scope"] == 1


def test_the_same_draft_twice_in_one_write(small: Books) -> None:
    """It is refused as a mistake, and neither ends the ledger nor hinders the group it came in."""
    town = small["county1-town1"]
    one, other = draft(town, Noted("一次")), draft(town, Noted("另一个"))
    wrong, right = town.commit([("write", ((one, one),)), ("write", ((other,),))])
    assert isinstance(wrong, Invalid)
    assert right[0].number
    assert write(town, one)[0].number
    assert texts(town) == sorted(["一次", "另一个"])


def test_a_note_upward_before_the_tree_is_known(tmp_path: Path) -> None:
    """What a township says upward reaches the city's tables even when it comes before the county has told who the township is."""
    homes = city.build(tmp_path).homes
    open_ = {name: books.book(home) for name, home in homes.items()}
    for name, home in homes.items():
        for one in home.says:
            write(open_[name], draft(open_[name], one, record=one.id, lane=Lane.TRUST, to=said.ALL))
    town, top = open_["county1-town1"], open_["city"]
    write(town, draft(town, Noted("早"), to=said.UP), draft(town, Noted("也早"), to=said.ALL))
    for batch in batches(town):
        take(top, batch)
    assert texts(top) == []
    carry(open_["county1"], top)
    assert texts(top) == sorted(["早", "也早"])
    for book in open_.values():
        book.close()


@pytest.mark.promise("P3")
def test_a_long_row_of_waiting(small: Books) -> None:
    """Four hundred entries, each building on the one before, are all folded when what the first builds on comes at last."""
    town, county, top = small["county1-town1"], small["county1"], small["city"]
    last = write(county, draft(county, Noted("0000"), to=said.ALL))[0].id
    exchange([county, town])
    for number in range(1, 401):
        one = draft(town, Noted(f"{number:04}"), to=said.ALL, after=(last,))
        last = write(town, one)[0].id
    for batch in batches(town):
        take(top, batch)
    assert texts(top) == []
    carry(county, top)
    assert texts(top) == [f"{number:04}" for number in range(401)]


def test_heads_inside_a_large_group(small: Books) -> None:
    """However many requests one transaction gathers, a neighbour may cut the chain every two hundred entries."""
    town = small["county1-town1"]
    town.commit([("write", (tuple(draft(town, Noted("x"), to=said.UP) for _ in range(10)),)) for _ in range(60)])
    chain = next(s for s in town.journal.chains.values() if s.author == town.here and s.audience == said.UP)
    start, cuts = 0, []
    while batch := town.read(chain.id, start, 1):
        cuts.append(len(batch.entries))
        start += len(batch.entries)
    assert start == chain.count
    assert max(cuts) <= 201
    carry(town, small["county1"], limit=1)
    assert small["county1"].journal.chains[chain.id].count == start


@pytest.mark.promise("P7")
def test_a_repeat_after_a_restore(tmp_path: Path) -> None:
    """A draft written before a loss and given back by the county is not written a second time by the restored node."""
    with books.opened(tmp_path) as world:
        town, county = world["county1-town1"], world["county1"]
        shutil.copytree(town.settings.home, tmp_path / "old")
        one = draft(town, Noted("只此一次"), to=said.UP)
        first = write(town, one)[0]
        carry(town, county)
        town.close()
        shutil.rmtree(town.settings.home)
        shutil.move(tmp_path / "old", town.settings.home)
        back = world["county1-town1"] = Book(town.settings, [books.directory.ROOM, books.NOTES], reason="restore")
        carry(county, back)
        again = write(back, one)[0]
        assert again.repeated
        assert again.places == first.places
        assert texts(back) == ["只此一次"]


@pytest.mark.promise("P7")
def test_memory_set_back_while_it_runs(small: Books) -> None:
    """A ledger that is shown a longer past of its own living epoch keeps it, signs no more under that key, and writes on in a new epoch."""
    town, county = small["county1-town1"], small["county1"]
    write(town, draft(town, Noted("一"), to=said.UP))
    carry(town, county)
    chain = next(s for s in town.journal.chains.values() if s.author == town.here and s.audience == said.UP)
    before, epoch = (chain.count, chain.hash), town.writer.epoch
    take(county, _following(town, chain.id, before))
    carry(county, town)
    assert town.writer.epoch != epoch
    write(town, draft(town, Noted("二"), to=said.UP))
    exchange([town, county])
    assert texts(town) == texts(county) == sorted(["一", "二"])
    assert not any(s.frozen for s in (*town.journal.chains.values(), *county.journal.chains.values()))
    assert [a["kind"] for a in town.status()["alarms"] if a["kind"] == "rolled_back"]


def _following(book: Book, chain: bytes, end: tuple[int, bytes]) -> Batch:
    """An entry that the epoch key signed and the memory has forgotten."""
    body = b"forgotten"
    header = pack(Header(chain, end[0], end[1], said.body_digest(body), len(body)))
    hash_ = said.header_hash(header)
    return Batch(chain, end[0], ((header, body),), Head(chain, end[0], hash_, book.writer.epoch_key.sign(said.head_signed(chain, end[0], hash_))))


def test_a_failed_group_opens_no_second_chain(small: Books) -> None:
    """After a transaction was taken back, the log goes on in the chain that the epoch has."""
    town = small["county1-town1"]
    write(town, draft(town, Noted("一"), to=said.UP))
    nonsense = ("write", (draft(town, Noted("二"), to=said.UP), None))  # what only a bug could hand over
    assert isinstance(town.commit([nonsense])[0], NodeError)
    write(town, draft(town, Noted("三"), to=said.UP))
    assert len([s for s in town.journal.chains.values() if s.author == town.here and s.audience == said.UP]) == 1
    assert texts(town) == sorted(["一", "三"])


def test_others_entries_move_the_version(small: Books) -> None:
    """Who relies on a record that an entry from elsewhere has changed since is told so."""
    town, county = small["county1-town1"], small["county1"]
    with county.journal.engine.connect() as c:
        seen = county.journal.versions(c, ["shared"])
    write(town, draft(town, Noted("甲"), record="shared", to=said.UP))
    carry(town, county)
    with pytest.raises(Conflict):
        write(county, draft(county, Noted("乙"), relies=tuple(seen.items())))


def test_a_range_statement_about_another_entry(small: Books) -> None:
    """A node that says it holds another entry than stands here is not believed to hold the chain."""
    town, county = small["county1-town1"], small["county1"]
    write(town, draft(town, Noted("一"), to=said.UP))
    chain = next(s for s in town.journal.chains.values() if s.author == town.here and s.audience == said.UP)
    signed = keys.sign(county.notary.identity, said.hold_signed(county.here, chain.id, 1, b"x" * 32, 5))
    assert town.commit([("held", ((Hold(county.here, chain.id, 1, b"x" * 32, 5, signed),),))]) == [0]
    carry(town, county)
    with town.journal.engine.connect() as c:
        assert [h.holder for h in town.journal.hold_for(c, chain, 1)] == [county.here]


@pytest.mark.promise("P16")
def test_a_text_that_a_store_cannot_hold(branch: Books) -> None:
    """A text with a NUL cannot be written; from others it is marked at every store, and what comes before and after is folded."""
    town, county = branch["county1-town1"], branch["county1"]
    with pytest.raises(Invalid):
        draft(town, Noted("a\0b"), to=said.UP)
    for content in (pack(Noted("前")), pack(Noted("a\0b")), pack(Noted("后"))):
        take(county, opened(town, said.UP, more=signed(town, Noted(""), content)))
    assert texts(county) == sorted(["前", "后"])
    assert county.refused["malformed"] == 1
    assert all(living == rebuilt for living, rebuilt in county.refold().values())


@pytest.mark.promise("P16")
def test_a_crowd_that_waits_for_nobody(branch: Books) -> None:
    """However many entries wait for signers that never come, a word of the directory looks only at those it may have made known."""
    town, county = branch["county1-town1"], branch["county1"]
    for _ in range(300):
        stated, salt, data = statement(town.settings.city, Noted(""), record="r", home=town.here, signer=secrets.token_bytes(32))
        take(county, opened(town, said.UP, more=pack(said.Body(pack(stated), bytes(64), salt, data))))
    assert county.status()["queues"]["parked"] == 300
    asked: list[bytes] = []
    county.notary.signer = lambda fingerprint, ask=county.notary.signer: asked.append(fingerprint) or ask(fingerprint)  # type: ignore[method-assign]
    about = Organ("o", "", "o", "o", "department", "county", "", "", "", "", county.here, True, (), "", 0)
    write(county, draft(county, about, record="o", lane=Lane.TRUST, to=said.ALL))
    county.revive()
    assert set(asked) <= {county.notary.fingerprint}
