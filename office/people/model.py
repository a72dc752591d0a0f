"""Tables of a person's own notes (phrases for the person alone, absences for everybody) and of the life of seals. The directory's tables are
``node``'s; a seal's certificate is there, here is who asked for it, what it was put under and who took it away."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, String, and_, false, or_, true
from sqlalchemy.orm import Mapped, Session, mapped_column

from node.codec import pack, unpack
from node.directory.entries import ADMINISTRATORS
from node.errors import Refused
from node.fold import Room
from node.kinds import Entry
from office.documents import entries as papers
from office.frame.rights import with_role
from office.people.entries import (
    Absence,
    Announced,
    CorrectionAsked,
    CorrectionDecided,
    Phrased,
    SealAsked,
    SealDecided,
    SealDone,
    SealMoved,
    SealWithdrawn,
)
from office.people.workflow import CUSTODIAN, HEAD, KEEPER, Matter

ROOM = Room("people", version=4)


class Note(ROOM.Base):
    """What a person keeps at hand."""

    __tablename__ = "notes"
    person: Mapped[str] = mapped_column(String(), primary_key=True)
    phrases_bytes: Mapped[bytes] = mapped_column(LargeBinary)
    last: Mapped[bytes] = mapped_column(LargeBinary)
    "Statement id of the present value; the next names it."

    @property
    def phrases(self) -> tuple[str, ...]:
        """The phrases in the person's order."""
        return unpack(self.phrases_bytes, tuple[str, ...])

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """The person alone."""
        return cls.person == str(desk.person)


class Away(ROOM.Base):
    """A person's present or coming absence."""

    __tablename__ = "away"
    person: Mapped[str] = mapped_column(String(), primary_key=True)
    absence_bytes: Mapped[bytes] = mapped_column(LargeBinary)
    last: Mapped[bytes] = mapped_column(LargeBinary)

    @property
    def absence(self) -> Absence | None:
        """The absence, or None when it was taken back."""
        return unpack(self.absence_bytes, Absence) if self.absence_bytes else None

    def now(self, day: dt.date) -> Absence | None:
        """The absence if it covers a day."""
        one = self.absence
        return one if one is not None and one.since <= day <= one.until else None

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Everybody."""
        return true()


class Correction(ROOM.Base):
    """A person's request that what is kept of him or her be put right."""

    __tablename__ = "corrections"
    id: Mapped[str] = mapped_column(String(), primary_key=True)
    person: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    office_phone: Mapped[str]
    mobile: Mapped[str]
    words: Mapped[str]
    asked_at: Mapped[int]
    state: Mapped[str] = mapped_column(default=Matter.ASKED, index=True)
    decider: Mapped[str] = mapped_column(default="")
    decided_at: Mapped[int] = mapped_column(default=0)
    answer: Mapped[str] = mapped_column(default="")
    last: Mapped[bytes] = mapped_column(LargeBinary, default=b"")

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """The person, and the administrators who keep records."""
        return true() if KEEPER in desk.roles else and_(cls.person == str(desk.person), cls.person != "")


