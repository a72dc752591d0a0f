"""What is done to a document after it has left: recall, correction in two steps, 补发, and the chain of validity."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from node.entry import Lane
from node.errors import Conflict, Invalid, Refused
from office.documents import entries as said
from office.documents import workflow
from office.documents.entries import Change, Envelope, Paper, Recipient, Role
from office.documents.envelopes import keeps, mark_of, way
from office.documents.model import Delivery, Document, Letter
from office.documents.rights import acting_post
from office.documents.routing import findings, organ_of, recipients, refuse
from office.documents.steps import reason_of, step, stored
from office.frame.desk import Desk, Wish
from office.frame.words import _


def recall(desk: Desk, doc: str, *, reason: str) -> None:
    """Take a document back: at once where nobody signed for it, as a request elsewhere."""
    step(desk, doc, "recall")
    _tell_all(desk, doc, said.Recalled(doc, reason_of(reason)))


def correct(desk: Desk, doc: str, paper: Paper, *, note: str) -> bool:
    """Send a corrected text under the same number and date; a sealed one waits for whoever keeps the seal. Whether it has been sent."""
    document = step(desk, doc, "correct")
    former = desk.get(Letter, doc).envelope
    if former.issuers:
        raise Refused(_("联合发文的更正须经各机关重新会签，请撤回后另行发文。"), code="joint")
    refuse(desk, findings(desk, paper))
    if not set(former.paper.to) <= set(paper.to) or paper.organ != document.organ:
        raise Refused(_("更正件的主送机关只能增加。"), code="recipients_fixed")
    if former.seal is None or keeps(desk, document.organ):
        _reissue(desk, document, former, paper, reason_of(note))
        return True
    content = said.CorrectionProposed(paper, reason_of(note))
    where = {"post": acting_post(desk, document.organ), "after": (document.last,), "attachments": stored(paper.annexes)}
    desk.write(content, record=doc, **where)
    return False


def seal_correction(desk: Desk, doc: str) -> None:
    """The keeper seals the corrected text that waits, and so lets it go."""
    document = step(desk, doc, "seal_correction")
    if document.better is None:
        raise Conflict(_("没有待用印的更正件。"), code="moved_on")
    refuse(desk, findings(desk, document.better))
    _reissue(desk, document, desk.get(Letter, doc).envelope, document.better, document.better_note)


def drop_correction(desk: Desk, doc: str, *, reason: str) -> None:
    """The corrected text that waits is not sent after all."""
    document = step(desk, doc, "drop_correction")
    if document.better is None:
        raise Conflict(_("没有待用印的更正件。"), code="moved_on")
    desk.write(said.CorrectionDropped(reason_of(reason)), record=doc, post=acting_post(desk, document.organ), after=(document.last,))


def resend(desk: Desk, doc: str, *, organs: tuple[str, ...], reason: str) -> None:
    """补发: the very document also to organs that were forgotten, as copies; its text and seal stay as they are."""
    document = step(desk, doc, "resend")
    letter = desk.get(Letter, doc)
    held = {delivery.organ for delivery in desk.list(Delivery, Delivery.doc == doc, limit=said.RECIPIENTS)}
    extra = tuple(Recipient(o.id, o.node, Role.CC) for o in (organ_of(desk, id) for id in dict.fromkeys(organs)) if o.id not in held)
    if not extra or any(one.organ == document.organ for one in extra):
        raise Invalid(_("请选择尚未收到本件的机关。"), code="recipients_missing")
    content = said.Resent(letter.envelope, extra, reason_of(reason))
    where = way(desk, letter.envelope) | {"to": tuple(sorted({one.node for one in extra} - {desk.node}))}
    desk.write(content, record=doc, post=acting_post(desk, document.organ), **where)


def lapse(desk: Desk, doc: str, *, change: str, reason: str, on: dt.date | None = None) -> None:
    """Say that a document was repealed, revoked or has expired; every holder of a copy hears of it."""
    step(desk, doc, "lapse")
    if change not in (Change.REPEALED, Change.REVOKED, Change.EXPIRED):
        raise Invalid(_("请选择废止、撤销或者失效。"), code="change")
    _tell_all(desk, doc, said.Lapsed(doc, change, "", "", "", (on or workflow.day(desk.now)).isoformat(), reason_of(reason)))


def lapsing(desk: Desk, doc: str, sent: Envelope) -> list[Wish]:
    """What a document that leaves says to the holders of those that it amends or repeals; only documents of its own organ count."""
    wishes = []
    for effect in sent.paper.effects:
        for letter in desk.list(Letter, Letter.id == effect.doc, Letter.organ == sent.paper.organ, Letter.home == desk.node):
            content = said.Lapsed(letter.id, effect.change, doc, sent.number, sent.paper.title, sent.signed_on, "")
            wishes.append(desk.wish(content, record=letter.id, **_everywhere(desk, letter)))
    return wishes


def holders(desk: Desk, letter: Letter) -> tuple[str, ...]:
    """The nodes that have a copy, but this one."""
    nodes = {delivery.node for delivery in desk.list(Delivery, Delivery.doc == letter.id, limit=said.RECIPIENTS)}
    nodes |= {one.node for one in letter.envelope.issuers}
    return tuple(sorted(nodes - {desk.node, ""}))


def _tell_all(desk: Desk, doc: str, content: said.Recalled | said.Lapsed) -> None:
    desk.write(content, record=doc, **_everywhere(desk, desk.get(Letter, doc)))


def _everywhere(desk: Desk, letter: Letter) -> dict[str, Any]:
    return {"post": acting_post(desk, letter.organ), "after": (letter.said,), "to": holders(desk, letter), "lane": Lane.URGENT}


def _reissue(desk: Desk, document: Document, former: Envelope, paper: Paper, note: str) -> None:
    bare = msgspec.structs.replace(former, paper=paper, recipients=recipients(desk, paper), issue=former.issue + 1, seal=None)
    sent = msgspec.structs.replace(bare, seal=mark_of(desk, bare)) if former.seal is not None else bare
    where = way(desk, sent) | {"to": tuple(sorted({*way(desk, sent)["to"], *holders(desk, desk.get(Letter, document.id))}))}
    desk.write(said.Corrected(sent, note), record=document.id, post=acting_post(desk, document.organ), **where)
