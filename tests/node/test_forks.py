"""Forks and revocations over a small city: what one node proves or says, all believe, and what stood before stays."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from node import certs, clock, forks
from node import entry as said
from node.book import Book
from node.codec import pack, unpack
from node.directory import writing
from node.directory.entries import Forked, Revoked, Settled
from node.entry import Lane, Scope
from node.errors import Forged, Fork, NodeError, Untrusted
from node.requests import Batch
from tests import books
from tests.books import Noted, draft, exchange, take, texts, write
from tests.node.test_book import mended
from tests.verifier.program import check

Books = dict[str, Book]


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Books]:
    """A city with two counties, each with a township."""
    with books.opened(tmp_path, counties=2, townships=1) as opened:
        yield opened


def spread(tree: Books) -> None:
    """Carry to and fro all that is taken; what is refused stays where it is."""
    while any(_offer(a, b) for a in tree.values() for b in tree.values() if a is not b):
        pass


def _offer(source: Book, target: Book) -> int:
    fresh = 0
    for chain in [c for c in source.chains() if c.audience.scope is not Scope.SELF and c.frozen != "fork"]:
        held = target.journal.chains.get(chain.id)
        batch = source.read(chain.id, held.count if held else 0, 10**6)
        result = target.commit([("take", (batch,))])[0] if batch else None
        fresh += 0 if result is None or isinstance(result, NodeError) else result.fresh
    return fresh


def lines(book: Book, *audience: said.Audience) -> list[Batch]:
    """The book's own ordinary chains of an audience, whole."""
    found = (book.read(s.id, 0, 10**7) for s in book.journal.chains.values() if s.author == book.here and s.audience in audience)
    return [batch for batch in found if batch is not None and book.journal.chains[batch.chain].lane is Lane.ORDINARY]


def twin(book: Book, batch: Batch, text: str) -> Batch:
    """Another history of a chain from entry 1 on, signed by the same epoch key."""
    [batch] = lines(book, said.ALL)
    return mended(book, batch, [batch.entries[0], (batch.entries[1][0], text.encode())])


def forked(tree: Books) -> bytes:
    """A township signs two histories: the county has seen the one, now it sees the other; the chain's id."""
    town, county = tree["county1-town1"], tree["county1"]
    write(town, draft(town, Noted("甲"), to=said.ALL))
    [honest] = lines(town, said.ALL)
    take(county, honest)
    with pytest.raises(Fork):
        take(county, twin(town, honest, "乙"))
    return honest.chain


@pytest.mark.promise("P6")
def test_the_proof_of_a_fork_reaches_everybody_and_closes_the_chain(tree: Books) -> None:
    """One node sees both histories; every other hears it, checks the proof, alarms and takes neither any more; all other logs go on."""
    chain = forked(tree)
    town = tree["county1-town1"]
    spread({name: book for name, book in tree.items() if book is not town})
    honest, other = lines(town, said.ALL)[0], twin(town, lines(town, said.ALL)[0], "乙")
    for name in ("county1", "city", "county2", "county2-town1"):
        alarms = [a for a in tree[name].status()["alarms"] if a["kind"] == "fork"]
        assert [(a["subject"], a["severity"]) for a in alarms] == [(town.here, "critical")], name
        for history in (honest, other):
            with pytest.raises(Fork):
                take(tree[name], history)
        assert chain in tree[name].journal.forked
    write(tree["county2-town1"], draft(tree["county2-town1"], Noted("丙"), to=said.ALL))
    write(town, draft(town, Noted("丁"), to=said.UP))
    spread(tree)
    assert "丙" in texts(tree["county1"]) and "丁" in texts(tree["city"])
    assert all(a == b for a, b in tree["city"].refold().values())


def test_the_forker_hears_it_and_goes_on_in_a_new_epoch(tree: Books) -> None:
    """A node that is told of its own fork signs nothing more in that epoch; what it writes afterwards is taken everywhere."""
    forked(tree)
    town = tree["county1-town1"]
    before = town.writer.epoch
    spread(tree)
    write(town, draft(town, Noted("戊"), to=said.ALL))
    spread(tree)
    assert town.writer.epoch != before and "戊" in texts(tree["county2-town1"])


@pytest.mark.promise("P6")
def test_the_stand_alone_verifier_sees_the_fork_in_the_proof(tree: Books) -> None:
    """The proof as two bundles convinces whoever has the city root, and there is no content in it."""
    chain = forked(tree)
    county = tree["county1"]
    with county.journal.asking() as c:
        [one] = county.intake.forks.all(c)
    proof = unpack(one.proof, forks.Proof)
    root = county.notary.root
    told = b"".join(forks.bundles(proof, certs.der(root), county.settings.city, county.here))
    found = check(told, root)
    assert [(p["kind"], p["position"]) for p in found["problems"]] == [("fork", said.position(one.author, chain, 1))]
    assert "乙".encode() not in one.proof and "甲".encode() not in one.proof
    half = msgspec.structs.replace(proof, b=proof.a)
    with pytest.raises(Forged):
        forks.check(half, county.notary)
    assert io.BytesIO(told).readline().startswith(b"{")


