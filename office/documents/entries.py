"""The signed kinds of documents: what an organ does inside, the envelope that leaves it, and the receipts that come back.

Acts inside the drafting organ go to ``SELF`` and name the act before in ``after``. The envelope goes to the home nodes of
its recipients. Receipts go back to the home node of the document and name only what that node has: the envelope and the
receipt before; the receiving organ's inner acts stay at home.
"""

from __future__ import annotations

import datetime as dt
import uuid
from enum import StrEnum

from node.codec import Hash, Natural, Value, digest
from node.kinds import Content, kind

TITLE, TEXT, WORDS, REASON = 200, 30_000, 2_000, 500
"Most characters of a title, a text, an opinion or answer, a reason."
ANNEXES, RECIPIENTS = 50, 1_500


class Urgency(StrEnum):
    """紧急程度 of a paper document; ``flash`` is 特急 and needs a reason."""

    NONE = "none"
    URGENT = "urgent"
    FLASH = "flash"


class Label(StrEnum):
    """Handling labels that a non-classified system may carry."""

    PUBLIC = "public"
    INTERNAL = "internal"
    WORK_SECRET = "work_secret"  # noqa: S105


class Role(StrEnum):
    """How an organ is addressed: 主送 or 抄送."""

    TO = "to"
    CC = "cc"


class Annex(Value, frozen=True):
    """An attached file. Stored bytes are ciphertext whatever the audience, so that forwarding is passing on hash and key."""

    name: str
    size: Natural
    "Bytes of the plain file."
    mime: str
    sha: Hash
    "SHA-256 of the stored bytes, by which blobs are fetched."
    plain: Hash
    "SHA-256 of the plain file, which readers and evidence compare."
    key: Hash
    stored: Natural
    "Bytes as stored."


class Cited(Value, frozen=True):
    """A standing list at the version a document was sent to."""

    id: str
    version: int
    role: str


class Paper(Value, frozen=True):
    """What is drafted: everything about a document that its drafter decides."""

    organ: str
    kind: str
    "One of the fifteen ids of :data:`office.documents.workflow.KINDS`."
    title: str
    text: str
    to: tuple[str, ...]
    "Organ ids, named one by one."
    cc: tuple[str, ...] = ()
    lists: tuple[Cited, ...] = ()
    urgency: str = Urgency.NONE
    urgency_reason: str = ""
    label: str = Label.INTERNAL
    reply_required: bool = False
    due: Natural = 0
    "When an answer is due, milliseconds since 1970 UTC; 0 for never."
    due_rule: str = ""
    "What the drafter set: a moment (``set``), working days (``5wd``) or hours (``24h``). No deadline is without one."
    in_reply_to: str = ""
    "Id of the document this one answers."
    forwards: str = ""
    "Id of the document this one passes on; its file is among the annexes or its number in the text."
    annexes: tuple[Annex, ...] = ()


class Recipient(Value, frozen=True):
    """An organ an envelope is for, and the node that received it for the organ."""

    organ: str
    node: str
    role: str


class Mark(Value, frozen=True):
    """An organ's seal under a document."""

    seal: str
    fingerprint: Hash
    "Of the seal's certificate."
    digest: Hash
    "Of the rendered text, :func:`rendering`."
    signature: bytes


class Envelope(Value, frozen=True):
    """What leaves the organ: complete in itself, so that it can be read and proved without its home node."""

    paper: Paper
    number: str
    "发文字号, or empty where the organ gave none."
    issuer: str
    "Full name of the organ on the day."
    signer: str
    "Name of the person who signed for issue."
    signed_on: str
    "成文日期, ISO date in Asia/Shanghai."
    recipients: tuple[Recipient, ...]
    seal: Mark | None = None
    issue: Natural = 1
    "1 first, then one more for every corrected re-issue."


@kind("documents.drafted")
class Drafted(Content, frozen=True):
    """Somebody drafts a document for an organ."""

    paper: Paper


@kind("documents.revised")
class Revised(Content, frozen=True):
    """The draft now says this; the whole of it."""

    paper: Paper


@kind("documents.submitted")
class Submitted(Content, frozen=True):
    """The draft goes to the reviewers of its organ."""

    note: str


@kind("documents.returned")
class Returned(Content, frozen=True):
    """The draft goes back to its drafter, with a reason."""

    reason: str


@kind("documents.reviewed")
class Reviewed(Content, frozen=True):
    """A reviewer finds it fit to be put before the signer."""

    opinion: str


