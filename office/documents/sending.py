"""Folds of documents at the organ that issues them, and of the envelopes that leave it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node.codec import pack
from node.entry import ref
from node.errors import Refused
from node.kinds import Entry
from office.documents import entries as said
from office.documents.account import act, count, document_of, own, stand
from office.documents.agreeing import issued
from office.documents.agreeing import recalled as took_back
from office.documents.entries import Envelope
from office.documents.tables import FLOWS, ROOM, Delivery, Document, Incoming, Letter, Recall, series_name
from office.documents.traces import Original, Validity, Version
from office.documents.workflow import Stage
from office.frame.flow.state import State, stage
from office.frame.flow.template import Template


@ROOM.folds(said.Drafted)
def drafted(session: Session, entry: Entry[said.Drafted]) -> None:
    """A draft begins."""
    document = document_of(session, entry)
    document.drafter, document.drafted_at = entry.person, entry.at
    _paper(session, document, entry)
    _step(session, document, entry, Stage.DRAFT)


@ROOM.folds(said.Revised)
def revised(session: Session, entry: Entry[said.Revised]) -> None:
    """The draft says something else; where it stands does not change."""
    document = document_of(session, entry)
    _paper(session, document, entry)
    _step(session, document, entry, Stage(document.stage))


@ROOM.folds(said.Submitted)
def submitted(session: Session, entry: Entry[said.Submitted]) -> None:
    """To the reviewers."""
    _step(session, document_of(session, entry), entry, Stage.REVIEW, entry.body.note)


@ROOM.folds(said.Returned)
def returned(session: Session, entry: Entry[said.Returned]) -> None:
    """Back to the drafter; what was signed before is signed no longer, a number given stays."""
    document = document_of(session, entry)
    document.returned, document.signer, document.signed_on, document.mark_bytes = entry.body.reason, "", "", b""
    _step(session, document, entry, Stage.RETURNED, entry.body.reason)


@ROOM.folds(said.Reviewed)
def reviewed(session: Session, entry: Entry[said.Reviewed]) -> None:
    """To the signer."""
    _step(session, document_of(session, entry), entry, Stage.SIGN, entry.body.opinion)


@ROOM.folds(said.Signed)
def signed(session: Session, entry: Entry[said.Signed]) -> None:
    """May be issued; a document numbered before its return keeps its number."""
    document = document_of(session, entry)
    body = entry.body
    document.signer, document.signed_on, document.opinion = body.name, body.on.isoformat(), body.opinion
    document.acted = f"{entry.person} {body.basis}".strip() if body.principal else ""
    basis = f"{body.principal} {body.basis}".strip()
    _step(session, document, entry, Stage.NUMBERED if document.number else Stage.SIGNED, body.opinion, reason=basis)


@ROOM.folds(said.Numbered)
def numbered(session: Session, entry: Entry[said.Numbered]) -> None:
    """Has its number."""
    document, body = document_of(session, entry), entry.body
    count(session, series_name(body.prefix, body.year), body.number)
    document.series, document.year, document.sequence, document.number = body.prefix, body.year, body.number, body.text
    _step(session, document, entry, Stage.NUMBERED, body.text)


@ROOM.folds(said.Sealed)
def sealed(session: Session, entry: Entry[said.Sealed]) -> None:
    """Carries the organ's seal."""
    document = document_of(session, entry)
    document.mark_bytes = pack(entry.body.mark)
    _step(session, document, entry, Stage.SEALED)


@ROOM.folds(said.Voided)
def voided(session: Session, entry: Entry[said.Voided]) -> None:
    """Counts for nothing."""
    document = document_of(session, entry)
    document.void = entry.body.reason
    _step(session, document, entry, Stage.VOID, entry.body.reason)


@ROOM.folds(said.Dispatched)
def dispatched(session: Session, entry: Entry[said.Dispatched]) -> None:
    """A letter here; at its home its recipients, elsewhere something to sign for."""
    _letter(session, entry, entry.body.envelope, "")


@ROOM.folds(said.Corrected)
def corrected(session: Session, entry: Entry[said.Corrected]) -> None:
    """The same document in a later issue."""
    _letter(session, entry, entry.body.envelope, entry.body.note)


@ROOM.folds(said.CorrectionProposed)
def correction_proposed(session: Session, entry: Entry[said.CorrectionProposed]) -> None:
    """A corrected text waits for the seal."""
    document = document_of(session, entry)
    document.better_bytes, document.better_note = pack(entry.body.paper), entry.body.note
    _moved(session, document, entry, entry.body.note)


