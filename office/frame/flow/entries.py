"""The signed acts on a matter, and the templates they are done under. Any room may fold them into its own tables.

An act names the matter by its record and, where it is about one, the *seat* it was done in. Whoever wrote it was entitled
then: the desk asked :mod:`office.frame.flow.offers`. What it does to the matter is in :mod:`office.frame.flow.course`. Every act names the
one before it in ``after``. Several acts may be done together with a room's own.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from node.codec import Hash, HashOrNone, Natural, Value
from node.kinds import Content, kind
from office.frame.flow.template import Fact, How, Template

TEXT, REASON = 2_000, 500
"Most characters of an opinion, and of a reason."


class Opinion(StrEnum):
    """What a countersigner says. There is no fourth: silence is not consent."""

    AGREE = "agree"
    CHANGE = "change"
    DISAGREE = "disagree"


class Others(StrEnum):
    """What becomes of those who have the matter at the same time when one of them returns it."""

    SUSPEND = "suspend"
    "They wait, keep what they have said, and go on when it comes back."
    CANCEL = "cancel"
    "They are done; when it comes back everybody is asked again."


class Holder(Value, frozen=True):
    """Who may do a step: a person, the holder of a post, of a role in an organ, or whoever works in an organ."""

    how: str
    id: str
    organ: str = ""
    "Of a role: the organ."

    @classmethod
    def person(cls, id: str) -> Holder:
        """One person."""
        return cls(How.PERSON, id)


class Item(Value, frozen=True):
    """One part of a step that was split."""

    about: str
    holder: Holder
    lead: bool = False


class Inner(Content, frozen=True):
    """Base of what a node says to itself about its flows; another node's flows change nothing here."""

    inner: ClassVar[bool] = True


class Act(Inner, frozen=True):
    """Base of everything that happens to a matter."""


@kind("flow.published")
class Published(Inner, frozen=True):
    """A version of a template is in use from now on for what it is for."""

    template: Template
    note: str = ""
    "What changed."


@kind("flow.retired")
class Retired(Inner, frozen=True):
    """A template is used for nothing new; matters that run under it go on."""

    template: str
    "Its id."
    reason: str


@kind("flow.started")
class Started(Act, frozen=True):
    """A matter begins in a room, under a template."""

    room: str
    organ: str
    template: Hash
    title: str = ""
    facts: dict[str, Fact] = {}
    parts: dict[str, tuple[Holder, ...]] = {}


@kind("flow.opened")
class Opened(Act, frozen=True):
    """A holder has opened it; from now on it cannot be recalled silently."""

    seat: str


@kind("flow.passed")
class Passed(Act, frozen=True):
    """A step is done and goes on."""

    seat: str
    text: str = ""
    facts: dict[str, Fact] = {}
    parts: dict[str, tuple[Holder, ...]] = {}
    "Holders of later steps that this one names."


@kind("flow.countersigned")
class Countersigned(Act, frozen=True):
    """会签: a unit says what it thinks."""

    seat: str
    opinion: Opinion
    text: str = ""


@kind("flow.settled")
class Settled(Act, frozen=True):
    """The lead's superior decides what countersigners did not agree on."""

    seat: str
    text: str


@kind("flow.signed_for")
class SignedFor(Act, frozen=True):
    """代签: somebody signs in another's place by a delegation in force, and is shown so."""

    seat: str
    principal: str
    "Person in whose place it was signed."
    delegation: str
    "Id of the delegation in the directory."
    text: str = ""
    opinion: str = ""
    "Of a countersign."


@kind("flow.transcribed")
class Transcribed(Act, frozen=True):
    """代录: a clerk enters what a leader wrote by hand; the leader is not shown as having signed in."""

    seat: str
    leader: str
    text: str
    scan: Hash
    "SHA-256 of the scanned page."
    opinion: str = ""


@kind("flow.returned")
class Returned(Act, frozen=True):
    """退回: back to the drafter, the step before, or any earlier one."""

    seat: str
    to: str
    "``drafter``, ``previous`` or the id of a step."
    reason: str
    others: Others = Others.SUSPEND


@kind("flow.recalled")
class Recalled(Act, frozen=True):
    """撤回: the sender takes it back before the next has opened it."""

    seat: str
    "The seat that was done."
    reason: str = ""


@kind("flow.urged")
class Urged(Act, frozen=True):
    """催办: three times at most, then supervision."""

    seat: str
    channel: str
    "screen, phone, message or paper."
    text: str = ""


@kind("flow.urge_answered")
class UrgeAnswered(Act, frozen=True):
    """What the urged one says."""

    seat: str
    text: str


@kind("flow.supervised")
class Supervised(Act, frozen=True):
    """督办: urging has not helped."""

    seat: str
    item: str = ""
    "Record of the supervision item, where there is one."


