"""The signed kinds of documents: what an organ does inside, the envelope that leaves it, and the receipts that come back.

Acts inside the drafting organ go to ``SELF`` and name the act before in ``after``. The envelope goes to the home nodes of
its recipients. Receipts go back to the home node of the document and name only what that node has: the envelope and the
receipt before; the receiving organ's inner acts stay at home.
"""

from __future__ import annotations

import datetime as dt

from node.kinds import Content, kind
from office.documents.papers import ANNEXES as ANNEXES
from office.documents.papers import REASON as REASON
from office.documents.papers import RECIPIENTS as RECIPIENTS
from office.documents.papers import TEXT as TEXT
from office.documents.papers import TITLE as TITLE
from office.documents.papers import WORDS as WORDS
from office.documents.papers import Annex as Annex
from office.documents.papers import Cited as Cited
from office.documents.papers import Envelope as Envelope
from office.documents.papers import Label as Label
from office.documents.papers import Mark as Mark
from office.documents.papers import Paper as Paper
from office.documents.papers import Recipient as Recipient
from office.documents.papers import Role as Role
from office.documents.papers import Urgency as Urgency
from office.documents.papers import incoming_id as incoming_id
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
