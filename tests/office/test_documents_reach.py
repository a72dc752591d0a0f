"""How far a document goes: one recipient, several named ones, everybody below; each node gets what is for it and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from node import clock, tier
from node.directory import lines, writing
from node.entry import Scope
from node.errors import Conflict, Invalid
from office.documents import branches, service
from office.documents.entries import Paper
from office.documents.model import Incoming, Letter, Urge
from office.frame.desk import Desk
from office.frame.office import Office
from tests import city as cities
from tests.office.test_documents import World, _ready, arrived, paper, started, verified


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A city and three counties."""
    with started(tmp_path_factory.mktemp("reach"), "sqlite", counties=3) as found:
        for number, (clerk, name) in enumerate((("han", "韩文书"), ("yang", "杨文书")), 2):
            _join(found, f"county{number}", f"cgov{number}", clerk, name)
        for office in found.offices.values():
            office.directory.refresh()
        yield found


def _join(world: World, node: str, organ: str, clerk: str, name: str) -> None:
    """One more county with a government and its clerk."""
    home = world.city[node]
    home.start("ledger")
    office = world.offices[node] = Office(home.settings, tier.load(home.settings.tier))
    cities.wait(lambda: _ready(office), why=lambda: home.output("ledger"))
    world.carry()
    office.directory.refresh()
    about = {"full_name": f"云{node}人民政府", "short_name": f"云{node}政府", "kind": "government", "tier": "county", "parent_id": "gov"}
    said = (
        {"type": "organ", "id": organ, "may_issue": True, **about},
        {"type": "post", "id": f"post-{clerk}", "organ": organ, "title": name, "roles": ["registry_clerk"]},
        {"type": "person", "id": clerk, "name": name, "organ": organ, "login": clerk, "posts": [f"post-{clerk}"]},
    )
    plan = lines.plan(office.directory, [json.dumps(one) for one in said])
    assert plan.refused == []
    writing.write(office.ledger, office.settings, office.directory, plan.contents)
    world.where[clerk] = node
    world.carry()


def audiences(world: World, doc: str) -> list[tuple[str, str]]:
    """(scope, node) of every log in which the document was sent."""
    office = world.offices["city"]
    names = {home.id: name for name, home in world.city.homes.items()}
    desk = Desk(office, person="zhao", door=lambda: world.doors["zhao"])
    places = office.ledger.places(desk.get(Letter, doc).said)
    return sorted((str(place.audience.scope), names.get(place.audience.node, "")) for place in places)


def sent(world: World, *organs: str) -> str:
    """A document that has gone to these organs and been carried."""
    given: Paper = paper(to=organs, title="关于几个机关的通知")
    doc = service.send(world.desk("zhao"), given).doc
    world.carry()
    return doc


def test_one_and_several_named_recipients(world: World) -> None:
    """One or two of three counties get logs of their own, under one statement; an organ at home needs none; each signs for its own."""
    one, two = sent(world, "cgov"), sent(world, "cgov", "cgov2", "gov-fin")
    assert audiences(world, one) == [(str(Scope.NODE), "county1")]
    assert audiences(world, two) == [(str(Scope.NODE), "county1"), (str(Scope.NODE), "county2")]
    assert len(world.desk("zhou").list(Incoming, Incoming.doc.in_([one, two]))) == 2
    assert [row.doc for row in world.desk("han").list(Incoming, Incoming.doc.in_([one, two]))] == [two]
    assert world.desk("han").list(Letter, Letter.id == one) == []
    for person in ("zhou", "han", "fin-gov"):
        (row,) = world.desk(person).list(Incoming, Incoming.doc == two)
        if person != "han":
            service.sign_for(world.desk(person), row.id)
    world.carry()
    rows = {row.organ: row for row in service.matrix(world.desk("zhao"), two)}
    assert {organ: "R2" in row.receipts for organ, row in rows.items()} == {"cgov": True, "cgov2": False, "gov-fin": True}
    assert rows["gov-fin"].delivered is not None and not rows["gov-fin"].silent


