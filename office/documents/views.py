"""What the screens of documents show, row by row: values for templates, no HTML and no rights of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from node import clock
from node.directory.entries import Organ
from office.documents import service, workflow
from office.documents.entries import Annex, Envelope, Label, Role
from office.documents.labels import (
    ACT_WORDS,
    KIND_WORDS,
    LABEL_WORDS,
    ORDER,
    REASON_WORDS,
    ROLE_WORDS,
    STAGE_WORDS,
    STANDING_WORDS,
    TONES,
)
from office.documents.model import Act as Done
from office.documents.model import Document, Hand, Incoming, Letter
from office.documents.sheets import addressed
from office.documents.workflow import Stage, Standing
from office.frame.desk import Desk
from office.frame.words import _
from office.portal.page import Act
from office.portal.screen import day


def document_line(desk: Desk, row: Document) -> dict[str, Any]:
    """A line of the outgoing register."""
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


def incoming_line(row: Incoming) -> dict[str, Any]:
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
        "from": row.issuer_name,
        "state": STANDING_WORDS[Standing(row.state)],
        "tone": TONES.get(Standing(row.state), ""),
        "at": clock.from_ms(row.sent_at),
        "due": clock.from_ms(row.due) if row.due else None,
        "done": row.state in (Standing.CLOSED, Standing.SENT_BACK, Standing.RECALLED),
    }


def steps_of(document: Document) -> list[tuple[str, str]]:
    """The steps of an outgoing document, each done, now or to come; none once it has ended."""
    state = Stage.DRAFT if document.state == Stage.RETURNED else Stage(document.state)
    at = next((n for n, (stage, _label) in enumerate(ORDER) if stage == state), -1)
    return [(label, "now" if n == at else "done" if n < at else "") for n, (_stage, label) in enumerate(ORDER)] if at >= 0 else []


def acts_of(desk: Desk, document: Document) -> list[Act]:
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


def prefixes_of(desk: Desk, document: Document) -> list[tuple[str, str]]:
    """The number series of the issuing organ, with the year."""
    organ = desk.directory.organ(document.organ)
    year = workflow.day(desk.now).year
    return [(prefix, f"{prefix}〔{year}〕") for prefix in organ.doc_prefixes] if organ is not None else []


def acts_in(row: Incoming, moves: Sequence[str]) -> list[Act]:
    """Buttons of what may be done now with an incoming document."""
    url = f"/incoming/{row.id}"
    every = {
        "sign_for": Act(f"{url}/sign_for", _("签收"), "main"),
        "confirm_recall": Act(f"{url}/confirm_recall", _("确认撤回"), "main", confirm=_("确认后本件不再办理。")),
        "read": Act(f"{url}/read", _("已阅"), "main"),
        "close": Act(f"{url}/close", _("办结"), "plain", ask=_("办结说明")),
    }
    return [act for name, act in every.items() if name in moves]


def facts_of(desk: Desk, document: Document, envelope: Envelope) -> list[tuple[str, Any]]:
    """Labels and values of an outgoing document."""
    paper = envelope.paper
    drafter = desk.directory.person(document.drafter)
    return [
        (_("发文字号"), document.number or _("未编号")),
        (_("发文机关"), envelope.issuer),
        (_("主送"), addressed(desk, envelope, Role.TO)),
        (_("抄送"), addressed(desk, envelope, Role.CC)),
        (_("拟稿人"), drafter.name if drafter is not None else ""),
        (_("签发人"), document.signer),
        (_("成文日期"), day(document.signed_on)),
        (_("标识"), LABEL_WORDS.get(Label(paper.label), paper.label)),
        (_("特急理由"), paper.urgency_reason),
        (_("答复要求"), _("需要答复") if paper.reply_required else ""),
        (_("作废原因"), document.void),
        (_("退回原因"), document.returned if document.state == Stage.RETURNED else ""),
        (_("针对来文"), title_of(desk, paper.in_reply_to)),
    ]


def facts_in(desk: Desk, row: Incoming, envelope: Envelope) -> list[tuple[str, Any]]:
    """Labels and values of an incoming sheet."""
    organ = desk.directory.organ(row.organ)
    return [
        (_("收文机关"), organ.full_name if organ is not None else row.organ),
        (_("来文机关"), row.issuer_name),
        (_("来文字号"), row.number or _("无")),
        (_("来文日期"), day(envelope.signed_on)),
        (_("收文号"), row.register),
        (_("办件或阅件"), (_("办件") if row.to_handle else _("阅件")) if row.register else ""),
        (_("收文方式"), ROLE_WORDS[Role(row.role)]),
        (_("标识"), LABEL_WORDS.get(Label(row.label), row.label)),
        (_("答复要求"), _("需要答复") if row.reply_required else ""),
        (_("拟办意见"), row.opinion),
        (_("退文原因"), REASON_WORDS.get(row.sent_back, "")),
        (_("撤回原因"), row.recall_reason),
    ]


def title_of(desk: Desk, doc: str) -> str:
    """Title and number of a document the person may see, else its id as it was given."""
    found = desk.list(Letter, Letter.id == doc) if doc else []
    if not found:
        return doc
    paper = found[0].envelope
    return f"《{paper.paper.title}》" + (f"（{paper.number}）" if paper.number else "")


def matrix_of(rows: Sequence[service.Row]) -> list[tuple[str, list[Any]]]:
    """The rows of the matrix, ready for the table."""
    return [(f"{row.name}（{ROLE_WORDS[Role(row.role)]}）", _cells(row)) for row in rows]


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


def summary_of(rows: Sequence[service.Row]) -> str:
    """Counts in words, with those of whom nothing is known named as such."""
    if not rows:
        return ""
    signed = sum("R2" in row.receipts for row in rows)
    arrived = sum(row.delivered is not None for row in rows)
    unknown = sum(row.silent and "R2" not in row.receipts for row in rows)
    text = _("共 {all} 个收文机关：送达 {arrived}，签收 {signed}。").format(all=len(rows), arrived=arrived, signed=signed)
    return text + (_("其中 {n} 个失联，情况不明。").format(n=unknown) if unknown else "")


def tally_of(rows: Sequence[service.Row]) -> list[tuple[str, int, str]]:
    """(how far, number of recipients, tone), each recipient counted once, where it stands furthest."""
    found = dict.fromkeys(_FURTHEST, 0)
    for row in rows:
        found[_furthest(row)] += 1
    return [(str(words), found[key], tone) for key, (words, tone, always) in _FURTHEST.items() if always or found[key]]


_FURTHEST = {
    "answered": (_("已反馈"), "done", True),
    "signed": (_("已签收"), "good", True),
    "delivered": (_("送达未签收"), "info", True),
    "underway": (_("在途"), "plain", False),
    "unknown": (_("情况不明"), "warn", True),
    "back": (_("退文或撤回"), "bad", False),
}


def _furthest(row: service.Row) -> str:
    receipts = row.receipts
    if "R2x" in receipts or "R5" in receipts:
        return "back"
    if "R4" in receipts or "R2" in receipts:
        return "answered" if "R4" in receipts else "signed"
    if row.silent:
        return "unknown"
    return "underway" if row.delivered is None else "delivered"


def add_receipts(lines: Sequence[dict[str, Any]], found: Mapping[str, service.Progress]) -> None:
    """Add to lines of the register how many recipients have answered and signed."""
    for line in lines:
        at = found.get(line["id"])
        if at is None:
            line |= {"receipts": [], "received": ""}
            continue
        waiting = max(0, at.recipients - max(at.signed, at.answered) - at.back)
        line["receipts"] = [
            (str(_("已反馈")), at.answered, "done"),
            (str(_("已签收")), max(0, at.signed - at.answered), "good"),
            (str(_("未签收")), waiting, "plain"),
            (str(_("已退文")), at.back, "bad"),
        ]
        line["received"] = str(_("{n}/{all} 签收").format(n=at.signed, all=at.recipients))


def act_line(desk: Desk, act: Done) -> dict[str, Any]:
    """One line of what happened so far."""
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


def hands_of(desk: Desk, incoming: str) -> list[dict[str, Any]]:
    """Who has an incoming document in hand, and who has read it."""
    words = {"lead": _("承办"), "assist": _("协办"), "read": _("阅知")}
    rows = desk.list(Hand, Hand.incoming == incoming, order=(Hand.task, Hand.at, Hand.person))
    found = []
    for row in rows:
        person = desk.directory.person(row.person)
        read_at = clock.from_ms(row.read_at) if row.read_at else None
        found.append({"name": person.name if person is not None else row.person, "task": words.get(row.task, _("已阅")), "read_at": read_at})
    return found


def files_of(desk: Desk, annexes: Sequence[Annex], url: str) -> list[dict[str, Any]]:
    """Attached files with their addresses and whether they are here."""
    words = {"whole": ("", ""), "partial": (_("正在传送"), "warn"), "waiting": (_("等待传送"), "warn")}
    found = []
    for place, annex in enumerate(annexes):
        state, tone = words[service.blob_state(desk, annex)]
        found.append({"name": annex.name, "size": annex.size, "url": f"{url}/{place}", "state": state, "tone": tone, "sha": annex.sha.hex()})
    return found


def answers_of(desk: Desk, rows: Sequence[service.Row], doc: str) -> list[dict[str, Any]]:
    """What recipients answered, with their files."""
    found = []
    for row in rows:
        acts = [act for act in (*row.receipts.values(), *row.also) if act.receipt == "R4"]
        for act in acts:
            files = files_of(desk, act.annexes, f"/documents/{doc}/answers/{act.id.hex()}")
            found.append({"organ": row.name, "name": act.name, "at": clock.from_ms(act.at), "text": act.text, "files": files})
    return found


def groups_of(desk: Desk, issuer: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """All organs but the issuer, grouped under the organ that commands them, in protocol order."""
    groups: dict[str, list[tuple[str, str]]] = {}
    names: dict[str, Organ] = {organ.id: organ for organ in desk.directory.organs()}
    for organ in names.values():
        top = names.get(organ.parent_id)
        label = top.short_name if top is not None else organ.short_name if organ.kind in ("government", "zone_committee") else str(_("领导机关"))
        if organ.id != issuer:
            groups.setdefault(label, []).append((organ.id, organ.short_name))
    return list(groups.items())
