"""Documents: every verb on a node with a real ledger, between two nodes, and what the rules, rights and numbers promise."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import msgspec
import pytest

from node import certs, keys, persons, tier
from node.directory import entries as said
from node.directory import lines, writing
from node.errors import Conflict, Missing, NodeError, Refused
from office.documents import service
from office.documents.entries import Cited, Paper, rendering_digest, seal_signed
from office.documents.model import Act, Delivery, Document, Incoming, Letter, Validity
from office.frame.desk import Desk
from office.frame.office import Office
from office.frame.todo import Column
from office.frame.words import speaking
from tests import city as cities
from tests.office.desks import carry

PASSWORD = "correct horse battery"
PEOPLE = {
    "city": (
        ("li", "李文书", "registry_clerk"),
        ("wang", "王核稿", "reviewer"),
        ("zhao", "赵市长", "signer"),
        ("sun", "孙印章", "seal_keeper"),
        ("qian", "钱科员", ""),
    ),
    "county1": (("zhou", "周文书", "registry_clerk"), ("wu", "吴县长", "signer"), ("zheng", "郑科员", "")),
}
ORGANS = {
    "city": ("gov", "云市人民政府", "市政府", "city", ""),
    "county1": ("cgov", "云一县人民政府", "云一县政府", "county", "gov"),
}


def _lines(node: str) -> list[str]:
    id, full, short, level, above = ORGANS[node]
    prefixes = [f"{id}政发", f"{id}政字"]
    found: list[dict[str, object]] = [
        {
            "type": "organ",
            "id": id,
            "full_name": full,
            "short_name": short,
            "kind": "government",
            "tier": level,
            "parent_id": above,
            "may_issue": True,
            "doc_prefixes": prefixes,
        },
        {
            "type": "organ",
            "id": f"{id}-fin",
            "full_name": full[:2] + "财政局",
            "short_name": short[:2] + "财政局",
            "kind": "department",
            "tier": level,
            "parent_id": id,
            "may_issue": True,
            "doc_prefixes": [f"{id}财发"],
        },
    ]
    for person, name, role in PEOPLE[node]:
        found.append({"type": "post", "id": f"post-{person}", "organ": id, "title": name, "roles": [role] if role else []})
        found.append({"type": "person", "id": person, "name": name, "organ": id, "login": person, "posts": [f"post-{person}"]})
    found.append({"type": "post", "id": f"post-{id}-fin", "organ": f"{id}-fin", "title": "财政局文书", "roles": ["registry_clerk", "signer"]})
    found.append({"type": "person", "id": f"fin-{id}", "name": "财文书", "organ": f"{id}-fin", "login": f"fin-{id}", "posts": [f"post-{id}-fin"]})
    if node == "county1":
        found.append({"type": "list", "id": "all", "name": "各县（市、区）人民政府", "organs": ["cgov"]})
    return [json.dumps(line) for line in found]


@dataclasses.dataclass
class World:
    """Two running nodes with offices, and keys of their people."""

    city: cities.City
    offices: dict[str, Office]
    doors: dict[str, persons.Door]
    where: dict[str, str]

    def desk(self, person: str) -> Desk:
        """A person's desk at the person's own node."""
        return Desk(self.offices[self.where[person]], person=person, door=lambda: self.doors[person])

    def carry(self) -> None:
        """Bring over what each node lacks, both ways, range statements too."""
        names = list(self.offices)
        while sum(carry(self.offices[a], self.offices[b]) for a in names for b in names if a != b):
            pass


def _ready(office: Office) -> bool:
    try:
        office.ledger.status()
        office.directory.refresh()
    except NodeError:
        return False
    return True


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A city and a county."""
    with started(tmp_path_factory.mktemp("documents"), "sqlite") as found:
        yield found


@contextmanager
def started(folder: Path, storage: str, *, counties: int = 1) -> Iterator[World]:
    """A city and a county with their ledgers running, people with keys, and a seal of the city's government."""
    made = cities.build(folder, counties=counties, townships=0, storage=storage)
    with cities.running(made):
        found = World(made, {}, {}, {})
        for name in ("city", "county1"):
            made[name].start("ledger")
            found.offices[name] = Office(made[name].settings, tier.load(made[name].settings.tier))
        for name, office in found.offices.items():
            cities.wait(lambda office=office: _ready(office), why=partial(made[name].output, "ledger"))
        city = found.offices["city"]
        writing.introduce(city.ledger, city.settings, city.directory)
        writing.write(city.ledger, city.settings, city.directory, made["city"].says[1:])
        found.carry()
        for name, office in found.offices.items():
            _people(found, name, office)
            found.carry()
        for office in found.offices.values():
            office.directory.refresh()
        yield found
        for office in found.offices.values():
            office.close()


