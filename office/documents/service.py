"""What people do with documents: verbs of a desk, questions to a desk, and what the node does by itself.

A verb reads through the desk (so only what the person may see), asks the move table, and writes. Numbers are given under
the version of their series: two hands at once, a kill, a restore never give one twice and leave none out.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, TypeVar

import msgspec
from sqlalchemy import ColumnElement, and_, or_, select

from node import clock, keys, persons
from node.blobs import Blobs
from node.client import Written
from node.codec import uuid7
from node.directory.entries import Organ
from node.entry import Attachment, Lane
from node.errors import Conflict, Invalid, Missing, Refused, TooLarge
from node.kinds import Content, name_of
from office.documents import entries as said
from office.documents import model, workflow
from office.documents.entries import Annex, Cited, Envelope, Label, Mark, Paper, Recipient, Role, Urgency
from office.documents.model import Act, Counter, Delivery, Document, Hand, Incoming, Letter
from office.documents.workflow import CLERK, DRAFTER, HANDLER, INCOMING, KEEPER, OUTGOING, READER, REVIEWER, SIGNER, Finding, Route, Stage, Standing
from office.frame import calendar
from office.frame.desk import Desk, Wish
from office.frame.todo import Column, Todo
from office.frame.words import _

M = TypeVar("M")
TRIES = 6
"How often a number is asked for again when somebody else took it in between."


# ---------------------------------------------------------------------------------------------------------------- outgoing


def draft(desk: Desk, paper: Paper, *, doc: str = "") -> str:
    """Begin a document of an organ one acts for; the id is the client's or a new one."""
    doc = _fresh(doc)
    _acting(desk, paper.organ)
    _refuse(desk, workflow.shape(paper))
    desk.expect(doc, 0)
    desk.write(said.Drafted(paper), record=doc, post=_post(desk, paper.organ), attachments=_stored(paper.annexes))
    return doc


def revise(desk: Desk, doc: str, paper: Paper) -> None:
    """Replace what a draft says; its organ stays."""
    document = _step(desk, doc, "revise")
    _refuse(desk, workflow.shape(paper))
    if paper.organ != document.organ:
        raise Refused(_("公文的发文机关不能改，请另拟一件"), code="organ_fixed")
    if paper != document.paper:
        desk.write(said.Revised(paper), record=doc, post=_post(desk, document.organ), after=(document.last,), attachments=_stored(paper.annexes))


def submit(desk: Desk, doc: str, *, note: str = "") -> None:
    """Put a draft before the reviewers; what the rules refuse does not get that far."""
    document = _step(desk, doc, "submit")
    _refuse(desk, findings(desk, document.paper))
    desk.write(said.Submitted(_words(note)), record=doc, post=_post(desk, document.organ), after=(document.last,))


def give_back(desk: Desk, doc: str, *, reason: str) -> None:
    """Return a document to its drafter."""
    document = _step(desk, doc, "return")
    desk.write(said.Returned(_reason(reason)), record=doc, post=_post(desk, document.organ), after=(document.last,))


def review(desk: Desk, doc: str, *, opinion: str = "") -> None:
    """Find a document fit for the signer."""
    document = _step(desk, doc, "review")
    desk.write(said.Reviewed(_words(opinion)), record=doc, post=_post(desk, document.organ), after=(document.last,))


def sign(desk: Desk, doc: str, *, opinion: str = "", on: dt.date | None = None) -> None:
    """Sign for issue; the day becomes the document's date."""
    document = _step(desk, doc, "sign")
    _refuse(desk, findings(desk, document.paper))
    desk.write(_signed(desk, opinion, on), record=doc, post=_post(desk, document.organ), after=(document.last,))


def number(desk: Desk, doc: str, *, prefix: str) -> str:
    """Give a signed document the next number of a series of its organ."""

    def once() -> str:
        document = _step(desk, doc, "number")
        given = _next(desk, document.organ, prefix)
        desk.write(given, record=doc, post=_post(desk, document.organ), after=(document.last,), touches=(model.series_name(prefix, given.year),))
        return given.text

    return _again(once)


def seal(desk: Desk, doc: str) -> None:
    """Put the organ's seal under a document; the desk's person must keep it."""
    document = _step(desk, doc, "seal")
    desk.write(said.Sealed(_mark(desk, envelope(desk, document))), record=doc, post=_post(desk, document.organ), after=(document.last,))


def dispatch(desk: Desk, doc: str) -> None:
    """Send a document to its recipients."""
    document = _step(desk, doc, "dispatch")
    sent = envelope(desk, document)
    _refuse(desk, findings(desk, document.paper))
    if sent.seal is not None and sent.seal.digest != said.rendering_digest(sent):
        raise Conflict(_("用印以后收文名单有变化，请重新用印"), code="seal_stale")
    desk.write(said.Dispatched(sent), record=doc, post=_post(desk, document.organ), **_way(desk, sent))


def recall(desk: Desk, doc: str, *, reason: str) -> None:
    """Take a document back: at once where nobody signed for it, as a request elsewhere."""
    _step(desk, doc, "recall")
    letter = desk.get(Letter, doc)
    to = _way(desk, letter.envelope)["to"]
    desk.write(said.Recalled(doc, _reason(reason)), record=doc, post=_post(desk, letter.organ), after=(letter.said,), to=to, lane=Lane.URGENT)


