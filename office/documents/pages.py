"""Screens of documents: two registers, the sheet one drafts on, a document, an incoming one; and their faces for programs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from werkzeug.wrappers import Response

from node import clock
from node.directory.entries import Organ
from node.errors import Invalid, Missing, NodeError
from office.documents import service, workflow
from office.documents.entries import Annex, Cited, Envelope, Label, Paper, Role, Urgency
from office.documents.model import Act as Done
from office.documents.model import Document, Hand, Incoming, Letter
from office.documents.workflow import Finding, Stage, Standing
from office.frame.desk import Desk
from office.frame.words import _
from office.portal.page import PER_PAGE, Act, Answer, Item, Request, Screen, See, page, see_other

KIND_WORDS = {
    "resolution": _("决议"),
    "decision": _("决定"),
    "order": _("命令（令）"),
    "communique": _("公报"),
    "announcement": _("公告"),
    "public_notice": _("通告"),
    "opinion": _("意见"),
    "notice": _("通知"),
    "circular": _("通报"),
    "report": _("报告"),
    "request": _("请示"),
    "reply": _("批复"),
    "bill": _("议案"),
    "letter": _("函"),
    "minutes": _("纪要"),
}
STAGE_WORDS = {
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
}
STANDING_WORDS = {
    Standing.DELIVERED: _("待签收"),
    Standing.SIGNED_IN: _("已签收"),
    Standing.REGISTERED: _("已登记"),
    Standing.IN_HAND: _("承办中"),
    Standing.CIRCULATING: _("传阅中"),
    Standing.ANSWERED: _("已答复"),
    Standing.CLOSED: _("办结"),
    Standing.SENT_BACK: _("已退文"),
    Standing.RECALL_ASKED: _("来文机关请求撤回"),
    Standing.RECALLED: _("已被撤回"),
}
TONES = {
    Stage.RETURNED: "warn",
    Stage.DISPATCHED: "good",
    Stage.RECALLED: "bad",
    Stage.VOID: "bad",
    Standing.DELIVERED: "warn",
    Standing.CLOSED: "good",
    Standing.SENT_BACK: "bad",
    Standing.RECALL_ASKED: "bad",
    Standing.RECALLED: "bad",
}
LABEL_WORDS = {Label.PUBLIC: _("公开"), Label.INTERNAL: _("内部"), Label.WORK_SECRET: _("工作秘密")}
URGENCY_WORDS = {Urgency.NONE: _("平件"), Urgency.URGENT: _("加急"), Urgency.FLASH: _("特急")}
ROLE_WORDS = {Role.TO: _("主送"), Role.CC: _("抄送")}
REASON_WORDS = {
    "not_ours": _("非本机关职权"),
    "routing": _("不符合行文规则"),
    "format": _("文种格式不符"),
    "not_consulted": _("未协商会签"),
    "annex_missing": _("缺附件"),
    "duplicate": _("重复来文"),
    "secret": _("涉密渠道错误"),
}
RECEIPT_WORDS = {"R2": _("签收"), "R2x": _("退文"), "R3": _("阅知"), "R4": _("办理反馈"), "R5": _("撤回确认")}
ACT_WORDS = {
    "documents.drafted": _("拟稿"),
    "documents.revised": _("修改"),
    "documents.submitted": _("送核"),
    "documents.returned": _("退回"),
    "documents.reviewed": _("核稿"),
    "documents.signed": _("签发"),
    "documents.numbered": _("编号"),
    "documents.sealed": _("用印"),
    "documents.dispatched": _("核发"),
    "documents.corrected": _("更正重发"),
    "documents.recalled": _("撤回"),
    "documents.voided": _("作废"),
    "documents.signed_for": _("签收"),
    "documents.sent_back": _("退文"),
    "documents.registered": _("登记"),
    "documents.assigned": _("分办"),
    "documents.read": _("阅知"),
    "documents.answered": _("办理反馈"),
    "documents.recall_confirmed": _("撤回确认"),
    "documents.closed": _("办结"),
}
OUT_TABS = {
    "drafts": (_("草稿"), (Stage.DRAFT,)),
    "review": (_("核稿中"), (Stage.REVIEW,)),
    "sign": (_("待签发"), (Stage.SIGN, Stage.SIGNED, Stage.NUMBERED, Stage.SEALED)),
    "issued": (_("已发出"), (Stage.DISPATCHED,)),
    "returned": (_("退回"), (Stage.RETURNED,)),
    "ended": (_("撤回和作废"), (Stage.RECALLED, Stage.VOID)),
}
IN_TABS = {
    "arrived": (_("待签收"), (Standing.DELIVERED,)),
    "hand": (_("在办"), (Standing.SIGNED_IN, Standing.REGISTERED, Standing.IN_HAND, Standing.ANSWERED, Standing.RECALL_ASKED)),
    "read": (_("待阅"), (Standing.CIRCULATING,)),
    "done": (_("办结"), (Standing.CLOSED,)),
    "back": (_("退文和撤回"), (Standing.SENT_BACK, Standing.RECALLED)),
}


class OutgoingPages:
    """Documents that organs of this node issue."""

    name = "documents"
    menu = (
        Item("/documents", _("发文"), icon="out", count=lambda desk: service.waiting_out(desk)),
        Item("/incoming", _("收文"), icon="tray", count=lambda desk: service.waiting_in(desk)),
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
        shown = [_document_line(desk, row) for row in rows]
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
        """Keep a new draft; or only show how it would look."""
        paper = self._paper(request, Paper("", "letter", "", "", ()))
        if request.text("go") == "preview":
            return self._form(request, paper, "", 0, preview=True)
        try:
            doc = service.draft(self.desk, paper, doc=request.text("doc"))
        except Invalid as e:
            return self._form(request, paper, "", 0, error=str(e))
        return self._then(request, doc, _("草稿已保存。"))

    @page("GET", "/documents/<doc>/edit")
    def edit(self, request: Request, doc: str) -> Screen:
        """The sheet of a draft."""
        document = self.desk.get(Document, doc)
        if "revise" not in service.moves(self.desk, document):
            raise Missing()
        return self._form(request, document.paper, doc, self.desk.version(doc))

    @page("POST", "/documents/<doc>/edit", upload=True)
    def revise(self, request: Request, doc: str) -> See | Screen:
        """Keep what a draft now says; or only show how it would look."""
        document = self.desk.get(Document, doc)
        seen = _whole(request.text("version"))
        paper = self._paper(request, document.paper)
        if request.text("go") == "preview":
            return self._form(request, paper, doc, seen, preview=True)
        if seen:
            self.desk.expect(doc, seen)
        try:
            service.revise(self.desk, doc, paper)
        except Invalid as e:
            return self._form(request, paper, doc, seen, error=str(e))
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
            "steps": _steps(document),
            "acts": _acts(desk, document),
            "moves": service.moves(desk, document),
            "prefixes": _prefixes(desk, document),
            "matrix": _matrix(rows),
            "summary": _summary(rows),
            "acted": [_act_line(desk, act) for act in service.timeline(desk, doc)],
            "files": _files(desk, envelope.paper.annexes, f"/documents/{doc}/annexes"),
            "answers": _answers(desk, rows, doc),
            "letter": letters[0] if letters else None,
            "due": clock.from_ms(envelope.paper.due) if envelope.paper.due else None,
            "facts": _facts(desk, document, envelope),
        }
        return Screen("documents/show.html", json=service.doc_get(desk, doc) | {"matrix": service.receipts(desk, doc)}, **values)

    @page("GET", "/documents/<doc>/matrix")
    def matrix(self, request: Request, doc: str) -> Screen:
        """The recipients by receipts alone, for the page that keeps itself fresh."""
        rows = service.matrix(self.desk, doc)
        return Screen("documents/matrix.html", matrix=_matrix(rows), summary=_summary(rows), doc=doc, json=service.receipts(self.desk, doc))

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
        except Invalid as e:
            return self._form(request, paper, doc, seen, correcting=True, error=str(e))
        return see_other(f"/documents/{doc}", _("更正件已发出。"))

    def _then(self, request: Request, doc: str, note: str) -> See | Screen:
        """After saving: stay on the draft, or put it before the reviewers at once."""
        if request.text("go") != "submit":
            return see_other(f"/documents/{doc}", note, doc=doc)
        try:
            service.submit(self.desk, doc)
        except NodeError as e:
            return self._form(request, self.desk.get(Document, doc).paper, doc, self.desk.version(doc), error=str(e))
        return see_other(f"/documents/{doc}", _("已送核。"), doc=doc)

    def _form(
        self, request: Request, paper: Paper, doc: str, version: int, *, preview: bool = False, correcting: bool = False, error: str = ""
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
            "groups": _groups(desk, paper.organ),
            "lists": [(listing.id, listing.name) for listing in desk.directory.lists()],
            "to_lists": [c.id for c in paper.lists if c.role == Role.TO],
            "cc_lists": [c.id for c in paper.lists if c.role == Role.CC],
            "due": clock.from_ms(paper.due).astimezone(workflow.SHANGHAI).strftime("%Y-%m-%dT%H:%M") if paper.due else "",
            "count": workflow.characters(paper.text),
            "sheet": shown,
            "findings": [(f.refuses, service.sentence(f)) for f in found],
            "correcting": correcting,
            "error": error,
            "answers_to": _titles(desk, paper.in_reply_to),
        }
        json = {"paper": paper, "doc": doc, "version": version, "findings": values["findings"], "error": error}
        return Screen("documents/compose.html", status=422 if error else 200, json=json, **values)

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


NOTES = {
    "submit": _("已送核。"),
    "return": _("已退回。"),
    "review": _("已核稿，送签发。"),
    "sign": _("已签发。"),
    "number": _("已编号。"),
    "seal": _("已用印。"),
    "dispatch": _("已核发。"),
    "issue": _("已核发。"),
    "recall": _("已撤回；已经签收的机关将收到撤回请求。"),
    "void": _("已作废。"),
    "sign_for": _("已签收。"),
    "register": _("已登记。"),
    "assign": _("已分办。"),
    "read": _("已阅。"),
    "answer": _("办理情况已反馈。"),
    "send_back": _("已退文。"),
    "close": _("已办结。"),
    "confirm_recall": _("已确认撤回。"),
}


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
        shown = [_incoming_line(row) for row in rows]
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
            "acts": _incoming_acts(row, moves),
            "reasons": list(REASON_WORDS.items()),
            "staff": [(person.id, person.name) for person in service.staff(desk, row.organ)] if "assign" in moves else [],
            "acted": [_act_line(desk, act) for act in service.timeline(desk, id)],
            "files": _files(desk, envelope.paper.annexes, f"/documents/{row.doc}/annexes"),
            "hands": _hands(desk, id),
            "due": clock.from_ms(row.due) if row.due else None,
            "recalled_at": clock.from_ms(row.recall_at) if row.recall_at else None,
            "note": letter.note,
            "facts": _incoming_facts(desk, row, envelope),
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


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A document as the printed sheet shows it; not translated."""

    id: str
    head: str
    head_size: str
    number: str
    signer: str
    "签发人, shown on upward documents only."
    title: str
    to: str
    cc: str
    paragraphs: tuple[tuple[int, str], ...]
    "(level 1 黑体, 2 楷体, 0 plain; text)."
    annexes: tuple[str, ...]
    issuer: str
    date: str
    sealed: bool
    urgency: str
    label: str
    letter: bool
    printer: str
    stamp_size: int
    stamp_length: int


