"""The printed sheet beside a draft that is being written."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import pytest
from msgspec import structs
from PIL import Image

from office.print import press
from office.print.press import picture
from office.print.sheet import Paragraph
from tests.office.looks import chromium
from tests.office.test_documents_pages import LOGINS, drafted, form
from tests.portal.house import Browser, House, opened, seated
from tests.print.sheets import LETTER, SENTENCE


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A city node with the people of the documents tests."""
    with opened(tmp_path_factory.mktemp("d"), *LOGINS) as made:
        yield made


@pytest.fixture(scope="module")
def people(house: House) -> dict[str, Browser]:
    """Everybody signed in."""
    return seated(house, LOGINS, "/documents")


def test_long_sheets_show_their_first_pages_and_say_how_many_there_are() -> None:
    """Of a sheet of many pages the first six are drawn, in the shape of A4, and all are counted; other printing does not wait for it."""
    with press._turns:
        drawn = picture(structs.replace(LETTER, paragraphs=tuple(Paragraph(text=SENTENCE) for _n in range(50))))
    assert drawn.count > len(drawn.pages) == 6
    width, height = Image.open(io.BytesIO(drawn.pages[0])).size
    assert abs(height / width - 297 / 210) < 0.01


def test_a_form_is_shown_as_it_would_be_printed_and_kept_nowhere(people: dict[str, Browser]) -> None:
    """A new draft and one that is there are drawn as their forms say; afterwards there is no other draft and the old one says what it said."""
    one = people["chengxue"]
    doc = drafted(one, title="关于先存的函")
    before = one.get("/documents.json?tab=drafts").json["rows"]
    for path in ("/documents/preview", f"/documents/{doc}/preview"):
        reply = one.post(path, **form(title="关于只看一眼的函"))
        assert reply.status == 200 and reply.json["count"] == 1
        page = Image.open(io.BytesIO(base64.b64decode(reply.json["pages"][0].partition(",")[2]))).convert("RGB")
        assert any(
            red > 180 and green < 60 for _n, (red, green, _blue) in page.crop((0, 0, page.width, page.height // 3)).getcolors(1 << 20)
        )  # the red head
    assert one.get("/documents.json?tab=drafts").json["rows"] == before
    assert "关于先存的函" in one.get(f"/documents/{doc}/edit").text


def test_only_who_may_write_a_draft_has_it_shown(people: dict[str, Browser]) -> None:
    """Other people's drafts and other organs' names are not there, and a mark of a state secret is drawn for nobody."""
    doc = drafted(people["chengxue"])
    other = people["fanxiaohong"]
    assert other.post(f"/documents/{doc}/preview", **form()).status == 404
    assert other.post("/documents/preview", **form()).status == 404
    refused = people["chengxue"].post("/documents/preview", **form(body="机密★10年"))
    assert refused.status == 403 and "国家秘密" in refused.text


def test_the_sheet_follows_what_is_typed_and_typing_goes_on(people: dict[str, Browser]) -> None:
    """Once opened the sheet is drawn; what is typed meanwhile stays, a second page comes by itself, and goes on doing so after a refused file."""
    one = people["chengxue"]
    one.get("/")
    base = f"https://127.0.0.1:{one.house.port}"
    with chromium() as window:
        context = window.new_context(ignore_https_errors=True, viewport={"width": 1366, "height": 768})
        context.set_default_timeout(60_000)
        context.add_cookies([{"name": key, "value": value, "url": base} for key, value in one.cookies.items()])
        page, said = context.new_page(), list[str]()
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("console", lambda told: said.append(told.text) if "Content Security Policy" in told.text else None)
        page.goto(f"{base}/documents/new")
        assert not page.query_selector(".preview-pages img")
        page.click("details.preview summary")
        page.click("#body")
        page.keyboard.type("请提供有关资料。")
        page.wait_for_selector(".preview-pages img")
        page.keyboard.insert_text("请提供有关资料。" * 120)
        page.wait_for_selector(".preview-pages img:nth-child(2)")
        assert page.input_value("#body") == "请提供有关资料。" * 121
        page.set_input_files("#word", [{"name": "a.docx", "mimeType": "application/zip", "buffer": b"none"}])
        page.click("button[value=word]")
        page.wait_for_selector(".note.bad")
        page.wait_for_selector(".preview-pages img:nth-child(2)")
        assert page.input_value("#body") == "请提供有关资料。" * 121 and said == []
        context.close()
