"""The audit trail on a running portal: what is noted, who reads it, and that it cannot be changed unnoticed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from node.client import Ledger
from office.audit import service
from tests.city import wait
from tests.portal.house import Browser, House, administrator, opened


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A city node with two clerks and two of its administrators."""
    with opened(tmp_path_factory.mktemp("a"), "chengxue", "dinghui", administrator("auditor"), administrator("sysadmin")) as made:
        yield made


def events(auditor: Browser, **about: str) -> list[dict[str, object]]:
    """Events that the auditor finds."""
    query = "&".join(f"{name}={value}" for name, value in about.items())
    found = auditor.get(f"/audit.json?{query}").json
    assert isinstance(found, list), found
    return found


@pytest.mark.row("H2")
def test_coming_and_failing_to_come_are_noted(house: House) -> None:
    """A wrong password, a sign-in and a sign-out are in the trail with name and address before the next page is seen."""
    house.browser().enter("chengxue", "not the password")
    one = house.enter("chengxue")
    one.get("/me")
    one.post("/signout")
    auditor = house.enter(administrator("auditor"))
    assert [e["name"] for e in events(auditor, did="wrong_password")] == ["chengxue"]
    came = [e["did"] for e in events(auditor, person="chengxue") if e["did"] in ("signed_in", "signed_out")]
    assert came == ["signed_out", "signed_in"]
    assert all(e["address"] == "127.0.0.1" for e in events(auditor, person="chengxue"))


@pytest.mark.row("H2")
def test_looks_and_refusals_are_noted_once(house: House) -> None:
    """Who looks at another's page twice is noted once; who is refused is noted; the person looked at sees who looked."""
    one, other = house.enter("chengxue"), house.enter("dinghui")
    me = other.get("/me.json").json["person"]["id"]
    for _ in range(3):
        assert one.get(f"/people/{me}").status == 200
    assert one.get("/audit").status == 403
    auditor = house.enter(administrator("auditor"))
    wait(lambda: len([e for e in events(auditor, person="chengxue", did="looked") if e["object"] == f"/people/{me}"]) == 1)
    assert [e["object"] for e in events(auditor, person="chengxue", did="refused")] == ["/audit"]
    seen = other.get("/audit/mine.json").json
    assert {e["object"] for e in seen if e["did"] == "looked"} == {f"/people/{me}"}
    assert [e for e in one.get("/audit/mine.json").json if e["person"] not in ("", one.get("/me.json").json["person"]["id"])] == []


def test_taking_out_is_noted_before_it_is_answered(house: House) -> None:
    """The directory as a file leaves an event at once."""
    keeper = house.enter(administrator("sysadmin"))
    assert keeper.get("/people/export").status == 200
    auditor = house.enter(administrator("auditor"))
    assert [e["object"] for e in events(auditor, did="took_out")] == ["/people/export"]


@pytest.mark.row("H2")
def test_neither_of_the_other_administrators_reads_it(house: House) -> None:
    """The system administrator is refused the trail, and sees in it only what is the administrator's own."""
    keeper = house.enter(administrator("sysadmin"))
    assert keeper.get("/audit").status == 403
    assert keeper.post("/audit/check").status == 403
    mine = keeper.get("/me.json").json["person"]["id"]
    assert {e["person"] for e in keeper.get("/audit/mine.json").json if e["did"] != "looked"} == {mine}


@pytest.mark.row("H2")
def test_a_changed_byte_in_the_log_is_found(house: House) -> None:
    """The check walks every entry of the node's own log; one changed byte of a body is named with its place."""
    auditor = house.enter(administrator("auditor"))
    house.browser().enter("dinghui", "not the password")
    house.enter("dinghui")  # whoever comes in takes along what waits to be written
    auditor.get("/audit")
    assert "日志完整" in auditor.post("/audit/check").text
    file = house.settings.path("journal.db")
    with sqlite3.connect(file) as db:
        rows = db.execute("select rowid, seq, body from entries where instr(body, ?) > 0", (b"wrong_password",)).fetchall()
        assert rows
        rowid, seq, body = rows[0]
        db.execute("update entries set body=? where rowid=?", (body.replace(b"wrong_password", b"wrong_passw0rd"), rowid))
    try:
        with Ledger(house.settings) as ledger:
            found = service.check(ledger, house.settings.id)
        assert len(found.wrong) == 1 and found.wrong[0].endswith(f"/{seq} corrupt")
        assert "对不上" in auditor.post("/audit/check").text
    finally:
        with sqlite3.connect(file) as db:
            db.execute("update entries set body=? where rowid=?", (body, rowid))


@pytest.mark.row("H2")
def test_what_was_walked_is_not_walked_again(house: House) -> None:
    """A walk that begins where the last one ended walks only what has come since, and finds what is wrong with that."""
    with Ledger(house.settings) as ledger:
        before = service.check(ledger, house.settings.id)
        assert not before.wrong and before.entries == sum(before.ends.values())
        again = service.check(ledger, house.settings.id, lambda chain: before.ends.get(chain, 0))
        assert (again.entries, again.wrong) == (sum(again.ends.values()) - before.entries, ())
        house.browser().enter("dinghui", "not the password")
        house.enter("dinghui")
        wait(lambda: service.check(ledger, house.settings.id, lambda chain: before.ends.get(chain, 0)).entries)
        [chain] = [c for c, end in service.check(ledger, house.settings.id).ends.items() if end > before.ends.get(c, 0)]
        place = before.ends[chain]
        file = house.settings.path("journal.db")
        where = "chain = (select no from chains where id = ?) and seq = ?"
        with sqlite3.connect(file) as db:
            [(body,)] = db.execute(f"select body from entries where {where}", (chain, place)).fetchall()  # noqa: S608
            db.execute(f"update entries set body = ? where {where}", (body[:-1] + bytes((body[-1] ^ 1,)), chain, place))  # noqa: S608
        try:
            assert len(service.check(ledger, house.settings.id, lambda chain: before.ends.get(chain, 0)).wrong) == 1
        finally:
            with sqlite3.connect(file) as db:
                db.execute(f"update entries set body = ? where {where}", (body, chain, place))  # noqa: S608
