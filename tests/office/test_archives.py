"""Archives: proposals, codes, the four properties, loans, destruction and hand-over, on nodes with real ledgers."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.blobs import Blobs
from node.client import Ledger
from node.errors import Conflict, Invalid, Missing, NodeError, Refused
from office.archives import service
from office.archives.entries import item_id
from office.archives.model import Item, Original, Roll, Step
from office.archives.service import Choice, disposal
from office.archives.workflow import Guess, Matter, State, guess
from office.documents import service as documents
from office.documents.model import Incoming
from office.frame.desk import Desk
from office.frame.office import Office
from tests import city as cities
from tests.office import test_documents
from tests.office.test_documents import World, paper, verified


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A city and a county; both organs have a fonds number."""
    with test_documents.started(tmp_path_factory.mktemp("archives"), "sqlite") as found:
        service.register_fonds(found.desk("li"), "gov", fonds="Z109", section="BGS")
        service.register_fonds(found.desk("zhou"), "cgov", fonds="Z7", section="BGS")
        yield found


def sent(world: World, on: dt.date | None = None, **more: object) -> Item:
    """The item of a document that the city's government issued."""
    doc = documents.draft(world.desk("qian"), paper(**more))
    documents.submit(world.desk("qian"), doc)
    documents.review(world.desk("wang"), doc, opinion="拟同意。")
    documents.sign(world.desk("zhao"), doc, opinion="同意。", on=on)
    documents.number(world.desk("li"), doc, prefix="gov政发")
    documents.seal(world.desk("sun"), doc)
    documents.dispatch(world.desk("li"), doc)
    return world.desk("li").get(Item, item_id(doc, "gov"))


def filed(world: World, retention: str = "D10", on: dt.date | None = None, **more: object) -> Item:
    """The same, arranged."""
    item = sent(world, on, **more)
    service.arrange(world.desk("li"), [Choice(item=item.id, retention=retention)])
    return world.desk("li").get(Item, item.id)


def attached(world: World, name: str, data: bytes) -> tuple[object, ...]:
    """A file for a draft."""
    return (documents.attach(world.desk("qian"), name, "application/pdf", io.BytesIO(data)),)


def codes(found: tuple[object, ...]) -> set[str]:
    """What a test found, in short."""
    return {f"{one.property}.{one.code}" for one in found}  # type: ignore[attr-defined]


@pytest.mark.row("F1")
@pytest.mark.parametrize(
    ("matter", "expected"),
    [
        (Matter(incoming=False, kind="decision", title="关于表彰先进的决定"), Guess("Y", "own_decision")),
        (Matter(incoming=False, kind="minutes", title="市政府常务会议纪要"), Guess("Y", "own_minutes")),
        (Matter(incoming=False, kind="notice", title="关于张三同志任免的通知"), Guess("Y", "lasting")),
        (Matter(incoming=False, kind="request", title="关于增拨经费的请示"), Guess("D30", "own_business")),
        (Matter(incoming=False, kind="notice", title="关于放假的通知"), Guess("D10", "own_routine")),
        (Matter(incoming=True, kind="reply", title="关于经费的批复"), Guess("D30", "their_reply")),
        (Matter(incoming=True, kind="notice", title="关于防汛的通知", handled=True), Guess("D30", "handled")),
        (Matter(incoming=True, kind="notice", title="关于学习的通知"), Guess("D10", "for_information")),
        (Matter(incoming=False, kind="decision", title="已撤回", ended=True), Guess("", "ended")),
    ],
)
def test_retention_is_guessed_with_its_reason(matter: Matter, expected: Guess) -> None:
    """Kind and role decide the proposal, and its reason is told."""
    assert guess(matter) == expected


