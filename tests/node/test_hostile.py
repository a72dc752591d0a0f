"""What a hostile insider signs, and what failing parts do: each is contained, and the book goes on."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from node import entry as said
from node import keys
from node.codec import pack
from node.entry import Head, Header, Lane, Opened, Opening
from node.errors import NodeError
from tests import books
from tests.books import Noted, carry, draft, exchange, take, texts, write

Books = dict


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Books]:
    with books.opened(tmp_path) as opened:
        yield opened


def test_far_time(small):
    town, county = small["county1-town1"], small["county1"]
    ds = [draft(town, Noted("远"), to=said.UP, at=2**62), draft(town, Noted("近"), to=said.UP)]
    r = town.commit([("write", ((d,),)) for d in ds])
    print(r)
    for b in chain_batches(town):
        take(county, b)
    assert texts(county) == ["近"]


def chain_batches(book):
    for s in list(book.journal.chains.values()):
        if s.author == book.here and s.audience.scope != said.Scope.SELF:
            yield book.read(s.id, 0, 10**6)


def test_same_nonce_twice_in_one_write(small):
    town = small["county1-town1"]
    one = draft(town, Noted("一次"))
    from node.errors import Invalid

    with pytest.raises(Invalid):
        write(town, one, one)
    assert write(town, one)[0].number
    assert texts(town) == ["一次"]


def test_up_before_tree(tmp_path):
    from tests import city

    homes = city.build(tmp_path, port=21300).homes
    bs = {n: books.book(h) for n, h in homes.items()}
    for name, home in homes.items():
        if home.says:
            write(bs[name], *[draft(bs[name], one, record=one.id, lane=Lane.TRUST, to=said.ALL) for one in home.says])
    town = bs["county1-town1"]
    write(town, draft(town, Noted("早"), to=said.UP))
    write(town, draft(town, Noted("早2"), to=said.ALL))
    carry(town, bs["city"])
    carry(bs["county1"], bs["city"])
    assert texts(bs["city"]) == sorted(["早", "早2"])


def test_long_names(small):
    town, county = small["county1-town1"], small["county1"]
    from node.client import Batch

    for bad in ("x" * 500, "a\0b", "é" * 13):
        o = Opening(
            1,
            town.settings.city,
            town.here,
            said.Audience(said.Scope.NODE, bad),
            Lane.ORDINARY,
            town.epoch,
            keys.raw_public(town.epoch_key.public_key()),
            "start",
            1,
            "x",
            (),
        )
        raw = pack(o)
        body = pack(Opened(raw, keys.sign(town.identity, said.opening_signed(raw))))
        h = pack(Header(b"", 0, b"", said.body_digest(body), len(body)))
        cid = said.header_hash(h)
        with pytest.raises(NodeError):
            take(county, Batch(cid, 0, ((h, body),), Head(cid, 0, cid, town.epoch_key.sign(said.head_signed(cid, 0, cid)))))


def test_bad_wrap(small):
    town, county = small["county1-town1"], small["county1"]
    from node.client import Batch

    for bad in (b"", b"x", b"x" * 1120, b"x" * 5000):
        o = Opening(
            1,
            town.settings.city,
            town.here,
            said.Audience(said.Scope.NODE, county.here),
            Lane.ORDINARY,
            secrets.token_bytes(32),
            keys.raw_public(town.epoch_key.public_key()),
            "start",
            1,
            "x" + bad.hex(),
            (),
            ((county.here, bad),),
        )
        raw = pack(o)
        body = pack(Opened(raw, keys.sign(town.identity, said.opening_signed(raw))))
        h = pack(Header(b"", 0, b"", said.body_digest(body), len(body)))
        cid = said.header_hash(h)
        h2 = pack(Header(cid, 1, cid, said.body_digest(b"zz"), 2))
        c2 = said.header_hash(h2)
        take(county, Batch(cid, 0, ((h, body), (h2, b"zz")), Head(cid, 1, c2, town.epoch_key.sign(said.head_signed(cid, 1, c2)))))
        assert county.journal.chains[cid].count == 2


def test_long_wait(small):
    """Six hundred entries, each waiting for the one before, are all folded when the first one's forerunner comes."""
    town, county, city = small["county1-town1"], small["county1"], small["city"]
    asked = write(county, draft(county, Noted("0000"), to=said.ALL))[0]
    exchange([county, town])
    before = asked.id
    for n in range(600):
        before = write(town, draft(town, Noted(f"{n + 1:04}"), to=said.ALL, after=(before,)))[0].id
    for batch in chain_batches(town):
        take(city, batch)
    assert texts(city) == []
    carry(county, city)
    assert texts(city) == [f"{n:04}" for n in range(601)]


def test_heads_inside_a_group(small):
    town = small["county1-town1"]
    town.commit([("write", (tuple(draft(town, Noted("x"), to=said.UP) for _ in range(10)),)) for _ in range(100)])
    chain = [s for s in town.journal.chains.values() if s.author == town.here and s.audience == said.UP][-1]
    assert len(town.read(chain.id, 0, 1).entries) <= 210
