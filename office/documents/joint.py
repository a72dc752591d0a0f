"""联合发文: the organ in the lead asks others to issue a document with it, adds and drops them; each countersigns, returns and seals at home.

What is countersigned is the text, not the list: an organ that is dropped or added changes nothing of what the others have said. A text that
changes is put before all of them anew.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from node.entry import Lane
from node.errors import Conflict, Invalid, Refused
from node.kinds import Content
from office.documents import entries as said
from office.documents.entries import Envelope, Recipient, Role, Urgency
from office.documents.envelopes import made, mark_of
from office.documents.issuers import asked, asking, live, wants_seal
from office.documents.model import Document, Party
from office.documents.rights import acting_post, lent, roles
from office.documents.routing import findings, organ_of, refuse
from office.documents.steps import reason_of, signature, step, words
from office.documents.workflow import CONSENT, DELEGATE, SIGNER, STEPS, Agreement
from office.frame.desk import Desk
from office.frame.words import _


def consult(desk: Desk, doc: str) -> None:
    """送会签: put the text before the organs that are to issue it together; again only when it has changed or was taken back."""
    document = step(desk, doc, "consult")
    rows = live(desk, doc)
    organs = tuple(row.organ for row in rows) if asked(desk, doc) else document.paper.joint
    if not organs:
        raise Refused(_("这件公文不是联合发文。"), code="not_joint")
    text = _text(desk, document, organs)
    digest = said.rendering_digest(text)
    if rows and not any(row.held or row.digest != digest for row in rows):
        raise Conflict(_("已经送会签，正文没有变化。"), code="asked")
    desk.together([asking(desk, document, text, [_party(desk, id) for id in organs], step="ask")])


def add_issuer(desk: Desk, doc: str, *, organ: str, reason: str) -> None:
    """加签: one organ more issues it; what the others have said stands."""
    document, rows = _consulted(desk, doc)
    organs = tuple(row.organ for row in rows)
    if organ in organs:
        raise Conflict(_("这个机关已经在联合发文机关之中。"), code="asked")
    text = _text(desk, document, (*organs, organ))
    parties = [_party(desk, id) for id in (*organs, organ)]
    desk.together([asking(desk, document, text, parties, step="add", changed=parties[-1:], reason=reason_of(reason))])


def drop_issuer(desk: Desk, doc: str, *, organ: str, reason: str) -> None:
    """减签: one organ less issues it, for a reason that all of them see; nobody need wait for one that does not answer."""
    document, rows = _consulted(desk, doc)
    gone = next((row for row in rows if row.organ == organ), None)
    if gone is None:
        raise Invalid(_("请选择联合发文机关。"), code="organ")
    rest = tuple(row.organ for row in rows if row is not gone)
    changed = (Recipient(gone.organ, gone.node, Role.ASSIST),)
    parties = [_party(desk, id) for id in rest]
    desk.together([asking(desk, document, _text(desk, document, rest), parties, step="drop", changed=changed, reason=reason_of(reason))])


def urge_issuer(desk: Desk, doc: str, *, organ: str, text: str = "") -> int:
    """催办: urge an organ that has not countersigned the text before it, or not sealed it; returns the step, at most the third."""
    document, rows = _consulted(desk, doc)
    row = next((row for row in rows if row.organ == organ), None)
    if row is None or not awaited(desk, row):
        raise Conflict(_("这个机关不需要催办：已经会签、用印，或者已经退回。"), code="nobody")
    if row.urged >= STEPS:
        raise Conflict(_("已催办三次，请电话或者当面联系；联系不上的，可以减少会签机关。"), code="urged_thrice")
    content = said.ConsentUrged(document.organ, row.organ, row.digest, row.urged + 1, words(text))
    to = (row.node,) if row.node != desk.node else ()

    desk.write(content, record=doc, post=acting_post(desk, document.organ), after=(row.said,), to=to, lane=Lane.URGENT)
    return row.urged + 1


def awaited(desk: Desk, row: Party) -> bool:
    """Whether it is for this organ to answer now."""
    return not row.issued_at and (row.state == Agreement.ASKED or (row.state == Agreement.AGREED and wants_seal(desk, row)))


def _consulted(desk: Desk, doc: str) -> tuple[Document, list[Party]]:
    document = step(desk, doc, "consult")
    if not asked(desk, doc):
        raise Refused(_("还没有送会签，联合发文机关请在文稿中选择。"), code="not_asked")
    return document, live(desk, doc)


def _text(desk: Desk, document: Document, organs: tuple[str, ...]) -> Envelope:
    paper = msgspec.structs.replace(document.paper, joint=organs)
    refuse(desk, findings(desk, paper))
    return said.agreed(made(desk, paper, "", "", "", None))


def _party(desk: Desk, id: str) -> Recipient:
    return Recipient(id, organ_of(desk, id).node, Role.ASSIST)


def parts_for(desk: Desk, party: Party) -> frozenset[str]:
    """Roles in the organ that is asked, and ``delegate`` for whom its signer has lent the power to."""
    return roles(desk, party.organ) | ({DELEGATE} if lent(desk, party.organ) is not None else set())


def consent_moves(desk: Desk, party: Party) -> tuple[str, ...]:
    """What the person may do for the organ that is asked."""
    found = (move.name for move in CONSENT.offers(party.state, parts_for(desk, party)))
    return tuple(name for name in found if name != "seal" or wants_seal(desk, party))


def consent(desk: Desk, party: str, *, opinion: str = "", on: dt.date | None = None) -> None:
    """会签: issue this text together with the others, in one's own right or by a live delegation."""
    row = _step(desk, party, "consent")
    by = signature(desk, row.organ, opinion, on)
    power = lent(desk, row.organ) if by.principal else None
    content = said.Consented(row.doc, row.organ, row.digest, by.opinion, by.on, by.name, by.principal, by.delegation, by.basis)
    _answer(desk, row, content, power.post if power is not None else "")


def refuse_consent(desk: Desk, party: str, *, reason: str) -> None:
    """退回: do not issue the text as it stands."""
    row = _step(desk, party, "refuse")
    power = lent(desk, row.organ) if SIGNER not in roles(desk, row.organ) else None
    content = said.ConsentRefused(row.doc, row.organ, row.digest, desk.name, reason_of(reason))
    _answer(desk, row, content, power.post if power is not None else "")


def seal_consent(desk: Desk, party: str) -> None:
    """用印: put the organ's seal under the text that its leader countersigned; the desk's person must keep it."""
    row = _step(desk, party, "seal")
    _answer(desk, row, said.ConsentSealed(row.doc, row.organ, mark_of(desk, row.envelope, row.organ)))


def _step(desk: Desk, party: str, move: str) -> Party:
    row = desk.get(Party, party)
    CONSENT.step(row.state, move, parts_for(desk, row))
    return row


def _answer(desk: Desk, row: Party, content: Content, post: str = "") -> None:
    """To the organ in the lead; names the asking and the organ's own word before."""
    lane = Lane.ORDINARY if row.urgency == Urgency.NONE else Lane.URGENT
    post = post or acting_post(desk, row.organ)
    desk.write(content, record=row.id, after=(row.said, row.last), to=(row.home,), lane=lane, post=post)