class SealMatter(ROOM.Base):
    """An application to use a seal, or to have one made."""

    __tablename__ = "seal_matters"
    id: Mapped[str] = mapped_column(String(), primary_key=True)
    task: Mapped[str]
    organ: Mapped[str] = mapped_column(index=True)
    what: Mapped[str]
    copies: Mapped[int]
    reason: Mapped[str]
    asker: Mapped[str] = mapped_column(index=True)
    asked_at: Mapped[int]
    state: Mapped[str] = mapped_column(default=Matter.ASKED, index=True)
    decider: Mapped[str] = mapped_column(default="")
    decided_at: Mapped[int] = mapped_column(default=0)
    words: Mapped[str] = mapped_column(default="")
    "Of whoever decided."
    doer: Mapped[str] = mapped_column(default="")
    "Who sealed, made or took it back."
    done_at: Mapped[int] = mapped_column(default=0)
    note: Mapped[str] = mapped_column(default="")
    "Of whoever sealed, made or took it back."
    seal: Mapped[str] = mapped_column(default="")
    last: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    "Statement id of the last act; the next names it."

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Whoever asked, and head and custodian of the organ; of making also the administrators."""
        made = cls.task == "make" if desk.roles & set(ADMINISTRATORS) else false()
        return or_(and_(cls.asker == desk.person, cls.asker != ""), cls.organ.in_(with_role(desk, HEAD, CUSTODIAN)), made)


class SealUse(ROOM.Base):
    """A line of the register of uses (用印登记): a seal was put under something."""

    __tablename__ = "seal_uses"
    id: Mapped[str] = mapped_column(String(), primary_key=True)
    "Of the application, or of the document (of the organ's part in it, where another leads) and the digest of its text."
    seal: Mapped[str] = mapped_column(default="", index=True)
    doc: Mapped[str] = mapped_column(default="")
    what: Mapped[str] = mapped_column(default="")
    number: Mapped[str] = mapped_column(default="")
    copies: Mapped[int] = mapped_column(default=1)
    person: Mapped[str] = mapped_column(default="")
    at: Mapped[int] = mapped_column(default=0, index=True)
    asker: Mapped[str] = mapped_column(default="")
    decider: Mapped[str] = mapped_column(default="")

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Head and custodian of the organ whose seal it is."""
        return cls.seal.in_([seal.id for organ in with_role(desk, HEAD, CUSTODIAN) for seal in desk.directory.seals_issued(organ)])


class SealAct(ROOM.Base):
    """What became of a seal itself, in the order in which it was said."""

    __tablename__ = "seal_acts"
    id: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    seal: Mapped[str] = mapped_column(index=True)
    organ: Mapped[str]
    move: Mapped[str]
    words: Mapped[str]
    person: Mapped[str]
    at: Mapped[int]
    place: Mapped[int]

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Head and custodian of the organ, and the administrators."""
        return true() if desk.roles & set(ADMINISTRATORS) else cls.organ.in_(with_role(desk, HEAD, CUSTODIAN))


@ROOM.folds(Phrased)
def phrased(session: Session, entry: Entry[Phrased]) -> None:
    """The person's phrases; those of other nodes do not come here."""
    if entry.person == entry.body.person:
        session.merge(Note(person=entry.body.person, phrases_bytes=pack(entry.body.phrases), last=entry.id))


@ROOM.folds(Announced)
def announced(session: Session, entry: Entry[Announced]) -> None:
    """The person's absence, said by nobody but the person."""
    if entry.person == entry.body.person:
        absence = pack(entry.body.absence) if entry.body.absence is not None else b""
        session.merge(Away(person=entry.person, absence_bytes=absence, last=entry.id))


@ROOM.folds(CorrectionAsked)
def correction_asked(session: Session, entry: Entry[CorrectionAsked]) -> None:
    """A request; for oneself only."""
    _here(entry)
    body = entry.body
    if entry.person != body.person:
        raise Refused("asked in another's name", code="wrong_writer")
    known = {"name": body.name, "office_phone": body.office_phone, "mobile": body.mobile, "words": body.words}
    session.add(Correction(id=entry.record, person=body.person, asked_at=entry.at, last=entry.id, **known))


@ROOM.folds(CorrectionDecided)
def correction_decided(session: Session, entry: Entry[CorrectionDecided]) -> None:
    """The request is settled."""
    _here(entry)
    found = session.get_one(Correction, entry.record)
    found.state, found.answer, found.last = entry.body.state, entry.body.words, entry.id
    found.decider, found.decided_at = entry.person, entry.at


@ROOM.folds(SealAsked)
def seal_asked(session: Session, entry: Entry[SealAsked]) -> None:
    """An application."""
    _here(entry)
    body = entry.body
    known = {"task": body.task, "organ": body.organ, "what": body.what, "copies": body.copies, "reason": body.reason}
    session.add(SealMatter(id=entry.record, asker=entry.person, asked_at=entry.at, last=entry.id, **known))


@ROOM.folds(SealDecided)
def seal_decided(session: Session, entry: Entry[SealDecided]) -> None:
    """Granted or not."""
    matter = _matter(session, entry)
    matter.state = Matter.GRANTED if entry.body.granted else Matter.REFUSED
    matter.decider, matter.decided_at, matter.words = entry.person, entry.at, entry.body.words


