"""Screens of seals: which there are and who keeps them, the applications to use or make one, and the register of uses."""

from __future__ import annotations

import datetime as dt
from typing import Any

from node import certs, clock
from office.frame.desk import Desk
from office.frame.words import _
from office.people import seals
from office.people.labels import MATTER_TONES, MATTER_WORDS, REASON_WORDS, SEAL_MOVES, SEAL_TONES, SEAL_WORDS, TASK_WORDS
from office.people.model import SealAct, SealMatter, SealUse
from office.people.workflow import Matter
from office.portal.page import PER_PAGE, SHANGHAI, Act, Item, Request, Response, Screen, See, day, page, see_other, whole
from office.print import press

WORDS = {"state": SEAL_WORDS, "tone": SEAL_TONES, "task": TASK_WORDS, "matter": MATTER_WORDS, "matter_tone": MATTER_TONES, "reason": REASON_WORDS}
ROUTE = "/people/seals"
OPEN = (Matter.ASKED, Matter.GRANTED)


class SealPages:
    """Seals of the organs of this node."""

    name = "seals"
    desk: Desk
    menu = (Item(ROUTE, _("印章"), icon="seal", count=lambda desk: len(seals.todo(desk)), shown=seals.concerned),)

    @page("GET", "/people/seals")
    def all(self, request: Request) -> Screen:
        """Every seal that concerns the person, the applications that are open, and those that are over."""
        desk = self.desk
        rows = [_line(desk, held) for held in seals.seals(desk)]
        open_ = desk.list(SealMatter, SealMatter.state.in_(OPEN), order=SealMatter.asked_at.desc(), narrow=True)
        over = desk.list(SealMatter, SealMatter.state.not_in(OPEN), order=SealMatter.asked_at.desc(), **request.window())
        matters, closed = [_matter(desk, one) for one in open_], [_matter(desk, one) for one in over]
        asks = [task for task in ("use", "make") if seals.askable(desk, task)]
        json = {"seals": rows, "matters": matters, "closed": closed[:PER_PAGE]}
        return Screen("people/seals.html", rows=rows, matters=matters, closed=closed, asks=asks, words=WORDS, json=json)

    @page("GET", "/people/seals/register")
    def register(self, request: Request) -> Screen:
        """用印登记: who put which seal under what, when, how many times."""
        since, until = day(request.query("from")), day(request.query("to"))
        where = [SealUse.at >= _midnight(since)] if since else []
        where += [SealUse.at < _midnight(until + dt.timedelta(days=1))] if until else []
        rows = self.desk.list(SealUse, *where, order=(SealUse.at.desc(), SealUse.id), **request.window())
        shown = [_use(self.desk, row) for row in rows]
        return Screen("people/seal_register.html", rows=shown, since=since, until=until, json={"rows": shown[:PER_PAGE]})

    @page("GET", "/people/seals/ask")
    def form(self, request: Request) -> Screen:
        """The form of an application."""
        task = "make" if request.query("task") == "make" else "use"
        organs = [(organ.id, organ.full_name) for organ in seals.askable(self.desk, task)]
        values: dict[str, Any] = {"task": task, "organs": organs, "chosen": request.query("organ")}
        return Screen("people/seal_ask.html", **values, words=WORDS, json=values)

    @page("POST", "/people/seals/ask")
    def ask(self, request: Request) -> See:
        """Ask for the use of a seal, or for a seal."""
        given = {name: request.text(name) for name in ("task", "organ", "what", "reason")}
        id = seals.ask(self.desk, **given, copies=whole(request.text("copies", "1")))
        return see_other(f"{ROUTE}/matters/{id}", _("申请已提交。"), id=id)

    @page("GET", "/people/seals/matters/<matter>")
    def matter(self, request: Request, matter: str) -> Screen:
        """An application: what is asked for, where it stands, what may be done."""
        desk = self.desk
        found = desk.get(SealMatter, matter)
        steps = seals.steps(desk, found)
        mine = seals.choices(desk, found) if "use" in steps else []
        picks = [(held.signer.id, _("{name}（测试）").format(name=held.organ.full_name)) for held in mine]
        shown = _matter(desk, found)
        values: dict[str, Any] = {"matter": shown, "facts": _facts(desk, found), "acted": _acted(desk, found), "picks": picks}
        return Screen("people/seal_matter.html", **values, steps=steps, acts=_steps(found, steps), words=WORDS, json=shown | {"steps": steps})

    @page("POST", "/people/seals/matters/<matter>/<act>")
    def step(self, request: Request, matter: str, act: str) -> See:
        """One step of an application."""
        seals.act(self.desk, matter, act, words=request.text("text"), seal=request.text("seal"), copies=whole(request.text("copies", "0")))
        return see_other(f"{ROUTE}/matters/{matter}", _("已办理。"))

    @page("GET", "/people/seals/<seal>")
    def one(self, request: Request, seal: str) -> Screen:
        """A seal: its print, its certificate, who keeps it, what became of it."""
        desk = self.desk
        held = seals.one(desk, seal)
        line = _line(desk, held)
        acts = desk.list(SealAct, SealAct.seal == seal, order=SealAct.place)
        acted = [_said(desk, a.person, SEAL_MOVES[a.move][0], a.words, a.at) for a in acts]
        uses = [_use(desk, row) for row in desk.list(SealUse, SealUse.seal == seal, order=(SealUse.at.desc(), SealUse.id), limit=PER_PAGE)]
        values: dict[str, Any] = {"seal": line, "acted": acted, "uses": uses, "words": WORDS, "facts": _certificate(line)}
        return Screen("people/seal.html", **values, acts=_moves(desk, held), json=line | {"acts": acted, "uses": uses})

    @page("GET", "/people/seals/<seal>/specimen.svg", json=False)
    def specimen(self, request: Request, seal: str) -> Response:
        """The seal as it is printed, 测试 across it."""
        return Response(press.specimen(seals.one(self.desk, seal).organ.full_name), mimetype="image/svg+xml")

    @page("POST", "/people/seals/<seal>/<move>")
    def move(self, request: Request, seal: str, move: str) -> See:
        """Hand on, suspend, resume, collect or destroy a seal."""
        seals.move(self.desk, seal, move, words=request.text("text"))
        return see_other(f"{ROUTE}/{seal}", _("已办理。"))


