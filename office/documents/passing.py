"""The way of a document on its page: who has it, what was done at each step, and what the flow lets the person do."""

from __future__ import annotations

from typing import Any

from node import clock
from office.documents import flows, service
from office.documents.model import FLOWS, Document
from office.documents.workflow import SHANGHAI
from office.frame import clocks
from office.frame.desk import Desk
from office.frame.flow import terms
from office.frame.flow.entries import Holder
from office.frame.flow.offers import WORDS
from office.frame.flow.pen import Pen
from office.frame.flow.state import Done, Seat, Sort, unread
from office.frame.flow.template import How, Template
from office.frame.words import Text, _
from office.portal.page import Request, See, page, see_other

MAIN = ("pass", "countersign", "settle", "read", "answer_urge")
NEEDS = ("return", "settle", "drop_signer", "forward", "suspend", "jump", "answer_urge", "urge")
"Acts that ask for words."
OPINIONS = [("agree", _("同意")), ("change", _("修改后同意")), ("disagree", _("不同意"))]
OTHERS = [("suspend", _("其他人暂停，改好后接着办")), ("cancel", _("其他人取消，改好后重新办"))]


def shown(desk: Desk, document: Document) -> dict[str, Any] | None:
    """What the page shows of a document's way; None when it has none."""
    if not document.flow:
        return None
    pen = Pen(desk, FLOWS, document.id)
    template, state = pen.template, pen.state
    law, days = clocks.counted(desk.directory)
    found = terms.terms(document.id, state, days, now=desk.now, law=law)
    lying = [_lies(desk, template, seat, found) for seat in state.live()]
    offered = [_offer(desk, pen, document, one.act, one.seat) for one in flows.offers(desk, document)]
    return {
        "name": template.name,
        "url": f"/flows/versions/{state.template.hex()}",
        "lying": lying,
        "held": [str(template.step(seat.step).name) for seat in state.seats if seat.held],
        "trail": [_line(desk, template, line) for line in state.trail if line.how != "skipped"],
        "reading": [(who(desk, one.holder), one.read) for one in state.reading],
        "unread": sum(1 for _one in unread(state)),
        "suspended": state.suspended,
        "main": [one for one in offered if one["act"] in MAIN],
        "more": [one for one in offered if one["act"] not in MAIN],
        "people": [("p:" + person.id, person.name) for person in service.staff(desk, document.organ)],
        "units": [("o:" + organ.id, organ.short_name) for organ in desk.directory.organs_at(desk.node) if organ.id != document.organ],
        "asks": _asks(template, document),
    }


DONE = ("pass", "countersign", "settle", "sign_for", "transcribe")
"Acts by which a seat is done well."
DESKS = {"check": _("部门核稿"), "countersign": _("会签"), "review": _("核稿"), "recheck": _("复核")}
"Steps whose doers stand on the draft sheet, by what the room does there, else by the step's own id."


def passed_by(desk: Desk, document: Document) -> list[tuple[Text, str]]:
    """Who checked, countersigned, reviewed and rechecked a draft since it was last returned, with the days: (what, names), as far as it has come."""
    if not document.flow:
        return []
    pen = Pen(desk, FLOWS, document.id)
    does = {step.id: step.does or step.id for step in pen.template.steps}
    last: dict[tuple[str, str], str] = {}
    for line in pen.state.trail:
        if line.how == "return":
            last.clear()
        elif line.how in DONE and does.get(line.step) in DESKS:
            shown = _line(desk, pen.template, line)
            last[does[line.step], str(shown["who"])] = f"{shown['who']} {shown['at'].astimezone(SHANGHAI):%Y-%m-%d}"
    return [(word, "、".join(said for (at, _who), said in last.items() if at == what)) for what, word in DESKS.items()]


def _asks(template: Template, document: Document) -> dict[str, bool]:
    """What may be chosen when a draft is submitted."""
    parts, facts = {part.id for part in template.parts}, {fact.id for fact in template.facts}
    draft = document.state in ("draft", "returned")
    return {"heads": draft and "heads" in parts, "units": draft and "units" in parts, "normative": draft and "normative" in facts}


def who(desk: Desk, holder: Holder) -> str:
    """A holder as people say it."""
    if holder.how == How.PERSON:
        person = desk.directory.person(holder.id)
        return person.name if person is not None else holder.id
    if holder.how == How.POST:
        post = desk.directory.post(holder.id)
        return post.title if post is not None else holder.id
    if holder.how == How.ORGAN:
        organ = desk.directory.organ(holder.id)
        return organ.short_name if organ is not None else holder.id
    return "、".join(person.name for person in desk.directory.holders(holder.id, holder.organ)) or holder.id


def _lies(desk: Desk, template: Template, seat: Seat, found: list[terms.Term]) -> dict[str, Any]:
    due = next((one.due.at for one in found if one.round == seat.round and one.due is not None and one.clock.met is None), None)
    return {
        "step": str(template.step(seat.step).name) + (f"（{_('裁定')}）" if seat.sort == Sort.SETTLE else ""),
        "who": "、".join(who(desk, one) for one in seat.holders),
        "since": clock.from_ms(seat.since),
        "due": due,
        "urges": len(seat.urges),
        "supervised": bool(seat.supervised),
    }


def _line(desk: Desk, template: Template, line: Done) -> dict[str, Any]:
    person = desk.directory.person(line.person)
    known = {step.id: str(step.name) for step in template.steps}
    opinion = str(dict(OPINIONS).get(line.opinion, ""))
    done = line.how in (*DONE, "return")
    principal = desk.directory.person(line.principal) if line.principal else None
    name = person.name if person is not None else line.person or str(_("本节点自动"))
    return {
        "at": clock.from_ms(line.until),
        "who": _("{name}（代{principal}）").format(name=name, principal=principal.name) if principal is not None else name,
        "what": known.get(line.step, line.step) + " · " + str(WORDS.get(line.how, line.how)) + (f"：{opinion}" if opinion else ""),
        "text": line.text,
        "tone": "bad" if line.how == "return" or line.opinion == "disagree" else "" if done else "faint",
        "post": "",
    }


def _offer(desk: Desk, pen: Pen, document: Document, act: str, seat: str) -> dict[str, Any]:
    found = pen.state.seat(seat)
    step = pen.template.step(found.step) if found is not None else None
    steps = [(one.id, str(one.name)) for one in pen.template.tasks()] if act == "jump" else []
    back = flows.earlier_steps(desk, document, seat) if act == "return" else []
    return {
        "act": act,
        "seat": seat,
        "label": str(WORDS[act]) if step is None or str(step.name) == str(WORDS[act]) else f"{WORDS[act]}：{step.name}",
        "needs": act in NEEDS,
        "text": act not in ("circulate", "supervise", "resume"),
        "who": act in ("forward", "assign", "add_signer", "circulate"),
        "opinions": OPINIONS if act == "countersign" else [],
        "to": back or steps,
        "others": OTHERS if act == "return" and len(pen.state.live()) > 1 else [],
        "substantial": act == "pass" and step is not None and step.does == "recheck",
    }


class WayPages:
    """Acts of the flow on a document."""

    name = "documents.way"
    desk: Desk

    @page("POST", "/documents/<id>/flow/<act>")
    def act(self, request: Request, id: str, act: str) -> See:
        """Countersign, check, return, recall, urge, forward and whatever else the flow lets one do."""
        given = {name: request.text(name) for name in ("text", "opinion", "to", "others", "who", "substantial")}
        flows.act(self.desk, id, act, request.text("seat"), **given)
        return see_other(f"/documents/{id}", _("已办理：{act}。").format(act=WORDS.get(act, act)))
