"""Documents on the way that their office drew, on a node with a real ledger: countersigned, reviewed, returned, sealed, refolded."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from node.errors import Missing, Refused
from office.documents import flows, service
from office.documents.model import FLOWS, Document
from office.flows import service as designer
from office.frame.flow.pen import Pen, waiting
from office.frame.flow.template import Way
from tests.office.test_documents import World, paper, started, verified


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A city and a county."""
    with started(tmp_path_factory.mktemp("ways"), "sqlite") as found:
        yield found


def lies(world: World, doc: str) -> list[str]:
    """Where a document lies now."""
    return [seat.step for seat in Pen(world.desk("li"), FLOWS, doc).state.live()]


def seat(world: World, person: str, doc: str) -> str:
    """The seat that waits for a person."""
    return Pen(world.desk(person), FLOWS, doc).mine()[0].id


@pytest.mark.row("A1")
def test_a_document_goes_the_whole_way(world: World) -> None:
    """Drafted, checked, countersigned by two units, returned by one and mended, reviewed, signed, rechecked, numbered, sealed, sent."""
    drafter = world.desk("qian")
    doc = service.draft(drafter, paper(title="关于全程的通知"))
    verified(world, lambda: service.submit(world.desk("qian"), doc, heads=["wang"], units=["gov-fin"]))
    assert lies(world, doc) == ["check"] and world.desk("li").get(Document, doc).state == "office_review"
    with pytest.raises(Refused):
        service.review(world.desk("wang"), doc)
    flows.act(world.desk("wang"), doc, "pass", seat(world, "wang", doc), text="数字已核")
    assert [row.id for row, _line in waiting(world.desk("fin-gov"), FLOWS)] == [doc]
    assert world.desk("fin-gov").get(Document, doc).title == "关于全程的通知"
    verified(world, lambda: flows.act(world.desk("fin-gov"), doc, "return", seat(world, "fin-gov", doc), text="经费渠道请写明", to="drafter"))
    document = world.desk("qian").get(Document, doc)
    assert (document.state, document.returned) == ("returned", "经费渠道请写明")
    service.submit(world.desk("qian"), doc)
    flows.act(world.desk("wang"), doc, "pass", seat(world, "wang", doc))
    flows.act(world.desk("fin-gov"), doc, "countersign", seat(world, "fin-gov", doc), opinion="agree")
    assert lies(world, doc) == ["review"]
    verified(world, lambda: service.review(world.desk("wang"), doc))
    verified(world, lambda: service.sign(world.desk("zhao"), doc))
    assert "dispatch" not in service.moves(world.desk("li"), world.desk("li").get(Document, doc))
    verified(world, lambda: service.number(world.desk("li"), doc, prefix="gov政发"))
    assert lies(world, doc) == ["seal"]
    with pytest.raises(Refused):
        service.dispatch(world.desk("li"), doc)
    verified(world, lambda: service.seal(world.desk("sun"), doc))
    verified(world, lambda: service.dispatch(world.desk("li"), doc))
    assert (world.desk("li").get(Document, doc).state, lies(world, doc)) == ("dispatched", ["file"])


def test_disagreement_goes_to_the_signer(world: World) -> None:
    """A unit that does not agree sends it to the signer, who decides in words; nobody else may."""
    doc = service.draft(world.desk("qian"), paper(title="关于分歧的通知"))
    service.submit(world.desk("qian"), doc, units=["gov-fin"])
    flows.act(world.desk("fin-gov"), doc, "countersign", seat(world, "fin-gov", doc), opinion="disagree", text="没有预算")
    settle = Pen(world.desk("li"), FLOWS, doc).state.live()[0].id
    with pytest.raises(Refused):
        flows.act(world.desk("wang"), doc, "settle", settle, text="照发")
    flows.act(world.desk("zhao"), doc, "settle", settle, text="从预备费列支")
    assert lies(world, doc) == ["review"]


def test_a_substantial_change_found_at_the_recheck_goes_back_to_the_signer(world: World) -> None:
    """§25: what the recheck changes in substance is signed again."""
    doc = service.draft(world.desk("qian"), paper(title="关于复核的通知"))
    service.submit(world.desk("qian"), doc)
    service.review(world.desk("wang"), doc)
    service.sign(world.desk("zhao"), doc)
    flows.act(world.desk("li"), doc, "pass", seat(world, "li", doc), text="金额有误", substantial="1")
    assert world.desk("li").get(Document, doc).state == "sign"
    service.sign(world.desk("zhao"), doc)
    assert lies(world, doc) == ["recheck"]


def test_a_normative_document_waits_for_three_reviews(world: World) -> None:
    """Legal, competition and burden reviews run at the same time; a recall takes the submission back while nobody has looked."""
    doc = service.draft(world.desk("qian"), paper(title="关于规范性文件的通知"))
    service.submit(world.desk("qian"), doc, normative=True)
    assert lies(world, doc) == ["legal", "competition", "burden"]
    done = Pen(world.desk("qian"), FLOWS, doc).state.trail[0].seat.id
    flows.act(world.desk("qian"), doc, "recall", done, text="漏了附件")
    assert world.desk("qian").get(Document, doc).state == "draft"
    service.submit(world.desk("qian"), doc, normative=True)
    for _ in range(3):
        flows.act(world.desk("wang"), doc, "pass", seat(world, "wang", doc))
    assert lies(world, doc) == ["review"]


@pytest.mark.row("C1")
def test_running_documents_keep_their_flow_and_are_moved_when_told(world: World) -> None:
    """A version without the recheck is for new documents; those under way are moved in one batch and back."""
    before = service.draft(world.desk("qian"), paper(title="关于旧流程的通知"))
    clerk = world.desk("li")
    old = next(one for one in designer.versions(clerk, "documents.outgoing") if one.running)
    draft = designer.change_version(clerk, old.digest)
    template = designer.draft(clerk, draft).drawn
    kept = [step for step in template.steps if step.id != "recheck"]
    steps = tuple(designer.change(step, ways=(Way("number"),)) if step.id == "sign" else step for step in kept)
    designer.save(clerk, draft, designer.change(template, steps=steps))
    new = designer.publish(world.desk("li"), draft, note="不再单设复核")
    after = service.draft(world.desk("qian"), paper(title="关于新流程的通知"))
    held = {doc: Pen(world.desk("li"), FLOWS, doc).state.template.hex() for doc in (before, after)}
    assert held == {before: old.digest, after: new}
    batch = designer.move(world.desk("li"), old.digest, new, {"recheck": "number"}, reason="新办法")
    assert Pen(world.desk("li"), FLOWS, before).state.template.hex() == new
    service.submit(world.desk("qian"), before)
    assert designer.undo(world.desk("li"), batch, reason="撤销") >= 1
    assert Pen(world.desk("li"), FLOWS, before).state.template.hex() == new, "something was done since"
    assert {one.step for one in designer.lies(world.desk("li"), "documents.outgoing") if one.now} >= {"draft", "review"}


def test_what_is_not_ones_own_is_not_there(world: World) -> None:
    """Somebody of another organ neither sees a document's way nor takes an act on it."""
    doc = service.draft(world.desk("qian"), paper(title="关于旁人的通知"))
    with pytest.raises(Missing):
        flows.act(world.desk("fin-gov"), doc, "urge", "draft.1.0", text="快")
    with pytest.raises(Missing):
        Pen(world.desk("fin-gov"), FLOWS, doc)