def _people(found: World, node: str, office: Office) -> None:
    directory = office.directory
    directory.refresh()
    plan = lines.plan(directory, _lines(node))
    assert plan.refused == []
    writing.write(office.ledger, office.settings, directory, plan.contents)
    directory.refresh()
    now = dt.datetime.now(dt.UTC)
    for person, name, *_ in (*PEOPLE[node], (f"fin-{ORGANS[node][0]}", "财文书")):
        cert = persons.new_person_key(office.settings, person, name, PASSWORD, now, first=False)
        writing.write(office.ledger, office.settings, directory, [said.Certified(person, certs.der(cert), "")])
        found.doors[person] = persons.open_person_key(office.settings, person, PASSWORD)
        found.where[person] = node
    if node == "city":
        cert = persons.new_seal_key(office.settings, "seal-gov", "gov", "云市人民政府", ("sun",), now)
        writing.write(office.ledger, office.settings, directory, [said.Certified("seal-gov", certs.der(cert), "gov")])
        directory.refresh()


def verified(world: World, act: Callable[[], object]) -> object:
    """Do a verb, carry it, then rebuild every node's tables from the journals: they must be what they were."""
    done = act()
    world.carry()
    for office in world.offices.values():
        for room, (living, rebuilt) in office.ledger.ask("refold").items():
            assert living == rebuilt, room
    return done


def paper(**more: object) -> Paper:
    """A letter from the city's government to the county's."""
    values = {"organ": "gov", "kind": "notice", "title": "关于做好防汛工作的通知", "text": "一、提高认识\n各县要高度重视。", "to": ("cgov",)}
    return Paper(**(values | more))  # type: ignore[arg-type]


def arrived(world: World, person: str, doc: str, organ: str = "cgov") -> Incoming:
    """What a person sees of a document that came in."""
    return world.desk(person).list(Incoming, Incoming.doc == doc, Incoming.organ == organ)[0]


def issued(world: World, **more: object) -> str:
    """A document that was drafted, reviewed, signed, numbered, sealed and dispatched, and has been carried."""
    doc = service.draft(world.desk("qian"), paper(**more))
    service.submit(world.desk("qian"), doc)
    service.review(world.desk("wang"), doc, opinion="拟同意。")
    service.sign(world.desk("zhao"), doc, opinion="同意印发。")
    service.number(world.desk("li"), doc, prefix="gov政发")
    service.seal(world.desk("sun"), doc)
    service.dispatch(world.desk("li"), doc)
    world.carry()
    return doc


def test_a_document_goes_the_whole_way_and_every_step_refolds_to_the_same(world: World) -> None:
    """From draft to answer every verb leaves tables that a rebuild of either node reproduces."""
    doc = str(verified(world, lambda: service.draft(world.desk("qian"), paper())))
    verified(world, lambda: service.revise(world.desk("qian"), doc, paper(text="改后的正文。", read_required=True)))
    verified(world, lambda: service.submit(world.desk("qian"), doc, note="请核。"))
    verified(world, lambda: service.give_back(world.desk("wang"), doc, reason="缺依据。"))
    assert world.desk("qian").get(Document, doc).state == "returned"
    verified(world, lambda: service.submit(world.desk("qian"), doc))
    verified(world, lambda: service.review(world.desk("wang"), doc, opinion="拟同意。"))
    verified(world, lambda: service.sign(world.desk("zhao"), doc))
    number = verified(world, lambda: service.number(world.desk("li"), doc, prefix="gov政字"))
    assert str(number).startswith("gov政字〔") and str(number).endswith("〕1号")
    verified(world, lambda: service.seal(world.desk("sun"), doc))
    verified(world, lambda: service.dispatch(world.desk("li"), doc))
    row = arrived(world, "zhou", doc)
    assert (row.state, row.number, row.title) == ("delivered", number, "关于做好防汛工作的通知")
    verified(world, lambda: service.sign_for(world.desk("zhou"), row.id))
    before = len(world.desk("zhou").list(Incoming, Incoming.organ == "cgov", Incoming.register != "", limit=None))
    verified(world, lambda: service.register(world.desk("zhou"), row.id))
    assert arrived(world, "zhou", doc).register.endswith(f"-云一县政府-{before + 1:05}")
    verified(world, lambda: service.assign(world.desk("wu"), row.id, lead="zheng", readers=["zhou"], opinion="请办理。"))
    verified(world, lambda: service.read(world.desk("zhou"), row.id))
    verified(world, lambda: service.answer(world.desk("zheng"), row.id, text="已部署。"))
    verified(world, lambda: service.close(world.desk("zhou"), row.id, note="归档。"))
    assert arrived(world, "zheng", doc).state == "closed"
    (line,) = service.matrix(world.desk("li"), doc)
    assert {code: act.name for code, act in line.receipts.items()} == {"R2": "周文书", "R3": "周文书", "R4": "郑科员"}
    assert line.delivered is not None and line.silent