def correct(desk: Desk, doc: str, paper: Paper, *, note: str) -> None:
    """Send a corrected text under the same number and date to the same organs and any that were forgotten."""
    document = _step(desk, doc, "correct")
    former = desk.get(Letter, doc).envelope
    _refuse(desk, findings(desk, paper))
    if not set(former.paper.to) <= set(paper.to) or paper.organ != document.organ:
        raise Refused(_("更正件的主送机关只能增加"), code="recipients_fixed")
    bare = msgspec.structs.replace(former, paper=paper, recipients=recipients(desk, paper), issue=former.issue + 1, seal=None)
    sent = msgspec.structs.replace(bare, seal=_mark(desk, bare)) if former.seal is not None else bare
    desk.write(said.Corrected(sent, _reason(note)), record=doc, post=_post(desk, document.organ), **_way(desk, sent))


def void(desk: Desk, doc: str, *, reason: str) -> None:
    """Let a document count for nothing; a number it has stays used and is explained."""
    document = _step(desk, doc, "void")
    desk.write(said.Voided(_reason(reason)), record=doc, post=_post(desk, document.organ), after=(document.last,))


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
        _acting(desk, paper.organ)
        if SIGNER not in roles(desk, paper.organ):
            raise Refused(_("直接发文需要本机关的签发权"), code="not_signer")
        _refuse(desk, findings(desk, paper))
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


# ---------------------------------------------------------------------------------------------------------------- incoming


def sign_for(desk: Desk, incoming: str, *, key: str = "") -> None:
    """R2: sign for a document in one's own name; the first of an organ to do so stands."""
    found = _move(desk, incoming, "sign_for")
    desk.together([_receipt(desk, found, said.SignedFor(found.doc, found.organ, desk.name, key))])


def register(desk: Desk, incoming: str, *, to_handle: bool = True) -> str:
    """Enter a document in the organ's register of the year."""

    def once() -> str:
        found = _move(desk, incoming, "register")
        organ, year = _organ(desk, found.organ), workflow.day(desk.now).year
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
        raise Invalid(_("请选择承办人或者阅知人"), code="nobody")
    if helpers and not lead:
        raise Invalid(_("有协办人就要有一名承办人"), code="no_lead")
    known = {person.id for person in staff(desk, found.organ)}
    if not {p for p in (lead, *helpers, *reading) if p} <= known:
        raise Invalid(_("所选人员不在本机关"), code="not_staff")
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
        raise Invalid(_("请填写办理情况"), code="text_missing")
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
        raise Invalid(_("请选择退文原因"), code="reason")
    desk.together([_receipt(desk, found, said.SentBack(found.doc, found.organ, desk.name, reason, _reason(words), key))])


def close(desk: Desk, incoming: str, *, note: str = "") -> None:
    """Be done with a document."""
    found = _move(desk, incoming, "close")
    if found.reply_required and not found.answered_at:
        raise Refused(_("来文要求答复，请先填写办理情况再办结"), code="answer_first")
    desk.together([_inner(desk, found, said.Closed(found.doc, found.organ, _words(note)))])


def confirm_recall(desk: Desk, incoming: str, *, key: str = "") -> None:
    """R5: let a document go that one had signed for."""
    found = _move(desk, incoming, "confirm_recall")
    desk.together([_receipt(desk, found, said.RecallConfirmed(found.doc, found.organ, desk.name, False, key))])


# --------------------------------------------------------------------------------------------------------------- questions


def roles(desk: Desk, organ: str) -> frozenset[str]:
    """The functions a person has in an organ, by posts in it or in an office that serves it."""
    return frozenset(role for post in desk.posts if organ in (post.organ, *post.serves) for role in post.roles)


def parts_in(desk: Desk, document: Document) -> frozenset[str]:
    """Roles in the document's organ, and ``drafter`` for its drafter."""
    return roles(desk, document.organ) | ({DRAFTER} if document.drafter == desk.person else frozenset())


def parts_of(desk: Desk, incoming: Incoming) -> frozenset[str]:
    """Roles in the receiving organ, and ``handler`` or ``reader`` for those it was given to."""
    tasks = {hand.task for hand in desk.list(Hand, Hand.incoming == incoming.id, Hand.person == desk.person)}
    given = {HANDLER if task in ("lead", "assist") else READER for task in tasks if task}
    return roles(desk, incoming.organ) | given


def moves(desk: Desk, document: Document) -> tuple[str, ...]:
    """What the person may do with a document now."""
    return tuple(move.name for move in OUTGOING.offers(document.state, parts_in(desk, document)))


def incoming_moves(desk: Desk, incoming: Incoming) -> tuple[str, ...]:
    """What the person may do with an incoming document now."""
    found = (move.name for move in INCOMING.offers(incoming.state, parts_of(desk, incoming)))
    return tuple(move for move in found if move != "read" or _unread(desk, incoming))


def staff(desk: Desk, organ: str) -> list[Any]:
    """The persons to whom an organ may give something: its own and those of offices that serve it."""
    people = {}
    for post in desk.directory.posts_for(organ):
        for found in desk.directory.people_of(post.organ):
            people[found.person.id] = found.person
    for found in desk.directory.people_of(organ):
        people[found.person.id] = found.person
    return list(people.values())


def issuers(desk: Desk) -> list[Organ]:
    """Organs in whose name the person may draft."""
    return [organ for organ in desk.directory.acts_for(desk.person) if organ.may_issue and organ.node == desk.node]


def recipients(desk: Desk, paper: Paper) -> tuple[Recipient, ...]:
    """Whom a paper reaches: named organs and members of its lists in protocol order, each once, closed organs replaced by their successors."""
    named: dict[str, Recipient] = {}
    for role, organs in ((Role.TO, paper.to), (Role.CC, paper.cc)):
        for id in organs:
            organ = desk.directory.successor(id)
            if organ is None:
                raise Invalid(_("收文机关不存在：{organ}").format(organ=id[:64]), code="no_organ")
            named.setdefault(organ.id, Recipient(organ.id, organ.node, role))
        for cited in paper.lists:
            if cited.role == role:
                for organ in desk.directory.list_members(cited.id):
                    if organ.id != paper.organ:
                        named.setdefault(organ.id, Recipient(organ.id, organ.node, role))
    return tuple(named.values())


