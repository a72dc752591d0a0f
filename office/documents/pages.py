"""Screens of documents: two registers, the sheet one drafts on, a document, an incoming one; and their faces for programs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from urllib.parse import quote

import msgspec
from werkzeug.wrappers import Response

from node import clock
from node.errors import Invalid, Missing, Refused
from office.documents import service, views, workflow
from office.documents.entries import Annex, Cited, Label, Paper, Role, Urgency
from office.documents.labels import (
    HEADS,
    IN_TABS,
    KIND_WORDS,
    LABEL_WORDS,
    NOTES,
    OUT_TABS,
    REASON_WORDS,
    STAGE_WORDS,
    STANDING_WORDS,
    TONES,
    URGENCY_WORDS,
)
from office.documents.model import Act as Done
from office.documents.model import Document, Incoming, Letter
from office.documents.sheets import sheet
from office.documents.workflow import Finding, Stage, Standing
from office.frame.desk import Desk
from office.frame.words import _
from office.portal.page import PER_PAGE, Answer, Item, Request, Screen, See, page, see_other


class OutgoingPages:
    """Documents that organs of this node issue."""

    name = "documents"
    menu = (
        Item("/documents", _("发文"), icon="out-tray", count=lambda desk: service.waiting_out(desk)),
        Item("/incoming", _("收文"), icon="in-tray", count=lambda desk: service.waiting_in(desk)),
    )
    desk: Desk

    @page("GET", "/documents")
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
        seen = _whole(request.text("version"))
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
        return _download(self.desk, paper.annexes, place)

    @page("GET", "/documents/<doc>/answers/<act>/<int:place>", json=False)
    def answer_file(self, request: Request, doc: str, act: str, place: int) -> Response:
        """A file that came with an answer."""
        found = [one for one in self.desk.list(Done, Done.doc == doc, Done.receipt == "R4") if one.id.hex() == act]
        if not found:
            raise Missing()
        return _download(self.desk, found[0].annexes, place)

    @page("POST", "/documents/<doc>/<move>")
    def move(self, request: Request, doc: str, move: str) -> See:
        """One of the acts that the move table offers."""
        if request.text("version"):
            self.desk.expect(doc, _whole(request.text("version")))
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
        seen = _whole(request.text("version"))
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
            kind=_one_of(request.text("kind"), KIND_WORDS),
            title=" ".join(request.text("title").split()),
            text=request.text("body"),
            to=to,
            cc=tuple(id for id in cc if id not in to),
            lists=tuple(lists),
            urgency=_one_of(request.text("urgency", Urgency.NONE), URGENCY_WORDS),
            urgency_reason=request.text("urgency_reason"),
            label=_one_of(request.text("label", Label.INTERNAL), LABEL_WORDS),
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


class IncomingPages:
    """Documents that organs of this node got."""

    name = "incoming"
    desk: Desk

    @page("GET", "/incoming")
    def register(self, request: Request) -> Screen:
        """Register of incoming documents."""
        desk = self.desk
        tab = request.query("tab") if request.query("tab") in IN_TABS else "arrived"
        where = service.incoming_where(desk, IN_TABS[tab][1], request.query("q"), kind=request.query("kind"), organ=request.query("organ"))
        rows = desk.list(Incoming, *where, order=(Incoming.sent_at.desc(), Incoming.id), **request.window())
        tabs = [(f"/incoming?tab={key}", label, service.incoming_count(desk, states), key == tab) for key, (label, states) in IN_TABS.items()]
        shown = [views.incoming_line(row) for row in rows]
        values = {"words": request.query("q"), "kinds": list(KIND_WORDS.items()), "tab": tab}
        return Screen("documents/arrived.html", rows=shown, tabs=tabs, json={"rows": shown[:PER_PAGE], "tab": tab}, **values)

    @page("GET", "/incoming/<id>")
    def show(self, request: Request, id: str) -> Screen:
        """The incoming sheet (收文处理单)."""
        desk = self.desk
        row = desk.get(Incoming, id)
        letter = desk.get(Letter, row.doc)
        envelope = letter.envelope
        moves = service.incoming_moves(desk, row)
        state = Standing(row.state)
        values = {
            "row": row,
            "envelope": envelope,
            "state": STANDING_WORDS[state],
            "tone": TONES.get(state, ""),
            "kind": KIND_WORDS.get(row.kind, row.kind),
            "sheet": sheet(desk, envelope, id),
            "moves": moves,
            "acts": views.acts_in(row, moves),
            "reasons": list(REASON_WORDS.items()),
            "staff": [(person.id, person.name) for person in service.staff(desk, row.organ)] if "assign" in moves else [],
            "acted": [views.act_line(desk, act) for act in service.timeline(desk, id)],
            "files": views.files_of(desk, envelope.paper.annexes, f"/documents/{row.doc}/annexes"),
            "hands": views.hands_of(desk, id),
            "due": clock.from_ms(row.due) if row.due else None,
            "recalled_at": clock.from_ms(row.recall_at) if row.recall_at else None,
            "note": letter.note,
            "facts": views.facts_in(desk, row, envelope),
            "may_draft": row.organ in {organ.id for organ in service.issuers(desk)},
        }
        return Screen("documents/incoming.html", json=service.doc_get(desk, row.doc) | {"incoming": row, "acts": values["acted"]}, **values)

    @page("POST", "/incoming/<id>/<move>", upload=True)
    def move(self, request: Request, id: str, move: str) -> See:
        """One of the acts that the move table offers."""
        desk, text = self.desk, request.text("text")
        if request.text("version"):
            desk.expect(id, _whole(request.text("version")))
        verbs = {
            "sign_for": lambda: service.sign_for(desk, id),
            "register": lambda: service.register(desk, id, to_handle=request.text("to_handle", "1") == "1"),
            "assign": lambda: service.assign(
                desk, id, lead=request.text("lead"), assistants=request.all("assistants"), readers=request.all("readers"), opinion=text
            ),
            "read": lambda: service.read(desk, id),
            "answer": lambda: service.answer(desk, id, text=text, annexes=self._files(request), close_too=bool(request.text("close_too"))),
            "send_back": lambda: service.send_back(desk, id, reason=request.text("reason"), words=text),
            "close": lambda: service.close(desk, id, note=text),
            "confirm_recall": lambda: service.confirm_recall(desk, id),
        }
        if move not in verbs:
            raise Missing()
        verbs[move]()
        return see_other(f"/incoming/{id}", NOTES[move])

    def _files(self, request: Request) -> tuple[Annex, ...]:
        files = [f for f in request.files.getlist("files") if f.filename]
        return tuple(service.attach(self.desk, f.filename or "", f.mimetype, f.stream) for f in files)


class DocumentsApi:
    """The same for programs: /api/v1/docs, /api/v1/inbox."""

    name = "documents.api"
    desk: Desk

    @page("POST", "/api/v1/docs", takes=service.Post)
    def send(self, request: Request) -> Answer:
        """Issue a document in one step; ``Idempotency-Key`` is its id, so that asking twice is asking once."""
        asked = request.read(service.Post)
        sent = service.post(self.desk, asked, doc=request.headers.get("Idempotency-Key", ""))
        body = {
            "doc": sent.doc,
            "ref": sent.ref,
            "number": sent.number or None,
            "recipients": sent.recipients,
            "ack": "local",
            "repeated": sent.repeated,
        }
        return Answer(body, status=200 if sent.repeated else 201, headers={"Location": f"/api/v1/docs/{sent.doc}"})

    @page("GET", "/api/v1/docs/<doc>")
    def doc(self, request: Request, doc: str) -> Answer:
        """A document with its text, attachments and receipts."""
        return Answer(service.doc_get(self.desk, doc))

    @page("GET", "/api/v1/inbox")
    def inbox(self, request: Request) -> Answer:
        """What came after a cursor, oldest first."""
        since = _whole(request.query("cursor", "0"))
        limit = min(max(_whole(request.query("limit", "100")), 1), 500)
        rows = service.inbox(self.desk, since=since, limit=limit)
        return Answer({"items": rows, "cursor": rows[-1]["cursor"] if rows else since})

    @page("GET", "/api/v1/docs/<doc>/receipts")
    def receipts(self, request: Request, doc: str) -> Answer:
        """Recipients by receipts."""
        return Answer({"doc": doc, "by_recipient": service.receipts(self.desk, doc)})

    @page("POST", "/api/v1/docs/<doc>/receipts", takes=service.Reply)
    def act(self, request: Request, doc: str) -> Answer:
        """Sign for, send back, read, hand on or finish a document that came in."""
        asked = request.read(service.Reply)
        key = request.headers.get("Idempotency-Key", asked.id)
        ref = service.receipt(self.desk, doc, asked.action, note=asked.note, key=key, organ=asked.organ, to=asked.to, reason=asked.reason)
        return Answer({"doc": doc, "ref": ref, "ack": "local"}, status=201)


PAGES = (OutgoingPages, IncomingPages, DocumentsApi)


def _download(desk: Desk, annexes: Sequence[Annex], place: int) -> Response:
    if place >= len(annexes):
        raise Missing()
    annex = annexes[place]
    body = service.open_annex(desk, annex)
    response = Response(body, mimetype="application/octet-stream", headers={"Content-Length": str(annex.size)})
    plain = annex.name.encode("ascii", "replace").decode().replace('"', "_").replace("\\", "_")
    response.headers["Content-Disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(annex.name, safe='')}"
    return response


def _one_of(given: str, known: Collection[str]) -> str:
    if given not in known:
        raise Invalid(_("所选的值不在范围内：{value}").format(value=given[:40]), code="malformed")
    return given


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0
