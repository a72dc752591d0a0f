"""Rot on a disk of a living tree: what the lines do about it by themselves, and when an operator asks."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select, update

from node import requests, schema
from node.blobs import Blobs
from node.client import Ledger
from node.codec import pack, uuid7
from node.directory.entries import Person
from node.entry import ALL, Attachment, Lane
from node.requests import Draft
from ops import selfcheck
from sync import sim
from sync.actor import Actor, Noted
from tests.city import Home, build, running, wait


def stored(actor: Actor, chain: bytes) -> list[tuple[bytes, bytes, bytes]]:
    """Every byte of a chain on the disk of a node."""
    columns, no = (schema.ENTRIES.c.header, schema.ENTRIES.c.body, schema.ENTRIES.c.hash), actor.book.journal.chain(chain).no
    with actor.book.journal.engine.connect() as c:
        return [tuple(row) for row in c.execute(select(*columns).where(schema.ENTRIES.c.chain == no).order_by(schema.ENTRIES.c.seq))]


def spoil(actor: Actor, chain: bytes, seq: int) -> None:
    """A stored body changes on the disk."""
    place = schema.ENTRIES.c.chain == actor.book.journal.chain(chain).no, schema.ENTRIES.c.seq == seq
    with actor.book.journal.transaction() as c:
        body = c.execute(select(schema.ENTRIES.c.body).where(*place)).scalar_one()
        c.execute(update(schema.ENTRIES).where(*place).values(body=body[:-1] + bytes([body[-1] ^ 1])))


@pytest.mark.promise("P23")
@pytest.mark.parametrize("sick", ["city", "c1", "c1t1", "c2t2"])
def test_a_node_heals_from_above_or_below(sick: str) -> None:
    """Rot at the author, on the way or at the end is given back by whoever is beside it, without an operator, and nobody falls out."""
    with sim.living(1) as world:
        world.heal()
        author = world.actors["c1t1"]
        drafts = [author.draft(Noted(f"note {i}", "all"), record=f"note {i}", to=(ALL,), lane=Lane.ORDINARY) for i in range(8)]
        author.ask("write", (drafts,), lambda _: None)
        world.heal()
        actor = world.actors[sick]
        chain = next(s.id for s in author.book.journal.chains.values() if s.author == author.id and s.audience == ALL and s.lane is Lane.ORDINARY)
        whole = stored(actor, chain)
        spoil(actor, chain, 3)
        while actor.book.scrub():
            pass
        actor._ring(set())
        while stored(actor, chain) != whole and world.step():
            pass
        assert stored(actor, chain) == whole
        assert not world.judge()


def say(home: Home, attachment: Attachment) -> bytes:
    """A node says something to everybody, with an attachment; the chain in which it stands."""
    about = Person(uuid7(), "Somebody", "organ", "", 1, "active", "")
    said, salt, data = requests.statement(home.settings.city, about, record=about.id, home=home.id, suite="p256")
    with Ledger(home.settings, timeout=20) as ledger:
        written = ledger.write([Draft(pack(said), b"", salt, data, (ALL,), Lane.TRUST, attachments=(attachment,))])
    return written[0].places[0].chain


@pytest.mark.promise("P23")
def test_selfcheck_repairs_a_running_node(tmp_path: Path) -> None:
    """An operator who asks gets rotten entries and a rotten attachment of a running city back from the county, every byte, and is told so."""
    with running(build(tmp_path, counties=1, townships=0)) as city:
        top, county = city["city"], city["county1"]
        for home in city:
            home.start("ledger", "courier")
        with Ledger(top.settings, timeout=20) as ledger:
            for about in top.says:
                said, salt, data = requests.statement(top.settings.city, about, record=about.id, home=top.id)
                ledger.write([Draft(pack(said), b"", salt, data, (ALL,), Lane.TRUST)])
        whole = b"a map of the flood " * 5000
        sha, size = Blobs(county.settings).put([whole])
        chain = say(county, Attachment(sha, size))
        file = Blobs(top.settings).path(sha)
        wait(file.exists, timeout=60)
        before = _rows(top, chain)
        with closing(sqlite3.connect(top.settings.path("journal.db"))) as c:
            c.execute("update entries set body = zeroblob(length(body)) where chain = (select no from chains where id = ?)", (chain,))
            c.commit()
        file.write_bytes(whole[:-1] + b"?")
        found = selfcheck.check(top.settings, deep=False)["bad"]
        assert {one["kind"] for one in found} == {"entry", "blob"}
        selfcheck.repair(top.settings, found, 60)
        assert all(one["repaired"] for one in found), found
        assert _rows(top, chain) == before and file.read_bytes() == whole
        with Ledger(top.settings, timeout=20) as ledger:
            assert "repaired" in {one["kind"] for one in ledger.status()["alarms"]}


def _rows(home: Home, chain: bytes) -> list[tuple[bytes, bytes, bytes]]:
    with closing(sqlite3.connect(home.settings.path("journal.db"))) as c:
        return c.execute(
            "select header, body, hash from entries where chain = (select no from chains where id = ?) order by seq", (chain,)
        ).fetchall()
