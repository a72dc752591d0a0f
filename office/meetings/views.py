"""What the screens of meetings show, row by row: words and values for templates, no HTML but the QR codes, no rights of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import segno
from markupsafe import Markup

from node import clock
from office.frame.calendar import SHANGHAI
from office.frame.desk import Desk
from office.frame.words import Text, _
from office.meetings import workflow
from office.meetings.model import Call, Meeting
from office.meetings.questions import STATES, Expected, Line
from office.meetings.workflow import CLERKS, KINDS, SIGNER, State
from office.portal.page import Act

NAMED = 20
"Organs that are named where all of them do not fit."

ACT_WORDS = {
    "meetings.proposed": _("申报议题"),
    "meetings.vetted": _("审核议题"),
    "meetings.planned": _("拟办"),
    "meetings.approved": _("批准"),
    "meetings.notified": _("发出通知"),
    "meetings.cancelled": _("取消"),
    "meetings.signed_for": _("签收"),
    "meetings.replied": _("回执"),
    "meetings.gathered": _("汇总上报"),
    "meetings.excused": _("请假审批"),
    "meetings.ended": _("散会"),
    "meetings.minuted": _("起草纪要"),
    "meetings.decided": _("交办议定事项"),
    "meetings.carried_out": _("落实"),
    "meetings.closed": _("办结"),
}
TOPICS = {
    workflow.Topic.PROPOSED: (_("待审核"), "warn"),
    workflow.Topic.PASSED: (_("审核通过"), "good"),
    workflow.Topic.RETURNED: (_("已退回"), "bad"),
    workflow.Topic.SCHEDULED: (_("已排期"), "info"),
}
TONES = {State.NOTIFIED: "info", State.HELD: "good", State.CANCELLED: "bad", State.PLANNED: "warn", State.APPROVED: "good"}
ORDER = (State.PLANNED, State.APPROVED, State.NOTIFIED, State.HELD, State.CLOSED)

OTHERS = 200
"Most lines of a box in which each line is somebody."


def standing(row: Meeting) -> tuple[Text, str]:
    """The state of a meeting in words, and its tone."""
    return STATES[State(row.state)], TONES.get(State(row.state), "")


def lines(text: str) -> list[list[str]]:
    """A box of lines, each cut at commas; empty ones are left out."""
    cut = [[part.strip() for part in line.replace("，", ",").split(",")] for line in text.splitlines()[:OTHERS]]
    return [parts for parts in cut if parts[0]]


def local(ms: int) -> str:
    """A moment as forms show it."""
    return clock.from_ms(ms).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M") if ms else ""


def short(desk: Desk, organ: str) -> str:
    """Short name of an organ."""
    found = desk.directory.organ(organ)
    return found.short_name if found is not None else organ


def names(desk: Desk, expected: list[Expected]) -> dict[str, str]:
    """Short names of the organs of those who are expected."""
    return {id: short(desk, id) for id in {one.guest.organ for one in expected}}


def organs(desk: Desk) -> list[tuple[str, list[tuple[str, str]]]]:
    """All organs to choose from, by the node that keeps them."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for organ in desk.directory.organs():
        if organ.kind != "section":
            groups.setdefault(organ.node, []).append((organ.id, organ.short_name))
    nodes = {node.id: node.name for node in desk.directory.nodes()}
    return [(nodes.get(node, node), organs) for node, organs in groups.items()]


def brief(row: Meeting) -> dict[str, Any]:
    """A meeting for programs."""
    keys = ("id", "home", "organ", "title", "kind", "begins", "ends", "chair", "state", "issue", "round", "note", "doc", "decisions")
    return {key: getattr(row, key) for key in keys}


def answer_line(desk: Desk, line: Line, round: int) -> dict[str, Any]:
    """What an organ answered, for programs."""
    call = line.call
    kept = {"organ": call.organ, "via": call.via, "delivered": line.reached.delivered, "signed_at": call.signed_at, "void": line.void}
    return kept | {"replied": call.reply_round == round > 0, "come": line.come, "leave": line.leave, "gathered_at": call.gathered_at}


def code_line(one: Expected) -> dict[str, str]:
    """A sign-in code, for programs."""
    return {"organ": one.guest.organ, "name": one.name, "code": one.code}


def qr(text: str) -> Markup:
    """A QR code of a sign-in code, drawn in the page."""
    return Markup(segno.make(text, micro=False).svg_inline(scale=3, border=2, svgclass="qr", lineclass=None, title=text))  # noqa: S704


def steps(row: Meeting) -> list[tuple[Text, str]]:
    """The steps of a meeting, each done, now or to come; none once it was cancelled."""
    at = ORDER.index(State(row.state)) if row.state in ORDER else -1
    return [(STATES[state], "now" if n == at else "done" if n < at else "") for n, state in enumerate(ORDER)] if at >= 0 else []


