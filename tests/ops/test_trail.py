"""The auditor's check of a node's own log on the disk: each way of tampering is named with its range."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from node import entry as said
from node.client import Ledger
from node.codec import pack, unpack
from node.entry import SELF, Header
from node.requests import Chain
from node.settings import load
from ops import trail
from tests.city import City, build
from tests.ops.conftest import call
from tests.sync.test_courier import card, say

NUMBER = 6
"Entries of each chain beside its opening."


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """A city that has written its own log in two epochs; its ledger runs."""
    city = build(tmp_path_factory.mktemp("trail"), counties=0)
    try:
        for again in range(2):
            city["city"].start("ledger")
            with Ledger(city["city"].settings, timeout=60) as ledger:
                for one in city["city"].says if not again else ():
                    say(city["city"], ledger, one)
                for number in range(NUMBER):
                    say(city["city"], ledger, card(f"{again}-{number}"), SELF)
            if not again:
                city["city"].stop("ledger")
        yield city
    finally:
        city.stop()


@pytest.fixture
def copy(node: City, tmp_path: Path) -> Path:
    """A home with a copy of its settings and journal, to be tampered with."""
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(node["city"].path / "node.toml", home)
    with sqlite3.connect(node["city"].path / "journal.db") as source, sqlite3.connect(home / "journal.db") as sink:
        source.backup(sink)
    return home


def edited(db: sqlite3.Connection, no: int) -> None:
    """One byte of a body."""
    body = db.execute("select body from entries where chain=? and seq=3", (no,)).fetchone()[0]
    db.execute("update entries set body=? where chain=? and seq=3", (body[:40] + bytes([body[40] ^ 1]) + body[41:], no))


def garbled(db: sqlite3.Connection, no: int) -> None:
    """Bytes where the database says that text is."""
    db.execute("update entries set body=cast(x'ff00' as text) where chain=? and seq=3", (no,))


def rewritten(db: sqlite3.Connection, no: int) -> None:
    """A body with everything that hangs on it made to fit, up to the end of the chain; only the heads cannot be signed again."""
    prev = b""
    for seq, raw, body in db.execute("select seq, header, body from entries where chain=? order by seq", (no,)).fetchall():
        header = unpack(raw, Header)
        if seq >= 3:
            body = body[:-1] + bytes([body[-1] ^ 1])
            raw = pack(Header(header.chain, seq, prev, said.body_digest(body), len(body)))
        prev = said.header_hash(raw)
        db.execute("update entries set header=?, body=?, hash=? where chain=? and seq=?", (raw, body, prev, no, seq))
    db.execute("update chains set hash=? where no=?", (prev, no))


def holed(db: sqlite3.Connection, no: int) -> None:
    """An entry in the middle."""
    db.execute("delete from entries where chain=? and seq=3", (no,))


def cut(db: sqlite3.Connection, no: int) -> None:
    """The tail with its heads, and the count to fit."""
    db.execute("delete from entries where chain=? and seq>=4", (no,))
    db.execute("delete from heads where chain=? and seq>=4", (no,))
    db.execute("update chains set count=4, hash=(select hash from entries where chain=? and seq=3) where no=?", (no, no))


def dropped(db: sqlite3.Connection, no: int) -> None:
    """A whole chain."""
    for table in ("entries", "heads"):
        db.execute(f"delete from {table} where chain=?", (no,))
    db.execute("delete from chains where no=?", (no,))


WAYS = [
    (edited, 0, ("edited", 3, 3)),
    (garbled, 0, ("edited", 0, NUMBER)),
    (rewritten, 0, ("edited", 3, 3)),
    (holed, 0, ("missing", 3, 3)),
    (cut, 0, ("truncated", 4, NUMBER)),
    (dropped, 0, ("missing", 0, NUMBER)),
    (edited, 1, ("edited", 3, 3)),
    (rewritten, 1, ("edited", 3, 3)),
    (holed, 1, ("missing", 3, 3)),
    (cut, 1, ("truncated", 4, NUMBER)),
    (dropped, 1, ("missing", 0, NUMBER)),
]


@pytest.mark.promise("P13")
@pytest.mark.parametrize(("how", "which", "named"), WAYS, ids=[f"{how.__name__}-{'older' if not which else 'newest'}" for how, which, _ in WAYS])
def test_tampering_is_named(
    node: City, copy: Path, tmp_path: Path, how: Callable[[sqlite3.Connection, int], None], which: int, named: tuple[str, int, int]
) -> None:
    """What was edited, holed, cut or dropped is named with its range; of the newest chain a clean cut needs the head that was kept."""
    kept = {c.id: (c.count - 1, c.hash) for c in _own(node)}
    with sqlite3.connect(copy / "journal.db") as db:
        nos = [no for (no,) in db.execute("select no from chains where scope='self' and author=? order by no", (node["city"].id,))]
        how(db, nos[which])
    found = trail.verify(load(copy), kept)["problems"]
    assert named in [(one["kind"], one["from"], one["to"]) for one in found], found
    alone = trail.verify(load(copy))["problems"]
    assert bool(alone) is not (which == 1 and how in (cut, dropped))


def _own(node: City) -> list[Chain]:
    with Ledger(node["city"].settings) as ledger:
        return [c for c in ledger.chains() if c.author == node["city"].id and c.audience == SELF]


@pytest.mark.promise("P13")
def test_the_log_is_taken_out_and_checked_against_itself(node: City, copy: Path, tmp_path: Path) -> None:
    """An export holds by the stand-alone verifier; against it the log is whole, and after a cut it is not, with exit 1."""
    home, file = node["city"].path, tmp_path / "audit.jsonl"
    assert call(home, "audit", "export", "--out", str(file)).json["entries"] == 2 * (NUMBER + 1)
    found = call(home, "audit", "verify", "--against", str(file)).json
    assert (found["ok"], found["chains"], found["entries"], found["problems"]) == (True, 2, 2 * (NUMBER + 1), [])
    with sqlite3.connect(copy / "journal.db") as db:
        cut(db, db.execute("select max(no) from chains where scope='self'").fetchone()[0])
    said = call(copy, "audit", "verify", "--against", str(file))
    assert said.code == 1 and [one["kind"] for one in said.json["problems"]] == ["truncated"]
    file.write_bytes(file.read_bytes().replace(b'"seq"', b'"sEq"')[:-40])
    assert call(copy, "audit", "verify", "--against", str(file)).code == 4
