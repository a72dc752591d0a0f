"""The main story by hand, in a browser, in Chinese and again in English."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.screen import Person
from tests.city import ROOT
from tests.world.net import CITY, COUNTY, FIRST, SECOND, World

Sit = Callable[..., Person]
TEXT = "入汛以来，我镇已排查低洼住户57户，储备编织袋4000条。\n现将有关情况报告如下，请审阅。"


@pytest.mark.parametrize("tongue", ["zh", "en"])
def test_a_report_goes_up_while_the_line_is_cut_and_its_answer_comes_back(world: World, sit: Sit, tmp_path: Path, tongue: str) -> None:
    """Composed, reviewed, signed and dispatched with the line down, seen to wait, then seen at the city without reloading, signed for, answered."""
    title = fresh({"zh": "关于防汛备汛情况的报告", "en": "关于汛期值班情况的报告"}[tongue])
    annex = tmp_path / "备汛清单.csv"
    annex.write_text("物资,数量\n编织袋,4000\n", encoding="utf-8")
    with world.apart(COUNTY):
        clerk = sit("liumin", tongue)
        doc = compose(clerk, title=title, to=[world.organ(CITY)], cc=[world.organ(COUNTY)], files=[annex])
        hand_over(sit, tongue, FIRST_HANDS, title)
        issue(sit("haoqiang", tongue), doc, "水政发")
        clerk.go(f"/documents/{doc}")
        row = clerk.row("滨州市政府").first
        expect(row).to_contain_text(COUNTY)
        expect(row).not_to_contain_text(clerk.say("已送达"))
        registry = sit("lixiaoyan", tongue)
        registry.go("/")
        expect(registry.page.get_by_role("link", name=title)).to_have_count(0)
    arrived = registry.page.get_by_role("link", name=title)
    expect(arrived.first).to_be_visible()  # nobody has reloaded the page
    expect(clerk.row("滨州市政府").first).to_contain_text(clerk.say("已送达"))
    arrived.first.click()
    registry.press("签收")
    expect(clerk.row("滨州市政府").first).to_contain_text("李晓燕")
    registry.press("登记")
    form = registry.unfold("反馈办理情况")
    form.locator("textarea").fill("已阅。请加强夜间巡查，遇有险情及时报告。")
    registry.press("反馈", form)
    registry.sees(registry.say("办理情况已反馈。"), "body")
    answered(clerk)


def answered(clerk: Person) -> None:
    """The township sees R0, R1, R2 and R4, each with its time, and the words of the answer."""
    cells = clerk.row("滨州市政府").first.locator("td")
    expect(cells.nth(4)).to_contain_text("李晓燕")
    for at in (0, 1, 2, 4):
        expect(cells.nth(at).locator("small")).to_have_text(re.compile(r"\d\d-\d\d \d\d:\d\d"))
    clerk.page.reload()
    clerk.sees("遇有险情及时报告")


@pytest.mark.parametrize("tongue", ["zh", "en"])
def test_a_directive_goes_down_and_is_signed_for_or_sent_back(world: World, sit: Sit, tongue: str) -> None:
    """To a standing list and two townships with a deadline; one signs for it, one sends it back with a reason, the city sees both at once."""
    title = fresh({"zh": "关于做好强降雨防范工作的通知", "en": "关于开展汛期安全检查的通知"}[tongue])
    clerk = sit("lixiaoyan", tongue)
    doc = compose(clerk, title=title, to=[world.organ(FIRST), world.organ(SECOND)], lists=["bz-list-counties"], kind="notice", urgency="urgent")
    hand_over(sit, tongue, CITY_HANDS, title)
    issue(sit("cuiguoqiang", tongue), doc, "滨政发")
    clerk.go(f"/documents/{doc}")
    for name in ("无棣县政府", "水湾镇政府", "佘家镇政府"):
        expect(clerk.row(name).first).to_contain_text(clerk.say("已送达"))
    first = incoming(sit("liumin", tongue), title)
    first.press("签收")
    first.sees(first.say("已签收。"), "body")
    second = incoming(sit("taoxiaohong", tongue), title)
    form = second.unfold("退文")
    form.locator("select").select_option("annex_missing")
    form.locator("textarea").fill("附件没有随文下发，请补发。")
    second.press("退文", form)
    second.sees(second.say("已退文。"), "body")
    expect(clerk.row("水湾镇政府").first.locator("td").nth(2)).to_contain_text("刘敏")
    back = clerk.row("佘家镇政府").first.locator("td").nth(5)
    expect(back).to_contain_text(clerk.say("缺附件"))
    expect(back).to_contain_text("陶小红")


def test_the_matrix_says_unknown_for_a_node_that_is_cut_off(world: World, sit: Sit) -> None:
    """What became of a document at a silent node is not guessed: the table says since when nothing is known, in both languages."""
    title = fresh("关于报送值班安排的通知")
    clerk = sit("lixiaoyan")
    doc = compose(clerk, title=title, to=[world.organ(SECOND), world.organ(FIRST)], kind="notice")
    hand_over(sit, "zh", CITY_HANDS, title)
    issue(sit("cuiguoqiang"), doc, "滨政发")
    clerk.go(f"/documents/{doc}")
    row = clerk.row("佘家镇政府").first
    expect(row).to_contain_text(clerk.say("已送达"))
    with world.apart(SECOND):
        until_silent(clerk.page)
        expect(clerk.row("佘家镇政府").first).to_contain_text(re.compile(r"自 \d\d-\d\d \d\d:\d\d 起失联，以后情况不明"))
        expect(clerk.row("水湾镇政府").first).not_to_contain_text("失联")
        clerk.go(f"/language/en?next=/documents/{doc}")
        clerk.tongue = "en"
        words = clerk.say("自 {time} 起失联，以后情况不明").partition("{time}")[0].strip()
        expect(clerk.row("佘家镇政府").first).to_contain_text(words)


def fresh(title: str) -> str:
    """A title that was not used before, where the city outlives the tests."""
    return f"{title}（{int(time.time())}）" if "YIWANG_WORLD" in os.environ else title


def until_silent(page: Page) -> None:
    """Look again until a node has been silent long enough to be called so."""
    for _look in range(60):
        if "失联" in page.locator("table.matrix").inner_text():
            return
        page.wait_for_timeout(1000)
        page.reload()
    raise AssertionError("the matrix never says that a node is silent")


FIRST_HANDS = (("denghaiyan", "核稿通过，送签发"), ("kongxiangrui", "签发"))
CITY_HANDS = (("sunlihua", "核稿通过，送签发"), ("zhoulixin", "签发"))


def compose(
    clerk: Person,
    *,
    title: str,
    to: list[str],
    cc: list[str] | None = None,
    lists: list[str] | None = None,
    files: list[Path] | None = None,
    kind: str = "report",
    urgency: str = "none",
) -> str:
    """Fill the sheet for a new document and submit it; its id."""
    page = clerk.go("/documents/new")
    clerk.field("文种").select_option(kind)
    clerk.field("紧急程度").select_option(urgency)
    clerk.field("标题").fill(title)
    clerk.field("正文").fill(TEXT)
    for name, ids in (("to", to), ("cc", cc or []), ("to_list", lists or [])):
        for one in ids:
            tick(page, name, one)
    if files:
        clerk.field("添加附件").set_input_files([str(file) for file in files])
    clerk.press("保存并送核")
    clerk.sees(clerk.say("已送核。"), "body")
    return page.url.rsplit("/", 1)[1]


def tick(page: Page, name: str, value: str) -> None:
    """Tick a box, unfolding what it lies in."""
    box = page.locator(f'input[name="{name}"][value="{value}"]')
    fold = page.locator("details").filter(has=box)
    if fold.count() and fold.first.get_attribute("open") is None:
        fold.first.locator("summary").first.click()
    box.check()


def hand_over(sit: Sit, tongue: str, hands: tuple[tuple[str, str], ...], title: str) -> None:
    """Reviewer and signer find the document on their desks and let it go on."""
    for login, move in hands:
        one = sit(login, tongue)
        one.go("/")
        one.page.get_by_role("link", name=title).first.click()
        one.act(move)
        one.sees(one.say({"签发": "已签发。"}.get(move, "已核稿，送签发。")), "body")


def issue(keeper: Person, doc: str, prefix: str) -> None:
    """The keeper of the seal numbers, seals and dispatches."""
    keeper.go(f"/documents/{doc}")
    keeper.page.locator("form[action$='/issue'] select").select_option(prefix)
    keeper.press("编号、用印并核发")
    keeper.sees(keeper.say("已核发。"), "body")


def incoming(clerk: Person, title: str) -> Person:
    """A document that has come in, opened from the desk."""
    clerk.go("/")
    clerk.page.get_by_role("link", name=title).first.click()
    return clerk


@pytest.mark.skipif("YIWANG_PICTURE" not in os.environ, reason="only when the picture of the README is made anew")
def test_the_picture_of_the_desk(world: World, sit: Sit) -> None:
    """The desk of a county's registry, as README shows it."""
    one = sit("yuxiuying")
    page = incoming(one, "关于防汛备汛情况的报告").page
    one.press("签收")
    one.sees("已签收。", "body")
    one.press("登记")
    one.sees("已登记。", "body")
    one.go("/")
    expect(page.locator("#todo .matters li").first).to_be_visible()
    page.screenshot(path=Path(ROOT, "docs/desk.png"))
