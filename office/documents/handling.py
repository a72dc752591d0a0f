"""Screens of documents that came in."""

from __future__ import annotations

from node import clock
from node.errors import Missing
from office.documents import service, views
from office.documents.entries import Annex
from office.documents.forms import whole
from office.documents.labels import (
    IN_TABS,
    KIND_WORDS,
    NOTES,
    REASON_WORDS,
    STANDING_WORDS,
    TONES,
)
from office.documents.model import Incoming, Letter
from office.documents.sheets import sheet
from office.documents.workflow import Standing
from office.frame.desk import Desk
from office.portal.page import PER_PAGE, Request, Screen, See, page, see_other


class IncomingPages:
    """Documents that organs of this node got."""

    name = "incoming"
    desk: Desk

    @page("GET", "/incoming", keep=True)
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
            desk.expect(id, whole(request.text("version")))
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
