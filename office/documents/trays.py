"""What the screens of incoming documents show: lines, facts, who has it in hand, and what may be done, the next step first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from node import clock
from office.documents import service, workflow
from office.documents.entries import TOLD, Envelope, Label, Role
from office.documents.incoming import lead_of
from office.documents.labels import (
    CHANNEL_WORDS,
    EXAMINATION_WORDS,
    KIND_WORDS,
    LABEL_WORDS,
    REASON_WORDS,
    ROLE_WORDS,
    STANDING_WORDS,
    STEPS_IN,
    TONES,
    WORTH_WORDS,
)
from office.documents.leading import may_instruct, waits
from office.documents.model import Act as Done
from office.documents.model import Extension, Hand, Incoming, Urge
from office.documents.names import issuers_of, sender
from office.documents.telling import moment
from office.documents.views import files_of
from office.documents.workflow import Standing, Worth
from office.frame.desk import Desk
from office.frame.reach import name_of
from office.frame.words import _
from office.portal.page import Act
from office.portal.screen import day


def incoming_line(desk: Desk, row: Incoming) -> dict[str, Any]:
    """A line of the incoming register."""
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
        "from": sender(desk, row),
        "state": STANDING_WORDS[Standing(row.state)],
        "tone": TONES.get(Standing(row.state), ""),
        "at": clock.from_ms(row.sent_at),
        "due": clock.from_ms(row.due) if row.due else None,
        "done": row.state in (Standing.CLOSED, Standing.SENT_BACK, Standing.RECALLED),
    }


def acts_in(row: Incoming, moves: Sequence[str]) -> list[Act]:
    """Buttons of what may be done now with an incoming document."""
    url = f"/incoming/{row.id}"
    every = {
        "sign_for": Act(f"{url}/sign_for", _("签收"), "main"),
        "confirm_recall": Act(f"{url}/confirm_recall", _("确认撤回"), "main", confirm=_("确认后本件不再办理。")),
        "sign_correction": Act(f"{url}/sign_correction", _("签收更正件"), "main"),
        "close": Act(f"{url}/close", _("办结"), "plain", ask=_("办结说明")),
        "supervise": Act(f"{url}/supervise", _("转督查"), "danger", ask=_("转督查的理由"), need=True),
    }
    return [act for name, act in every.items() if name in moves]


def facts_in(desk: Desk, row: Incoming, envelope: Envelope) -> list[tuple[str, Any]]:
    """Labels and values of an incoming sheet."""
    organ = desk.directory.organ(row.organ)
    return [
        (_("收文机关"), organ.full_name if organ is not None else row.organ),
        (_("来文机关"), row.issuer_name if row.brought else "、".join(issuers_of(desk, envelope))),
        (_("来件途径"), WORTH_WORDS[Worth(row.brought)] if row.brought else ""),
        (_("来文字号"), row.number or _("无")),
        (_("来文日期"), day(envelope.signed_on)),
        (_("收文号"), row.register),
        (_("办件或阅件"), (_("办件") if row.to_handle else _("阅件")) if row.register else ""),
        (_("收文方式"), ROLE_WORDS[Role(row.role)]),
        (_("标识"), LABEL_WORDS.get(Label(row.label), row.label)),
        (_("答复要求"), _("需要答复") if row.reply_required else ""),
        (_("办结时限"), moment(row.term)),
        (_("答复时限"), moment(row.until)),
        (_("阅知要求"), _("来文机关要求阅知") if row.read_required else ""),
        (_("初审"), examined(row)),
        (_("纸质件"), _("已到") if row.paper_at else ""),
        (_("督查"), _("已转督查") if row.supervised_at else ""),
        (_("拟办意见"), _opinions(desk, row, "documents.proposed") or row.opinion),
        (_("领导批示"), _opinions(desk, row, "documents.instructed")),
        (_("退文原因"), REASON_WORDS.get(row.sent_back, "")),
        (_("撤回原因"), row.recall_reason),
    ]


def _opinions(desk: Desk, row: Incoming, kind: str) -> str:
    """What was written in acts of one kind, oldest first, each with its writer; what a handler noted later does not take its place."""
    acts = desk.list(Done, Done.record == row.id, Done.kind == kind, order=(Done.at, Done.seq), narrow=True)
    return "；".join(f"{name_of(desk, _writer(act))}：{act.text}" for act in acts if act.text)


def _writer(act: Done) -> str:
    """The leader, where somebody else transcribed an instruction."""
    leader, _space, transcribed = act.reason.partition(" ")
    return leader if transcribed == "transcribed" else act.person


def hands_of(desk: Desk, incoming: str) -> list[dict[str, Any]]:
    """Who has an incoming document in hand, and who has read it."""
    words = {"lead": _("承办"), "assist": _("协办"), "read": _("阅知")}
    rows = desk.list(Hand, Hand.incoming == incoming, order=(Hand.task, Hand.place, Hand.at, Hand.person))
    found = []
    for row in rows:
        person = desk.directory.person(row.person)
        read_at = clock.from_ms(row.read_at) if row.read_at else None
        found.append(
            {
                "name": person.name if person is not None else row.person,
                "task": words.get(row.task, _("已阅")),
                "read_at": read_at,
                "opinion": row.opinion,
                "reads": row.task == "read",
                "waits": waits(row),
            }
        )
    return found


def examined(row: Incoming) -> str:
    """What the examination found."""
    if not row.examined_at:
        return ""
    wrong = "、".join(str(EXAMINATION_WORDS[code]) for code in row.failed.split())
    return wrong or str(_("符合要求"))


def steps_in(row: Incoming) -> list[tuple[str, str]]:
    """The steps of §24, each done, now or to come; none once it is gone."""
    if row.state in (Standing.SENT_BACK, Standing.RECALLED, Standing.RECALL_ASKED, Standing.LINKED):
        return []
    handed = row.state in (Standing.IN_HAND, Standing.CIRCULATING, Standing.ANSWERED, Standing.CLOSED)
    done = [row.signed_at, row.register_no, row.examined_at, row.instructed_at or handed, row.answered_at, row.answered_at, row.closed_at]
    now = next((place for place, fact in enumerate(done) if not fact), len(done))
    return [(label, "done" if fact else "now" if place == now else "") for place, (label, fact) in enumerate(zip(STEPS_IN, done, strict=True))]


FORMS = ("register", "examine", "instruct", "propose", "assign", "circulate", "read", "answer", "transcribe", "urge", "extend", "entrust")
LATE = ("link", "paper", "send_back")


def offered(desk: Desk, row: Incoming, options: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Names of the forms of what may be done: those of the next step, and the others."""
    moves = set(service.incoming_moves(desk, row))
    unfit = {
        "examine": bool(row.examined_at),
        "urge": not options["urgeable"],
        "link": not options["alike"],
        "entrust": lead_of(desk, row) != row.organ or not options["organs"],
        "extend": not row.until or not row.home or bool(desk.list(Extension, Extension.incoming == row.id, Extension.decided_at == 0)),
        "paper": bool(row.paper_at),
    }
    known = [name for name in (*FORMS, *LATE) if name in moves and not unfit.get(name, False)]
    now = next_in(desk, row)
    return [name for name in now if name in known], [name for name in known if name not in now]


