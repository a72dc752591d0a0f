"""What people do with documents: from the first draft to dispatch, from signing for to closing.

A verb reads through the desk (so only what the person may see), asks the move table, and writes. Numbers are given under
the version of their series: two hands at once, a kill, a restore never give one twice and leave none out.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from node import keys, persons
from node.client import Written
from node.codec import uuid7
from node.entry import Attachment, Lane
from node.errors import Conflict, Invalid, Refused, TooLarge
from node.kinds import Content
from office.documents import entries as said
from office.documents import model, workflow
from office.documents.entries import Annex, Envelope, Mark, Paper, Urgency
from office.documents.model import Counter, Document, Hand, Incoming, Letter
from office.documents.rights import acting_post, parts_in, parts_of, roles, staff
from office.documents.routing import acting, findings, organ_of, recipients, refuse
from office.documents.workflow import INCOMING, OUTGOING, SIGNER, Standing
from office.frame.desk import Desk, Wish
from office.frame.words import _

M = TypeVar("M")


TRIES = 6
"How often a number is asked for again when somebody else took it in between."


def draft(desk: Desk, paper: Paper, *, doc: str = "") -> str:
    """Begin a document of an organ one acts for; the id is the client's or a new one."""
    doc = _fresh(doc)
    acting(desk, paper.organ)
    refuse(desk, workflow.shape(paper))
    desk.expect(doc, 0)
    desk.write(said.Drafted(paper), record=doc, post=acting_post(desk, paper.organ), attachments=_stored(paper.annexes))
    return doc


def revise(desk: Desk, doc: str, paper: Paper) -> None:
    """Replace what a draft says; its organ stays."""
    document = _step(desk, doc, "revise")
    refuse(desk, workflow.shape(paper))
    if paper.organ != document.organ:
        raise Refused(_("公文的发文机关不能改，请另拟一件。"), code="organ_fixed")
    if paper != document.paper:
        desk.write(
            said.Revised(paper), record=doc, post=acting_post(desk, document.organ), after=(document.last,), attachments=_stored(paper.annexes)
        )


def submit(desk: Desk, doc: str, *, note: str = "") -> None:
    """Put a draft before the reviewers; what the rules refuse does not get that far."""
    document = _step(desk, doc, "submit")
    refuse(desk, findings(desk, document.paper))
    desk.write(said.Submitted(_words(note)), record=doc, post=acting_post(desk, document.organ), after=(document.last,))


def give_back(desk: Desk, doc: str, *, reason: str) -> None:
    """Return a document to its drafter."""
    document = _step(desk, doc, "return")
    desk.write(said.Returned(_reason(reason)), record=doc, post=acting_post(desk, document.organ), after=(document.last,))


def review(desk: Desk, doc: str, *, opinion: str = "") -> None:
    """Find a document fit for the signer."""
    document = _step(desk, doc, "review")
    desk.write(said.Reviewed(_words(opinion)), record=doc, post=acting_post(desk, document.organ), after=(document.last,))


def sign(desk: Desk, doc: str, *, opinion: str = "", on: dt.date | None = None) -> None:
    """Sign for issue; the day becomes the document's date."""
    document = _step(desk, doc, "sign")
    refuse(desk, findings(desk, document.paper))
    desk.write(_signed(desk, opinion, on), record=doc, post=acting_post(desk, document.organ), after=(document.last,))


def number(desk: Desk, doc: str, *, prefix: str) -> str:
    """Give a signed document the next number of a series of its organ."""

    def once() -> str:
        document = _step(desk, doc, "number")
        given = _next(desk, document.organ, prefix)
        desk.write(
            given, record=doc, post=acting_post(desk, document.organ), after=(document.last,), touches=(model.series_name(prefix, given.year),)
        )
        return given.text

    return _again(once)


def seal(desk: Desk, doc: str) -> None:
    """Put the organ's seal under a document; the desk's person must keep it."""
    document = _step(desk, doc, "seal")
    desk.write(said.Sealed(_mark(desk, envelope(desk, document))), record=doc, post=acting_post(desk, document.organ), after=(document.last,))


