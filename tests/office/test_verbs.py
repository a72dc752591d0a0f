"""Every verb of every room is verified: done, carried to the other nodes, and all tables built again from the journals are what they were.

What a verb is is read from the rooms' sources: a public function of a desk from which the journal can be written. What is verified is read from the
tests: whatever is called inside ``verify`` (:meth:`tests.office.desks.Town.verify`). A verb that nobody verifies fails here by its name.
"""

from __future__ import annotations

import ast
import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from node import certs, persons
from node.directory import entries as said
from node.directory.view import today
from node.errors import Conflict, Invalid, Missing, Refused
from office.archives import service as archives
from office.archives.entries import item_id
from office.archives.service import Choice, disposal
from office.documents import service as documents
from office.documents.entries import Paper
from office.duty import service as duty
from office.flows import service as flows
from office.frame import clocks
from office.frame.calendar import SHANGHAI, Workdays
from office.frame.desk import Desk
from office.frame.flow.template import Name
from office.people import corrections, lending, notes, rulings, service, standing
from tests.city import ROOT
from tests.office.desks import Town, opened

WRITING = {"together", "write"}
"Methods of a desk that write."
SEEING = {"pages", "views", "reactions", "boards", "own"}
"Modules that show or react, and have no verbs."
TOOLS = {
    "people.pen.write": "the pen of the room's verbs",
    "people.pen.save": "the pen of the room's verbs",
    "calls.board.put": "the pen of service.mark",
    "calls.service.lead": "needs a relay (tests/browser/test_calls.py); what it writes is board.count",
    "documents.flows.act": "the page of a document's way calls it; tests/flow verifies each act",
}
"Functions that write only for other verbs."


@dataclass
class Module:
    """One module of a room: what it calls itself, and what each of its functions calls."""

    name: str
    names: dict[str, str] = field(default_factory=dict)
    "Name used here to (module.function) or module of the same room."
    calls: dict[str, set[str]] = field(default_factory=dict)
    public: set[str] = field(default_factory=set)


def rooms() -> list[str]:
    """Rooms that have verbs."""
    return sorted(one.parent.name for one in (ROOT / "office").glob("*/service.py") if one.parent.name != "portal")


@cache
def read(room: str) -> dict[str, Module]:
    """The modules of a room."""
    return {file.stem: _module(room, file) for file in sorted((ROOT / "office" / room).glob("*.py"))}


def _module(room: str, file: Path) -> Module:
    made, tree = Module(file.stem), ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == f"office.{room}":
            made.names |= {one.asname or one.name: one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"office.{room}."):
            made.names |= {one.asname or one.name: f"{(node.module or '').rpartition('.')[2]}.{one.name}" for one in node.names}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            made.calls[node.name] = set(_called(node))
            if not node.name.startswith("_") and node.args.args and node.args.args[0].arg == "desk":
                made.public.add(node.name)
        elif isinstance(node, ast.ClassDef):
            made.calls |= {f"{node.name}.{each.name}": set(_called(each)) for each in node.body if isinstance(each, ast.FunctionDef)}
    return made


def _called(node: ast.FunctionDef) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Name):
            yield one.func.id
        elif isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute):
            yield f".{one.func.attr}"
            if isinstance(one.func.value, ast.Name):
                yield f"{one.func.value.id}.{one.func.attr}"


def verbs(room: str) -> set[str]:
    """``module.function`` of every public function of a desk from which the journal is written."""
    modules = read(room)
    found = {f"{name}.{function}" for name, made in modules.items() for function, calls in made.calls.items() if _writes(calls)}
    while True:
        more = {
            f"{name}.{function}"
            for name, made in modules.items()
            for function, calls in made.calls.items()
            if f"{name}.{function}" not in found and found & {_where(modules, name, call) for call in calls}
        }
        if not more:
            break
        found |= more
    return {one for one in found if one.partition(".")[0] not in SEEING and one.partition(".")[2] in modules[one.partition(".")[0]].public}