def route(desk: Desk, paper: Paper) -> Route:
    """The organs of a paper with those above each, as the rules of routing ask."""
    reached = recipients(desk, paper)
    organs = {r.organ: _organ(desk, r.organ) for r in reached}
    issuer = _organ(desk, paper.organ)
    single = {*paper.to, *paper.cc}
    above = {id: tuple(o.id for o in desk.directory.above(id)) for id in (*organs, issuer.id)}
    to = tuple(organs[r.organ] for r in reached if r.role == Role.TO)
    cc = tuple(organs[r.organ] for r in reached if r.role == Role.CC and (r.organ in single or paper.kind == "request"))
    return Route(issuer=issuer, to=to, cc=cc, above=above)


def findings(desk: Desk, paper: Paper) -> list[Finding]:
    """What the rules say of a paper, refusals first."""
    return workflow.check(paper, route(desk, paper))


def envelope(desk: Desk, document: Document) -> Envelope:
    """The envelope as it would leave now."""
    return _envelope(desk, document.paper, document.number, document.signer, document.signed_on, document.mark)


def reply_paper(desk: Desk, incoming: Incoming) -> Paper:
    """A draft of the answer to an incoming document: 批复 to a request from below, else 函."""
    letter = desk.get(Letter, incoming.doc).envelope
    below = incoming.organ in {organ.id for organ in desk.directory.above(incoming.issuer)}
    reply = incoming.kind == "request" and below
    about = incoming.title.removesuffix("的请示").removesuffix("的函").removesuffix("的报告")
    title = f"{about}的批复" if reply else f"关于《{incoming.title}》的复函"
    text = f"你单位《{incoming.title}》（{incoming.number or letter.signed_on}）收悉。" + ("经研究，现批复如下：" if reply else "现函复如下：")
    return Paper(incoming.organ, "reply" if reply else "letter", title, text, (incoming.issuer,), in_reply_to=incoming.doc)


def forward_paper(desk: Desk, incoming: Incoming) -> Paper:
    """A draft that passes an incoming document on with an own opinion: a new document, its annexes and text enclosed."""
    letter = desk.get(Letter, incoming.doc).envelope
    title = f"关于转发《{incoming.title}》的通知"
    text = f"现将{letter.issuer}《{incoming.title}》（{letter.number or letter.signed_on}）转发给你们，请认真贯彻执行。"
    body = f"{text}\n\n————————\n{letter.paper.text}"
    return Paper(incoming.organ, "notice", title, body, (), label=letter.paper.label, forwards=incoming.doc, annexes=letter.paper.annexes)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One recipient of a document and all that is known of it there; what is not known is said so."""

    organ: str
    name: str
    role: str
    node: str
    node_name: str
    carried: tuple[tuple[str, int], ...] = ()
    "R0: (name of a node on the way, when it held the document first)."
    delivered: int | None = None
    "R1: when the recipient's node held it, milliseconds; None while that has not been heard."
    delivered_place: str = ""
    receipts: dict[str, Act] = field(default_factory=dict)
    "R2, R2x, R3, R4, R5: the first of each."
    also: tuple[Act, ...] = ()
    "Later receipts of the same sort."
    silent: bool = False
    "The recipient's node is not heard now: what happens there is unknown."
    heard: int = 0
    "When it was last heard, milliseconds; 0 for never."

    @property
    def waiting(self) -> bool:
        """Nobody on the way holds it yet."""
        return self.delivered is None and not self.carried


SILENT = 30_000
"Milliseconds after which a node that was not heard counts as cut off."


def matrix(desk: Desk, doc: str) -> list[Row]:
    """Recipients by receipts, in the order of the envelope."""
    desk.get(Document, doc)
    deliveries = desk.list(Delivery, Delivery.doc == doc, order=Delivery.order, limit=said.RECIPIENTS)
    if not deliveries:
        return []
    receipts: dict[str, list[Act]] = {}
    for act in desk.list(Act, Act.doc == doc, Act.receipt != "", order=Act.at, limit=10 * said.RECIPIENTS):
        receipts.setdefault(act.organ, []).append(act)
    trace = _trace(desk, desk.get(Letter, doc))
    return [_row(desk, delivery, receipts.get(delivery.organ, []), trace) for delivery in deliveries]


def timeline(desk: Desk, record: str) -> list[Act]:
    """What happened to a document or an incoming one so far, oldest first."""
    return desk.list(Act, Act.record == record, order=(Act.at, Act.seq), limit=500)


def statements(desk: Desk, doc: str) -> list[tuple[bytes, str]]:
    """(statement id, ref of one place) of a document's envelopes and of every receipt to it that is here, for an evidence file."""
    seen = desk.list(Document, Document.id == doc) or desk.list(Incoming, Incoming.doc == doc)
    if not seen:
        raise Missing()
    letter = desk.get(Letter, doc)
    acts = desk.list(
        Act, Act.doc == doc, Act.kind.in_((*said.RECEIPTS, "documents.dispatched", "documents.corrected", "documents.recalled")), limit=20_000
    )
    known = {act.id: act.place for act in acts}
    return [(letter.said, letter.place), *((id, place) for id, place in known.items() if id != letter.said)]


# ------------------------------------------------------------------------------------------------------------ command line


def inbox(desk: Desk, *, since: int = 0, limit: int = 100) -> list[dict[str, Any]]:
    """What came after a cursor, oldest first, for the organs in which the person may see it."""
    rows = desk.list(Incoming, Incoming.order > since, order=(Incoming.order, Incoming.id), limit=limit)
    letters = {letter.id: letter for letter in desk.list(Letter, Letter.id.in_([row.doc for row in rows]), limit=limit)}
    return [_brief(row, letters[row.doc]) for row in rows]


