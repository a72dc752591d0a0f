"""Tables of documents: what is drafted here, the letters this node has, who got them, what was done, and what is in hand.

A row is seen by its drafter, by those who hold a watching role in its organ, and by those it was assigned to; nobody else.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, LargeBinary, String, and_, exists, false, literal_column, or_, select, true
from sqlalchemy.orm import Mapped, mapped_column

from node.codec import unpack
from node.fold import Room
from office.documents.entries import Envelope, Mark, Paper
from office.documents.workflow import WATCHERS, Agreement, Stage, Standing
from office.frame.flow.tables import keep, keys
from office.frame.rights import powers, seen, with_role

ROOM = Room("documents", version=10)
FLOWS = keep(ROOM, "documents")
"The flows that documents go through."
ID = String()  # no length: PostgreSQL would refuse what SQLite takes


class Document(ROOM.Base):
    """A document of an organ of this node, from the first draft on."""

    __tablename__ = "documents"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    home: Mapped[str] = mapped_column(ID, default="")
    organ: Mapped[str] = mapped_column(ID, default="")
    title: Mapped[str] = mapped_column(default="")
    kind: Mapped[str] = mapped_column(default="")
    urgency: Mapped[str] = mapped_column(default="none")
    label: Mapped[str] = mapped_column(default="internal")
    paper_bytes: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    drafter: Mapped[str] = mapped_column(ID, default="")
    drafted_at: Mapped[int] = mapped_column(default=0)
    changed_at: Mapped[int] = mapped_column(default=0)
    "Milliseconds of the last act."
    stage: Mapped[str] = mapped_column(default=Stage.DRAFT)
    state: Mapped[str] = mapped_column(default=Stage.DRAFT)
    returned: Mapped[str] = mapped_column(default="")
    "Reason of the last return."
    signer: Mapped[str] = mapped_column(default="")
    acted: Mapped[str] = mapped_column(default="")
    "Who signed for the signer, and by what delegation; empty when the signer did."
    signed_on: Mapped[str] = mapped_column(default="")
    opinion: Mapped[str] = mapped_column(default="")
    series: Mapped[str] = mapped_column(default="")
    year: Mapped[int] = mapped_column(default=0)
    sequence: Mapped[int] = mapped_column(default=0)
    number: Mapped[str] = mapped_column(default="")
    mark_bytes: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    issue: Mapped[int] = mapped_column(default=0)
    "0 until it is dispatched."
    recall: Mapped[int] = mapped_column(default=0)
    "When it was recalled, milliseconds; 0 for never."
    void: Mapped[str] = mapped_column(default="")
    "Why it is void."
    last: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    "Statement id of the last inner act; the next names it."
    flow: Mapped[bool] = mapped_column(default=False)
    "Whether it goes through a flow of the office."
    versions: Mapped[int] = mapped_column(default=0)
    "How many texts the draft has had."
    better_bytes: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    "A corrected text that waits for the seal."
    better_note: Mapped[str] = mapped_column(default="")

    @property
    def paper(self) -> Paper:
        """What the document says now."""
        return unpack(self.paper_bytes, Paper)

    @property
    def better(self) -> Paper | None:
        """The corrected text that waits for the seal, if there is one."""
        return unpack(self.better_bytes, Paper) if self.better_bytes else None

    @property
    def mark(self) -> Mark | None:
        """Its seal, if it has one."""
        return unpack(self.mark_bytes, Mark) if self.mark_bytes else None

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Its drafter, the watching roles of its organ, and those who have it on its way or had it."""
        lies = select(FLOWS.Lying.matter).where(FLOWS.Lying.key.in_(keys(desk)))
        own = or_(cls.drafter == desk.person, cls.id.in_(lies))
        organs = watched(desk)
        return or_(own, cls.organ.in_(organs)) if organs else own


Index("series", Document.series, Document.year, Document.sequence)
Index("documents_register", Document.state, Document.changed_at.desc(), Document.id)  # a page of a tab is read in its order and no further
Index("documents_stand", Document.organ, Document.state, Document.changed_at.desc())
Index("documents_own", Document.drafter, Document.changed_at.desc())
Index("documents_begun", Document.drafter, Document.state)
Index("documents_better", Document.organ, Document.better_note)


