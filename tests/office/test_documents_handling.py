"""What an organ does with a document that came in: the seven steps of §24, urging, terms, entrusting, duplicates, paper."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator

import pytest

from node.errors import Conflict, Invalid, Missing, NodeError, Refused
from office.documents import service
from office.documents.model import Act, Document, Extension, Hand, Incoming, Letter, Urge
from office.documents.terms import Terms
from tests.office.test_documents import World, arrived, issued, paper, started, verified


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A city and a county."""
    with started(tmp_path_factory.mktemp("handling"), "sqlite") as found:
        yield found


def registered(world: World, **more: object) -> Incoming:
    """A document that the county has signed for and registered."""
    doc = issued(world, **more)
    row = arrived(world, "zhou", doc)
    service.sign_for(world.desk("zhou"), row.id)
    service.register(world.desk("zhou"), row.id)
    world.carry()
    return arrived(world, "zhou", doc)


def kinds(world: World, person: str, record: str) -> list[str]:
    """The kinds of acts in the account of a record."""
    return [act.kind.removeprefix("documents.") for act in service.timeline(world.desk(person), record)]


@pytest.mark.row("A2")
def test_the_seven_steps_are_in_the_account(world: World) -> None:
    """Signed for, registered, examined, proposed and instructed, handled, circulated, urged, answered: each step is an act of whoever did it."""
    row = registered(world, reply_required=True)
    clerk, leader = world.desk("zhou"), world.desk("wu")
    verified(world, lambda: service.examine(world.desk("zhou"), row.id, opinion="符合要求。"))
    verified(world, lambda: service.propose(clerk, row.id, opinion="拟请郑科员办理。", leader="wu"))
    assert row.id in [item.url.rsplit("/", 1)[-1] for item in service.todo(world.desk("wu"))]
    verified(world, lambda: service.instruct(leader, row.id, opinion="同意，五日内报结果。"))
    verified(world, lambda: service.assign(world.desk("zhou"), row.id, lead="zheng", opinion="按批示办理。", due="5wd"))
    verified(world, lambda: service.circulate(world.desk("zhou"), row.id, readers=["wu"], opinion="请阅。"))
    verified(world, lambda: service.urge_person(world.desk("zhou"), row.id, person="zheng", channel="phone", text="请抓紧。"))
    verified(world, lambda: service.read(world.desk("wu"), row.id))
    verified(world, lambda: service.answer(world.desk("zheng"), row.id, text="已办。", close_too=True))
    wanted = ["signed_for", "registered", "examined", "proposed", "instructed", "assigned", "circulated", "urged", "seen", "answered", "closed"]
    assert kinds(world, "zhou", row.id) == wanted
    found = arrived(world, "zhou", row.doc)
    assert found.state == "closed" and found.term_rule == "5wd" and found.term > row.sent_at


@pytest.mark.row("A2")
def test_what_fails_the_examination_goes_back_as_a_receipt_of_its_own(world: World) -> None:
    """初审 names the question that failed; 退文 is a signed R2x of a listed reason that reaches the issuer, not a step backwards."""
    row = registered(world)
    with pytest.raises(Invalid):
        service.examine(world.desk("zhou"), row.id, failed=["not_consulted"])
    with pytest.raises(Invalid):
        service.examine(world.desk("zhou"), row.id, failed=["ugly"], opinion="不好看。")
    verified(world, lambda: service.examine(world.desk("zhou"), row.id, failed=["not_consulted"], opinion="涉及财政事项未会签。"))
    assert arrived(world, "zhou", row.doc).failed == "not_consulted"
    verified(world, lambda: service.send_back(world.desk("zhou"), row.id, reason="not_consulted", words="请先与财政部门协商。"))
    (line,) = service.matrix(world.desk("li"), row.doc)
    assert line.receipts["R2x"].reason == "not_consulted" and line.receipts["R2x"].author == world.offices["county1"].settings.id
    with pytest.raises(NodeError):
        service.assign(world.desk("zhou"), row.id, lead="zheng")