def doc_get(desk: Desk, doc: str) -> dict[str, Any]:
    """Everything about one document that the person may see: text, attachments, receipts."""
    letters = desk.list(Letter, Letter.id == doc)
    if not letters:
        document = desk.get(Document, doc)
        return {"doc": doc, "ref": None, "state": document.state, **_paper_json(desk, document.paper)}
    letter = letters[0]
    envelope = letter.envelope
    mine = desk.list(Incoming, Incoming.doc == doc)
    return {
        "doc": doc,
        "ref": letter.place,
        "number": envelope.number,
        "from": letter.organ,
        "from_name": envelope.issuer,
        "signer": envelope.signer,
        "signed_on": envelope.signed_on,
        "issue": letter.issue,
        "sealed": envelope.seal is not None,
        "sent_at": _iso(letter.at),
        "state": desk.get(Document, doc).state if desk.list(Document, Document.id == doc) else mine[0].state,
        **_paper_json(desk, envelope.paper),
        "receipts": [_act_json(act) for act in desk.list(Act, Act.doc == doc, Act.receipt != "", order=(Act.at, Act.seq), limit=20_000)],
    }


ACTIONS = ("read", "sign", "refuse", "transfer", "finish")


def receipt(desk: Desk, doc: str, action: str, *, note: str = "", key: str = "", organ: str = "", to: str = "", reason: str = "not_ours") -> str:
    """Act on a document that came in, by the words of the command line; returns the ref of the receipt.

    Asking again with the same key and action is answered as before; with another action it is a conflict.
    """
    if action not in ACTIONS:
        raise Invalid(_("没有这种回执。"), code="action")
    found = [row for row in desk.list(Incoming, Incoming.doc == doc, order=Incoming.organ) if organ in ("", row.organ)]
    if not found:
        raise Missing()
    kind = {"read": said.Read, "sign": said.SignedFor, "refuse": said.SentBack, "transfer": said.Assigned, "finish": said.Answered}[action]
    for act in desk.list(Act, Act.key == key, Act.doc == doc) if key else ():
        if act.kind != name_of(kind):
            raise Conflict(_("这个编号已用于另一项操作。"), code="key_reused")
        return act.place
    mine = next((row for row in found if model.watched(desk).count(row.organ)), found[0])
    _ACTS[action](desk, mine.id, note=note, key=key, to=to, reason=reason)
    acts = desk.list(Act, Act.record == mine.id, Act.kind == name_of(kind), order=(Act.at.desc(), Act.seq.desc()), limit=1)
    return acts[0].place


def _finish(desk: Desk, incoming: str, *, note: str, key: str, **_given: str) -> None:
    answer(desk, incoming, text=note or "已办结。", close_too=True, key=key)


def _transfer(desk: Desk, incoming: str, *, note: str, to: str, **_given: str) -> None:
    if desk.get(Incoming, incoming).state == Standing.SIGNED_IN:
        register(desk, incoming)
    assign(desk, incoming, lead=to or desk.person, opinion=note)


_ACTS: dict[str, Callable[..., None]] = {
    "read": lambda desk, incoming, **given: read(desk, incoming, key=given["key"]),
    "sign": lambda desk, incoming, **given: sign_for(desk, incoming, key=given["key"]),
    "refuse": lambda desk, incoming, **given: send_back(desk, incoming, reason=given["reason"], words=given["note"] or "退文", key=given["key"]),
    "transfer": _transfer,
    "finish": _finish,
}


def receipts(desk: Desk, doc: str) -> list[dict[str, Any]]:
    """The matrix as the command line and programs read it."""
    return [_row_json(row) for row in matrix(desk, doc)]


# --------------------------------------------------------------------------------------------------------------- the inside


class _Parts:
    """Several acts on one document that are written together, each naming the one before."""

    def __init__(self, desk: Desk, doc: str, organ: str, last: bytes) -> None:
        self.desk, self.doc, self.post, self.last = desk, doc, _post(desk, organ), last
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


def _acting(desk: Desk, organ: str) -> Organ:
    found = next((o for o in issuers(desk) if o.id == organ), None)
    if found is None:
        raise Refused(_("您不能以这个机关的名义发文。"), code="not_issuer")
    return found


def _refuse(desk: Desk, found: Iterable[Finding]) -> None:
    """Raise the first refusal among findings."""
    for finding in found:
        if not finding.refuses:
            continue
        if finding.code == "graded":
            raise Refused(sentence(finding), code="label_refused", hint=_("国家秘密请走机要渠道。"))
        kind = TooLarge if finding.code in ("title_long", "text_long", "recipients_many") else Invalid if finding.code in FORM else Refused
        raise kind(sentence(finding), code=finding.code if kind is Refused else None)


