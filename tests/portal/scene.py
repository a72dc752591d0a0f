"""A township in which every room has objects of two units, each with words that stand nowhere else.

The government's objects and those of its department are told apart; for each it is written down here, apart from the program, who may know of it.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from node import persons
from node.directory import writing
from node.directory.view import today
from office.archives import service as archives
from office.archives.entries import item_id
from office.archives.service import Choice, disposal
from office.calls import service as calls
from office.documents import service as documents
from office.documents.entries import Paper, party_id
from office.documents.model import Incoming
from office.duty import service as duty
from office.duty.entries import Report, Rostered
from office.flows import service as flows
from office.frame.desk import Desk
from office.meetings import service as meetings
from office.meetings.entries import Decision, Plan, Proposed
from office.meetings.model import Task
from office.messages import service as messages
from office.people import lending, notes, seals
from office.people import service as people
from office.search.follower import Follower
from office.supervision import service as supervision
from office.supervision.entries import Milestone, Opened
from tests.office.desks import Town, opened
from tests.portal.gate import Gate, Visitor

HERE, SIBLING, ABOVE = "county1-town1", "county1-town2", "county1"
STAFF = (
    ("head", "领导", ("signer", "duty_leader", "supervisor")),
    ("clerk", "文书", ("registry_clerk", "meeting_clerk", "archivist", "seal_keeper")),
    ("duty", "值班", ("duty_officer",)),
    ("plain", "科员", ()),
    ("other", "科员", ()),
    ("sys", "系统管理员", ("sysadmin",)),
    ("sec", "安全管理员", ("secadmin",)),
    ("audit", "审计管理员", ("auditor",)),
    ("former", "前任", ("registry_clerk", "signer")),
    ("ended", "前文书", ("registry_clerk", "signer", "duty_officer", "meeting_clerk", "archivist")),
)
ALL_ROLES = ("registry_clerk", "reviewer", "signer", "seal_keeper", "archivist", "meeting_clerk", "duty_officer", "duty_leader", "supervisor")
"What the department's clerk is, so that nothing but the unit keeps the government's matters from that person."
WORDS = iter(
    [
        "雪雁北麓寒潭",
        "苍鹭南汀晚照",
        "白鹳西泠旧渡",
        "朱鹮东篱晓雾",
        "鸬鹚石矶残月",
        "斑鸠柳浦新晴",
        "鹧鸪松坞归云",
        "黄鹂竹溪微雨",
        "翠鸟荷塘疏影",
        "戴胜梅岭初雪",
        "夜莺枫桥渔火",
        "红隼沙洲落雁",
        "金雕雪岭孤峰",
        "海燕礁滩怒潮",
        "白鹇茶山薄雾",
        "杜鹃花坪春涧",
        "云雀麦垄晴光",
        "喜鹊榆关炊烟",
        "画眉桐庐秋水",
        "天鹅芦荡寒波",
        "绿头鸭塘暮色",
        "灰喜鹊林空翠",
        "白鹭苇塘朝露",
        "锦鸡竹海流霞",
        "银鸥沙屿长风",
        "白鹤草甸流霜",
        "百灵草甸长风",
        "鸿雁关河夜泊",
        "玄鸟檐角斜阳",
    ]
)


@dataclass(frozen=True)
class Thing:
    """An object with its canary."""

    name: str
    family: str
    id: str
    sees: frozenset[str]
    "Persons who may know of it."
    word: str
    "What may be asked for; it may come back as the question."
    tail: str
    "What stands in the object and must stand in no answer outside the audience."
    more: dict[str, str] = field(default_factory=dict)
    "Other parts of its addresses: the act of an answer, the organ of a reply."


def canary() -> tuple[str, str, str]:
    """(a text for an object, what to ask for, what must not come back)."""
    found = next(WORDS)
    return found, found[:2], found[2:]


@dataclass
class Scene:
    """The town, its gates, and what lies in it."""

    town: Town
    things: list[Thing] = field(default_factory=list)
    gates: dict[str, Gate] = field(default_factory=dict)
    visitors: dict[tuple[str, str], Visitor] = field(default_factory=dict)

    def visitor(self, person: str, node: str = "") -> Visitor:
        """A person at the portal of the own node, or at another's without any key there."""
        home = person.rsplit(".", 1)[-1] if person else HERE
        at = self.gate(node or home)
        if not person:
            return at.visitor()
        held = self.visitors.get((person, at.portal.settings.id))
        if held is None or at.portal.sessions.find(held.cookie) is None:
            door = (lambda: self.town.doors[person]) if at is self.gate(home) else None
            held = self.visitors[person, at.portal.settings.id] = at.visitor(person, door)
        return held

    def gate(self, node: str) -> Gate:
        """The portal of a node."""
        if node not in self.gates:
            self.gates[node] = Gate(self.town.offices[node])
        return self.gates[node]

    def add(self, name: str, family: str, id: str, sees: set[str], text: str, **more: str) -> None:
        """Put an object on the list."""
        self.things.append(Thing(name, family, id, frozenset(sees), text[:2], text[2:], more))

    def index(self) -> None:
        """What the clerk does when the journals have grown."""
        self.town.carry()
        for office in self.town.offices.values():
            follower = Follower(office)
            follower.follow(Desk(office))
            follower.close()


