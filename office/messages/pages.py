"""Screens of messages: the list, a conversation, a new one, and matters made of messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from node import clock
from node.errors import Invalid, Missing
from office.frame.annex import Annex
from office.frame.desk import Desk
from office.frame.reach import name_of
from office.frame.signs import sign
from office.frame.words import _
from office.messages import service
from office.messages.tables import Conversation, Matter, Message, newest
from office.messages.workflow import State, recallable
from office.portal import choosing, lines, uploads
from office.portal.page import Act, Answer, Item, Request, Response, Screen, See, page, see_other, whole

STATES = {State.OPEN: ("", ""), State.ENDED: (_("已到期"), "warn"), State.CLOSED: (_("已解散"), "plain")}

NEAR = 8
"Nodes of a conversation beyond which nobody is told who is there: each would be told by each."
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
SHOWN = (*PICTURES, "audio/webm", "audio/ogg", "audio/mp4")
"Kinds of files that a browser may show in a page of ours; all others are saved."
STANDS = {"whole": ("", ""), "partial": (_("正在传送"), "warn"), "waiting": (_("等待传送"), "warn")}


def unread(desk: Desk) -> int:
    """The number in the menu."""
    return service.ringing(desk)


class MessagePages:
    """What people say to each other."""

    name = "messages"
    desk: Desk
    menu = (Item("/messages", _("消息"), icon="chat", count=unread),)

    @page("GET", "/messages")
    def register(self, request: Request) -> Screen:
        """Conversations, the one last spoken in first, with what is unread."""
        rows = self.desk.list(Conversation, order=(newest(clock.to_ms(self.desk.now)).desc(), Conversation.id), **request.window())
        waiting = service.waiting(self.desk)
        lines = [self._line(row, waiting.get(row.id, 0)) for row in rows]
        held, quiet = service.hours(self.desk), service.quiet(self.desk)
        begins, ends = (_clock(held.begins), _clock(held.ends)) if held else ("", "")
        json = {"conversations": lines[:30], "quiet": quiet, "begins": begins, "ends": ends}
        return Screen("messages/register.html", rows=lines, quiet=quiet, begins=begins, ends=ends, json=json)

    @page("POST", "/messages/quiet")
    def hush(self, request: Request) -> See:
        """Set one's own quiet hours."""
        service.hush(self.desk, request.text("begins"), request.text("ends"))
        return see_other("/messages", _("免打扰时段已保存。"))

    @page(
        "GET",
        "/messages/search",
        query={"q": "words that all stand in a message", "before": "place of a message, before which older ones are asked for"},
    )
    def find(self, request: Request) -> Screen:
        """One's own messages by their words, and conversations by their name."""
        asked = request.query("q")
        rows = service.search(self.desk, asked, before=_place(request.query("before")))
        talks = [(row.id, self._title(row)) for row in service.called(self.desk, asked)]
        titles = {one: self._title(self.desk.get(Conversation, one)) for one in {row.conversation for row in rows}}
        lines = [
            {"conversation": row.conversation, "title": titles[row.conversation], **self._said(row, 0)} | {"moment": row.moment, "text": _brief(row)}
            for row in rows
        ]
        older = f"{rows[-1].moment}-{rows[-1].id}" if len(rows) == service.PIECE else ""
        json = {"messages": lines, "conversations": [id_ for id_, _title in talks], "older": older}
        return Screen("messages/found.html", asked=asked, rows=lines, talks=talks, older=older, json=json)

    @page("GET", "/messages/new", query={"q": "name, pinyin, telephone, post or organ of somebody", "organ": "whose people are asked for"})
    @page("POST", "/messages/new")
    def new(self, request: Request) -> Screen:
        """Whom to speak to: one person, or several as a group; a form that is sent here is shown again, with what is ticked."""
        choice = choosing.choose(self.desk, request)
        json = {"people": choosing.names(choice.people), "organs": choosing.names(choice.below)}
        return Screen("messages/new.html", choice=choice, typed=_typed(request), json=json)

    @page("POST", "/messages/begin")
    def begin(self, request: Request) -> See:
        """Open the conversation with one person."""
        made = service.begin(self.desk, request.text("person"))
        return see_other(f"/messages/{made}", conversation=made)

    @page("POST", "/messages")
    def gather(self, request: Request) -> See:
        """Make a group."""
        people, days = choosing.people(self.desk, request), _whole(request.text("days"))
        made = service.gather(self.desk, request.text("name"), people, ends=request.text("ends"), days=days)
        return see_other(f"/messages/{made}", _("群组已建立。"), conversation=made)

    @page("GET", "/messages/<conversation>", query={"before": "place of a message (moment and id), before which older ones are asked for"})
    def show(self, request: Request, conversation: str) -> Screen:
        """A conversation: its newest messages, who has read them, and the line to write in."""
        desk, row = self.desk, self.desk.get(Conversation, conversation)
        found = service.messages(desk, conversation, before=_place(request.query("before", "")))
        members, moves = service.members(desk, row), service.moves(desk, row)
        state, tone = STATES[service.standing(desk, row)]
        readers = service.readers(desk, conversation, (one for one in found if one.author == desk.person))
        said = [self._said(one, len(readers.get(one.id, ()))) for one in found]
        older = f"{found[0].moment}-{found[0].id}" if len(found) == service.PIECE else ""
        values: dict[str, Any] = {
            "row": row,
            "title": self._title(row),
            "where": "" if row.owner else self._organ(members, desk.person),
            "state": state,
            "tone": tone,
            "messages": said,
            "older": older,
            "past": bool(request.query("before")),
            "members": [(one, self._name(one)) for one in members],
            "moves": moves,
            "acts": [Act(f"/messages/{row.id}/close", _("解散群组"), "danger", confirm=_("解散后不能再发消息，已有的消息仍可查看。"))]
            if "close" in moves
            else [],
            "unread": service.waiting(desk).get(row.id, 0),
        }
        plain = {"conversation": row, "members": members, "messages": said, "older": older, "unread": values["unread"], "moves": sorted(moves)}
        return Screen("messages/show.html", **values, json=plain, allow=("microphone",))

    @page("POST", "/messages/<conversation>", upload=True)
    def say(self, request: Request, conversation: str) -> See:
        """Say something, in words, files or a voice clip; what was unread before it has now been read."""
        desk = self.desk
        service.read(desk, conversation)
        files = tuple(service.attach(desk, f.name, f.mime, f.stream) for f in uploads.given(request, desk.person))
        made = service.say(
            desk, conversation, request.text("text"), files=files, seconds=whole(request.text("seconds"), digits=4), urgent=request.text("urgent")
        )
        return see_other(f"/messages/{conversation}", message=made)

    @page("POST", "/messages/<conversation>/here")
    def here(self, request: Request, conversation: str) -> Answer:
        """Say that one is here, or typing; told back is who else is, as far as lines carry."""
        desk, row = self.desk, self.desk.get(Conversation, conversation)
        seats, signs = service.seats(desk, row), request.portal.signs
        nodes = {one.node for one in seats}
        if signs is None or len(nodes) > NEAR:
            return Answer({"here": [], "typing": [], "cut": False})
        for what in ("here", "typing") if request.text("typing") else ("here",):
            signs.say(nodes | {desk.node}, sign(conversation, desk.person, what))
        others = [one for one in seats if one.person != desk.person]
        found = {
            what: [self._name(one.person) for one in others if signs.heard(one.node, sign(conversation, one.person, what))]
            for what in ("here", "typing")
        }
        above = lines.read(desk.settings).parent
        return Answer({**found, "cut": nodes != {desk.node} and above is not None and not above.up})

    @page("POST", "/messages/<conversation>/read")
    def read(self, request: Request, conversation: str) -> See:
        """Say that one has read what is here."""
        service.read(self.desk, conversation)
        return see_other(f"/messages/{conversation}")

    @page("GET", "/messages/<conversation>/edit")
    @page("POST", "/messages/<conversation>/choose")
    def edit(self, request: Request, conversation: str) -> Screen:
        """The form in which the owner changes a group; sent to be looked further, it is shown again with what is ticked."""
        desk, row = self.desk, self.desk.get(Conversation, conversation)
        held = [one for one in service.members(desk, row) if one != desk.person]
        typed = _typed(request) if request.method == "POST" else {"name": row.name, "ends": row.ends, "days": row.days}
        choice = choosing.choose(desk, request, held)
        return Screen("messages/edit.html", row=row, choice=choice, typed=typed, json={"conversation": row, "members": held})

    @page("POST", "/messages/<conversation>/edit")
    def change(self, request: Request, conversation: str) -> See:
        """Change a group."""
        people, days = choosing.people(self.desk, request), _whole(request.text("days"))
        service.change(self.desk, conversation, name=request.text("name"), people=people, ends=request.text("ends"), days=days)
        return see_other(f"/messages/{conversation}", _("群组已更改。"))

    @page("POST", "/messages/<conversation>/close")
    def close(self, request: Request, conversation: str) -> See:
        """End a group."""
        service.close(self.desk, conversation)
        return see_other(f"/messages/{conversation}", _("群组已解散。"))

    @page("GET", "/messages/said/<message>/files/<int:place>")
    def file(self, request: Request, message: str, place: int) -> Response:
        """A file of a message, for who may read the message."""
        return _sent(self.desk, self.desk.get(Message, message).files, place)

    @page("POST", "/messages/said/<message>/recall")
    def recall(self, request: Request, message: str) -> See:
        """Take a message back."""
        row = self.desk.get(Message, message)
        service.recall(self.desk, message)
        return see_other(f"/messages/{row.conversation}", _("消息已撤回。"))

    @page("POST", "/messages/said/<message>/keep")
    def keep(self, request: Request, message: str) -> See:
        """Make a matter of a message."""
        made = service.keep(self.desk, message, due=request.text("due"))
        return see_other(f"/messages/matters/{made}", _("已转为待办。"), matter=made)

    @page("GET", "/messages/matters/<matter>")
    def matter(self, request: Request, matter: str) -> Screen:
        """What one made of a message: what was said, by whom, and whether it is done."""
        row = self.desk.get(Matter, matter)
        files = self._files(row.files, f"/messages/matters/{matter}")
        author, proof = self._name(row.author), row.statement.hex()
        return Screen("messages/matter.html", row=row, author=author, proof=proof, files=files, json={"matter": row, "files": files})

    @page("GET", "/messages/matters/<matter>/files/<int:place>")
    def kept(self, request: Request, matter: str, place: int) -> Response:
        """A file of the message that the matter was made of."""
        return _sent(self.desk, self.desk.get(Matter, matter).files, place)

    @page("POST", "/messages/matters/<matter>/settle")
    def settle(self, request: Request, matter: str) -> See:
        """Say that it is done."""
        service.settle(self.desk, matter)
        return see_other(f"/messages/matters/{matter}", _("已办结。"))

    # what is shown

    def _line(self, row: Conversation, unread: int) -> dict[str, Any]:
        newest = service.messages(self.desk, row.id, most=1)
        text = _brief(newest[0]) if newest else ""
        state, tone = STATES[service.standing(self.desk, row)]
        return {"id": row.id, "title": self._title(row), "text": text, "at": row.last, "unread": unread, "state": state, "tone": tone}

    def _said(self, row: Message, readers: int) -> dict[str, Any]:
        mine = row.author == self.desk.person
        back = mine and not row.recalled_at and recallable(row.at, clock.to_ms(self.desk.now))
        shown = {"id": row.id, "author": row.author, "name": self._name(row.author), "text": row.text, "at": row.at, "mine": mine}
        files = self._files(row.files, f"/messages/said/{row.id}")
        return shown | {
            "recalled": row.recalled_at,
            "readers": readers,
            "recallable": back,
            "files": files,
            "seconds": row.seconds,
            "late": row.late,
            "doubled": row.doubled,
            "urgent": row.urgent,
        }

    def _files(self, files: Sequence[Annex], url: str) -> list[dict[str, Any]]:
        found = []
        for place, annex in enumerate(files):
            state, tone = STANDS[service.blob_state(self.desk, annex)]
            line = {"name": annex.name, "size": annex.size, "url": f"{url}/files/{place}", "state": state, "tone": tone}
            found.append(line | {"picture": annex.mime in PICTURES, "sha": annex.plain.hex()})
        return found

    def _title(self, row: Conversation) -> str:
        others = [one for one in service.members(self.desk, row) if one != self.desk.person]
        return row.name or (self._name(others[0]) if others else "")

    def _name(self, person: str) -> str:
        return name_of(self.desk, person)

    def _organ(self, members: Iterable[str], but: str) -> str:
        """Where the other of two is at work."""
        return next((held.organ.full_name for one in members if one != but for held in self.desk.directory.appointments_of(one)), "")


