"""The PDF that somebody downloads from a running portal."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator

import lxml.html
import pytest
from asn1crypto import pem as armour
from asn1crypto import x509
from docx import Document
from msgspec import structs
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from office.print.press import word
from tests.office.test_documents_pages import LOGINS, act, drafted, form, issued, sent_with
from tests.portal.house import Browser, House, opened, seated
from tests.print.gauge import Gauge
from tests.print.sheets import LETTER

pytestmark = pytest.mark.row("A3")


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


@pytest.mark.row("B11")
def test_a_document_leaves_as_a_package_and_comes_in_by_the_form(people: dict[str, Browser]) -> None:
    """Who may read it downloads the package from its page; another organ's clerk brings it, is led to its registered sheet, which says how far it
    was checked in both languages; a damaged one is refused on the page, and for others there is no form."""
    doc = issued(people)
    assert f"/documents/{doc}/package" in people["chengxue"].get(f"/documents/{doc}").text
    reply = people["chengxue"].get(f"/documents/{doc}/package")
    assert reply.status == 200 and reply.headers["content-type"] == "application/zip"
    clerk = people["fanxiaohong"]
    assert clerk.get(f"/documents/{doc}/package").status == 404
    assert "/incoming/packages" in clerk.get("/incoming").text
    ((organ, _name),) = clerk.get("/incoming/packages.json").json["organs"]
    refused = sent_with(clerk, "/incoming/packages", "x.zip", reply.body[:-9], organ=organ)
    assert refused.status == 422 and "不是可以读的公文数据包" in refused.text
    taken = sent_with(clerk, "/incoming/packages", "x.zip", reply.body, organ=organ)
    assert taken.status == 303, taken.text
    sheet = clerk.get(taken.headers["location"]).text
    assert "数据包导入" in sheet and "核验" in sheet and "关于商请提供项目资料的函" in sheet and "已登记" in sheet
    clerk.language = "en"
    assert "Brought as a package" in clerk.get(taken.headers["location"]).text
    clerk.language = "zh"
    assert "您不是收发员" in people["majun"].get("/incoming/packages").text


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


def fields(page: str, name: str) -> list[str]:
    """What a form says under a name, be it typed, ticked or hidden."""
    found = lxml.html.fromstring(page).xpath("//form[contains(@class, 'compose')]")[0].xpath(f".//*[@name='{name}']")
    return [
        one.text[1:] if one.tag == "textarea" else one.get("value")
        for one in found
        if one.get("type") != "checkbox" or one.get("checked") is not None
    ]


def test_a_word_file_is_shown_before_it_is_put_into_a_draft(people: dict[str, Browser]) -> None:
    """Read in, the file stands above a form that is as it was typed; put in, its title, recipients and text are in the form; saved, a draft."""
    one = people["chengxue"]
    file = one.get(f"/documents/{issued(people, title='关于商请提供防汛资料的函', body='一、甲' + chr(10) + '乙。')}/docx").body
    before = len(one.get("/documents.json?tab=drafts").json["rows"])
    typed = form(title="关于别的事的函", body="打了一半", to=[])
    shown = sent_with(one, "/documents", "资料.docx", file, "word", go="word", **typed)
    assert shown.status == 200 and "还没有填入" in shown.text and "版头（" in shown.text
    assert fields(shown.text, "title") == ["关于别的事的函"] and fields(shown.text, "body") == ["打了一半"] and fields(shown.text, "to") == []
    read = {name: fields(shown.text, name) for name in ("word_title", "word_body", "word_to", "word_list")}
    assert (read["word_title"], read["word_body"]) == (["关于商请提供防汛资料的函"], ["一、甲\n乙。"]) and read["word_to"]
    left = one.post("/documents", go="word-leave", **typed, **read)
    assert fields(left.text, "title") == ["关于别的事的函"] and "还没有填入" not in left.text
    used = one.post("/documents", go="word-use", **typed, **read)
    assert (
        fields(used.text, "title") == read["word_title"]
        and fields(used.text, "body") == read["word_body"]
        and fields(used.text, "to") == read["word_to"]
    )
    assert len(one.get("/documents.json?tab=drafts").json["rows"]) == before
    saved = one.post("/documents", go="save", **form(title=read["word_title"][0], body=read["word_body"][0], to=read["word_to"]))
    assert saved.status == 303 and len(one.get("/documents.json?tab=drafts").json["rows"]) == before + 1


def test_recipients_are_those_of_the_directory(people: dict[str, Browser]) -> None:
    """Names of 主送 that the directory knows are chosen by its own names; what nobody or the issuer itself is called is named as not recognised."""
    file = word(structs.replace(LETTER, to="市教育局、市财政局，某某省水文中心"))
    shown = sent_with(people["chengxue"], "/documents", "函.docx", file, "word", go="word", **form())
    assert len(fields(shown.text, "word_to")) == 2 and "主送机关没有认出" in shown.text and "某某省水文中心" in shown.text


def test_a_refused_word_file_leaves_the_form_as_it_was(people: dict[str, Browser]) -> None:
    """What is no Word file, or none at all, is answered with the reason above the form, in which everything typed still stands; as data too."""
    one = people["chengxue"]
    refused = sent_with(one, "/documents", "旧.docx", b"\xd0\xcf\x11\xe0" + bytes(99), "word", go="word", **form(title="关于旧格式的函"))
    assert refused.status == 422 and "旧格式" in refused.text and fields(refused.text, "title") == ["关于旧格式的函"]
    assert "请先选一个 Word 文件" in one.post("/documents", go="word", **form()).text


def test_what_was_taken_back_says_so(people: dict[str, Browser], tmp_path_factory: pytest.TempPathFactory) -> None:
    """A document that was recalled is printed with 已撤回 across it."""
    doc = issued(people)
    assert act(people["majun"], f"/documents/{doc}/recall", text="内容有误。") == 303
    assert "已撤回" in text_of(people["chengxue"].get(f"/documents/{doc}/pdf").body, tmp_path_factory)


def test_the_portal_serves_others_while_it_prints(people: dict[str, Browser]) -> None:
    """Printing runs in a process of its own: other pages are answered before it is done."""
    doc = issued(people, body="一、事由\n" + "请提供有关资料。" * 1000)
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
