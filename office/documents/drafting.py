"""Screens of documents that an organ issues."""

from __future__ import annotations

import msgspec
from werkzeug.wrappers import Response

from node import clock
from node.errors import Missing, Refused
from office.documents import service, views, workflow
from office.documents.entries import Cited, Label, Paper, Role, Urgency
from office.documents.forms import download, one_of, whole
from office.documents.labels import (
    HEADS,
    KIND_WORDS,
    LABEL_WORDS,
    NOTES,
    OUT_TABS,
    STAGE_WORDS,
    TONES,
    URGENCY_WORDS,
)
from office.documents.model import Act as Done
from office.documents.model import Document, Incoming, Letter
from office.documents.sheets import sheet
from office.documents.workflow import Finding, Stage
from office.frame.desk import Desk
from office.frame.words import _
from office.portal.page import PER_PAGE, Item, Request, Screen, See, page, see_other


class OutgoingPages:
    """Documents that organs of this node issue."""

    name = "documents"
    menu = (
        Item("/documents", _("发文"), icon="out-tray", count=lambda desk: service.waiting_out(desk)),
        Item("/incoming", _("收文"), icon="in-tray", count=lambda desk: service.waiting_in(desk)),
    )
    desk: Desk

    @page("GET", "/documents", keep=True)
    def register(self, request: Request) -> Screen:
        """Register of outgoing documents."""
        desk = self.desk
        tab = request.query("tab") if request.query("tab") in OUT_TABS else "drafts"
        words = request.query("q")
        where = service.outgoing_where(desk, OUT_TABS[tab][1], words, kind=request.query("kind"), organ=request.query("organ"))
        rows = desk.list(Document, *where, order=(Document.changed_at.desc(), Document.id), **request.window())
        tabs = [(f"/documents?tab={key}", label, service.outgoing_count(desk, states), key == tab) for key, (label, states) in OUT_TABS.items()]
        shown = [views.document_line(desk, row) for row in rows]
        if tab == "issued":
            views.add_receipts(shown, service.progress(desk, [row.id for row in rows]))
        values = {"words": words, "kinds": list(KIND_WORDS.items()), "may_draft": bool(service.issuers(desk)), "tab": tab}
        return Screen("documents/register.html", rows=shown, tabs=tabs, json={"rows": shown[:PER_PAGE], "tab": tab}, **values)

    @page("GET", "/documents/new")
    def compose(self, request: Request) -> Screen:
        """The sheet for a new document, empty or begun as a reply or a forward."""
        organs = service.issuers(self.desk)
        paper = Paper(organs[0].id if organs else "", "letter", "", "", ())
        if request.query("reply"):
            paper = service.reply_paper(self.desk, self.desk.get(Incoming, request.query("reply")))
        elif request.query("forward"):
            paper = service.forward_paper(self.desk, self.desk.get(Incoming, request.query("forward")))
        elif request.query("organ") in {organ.id for organ in organs}:
            paper = msgspec.structs.replace(paper, organ=request.query("organ"))
        return self._form(request, paper, "", 0)

    @page("POST", "/documents", upload=True)
    def draft(self, request: Request) -> See | Screen:
        """Keep a new draft."""
        paper = self._paper(request, Paper("", "letter", "", "", ()))
        try:
            doc = service.draft(self.desk, paper, doc=request.text("doc"))
        except Refused as e:
            return self._form(request, msgspec.structs.replace(paper, annexes=()), "", 0, error=e)
        return self._then(request, doc, _("草稿已保存。"))

    @page("GET", "/documents/<doc>/edit")
    def edit(self, request: Request, doc: str) -> Screen:
        """The sheet of a draft."""
        document = self.desk.get(Document, doc)
        if "revise" not in service.moves(self.desk, document):
            raise Missing()
        return self._form(request, document.paper, doc, self.desk.version(doc), preview=bool(request.query("preview")))

    @page("POST", "/documents/<doc>/edit", upload=True)
    def revise(self, request: Request, doc: str) -> See | Screen:
        """Keep what a draft now says."""
        document = self.desk.get(Document, doc)
        seen = whole(request.text("version"))
        paper = self._paper(request, document.paper)
        if seen:
            self.desk.expect(doc, seen)
        try:
            service.revise(self.desk, doc, paper)
        except Refused as e:
            return self._form(request, paper, doc, seen, error=e)
        return self._then(request, doc, _("已保存。"))

    @page("GET", "/documents/<doc>")
    def show(self, request: Request, doc: str) -> Screen:
        """A document: what it is, where it stands, what may be done, who got it, what happened so far."""
        desk = self.desk
        document = desk.get(Document, doc)
        letters = desk.list(Letter, Letter.id == doc)
        envelope = letters[0].envelope if letters else service.envelope(desk, document)
        rows = service.matrix(desk, doc)
        found = (
            service.findings(desk, document.paper)
            if document.stage in (Stage.DRAFT, Stage.RETURNED, Stage.REVIEW, Stage.SIGN) and not letters
            else []
        )
        values = {
            "document": document,
            "paper": envelope.paper,
            "state": STAGE_WORDS[Stage(document.state)],
            "tone": TONES.get(Stage(document.state), ""),
            "kind": KIND_WORDS.get(document.kind, document.kind),
            "label": LABEL_WORDS.get(envelope.paper.label, envelope.paper.label),
            "sheet": sheet(desk, envelope, doc),
            "findings": [(f.refuses, service.sentence(f)) for f in found],
            "steps": views.steps_of(document),
            "acts": views.acts_of(desk, document),
            "moves": service.moves(desk, document),
            "prefixes": views.prefixes_of(desk, document),
            "matrix": views.matrix_of(rows),
            "heads": HEADS,
            "summary": views.summary_of(rows),
            "tally": views.tally_of(rows),
            "acted": [views.act_line(desk, act) for act in service.timeline(desk, doc)],
            "files": views.files_of(desk, envelope.paper.annexes, f"/documents/{doc}/annexes"),
            "answers": views.answers_of(desk, rows, doc),
            "letter": letters[0] if letters else None,
            "due": clock.from_ms(envelope.paper.due) if envelope.paper.due else None,
            "facts": views.facts_of(desk, document, envelope),
        }
        return Screen("documents/show.html", json=service.doc_get(desk, doc) | {"matrix": service.receipts(desk, doc)}, **values)

    @page("GET", "/documents/<doc>/matrix")
    def matrix(self, request: Request, doc: str) -> Screen:
        """The recipients by receipts alone, for the page that keeps itself fresh."""
        rows = service.matrix(self.desk, doc)
        values = {"matrix": views.matrix_of(rows), "heads": HEADS, "summary": views.summary_of(rows), "tally": views.tally_of(rows), "doc": doc}
        return Screen("documents/matrix.html", json=service.receipts(self.desk, doc), **values)

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
        text = request.text("text")
        verbs = {
            "submit": lambda: service.submit(self.desk, doc, note=text),
            "return": lambda: service.give_back(self.desk, doc, reason=text),
            "review": lambda: service.review(self.desk, doc, opinion=text),
            "sign": lambda: service.sign(self.desk, doc, opinion=text),
            "number": lambda: service.number(self.desk, doc, prefix=request.text("prefix")),
            "seal": lambda: service.seal(self.desk, doc),
            "dispatch": lambda: service.dispatch(self.desk, doc),
            "issue": lambda: service.issue(self.desk, doc, prefix=request.text("prefix")),
            "recall": lambda: service.recall(self.desk, doc, reason=text),
            "void": lambda: service.void(self.desk, doc, reason=text),
        }
        if move not in verbs:
            raise Missing()
        verbs[move]()
        return see_other(f"/documents/{doc}", NOTES[move])

    @page("GET", "/documents/<doc>/correct")
    def correction(self, request: Request, doc: str) -> Screen:
        """The sheet for a corrected issue."""
        document = self.desk.get(Document, doc)
        if "correct" not in service.moves(self.desk, document):
            raise Missing()
        return self._form(request, self.desk.get(Letter, doc).envelope.paper, doc, self.desk.version(doc), correcting=True)

    @page("POST", "/documents/<doc>/correct", upload=True)
    def correct(self, request: Request, doc: str) -> See | Screen:
        """Send the corrected issue."""
        former = self.desk.get(Letter, doc).envelope.paper
        paper = self._paper(request, former)
        seen = whole(request.text("version"))
        if seen:
            self.desk.expect(doc, seen)
        try:
            service.correct(self.desk, doc, paper, note=request.text("note"))
        except Refused as e:
            return self._form(request, paper, doc, seen, correcting=True, error=e)
        return see_other(f"/documents/{doc}", _("更正件已发出。"))

    def _then(self, request: Request, doc: str, note: str) -> See | Screen:
        """After saving: stay on the draft, or put it before the reviewers at once."""
        if request.text("go") == "preview":
            return see_other(f"/documents/{doc}/edit?preview=1", note, doc=doc)
        if request.text("go") != "submit":
            return see_other(f"/documents/{doc}", note, doc=doc)
        try:
            service.submit(self.desk, doc)
        except Refused as e:
            return self._form(request, self.desk.get(Document, doc).paper, doc, self.desk.version(doc), error=e)
        return see_other(f"/documents/{doc}", _("已送核。"), doc=doc)

    def _form(
        self, request: Request, paper: Paper, doc: str, version: int, *, preview: bool = False, correcting: bool = False, error: Refused | None = None
    ) -> Screen:
        desk = self.desk
        organs = service.issuers(desk)
        if not organs:
            raise Missing()
        shown = None
        found: list[Finding] = []
        if preview:
            found = service.findings(desk, paper)
            shown = sheet(desk, service.preview(desk, paper), doc or "new")
        values = {
            "paper": paper,
            "doc": doc,
            "version": version,
            "organs": [(organ.id, organ.full_name) for organ in organs],
            "kinds": list(KIND_WORDS.items()),
            "labels": list(LABEL_WORDS.items()),
            "urgencies": list(URGENCY_WORDS.items()),
            "groups": views.groups_of(desk, paper.organ),
            "lists": [(listing.id, listing.name) for listing in desk.directory.lists()],
            "to_lists": [c.id for c in paper.lists if c.role == Role.TO],
            "cc_lists": [c.id for c in paper.lists if c.role == Role.CC],
            "due": clock.from_ms(paper.due).astimezone(workflow.SHANGHAI).strftime("%Y-%m-%d %H:%M") if paper.due else "",
            "count": workflow.characters(paper.text),
            "sheet": shown,
            "findings": [(f.refuses, service.sentence(f)) for f in found],
            "correcting": correcting,
            "error": str(error) if error else "",
            "answers_to": views.title_of(desk, paper.in_reply_to),
        }
        json = {"paper": paper, "doc": doc, "version": version, "findings": values["findings"], "error": values["error"]}
        return Screen("documents/compose.html", status=error.http if error else 200, json=json, **values)

    def _paper(self, request: Request, former: Paper) -> Paper:
        """The paper a form says; files stay unless they were ticked off, new ones are added."""
        dropped = set(request.all("drop"))
        kept = tuple(annex for annex in former.annexes if annex.sha.hex() not in dropped) if former.annexes else ()
        if not former.annexes and (request.text("forwards") or request.text("in_reply_to")):
            kept = service.forwarded(self.desk, request.text("forwards"), dropped)
        due = request.moment("due")
        to, cc = tuple(dict.fromkeys(request.all("to"))), tuple(dict.fromkeys(request.all("cc")))
        cited = {listing.id: listing.version for listing in self.desk.directory.lists()}
        lists = [Cited(id, cited[id], role) for role, name in ((Role.TO, "to_list"), (Role.CC, "cc_list")) for id in request.all(name) if id in cited]
        paper = Paper(
            organ=former.organ or request.text("organ"),
            kind=one_of(request.text("kind"), KIND_WORDS),
            title=" ".join(request.text("title").split()),
            text=request.text("body"),
            to=to,
            cc=tuple(id for id in cc if id not in to),
            lists=tuple(lists),
            urgency=one_of(request.text("urgency", Urgency.NONE), URGENCY_WORDS),
            urgency_reason=request.text("urgency_reason"),
            label=one_of(request.text("label", Label.INTERNAL), LABEL_WORDS),
            reply_required=bool(request.text("reply_required")),
            due=int(due.timestamp() * 1000) if due else 0,
            due_rule="set" if due else "",
            in_reply_to=former.in_reply_to or request.text("in_reply_to")[:36],
            forwards=former.forwards or request.text("forwards")[:36],
            annexes=kept,
        )
        files = [f for f in request.files.getlist("files") if f.filename]
        added = tuple(service.attach(self.desk, f.filename or "", f.mimetype, f.stream) for f in files)
        return msgspec.structs.replace(paper, annexes=(*kept, *added))