@contextmanager
def staged(folder: Path) -> Iterator[Scene]:
    """The empty scene: nodes, people, and nothing they did."""
    with opened(folder, townships=2, staff=STAFF) as town:
        scene = Scene(town)
        office = town.offices[HERE]
        post = office.directory.post(f"post.dep.{HERE}")
        assert post is not None
        writing.write(office.ledger, office.settings, office.directory, [msgspec.structs.replace(post, roles=ALL_ROLES)])
        first = documents.draft(town.desk(f"ended.{HERE}"), paper(HERE, "防汛", town.desk(f"ended.{HERE}")))
        documents.void(town.desk(f"ended.{HERE}"), first, reason="试用流程")  # from then on the flow is in use, which everybody may know
        _sealed(scene)
        scene.index()
        try:
            yield scene
        finally:
            for gate in scene.gates.values():
                gate.close()


def _sealed(scene: Scene) -> None:
    """The government has a seal, kept by its clerk, which everybody may know."""
    persons.store(scene.town.offices[HERE].settings, scene.town.doors[f"clerk.{HERE}"], "correct horse battery")
    people.issue_seal(scene.town.desk(f"sys.{HERE}"), HERE)


def paper(organ: str, text: str, desk: Desk, **more: Any) -> Paper:
    """A document that carries its canary in every place there is."""
    annex = documents.attach(desk, f"{text}.txt", "text/plain", io.BytesIO(f"{text}附件".encode()))
    values = {
        "organ": organ,
        "kind": "letter",
        "title": f"关于{text}的函",
        "text": f"一、{text}情况\n请研究{text}事宜。",
        "to": (ABOVE,),
        "annexes": (annex,),
    }
    return Paper(**(values | more))


def of_the_department(scene: Scene) -> None:
    """What the department of the township has; nobody of the government may know of it."""
    organ, person = f"dep.{HERE}", f"clerk.dep.{HERE}"

    def desk() -> Desk:
        return scene.town.desk(person)

    above = {f"{who}.{ABOVE}" for who in ("head", "clerk")}
    _drafts(scene, "department", organ, person, {person})
    text, *_ = canary()
    sent = documents.send(desk(), paper(organ, text, desk()))
    scene.add("department's issued document", "document", sent.doc, {person, *above}, text)
    scene.add("department's item", "item", item_id(sent.doc, organ), {person}, text)
    text, *_ = canary()
    came = documents.send(scene.town.desk(f"head.{ABOVE}"), paper(ABOVE, text, scene.town.desk(f"head.{ABOVE}"), to=(organ,)))
    scene.town.carry()
    (row,) = desk().list(Incoming, Incoming.doc == came.doc)
    scene.add("what came in for the department", "incoming", row.id, {person}, text)
    scene.add("what the county sent the department", "document", came.doc, {person, *above}, text)
    text, *_ = canary()
    meeting = meetings.plan(desk(), _meeting(organ, text, person, (f"dep.{SIBLING}",)))
    scene.add("department's meeting", "meeting", meeting, {person}, text, organ=f"dep.{SIBLING}")
    text, *_ = canary()
    topic = meetings.propose(desk(), Proposed(organ, ABOVE, text, f"{text}议题", text, text, 10))
    scene.add("department's topic", "topic", topic, {person, *above}, text)
    _filed(scene, organ, person)
    text, *_ = canary()
    admins = {f"{who}.{HERE}" for who in ("sys", "sec", "audit")}
    wanted = seals.ask(desk(), task="make", organ=organ, what=f"{text}专用章", reason=f"{text}启用")
    scene.add("department's application for a seal", "application", wanted, {person, *admins}, text)
    scene.index()


