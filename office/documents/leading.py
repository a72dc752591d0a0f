"""Inside the receiving organ: examine it (初审), propose (拟办), instruct (批示), assign, let it go round (传阅), read."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from node.errors import Conflict, Invalid
from office.documents import entries as said
from office.documents import workflow
from office.documents.entries import Annex
from office.documents.model import Hand, Incoming
from office.documents.rights import roles, staff
from office.documents.steps import inner, move, receipt, stored, words
from office.documents.terms import deadline
from office.documents.workflow import SIGNER
from office.frame.desk import Desk
from office.frame.words import _


def examine(desk: Desk, incoming: str, *, failed: Collection[str] = (), opinion: str = "") -> None:
    """初审: say which of the four questions of §24 a document fails, or that it passes."""
    found = move(desk, incoming, "examine")
    if not set(failed) <= set(workflow.EXAMINATION):
        raise Invalid(_("没有这项初审内容。"), code="examination")
    wrong = tuple(code for code in workflow.EXAMINATION if code in failed)
    if wrong and not opinion.strip():
        raise Invalid(_("请写明初审发现的问题。"), code="reason")
    desk.together([inner(desk, found, said.Examined(found.doc, found.organ, wrong, words(opinion)))])


def propose(desk: Desk, incoming: str, *, opinion: str, leader: str = "") -> None:
    """拟办: write how it might be handled, and put it before a leader."""
    found = move(desk, incoming, "propose")
    if not opinion.strip():
        raise Invalid(_("请填写拟办意见。"), code="text_missing")
    if leader and leader not in leaders(desk, found.organ):
        raise Invalid(_("所选领导不在本机关。"), code="not_staff")
    desk.together([inner(desk, found, said.Proposed(found.doc, found.organ, leader, words(opinion)))])


def instruct(desk: Desk, incoming: str, *, opinion: str) -> None:
    """批示 by the leader in person."""
    found = move(desk, incoming, "instruct")
    if not opinion.strip():
        raise Invalid(_("请填写批示。"), code="text_missing")
    desk.together([inner(desk, found, said.Instructed(found.doc, found.organ, desk.person, words(opinion)))])


def transcribe(desk: Desk, incoming: str, *, leader: str, opinion: str, annexes: tuple[Annex, ...]) -> None:
    """代录: enter what a leader wrote by hand, with its scan; the account names both, and does not say that the leader was here."""
    found = move(desk, incoming, "transcribe")
    if leader not in leaders(desk, found.organ):
        raise Invalid(_("请选择作出批示的领导。"), code="not_staff")
    if not opinion.strip() or not annexes:
        raise Invalid(_("代录批示要照录原文，并附手写批示的扫描件。"), code="scan_missing")
    content = said.Instructed(found.doc, found.organ, leader, words(opinion), True, annexes)
    desk.together([inner(desk, found, content, attachments=stored(annexes))])


def leaders(desk: Desk, organ: str) -> dict[str, str]:
    """Ids and names of those who may instruct in an organ, in protocol order."""
    return {person.id: person.name for person in desk.directory.holders(SIGNER, organ)}


def assign(
    desk: Desk, incoming: str, *, lead: str = "", assistants: Sequence[str] = (), readers: Sequence[str] = (), opinion: str = "", due: str = ""
) -> None:
    """Give it to somebody to handle by a term, or to some to read; all must work in the organ or an office that serves it."""
    found = move(desk, incoming, "assign")
    helpers = tuple(dict.fromkeys(p for p in assistants if p and p != lead))
    reading = tuple(dict.fromkeys(p for p in readers if p and p != lead and p not in helpers))
    if not (lead or reading):
        raise Invalid(_("请选择承办人或者阅知人。"), code="nobody")
    if helpers and not lead:
        raise Invalid(_("有协办人就要有一名承办人。"), code="no_lead")
    _known(desk, found, (lead, *helpers, *reading))
    desk.together([inner(desk, found, said.Assigned(found.doc, found.organ, lead, helpers, reading, words(opinion), *deadline(desk, due)))])


def circulate(desk: Desk, incoming: str, *, readers: Sequence[str], in_turn: bool = False, opinion: str = "", due: str = "") -> None:
    """传阅: let it go round some readers, all at once or in the order given."""
    found = move(desk, incoming, "circulate")
    order = tuple(dict.fromkeys(p for p in readers if p))
    if not order:
        raise Invalid(_("请选择传阅人。"), code="nobody")
    _known(desk, found, order)
    desk.together([inner(desk, found, said.Circulated(found.doc, found.organ, order, in_turn, words(opinion), deadline(desk, due)[0]))])


def read(desk: Desk, incoming: str, *, opinion: str = "", tell: bool = False, key: str = "") -> None:
    """Say that one has read it: R3 where the issuer asked for that (or ``tell``), else known in the organ only."""
    found = move(desk, incoming, "read")
    readers = desk.list(Hand, Hand.incoming == found.id, order=Hand.place)
    mine = next((hand for hand in readers if hand.person == desk.person), None)
    if mine is not None and mine.read_at:
        return
    if found.in_turn and mine is not None and any(waits(hand) and hand.place < mine.place for hand in readers):
        raise Conflict(_("按顺序传阅，本件还没有传到您这里。"), code="not_your_turn")
    if found.read_required or tell:
        desk.together([receipt(desk, found, said.Read(found.doc, found.organ, desk.name, key))])
    else:
        desk.together([inner(desk, found, said.Seen(found.doc, found.organ, words(opinion)))])


def waits(hand: Hand) -> bool:
    """Whether it still has to be read by this reader."""
    return hand.task == "read" and not hand.read_at


def lies_with(desk: Desk, found: Incoming) -> list[str]:
    """传阅: the persons with whom it lies now; in turn, the first who has not read it, else everybody who has not."""
    waiting = [hand.person for hand in desk.list(Hand, Hand.incoming == found.id, order=(Hand.place, Hand.person)) if waits(hand)]
    return waiting[:1] if found.in_turn else waiting


def may_instruct(desk: Desk, organ: str) -> bool:
    """Whether the person instructs in an organ."""
    return SIGNER in roles(desk, organ)


def _known(desk: Desk, found: Incoming, people: Sequence[str]) -> None:
    if not {p for p in people if p} <= {person.id for person in staff(desk, found.organ)}:
        raise Invalid(_("所选人员不在本机关。"), code="not_staff")