def test_one_step_issue_is_once_for_one_id(world: World) -> None:
    """Who may sign issues in one step; the same id and content is answered as before, other content is a conflict, and others may not."""
    sent = verified(world, lambda: service.send(world.desk("zhao"), paper(title="关于一步发文的通知"), prefix="gov政字"))
    assert isinstance(sent, service.Sent)
    again = service.send(world.desk("zhao"), paper(title="关于一步发文的通知"), doc=sent.doc, prefix="gov政字")
    assert (again.ref, again.number, again.repeated) == (sent.ref, sent.number, True)
    with pytest.raises(Conflict):
        service.send(world.desk("zhao"), paper(title="关于别的事的通知"), doc=sent.doc)
    for person in ("li", "qian", "wang"):
        with pytest.raises(Refused) as refused:
            service.send(world.desk(person), paper())
        assert refused.value.exit_code == 4
    assert arrived(world, "zhou", sent.doc).state == "delivered"


def test_a_seal_signs_what_is_printed(world: World) -> None:
    """The seal's certificate signs the rendered text; a change of the recipients after sealing is noticed before dispatch."""
    doc = issued(world)
    envelope = world.desk("li").get(Letter, doc).envelope
    assert envelope.seal is not None and envelope.seal.digest == rendering_digest(envelope)
    signer = world.desk("zhou").directory.signer(envelope.seal.fingerprint)
    assert signer is not None and (signer.kind, signer.organ) == ("seal", "gov")
    keys.verify(signer.key, envelope.seal.signature, seal_signed(envelope.seal.digest))
    changed = msgspec.structs.replace(envelope, number="gov政发〔2026〕999号")
    assert rendering_digest(changed) != envelope.seal.digest
    with pytest.raises(Refused):
        service.seal(world.desk("zhao"), service.draft(world.desk("qian"), paper()))


@pytest.mark.row("B8")
def test_a_recall_is_silent_before_and_a_request_after_signing_for(world: World) -> None:
    """Unsigned, a recalled document is gone at once; signed for, it waits until the recipient confirms, and the issuer sees who did."""
    quiet, asked = issued(world), issued(world)
    row = arrived(world, "zhou", asked)
    service.sign_for(world.desk("zhou"), row.id)
    world.carry()
    for doc in (quiet, asked):
        verified(world, lambda doc=doc: service.recall(world.desk("li"), doc, reason="有误。"))
    assert arrived(world, "zhou", quiet).state == "recalled"
    with pytest.raises(NodeError):
        service.sign_for(world.desk("zhou"), arrived(world, "zhou", quiet).id)
    assert arrived(world, "zhou", asked).state == "recall_asked"
    verified(world, lambda: service.confirm_recall(world.desk("zhou"), row.id))
    assert arrived(world, "zhou", asked).state == "recalled"
    (line,) = service.matrix(world.desk("li"), asked)
    assert line.receipts["R5"].name == "周文书"
    verified(world, lambda: service.void(world.desk("li"), quiet, reason="撤回后作废。"))
    assert world.desk("li").get(Document, quiet).number


def test_a_document_is_sent_back_with_a_reason_of_the_list(world: World) -> None:
    """Sending back needs a known reason and words; the issuer reads both in the matrix, and whoever wrote it finds it in hand again."""
    doc = issued(world)
    row = arrived(world, "zhou", doc)
    for reason, words in (("because", "x"), ("not_ours", " "), ("not_ours", "长" * 501)):
        with pytest.raises(Refused):
            service.send_back(world.desk("zhou"), row.id, reason=reason, words=words)
    verified(world, lambda: service.send_back(world.desk("zhou"), row.id, reason="not_ours", words="应送教育部门。"))
    (line,) = service.matrix(world.desk("li"), doc)
    assert (line.receipts["R2x"].reason, line.receipts["R2x"].text) == ("not_ours", "应送教育部门。")
    [waits] = [one for one in service.todo(world.desk("qian")) if one.url == f"/documents/{doc}"]
    assert waits.column is Column.HAND and "应送教育部门。" in waits.about
    with pytest.raises(NodeError):
        service.sign_for(world.desk("zhou"), row.id)