def _drafts(scene: Scene, name: str, organ: str, person: str, sees: set[str]) -> None:
    desk = scene.town.desk
    text, *_ = canary()
    scene.add(f"{name}'s draft", "document", documents.draft(desk(person), paper(organ, text, desk(person))), sees, text)
    text, *_ = canary()
    gone = documents.draft(desk(person), paper(organ, text, desk(person)))
    documents.void(desk(person), gone, reason=f"{text}不办")
    scene.add(f"{name}'s deleted draft", "document", gone, sees, text)


def _filed(scene: Scene, organ: str, person: str) -> None:
    """An old item found fit to be destroyed, and the list on which it stands."""
    desk = scene.town.desk
    text, *_ = canary()
    doc = documents.draft(desk(person), paper(organ, text, desk(person)))
    documents.submit(desk(person), doc)
    documents.review(desk(person), doc)
    documents.sign(desk(person), doc, on=dt.date(2012, 1, 5))
    documents.dispatch(desk(person), doc)
    item = item_id(doc, organ)
    archives.register_fonds(desk(person), organ, fonds="Z9", section="CZJ")
    archives.arrange(desk(person), [Choice(item=item, retention="D10")])
    archives.appraise(desk(person), item, retention="", reason=f"{text}已满")
    roll = disposal.propose(desk(person), [item], reason=f"{text}销毁")
    scene.add("department's doomed item", "item", item, {person}, text)
    scene.add("department's list", "roll", roll, {person}, text)


def _meeting(organ: str, text: str, chair: str, called: tuple[str, ...]) -> Plan:
    begins = int((dt.datetime.now(dt.UTC) + dt.timedelta(days=3)).timestamp() * 1000)
    return Plan(organ, "special", f"{text}会议", begins, begins + 3_600_000, (f"{text}会议室",), chair, called)


def of_the_government(scene: Scene) -> None:
    """What the government of the township has; nobody of the department may know of it."""
    town, desk = scene.town, scene.town.desk
    head, clerk, duty_officer, plain = (f"{who}.{HERE}" for who in ("head", "clerk", "duty", "plain"))
    above = {f"{who}.{ABOVE}" for who in ("head", "clerk")}
    _drafts(scene, "government", HERE, plain, {plain, head, clerk})
    text, *_ = canary()
    sent = documents.send(desk(head), paper(HERE, text, desk(head)))
    scene.add("government's issued document", "document", sent.doc, {head, clerk, *above}, text)
    scene.add("government's item", "item", item_id(sent.doc, HERE), {head, clerk}, text)
    text, *_ = canary()
    came = documents.send(desk(f"head.{ABOVE}"), paper(ABOVE, text, desk(f"head.{ABOVE}"), to=(HERE,)))
    town.carry()
    (row,) = desk(clerk).list(Incoming, Incoming.doc == came.doc)
    documents.sign_for(desk(clerk), row.id)
    documents.register(desk(clerk), row.id)
    documents.assign(desk(head), row.id, lead=plain, opinion=f"{text}请办")
    answered = documents.attach(desk(plain), f"{text}.txt", "text/plain", io.BytesIO(text.encode()))
    documents.answer(desk(plain), row.id, text=f"{text}已办", annexes=(answered,))
    scene.add("what came in for a handler", "incoming", row.id, {head, clerk, plain}, text)
    scene.add("what the county sent the government", "document", came.doc, {head, clerk, plain, *above}, text)
    _used(scene, {head, clerk, plain})
    _on_duty(scene, {head, duty_officer})
    _supervised(scene, {head, clerk, *above})
    _talk(scene)
    _own(scene)
    scene.index()