def _writes(calls: set[str]) -> bool:
    by_pen = any(call.partition(".")[0] in ("Way", "Pen") or call == "flows.begin" for call in calls)
    return bool({f"desk.{one}" for one in WRITING} & calls or by_pen and {f".{one}" for one in WRITING} & calls)


def _where(modules: dict[str, Module], name: str, call: str) -> str:
    """The function of the room that is meant by a call."""
    first, dot, rest = call.partition(".")
    known = modules[name].names.get(first, f"{name}.{first}")
    return f"{known}.{rest}" if dot else known


@cache
def verified() -> frozenset[str]:
    """``room.verb`` of everything that a test calls inside ``verify``."""
    found: set[str] = set()
    for file in [*sorted((ROOT / "tests/office").glob("test_*.py")), *sorted((ROOT / "tests/flow").glob("test_*.py"))]:
        tree, names = ast.parse(file.read_text(encoding="utf-8")), dict[str, str]()
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("office."):
                names |= {one.asname or one.name: f"{node.module}.{one.name}".split(".")[1] for one in node.names}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and (getattr(node.func, "attr", "") == "verify" or getattr(node.func, "id", "") == "verified"):
                inside = [one for each in node.args for one in ast.walk(each)]
                used = [(one.value.id, one.attr) for one in inside if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name)]
                found |= {f"{names[module]}.{verb}" for module, verb in used if module in names}
    return frozenset(found)


@pytest.mark.parametrize("room", rooms())
def test_every_verb_is_verified(room: str) -> None:
    """No verb writes what a rebuild of any node's tables would not give again, for each is tried so by some test."""
    missing = {verb for verb in verbs(room) if f"{room}.{verb.partition('.')[2]}" not in verified() and f"{room}.{verb}" not in TOOLS}
    assert not missing


def test_verbs_are_found() -> None:
    """The reading of the sources finds verbs that write by a desk, by a flow's pen and through other verbs, and no question."""
    assert {"outgoing.draft", "outgoing.submit", "issuing.send", "incoming.close"} <= verbs("documents")
    assert {"service.plan", "service.minute"} <= verbs("meetings") and len(set().union(*map(verbs, rooms()))) > 90
    assert not {"registers.todo", "matrix.matrix", "rights.moves"} & verbs("documents")


STAFF = (
    ("head", "领导", ("signer", "duty_leader", "reviewer")),
    ("clerk", "文书", ("registry_clerk", "archivist", "seal_keeper", "duty_officer")),
    ("sys", "系统管理员", ("sysadmin",)),
    ("sec", "安全管理员", ("secadmin",)),
)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A city and a county."""
    with opened(tmp_path_factory.mktemp("verbs"), townships=0, staff=STAFF, only=("documents", "flows", "archives", "duty")) as made:
        yield made


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The same with nothing but the address book."""
    with opened(tmp_path_factory.mktemp("book"), townships=0, staff=STAFF, only=("people",)) as made:
        yield made


