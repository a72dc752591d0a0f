"""Lineage and renewal: who may follow whom, and what a node above does before a certificate ends."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from cryptography import x509

from node import certs, clock, enrol, identity, keys, lineage, rotation
from node.book import Book
from node.codec import pack
from node.directory.entries import Rekeyed
from node.directory.writing import draft
from node.errors import NodeError
from node.tier import load
from tests.city import City, build

NOW = dt.datetime.now(dt.UTC)


@pytest.fixture
def branch(tmp_path: Path) -> City:
    """A city and a county whose certificate ends in a month."""
    return build(tmp_path, counties=1, townships=0)


@pytest.fixture
def book(branch: City) -> Iterator[Book]:
    """The city's book, which knows the county."""
    city = branch["city"]
    book = Book(city.settings, [module.ROOM for module in load("city").models()])
    assert book.directory is not None
    for about in city.says:
        [written] = book.commit([("write", ((draft(city.settings, book.directory, about),),))])
        assert not isinstance(written, NodeError), written
    yield book
    book.close()


def ending(branch: City, days: int) -> x509.Certificate:
    """The county's certificate, made anew for so many days."""
    own, held = identity.load(branch["city"].settings), identity.own_chain(branch["county1"].settings)[0]
    return certs.issue(certs.subject(held), held.public_key(), own.certificate, own.key, NOW, path=certs.PATH["county"], days=days)  # type: ignore[arg-type]


@pytest.mark.promise("P11")
def test_what_ends_soon_is_renewed_in_time(branch: City, book: Book) -> None:
    """Nothing is renewed that lasts; a certificate of a month gets ten years, keeps its key and its beginning, and holds the one before."""
    city, county = branch["city"].settings, branch["county1"].settings
    assert book.directory is not None and list(rotation.renewals(city, book.directory, NOW)) == []
    short, node = ending(branch, 30), book.directory.node(county.id)
    assert node is not None
    change = msgspec.structs.replace(node, chain=(certs.der(short), *node.chain[1:]))
    book.commit([("write", ((draft(city, book.directory, change),),))])
    [fresh] = rotation.renewals(city, book.directory, NOW)
    leaf = certs.load(fresh.chain[0])
    assert leaf.public_key() == short.public_key() and leaf.not_valid_before_utc == short.not_valid_before_utc
    assert leaf.not_valid_after_utc - NOW > rotation.GAIN and certs.identities(leaf)[1] == short
    book.commit([("write", ((draft(city, book.directory, fresh),),))])
    assert list(rotation.renewals(city, book.directory, NOW)) == []
    assert identity.adopt(county, [certs.load(one) for one in fresh.chain]) and not identity.adopt(county, [short, *identity.own_chain(county)[1:]])


@pytest.mark.promise("P11")
def test_a_key_follows_by_the_word_of_the_one_before(branch: City, book: Book) -> None:
    """The node above certifies what the present key vouches for and the new one proves; nothing of another node, another id or another key."""
    city, county, directory = branch["city"].settings, branch["county1"].settings, book.directory
    assert directory is not None
    asked, own, thief = rotation.ask(county), identity.load(county), keys.new_p256()
    good = rotation.answer(city, directory, county.id, asked, NOW)
    assert good is not None and certs.subject(certs.load(good.chain[0])).id == county.id
    spki = lineage.spki(thief.public_key())
    proof = keys.sign(thief, lineage.signed(county.id, spki))
    by_itself = pack(lineage.follow(county.id, own.certificate, thief, thief.public_key()))
    of_another = pack(lineage.follow(city.id, own.certificate, own.key, thief.public_key()))
    for wrong in (
        Rekeyed(spki, by_itself, proof),
        Rekeyed(spki, of_another, proof),
        Rekeyed(spki, asked.former, proof),
        Rekeyed(asked.key, asked.former, proof),
        Rekeyed(lineage.spki(own.key.public_key())[:-1], asked.former, asked.proof),
        Rekeyed(asked.key, b"noise", asked.proof),
    ):
        with pytest.raises(NodeError):
            rotation.answer(city, directory, county.id, wrong, NOW)
    with pytest.raises(NodeError):
        rotation.answer(city, directory, city.id, asked, NOW)


def test_nobody_puts_another_key_under_an_id(branch: City) -> None:
    """Without the former key's word a certificate for another key is refused, whoever issued it; so is one that follows another's."""
    city, county = branch["city"].settings, branch["county1"].settings
    above, own, new = identity.load(city), identity.load(county), keys.new_p256()
    root, about = identity.root_of(city), certs.subject(own.certificate)
    for former in (None, lineage.renewed(own.certificate), lineage.follow(county.id, own.certificate, new, new.public_key())):
        forged = certs.issue(about, new.public_key(), above.certificate, above.key, NOW, path=1, former=former)
        with pytest.raises(NodeError):
            certs.check_chain([forged, *above.chain], root, NOW)
    word = lineage.follow(county.id, above.certificate, above.key, new.public_key())
    with pytest.raises(NodeError):
        certs.check_chain([certs.issue(about, new.public_key(), above.certificate, above.key, NOW, path=1, former=word), *above.chain], root, NOW)
    word = lineage.follow(county.id, own.certificate, own.key, new.public_key())
    certs.check_chain([certs.issue(about, new.public_key(), above.certificate, above.key, NOW, path=1, former=word), *above.chain], root, NOW)


def test_an_interrupted_change_of_files_is_finished(branch: City) -> None:
    """The certificate was replaced and the process died: the waiting key is found by whoever reads the identity next."""
    city, county = branch["city"].settings, branch["county1"].settings
    above, own = identity.load(city), identity.load(county)
    new = identity.prepare(county)
    assert identity.prepare(county).private_numbers() == new.private_numbers(), "asked again, the same key waits"
    word = lineage.follow(county.id, own.certificate, own.key, new.public_key())
    cert = certs.issue(certs.subject(own.certificate), new.public_key(), above.certificate, above.key, NOW, path=1, former=word)
    county.path("certs/node.pem").write_bytes(certs.pem(cert, *own.chain[1:]))
    assert identity.load(county).key.public_key() == new.public_key() and identity.waiting(county) is None


def test_the_portals_certificate_is_renewed(branch: City) -> None:
    """Two years pass, or the node's own certificate changes."""
    city = branch["city"].settings
    assert not enrol.keep_tls(city, clock.now())
    assert enrol.keep_tls(city, clock.now() + dt.timedelta(days=700))
    assert not enrol.keep_tls(city, clock.now())