@pytest.mark.row("B8")
def test_a_corrected_issue_replaces_the_first_and_keeps_its_number(world: World) -> None:
    """A correction carries a note, adds forgotten recipients, keeps number and date, and is signed for again by who had signed."""
    bare = str(verified(world, lambda: service.send(world.desk("zhao"), paper(title="关于更正的通知")).doc))
    row = arrived(world, "zhou", bare)
    service.sign_for(world.desk("zhou"), row.id)
    world.carry()
    better = paper(title="关于更正的通知", text="更正后的正文。", to=("cgov", "cgov-fin"))
    assert verified(world, lambda: service.correct(world.desk("zhao"), bare, better, note="人名有误。"))
    letter = world.desk("zhou").get(Letter, bare)
    assert (letter.issue, letter.note, letter.envelope.paper.text) == (2, "人名有误。", "更正后的正文。")
    assert arrived(world, "fin-cgov", bare, "cgov-fin").state == "delivered"
    assert arrived(world, "zhou", bare).corrected
    assert [item.about for item in service.todo(world.desk("zhou")) if item.url.endswith(row.id)] == ["有更正件待签收"]
    verified(world, lambda: service.sign_correction(world.desk("zhou"), row.id))
    assert not arrived(world, "zhou", bare).corrected
    with pytest.raises(Conflict):
        service.sign_correction(world.desk("zhou"), row.id)
    line = next(line for line in service.matrix(world.desk("zhao"), bare) if line.organ == "cgov")
    assert [act.reason for act in (line.receipts["R2"], *line.also)] == ["", "2"]


def test_correcting_a_sealed_document_takes_two(world: World) -> None:
    """Who prepares a correction need not keep the seal: it waits for the keeper, who seals and sends it, or it is dropped."""
    doc = issued(world)
    better = paper(text="更正后的正文。")
    assert verified(world, lambda: service.correct(world.desk("li"), doc, better, note="人名有误。")) is False
    assert world.desk("zhou").get(Letter, doc).issue == 1
    assert doc in [item.url.rsplit("/", 1)[-1] for item in service.todo(world.desk("sun")) if item.about == "更正件待用印"]
    with pytest.raises(Refused):
        service.seal_correction(world.desk("li"), doc)
    verified(world, lambda: service.drop_correction(world.desk("li"), doc, reason="还要再改。"))
    with pytest.raises(Conflict):
        service.seal_correction(world.desk("sun"), doc)
    verified(world, lambda: service.correct(world.desk("zhao"), doc, better, note="人名有误。"))
    verified(world, lambda: service.seal_correction(world.desk("sun"), doc))
    letter = world.desk("zhou").get(Letter, doc)
    assert (letter.issue, letter.note, letter.envelope.paper.text) == (2, "人名有误。", "更正后的正文。")
    assert letter.envelope.seal is not None and letter.envelope.seal.digest == rendering_digest(letter.envelope)
    assert world.desk("li").get(Document, doc).better is None


def test_a_forgotten_organ_gets_the_very_same_document(world: World) -> None:
    """补发 sends the envelope as it is to organs that were left out; the others notice nothing, and the matrix has them all."""
    doc = issued(world)
    before = world.desk("zhou").get(Letter, doc).said
    verified(world, lambda: service.resend(world.desk("li"), doc, organs=("cgov-fin", "cgov"), reason="漏发。"))
    row = arrived(world, "fin-cgov", doc, "cgov-fin")
    assert (row.state, row.role) == ("delivered", "cc") and world.desk("zhou").get(Letter, doc).said == before
    verified(world, lambda: service.sign_for(world.desk("fin-cgov"), row.id))
    assert {line.organ: set(line.receipts) for line in service.matrix(world.desk("li"), doc)} == {"cgov": set(), "cgov-fin": {"R2"}}
    with pytest.raises(Refused):
        service.resend(world.desk("li"), doc, organs=("cgov-fin",), reason="又发。")


