"""Every page in both languages on a desk's screen and on a telephone: readable by everybody, nothing sticking out, nothing left untranslated."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from office.documents.entries import incoming_id
from tests.browser.screen import DESK, PHONE, Album, Data, Person, examine, sideways
from tests.world.net import CITY, COUNTY, FIRST, World, acting

Sit = Callable[..., Person]


@pytest.fixture(scope="module")
def papers(world: World, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Documents to look at: one that came in at the township, one it drafted, one it issued, one the city issued."""
    text = tmp_path_factory.mktemp("papers") / "正文.txt"
    text.write_text("一、高度重视。\n各单位要切实提高认识。\n二、抓好落实。\n请于本周五前报送情况。", encoding="utf-8")
    sent = _send(
        world, CITY, [COUNTY, FIRST], text, "关于切实做好冬季森林防火工作的通知", "--attach", str(text), "--urgency", "flash", "--deadline", "3wd"
    )
    issued = _send(world, FIRST, [COUNTY], text, "关于商请支援抽水设备的函")
    about = ("--from", world.organ(FIRST), "--to", world.organ(COUNTY), "--kind", "report", "--title", "关于冬季防火情况的报告", "--body", str(text))
    draft = str(world.ask(FIRST, "doc", "draft", *acting(world.who(FIRST, "registry_clerk")), *about)["doc"])
    world.settle()
    return {"draft": draft, "issued": issued, "sent": sent, "incoming": incoming_id(sent, world.organ(FIRST))}


def _send(world: World, node: str, to: list[str], text: Path, title: str, *more: str) -> str:
    organs = ",".join(world.organ(name) for name in to)
    about = ("--to", organs, "--kind", "notice" if node == CITY else "letter", "--title", title, "--body", str(text))
    return str(world.ask(node, "send", *acting(world.who(node, "signer")), *about, *more)["doc"])


STRANGER = ("/signin", "/forgotten", "/trust")
CLERK = (
    "/", "/me", "/me/password", "/help", "/documents", "/documents?tab=issued", "/documents/new", "/documents/{draft}", "/documents/{draft}/edit",
    "/documents/{draft}/edit?preview=1", "/documents/{issued}", "/documents/{issued}/correct", "/documents/{issued}/print", "/incoming",
    "/incoming?tab=done", "/incoming/{incoming}", "/people", "/people/liumin.sw", "/people/organ/sw-zf", "/people/organ/sw-dzb",
    "/nothing-of-this-name", "/flows", "/flows/documents.outgoing", "/flows/documents.incoming", "/messages", "/messages/new?q=李晓燕",
    "/messages/search?q=水位", "/incoming/packages", "/documents/verify", "/joint",
)  # fmt: skip
KEEPER = (
    "/", "/people/accounts", "/people/new", "/people/import", "/people/liumin.sw", "/people/liumin.sw/edit", "/people/organ/sw-dzb",
    "/people/organ/new", "/people/organ/sw-dzb/edit", "/people/organ/sw-dzb/posts/new", "/people/corrections",
    "/people/delegations",
)  # fmt: skip
CITY_CLERK = ("/", "/documents?tab=issued", "/documents/{sent}", "/incoming", "/incoming?tab=hand")
WHO: dict[str, tuple[str, tuple[str, ...]]] = {
    "stranger": ("", STRANGER),
    "clerk": ("liumin", CLERK),
    "keeper": ("jinxin", KEEPER),
    "city": ("lixiaoyan", CITY_CLERK),
}


@pytest.mark.parametrize("tongue", ["zh", "en"])
@pytest.mark.parametrize("who", WHO)
def test_every_page(world: World, sit: Sit, album: Album, papers: dict[str, str], who: str, tongue: str) -> None:
    """No serious fault for people who use other means than eyes and mouse, nothing wider than a telephone, English pages in English."""
    login, paths = WHO[who]
    one = sit(login or "liumin", tongue, enter=bool(login))
    data = Data(world)
    faults = []
    for path in paths:
        page = one.go(path.format(**papers))
        name = f"{who}{re.sub(r'[^a-z0-9]+', '-', path.replace('.sw', '')).rstrip('-') or '-home'}"
        faults += [f"{path}: {said}" for said in examine(page, tongue, data.foreign)]
        album.take(page, f"{tongue}-{name}-desk")
        page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        faults += [f"{path} on a telephone: {said}" for said in sideways(page)]
        album.take(page, f"{tongue}-{name}-phone")
        page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
    assert faults == [], "\n".join(faults)
