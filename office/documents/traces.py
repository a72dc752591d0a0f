"""Tables of documents: the account of acts, who was urged, terms asked for anew, and what became of a document later."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, and_, exists, or_
from sqlalchemy.orm import Mapped, mapped_column

from node.codec import unpack
from node.entry import ref
from office.documents.entries import SHARED, TOLD, Annex, Paper
from office.documents.tables import ID, ROOM, Document, Incoming, Letter, Party
from office.frame.rights import seen


class Original(ROOM.Base):
    """正本: the PDF with the seal's own signature, of the issue for which it was made last."""

    __tablename__ = "originals"
    doc: Mapped[str] = mapped_column(ID, primary_key=True)
    home: Mapped[str] = mapped_column(ID, primary_key=True)
    "Who says so; it counts only when that is the document's home."
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    annex_bytes: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[int]
    said: Mapped[bytes] = mapped_column(LargeBinary)

    @property
    def annex(self) -> Annex:
        """The file."""
        return unpack(self.annex_bytes, Annex)

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Whoever sees the letter."""
        return seen(desk, Letter, Letter.id, cls.doc)


class Urge(ROOM.Base):
    """Somebody was urged: a recipient by the issuer, or a person by the organ's registry."""

    __tablename__ = "urges"
    id: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    doc: Mapped[str] = mapped_column(ID, index=True)
    organ: Mapped[str] = mapped_column(ID)
    incoming: Mapped[str] = mapped_column(ID, index=True)
    person: Mapped[str] = mapped_column(ID, index=True)
    "Who is urged inside the organ; empty when the issuer urges the organ."
    step: Mapped[int]
    channel: Mapped[str]
    words: Mapped[str]
    at: Mapped[int]
    by: Mapped[str]
    answered_at: Mapped[int] = mapped_column(default=0)
    answered_by: Mapped[str] = mapped_column(default="")
    answer: Mapped[str] = mapped_column(default="")

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Who sees the incoming document; for those from outside the organ also who sees the document at its home."""
        return or_(seen(desk, Incoming, Incoming.id, cls.incoming), and_(cls.person == "", seen(desk, Document, Document.id, cls.doc)))


class Extension(ROOM.Base):
    """A later term that was asked for."""

    __tablename__ = "extensions"
    id: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    doc: Mapped[str] = mapped_column(ID, index=True)
    organ: Mapped[str] = mapped_column(ID)
    incoming: Mapped[str] = mapped_column(ID, index=True)
    name: Mapped[str]
    until: Mapped[int]
    reason: Mapped[str]
    at: Mapped[int]
    decided_at: Mapped[int] = mapped_column(default=0, index=True)
    granted: Mapped[int] = mapped_column(default=0)
    "The new term; 0 when it was not granted."
    words: Mapped[str] = mapped_column(default="")

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Who sees the incoming document, and who sees the document at its home."""
        return or_(seen(desk, Incoming, Incoming.id, cls.incoming), seen(desk, Document, Document.id, cls.doc))


class Validity(ROOM.Base):
    """What happened to a document after it was issued: amended, repealed, revoked, expired."""

    __tablename__ = "validity"
    doc: Mapped[str] = mapped_column(ID, primary_key=True)
    by: Mapped[str] = mapped_column(ID, primary_key=True)
    "Id of the document that did it; empty when it was done without one."
    home: Mapped[str] = mapped_column(ID, primary_key=True)
    "Who says so; it counts only when that is the document's home."
    change: Mapped[str]
    number: Mapped[str]
    title: Mapped[str]
    on: Mapped[str]
    reason: Mapped[str]
    at: Mapped[int]

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Whoever sees the letter."""
        return seen(desk, Letter, Letter.id, cls.doc)


class Version(ROOM.Base):
    """One text that a draft has had (稿次), just as it was signed."""

    __tablename__ = "versions"
    doc: Mapped[str] = mapped_column(ID, primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    said: Mapped[bytes] = mapped_column(LargeBinary)
    "Statement id."
    at: Mapped[int]
    person: Mapped[str]
    post: Mapped[str]
    paper_bytes: Mapped[bytes] = mapped_column(LargeBinary)

    @property
    def paper(self) -> Paper:
        """What the draft said."""
        return unpack(self.paper_bytes, Paper)

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Whoever sees the document."""
        return seen(desk, Document, Document.id, cls.doc)


class Act(ROOM.Base):
    """One thing somebody did, for the account of what happened so far and for the receipts."""

    __tablename__ = "acts"
    id: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    "Statement id."
    record: Mapped[str] = mapped_column(ID, index=True)
    doc: Mapped[str] = mapped_column(ID, index=True)
    organ: Mapped[str] = mapped_column(ID)
    "The receiving organ of a receipt; empty for acts of the issuer."
    kind: Mapped[str]
    receipt: Mapped[str]
    "R2, R2x, R3, R4, R5 or empty."
    person: Mapped[str]
    name: Mapped[str]
    post: Mapped[str]
    at: Mapped[int]
    text: Mapped[str]
    reason: Mapped[str]
    annex_bytes: Mapped[bytes] = mapped_column(LargeBinary)
    key: Mapped[str] = mapped_column(index=True)
    author: Mapped[str]
    chain: Mapped[bytes] = mapped_column(LargeBinary)
    seq: Mapped[int]
    hash: Mapped[bytes] = mapped_column(LargeBinary)

    @property
    def annexes(self) -> tuple[Annex, ...]:
        """Files given with an answer."""
        return unpack(self.annex_bytes, tuple[Annex, ...]) if self.annex_bytes else ()

    @property
    def place(self) -> str:
        """Its ref."""
        return ref(self.author, self.chain, self.seq, self.hash)

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Acts inside an organ for those who see its record; what was told across also for those on the other side."""
        mine, got = seen(desk, Document, Document.id, cls.record), seen(desk, Incoming, Incoming.id, cls.record)
        concerns = exists().where(Incoming.doc == cls.doc, or_(cls.organ == "", Incoming.organ == cls.organ), Incoming.visible(desk))
        of_doc = seen(desk, Document, Document.id, cls.doc)
        shared = exists().where(Party.doc == cls.doc, or_(cls.organ == "", Party.organ == cls.organ), Party.own(desk)).correlate(cls)
        told = or_(and_(cls.receipt != "", of_doc), and_(cls.kind.in_(TOLD), concerns), and_(cls.kind.in_(SHARED), shared))
        return or_(mine, got, told, seen(desk, Party, Party.id, cls.record))
