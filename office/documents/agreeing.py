"""Folds of joint issue, at the home of the document and at those of the organs that issue it together with its own.

Askings may come in any order; the one of the highest turn says what lies before an organ. What the organ says of a text is kept with the
digest of that text and counts while that is the text before it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from node.codec import pack
from node.errors import Refused
from node.kinds import Entry
from office.documents import entries as said
from office.documents.account import act, own
from office.documents.entries import Envelope, Recipient
from office.documents.tables import ROOM, Party, Recall
from office.documents.workflow import Said, agreement


@ROOM.folds(said.ConsentAsked)
def consent_asked(session: Session, entry: Entry[said.ConsentAsked]) -> None:
    """The text lies before each organ, but those that were dropped."""
    body = entry.body
    own(entry, entry.record)
    named = {one.organ for one in body.parties}
    dropped = [one for one in body.changed if one.organ not in named]
    for place, one in enumerate((*body.parties, *dropped)):
        if ROOM.here in (one.node, entry.author):
            _ask(session, entry, one, place, dropped=one.organ not in named)
    act(session, entry, entry.record, "", body.reason, reason=" ".join((body.step, *(one.organ for one in body.changed or body.parties))))


def _ask(session: Session, entry: Entry[said.ConsentAsked], one: Recipient, place: int, *, dropped: bool) -> None:
    row, body = _row(session, entry, one.organ, one.node), entry.body
    if row.turn >= body.turn:
        return
    digest = said.rendering_digest(body.envelope)
    if row.digest != digest:
        row.asked_at, row.urged, row.urged_at, row.urging = entry.at, 0, 0, ""
    row.turn, row.said, row.digest, row.place = body.turn, entry.id, digest, place
    row.held, row.dropped, row.reason = body.step == "hold", dropped, body.reason
    if not row.issued_at:
        _about(row, body.envelope)
    _stand(row)


@ROOM.folds(said.ConsentUrged)
def consent_urged(session: Session, entry: Entry[said.ConsentUrged]) -> None:
    """The organ sees it, and the one in the lead counts; an urging that the text has outrun is kept in the account only."""
    body = entry.body
    own(entry, entry.record)
    row = session.get(Party, said.party_id(entry.record, body.organ))
    if row is None or row.home != entry.author:
        raise Refused("said by another than the organ in the lead, or of one that was not asked", code="wrong_writer")
    if row.digest == body.digest and body.step > row.urged:
        row.urged, row.urged_at, row.urging = body.step, entry.at, body.words
    act(session, entry, entry.record, body.organ, body.words, reason=str(body.step))


@ROOM.folds(said.Consented)
def consented(session: Session, entry: Entry[said.Consented]) -> None:
    """The organ issues this text with the others."""
    body = entry.body
    row = _said(session, entry, body.doc, body.organ)
    row.agreed_at, row.agreed_to, row.opinion = entry.at, body.digest, body.opinion
    row.signer, row.signed_on = body.name, body.on.isoformat()
    row.acted = f"{entry.person} {body.basis}".strip() if body.principal else ""
    _stand(row)
    act(session, entry, body.doc, body.organ, body.opinion, name=body.name, reason=f"{body.principal} {body.basis}".strip())


@ROOM.folds(said.ConsentRefused)
def consent_refused(session: Session, entry: Entry[said.ConsentRefused]) -> None:
    """As it stands the organ does not issue it."""
    body = entry.body
    row = _said(session, entry, body.doc, body.organ)
    row.refused_at, row.refused_to, row.refused = entry.at, body.digest, body.reason
    _stand(row)
    act(session, entry, body.doc, body.organ, body.reason, name=body.name)


@ROOM.folds(said.ConsentSealed)
def consent_sealed(session: Session, entry: Entry[said.ConsentSealed]) -> None:
    """The organ's seal stands under the text."""
    body = entry.body
    row = _said(session, entry, body.doc, body.organ)
    row.mark_bytes = pack(body.mark)
    _stand(row)
    act(session, entry, body.doc, body.organ, "")


def issued(session: Session, entry: Entry[Any], envelope: Envelope) -> None:
    """The document has left: each organ that issued it, at home here, has its copy."""
    for place, one in enumerate(envelope.issuers):
        if ROOM.here in (one.node, entry.author):
            row = _row(session, entry, one.organ, one.node)
            row.issued_at, row.number, row.place = row.issued_at or entry.at, envelope.number, place
            back = session.get(Recall, (entry.record, entry.author))
            row.recalled_at = back.at if back is not None else row.recalled_at
            _about(row, envelope)
            _stand(row)


def recalled(session: Session, doc: str, home: str, at: int) -> None:
    """The organ in the lead has taken the document back, for all of them."""
    for row in session.scalars(select(Party).where(Party.doc == doc, Party.home == home)):
        row.recalled_at = at
        _stand(row)


def _row(session: Session, entry: Entry[Any], organ: str, node: str) -> Party:
    """What is known of an organ, new at the first word about it; from the document's home alone."""
    id = said.party_id(entry.record, organ)
    row = session.get(Party, id)
    if row is None:
        row = Party(id=id, doc=entry.record, organ=organ, node=node, home=entry.author)
        session.add(row)
    if row.home != entry.author:
        raise Refused(f"the document belongs to node {row.home}", code="wrong_writer")
    return row


def _about(row: Party, envelope: Envelope) -> None:
    paper = envelope.paper
    row.issuer, row.issuer_name, row.envelope_bytes = paper.organ, envelope.issuer, pack(envelope)
    row.title, row.kind, row.urgency = paper.title, paper.kind, paper.urgency


def _said(session: Session, entry: Entry[Any], doc: str, organ: str) -> Party:
    """The organ that speaks, from the node where it was asked."""
    row = session.get(Party, entry.record)
    if row is None or entry.record != said.party_id(doc, organ):
        raise Refused("an answer to what nobody asked", code="receipt_mismatch")
    if row.node != entry.author:
        raise Refused("the answer comes from another node than the organ's", code="wrong_writer")
    row.last = entry.id
    return row


def _stand(row: Party) -> None:
    facts = Said(
        recalled=bool(row.recalled_at),
        issued=bool(row.issued_at),
        dropped=row.dropped,
        held=row.held,
        agreed=row.agrees,
        sealed=row.mark is not None,
        refused=row.refuses,
    )
    row.state = agreement(facts)
