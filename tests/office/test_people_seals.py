"""The life of seals: asked for, made, used and registered, handed on, suspended, collected, destroyed; every verb refolds to the same tables."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from node import persons
from node.errors import Conflict, Invalid, Missing, NodeError, Refused
from office.documents import service as documents
from office.documents.entries import Paper
from office.people import seals, service
from office.people.model import SealAct, SealMatter, SealUse
from office.people.workflow import Matter, Seal
from tests.office.desks import Town, opened
from tests.portal.gate import Gate, Visitor

pytestmark = pytest.mark.row("A8")

PASSWORD = "correct horse battery"
STAFF = (
    ("head", "领导", ("signer", "reviewer")),
    ("clerk", "文书", ("registry_clerk", "seal_keeper")),
    ("plain", "科员", ()),
    ("other", "科员", ()),
    ("sys", "系统管理员", ("sysadmin",)),
    ("sec", "安全管理员", ("secadmin",)),
)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A city alone, whose clerk keeps the seals and has a key at the node."""
    with opened(tmp_path_factory.mktemp("s"), counties=0, townships=0, staff=STAFF) as found:
        persons.store(found.offices["city"].settings, found.doors["clerk.city"], PASSWORD)
        yield found


@pytest.fixture
def seal(town: Town) -> str:
    """A seal of the city's government, made anew by application; the former ones are superseded."""
    return made(town)


def made(town: Town) -> str:
    """The id of a seal that was asked for, granted by one administrator and made by another."""
    desk = town.desk
    id = town.verify(lambda: seals.ask(desk("clerk.city"), task="make", organ="city", what="机关印章", reason="新设机构"))
    with pytest.raises(Refused):
        seals.act(desk("sys.city"), id, "grant")
    town.verify(lambda: seals.act(desk("sec.city"), id, "grant", words="同意。"))
    with pytest.raises(Refused):
        seals.act(desk("sec.city"), id, "make")
    town.verify(lambda: seals.act(desk("sys.city"), id, "make"))
    matter = desk("clerk.city").get(SealMatter, id)
    assert matter.state == Matter.DONE and (matter.asker, matter.decider, matter.doer) == ("clerk.city", "sec.city", "sys.city")
    return matter.seal


def standing(town: Town, seal: str) -> Seal:
    """Where a seal stands."""
    return seals.one(town.desk("sec.city"), seal).state


def test_a_seal_is_used_as_it_was_granted_and_registered(town: Town, seal: str) -> None:
    """Asked by one, granted by the head, sealed by the custodian for no more copies than granted: one line of the register says all of it."""
    desk = town.desk
    id = town.verify(lambda: seals.ask(desk("plain.city"), task="use", organ="city", what="合作协议", copies=3, reason="签约"))
    with pytest.raises(Conflict):
        seals.act(desk("clerk.city"), id, "use", seal=seal, copies=1)
    assert [m.id for m in seals.waiting(desk("head.city"))] == [id] and not seals.waiting(desk("plain.city"))
    town.verify(lambda: seals.act(desk("head.city"), id, "grant", words="同意。"))
    assert [str(one.title) for one in service.todo(desk("clerk.city"))] == ["合作协议"]
    with pytest.raises(Conflict):
        seals.act(desk("clerk.city"), id, "use", seal=seal, copies=4)
    with pytest.raises(Refused):
        seals.act(desk("head.city"), id, "use", seal=seal)
    town.verify(lambda: seals.act(desk("clerk.city"), id, "use", seal=seal, copies=2))
    (use,) = desk("head.city").list(SealUse, SealUse.id == id)
    assert (use.what, use.copies, use.seal, use.person, use.asker, use.decider) == ("合作协议", 2, seal, "clerk.city", "plain.city", "head.city")
    assert use.at and not service.todo(desk("clerk.city"))


