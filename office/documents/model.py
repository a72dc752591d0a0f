"""Folds of documents: how each signed act changes the tables.

Each act of a document's own organ names the act before, so those come in order. An envelope, a recall and a receipt may
come in any order beside them; each sets columns of its own, and the state is worked out again from all of them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from node.codec import pack
from node.entry import ref
from node.errors import Refused
from node.kinds import Content, Entry
from office.documents import entries as said
from office.documents.entries import Annex, Envelope, Paper
from office.documents.tables import ROOM, Act, Counter, Delivery, Document, Hand, Incoming, Letter, Recall, register_name, series_name, watched
from office.documents.workflow import Facts, Stage, standing

__all__ = ["ROOM", "Act", "Counter", "Delivery", "Document", "Hand", "Incoming", "Letter", "Recall", "register_name", "series_name", "watched"]


@ROOM.folds(said.Drafted)
def drafted(session: Session, entry: Entry[said.Drafted]) -> None:
    """A draft begins."""
    document = _document(session, entry)
    document.drafter, document.drafted_at = entry.person, entry.at
    _paper(document, entry.body.paper)
    _step(session, document, entry, Stage.DRAFT)


@ROOM.folds(said.Revised)
def revised(session: Session, entry: Entry[said.Revised]) -> None:
    """The draft says something else; where it stands does not change."""
    document = _document(session, entry)
    _paper(document, entry.body.paper)
    _step(session, document, entry, Stage(document.stage))


@ROOM.folds(said.Submitted)
def submitted(session: Session, entry: Entry[said.Submitted]) -> None:
    """To the reviewers."""
    _step(session, _document(session, entry), entry, Stage.REVIEW, entry.body.note)


@ROOM.folds(said.Returned)
def returned(session: Session, entry: Entry[said.Returned]) -> None:
    """Back to the drafter; what was signed before is signed no longer, a number given stays."""
    document = _document(session, entry)
    document.returned, document.signer, document.signed_on, document.mark_bytes = entry.body.reason, "", "", b""
    _step(session, document, entry, Stage.RETURNED, entry.body.reason)


@ROOM.folds(said.Reviewed)
def reviewed(session: Session, entry: Entry[said.Reviewed]) -> None:
    """To the signer."""
    _step(session, _document(session, entry), entry, Stage.SIGN, entry.body.opinion)


@ROOM.folds(said.Signed)
def signed(session: Session, entry: Entry[said.Signed]) -> None:
    """May be issued; a document numbered before its return keeps its number."""
    document = _document(session, entry)
    document.signer, document.signed_on, document.opinion = entry.body.name, entry.body.on.isoformat(), entry.body.opinion
    _step(session, document, entry, Stage.NUMBERED if document.number else Stage.SIGNED, entry.body.opinion)


@ROOM.folds(said.Numbered)
def numbered(session: Session, entry: Entry[said.Numbered]) -> None:
    """Has its number."""
    document, body = _document(session, entry), entry.body
    _count(session, series_name(body.prefix, body.year), body.number)
    document.series, document.year, document.sequence, document.number = body.prefix, body.year, body.number, body.text
    _step(session, document, entry, Stage.NUMBERED, body.text)


@ROOM.folds(said.Sealed)
def sealed(session: Session, entry: Entry[said.Sealed]) -> None:
    """Carries the organ's seal."""
    document = _document(session, entry)
    document.mark_bytes = pack(entry.body.mark)
    _step(session, document, entry, Stage.SEALED)


@ROOM.folds(said.Voided)
def voided(session: Session, entry: Entry[said.Voided]) -> None:
    """Counts for nothing."""
    document = _document(session, entry)
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


@ROOM.folds(said.Recalled)
def recalled(session: Session, entry: Entry[said.Recalled]) -> None:
    """Effective where nobody signed, a request elsewhere."""
    doc = entry.body.doc
    _own(entry, doc)
    if session.get(Recall, (doc, entry.author)) is None:
        session.add(Recall(doc=doc, home=entry.author, at=entry.at, reason=entry.body.reason, said=entry.id))
    if entry.author == ROOM.here:
        document = _document(session, entry)
        document.recall, document.changed_at = entry.at, max(document.changed_at, entry.at)
        _settle(document)
    for incoming in session.scalars(select(Incoming).where(Incoming.doc == doc, Incoming.home == entry.author)):
        _hear_recall(session, incoming)
    _act(session, entry, doc, "", entry.body.reason)


@ROOM.folds(said.SignedFor)
def signed_for(session: Session, entry: Entry[said.SignedFor]) -> None:
    """The first to sign stands; a second one is kept in the account."""
    incoming = _receipt(session, entry, entry.body.doc, entry.body.organ, name=entry.body.name, key=entry.body.key)
    if incoming is None:
        return
    if not incoming.signed_at or (entry.at, entry.id) < (incoming.signed_at, incoming.signed_said):
        incoming.signed_at, incoming.signed_by, incoming.signed_said = entry.at, entry.body.name, entry.id
    _stand(session, incoming)


