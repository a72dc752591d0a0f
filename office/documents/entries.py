"""The signed kinds of documents: what an organ does inside, the envelope that leaves it, and the receipts that come back.

Acts inside the drafting organ go to ``SELF`` and name the act before in ``after``. The envelope goes to the home nodes of
its recipients. Receipts go back to the home node of the document and name only what that node has: the envelope and the
receipt before; the receiving organ's inner acts stay at home.
"""

from __future__ import annotations

import datetime as dt

from node.codec import Hash, Natural
from node.kinds import Content, kind
from office.documents.intake import Answered as Answered
from office.documents.intake import Assigned as Assigned
from office.documents.intake import Brought as Brought
from office.documents.intake import Circulated as Circulated
from office.documents.intake import Closed as Closed
from office.documents.intake import Entrusted as Entrusted
from office.documents.intake import Examined as Examined
from office.documents.intake import ExtensionAsked as ExtensionAsked
from office.documents.intake import Instructed as Instructed
from office.documents.intake import Linked as Linked
from office.documents.intake import PaperArrived as PaperArrived
from office.documents.intake import Proposed as Proposed
from office.documents.intake import Read as Read
from office.documents.intake import RecallConfirmed as RecallConfirmed
from office.documents.intake import Registered as Registered
from office.documents.intake import Seen as Seen
from office.documents.intake import SentBack as SentBack
from office.documents.intake import SignedFor as SignedFor
from office.documents.intake import Supervised as Supervised
from office.documents.intake import UrgeAnswered as UrgeAnswered
from office.documents.joining import CONSENTS as CONSENTS
from office.documents.joining import ConsentAsked as ConsentAsked
from office.documents.joining import Consented as Consented
from office.documents.joining import ConsentRefused as ConsentRefused
from office.documents.joining import ConsentSealed as ConsentSealed
from office.documents.joining import ConsentUrged as ConsentUrged
from office.documents.papers import ANNEXES as ANNEXES
from office.documents.papers import JOINT as JOINT
from office.documents.papers import REASON as REASON
from office.documents.papers import RECIPIENTS as RECIPIENTS
from office.documents.papers import TEXT as TEXT
from office.documents.papers import TITLE as TITLE
from office.documents.papers import WORDS as WORDS
from office.documents.papers import Annex as Annex
from office.documents.papers import Change as Change
from office.documents.papers import Cited as Cited
from office.documents.papers import Effect as Effect
from office.documents.papers import Envelope as Envelope
from office.documents.papers import Issuer as Issuer
from office.documents.papers import Label as Label
from office.documents.papers import Mark as Mark
from office.documents.papers import Openness as Openness
from office.documents.papers import Paper as Paper
from office.documents.papers import Recipient as Recipient
from office.documents.papers import Role as Role
from office.documents.papers import Urgency as Urgency
from office.documents.papers import agreed as agreed
from office.documents.papers import incoming_id as incoming_id
from office.documents.papers import party_id as party_id
from office.documents.papers import rendering as rendering
from office.documents.papers import rendering_digest as rendering_digest
from office.documents.papers import seal_signed as seal_signed


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
    "The signer's; under a delegation (代签) the principal's."
    principal: str = ""
    "Person id of the principal when somebody else signed under a delegation; empty otherwise."
    delegation: str = ""
    "Id of the delegation."
    basis: str = ""
    "What the delegation rests on, as it says."


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


@kind("documents.printed")
class Printed(Content, frozen=True):
    """正本: the document as PDF with the signature of the organ's seal inside, made by whoever keeps the seal; goes where the document went."""

    doc: str
    digest: Hash
    "Of the text that the seal stands under; an original of another issue is out of date."
    original: Annex


@kind("documents.dispatched")
class Dispatched(Content, frozen=True):
    """The document leaves the organ."""

    envelope: Envelope

    def speaks_for(self) -> tuple[str, ...]:
        """The issuing organ."""
        return (self.envelope.paper.organ,)


@kind("documents.corrected")
class Corrected(Content, frozen=True):
    """The document leaves the organ once more under the same number, with a note on what was wrong."""

    envelope: Envelope
    note: str

    def speaks_for(self) -> tuple[str, ...]:
        """The issuing organ."""
        return (self.envelope.paper.organ,)


@kind("documents.recalled")
class Recalled(Content, frozen=True):
    """The issuer takes it back: at once where nobody signed for it, elsewhere as a request."""

    doc: str
    reason: str


@kind("documents.voided")
class Voided(Content, frozen=True):
    """The document counts for nothing; its number stays used and is explained by the reason."""

    reason: str


@kind("documents.correction_proposed")
class CorrectionProposed(Content, frozen=True):
    """A corrected text is ready; whoever keeps the seal looks at it, seals it and sends it."""

    paper: Paper
    note: str


@kind("documents.correction_dropped")
class CorrectionDropped(Content, frozen=True):
    """The corrected text is not sent after all."""

    reason: str


@kind("documents.resent")
class Resent(Content, frozen=True):
    """补发: organs that were forgotten get the very document that the others have."""

    envelope: Envelope
    extra: tuple[Recipient, ...]
    reason: str


@kind("documents.lapsed")
class Lapsed(Content, frozen=True):
    """The document was amended, repealed, revoked or has expired; every holder of a copy is told."""

    doc: str
    change: str
    "One of :class:`Change`."
    by: str
    "Id of the document that did it, or empty."
    number: str
    title: str
    "Number and title of that document."
    on: str
    "ISO date from which it counts."
    reason: str


@kind("documents.urged")
class Urged(Content, frozen=True):
    """催办: a recipient is urged by the issuer, or a person by the organ's own registry."""

    doc: str
    organ: str
    "The organ that got the document."
    person: str
    "Who is urged inside the organ; empty when the issuer urges the organ."
    step: Natural
    "1 to 3; after the third comes supervision."
    channel: str
    "One of :data:`office.documents.workflow.CHANNELS`."
    words: str


@kind("documents.extension_decided")
class ExtensionDecided(Content, frozen=True):
    """The issuer grants a later term, or does not."""

    doc: str
    organ: str
    asked: bytes
    "Statement id of what was asked."
    granted: bool
    until: Natural
    "The new term; 0 when not granted."
    words: str


RECEIPTS = {
    "documents.signed_for": "R2",
    "documents.sent_back": "R2x",
    "documents.read": "R3",
    "documents.answered": "R4",
    "documents.recall_confirmed": "R5",
}
"Kind of an entry to the receipt it is."
REPLIES = {"documents.urge_answered": "urge", "documents.extension_asked": "extension", **dict.fromkeys(CONSENTS, "consent")}
"What else goes back to the issuer."
TOLD = (
    "documents.corrected",
    "documents.recalled",
    "documents.urged",
    "documents.extension_decided",
    "documents.lapsed",
    "documents.resent",
    "documents.printed",
)
"Acts of the issuer that its recipients see in their account."
SHARED = ("documents.consent_asked", "documents.consent_urged", "documents.dispatched", *TOLD, *CONSENTS)
"Acts that the organs which issue a document jointly see in their account."
