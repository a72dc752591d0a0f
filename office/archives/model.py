"""Folds of archives: proposals out of what the documents room says, and the signed acts of the archive.

What must never happen is refused here too, whoever signed it: a number that is not the next of its class, a destruction without an approved
list and two supervisors other than who proposed it, an item on hold or on loan destroyed.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from node import clock
from node.codec import pack
from node.errors import Refused
from node.kinds import Entry
from office.archives import entries as said
from office.archives import workflow
from office.archives.tables import ROOM, Act, Fonds, Item, Original, Roll, Step, Tally
from office.archives.workflow import Disposal, Guess, Matter, State
from office.documents import entries as documents
from office.documents.entries import Envelope
from office.frame import account

__all__ = ["ROOM", "Act", "Fonds", "Item", "Original", "Roll", "Step", "Tally"]
WORDS = ("opinion", "note", "words", "text", "reason")
"Where an act of the documents room says something in words."


def step(session: Session, entry: Entry[Any]) -> None:
    """Keep what was done in an organ of this node, for the sheet that is filed with the text."""
    if entry.author != ROOM.here:
        return
    text = next((str(getattr(entry.body, name)) for name in WORDS if getattr(entry.body, name, "")), "")
    doc = str(getattr(entry.body, "doc", entry.record))
    values = {"kind": entry.kind, "person": entry.person, "post": entry.post, "at": entry.at, "text": text}
    session.add(Step(id=entry.id, record=entry.record, doc=doc, **values))


for _kind in (
    *(documents.Drafted, documents.Submitted, documents.Returned, documents.Reviewed, documents.Signed, documents.Numbered, documents.Sealed),
    *(documents.SignedFor, documents.Registered, documents.Examined, documents.Proposed, documents.Instructed, documents.Assigned),
    *(documents.Circulated, documents.Read, documents.Seen, documents.Answered),
    *(documents.Consented, documents.ConsentRefused, documents.ConsentSealed),
):
    ROOM.folds(_kind)(step)


@ROOM.folds(documents.Dispatched)
def dispatched(session: Session, entry: Entry[documents.Dispatched]) -> None:
    """What an organ of this node issued, alone or with others, is proposed at once; what came in waits until it is closed."""
    _original(session, entry, entry.body.envelope)


@ROOM.folds(documents.Corrected)
def corrected(session: Session, entry: Entry[documents.Corrected]) -> None:
    """A later issue takes the place of the former one, where it is not filed yet."""
    _original(session, entry, entry.body.envelope)


@ROOM.folds(documents.Resent)
def resent(session: Session, entry: Entry[documents.Resent]) -> None:
    """An organ here was forgotten and gets it now."""
    _original(session, entry, entry.body.envelope)


@ROOM.folds(documents.Brought)
def brought(session: Session, entry: Entry[documents.Brought]) -> None:
    """What came as a package is kept as its text says, and proposed when it is closed."""
    step(session, entry)
    body = entry.body
    if entry.author == ROOM.here and session.get(Original, body.doc) is None:
        values = {"issue": body.envelope.issue, "said": entry.id, "chain": entry.chain, "seq": entry.seq, "hash": entry.hash}
        session.add(Original(doc=body.doc, home="", author=entry.author, envelope_bytes=pack(body.envelope), **values))


def _original(session: Session, entry: Entry[Any], envelope: Envelope) -> None:
    step(session, entry)
    if entry.home != entry.author:
        return
    held = session.get(Original, entry.record)
    values = {"envelope_bytes": pack(envelope), "issue": envelope.issue, "said": entry.id, "chain": entry.chain, "seq": entry.seq, "hash": entry.hash}
    if held is None:
        session.add(Original(doc=entry.record, home=entry.author, author=entry.author, **values))
    elif held.home == entry.author and held.issue < envelope.issue:
        for name, value in values.items():
            setattr(held, name, value)
    if entry.author == ROOM.here:
        _issued(session, entry, envelope, envelope.paper.organ, entry.record)
    for one in envelope.issuers:
        if one.node == ROOM.here:
            _issued(session, entry, envelope, one.organ, documents.party_id(entry.record, one.organ))


def _issued(session: Session, entry: Entry[Any], envelope: Envelope, organ: str, source: str) -> None:
    """Propose what an organ issued, alone or as one of several."""
    item = session.get(Item, said.item_id(entry.record, organ))
    if item is None:
        found = workflow.guess(Matter(incoming=False, kind=envelope.paper.kind, title=envelope.paper.title))
        year = int(envelope.signed_on[:4] or 0) or workflow.day(clock.from_ms(entry.at)).year
        _propose(session, entry, entry.record, envelope, organ, found, year, source=source)
    elif item.state == State.PROPOSED:
        item.title, item.said = envelope.paper.title, entry.id


@ROOM.folds(documents.Closed)
def closed(session: Session, entry: Entry[documents.Closed]) -> None:
    """What came in and is done with is proposed."""
    step(session, entry)
    body = entry.body
    original = session.get(Original, body.doc)
    if entry.record != documents.incoming_id(body.doc, body.organ) or original is None or entry.author != ROOM.here:
        return
    if session.get(Item, said.item_id(body.doc, body.organ)) is not None:
        return
    envelope = original.envelope
    handled = _handled(session, entry.record)
    found = workflow.guess(Matter(incoming=True, kind=envelope.paper.kind, title=envelope.paper.title, handled=handled))
    _propose(session, entry, body.doc, envelope, body.organ, found, workflow.day(clock.from_ms(entry.at)).year)


def _handled(session: Session, record: str) -> bool:
    session.flush()
    kinds = ("documents.answered", "documents.instructed")
    return session.scalars(select(Step.id).where(Step.record == record, Step.kind.in_(kinds)).limit(1)).first() is not None


def _propose(session: Session, entry: Entry[Any], doc: str, envelope: Envelope, organ: str, found: Guess, year: int, *, source: str = "") -> None:
    paper = envelope.paper
    session.add(
        Item(
            id=said.item_id(doc, organ),
            organ=organ,
            doc=doc,
            source=source or entry.record,
            incoming=entry.record != doc,
            title=paper.title,
            creator=envelope.issuer,
            doc_no=envelope.number,
            doc_date=envelope.signed_on,
            kind=paper.kind,
            label=paper.label,
            closed_at=entry.at,
            year=year,
            guess=found.retention,
            why=found.reason,
            said=entry.id,
        )
    )


@ROOM.folds(documents.Recalled)
def recalled(session: Session, entry: Entry[documents.Recalled]) -> None:
    """What was taken back before it was filed is proposed no more."""
    original = session.get(Original, entry.body.doc)
    if original is None or original.home != entry.author:
        return
    for item in session.scalars(select(Item).where(Item.doc == entry.body.doc, Item.state == State.PROPOSED)):
        item.guess, item.why = "", "ended"


@ROOM.folds(said.FondsRegistered)
def fonds_registered(session: Session, entry: Entry[said.FondsRegistered]) -> None:
    """The organ has a fonds number; codes given before stay as they are."""
    body = entry.body
    _own(entry)
    held = session.get(Fonds, body.organ)
    if held is None:
        session.add(Fonds(organ=body.organ, number=body.fonds, section=body.section, said=entry.id))
    else:
        held.number, held.section, held.said = body.fonds, body.section, entry.id


@ROOM.folds(said.Arranged)
def arranged(session: Session, entry: Entry[said.Arranged]) -> None:
    """Filed under the next number of its class."""
    item, body = _item(session, entry), entry.body
    name = workflow.class_name(body.fonds, body.year, body.retention, body.section)
    tally = session.get(Tally, name)
    if body.number != (tally.last if tally is not None else 0) + 1 or item.code:
        raise Refused("not the next number of its class", code="wrong_number")
    if tally is None:
        session.add(Tally(name=name, last=body.number))
    else:
        tally.last = body.number
    item.state, item.fonds, item.year, item.retention, item.section = State.KEPT, body.fonds, body.year, body.retention, body.section
    item.number, item.code, item.pages, item.openness, item.digest = body.number, body.code, body.pages, body.openness, body.digest
    item.filed_at, item.kept_for = entry.at, body.retention
    _done(session, entry, item, body.code)


@ROOM.folds(said.LeftOut)
def left_out(session: Session, entry: Entry[said.LeftOut]) -> None:
    """Not to be filed."""
    item = _item(session, entry)
    item.state = State.LEFT_OUT
    _done(session, entry, item, entry.body.reason)


@ROOM.folds(said.Tested)
def tested(session: Session, entry: Entry[said.Tested]) -> None:
    """What the last test found stands at the item."""
    item, body = _item(session, entry), entry.body
    item.tested_at, item.faults, item.findings_bytes = entry.at, len(body.findings), pack(body.findings)
    _done(session, entry, item, " ".join(f"{one.property}.{one.code}" for one in body.findings))


@ROOM.folds(said.Lent)
def lent(session: Session, entry: Entry[said.Lent]) -> None:
    """A person may read it."""
    item = _item(session, entry)
    item.borrower, item.lent_until = entry.body.person, entry.body.until
    _done(session, entry, item, entry.body.purpose)


@ROOM.folds(said.GivenBack)
def given_back(session: Session, entry: Entry[said.GivenBack]) -> None:
    """The loan is over."""
    item = _item(session, entry)
    item.borrower, item.lent_until = "", 0
    _done(session, entry, item)


@ROOM.folds(said.Held)
def held(session: Session, entry: Entry[said.Held]) -> None:
    """Must not be destroyed, or may be again."""
    item = _item(session, entry)
    item.hold = entry.body.reason if entry.body.on else ""
    _done(session, entry, item, entry.body.reason)


@ROOM.folds(said.Appraised)
def appraised(session: Session, entry: Entry[said.Appraised]) -> None:
    """Kept on, or fit to be destroyed."""
    item, body = _item(session, entry), entry.body
    item.kept_for = body.retention or item.kept_for
    item.state = State.KEPT if body.retention else State.DOOMED
    _done(session, entry, item, body.reason)


@ROOM.folds(said.ListProposed)
def list_proposed(session: Session, entry: Entry[said.ListProposed]) -> None:
    """Items appraised as fit for it stand on a list."""
    _own(entry)
    body = entry.body
    for id in body.items:
        item = session.get(Item, id)
        if item is None or item.organ != body.organ or item.state != State.DOOMED or item.hold or item.borrower:
            raise Refused("an item of the list is not fit to be destroyed", code="not_fit")
        item.state, item.disposal = State.LISTED, entry.record
    session.add(Roll(id=entry.record, organ=body.organ, reason=body.reason, proposer=entry.person, proposed_at=entry.at, said=entry.id))
    account.keep(session, Act, entry, organ=body.organ, text=body.reason)


@ROOM.folds(said.ListApproved)
def list_approved(session: Session, entry: Entry[said.ListApproved]) -> None:
    """Approved by another than who proposed it."""
    roll = _roll(session, entry, Disposal.PROPOSED)
    if entry.person == roll.proposer:
        raise Refused("nobody approves their own list", code="own_list")
    roll.state, roll.approver, roll.said = Disposal.APPROVED, entry.person, entry.id
    account.keep(session, Act, entry, organ=roll.organ, text=entry.body.opinion)


@ROOM.folds(said.ListRejected)
def list_rejected(session: Session, entry: Entry[said.ListRejected]) -> None:
    """Its items stay and may be appraised again."""
    roll = _roll(session, entry, Disposal.PROPOSED)
    roll.state, roll.said = Disposal.REJECTED, entry.id
    for item in session.scalars(select(Item).where(Item.disposal == roll.id)):
        item.state, item.disposal = State.DOOMED, ""
    account.keep(session, Act, entry, organ=roll.organ, text=entry.body.reason)


@ROOM.folds(said.Supervised)
def supervised(session: Session, entry: Entry[said.Supervised]) -> None:
    """One of two, neither who proposed the list nor the other one."""
    roll = _roll(session, entry, Disposal.APPROVED)
    if entry.person in ("", roll.proposer, roll.first) or roll.second:
        raise Refused("two supervisors, neither of them who proposed the list", code="supervisor")
    if roll.first:
        roll.second = entry.person
    else:
        roll.first = entry.person
    roll.said = entry.id
    account.keep(session, Act, entry, organ=roll.organ, text=entry.body.name)


@ROOM.folds(said.Destroyed)
def destroyed(session: Session, entry: Entry[said.Destroyed]) -> None:
    """What the list names is gone from the holdings; the list itself stays for ever."""
    roll = _roll(session, entry, Disposal.APPROVED)
    if not (roll.first and roll.second):
        raise Refused("two supervisors must have compared the items with the list", code="supervisor")
    session.flush()
    for item in session.scalars(select(Item).where(Item.disposal == roll.id)):
        if item.hold or item.borrower:
            raise Refused(f"{item.code} is on hold or on loan", code="not_fit")
        item.state = State.DESTROYED
        _forget(session, item)
    roll.state, roll.done_at, roll.said = Disposal.DONE, entry.at, entry.id
    account.keep(session, Act, entry, organ=roll.organ)


@ROOM.folds(said.Transferred)
def transferred(session: Session, entry: Entry[said.Transferred]) -> None:
    """Handed over; the holdings keep what the package had."""
    _own(entry)
    for id in entry.body.items:
        item = session.get(Item, id)
        if item is None or item.organ != entry.body.organ or item.state not in (State.KEPT, State.TRANSFERRED):
            raise Refused("only what is kept is handed over", code="not_kept")
        item.state, item.archive = State.TRANSFERRED, entry.body.archive
        item.said = entry.id
    account.keep(session, Act, entry, organ=entry.body.organ, text=f"{entry.body.archive} {entry.body.digest.hex()}")


def _forget(session: Session, item: Item) -> None:
    """Text and sheet go, where no other item of this node needs them."""
    others = select(Item.id).where(Item.doc == item.doc, Item.id != item.id, Item.state != State.DESTROYED).limit(1)
    original = session.get(Original, item.doc)
    if original is not None and session.scalars(others).first() is None:
        session.delete(original)
    for line in session.scalars(select(Step).where(Step.record == item.source)):
        session.delete(line)


def _own(entry: Entry[Any]) -> None:
    if entry.author != ROOM.here or entry.home != entry.author:
        raise Refused("an organ's archive is kept at its own node", code="wrong_writer")


def _item(session: Session, entry: Entry[Any]) -> Item:
    _own(entry)
    found = session.get(Item, entry.record)
    if found is None or found.organ != entry.body.organ:
        raise Refused("no such item of this organ", code="wrong_record")
    return found


def _roll(session: Session, entry: Entry[Any], state: Disposal) -> Roll:
    _own(entry)
    found = session.get(Roll, entry.record)
    if found is None or found.organ != entry.body.organ or found.state != state:
        raise Refused("no such list of this organ in this state", code="wrong_record")
    return found


def _done(session: Session, entry: Entry[Any], item: Item, text: str = "") -> None:
    item.said = entry.id
    account.keep(session, Act, entry, organ=item.organ, text=text)