FORM = ("kind", "title_missing", "recipients_missing", "text_missing", "flash_reason")
SENTENCES = {
    "kind": _("没有“{about}”这个文种。"),
    "title_long": _("标题不能超过 {about} 字。"),
    "text_long": _("正文不能超过 {about} 字，更长的内容请作为附件。"),
    "recipients_many": _("收文机关不能超过 {about} 个。"),
    "graded": _("本网不得存储、处理国家秘密。"),
    "title_missing": _("请填写标题。"),
    "recipients_missing": _("请选择主送机关。"),
    "text_missing": _("请填写正文或者添加附件。"),
    "flash_reason": _("特急件要写明理由。"),
    "reply_answers": _("批复应当针对一件请示（条例第八条）。"),
    "report_asks": _("报告不得夹带请示事项（条例第十五条）。"),
    "to_itself": _("不能发给本机关。"),
    "request_one": _("请示只写一个主送机关（条例第十五条）。"),
    "request_cc_down": _("请示不得抄送下级机关：{about}（条例第十五条）。"),
    "request_up": _("请示只用于上行文，不能主送{about}（条例第八条）。"),
    "skips_level": _("一般不得越级行文，确需越级主送{about}的，应当同时抄送被越过的机关（条例第十四条）。"),
    "down_kind_up": _("这一文种不用于向上级机关{about}行文（条例第八条）。"),
    "use_letter": _("与不相隶属的机关{about}行文用函（条例第八条）。"),
    "department_orders": _("部门不得向下级政府{about}发布指令性公文，可以用函，或者请政府办公室行文（条例第十六条）。"),
    "burden": _("正文 {about} 字，超过五千字的减负提倡篇幅。"),
    "asks_reports": _("一般不要求下级定期报送材料（减负若干规定）。"),
}


def sentence(finding: Finding) -> str:
    """A finding in words, with the article it rests on."""
    return SENTENCES[finding.code].format(about=finding.about)


def _stored(annexes: Iterable[Annex]) -> tuple[Attachment, ...]:
    return tuple({annex.sha: Attachment(annex.sha, annex.stored) for annex in annexes}.values())


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


def _organ(desk: Desk, id: str) -> Organ:
    found = desk.directory.organ(id)
    if found is None:
        raise Missing()
    return found


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
    if prefix not in _organ(desk, organ).doc_prefixes:
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
    issuer = _organ(desk, paper.organ)
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
    """A paper without the random keys of its files."""
    same = tuple(msgspec.structs.replace(a, key=bytes(32), sha=bytes(32), stored=0) for a in paper.annexes)
    return msgspec.structs.replace(paper, annexes=same)


def _receipt(desk: Desk, found: Incoming, content: Content) -> Wish:
    after = (found.said, found.receipt)
    lane = Lane.ORDINARY if found.urgency == Urgency.NONE else Lane.URGENT
    files = _stored(getattr(content, "annexes", ()))
    return desk.wish(content, record=found.id, after=after, to=(found.home,), lane=lane, attachments=files, post=_post(desk, found.organ))


def _inner(desk: Desk, found: Incoming, content: Content, *more: bytes, touches: tuple[str, ...] = ()) -> Wish:
    after = tuple(dict.fromkeys((found.said, found.receipt, found.last, *more)))
    return desk.wish(content, record=found.id, after=after, touches=touches, post=_post(desk, found.organ))


def _post(desk: Desk, organ: str) -> str:
    """The post in which the person acts for an organ: one that serves it, with a watching role if there is one."""
    fit = [post for post in desk.posts if organ in (post.organ, *post.serves)]
    watching = [post for post in fit if set(post.roles) & set(workflow.WATCHERS)]
    return next((post.id for post in (*watching, *fit, *desk.posts)), "")


def _unread(desk: Desk, incoming: Incoming) -> bool:
    return any(not hand.read_at and hand.task == "read" for hand in desk.list(Hand, Hand.incoming == incoming.id, Hand.person == desk.person))


@dataclass(frozen=True)
class _Trace:
    """What holds say of one envelope: for each node that is to get it, who held it when."""

    held: dict[str, tuple[tuple[str, int], ...]]
    places: dict[str, str]
    heard: dict[str, int]
    "Node id to when it was last heard, milliseconds."


def _trace(desk: Desk, letter: Letter) -> _Trace:
    held: dict[str, tuple[tuple[str, int], ...]] = {}
    places: dict[str, str] = {}
    wide: tuple[tuple[str, int], ...] = ()
    for place in desk.ledger.places(letter.said):
        carried = tuple(sorted(desk.ledger.carried(place.chain, place.seq), key=lambda pair: pair[1]))
        if place.audience.node:
            held[place.audience.node], places[place.audience.node] = carried, place.ref
        else:
            wide = carried
            places[""] = place.ref
    held[""] = wide
    return _Trace(held, places, _heard(desk))


def _heard(desk: Desk) -> dict[str, int]:
    """When each node was last heard, itself or through its neighbours, as the courier notes it."""
    try:
        links = msgspec.json.decode(desk.settings.path("run", "links.json").read_bytes())
        return {str(node): int(at) for node, at in links["heard"].items()}
    except (OSError, msgspec.DecodeError, KeyError, TypeError, AttributeError, ValueError):
        return {}


def _row(desk: Desk, delivery: Delivery, acts: Sequence[Act], trace: _Trace) -> Row:
    holders = trace.held.get(delivery.node, trace.held[""])
    way = desk.directory.path(desk.node, delivery.node)
    here = delivery.node == desk.node
    first: dict[str, Act] = {}
    for act in acts:
        first.setdefault(act.receipt, act)
    heard = trace.heard.get(delivery.node, 0)
    return Row(
        organ=delivery.organ,
        name=_organ(desk, delivery.organ).short_name,
        role=delivery.role,
        node=delivery.node,
        node_name=_node_name(desk, delivery.node),
        carried=tuple((_node_name(desk, holder), at) for holder, at in holders if holder not in (delivery.node, desk.node) and holder in way),
        delivered=delivery.sent_at if here else dict(holders).get(delivery.node),
        delivered_place=trace.places.get(delivery.node, trace.places.get("", "")),
        receipts=first,
        also=tuple(act for act in acts if first[act.receipt] is not act),
        silent=not here and _ms(desk) - heard > SILENT,
        heard=heard,
    )


def _node_name(desk: Desk, node: str) -> str:
    found = desk.directory.node(node)
    return found.name if found is not None else node


def _ms(desk: Desk) -> int:
    return int(desk.now.timestamp() * 1000)


def _ref(written: Written) -> str:
    return written.places[0].ref


