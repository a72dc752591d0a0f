"""Joint issue: three organs on three nodes issue one document; each countersigns at home, the one in the lead numbers it, all of them file it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from node import certs, clock, keys, persons
from node.codec import uuid7
from node.directory import entries as said
from node.directory import writing
from node.errors import Conflict, Invalid, Missing, Refused
from office.archives.entries import item_id
from office.archives.model import Item
from office.documents import entries, jointly, prints, service, sheets
from office.documents.entries import Paper, agreed, party_id, rendering_digest, seal_signed
from office.documents.envelopes import mark_of
from office.documents.model import Act, Delivery, Document, Incoming, Letter, Party
from office.documents.proving import doubts, of_issuers
from office.documents.trays import incoming_line
from office.frame.todo import Column
from office.people import lending
from office.people.model import SealUse
from tests.office.desks import Town, opened
from tests.portal.gate import Gate, Visitor

pytestmark = pytest.mark.row("A13")
STAFF = (
    ("head", "领导", ("signer", "reviewer")),
    ("clerk", "文书", ("registry_clerk", "seal_keeper", "archivist")),
    ("plain", "科员", ()),
)
LEAD, FIRST, SECOND = "county1", "dep.city", "county2"
"The government of one county leads; a department of the city and the government of another county issue with it: one level, three nodes."
AT_CITY = "clerk.dep.city"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A city and two counties; each of the three organs has a seal with a keeper."""
    with opened(tmp_path_factory.mktemp("joint"), counties=2, townships=0, staff=STAFF, only=("documents", "flows", "archives", "people")) as made:
        city = made.offices["city"]
        post = city.directory.post("post.dep.city")
        assert post is not None
        roles = ("registry_clerk", "signer", "seal_keeper", "archivist")
        writing.write(city.ledger, city.settings, city.directory, [msgspec.structs.replace(post, roles=roles)])
        for organ, node, keeper in ((LEAD, "county1", "clerk.county1"), (FIRST, "city", AT_CITY), (SECOND, "county2", "clerk.county2")):
            _sealed(made, organ, node, keeper)
        made.carry()
        for office in made.offices.values():
            office.directory.refresh()
        yield made


def _sealed(town: Town, organ: str, node: str, keeper: str) -> None:
    office, id = town.offices[node], f"seal-{organ}"
    persons.store(office.settings, town.doors[keeper], "correct horse battery")
    cert = persons.new_seal_key(office.settings, id, organ, organ, (keeper,), dt.datetime.now(dt.UTC))
    writing.write(office.ledger, office.settings, office.directory, [said.Certified(id, certs.der(cert), organ)])
    office.directory.refresh()


def paper(**more: object) -> Paper:
    """A notice of the lead to its own department, to be issued by all three."""
    values = {
        "organ": LEAD,
        "kind": "notice",
        "title": "关于联合开展河道清理的通知",
        "text": "一、总体要求\n三家联合清理界河。",
        "to": ("dep.county1",),
    }
    return Paper(**(values | {"joint": (FIRST, SECOND)} | more))  # type: ignore[arg-type]


def signed(town: Town, **more: object) -> str:
    """A draft that the lead's own leader has signed."""
    desk = town.desk
    doc = service.draft(desk("plain.county1"), paper(**more))
    service.submit(desk("plain.county1"), doc)
    service.review(desk("head.county1"), doc)
    service.sign(desk("head.county1"), doc)
    return doc


def row(town: Town, person: str, doc: str, organ: str) -> Party:
    """What a person sees of an organ that is to issue a document."""
    return town.desk(person).get(Party, party_id(doc, organ))


def states(town: Town, doc: str) -> dict[str, str]:
    """Where each organ stands, as the lead knows."""
    return {one.organ: one.state for one in town.desk("clerk.county1").list(Party, Party.doc == doc)}


