"""The main story, played on a running demonstration: what every line says was read back from a node just before.

A township's report while the lines are down; the lines return, one after the other; the city signs for it and answers; the city
sends a directive to all; one township signs for it, one sends it back; a node is cut off and the city says so instead of
guessing; one document leaves as an evidence file and is checked with nothing but the stand-alone verifier.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from node.errors import Refused, Unreachable
from ops import demo, supervise
from ops.caller import Shell, Shells
from ops.commands.chains import VERIFIER
from ops.demo import Network, Place, Progress, User
from ops.words import _

PATIENCE = 60.0
"Seconds to wait for something to arrive."
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Cast:
    """Who plays."""

    network: Network
    city: Place
    county: Place
    first: Place
    second: Place
    say: Callable[[str], None]
    shells: Shells

    def at(self, place: Place) -> Shell:
        """The command line of a place."""
        return self.shells.of(place.path)

    def organ(self, place: Place) -> str:
        """The government of a place."""
        return demo.government(place)

    def who(self, place: Place, role: str) -> User:
        """Somebody who plays a role for the government of a place."""
        return self.network.user(place, role, self.organ(place))


def tell(network: Network, progress: Progress) -> Row:
    """Play the story; the documents it was played with."""
    counties, townships = network.tier("county"), network.tier("township")
    if not counties or len(townships) < 2:
        raise Refused("the story needs a county and two townships", hint="yiwang demo up --counties 1 --townships 2")
    first, second = [one for one in townships if one.parent == townships[0].parent][:2]
    city, county = network.tier("city")[0], network.place(first.parent)
    with Shells() as shells, tempfile.TemporaryDirectory(dir=network.folder) as room:
        cast = Cast(network=network, city=city, county=county, first=first, second=second, say=progress.step, shells=shells)
        report = _report(cast, Path(room))
        _answer(cast, report)
        directive = _directive(cast, Path(room))
        _map(cast, directive)
        found = _evidence(cast, directive)
    return {"report": report, "directive": directive, "evidence": found}


def _report(cast: Cast, room: Path) -> str:
    """A township reports while nothing can leave the county."""
    cast.say(_("一、断网照常办文"))
    for place in (cast.county, cast.first):
        _line(cast, place, whole=False)
    text = _file(room, "report.txt", "7月18日以来，我镇平均降雨62毫米。已转移低洼处群众41户96人，巡查河道12公里，目前无人员伤亡。\n特此报告。")
    about = ["--kind", "report", "--to", cast.organ(cast.city), "--cc", cast.organ(cast.county), "--title", "关于近期强降雨防范应对情况的报告"]
    doc = _issue(cast, cast.first, [*about, "--body", str(text)], room)
    row = _receipt(cast, cast.first, doc, cast.organ(cast.city))
    cast.say(
        _("{node} 显示：{number} 送 {to}——{state}").format(
            node=cast.first.name, number=_number(cast, cast.first, doc), to=row["name"], state=_state(row)
        )
    )
    _line(cast, cast.first, whole=True)
    row = _until(cast, cast.first, doc, cast.organ(cast.city), lambda row: bool(row["carried"]))
    cast.say(_("{node} 显示：{state}").format(node=cast.first.name, state=_state(row)))
    _line(cast, cast.county, whole=True)
    row = _until(cast, cast.first, doc, cast.organ(cast.city), lambda row: bool(row["delivered"]))
    cast.say(_("{node} 显示：{state}").format(node=cast.first.name, state=_state(row)))
    return doc


def _answer(cast: Cast, doc: str) -> None:
    """The city signs for the report and answers it."""
    cast.say(_("二、市里签收、答复，镇里看得到"))
    clerk, organ = cast.who(cast.city, "registry_clerk"), cast.organ(cast.city)
    got = next(row for row in cast.at(cast.city).lines("inbox", *_as(clerk)) if row["doc"] == doc)
    cast.say(_("{node} 收文：{number}《{title}》").format(node=cast.city.name, number=got["number"], title=got["title"]))
    _act(cast, cast.city, doc, clerk, "sign")
    row = _until(cast, cast.first, doc, organ, lambda row: bool(row["signed"]))
    cast.say(_("{node} 显示：{state}").format(node=cast.first.name, state=_state(row)))
    _act(cast, cast.city, doc, clerk, "finish", "--note", "已阅。请继续做好隐患排查，每日17时前报送雨情。")
    row = _until(cast, cast.first, doc, organ, lambda row: bool(row["answered"]))
    found = cast.at(cast.first).ask("doc", "get", doc, *_as(cast.who(cast.first, "registry_clerk")))
    words = next(one["text"] for one in found["receipts"] if one["receipt"] == "R4" and one["recipient"] == organ)
    cast.say(_("{node} 显示：{state}，“{words}”").format(node=cast.first.name, state=_state(row), words=words))


def _directive(cast: Cast, room: Path) -> str:
    """The city tells everybody; one township signs for it, the other sends it back."""
    cast.say(_("三、市里下发通知，带附件"))
    text = _file(room, "notice.txt", "各县（市、区）人民政府，各镇人民政府、各街道办事处：\n请对照附件逐项自查防汛物资，于收文后3个工作日内反馈。")
    sheet = _file(room, "防汛物资自查表.csv", "物资,应有,实有\n编织袋,5000,\n抢险舟,4,\n")
    everyone = [one for one in cast.network.nodes if one.tier in ("county", "township")]
    about = ["--kind", "notice", "--to", ",".join(cast.organ(one) for one in everyone), "--title", "关于开展防汛物资自查的通知"]
    doc = _issue(cast, cast.city, [*about, "--body", str(text), "--attach", str(sheet), "--urgency", "urgent", "--deadline", "3wd"], room)
    for place in everyone:
        row = _until(cast, cast.city, doc, cast.organ(place), lambda row: bool(row["delivered"]))
        cast.say(_("{node} 显示：{name}——{state}").format(node=cast.city.name, name=row["name"], state=_state(row)))
    clerk = cast.who(cast.first, "registry_clerk")
    _await_file(cast, doc, clerk, sheet)
    _act(cast, cast.first, doc, clerk, "sign")
    _act(
        cast,
        cast.second,
        doc,
        cast.who(cast.second, "registry_clerk"),
        "refuse",
        "--reason",
        "annex_missing",
        "--note",
        "附件缺少本镇物资基数，请补齐后再发",
    )
    _until(cast, cast.city, doc, cast.organ(cast.first), lambda row: bool(row["signed"]))
    _until(cast, cast.city, doc, cast.organ(cast.second), lambda row: bool(row["refused"]))
    return doc


def _await_file(cast: Cast, doc: str, clerk: User, sheet: Path) -> None:
    """Wait until the attachment is whole at the township, and compare it byte for byte."""
    for _passed in supervise.ticks(PATIENCE, 0.2):
        found = cast.at(cast.first).ask("doc", "get", doc, *_as(clerk))["attachments"][0]
        if found["state"] == "whole":
            break
    with tempfile.TemporaryDirectory(dir=cast.network.folder) as room:
        files = cast.at(cast.first).ask("doc", "get", doc, *_as(clerk), "--out", str(Path(room) / "out"))["files"]
        same = Path(files[1]).read_bytes() == sheet.read_bytes()
    cast.say(
        _("{node} 收到附件 {name}，{size} 字节，与原件{same}").format(
            node=cast.first.name, name=found["name"], size=found["size"], same=_("一致") if same else _("不一致")
        )
    )


def _map(cast: Cast, doc: str) -> None:
    """The delivery matrix at the city, with a node cut off."""
    cast.say(_("四、送达情况一张表，不知道就说不知道"))
    _line(cast, cast.second, whole=False)
    _until(cast, cast.city, doc, cast.organ(cast.second), lambda row: bool(row["silent"]))
    for row in cast.at(cast.city).ask("receipts", doc)["by_recipient"]:
        cast.say(f"    {row['name']:<8} {_state(row)}{_silence(row)}")
    _line(cast, cast.second, whole=True)


def _evidence(cast: Cast, doc: str) -> str:
    """One document as a file that proves itself."""
    cast.say(_("五、一个文件，谁都能验"))
    file = cast.network.folder / f"evidence-{doc}.jsonl"
    made = cast.at(cast.city).ask("evidence", "export", "--doc", doc, "--out", str(file))
    cast.say(_("导出 {file}（{bytes} 字节，{entries} 条）").format(file=file, bytes=made["bytes"], entries=made["entries"]))
    root = cast.city.path / "certs/root.pem"
    found = _verify(file, root)
    if not found["ok"]:
        raise Unreachable(f"the verifier does not accept {file}: {found['problems']}", code="evidence")
    cast.say(_("独立验证程序：成立；{documents} 件公文，{receipts} 份回执").format(**found))
    changed = file.with_suffix(".changed")
    shutil.copyfile(file, changed)
    _spoil(changed)
    caught = _verify(changed, root)
    changed.unlink()
    if caught["ok"]:
        raise Unreachable("the verifier did not notice a changed byte", code="evidence")
    problem = caught["problems"][0]
    cast.say(_("改动一个字节以后：不成立（{kind}：{detail}）").format(kind=problem["kind"], detail=problem["detail"]))
    return str(file)


def _verify(file: Path, root: Path) -> Row:
    """What the stand-alone verifier says; it runs isolated, with nothing of the node's code."""
    given = [sys.executable, "-I", str(VERIFIER), str(file), "--root", str(root), "--json"]
    done = subprocess.run(given, capture_output=True, text=True, encoding="utf-8", check=False, cwd="/")
    if done.returncode not in (0, 1):
        raise Unreachable(f"the verifier ended with {done.returncode}: {done.stderr.strip()}", code="evidence")
    found: Row = json.loads(done.stdout)
    return found


