"""Documents as packages: out of one node, into another that never got them, and what is not taken in."""

from __future__ import annotations

import hashlib
import io
import re
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec
import pytest

from node.errors import Conflict, Missing, Refused
from office.archives.model import ROOM as ARCHIVES
from office.archives.model import Original as Kept
from office.documents import bringing, service
from office.documents.entries import Envelope
from office.documents.files import open_annex
from office.documents.model import Incoming, Letter
from office.documents.packages import exported
from office.documents.prints import held
from office.print import packing, press
from office.print.packet import File, Packet
from tests.office.test_documents import World, issued, started, verified

pytestmark = pytest.mark.row("B11")
TEXT = "一、提高认识\n要 & 高度<重视>。\n\n二、落实责任"
ANNEXES = (("任务分工表.txt", b"one\r\ntwo"), ("联系人.csv", "姓名,电话\n".encode()))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A city with a seal, and a county."""
    with started(tmp_path_factory.mktemp("w"), "sqlite") as found:
        yield found


@dataclass
class Sent:
    """A document of the city that the county did not get, and its package."""

    doc: str
    envelope: Envelope
    package: bytes


@pytest.fixture(scope="module")
def sent(world: World) -> Sent:
    """With two annexes, all it can say of itself, under the seal."""
    desk = world.desk("qian")
    annexes = tuple(service.attach(desk, name, "text/plain", io.BytesIO(data)) for name, data in ANNEXES)
    more = {
        "text": TEXT,
        "annexes": annexes,
        "urgency": "urgent",
        "reply_required": True,
        "due_rule": "",
        "openness": "on_request",
        "openness_reason": "内部事务",
    }
    doc = issued(world, to=("gov-fin",), **more)
    return Sent(doc, world.desk("li").get(Letter, doc).envelope, exported(world.desk("li"), doc))


def parts(package: bytes) -> dict[str, bytes]:
    """The parts of a package by path."""
    with zipfile.ZipFile(io.BytesIO(package)) as made:
        return {name: made.read(name) for name in made.namelist()}


def zipped(found: dict[str, bytes]) -> bytes:
    """A package of these parts."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in found.items():
            package.writestr(name, data)
    return made.getvalue()


def changed(package: bytes, path: str, data: bytes) -> bytes:
    """A package with another part, and the list made to agree: whoever forges one does that too."""
    found = parts(package)
    old, said = found[path], found["manifest.xml"].decode()
    line = next(line for line in said.splitlines() if f'"{path}"' in line)
    new = line.replace(hashlib.sha256(old).hexdigest(), hashlib.sha256(data).hexdigest()).replace(f'长度="{len(old)}"', f'长度="{len(data)}"')
    return zipped(found | {path: data, "manifest.xml": said.replace(line, new).encode()})


def said(package: bytes, old: str, new: str, path: str = "document.xml") -> bytes:
    """A package in whose elements something else is said."""
    text = parts(package)[path].decode()
    assert old in text
    return changed(package, path, text.replace(old, new).encode())


def test_a_package_goes_round_and_keeps_every_element(world: World, sent: Sent) -> None:
    """A county that never got the document takes its package: the same envelope, annexes and page, sealed and proven; it is registered, with the
    one who brought it named, and all tables refold to the same."""
    found = str(verified(world, lambda: bringing.bring(world.desk("zhou"), "cgov", sent.package)))
    desk = world.desk("zhou")
    row = desk.get(Incoming, found)
    assert (row.state, row.brought, row.signed_by, row.home) == ("registered", "sealed", "周文书", "")
    assert row.register and row.doc != sent.doc and row.number == sent.envelope.number
    came = desk.get(Letter, row.doc).envelope
    assert {msgspec.structs.replace(one, sha=bytes(32), key=bytes(32), stored=0) for one in came.paper.annexes} == {
        msgspec.structs.replace(one, sha=bytes(32), key=bytes(32), stored=0) for one in sent.envelope.paper.annexes
    }
    assert msgspec.structs.replace(came, paper=msgspec.structs.replace(came.paper, annexes=sent.envelope.paper.annexes)) == sent.envelope
    assert [b"".join(open_annex(desk, one)) for one in came.paper.annexes] == [data for _name, data in ANNEXES]
    page = held(desk, desk.get(Letter, row.doc))
    assert page is not None and b"".join(open_annex(desk, page)) == parts(sent.package)["document.pdf"]
    verified(world, lambda: service.answer(world.desk("zhou"), found, text="已办。", close_too=True))
    assert world.desk("zhou").get(Incoming, found).state == "closed"
    with world.offices["county1"].tables.session(ARCHIVES) as session:
        kept = session.get(Kept, row.doc)
        assert kept is not None and kept.envelope == came
    with pytest.raises(Conflict) as again:
        bringing.bring(world.desk("zhou"), "cgov", sent.package)
    assert again.value.code == "brought_already"
    with pytest.raises(Conflict) as there:
        bringing.bring(world.desk("zhou"), "cgov", zipped(parts(sent.package)))
    assert there.value.code == "there_already"