@ROOM.folds(said.SentBack)
def sent_back(session: Session, entry: Entry[said.SentBack]) -> None:
    """Goes back to the issuer, which decides what to do."""
    body = entry.body
    incoming = _receipt(session, entry, body.doc, body.organ, name=body.name, key=body.key, text=body.words, reason=body.reason)
    if incoming is not None:
        incoming.sent_back = body.reason
        _stand(session, incoming)


@ROOM.folds(said.Read)
def read(session: Session, entry: Entry[said.Read]) -> None:
    """A reader has read it."""
    incoming = _receipt(session, entry, entry.body.doc, entry.body.organ, name=entry.body.name, key=entry.body.key)
    hand = session.get(Hand, (incoming.id, entry.person)) if incoming is not None else None
    if incoming is None:
        return
    if hand is None:
        session.add(Hand(incoming=incoming.id, person=entry.person, task="", at=0, read_at=entry.at))
    else:
        hand.read_at = min(hand.read_at or entry.at, entry.at)


@ROOM.folds(said.Answered)
def answered(session: Session, entry: Entry[said.Answered]) -> None:
    """The result is known."""
    body = entry.body
    incoming = _receipt(session, entry, body.doc, body.organ, name=body.name, key=body.key, text=body.text, annexes=body.annexes)
    if incoming is not None:
        incoming.answered_at = max(incoming.answered_at, entry.at)
        _stand(session, incoming)


@ROOM.folds(said.RecallConfirmed)
def recall_confirmed(session: Session, entry: Entry[said.RecallConfirmed]) -> None:
    """The recall took effect there."""
    body = entry.body
    incoming = _receipt(session, entry, body.doc, body.organ, name=body.name, key=body.key, reason="automatic" if body.automatic else "")
    if incoming is not None:
        incoming.recall_confirmed = entry.at
        _stand(session, incoming)


@ROOM.folds(said.Registered)
def registered(session: Session, entry: Entry[said.Registered]) -> None:
    """Entered in the register of the year."""
    incoming, body = _inner(session, entry, entry.body.doc, entry.body.organ, entry.body.text), entry.body
    _count(session, register_name(body.organ, body.year), body.number)
    incoming.register_year, incoming.register_no, incoming.register, incoming.to_handle = body.year, body.number, body.text, body.to_handle
    _stand(session, incoming)


@ROOM.folds(said.Assigned)
def assigned(session: Session, entry: Entry[said.Assigned]) -> None:
    """Somebody has it in hand; a new lead replaces the former one, who stays as an assistant."""
    body = entry.body
    incoming = _inner(session, entry, body.doc, body.organ, body.opinion, reason=" ".join((body.lead, *body.assistants, *body.readers)))
    incoming.opinion = body.opinion or incoming.opinion
    if body.lead:
        for former in session.scalars(select(Hand).where(Hand.incoming == incoming.id, Hand.task == "lead")):
            former.task = "assist"
    for person, task in [(body.lead, "lead"), *((p, "assist") for p in body.assistants), *((p, "read") for p in body.readers)]:
        if person:
            _hand(session, incoming.id, person, task, entry.at)
    _stand(session, incoming)


@ROOM.folds(said.Closed)
def closed(session: Session, entry: Entry[said.Closed]) -> None:
    """Done with."""
    incoming = _inner(session, entry, entry.body.doc, entry.body.organ, entry.body.note)
    incoming.closed_at = entry.at
    _stand(session, incoming)


def _count(session: Session, name: str, number: int) -> None:
    counter = session.get(Counter, name)
    if counter is None:
        session.add(Counter(name=name, last=number))
    else:
        counter.last = max(counter.last, number)


def _own(entry: Entry[Any], doc: str) -> None:
    if entry.record != doc or entry.home != entry.author:
        raise Refused("a document is written by its home node under its own id", code="wrong_writer")


def _document(session: Session, entry: Entry[Any]) -> Document:
    _own(entry, entry.record)
    found = session.get(Document, entry.record)
    if found is None:
        found = Document(id=entry.record, home=entry.author)
        session.add(found)
    if found.home != entry.author:
        raise Refused(f"the document belongs to node {found.home}", code="wrong_writer")
    return found


def _paper(document: Document, paper: Paper) -> None:
    document.organ, document.title, document.kind = paper.organ, paper.title, paper.kind
    document.urgency, document.label = paper.urgency, paper.label
    document.paper_bytes = pack(paper)


def _step(session: Session, document: Document, entry: Entry[Any], stage: Stage, text: str = "") -> None:
    document.stage, document.last, document.changed_at = stage, entry.id, max(document.changed_at, entry.at)
    _settle(document)
    _act(session, entry, document.id, "", text)


def _settle(document: Document) -> None:
    if document.void:
        document.state = Stage.VOID
    elif document.recall:
        document.state = Stage.RECALLED
    else:
        document.state = Stage.DISPATCHED if document.issue else document.stage