def test_everybody_below_is_one_log(world: World) -> None:
    """A document to every node below is written once, in the log for all of them, and each of their organs has it."""
    all_three = sent(world, "cgov", "cgov2", "cgov3")
    assert audiences(world, all_three) == [(str(Scope.DOWN), "")]
    for clerk in ("zhou", "han", "yang"):
        assert [row.state for row in world.desk(clerk).list(Incoming, Incoming.doc == all_three)] == ["delivered"]
    rows = service.matrix(world.desk("zhao"), all_three)
    assert [(row.organ, row.delivered is not None) for row in rows] == [("cgov", True), ("cgov2", True), ("cgov3", True)]
    service.sign_for(world.desk("zhou"), world.desk("zhou").list(Incoming, Incoming.doc == all_three)[0].id)
    world.carry()
    assert {row.organ: "R2" in row.receipts for row in service.matrix(world.desk("zhao"), all_three)} == {
        "cgov": True,
        "cgov2": False,
        "cgov3": False,
    }
    for office in world.offices.values():
        assert all(living == rebuilt for living, rebuilt in office.ledger.ask("refold").values())


def heard(world: World, **ago: int) -> None:
    """Let the city's courier have heard each county so many seconds ago."""
    now = clock.ms()
    told = {world.city[node].id: now - seconds * 1000 for node, seconds in ago.items()}
    world.offices["city"].settings.path("run", "links.json").write_text(json.dumps({"heard": told, "links": []}))


@pytest.mark.row("B1")
@pytest.mark.promise("P4")
@pytest.mark.row("M3")
@pytest.mark.row("B7")
def test_the_map_says_who_signed_and_of_whom_nothing_is_known(world: World) -> None:
    """Along the tree: a named clerk who signed, a node that holds it unsigned, and one that is not heard as unknown since then, never as unread."""
    doc = sent(world, "cgov", "cgov2", "gov-fin")
    service.sign_for(world.desk("zhou"), arrived(world, "zhou", doc).id)
    world.carry()
    heard(world, county1=1, county2=1)
    (city,) = branches.branches(world.desk("zhao"), service.matrix(world.desk("zhao"), doc))
    below = {branch.name: branch for branch in city.branches}
    assert (city.here, [leaf.organ for leaf in city.leaves], len(below)) == (True, ["gov-fin"], 2)
    first, second = (below[world.offices[node].settings.name] for node in ("county1", "county2"))
    assert [(leaf.state, leaf.who) for leaf in first.leaves] == [("signed", world.desk("zhou").name)] and first.leaves[0].when
    assert [(leaf.state, leaf.who) for leaf in second.leaves] == [("delivered", "")] and not second.unknown
    heard(world, county1=3600, county2=3600)
    (city,) = branches.branches(world.desk("zhao"), service.matrix(world.desk("zhao"), doc))
    states = {leaf.organ: leaf.state for branch in city.branches for leaf in branch.leaves}
    assert states == {"cgov": "signed", "cgov2": "unknown"}
    assert all("失联" in branch.unknown for branch in city.branches) and not city.unknown


@pytest.mark.row("C7")
def test_all_who_have_not_signed_are_urged_at_once(world: World) -> None:
    """One act urges everybody who has not signed, leaves out who has, and ends at three times."""
    doc = sent(world, "cgov", "cgov2", "gov-fin")
    service.sign_for(world.desk("zhou"), arrived(world, "zhou", doc).id)
    world.carry()
    issuer = lambda: world.desk("zhao")  # noqa: E731
    assert verified(world, lambda: service.urge_all(issuer(), doc, channel="phone", text="请尽快签收。")) == 2
    assert {urge.organ for urge in issuer().list(Urge, Urge.doc == doc)} == {"cgov2", "gov-fin"}
    assert [urge.words for urge in world.desk("han").list(Urge, Urge.doc == doc)] == ["请尽快签收。"]
    with pytest.raises(Invalid):
        service.urge_all(issuer(), doc, channel="telepathy")
    assert [service.urge_all(issuer(), doc, channel="phone") for _turn in range(2)] == [2, 2]
    with pytest.raises(Conflict):
        service.urge_all(issuer(), doc, channel="phone")