def test_who_may_not_read_it_cannot_export_it_and_who_is_no_clerk_cannot_bring_it(world: World, sent: Sent) -> None:
    """For the county's worker the document is not there; the worker, and a clerk for another organ, may not enter packages."""
    with pytest.raises(Missing):
        exported(world.desk("zheng"), sent.doc)
    for person, organ in (("zheng", "cgov"), ("zhou", "cgov-fin"), ("zhou", "gov")):
        with pytest.raises(Refused) as refused:
            bringing.bring(world.desk(person), organ, sent.package)
        assert refused.value.code == "not_yours"


def test_keys_of_files_stay_on_the_network(sent: Sent) -> None:
    """No package holds the key or the stored name of an annex."""
    whole = b"".join(parts(sent.package).values())
    for one in sent.envelope.paper.annexes:
        for secret in (one.key, one.sha):
            assert secret not in whole and secret.hex().encode() not in whole and msgspec.json.encode(secret)[1:-1] not in whole


def test_a_package_of_a_stranger_is_taken_in_as_not_verified(world: World, sent: Sent) -> None:
    """Elements in the form of the standard's names with nothing of this city: organs by name, register number, and the word 未核验 on it."""
    elements = (
        *(("公文标识", "X-1"), ("文种", "通知"), ("发文字号", "远府发〔2026〕3号"), ("标题", "关于远处的通知"), ("主送机关", "云一县人民政府、远县")),
        *(("发文机关或签发人署名", "远市人民政府"), ("成文日期", "2026年1月5日"), ("份号", "000001"), ("紧急程度", "特急"), ("发布层次", "县级")),
    )
    page = press.unpack(sent.package).page
    package = press.pack(Packet(elements, ("一、事由", "请办理。"), page, (File("表.txt", "text/plain", b"t"),)))
    found = str(verified(world, lambda: bringing.bring(world.desk("zhou"), "cgov", package, to_handle=False)))
    desk = world.desk("zhou")
    row, envelope = desk.get(Incoming, found), desk.get(Letter, desk.get(Incoming, found).doc).envelope
    assert (row.brought, row.issuer, row.issuer_name, row.urgency, row.kind) == ("copied", "", "远市人民政府", "flash", "notice")
    assert envelope.signed_on == "2026-01-05" and envelope.paper.text == "一、事由\n请办理。" and envelope.seal is None
    assert service.reply_paper(desk, row).to == ()
    unsigned = re.sub(rb"/ByteRange", b"/ByteRonge", page)
    with pytest.raises(Refused) as broken:
        bringing.bring(desk, "cgov", press.pack(Packet(elements[:2] + (("发文字号", "远府发〔2026〕4号"), *elements[3:]), ("正文",), unsigned)))
    assert broken.value.code == "package_page"


def bomb(found: dict[str, bytes]) -> bytes:
    """A hundred megabytes of nothing in a small archive."""
    return zipped(found | {"annexes/003": bytes(100 * 2**20)})


def lying(found: dict[str, bytes]) -> bytes:
    """An archive that calls a long part short."""
    made = bytearray(zipped(found | {"document.pdf": bytes(2**20)}))
    entry = made.rindex(b"document.pdf") - 46
    struct.pack_into("<I", made, entry + 24, 10)
    return bytes(made)


