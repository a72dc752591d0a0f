"""Screens of one document that an organ issues: what it is, where it stands, who got it, and what may be done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from werkzeug.wrappers import Response

from node import clock
from node.errors import Missing
from office.documents import branches, jointly, later, originals, passing, service, telling, views
from office.documents.forms import download
from office.documents.labels import (
    HEADS,
    KIND_WORDS,
    LABEL_WORDS,
    NOTES,
    STAGE_WORDS,
    TONES,
)
from office.documents.model import Act as Done
from office.documents.model import Document, Letter
from office.documents.sheets import sheet
from office.documents.workflow import Stage
from office.frame.desk import Desk
from office.portal.page import Request, Screen, See, page, see_other, whole


class TrackPages:
    """One outgoing document."""

    name = "documents.track"
    desk: Desk

    @page("GET", "/documents/<doc>")
    def show(self, request: Request, doc: str) -> Screen:
        """A document: what it is, where it stands, what may be done, who got it, what happened so far."""
        desk = self.desk
        document = desk.get(Document, doc)
        letters = desk.list(Letter, Letter.id == doc)
        envelope = letters[0].envelope if letters else service.envelope(desk, document)
        rows = service.matrix(desk, doc)
        drafted = document.stage in (Stage.DRAFT, Stage.RETURNED, Stage.REVIEW, Stage.SIGN) and not letters
        found = service.findings(desk, document.paper) if drafted else []
        values: dict[str, Any] = {
            "document": document,
            "paper": envelope.paper,
            "state": STAGE_WORDS[Stage(document.state)],
            "tone": TONES.get(Stage(document.state), ""),
            "kind": KIND_WORDS.get(document.kind, document.kind),
            "label": LABEL_WORDS.get(envelope.paper.label, envelope.paper.label),
            "sheet": sheet(desk, envelope, doc),
            "findings": [(f.refuses, service.sentence(f) + service.way(f)) for f in found],
            "steps": views.steps_of(document),
            "joint": (joint := jointly.shown(desk, document, envelope)),
            "acts": jointly.acts(document, joint) + views.acts_of(desk, document) + originals.acts(desk, document, letters[0] if letters else None),
            "way": passing.shown(desk, document),
            "moves": service.moves(desk, document),
            "prefixes": views.prefixes_of(desk, document),
            "acted": [telling.act_line(desk, act) for act in jointly.account(desk, doc)],
            "files": views.files_of(desk, envelope.paper.annexes, f"/documents/{doc}/annexes"),
            "answers": views.answers_of(desk, rows, doc),
            "letter": letters[0] if letters else None,
            "due": clock.from_ms(envelope.paper.due) if envelope.paper.due else None,
            "facts": views.facts_of(desk, document, envelope),
            "validity": views.changes_of(desk, doc),
            "later": later.options(desk, document, rows) if letters else {},
            **_delivered(desk, rows),
        }
        twin = service.doc_get(desk, doc) | ({"joint": joint["rows"]} if joint is not None else {})
        return Screen("documents/show.html", json=twin | {"matrix": service.receipts(desk, doc)}, **values)

    @page("GET", "/documents/<doc>/matrix")
    def matrix(self, request: Request, doc: str) -> Screen:
        """The recipients by receipts alone, for the page that keeps itself fresh."""
        rows = service.matrix(self.desk, doc)
        return Screen("documents/matrix.html", json=service.receipts(self.desk, doc), doc=doc, **_delivered(self.desk, rows))

    @page("GET", "/documents/<doc>/map")
    def map(self, request: Request, doc: str) -> Screen:
        """The delivery map: the recipients along the tree of nodes."""
        tree = branches.branches(self.desk, service.matrix(self.desk, doc))
        return Screen("documents/map.html", tree=tree, json={"doc": doc, "tree": tree})

    @page("GET", "/documents/<doc>/print", json=False)
    def printed(self, request: Request, doc: str) -> Screen:
        """The printed sheet alone."""
        desk = self.desk
        letters = desk.list(Letter, Letter.id == doc)
        envelope = letters[0].envelope if letters else service.envelope(desk, desk.get(Document, doc))
        return Screen("documents/print.html", sheet=sheet(desk, envelope, doc), title=envelope.paper.title)

    @page("GET", "/documents/<doc>/annexes/<int:place>", json=False)
    def annex(self, request: Request, doc: str, place: int) -> Response:
        """An attached file."""
        letters = self.desk.list(Letter, Letter.id == doc)
        paper = letters[0].envelope.paper if letters else self.desk.get(Document, doc).paper
        return download(self.desk, paper.annexes, place)

    @page("GET", "/documents/<doc>/answers/<act>/<int:place>", json=False)
    def answer_file(self, request: Request, doc: str, act: str, place: int) -> Response:
        """A file that came with an answer."""
        found = [one for one in self.desk.list(Done, Done.doc == doc, Done.receipt == "R4") if one.id.hex() == act]
        if not found:
            raise Missing()
        return download(self.desk, found[0].annexes, place)

    @page("POST", "/documents/<doc>/<move>")
    def move(self, request: Request, doc: str, move: str) -> See:
        """One of the acts that the move table offers."""
        if request.text("version"):
            self.desk.expect(doc, whole(request.text("version")))
        verb = VERBS.get(move)
        if verb is None:
            raise Missing()
        verb(self.desk, doc, request)
        return see_other(f"/documents/{doc}", NOTES[move])


def _delivered(desk: Desk, rows: Sequence[service.Row]) -> dict[str, Any]:
    found = {"matrix": views.matrix_of(rows), "heads": HEADS, "summary": views.summary_of(rows), "tally": views.tally_of(rows)}
    return found | {"tree": branches.branches(desk, rows) if len(rows) > 1 else []}


Verb = Callable[[Desk, str, Request], object]
VERBS: dict[str, Verb] = {
    "submit": lambda desk, doc, r: service.submit(
        desk,
        doc,
        note=r.text("text"),
        heads=[one.removeprefix("p:") for one in r.all("heads")],
        units=[one.removeprefix("o:") for one in r.all("units")],
        normative=bool(r.text("normative")),
    ),
    "return": lambda desk, doc, r: service.give_back(desk, doc, reason=r.text("text")),
    "review": lambda desk, doc, r: service.review(desk, doc, opinion=r.text("text")),
    "sign": lambda desk, doc, r: service.sign(desk, doc, opinion=r.text("text")),
    "consult": lambda desk, doc, r: service.consult(desk, doc),
    "add_issuer": lambda desk, doc, r: service.add_issuer(desk, doc, organ=r.text("organ"), reason=r.text("text")),
    "urge_issuer": lambda desk, doc, r: service.urge_issuer(desk, doc, organ=r.text("organ"), text=r.text("text")),
    "drop_issuer": lambda desk, doc, r: service.drop_issuer(desk, doc, organ=r.text("organ"), reason=r.text("text")),
    "number": lambda desk, doc, r: service.number(desk, doc, prefix=r.text("prefix")),
    "seal": lambda desk, doc, r: service.seal(desk, doc),
    "dispatch": lambda desk, doc, r: service.dispatch(desk, doc),
    "issue": lambda desk, doc, r: service.issue(desk, doc, prefix=r.text("prefix")),
    "original": lambda desk, doc, r: originals.make(desk, doc),
    "recall": lambda desk, doc, r: service.recall(desk, doc, reason=r.text("text")),
    "void": lambda desk, doc, r: service.void(desk, doc, reason=r.text("text")),
    "seal_correction": lambda desk, doc, r: service.seal_correction(desk, doc),
    "drop_correction": lambda desk, doc, r: service.drop_correction(desk, doc, reason=r.text("text")),
    "resend": lambda desk, doc, r: service.resend(desk, doc, organs=tuple(r.all("organs")), reason=r.text("text")),
    "lapse": lambda desk, doc, r: service.lapse(desk, doc, change=r.text("change"), reason=r.text("text")),
    "urge": lambda desk, doc, r: service.urge(desk, doc, organ=r.text("organ"), channel=r.text("channel"), text=r.text("text")),
    "urge_all": lambda desk, doc, r: service.urge_all(desk, doc, channel=r.text("channel"), text=r.text("text")),
    "supervise": lambda desk, doc, r: service.supervise(desk, doc, organ=r.text("organ"), text=r.text("text")),
    "decide": lambda desk, doc, r: service.decide_extension(desk, doc, asked=r.text("asked"), granted=r.text("granted") == "1", text=r.text("text")),
}
