"""The door and the keyboard: first sign-in, a lost password, and a document filed without a mouse."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from playwright.sync_api import Browser, Page, expect

from tests.browser.screen import Person
from tests.browser.test_story import compose, fresh
from tests.world.net import COUNTY, World

Sit = Callable[..., Person]


def test_a_lost_password_is_replaced_and_must_be_changed_at_once(world: World, chromium: Browser, sit: Sit) -> None:
    """The page says whom to ask; the administrator gives a password that is shown once; with it only the page to change it opens."""
    lost = sit("wangyang", enter=False)
    lost.go("/signin")
    lost.page.get_by_role("link", name="忘记口令").click()
    lost.sees("严亮", "body")
    keeper = sit("yanliang")
    keeper.go(f"/people/{lost.user.person}")
    keeper.act(_reset(keeper))
    keeper.sees("请当面告知本人")
    given = keeper.page.locator("main").inner_text().split("初始口令")[-1].split()[0]
    keeper.go(f"/people/{lost.user.person}")
    assert given not in keeper.page.content()
    lost.enter(given)
    assert lost.page.url.endswith("/me/password")
    lost.go("/documents")
    assert lost.page.url.endswith("/me/password")
    _change(lost, given, "short", "short")
    lost.sees("10", "body")
    own = "柳絮飞过黄河口 " + secrets.token_hex(3)
    _change(lost, given, own, own)
    lost.sees("汪洋，您好", "body")
    again = Person(world, chromium, lost.user)
    again.enter(own)
    again.sees("汪洋，您好", "body")
    again.close()
    lost.user.password = own


def _reset(keeper: Person) -> str:
    """The words on the button that gives a new password."""
    found = keeper.page.locator("details.act summary").filter(has_text="口令").first
    return found.inner_text().strip()


def _change(one: Person, old: str, new: str, again: str) -> None:
    for label, value in (("一次性口令", old), ("新口令", new), ("再输一次新口令", again)):
        one.field(label).fill(value)
    one.press("修改口令")


def test_wrong_passwords_lock_the_door_and_say_so(sit: Sit) -> None:
    """After five wrong passwords the page says that the account is locked and for how long, in the reader's language."""
    one = sit("geli", "en", enter=False)
    for _try in range(6):
        one.go("/signin")
        one.field("用户名").fill("geli")
        one.field("口令").fill("not the password")
        one.press("登录")
    one.sees("locked", "body")


def test_a_document_is_filed_and_signed_without_a_mouse(world: World, sit: Sit) -> None:
    """A letter is composed, reviewed, signed and dispatched with the keyboard alone, focus always to be seen."""
    title = fresh("关于协助核查灾情的函")
    clerk = sit("liumin")
    page = clerk.go("/documents")
    page.keyboard.press("n")
    page.wait_for_url("**/documents/new")
    walk(page, 'select[name="kind"]')
    page.keyboard.type("函")
    for name, text in (("title", title), ("body", "请协助核查我镇上报的灾情。")):
        walk(page, f'[name="{name}"]')
        page.keyboard.insert_text(text)
    walk(page, f'input[name="to"][value="{world.organ(COUNTY)}"]')
    page.keyboard.press("Space")
    walk(page, 'button[value="submit"]')
    page.keyboard.press("Enter")
    clerk.sees("已送核。", "body")
    for login, move in (("denghaiyan", "review"), ("kongxiangrui", "sign")):
        _decide(sit(login), title, move)
    keeper = sit("haoqiang")
    _open(keeper, title)
    walk(keeper.page, "form[action$='/issue'] select")
    keeper.page.keyboard.press("ArrowDown")
    walk(keeper.page, "form[action$='/issue'] button")
    keeper.page.keyboard.press("Enter")
    keeper.sees("已核发。", "body")


def _open(one: Person, title: str) -> None:
    """From the desk to a document by its link, with Tab and Enter."""
    one.page.keyboard.press("g")
    one.page.keyboard.press("d")
    link = one.page.get_by_role("link", name=title).first
    expect(link).to_be_visible()
    walk(one.page, f'#board a[href="{link.get_attribute("href")}"]')
    one.page.keyboard.press("Enter")
    one.page.wait_for_url("**/documents/*")


def _decide(one: Person, title: str, move: str) -> None:
    _open(one, title)
    walk(one.page, f"details.act:has(form[action$='/{move}']) > summary")
    one.page.keyboard.press("Enter")
    walk(one.page, f"form[action$='/{move}'] button")
    one.page.keyboard.press("Enter")
    one.sees("已核稿，送签发。" if move == "review" else "已签发。", "body")


def walk(page: Page, target: str) -> None:
    """Press Tab until an element has the focus, and see that it shows."""
    goal = page.locator(target).first
    for _step in range(150):
        page.keyboard.press("Tab")
        if goal.evaluate("one => one === document.activeElement"):
            outline = goal.evaluate("one => { const s = getComputedStyle(one); return s.outlineStyle !== 'none' || s.boxShadow !== 'none'; }")
            assert outline, f"{target} has the focus and does not show it"
            return
    raise AssertionError(f"Tab never comes to {target}")


def test_what_was_refused_is_not_typed_twice(world: World, sit: Sit) -> None:
    """A reason that is too long is refused; back on the page it stands in its form, with the refusal above it, once."""
    title = fresh("关于退回原因的报告")
    doc = compose(sit("liumin"), title=title, to=[world.organ(COUNTY)])
    one = sit("denghaiyan")
    one.go(f"/documents/{doc}")
    form = one.unfold("退回")
    area, words = form.locator("textarea"), "请补充依据。" * 500
    area.evaluate("(field) => field.removeAttribute('maxlength')")
    area.fill(words)
    form.get_by_role("button").click()
    expect(one.page.locator(".mishap")).to_be_visible()
    one.page.get_by_role("link", name="返回上一页").click()
    note = one.page.get_by_role("alert").filter(has_text="您填写的内容还在这里")
    expect(note).to_be_visible()
    kept = one.page.locator("details.act[open] textarea")
    expect(kept).to_have_value(words)
    kept.fill("请补充依据。")
    one.page.locator("details.act[open] form").get_by_role("button").click()
    expect(one.page.locator(".mishap")).to_have_count(0)
    one.go(f"/documents/{doc}")
    assert one.page.evaluate("sessionStorage.getItem('sent')") is None
    expect(one.page.locator(".note.bad[role=alert]", has_text="还在这里")).to_have_count(0)
    one.sees("退回")
