"""The fifteen kinds, each on its whole way: drafted, countersigned, returned once, signed, numbered, sealed, sent, signed for, filed."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator

import msgspec
import pytest

from node import certs, persons
from node.directory import entries as said
from node.directory import lines, writing
from office.archives import service as archives
from office.archives.entries import item_id
from office.archives.model import Item
from office.documents import flows, service
from office.documents.entries import Mark, Paper
from office.documents.kinds import KINDS, fitting
from office.documents.model import FLOWS, Act, Delivery, Document, Incoming
from office.documents.passing import passed_by
from office.documents.prints import paper as printed
from office.documents.reactions import pass_filing
from office.documents.sheets import sheet
from office.frame.flow.pen import Pen
from tests.office.desks import Town, opened

STAFF = (
    ("head", "领导", ("signer",)),
    ("clerk", "文书", ("registry_clerk",)),
    ("rev", "核稿", ("reviewer",)),
    ("keeper", "印章", ("seal_keeper",)),
    ("plain", "科员", ()),
)
"A whole office: nobody holds two parts."


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A city with a people's congress and a county; both governments have a seal and a fonds number."""
    with opened(tmp_path_factory.mktemp("kinds"), townships=0, staff=STAFF, only=("documents", "flows", "archives")) as found:
        _congress(found)
        for name, fonds in (("city", "Z1"), ("county1", "Z2")):
            seal(found, name)
            archives.register_fonds(found.desk(f"clerk.{name}"), name, fonds=fonds, section="BGS")
        found.carry()
        yield found


def _congress(town: Town) -> None:
    office = town.offices["city"]
    about = {"full_name": "云市人民代表大会常务委员会", "short_name": "市人大常委会", "kind": "congress", "tier": "city", "may_issue": True}
    given = (
        {"type": "organ", "id": "npc", "parent_id": "", **about},
        {"type": "post", "id": "post.npc", "organ": "npc", "title": "文书", "roles": ["registry_clerk"]},
        {"type": "person", "id": "npc.city", "name": "人大文书", "organ": "npc", "login": "npc", "posts": ["post.npc"]},
    )
    plan = lines.plan(office.directory, [json.dumps(line) for line in given])
    assert plan.refused == []
    writing.write(office.ledger, office.settings, office.directory, plan.contents)
    office.directory.refresh()
    door, cert = persons.make_person_key(office.settings, "npc.city", "人大文书", dt.datetime.now(dt.UTC), first=False)
    town.doors["npc.city"] = door
    writing.write(office.ledger, office.settings, office.directory, [said.Certified("npc.city", certs.der(cert), "")])


def seal(town: Town, name: str) -> None:
    """Give the government of a node a seal, kept by its keeper."""
    office, keeper = town.offices[name], f"keeper.{name}"
    persons.store(office.settings, town.doors[keeper], "correct horse battery")
    cert = persons.new_seal_key(office.settings, f"seal.{name}", name, f"{name}的印章", (keeper,), dt.datetime.now(dt.UTC))
    writing.write(office.ledger, office.settings, office.directory, [said.Certified(f"seal.{name}", certs.der(cert), name)])
    office.directory.refresh()


CASES: dict[str, tuple[str, tuple[str, ...], str]] = {
    "resolution": ("city", (), "countersign"),
    "decision": ("city", ("county1",), "review"),
    "order": ("city", (), "sign"),
    "communique": ("city", (), "recheck"),
    "announcement": ("city", (), "countersign"),
    "public_notice": ("county1", (), "review"),
    "opinion": ("county1", ("city",), "sign"),
    "notice": ("city", ("county1", "dep.city"), "recheck"),
    "circular": ("city", ("county1",), "countersign"),
    "report": ("county1", ("city",), "review"),
    "request": ("county1", ("city",), "sign"),
    "reply": ("city", ("county1",), "recheck"),
    "bill": ("city", ("npc",), "countersign"),
    "letter": ("city", ("npc",), "review"),
    "minutes": ("city", ("dep.city", "county1"), "sign"),
}
"Kind to (node of its issuer, recipients, step that returns it once)."
CLERKS = {"city": "clerk.city", "county1": "clerk.county1", "dep.city": "clerk.dep.city", "npc": "npc.city"}


class Road:
    """One document on its way through its office."""

    def __init__(self, town: Town, doc: str, node: str) -> None:
        self.town, self.doc, self.node = town, doc, node

    def lies(self) -> list[str]:
        """The steps at which it lies."""
        return [seat.step for seat in Pen(self.town.desk(f"clerk.{self.node}"), FLOWS, self.doc).state.live()]

    def act(self, who: str, name: str, **given: str) -> None:
        """An act of the flow by who has it there."""
        person = f"{who}.{self.node}"
        flows.act(self.town.desk(person), self.doc, name, Pen(self.town.desk(person), FLOWS, self.doc).mine()[0].id, **given)

    def until(self, step: str) -> None:
        """From the drafter to a step."""
        desk = self.town.desk
        service.submit(desk(f"plain.{self.node}"), self.doc, units=[f"dep.{self.node}"])
        for at in ("countersign", "review", "sign", "recheck"):
            assert self.lies() == [at]
            if at == step:
                return
            if at == "countersign":
                self.act("clerk.dep", "countersign", opinion="agree", text="无不同意见")
            else:
                who, verb = {"review": ("rev", service.review), "sign": ("head", service.sign)}[at]
                verb(desk(f"{who}.{self.node}"), self.doc, opinion="同意。")

    def give_back(self, step: str) -> None:
        """Returned to the drafter from a step."""
        if step == "countersign":
            self.act("clerk.dep", "return", text="请补充依据", to="drafter")
        else:
            who = {"review": "rev", "sign": "head", "recheck": "clerk"}[step]
            service.give_back(self.town.desk(f"{who}.{self.node}"), self.doc, reason="请补充依据")


