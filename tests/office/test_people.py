"""The people room: who keeps the directory, and how keys are given, changed and taken away, on a node with a real ledger."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

import city_node
from node import certs, persons
from node.directory import entries as said
from node.directory import lines, writing
from node.directory.view import today
from node.errors import Conflict, Invalid, Missing, NodeError, Refused
from office.frame.desk import Desk
from office.frame.office import Office
from office.people import service
from office.people.workflow import Account
from tests import city as cities

PASSWORD = "correct horse battery"
PEOPLE = (("sys", "系统员", "sysadmin"), ("sec", "安全员", "secadmin"), ("aud", "审计员", "auditor"), ("li", "李明", "registry_clerk"))


def _lines() -> list[str]:
    found: list[dict[str, object]] = [
        {"type": "organ", "id": "gov", "full_name": "云市人民政府", "short_name": "市政府", "kind": "government", "may_issue": True},
        {"type": "organ", "id": "office", "full_name": "云市人民政府办公室", "short_name": "市政府办公室", "kind": "government", "parent_id": "gov"},
    ]
    for person, name, role in PEOPLE:
        found.append({"type": "post", "id": f"post-{person}", "organ": "office", "title": name, "roles": [role], "serves": ["gov"]})
        found.append(
            {
                "type": "person",
                "id": person,
                "name": name,
                "organ": "office",
                "login": person + "-login",
                "posts": [f"post-{person}"],
                "mobile": "1000",
            }
        )
    return [json.dumps(line) for line in found]


@dataclasses.dataclass
class Node:
    """A running city with an office, and keys of its people."""

    office: Office
    doors: dict[str, persons.Door]

    def desk(self, person: str) -> Desk:
        """A person's desk, signed in by password."""
        return Desk(self.office, person=person, door=lambda: self.doors[person])


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A city."""
    with started(tmp_path_factory.mktemp("people"), "sqlite") as found:
        yield found


@contextmanager
def started(folder: Path, storage: str) -> Iterator[Node]:
    """A city with its ledger running, three administrators and a clerk who all have keys."""
    made = cities.build(folder, counties=1, townships=0, storage=storage)
    with cities.running(made):
        made["city"].start("ledger")
        office = Office(made["city"].settings, city_node.TIER)
        cities.wait(lambda: _ready(office), why=lambda: made["city"].output("ledger"))
        directory = office.directory
        writing.introduce(office.ledger, office.settings, directory)
        writing.write(office.ledger, office.settings, directory, made["city"].says[1:])
        directory.refresh()
        plan = lines.plan(directory, _lines())
        assert plan.refused == []
        writing.write(office.ledger, office.settings, directory, plan.contents)
        directory.refresh()
        found = Node(office, {})
        for person, name, _ in PEOPLE:
            cert = persons.new_person_key(office.settings, person, name, PASSWORD, dt.datetime.now(dt.UTC), first=False)
            writing.write(office.ledger, office.settings, directory, [said.Certified(person, certs.der(cert), "")])
            found.doors[person] = persons.open_person_key(office.settings, person, PASSWORD)
        yield found
        office.close()


def _ready(office: Office) -> bool:
    try:
        office.ledger.status()
        office.directory.refresh()
    except NodeError:
        return False
    return True


def _newcomer(node: Node, name: str, login: str) -> str:
    card = said.Person("", name, "office", "", 0, "active", "")
    return service.save_person(node.desk("sys"), card, said.File("", login, "", "", "", "", ""))


def test_an_administrator_enters_organ_post_person_and_appointment(node: Node) -> None:
    """What the administrator enters is in the book at once, spelt, signed by her, in her post."""
    desk = node.desk("sys")
    organ = service.save_organ(desk, said.Organ("", "", "云市财政局", "财政局", "department", "city", "", "gov", "", "", "", False, (), "", 5))
    post = service.save_post(desk, said.Post("", organ, "局长", "", (), 1, "", ("signer",)))
    person = _newcomer(node, "单小芳", "danxf")
    service.appoint(desk, person, post)
    found = node.desk("li").directory.search("shanxiaofang")
    assert [f.person.id for f in found] == [person] and found[0].holdings[0].organ.id == organ
    assert node.desk("li").directory.post(post).roles == ()  # type: ignore[union-attr]
    appointment = found[0].holdings[0].appointed.id
    service.end_appointment(desk, appointment, on=today())
    assert node.desk("li").directory.appointments_of(person) == ()
    service.close_organ(desk, organ, on=today(), successor="office")
    assert organ not in [o.id for o in node.desk("li").directory.organs()]


@pytest.mark.parametrize("person", ["sec", "aud", "li"])
def test_only_the_system_administrator_keeps_records(node: Node, person: str) -> None:
    """Neither a clerk nor one of the other two administrators may enter people or issue passwords."""
    desk = node.desk(person)
    with pytest.raises(Refused):
        service.save_person(desk, said.Person("", "某人", "office", "", 0, "active", ""), said.File("", "x", "", "", "", "", ""))
    with pytest.raises(Refused):
        service.issue_password(desk, "li")
    with pytest.raises(Refused):
        service.plan(desk, "")


def test_roles_are_given_by_another_than_who_keeps_records(node: Node) -> None:
    """The security administrator gives roles, the system administrator cannot, and nobody becomes two administrators."""
    with pytest.raises(Refused):
        service.grant(node.desk("sys"), "post-li", ["signer"])
    service.grant(node.desk("sec"), "post-li", ["archivist", "registry_clerk"])
    assert node.desk("li").roles == {"registry_clerk", "archivist"}
    service.grant(node.desk("sec"), "post-li", ["registry_clerk"])
    with pytest.raises(Refused, match="兼任"):
        service.appoint(node.desk("sys"), "aud", "post-sys")
    with pytest.raises(Invalid):
        service.grant(node.desk("sec"), "post-li", ["emperor"])


def test_a_first_password_gives_way_to_an_own_key(node: Node) -> None:
    """The first password opens a key once; choosing one's own password makes a new key, and the first key signs no more."""
    person = _newcomer(node, "王芳", "wangfang")
    first = service.issue_password(node.desk("sys"), person)
    assert service.state(node.desk("sys"), person) is Account.FIRST
    given = node.doors[person] = persons.open_person_key(node.office.settings, person, first)
    with pytest.raises(Invalid):
        service.change_password(node.desk(person), first, "wangfang-12345")
    own = service.change_password(node.desk(person), first, "a long own password")
    assert own.fingerprint != given.fingerprint and service.state(node.desk("sys"), person) is Account.LIVE
    assert persons.open_person_key(node.office.settings, person, "a long own password").fingerprint == own.fingerprint
    revoked = node.desk("li").directory.signer(given.fingerprint).revoked  # type: ignore[union-attr]
    assert revoked is not None and revoked.reason == "superseded" and revoked.cuts
    with pytest.raises(NodeError, match="revoked"):
        service.write(node.desk(person), said.Person("ghost", "鬼", "office", "", 0, "active", ""))
    node.doors[person] = own
    assert service.change_password(node.desk(person), "a long own password", "another own password").fingerprint == own.fingerprint