@pytest.mark.row("A6")
def test_a_transcribed_instruction_names_both_and_needs_its_scan(world: World) -> None:
    """代录: the leader's words with a scan, signed by the clerk who entered them; a leader's own instruction is signed by the leader."""
    row = registered(world)
    clerk = world.desk("zhou")
    scan = service.attach(clerk, "批示.jpg", "image/jpeg", io.BytesIO(b"scan"))
    for leader, annexes in (("wu", ()), ("zheng", (scan,)), ("", (scan,))):
        with pytest.raises(Invalid):
            service.transcribe(world.desk("zhou"), row.id, leader=leader, opinion="请办理。", annexes=annexes)
    with pytest.raises(Refused):
        service.transcribe(world.desk("wu"), row.id, leader="wu", opinion="请办理。", annexes=(scan,))
    verified(world, lambda: service.transcribe(world.desk("zhou"), row.id, leader="wu", opinion="请办理。", annexes=(scan,)))
    with pytest.raises(Refused):
        service.instruct(world.desk("zhou"), row.id, opinion="我来批。")
    verified(world, lambda: service.instruct(world.desk("wu"), row.id, opinion="已阅。"))
    written, own = (act for act in service.timeline(clerk, row.id) if act.kind == "documents.instructed")
    assert (written.person, written.reason, [a.name for a in written.annexes]) == ("zhou", "wu transcribed", ["批示.jpg"])
    assert (own.person, own.reason, own.annexes) == ("wu", "wu", ())


def test_circulation_says_where_it_lies(world: World) -> None:
    """In turn it lies with the first who has not read it, and the next cannot go before; all at once it lies with everybody who has not."""
    row = registered(world)
    verified(world, lambda: service.circulate(world.desk("wu"), row.id, readers=["zheng", "wu"], in_turn=True))
    found = world.desk("zhou").get(Incoming, row.id)
    assert found.state == "circulating" and service.lies_with(world.desk("zhou"), found) == ["zheng"]
    assert row.id not in [item.url.rsplit("/", 1)[-1] for item in service.todo(world.desk("wu"))]
    with pytest.raises(Conflict):
        service.read(world.desk("wu"), row.id)
    verified(world, lambda: service.read(world.desk("zheng"), row.id, opinion="已阅。"))
    assert service.lies_with(world.desk("zhou"), found) == ["wu"]
    assert row.id in [item.url.rsplit("/", 1)[-1] for item in service.todo(world.desk("wu"))]
    verified(world, lambda: service.read(world.desk("wu"), row.id))
    assert service.lies_with(world.desk("zhou"), found) == []
    both = registered(world)
    service.circulate(world.desk("wu"), both.id, readers=["zheng", "wu"])
    assert service.lies_with(world.desk("zhou"), both) == ["wu", "zheng"] or service.lies_with(world.desk("zhou"), both) == ["zheng", "wu"]
    with pytest.raises(Invalid):
        service.circulate(world.desk("wu"), both.id, readers=["qian"])


def test_reading_is_told_only_where_asked(world: World) -> None:
    """R3 leaves the organ when the sender chose 要求阅知, and only then."""
    for asked in (True, False):
        row = registered(world, read_required=asked)
        service.circulate(world.desk("wu"), row.id, readers=["zheng"])
        verified(world, lambda row=row: service.read(world.desk("zheng"), row.id))
        (line,) = service.matrix(world.desk("li"), row.doc)
        assert ("R3" in line.receipts) is asked
        assert [hand.read_at > 0 for hand in world.desk("zhou").list(Hand, Hand.incoming == row.id, Hand.person == "zheng")] == [True]


@pytest.mark.row("C7")
def test_three_urgings_then_supervision(world: World) -> None:
    """The issuer urges a recipient three times at most, each with channel and time; an answer ends the count; unanswered it goes to supervision."""
    row = registered(world, reply_required=True)
    issuer = lambda: world.desk("li")  # noqa: E731
    assert verified(world, lambda: service.urge(issuer(), row.doc, organ="cgov", channel="phone", text="请抓紧。")) == 1
    (urge,) = world.desk("zhou").list(Urge, Urge.incoming == row.id)
    assert (urge.channel, urge.words, urge.by) == ("phone", "请抓紧。", "li") and urge.at
    assert "urged" in kinds(world, "zhou", row.id) or world.desk("zhou").list(Act, Act.doc == row.doc, Act.kind == "documents.urged")
    verified(world, lambda: service.answer_urge(world.desk("zhou"), row.id, urge=urge.id.hex(), text="明日报。"))
    assert issuer().list(Urge, Urge.doc == row.doc)[0].answer == "明日报。"
    with pytest.raises(Missing):
        service.answer_urge(world.desk("zhou"), row.id, urge=urge.id.hex(), text="再答。")
    for wanted in (1, 2, 3):
        with pytest.raises(Refused):
            service.supervise(issuer(), row.doc, organ="cgov", text="三次未复。")
        assert verified(world, lambda: service.urge(issuer(), row.doc, organ="cgov", channel="system")) == wanted
    with pytest.raises(Refused) as refused:
        service.urge(issuer(), row.doc, organ="cgov", channel="system")
    assert refused.value.code == "urged_thrice"
    verified(world, lambda: service.supervise(issuer(), row.doc, organ="cgov", text="三次未复。"))
    with pytest.raises(Conflict):
        service.supervise(issuer(), row.doc, organ="cgov", text="再转。")
    assert not world.desk("fin-gov").list(Urge, Urge.doc == row.doc)