def _letter(session: Session, entry: Entry[Any], envelope: Envelope, note: str) -> None:
    doc = entry.record
    _own(entry, doc)
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
    if entry.author == ROOM.here:
        _sent(session, entry, envelope)
    for recipient in envelope.recipients:
        if recipient.node == ROOM.here:
            _arrive(session, entry, envelope, recipient)
    _act(session, entry, doc, "", note)


def _sent(session: Session, entry: Entry[Any], envelope: Envelope) -> None:
    document = _document(session, entry)
    document.issue, document.changed_at = max(document.issue, envelope.issue), max(document.changed_at, entry.at)
    _settle(document)
    for order, recipient in enumerate(envelope.recipients):
        held = session.get(Delivery, (document.id, recipient.organ))
        if held is not None:
            held.sent_at = min(held.sent_at, entry.at)
            continue
        key = {"doc": document.id, "organ": recipient.organ}
        session.add(Delivery(**key, node=recipient.node, role=recipient.role, order=order, sent_at=entry.at))


def _arrive(session: Session, entry: Entry[Any], envelope: Envelope, recipient: said.Recipient) -> None:
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
    incoming.due, incoming.reply_required = paper.due, paper.reply_required
    _hear_recall(session, incoming)


def _hear_recall(session: Session, incoming: Incoming) -> None:
    recall = session.get(Recall, (incoming.doc, incoming.home))
    if recall is not None:
        incoming.recall_at, incoming.recall_reason, incoming.recall_said = recall.at, recall.reason, recall.said
    _stand(session, incoming)


def _receipt(
    session: Session,
    entry: Entry[Any],
    doc: str,
    organ: str,
    *,
    name: str,
    key: str,
    text: str = "",
    reason: str = "",
    annexes: tuple[Annex, ...] = (),
) -> Incoming | None:
    """Keep a receipt; the incoming row it moves, where this node has that."""
    if entry.record != said.incoming_id(doc, organ):
        raise Refused("the receipt is filed under another record", code="wrong_record")
    delivery, incoming = session.get(Delivery, (doc, organ)), session.get(Incoming, entry.record)
    if delivery is not None and delivery.node != entry.author:
        raise Refused("the receipt comes from another node than the recipient's", code="wrong_writer")
    if incoming is not None and entry.author != ROOM.here:
        raise Refused("the receipt comes from another node than the recipient's", code="wrong_writer")
    if delivery is None and incoming is None:
        raise Refused("a receipt for a document that never went there", code="receipt_mismatch")
    _act(session, entry, doc, organ, text, name=name, reason=reason, key=key, annexes=annexes)
    if delivery is not None:
        delivery.receipt = entry.id
    if incoming is not None:
        incoming.receipt = entry.id
    return incoming


def _inner(session: Session, entry: Entry[Any], doc: str, organ: str, text: str, *, reason: str = "") -> Incoming:
    incoming = session.get(Incoming, entry.record)
    if incoming is None or entry.record != said.incoming_id(doc, organ) or entry.author != ROOM.here:
        raise Refused("an organ's inner act comes from its own node", code="wrong_writer")
    incoming.last = entry.id
    _act(session, entry, doc, organ, text, reason=reason)
    return incoming


def _hand(session: Session, incoming: str, person: str, task: str, at: int) -> None:
    held = session.get(Hand, (incoming, person))
    if held is None:
        session.add(Hand(incoming=incoming, person=person, task=task, at=at))
        session.flush()
    else:
        held.task, held.at = task, at


def _stand(session: Session, incoming: Incoming) -> None:
    waits = inspect(incoming).pending  # then nobody has it in hand: handing it on writes it
    tasks = set() if waits else set(session.scalars(select(Hand.task).where(Hand.incoming == incoming.id)))
    incoming.state = standing(
        Facts(
            signed=bool(incoming.signed_at),
            registered=bool(incoming.register_no),
            handled=bool(tasks & {"lead", "assist"}),
            circulated="read" in tasks,
            answered=bool(incoming.answered_at),
            closed=bool(incoming.closed_at),
            sent_back=bool(incoming.sent_back),
            recall_asked=bool(incoming.recall_at),
            recall_confirmed=bool(incoming.recall_confirmed),
        )
    )


def _act(
    session: Session,
    entry: Entry[Content],
    doc: str,
    organ: str,
    text: str,
    *,
    name: str = "",
    reason: str = "",
    key: str = "",
    annexes: tuple[Annex, ...] = (),
) -> None:
    session.add(
        Act(
            id=entry.id,
            record=entry.record,
            doc=doc,
            organ=organ,
            kind=entry.kind,
            receipt=said.RECEIPTS.get(entry.kind, ""),
            person=entry.person,
            name=name,
            post=entry.post,
            at=entry.at,
            text=text,
            reason=reason,
            annex_bytes=pack(annexes) if annexes else b"",
            key=key,
            author=entry.author,
            chain=entry.chain,
            seq=entry.seq,
            hash=entry.hash,
        )
    )
