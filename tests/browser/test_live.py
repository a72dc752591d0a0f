"""A page that stays open: it follows what happens without losing what its reader is at, and 特急 announces itself where that was asked for."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import BrowserContext, Page, Playwright, expect

from tests.browser.screen import CHROMIUM
from tests.portal.house import PASSWORD, Browser, House, build

READER, WRITER = "xuegang", "zhoulixin"
HEAR = "window.heard = []; window.Notification = class extends Notification { constructor(...said) { super(...said); window.heard.push(said[0]); } };"
"The browser's own notices, noted as they are shown."


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A city node with a clerk who reads and somebody who writes."""
    made = build(tmp_path_factory.mktemp("l"))
    try:
        for login in (READER, WRITER):
            made.password(login)
        yield made
    finally:
        made.home.stop()


@pytest.fixture(scope="module")
def writer(house: House) -> Browser:
    """Whoever sends the documents, without a screen."""
    one = house.enter(WRITER)
    one.get("/me")
    return one


@pytest.fixture
def context(house: House, player: Playwright) -> Iterator[BrowserContext]:
    """The clerk's browser, signed in."""
    leaf = x509.load_pem_x509_certificates(house.settings.path("certs", "tls.pem").read_bytes())[0]
    pin = base64.b64encode(hashlib.sha256(leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()).decode()
    browser = player.chromium.launch(
        executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--ignore-certificate-errors-spki-list={pin}"]
    )
    made = browser.new_context(locale="zh-CN", viewport={"width": 1366, "height": 768}, base_url=f"https://127.0.0.1:{house.port}")
    page = made.new_page()
    page.goto("/signin")
    page.fill("#login", READER)
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/")
    yield made
    browser.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """The page in front of the clerk."""
    return context.pages[0]


def send(writer: Browser, title: str, **more: object) -> None:
    """A document to the education bureau."""
    headers = {"Content_Type": "application/json", "X_CSRF_Token": writer.csrf, "Idempotency_Key": str(uuid.uuid4())}
    asked = {"kind": "letter", "title": title, "text": "请予支持为盼。", "to": ["bz-jyj"]} | more
    assert writer.ask("POST", "/api/v1/docs?ack=local", asked, **headers).status in (200, 201)


def focused(page: Page) -> str:
    """Where the link leads that has the focus."""
    return str(page.evaluate("document.activeElement.getAttribute('href') || ''"))


def opened(page: Page, path: str) -> None:
    """Open a page and wait until it listens: what happens from now on reaches it."""
    with page.expect_response(lambda answer: urlsplit(answer.url).path == "/api/v1/events"):
        page.goto(path)


def test_a_register_follows_without_taking_anything_away(page: Page, writer: Browser) -> None:
    """A new document stands in the open register; focus, selection, scrolling and the page itself are as they were."""
    for number in range(12):
        send(writer, f"关于第{number}件事的函")
    opened(page, "/incoming")
    page.evaluate("window.same = 'yes'")
    page.keyboard.press("j")
    page.keyboard.press("j")
    chosen = focused(page)
    page.evaluate("getSelection().selectAllChildren(document.querySelector('#rows tbody tr:last-child .wide a'))")
    page.evaluate("scrollTo(0, 120)")
    said, high = page.evaluate("getSelection().toString()"), page.evaluate("scrollY")
    count = int(page.locator("#stages [aria-current] .count").inner_text())
    send(writer, "关于正在看时到达的函")
    expect(page.locator("#rows tbody tr").first).to_contain_text("关于正在看时到达的函")
    expect(page.locator("#stages [aria-current] .count")).to_have_text(str(count + 1))
    assert page.evaluate("window.same") == "yes"
    assert focused(page) == chosen != ""
    assert page.evaluate("getSelection().toString()") == said != ""
    assert page.evaluate("scrollY") == high


def test_a_line_that_goes_leaves_the_focus_with_its_neighbour(house: House, page: Page, writer: Browser) -> None:
    """When somebody else signs for the document one is at, it leaves the list and the keyboard goes on from there."""
    send(writer, "关于同事先签收的函")
    send(writer, "关于留在原处的函")
    opened(page, "/incoming")
    page.keyboard.press("j")
    page.keyboard.press("j")
    gone = focused(page)
    colleague = house.enter(READER)
    colleague.get(gone)
    assert colleague.post(f"{gone}/sign_for").status == 303
    expect(page.locator(f"#rows a[href='{gone}']")).to_have_count(0)
    assert focused(page).startswith("/incoming/")
    assert focused(page) != gone


def test_who_types_into_a_filter_is_not_disturbed(page: Page, writer: Browser) -> None:
    """The list below changes while the words in the search field stay, and the field keeps the focus."""
    opened(page, "/incoming")
    page.locator(".filters input[name=q]").fill("防汛")
    send(writer, "关于查找时到达的函")
    expect(page.locator("#rows")).to_contain_text("关于查找时到达的函")
    expect(page.locator(".filters input[name=q]")).to_have_value("防汛")
    expect(page.locator(".filters input[name=q]")).to_be_focused()


def test_the_desktop_is_asked_only_by_a_button_and_the_choice_is_kept(context: BrowserContext, page: Page, writer: Browser) -> None:
    """Nobody is asked unbidden; turned on, a 特急 document announces itself on the desktop; turned off, it does not; a reload forgets nothing."""
    context.add_init_script(HEAR)
    context.grant_permissions(["notifications"])
    opened(page, "/")
    box = page.locator("#remind")
    expect(box.locator("[data-state]")).to_contain_text("可以弹出提醒")
    send(writer, "关于尚未开启时的特急函", urgency="flash", urgency_reason="汛情紧急")
    expect(page.locator(".toast")).to_contain_text("关于尚未开启时的特急函")
    assert page.evaluate("window.heard") == []
    box.get_by_role("button", name="开启提醒").click()
    expect(box.locator("[data-state]")).to_contain_text("已开启")
    opened(page, "/")
    expect(box.locator("[data-state]")).to_contain_text("已开启")
    send(writer, "关于开启以后的特急函", urgency="flash", urgency_reason="汛情紧急")
    expect(page.locator(".toast", has_text="关于开启以后的特急函")).to_be_visible()
    assert "关于开启以后的特急函" in page.evaluate("window.heard")
    expect(page.locator("#board")).to_contain_text("关于开启以后的特急函")
    expect(box.locator("[data-state]")).to_contain_text("已开启")  # the board was renewed around it
    box.get_by_role("button", name="关闭提醒").click()
    page.reload()
    expect(box.get_by_role("button", name="开启提醒")).to_be_visible()
