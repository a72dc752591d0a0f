"""The portal as a program on the desktop: its manifest, and the page that a browser keeps for the time when the node cannot be reached."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.screen import Person

LIMIT = 60_000


def test_a_browser_keeps_a_page_for_when_the_node_is_away(sit: Callable[..., Person]) -> None:
    """Chromium finds nothing that keeps it from installing the portal; without a network it shows the page that was kept, and with one the portal."""
    one = sit("liumin")
    page = one.go("/")
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    session = one.context.new_cdp_session(page)
    about = session.send("Page.getAppManifest")
    assert about["errors"] == [] and "水湾镇" in about["data"]
    faults = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [each["errorId"] for each in faults if each["errorId"] != "in-incognito"] == []
    page.reload()
    one.context.set_offline(True)
    page.goto(one.url + "/documents")
    expect(page.locator("h1")).to_contain_text("打不开本节点", timeout=LIMIT)
    expect(page.get_by_role("link", name="重试")).to_be_visible()
    one.context.set_offline(False)
    page.get_by_role("link", name="重试").click()
    expect(page.locator("body.inside")).to_be_visible(timeout=LIMIT)