@kind("flow.forwarded")
class Forwarded(Act, frozen=True):
    """转办: somebody else answers for it from now on."""

    seat: str
    "A seat, or an item of one."
    to: Holder
    reason: str


@kind("flow.assigned")
class Assigned(Act, frozen=True):
    """交办: a subordinate does it, with assistants; whoever assigned it stays answerable."""

    seat: str
    lead: Holder
    assistants: tuple[Holder, ...] = ()
    text: str = ""


@kind("flow.split")
class Split(Act, frozen=True):
    """分办: several do parts of it, one of them leads; the whole closes only when the lead has closed."""

    seat: str
    items: tuple[Item, ...]


@kind("flow.item_closed")
class ItemClosed(Act, frozen=True):
    """A part of a split step is done."""

    seat: str
    "Id of the item."
    text: str


@kind("flow.signer_added")
class SignerAdded(Act, frozen=True):
    """加签."""

    seat: str
    holder: Holder
    reason: str = ""


@kind("flow.signer_dropped")
class SignerDropped(Act, frozen=True):
    """减签: never the last one."""

    seat: str
    reason: str


@kind("flow.circulated")
class Circulated(Act, frozen=True):
    """传阅、知会: to be read, by all at once or one after the other."""

    readers: tuple[Holder, ...]
    serial: bool = False


@kind("flow.read")
class Read(Act, frozen=True):
    """Somebody to whom it was circulated has read it."""

    reader: Natural
    "Place in the list of readers."
    text: str = ""


@kind("flow.supplement_asked")
class SupplementAsked(Act, frozen=True):
    """补正: something is missing; the clocks that the rules let it stop stand still."""

    seat: str
    text: str
    cause: str = ""
    stops: tuple[str, ...] = ()
    "Rule ids of the clocks that stand still."


@kind("flow.supplemented")
class Supplemented(Act, frozen=True):
    """What was missing has come."""

    text: str = ""
    restarts: tuple[str, ...] = ()
    "Rule ids of clocks that begin anew."


@kind("flow.extension_asked")
class ExtensionAsked(Act, frozen=True):
    """Somebody asks for more time, before it is over."""

    seat: str
    rule: str
    by: str
    reason: str


@kind("flow.extended")
class Extended(Act, frozen=True):
    """延期: granted or refused by the part that the rule names, and the outside party told."""

    rule: str
    by: str
    approver: str
    reason: str
    granted: bool = True
    told: bool = False


@kind("flow.merged")
class Merged(Act, frozen=True):
    """合并: goes on in another matter, which answers for both."""

    into: str
    reason: str
    duplicate: bool = False
    "重复件: counted once in workload and each time in demand."


@kind("flow.suspended")
class Suspended(Act, frozen=True):
    """挂起: with a legal reason."""

    reason: str
    cause: str = ""
    stops: tuple[str, ...] = ()


@kind("flow.resumed")
class Resumed(Act, frozen=True):
    """恢复."""

    text: str = ""


@kind("flow.voided")
class Voided(Act, frozen=True):
    """作废: a number once given stays used."""

    reason: str


@kind("flow.jumped")
class Jumped(Act, frozen=True):
    """自由流: straight to a step of the template; whoever has it now is done."""

    to: str
    reason: str
    holder: Holder | None = None
    "Who is to do the step instead of whom the template names."


@kind("flow.migrated")
class Migrated(Act, frozen=True):
    """The matter goes on under another template; seats move to other steps."""

    template: Hash
    steps: dict[str, str]
    "Former step to present one, where they differ; a step that is gone must be here."
    reason: str
    undoes: HashOrNone = b""
    "Statement id of the migration that this one takes back."


ACTS: dict[str, type[Act]] = {
    "start": Started,
    "open": Opened,
    "pass": Passed,
    "countersign": Countersigned,
    "settle": Settled,
    "sign_for": SignedFor,
    "transcribe": Transcribed,
    "return": Returned,
    "recall": Recalled,
    "urge": Urged,
    "answer_urge": UrgeAnswered,
    "supervise": Supervised,
    "forward": Forwarded,
    "assign": Assigned,
    "split": Split,
    "close_item": ItemClosed,
    "add_signer": SignerAdded,
    "drop_signer": SignerDropped,
    "circulate": Circulated,
    "read": Read,
    "ask_supplement": SupplementAsked,
    "supplement": Supplemented,
    "ask_extension": ExtensionAsked,
    "extend": Extended,
    "merge": Merged,
    "suspend": Suspended,
    "resume": Resumed,
    "void": Voided,
    "jump": Jumped,
    "migrate": Migrated,
}
"What may be done to a matter, by the name on buttons and in addresses."
NAMES: dict[type[Act], str] = {cls: name for name, cls in ACTS.items()}