def sheet(desk: Desk, envelope: Envelope, id: str) -> Sheet:
    """The printed sheet of an envelope: GB/T 9704-2012, the 信函格式 for 函."""
    paper = envelope.paper
    letter = paper.kind in ("letter", "reply")
    head = envelope.issuer if letter else envelope.issuer + "文件"
    upward = paper.kind in ("request", "report")
    return Sheet(
        id=id,
        head=head,
        head_size="s" if len(head) > 16 else "m" if len(head) > 11 else "l",
        number=envelope.number,
        signer=envelope.signer if upward else "",
        title=paper.title,
        to=_addressed(desk, envelope, Role.TO),
        cc=_addressed(desk, envelope, Role.CC),
        paragraphs=tuple(_paragraph(line) for line in paper.text.splitlines() if line.strip()),
        annexes=tuple(_stem(annex.name) for annex in paper.annexes),
        issuer=envelope.issuer,
        date=chinese_day(envelope.signed_on),
        sealed=envelope.seal is not None,
        urgency={Urgency.FLASH: "特急", Urgency.URGENT: "加急"}.get(Urgency(paper.urgency), ""),
        label={Label.WORK_SECRET: "工作秘密", Label.INTERNAL: "内部"}.get(Label(paper.label), ""),
        letter=letter,
        printer=envelope.issuer,
        stamp_size=24 if len(envelope.issuer) <= 14 else 18,
        stamp_length=min(300, 26 * len(envelope.issuer)),
    )