def _iso(at: int | None) -> str | None:
    return clock.from_ms(at).astimezone(workflow.SHANGHAI).isoformat() if at else None


def _brief(row: Incoming, letter: Letter) -> dict[str, Any]:
    return {
        "doc": row.doc,
        "ref": letter.place,
        "from": row.issuer,
        "from_name": row.issuer_name,
        "organ": row.organ,
        "role": row.role,
        "number": row.number,
        "title": row.title,
        "kind": row.kind,
        "label": row.label.replace("_", "-"),
        "urgency": URGENCIES.get(row.urgency, row.urgency),
        "state": row.state,
        "deadline": _iso(row.due),
        "anchored": {"from": _iso(row.sent_at), "to": None},
        "cursor": row.order,
    }


URGENCIES = {"none": "normal", "urgent": "urgent", "flash": "flash"}
"Words of the programs for 紧急程度."


def _paper_json(desk: Desk, paper: Paper) -> dict[str, Any]:
    return {
        "title": paper.title,
        "kind": paper.kind,
        "organ": paper.organ,
        "to": list(paper.to),
        "cc": list(paper.cc),
        "lists": [{"id": cited.id, "version": cited.version, "role": cited.role} for cited in paper.lists],
        "label": paper.label.replace("_", "-"),
        "urgency": URGENCIES.get(paper.urgency, paper.urgency),
        "deadline": _iso(paper.due),
        "deadline_rule": paper.due_rule or None,
        "reply_required": paper.reply_required,
        "in_reply_to": paper.in_reply_to or None,
        "forwards": paper.forwards or None,
        "text": paper.text,
        "body_sha": "sha256:" + hashlib.sha256(paper.text.encode()).hexdigest(),
        "attachments": [
            {"name": a.name, "size": a.size, "mime": a.mime, "sha": "sha256:" + a.plain.hex(), "blob": a.sha.hex(), "state": blob_state(desk, a)}
            for a in paper.annexes
        ],
    }


def _act_json(act: Act) -> dict[str, Any]:
    found = {"receipt": act.receipt, "recipient": act.organ, "ref": act.place, "by": act.person, "name": act.name, "at": _iso(act.at)}
    return found | {"text": act.text or None, "reason": act.reason or None, "id": act.key or None}


def _row_json(row: Row) -> dict[str, Any]:
    def place(code: str) -> str | None:
        return row.receipts[code].place if code in row.receipts else None

    last = max(row.receipts.values(), key=lambda act: act.at, default=None)
    return {
        "recipient": row.organ,
        "name": row.name,
        "role": row.role,
        "node": row.node,
        "carried": [{"node": name, "at": _iso(at)} for name, at in row.carried],
        "delivered": row.delivered_place if row.delivered is not None else None,
        "delivered_at": _iso(row.delivered),
        "signed": place("R2"),
        "refused": place("R2x"),
        "read": place("R3"),
        "answered": place("R4"),
        "recalled": place("R5"),
        "by": last.name or last.person if last else None,
        "at": _iso(last.at) if last else None,
        "anchored": {"from": _iso(last.at), "to": None} if last else None,
        "unknown_since": _iso(row.heard) if row.silent else None,
        "silent": row.silent,
    }


# ------------------------------------------------------------------------------------------------------------- attachments


NAME = 120
"Characters of a file's name."


def attach(desk: Desk, name: str, mime: str, stream: BinaryIO | Iterable[bytes]) -> Annex:
    """Store a file under a key of its own; it counts when a draft or answer names it."""
    clean = "".join(c for c in name.replace("\\", "/").rsplit("/", 1)[-1] if c.isprintable()).strip()[-NAME:] or "附件"
    seen, key = _Seen(stream), secrets.token_bytes(32)
    sha, stored = Blobs(desk.settings).put(iter(seen), key)
    kind = mime if mime and len(mime) <= 100 and mime.isascii() and mime.isprintable() else "application/octet-stream"
    return Annex(clean, seen.size, kind, sha, seen.sha.digest(), key, stored)


class _Seen:
    """A stream whose hash and length are known once it is read."""

    def __init__(self, stream: BinaryIO | Iterable[bytes]) -> None:
        self.stream, self.size, self.sha = stream, 0, hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        read = getattr(self.stream, "read", None)
        for part in iter(lambda: read(256 * 1024), b"") if read else self.stream:
            self.size += len(part)
            self.sha.update(part)
            yield part


def open_annex(desk: Desk, annex: Annex) -> Iterator[bytes]:
    """The plain bytes of an attached file, part by part."""
    return Blobs(desk.settings).open(annex.sha, annex.key)


def blob_state(desk: Desk, annex: Annex) -> str:
    """Whether a file is ``whole`` here, ``partial``, or ``waiting`` to be carried."""
    held = Blobs(desk.settings).have(annex.sha, annex.stored)
    return "whole" if held >= annex.stored else "partial" if held else "waiting"


def forwarded(desk: Desk, doc: str, without: set[str]) -> tuple[Annex, ...]:
    """The files of a document that is passed on, but those left out."""
    if not doc:
        return ()
    return tuple(annex for annex in desk.get(Letter, doc).envelope.paper.annexes if annex.sha.hex() not in without)


def preview(desk: Desk, paper: Paper) -> Envelope:
    """How a paper would look if it left now; nothing is kept."""
    return _envelope(desk, paper, "", "", "", None)


