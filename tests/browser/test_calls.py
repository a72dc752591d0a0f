"""Two people of one node see and hear each other in their browsers, share a screen, and are back by themselves when the relay dies."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.screen import DESK, PHONE, Data, Person, examine
from tests.city import wait
from tests.world.net import COUNTY, FIRST, SECOND, World

LIMIT = 60_000
MOVES = """() => [...document.querySelectorAll('.tile:not(.mine):not(.screen) video')].some((one) => one.videoWidth > 0 && one.currentTime > 0.5)"""
BOTH = """() => [...document.querySelectorAll('.tile:not(.mine) video')].filter((one) => one.videoWidth > 0 && one.currentTime > 0.5).length === 2"""
HEARS = """() => /^[1-9][0-9]* kbit/.test(document.querySelector('.call-quality').textContent)"""


def sees(page: Page) -> None:
    """Somebody else's picture moves on this page."""
    page.wait_for_function(MOVES, timeout=LIMIT)
    page.wait_for_function(HEARS, timeout=LIMIT)


@pytest.mark.row("G2")
def test_two_people_see_each_other_and_a_screen(world: World, sit: Callable[..., Person]) -> None:
    """Whom a call is for finds it on the first page; both see each other's picture; a shared screen has a border and ends by one press."""
    chair, guest = sit("liumin", "zh"), sit("kongxiangrui", "en")
    page = chair.go("/calls/new?q=孔祥瑞")
    page.locator("#title").fill("防汛会商")
    page.get_by_label("孔祥瑞").check()
    page.get_by_role("button", name="发起会商").click()
    page.locator("[data-act=join]").click()
    expect(page.locator(".call-state")).to_have_text("等待其他人加入", timeout=LIMIT)
    page.wait_for_function("() => document.querySelector('.call-level').value > 0", timeout=LIMIT)
    other = guest.go("/")
    other.get_by_role("link", name="防汛会商").first.click()
    other.locator("[data-act=join]").click()
    sees(page)
    sees(other)
    expect(page.locator(".call-state")).to_have_text("2 人在场", timeout=LIMIT)
    other.locator(".call-acts [data-act=share]").click()
    expect(other.locator(".call-sharing")).to_be_visible(timeout=LIMIT)
    expect(page.locator(".tile.screen")).to_be_visible(timeout=LIMIT)
    for one in (page, other):
        for width, height in (DESK, PHONE):
            one.set_viewport_size({"width": width, "height": height})
            assert one.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), width
    data = Data(world)
    assert examine(page, "zh", data.foreign) + examine(other, "en", lambda text: "防汛" not in text and bool(data.foreign(text))) == []
    other.locator(".call-sharing [data-act=share]").click()
    expect(page.locator(".tile.screen")).to_have_count(0, timeout=LIMIT)
    for one in (page, other):
        one.evaluate("() => { window.former = document.querySelector('.tile:not(.mine) video').srcObject; }")
    _killed(world)
    for one in (page, other):
        one.wait_for_function(
            "() => ![window.former, undefined].includes(document.querySelector('.tile:not(.mine) video')?.srcObject)", timeout=LIMIT
        )
        sees(one)
    other.locator("[data-act=leave]").click()
    expect(page.locator(".call-state")).to_have_text("等待其他人加入", timeout=LIMIT)
    page.locator("summary", has_text="结束会商").click()
    page.get_by_role("button", name="确定：结束会商").click()
    expect(page.get_by_text("已结束").first).to_be_visible(timeout=LIMIT)
    assert chair.faults + guest.faults == []


@pytest.mark.row("G4")
@pytest.mark.row("G8")
def test_three_tiers_see_each_other_through_their_own_relays(world: World, sit: Callable[..., Person]) -> None:
    """People of two townships and of their county, found by three searches in one form, each by the relay of their node, see and hear two others."""
    chair, *others = sit("liumin", "zh"), sit(_login(world, SECOND), "en"), sit(_login(world, COUNTY), "zh")
    page = chair.go("/calls/new")
    page.locator("#title").fill("三级防汛会商")
    for one in others:
        page.locator(".finder input[type=search]").fill(one.user.name)
        page.locator(".finder .search button").click()
        page.get_by_label(one.user.name).first.check()
    page.get_by_role("button", name="发起会商").click()
    page.locator("[data-act=join]").click()
    for one in others:
        one.go("/")
        expect(one.page.get_by_role("link", name="三级防汛会商").first).to_be_visible(timeout=LIMIT)
        one.page.get_by_role("link", name="三级防汛会商").first.click()
        one.page.locator("[data-act=join]").click()
    for each in (page, *(one.page for one in others)):
        each.wait_for_function(BOTH, timeout=LIMIT)
        sees(each)
    page.locator("[data-act=record]").click()
    for one in others:
        expect(one.page.locator(".call-recording")).to_be_visible(timeout=LIMIT)
    _led(page, others)
    _written(page, others)
    page.locator("summary", has_text="结束会商").click()
    page.get_by_role("button", name="确定：结束会商").click()
    for one in others:
        expect(one.page.locator("#call")).to_have_count(0, timeout=LIMIT)
    for each in (page, *(one.page for one in others)):
        each.reload()
        kept = each.locator("#board")
        expect(kept).to_contain_text("先转移低洼处群众", timeout=LIMIT)
        expect(kept).to_contain_text("水位已到警戒线")
        expect(kept).to_contain_text("是否转移群众")
        expect(kept.locator(".whiteboard polyline")).to_have_count(1)
    _recorded(page)
    assert [fault for one in (chair, *others) for fault in one.faults] == []