def test_a_certificate_that_ends_is_renewed_behind_the_same_password(node: Node) -> None:
    """The node gives another key and certificate; the former signs no more, what it signed stays."""
    person = _newcomer(node, "周七", "zhouqi")
    first = service.issue_password(node.desk("sys"), person)
    node.doors[person] = persons.open_person_key(node.office.settings, person, first)
    before = node.doors[person] = service.change_password(node.desk(person), first, "a long own password")
    after = service.renew_certificate(Desk(node.office), person, "a long own password")
    assert persons.open_person_key(node.office.settings, person, "a long own password").fingerprint == after.fingerprint != before.fingerprint
    assert [certs.fingerprint(s.certificate) for s in service.certificates(node.desk("li"), person) if s.revoked is None] == [after.fingerprint]
    with pytest.raises(NodeError, match="revoked"):
        service.write(node.desk(person), said.Person("ghost", "鬼", "office", "", 0, "active", ""))


def test_a_lost_password_means_a_new_key(node: Node) -> None:
    """A reset opens a new first password; the lost one opens nothing and its certificate is revoked."""
    person = _newcomer(node, "赵六", "zhaoliu")
    first = service.issue_password(node.desk("sys"), person)
    second = service.issue_password(node.desk("sys"), person)
    with pytest.raises(Refused):
        persons.open_person_key(node.office.settings, person, first)
    assert persons.open_person_key(node.office.settings, person, second).first
    assert [s.revoked is None for s in service.certificates(node.desk("li"), person)] == [True, False]
    service.close_account(node.desk("sec"), person)
    assert service.state(node.desk("sys"), person) is Account.NONE
    assert all(s.revoked for s in service.certificates(node.desk("li"), person))