# ------------------------------------------------------------------------------------------------------------ for programs


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was uploaded before and is to be attached."""

    sha: str
    "SHA-256 of the file, hex."
    name: str
    mime: str = "application/octet-stream"


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """A document to be issued in one step."""

    to: list[str]
    title: str
    kind: str = "letter"
    text: str = ""
    organ: str = ""
    "The issuer; empty for the first organ in whose name the person may sign."
    cc: list[str] = []
    lists: list[str] = []
    "Ids of standing lists, as main recipients."
    label: str = "internal"
    urgency: str = "normal"
    urgency_reason: str = ""
    deadline: str = ""
    "RFC 3339, or a rule: 5wd, 24h."
    reply_required: bool = False
    reply_to: str = ""
    prefix: str = ""
    "机关代字 to number it under; empty for none."
    attachments: list[File] = []


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An act on a document that came in."""

    action: str
    "read, sign, refuse, transfer or finish."
    note: str = ""
    organ: str = ""
    to: str = ""
    reason: str = "not_ours"
    id: str = ""


def post(desk: Desk, asked: Post, *, doc: str = "") -> Sent:
    """Issue what a program asks for; see :func:`send`."""
    return send(desk, paper_of(desk, asked), doc=doc, prefix=asked.prefix)


def paper_of(desk: Desk, asked: Post) -> Paper:
    """The paper that a program's words mean; :class:`Invalid` names the word that means nothing."""
    label = asked.label.replace("-", "_")
    if label not in list(Label):
        raise Refused(_("标识只能是公开、内部或者工作秘密；国家秘密不得上网。"), code="label_refused", hint=_("国家秘密请走机要渠道。"))
    urgency = {word: level for level, word in URGENCIES.items()}.get(asked.urgency, asked.urgency)
    if urgency not in list(Urgency):
        raise Invalid(_("没有这种紧急程度：{word}").format(word=asked.urgency[:40]), code="urgency")
    versions = {listing.id: listing.version for listing in desk.directory.lists()}
    for id in asked.lists:
        if id not in versions:
            raise Invalid(_("没有这个通讯组：{id}").format(id=id[:64]), code="no_list")
    due, rule = deadline(desk, asked.deadline)
    signs = [organ.id for organ in issuers(desk) if SIGNER in roles(desk, organ.id)]
    return Paper(
        organ=asked.organ or next(iter(signs), next((organ.id for organ in issuers(desk)), "")),
        kind=workflow.ALIASES.get(asked.kind, asked.kind.replace("-", "_")),
        title=" ".join(asked.title.split()),
        text=asked.text.replace("\r\n", "\n"),
        to=tuple(dict.fromkeys(asked.to)),
        cc=tuple(id for id in dict.fromkeys(asked.cc) if id not in asked.to),
        lists=tuple(Cited(id, versions[id], Role.TO) for id in asked.lists),
        urgency=urgency,
        urgency_reason=asked.urgency_reason,
        label=label,
        reply_required=asked.reply_required or bool(due),
        due=due,
        due_rule=rule,
        in_reply_to=asked.reply_to,
        annexes=tuple(_uploaded(desk, file) for file in asked.attachments),
    )


def deadline(desk: Desk, text: str) -> tuple[int, str]:
    """(milliseconds, rule) of a deadline given as a moment or as a rule that begins now."""
    if not text:
        return 0, ""
    if text[0].isdigit() and text.endswith(("wd", "d", "h")):
        years = (desk.now.year, desk.now.year + 1)
        days = calendar.Workdays([found for found in map(desk.directory.calendar, years) if found is not None])
        return int(calendar.due(desk.now, text, days).at.timestamp() * 1000), text
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(_("时限应写成 2026-01-31T17:00:00+08:00，或者 5wd、24h。"), code="deadline") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=workflow.SHANGHAI)
    return max(0, int(moment.timestamp() * 1000)), "set"


def _uploaded(desk: Desk, file: File) -> Annex:
    try:
        sha = bytes.fromhex(file.sha.removeprefix("sha256:"))
    except ValueError:
        raise Invalid(_("附件的散列值有误。"), code="malformed") from None
    return attach(desk, file.name, file.mime, Blobs(desk.settings).open(sha))


# ---------------------------------------------------------------------------------------------------- registers and to-dos


def with_role(desk: Desk, *names: str) -> list[str]:
    """Organs in which the person has one of these roles."""
    return sorted({organ for post in desk.posts if set(post.roles) & set(names) for organ in (post.organ, *post.serves)})


def outgoing_where(desk: Desk, states: Sequence[Stage], words: str = "", *, kind: str = "", organ: str = "") -> list[ColumnElement[bool]]:
    """Conditions of a register of outgoing documents."""
    where: list[ColumnElement[bool]] = [Document.state.in_([str(state) for state in states])]
    if words:
        where.append(or_(Document.title.contains(words, autoescape=True), Document.number.contains(words, autoescape=True)))
    if kind in workflow.KINDS:
        where.append(Document.kind == kind)
    if organ:
        where.append(Document.organ == organ)
    return where


def outgoing_count(desk: Desk, states: Sequence[Stage]) -> int:
    """How many documents the person may see in these states."""
    return desk.count(Document, *outgoing_where(desk, states))


def incoming_where(desk: Desk, states: Sequence[Standing], words: str = "", *, kind: str = "", organ: str = "") -> list[ColumnElement[bool]]:
    """Conditions of a register of incoming documents."""
    where: list[ColumnElement[bool]] = [Incoming.state.in_([str(state) for state in states])]
    if words:
        fields = (Incoming.title, Incoming.number, Incoming.register, Incoming.issuer_name)
        where.append(or_(*(column.contains(words, autoescape=True) for column in fields)))
    if kind in workflow.KINDS:
        where.append(Incoming.kind == kind)
    if organ:
        where.append(Incoming.organ == organ)
    return where


def incoming_count(desk: Desk, states: Sequence[Standing]) -> int:
    """How many incoming documents the person may see in these states."""
    return desk.count(Incoming, *incoming_where(desk, states))


