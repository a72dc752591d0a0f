"""What a township's key may say about others: it is told, and believed by nobody."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from node import certs, clock, keys, persons
from node.directory import entries as said
from node.directory.view import today
from tests.node.test_directory import World, build

CITY, TOWN = "371600", "371623101"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A clerk and an office at the city, an office at the township; nobody has told anything else yet."""
    world = build(tmp_path)
    for code, key in ((CITY, "city"), (TOWN, "town")):
        organ = {"type": "organ", "id": f"{key}-office", "full_name": f"{key}办公室", "kind": "department", "may_issue": True}
        post = {"type": "post", "id": f"{key}-clerk", "organ": f"{key}-office", "title": "文书", "roles": ["registry_clerk"]}
        person = {"type": "person", "id": f"{key}-li", "name": "李明", "organ": f"{key}-office", "login": "liming", "posts": [f"{key}-clerk"]}
        world.read(code, [json.dumps(line) for line in (organ, post, person)])
    return world


@pytest.mark.promise("P16")
def test_a_township_certifies_nobody_elses_person(world: World) -> None:
    """A certificate by a township for a person of the city is nobody's: no statement and no sign-in counts under it."""
    town = world.nodes[TOWN]
    for person, counts in (("city-li", False), ("town-li", True)):
        key = keys.new_ed25519()
        cert = persons.certify(town, "person", person, "李明", key.public_key(), clock.now())
        assert world.tell(TOWN, said.Certified(person, certs.der(cert), "")) == []
        for code in (CITY, TOWN):
            assert (world.at(code).signer(certs.fingerprint(cert)) is not None) is counts
            assert bool(world.at(code).certificates_of(person)) is counts


@pytest.mark.promise("P16")
def test_a_township_makes_no_seal_for_anothers_organ(world: World) -> None:
    """A seal by a township for an organ of the city is no seal."""
    town = world.nodes[TOWN]
    for organ, counts in (("city-office", False), ("town-office", True)):
        cert = persons.certify(town, "seal", f"seal.{organ}", organ, keys.new_ed25519().public_key(), clock.now())
        assert world.tell(TOWN, said.Certified(f"seal.{organ}", certs.der(cert), organ)) == []
        assert (world.at(CITY).signer(certs.fingerprint(cert)) is not None) is counts


@pytest.mark.promise("P16")
def test_a_post_acts_for_organs_of_its_own_node_only(world: World) -> None:
    """A township's post that claims to serve an organ of the city serves only the township's own."""
    post = said.Post("spy", "town-office", "联络员", "", (), 9, "", ("signer", "sysadmin"), None, ("city-office", "town-office"))
    assert world.tell(TOWN, post, said.Appointed("spy-1", "city-li", "spy", True, None, None, "")) == []
    city = world.at(CITY)
    assert city.post("spy").serves == ("town-office",)  # type: ignore[union-attr]
    assert "spy" not in {p.id for p in city.posts_for("city-office")}


@pytest.mark.promise("P16")
def test_a_post_elsewhere_gives_nothing_here(world: World) -> None:
    """Whom a township appoints to a post of its own has it there, and by it no role, organ or place at the city."""
    post = said.Post("spy", "town-office", "联络员", "", (), 9, "", ("signer", "sysadmin"), None, ())
    assert world.tell(TOWN, post, said.Appointed("spy-1", "city-li", "spy", True, None, None, "")) == []
    city = world.at(CITY)
    assert [h.post.id for h in city.appointments_of("city-li", here=True)] == ["city-clerk"]
    assert "spy" in {h.post.id for h in city.appointments_of("city-li")}
    assert city.roles_of("city-li") == {"registry_clerk"}
    assert [o.id for o in city.acts_for("city-li")] == ["city-office"]


@pytest.mark.promise("P16")
def test_nobody_lends_the_power_of_a_post_that_is_not(world: World) -> None:
    """A township that invents a post in an organ of the city and lends its power lends nothing."""
    post = said.Post("ghost", "city-office", "主任", "", (), 9, "", ("signer",), None, ())
    lent = said.Delegated("lent", "ghost", "city-clerk", ("signer",), today(), today().replace(year=today().year + 1), "")
    assert world.tell(TOWN, post, lent) == []
    assert world.at(CITY).delegations_to("city-clerk") == ()
