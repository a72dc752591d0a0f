"""Two people at two nodes talk in their browsers, each in their own language."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.screen import DESK, PHONE, Data, Person, examine
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
    other.locator("#text").press_sequentially("Rec", delay=300)
    expect(page.locator("#presence")).to_have_text("李晓燕正在输入……", timeout=LIMIT)
    expect(page.locator("#presence")).to_have_text("在线：李晓燕", timeout=LIMIT)
    other.locator("#text").fill("Received, thank you.")
    other.keyboard.press("Enter")
    expect(page.locator(".bubble p").last).to_have_text("Received, thank you.", timeout=LIMIT)
    said = "请查收防汛值班表。"
    data = Data(world)
    assert examine(page, "zh", data.foreign) + examine(other, "en", lambda text: text != said and bool(data.foreign(text))) == []


@pytest.mark.row("G1")
def test_pictures_files_and_voices_cross_three_tiers(world: World, sit: Callable[..., Person]) -> None:
    """A picture stands in the other's page, a file of megabytes that went ahead in pieces is whole there, a voice recorded here is heard there."""
    low, high = sit("liumin", "zh"), sit("lixiaoyan", "en")
    page = low.go("/messages/new?q=李晓燕")
    page.get_by_role("button", name="打开会话").click()
    large = os.urandom(3 << 20)
    page.locator("#files").set_input_files(
        [
            {"name": "坝.png", "mimeType": "image/png", "buffer": png(300, 200)},
            {"name": "水位.bin", "mimeType": "application/octet-stream", "buffer": large},
        ]
    )
    page.locator("#text").fill("现场情况。")
    page.keyboard.press("Enter")
    expect(page.locator(".bubble.mine .picture img")).to_be_visible(timeout=LIMIT)
    page.locator("[data-record]").click()
    expect(page.locator("[data-record].recording")).to_contain_text('2"', timeout=LIMIT)
    page.locator("[data-record]").click()
    expect(page.locator(".bubble.mine audio")).to_be_visible(timeout=LIMIT)
    other = high.go("/messages")
    other.locator("a.talk").filter(has_text="刘敏").click()
    picture = other.locator(".bubble .picture img")
    expect(picture).to_be_visible(timeout=LIMIT)
    other.wait_for_function("document.querySelector('.bubble .picture img').naturalWidth === 300", timeout=LIMIT)
    expect(other.locator(".bubble audio")).to_be_visible(timeout=LIMIT)
    assert other.evaluate("async () => { const a = document.querySelector('.bubble audio'); await a.play(); return a.error === null; }")
    with other.expect_download() as given:
        other.locator(".bubble .files a").click()
    assert Path(given.value.path()).read_bytes() == large
    shoot(page, "talk-zh")
    shoot(other, "talk-en")
    assert low.faults + high.faults == []


@pytest.mark.row("G1")
def test_a_group_is_made_along_the_tree_and_a_message_is_found(world: World, sit: Callable[..., Person]) -> None:
    """Who is ticked stays ticked while one goes from organ to organ; the group has them all, and its messages are found by a word."""
    page = sit("liumin", "zh").go("/messages/new")
    mine = page.locator("#group input[name=people]").first
    mine.check()
    page.get_by_role("button", name="全部单位").click()
    page.locator(".below .step").first.click()
    expect(page.locator("#group input[name=people]:checked")).to_have_count(1)
    shoot(page, "tree")
    page.locator("input[name=q][form=group]").fill("李晓燕")
    page.locator("input[name=q][form=group]").press("Enter")
    page.locator("#group input[name=people]:not(:checked)").first.check()
    shoot(page, "new")
    page.locator("#name").fill("防汛专班")
    page.get_by_role("button", name="建群组").click()
    page.locator(".saying summary").click()
    page.locator("#urgent").fill("险情")
    page.locator("#text").fill("坝上水位二十米")
    page.keyboard.press("Enter")
    expect(page.locator(".bubble.mine p")).to_have_text("坝上水位二十米", timeout=LIMIT)
    shoot(page, "group")
    page.goto(page.url.rsplit("/", 1)[0] + "/search?q=水位")
    shoot(page, "found")
    page.locator("a.talk").filter(has_text="防汛专班").click()
    expect(page.locator(".bubble.mine p")).to_have_text("坝上水位二十米", timeout=LIMIT)
    page.get_by_role("link", name="更改群组").click()
    page.get_by_role("button", name="全部单位").click()
    expect(page.locator("#group input[name=people]:checked")).to_have_count(2)
    expect(page.locator("#name")).to_have_value("防汛专班")
    shoot(page, "edit")
    page.get_by_role("button", name="保存").click()
    expect(page.locator("header.head .sub")).to_have_text("3 人")
    page.goto(page.url.rsplit("/", 1)[0])
    page.locator("#quiet summary").click()
    page.locator("#begins").fill("00:00")
    page.locator("#ends").fill("23:59")
    page.locator("#quiet button").click()
    page.locator("#quiet summary").click()
    expect(page.locator("#begins")).to_have_value("00:00")
    shoot(page, "quiet")


def shoot(page: Page, name: str) -> None:
    """A picture in both sizes, where somebody wants to look; nothing is wider than its window."""
    for width, height in (PHONE, DESK):
        page.set_viewport_size({"width": width, "height": height})
        if shots := os.environ.get("TALK_SHOTS"):
            page.screenshot(path=f"{shots}/{name}-{width}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, width)


def png(width: int, height: int) -> bytes:
    """A picture in one colour."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = (b"\0" + b"\x2f\x6f\xa7" * width) * height
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
