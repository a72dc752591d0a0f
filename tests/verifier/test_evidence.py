"""Evidence files and log exports as a node writes them: they verify, show no more than they should, and survive no change."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from node import entry, evidence
from node.blobs import Blobs
from node.book import Book
from node.client import Ledger
from node.codec import unpack
from node.directory.view import Directory
from node.entry import Attachment
from node.errors import Missing
from office.documents import entries as said
from tests import books
from tests.verifier.program import check, kinds

DOC = "0190f5b6-0000-7000-8000-000000000009"
PLAIN = bytes(range(256)) * 600


class Direct(Ledger):
    """The ledger's questions put to a book in the same process, without the socket."""

    def __init__(self, book: Book) -> None:
        """Nothing is opened."""
        self.book = book

    def ask(self, name: str, *args: Any) -> Any:
        """The book's answer."""
        book, journal = self.book, self.book.journal
        if name in ("chains", "read", "disclose", "body"):
            return getattr(book, name)(*args)
        with journal.engine.connect() as c:
            if name == "places":
                return journal.places(c, *args)
            chain, *rest = args
            return tuple(getattr(journal, name)(c, journal.chain(chain), *rest))


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Book]]:
    """A city, a county and a township in which a document went down and a receipt came up."""
    with books.opened(tmp_path_factory.mktemp("evidence")) as found:
        yield found


@pytest.fixture(scope="module")
def story(city: dict[str, Book]) -> dict[str, Any]:
    """The statement ids of a document and its receipt, carried to all."""
    top, low = top_and_low(city)
    key = hashlib.sha256(b"key").digest()
    sha, size = Blobs(top.settings).put(iter([PLAIN]), key)
    annex = said.Annex("表.xlsx", len(PLAIN), "application/octet-stream", sha, hashlib.sha256(PLAIN).digest(), key, size)
    paper = said.Paper("o-city", "notice", "关于开展安全检查的通知", "机密的正文", ("o-town",), annexes=(annex,))
    envelope = said.Envelope(paper, "", "滨州市人民政府", "张三", "2026-11-20", (said.Recipient("o-town", low.here, "to"),))
    for number in range(5):
        books.write(top, books.draft(top, books.Noted(f"before {number}"), to=entry.to_node(low.here)))
    carried = (Attachment(sha, size),)
    [sent] = books.write(top, books.draft(top, said.Dispatched(envelope), record=DOC, to=entry.to_node(low.here), attachments=carried))
    books.exchange(city.values())
    received = said.SignedFor(DOC, "o-town", "李四")
    [back] = books.write(low, books.draft(low, received, record=said.incoming_id(DOC, "o-town"), after=(sent.id,), to=entry.to_node(top.here)))
    for number in range(5):
        books.write(top, books.draft(top, books.Noted(f"after {number}"), to=entry.to_node(low.here)))
    books.exchange(city.values())
    return {"statements": [sent.id, back.id], "sent": sent, "back": back}


def top_and_low(city: dict[str, Book]) -> tuple[Book, Book]:
    """The city's book and a township's."""
    return next(b for b in city.values() if b.settings.tier == "city"), next(b for b in city.values() if b.settings.tier == "township")


def directory(book: Book) -> Directory:
    """The directory of a book, which it has."""
    assert book.directory is not None
    return book.directory


@pytest.mark.row("M2")
def test_evidence_verifies_at_both_ends(city: dict[str, Book], story: dict[str, Any]) -> None:
    """Sender and recipient export the same document and receipt; each file stands alone."""
    for book in top_and_low(city):
        attachments = book is top_and_low(city)[0]
        data = b"".join(evidence.evidence(Direct(book), directory(book), book.settings, story["statements"], doc=DOC, attachments=attachments))
        answer = check(data, book.notary.root, DOC)
        assert answer["ok"], answer["problems"]
        assert (answer["documents"], answer["receipts"]) == (1, 1)
        [paper] = answer["details"]
        assert paper["attachments"][0]["included"] is attachments
        assert [r["receipt"] for r in paper["receipts"]] == ["R2"]


@pytest.mark.row("B10")
def test_evidence_says_who_held_the_document(city: dict[str, Book], story: dict[str, Any]) -> None:
    """At the sender the file carries the words of the nodes that held the document on its way."""
    top, low = top_and_low(city)
    data = b"".join(evidence.evidence(Direct(top), directory(top), top.settings, story["statements"], doc=DOC))
    [paper] = check(data, top.notary.root)["details"]
    assert low.here in {h["node"] for h in paper["places"][0]["held"]}


def test_evidence_discloses_nothing_else(city: dict[str, Book], story: dict[str, Any]) -> None:
    """Of a sealed chain only the keys of the entries shown are in the file, and no other body."""
    top, _ = top_and_low(city)
    lines = list(evidence.evidence(Direct(top), directory(top), top.settings, story["statements"], doc=DOC, attachments=False))
    records = [json.loads(one) for one in lines]
    assert len([r for r in records if "key" in r]) == 2
    places = {(p.chain, p.seq) for kind in ("sent", "back") for p in story[kind].places}
    shown = [unpack(base64.b64decode(r["header"]), entry.Header) for r in records if "body" in r]
    assert places <= {(h.chain, h.seq) for h in shown}
    sealed = {chain for chain, _ in places}
    assert {(h.chain, h.seq) for h in shown if h.chain in sealed and h.seq} == places


def test_a_missing_document_is_missing(city: dict[str, Book]) -> None:
    """Nothing is exported of what is not here."""
    top, _ = top_and_low(city)
    with pytest.raises(Missing):
        b"".join(evidence.evidence(Direct(top), directory(top), top.settings, [bytes(32)]))


@pytest.mark.parametrize("bodies", evidence.BODIES)
def test_log_exports_verify(city: dict[str, Book], story: dict[str, Any], bodies: str) -> None:
    """The whole journal of a node exports as one bundle with no, some or all of its contents, and verifies; two exports agree."""
    files = []
    for book in city.values():
        data = b"".join(evidence.export(Direct(book), directory(book), book.settings, evidence.Range(bodies=bodies)))
        answer = check(data, book.notary.root)
        assert answer["ok"], answer["problems"][:5]
        counts = {e["id"]: e["count"] for o in answer["origins"] for e in o["epochs"]}
        assert sorted(counts.values()) == sorted(s.count for s in book.journal.chains.values())
        files.append(data)
    top, _ = top_and_low(city)
    assert check(b"".join(files), top.notary.root)["ok"]


def test_parts_of_logs_export(city: dict[str, Book], story: dict[str, Any]) -> None:
    """An export may begin and end where it is told to, or show one author only; a line taken out of it is missed."""
    top, _ = top_and_low(city)
    chain = story["sent"].places[0].chain
    wanted = evidence.Range(origin=top.here, chain=entry.base32(chain), start=3, stop=6)
    data = b"".join(evidence.export(Direct(top), directory(top), top.settings, wanted))
    answer = check(data, top.notary.root)
    assert answer["ok"] and [o["origin"] for o in answer["origins"]] == [top.here]
    lines = [one for one in data.splitlines(keepends=True) if b'"end"' not in one]
    at = [i for i, one in enumerate(lines) if b'"header"' in one][2]
    broken = lines[:at] + lines[at + 1 :]
    broken.append(evidence.line({"end": {"lines": len(broken), "sha256": hashlib.sha256(b"".join(broken)).hexdigest()}}))
    assert "gap" in kinds(check(b"".join(broken), top.notary.root))
