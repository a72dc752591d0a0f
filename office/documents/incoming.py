"""What an organ does with a document that came in: from signing for it to closing it."""

from __future__ import annotations

from node.errors import Conflict, Invalid, Refused
from office.documents import entries as said
from office.documents import model, workflow
from office.documents.entries import Annex
from office.documents.model import Act, Delivery, Document, Incoming
from office.documents.routing import organ_of
from office.documents.steps import inner, move, reached, reason_of, receipt, words
from office.documents.workflow import Standing
from office.frame.desk import Desk, again
from office.frame.words import _


def sign_for(desk: Desk, incoming: str, *, key: str = "") -> None:
    """R2: sign for a document in one's own name; the first of an organ to do so stands."""
    found = move(desk, incoming, "sign_for")
    desk.together([receipt(desk, found, said.SignedFor(found.doc, found.organ, desk.name, key, found.issue))])


def sign_correction(desk: Desk, incoming: str, *, key: str = "") -> None:
    """R2 of a corrected issue: the organ has seen what was wrong with the one it had signed for."""
    found = move(desk, incoming, "sign_correction")
    if not found.corrected:
        raise Conflict(_("没有待签收的更正件。"), code="moved_on")
    desk.together([receipt(desk, found, said.SignedFor(found.doc, found.organ, desk.name, key, found.issue))])


def register(desk: Desk, incoming: str, *, to_handle: bool = True) -> str:
    """Enter a document in the organ's register of the year."""

    def once() -> str:
        found = move(desk, incoming, "register")
        organ, year = organ_of(desk, found.organ), workflow.day(desk.now).year
        name = model.register_name(organ.id, year)
        count = reached(desk, name) + 1
        text = workflow.register_text(year, organ.short_name, count)
        desk.together([inner(desk, found, said.Registered(found.doc, found.organ, year, count, text, to_handle), touches=(name,))])
        return text

    return again(once)


def answer(desk: Desk, incoming: str, *, text: str, annexes: tuple[Annex, ...] = (), close_too: bool = False, key: str = "") -> None:
    """R4: tell the issuer what came of it, and those of its duplicates; optionally close it in the same step."""
    found = move(desk, incoming, "answer")
    if not text.strip() and not annexes:
        raise Invalid(_("请填写办理情况。"), code="text_missing")
    led(desk, found)
    wishes = []
    for one in (found, *desk.list(Incoming, Incoming.master == found.id, Incoming.state == Standing.LINKED)):
        reply = receipt(desk, one, said.Answered(one.doc, one.organ, desk.name, words(text), annexes, key if one is found else ""))
        wishes += [reply, inner(desk, one, said.Closed(one.doc, one.organ, ""), reply.id)] if close_too or one is not found else [reply]
    desk.together(wishes)


def send_back(desk: Desk, incoming: str, *, reason: str, words: str, key: str = "") -> None:
    """R2x: send the document back to its issuer, with a reason of the list and in words."""
    found = move(desk, incoming, "send_back")
    if reason not in workflow.RETURN_REASONS:
        raise Invalid(_("请选择退文原因。"), code="reason")
    desk.together([receipt(desk, found, said.SentBack(found.doc, found.organ, desk.name, reason, reason_of(words), key))])


def close(desk: Desk, incoming: str, *, note: str = "") -> None:
    """Be done with a document."""
    found = move(desk, incoming, "close")
    if found.reply_required and not found.answered_at:
        raise Refused(_("来文要求答复，请先填写办理情况再办结。"), code="answer_first")
    led(desk, found)
    desk.together([inner(desk, found, said.Closed(found.doc, found.organ, words(note)))])


def confirm_recall(desk: Desk, incoming: str, *, key: str = "") -> None:
    """R5: let a document go that one had signed for."""
    found = move(desk, incoming, "confirm_recall")
    desk.together([receipt(desk, found, said.RecallConfirmed(found.doc, found.organ, desk.name, False, key))])


def lead_of(desk: Desk, found: Incoming) -> str:
    """The organ that leads, of which there always is one: who was entrusted with it, until it sends that back or is relieved; else this organ."""
    child = found.child
    lead = next(iter(desk.list(Delivery, Delivery.doc == child, Delivery.role == said.Role.LEAD)), None) if child else None
    if lead is None or desk.list(Act, Act.doc == child, Act.organ == lead.organ, Act.receipt == "R2x", limit=1):
        return found.organ
    return found.organ if desk.list(Document, Document.id == child, Document.recall > 0) else lead.organ


def led(desk: Desk, found: Incoming) -> None:
    """Refuse to end what other organs are entrusted with before the one in the lead has answered."""
    if found.child and not desk.list(Document, Document.id == found.child):
        raise Refused(_("本件已转办其他机关，请由文书汇总答复。"), code="lead_open")
    lead = lead_of(desk, found)
    if lead != found.organ and not desk.list(Act, Act.doc == found.child, Act.organ == lead, Act.receipt == "R4"):
        name = organ_of(desk, lead).short_name
        raise Refused(_("主办机关{name}尚未反馈，不能办结；转办不免除本机关的责任。").format(name=name), code="lead_open")
