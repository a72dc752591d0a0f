"""What an organ does with a document of its own: from the first draft to dispatch, recall, correction and the void."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from node.errors import Conflict, Refused
from office.documents import entries as said
from office.documents import flows, model, rules
from office.documents.amending import lapsing
from office.documents.entries import Paper
from office.documents.envelopes import envelope, mark_of, way
from office.documents.flows import Way
from office.documents.issuers import asked, complete, holding
from office.documents.rights import acting_post, lent
from office.documents.routing import acting, findings, partners, refuse
from office.documents.steps import following, fresh, reason_of, signature, step, stored, words
from office.frame.desk import Desk, again
from office.frame.words import _


def draft(desk: Desk, paper: Paper, *, doc: str = "") -> str:
    """Begin a document of an organ one acts for; the id is the client's or a new one."""
    doc = fresh(doc)
    acting(desk, paper.organ)
    refuse(desk, rules.shape(paper))
    partners(desk, paper)
    desk.expect(doc, 0)
    drafted = desk.wish(said.Drafted(paper), record=doc, post=acting_post(desk, paper.organ), attachments=stored(paper.annexes))
    flows.begin(desk, doc, paper).write(drafted)
    return doc


def revise(desk: Desk, doc: str, paper: Paper) -> None:
    """Replace what a draft says; its organ stays."""
    document = step(desk, doc, "revise")
    refuse(desk, rules.shape(paper))
    partners(desk, paper)
    if paper.joint != document.paper.joint and asked(desk, doc):
        raise Refused(_("已经送过会签，联合发文机关请在公文页面上增减。"), code="joint_asked")
    if paper.organ != document.organ:
        raise Refused(_("公文的发文机关不能改，请另拟一件。"), code="organ_fixed")
    if paper != document.paper:
        desk.write(said.Revised(paper), record=doc, post=acting_post(desk, document.organ), after=(document.last,), attachments=stored(paper.annexes))


def submit(desk: Desk, doc: str, *, note: str = "", heads: Sequence[str] = (), units: Sequence[str] = (), normative: bool = False) -> None:
    """Put a draft before those who check it: heads one after the other, units that countersign, then the reviewers, as its flow says.

    What the rules refuse does not get that far.
    """
    document = step(desk, doc, "submit")
    refuse(desk, findings(desk, document.paper))
    flow = Way.of(desk, document).take("submit", words(note), **flows.chosen(desk, document.paper, units, heads, normative=normative))
    flow.write(desk.wish(said.Submitted(words(note)), record=doc, post=acting_post(desk, document.organ), after=(document.last,)))


def give_back(desk: Desk, doc: str, *, reason: str) -> None:
    """Return a document to its drafter."""
    document = step(desk, doc, "return")
    flow = Way.of(desk, document).give_back(reason_of(reason))
    returned = desk.wish(said.Returned(reason_of(reason)), record=doc, post=acting_post(desk, document.organ), after=(document.last,))
    flow.write(returned, *holding(desk, document, reason_of(reason)))


def review(desk: Desk, doc: str, *, opinion: str = "") -> None:
    """Find a document fit for the signer."""
    document = step(desk, doc, "review")
    flow = Way.of(desk, document).take("review", words(opinion))
    flow.write(desk.wish(said.Reviewed(words(opinion)), record=doc, post=acting_post(desk, document.organ), after=(document.last,)))


def sign(desk: Desk, doc: str, *, opinion: str = "", on: dt.date | None = None) -> None:
    """Sign for issue, or for the signer by a live delegation (代签); the day becomes the document's date."""
    document = step(desk, doc, "sign")
    refuse(desk, findings(desk, document.paper))
    content = signature(desk, document.organ, opinion, on)
    power = lent(desk, document.organ) if content.principal else None
    post = power.post if power is not None else acting_post(desk, document.organ)
    flow = Way.of(desk, document).take("sign", content.opinion)
    flow.write(desk.wish(content, record=doc, post=post, after=(document.last,)))


def number(desk: Desk, doc: str, *, prefix: str) -> str:
    """Give a signed document the next number of a series of its organ."""

    def once() -> str:
        document = step(desk, doc, "number")
        complete(desk, doc, envelope(desk, document), sealed=False)
        given = following(desk, document.organ, prefix)
        series = (model.series_name(prefix, given.year),)
        numbered = desk.wish(given, record=doc, post=acting_post(desk, document.organ), after=(document.last,), touches=series)
        Way.of(desk, document).take("number").write(numbered)
        return given.text

    return again(once)


def seal(desk: Desk, doc: str) -> None:
    """Put the organ's seal under a document; the desk's person must keep it."""
    document = step(desk, doc, "seal")
    bare = envelope(desk, document)
    complete(desk, doc, bare, sealed=True)
    mark = mark_of(desk, bare)
    sealed = desk.wish(said.Sealed(mark), record=doc, post=acting_post(desk, document.organ), after=(document.last,))
    Way.of(desk, document).take("seal").write(sealed)


def dispatch(desk: Desk, doc: str) -> None:
    """Send a document to its recipients."""
    document = step(desk, doc, "dispatch")
    sent = envelope(desk, document)
    refuse(desk, findings(desk, document.paper))
    complete(desk, doc, sent, sealed=True)
    if sent.seal is not None and sent.seal.digest != said.rendering_digest(sent):
        raise Conflict(_("用印以后收文名单有变化，请重新用印。"), code="seal_stale")
    leaving = desk.wish(said.Dispatched(sent), record=doc, post=acting_post(desk, document.organ), **way(desk, sent))
    Way.of(desk, document).take("dispatch").write(leaving, *lapsing(desk, doc, sent))


def void(desk: Desk, doc: str, *, reason: str) -> None:
    """Let a document count for nothing; a number it has stays used and is explained."""
    document = step(desk, doc, "void")
    flow = Way.of(desk, document).end(reason_of(reason))
    ended = desk.wish(said.Voided(reason_of(reason)), record=doc, post=acting_post(desk, document.organ), after=(document.last,))
    flow.write(ended, *holding(desk, document, reason_of(reason)))