def test_whoever_has_no_part_knows_nothing_of_an_application(town: Town, seal: str) -> None:
    """A colleague and another organ's clerk neither see it nor the register; nobody grants one's own; a reason is needed; taken back is over."""
    desk = town.desk
    id = seals.ask(desk("plain.city"), task="use", organ="city", what="证明", reason="办证")
    for stranger in ("other.city", "clerk.dep.city", "sys.city"):
        with pytest.raises(Missing):
            desk(stranger).get(SealMatter, id)
        with pytest.raises(Missing):
            seals.act(desk(stranger), id, "grant")
    assert not desk("other.city").list(SealUse) and not desk("clerk.dep.city").list(SealUse)
    with pytest.raises(Invalid):
        seals.act(desk("head.city"), id, "refuse")
    with pytest.raises(Refused):
        seals.ask(desk("plain.city"), task="use", organ="dep.city", what="证明", reason="办证")
    own = seals.ask(desk("head.city"), task="use", organ="city", what="证明", reason="办证")
    with pytest.raises(Refused):
        seals.act(desk("head.city"), own, "grant")
    town.verify(lambda: seals.act(desk("plain.city"), id, "withdraw"))
    with pytest.raises(Conflict):
        seals.act(desk("head.city"), id, "grant")
    town.verify(lambda: seals.act(desk("head.city"), own, "withdraw"))


def test_a_suspended_seal_opens_for_nobody_and_a_collected_one_never_again(town: Town, seal: str) -> None:
    """Suspended: its custodian cannot open it; resumed: again; collected: revoked; destroyed: the key is gone; each act stands in its account."""
    desk = town.desk
    door, settings = town.doors["clerk.city"], town.offices["city"].settings
    assert standing(town, seal) is Seal.LIVE and seals.one(desk("clerk.city"), seal).keepers == ("clerk.city",)
    with pytest.raises(Refused):
        seals.move(desk("plain.city"), seal, "suspend", words="试")
    town.verify(lambda: seals.move(desk("clerk.city"), seal, "suspend", words="出差"))
    with pytest.raises(Missing):
        persons.open_seal_key(settings, seal, door)
    use = granted(town)
    with pytest.raises(Refused, match="停用"):
        seals.act(desk("clerk.city"), use, "use", seal=seal)
    with pytest.raises(Refused, match="停用"):
        documents.seal(desk("clerk.city"), numbered(town))
    with pytest.raises(Refused):
        seals.move(desk("clerk.city"), seal, "resume", words="回来")
    town.verify(lambda: seals.move(desk("sec.city"), seal, "resume", words="回来"))
    persons.open_seal_key(settings, seal, door)
    town.verify(lambda: seals.move(desk("sec.city"), seal, "collect", words="机构改革"))
    assert standing(town, seal) is Seal.COLLECTED and seal not in [s.id for s in desk("clerk.city").directory.seals_of("city")]
    with pytest.raises(NodeError):
        seals.move(desk("sec.city"), seal, "resume", words="再用")
    town.verify(lambda: seals.move(desk("sec.city"), seal, "destroy", words="销毁清单一号"))
    assert standing(town, seal) is Seal.DESTROYED and persons.where_is(settings, seal) == "gone"
    with pytest.raises(Refused, match="销毁"):
        seals.act(desk("clerk.city"), use, "use", seal=seal)
    seals.act(desk("plain.city"), use, "withdraw")
    said = [one.move for one in desk("head.city").list(SealAct, SealAct.seal == seal, order=SealAct.place)]
    assert said == ["suspend", "resume", "collect", "destroy"] and not desk("plain.city").list(SealAct, SealAct.seal == seal)


def granted(town: Town) -> str:
    """An application to use the seal that waits for the custodian."""
    id = seals.ask(town.desk("plain.city"), task="use", organ="city", what="证明", copies=2, reason="办证")
    seals.act(town.desk("head.city"), id, "grant")
    return id


def signed(town: Town) -> str:
    """A document that the head has signed."""
    desk = town.desk
    doc = documents.draft(desk("plain.city"), Paper("city", "notice", "关于防汛的通知", "请做好防汛。", ("dep.city",)))
    documents.submit(desk("plain.city"), doc)
    documents.review(desk("head.city"), doc)
    documents.sign(desk("head.city"), doc)
    return doc