def chinese_day(iso: str) -> str:
    """成文日期 in Arabic figures without padding: 2026年1月5日."""
    if not iso:
        return ""
    day = dt.date.fromisoformat(iso)
    return f"{day.year}年{day.month}月{day.day}日"


def _paragraph(line: str) -> tuple[int, str]:
    line = line.strip()
    if len(line) > 1 and line[0] in "一二三四五六七八九十" and "、" in line[:4]:
        return 1, line
    return (2, line) if line.startswith("（") and line[1:2] in "一二三四五六七八九十" and len(line) > 2 else (0, line)


def _stem(name: str) -> str:
    return name.rsplit(".", 1)[0] or name


def _addressed(desk: Desk, envelope: Envelope, role: Role) -> str:
    """The recipients of one role as they are printed: standing lists by name, then single organs."""
    names = []
    listed: set[str] = set()
    for cited in envelope.paper.lists:
        if cited.role == role:
            listing = next((found for found in desk.directory.lists() if found.id == cited.id), None)
            names.append(listing.name if listing is not None else cited.id)
            listed |= set(listing.organs) if listing is not None else set()
    single = envelope.paper.to if role == Role.TO else envelope.paper.cc
    for recipient in envelope.recipients:
        if recipient.role == role and (recipient.organ in single or recipient.organ not in listed and not envelope.paper.lists):
            organ = desk.directory.organ(recipient.organ)
            names.append((organ.full_name if len(single) == 1 else organ.short_name) if organ is not None else recipient.organ)
    return "，".join(names)


