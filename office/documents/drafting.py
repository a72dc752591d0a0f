"""Screens of documents that an organ issues."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from node import clock
from node.errors import Missing, Refused
from office.documents import burden, service, taking, views, workflow
from office.documents.entries import Annex, Paper, Role
from office.documents.issuers import asked
from office.documents.labels import (
    KIND_WORDS,
    LABEL_WORDS,
    OPENNESS_WORDS,
    OUT_TABS,
    URGENCY_WORDS,
)
from office.documents.model import Document, Incoming, Letter, watched
from office.documents.rules import Finding
from office.documents.sheets import sheet
from office.documents.written import Written, written
from office.frame.desk import Desk
from office.frame.words import _
from office.portal.page import PER_PAGE, Item, Request, Screen, See, page, see_other, whole

WAITING = ("drafts", "review", "sign", "returned")
"Tabs with work, in the order in which the register opens with the first that has any."


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
        counts = {key: service.outgoing_count(desk, states) for key, (_label, states) in OUT_TABS.items()}
        tab = views.tab_of(request.query("tab"), counts, WAITING)
        words = request.query("q")
        where = service.outgoing_where(desk, OUT_TABS[tab][1], words, kind=request.query("kind"), organ=request.query("organ"))
        rows = desk.list(Document, *where, order=(Document.changed_at.desc(), Document.id), **request.window(), narrow=None)
        tabs = [(f"/documents?tab={key}", label, counts[key], key == tab) for key, (label, _states) in OUT_TABS.items()]
        shown = [views.document_line(desk, row) for row in rows]
        if tab == "issued":
            views.add_receipts(shown, service.progress(desk, [row.id for row in rows]))
        values: dict[str, Any] = {"words": words, "kinds": list(KIND_WORDS.items()), "may_draft": bool(service.issuers(desk)), "tab": tab}
        values["numbered"] = bool(watched(desk))
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
        return self._form(paper, "", 0)

    @page("POST", "/documents", upload=True)
    def draft(self, request: Request) -> See | Screen:
        """Keep a new draft."""
        form = written(self.desk, request, Paper("", "letter", "", "", ()))
        if request.text("go").startswith("word"):
            return self._word(request, form, "", 0)
        if form.wrong is not None:
            return self._form(form.paper, "", 0, error=form.wrong, held=form.held)
        try:
            doc = service.draft(self.desk, form.paper, doc=request.text("doc"))
        except Refused as e:
            return self._form(form.paper, "", 0, error=e, held=form.held)
        return self._then(request, doc, _("草稿已保存。"))

    @page("GET", "/documents/<doc>/edit")
    def edit(self, request: Request, doc: str) -> Screen:
        """The sheet of a draft."""
        document = self.desk.get(Document, doc)
        if "revise" not in service.moves(self.desk, document):
            raise Missing()
        return self._form(document.paper, doc, self.desk.version(doc), preview=bool(request.query("preview")))

    @page("POST", "/documents/<doc>/edit", upload=True)
    def revise(self, request: Request, doc: str) -> See | Screen:
        """Keep what a draft now says."""
        document = self.desk.get(Document, doc)
        seen = whole(request.text("version"))
        form = written(self.desk, request, document.paper)
        if request.text("go").startswith("word"):
            return self._word(request, form, doc, seen)
        if form.wrong is not None:
            return self._form(form.paper, doc, seen, error=form.wrong, held=form.held)
        if seen:
            self.desk.expect(doc, seen)
        try:
            service.revise(self.desk, doc, form.paper)
        except Refused as e:
            return self._form(form.paper, doc, seen, error=e, held=form.held)
        return self._then(request, doc, _("已保存。"))

    @page("GET", "/documents/<doc>/correct")
    def correction(self, request: Request, doc: str) -> Screen:
        """The sheet for a corrected issue."""
        document = self.desk.get(Document, doc)
        if "correct" not in service.moves(self.desk, document):
            raise Missing()
        return self._form(self.desk.get(Letter, doc).envelope.paper, doc, self.desk.version(doc), correcting=True)

    @page("POST", "/documents/<doc>/correct", upload=True)
    def correct(self, request: Request, doc: str) -> See | Screen:
        """Send the corrected issue."""
        former = self.desk.get(Letter, doc).envelope.paper
        form = written(self.desk, request, former)
        seen = whole(request.text("version"))
        if form.wrong is not None:
            return self._form(form.paper, doc, seen, correcting=True, error=form.wrong, held=form.held)
        if seen:
            self.desk.expect(doc, seen)
        try:
            sent = service.correct(self.desk, doc, form.paper, note=request.text("note"))
        except Refused as e:
            return self._form(form.paper, doc, seen, correcting=True, error=e, held=form.held)
        return see_other(f"/documents/{doc}", _("更正件已发出。") if sent else _("更正件待印章管理员用印后发出。"))

    def _word(self, request: Request, form: Written, doc: str, version: int) -> Screen:
        """The form as it was typed, with what a Word file says above it (``word``), in its place (``word-use``), or no more (``word-leave``)."""
        go = request.text("go")
        try:
            found = taking.found(self.desk, request, form.paper) if go == "word" else None
        except Refused as e:
            return self._form(form.paper, doc, version, error=e, held=form.held)
        paper = taking.used(self.desk, request, form.paper) if go == "word-use" else form.paper
        return self._form(paper, doc, version, held=form.held, word=found)

    def _then(self, request: Request, doc: str, note: str) -> See | Screen:
        """After saving: stay on the draft, or put it before the reviewers at once."""
        if request.text("go") == "preview":
            return see_other(f"/documents/{doc}/edit?preview=1", note, doc=doc)
        if request.text("go") != "submit":
            return see_other(f"/documents/{doc}", note, doc=doc)
        try:
            service.submit(self.desk, doc)
        except Refused as e:
            return self._form(self.desk.get(Document, doc).paper, doc, self.desk.version(doc), error=e, kept=True)
        return see_other(f"/documents/{doc}", _("已送核。"), doc=doc)

    def _form(
        self,
        paper: Paper,
        doc: str,
        version: int,
        *,
        preview: bool = False,
        correcting: bool = False,
        error: Refused | None = None,
        kept: bool = False,
        held: Sequence[Annex] = (),
        word: taking.Found | None = None,
    ) -> Screen:
        desk = self.desk
        organs = service.issuers(desk)
        if not organs:
            raise Missing()
        shown = None
        found: list[Finding] = []
        if preview:
            found = service.findings(desk, paper)
            shown = sheet(desk, service.preview(desk, paper, doc), doc or "new")
        values: dict[str, Any] = {
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
            "burden": burden.shown(desk, paper),
            "openness": list(OPENNESS_WORDS.items()),
            "joint": [] if correcting or asked(desk, doc) else views.groups_of(desk, paper.organ, issuing=True),
            "earlier": views.earlier_of(desk, paper, doc),
            "annexes": [annex for annex in paper.annexes if annex not in held],
            "held": held,
            "sheet": shown,
            "findings": [(f.refuses, service.sentence(f) + service.way(f)) for f in found],
            "correcting": correcting,
            "error": str(error) if error else "",
            "kept": kept,
            "word": word,
            "answers_to": views.title_of(desk, paper.in_reply_to),
        }
        json = {"paper": paper, "doc": doc, "version": version, "findings": values["findings"], "error": values["error"], "word": word}
        return Screen("documents/compose.html", status=error.http if error else 200, json=json, **values)