def dispatch(desk: Desk, doc: str) -> None:
    """Send a document to its recipients."""
    document = _step(desk, doc, "dispatch")
    sent = envelope(desk, document)
    refuse(desk, findings(desk, document.paper))
    if sent.seal is not None and sent.seal.digest != said.rendering_digest(sent):
        raise Conflict(_("用印以后收文名单有变化，请重新用印。"), code="seal_stale")
    desk.write(said.Dispatched(sent), record=doc, post=acting_post(desk, document.organ), **_way(desk, sent))


def recall(desk: Desk, doc: str, *, reason: str) -> None:
    """Take a document back: at once where nobody signed for it, as a request elsewhere."""
    _step(desk, doc, "recall")
    letter = desk.get(Letter, doc)
    to = _way(desk, letter.envelope)["to"]
    desk.write(said.Recalled(doc, _reason(reason)), record=doc, post=acting_post(desk, letter.organ), after=(letter.said,), to=to, lane=Lane.URGENT)


def correct(desk: Desk, doc: str, paper: Paper, *, note: str) -> None:
    """Send a corrected text under the same number and date to the same organs and any that were forgotten."""
    document = _step(desk, doc, "correct")
    former = desk.get(Letter, doc).envelope
    refuse(desk, findings(desk, paper))
    if not set(former.paper.to) <= set(paper.to) or paper.organ != document.organ:
        raise Refused(_("更正件的主送机关只能增加。"), code="recipients_fixed")
    bare = msgspec.structs.replace(former, paper=paper, recipients=recipients(desk, paper), issue=former.issue + 1, seal=None)
    sent = msgspec.structs.replace(bare, seal=_mark(desk, bare)) if former.seal is not None else bare
    desk.write(said.Corrected(sent, _reason(note)), record=doc, post=acting_post(desk, document.organ), **_way(desk, sent))


def void(desk: Desk, doc: str, *, reason: str) -> None:
    """Let a document count for nothing; a number it has stays used and is explained."""
    document = _step(desk, doc, "void")
    desk.write(said.Voided(_reason(reason)), record=doc, post=acting_post(desk, document.organ), after=(document.last,))


def issue(desk: Desk, doc: str, *, prefix: str = "") -> str:
    """Number, seal (where this person keeps the seal) and dispatch a signed document, all or nothing."""

    def once() -> str:
        document = _step(desk, doc, "dispatch")
        parts = _Parts(desk, document.id, document.organ, document.last)
        given = document.number
        if prefix and not given:
            _step(desk, doc, "number")
            given = parts.number(document.organ, prefix)
        signed_on = dt.date.fromisoformat(document.signed_on)
        parts.leave(document.paper, given, document.signer, signed_on, document.mark)
        desk.together(parts.acts)
        return given

    return _again(once)


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What a one-step issue came to."""

    doc: str
    ref: str
    number: str
    recipients: int
    repeated: bool
    "The same was asked before and this is the same answer."


def send(desk: Desk, paper: Paper, *, doc: str = "", prefix: str = "", opinion: str = "") -> Sent:
    """Issue a document in one step, for those who may sign for its organ: draft, sign, number, seal and dispatch, all or nothing.

    Asking again with the same id and content is answered as before; with other content it is a conflict.
    """
    doc = _fresh(doc)
    for earlier in desk.list(Document, Document.id == doc):
        return _repeated(desk, earlier, paper)

    def once() -> Sent:
        acting(desk, paper.organ)
        if SIGNER not in roles(desk, paper.organ):
            raise Refused(_("直接发文需要本机关的签发权。"), code="not_signer")
        refuse(desk, findings(desk, paper))
        desk.expect(doc, 0)
        parts = _Parts(desk, doc, paper.organ, b"")
        parts.add(said.Drafted(paper), attachments=_stored(paper.annexes))
        signed = _signed(desk, opinion, None)
        parts.add(signed)
        given = parts.number(paper.organ, prefix) if prefix else ""
        sent = parts.leave(paper, given, signed.name, signed.on, None)
        written = desk.together(parts.acts)
        return Sent(doc=doc, ref=_ref(written[-1]), number=given, recipients=len(sent.recipients), repeated=False)

    return _again(once)


def sign_for(desk: Desk, incoming: str, *, key: str = "") -> None:
    """R2: sign for a document in one's own name; the first of an organ to do so stands."""
    found = _move(desk, incoming, "sign_for")
    desk.together([_receipt(desk, found, said.SignedFor(found.doc, found.organ, desk.name, key))])