def _document_line(desk: Desk, row: Document) -> dict[str, Any]:
    drafter = desk.directory.person(row.drafter)
    return {
        "id": row.id,
        "url": f"/documents/{row.id}",
        "title": row.title or str(_("（无标题）")),
        "number": row.number,
        "kind": KIND_WORDS.get(row.kind, row.kind),
        "urgency": row.urgency,
        "label": row.label,
        "state": STAGE_WORDS[Stage(row.state)],
        "tone": TONES.get(Stage(row.state), ""),
        "organ": desk.directory.organ(row.organ).short_name if desk.directory.organ(row.organ) else row.organ,
        "drafter": drafter.name if drafter is not None else "",
        "at": clock.from_ms(row.changed_at),
        "about": row.returned if row.state == Stage.RETURNED else "",
    }


def _incoming_line(row: Incoming) -> dict[str, Any]:
    return {
        "id": row.id,
        "doc": row.doc,
        "url": f"/incoming/{row.id}",
        "title": row.title,
        "number": row.number,
        "register": row.register,
        "kind": KIND_WORDS.get(row.kind, row.kind),
        "urgency": row.urgency,
        "role": ROLE_WORDS[Role(row.role)],
        "from": row.issuer_name,
        "state": STANDING_WORDS[Standing(row.state)],
        "tone": TONES.get(Standing(row.state), ""),
        "at": clock.from_ms(row.sent_at),
        "due": clock.from_ms(row.due) if row.due else None,
        "done": row.state in (Standing.CLOSED, Standing.SENT_BACK, Standing.RECALLED),
    }


