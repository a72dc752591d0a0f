"""Screens of documents that came in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from node import clock
from node.errors import Missing
from office.documents import service, telling, trays, views, workflow
from office.documents.entries import Annex
from office.documents.forms import download
from office.documents.labels import (
    HEADS,
    IN_TABS,
    KIND_WORDS,
    NOTES,
    STANDING_WORDS,
    TONES,
    WORTH_WORDS,
)
from office.documents.model import Act as Done
from office.documents.model import Document, Incoming, Letter, Urge
from office.documents.proving import doubts
from office.documents.sheets import sheet
from office.documents.terms import Terms
from office.documents.workflow import Standing, Worth
from office.frame.desk import Desk
from office.portal import uploads
from office.portal.page import PER_PAGE, Request, Response, Screen, See, page, see_other, whole

WAITING = ("arrived", "hand", "read")
"Tabs with work, in the order in which the register opens with the first that has any."


class IncomingPages:
    """Documents that organs of this node got."""

    name = "incoming"
    desk: Desk

    @page("GET", "/incoming", keep=True)
    def register(self, request: Request) -> Screen:
        """Register of incoming documents."""
        desk = self.desk
        counts = {key: service.incoming_count(desk, states) for key, (_label, states) in IN_TABS.items()}
        tab = views.tab_of(request.query("tab"), counts, WAITING)
        where = service.incoming_where(desk, IN_TABS[tab][1], request.query("q"), kind=request.query("kind"), organ=request.query("organ"))
        rows = desk.list(Incoming, *where, order=(Incoming.sent_at.desc(), Incoming.id), **request.window(), narrow=None)
        tabs = [(f"/incoming?tab={key}", label, counts[key], key == tab) for key, (label, _states) in IN_TABS.items()]
        shown = [trays.incoming_line(desk, row) for row in rows]
        values: dict[str, Any] = {"words": request.query("q"), "kinds": list(KIND_WORDS.items()), "tab": tab}
        return Screen("documents/arrived.html", rows=shown, tabs=tabs, json={"rows": shown[:PER_PAGE], "tab": tab}, **values)

    @page("GET", "/incoming/<id>")
    def show(self, request: Request, id: str) -> Screen:
        """The incoming sheet (收文处理单)."""
        desk = self.desk
        row = desk.get(Incoming, id)
        letter = desk.get(Letter, row.doc)
        moves = service.incoming_moves(desk, row)
        options = trays.options_of(desk, row, moves)
        ahead, others = trays.offered(desk, row, options)
        acted = trays.account(desk, row)
        due = Terms(desk).due(row)
        values: dict[str, Any] = {
            "row": row,
            "state": STANDING_WORDS[Standing(row.state)],
            "tone": TONES.get(Standing(row.state), ""),
            "kind": KIND_WORDS.get(row.kind, row.kind),
            "sheet": sheet(desk, letter.envelope, id),
            "steps": trays.steps_in(row),
            "acts": trays.acts_in(row, [move for move in moves if self._fits(row, move)]),
            "ahead": ahead,
            "others": others,
            "options": options,
            "urges": trays.urges_of(desk, row),
            "acted": [telling.act_line(desk, act) for act in acted],
            "scans": trays.scans_of(desk, acted, f"/incoming/{id}"),
            "files": views.files_of(desk, letter.envelope.paper.annexes, f"/documents/{row.doc}/annexes"),
            "hands": trays.hands_of(desk, id),
            "lies": trays.lies_of(desk, row),
            "child": views.matrix_of(service.matrix(desk, row.child)) if desk.list(Document, Document.id == row.child) else [],
            "heads": HEADS,
            "master": next(iter(desk.list(Incoming, Incoming.id == row.master)), None) if row.master else None,
            "due": due,
            "recalled_at": clock.from_ms(row.recall_at) if row.recall_at else None,
            "note": letter.note,
            "doubts": doubts(desk, row.doc, letter.envelope) if letter.home else [],
            "validity": views.changes_of(desk, row.doc),
            "worth": WORTH_WORDS[Worth(row.brought)] if row.brought else "",
            "facts": trays.facts_in(desk, row, letter.envelope),
            "may_draft": row.organ in {organ.id for organ in service.issuers(desk)},
        }
        twin = {"incoming": row, "acts": values["acted"], "moves": moves, "urges": values["urges"], "validity": values["validity"]}
        return Screen("documents/incoming.html", json=service.doc_get(desk, row.doc) | twin, **values)

    def _fits(self, row: Incoming, move: str) -> bool:
        if move == "supervise":
            urged = self.desk.list(Urge, Urge.incoming == row.id, Urge.person != "", Urge.answered_at == 0, Urge.step >= workflow.STEPS)
            return bool(urged) and not row.supervised_at
        return move != "sign_correction" or row.corrected

    @page("GET", "/incoming/<id>/scans/<act>/<int:place>", json=False)
    def scan(self, request: Request, id: str, act: str, place: int) -> Response:
        """The scan of a handwritten instruction."""
        row = self.desk.get(Incoming, id)
        found = [one for one in self.desk.list(Done, Done.record == row.id, Done.kind == "documents.instructed") if one.id.hex() == act]
        if not found:
            raise Missing()
        return download(self.desk, found[0].annexes, place)

    @page("POST", "/incoming/<id>/<move>", upload=True)
    def move(self, request: Request, id: str, move: str) -> See:
        """One of the acts that the move table offers."""
        desk = self.desk
        if request.text("version"):
            desk.expect(id, whole(request.text("version")))
        verb = VERBS.get(move)
        if verb is None:
            raise Missing()
        verb(desk, id, request)
        return see_other(f"/incoming/{id}", NOTES[move])


Verb = Callable[[Desk, str, Request], object]
VERBS: dict[str, Verb] = {
    "sign_for": lambda desk, one, r: service.sign_for(desk, one),
    "sign_correction": lambda desk, one, r: service.sign_correction(desk, one),
    "register": lambda desk, one, r: service.register(desk, one, to_handle=r.text("to_handle", "1") == "1"),
    "examine": lambda desk, one, r: service.examine(desk, one, failed=r.all("failed"), opinion=r.text("text")),
    "propose": lambda desk, one, r: service.propose(desk, one, opinion=r.text("text"), leader=r.text("leader")),
    "instruct": lambda desk, one, r: service.instruct(desk, one, opinion=r.text("text")),
    "transcribe": lambda desk, one, r: service.transcribe(desk, one, leader=r.text("leader"), opinion=r.text("text"), annexes=_files(desk, r)),
    "assign": lambda desk, one, r: service.assign(
        desk, one, lead=r.text("lead"), assistants=r.all("assistants"), readers=r.all("readers"), opinion=r.text("text"), due=r.text("due")
    ),
    "circulate": lambda desk, one, r: service.circulate(desk, one, readers=r.all("readers"), in_turn=bool(r.text("in_turn")), opinion=r.text("text")),
    "read": lambda desk, one, r: service.read(desk, one, opinion=r.text("text")),
    "answer": lambda desk, one, r: service.answer(desk, one, text=r.text("text"), annexes=_files(desk, r), close_too=bool(r.text("close_too"))),
    "send_back": lambda desk, one, r: service.send_back(desk, one, reason=r.text("reason"), words=r.text("text")),
    "close": lambda desk, one, r: service.close(desk, one, note=r.text("text")),
    "confirm_recall": lambda desk, one, r: service.confirm_recall(desk, one),
    "urge": lambda desk, one, r: service.urge_person(desk, one, person=r.text("person"), channel=r.text("channel"), text=r.text("text")),
    "answer_urge": lambda desk, one, r: service.answer_urge(desk, one, urge=r.text("urge"), text=r.text("text")),
    "extend": lambda desk, one, r: service.ask_extension(desk, one, until=r.text("until"), reason=r.text("text")),
    "entrust": lambda desk, one, r: service.entrust(
        desk, one, lead=r.text("lead"), assistants=r.all("assistants"), text=r.text("text"), due=r.text("due")
    ),
    "link": lambda desk, one, r: service.link(desk, one, master=r.text("master")),
    "paper": lambda desk, one, r: service.paper_arrived(
        desk, one, copies=whole(r.text("copies", "1")), numbers=r.text("numbers"), place=r.text("place")
    ),
    "supervise": lambda desk, one, r: service.supervise_person(desk, one, text=r.text("text")),
}


def _files(desk: Desk, request: Request) -> tuple[Annex, ...]:
    return tuple(service.attach(desk, f.name, f.mime, f.stream) for f in uploads.given(request, desk.person))