def register(desk: Desk, incoming: str, *, to_handle: bool = True) -> str:
    """Enter a document in the organ's register of the year."""

    def once() -> str:
        found = _move(desk, incoming, "register")
        organ, year = organ_of(desk, found.organ), workflow.day(desk.now).year
        name = model.register_name(organ.id, year)
        count = _count(desk, name) + 1
        text = workflow.register_text(year, organ.short_name, count)
        desk.together([_inner(desk, found, said.Registered(found.doc, found.organ, year, count, text, to_handle), touches=(name,))])
        return text

    return _again(once)


def assign(desk: Desk, incoming: str, *, lead: str = "", assistants: Sequence[str] = (), readers: Sequence[str] = (), opinion: str = "") -> None:
    """Give it to somebody to handle, or to some to read; all must work in the organ or an office that serves it."""
    found = _move(desk, incoming, "assign")
    helpers = tuple(dict.fromkeys(p for p in assistants if p and p != lead))
    reading = tuple(dict.fromkeys(p for p in readers if p and p != lead and p not in helpers))
    if not (lead or reading):
        raise Invalid(_("请选择承办人或者阅知人。"), code="nobody")
    if helpers and not lead:
        raise Invalid(_("有协办人就要有一名承办人。"), code="no_lead")
    known = {person.id for person in staff(desk, found.organ)}
    if not {p for p in (lead, *helpers, *reading) if p} <= known:
        raise Invalid(_("所选人员不在本机关。"), code="not_staff")
    desk.together([_inner(desk, found, said.Assigned(found.doc, found.organ, lead, helpers, reading, _words(opinion)))])


def read(desk: Desk, incoming: str, *, key: str = "") -> None:
    """R3: say that one has read it."""
    found = _move(desk, incoming, "read")
    mine = desk.list(Hand, Hand.incoming == found.id, Hand.person == desk.person)
    if not any(hand.read_at for hand in mine):
        desk.together([_receipt(desk, found, said.Read(found.doc, found.organ, desk.name, key))])


def answer(desk: Desk, incoming: str, *, text: str, annexes: tuple[Annex, ...] = (), close_too: bool = False, key: str = "") -> None:
    """R4: tell the issuer what came of it; optionally close it in the same step."""
    found = _move(desk, incoming, "answer")
    if not text.strip() and not annexes:
        raise Invalid(_("请填写办理情况。"), code="text_missing")
    content = said.Answered(found.doc, found.organ, desk.name, _words(text), annexes, key)
    if not close_too:
        desk.together([_receipt(desk, found, content)])
        return
    reply = _receipt(desk, found, content)
    desk.together([reply, _inner(desk, found, said.Closed(found.doc, found.organ, ""), reply.id)])


def send_back(desk: Desk, incoming: str, *, reason: str, words: str, key: str = "") -> None:
    """R2x: send the document back to its issuer, with a reason of the list and in words."""
    found = _move(desk, incoming, "send_back")
    if reason not in workflow.RETURN_REASONS:
        raise Invalid(_("请选择退文原因。"), code="reason")
    desk.together([_receipt(desk, found, said.SentBack(found.doc, found.organ, desk.name, reason, _reason(words), key))])


def close(desk: Desk, incoming: str, *, note: str = "") -> None:
    """Be done with a document."""
    found = _move(desk, incoming, "close")
    if found.reply_required and not found.answered_at:
        raise Refused(_("来文要求答复，请先填写办理情况再办结。"), code="answer_first")
    desk.together([_inner(desk, found, said.Closed(found.doc, found.organ, _words(note)))])