def _name(desk: Desk, person: str) -> str:
    found = desk.directory.person(person)
    return found.name if found is not None else person


def _line(desk: Desk, held: seals.Held) -> dict[str, Any]:
    """A seal as lists and programs have it."""
    signer = held.signer
    return {
        "id": signer.id,
        "organ": held.organ.id,
        "name": held.organ.full_name,
        "state": held.state,
        "test": True,
        "keepers": [_name(desk, person) for person in held.keepers],
        "since": signer.certificate.not_valid_before_utc.date().isoformat(),
        "until": signer.certificate.not_valid_after_utc.date().isoformat(),
        "fingerprint": certs.fingerprint(signer.certificate).hex(),
        "revoked": signer.revoked.reason if signer.revoked is not None else "",
    }


def _certificate(line: dict[str, Any]) -> list[tuple[Any, Any]]:
    return [
        (_("印章编号"), line["id"]),
        (_("用印机关"), line["name"]),
        (_("保管人"), "、".join(line["keepers"]) or _("无人能够开启")),
        (_("有效期限"), f"{line['since']} – {line['until']}"),
        (_("证书指纹"), line["fingerprint"]),
        (_("吊销原因"), REASON_WORDS.get(line["revoked"], line["revoked"])),
    ]


def _matter(desk: Desk, matter: SealMatter) -> dict[str, Any]:
    organ = desk.directory.organ(matter.organ)
    return {
        "id": matter.id,
        "task": matter.task,
        "organ": organ.full_name if organ is not None else matter.organ,
        "what": matter.what,
        "copies": matter.copies,
        "reason": matter.reason,
        "state": matter.state,
        "asker": _name(desk, matter.asker),
        "at": clock.from_ms(matter.asked_at),
        "seal": matter.seal,
    }