def test_three_organs_on_three_nodes_issue_one_document(town: Town) -> None:
    """Asked, countersigned and sealed at home, numbered by the lead alone, dated by the last signer, sealed in order, sent, filed by all three."""
    desk = town.desk
    doc = signed(town)
    with pytest.raises(Refused, match="会签"):
        service.number(desk("clerk.county1"), doc, prefix=prefix(town))
    town.verify(lambda: service.consult(desk("clerk.county1"), doc))
    with pytest.raises(Conflict):
        service.consult(desk("clerk.county1"), doc)
    assert row(town, "head.county2", doc, SECOND).envelope.paper.text == paper().text
    today = service_day(town)
    town.verify(lambda: service.consent(desk(AT_CITY), party_id(doc, FIRST), opinion="同意。", on=today - dt.timedelta(days=1)))
    with pytest.raises(Refused, match="云2县政府"):
        service.number(desk("clerk.county1"), doc, prefix=prefix(town))
    service.consent(desk("head.county2"), party_id(doc, SECOND))
    town.carry()
    assert states(town, doc) == {FIRST: "agreed", SECOND: "agreed"}
    number = service.number(desk("clerk.county1"), doc, prefix=prefix(town))
    with pytest.raises(Refused, match="用印"):
        service.seal(desk("clerk.county1"), doc)
    town.verify(lambda: service.seal_consent(desk("clerk.county2"), party_id(doc, SECOND)))
    service.seal_consent(desk(AT_CITY), party_id(doc, FIRST))
    town.carry()
    service.seal(desk("clerk.county1"), doc)
    town.verify(lambda: service.dispatch(desk("clerk.county1"), doc))
    for person, organ, keeper in ((AT_CITY, FIRST, AT_CITY), ("clerk.county2", SECOND, "clerk.county2")):
        mine = row(town, person, doc, organ)
        assert (mine.state, mine.number) == ("issued", number)
        envelope = desk(person).get(Letter, doc).envelope
        assert (envelope.paper.organ, envelope.paper.joint, envelope.signed_on) == (LEAD, (FIRST, SECOND), today.isoformat())
        assert [one.signer for one in envelope.issuers] == [desk(AT_CITY).name, desk("head.county2").name]
        assert [directory_seal(town, mark.fingerprint) for mark in envelope.seals] == [FIRST, SECOND]
        (use,) = desk(person).list(SealUse, SealUse.doc == doc)
        assert (use.seal, use.person, use.number, use.what) == (f"seal-{organ}", keeper, number, paper().title)
        items = desk(person).list(Item, Item.id == item_id(doc, organ))
        assert [(one.title, one.doc_no, one.incoming) for one in items] == [(paper().title, number, False)]
    assert [one.organ for one in desk("clerk.county1").list(Item, Item.doc == doc)] == [LEAD]
    names = (envelope.issuer, *(one.name for one in envelope.issuers))
    printed, seen = prints.paper(desk("clerk.county2"), envelope), sheets.sheet(desk("clerk.county2"), envelope, doc)
    assert printed.organs == tuple(seal.name for seal in printed.seals) == names and printed.printer == names[0]
    assert (seen.head, seen.tail, seen.joint) == (names[0], "文件", ((names[1], True), (names[2], True)))
    (delivery,) = desk("clerk.county1").list(Delivery, Delivery.doc == doc)
    assert delivery.organ == "dep.county1"


def service_day(town: Town) -> dt.date:
    """Today in the prefecture."""
    return town.desk("clerk.county1").now.astimezone(dt.timezone(dt.timedelta(hours=8))).date()


def prefix(town: Town) -> str:
    """The lead's first series."""
    organ = town.desk("clerk.county1").directory.organ(LEAD)
    assert organ is not None
    return organ.doc_prefixes[0]


def directory_seal(town: Town, fingerprint: bytes) -> str:
    """The organ whose seal a fingerprint names, as any node knows."""
    signer = town.desk("clerk.county2").directory.signer(fingerprint)
    return signer.organ if signer is not None else ""


def heard(town: Town, **ago: int) -> None:
    """Let the lead's courier have heard each node so many seconds ago."""
    told = {town.homes[node].id: clock.ms() - seconds * 1000 for node, seconds in ago.items()}
    town.offices["county1"].settings.path("run", "links.json").write_text(json.dumps({"heard": told, "links": []}))


def shown(town: Town, doc: str) -> dict[str, Any]:
    """What the lead's page shows of the others."""
    desk = town.desk("clerk.county1")
    document = desk.get(Document, doc)
    found = jointly.shown(desk, document, service.envelope(desk, document))
    assert found is not None
    return found


