"""验章 at the issuing node and at the receiving one: in force, tampered, of another text, expired, revoked, and the node's own signature lost."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from asn1crypto import pem as armour
from asn1crypto import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from node import certs
from node.blobs import Blobs
from node.directory import entries as said
from node.directory import writing
from node.errors import Conflict, Missing, Refused
from office.documents import originals, service
from office.documents.entries import Annex, Envelope
from office.documents.files import open_annex
from office.documents.model import Document, Letter
from office.documents.prints import held, proof
from office.documents.proving import of_copy, of_seal, seal_facts
from office.print import press
from office.print.verdict import Finding, Sealed, Verdict
from tests.office.test_documents import World, issued, paper, started, verified

pytestmark = pytest.mark.row("A8")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A city with a seal, and a county."""
    with started(tmp_path_factory.mktemp("w"), "sqlite") as found:
        yield found


@pytest.fixture(scope="module")
def sent(world: World) -> tuple[str, Envelope, Sealed]:
    """A document of the city for all tests."""
    return sealed(world)


def sealed(world: World) -> tuple[str, Envelope, Sealed]:
    """A sealed document that has arrived at the county, and its seal as copies carry it."""
    doc = issued(world)
    envelope = world.desk("li").get(Letter, doc).envelope
    mark = proof(doc, envelope)
    assert mark is not None
    return doc, envelope, mark


def test_a_seal_in_force_is_good_on_any_node(world: World, sent: tuple[str, Envelope, Sealed]) -> None:
    """Sender and recipient say the same of the document, and name organ and test seal; without the text at hand it still holds, and says so."""
    doc, _envelope, mark = sent
    for person in ("li", "zhou"):
        desk = world.desk(person)
        held = desk.get(Letter, doc).envelope
        assert of_seal(desk, mark, held).tone == "good" and "正是这份公文" in str(of_seal(desk, mark, held).text)
        assert "本机没有这份公文" in str(of_seal(desk, mark, None).text)
        facts = {str(label): str(value) for label, value in seal_facts(desk, mark)}
        assert facts["用印机关"] == held.issuer and "测试" in facts["印章"]


@pytest.mark.parametrize("part", ["signature", "digest", "fingerprint", "seal"])
def test_any_changed_part_of_a_seal_is_bad(world: World, sent: tuple[str, Envelope, Sealed], part: str) -> None:
    """One digit changed in signature, digest or fingerprint, another seal's name, or no digits at all: not good, with and without the text."""
    _doc, envelope, mark = sent
    old = getattr(mark, part)
    for wrong in (("1" if old[0] != "1" else "2") + old[1:], "no digits"):
        forged = msgspec.structs.replace(mark, **{part: wrong})
        for text in (envelope, None):
            assert of_seal(world.desk("zhou"), forged, text).tone == "bad"


def test_another_text_under_the_seal_is_bad(world: World, sent: tuple[str, Envelope, Sealed]) -> None:
    """The text changed under an honest seal is found; a copy of what was corrected later is not called false but out of date."""
    _doc, envelope, mark = sent
    other = msgspec.structs.replace(envelope, paper=msgspec.structs.replace(envelope.paper, text="别的内容。"))
    assert of_seal(world.desk("zhou"), mark, other).tone == "bad"
    assert envelope.seal is not None
    issue = msgspec.structs.replace(other, issue=2, seal=msgspec.structs.replace(envelope.seal, digest=bytes(32)))
    assert of_seal(world.desk("zhou"), mark, issue).tone == "warn"


def test_an_expired_seal_is_bad(world: World, sent: tuple[str, Envelope, Sealed]) -> None:
    """The seal that is good today is bad once its certificate has ended."""
    _doc, envelope, mark = sent
    desk = world.desk("zhou")
    desk.now += dt.timedelta(days=365 * 11)
    assert "过期" in str(of_seal(desk, mark, envelope).text)


