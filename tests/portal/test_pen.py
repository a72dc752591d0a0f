"""From the cookie to the journal: what a person does on a page is signed with that person's own key."""

from __future__ import annotations

import sqlite3

from node.client import Ledger
from node.codec import unpack
from node.directory import model
from node.directory.view import Directory
from node.entry import Body, Statement, statement_signed
from node.fold import Tables
from node.keys import verify
from tests.portal.house import House


def test_what_is_sent_from_a_page_is_signed_by_the_person(house: House) -> None:
    """The entry names the person's certificate and verifies under its key; the server could not have made it without the cookie."""
    one = house.enter("zhoulixin")
    one.get("/me")
    asked = {"kind": "letter", "title": "关于商请支持的函", "text": "请予支持为盼。", "to": ["bz-swb"]}
    headers = {"Content_Type": "application/json", "X_CSRF_Token": one.csrf, "Idempotency_Key": "01900000-0000-7000-8000-0000000000aa"}
    sent = one.ask("POST", "/api/v1/docs?ack=local", asked, **headers)
    assert sent.status in (200, 201), sent.text
    with Ledger(house.settings) as ledger:
        found = [
            unpack(ledger.body(chain.id, seq), Body)
            for chain in ledger.chains()
            if chain.author == house.settings.id and str(chain.audience) == "self"
            for seq in range(1, chain.count)
        ]
    statements = [(body, unpack(body.statement, Statement)) for body in found]
    body, statement = next((b, s) for b, s in statements if s.record == sent.json["doc"])
    tables = Tables(house.settings, [model.ROOM])
    signer = Directory.of(house.settings, lambda: tables.session(model.ROOM)).signer(statement.signer)
    tables.close()
    assert signer is not None
    assert (signer.kind, signer.id) == ("person", "zhoulixin.bz")
    verify(signer.key, body.signature, statement_signed(body.statement))


def test_the_disk_alone_holds_no_key(house: House) -> None:
    """A session's row does not contain the key that its cookie opens."""
    from node import persons

    house.enter("zhoulixin")
    door = persons.open_person_key(house.settings, "zhoulixin.bz", house.people["zhoulixin"])
    seed = door.key.private_bytes_raw()
    with sqlite3.connect(house.settings.path("local.db")) as db:
        rows = db.execute("select sealed from sessions where person='zhoulixin.bz'").fetchall()
    assert rows
    assert all(seed not in row[0] for row in rows)
    assert seed not in house.settings.path("local.db").read_bytes()