def test_keepers_of_the_directory(book: Town) -> None:
    """What administrators enter, change and end, and what becomes of keys and seals, is the same on both nodes and after a rebuild."""
    keeper, guard = (lambda: book.desk("sys.city")), (lambda: book.desk("sec.city"))
    organ = said.Organ("", "", "云市水利局", "市水利局", "department", "city", "", "city", "", "", "", True, (), "", 0)
    water = book.verify(lambda: service.save_organ(keeper(), organ))
    post = book.verify(lambda: service.save_post(keeper(), said.Post("", water, "科长", "", (), 0, "", ())))
    book.verify(lambda: service.grant(guard(), post, ["registry_clerk", "seal_keeper"]))
    card, private = said.Person("", "王水利", water, "", 0, "active", ""), said.File("", "wangshuili", "", "", "", "", "")
    person = book.verify(lambda: service.save_person(keeper(), card, private))
    held = book.verify(lambda: service.appoint(keeper(), person, post))
    password = book.verify(lambda: service.issue_password(keeper(), person))
    given = persons.open_person_key(book.offices["city"].settings, person, password)
    mine = Desk(book.offices["city"], person=person, door=lambda: given)
    book.verify(lambda: service.change_password(mine, password, "三五七九十一十三甲乙丙"))
    book.verify(lambda: service.renew_certificate(Desk(book.offices["city"]), person, "三五七九十一十三甲乙丙"))
    seal = book.verify(lambda: service.issue_seal(keeper(), water))
    book.verify(lambda: service.revoke(keeper(), certs.fingerprint(seal.certificate), reason="lost"))
    book.verify(lambda: service.close_account(guard(), person))
    book.verify(lambda: service.end_appointment(keeper(), held))
    book.verify(lambda: service.close_post(keeper(), post, on=today()))
    book.verify(lambda: service.close_organ(keeper(), water, on=today(), successor="dep.city"))
    listing = book.verify(lambda: standing.save_list(keeper(), name="各县", organs=["county1"]))
    assert listing in {one.id for one in book.desk("clerk.county1").directory.lists()}
    days = (dt.date(2027, 10, 1), dt.date(2027, 10, 2))
    book.verify(lambda: standing.save_calendar(keeper(), 2027, off=days, worked=(), basis="放假通知"))
    book.verify(lambda: rulings.save(keeper(), "archive.hand_in", limit="05-31", basis="市档案馆规定", since=today(), running=False))
    line = json.dumps(
        {"type": "organ", "id": "bureau", "full_name": "云市林业局", "short_name": "市林业局", "kind": "department", "parent_id": "city"}
    )
    book.verify(lambda: service.bring_in(keeper(), line))
    assert book.desk("clerk.county1").directory.organ("bureau") is not None


def test_what_is_ones_own(book: Town) -> None:
    """Phrases stay at home, absences and delegations are known everywhere, and all of it is the same after a rebuild."""
    desk = book.desk
    book.verify(lambda: notes.keep_phrases(desk("clerk.city"), ["拟同意。"]))
    book.verify(lambda: notes.announce(desk("clerk.city"), since=today(), until=today(), words="开会"))
    assert notes.absence(desk("clerk.county1"), "clerk.city") is not None
    book.verify(lambda: notes.return_early(desk("clerk.city")))
    term = {"since": today(), "until": today() + dt.timedelta(days=2)}
    lent = book.verify(
        lambda: lending.lend(desk("head.city"), lender="post.head.city", borrower="post.clerk.city", scope=["signer"], basis="授权书", **term)
    )
    book.verify(lambda: lending.take_back(desk("head.city"), lent))


def test_what_is_kept_of_a_person_is_put_right(book: Town) -> None:
    """The person asks, the administrator accepts or says why not, the person takes it back: the book everywhere, and a rebuild, say the same."""
    desk = book.desk
    told = {"name": "文书", "office_phone": "0543-0000321", "mobile": ""}
    first = book.verify(lambda: corrections.request_correction(desk("clerk.city"), **told, words="号码已换。"))
    with pytest.raises(Conflict):
        corrections.request_correction(desk("clerk.city"), **told)
    with pytest.raises(Missing):
        corrections.accept_correction(desk("head.city"), first)
    with pytest.raises(Refused):
        corrections.accept_correction(desk("clerk.city"), first)
    (item,) = [one for one in service.todo(desk("sys.city")) if one.url == "/people/corrections"]
    assert item.source
    book.verify(lambda: corrections.accept_correction(desk("sys.city"), first))
    card = desk("clerk.county1").directory.person("clerk.city")
    assert card is not None and (card.name, card.office_phone) == ("文书", "0543-0000321")
    with pytest.raises(Invalid):
        corrections.request_correction(desk("clerk.city"), **told)
    second = book.verify(lambda: corrections.request_correction(desk("clerk.city"), **told | {"mobile": "13000000000"}))
    with pytest.raises(Invalid):
        corrections.refuse_correction(desk("sys.city"), second, words=" ")
    book.verify(lambda: corrections.refuse_correction(desk("sys.city"), second, words="请附证明。"))
    third = corrections.request_correction(desk("clerk.city"), **told | {"mobile": "13000000001"})
    book.verify(lambda: corrections.withdraw_correction(desk("clerk.city"), third))
    assert [one.state for one in corrections.mine(desk("clerk.city"))] == ["withdrawn", "refused", "granted"]