ORDER = (
    (Stage.DRAFT, _("拟稿")),
    (Stage.REVIEW, _("核稿")),
    (Stage.SIGN, _("签发")),
    (Stage.SIGNED, _("编号")),
    (Stage.NUMBERED, _("用印")),
    (Stage.SEALED, _("核发")),
    (Stage.DISPATCHED, _("跟踪")),
)


def _steps(document: Document) -> list[tuple[str, str]]:
    state = Stage.DRAFT if document.state == Stage.RETURNED else Stage(document.state)
    at = next((n for n, (stage, _label) in enumerate(ORDER) if stage == state), -1)
    return [(label, "now" if n == at else "done" if n < at else "") for n, (_stage, label) in enumerate(ORDER)] if at >= 0 else []


def _acts(desk: Desk, document: Document) -> list[Act]:
    """Buttons of what may be done now; numbering and issuing have forms of their own on the page."""
    url, moves = f"/documents/{document.id}", service.moves(desk, document)
    seen = {"version": str(desk.version(document.id))}
    every = {
        "submit": Act(f"{url}/submit", _("送核"), "main", ask=_("送核说明"), fields=seen),
        "review": Act(f"{url}/review", _("核稿通过，送签发"), "main", ask=_("核稿意见"), fields=seen),
        "sign": Act(f"{url}/sign", _("签发"), "main", ask=_("签发意见"), fields=seen),
        "seal": Act(f"{url}/seal", _("用印"), "main", fields=seen),
        "dispatch": Act(f"{url}/dispatch", _("核发"), "main", fields=seen, confirm=_("核发后各收文机关即可签收。")),
        "return": Act(f"{url}/return", _("退回"), "plain", ask=_("退回原因"), need=True, fields=seen),
        "recall": Act(
            f"{url}/recall", _("撤回"), "danger", ask=_("撤回原因"), need=True, fields=seen, confirm=_("未签收的立即撤回；已签收的须由对方确认。")
        ),
        "void": Act(f"{url}/void", _("作废"), "danger", ask=_("作废原因"), need=True, fields=seen, confirm=_("作废后不能恢复，已给的文号不再使用。")),
    }
    return [act for name, act in every.items() if name in moves]


def _prefixes(desk: Desk, document: Document) -> list[tuple[str, str]]:
    organ = desk.directory.organ(document.organ)
    year = workflow.day(desk.now).year
    return [(prefix, f"{prefix}〔{year}〕") for prefix in organ.doc_prefixes] if organ is not None else []


def _incoming_acts(row: Incoming, moves: Sequence[str]) -> list[Act]:
    url = f"/incoming/{row.id}"
    every = {
        "sign_for": Act(f"{url}/sign_for", _("签收"), "main"),
        "confirm_recall": Act(f"{url}/confirm_recall", _("确认撤回"), "main", confirm=_("确认后本件不再办理。")),
        "read": Act(f"{url}/read", _("已阅"), "main"),
        "close": Act(f"{url}/close", _("办结"), "plain", ask=_("办结说明")),
    }
    return [act for name, act in every.items() if name in moves]


def _facts(desk: Desk, document: Document, envelope: Envelope) -> list[tuple[str, Any]]:
    paper = envelope.paper
    drafter = desk.directory.person(document.drafter)
    return [
        (_("发文字号"), document.number or _("未编号")),
        (_("发文机关"), envelope.issuer),
        (_("主送"), _addressed(desk, envelope, Role.TO)),
        (_("抄送"), _addressed(desk, envelope, Role.CC)),
        (_("拟稿人"), drafter.name if drafter is not None else ""),
        (_("签发人"), document.signer),
        (_("成文日期"), chinese_day(document.signed_on)),
        (_("标识"), LABEL_WORDS.get(Label(paper.label), paper.label)),
        (_("特急理由"), paper.urgency_reason),
        (_("答复要求"), _("需要答复") if paper.reply_required else ""),
        (_("作废原因"), document.void),
        (_("退回原因"), document.returned if document.state == Stage.RETURNED else ""),
        (_("针对来文"), _titles(desk, paper.in_reply_to)),
    ]


