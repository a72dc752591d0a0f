"""The main story by the command, a cut line, and what a county can read of what it carries."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.city import wait
from tests.world.net import CITY, COUNTY, FIRST, SECOND, World, acting

CANARY = "金丝雀" + uuid.uuid4().hex


@pytest.mark.row("B1")
def test_the_story_is_told_and_every_line_was_read_back(world: World) -> None:
    """``yiwang demo story`` ends well and shows what the nodes showed: kept, carried, delivered, signed for, answered, sent back, unknown since."""
    done = world.yiwang("demo", "story", "--dir", str(world.folder), timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    for line in (
        rf"{COUNTY} 到 {CITY} 的线路已切断",
        rf"{FIRST}：刘敏 拟稿送核，邓海燕 核稿，孔祥瑞 签发，郝强 编号用印核发：水政发〔20\d\d〕\d+号",
        rf"{FIRST} 显示：水政发〔20\d\d〕\d+号 送 滨州市政府——已保存在本节点，等待线路",
        rf"{FIRST} 显示：{COUNTY} 已转发（R0，[\d:]+），尚未送达",
        rf"{FIRST} 显示：已送达（R1，[\d:]+）",
        rf"{CITY} 收文：水政发〔20\d\d〕\d+号《关于近期强降雨防范应对情况的报告》",
        rf"{FIRST} 显示：李晓燕 已签收（R2，[\d:]+）",
        rf"{FIRST} 显示：李晓燕 已答复（R4，[\d:]+），“已阅。",
        rf"{FIRST} 收到附件 防汛物资自查表.csv，\d+ 字节，与原件一致",
        r"水湾镇政府 +刘敏 已签收（R2，[\d:]+）",
        r"佘家镇政府 +陶小红 已退文（R2x，[\d:]+）；[\d:]+ 以后失去联系，其后情况未知",
        r"独立验证程序：成立；1 件公文，2 份回执",
        r"改动一个字节以后：不成立（\w+",
    ):
        assert re.search(line, done.stdout), f"{line}\n{done.stdout}"


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """A text for a document."""
    file = tmp_path / "text.txt"
    file.write_text("现将今日雨情报告如下。", encoding="utf-8")
    return file


@pytest.mark.row("B3")
def test_a_township_works_while_the_line_above_its_county_is_cut(world: World, report: Path) -> None:
    """With the county's line down a township drafts, reviews, signs, numbers and dispatches; the county shows the backlog; healed, all drains."""
    clerk, organ = world.who(FIRST, "registry_clerk"), world.organ(CITY)
    with world.apart(COUNTY):
        doc = _issue(world, report, title="关于断线期间雨情的报告")
        row = wait(lambda: _row(world, FIRST, doc, organ)["carried"] and _row(world, FIRST, doc, organ))
        assert isinstance(row, dict)
        assert row["delivered"] is None

        def waiting() -> bool:
            up = next(one for one in world.ask(COUNTY, "status")["links"] if one["side"] == "parent")
            return bool(up["state"] != "up" and up["out_backlog"]["entries"] > 0)

        wait(waiting)
        assert world.ask(FIRST, "status")["state"] == "ready"
        got = world.ask(FIRST, "doc", "get", doc, *acting(clerk))
        assert re.fullmatch(r"水政发〔20\d\d〕\d+号", got["number"])
    wait(lambda: _row(world, FIRST, doc, organ)["delivered"])
    world.ask(COUNTY, "status", "--wait", "synced", timeout=30)
    backlog = [one["out_backlog"]["entries"] for one in world.ask(COUNTY, "status")["links"]]
    assert not any(backlog)


def test_a_cut_township_is_unknown_not_guessed(world: World, report: Path) -> None:
    """What is sent to a township that is cut off is shown as not carried, and arrives when the line is whole."""
    with world.apart(SECOND):
        doc = _send(world, CITY, [SECOND, FIRST], report, title="关于断线乡镇的通知")
        wait(lambda: _row(world, CITY, doc, world.organ(FIRST))["delivered"])
        row = _row(world, CITY, doc, world.organ(SECOND))
        assert (row["delivered"], row["signed"]) == (None, None)
    wait(lambda: _row(world, CITY, doc, world.organ(SECOND))["delivered"])


@pytest.mark.promise("P9")
def test_a_county_cannot_read_what_it_carries(world: World, tmp_path: Path) -> None:
    """Title, text and attachment of what a township sends to the city alone are in no file of the county's home; the city has them."""
    title, attached = f"关于{CANARY}的请示", tmp_path / f"{CANARY}.bin"
    attached.write_bytes(b"\x00\x01" + CANARY.encode() * 3)
    secret = tmp_path / "secret.txt"
    secret.write_text(f"请示如下。{CANARY}", encoding="utf-8")
    doc = _send(world, FIRST, [CITY], secret, title=title, attach=attached)
    wait(lambda: _row(world, FIRST, doc, world.organ(CITY))["delivered"])
    clerk = world.who(CITY, "registry_clerk")
    wait(lambda: world.ask(CITY, "doc", "get", doc, *acting(clerk))["attachments"][0]["state"] == "whole")
    got = world.ask(CITY, "doc", "get", doc, *acting(clerk), "--out", str(tmp_path / "out"))
    assert (got["title"], CANARY in got["text"]) == (title, True)
    assert Path(got["files"][1]).read_bytes() == attached.read_bytes()
    assert list(_holding(world.home(CITY))), "the search finds nothing even where it is"
    assert list(_holding(world.home(COUNTY))) == []


def _holding(home: Path) -> list[Path]:
    """Files that hold the canary, as text in the encodings that a program might use."""
    spelt = [CANARY.encode(), CANARY.encode("utf-16-le"), CANARY[3:].encode(), json.dumps(CANARY).encode()]
    files = [file for file in home.rglob("*") if file.is_file() and not file.is_symlink()]
    return [file for file in files if any(one in str(file).encode() or one in file.read_bytes() for one in spelt)]


def _send(world: World, node: str, to: list[str], text: Path, *, title: str, attach: Path | None = None) -> str:
    organs = ",".join(world.organ(one) for one in to)
    words = ["send", *acting(world.who(node, "signer")), "--to", organs, "--kind", "letter", "--title", title, "--body", str(text)]
    words += ["--attach", str(attach)] if attach else []
    return str(world.ask(node, *words)["doc"])


def _issue(world: World, text: Path, *, title: str) -> str:
    """The long way: draft, submit, review, sign, issue."""
    clerk, keeper = world.who(FIRST, "registry_clerk"), world.who(FIRST, "seal_keeper")
    about = (
        "--from",
        world.organ(FIRST),
        "--to",
        world.organ(CITY),
        "--cc",
        world.organ(COUNTY),
        "--kind",
        "report",
        "--title",
        title,
        "--body",
        str(text),
    )
    doc = str(world.ask(FIRST, "doc", "draft", *acting(clerk), *about)["doc"])
    for user, move in ((clerk, "submit"), (world.who(FIRST, "reviewer"), "review"), (world.who(FIRST, "signer"), "sign")):
        world.ask(FIRST, "doc", "act", doc, move, *acting(user))
    secret = text.with_name("secret")
    secret.write_text(keeper.password)
    secret.chmod(0o600)
    world.ask(FIRST, "doc", "act", doc, "issue", "--as", keeper.person, "--password-file", str(secret), "--prefix", "水政发")
    return doc


def _row(world: World, node: str, doc: str, organ: str) -> dict[str, Any]:
    rows = world.ask(node, "receipts", doc)["by_recipient"]
    return dict(next(one for one in rows if one["recipient"] == organ))
