"""What another node may send about documents, signed with its own keys: nothing of it counts for an organ that is not its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from node import clock
from node.codec import LATEST, pack, uuid7
from node.entry import Lane, to_node
from node.errors import Invalid, NodeError, Refused
from node.kinds import Content, decode, encode, name_of
from node.requests import Draft, statement
from office.documents import entries as said
from office.documents import service
from office.documents.model import Counter, Document, Incoming, Letter
from office.documents.workflow import SHANGHAI
from office.flows.model import FLOWS
from office.frame.flow.entries import Published
from office.frame.flow.template import shipped
from office.meetings.entries import Notified, Plan
from tests.office.test_documents import World, paper, started

YEAR = clock.now().astimezone(SHANGHAI).year


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A city, and a county whose keys somebody has."""
    with started(tmp_path_factory.mktemp("forged"), "sqlite") as found:
        yield found


def says(world: World, content: Content, record: str, *, at: int = 0) -> Draft:
    """What the county's node signs for the city, past every rule of its own screens."""
    office = world.offices["county1"]
    said_, salt, data = statement(office.settings.city, content, record=record, home=office.settings.id, at=at)
    return Draft(pack(said_), b"", salt, data, (to_node(world.offices["city"].settings.id),), Lane.URGENT)


def envelope(world: World, organ: str, **more: Any) -> said.Envelope:
    """A letter to the city's government."""
    known = {key: more.pop(key) for key in ("number", "role") if key in more}
    sheet = msgspec.structs.replace(paper(), organ=organ, to=("gov",), **more)
    to = said.Recipient("gov", world.offices["city"].settings.id, known.get("role", said.Role.TO))
    return said.Envelope(sheet, known.get("number", "cgov政发〔2026〕9号"), "云市财政局", "某某", "2026-11-23", (to,))


@pytest.mark.promise("P16")
def test_nobody_else_writes_in_the_outgoing_register(world: World) -> None:
    """A draft that another node says is ours, and a number it says is given, leave no document and no gap in the series."""
    doc = uuid7()
    world.offices["county1"].ledger.write(
        (says(world, said.Drafted(paper(title="冒名")), doc), says(world, said.Numbered("gov政发", YEAR, 9_000, "x"), doc))
    )
    world.carry()
    assert not world.desk("li").list(Document, Document.id == doc)
    assert not [c for c in world.desk("li").list(Counter) if c.last >= 9_000]
    mine = service.send(world.desk("zhao"), paper(title="之后"), prefix="gov政发")
    assert mine.number == f"gov政发〔{YEAR}〕1号"


@pytest.mark.promise("P16")
@pytest.mark.parametrize("organ", ["gov-fin", "gov"])
def test_nobody_speaks_for_anothers_organ(world: World, organ: str) -> None:
    """A document that a county issues for an organ of the city is refused where it is written (where it arrives: tests/node/test_hostile.py)."""
    doc = uuid7()
    with pytest.raises(Refused) as refused:
        world.offices["county1"].ledger.write((says(world, said.Dispatched(envelope(world, organ)), doc),))
    assert refused.value.code == "scope"


@pytest.mark.promise("P16")
def test_nobody_calls_a_meeting_or_draws_a_flow_for_others(world: World) -> None:
    """A meeting in the name of an organ of the city cannot be called from elsewhere, and a flow published elsewhere is in use there only."""
    template = msgspec.structs.replace(shipped()[0], version=99)
    world.offices["county1"].ledger.write((says(world, Published(template), f"flow:{template.id}"),))
    world.carry()
    assert not [plan for plan in world.desk("li").list(FLOWS.Plan) if plan.version == 99]
    plan = Plan("gov", "meeting", "冒名", 0, 1, (), "", ("gov",))
    with pytest.raises(Refused):
        world.offices["county1"].ledger.write((says(world, Notified(plan, (), 1, 1, "", b""), uuid7()),))


@pytest.mark.promise("P16")
@pytest.mark.parametrize(
    "wrong",
    [{"role": "boss"}, {"due": LATEST + 1}, {"label": "x"}, {"urgency": "x"}, {"title": "长" * 1000}, {"number": "9" * 1000}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_no_letter_stops_a_register(world: World, wrong: dict[str, Any]) -> None:
    """A letter with a word or a time that no screen can show is refused; it never lies in a register."""
    doc = uuid7()
    with pytest.raises(NodeError):
        world.offices["county1"].ledger.write((says(world, said.Dispatched(envelope(world, "cgov", **wrong)), doc),))
    assert not world.desk("li").list(Letter, Letter.id == doc)


@pytest.mark.promise("P16")
@pytest.mark.parametrize("day", ["not a date", "2026-02-30", "2026-13-01"])
def test_a_letter_of_no_day_is_none(world: World, day: str) -> None:
    """The bytes that a stranger signs with a day that the calendar does not have are no letter: they are marked, and no page has to read the day."""
    content = said.Dispatched(envelope(world, "cgov"))
    assert decode(name_of(content), encode(content)) == content
    with pytest.raises(Invalid):
        decode(name_of(content), encode(content).replace(b"2026-11-23", day.encode()))


@pytest.mark.promise("P16")
@pytest.mark.parametrize("wrong", [{"kind": "x"}, {"in_reply_to": "x"}, {"forwards": "x"}, {"due": LATEST}], ids=lambda wrong: next(iter(wrong)))
def test_an_odd_letter_is_shown(world: World, wrong: dict[str, Any], tmp_path: Path) -> None:
    """What is odd but can be shown arrives: every value that is let in can be put on a screen."""
    from office.documents.trays import facts_in, incoming_line
    from office.portal.screen import full, when

    doc = uuid7()
    world.offices["county1"].ledger.write((says(world, said.Dispatched(envelope(world, "cgov", **wrong)), doc),))
    world.carry()
    (row,) = world.desk("li").list(Incoming, Incoming.doc == doc)
    line = incoming_line(world.desk("li"), row)
    assert when(line["at"]) and full(row.sent_at)
    assert facts_in(world.desk("li"), row, world.desk("li").get(Letter, doc).envelope)