def _incoming_facts(desk: Desk, row: Incoming, envelope: Envelope) -> list[tuple[str, Any]]:
    organ = desk.directory.organ(row.organ)
    return [
        (_("收文机关"), organ.full_name if organ is not None else row.organ),
        (_("来文机关"), row.issuer_name),
        (_("来文字号"), row.number or _("无")),
        (_("来文日期"), chinese_day(envelope.signed_on)),
        (_("收文号"), row.register),
        (_("办件或阅件"), (_("办件") if row.to_handle else _("阅件")) if row.register else ""),
        (_("收文方式"), ROLE_WORDS[Role(row.role)]),
        (_("标识"), LABEL_WORDS.get(Label(row.label), row.label)),
        (_("答复要求"), _("需要答复") if row.reply_required else ""),
        (_("拟办意见"), row.opinion),
        (_("退文原因"), REASON_WORDS.get(row.sent_back, "")),
        (_("撤回原因"), row.recall_reason),
    ]


def _titles(desk: Desk, doc: str) -> str:
    found = desk.list(Letter, Letter.id == doc) if doc else []
    if not found:
        return doc
    paper = found[0].envelope
    return f"《{paper.paper.title}》" + (f"（{paper.number}）" if paper.number else "")


def _matrix(rows: Sequence[service.Row]) -> list[tuple[str, list[Any]]]:
    return [(f"{row.name}（{ROLE_WORDS[Role(row.role)]}）", _cells(row)) for row in rows]


HEADS = (_("R0 转发"), _("R1 送达"), _("R2 签收"), _("R3 阅知"), _("R4 办理反馈"), _("退文、撤回"))


def _cells(row: service.Row) -> list[Any]:
    unknown = None
    if row.silent:
        since = _("自 {time} 起失联，以后情况不明").format(time=_when(row.heard)) if row.heard else _("尚未联系上，情况不明")
        unknown = {"text": since, "sub": row.node_name, "tone": "warn"}
    waiting = (
        {"text": _("待发，等待线路"), "sub": row.node_name, "tone": "warn"}
        if row.silent
        else {"text": _("待发"), "sub": row.node_name, "tone": "plain"}
    )
    hops = {"text": "、".join(name for name, _at in row.carried), "sub": _when(row.carried[-1][1]), "tone": "plain"} if row.carried else None
    arrived = {"text": _("已送达"), "sub": _when(row.delivered), "tone": "good"} if row.delivered is not None else None
    receipts = {code: _receipt_cell(act) for code, act in row.receipts.items()}
    back = receipts.get("R2x") or receipts.get("R5")
    first = hops or (None if arrived else waiting)
    signed = receipts.get("R2") or (None if back else unknown)
    return [first, arrived or (unknown if hops else None), signed, receipts.get("R3"), receipts.get("R4"), back]


def _receipt_cell(act: Done) -> dict[str, Any]:
    words = {"R2x": REASON_WORDS.get(act.reason, _("退文")), "R5": _("撤回已确认")}.get(act.receipt)
    who = act.name or _("自动")
    tone = "bad" if act.receipt == "R2x" else "good"
    return {"text": f"{words}：{who}" if words else who, "sub": _when(act.at), "tone": tone}


def _when(at: int | None) -> str:
    return clock.from_ms(at).astimezone(workflow.SHANGHAI).strftime("%m-%d %H:%M") if at else ""