def _spoil(file: Path) -> None:
    """Change one letter inside the longest base64 text."""
    data = bytearray(file.read_bytes())
    at = data.rindex(b'"body":"') + 40 if b'"body":"' in data else len(data) // 2
    data[at] = ord("A") if data[at] != ord("A") else ord("B")
    file.write_bytes(data)


def _issue(cast: Cast, place: Place, about: list[str], room: Path) -> str:
    """A document goes its way through an organ: drafted, submitted, reviewed, signed, numbered, sealed, dispatched."""
    shell, organ = cast.at(place), cast.organ(place)
    clerk, reviewer, signer, keeper = (cast.who(place, role) for role in ("registry_clerk", "reviewer", "signer", "seal_keeper"))
    doc: str = shell.ask("doc", "draft", *_as(clerk), "--from", organ, *about)["doc"]
    for user, move in ((clerk, "submit"), (reviewer, "review"), (signer, "sign")):
        shell.ask("doc", "act", doc, move, *_as(user))
    prefix = shell.ask("dir", "get", organ)["doc_prefixes"][0]
    secret = _file(room, f"{keeper.person}.password", keeper.password)
    done = shell.ask("doc", "act", doc, "issue", "--as", keeper.person, "--password-file", str(secret), "--prefix", prefix)
    people = {"clerk": clerk.name, "reviewer": reviewer.name, "signer": signer.name, "keeper": keeper.name}
    said = _("{node}：{clerk} 拟稿送核，{reviewer} 核稿，{signer} 签发，{keeper} 编号用印核发：{number}")
    cast.say(said.format(node=place.name, number=done["number"], **people))
    return doc


