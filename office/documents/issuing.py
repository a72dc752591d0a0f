"""Several acts on a document in one step: number, seal and dispatch, or the whole way for those who may sign."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import msgspec

from node.errors import Conflict, Refused
from node.kinds import Content
from office.documents import entries as said
from office.documents import model
from office.documents.amending import lapsing
from office.documents.entries import Envelope, Mark, Paper
from office.documents.envelopes import keeps, made, mark_of, way
from office.documents.flows import Way
from office.documents.issuers import complete, joined
from office.documents.kinds import KINDS
from office.documents.model import Document, Letter
from office.documents.rights import acting_post, roles
from office.documents.routing import acting, findings, refuse
from office.documents.steps import following, fresh, ref, signature, step, stored
from office.documents.workflow import SIGNER
from office.frame.desk import Desk, Wish, again
from office.frame.words import _


def issue(desk: Desk, doc: str, *, prefix: str = "") -> str:
    """Number, seal (where this person keeps the seal) and dispatch a signed document, all or nothing."""

    def once() -> str:
        document = step(desk, doc, "issue")
        parts = Parts(desk, document.id, document.organ, document.last)
        given = document.number
        if prefix and not given:
            given = parts.number(document.organ, prefix)
        signed_on = dt.date.fromisoformat(document.signed_on)
        parts.leave(document.paper, given, document.signer, signed_on, document.mark)
        Way.of(desk, document).take("issue").write(*parts.acts)
        return given

    return again(once)


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
    doc = fresh(doc)
    for earlier in desk.list(Document, Document.id == doc):
        return _repeated(desk, earlier, paper)

    def once() -> Sent:
        acting(desk, paper.organ)
        if paper.joint:
            raise Refused(_("联合发文须先送各机关会签，不能直接发文。"), code="joint")
        if SIGNER not in roles(desk, paper.organ):
            raise Refused(_("直接发文需要本机关的签发权。"), code="not_signer")
        refuse(desk, findings(desk, paper))
        desk.expect(doc, 0)
        parts = Parts(desk, doc, paper.organ, b"")
        parts.add(said.Drafted(paper), attachments=stored(paper.annexes))
        signed = signature(desk, paper.organ, opinion, None)
        parts.add(signed)
        given = parts.number(paper.organ, prefix) if prefix else ""
        sent = parts.leave(paper, given, signed.name, signed.on, None)
        written = desk.together(parts.acts)
        return Sent(doc=doc, ref=ref(written[parts.place]), number=given, recipients=len(sent.recipients), repeated=False)

    return again(once)


class Parts:
    """Several acts on one document that are written together, each naming the one before."""

    def __init__(self, desk: Desk, doc: str, organ: str, last: bytes) -> None:
        self.desk, self.doc, self.post, self.last = desk, doc, acting_post(desk, organ), last
        self.acts: list[Wish] = []
        self.place = 0
        "Which of the acts sends the document."

    def add(self, content: Content, **where: Any) -> None:
        """One more inner act."""
        wish = self.desk.wish(content, record=self.doc, post=self.post, after=(self.last,), **where)
        self.acts.append(wish)
        self.last = wish.id

    def number(self, organ: str, prefix: str) -> str:
        """Number it."""
        given = following(self.desk, organ, prefix)
        self.add(given, touches=(model.series_name(prefix, given.year),))
        return given.text

    def leave(self, paper: Paper, number: str, signer: str, signed_on: dt.date, mark: Mark | None) -> Envelope:
        """Seal it, if that is still to do and this person keeps the seal, and dispatch it."""
        sent = joined(self.desk, self.doc, made(self.desk, paper, number, signer, signed_on.isoformat(), mark))
        complete(self.desk, self.doc, sent, sealed=True)
        if mark is None and KINDS[paper.kind].sealed and keeps(self.desk, paper.organ):
            seal = mark_of(self.desk, sent)
            sent = msgspec.structs.replace(sent, seal=seal)
            self.add(said.Sealed(seal))
        if mark is not None and mark.digest != said.rendering_digest(sent):
            raise Conflict(_("用印以后收文名单有变化，请重新用印。"), code="seal_stale")
        self.acts.append(self.desk.wish(said.Dispatched(sent), record=self.doc, post=self.post, **way(self.desk, sent)))
        self.place = len(self.acts) - 1
        self.acts += lapsing(self.desk, self.doc, sent)
        return sent


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