@ROOM.folds(said.CorrectionDropped)
def correction_dropped(session: Session, entry: Entry[said.CorrectionDropped]) -> None:
    """No corrected text waits."""
    document = document_of(session, entry)
    document.better_bytes, document.better_note = b"", ""
    _moved(session, document, entry, entry.body.reason)


@ROOM.folds(said.Resent)
def resent(session: Session, entry: Entry[said.Resent]) -> None:
    """Organs that were forgotten get what the others have."""
    doc, body = entry.record, entry.body
    _keep(session, entry, body.envelope, "")
    if entry.author == ROOM.here:
        _deliver(session, entry, document_of(session, entry), body.extra)
    for recipient in body.extra:
        if recipient.node == ROOM.here:
            arrive(session, entry, body.envelope, recipient)
    act(session, entry, doc, "", body.reason)


@ROOM.folds(said.Printed)
def printed(session: Session, entry: Entry[said.Printed]) -> None:
    """There is an original; of two the later one counts, whichever came first."""
    body = entry.body
    own(entry, body.doc)
    held = session.get(Original, (body.doc, entry.author))
    if held is None or (held.at, held.said) < (entry.at, entry.id):
        known = {"digest": body.digest, "annex_bytes": pack(body.original), "at": entry.at, "said": entry.id}
        session.merge(Original(doc=body.doc, home=entry.author, **known))
    act(session, entry, body.doc, "", "")


@ROOM.folds(said.Lapsed)
def lapsed(session: Session, entry: Entry[said.Lapsed]) -> None:
    """Every holder of a copy knows that it was amended, repealed, revoked or has expired."""
    body = entry.body
    own(entry, body.doc)
    if session.get(Validity, (body.doc, body.by, entry.author)) is None:
        values = {"change": body.change, "number": body.number, "title": body.title, "on": body.on, "reason": body.reason, "at": entry.at}
        session.add(Validity(doc=body.doc, by=body.by, home=entry.author, **values))
    act(session, entry, body.doc, "", body.reason, reason=body.change)


@ROOM.folds(said.Recalled)
def recalled(session: Session, entry: Entry[said.Recalled]) -> None:
    """Effective where nobody signed, a request elsewhere."""
    doc = entry.body.doc
    own(entry, doc)
    if session.get(Recall, (doc, entry.author)) is None:
        session.add(Recall(doc=doc, home=entry.author, at=entry.at, reason=entry.body.reason, said=entry.id))
    if entry.author == ROOM.here:
        document = document_of(session, entry)
        document.recall, document.changed_at = entry.at, max(document.changed_at, entry.at)
        _settle(document)
    for incoming in session.scalars(select(Incoming).where(Incoming.doc == doc, Incoming.home == entry.author)):
        hear_recall(session, incoming)
    took_back(session, doc, entry.author, entry.at)
    act(session, entry, doc, "", entry.body.reason)


@FLOWS.follows
def moved(session: Session, entry: Entry[Any], state: State, template: Template) -> None:
    """A document stands where its flow does."""
    document = session.get(Document, entry.record)
    if document is None:
        return
    document.flow, document.changed_at = True, max(document.changed_at, entry.at)
    live = state.live()
    at = {template.step(seat.step).does for seat in live}
    if live and not at & {"file"} and not state.suspended:
        document.stage = _stage(document, at, back=stage(template, state) == "returned")
    _settle(document)


def _stage(document: Document, at: set[str], *, back: bool) -> Stage:
    if "draft" in at:
        return Stage.RETURNED if back else Stage.DRAFT
    if "sign" in at:
        return Stage.SIGN
    if at & {"recheck", "number", "typeset", "seal", "dispatch"}:
        return Stage.SEALED if document.mark_bytes else Stage.NUMBERED if document.number else Stage.SIGNED
    return Stage.REVIEW


def _paper(session: Session, document: Document, entry: Entry[said.Drafted] | Entry[said.Revised]) -> None:
    """The draft says this now; what it said before is kept."""
    paper = entry.body.paper
    document.versions += 1
    known = {"at": entry.at, "person": entry.person, "post": entry.post, "paper_bytes": pack(paper)}
    session.add(Version(doc=document.id, number=document.versions, said=entry.id, **known))
    document.organ, document.title, document.kind = paper.organ, paper.title, paper.kind
    document.urgency, document.label = paper.urgency, paper.label
    document.paper_bytes = pack(paper)