def test_an_organ_that_is_off_line_is_waited_for_and_signs_at_home(town: Town) -> None:
    """Its line is cut for days: the lead sees for whom it waits, unknown since when; cut off, the organ signs what it has; nothing is merged."""
    desk = town.desk
    doc = signed(town, title="关于联合值守水闸的通知")
    service.consult(desk("clerk.county1"), doc)
    town.carry()
    first, second = party_id(doc, FIRST), party_id(doc, SECOND)
    service.consent(desk(AT_CITY), first)
    service.seal_consent(desk(AT_CITY), first)
    service.consent(desk("head.county2"), second, opinion="同意联合发文。")  # its line is cut from here on
    service.seal_consent(desk("clerk.county2"), second)
    town.carry("city", "county1")
    heard(town, city=1, county2=2 * 86_400)
    found = shown(town, doc)
    there, cut = ({one["organ"]: one for one in found["rows"]}[organ] for organ in (FIRST, SECOND))
    assert found["waits"] == "等候云2县政府会签" and found["tone"] == "info"
    assert there["state"] == "agreed_sealed" and there["reached"]["text"] == "已送达" and "失联" not in there["reached"]["sub"]
    assert cut["state"] == "asked" and "失联" in cut["reached"]["sub"] and cut["reached"]["tone"] == "warn"
    (item,) = [one for one in service.todo(desk("clerk.county1")) if one.url == f"/documents/{doc}"]
    assert (item.column, item.about) == (Column.HAND, "等候云2县政府会签")
    assert not {"number", "issue", "seal", "dispatch"} & set(service.moves(desk("clerk.county1"), desk("clerk.county1").get(Document, doc)))
    town.carry()
    assert states(town, doc) == {FIRST: "agreed_sealed", SECOND: "agreed_sealed"}
    assert service.issue(desk("clerk.county1"), doc, prefix=prefix(town))
    town.carry()
    assert [row(town, who, doc, organ).state for who, organ in ((AT_CITY, FIRST), ("head.county2", SECOND))] == ["issued", "issued"]


def test_an_organ_that_does_not_answer_is_urged_three_times(town: Town) -> None:
    """The lead's clerk urges who is awaited and nobody else; the organ reads it above its page and both in their accounts; a fourth time is refused,
    whoever answered needs none, a new text begins anew, and no other organ speaks for the lead."""
    desk = town.desk
    doc = signed(town, title="关于联合清障的通知")
    service.consult(desk("clerk.county1"), doc)
    town.carry()
    with pytest.raises(Conflict):
        service.urge_issuer(desk("clerk.county1"), doc, organ=LEAD)
    with pytest.raises((Refused, Missing)):
        service.urge_issuer(desk("plain.county1"), doc, organ=FIRST)
    assert town.verify(lambda: service.urge_issuer(desk("clerk.county1"), doc, organ=SECOND, text="请于今日会签。")) == 1
    there = row(town, "head.county2", doc, SECOND)
    assert (there.urged, there.urging) == (1, "请于今日会签。") and row(town, AT_CITY, doc, FIRST).urged == 0
    assert [(one["urged"] != "", one["organ"]) for one in shown(town, doc)["rows"]] == [(False, FIRST), (True, SECOND)]
    service.urge_issuer(desk("clerk.county1"), doc, organ=SECOND)
    service.urge_issuer(desk("clerk.county1"), doc, organ=SECOND)
    with pytest.raises(Conflict, match="三次"):
        service.urge_issuer(desk("clerk.county1"), doc, organ=SECOND)
    service.consent(desk("head.county2"), party_id(doc, SECOND))
    service.seal_consent(desk("clerk.county2"), party_id(doc, SECOND))
    town.carry()
    with pytest.raises(Conflict, match="不需要"):
        service.urge_issuer(desk("clerk.county1"), doc, organ=SECOND)
    assert len(desk("clerk.county2").list(Act, Act.doc == doc, Act.kind == "documents.consent_urged")) == 3