@pytest.mark.row("F1")
def test_what_is_issued_and_what_is_closed_is_proposed(world: World) -> None:
    """An issued document is proposed at once, one that came in when it is closed, each with retention and reason; every step refolds."""
    item = sent(world, title="关于表彰先进的决定", kind="decision")
    assert (item.state, item.guess, item.why, item.incoming) == (State.PROPOSED, "Y", "own_decision", False)
    world.carry()
    (row,) = world.desk("zhou").list(Incoming, Incoming.doc == item.doc)
    assert not world.desk("zhou").list(Item, Item.doc == item.doc)
    documents.sign_for(world.desk("zhou"), row.id)
    documents.register(world.desk("zhou"), row.id)
    documents.assign(world.desk("wu"), row.id, lead="zheng", opinion="请办。")
    documents.answer(world.desk("zheng"), row.id, text="已办。")
    verified(world, lambda: documents.close(world.desk("zhou"), row.id))
    (theirs,) = world.desk("zhou").list(Item, Item.doc == item.doc)
    assert (theirs.guess, theirs.why, theirs.incoming) == ("D30", "handled", True)
    assert {step.kind for step in world.desk("zhou").list(Step, Step.record == row.id)} >= {"documents.signed_for", "documents.answered"}


@pytest.mark.row("F1")
def test_what_was_taken_back_is_proposed_no_more(world: World) -> None:
    """A recalled document is proposed to be left out; the archivist may still file it."""
    item = sent(world)
    verified(world, lambda: documents.recall(world.desk("li"), item.doc, reason="有误。"))
    found = world.desk("li").get(Item, item.id)
    assert (found.state, found.guess, found.why) == (State.PROPOSED, "", "ended")


@pytest.mark.row("F1")
def test_codes_have_no_gap_and_stay(world: World) -> None:
    """Items are numbered from 0001 in each smallest class in the order of their dates, all or nothing, and no number is given twice."""
    days = [dt.date(2020, 3, 3), dt.date(2020, 1, 1), dt.date(2020, 2, 2)]
    items = [sent(world, on=day) for day in days]
    given = verified(world, lambda: service.arrange(world.desk("li"), [Choice(item=item.id, retention="D30") for item in items]))
    assert given == [f"Z109-WS·2020-D30-BGS-000{n}" for n in (1, 2, 3)]
    held = {item.id: world.desk("li").get(Item, item.id).code for item in items}
    assert [held[item.id][-4:] for item in items] == ["0003", "0001", "0002"]
    other = sent(world, on=dt.date(2020, 5, 5))
    with pytest.raises(Conflict):
        service.arrange(world.desk("li"), [Choice(item=other.id, retention="D30"), Choice(item=items[0].id, retention="D30")])
    assert world.desk("li").get(Item, other.id).state == State.PROPOSED
    assert service.arrange(world.desk("li"), [Choice(item=other.id, retention="D30")]) == ["Z109-WS·2020-D30-BGS-0004"]
    assert service.arrange(world.desk("li"), [Choice(item=sent(world, on=days[0]).id, retention="Y", section="RSK")]) == ["Z109-WS·2020-Y-RSK-0001"]


@pytest.mark.row("F1")
def test_who_may_file_and_what_is_refused(world: World) -> None:
    """Only archivists and clerks of the organ file; wrong choices, a missing fonds number and strangers are refused."""
    item = sent(world)
    for person in ("wang", "fin-gov", "zhou"):
        with pytest.raises((Missing, Refused)):
            service.arrange(world.desk(person), [Choice(item=item.id, retention="D10")])
    for choice in (Choice(item=item.id, retention="D99"), Choice(item=item.id, retention="D10", section="b"), Choice(item=item.id, retention="")):
        with pytest.raises(Invalid):
            service.arrange(world.desk("li"), [choice])
    with pytest.raises(Invalid):
        service.register_fonds(world.desk("li"), "gov", fonds="全宗", section="BGS")
    verified(world, lambda: service.leave_out(world.desk("li"), item.id, reason="重份。"))
    assert world.desk("li").get(Item, item.id).state == State.LEFT_OUT


