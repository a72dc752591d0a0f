"""What every fold does: keep the account of acts, see that the writer is the right one, and work the state out of the facts."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from node.codec import pack
from node.errors import Refused
from node.kinds import Entry
from office.documents import entries as said
from office.documents.entries import Annex
from office.documents.tables import ROOM, Counter, Delivery, Document, Hand, Incoming
from office.documents.traces import Act
from office.documents.workflow import Facts, standing


def count(session: Session, name: str, number: int) -> None:
    """A series has got so far."""
    counter = session.get(Counter, name)
    if counter is None:
        session.add(Counter(name=name, last=number))
    else:
        counter.last = max(counter.last, number)


def own(entry: Entry[Any], doc: str) -> None:
    """Refuse what does not come from the document's own home node."""
    if entry.record != doc or entry.home != entry.author:
        raise Refused("a document is written by its home node under its own id", code="wrong_writer")


def document_of(session: Session, entry: Entry[Any]) -> Document:
    """The document of an entry, new at its first; in the outgoing register of a node it alone writes."""
    own(entry, entry.record)
    if entry.author != ROOM.here:
        raise Refused("an organ's inner act comes from its own node", code="wrong_writer")
    found = session.get(Document, entry.record)
    if found is None:
        found = Document(id=entry.record, home=entry.author)
        session.add(found)
    return found


def receipt(
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
    act(session, entry, doc, organ, text, name=name, reason=reason, key=key, annexes=annexes)
    if delivery is not None:
        delivery.receipt = entry.id
    if incoming is not None:
        incoming.receipt = entry.id
    return incoming


def inner(
    session: Session, entry: Entry[Any], doc: str, organ: str, text: str, *, reason: str = "", name: str = "", annexes: tuple[Annex, ...] = ()
) -> Incoming:
    """Keep an act inside the receiving organ; the incoming row it moves."""
    incoming = session.get(Incoming, entry.record)
    if incoming is None or entry.record != said.incoming_id(doc, organ) or entry.author != ROOM.here:
        raise Refused("an organ's inner act comes from its own node", code="wrong_writer")
    incoming.last = entry.id
    act(session, entry, doc, organ, text, reason=reason, name=name, annexes=annexes)
    return incoming


def stand(session: Session, incoming: Incoming) -> None:
    """Work the state of an incoming document out of its facts."""
    waits = incoming in session.new  # then nobody has it in hand: handing it on writes it
    tasks = set() if waits else set(session.scalars(select(Hand.task).where(Hand.incoming == incoming.id)))
    incoming.state = standing(
        Facts(
            signed=bool(incoming.signed_at),
            registered=bool(incoming.register_no),
            handled=bool(tasks & {"lead", "assist"} or incoming.child),
            linked=bool(incoming.master),
            circulated="read" in tasks,
            answered=bool(incoming.answered_at),
            closed=bool(incoming.closed_at),
            sent_back=bool(incoming.sent_back),
            recall_asked=bool(incoming.recall_at),
            recall_confirmed=bool(incoming.recall_confirmed),
        )
    )


def act(
    session: Session,
    entry: Entry[Any],
    doc: str,
    organ: str,
    text: str,
    *,
    name: str = "",
    reason: str = "",
    key: str = "",
    annexes: tuple[Annex, ...] = (),
) -> None:
    """Keep one line of what happened."""
    session.add(
        Act(
            id=entry.id,
            record=entry.record,
            doc=doc,
            organ=organ,
            kind=entry.kind,
            receipt=(said.RECEIPTS | said.REPLIES).get(entry.kind, ""),
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
