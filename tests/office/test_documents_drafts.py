"""Drafts: every version kept, opinions, signing by delegation, openness."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from node.codec import pack
from node.directory import entries as directory
from node.directory import writing
from node.directory.view import today
from node.errors import Missing, NodeError, Refused
from office.documents import service
from office.documents.entries import Effect
from office.documents.model import Act, Document, Letter, Validity, Version
from office.documents.sheets import sheet
from tests.office.test_documents import World, arrived, paper, started, verified

DAY = dt.timedelta(days=1)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A city and a county."""
    with started(tmp_path_factory.mktemp("drafts"), "sqlite") as found:
        yield found


def lend(world: World, grantor: str, grantee: str, *, first: int, end: int, id: str) -> None:
    """Write a delegation of the power to sign, from and to days counted from today."""
    office = world.offices["city"]
    given = directory.Delegated(id, grantor, grantee, ("signer",), today() + first * DAY, today() + end * DAY, "市政府办公会议纪要〔2026〕3号")
    writing.write(office.ledger, office.settings, office.directory, [given])
    office.directory.refresh()


def to_sign(world: World, **more: object) -> str:
    """A document that waits for the signer."""
    doc = service.draft(world.desk("qian"), paper(**more))
    service.submit(world.desk("qian"), doc)
    service.review(world.desk("wang"), doc)
    return doc


@pytest.mark.row("A6")
def test_signing_by_delegation_names_principal_actor_and_basis(world: World) -> None:
    """A live delegation of the signer lets its holder sign in the signer's name; the account and the sheet say who acted and on what it rests."""
    doc = to_sign(world)
    with pytest.raises(NodeError):
        service.sign(world.desk("sun"), doc)
    lend(world, "post-zhao", "post-sun", first=0, end=2, id="lent-1")
    assert "sign" in service.moves(world.desk("sun"), world.desk("sun").get(Document, doc))
    verified(world, lambda: service.sign(world.desk("sun"), doc, opinion="同意印发。"))
    document = world.desk("li").get(Document, doc)
    assert document.signer == "赵市长" and document.acted.startswith("sun ")
    (act,) = (one for one in service.timeline(world.desk("li"), doc) if one.kind == "documents.signed")
    assert (act.person, act.post, act.reason) == ("sun", "post-sun", "zhao 市政府办公会议纪要〔2026〕3号")
    service.number(world.desk("li"), doc, prefix="gov政发")
    service.seal(world.desk("sun"), doc)
    service.dispatch(world.desk("li"), doc)
    world.carry()
    envelope = world.desk("zhou").get(Letter, doc).envelope
    assert envelope.signer == "赵市长" and envelope.acted.startswith("sun ")
    up = service.draft(world.desk("fin-gov"), paper(organ="gov-fin", kind="report", title="关于财政的报告", to=("gov",)))
    assert sheet(world.desk("fin-gov"), service.envelope(world.desk("fin-gov"), world.desk("fin-gov").get(Document, up)), up).signer == ""


@pytest.mark.row("C6")
@pytest.mark.row("A6")
@pytest.mark.parametrize(("first", "end"), [(-5, 0), (-5, -1), (1, 5)], ids=["ends today", "over", "not begun"])
def test_a_delegation_that_does_not_run_lends_nothing(world: World, first: int, end: int) -> None:
    """Before its first day and from its last day on, a delegation neither shows the document nor lets anybody sign."""
    doc = to_sign(world)
    lend(world, "post-zhao", "post-qian", first=first, end=end, id=f"lent-{first}-{end}")
    with pytest.raises(Refused):
        service.sign(world.desk("qian"), doc)
    assert world.desk("li").get(Document, doc).state == "sign"


@pytest.mark.row("A12")
def test_every_version_is_kept_byte_for_byte(world: World) -> None:
    """What a draft said before is kept with who and when, under the statement that was signed, and is never changed by what comes later."""
    texts = ["第一稿。", "第二稿。\n加一段。", "第三稿。\n加一段。"]
    doc = service.draft(world.desk("qian"), paper(text=texts[0]))
    for text in texts[1:]:
        verified(world, lambda text=text: service.revise(world.desk("qian"), doc, paper(text=text)))
    rows = world.desk("li").list(Version, Version.doc == doc, order=Version.number)
    assert [(row.number, row.paper.text, row.person) for row in rows] == [(n, text, "qian") for n, text in enumerate(texts, 1)]
    assert all(row.paper_bytes == pack(paper(text=text)) for row, text in zip(rows, texts, strict=True))
    acts = {act.id for act in world.desk("li").list(Act, Act.doc == doc)}
    assert {row.said for row in rows} <= acts
    assert world.desk("zhou").list(Version, Version.doc == doc) == []
    with pytest.raises(Missing):
        world.desk("zhou").get(Document, doc)


@pytest.mark.row("A11")
def test_a_document_that_repeals_another_tells_its_holders(world: World) -> None:
    """Repeal chosen when drafting takes effect when the new document leaves: each node that has the old one knows by which."""
    old = service.send(world.desk("zhao"), paper(title="关于旧办法的通知"), prefix="gov政发")
    effect = Effect(old.doc, old.number, "关于旧办法的通知", "repealed")
    new = service.send(world.desk("zhao"), paper(title="关于新办法的通知", effects=(effect,)), prefix="gov政发")
    world.carry()
    assert arrived(world, "zhou", old.doc).state == "delivered"
    (row,) = world.desk("zhou").list(Validity, Validity.doc == old.doc)
    assert (row.change, row.by, row.number, row.title) == ("repealed", new.doc, new.number, "关于新办法的通知")
    foreign = Effect(new.doc, new.number, "关于新办法的通知", "repealed")
    service.send(world.desk("wu"), paper(organ="cgov", title="关于县里的通知", to=("cgov-fin",), effects=(foreign,)))
    world.carry()
    assert world.desk("zhou").list(Validity, Validity.doc == new.doc) == []