FORM: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "no archive": ("package_not", lambda good: b"%PDF-1.7 nothing"),
    "cut short": ("package_not", lambda good: good[: len(good) // 2]),
    "no list": ("package_missing", lambda good: zipped({k: v for k, v in parts(good).items() if k != "manifest.xml"})),
    "no page": ("package_missing", lambda good: zipped({k: v for k, v in parts(good).items() if k != "document.pdf"})),
    "an annex is missing": ("package_missing", lambda good: zipped({k: v for k, v in parts(good).items() if k != "annexes/002"})),
    "wrong digest": ("package_digest", lambda good: zipped(parts(good) | {"annexes/001": b"one\r\ntwO"})),
    "unlisted part": ("package_path", lambda good: zipped(parts(good) | {"annexes/009": b"x"})),
    "traversal": ("package_path", lambda good: zipped(parts(good) | {"../../etc/passwd": b"x"})),
    "absolute": ("package_path", lambda good: zipped(parts(good) | {"/tmp/x": b"x"})),
    "bomb": ("package_large", lambda good: bomb(parts(good))),
    "lying length": ("package_not", lambda good: lying(parts(good))),
    "entities": ("package_xml", lambda good: said(good, "<公文 ", "<!DOCTYPE a [<!ENTITY b 'c'>]><公文 ")),
    "broken XML": ("package_xml", lambda good: said(good, "</公文>", "</公>")),
    "another form": ("package_strange", lambda good: said(good, "urn:yiwang:document-package:1", "urn:other:1")),
}
"What is wrong with the package itself."
SAID: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "a part too many": FORM["traversal"],
    "no title": ("package_element", lambda good: said(good, "标题>", "题目>")),
    "unknown kind": ("package_element", lambda good: said(good, "<文种>通知<", "<文种>告示<")),
    "no day": ("package_element", lambda good: said(good, "月", "month")),
    "state secret": ("label_refused", lambda good: said(good, "<密级和保密期限>内部<", "<密级和保密期限>机密★10年<")),
    "another title": ("package_differs", lambda good: said(good, "防汛工作", "抗旱工作")),
    "another annex": ("package_differs", lambda good: changed(good, "annexes/001", b"three")),
    "forged throughout": ("package_forged", lambda good: said(said(good, "防汛工作", "抗旱工作"), "防汛工作", "抗旱工作", "envelope.json")),
    "page of another": ("package_page", lambda good: changed(good, "document.pdf", parts(good)["document.pdf"].replace(b"/Title", b"/Tital", 1))),
}


@pytest.mark.parametrize("case", FORM)
def test_a_package_that_is_none_is_refused_by_name(sent: Sent, case: str) -> None:
    """Each way of being no package has a code of its own, with words for it."""
    code, made = FORM[case]
    with pytest.raises(Refused) as refused:
        packing.unpacked(made(sent.package))
    assert refused.value.code == code and code in press.MESSAGES


@pytest.mark.parametrize("case", SAID)
def test_a_bad_package_is_refused_by_name_and_leaves_nothing(world: World, sent: Sent, case: str) -> None:
    """Each way of saying what is not true has a code and words of its own, and no row is there afterwards."""
    code, made = SAID[case]
    desk = world.desk("fin-cgov")
    with pytest.raises(Refused) as refused:
        bringing.bring(desk, "cgov-fin", made(sent.package))
    assert refused.value.code == code and str(refused.value.message)
    assert not desk.list(Incoming, Incoming.organ == "cgov-fin")


def test_the_page_of_another_document_is_refused(world: World, sent: Sent) -> None:
    """An honest page under the seal of this city is not taken for that of a document it does not belong to."""
    other = exported(world.desk("li"), issued(world, to=("gov-fin",), title="关于另一件事的通知"))
    with pytest.raises(Refused) as refused:
        bringing.bring(world.desk("fin-cgov"), "cgov-fin", changed(sent.package, "document.pdf", parts(other)["document.pdf"]))
    assert refused.value.code == "package_page"
