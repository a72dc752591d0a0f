"""Folds of what organs do with documents that came in, and of the receipts that come back."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from node.kinds import Entry
from office.documents import entries as said
from office.documents.account import count, inner, receipt, stand
from office.documents.tables import ROOM, Hand, register_name


@ROOM.folds(said.SignedFor)
def signed_for(session: Session, entry: Entry[said.SignedFor]) -> None:
    """The first to sign stands; a second one is kept in the account."""
    incoming = receipt(session, entry, entry.body.doc, entry.body.organ, name=entry.body.name, key=entry.body.key)
    if incoming is None:
        return
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


def _hand(session: Session, incoming: str, person: str, task: str, at: int) -> None:
    held = session.get(Hand, (incoming, person))
    if held is None:
        session.add(Hand(incoming=incoming, person=person, task=task, at=at))
        session.flush()
    else:
        held.task, held.at = task, at