def _step(session: Session, document: Document, entry: Entry[Any], stage: Stage, text: str = "", *, reason: str = "") -> None:
    document.stage, document.last, document.changed_at = stage, entry.id, max(document.changed_at, entry.at)
    _settle(document)
    act(session, entry, document.id, "", text, reason=reason)


def _moved(session: Session, document: Document, entry: Entry[Any], text: str = "") -> None:
    """An act that leaves the document where it stands."""
    document.last, document.changed_at = entry.id, max(document.changed_at, entry.at)
    act(session, entry, document.id, "", text)


def _settle(document: Document) -> None:
    if document.void:
        document.state = Stage.VOID
    elif document.recall:
        document.state = Stage.RECALLED
    else:
        document.state = Stage.DISPATCHED if document.issue else document.stage


def _letter(session: Session, entry: Entry[Any], envelope: Envelope, note: str) -> None:
    doc = entry.record
    _keep(session, entry, envelope, note)
    if entry.author == ROOM.here:
        _sent(session, entry, envelope)
    for recipient in envelope.recipients:
        if recipient.node == ROOM.here:
            arrive(session, entry, envelope, recipient)
    issued(session, entry, envelope)
    act(session, entry, doc, "", note)


def _keep(session: Session, entry: Entry[Any], envelope: Envelope, note: str) -> None:
    """The letter, unless a later issue is here already."""
    doc = entry.record
    own(entry, doc)
    letter = session.get(Letter, doc)
    if letter is not None and letter.home != entry.author:
        raise Refused(f"the document belongs to node {letter.home}", code="wrong_writer")
    if letter is None or letter.issue < envelope.issue:
        place = ref(entry.author, entry.chain, entry.seq, entry.hash)
        values = {"home": entry.author, "organ": envelope.paper.organ, "envelope_bytes": pack(envelope), "issue": envelope.issue}
        values |= {"note": note, "at": entry.at, "said": entry.id, "place": place}
        if letter is None:
            session.add(Letter(id=doc, **values))
        else:
            for name, value in values.items():
                setattr(letter, name, value)


def _sent(session: Session, entry: Entry[Any], envelope: Envelope) -> None:
    document = document_of(session, entry)
    document.issue, document.changed_at = max(document.issue, envelope.issue), max(document.changed_at, entry.at)
    if envelope.issue > 1:
        document.better_bytes, document.better_note = b"", ""
    _settle(document)
    _deliver(session, entry, document, envelope.recipients)


def _deliver(session: Session, entry: Entry[Any], document: Document, recipients: tuple[said.Recipient, ...]) -> None:
    first = session.scalar(select(func.count()).select_from(Delivery).where(Delivery.doc == document.id)) or 0
    for order, recipient in enumerate(recipients, first):
        held = session.get(Delivery, (document.id, recipient.organ))
        if held is not None:
            held.sent_at = min(held.sent_at, entry.at)
            continue
        key = {"doc": document.id, "organ": recipient.organ}
        session.add(Delivery(**key, node=recipient.node, role=recipient.role, order=order, sent_at=entry.at))


def arrive(session: Session, entry: Entry[Any], envelope: Envelope, recipient: said.Recipient) -> None:
    """A recipient here gets the envelope: something to sign for, or a later issue of what it has."""
    paper = envelope.paper
    id = said.incoming_id(entry.record, recipient.organ)
    incoming = session.get(Incoming, id)
    if incoming is None:
        incoming = Incoming(id=id, doc=entry.record, organ=recipient.organ, order=entry.number, sent_at=entry.at)
        session.add(incoming)
    incoming.order, incoming.sent_at = min(incoming.order, entry.number), min(incoming.sent_at, entry.at)
    if incoming.said and session.get_one(Letter, entry.record).issue > envelope.issue:
        return
    incoming.role, incoming.home, incoming.said = recipient.role, entry.author, entry.id
    incoming.issuer, incoming.issuer_name, incoming.number = paper.organ, envelope.issuer, envelope.number
    incoming.title, incoming.kind, incoming.urgency, incoming.label = paper.title, paper.kind, paper.urgency, paper.label
    incoming.due, incoming.reply_required, incoming.read_required = paper.due, paper.reply_required, paper.read_required
    incoming.issue = envelope.issue
    hear_recall(session, incoming)


def hear_recall(session: Session, incoming: Incoming) -> None:
    """Tell an incoming row of a recall that came before or after it."""
    recall = session.get(Recall, (incoming.doc, incoming.home))
    if recall is not None:
        incoming.recall_at, incoming.recall_reason, incoming.recall_said = recall.at, recall.reason, recall.said
    stand(session, incoming)
