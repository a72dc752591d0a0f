"""Screens of calls, and the requests that a page in a call makes."""

from __future__ import annotations

from typing import Any

import msgspec
from werkzeug.utils import send_file
from werkzeug.wrappers import Response

from office.calls import board, films, service
from office.calls.entries import HIGH, MANY, WIDE
from office.calls.model import Act as Happened
from office.calls.model import Call
from office.calls.workflow import State
from office.frame import account
from office.frame.desk import Desk
from office.frame.reach import name_of
from office.frame.words import _
from office.portal import choosing
from office.portal.page import Act, Answer, Item, Request, Screen, See, page, see_other

STATES = {State.OPEN: (_("进行中"), "good"), State.ENDED: (_("已结束"), "")}
FINDER = {"q": "name, pinyin, telephone, post or organ of somebody", "organ": "whose people are asked for"}
ACT_WORDS = {"calls.opened": _("发起"), "calls.asked": _("邀请参加"), "calls.ended": _("结束")}


class CallPages:
    """Voices and pictures."""

    name = "calls"
    desk: Desk
    menu = (Item("/calls", _("会商"), icon="video", count=lambda desk: len(service.todo(desk)), shown=lambda desk: bool(desk.settings.media)),)

    @page("GET", "/calls")
    def register(self, request: Request) -> Screen:
        """Calls to which one was asked, the newest first."""
        rows = [self._line(row) for row in self.desk.list(Call, order=(Call.opened_at.desc(), Call.id), **request.window())]
        return Screen("calls/register.html", rows=rows, json={"calls": rows[:30]})

    @page("GET", "/calls/new", query=FINDER | {"with": "persons who are chosen already, with commas between"})
    @page("POST", "/calls/new")
    def new(self, request: Request) -> Screen:
        """Whom to ask to a call; a form that is sent here is shown again, with what is ticked."""
        chosen = [one for one in request.query("with").split(",") if one != self.desk.person and self.desk.directory.person(one) is not None]
        choice = choosing.choose(self.desk, request, chosen[:MANY])
        title = request.text("title") if request.method == "POST" else ""
        return Screen("calls/new.html", choice=choice, title=title, json={"people": choosing.names(choice.people)})

    @page("POST", "/calls")
    def open(self, request: Request) -> See:
        """Open a call."""
        made = service.open_(self.desk, request.text("title"), choosing.people(self.desk, request))
        return see_other(f"/calls/{made}", call=made)

    @page("GET", "/calls/<call>")
    def show(self, request: Request, call: str) -> Screen:
        """A call: who is in it, the pictures, and what one may do."""
        desk, row = self.desk, self.desk.get(Call, call)
        guests, moves = service.guests(desk, call), service.moves(desk, row)
        state, tone = STATES[State(row.state)]
        acts = {
            "note": Act(f"/calls/{call}/note", _("知道了"), "main"),
            "decline": Act(f"/calls/{call}/decline", _("不参加"), ask=_("原因"), need=True),
            "end": Act(f"/calls/{call}/end", _("结束会商"), "danger", confirm=_("所有人都将离开，会商不能再开。")),
        }
        values: dict[str, Any] = {
            "row": row,
            "state": state,
            "tone": tone,
            "chair": self._name(row.chair),
            "guests": [(one, self._name(one.person), self._place(one.person)) for one in guests],
            "names": {one.person: self._name(one.person) for one in guests},
            "moves": moves,
            "nests": bool(desk.directory.tree().children(desk.node)),
            "acts": [act for move, act in acts.items() if move in moves],
            "board": board.shown(desk, call),
            "wide": (WIDE, HIGH),
            "films": films.sessions(desk.settings, row.id),
            "happened": account.lines(desk, Happened, call, ACT_WORDS),
        }
        plain = {"call": row, "people": [one.person for one in guests], "moves": sorted(moves)}
        return Screen("calls/show.html", **values, json=plain, allow=("camera", "microphone", "display-capture"))

    @page("GET", "/calls/<call>/films/<int:began>/<name>", json=False)
    def film(self, request: Request, call: str, began: int, name: str) -> Response:
        """A film of what was recorded; players ask for parts of it."""
        row = self.desk.get(Call, call)
        file = films.film(self.desk.settings, row.id, began, name)
        return send_file(file, request.environ, mimetype="video/webm", conditional=True, etag=False)

    @page("GET", "/calls/<call>/more", query=FINDER)
    @page("POST", "/calls/<call>/more")
    def more(self, request: Request, call: str) -> Screen:
        """Whom else to ask; a form that is sent here is shown again, with what is ticked."""
        row = self.desk.get(Call, call)
        choice = choosing.choose(self.desk, request)
        return Screen("calls/more.html", row=row, choice=choice, json={"call": row, "people": choosing.names(choice.people)})

    @page("POST", "/calls/<call>/ask")
    def ask(self, request: Request, call: str) -> See:
        """Ask more people."""
        service.ask(self.desk, call, choosing.people(self.desk, request))
        return see_other(f"/calls/{call}", _("已邀请。"))

    @page("POST", "/calls/<call>/decline")
    def decline(self, request: Request, call: str) -> See:
        """Say that one does not come, and why."""
        service.decline(self.desk, call, request.text("text"))
        return see_other("/calls", _("已告知发起人。"))

    @page("POST", "/calls/<call>/note")
    def note(self, request: Request, call: str) -> See:
        """Take note of a missed call."""
        service.note(self.desk, call)
        return see_other("/calls")

    @page("POST", "/calls/<call>/end")
    def end(self, request: Request, call: str) -> See:
        """End it for everybody."""
        service.end(self.desk, call)
        return see_other(f"/calls/{call}", _("会商已结束。"))

    @page("POST", "/calls/<call>/publish")
    def publish(self, request: Request, call: str) -> Answer:
        """``{what, description}``: the browser offers to send its camera or screen; ``{sdp}`` is the relay's answer."""
        return self._media(request, call, "publish", "what", "description")

    @page("POST", "/calls/<call>/view")
    def view(self, request: Request, call: str) -> Answer:
        """The relay's offer of what the others send: ``{view, sdp, tracks, version}``."""
        return self._media(request, call, "view")

    @page("POST", "/calls/<call>/answer")
    def answer(self, request: Request, call: str) -> Answer:
        """``{view, description}``: the browser's answer to that offer."""
        return self._media(request, call, "answer", "view", "description")

    @page("POST", "/calls/<call>/want")
    def want(self, request: Request, call: str) -> Answer:
        """``{stream, layer}``: see somebody's picture in another size (q, h or f)."""
        return self._media(request, call, "want", "stream", "layer")

    @page("POST", "/calls/<call>/state")
    def state(self, request: Request, call: str) -> Answer:
        """Who is there, who speaks and what is sent, and how much stands on the board; who asks counts as there."""
        return Answer(service.media(self.desk, call, "state") | {"board": board.size(self.desk, call)})

    @page("POST", "/calls/<call>/mark")
    def mark(self, request: Request, call: str) -> Answer:
        """``{what, text}``: a note, a caption, a stroke on the whiteboard, or a fresh whiteboard (clear); ``{size}``."""
        what, text = (str(request.given.get(name, "")) for name in ("what", "text"))
        return Answer({"size": service.mark(self.desk, call, what, text)})

    @page("POST", "/calls/<call>/board")
    def board(self, request: Request, call: str) -> Answer:
        """What stands on the board: ``{size, notes, captions, results, sheets}``."""
        self.desk.get(Call, call)
        return Answer(msgspec.to_builtins(board.shown(self.desk, call)))

    @page("POST", "/calls/<call>/show")
    def show_sign(self, request: Request, call: str) -> Answer:
        """``{hand, here, vote}``: raise the hand (up or down), answer the roll call, vote (yes, no or abstain)."""
        return self._media(request, call, "show", "hand", "here", "vote")

    @page("POST", "/calls/<call>/lead")
    def lead(self, request: Request, call: str) -> Answer:
        """``{wish}``: the chair's or a deputy's word, JSON of quiet, floor, deputies, main, banner, roll, question."""
        return Answer(service.lead(self.desk, call, str(request.given.get("wish", ""))))

    @page("POST", "/calls/<call>/nest")
    def nest(self, request: Request, call: str) -> Answer:
        """``{on}``: the chair or a deputy leads the people of this node and those below by themselves for a while, or gives them back."""
        return self._media(request, call, "nest", "on")

    @page("POST", "/calls/<call>/stop")
    def stop(self, request: Request, call: str) -> Answer:
        """``{what}``: camera or screen is sent no more."""
        return self._media(request, call, "stop", "what")

    @page("POST", "/calls/<call>/leave")
    def leave(self, request: Request, call: str) -> Answer:
        """Go; one may come again while the call lasts."""
        return self._media(request, call, "leave")

    def _media(self, request: Request, call: str, verb: str, *names: str) -> Answer:
        fields = {name: str(request.given.get(name, "")) for name in names}
        return Answer(service.media(self.desk, call, verb, **fields))

    def _line(self, row: Call) -> dict[str, Any]:
        state, tone = STATES[State(row.state)]
        return {"id": row.id, "title": row.title, "chair": self._name(row.chair), "at": row.opened_at, "state": state, "tone": tone}

    def _place(self, person: str) -> str:
        """The first organ of somebody."""
        held = self.desk.directory.appointments_of(person)
        return held[0].organ.short_name or held[0].organ.full_name if held else ""

    def _name(self, person: str) -> str:
        return name_of(self.desk, person)


PAGES = (CallPages,)