def test_a_false_proof_closes_nothing(tree: Books) -> None:
    """Whoever cries fork without two signed histories is not believed: no chain is closed and no alarm raised."""
    chain = forked(tree)
    county, city = tree["county1"], tree["city"]
    with county.journal.asking() as c:
        [one] = county.intake.forks.all(c)
    proof = unpack(one.proof, forks.Proof)
    signature = bytes(64)
    forged = msgspec.structs.replace(proof, b=msgspec.structs.replace(proof.b, head=msgspec.structs.replace(proof.b.head, signature=signature)))
    write(tree["county2"], draft(tree["county2"], Forked(chain, 1, one.author, pack(forged)), to=said.ALL, lane=Lane.TRUST))
    books.carry(tree["county2"], city)
    assert chain not in city.journal.forked and city.refused["bad_signature"] == 1
    assert not [a for a in city.status()["alarms"] if a["kind"] == "fork"]


def test_operators_settle_a_fork(tree: Books) -> None:
    """The city's word ends the alarm everywhere, a sister county's nowhere but at home; the chain stays closed."""
    chain = forked(tree)
    town, rest = tree["county1-town1"], [book for name, book in tree.items() if name != "county1-town1"]
    spread({book.here: book for book in rest})

    def alarmed() -> set[str]:
        return {book.here for book in rest if [a for a in book.status()["alarms"] if a["kind"] == "fork"]}

    assert alarmed() == {book.here for book in rest}
    for audience in (said.ALL, said.SELF):
        write(tree["county2"], draft(tree["county2"], Settled(chain, "known"), to=audience, lane=Lane.TRUST))
    spread({book.here: book for book in rest})
    assert alarmed() == {book.here for book in rest} - {tree["county2"].here}
    write(tree["city"], draft(tree["city"], Settled(chain, "key was stolen; revoked"), to=said.ALL, lane=Lane.TRUST))
    spread({book.here: book for book in rest})
    assert alarmed() == set()
    with pytest.raises(Fork):
        take(tree["city"], lines(town, said.ALL)[0])


def revoke(city: Book, node: str) -> None:
    """The city revokes a node's certificate at the places where it holds the node's logs."""
    held = city.directory.certificate(node) if city.directory else None
    assert held is not None
    cuts = tuple((s.id, s.count - 1, s.hash) for s in city.journal.chains.values() if s.author == node)
    content = Revoked(certs.fingerprint(held), "stolen", cuts)
    write(city, draft(city, content, record=writing.record_of(content), to=said.ALL, lane=Lane.TRUST))


@pytest.mark.promise("P11")
def test_after_its_revocation_nothing_of_a_node_is_taken(tree: Books) -> None:
    """Old and new chains, honest or back-dated times: whatever is anchored after the cut is refused at every node, also at one that was away."""
    town, away = tree["county1-town1"], tree["county2-town1"]
    write(town, draft(town, Noted("先"), to=said.ALL))
    exchange(tree.values())
    revoke(tree["city"], town.here)
    spread({name: book for name, book in tree.items() if book not in (town, away)})
    write(town, draft(town, Noted("后"), to=said.ALL, at=clock.ms() - 3_600_000))
    write(town, draft(town, Noted("另"), to=said.UP))
    for name in ("city", "county1", "county2"):
        for batch in lines(town, said.ALL, said.UP):
            with pytest.raises(Untrusted) as refused:
                take(tree[name], batch)
            assert refused.value.code == "revoked"
        assert texts(tree[name]) == ["先"]
        assert [a["kind"] for a in tree[name].status()["alarms"]] == ["revoked_use"]
        assert {one.id: one.closed for one in tree[name].nodes()}[town.here]
    trust_first(tree["city"], away)
    with pytest.raises(Untrusted):
        take(away, lines(town, said.ALL)[0])
    assert texts(away) == ["先"] and all(a == b for a, b in away.refold().values())
    spread(tree)
    with pytest.raises(Untrusted):
        write(town, draft(town, Noted("再"), to=said.ALL))


def trust_first(source: Book, target: Book) -> None:
    """What a line does when it comes back: the lane of trust before everything else."""
    for chain in sorted(source.chains(), key=lambda c: c.lane is not Lane.TRUST):
        held = target.journal.chains.get(chain.id)
        batch = source.read(chain.id, held.count if held else 0, 10**6) if chain.audience.scope is Scope.ALL else None
        if batch is not None:
            target.commit([("take", (batch,))])