def numbered(town: Town) -> str:
    """A document that waits for its seal."""
    doc = signed(town)
    (prefix,) = town.desk("clerk.city").directory.organ("city").doc_prefixes[:1]  # type: ignore[union-attr]
    documents.number(town.desk("clerk.city"), doc, prefix=prefix)
    return doc


def test_sealing_a_document_is_a_line_of_the_register(town: Town, seal: str) -> None:
    """Who sealed which document with which seal is registered by the document's own flow."""
    desk, doc = town.desk, signed(town)
    town.verify(lambda: documents.issue(desk("clerk.city"), doc))
    (use,) = desk("head.city").list(SealUse, SealUse.doc == doc)
    assert (use.what, use.seal, use.person, use.copies) == ("关于防汛的通知", seal, "clerk.city", 1) and use.at


@pytest.fixture(scope="module")
def people(town: Town) -> Iterator[dict[str, Visitor]]:
    """Everybody at the portal."""
    gate = Gate(town.offices["city"])
    yield {person: gate.visitor(f"{person}.city", lambda person=person: town.doors[f"{person}.city"]) for person, *_ in STAFF}
    gate.close()


def test_by_forms_it_waits_for_whoever_must_act_and_ends_in_the_register(town: Town, people: dict[str, Visitor], seal: str) -> None:
    """What a worker asks for by a form stands on the head's home page, then on the custodian's, then in the register, which prints."""
    form = {"task": "use", "organ": "city", "what": "共建协议书", "copies": "2", "reason": "签约"}
    asked = people["plain"].ask("POST", "/people/seals/ask", form)
    assert asked.status == 303, asked.text
    place = asked.headers["location"].split("?")[0]
    assert "共建协议书" in people["head"].get("/").text and "共建协议书" not in people["clerk"].get("/").text
    assert f"{place}/grant" in people["head"].get(place).text and f"{place}/grant" not in people["plain"].get(place).text
    assert people["head"].ask("POST", f"{place}/grant", {"text": "同意用印。"}).status == 303
    assert "共建协议书" in people["clerk"].get("/").text and "共建协议书" not in people["head"].get("/").text
    assert f'value="{seal}"' in people["clerk"].get(place).text
    assert people["clerk"].ask("POST", f"{place}/use", {"seal": seal, "copies": "2", "text": "双方各执一份。"}).status == 303
    assert (
        "双方各执一份。" in people["plain"].get(place).text
        and "同意用印。" in people["plain"].get("/people/seals").text + people["plain"].get(place).text
    )
    line = people["head"].get("/people/seals/register.json").json["rows"][0]
    assert (line["what"], line["copies"], line["seal"], line["url"]) == ("共建协议书", 2, seal, place)
    page = people["head"].get("/people/seals/register").text
    assert 'id="rows"' in page and "共建协议书" in page and "（测试）" in page
    assert "共建协议书" not in people["head"].get("/people/seals/register?to=2020-01-01").text + people["plain"].get("/people/seals/register").text


def test_every_page_of_a_seal_says_that_it_is_a_test_seal(people: dict[str, Visitor], seal: str) -> None:
    """List, page, print and register of a seal made here carry 测试; whoever may not act is offered nothing."""
    for person in ("clerk", "head", "sec", "sys"):
        assert "测试" in people[person].get("/people/seals").text and "测试" in people[person].get(f"/people/seals/{seal}").text
    assert re.findall(r'<li><a href="([^"]+)" aria-current="page"', people["clerk"].get(f"/people/seals/{seal}").text) == ["/people/seals"]
    drawn = people["clerk"].get(f"/people/seals/{seal}/specimen.svg")
    assert drawn.headers["content-type"].startswith("image/svg+xml") and "测试" in drawn.text
    assert f"/people/seals/{seal}/collect" in people["sec"].get(f"/people/seals/{seal}").text
    assert f'action="/people/seals/{seal}/' not in people["other"].get(f"/people/seals/{seal}").text
    assert people["clerk"].ask("POST", f"/people/seals/{seal}/suspend", {"text": "外出"}).status == 303
    assert "外出" in people["sec"].get(f"/people/seals/{seal}").text
    assert people["sec"].ask("POST", f"/people/seals/{seal}/resume", {"text": "返回"}).status == 303