def _led(page: Page, others: list[Person]) -> None:
    """The chair mutes all, says what all read, calls the roll and lets all vote; a raised hand is given the floor."""
    far, above = (one.page for one in others)
    page.locator("#banner").fill("防汛会商正在进行")
    page.locator("[data-act=banner]").click()
    page.locator("[data-act=quiet]").click()
    for each in (far, above):
        expect(each.locator(".call-banner")).to_have_text("防汛会商正在进行", timeout=LIMIT)
        expect(each.locator(".call-silent")).to_be_visible(timeout=LIMIT)
        expect(each.locator(".call-lead")).to_be_hidden()
    far.locator("[data-act=hand]").click()
    hand = page.locator(".call-people li", has_text="举手中")
    expect(hand).to_have_count(1, timeout=LIMIT)
    hand.locator("[data-act=floor]").click()
    expect(far.locator(".call-silent")).to_be_hidden(timeout=LIMIT)
    expect(above.locator(".call-silent")).to_be_visible()
    page.locator("[data-act=roll]").click()
    page.locator("#question").fill("是否转移群众")
    page.locator("[data-act=question]").click()
    for each in (far, above):
        each.locator("[data-act=here]").click(timeout=LIMIT)
        each.locator(".call-vote [data-act=yes]").click(timeout=LIMIT)
    expect(page.locator(".call-result")).to_contain_text("已答到 2 人", timeout=LIMIT)
    expect(page.locator(".call-result")).to_contain_text("赞成 2，反对 0，弃权 0", timeout=LIMIT)
    for one in others:
        assert one.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def _recorded(page: Page) -> None:
    """At the chair's node stand the films of all three, which play, and can be begun in the middle."""
    deadline = time.monotonic() + LIMIT / 1000
    while page.locator("#films video").count() < 3 and time.monotonic() < deadline:
        page.wait_for_timeout(500)
        page.reload()
    films = page.locator("#films video")
    expect(films).to_have_count(3)
    for at in range(3):
        found = films.nth(at).evaluate(PLAYED)
        assert found["width"] > 0 and found["length"] > 1 and found["at"] > 0


PLAYED = """(video) => new Promise((done, no) => {
  video.onerror = () => no(new Error(video.error?.message || "cannot be played"));
  video.onseeked = () => done({ width: video.videoWidth, length: video.duration, at: video.currentTime });
  video.onloadeddata = () => { video.currentTime = video.duration / 2; };
  video.preload = "auto";
  video.load();
})"""


def _written(page: Page, others: list[Person]) -> None:
    """A note, a caption and a stroke of one are seen by all, over three nodes."""
    far, above = (one.page for one in others)
    far.locator("#note").fill("先转移低洼处群众")
    far.locator("#note").press("Enter")
    above.locator("#caption").fill("水位已到警戒线")
    above.locator("#caption").press("Enter")
    page.locator("[data-act=board]").click()
    paper = page.locator(".call-board .whiteboard")
    paper.scroll_into_view_if_needed()
    area = paper.bounding_box()
    assert area is not None
    page.mouse.move(area["x"] + 20, area["y"] + 20)
    page.mouse.down()
    page.mouse.move(area["x"] + 120, area["y"] + 60, steps=6)
    page.mouse.up()
    for each in (page, far, above):
        expect(each.locator("[data-kept=notes]")).to_contain_text("先转移低洼处群众", timeout=LIMIT)
        expect(each.locator(".call-caption")).to_contain_text("水位已到警戒线", timeout=LIMIT)
        expect(each.locator(".call-board .whiteboard polyline")).to_have_count(1, timeout=LIMIT)


def _login(world: World, place: str) -> str:
    """Somebody of a node who is found by name alone."""
    names = [one.name for one in world.network.users]
    return next(one.login for one in world.network.users if one.node == place and names.count(one.name) == 1)


def _killed(world: World) -> None:
    """The relay of the township dies, and another comes by itself."""

    def pid() -> int | None:
        return next((one["pid"] for one in world.ask(FIRST, "status")["processes"] if one["role"] == "relay"), None)

    before = wait(pid)
    os.kill(int(str(before)), signal.SIGKILL)
    wait(lambda: pid() not in (None, before))
