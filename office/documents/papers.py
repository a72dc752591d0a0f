"""What a document is made of: the paper that is drafted, and the envelope that leaves the organ, complete in itself."""

from __future__ import annotations

import datetime as dt
import uuid
from enum import StrEnum

import msgspec

from node.codec import Hash, Moment, Natural, Value, digest
from office.frame.annex import Annex as Annex
from office.frame.annex import Name

TITLE, TEXT, WORDS, REASON = 200, 30_000, 2_000, 500
"Most characters of a title, a text, an opinion or answer, a reason."
ANNEXES, RECIPIENTS = 50, 1_500
JOINT = 11
"Organs at most that issue a document together with its own: more no red head holds."


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
    """How an organ is addressed: 主送 or 抄送; when it is entrusted with another's document, 主办 or 协办."""

    TO = "to"
    CC = "cc"
    LEAD = "lead"
    ASSIST = "assist"


class Openness(StrEnum):
    """公开属性, chosen when drafting (信息公开条例 §17)."""

    PROACTIVE = "proactive"
    REQUEST = "on_request"
    WITHHELD = "withheld"


class Change(StrEnum):
    """What a later document, or time, did to an earlier one; 撤销 is void from the start, 废止 from then on."""

    AMENDED = "amended"
    REPEALED = "repealed"
    REVOKED = "revoked"
    EXPIRED = "expired"


class Cited(Value, frozen=True):
    """A standing list at the version a document was sent to."""

    id: str
    version: int
    role: Role


class Effect(Value, frozen=True):
    """What a document does to an earlier one of its own organ."""

    doc: str
    number: str
    title: str
    change: str
    "One of :class:`Change`."


class Paper(Value, frozen=True):
    """What is drafted: everything about a document that its drafter decides."""

    organ: str
    kind: str
    "One of the fifteen ids of :data:`office.documents.kinds.KINDS`."
    title: Name
    text: str
    to: tuple[str, ...]
    "Organ ids, named one by one."
    cc: tuple[str, ...] = ()
    lists: tuple[Cited, ...] = ()
    urgency: Urgency = Urgency.NONE
    urgency_reason: str = ""
    label: Label = Label.INTERNAL
    reply_required: bool = False
    due: Moment = 0
    "When an answer is due, milliseconds since 1970 UTC; 0 for never."
    due_rule: str = ""
    "What the drafter set: a moment (``set``), working days (``5wd``) or hours (``24h``). No deadline is without one."
    in_reply_to: str = ""
    "Id of the document this one answers."
    forwards: str = ""
    "Id of the document this one passes on; its file is among the annexes or its number in the text."
    annexes: tuple[Annex, ...] = ()
    read_required: bool = False
    "要求阅知: each reader's reading is to be receipted (R3)."
    openness: str = ""
    "One of :class:`Openness`; empty while nobody has chosen."
    openness_reason: str = ""
    "Why it is not published of the organ's own accord."
    effects: tuple[Effect, ...] = ()
    "Earlier documents that it amends or repeals."
    joint: tuple[str, ...] = ()
    "Ids of the organs that issue it together with its own, in order."


class Recipient(Value, frozen=True):
    """An organ an envelope is for, and the node that received it for the organ."""

    organ: str
    node: str
    role: Role


class Mark(Value, frozen=True):
    """An organ's seal under a document."""

    seal: str
    fingerprint: Hash
    "Of the seal's certificate."
    digest: Hash
    "Of the rendered text, :func:`rendering`."
    signature: bytes


class Issuer(Value, frozen=True):
    """An organ that issues a document together with its own, as it countersigned."""

    organ: str
    node: str
    "Where it is at home."
    name: Name
    "Its full name on the day."
    signer: Name = ""
    "Name of its leader who countersigned; empty before that."
    signed_on: str = ""
    "ISO date in Asia/Shanghai."
    acted: str = ""
    "As in the envelope: who signed for the signer."

    def __post_init__(self) -> None:
        """A day that is none is refused, as in the envelope."""
        if self.signed_on and dt.date.fromisoformat(self.signed_on).isoformat() != self.signed_on:
            raise ValueError("not a day")


class Envelope(Value, frozen=True):
    """What leaves the organ: complete in itself, so that it can be read and proved without its home node."""

    paper: Paper
    number: Name
    "发文字号, or empty where the organ gave none."
    issuer: Name
    "Full name of the organ on the day."
    signer: Name
    "Name of the person who signed for issue."
    signed_on: str
    "成文日期, ISO date in Asia/Shanghai; empty while it is not signed."
    recipients: tuple[Recipient, ...]
    seal: Mark | None = None
    issue: Natural = 1
    "1 first, then one more for every corrected re-issue."
    acted: str = ""
    "Person id of who signed for the signer under a delegation (代签), a blank, and its basis; empty otherwise."
    seals: tuple[Mark, ...] = ()
    "Seals of the organs that issue it jointly, in their order, over the text as :func:`agreed` gives it."
    issuers: tuple[Issuer, ...] = ()
    "Organs that issue it jointly with its own, in their order."

    def __post_init__(self) -> None:
        """A day that is none is no envelope, whoever sends it: every reader's pages and folds count on it."""
        if self.signed_on and dt.date.fromisoformat(self.signed_on).isoformat() != self.signed_on:
            raise ValueError("not a day")


_INCOMING = uuid.UUID("5a1f0a52-6f57-5e0c-9b0e-0d6c0f6c9e11")
_PARTY = uuid.UUID("0c5b7a36-6c1f-5d2e-8f43-3a9f1d7be2c4")


def incoming_id(doc: str, organ: str) -> str:
    """Id of what ``organ`` does with ``doc``: every node computes the same."""
    return str(uuid.uuid5(_INCOMING, f"{doc}\0{organ}"))


def party_id(doc: str, organ: str) -> str:
    """Id of what ``organ`` says to ``doc``, which it is to issue together with others: every node computes the same."""
    return str(uuid.uuid5(_PARTY, f"{doc}\0{organ}"))


def agreed(envelope: Envelope) -> Envelope:
    """An envelope as the organs that issue it jointly countersign and seal it: before it has a number, a signer and a date."""
    bare = {"number": "", "signer": "", "signed_on": "", "acted": "", "seal": None, "issue": 1, "seals": (), "issuers": ()}
    return msgspec.structs.replace(envelope, **bare)


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
