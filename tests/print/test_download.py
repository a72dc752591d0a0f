"""The PDF that somebody downloads from a running portal."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator

import pytest
from asn1crypto import pem as armour
from asn1crypto import x509
from docx import Document
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from tests.office.test_documents_pages import LOGINS, act, drafted, issued, sent_with
from tests.portal.house import Browser, House, opened, seated
from tests.print.gauge import Gauge

pytestmark = [pytest.mark.row("A3"), pytest.mark.xdist_group("print")]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A city node with the people of the documents tests."""
    with opened(tmp_path_factory.mktemp("d"), *LOGINS) as made:
        yield made


@pytest.fixture(scope="module")
def people(house: House) -> dict[str, Browser]:
    """Everybody signed in."""
    return seated(house, LOGINS, "/documents")


def text_of(pdf: bytes, factory: pytest.TempPathFactory) -> str:
    """All words of a PDF."""
    return Gauge(pdf, factory.mktemp("pdf")).text()


def test_an_issued_document_is_a_signed_pdf(house: House, people: dict[str, Browser], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Sender and recipient get an issued document as a PDF with number and title, signed so that the city's root vouches for it."""
    doc = issued(people)
    for login in ("chengxue", "dinghui"):
        reply = people[login].get(f"/documents/{doc}/pdf")
        assert reply.status == 200 and reply.headers["content-type"] == "application/pdf"
        text = text_of(reply.body, tmp_path_factory)
        assert "关于商请提供项目资料的函" in text and "〕" in text and "一、事由" in text and "草稿" not in text
        root = x509.Certificate.load(armour.unarmor(house.home.settings.path("certs", "root.pem").read_bytes())[2])
        (signature,) = PdfFileReader(io.BytesIO(reply.body)).embedded_signatures
        assert validate_pdf_signature(signature, ValidationContext(trust_roots=[root], allow_fetching=False)).bottom_line


def test_a_draft_says_so_and_is_not_signed_and_not_for_others(people: dict[str, Browser], tmp_path_factory: pytest.TempPathFactory) -> None:
    """A draft is printed for its drafter with 草稿 across it and no signature; for whoever may not see it, it is missing."""
    doc = drafted(people["chengxue"])
    reply = people["chengxue"].get(f"/documents/{doc}/pdf")
    assert reply.status == 200 and "草稿" in text_of(reply.body, tmp_path_factory)
    assert not list(PdfFileReader(io.BytesIO(reply.body)).embedded_signatures)
    assert people["fanxiaohong"].get(f"/documents/{doc}/pdf").status == 404
    assert f"/documents/{doc}/pdf" in people["chengxue"].get(f"/documents/{doc}").text


def test_a_document_is_had_as_a_word_file_by_who_may_read_it(people: dict[str, Browser]) -> None:
    """Drafter and recipient get title, number and text as a Word file under the document's name; for others it is missing."""
    doc = issued(people)
    assert f"/documents/{doc}/docx" in people["chengxue"].get(f"/documents/{doc}").text
    for login in ("chengxue", "dinghui"):
        reply = people[login].get(f"/documents/{doc}/docx")
        assert reply.status == 200 and ".docx" in reply.headers["content-disposition"]
        lines = [line.text for line in Document(io.BytesIO(reply.body)).paragraphs]
        assert "关于商请提供项目资料的函" in lines and "一、事由" in lines and any("〕" in line for line in lines)
    assert people["fanxiaohong"].get(f"/documents/{doc}/docx").status == 404


def test_what_was_taken_back_says_so(people: dict[str, Browser], tmp_path_factory: pytest.TempPathFactory) -> None:
    """A document that was recalled is printed with 已撤回 across it."""
    doc = issued(people)
    assert act(people["majun"], f"/documents/{doc}/recall", text="内容有误。") == 303
    assert "已撤回" in text_of(people["chengxue"].get(f"/documents/{doc}/pdf").body, tmp_path_factory)


def test_the_portal_serves_others_while_it_prints(people: dict[str, Browser]) -> None:
    """Printing runs in a process of its own: other pages are answered before it is done."""
    doc = issued(people, body="一、事由\n" + "请提供有关资料。" * 3000)
    done = threading.Event()

    def fetch() -> None:
        assert people["chengxue"].get(f"/documents/{doc}/pdf").status == 200
        done.set()

    printing = threading.Thread(target=fetch)
    printing.start()
    served = 0
    while not done.is_set() and printing.is_alive():
        assert people["majun"].get("/healthz").status == 200
        served += 1
        time.sleep(0)
    printing.join()
    assert done.is_set() and served > 5


@pytest.mark.row("A8")
def test_a_copy_is_checked_by_whoever_brings_it(house: House, people: dict[str, Browser]) -> None:
    """The page of checks says that a copy is whole, who printed it, and of one changed byte that it is not to be relied on; a file must be chosen."""
    doc = issued(people)
    pdf = people["chengxue"].get(f"/documents/{doc}/pdf").body
    page = sent_with(people["fanxiaohong"], "/documents/verify", "copy.pdf", pdf).text
    assert "副本完整" in page and "滨州市" in page and "没有加盖印章" in page
    at = len(pdf) // 2
    assert "不可采信" in sent_with(people["dinghui"], "/documents/verify", "c.pdf", pdf[:at] + bytes([pdf[at] ^ 1]) + pdf[at + 1 :]).text
    assert people["dinghui"].post("/documents/verify").status == 422
    assert "没有加盖印章" in people["dinghui"].get(f"/documents/{doc}/verify").text
    assert people["fanxiaohong"].get(f"/documents/{doc}/verify").status == 404