def _used(scene: Scene, sees: set[str]) -> None:
    """An application to use the seal that is open, and one that has become a line of the register."""
    desk, plain = scene.town.desk, f"plain.{HERE}"
    for name in ("open", "done"):
        text, *_ = canary()
        id = seals.ask(desk(plain), task="use", organ=HERE, what=f"{text}协议", reason=f"{text}签约")
        scene.add(f"government's application, {name}", "application", id, sees, text)
    seals.act(desk(f"head.{HERE}"), id, "grant", words=f"{text}同意")
    (seal,) = desk(f"clerk.{HERE}").directory.seals_of(HERE)
    seals.act(desk(f"clerk.{HERE}"), id, "use", seal=seal.id)


def of_both(scene: Scene) -> None:
    """What the government shares with its department: a meeting to which it is called, a document of both, and the drawing of a flow."""
    desk, dep = scene.town.desk, f"clerk.dep.{HERE}"
    head, clerk = f"head.{HERE}", f"clerk.{HERE}"
    text, *_ = canary()
    meeting = meetings.plan(desk(clerk), _meeting(HERE, text, head, (f"dep.{HERE}",)))
    meetings.approve(desk(head), meeting)
    meetings.notify(desk(clerk), meeting)
    now = int(dt.datetime.now(dt.UTC).timestamp() * 1000)
    meetings.end(desk(clerk), meeting, begun=now - 7_200_000, ended=now - 3_600_000)
    meetings.decide(desk(clerk), meeting, [Decision(f"{text}落实", f"dep.{HERE}")])
    scene.add("government's meeting", "meeting", meeting, {head, clerk, dep}, text, organ=f"dep.{HERE}")
    (task,) = desk(clerk).list(Task, Task.meeting == meeting)
    scene.add("what a meeting decided", "decision", task.id, {head, clerk, dep}, text)
    text, *_ = canary()
    shared = documents.draft(desk(dep), paper(f"dep.{HERE}", text, desk(dep), joint=(HERE,)))
    documents.submit(desk(dep), shared)
    documents.review(desk(dep), shared)
    documents.consult(desk(dep), shared)
    scene.add("what the government is to issue with the department", "party", party_id(shared, HERE), {head, clerk, dep}, text)
    text, *_ = canary()
    drawn = flows.blank(desk(clerk), "documents.outgoing", text)
    scene.add("drawing of a flow", "drawing", drawn, {clerk, dep, f"sys.{HERE}"}, text)
    scene.index()


def _on_duty(scene: Scene, sees: set[str]) -> None:
    town, desk = scene.town, scene.town.desk
    officer, above = f"duty.{HERE}", {f"{who}.{ABOVE}" for who in ("head", "duty")}
    text, *_ = canary()
    now = int(dt.datetime.now(dt.UTC).timestamp() * 1000)
    report = Report(HERE, "first", 1, "accident", "unknown", f"{text}路段", now - 540_000, now - 300_000, f"{text}救援", unit=text)
    scene.add("incident", "incident", duty.report(desk(officer), report), {*sees, *above}, text)
    duty.log(desk(officer), HERE, f"{text}交接")
    today = dt.datetime.now(dt.UTC).astimezone(dt.timezone(dt.timedelta(hours=8))).date().isoformat()
    duty.roster(desk(officer), Rostered(HERE, today, f"{text}带班", text, "", ""))
    text, *_ = canary()
    order = duty.order(desk(f"duty.{ABOVE}"), ABOVE, [HERE], f"{text}转移群众")
    scene.add("order", "order", order, {*sees, *above}, text)
    town.carry()


