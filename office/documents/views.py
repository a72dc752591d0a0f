"""What the screens of documents show, row by row: values for templates, no HTML and no rights of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from node import clock
from node.directory.entries import Organ
from office.documents import service, workflow
from office.documents.entries import Annex, Change, Envelope, Label, Openness, Paper, Role
from office.documents.labels import (
    CHANGE_WORDS,
    KIND_WORDS,
    LABEL_WORDS,
    OPENNESS_WORDS,
    ORDER,
    REASON_WORDS,
    ROLE_WORDS,
    STAGE_WORDS,
    TONES,
)
from office.documents.model import Act as Done
from office.documents.model import Document, Incoming, Letter, Validity
from office.documents.names import issuers_of
from office.documents.sheets import addressed, signed_by
from office.documents.workflow import Stage
from office.frame.desk import Desk
from office.frame.words import Text, _
from office.portal.page import Act
from office.portal.screen import day


def document_line(desk: Desk, row: Document) -> dict[str, Any]:
    """A line of the outgoing register."""
    drafter, organ = desk.directory.person(row.drafter), desk.directory.organ(row.organ)
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
        "organ": organ.short_name if organ is not None else row.organ,
        "drafter": drafter.name if drafter is not None else "",
        "at": clock.from_ms(row.changed_at),
        "about": row.returned if row.state == Stage.RETURNED else "",
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


def facts_of(desk: Desk, document: Document, envelope: Envelope) -> list[tuple[str, Any]]:
    """Labels and values of an outgoing document."""
    paper = envelope.paper
    drafter = desk.directory.person(document.drafter)
    return [
        (_("发文字号"), document.number or _("未编号")),
        (_("发文机关"), "、".join(issuers_of(desk, envelope))),
        (_("主送"), addressed(desk, envelope, Role.TO)),
        (_("抄送"), addressed(desk, envelope, Role.CC)),
        (_("拟稿人"), drafter.name if drafter is not None else ""),
        (_("签发人"), signed_by(desk, envelope)),
        (_("成文日期"), day(document.signed_on)),
        (_("标识"), LABEL_WORDS.get(Label(paper.label), paper.label)),
        (_("特急理由"), paper.urgency_reason),
        (_("公开属性"), openness_of(paper)),
        (_("答复要求"), _("需要答复") if paper.reply_required else ""),
        (_("阅知要求"), _("要求阅知") if paper.read_required else ""),
        (_("修改、废止"), "；".join(f"《{e.title}》（{e.number}）" for e in paper.effects)),
        (_("代签依据"), envelope.acted.partition(" ")[2]),
        (_("作废原因"), document.void),
        (_("退回原因"), document.returned if document.state == Stage.RETURNED else ""),
        (_("针对来文"), title_of(desk, paper.in_reply_to)),
    ]


def openness_of(paper: Paper) -> str:
    """公开属性 and its reason."""
    words = str(OPENNESS_WORDS[Openness(paper.openness)]) if paper.openness else ""
    return "：".join(part for part in (words, paper.openness_reason) if part)


def changes_of(desk: Desk, doc: str) -> list[dict[str, Any]]:
    """What became of a document after it was issued, as its home says; empty while it is in force."""
    letter = next(iter(desk.list(Letter, Letter.id == doc)), None)
    rows = desk.list(Validity, Validity.doc == doc, order=Validity.at) if letter is not None else []
    return [_change(desk, row) for row in rows if letter is not None and row.home == letter.home]


def _change(desk: Desk, row: Validity) -> dict[str, Any]:
    reached = desk.list(Letter, Letter.id == row.by) if row.by else []
    by = f"《{row.title}》" + (f"（{row.number}）" if row.number else "") if row.title else ""
    since = _("自 {day} 起").format(day=day(row.on))
    return {
        "words": CHANGE_WORDS[Change(row.change)],
        "text": "，".join(str(part) for part in (since, by, row.reason) if part),
        "partly": row.change == Change.AMENDED,
        "number": row.number,
        "title": row.title,
        "url": page_of(desk, row.by) if reached else "",
    }


def tab_of(asked: str, counts: Mapping[str, int], waiting: Sequence[str]) -> str:
    """The tab of a register that was asked for, else the first with work, else the first with anything in it."""
    return asked if asked in counts else next((key for key in (*waiting, *counts) if counts[key]), next(iter(counts)))


def page_of(desk: Desk, doc: str) -> str:
    """The page of a document the person may see, at its home or where it came in."""
    if desk.list(Document, Document.id == doc):
        return f"/documents/{doc}"
    came = desk.list(Incoming, Incoming.doc == doc, limit=1)
    return f"/incoming/{came[0].id}" if came else ""


def title_of(desk: Desk, doc: str) -> str:
    """Title and number of a document the person may see, else its id as it was given."""
    found = desk.list(Letter, Letter.id == doc) if doc else []
    if not found:
        return doc
    paper, changes = found[0].envelope, changes_of(desk, doc)
    return f"《{paper.paper.title}》" + (f"（{paper.number}）" if paper.number else "") + (f"［{changes[-1]['words']}］" if changes else "")


def matrix_of(rows: Sequence[service.Row]) -> list[tuple[str, list[Any]]]:
    """The rows of the matrix, ready for the table."""
    return [(f"{row.name}（{ROLE_WORDS[Role(row.role)]}）", _cells(row)) for row in rows]


def _cells(row: service.Row) -> list[Any]:
    unknown = None
    if row.silent:
        unknown = {"text": unknown_since(row.heard), "sub": row.node_name, "tone": "warn"}
    waiting = (
        {"text": _("待发，等待线路"), "sub": row.node_name, "tone": "warn"}
        if row.silent
        else {"text": _("待发"), "sub": row.node_name, "tone": "plain"}
    )
    hops = {"text": "、".join(name for name, _at in row.carried), "sub": when(row.carried[-1][1]), "tone": "plain"} if row.carried else None
    arrived = {"text": _("已送达"), "sub": when(row.delivered), "tone": "good"} if row.delivered is not None else None
    receipts = {code: _receipt_cell(act) for code, act in row.receipts.items()}
    back = receipts.get("R2x") or receipts.get("R5")
    first = hops or (None if arrived else waiting)
    signed = receipts.get("R2") or (None if back else unknown)
    return [first, arrived or (unknown if hops else None), signed, receipts.get("R3"), receipts.get("R4"), back]


def _receipt_cell(act: Done) -> dict[str, Any]:
    words = {"R2x": REASON_WORDS.get(act.reason, _("退文")), "R5": _("撤回已确认")}.get(act.receipt)
    who = act.name or _("自动")
    tone = "bad" if act.receipt == "R2x" else "good"
    return {
        "text": f"{words}：{who}" if words else who,
        "sub": "　".join(part for part in (when(act.at), act.text if act.receipt == "R2x" else "") if part),
        "tone": tone,
    }


def unknown_since(heard: int) -> Text | str:
    """What is said of a node that is not heard now; ``heard`` is when it last was, milliseconds, 0 for never."""
    return _("自 {time} 起失联，以后情况不明").format(time=when(heard)) if heard else _("尚未联系上，情况不明")


def when(at: int | None) -> str:
    """A moment in milliseconds as the matrix shows it; empty for none."""
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
    found = dict.fromkeys(FURTHEST, 0)
    for row in rows:
        found[furthest(row)] += 1
    return [(str(words), found[key], tone) for key, (words, tone, always) in FURTHEST.items() if always or found[key]]


FURTHEST = {
    "answered": (_("已反馈"), "done", True),
    "signed": (_("已签收"), "good", True),
    "delivered": (_("送达未签收"), "info", True),
    "underway": (_("在途"), "plain", False),
    "unknown": (_("情况不明"), "warn", True),
    "back": (_("退文或撤回"), "bad", False),
}
"How far a document has come at a recipient: words, tone, and whether it is counted even where there is none."


def furthest(row: service.Row) -> str:
    """How far a document has come at a recipient, a key of ``FURTHEST``."""
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
        line["received"] += str(_("，{n} 退文").format(n=at.back)) if at.back else ""


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


def earlier_of(desk: Desk, paper: Paper, doc: str) -> list[tuple[str, str]]:
    """Documents of the organ in force that a new one may amend or repeal, the newest first."""
    gone = select(Validity.doc).where(Validity.change != Change.AMENDED)
    where = (Document.organ == paper.organ, Document.state == Stage.DISPATCHED, Document.number != "", Document.id != doc, Document.id.not_in(gone))
    rows = desk.list(Document, *where, order=Document.changed_at.desc(), limit=40, narrow=True)
    return [(row.id, f"{row.number} {row.title}") for row in rows]


def groups_of(desk: Desk, issuer: str, *, issuing: bool = False) -> list[tuple[str, list[tuple[str, str]]]]:
    """All organs but the issuer (or those that may issue documents), grouped under the organ that commands them, in protocol order."""
    groups: dict[str, list[tuple[str, str]]] = {}
    names: dict[str, Organ] = {organ.id: organ for organ in desk.directory.organs()}
    for organ in names.values():
        top = names.get(organ.parent_id)
        label = top.short_name if top is not None else organ.short_name if organ.kind in ("government", "zone_committee") else str(_("领导机关"))
        if organ.id != issuer and (organ.may_issue or not issuing):
            groups.setdefault(label, []).append((organ.id, organ.short_name))
    return list(groups.items())
