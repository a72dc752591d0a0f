"""Tables of archives: what could be filed and is, what was done before it was closed, lists, and what happened to an item."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Index, LargeBinary, String, and_, false, literal_column, or_
from sqlalchemy.orm import Mapped, mapped_column

from node import clock
from node.codec import unpack
from node.fold import Room
from office.archives.entries import Finding
from office.archives.workflow import SUPERVISORS, WATCHERS, Disposal, State
from office.documents.entries import Envelope
from office.frame import account
from office.frame.rights import seen, with_role

ROOM = Room("archives", version=5)
ID = String()


class Original(ROOM.Base):
    """A document that this node sent or got, in its latest issue, as long as an item needs it."""

    __tablename__ = "originals"
    doc: Mapped[str] = mapped_column(ID, primary_key=True)
    home: Mapped[str] = mapped_column(ID)
    envelope_bytes: Mapped[bytes] = mapped_column(LargeBinary)
    issue: Mapped[int]
    said: Mapped[bytes] = mapped_column(LargeBinary)
    "Statement id of the envelope."
    author: Mapped[str] = mapped_column(ID)
    chain: Mapped[bytes] = mapped_column(LargeBinary)
    seq: Mapped[int]
    hash: Mapped[bytes] = mapped_column(LargeBinary)

    @property
    def envelope(self) -> Envelope:
        """The envelope."""
        return unpack(self.envelope_bytes, Envelope)

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Whoever sees an item of it."""
        return seen(desk, Item, Item.doc, cls.doc)


class Step(ROOM.Base):
    """One thing done in the organ before the matter was closed: 稿纸 and 处理单 are filed with the text."""

    __tablename__ = "steps"
    id: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    record: Mapped[str] = mapped_column(ID, index=True)
    doc: Mapped[str] = mapped_column(ID)
    kind: Mapped[str]
    person: Mapped[str]
    post: Mapped[str]
    at: Mapped[int]
    text: Mapped[str]

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Whoever sees the item."""
        return seen(desk, Item, Item.source, cls.record)


class Item(ROOM.Base):
    """件: what is filed as one, from the proposal on."""

    __tablename__ = "items"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    organ: Mapped[str] = mapped_column(ID, index=True)
    doc: Mapped[str] = mapped_column(ID, index=True)
    source: Mapped[str] = mapped_column(ID, index=True)
    "Record of the documents room: the document, or the incoming one."
    incoming: Mapped[bool]
    title: Mapped[str]
    creator: Mapped[str]
    doc_no: Mapped[str]
    doc_date: Mapped[str]
    kind: Mapped[str]
    label: Mapped[str]
    closed_at: Mapped[int]
    year: Mapped[int] = mapped_column(index=True)
    guess: Mapped[str]
    "Retention that is proposed; empty for not to be filed."
    why: Mapped[str]
    said: Mapped[bytes] = mapped_column(LargeBinary)
    "Statement id of the last act; the next names it."
    state: Mapped[str] = mapped_column(default=State.PROPOSED, index=True)
    fonds: Mapped[str] = mapped_column(default="")
    retention: Mapped[str] = mapped_column(default="")
    section: Mapped[str] = mapped_column(default="")
    number: Mapped[int] = mapped_column(default=0)
    code: Mapped[str] = mapped_column(default="", index=True)
    pages: Mapped[int] = mapped_column(default=0)
    openness: Mapped[str] = mapped_column(default="")
    digest: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    filed_at: Mapped[int] = mapped_column(default=0)
    kept_for: Mapped[str] = mapped_column(default="")
    "Retention that counts now: the one of the code, or a longer one after appraisal."
    borrower: Mapped[str] = mapped_column(ID, default="", index=True)
    lent_until: Mapped[int] = mapped_column(default=0)
    hold: Mapped[str] = mapped_column(default="")
    "Why it must not be destroyed, or empty."
    tested_at: Mapped[int] = mapped_column(default=0)
    faults: Mapped[int] = mapped_column(default=0)
    findings_bytes: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    disposal: Mapped[str] = mapped_column(ID, default="", index=True)
    "Id of the destruction list."
    archive: Mapped[str] = mapped_column(default="")
    "To whom it was handed over."

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the last test found."""
        return unpack(self.findings_bytes, tuple[Finding, ...]) if self.findings_bytes else ()

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """The watching roles of its organ; a borrower for as long as the loan runs."""
        now = clock.to_ms(desk.now)
        lent = and_(cls.lent(), cls.borrower == desk.person, cls.lent_until > now) if desk.person else false()
        listed = and_(cls.disposal != "", cls.organ.in_(with_role(desk, *SUPERVISORS)))
        return or_(cls.organ.in_(with_role(desk, *WATCHERS)), listed, lent)

    @classmethod
    def lent(cls) -> ColumnElement[bool]:
        """Whether somebody has borrowed it; of the few that are lent there is an index."""
        return cls.borrower > literal_column("''")


Index("archive_proposed", Item.state, Item.year, Item.doc_date, Item.doc_no, Item.id)  # a page of a tab is read in its order and no further
Index("archive_kept", Item.state, Item.filed_at.desc(), Item.code.desc(), Item.id)
Index("archive_mine", Item.organ, Item.state, Item.year)
Index("archive_lent", Item.borrower, Item.lent_until, sqlite_where=Item.lent(), postgresql_where=Item.lent())
Index("archive_class", Item.fonds, Item.year, Item.retention, Item.section, Item.number)


class Fonds(ROOM.Base):
    """The fonds number of an organ."""

    __tablename__ = "fonds"
    organ: Mapped[str] = mapped_column(ID, primary_key=True)
    number: Mapped[str]
    section: Mapped[str]
    said: Mapped[bytes] = mapped_column(LargeBinary)

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """The watching roles of the organ."""
        return cls.organ.in_(with_role(desk, *WATCHERS))


class Roll(ROOM.Base):
    """销毁清册: a destruction list."""

    __tablename__ = "rolls"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    organ: Mapped[str] = mapped_column(ID, index=True)
    reason: Mapped[str]
    proposer: Mapped[str] = mapped_column(ID)
    proposed_at: Mapped[int]
    state: Mapped[str] = mapped_column(default=Disposal.PROPOSED, index=True)
    approver: Mapped[str] = mapped_column(ID, default="")
    first: Mapped[str] = mapped_column(ID, default="")
    "Person who supervised first."
    second: Mapped[str] = mapped_column(ID, default="")
    done_at: Mapped[int] = mapped_column(default=0)
    said: Mapped[bytes] = mapped_column(LargeBinary)

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Whoever may approve or supervise."""
        return cls.organ.in_(with_role(desk, *SUPERVISORS))


class Act(ROOM.Base, account.Line):
    """What happened to an item or a list."""

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Whoever sees the item or the list."""
        return or_(seen(desk, Item, Item.id, cls.record), seen(desk, Roll, Roll.id, cls.record))


class Tally(ROOM.Base):
    """How far the numbers of a smallest class have got."""

    __tablename__ = "tallies"
    name: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int]

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Everybody: a bare count tells nothing of what was counted."""
        return cls.last >= 0