def _supervised(scene: Scene, sees: set[str]) -> None:
    """A task that the county gave the township, which signed for it and said how far it is."""
    town, desk = scene.town, scene.town.desk
    text, *_ = canary()
    end = (dt.datetime.now(dt.UTC) + dt.timedelta(days=30)).date().isoformat()
    given = Opened(ABOVE, f"{text}改造", f"{text}完工", f"{text}批示", HERE, "", end, (Milestone(end, f"{text}验收"),))
    item = supervision.open_item(desk(f"head.{ABOVE}"), given)
    town.carry()
    supervision.sign(desk(f"clerk.{HERE}"), item)
    supervision.report(desk(f"clerk.{HERE}"), item, text=f"{text}过半")
    town.carry()
    scene.add("task", "task", item, sees, text)


def _talk(scene: Scene) -> None:
    """A group of two tiers, what is said in it, and what one of it made of that."""
    town, plain, above = scene.town, f"plain.{HERE}", f"plain.{ABOVE}"
    text, *_ = canary()
    group = messages.gather(town.desk(above), f"{text}专班", [plain])
    scene.add("group", "conversation", group, {plain, above}, text)
    town.carry()
    text, *_ = canary()
    mine = messages.say(town.desk(plain), group, f"{text}一切正常")
    scene.add("matter of a message", "matter", messages.keep(town.desk(plain), mine), {plain}, text)
    text, *_ = canary()
    annex = messages.attach(town.desk(above), f"{text}.png", "image/png", io.BytesIO(text.encode()))
    said = messages.say(town.desk(above), group, f"{text}情况如何", files=(annex,))
    scene.add("message", "message", said, {plain, above}, text)
    text, *_ = canary()
    call = calls.open_(town.desk(f"head.{HERE}"), f"{text}会商", [plain])
    scene.add("call", "call", call, {plain, f"head.{HERE}"}, text)
    town.carry()


def _own(scene: Scene) -> None:
    """What belongs to one person."""
    desk = scene.town.desk
    plain, head, clerk = (f"{who}.{HERE}" for who in ("plain", "head", "clerk"))
    admins = {f"{who}.{HERE}" for who in ("sys", "sec", "audit")}
    text, *_ = canary()
    since = today()
    terms = {"since": since, "until": since + dt.timedelta(days=9)}
    lent = lending.lend(desk(head), lender=f"post.{head}", borrower=f"post.clerk.{HERE}", scope=("signer",), basis=text, **terms)
    scene.add("delegation", "delegation", lent, {head, clerk, *admins}, text)
    text, *_ = canary()
    notes.keep_phrases(desk(plain), [text])
    scene.add("phrases", "phrases", "", {plain}, text)
    office, held = scene.town.offices[HERE], scene.town.offices[HERE].directory.file(plain)
    assert held is not None
    text, *_ = canary()
    writing.write(office.ledger, office.settings, office.directory, [msgspec.structs.replace(held, mobile=text)])
    scene.add("file of a person", "file", "", {plain, *admins}, text)
    _kept(scene, scene.visitor(plain))


def _kept(scene: Scene, plain: Visitor) -> None:
    """What a person typed and uploaded."""
    text, *_ = canary()
    assert plain.ask("PUT", "/api/v1/drafts/documents:new", f'{{"content":"{text}"}}').status == 200
    scene.add("what was typed", "typed", "documents:new", {f"plain.{HERE}"}, text)
    text, *_ = canary()
    data = text.encode()
    where = plain.ask("POST", "/api/v1/blobs", Upload_Length=str(len(data))).headers["location"]
    assert plain.ask("PATCH", where, data, Upload_Offset="0").status == 204
    scene.add("upload", "upload", where.rpartition("/")[2], {f"plain.{HERE}"}, text)


def departed(scene: Scene) -> None:
    """One person retires, another's appointment ends today."""
    office = scene.town.offices[HERE]
    retired = office.directory.person(f"former.{HERE}")
    assert retired is not None
    (held,) = office.directory.appointments_of(f"ended.{HERE}")
    over = msgspec.structs.replace(held.appointed, valid_from=dt.date(2020, 1, 1), valid_to=dt.date(2021, 1, 1))
    writing.write(office.ledger, office.settings, office.directory, [msgspec.structs.replace(retired, status="retired"), over])
    office.directory.refresh()