def test_nobody_resets_or_closes_the_own_account(node: Node) -> None:
    """An administrator's own account is not reset or closed by herself, and a login name is given once."""
    with pytest.raises(Refused):
        service.issue_password(node.desk("sys"), "sys")
    with pytest.raises(Refused):
        service.close_account(node.desk("sys"), "sys")
    with pytest.raises(Conflict):
        _newcomer(node, "李二", "LI-login")


def test_a_form_opened_before_a_change_is_refused(node: Node) -> None:
    """Saving a card from a form that showed an older value is a conflict, and changes nothing."""
    desk = node.desk("sys")
    seen = desk.directory.record(said.Person, "li").said.hex()  # type: ignore[union-attr]
    card, private = desk.directory.person("li"), desk.directory.file("li")
    assert card is not None and private is not None
    service.save_person(desk, msgspec.structs.replace(card, office_phone="1"), private, seen=seen)
    with pytest.raises(Conflict):
        service.save_person(node.desk("sys"), msgspec.structs.replace(card, office_phone="2"), private, seen=seen)
    assert node.desk("li").directory.person("li").office_phone == "1"  # type: ignore[union-attr]


def test_files_are_for_oneself_and_administrators(node: Node) -> None:
    """One sees the own file, administrators see those of their node, a colleague sees none."""
    assert service.file(node.desk("li"), "li").mobile == "1000"  # type: ignore[union-attr]
    assert service.file(node.desk("sys"), "li") is not None
    assert service.file(node.desk("li"), "sys") is None
    with pytest.raises(Missing):
        service.person(node.desk("li"), "nobody")


def test_a_seal_is_issued_to_its_keepers(node: Node) -> None:
    """A seal is made for an issuing organ with a keeper, a later one revokes it; other organs get none."""
    with pytest.raises(Refused):
        service.issue_seal(node.desk("sys"), "office")
    with pytest.raises(Conflict):
        service.issue_seal(node.desk("sys"), "gov")
    service.grant(node.desk("sec"), "post-li", ["registry_clerk", "seal_keeper"])
    first = service.issue_seal(node.desk("sys"), "gov")
    key, fingerprint = persons.open_seal_key(node.office.settings, first.id, node.doors["li"])
    assert fingerprint == certs.fingerprint(first.certificate) and key.public_key() == first.certificate.public_key()
    second = service.issue_seal(node.desk("sys"), "gov")
    assert [s.id for s in node.desk("li").directory.seals_of("gov")] == [second.id]


def test_another_nodes_certificates_are_not_mine_to_revoke(node: Node) -> None:
    """The node's own identity cannot be revoked here, a node below can."""
    desk = node.desk("sys")
    own, below = (desk.directory.certificates_of(n.id)[0] for n in desk.directory.nodes())
    with pytest.raises(Refused):
        service.revoke(desk, certs.fingerprint(own.certificate), reason="stolen")
    service.revoke(desk, certs.fingerprint(below.certificate), reason="stolen")
    assert node.desk("li").directory.certificates_of(below.id)[0].revoked is not None


def test_an_import_by_page_leaves_roles_alone(node: Node) -> None:
    """Lines are imported in the administrator's name; roles that would change are refused, and a second import is empty."""
    text = "\n".join(
        json.dumps(line)
        for line in (
            {"type": "organ", "id": "edu", "full_name": "云市教育局", "parent_id": "gov"},
            {"type": "post", "id": "edu-head", "organ": "edu", "title": "局长", "roles": ["signer"]},
            {"type": "post", "id": "edu-clerk", "organ": "edu", "title": "文书"},
            {"type": "person", "id": "qian", "name": "钱一", "organ": "edu", "posts": ["edu-clerk"]},
        )
    )
    first = service.bring_in(node.desk("sys"), text)
    assert [r.code for r in first.refused] == ["roles_by_secadmin"] and len(first.created) == 5
    assert service.plan(node.desk("sys"), text).contents == []
    again = lines.plan(node.office.directory, service.bring_out(node.desk("aud")))
    assert (again.contents, again.refused) == ([], [])