PAGES = (MessagePages,)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _typed(request: Request) -> dict[str, str]:
    """What a form of a group said, to be shown again."""
    return {name: request.text(name) if request.method == "POST" else "" for name in ("name", "ends", "days")}


def _brief(row: Message) -> str:
    """A message in a line of the list."""
    if row.recalled_at or not row.files:
        return row.text or (_("消息不予显示") if row.doubled else _("消息已撤回"))
    word = _("［语音］") if row.seconds else _("［图片］") if row.files[0].mime in PICTURES else _("［文件］")
    return f"{word} {row.text or row.files[0].name}" if not row.seconds else str(word)


def _sent(desk: Desk, files: Sequence[Annex], place: int) -> Response:
    """A file as it was; shown in the page only where it can do nothing there."""
    if place >= len(files):
        raise Missing()
    annex = files[place]
    kind = annex.mime.partition(";")[0]
    shown = kind in SHOWN
    response = Response(service.open_annex(desk, annex), mimetype=kind if shown else "application/octet-stream")
    response.headers["Content-Length"] = str(annex.size)
    response.headers["Content-Disposition"] = f"{'inline' if shown else 'attachment'}; filename*=UTF-8''{quote(annex.name, safe='')}"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _place(text: str) -> tuple[int, str] | None:
    """Where older messages end, as ``moment-id``."""
    moment, _dash, id_ = text.partition("-")
    return (int(moment), id_) if moment.isdigit() and len(moment) < 16 and id_ else None


def _whole(text: str) -> int:
    if text and not (text.isdigit() and len(text) < 6):
        raise Invalid(_("保存期限应为天数，0 表示长期。"))
    return int(text or 0)