def _mine_out(desk: Desk) -> ColumnElement[bool]:
    """Documents on which the person's own next step is due."""
    steps = (
        ((Stage.REVIEW,), with_role(desk, REVIEWER)),
        ((Stage.SIGN,), with_role(desk, SIGNER)),
        ((Stage.SIGNED, Stage.NUMBERED, Stage.SEALED), with_role(desk, CLERK)),
        ((Stage.NUMBERED,), with_role(desk, KEEPER)),
    )
    due = [and_(Document.state.in_([str(s) for s in states]), Document.organ.in_(organs)) for states, organs in steps if organs]
    return or_(*due, and_(Document.state.in_([Stage.RETURNED, Stage.DRAFT]), Document.drafter == desk.person))


def _mine_in(desk: Desk) -> ColumnElement[bool]:
    """Incoming documents on which the person's own next step is due."""
    clerk = Incoming.organ.in_(with_role(desk, CLERK))
    waiting = Incoming.state.in_([Standing.DELIVERED, Standing.SIGNED_IN, Standing.REGISTERED, Standing.RECALL_ASKED])
    task = select(Hand.incoming).where(Hand.person == desk.person, Hand.task.in_(("lead", "assist")))
    unread = select(Hand.incoming).where(Hand.person == desk.person, Hand.task == "read", Hand.read_at == 0)
    open_ = Incoming.state.in_([Standing.IN_HAND, Standing.CIRCULATING, Standing.REGISTERED, Standing.ANSWERED])
    return or_(and_(clerk, waiting), and_(Incoming.id.in_(task), Incoming.state == Standing.IN_HAND), and_(Incoming.id.in_(unread), open_))


def waiting_out(desk: Desk) -> int:
    """How many outgoing documents wait for the person."""
    return desk.count(Document, _mine_out(desk))


def waiting_in(desk: Desk) -> int:
    """How many incoming documents wait for the person."""
    return desk.count(Incoming, _mine_in(desk))


def sign_in_due(desk: Desk, incoming: Incoming) -> dt.datetime:
    """Rule ``doc.sign_in``: 特急 within an hour, 加急 within half a day, others by the end of the next working day."""
    start = clock.from_ms(incoming.sent_at)
    hours = workflow.SIGN_IN_HOURS.get(incoming.urgency)
    days = calendar.Workdays([found for found in map(desk.directory.calendar, (start.year, start.year + 1)) if found is not None])
    return calendar.due(start, f"{hours}h" if hours else "1wd", days).at


def todo(desk: Desk) -> list[Todo]:
    """What waits for the person, and what the person has in hand."""
    out = desk.list(Document, _mine_out(desk), order=Document.changed_at.desc(), limit=100)
    came = desk.list(Incoming, _mine_in(desk), order=Incoming.sent_at.desc(), limit=100)
    sent = desk.list(Document, Document.drafter == desk.person, ~_mine_out(desk), order=Document.changed_at.desc(), limit=30)
    found = [*(_todo_out(desk, row, Column.TODO) for row in out), *(_todo_in(desk, row) for row in came)]
    done = (Stage.DISPATCHED, Stage.RECALLED, Stage.VOID)
    found += [_todo_out(desk, row, Column.DONE if row.state in done else Column.HAND) for row in sent]
    return sorted(found, key=lambda item: item.arrived, reverse=True)


def _todo_out(desk: Desk, row: Document, column: Column) -> Todo:
    organ = desk.directory.organ(row.organ)
    return Todo(
        title=row.title or _("（无标题）"),
        url=f"/documents/{row.id}",
        arrived=clock.from_ms(row.changed_at),
        state=STATES[row.state],
        column=column,
        urgency=row.urgency,
        room=_("发文"),
        post=_post_title(desk, row.organ),
        number=row.number,
        source=organ.short_name if organ is not None else "",
        about=row.returned if row.state == Stage.RETURNED else "",
    )


def _todo_in(desk: Desk, row: Incoming) -> Todo:
    unsigned = row.state == Standing.DELIVERED
    due = sign_in_due(desk, row) if unsigned else clock.from_ms(row.due) if row.due else None
    return Todo(
        title=row.title,
        url=f"/incoming/{row.id}",
        arrived=clock.from_ms(row.sent_at),
        state=STATES[row.state],
        column=Column.HAND if row.state == Standing.IN_HAND else Column.TODO,
        due=due,
        urgency=row.urgency,
        room=_("收文"),
        post=_post_title(desk, row.organ),
        number=row.number,
        source=row.issuer_name,
        about=row.recall_reason if row.state == Standing.RECALL_ASKED else "",
    )


def _post_title(desk: Desk, organ: str) -> str:
    id = _post(desk, organ)
    return next((post.title for post in desk.posts if post.id == id), "")


STATES: dict[str, str] = {
    Stage.DRAFT: _("拟稿"),
    Stage.REVIEW: _("待核稿"),
    Stage.SIGN: _("待签发"),
    Stage.SIGNED: _("已签发"),
    Stage.NUMBERED: _("已编号"),
    Stage.SEALED: _("已用印"),
    Stage.RETURNED: _("退回修改"),
    Stage.DISPATCHED: _("已核发"),
    Stage.RECALLED: _("已撤回"),
    Stage.VOID: _("作废"),
    Standing.DELIVERED: _("待签收"),
    Standing.SIGNED_IN: _("已签收"),
    Standing.REGISTERED: _("已登记"),
    Standing.IN_HAND: _("承办中"),
    Standing.CIRCULATING: _("传阅中"),
    Standing.ANSWERED: _("已答复"),
    Standing.CLOSED: _("办结"),
    Standing.SENT_BACK: _("已退文"),
    Standing.RECALL_ASKED: _("来文机关请求撤回"),
}