def _facts(desk: Desk, matter: SealMatter) -> list[tuple[Any, Any]]:
    use = matter.task == "use"
    return [
        (_("用印机关"), _matter(desk, matter)["organ"]),
        (_("用印材料") if use else _("申请制发的印章"), matter.what),
        (_("份数"), matter.copies if use else ""),
        (_("事由"), matter.reason),
        (_("申请人"), _name(desk, matter.asker)),
        (_("印章编号"), matter.seal),
    ]


def _acted(desk: Desk, matter: SealMatter) -> list[dict[str, Any]]:
    """What happened so far."""
    found = [(matter.asker, TASK_WORDS[matter.task], matter.reason, matter.asked_at)]
    if matter.decided_at:
        found.append((matter.decider, _("未批准") if matter.state == Matter.REFUSED else _("批准"), matter.words, matter.decided_at))
    if matter.done_at:
        done = _("用印") if matter.task == "use" else _("制发印章")
        found.append((matter.doer, done if matter.state == Matter.DONE else _("撤回申请"), matter.note, matter.done_at))
    return [_said(desk, *one) for one in found]


def _said(desk: Desk, who: str, what: str, text: str, at: int) -> dict[str, Any]:
    """A line of what happened so far."""
    return {"who": _name(desk, who), "post": "", "what": what, "text": text, "at": clock.from_ms(at), "tone": ""}


def _steps(matter: SealMatter, steps: list[str]) -> list[Act]:
    url = f"{ROUTE}/matters/{matter.id}"
    every = {
        "grant": Act(f"{url}/grant", _("批准"), "main", ask=_("审批意见")),
        "make": Act(f"{url}/make", _("制发印章"), "main", confirm=_("新印章由印章管理员保管，原有印章随即失效。")),
        "refuse": Act(f"{url}/refuse", _("不批准"), ask=_("不批准的原因"), need=True),
        "withdraw": Act(f"{url}/withdraw", _("撤回申请"), "danger"),
    }
    return [act for name, act in every.items() if name in steps]


def _moves(desk: Desk, held: seals.Held) -> list[Act]:
    found = []
    for name in seals.moves(desk, held):
        label, asked, confirm = SEAL_MOVES[name]
        kind = "danger" if name in ("collect", "destroy") else "plain"
        found.append(Act(f"{ROUTE}/{held.signer.id}/{name}", label, kind, ask=asked, need=True, confirm=confirm))
    return found


def _use(desk: Desk, row: SealUse) -> dict[str, Any]:
    """A line of the register as lists and programs have it."""
    names = desk.known("people.sealed", lambda: seals.names(desk))
    return {
        "id": row.id,
        "what": row.what,
        "number": row.number,
        "copies": row.copies,
        "seal": row.seal,
        "organ": names.get(row.seal, row.seal),
        "doc": row.doc,
        "url": _place(row),
        "at": clock.from_ms(row.at) if row.at else None,
        "person": _name(desk, row.person),
        "asker": _name(desk, row.asker),
        "decider": _name(desk, row.decider),
    }


def _midnight(moment: dt.date) -> int:
    return clock.to_ms(dt.datetime.combine(moment, dt.time(), SHANGHAI))


def _place(row: SealUse) -> str:
    """Where the sealed thing is shown: the document, the organ's part in one that another leads, or the application."""
    record = row.id.partition(".")[0]
    if not row.doc:
        return f"{ROUTE}/matters/{row.id}"
    return f"/documents/{row.doc}" if record == row.doc else f"/joint/{record}"