def drafted(town: Town, kind: str) -> str:
    """A draft of the kind, as the drafting form would keep it."""
    node, to, _step = CASES[kind]
    values: dict[str, object] = {"title": f"关于{kind}一事的文件", "text": "一、总体要求\n各单位要高度重视。"}
    if kind == "reply":
        asked = Paper("county1", "request", "关于增拨经费的请示", "妥否，请批示。", ("city",), reply_required=True)
        request = service.send(town.desk("head.county1"), asked).doc
        town.carry()
        came = town.desk("clerk.city").list(Incoming, Incoming.doc == request)[0]
        service.sign_for(town.desk("clerk.city"), came.id)
        return service.draft(town.desk("plain.city"), service.reply_paper(town.desk("clerk.city"), came))
    return service.draft(town.desk(f"plain.{node}"), fitting(Paper(node, kind, to=to, **values)))  # type: ignore[arg-type]


@pytest.mark.row("A1")
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_goes_its_whole_way(town: Town, kind: str) -> None:
    """From the draft, with one return, to the archives; sealed where the kind has a seal, signed for by whom it names, and refolded the same."""
    node, to, step = CASES[kind]
    road = Road(town, drafted(town, kind), node)
    road.until(step)
    road.give_back(step)
    assert (town.desk(f"plain.{node}").get(Document, road.doc).state, road.lies()) == ("returned", ["draft"])
    road.until("recheck")
    desk = town.desk
    prefix = town.desk(f"clerk.{node}").directory.organ(node).doc_prefixes[0]  # type: ignore[union-attr]
    name = service.number(desk(f"clerk.{node}"), road.doc, prefix=prefix)
    assert road.lies() == (["seal"] if KINDS[kind].sealed else ["dispatch"])
    if KINDS[kind].sealed:
        service.seal(desk(f"keeper.{node}"), road.doc)
    service.dispatch(desk(f"clerk.{node}"), road.doc)
    town.carry()
    assert {row.organ for row in desk(f"clerk.{node}").list(Delivery, Delivery.doc == road.doc)} == set(to)
    for organ in to:
        (came,) = desk(CLERKS[organ]).list(Incoming, Incoming.doc == road.doc, Incoming.organ == organ)
        assert (came.kind, came.number) == (kind, name)
        service.sign_for(desk(CLERKS[organ]), came.id)
    item = desk(f"clerk.{node}").get(Item, item_id(road.doc, node))
    (code,) = archives.arrange(desk(f"clerk.{node}"), [archives.Choice(item=item.id, retention="D30")])
    assert code.startswith({"city": "Z1", "county1": "Z2"}[node]) and road.lies() == ["file"]
    (sent,) = desk(f"clerk.{node}").list(Act, Act.id == item.said)
    pass_filing(town.node(node), sent.doc, node, code)
    pass_filing(town.node(node), sent.doc, node, code)  # told twice, done once
    state = Pen(desk(f"clerk.{node}"), FLOWS, road.doc).state
    assert state.ended and [(line.person, line.text) for line in state.trail if line.step == "file"] == [("", code)]
    assert desk(f"clerk.{node}").get(Document, road.doc).state == "dispatched"
    done = {str(what): who for what, who in passed_by(desk(f"clerk.{node}"), desk(f"clerk.{node}").get(Document, road.doc))}
    assert all(done[step] for step in ("会签", "核稿", "复核")) and "核稿" in done["核稿"]
    town.verify(lambda: None)
    assert all("R2" in row.receipts for row in service.matrix(desk(f"clerk.{node}"), road.doc))


@pytest.mark.row("A1")
def test_each_kind_has_its_own_page() -> None:
    """函 and 批复 are letters, 命令 and 纪要 have formats of their own; nobody is asked to answer what needs no answer."""
    assert {kind: about.form for kind, about in KINDS.items() if about.form != "file"} == {
        "order": "order",
        "reply": "letter",
        "letter": "letter",
        "minutes": "minutes",
    }
    assert [kind for kind, about in KINDS.items() if about.upward] == ["report", "request"]
    assert [kind for kind, about in KINDS.items() if not about.sealed] == ["minutes"]
    asked = {"reply_required": True, "due": 5, "due_rule": "set"}
    for kind, about in KINDS.items():
        kept = fitting(Paper("city", kind, "题", "文", ("county1",), **asked))  # type: ignore[arg-type]
        assert kept.reply_required is (about.answer != "never") and bool(kept.due) is kept.reply_required
        assert kept.to == (() if about.public else ("county1",))
        assert kept.label == ("public" if about.public else "internal")
        assert kept.openness == ("proactive" if about.public else "")
    assert fitting(Paper("city", "request", "题", "文", ("x",))).reply_required


def test_the_sheet_names_the_signer_of_what_goes_up_and_no_seal_on_minutes(town: Town) -> None:
    """签发人 stands on 请示 and 报告 alone; a seal under anything but minutes; both sheets agree on it."""
    mark = Mark("seal.city", bytes(32), bytes(32), b"")
    for kind, (node, to, _step) in CASES.items():
        desk = town.desk(f"clerk.{node}")
        bare = service.preview(desk, fitting(Paper(node, kind, "关于某事的文件", "正文。", to)))
        envelope = msgspec.structs.replace(bare, signer="周某", signed_on="2026-11-23", seal=mark)
        shown, pdf = sheet(desk, envelope, "x"), printed(desk, envelope)
        assert bool(shown.signer) is bool(pdf.signers) is (kind in ("request", "report")), kind
        assert bool(pdf.seals) is (kind != "minutes"), kind