@pytest.mark.row("C7")
def test_a_person_in_hand_is_urged_the_same_way(world: World) -> None:
    """Inside the organ it is the handler who is urged and answers; strangers to the matter cannot be urged, and others cannot answer."""
    row = registered(world)
    service.assign(world.desk("zhou"), row.id, lead="zheng")
    with pytest.raises(Invalid):
        service.urge_person(world.desk("zhou"), row.id, person="wu", channel="phone")
    with pytest.raises(Invalid):
        service.urge_person(world.desk("zhou"), row.id, person="zheng", channel="telepathy")
    for wanted in (1, 2, 3):
        assert service.urge_person(world.desk("zhou"), row.id, person="zheng", channel="visit") == wanted
    verified(world, lambda: service.supervise_person(world.desk("zhou"), row.id, text="多次催办未办。"))
    assert world.desk("zhou").get(Incoming, row.id).supervised_at
    urge = world.desk("zheng").list(Urge, Urge.incoming == row.id, order=Urge.step.desc())[0]
    with pytest.raises(Missing):
        service.answer_urge(world.desk("wu"), row.id, urge=urge.id.hex(), text="代答。")
    verified(world, lambda: service.answer_urge(world.desk("zheng"), row.id, urge=urge.id.hex(), text="今日办完。"))


def test_a_later_term_is_asked_before_the_end_and_decided_by_the_issuer(world: World) -> None:
    """延期: asked in time, granted or not by the issuer, and the new end counts for both; after the end it is too late to ask."""
    due = int((world.desk("li").now + dt.timedelta(days=3)).timestamp() * 1000)
    row = registered(world, reply_required=True, due=due, due_rule="set")
    later = (world.desk("li").now + dt.timedelta(days=9)).isoformat()
    with pytest.raises(Invalid):
        service.ask_extension(world.desk("zhou"), row.id, until="1h", reason="材料不齐。")
    verified(world, lambda: service.ask_extension(world.desk("zhou"), row.id, until=later, reason="材料不齐。"))
    with pytest.raises(Conflict):
        service.ask_extension(world.desk("zhou"), row.id, until=later, reason="再问。")
    (asked,) = world.desk("li").list(Extension, Extension.doc == row.doc)
    assert row.doc in [item.url.rsplit("/", 1)[-1] for item in service.todo(world.desk("li"))]
    with pytest.raises(Invalid):
        service.decide_extension(world.desk("li"), row.doc, asked=asked.id.hex(), granted=False)
    verified(world, lambda: service.decide_extension(world.desk("li"), row.doc, asked=asked.id.hex(), granted=True))
    found = arrived(world, "zhou", row.doc)
    assert found.until == asked.until > due and Terms(world.desk("zhou")).due(found).timestamp() * 1000 == found.until
    over = registered(world, due=1, due_rule="set")
    with pytest.raises(Refused) as refused:
        service.ask_extension(world.desk("zhou"), over.id, until=later, reason="晚了。")
    assert refused.value.code == "passed"


@pytest.mark.row("C9")
def test_who_entrusts_others_stays_answerable(world: World) -> None:
    """分办 goes out as a document with one lead; the parent cannot be answered or closed before the lead has answered."""
    row = registered(world, reply_required=True)
    with pytest.raises(Invalid):
        service.entrust(world.desk("zhou"), row.id, lead="")
    child = str(verified(world, lambda: service.entrust(world.desk("zhou"), row.id, lead="cgov-fin", text="请研究提出意见。", due="3wd")))
    part = arrived(world, "fin-cgov", child, "cgov-fin")
    assert (part.role, part.reply_required, part.title) == ("lead", True, f"关于办理《{row.title}》的函") and part.due
    assert world.desk("zhou").get(Incoming, row.id).state == "in_hand"
    with pytest.raises(Refused) as refused:
        service.answer(world.desk("zhou"), row.id, text="办完了。")
    assert refused.value.code == "lead_open"
    with pytest.raises(Conflict):
        service.entrust(world.desk("zhou"), row.id, lead="cgov-fin")
    service.sign_for(world.desk("fin-cgov"), part.id)
    verified(world, lambda: service.answer(world.desk("fin-cgov"), part.id, text="已提出意见。", close_too=True))
    verified(world, lambda: service.answer(world.desk("zhou"), row.id, text="综合各方意见如下。", close_too=True))
    assert world.desk("zhou").get(Document, child).state == "dispatched"


