"""Folds of what organs do with documents that came in, and of the receipts that come back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from node.codec import pack
from node.entry import ref
from node.errors import Refused
from node.kinds import Entry
from office.documents import entries as said
from office.documents.account import act, count, inner, own, receipt, stand
from office.documents.tables import ROOM, Delivery, Hand, Incoming, Letter, register_name
from office.documents.traces import Extension, Original, Urge


@ROOM.folds(said.Brought)
def brought(session: Session, entry: Entry[said.Brought]) -> None:
    """It is as good as signed for by whoever brought it; receipts stay here."""
    body, paper = entry.body, entry.body.envelope.paper
    id = said.incoming_id(body.doc, body.organ)
    if entry.author != ROOM.here or entry.record != id or session.get(Letter, body.doc) is not None:
        raise Refused("a document is brought once, by the node that takes it in", code="wrong_writer")
    place = ref(entry.author, entry.chain, entry.seq, entry.hash)
    letter = {"home": "", "organ": paper.organ, "envelope_bytes": pack(body.envelope), "issue": body.envelope.issue, "note": ""}
    session.add(Letter(id=body.doc, **letter, at=entry.at, said=entry.id, place=place))
    page = {"digest": said.rendering_digest(body.envelope), "annex_bytes": pack(body.page), "at": entry.at, "said": entry.id}
    session.add(Original(doc=body.doc, home="", **page))
    incoming = Incoming(id=id, doc=body.doc, organ=body.organ, order=entry.number, sent_at=entry.at, said=entry.id, home="", role=said.Role.TO)
    incoming.issuer, incoming.issuer_name, incoming.number = paper.organ, body.envelope.issuer, body.envelope.number
    incoming.title, incoming.kind, incoming.urgency, incoming.label = paper.title, paper.kind, paper.urgency, paper.label
    incoming.due, incoming.reply_required, incoming.read_required = paper.due, paper.reply_required, paper.read_required
    incoming.issue = incoming.signed_issue = body.envelope.issue
    incoming.signed_at, incoming.signed_by, incoming.signed_said, incoming.last = entry.at, body.name, entry.id, entry.id
    incoming.brought = body.worth
    session.add(incoming)
    act(session, entry, body.doc, body.organ, "", name=body.name, reason=body.worth)
    stand(session, incoming)


@ROOM.folds(said.SignedFor)
def signed_for(session: Session, entry: Entry[said.SignedFor]) -> None:
    """The first to sign stands; a second one is kept in the account."""
    body = entry.body
    incoming = receipt(session, entry, body.doc, body.organ, name=body.name, key=body.key, reason=str(body.issue) if body.issue > 1 else "")
    if incoming is None:
        return
    incoming.signed_issue = max(incoming.signed_issue, body.issue)
    if not incoming.signed_at or (entry.at, entry.id) < (incoming.signed_at, incoming.signed_said):
        incoming.signed_at, incoming.signed_by, incoming.signed_said = entry.at, entry.body.name, entry.id
    stand(session, incoming)


@ROOM.folds(said.SentBack)
def sent_back(session: Session, entry: Entry[said.SentBack]) -> None:
    """Goes back to the issuer, which decides what to do."""
    body = entry.body
    incoming = receipt(session, entry, body.doc, body.organ, name=body.name, key=body.key, text=body.words, reason=body.reason)
    if incoming is not None:
        incoming.sent_back = body.reason
        stand(session, incoming)


@ROOM.folds(said.Read)
def read(session: Session, entry: Entry[said.Read]) -> None:
    """A reader has read it."""
    incoming = receipt(session, entry, entry.body.doc, entry.body.organ, name=entry.body.name, key=entry.body.key)
    if incoming is not None:
        _has_read(session, incoming, entry, "")


@ROOM.folds(said.Seen)
def seen(session: Session, entry: Entry[said.Seen]) -> None:
    """A reader has read it, and nobody outside is told."""
    incoming = inner(session, entry, entry.body.doc, entry.body.organ, entry.body.opinion)
    _has_read(session, incoming, entry, entry.body.opinion)


@ROOM.folds(said.Answered)
def answered(session: Session, entry: Entry[said.Answered]) -> None:
    """The result is known."""
    body = entry.body
    incoming = receipt(session, entry, body.doc, body.organ, name=body.name, key=body.key, text=body.text, annexes=body.annexes)
    if incoming is not None:
        incoming.answered_at = max(incoming.answered_at, entry.at)
        stand(session, incoming)


@ROOM.folds(said.RecallConfirmed)
def recall_confirmed(session: Session, entry: Entry[said.RecallConfirmed]) -> None:
    """The recall took effect there."""
    body = entry.body
    incoming = receipt(session, entry, body.doc, body.organ, name=body.name, key=body.key, reason="automatic" if body.automatic else "")
    if incoming is not None:
        incoming.recall_confirmed = entry.at
        stand(session, incoming)


@ROOM.folds(said.Registered)
def registered(session: Session, entry: Entry[said.Registered]) -> None:
    """Entered in the register of the year."""
    incoming, body = inner(session, entry, entry.body.doc, entry.body.organ, entry.body.text), entry.body
    count(session, register_name(body.organ, body.year), body.number)
    incoming.register_year, incoming.register_no, incoming.register, incoming.to_handle = body.year, body.number, body.text, body.to_handle
    stand(session, incoming)


@ROOM.folds(said.Assigned)
def assigned(session: Session, entry: Entry[said.Assigned]) -> None:
    """Somebody has it in hand; a new lead replaces the former one, who stays as an assistant."""
    body = entry.body
    incoming = inner(session, entry, body.doc, body.organ, body.opinion, reason=" ".join((body.lead, *body.assistants, *body.readers)))
    incoming.opinion = body.opinion or incoming.opinion
    if body.lead:
        for former in session.scalars(select(Hand).where(Hand.incoming == incoming.id, Hand.task == "lead")):
            former.task = "assist"
    if body.due:
        incoming.term, incoming.term_rule = body.due, body.due_rule
    for person, task in [(body.lead, "lead"), *((p, "assist") for p in body.assistants), *((p, "read") for p in body.readers)]:
        if person:
            _hand(session, incoming.id, person, task, entry.at)
    stand(session, incoming)


@ROOM.folds(said.Closed)
def closed(session: Session, entry: Entry[said.Closed]) -> None:
    """Done with."""
    incoming = inner(session, entry, entry.body.doc, entry.body.organ, entry.body.note)
    incoming.closed_at = entry.at
    stand(session, incoming)


@ROOM.folds(said.Examined)
def examined(session: Session, entry: Entry[said.Examined]) -> None:
    """The registry has looked at it."""
    body = entry.body
    incoming = inner(session, entry, body.doc, body.organ, body.opinion, reason=" ".join(body.failed))
    incoming.examined_at, incoming.failed = entry.at, " ".join(body.failed)


@ROOM.folds(said.Proposed)
def proposed(session: Session, entry: Entry[said.Proposed]) -> None:
    """A proposal lies before a leader."""
    incoming = inner(session, entry, entry.body.doc, entry.body.organ, entry.body.opinion, reason=entry.body.leader)
    incoming.opinion, incoming.leader = entry.body.opinion, entry.body.leader


@ROOM.folds(said.Instructed)
def instructed(session: Session, entry: Entry[said.Instructed]) -> None:
    """A leader has decided; who transcribed it is another than whose instruction it is."""
    body = entry.body
    reason = f"{body.leader} transcribed" if body.transcribed else body.leader
    incoming = inner(session, entry, body.doc, body.organ, body.opinion, reason=reason, annexes=body.annexes)
    incoming.instructed_at, incoming.leader = entry.at, ""


@ROOM.folds(said.Circulated)
def circulated(session: Session, entry: Entry[said.Circulated]) -> None:
    """It goes round; who has it in hand already keeps it in hand."""
    body = entry.body
    incoming = inner(session, entry, body.doc, body.organ, body.words, reason=" ".join(body.readers))
    incoming.in_turn, incoming.term = body.in_turn, body.due or incoming.term
    for place, person in enumerate(body.readers, 1):
        held = session.get(Hand, (incoming.id, person))
        if held is None or held.task in ("", "read"):
            _hand(session, incoming.id, person, "read", entry.at)
        session.get_one(Hand, (incoming.id, person)).place = place
    stand(session, incoming)


@ROOM.folds(said.Entrusted)
def entrusted(session: Session, entry: Entry[said.Entrusted]) -> None:
    """Other organs have it by a document of their own."""
    body = entry.body
    incoming = inner(session, entry, body.doc, body.organ, "", reason=" ".join((body.lead, *body.assistants)))
    incoming.child = body.child
    stand(session, incoming)


@ROOM.folds(said.Linked)
def linked(session: Session, entry: Entry[said.Linked]) -> None:
    """The answer to another one serves it."""
    incoming = inner(session, entry, entry.body.doc, entry.body.organ, "", reason=entry.body.master)
    incoming.master = entry.body.master
    stand(session, incoming)


@ROOM.folds(said.PaperArrived)
def paper_arrived(session: Session, entry: Entry[said.PaperArrived]) -> None:
    """The paper lies beside the electronic original."""
    body = entry.body
    incoming = inner(session, entry, body.doc, body.organ, body.place, reason=f"{body.copies} {body.numbers}".strip())
    incoming.paper_at = entry.at


@ROOM.folds(said.Urged)
def urged(session: Session, entry: Entry[said.Urged]) -> None:
    """From the issuer: the recipient sees it and the issuer counts; from the registry: the person sees it."""
    body = entry.body
    id = said.incoming_id(body.doc, body.organ)
    incoming = session.get(Incoming, id)
    if entry.record == id:
        inner(session, entry, body.doc, body.organ, body.words, reason=str(body.step))
    else:
        _from_issuer(session, entry, body.doc, body.organ, body.words, str(body.step))
        if incoming is not None:
            incoming.urged = max(incoming.urged, body.step)
    known = {"doc": body.doc, "organ": body.organ, "incoming": id, "person": body.person, "at": entry.at, "by": entry.person}
    session.add(Urge(id=entry.id, step=body.step, channel=body.channel, words=body.words, **known))


@ROOM.folds(said.UrgeAnswered)
def urge_answered(session: Session, entry: Entry[said.UrgeAnswered]) -> None:
    """The one who urged knows why, or when."""
    body = entry.body
    urge = session.get_one(Urge, body.urge)
    if urge.person:
        inner(session, entry, body.doc, body.organ, body.text, name=body.name)
    else:
        incoming = receipt(session, entry, body.doc, body.organ, name=body.name, key=body.key, text=body.text)
        if incoming is not None:
            incoming.urged = 0
    if not urge.answered_at:
        urge.answered_at, urge.answered_by, urge.answer = entry.at, body.name, body.text


@ROOM.folds(said.ExtensionAsked)
def extension_asked(session: Session, entry: Entry[said.ExtensionAsked]) -> None:
    """The issuer has something to decide."""
    body = entry.body
    receipt(session, entry, body.doc, body.organ, name=body.name, key=body.key, text=body.reason, reason=str(body.until))
    known = {"doc": body.doc, "organ": body.organ, "incoming": entry.record, "name": body.name, "at": entry.at}
    session.add(Extension(id=entry.id, until=body.until, reason=body.reason, **known))


@ROOM.folds(said.ExtensionDecided)
def extension_decided(session: Session, entry: Entry[said.ExtensionDecided]) -> None:
    """The term is a later one, or stays."""
    body = entry.body
    _from_issuer(session, entry, body.doc, body.organ, body.words, str(body.until if body.granted else 0))
    asked = session.get_one(Extension, body.asked)
    asked.decided_at, asked.granted, asked.words = entry.at, body.until if body.granted else 0, body.words
    incoming = session.get(Incoming, asked.incoming)
    if incoming is not None and body.granted:
        incoming.extended = max(incoming.extended, body.until)


@ROOM.folds(said.Supervised)
def supervised(session: Session, entry: Entry[said.Supervised]) -> None:
    """Handed to supervision: by the issuer for a recipient, or inside the organ for who has it in hand."""
    body = entry.body
    if entry.record == body.doc:
        own(entry, body.doc)
        session.get_one(Delivery, (body.doc, body.organ)).supervised_at = entry.at
        act(session, entry, body.doc, body.organ, body.words)
    else:
        inner(session, entry, body.doc, body.organ, body.words).supervised_at = entry.at


def _from_issuer(session: Session, entry: Entry[Any], doc: str, organ: str, text: str, reason: str) -> None:
    """Keep what the issuer says to one recipient; refuse it from anybody else."""
    own(entry, doc)
    incoming = session.get(Incoming, said.incoming_id(doc, organ))
    delivery = session.get(Delivery, (doc, organ))
    if incoming is not None and incoming.home != entry.author or incoming is None and delivery is None:
        raise Refused("said by another than the issuer, or to another than a recipient", code="wrong_writer")
    act(session, entry, doc, organ, text, reason=reason)
    if delivery is not None and entry.kind == "documents.urged":
        delivery.urged = max(delivery.urged, int(reason))


def _has_read(session: Session, incoming: Incoming, entry: Entry[Any], opinion: str) -> None:
    hand = session.get(Hand, (incoming.id, entry.person))
    if hand is None:
        session.add(Hand(incoming=incoming.id, person=entry.person, task="", at=0, read_at=entry.at, opinion=opinion))
    else:
        hand.read_at, hand.opinion = min(hand.read_at or entry.at, entry.at), opinion or hand.opinion


def _hand(session: Session, incoming: str, person: str, task: str, at: int) -> None:
    held = session.get(Hand, (incoming, person))
    if held is None:
        session.add(Hand(incoming=incoming, person=person, task=task, at=at))
        session.flush()
    else:
        held.task, held.at = task, at