@pytest.mark.row("B8")
@pytest.mark.row("A11")
def test_every_holder_hears_that_a_document_no_longer_holds(world: World) -> None:
    """A repeal reaches each node that has a copy, and stands wherever the text is shown; who may not sign for the organ cannot say so."""
    doc = issued(world)
    with pytest.raises(Refused):
        service.lapse(world.desk("li"), doc, change="repealed", reason="已有新规定。")
    verified(world, lambda: service.lapse(world.desk("zhao"), doc, change="repealed", reason="已有新规定。"))
    for person in ("li", "zhou"):
        (found,) = world.desk(person).list(Validity, Validity.doc == doc)
        assert (found.change, found.reason) == ("repealed", "已有新规定。")


def test_the_first_to_sign_for_stands(world: World) -> None:
    """A second clerk is told who signed; a program that asks again with its key gets the first answer, with another act a conflict."""
    doc = issued(world)
    first = service.receipt(world.desk("zhou"), doc, "sign", key="k1")
    assert service.receipt(world.desk("zhou"), doc, "sign", key="k1") == first
    with pytest.raises(Conflict):
        service.receipt(world.desk("zhou"), doc, "read", key="k1")
    with pytest.raises(Conflict, match="周文书"):
        service.sign_for(world.desk("zhou"), arrived(world, "zhou", doc).id)
    world.carry()
    (row,) = service.receipts(world.desk("li"), doc)
    assert row["signed"] == first and row["by"] == "周文书" and row["silent"] and row["unknown_since"] is None


def test_the_matrix_says_what_is_unknown(world: World) -> None:
    """A recipient's node that was heard just now is not silent; one heard a minute ago is unknown since then, and so is one never heard."""
    doc, node = issued(world), world.offices["county1"].settings.id
    links = world.city["city"].path / "run" / "links.json"

    def heard(ago: int) -> service.Row:
        links.write_text(json.dumps({"heard": {node: int(world.desk("li").now.timestamp() * 1000) - ago}}))
        (row,) = service.matrix(world.desk("li"), doc)
        return row

    try:
        assert not heard(1_000).silent
        late = heard(60_000)
        assert late.silent and late.heard and service.receipts(world.desk("li"), doc)[0]["unknown_since"]
    finally:
        links.unlink()
    assert service.matrix(world.desk("li"), doc)[0].silent


def test_lists_and_local_organs_are_reached(world: World) -> None:
    """A standing list brings its members in order with the list's version; an organ of the same node gets the document at once."""
    cited = Cited("all", 1, "to")
    doc = service.send(world.desk("zhao"), paper(title="关于名单的通知", to=("gov-fin",), lists=(cited,))).doc
    world.carry()
    assert [(d.organ, d.role) for d in world.desk("zhao").list(Delivery, Delivery.doc == doc, order=Delivery.order)] == [
        ("gov-fin", "to"),
        ("cgov", "to"),
    ]
    assert arrived(world, "fin-gov", doc, "gov-fin").state == "delivered" and arrived(world, "zhou", doc).state == "delivered"
    local, remote = service.matrix(world.desk("zhao"), doc)
    assert local.delivered is not None and not local.silent and remote.delivered is not None


RULES = [
    ({"kind": "request", "title": "关于经费的请示", "organ": "cgov", "to": ("gov", "gov-fin")}, "request_one"),
    ({"kind": "request", "title": "关于经费的请示", "organ": "cgov", "to": ("gov",), "cc": ("cgov-fin",)}, "request_cc_down"),
    ({"kind": "request", "title": "关于经费的请示", "organ": "gov", "to": ("cgov",)}, "request_up"),
    ({"kind": "order", "organ": "cgov", "to": ("gov",)}, "down_kind_up"),
    ({"kind": "notice", "organ": "gov-fin", "to": ("cgov",)}, "department_orders"),
    ({"kind": "report", "organ": "cgov-fin", "to": ("gov",)}, "skips_level"),
    ({"to": ("gov",)}, "to_itself"),
    ({"title": " "}, "title_missing"),
    ({"to": ()}, "recipients_missing"),
    ({"urgency": "flash"}, "flash_reason"),
    ({"text": "绝密★启用前"}, "graded"),
    ({"title": "长" * 201}, "title_long"),
    ({"text": "长" * 30_001}, "text_long"),
    ({"kind": "poem"}, "kind"),
]