class Counter(ROOM.Base):
    """How far a number series or a register has got."""

    __tablename__ = "counters"
    name: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int]

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Everybody: a bare count tells nothing of what was counted."""
        return true()


class Letter(ROOM.Base):
    """An envelope this node sent or got, in its latest issue."""

    __tablename__ = "letters"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    home: Mapped[str] = mapped_column(ID)
    organ: Mapped[str] = mapped_column(ID, index=True)
    envelope_bytes: Mapped[bytes] = mapped_column(LargeBinary)
    issue: Mapped[int]
    note: Mapped[str]
    "What a corrected issue corrects."
    at: Mapped[int]
    said: Mapped[bytes] = mapped_column(LargeBinary)
    "Statement id of the latest issue; receipts name it."
    place: Mapped[str]
    "Ref of the place from which it was folded."

    @property
    def envelope(self) -> Envelope:
        """The envelope."""
        return unpack(self.envelope_bytes, Envelope)

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Whoever sees the document, or the incoming one; and the organs that issued it together."""
        shared = exists().where(Party.doc == cls.id, Party.issued_at > 0, Party.own(desk)).correlate(cls)
        return or_(seen(desk, Document, Document.id, cls.id), seen(desk, Incoming, Incoming.doc, cls.id), shared)


class Delivery(ROOM.Base):
    """A recipient of a document of this node."""

    __tablename__ = "deliveries"
    doc: Mapped[str] = mapped_column(ID, primary_key=True)
    organ: Mapped[str] = mapped_column(ID, primary_key=True)
    node: Mapped[str] = mapped_column(ID)
    role: Mapped[str]
    order: Mapped[int]
    sent_at: Mapped[int]
    receipt: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    urged: Mapped[int] = mapped_column(default=0)
    "Step of the last urging; 0 for none."
    supervised_at: Mapped[int] = mapped_column(default=0)

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Whoever sees the document."""
        return seen(desk, Document, Document.id, cls.doc)


class Recall(ROOM.Base):
    """The issuer takes a document back; may be heard before or after anything else about it."""

    __tablename__ = "recalls"
    doc: Mapped[str] = mapped_column(ID, primary_key=True)
    home: Mapped[str] = mapped_column(ID, primary_key=True)
    "Who says so; it counts only when that is the document's home."
    at: Mapped[int]
    reason: Mapped[str]
    said: Mapped[bytes] = mapped_column(LargeBinary)


class Incoming(ROOM.Base):
    """A document that an organ of this node got."""

    __tablename__ = "incoming"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    doc: Mapped[str] = mapped_column(ID, index=True)
    organ: Mapped[str] = mapped_column(ID)
    role: Mapped[str]
    home: Mapped[str] = mapped_column(ID)
    "Home node of the document, where receipts go."
    issuer: Mapped[str] = mapped_column(ID)
    issuer_name: Mapped[str]
    number: Mapped[str]
    title: Mapped[str]
    kind: Mapped[str]
    urgency: Mapped[str]
    label: Mapped[str]
    due: Mapped[int]
    reply_required: Mapped[bool]
    sent_at: Mapped[int] = mapped_column(index=True)
    order: Mapped[int] = mapped_column(index=True)
    "Order in which this node took it, for cursors."
    said: Mapped[bytes] = mapped_column(LargeBinary)
    "Statement id of the latest issue."
    state: Mapped[str] = mapped_column(default=Standing.DELIVERED)
    signed_at: Mapped[int] = mapped_column(default=0)
    signed_by: Mapped[str] = mapped_column(default="")
    signed_said: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    register_year: Mapped[int] = mapped_column(default=0)
    register_no: Mapped[int] = mapped_column(default=0)
    register: Mapped[str] = mapped_column(default="")
    to_handle: Mapped[bool] = mapped_column(default=False)
    opinion: Mapped[str] = mapped_column(default="")
    answered_at: Mapped[int] = mapped_column(default=0)
    closed_at: Mapped[int] = mapped_column(default=0)
    sent_back: Mapped[str] = mapped_column(default="")
    "Reason code."
    recall_at: Mapped[int] = mapped_column(default=0)
    recall_reason: Mapped[str] = mapped_column(default="")
    recall_said: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    recall_confirmed: Mapped[int] = mapped_column(default=0)
    receipt: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    "Statement id of the last receipt; the next receipt names it."
    last: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    "Statement id of the last inner act."
    issue: Mapped[int] = mapped_column(default=1)
    signed_issue: Mapped[int] = mapped_column(default=0)
    "The latest issue that was signed for."
    read_required: Mapped[bool] = mapped_column(default=False)
    examined_at: Mapped[int] = mapped_column(default=0)
    failed: Mapped[str] = mapped_column(default="")
    "What the examination found wrong, codes between blanks."
    leader: Mapped[str] = mapped_column(default="")
    "Before whom the office has put its proposal."
    instructed_at: Mapped[int] = mapped_column(default=0)
    term: Mapped[int] = mapped_column(default=0)
    "End of the organ's own term, milliseconds; 0 for none."
    term_rule: Mapped[str] = mapped_column(default="")
    extended: Mapped[int] = mapped_column(default=0)
    "A later term that the issuer granted, milliseconds; 0 for none."
    in_turn: Mapped[bool] = mapped_column(default=False)
    master: Mapped[str] = mapped_column(default="", index=True)
    "The incoming document whose answer serves this one too."
    child: Mapped[str] = mapped_column(default="")
    "The document by which other organs were entrusted with it."
    paper_at: Mapped[int] = mapped_column(default=0)
    urged: Mapped[int] = mapped_column(default=0)
    "Step of the last urging by the issuer that nobody has answered; 0 for none."
    supervised_at: Mapped[int] = mapped_column(default=0)
    brought: Mapped[str] = mapped_column(default="")
    "What is known of it, where it came as a package (:class:`office.documents.workflow.Worth`); it has no home then."

    @property
    def until(self) -> int:
        """When the issuer wants an answer, as extended; milliseconds, 0 for never."""
        return max(self.due, self.extended) if self.due else 0

    @property
    def corrected(self) -> bool:
        """A corrected issue came after somebody had signed for an earlier one."""
        return 0 < self.signed_issue < self.issue

    @classmethod
    def behind(cls) -> ColumnElement[bool]:
        """Rows that are :attr:`corrected`; of these few there is an index."""
        return and_(cls.signed_issue > literal_column("0"), cls.signed_issue < cls.issue)

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """The watching roles of the receiving organ, and those it was assigned to."""
        handed = cls.id.in_(select(Hand.incoming).where(Hand.person == desk.person)) if desk.person else false()
        organs = watched(desk)
        return or_(cls.organ.in_(organs), handed) if organs else handed


Index("incoming_register", Incoming.state, Incoming.sent_at.desc(), Incoming.id)
Index("incoming_stand", Incoming.organ, Incoming.state, Incoming.sent_at.desc())
Index("incoming_urged", Incoming.organ, Incoming.urged)
Index("incoming_led", Incoming.leader, Incoming.state)
Index("incoming_behind", Incoming.organ, sqlite_where=Incoming.behind(), postgresql_where=Incoming.behind())


class Hand(ROOM.Base):
    """A person who is to handle or read an incoming document."""

    __tablename__ = "hands"
    incoming: Mapped[str] = mapped_column(ID, ForeignKey("incoming.id"), primary_key=True)
    person: Mapped[str] = mapped_column(ID, primary_key=True, index=True)
    task: Mapped[str]
    "lead, assist or read."
    at: Mapped[int]
    read_at: Mapped[int] = mapped_column(default=0)
    place: Mapped[int] = mapped_column(default=0)
    "Place in the order of reading."
    opinion: Mapped[str] = mapped_column(default="")

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """Whoever sees the incoming document."""
        return seen(desk, Incoming, Incoming.id, cls.incoming)


class Party(ROOM.Base):
    """An organ that is to issue a document together with another's: known at the home of the document and at its own."""

    __tablename__ = "parties"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    doc: Mapped[str] = mapped_column(ID, index=True)
    organ: Mapped[str] = mapped_column(ID)
    node: Mapped[str] = mapped_column(ID)
    home: Mapped[str] = mapped_column(ID)
    "Home node of the document, where answers go."
    issuer: Mapped[str] = mapped_column(ID, default="")
    issuer_name: Mapped[str] = mapped_column(default="")
    title: Mapped[str] = mapped_column(default="")
    kind: Mapped[str] = mapped_column(default="")
    urgency: Mapped[str] = mapped_column(default="none")
    number: Mapped[str] = mapped_column(default="")
    envelope_bytes: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    digest: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    "Of the text that lies before it; what it said of another counts no more."
    place: Mapped[int] = mapped_column(default=0)
    "In the order of the sheet."
    turn: Mapped[int] = mapped_column(default=0)
    said: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    "Statement id of the latest asking."
    asked_at: Mapped[int] = mapped_column(default=0)
    "When this text was put before it."
    held: Mapped[bool] = mapped_column(default=False)
    dropped: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str] = mapped_column(default="")
    "Why the text was taken back, or the organ added or dropped."
    agreed_at: Mapped[int] = mapped_column(default=0)
    agreed_to: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    "Digest of the text that its leader countersigned."
    signer: Mapped[str] = mapped_column(default="")
    signed_on: Mapped[str] = mapped_column(default="")
    acted: Mapped[str] = mapped_column(default="")
    opinion: Mapped[str] = mapped_column(default="")
    refused_at: Mapped[int] = mapped_column(default=0)
    refused_to: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    refused: Mapped[str] = mapped_column(default="")
    mark_bytes: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    last: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    "Statement id of the organ's last word."
    issued_at: Mapped[int] = mapped_column(default=0)
    recalled_at: Mapped[int] = mapped_column(default=0)
    urged: Mapped[int] = mapped_column(default=0)
    "Step of the last urging for the text that lies before it; 0 for none."
    urged_at: Mapped[int] = mapped_column(default=0)
    urging: Mapped[str] = mapped_column(default="")
    "What was said then."
    state: Mapped[str] = mapped_column(default=Agreement.ASKED, index=True)

    @property
    def envelope(self) -> Envelope:
        """The text that lies before it."""
        return unpack(self.envelope_bytes, Envelope)

    @property
    def mark(self) -> Mark | None:
        """Its seal under this text, if there is one."""
        found = unpack(self.mark_bytes, Mark) if self.mark_bytes else None
        return found if found is not None and found.digest == self.digest else None

    @property
    def agrees(self) -> bool:
        """Whether its leader has countersigned this text, and not returned it since."""
        return bool(self.agreed_at) and self.agreed_to == self.digest and not self.refuses

    @property
    def refuses(self) -> bool:
        """Whether it has returned this text, and not countersigned it since."""
        return bool(self.refused_at) and self.refused_to == self.digest and (self.agreed_to != self.digest or self.agreed_at < self.refused_at)

    @classmethod
    def own(cls, desk: Any) -> ColumnElement[bool]:
        """Those of organs in which the person has a watching role, or a lent one."""
        organs = watched(desk)
        return cls.organ.in_(organs) if organs else false()

    @classmethod
    def visible(cls, desk: Any) -> ColumnElement[bool]:
        """The watching roles of the organ itself, and whoever sees the document at its home."""
        return or_(cls.own(desk), seen(desk, Document, Document.id, cls.doc))


def watched(desk: Any) -> list[str]:
    """Organs in which the person of the desk holds a watching role, by a post or by a power lent to it that is live."""
    return sorted({*with_role(desk, *WATCHERS), *(lent.organ for lent in powers(desk) if lent.role in WATCHERS)})


def series_name(prefix: str, year: int) -> str:
    """Name of a number series, whose version a numbering relies on."""
    return f"series:{prefix}:{year}"


def register_name(organ: str, year: int) -> str:
    """Name of an organ's incoming register of a year."""
    return f"register:{organ}:{year}"