def test_drawing_of_flows(town: Town) -> None:
    """A flow is drawn, thrown away, published, put to running matters and back, and retired; each act gives the same tables again."""

    def clerk() -> Desk:
        return town.desk("clerk.city")

    documents.draft(clerk(), letter())
    old = flows.current(clerk(), "documents.outgoing", "city")
    blank = town.verify(lambda: flows.blank(clerk(), "documents.outgoing", "另一种流程"))
    town.verify(lambda: flows.drop(clerk(), blank))
    drawn = town.verify(lambda: flows.change_version(clerk(), old))
    changed = msgspec.structs.replace(flows.draft(clerk(), drawn).drawn, name=Name("市政府发文"), term="permit.decide")
    town.verify(lambda: flows.save(clerk(), drawn, changed))
    new = town.verify(lambda: flows.publish(clerk(), drawn, note="改名"))
    batch = town.verify(lambda: flows.move(clerk(), old, new, {}, reason="换新版"))
    assert town.verify(lambda: flows.undo(clerk(), batch, reason="再议")) == 1
    timed = documents.draft(clerk(), letter(title="关于许可期限的函"))
    assert ("permit.decide", "关于许可期限的函") in [(one.clock.rule, one.title) for one in documents.running(clerk())]
    unseen = [one for one in documents.running(town.desk("clerk.dep.city")) if one.clock.matter == timed]
    assert [(one.clock.rule, one.title, one.url) for one in unseen] == [("permit.decide", "", "")]
    begun = town.verify(lambda: flows.begin(clerk(), changed))
    flows.drop(clerk(), begun)
    town.verify(lambda: flows.retire(clerk(), changed.id, reason="停用"))


def letter(**more: Any) -> Paper:
    """A letter to the county."""
    return Paper(**({"organ": "city", "kind": "letter", "title": "关于做好防汛工作的函", "text": "请做好防汛工作。", "to": ("county1",)} | more))


def test_documents_in_one_step_and_items_that_are_kept(town: Town) -> None:
    """Drafting, issuing in one step, by a program too, an item kept from destruction, a list not approved: all the same after a rebuild."""
    head, clerk = (lambda: town.desk("head.city")), (lambda: town.desk("clerk.city"))
    town.verify(lambda: archives.register_fonds(clerk(), "city", fonds="Z1", section="BGS"))
    doc = town.verify(lambda: documents.draft(clerk(), letter()))
    documents.submit(clerk(), doc)
    documents.review(head(), doc)
    documents.sign(head(), doc, on=dt.date(2012, 1, 5))
    town.verify(lambda: documents.issue(clerk(), doc))
    town.verify(lambda: documents.post(head(), documents.Post(to=["county1"], title="关于防火的函", text="请防火。", organ="city"), Path))
    item = item_id(doc, "city")
    archives.arrange(clerk(), [Choice(item=item, retention="D10")])
    town.verify(lambda: archives.hold(clerk(), item, on=True, reason="诉讼"))
    town.verify(lambda: archives.hold(clerk(), item, on=False, reason="结案"))
    archives.appraise(clerk(), item, retention="", reason="已满")
    roll = disposal.propose(clerk(), [item], reason="到期")
    town.verify(lambda: disposal.reject(head(), roll, reason="续存"))


def test_orders_that_nobody_confirms(town: Town) -> None:
    """An order past its term is escalated by the node itself, once, and a rebuild gives the same."""
    duty.order(town.desk("clerk.city"), "city", ["county1"], "立即转移")
    town.carry()
    late = town.node("city")
    late.now += dt.timedelta(minutes=30)
    assert town.verify(lambda: duty.escalate(late, within=dt.timedelta(minutes=5))) > 0