@pytest.mark.row("F3")
def test_an_unharmed_item_passes_and_seeded_damage_is_found(world: World) -> None:
    """Each property has damage of its own: a changed table, a changed, missing and foreign file, a program, a file open to all; each is named."""
    good = filed(world, text="一、正文", annexes=attached(world, "资料.pdf", b"%PDF-1.7 " + os.urandom(3000)))
    assert verified(world, lambda: service.test(world.desk("li"), good.id)) == ()
    after = world.desk("li").get(Item, good.id)
    assert after.tested_at and not after.faults
    blobs = Blobs(world.offices["city"].settings)
    (annex,) = world.desk("li").get(Original, good.doc).envelope.paper.annexes
    file = blobs.path(annex.sha)
    whole = file.read_bytes()
    file.chmod(0o666)
    assert codes(service.test(world.desk("li"), good.id)) == {"safe.open_to_others"}
    file.chmod(0o600)
    file.write_bytes(whole[:500] + bytes([whole[500] ^ 1]) + whole[501:])
    assert codes(service.test(world.desk("li"), good.id)) == {"authentic.file_changed"}
    file.unlink()
    assert codes(service.test(world.desk("li"), good.id)) == {"complete.file_missing"}
    file.write_bytes(whole)
    file.chmod(0o600)
    bad = filed(world, annexes=attached(world, "安装.exe", b"MZ" + os.urandom(100)))
    assert codes(service.test(world.desk("li"), bad.id)) == {"safe.harmful", "usable.form"}
    virus = filed(world, annexes=attached(world, "说明.txt", rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR"))
    assert codes(service.test(world.desk("li"), virus.id)) == {"safe.harmful"}
    assert world.desk("li").get(Item, virus.id).faults == 1


@pytest.mark.row("F3")
def test_a_text_that_was_changed_in_the_tables_is_found(world: World) -> None:
    """Somebody who edits the tables on disk is found out: the journal, the seal and the digest in the code's entry say otherwise."""
    from node.fold import Place
    from office.archives.model import ROOM

    item = filed(world, text="原来的正文")
    settings = world.offices["city"].settings
    place = Place(settings)
    engine = place.engine(ROOM, place.current(ROOM))
    with engine.begin() as connection:
        held = connection.exec_driver_sql("SELECT envelope_bytes FROM originals WHERE doc = ?", (item.doc,)).scalar_one()
        changed = held.replace("原来的正文".encode(), "改过的正文".encode())
        connection.exec_driver_sql("UPDATE originals SET envelope_bytes = ? WHERE doc = ?", (changed, item.doc))
    assert codes(service.test(world.desk("li"), item.id)) == {"authentic.text_changed", "authentic.table_changed"}
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE originals SET envelope_bytes = ? WHERE doc = ?", (held, item.doc))
        connection.exec_driver_sql("UPDATE steps SET record = 'x' || record WHERE record = ?", (item.source,))
    assert codes(service.test(world.desk("li"), item.id)) == {"complete.sheet_missing"}
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE steps SET record = substr(record, 2) WHERE record = ?", ("x" + item.source,))
    assert service.test(world.desk("li"), item.id) == ()
    engine.dispose()


@pytest.mark.row("F2")
def test_a_borrower_reads_for_as_long_as_the_loan_runs(world: World) -> None:
    """Who borrows sees the item until it is given back, and nobody else of that organ does."""
    item = filed(world)
    with pytest.raises(Missing):
        world.desk("fin-gov").get(Item, item.id)
    until = dt.datetime.now(dt.UTC) + dt.timedelta(days=3)
    verified(world, lambda: service.lend(world.desk("li"), item.id, person="fin-gov", purpose="查阅拨款依据", until=until))
    assert world.desk("fin-gov").get(Item, item.id).code == item.code
    assert world.desk("fin-gov").get(Original, item.doc).envelope.paper.title == item.title
    with pytest.raises(Conflict):
        service.lend(world.desk("li"), item.id, person="qian", purpose="同上", until=until)
    with pytest.raises(Invalid):
        service.lend(world.desk("li"), filed(world).id, person="qian", purpose="过去", until=until - dt.timedelta(days=9))
    verified(world, lambda: service.give_back(world.desk("li"), item.id))
    with pytest.raises(Missing):
        world.desk("fin-gov").get(Item, item.id)


@pytest.mark.row("F2")
def test_nothing_is_destroyed_but_by_an_approved_and_supervised_list(world: World) -> None:
    """Appraisal waits for the end of the retention, a hold stops it, the head approves what another proposed, two others supervise, then it goes."""
    young, old, other = filed(world), filed(world, on=dt.date(2008, 5, 1)), filed(world, on=dt.date(2008, 6, 1))
    with pytest.raises(Refused):
        service.appraise(world.desk("li"), young.id, retention="", reason="到期")
    assert {item.id for item in service.expired(world.desk("li"))} >= {old.id, other.id}
    service.hold(world.desk("li"), old.id, on=True, reason="诉讼中")
    with pytest.raises(Refused):
        service.appraise(world.desk("li"), old.id, retention="", reason="到期")
    service.hold(world.desk("li"), old.id, on=False, reason="结案")
    verified(world, lambda: service.appraise(world.desk("li"), old.id, retention="", reason="到期，无保存价值"))
    verified(world, lambda: service.appraise(world.desk("li"), other.id, retention="Y", reason="仍需查考"))
    assert world.desk("li").get(Item, other.id).kept_for == "Y" and world.desk("li").get(Item, other.id).code == other.code
    for items in ([young.id], [other.id], [old.id, young.id]):
        with pytest.raises(Refused):
            disposal.propose(world.desk("li"), items, reason="到期")
    roll = str(verified(world, lambda: disposal.propose(world.desk("li"), [old.id], reason="2008 年度到期档案")))
    for person in ("li", "zhao"):
        with pytest.raises(NodeError):
            disposal.destroy(world.desk(person), roll)
    with pytest.raises(Refused):
        disposal.approve(world.desk("li"), roll, opinion="同意")
    verified(world, lambda: disposal.approve(world.desk("zhao"), roll, opinion="同意销毁。"))
    with pytest.raises(Refused):
        disposal.destroy(world.desk("li"), roll)
    with pytest.raises(Refused):
        disposal.supervise(world.desk("li"), roll)
    verified(world, lambda: disposal.supervise(world.desk("wang"), roll))
    with pytest.raises(Refused):
        disposal.supervise(world.desk("wang"), roll)
    with pytest.raises(Refused):
        disposal.destroy(world.desk("li"), roll)
    verified(world, lambda: disposal.supervise(world.desk("sun"), roll))
    verified(world, lambda: disposal.destroy(world.desk("li"), roll))
    gone = world.desk("li").get(Item, old.id)
    assert (gone.state, gone.code) == (State.DESTROYED, old.code)
    assert not world.desk("li").list(Original, Original.doc == old.doc) and not world.desk("li").list(Step, Step.record == old.source)
    assert world.desk("li").get(Roll, roll).state == "done"
    with pytest.raises(NodeError):
        disposal.destroy(world.desk("li"), roll)


@pytest.mark.row("F2")
def test_no_act_but_the_list_takes_an_item_away(world: World) -> None:
    """Entries written past the verbs, by the node itself, do not destroy: the folds refuse them."""
    from node.codec import uuid7
    from office.archives import entries as said

    item = filed(world, on=dt.date(2007, 1, 1))
    node, roll = Desk(world.offices["city"]), uuid7()
    node.write(said.Destroyed("gov"), record=roll)
    node.write(said.ListProposed("gov", (item.id,), "直接写入"), record=roll)
    node.write(said.ListApproved("gov", "同意"), record=roll)
    node.write(said.Destroyed("gov"), record=roll)
    assert world.desk("li").get(Item, item.id).state == State.KEPT and not world.desk("li").list(Roll, Roll.id == roll)


@pytest.mark.row("F4")
def test_a_package_opens_and_proves_with_nothing_installed(world: World, tmp_path: Path) -> None:
    """The ZIP holds plain pages, text, XML, JSON, files, checksums that match, and proofs that its own verifier accepts; damage is refused before."""
    data = b"%PDF-1.7 " + os.urandom(2000)
    items = [filed(world, title="关于移交甲的通知", annexes=attached(world, "表 一.pdf", data)), filed(world, title="关于移交<乙>的通知")]
    made = service.pack(world.desk("li"), [item.id for item in items])
    try:
        assert hashlib.sha256(made.file.read_bytes()).digest() == made.digest
        with zipfile.ZipFile(made.file) as archive:
            archive.extractall(tmp_path)
    finally:
        made.file.unlink()
    index = (tmp_path / "index.html").read_text()
    assert all(item.code in index for item in items) and "<script" not in index
    for item in items:
        folder = tmp_path / "items" / item.code
        about = json.loads((folder / "metadata.json").read_text())
        assert about["code"] == item.code and about["process"] and (folder / "metadata.xml").read_bytes().startswith(b"<?xml")
        assert "各县要高度重视" in (folder / "text.txt").read_text() and "<乙>" not in (folder / "index.html").read_text()
    assert (tmp_path / "items" / items[0].code / "files" / "01-表_一.pdf").read_bytes() == data
    assert subprocess.run(["sha256sum", "-c", "--quiet", "checksums.sha256"], cwd=tmp_path, check=False).returncode == 0
    proofs = sorted(str(file.relative_to(tmp_path)) for file in tmp_path.glob("items/*/evidence.jsonl"))
    command = [sys.executable, "-I", "yiwang-verify.py", *proofs, "--root", "root.pem", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0 and json.loads(done.stdout)["ok"], done.stdout + done.stderr
    verified(world, lambda: service.transfer(world.desk("li"), made, archive="云市档案馆"))
    assert world.desk("li").get(Item, items[0].id).archive == "云市档案馆"
    Blobs(world.offices["city"].settings).path(world.desk("li").get(Original, items[0].doc).envelope.paper.annexes[0].sha).unlink()
    with pytest.raises(Refused, match="四性"):
        service.pack(world.desk("li"), [items[0].id])


def test_the_year_is_to_be_handed_in(world: World) -> None:
    """What was closed in a past year and is not filed stands among the clerk's matters, due on 30 June of the next year."""
    sent(world, on=dt.date(2019, 7, 1))
    matter = next(one for one in service.todo(world.desk("li")) if one.url == "/archives?year=2019")
    assert matter.due is not None and matter.due.date() == dt.date(2020, 6, 30) and matter.overdue(dt.datetime.now(dt.UTC))
    assert not [one for one in service.todo(world.desk("qian")) if one.room]


@pytest.mark.row("F1")
def test_codes_have_no_gap_and_no_double_under_kill(world: World) -> None:
    """With the ledger killed while two hands file, the numbers of the class are 1 to n, each once, and a rebuild says the same."""
    office, home = world.offices["city"], world.city["city"]
    items = [sent(world, on=dt.date(2015, 1, 1)) for _ in range(18)]

    def hand(mine: list[Item]) -> None:
        desks = Office(office.settings, office.tier)
        desks.ledger._timeout = 3.0
        while mine:
            desk = Desk(desks, person="li", door=lambda: world.doors["li"])
            try:
                service.arrange(desk, [Choice(item=mine[0].id, retention="D30", section="CWK")])
            except NodeError:
                if not _has_code(world, mine[0]):
                    continue
            mine.pop(0)
        desks.close()

    hands = [threading.Thread(target=hand, args=(items[place::2],)) for place in (0, 1)]
    for one in hands:
        one.start()
    for goal in (4, 10):
        cities.wait(lambda goal=goal: sum(_has_code(world, item) for item in items) >= goal)
        home.stop("ledger", how=signal.SIGKILL)
        home.start("ledger")
        with Ledger(home.settings, timeout=60) as ledger:
            ledger.confirm()  # no courier brings the word of its counties, for which a city waits: it has its operator's
    for one in hands:
        one.join(60)
    numbers = [row.number for row in world.desk("li").list(Item, Item.section == "CWK", order=Item.number)]
    assert numbers == list(range(1, len(items) + 1))
    assert all(living == rebuilt for living, rebuilt in office.ledger.ask("refold").values())


def _has_code(world: World, item: Item) -> bool:
    try:
        return bool(world.desk("li").list(Item, Item.id == item.id, Item.code != ""))
    except NodeError:
        return False