def confirm_recall(desk: Desk, incoming: str, *, key: str = "") -> None:
    """R5: let a document go that one had signed for."""
    found = _move(desk, incoming, "confirm_recall")
    desk.together([_receipt(desk, found, said.RecallConfirmed(found.doc, found.organ, desk.name, False, key))])


def envelope(desk: Desk, document: Document) -> Envelope:
    """The envelope as it would leave now."""
    return _envelope(desk, document.paper, document.number, document.signer, document.signed_on, document.mark)


def preview(desk: Desk, paper: Paper) -> Envelope:
    """How a paper would look if it left now; nothing is kept."""
    return _envelope(desk, paper, "", "", "", None)


class _Parts:
    """Several acts on one document that are written together, each naming the one before."""

    def __init__(self, desk: Desk, doc: str, organ: str, last: bytes) -> None:
        self.desk, self.doc, self.post, self.last = desk, doc, acting_post(desk, organ), last
        self.acts: list[Wish] = []

    def add(self, content: Content, **where: Any) -> None:
        """One more inner act."""
        wish = self.desk.wish(content, record=self.doc, post=self.post, after=(self.last,), **where)
        self.acts.append(wish)
        self.last = wish.id

    def number(self, organ: str, prefix: str) -> str:
        """Number it."""
        given = _next(self.desk, organ, prefix)
        self.add(given, touches=(model.series_name(prefix, given.year),))
        return given.text

    def leave(self, paper: Paper, number: str, signer: str, signed_on: dt.date, mark: Mark | None) -> Envelope:
        """Seal it, if that is still to do and this person keeps the seal, and dispatch it."""
        sent = _envelope(self.desk, paper, number, signer, signed_on.isoformat(), mark)
        if mark is None and paper.kind not in workflow.UNSEALED and _keeps(self.desk, paper.organ):
            sent = msgspec.structs.replace(sent, seal=_mark(self.desk, sent))
            self.add(said.Sealed(sent.seal))
        if mark is not None and mark.digest != said.rendering_digest(sent):
            raise Conflict(_("用印以后收文名单有变化，请重新用印。"), code="seal_stale")
        self.acts.append(self.desk.wish(said.Dispatched(sent), record=self.doc, post=self.post, **_way(self.desk, sent)))
        return sent


def _fresh(doc: str) -> str:
    try:
        return str(uuid.UUID(doc)) if doc else uuid7()
    except ValueError:
        raise Invalid(_("公文编号应为 UUID。"), code="malformed") from None


def _step(desk: Desk, doc: str, move: str) -> Document:
    document = desk.get(Document, doc)
    OUTGOING.step(document.state, move, parts_in(desk, document))
    return document


def _move(desk: Desk, incoming: str, move: str) -> Incoming:
    found = desk.get(Incoming, incoming)
    if move == "sign_for" and found.signed_at and found.state == Standing.SIGNED_IN:
        raise Conflict(_("已由{name}签收。").format(name=found.signed_by), code="signed_already")
    INCOMING.step(found.state, move, parts_of(desk, found))
    return found


def _words(text: str) -> str:
    if len(text) > said.WORDS:
        raise TooLarge(_("意见不能超过 {n} 字。").format(n=said.WORDS))
    return text.strip()


def _reason(text: str) -> str:
    if not text.strip():
        raise Invalid(_("请写明原因。"), code="reason")
    if len(text) > said.REASON:
        raise TooLarge(_("原因不能超过 {n} 字。").format(n=said.REASON))
    return text.strip()


def _signed(desk: Desk, opinion: str, on: dt.date | None) -> said.Signed:
    today = workflow.day(desk.now)
    if on is not None and on > today:
        raise Invalid(_("成文日期不能晚于今天。"), code="future")
    return said.Signed(_words(opinion) or "同意。", on or today, desk.name)


def _count(desk: Desk, name: str) -> int:
    """How far a series has got, relied on: whoever takes the next number in between makes the write a conflict."""
    desk.version(name)
    return next((counter.last for counter in desk.list(Counter, Counter.name == name)), 0)


