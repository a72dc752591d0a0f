"""What an organ does with a document that came in: from signing for it to closing it."""

from __future__ import annotations

from collections.abc import Sequence

from node.errors import Invalid, Refused
from office.documents import entries as said
from office.documents import model, workflow
from office.documents.entries import Annex
from office.documents.model import Hand
from office.documents.rights import staff
from office.documents.routing import organ_of
from office.documents.steps import again, inner, move, reached, reason_of, receipt, words
from office.frame.desk import Desk
from office.frame.words import _


def sign_for(desk: Desk, incoming: str, *, key: str = "") -> None:
    """R2: sign for a document in one's own name; the first of an organ to do so stands."""
    found = move(desk, incoming, "sign_for")
    desk.together([receipt(desk, found, said.SignedFor(found.doc, found.organ, desk.name, key))])


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


def assign(desk: Desk, incoming: str, *, lead: str = "", assistants: Sequence[str] = (), readers: Sequence[str] = (), opinion: str = "") -> None:
    """Give it to somebody to handle, or to some to read; all must work in the organ or an office that serves it."""
    found = move(desk, incoming, "assign")
    helpers = tuple(dict.fromkeys(p for p in assistants if p and p != lead))
    reading = tuple(dict.fromkeys(p for p in readers if p and p != lead and p not in helpers))
    if not (lead or reading):
        raise Invalid(_("请选择承办人或者阅知人。"), code="nobody")
    if helpers and not lead:
        raise Invalid(_("有协办人就要有一名承办人。"), code="no_lead")
    known = {person.id for person in staff(desk, found.organ)}
    if not {p for p in (lead, *helpers, *reading) if p} <= known:
        raise Invalid(_("所选人员不在本机关。"), code="not_staff")
    desk.together([inner(desk, found, said.Assigned(found.doc, found.organ, lead, helpers, reading, words(opinion)))])


def read(desk: Desk, incoming: str, *, key: str = "") -> None:
    """R3: say that one has read it."""
    found = move(desk, incoming, "read")
    mine = desk.list(Hand, Hand.incoming == found.id, Hand.person == desk.person)
    if not any(hand.read_at for hand in mine):
        desk.together([receipt(desk, found, said.Read(found.doc, found.organ, desk.name, key))])


def answer(desk: Desk, incoming: str, *, text: str, annexes: tuple[Annex, ...] = (), close_too: bool = False, key: str = "") -> None:
    """R4: tell the issuer what came of it; optionally close it in the same step."""
    found = move(desk, incoming, "answer")
    if not text.strip() and not annexes:
        raise Invalid(_("请填写办理情况。"), code="text_missing")
    content = said.Answered(found.doc, found.organ, desk.name, words(text), annexes, key)
    if not close_too:
        desk.together([receipt(desk, found, content)])
        return
    reply = receipt(desk, found, content)
    desk.together([reply, inner(desk, found, said.Closed(found.doc, found.organ, ""), reply.id)])


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
    desk.together([inner(desk, found, said.Closed(found.doc, found.organ, words(note)))])


def confirm_recall(desk: Desk, incoming: str, *, key: str = "") -> None:
    """R5: let a document go that one had signed for."""
    found = move(desk, incoming, "confirm_recall")
    desk.together([receipt(desk, found, said.RecallConfirmed(found.doc, found.organ, desk.name, False, key))])