@pytest.mark.row("C9")
def test_a_matter_whose_lead_sends_it_back_is_led_again(world: World) -> None:
    """A lead that sends it back, or is relieved by a recall, leaves no orphan: this organ leads again and entrusts anew or answers itself."""
    row = registered(world, reply_required=True)
    first = service.entrust(world.desk("zhou"), row.id, lead="cgov-fin")
    part = arrived(world, "fin-cgov", first, "cgov-fin")
    verified(world, lambda: service.send_back(world.desk("fin-cgov"), part.id, reason="not_ours", words="不属我局职权。"))
    second = str(verified(world, lambda: service.entrust(world.desk("zhou"), row.id, lead="cgov-fin", text="经协调由你局主办。")))
    assert second != first and world.desk("zhou").get(Incoming, row.id).child == second
    with pytest.raises(Refused):
        service.answer(world.desk("zhou"), row.id, text="办完了。")
    verified(world, lambda: service.recall(world.desk("zhou"), second, reason="改由本机关办理。"))
    verified(world, lambda: service.answer(world.desk("zhou"), row.id, text="本机关已直接办理。", close_too=True))
    assert world.desk("zhou").get(Incoming, row.id).state == "closed"


@pytest.mark.row("C9")
def test_a_handler_does_not_answer_over_the_head_of_the_lead(world: World) -> None:
    """Who handles a matter here and does not see whom it was handed to cannot end it before the lead has answered."""
    row = registered(world, reply_required=True)
    service.assign(world.desk("wu"), row.id, lead="zheng")
    service.entrust(world.desk("zhou"), row.id, lead="cgov-fin")
    with pytest.raises(Refused) as refused:
        service.answer(world.desk("zheng"), row.id, text="办完了。")
    assert refused.value.code == "lead_open"


def test_a_duplicate_is_answered_with_its_master(world: World) -> None:
    """Two documents that ask the same are handled once, and both issuers get the answer; the likely twin is offered."""
    first = registered(world, title="关于同一件事的通知", reply_required=True)
    second = registered(world, title="关于同一件事的通知", reply_required=True)
    assert [one.id for one in service.alike(world.desk("zhou"), second)] == [first.id]
    with pytest.raises(Invalid):
        service.link(world.desk("zhou"), second.id, master=second.id)
    verified(world, lambda: service.link(world.desk("zhou"), second.id, master=first.id))
    assert world.desk("zhou").get(Incoming, second.id).state == "linked"
    verified(world, lambda: service.answer(world.desk("zhou"), first.id, text="一并答复。"))
    assert [arrived(world, "zhou", one.doc).state for one in (first, second)] == ["answered", "closed"]
    for one in (first, second):
        (line,) = service.matrix(world.desk("li"), one.doc)
        assert line.receipts["R4"].text == "一并答复。"


def test_the_paper_comes_later(world: World) -> None:
    """双套: copies, numbers and place of the paper are entered beside the electronic original, whatever its state."""
    row = registered(world)
    with pytest.raises(Invalid):
        service.paper_arrived(world.desk("zhou"), row.id, copies=0)
    verified(world, lambda: service.paper_arrived(world.desk("zhou"), row.id, copies=2, numbers="000012、000013", place="机要柜"))
    assert world.desk("zhou").get(Incoming, row.id).paper_at
    act = service.timeline(world.desk("zhou"), row.id)[-1]
    assert (act.kind, act.reason, act.text) == ("documents.paper_arrived", "2 000012、000013", "机要柜")


def test_an_answer_and_a_forward_are_begun_from_what_came(world: World) -> None:
    """复文 names what it answers, to whom it goes and, to a request from below, is a 批复; 转发 encloses text, files and number."""
    file = service.attach(world.desk("wu"), "表.txt", "text/plain", io.BytesIO(b"x"))
    asked = paper(organ="cgov", kind="request", title="关于经费的请示", text="妥否，请批示。", to=("gov",), annexes=(file,))
    doc = service.send(world.desk("wu"), asked, prefix="cgov政发").doc
    world.carry()
    row = arrived(world, "li", doc, "gov")
    reply = service.reply_paper(world.desk("li"), row)
    assert (reply.kind, reply.title, reply.to, reply.in_reply_to) == ("reply", "关于经费的批复", ("cgov",), doc)
    assert row.number in reply.text and not [f for f in service.findings(world.desk("zhao"), reply) if f.refuses]
    forward = service.forward_paper(world.desk("li"), row)
    assert forward.forwards == doc and forward.annexes == (file,) and "妥否，请批示。" in forward.text and forward.to == ()
    sent = service.send(world.desk("zhao"), reply).doc
    world.carry()
    answer = arrived(world, "zhou", sent)
    assert world.desk("zhou").get(Letter, sent).envelope.paper.in_reply_to == doc
    letter = service.reply_paper(world.desk("zhou"), answer)
    assert (letter.kind, letter.to) == ("letter", ("gov",)) and letter.title.endswith("复函")