def next_in(desk: Desk, row: Incoming) -> tuple[str, ...]:
    """What is most to be done in the state it is in, by the person who looks."""
    if row.state == Standing.DELIVERED:
        return ("send_back",)
    if row.state == Standing.SIGNED_IN:
        return ("register",)
    if row.state == Standing.REGISTERED and not row.examined_at:
        return ("examine", "assign")
    if row.failed and not row.instructed_at:
        return ("send_back", "propose")
    if may_instruct(desk, row.organ) and not row.instructed_at:
        return ("instruct", "assign", "circulate", "read")
    if row.state == Standing.REGISTERED:
        return ("assign", "circulate", "propose") if row.instructed_at else ("propose", "assign", "circulate")
    return ("read", "answer", "urge")


def options_of(desk: Desk, row: Incoming, moves: Sequence[str]) -> dict[str, Any]:
    """What the forms offer to choose from."""
    people = [(person.id, person.name) for person in service.staff(desk, row.organ)] if {"assign", "circulate"} & set(moves) else []
    hands = desk.list(Hand, Hand.incoming == row.id, Hand.task != "")
    busy = {hand.person for hand in hands if hand.task != "read" or waits(hand)}
    other = next((code for code in workflow.RETURN_REASONS if code in row.failed.split()), "")
    return {
        "examination": list(EXAMINATION_WORDS.items()),
        "reasons": list(REASON_WORDS.items()),
        "failed": other,
        "channels": list(CHANNEL_WORDS.items()),
        "staff": people,
        "leaders": list(service.leaders(desk, row.organ).items()),
        "urgeable": [(id, name) for id, name in people if id in busy],
        "alike": [(one.id, f"{one.issuer_name} {one.number or one.title}") for one in service.alike(desk, row)] if "link" in moves else [],
        "organs": [(o.id, o.short_name) for o in desk.directory.organs_at(desk.node) if o.id != row.organ] if "entrust" in moves else [],
    }


def account(desk: Desk, row: Incoming) -> list[Done]:
    """What happened to it here, and what its issuer said of it, oldest first."""
    told = desk.list(Done, Done.doc == row.doc, Done.kind.in_(TOLD), Done.organ.in_(("", row.organ)), order=(Done.at, Done.seq))
    return sorted({act.id: act for act in (*service.timeline(desk, row.id), *told)}.values(), key=lambda act: act.at)


def urges_of(desk: Desk, row: Incoming) -> list[dict[str, Any]]:
    """Urgings that nobody has answered, of the organ or of the person who looks; ``mine`` when this person may answer."""
    found = desk.list(Urge, Urge.incoming == row.id, Urge.answered_at == 0, Urge.person.in_(("", desk.person)), order=Urge.at)
    may = "answer_urge" in service.incoming_moves(desk, row)
    return [
        {
            "id": one.id.hex(),
            "step": one.step,
            "words": one.words,
            "channel": CHANNEL_WORDS.get(one.channel, one.channel),
            "at": clock.from_ms(one.at),
            "who": name_of(desk, one.by),
            "mine": may and one is found[-1],
        }
        for one in found
    ]


def lies_of(desk: Desk, row: Incoming) -> str:
    """传阅: the names of those with whom it lies now."""
    return "、".join(name_of(desk, person) for person in service.lies_with(desk, row))


def scans_of(desk: Desk, acts: Sequence[Done], url: str) -> list[dict[str, Any]]:
    """Scans of handwritten instructions."""
    return [
        one
        for act in acts
        if act.kind == "documents.instructed" and act.annexes
        for one in files_of(desk, act.annexes, f"{url}/scans/{act.id.hex()}")
    ]