@pytest.mark.row("M9")
def test_what_a_calendar_would_change_is_seen_before_it_is_signed(town: Town) -> None:
    """The keeper sees how many running terms a new calendar would move and to when, but not in what; nothing is written."""
    sent = documents.send(town.desk("head.city"), Paper("city", "letter", "关于测算期限的函", "请阅。", ("dep.city",)))
    day = dt.datetime.now(SHANGHAI).date() + dt.timedelta(days=1)
    off = [day + dt.timedelta(days=n) for n in range(10) if (day + dt.timedelta(days=n)).year == day.year]
    before = town.desk("sys.city").directory.calendar(day.year)
    found = standing.impact(town.desk("sys.city"), day.year, off=off, worked=(), basis="测试用放假通知")
    assert found.running >= found.later >= 1 and not found.missing
    assert all(one.after > one.before and (one.title, one.url) == ("", "") for one in found.moved if one.before and one.after)
    running = {one.clock.matter: one.title for one in documents.running(town.desk("clerk.dep.city"))}
    assert running[sent.doc] == "关于测算期限的函"
    with pytest.raises(Refused):
        standing.impact(town.desk("clerk.city"), day.year, off=off, worked=(), basis="测试用放假通知")
    with pytest.raises(Invalid):
        standing.impact(town.desk("sys.city"), day.year, off=off, worked=(), basis="")
    assert town.desk("sys.city").directory.calendar(day.year) == before


@pytest.mark.row("M9")
def test_what_a_rule_would_change_is_seen_before_it_is_signed(town: Town) -> None:
    """Another length for what begins later moves nothing that runs; for all it moves it, here before signing and at every node after it."""
    sent = documents.send(town.desk("head.city"), Paper("city", "letter", "关于修改期限的函", "请阅。", ("dep.city", "county1")))
    town.carry()
    keeper, tomorrow = "sys.city", today() + dt.timedelta(days=1)
    given: dict[str, Any] = {"limit": "9wd", "basis": "市政府办公室规定", "since": tomorrow}
    assert rulings.impact(town.desk(keeper), "doc.sign_in", **given, running=False).moved == ()
    seen = rulings.impact(town.desk(keeper), "doc.sign_in", **given, running=True)
    assert seen.later >= 1 and rulings.one(town.desk(keeper), "doc.sign_in").versions == ()
    before = [one for one in documents.running(town.desk("clerk.county1")) if one.clock.matter == sent.doc]
    for wrong in ({"limit": "soon"}, {"limit": "0wd"}, {"limit": "99999wd"}, {"basis": " "}, {"since": None}, {"limit": "05-31"}):
        with pytest.raises(Invalid):
            rulings.save(town.desk(keeper), "doc.sign_in", **given | wrong, running=True)
    for other in ("clerk.city", "sys.county1"):
        with pytest.raises(Refused):
            rulings.save(town.desk(other), "doc.sign_in", **given, running=True)
    rulings.save(town.desk(keeper), "doc.sign_in", **given, running=True)
    town.carry()
    law, days = rulings.law(town.desk("clerk.county1")), Workdays(town.desk("clerk.county1").directory.calendars())
    [running] = before
    assert law.told("doc.sign_in", running.clock.start.at) == f"{law.version}+doc.sign_in.1"
    ends = [clocks.due(running.clock, days, law=one) for one in (clocks.rules(), law)]
    assert ends[0] is not None and ends[1] is not None and ends[1].at > ends[0].at
    rulings.save(town.desk(keeper), "doc.sign_in", limit=clocks.rules().rule("doc.sign_in").limit, basis="恢复原规定", since=tomorrow, running=True)
    town.carry()
    assert clocks.due(running.clock, days, law=rulings.law(town.desk("clerk.county1"))) == ends[0]