def test_the_original_is_signed_by_the_organs_seal_and_goes_where_the_document_went(world: World) -> None:
    """The keeper makes it once and nobody else can; refolded tables are the same; any validator with the city's root names the seal; the county
    gets those very bytes, and a changed byte, another seal's document or a seal that nobody knows is not good."""
    doc, envelope, mark = sealed(world)
    with pytest.raises(Refused):
        originals.make(world.desk("li"), doc)
    with pytest.raises(Missing):
        originals.make(world.desk("sun"), service.draft(world.desk("qian"), paper()))
    annex: Annex = verified(world, lambda: originals.make(world.desk("sun"), doc))  # type: ignore[assignment]
    with pytest.raises(Conflict):
        originals.make(world.desk("sun"), doc)
    assert not originals.acts(world.desk("sun"), world.desk("sun").get(Document, doc), world.desk("sun").get(Letter, doc))
    desk = world.desk("zhou")
    assert held(desk, desk.get(Letter, doc)) is None
    sent = Blobs(world.desk("li").settings)
    assert Blobs(desk.settings).write(annex.sha, annex.stored, 0, sent.read(annex.sha, 0, annex.stored))
    found = held(desk, desk.get(Letter, doc))
    assert found is not None
    pdf = b"".join(open_annex(desk, found))
    root = x509.Certificate.load(armour.unarmor(desk.settings.path("certs", "root.pem").read_bytes())[2])
    (signature,) = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    status = validate_pdf_signature(signature, ValidationContext(trust_roots=[root], allow_fetching=False))
    assert status.bottom_line and status.signing_cert.subject.native["organizational_unit_name"] == "seal"
    verdict = press.check(pdf, desk.settings)
    assert (verdict.finding, verdict.kind, verdict.signer, verdict.sealed) == (Finding.GOOD, "seal", mark.seal, mark)
    assert verdict.name == envelope.issuer and "正本" in str(of_copy(desk, verdict).text) and of_copy(desk, verdict).good
    at = len(pdf) // 2
    assert not of_copy(desk, press.check(pdf[:at] + bytes([pdf[at] ^ 1]) + pdf[at + 1 :], desk.settings)).good
    other = msgspec.structs.replace(mark, seal="seal-other")
    for wrong in (msgspec.structs.replace(verdict, sealed=other), msgspec.structs.replace(verdict, sealed=None)):
        assert not of_copy(desk, wrong).good
    unknown = msgspec.structs.replace(verdict, fingerprints=("ab" * 32, *verdict.fingerprints[1:]))
    assert not of_copy(desk, unknown).good


@pytest.fixture
def own(tmp_path: Path) -> Iterator[World]:
    """A city for one test, which takes its seal away."""
    with started(tmp_path, "sqlite") as found:
        yield found


def test_a_revoked_seal_and_a_revoked_node_are_bad_on_any_node(own: World) -> None:
    """Once the city has revoked them and the word has come, both nodes refuse: a seal by its fingerprint, a copy by any certificate on its way."""
    world = own
    _doc, envelope, mark = sealed(world)
    node = world.offices["county1"].directory.certificates_of(world.offices["county1"].settings.id)[0]
    county = certs.fingerprint(node.certificate)
    verdict = Verdict(finding=Finding.GOOD, chain=("县",), fingerprints=(county.hex(),))
    assert of_copy(world.desk("li"), verdict).tone == "good"
    city = world.offices["city"]
    city.directory.refresh()
    writing.write(city.ledger, city.settings, city.directory, [said.Revoked(bytes.fromhex(mark.fingerprint), "stolen")])
    world.carry()
    for person in ("li", "zhou"):
        assert "吊销" in str(of_seal(world.desk(person), mark, envelope).text) and of_seal(world.desk(person), mark, None).tone == "bad"
    writing.write(city.ledger, city.settings, city.directory, [said.Revoked(county, "stolen")])
    assert of_copy(world.desk("li"), verdict).tone == "bad"