@ROOM.folds(SealDone)
def seal_done(session: Session, entry: Entry[SealDone]) -> None:
    """Used, which is a line of the register, or made."""
    matter, body = _matter(session, entry), entry.body
    matter.state, matter.seal = Matter.DONE, body.seal
    matter.doer, matter.done_at, matter.note = entry.person, entry.at, body.words
    if matter.task == "use":
        known = {"seal": body.seal, "what": matter.what, "copies": body.copies, "person": entry.person, "at": entry.at}
        session.add(SealUse(id=matter.id, asker=matter.asker, decider=matter.decider, **known))


@ROOM.folds(SealWithdrawn)
def seal_withdrawn(session: Session, entry: Entry[SealWithdrawn]) -> None:
    """Taken back."""
    matter = _matter(session, entry)
    matter.state = Matter.WITHDRAWN
    matter.doer, matter.done_at, matter.note = entry.person, entry.at, entry.body.words


@ROOM.folds(SealMoved)
def seal_moved(session: Session, entry: Entry[SealMoved]) -> None:
    """One more act in the life of a seal."""
    _here(entry)
    body = entry.body
    known = {"seal": body.seal, "organ": body.organ, "move": body.move, "words": body.words}
    session.add(SealAct(id=entry.id, person=entry.person, at=entry.at, place=entry.number, **known))


@ROOM.folds(papers.Sealed)
def document_sealed(session: Session, entry: Entry[papers.Sealed]) -> None:
    """Who put the seal under a document; its name comes with the document, before or after."""
    if entry.author == ROOM.here:
        use = _use(session, entry, entry.body.mark)
        use.person, use.at = entry.person, entry.at


@ROOM.folds(papers.ConsentSealed)
def text_sealed(session: Session, entry: Entry[papers.ConsentSealed]) -> None:
    """Who put the seal under a text that another organ leads; its name comes when the document is issued."""
    if entry.author == ROOM.here:
        use = _use(session, entry, entry.body.mark)
        use.doc, use.person, use.at = entry.body.doc, entry.person, entry.at


@ROOM.folds(papers.Dispatched)
def document_left(session: Session, entry: Entry[papers.Dispatched]) -> None:
    """What the seal stands under, and those of other organs here that issue it too."""
    envelope = entry.body.envelope
    _named(session, entry, envelope)
    marks = {mark.digest.hex()[:16] for mark in envelope.seals}
    for one in envelope.issuers:
        for digest in marks if one.node == ROOM.here else ():
            use = session.get(SealUse, f"{papers.party_id(entry.record, one.organ)}.{digest}")
            if use is not None:
                use.what, use.number = envelope.paper.title, envelope.number


@ROOM.folds(papers.Corrected)
def document_corrected(session: Session, entry: Entry[papers.Corrected]) -> None:
    """A corrected issue is sealed and sent in one act."""
    use = _named(session, entry, entry.body.envelope)
    if use is not None and not use.at:
        use.person, use.at = entry.person, entry.at


def _named(session: Session, entry: Entry[Any], envelope: papers.Envelope) -> SealUse | None:
    if entry.author != ROOM.here or envelope.seal is None:
        return None
    use = _use(session, entry, envelope.seal)
    use.what, use.number = envelope.paper.title, envelope.number
    return use


def _use(session: Session, entry: Entry[Any], mark: papers.Mark) -> SealUse:
    id = f"{entry.record}.{mark.digest.hex()[:16]}"
    use = session.get(SealUse, id)
    if use is None:
        use = SealUse(id=id, doc=entry.record, seal=mark.seal)
        session.add(use)
    return use


def _here(entry: Entry[Any]) -> None:
    if entry.author != ROOM.here:
        raise Refused("an organ's seals are kept at its own node", code="wrong_writer")


def _matter(session: Session, entry: Entry[Any]) -> SealMatter:
    _here(entry)
    matter = session.get_one(SealMatter, entry.record)
    matter.last = entry.id
    return matter