def test_nobody_waits_for_ever_a_signer_is_dropped_or_added_for_a_reason(town: Town) -> None:
    """The lead drops who does not answer and adds another; what the others signed stands, all of them see the reason, the sheet names who is left."""
    desk = town.desk
    doc = signed(town, title="关于联合巡查的通知", joint=(SECOND,))
    with pytest.raises(Refused):
        service.add_issuer(desk("clerk.county1"), doc, organ=FIRST, reason="涉及其职权")
    service.consult(desk("clerk.county1"), doc)
    town.verify(lambda: service.add_issuer(desk("clerk.county1"), doc, organ=FIRST, reason="涉及其职权"))
    service.consent(desk(AT_CITY), party_id(doc, FIRST))
    service.seal_consent(desk(AT_CITY), party_id(doc, FIRST))
    with pytest.raises(Invalid):
        service.drop_issuer(desk("clerk.county1"), doc, organ=SECOND, reason=" ")
    for person in ("plain.county1", "clerk.dep.county1"):
        with pytest.raises((Refused, Missing)):
            service.drop_issuer(desk(person), doc, organ=SECOND, reason="久未答复")
    town.verify(lambda: service.drop_issuer(desk("clerk.county1"), doc, organ=SECOND, reason="线路中断，久未答复"))
    assert states(town, doc) == {FIRST: "agreed_sealed", SECOND: "dropped"}
    gone = row(town, "head.county2", doc, SECOND)
    assert (gone.state, gone.reason) == ("dropped", "线路中断，久未答复")
    with pytest.raises(Conflict):
        service.consent(desk("head.county2"), gone.id)
    told = [act.text for act in desk(AT_CITY).list(Act, Act.doc == doc, Act.kind == "documents.consent_asked")]
    assert "线路中断，久未答复" in told
    service.issue(desk("clerk.county1"), doc, prefix=prefix(town))
    town.carry()
    envelope = desk(AT_CITY).get(Letter, doc).envelope
    assert envelope.paper.joint == (FIRST,) and len(envelope.seals) == 1
    with pytest.raises(Missing):
        desk("head.county2").get(Letter, doc)
    assert not desk("clerk.county2").list(Item, Item.doc == doc)


def test_a_text_that_is_returned_is_put_before_all_of_them_anew(town: Town) -> None:
    """One returns it with a reason: the lead takes it back, nobody can sign it meanwhile, and old signatures count no more."""
    desk = town.desk
    doc = signed(town, title="关于联合防汛的通知")
    service.consult(desk("clerk.county1"), doc)
    town.carry()
    first, second = party_id(doc, FIRST), party_id(doc, SECOND)
    service.consent(desk(AT_CITY), first)
    with pytest.raises(Invalid):
        service.refuse_consent(desk("head.county2"), second, reason="")
    town.verify(lambda: service.refuse_consent(desk("head.county2"), second, reason="第二条与我县职责不符"))
    assert shown(town, doc)["waits"] == "云2县政府退回会签：第二条与我县职责不符"
    (item,) = [one for one in service.todo(desk("clerk.county1")) if one.url == f"/documents/{doc}"]
    assert item.column is Column.TODO and "退回会签" in item.about
    town.verify(lambda: service.give_back(desk("clerk.county1"), doc, reason="按会签意见修改"))
    assert states(town, doc) == {FIRST: "held", SECOND: "held"}
    with pytest.raises(Conflict):
        service.consent(desk("head.county2"), second)
    better = paper(title="关于联合防汛的通知", text="一、总体要求\n按职责分工清理。")
    with pytest.raises(Refused):
        service.revise(desk("plain.county1"), doc, msgspec.structs.replace(better, joint=(FIRST,)))
    service.revise(desk("plain.county1"), doc, better)
    service.submit(desk("plain.county1"), doc)
    service.review(desk("head.county1"), doc)
    service.consult(desk("clerk.county1"), doc)  # before the lead's own leader signs
    service.sign(desk("head.county1"), doc)
    town.carry()
    assert states(town, doc) == {FIRST: "asked", SECOND: "asked"}
    assert row(town, "head.county2", doc, SECOND).envelope.paper.text == better.text
    service.consent(desk(AT_CITY), first)
    service.consent(desk("head.county2"), second)
    town.carry()
    assert states(town, doc) == {FIRST: "agreed", SECOND: "agreed"}
    service.void(desk("clerk.county1"), doc, reason="不再发文")
    town.carry()
    assert row(town, "head.county2", doc, SECOND).state == "held"


