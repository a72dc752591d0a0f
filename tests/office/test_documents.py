"""Documents: every verb on a node with a real ledger, between two nodes, and what the rules, rights and numbers promise."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable, Iterator

import msgspec
import pytest

from node import certs, persons, tier
from node.directory import entries as said
from node.directory import lines, writing
from node.entry import Scope
from node.errors import Conflict, Invalid, Missing, NodeError, Refused, TooLarge
from office.documents import service
from office.documents.entries import Paper, rendering_digest
from office.documents.model import Act, Delivery, Document, Incoming, Letter
from office.frame.desk import Desk, Office
from tests import city as cities

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
        while any([_carry(self.offices[a], self.offices[b]) for a in names for b in names if a != b]):
            pass


def _carry(source: Office, target: Office) -> int:
    held = {chain.id: chain.count for chain in target.ledger.chains()}
    fresh = 0
    for chain in source.ledger.chains():
        if chain.audience.scope is Scope.SELF:
            continue
        start = held.get(chain.id, 0)
        while start < chain.count and (batch := source.ledger.read(chain.id, start, 100_000)):
            taken = target.ledger.take(batch)
            fresh, start = fresh + taken.fresh, taken.chain.count
            if taken.hold is not None:
                source.ledger.held((taken.hold,))
    return fresh


def _ready(office: Office) -> bool:
    try:
        office.ledger.status()
        office.directory.refresh()
    except NodeError:
        return False
    return True


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A city and a county with their ledgers running, people with keys, and a seal of the city's government."""
    made = cities.build(tmp_path_factory.mktemp("documents"), counties=1, townships=0, port=25100)
    with cities.running(made):
        found = World(made, {}, {}, {})
        for name in ("city", "county1"):
            made[name].start("ledger")
            found.offices[name] = Office(made[name].settings, tier.load(made[name].settings.tier))
        for name, office in found.offices.items():
            cities.wait(lambda office=office: _ready(office), why=made[name].output("ledger"))
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
    """Do a verb, then rebuild every node's tables from the journals: they must be what they were, and again after carrying."""
    done = act()
    for _ in range(2):
        for office in world.offices.values():
            for room, (living, rebuilt) in office.ledger.ask("refold").items():
                assert living == rebuilt, room
        world.carry()
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
    verified(world, lambda: service.revise(world.desk("qian"), doc, paper(text="改后的正文。")))
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
    verified(world, lambda: service.register(world.desk("zhou"), row.id))
    assert arrived(world, "zhou", doc).register.endswith("-云一县政府-00001")
    verified(world, lambda: service.assign(world.desk("wu"), row.id, lead="zheng", readers=["zhou"], opinion="请办理。"))
    verified(world, lambda: service.read(world.desk("zhou"), row.id))
    verified(world, lambda: service.answer(world.desk("zheng"), row.id, text="已部署。"))
    verified(world, lambda: service.close(world.desk("zhou"), row.id, note="归档。"))
    assert arrived(world, "zheng", doc).state == "closed"
    (line,) = service.matrix(world.desk("li"), doc)
    assert {code: act.name for code, act in line.receipts.items()} == {"R2": "周文书", "R3": "周文书", "R4": "郑科员"}
    assert line.delivered is not None and line.silent