@pytest.mark.parametrize(("more", "code"), RULES, ids=[code for _, code in RULES])
def test_the_rules_of_routing_refuse(world: World, more: dict[str, object], code: str) -> None:
    """Each refusal of the rules is found, in a sentence of both languages."""
    person = "zhao" if str(more.get("organ", "gov")).startswith("gov") else "wu"
    found = service.findings(world.desk(person), paper(**more))
    assert code in [finding.code for finding in found if finding.refuses]
    for tongue in ("zh", "en"):
        with speaking(tongue):
            assert all(service.sentence(finding) for finding in found)


def test_what_only_warns_does_not_stop(world: World) -> None:
    """A long text and a report that asks are pointed out and may leave; a level may be skipped when the one between is told."""
    found = service.findings(world.desk("zhao"), paper(text="长" * 5_001))
    assert [(f.code, f.refuses) for f in found] == [("burden", False)]
    asks = service.findings(world.desk("wu"), paper(organ="cgov", kind="report", to=("gov",), text="妥否，请批示。"))
    assert [(f.code, f.refuses) for f in asks] == [("report_asks", False)]
    assert not any(f.refuses for f in service.findings(world.desk("wu"), paper(organ="cgov-fin", kind="report", to=("gov",), cc=("cgov",))))


def test_nobody_else_sees_it(world: World) -> None:
    """The drafter and the watching roles of the organ see a document; everybody else is told what strangers are told."""
    doc = service.draft(world.desk("qian"), paper())
    for person in ("qian", "li", "wang", "zhao", "sun"):
        assert world.desk(person).get(Document, doc).id == doc
    for person in ("fin-gov", "zhou", "wu", "zheng"):
        with pytest.raises(Missing):
            world.desk(person).get(Document, doc)
        with pytest.raises(Missing):
            service.submit(world.desk(person), doc)
    sent = issued(world)
    row = arrived(world, "zhou", sent)
    for person in ("zheng", "fin-cgov"):
        with pytest.raises(Missing):
            service.sign_for(world.desk(person), row.id)
        assert world.desk(person).list(Letter, Letter.id == sent) == world.desk(person).list(Act, Act.doc == sent) == []
    service.sign_for(world.desk("zhou"), row.id)
    service.register(world.desk("zhou"), row.id)
    service.assign(world.desk("wu"), row.id, readers=["zheng"])
    assert world.desk("zheng").get(Incoming, row.id).state == "circulating"
    with pytest.raises(Refused):
        service.close(world.desk("zheng"), row.id)


def test_roles_do_their_own_step_only(world: World) -> None:
    """Each step is one role's: a drafter cannot review, a reviewer not sign, a signer not seal."""
    doc = service.draft(world.desk("qian"), paper())
    service.submit(world.desk("qian"), doc)
    for person, act in (("qian", service.review), ("li", service.review), ("sun", service.review)):
        with pytest.raises(Refused):
            act(world.desk(person), doc)
    service.review(world.desk("wang"), doc)
    for person in ("qian", "li", "wang", "sun"):
        with pytest.raises(Refused):
            service.sign(world.desk(person), doc)
    with pytest.raises(Conflict):
        service.review(world.desk("wang"), doc)
    with pytest.raises(Refused):
        service.give_back(world.desk("zhao"), doc, reason="")


def test_two_hands_at_once_are_told(world: World) -> None:
    """Who acts on what somebody has just changed is told to look again."""
    doc = service.draft(world.desk("qian"), paper())
    late = world.desk("qian")
    late.get(Document, doc)
    service.revise(world.desk("qian"), doc, paper(text="先。"))
    with pytest.raises(Conflict):
        service.revise(late, doc, paper(text="后。"))
    with pytest.raises(Conflict):
        service.draft(world.desk("qian"), paper(), doc=doc)


@pytest.mark.row("C8")
def test_todo_names_what_waits(world: World) -> None:
    """A document in review waits for the reviewer and is in hand for its drafter; an arrived one waits for the clerk with a due time."""
    doc = service.draft(world.desk("qian"), paper(title="关于待办的通知"))
    service.submit(world.desk("qian"), doc)
    url = f"/documents/{doc}"
    assert [t.column for t in service.todo(world.desk("wang")) if t.url == url] == ["todo"]
    assert [t.column for t in service.todo(world.desk("qian")) if t.url == url] == ["hand"]
    assert not [t for t in service.todo(world.desk("fin-gov")) if t.url == url]
    sent = issued(world, title="关于到文的通知", urgency="flash", urgency_reason="汛情紧急。")
    (item,) = [t for t in service.todo(world.desk("zhou")) if t.title == "关于到文的通知"]
    assert item.due is not None and item.urgency == "flash" and item.url.endswith(arrived(world, "zhou", sent).id)