def _summary(rows: Sequence[service.Row]) -> str:
    """Counts in words, with those of whom nothing is known named as such."""
    if not rows:
        return ""
    signed = sum("R2" in row.receipts for row in rows)
    arrived = sum(row.delivered is not None for row in rows)
    unknown = sum(row.silent and "R2" not in row.receipts for row in rows)
    text = _("共 {all} 个收文机关：送达 {arrived}，签收 {signed}。").format(all=len(rows), arrived=arrived, signed=signed)
    return text + (_("其中 {n} 个失联，情况不明。").format(n=unknown) if unknown else "")


def _act_line(desk: Desk, act: Done) -> dict[str, Any]:
    person, post = desk.directory.person(act.person), desk.directory.post(act.post)
    text = act.text
    if act.kind == "documents.sent_back":
        text = f"{REASON_WORDS.get(act.reason, act.reason)}：{act.text}"
    if act.kind == "documents.assigned":
        names = [found.name for found in map(desk.directory.person, act.reason.split()) if found is not None]
        text = "、".join(names) + (f"：{act.text}" if act.text else "")
    return {
        "at": clock.from_ms(act.at),
        "who": act.name or (person.name if person is not None else str(_("本节点自动"))),
        "post": post.title if post is not None else "",
        "what": ACT_WORDS.get(act.kind, act.kind),
        "text": text,
        "tone": "bad" if act.receipt == "R2x" or act.kind.endswith(("returned", "voided", "recalled")) else "",
    }


def _hands(desk: Desk, incoming: str) -> list[dict[str, Any]]:
    words = {"lead": _("承办"), "assist": _("协办"), "read": _("阅知")}
    rows = desk.list(Hand, Hand.incoming == incoming, order=(Hand.task, Hand.at, Hand.person))
    found = []
    for row in rows:
        person = desk.directory.person(row.person)
        read_at = clock.from_ms(row.read_at) if row.read_at else None
        found.append({"name": person.name if person is not None else row.person, "task": words.get(row.task, _("已阅")), "read_at": read_at})
    return found


def _files(desk: Desk, annexes: Sequence[Annex], url: str) -> list[dict[str, Any]]:
    words = {"whole": ("", ""), "partial": (_("正在传送"), "warn"), "waiting": (_("等待传送"), "warn")}
    found = []
    for place, annex in enumerate(annexes):
        state, tone = words[service.blob_state(desk, annex)]
        found.append({"name": annex.name, "size": annex.size, "url": f"{url}/{place}", "state": state, "tone": tone, "sha": annex.sha.hex()})
    return found


def _answers(desk: Desk, rows: Sequence[service.Row], doc: str) -> list[dict[str, Any]]:
    """What recipients answered, with their files."""
    found = []
    for row in rows:
        acts = [act for act in (*row.receipts.values(), *row.also) if act.receipt == "R4"]
        for act in acts:
            files = _files(desk, act.annexes, f"/documents/{doc}/answers/{act.id.hex()}")
            found.append({"organ": row.name, "name": act.name, "at": clock.from_ms(act.at), "text": act.text, "files": files})
    return found


def _groups(desk: Desk, issuer: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """All organs but the issuer, grouped under the organ that commands them, in protocol order."""
    groups: dict[str, list[tuple[str, str]]] = {}
    names: dict[str, Organ] = {organ.id: organ for organ in desk.directory.organs()}
    for organ in names.values():
        top = names.get(organ.parent_id)
        label = top.short_name if top is not None else organ.short_name if organ.kind in ("government", "zone_committee") else str(_("其他机关"))
        if organ.id != issuer:
            groups.setdefault(label, []).append((organ.id, organ.short_name))
    return list(groups.items())


def _download(desk: Desk, annexes: Sequence[Annex], place: int) -> Response:
    if place >= len(annexes):
        raise Missing()
    annex = annexes[place]
    body = service.open_annex(desk, annex)
    response = Response(body, mimetype="application/octet-stream", headers={"Content-Length": str(annex.size)})
    response.headers.set("Content-Disposition", "attachment", filename=annex.name)
    return response


def _one_of(given: str, known: Any) -> str:
    if given not in known:
        raise Invalid(_("所选的值不在范围内：{value}").format(value=given[:40]), code="malformed")
    return given


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0
