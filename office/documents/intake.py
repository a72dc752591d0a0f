"""The signed kinds of what an organ does with a document that came in: receipts that go back, and acts that stay at home."""

from __future__ import annotations

from typing import ClassVar

from node.codec import Hash, Natural
from node.kinds import Content, kind
from office.documents.papers import Annex, Envelope


@kind("documents.signed_for")
class SignedFor(Content, frozen=True):
    """R2: a named clerk signs for the document."""

    doc: str
    organ: str
    name: str
    key: str = ""
    "What the client called this act, so that asking twice is asking once."
    issue: Natural = 1
    "The issue that is signed for; a corrected one is signed for again."


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
    due: Natural = 0
    "End of the organ's own term (办结时限), milliseconds; 0 for none."
    due_rule: str = ""
    "``set``, or a rule that began then: ``5wd``."


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


@kind("documents.examined")
class Examined(Content, frozen=True):
    """初审 (条例 §24): what the registry found of the four questions; a document that fails is sent back by another act."""

    doc: str
    organ: str
    failed: tuple[str, ...]
    "Of :data:`office.documents.workflow.EXAMINATION`; empty when nothing is wrong."
    opinion: str


@kind("documents.proposed")
class Proposed(Content, frozen=True):
    """拟办: the office proposes to a leader how it should be handled."""

    doc: str
    organ: str
    leader: str
    "Person id, or empty."
    opinion: str


@kind("documents.instructed")
class Instructed(Content, frozen=True):
    """批示: a leader's instruction; entered by the leader, or transcribed (代录) from handwriting with its scan."""

    doc: str
    organ: str
    leader: str
    "Whose instruction it is; when transcribed, not the person who signed this."
    opinion: str
    transcribed: bool = False
    annexes: tuple[Annex, ...] = ()


@kind("documents.circulated")
class Circulated(Content, frozen=True):
    """传阅: it goes round these readers, all at once or one after the other."""

    doc: str
    organ: str
    readers: tuple[str, ...]
    in_turn: bool
    words: str
    due: Natural = 0


@kind("documents.seen")
class Seen(Content, frozen=True):
    """A reader has read it; stays in the organ, because the issuer asked for no receipt of reading."""

    doc: str
    organ: str
    opinion: str = ""


@kind("documents.urge_answered")
class UrgeAnswered(Content, frozen=True):
    """What was answered to being urged; goes to whoever urged."""

    doc: str
    organ: str
    name: str
    urge: bytes
    "Statement id of the urging."
    text: str
    key: str = ""


@kind("documents.extension_asked")
class ExtensionAsked(Content, frozen=True):
    """延期: the organ asks the issuer, before the term is over, for a later one."""

    doc: str
    organ: str
    name: str
    until: Natural
    reason: str
    key: str = ""


@kind("documents.paper_arrived")
class PaperArrived(Content, frozen=True):
    """双套: the paper original has come after the electronic one."""

    doc: str
    organ: str
    copies: Natural
    numbers: str
    "份号, as on the paper."
    place: str
    "Where the paper is kept."


@kind("documents.linked")
class Linked(Content, frozen=True):
    """重复件: it asks the same as another document that the organ has; that one is handled, and its answer serves both."""

    doc: str
    organ: str
    master: str
    "Id of the incoming document that is handled."


@kind("documents.entrusted")
class Entrusted(Content, frozen=True):
    """转办, 分办: other organs are to handle it by a document of their own, one of them in the lead."""

    doc: str
    organ: str
    child: str
    "Id of the document that went to them."
    lead: str
    assistants: tuple[str, ...]


@kind("documents.supervised")
class Supervised(Content, frozen=True):
    """After three urgings in vain the matter is handed to supervision (督办)."""

    doc: str
    organ: str
    "The organ that did not answer, or whose handler did not."
    words: str


@kind("documents.brought")
class Brought(Content, frozen=True):
    """A document came as a package, by disk or mail, from outside the network or past it; it has no home node to which receipts could go."""

    inner: ClassVar[bool] = True
    doc: str
    "An id of its own here: what a package calls itself takes no other document's place."
    organ: str
    name: str
    "Who brought it in."
    envelope: Envelope
    uid: str
    "公文标识, as the package says."
    package: Hash
    "SHA-256 of the package."
    worth: str
    "How far it was checked, one of :class:`office.documents.workflow.Worth`."
    page: Annex
    "The page (PDF) as it came."