def _number(cast: Cast, place: Place, doc: str) -> str:
    return str(cast.at(place).ask("doc", "get", doc, *_as(cast.who(place, "registry_clerk")))["number"])


def _act(cast: Cast, place: Place, doc: str, user: User, action: str, *more: str) -> None:
    cast.at(place).ask("receipt", doc, *_as(user), "--action", action, "--id", str(uuid.uuid4()), *more)


def _as(user: User) -> tuple[str, ...]:
    return "--as", user.person, "--key", user.key


def _file(room: Path, name: str, text: str) -> Path:
    file = room / name
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    return file


def _line(cast: Cast, place: Place, *, whole: bool) -> None:
    """Cut or heal the line above a node, and wait until the node itself has noticed."""
    demo.cut(cast.network, place.name, whole=whole)
    above = cast.network.place(place.parent)
    cast.at(place).ask("status", "--wait", f"link={above.id}:{'up' if whole else 'down'}", timeout=PATIENCE)
    words = _("{name} 到 {above} 的线路已接通") if whole else _("{name} 到 {above} 的线路已切断")
    cast.say(words.format(name=place.name, above=above.name))


def _receipt(cast: Cast, place: Place, doc: str, organ: str) -> Row:
    """What a node shows of one recipient."""
    rows = cast.at(place).ask("receipts", doc)["by_recipient"]
    return next(row for row in rows if row["recipient"] == organ)


def _until(cast: Cast, place: Place, doc: str, organ: str, reached: Callable[[Row], bool]) -> Row:
    """Look at a node until it shows something of a recipient; :class:`Unreachable` when it does not in time."""
    until = time.monotonic() + PATIENCE
    while not reached(row := _receipt(cast, place, doc, organ)):
        time.sleep(0.2)
        if time.monotonic() > until:
            raise Unreachable(f"{place.name} still shows {row}", code="story")
    return row


def _state(row: Row) -> str:
    """A recipient's row in words: the last that is known."""
    if row["answered"]:
        return _("{by} 已答复（R4，{at}）").format(by=row["by"], at=_clock(row["at"]))
    if row["refused"]:
        return _("{by} 已退文（R2x，{at}）").format(by=row["by"], at=_clock(row["at"]))
    if row["signed"]:
        return _("{by} 已签收（R2，{at}）").format(by=row["by"], at=_clock(row["at"]))
    if row["delivered"]:
        return _("已送达（R1，{at}）").format(at=_clock(row["delivered_at"]))
    if row["carried"]:
        return _("{node} 已转发（R0，{at}），尚未送达").format(node=row["carried"][-1]["node"], at=_clock(row["carried"][-1]["at"]))
    return _("已保存在本节点，等待线路")


def _silence(row: Row) -> str:
    if not row["silent"]:
        return ""
    since = _clock(row["unknown_since"]) if row["unknown_since"] else _("一直")
    return _("；{since} 以后失去联系，其后情况未知").format(since=since)


def _clock(moment: str | None) -> str:
    return moment[11:19] if moment else "-"