def acts(desk: Desk, row: Meeting, moves: set[str], lines: list[Line], mine: set[str]) -> list[Act]:
    """Buttons of what may be done now."""
    url = f"/meetings/{row.id}"
    every = {
        "approve": Act(f"{url}/approve", _("批准"), "main", ask=_("审批意见")),
        "notify": Act(f"{url}/notify", _("发出通知"), "main", confirm=_("通知将发到全部参会单位。")),
        "close": Act(f"{url}/close", _("办结"), confirm=_("办结后不再交办议定事项。")),
        "cancel": Act(f"{url}/cancel", _("取消会议"), "danger", ask=_("取消原因"), need=True),
    }
    found = [act for name, act in every.items() if name in moves]
    for line in lines if "sign_for" in moves else ():
        call, fields = line.call, {"organ": line.call.organ}
        if not call.signed_at and call.organ in mine:
            found.append(Act(f"{url}/sign_for", _("签收（{organ}）").format(organ=line.name), "main", fields=fields))
        if call.via == call.organ and call.organ in mine:
            found.append(
                Act(f"{url}/gather", _("汇总上报（{organ}）").format(organ=line.name), "main" if not call.gathered_at else "plain", fields=fields)
            )
    return found


def facts(desk: Desk, row: Meeting) -> list[tuple[Text, Any]]:
    """Labels and values of a meeting."""
    plan = row.plan
    chair = desk.directory.person(plan.chair)
    return [
        (_("会议类型"), KINDS.get(plan.kind, plan.kind)),
        (_("召集单位"), short(desk, plan.organ)),
        (_("时间"), f"{local(plan.begins)} – {local(plan.ends)[11:]}"),
        (_("会场"), "、".join(plan.venues)),
        (_("主持人"), chair.name if chair is not None else ""),
        (_("回执时限"), local(plan.reply_by)),
        (_("参会单位"), "" if row.issue else _listed([short(desk, organ) for organ in plan.organs])),
        (_("参会要求"), _("主要负责同志参加，请假须经批准") if plan.principals else ""),
        (_("联系人"), plan.contact),
        (_("备注"), plan.note),
        (_("等候"), _waits(desk, row)),
    ]


def _waits(desk: Desk, row: Meeting) -> str:
    """Who has the next step before the notice goes out."""
    roles_ = {State.PLANNED: ((SIGNER,), _("{names}批准")), State.APPROVED: (CLERKS, _("{names}发出通知"))}.get(State(row.state))
    if roles_ is None or row.issue:
        return ""
    holders = {person.id: person.name for role in roles_[0] for person in desk.directory.holders(role, row.organ)}
    return str(roles_[1]).format(names="、".join(holders.values()) or _("（还没有人担任这个岗位）"))


def _listed(names: Sequence[str]) -> str:
    """Names in a row; of many the first, and how many there are."""
    return "、".join(names[:NAMED]) + (str(_("等 {n} 个单位")).format(n=len(names)) if len(names) > NAMED else "")


def cells(desk: Desk, line: Line, round: int) -> list[Any]:
    """What is known of an organ that is called, for the table."""
    call, reached = line.call, line.reached
    unknown = {"text": _("线路中断，情况不明"), "sub": "", "tone": "warn"} if reached.silent else None
    arrived = {"text": _("已送达"), "sub": _when(reached.delivered), "tone": "good"} if reached.delivered is not None else unknown
    signer = desk.directory.person(call.signed_by)
    signed = {"text": signer.name if signer else _("已签收"), "sub": _when(call.signed_at), "tone": "good"} if call.signed_at else None
    words = _("参会 {come} 人，请假 {leave} 人").format(come=line.come, leave=line.leave)
    answer = {"text": words, "sub": _when(call.reply_at), "tone": "good"} if call.reply_round == round else None
    if line.void:
        answer = {"text": _("改期前的回执，已作废"), "sub": "", "tone": "warn"}
    return [arrived, signed, answer, _via(desk, call)]


def _via(desk: Desk, call: Call) -> dict[str, Any] | None:
    if not call.via:
        return None
    return {"text": short(desk, call.via), "sub": _when(call.gathered_at), "tone": "good" if call.gathered_at else "plain"}


def tally(lines: list[Line], round: int) -> list[tuple[Text, int, str]]:
    """How many organs have come how far."""
    replied = sum(one.call.reply_round == round for one in lines)
    signed = sum(bool(one.call.signed_at) and one.call.reply_round != round for one in lines)
    reached = sum(one.reached.delivered is not None and not one.call.signed_at and one.call.reply_round != round for one in lines)
    return [
        (_("已回执"), replied, "done"),
        (_("已签收"), signed, "good"),
        (_("已送达"), reached, "info"),
        (_("未送达"), len(lines) - replied - signed - reached, "plain"),
    ]


def _when(at: int | None) -> str:
    return clock.from_ms(at).astimezone(SHANGHAI).strftime("%m-%d %H:%M") if at else ""
