"""催办 and 延期: urge who has not answered, at most three times before supervision; ask for a later term, and decide on it."""

from __future__ import annotations

from collections import defaultdict

from node import clock
from node.entry import Lane
from node.errors import Conflict, Invalid, Missing, Refused
from office.documents import entries as said
from office.documents import workflow
from office.documents.model import Act, Delivery, Document, Extension, Hand, Letter, Urge
from office.documents.rights import acting_post
from office.documents.steps import inner, move, reason_of, receipt, step, words
from office.documents.terms import deadline
from office.frame.desk import Desk, Wish
from office.frame.words import _

SEEN_TO = ("R2", "R2x", "R4", "R5")
"Receipts after which nobody need be urged to sign."


def urge(desk: Desk, doc: str, *, organ: str, channel: str, text: str = "") -> int:
    """The issuer urges a recipient that has not answered; returns the step."""
    step(desk, doc, "urge")
    letter, delivery = desk.get(Letter, doc), _delivery(desk, doc, organ)
    at = _next(desk.list(Urge, Urge.doc == doc, Urge.organ == organ, Urge.person == "", Urge.answered_at == 0))
    content = said.Urged(doc, organ, "", at, _channel(channel), words(text))
    _tell(desk, letter, delivery, content)
    return at


def urge_all(desk: Desk, doc: str, *, channel: str, text: str = "") -> int:
    """The issuer urges everybody who has not signed for it and was not yet urged three times, all at once; returns how many."""
    step(desk, doc, "urge")
    letter, wishes = desk.get(Letter, doc), []
    unanswered: dict[str, list[Urge]] = defaultdict(list)
    for one in desk.list(Urge, Urge.doc == doc, Urge.person == "", Urge.answered_at == 0, limit=None):
        unanswered[one.organ].append(one)
    for delivery in _unsigned(desk, doc):
        before = unanswered[delivery.organ]
        if len(before) < workflow.STEPS:
            content = said.Urged(doc, delivery.organ, "", _next(before), _channel(channel), words(text))
            wishes.append(_wish(desk, letter, delivery, content))
    if not wishes:
        raise Conflict(_("没有可以催办的机关：都已签收，或者已催办三次。"), code="nobody")
    desk.together(wishes)
    return len(wishes)


def _unsigned(desk: Desk, doc: str) -> list[Delivery]:
    """Recipients of which nobody has signed for, sent back, answered or confirmed the recall of a document, as far as is known here."""
    known = {act.organ for act in desk.list(Act, Act.doc == doc, Act.receipt.in_(SEEN_TO), limit=None)}
    return [one for one in desk.list(Delivery, Delivery.doc == doc, order=Delivery.order, limit=None) if one.organ not in known]


def urge_person(desk: Desk, incoming: str, *, person: str, channel: str, text: str = "") -> int:
    """The registry urges who has it in hand or has not read it; returns the step."""
    found = move(desk, incoming, "urge")
    if not desk.list(Hand, Hand.incoming == found.id, Hand.person == person, Hand.task != ""):
        raise Invalid(_("请选择要催办的人。"), code="nobody")
    at = _next(desk.list(Urge, Urge.incoming == found.id, Urge.person == person, Urge.answered_at == 0))
    desk.together([inner(desk, found, said.Urged(found.doc, found.organ, person, at, _channel(channel), words(text)))])
    return at


def answer_urge(desk: Desk, incoming: str, *, urge: str, text: str, key: str = "") -> None:
    """Say why it is not done yet, or when it will be; the last of several urgings is answered for all."""
    found = move(desk, incoming, "answer_urge")
    asked = next((one for one in desk.list(Urge, Urge.incoming == found.id, Urge.answered_at == 0) if one.id.hex() == urge), None)
    if asked is None or asked.person not in ("", desk.person):
        raise Missing(_("没有这次催办，或者已经答复。"))
    if not text.strip():
        raise Invalid(_("请填写对催办的答复。"), code="text_missing")
    content = said.UrgeAnswered(found.doc, found.organ, desk.name, asked.id, words(text), key)
    if asked.person:
        desk.together([inner(desk, found, content)])
    else:
        desk.together([receipt(desk, found, content, asked.id)])