@kind("documents.signed")
class Signed(Content, frozen=True):
    """The signer lets it be issued; the day is the document's date."""

    opinion: str
    on: dt.date
    name: str


@kind("documents.numbered")
class Numbered(Content, frozen=True):
    """The registry gives it the next number of a series, once and for ever."""

    prefix: str
    year: int
    number: int
    text: str
    "As printed: 滨政发〔2026〕1号."


@kind("documents.sealed")
class Sealed(Content, frozen=True):
    """The keeper puts the organ's seal under the rendered text."""

    mark: Mark


@kind("documents.dispatched")
class Dispatched(Content, frozen=True):
    """The document leaves the organ."""

    envelope: Envelope


@kind("documents.corrected")
class Corrected(Content, frozen=True):
    """The document leaves the organ once more under the same number, with a note on what was wrong."""

    envelope: Envelope
    note: str


@kind("documents.recalled")
class Recalled(Content, frozen=True):
    """The issuer takes it back: at once where nobody signed for it, elsewhere as a request."""

    doc: str
    reason: str


@kind("documents.voided")
class Voided(Content, frozen=True):
    """The document counts for nothing; its number stays used and is explained by the reason."""

    reason: str


@kind("documents.signed_for")
class SignedFor(Content, frozen=True):
    """R2: a named clerk signs for the document."""

    doc: str
    organ: str
    name: str
    key: str = ""
    "What the client called this act, so that asking twice is asking once."


@kind("documents.sent_back")
class SentBack(Content, frozen=True):
    """R2x: the organ sends the document back, with a reason of the list and in words."""

    doc: str
    organ: str
    name: str
    reason: str
    words: str
    key: str = ""


@kind("documents.registered")
class Registered(Content, frozen=True):
    """The organ enters it in its register under the next number of the year (收文号)."""

    doc: str
    organ: str
    year: int
    number: int
    text: str
    to_handle: bool
    "办件, else 阅件."


@kind("documents.assigned")
class Assigned(Content, frozen=True):
    """Somebody is to handle it, others to read it."""

    doc: str
    organ: str
    lead: str
    "Person id, or empty when it is only to be read."
    assistants: tuple[str, ...]
    readers: tuple[str, ...]
    opinion: str


@kind("documents.read")
class Read(Content, frozen=True):
    """R3: a reader has read it."""

    doc: str
    organ: str
    name: str
    key: str = ""


@kind("documents.answered")
class Answered(Content, frozen=True):
    """R4: what came of it."""

    doc: str
    organ: str
    name: str
    text: str
    annexes: tuple[Annex, ...] = ()
    key: str = ""


@kind("documents.recall_confirmed")
class RecallConfirmed(Content, frozen=True):
    """R5: the recall took effect at the receiving organ; automatic where nobody had signed for it."""

    doc: str
    organ: str
    name: str
    automatic: bool = False
    key: str = ""


@kind("documents.closed")
class Closed(Content, frozen=True):
    """The organ is done with it."""

    doc: str
    organ: str
    note: str


RECEIPTS = {
    "documents.signed_for": "R2",
    "documents.sent_back": "R2x",
    "documents.read": "R3",
    "documents.answered": "R4",
    "documents.recall_confirmed": "R5",
}
"Kind of an entry to the receipt it is."

_INCOMING = uuid.UUID("5a1f0a52-6f57-5e0c-9b0e-0d6c0f6c9e11")


def incoming_id(doc: str, organ: str) -> str:
    """Id of what ``organ`` does with ``doc``: every node computes the same."""
    return str(uuid.uuid5(_INCOMING, f"{doc}\0{organ}"))


def rendering(envelope: Envelope) -> str:
    """The canonical text of a document, which its seal signs: one line a part, in the order of the printed sheet."""
    paper = envelope.paper
    named = [f"{r.role}:{r.organ}" for r in envelope.recipients]
    files = [f"{a.name} {a.size} {a.plain.hex()}" for a in paper.annexes]
    head = [envelope.issuer, envelope.number, f"{envelope.signer} {envelope.signed_on}", paper.kind, paper.urgency, paper.label, paper.title]
    return "\n".join([*head, *named, *files, "", paper.text, ""])


def rendering_digest(envelope: Envelope) -> bytes:
    """Digest of :func:`rendering`."""
    return digest("documents.rendering.1", rendering(envelope).encode())


def seal_signed(rendered: bytes) -> bytes:
    """The bytes an organ's seal signs."""
    return b"yiwang.sign.seal.1\0" + rendered