def test_a_text_that_changed_on_the_way_is_not_issued_on_old_signatures(town: Town) -> None:
    """Signatures are for one text by its digest: the seal of an organ stands under that text alone, and no other issues with it."""
    desk = town.desk
    doc = signed(town, title="关于联合检查的通知", joint=(FIRST,))
    service.consult(desk("clerk.county1"), doc)
    town.carry()
    service.consent(desk(AT_CITY), party_id(doc, FIRST))
    service.seal_consent(desk(AT_CITY), party_id(doc, FIRST))
    town.carry()
    service.issue(desk("clerk.county1"), doc, prefix=prefix(town))
    town.carry()
    reader = desk(AT_CITY)
    envelope = reader.get(Letter, doc).envelope
    (mark,) = envelope.seals
    signer = reader.directory.signer(mark.fingerprint)
    assert signer is not None and mark.digest == rendering_digest(agreed(envelope))
    keys.verify(signer.key, mark.signature, seal_signed(mark.digest))
    (good,) = of_issuers(reader, doc, envelope)
    assert good.good and "云市财政局" in str(good.text)
    forged = msgspec.structs.replace(envelope, paper=msgspec.structs.replace(envelope.paper, text="另一份正文。"))
    (bad,) = of_issuers(reader, doc, forged)
    assert bad.tone == "bad"
    with pytest.raises(Refused, match="联合发文"):
        service.correct(desk("clerk.county1"), doc, envelope.paper, note="更正")
    service.recall(desk("clerk.county1"), doc, reason="另行发文")
    town.carry()
    assert row(town, AT_CITY, doc, FIRST).state == "recalled" and not desk(AT_CITY).list(Item, Item.doc == doc, Item.guess != "")


def test_a_node_that_writes_other_names_than_its_own_is_seen_through(town: Town) -> None:
    """A county sends in the city's name and with an organ that never heard of it: the reader sees who sent it, and what is not proved."""
    sender, reader = town.desk("clerk.county1"), town.desk("clerk.county2")
    doc, at = uuid7(), {office: town.offices[office].settings.id for office in ("county1", "county2")}
    false = entries.Issuer("dep.city", at["county2"], "滨州市人民政府", "某某", "2026-11-20")
    to = (entries.Recipient(SECOND, at["county2"], entries.Role.TO),)
    envelope = entries.Envelope(
        paper(to=(SECOND,), joint=("dep.city",)), "滨政发〔2026〕1号", "滨州市人民政府", "某某", "2026-11-20", to, issuers=(false,)
    )
    envelope = msgspec.structs.replace(envelope, seal=mark_of(sender, envelope, LEAD))
    sender.write(entries.Dispatched(envelope), record=doc, to=(at["county2"],))
    town.carry()
    found = doubts(reader, doc, reader.get(Letter, doc).envelope)
    lead, other = (reader.directory.organ(id) for id in (LEAD, "dep.city"))
    assert lead is not None and other is not None and lead.full_name != "滨州市人民政府"
    assert [one.tone for one in found] == ["bad", "bad", "warn"]
    assert [lead.full_name in found[0].text, other.full_name in found[1].text, other.full_name in found[2].text] == [True] * 3
    (line,) = [incoming_line(reader, row) for row in reader.list(Incoming, Incoming.doc == doc)]
    assert line["from"].startswith(lead.full_name) and "滨州市人民政府" in line["from"]
    assert not doubts(reader, doc, msgspec.structs.replace(envelope, issuer=lead.full_name, issuers=()))


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Town]:
    """Three nodes for one test, in which something is said that has no effect."""
    with opened(tmp_path, counties=2, townships=0, staff=STAFF, only=("documents", "flows")) as made:
        yield made


def test_words_that_nobody_asked_for_have_no_effect(own: Town) -> None:
    """An answer of an organ that was not asked counts for nothing; nobody numbers a document before the others are asked, or sends it in one step."""
    desk = own.desk
    doc = signed(own, title="关于联合宣传的通知", joint=(FIRST,))
    stranger = desk("head.county2")
    content = entries.Consented(doc, SECOND, bytes(32), "同意。", service_day(own), stranger.name)
    stranger.write(content, record=party_id(doc, SECOND), to=(own.homes["county1"].id,))
    own.carry()
    assert states(own, doc) == {} and own.offices["county1"].ledger.book.shelves.living["documents"].unfolded == 1  # type: ignore[attr-defined]
    with pytest.raises(Refused, match="尚未送各机关会签"):
        service.issue(desk("clerk.county1"), doc, prefix=prefix(own))
    with pytest.raises(Refused, match="不能直接发文"):
        service.send(desk("head.county1"), paper())
    assert desk("clerk.county1").get(Document, doc).state == "signed"