def supervise(desk: Desk, doc: str, *, organ: str, text: str) -> None:
    """The issuer hands a recipient that was urged three times in vain to supervision (督办)."""
    document = step(desk, doc, "supervise")
    delivery = _delivery(desk, doc, organ)
    unanswered = desk.list(Urge, Urge.doc == doc, Urge.organ == organ, Urge.person == "", Urge.answered_at == 0)
    _thrice(unanswered, bool(delivery.supervised_at))
    desk.write(said.Supervised(doc, organ, reason_of(text)), record=doc, post=acting_post(desk, document.organ), after=(document.last,))


def supervise_person(desk: Desk, incoming: str, *, text: str) -> None:
    """The registry hands a matter to supervision whose handler was urged three times in vain."""
    found = move(desk, incoming, "supervise")
    _thrice(desk.list(Urge, Urge.incoming == found.id, Urge.person != "", Urge.answered_at == 0), bool(found.supervised_at))
    desk.together([inner(desk, found, said.Supervised(found.doc, found.organ, reason_of(text)))])


def ask_extension(desk: Desk, incoming: str, *, until: str, reason: str, key: str = "") -> None:
    """延期: ask the issuer for a later term, before the present one is over."""
    found = move(desk, incoming, "extend")
    now, later = clock.to_ms(desk.now), deadline(desk, until)[0]
    if not found.until or not found.home:
        raise Refused(_("来文没有规定办理时限，无须延期。"), code="no_term")
    if found.until <= now:
        raise Refused(_("时限已过，不能再申请延期；请尽快办理并说明原因。"), code="passed")
    if later <= found.until:
        raise Invalid(_("延长后的时限应晚于原时限。"), code="deadline")
    if desk.list(Extension, Extension.incoming == found.id, Extension.decided_at == 0):
        raise Conflict(_("已经申请延期，来文机关尚未答复。"), code="asked")
    desk.together([receipt(desk, found, said.ExtensionAsked(found.doc, found.organ, desk.name, later, reason_of(reason), key))])


def decide_extension(desk: Desk, doc: str, *, asked: str, granted: bool, text: str = "") -> None:
    """The issuer grants what was asked, or says why not."""
    step(desk, doc, "extend")
    found = next((one for one in desk.list(Extension, Extension.doc == doc, Extension.decided_at == 0) if one.id.hex() == asked), None)
    if found is None:
        raise Missing(_("没有这项延期申请，或者已经答复。"))
    said_words = words(text) if granted else reason_of(text)
    content = said.ExtensionDecided(doc, found.organ, found.id, granted, found.until if granted else 0, said_words)
    _tell(desk, desk.get(Letter, doc), _delivery(desk, doc, found.organ), content, found.id)


def open_extensions(desk: Desk, document: Document) -> list[Extension]:
    """What recipients have asked and nobody has decided."""
    return desk.list(Extension, Extension.doc == document.id, Extension.decided_at == 0, order=Extension.at)


def _tell(desk: Desk, letter: Letter, delivery: Delivery, content: said.Urged | said.ExtensionDecided, *more: bytes) -> None:
    """To one recipient, ahead of ordinary matter."""
    desk.together([_wish(desk, letter, delivery, content, *more)])


def _wish(desk: Desk, letter: Letter, delivery: Delivery, content: said.Urged | said.ExtensionDecided, *more: bytes) -> Wish:
    post, after = acting_post(desk, letter.organ), (letter.said, *more)
    return desk.wish(content, to=(delivery.node,), lane=Lane.URGENT, record=letter.id, post=post, after=after)


def _delivery(desk: Desk, doc: str, organ: str) -> Delivery:
    found = next(iter(desk.list(Delivery, Delivery.doc == doc, Delivery.organ == organ)), None)
    if found is None:
        raise Missing(_("没有这个收文机关。"))
    return found


def _channel(channel: str) -> str:
    if channel not in workflow.CHANNELS:
        raise Invalid(_("请选择催办方式。"), code="channel")
    return channel


def _next(unanswered: list[Urge]) -> int:
    at = max((one.step for one in unanswered), default=0) + 1
    if at > workflow.STEPS:
        raise Refused(_("已催办三次仍无答复，请转督查。"), code="urged_thrice", hint=_("督查事项由督查机构立项。"))
    return at


def _thrice(unanswered: list[Urge], done: bool) -> None:
    if done:
        raise Conflict(_("已经转督查。"), code="moved_on")
    if max((one.step for one in unanswered), default=0) < workflow.STEPS:
        raise Refused(_("催办三次仍无答复的，才转督查。"), code="urge_first")
