"""Two people at two nodes talk in their browsers, each in their own language."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.screen import Data, Person, examine
from tests.world.net import World

LIMIT = 60_000


@pytest.mark.row("G1")
def test_two_people_talk_across_three_tiers(world: World, sit: Callable[..., Person]) -> None:
    """What one sends by Enter stands on the other's open page without reload, that it was read is told back, and both pages are for everybody."""
    low, high = sit("liumin", "zh"), sit("lixiaoyan", "en")
    page = low.go("/messages/new?q=李晓燕")
    page.get_by_role("button", name="打开会话").click()
    page.locator("#text").fill("请查收防汛值班表。")
    page.keyboard.press("Enter")
    expect(page.locator(".bubble.mine p")).to_have_text("请查收防汛值班表。", timeout=LIMIT)
    other = high.go("/messages")
    expect(other.locator("a.talk .talk-text")).to_have_text("请查收防汛值班表。", timeout=LIMIT)
    other.locator("a.talk").click()
    expect(page.get_by_text("1 人已读")).to_be_visible(timeout=LIMIT)
    other.locator("#text").fill("Received, thank you.")
    other.keyboard.press("Enter")
    expect(page.locator(".bubble p").last).to_have_text("Received, thank you.", timeout=LIMIT)
    said = "请查收防汛值班表。"
    data = Data(world)
    assert examine(page, "zh", data.foreign) + examine(other, "en", lambda text: text != said and bool(data.foreign(text))) == []