def test_a_delegate_countersigns_in_the_leaders_name(town: Town) -> None:
    """By a live delegation another signs for the leader; account, sheet and envelope name both."""
    desk, today = town.desk, service_day(town)
    term = {"since": today, "until": today + dt.timedelta(days=2)}
    lending.lend(desk("head.county2"), lender="post.head.county2", borrower="post.plain.county2", scope=["signer"], basis="授权书", **term)
    doc = signed(town, title="关于联合演练的通知", joint=(SECOND,))
    service.consult(desk("clerk.county1"), doc)
    town.carry()
    mine = [one for one in service.todo(desk("plain.county2")) if one.url == f"/joint/{party_id(doc, SECOND)}"]
    assert [one.column for one in mine] == [Column.TODO]
    service.consent(desk("plain.county2"), party_id(doc, SECOND))
    town.carry()
    found = row(town, "clerk.county1", doc, SECOND)
    assert found.signer == desk("head.county2").name and found.acted == "plain.county2 授权书"
    document = desk("clerk.county1").get(Document, doc)
    (issuer,) = service.envelope(desk("clerk.county1"), document).issuers
    assert (issuer.signer, issuer.acted) == (found.signer, found.acted)


def test_both_sides_work_by_forms_alone(town: Town) -> None:
    """The drafter chooses, the clerk sends, the other organ's leader reads, returns or countersigns on a page of the own node; data says the same."""
    gates = {node: Gate(town.offices[node]) for node in ("county1", "county2")}
    try:
        people = {
            who: gates[who.rsplit(".", 1)[1]].visitor(who, lambda who=who: town.doors[who]) for who in town.doors if who.rsplit(".", 1)[1] in gates
        }
        _by_forms(town, people)
    finally:
        for gate in gates.values():
            gate.close()


def _by_forms(town: Town, people: dict[str, Visitor]) -> None:
    plain, clerk, head = people["plain.county1"], people["clerk.county1"], people["head.county1"]
    form = {
        "organ": LEAD,
        "kind": "notice",
        "title": "关于联合检修的通知",
        "body": "请按期检修。",
        "to": "dep.county1",
        "joint_shown": "1",
        "joint": SECOND,
    }
    assert "联合发文机关" in plain.get("/documents/new").text
    made = plain.ask("POST", "/documents", form)
    assert made.status == 303, made.text
    url = made.headers["location"].partition("?")[0]
    doc = url.rpartition("/")[2]
    theirs = f"/joint/{party_id(doc, SECOND)}"
    assert "未送会签" in plain.get(url).text and people["head.county2"].get(theirs).status == 404
    assert plain.ask("POST", f"{url}/submit", {}).status == 303 and head.ask("POST", f"{url}/review", {}).status == 303
    assert head.ask("POST", f"{url}/sign", {}).status == 303
    assert f"{url}/consult" in clerk.get(url).text and f"{url}/issue" not in clerk.get(url).text
    assert clerk.ask("POST", f"{url}/consult", {}).status == 303
    assert json.loads(clerk.get(f"{url}.json").body)["joint"][0]["state"] == "asked"
    assert f"{url}/urge_issuer" in clerk.get(url).text and f"{url}/urge_issuer" not in plain.get(url).text
    assert clerk.ask("POST", f"{url}/urge_issuer", {"organ": SECOND, "text": "请于今日会签。"}).status == 303
    assert "已催办 1 次" in clerk.get(url).text
    town.carry()
    told = people["head.county2"].get(theirs).text
    assert "主办机关第 1 次催办" in told and "请于今日会签。" in told
    leader, keeper, stranger = people["head.county2"], people["clerk.county2"], people["clerk.dep.county2"]
    page = leader.get(theirs).text
    assert "请按期检修。" in page and f"{theirs}/consent" in page and f"{theirs}/refuse" in page
    assert theirs in leader.get("/joint").text
    assert stranger.get(theirs).status == 404 and stranger.ask("POST", f"{theirs}/consent", {}).status == 404
    assert keeper.ask("POST", f"{theirs}/consent", {}).status == 403 and leader.ask("POST", f"{theirs}/refuse", {"text": ""}).status == 422
    assert leader.ask("POST", f"{theirs}/consent", {"text": "同意。"}).status == 303
    assert keeper.ask("POST", f"{theirs}/seal", {}).status == 303
    town.carry()
    assert "各机关都已会签" in clerk.get(url).text
    assert clerk.ask("POST", f"{url}/issue", {"prefix": prefix(town)}).status == 303
    town.carry()
    told = json.loads(keeper.get(f"{theirs}.json").body)
    assert told["number"].endswith("号") and told["doc"] == doc
    for path in (f"/documents/{doc}/print", f"/documents/{doc}/verify", theirs):
        assert keeper.get(path).status == 200 and stranger.get(path).status == 404, path
    assert "印章有效" in keeper.get(f"/documents/{doc}/verify").text