def _next(desk: Desk, organ: str, prefix: str) -> said.Numbered:
    if prefix not in organ_of(desk, organ).doc_prefixes:
        raise Invalid(_("机关代字“{prefix}”不是本机关的。").format(prefix=prefix[:40]), code="prefix")
    year = workflow.day(desk.now).year
    count = _count(desk, model.series_name(prefix, year)) + 1
    return said.Numbered(prefix, year, count, workflow.number_text(prefix, year, count))


def _again(act: Callable[[], M]) -> M:
    """Do an act again when only the number it was about to take has gone meanwhile."""
    for _turn in range(TRIES - 1):
        try:
            return act()
        except Conflict as e:
            if e.code != "conflict":
                raise
    return act()


def _keeps(desk: Desk, organ: str) -> bool:
    return any(desk.person in persons.keepers_of(desk.settings, seal.id) for seal in desk.directory.seals_of(organ))


def _mark(desk: Desk, bare: Envelope) -> Mark:
    """The organ's seal over an envelope, by the newest seal that this person keeps."""
    for found in reversed(desk.directory.seals_of(bare.paper.organ)):
        if desk.person in persons.keepers_of(desk.settings, found.id):
            key, fingerprint = persons.open_seal_key(desk.settings, found.id, desk.door)
            rendered = said.rendering_digest(bare)
            return Mark(found.id, fingerprint, rendered, keys.sign(key, said.seal_signed(rendered)))
    raise Refused(_("您不保管本机关的印章。"), code="not_keeper")


def _envelope(desk: Desk, paper: Paper, number: str, signer: str, signed_on: str, mark: Mark | None) -> Envelope:
    issuer = organ_of(desk, paper.organ)
    return Envelope(paper, number, issuer.full_name, signer, signed_on, recipients(desk, paper), mark)


def _way(desk: Desk, sent: Envelope) -> dict[str, Any]:
    """Where an envelope goes and how fast."""
    nodes = {r.node for r in sent.recipients} - {desk.node, ""}
    lane = Lane.ORDINARY if sent.paper.urgency == Urgency.NONE else Lane.URGENT
    return {"to": tuple(sorted(nodes)), "lane": lane, "attachments": _stored(sent.paper.annexes)}


def _repeated(desk: Desk, earlier: Document, paper: Paper) -> Sent:
    same = _bare(earlier.paper) == _bare(paper)
    letters = desk.list(Letter, Letter.id == earlier.id)
    if not same or not letters:
        raise Conflict(_("这个编号已用于另一件公文。"), code="key_reused")
    count = len(letters[0].envelope.recipients)
    return Sent(doc=earlier.id, ref=letters[0].place, number=earlier.number, recipients=count, repeated=True)


def _bare(paper: Paper) -> Paper:
    """A paper without the random keys of its files, and without the moment that a rule counted from now has come to."""
    same = tuple(msgspec.structs.replace(a, key=bytes(32), sha=bytes(32), stored=0) for a in paper.annexes)
    return msgspec.structs.replace(paper, annexes=same, due=paper.due if paper.due_rule in ("", "set") else 0)


def _receipt(desk: Desk, found: Incoming, content: Content) -> Wish:
    after = (found.said, found.receipt)
    lane = Lane.ORDINARY if found.urgency == Urgency.NONE else Lane.URGENT
    files = _stored(getattr(content, "annexes", ()))
    return desk.wish(content, record=found.id, after=after, to=(found.home,), lane=lane, attachments=files, post=acting_post(desk, found.organ))


def _inner(desk: Desk, found: Incoming, content: Content, *more: bytes, touches: tuple[str, ...] = ()) -> Wish:
    after = tuple(dict.fromkeys((found.said, found.receipt, found.last, *more)))
    return desk.wish(content, record=found.id, after=after, touches=touches, post=acting_post(desk, found.organ))


def _stored(annexes: Iterable[Annex]) -> tuple[Attachment, ...]:
    return tuple({annex.sha: Attachment(annex.sha, annex.stored) for annex in annexes}.values())


def _ref(written: Written) -> str:
    return written.places[0].ref
