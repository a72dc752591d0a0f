"""验章 at the issuing node and at the receiving one: in force, tampered, of another text, expired, revoked, and the node's own signature lost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from node import certs
from node.directory import entries as said
from node.directory import writing
from office.documents.entries import Envelope
from office.documents.model import Letter
from office.documents.prints import proof
from office.documents.proving import of_copy, of_seal, seal_facts
from office.print.verdict import Finding, Sealed, Verdict
from tests.office.test_documents import World, issued, started

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
