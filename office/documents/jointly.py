"""What the page of a document shows of the organs that are to issue it together with its own, and what may be done about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from office.documents import issuers, service, views
from office.documents.entries import Envelope, agreed, rendering_digest
from office.documents.joint import awaited
from office.documents.labels import AGREEMENT_WORDS, TONES
from office.documents.model import Act as Done
from office.documents.model import Document, Party
from office.documents.workflow import STEPS, Agreement
from office.frame.desk import Desk
from office.frame.trace import Trace
from office.frame.words import _
from office.portal.page import Act


def account(desk: Desk, doc: str) -> list[Done]:
    """What happened to a document so far, with what the organs said that issue it jointly."""
    said = desk.list(Done, Done.doc == doc, Done.receipt == "consent", limit=500)
    return sorted((*service.timeline(desk, doc), *said), key=lambda act: act.at) if said else service.timeline(desk, doc)


def acts(document: Document, joint: dict[str, Any] | None) -> list[Act]:
    """The button that puts the text before the others."""
    if joint is None or not joint["asks"]:
        return []
    label = _("重新送会签") if joint["asked"] else _("送会签")
    return [Act(f"/documents/{document.id}/consult", label, "main", confirm=_("正文送各联合发文机关会签；以后改了正文，要重新送会签。"))]


def shown(desk: Desk, document: Document, envelope: Envelope) -> dict[str, Any] | None:
    """What the page of a document shows of the organs that are to issue it with its own; None when it is issued alone."""
    rows = issuers.asked(desk, document.id)
    if not rows and not envelope.paper.joint:
        return None
    may = "consult" in service.moves(desk, document)
    digest = rendering_digest(agreed(envelope))
    stay = [row for row in rows if not row.dropped]
    fresh = bool(rows) and not any(row.held or row.digest != digest for row in stay)
    others, present = {row.organ for row in stay}, [(row.organ, _name(desk, row.organ)) for row in stay]
    words, tone = _waits(desk, document, rows, fresh=fresh)
    return {
        "rows": [_row(desk, row) for row in rows] or [_named(desk, id) for id in envelope.paper.joint],
        "asked": bool(rows),
        "asks": may and not fresh,
        "may": may and bool(rows),
        "present": present,
        "awaited": [(row.organ, _name(desk, row.organ)) for row in stay if may and fresh and awaited(desk, row) and row.urged < STEPS],
        "others": [(group, [one for one in organs if one[0] not in others]) for group, organs in views.groups_of(desk, document.organ, issuing=True)]
        if may and rows
        else [],
        "waits": words,
        "tone": tone,
    }


def _waits(desk: Desk, document: Document, rows: Sequence[Party], *, fresh: bool) -> tuple[str, str]:
    if document.issue or document.void:
        return "", ""
    if not rows:
        return str(_("核稿通过后送各机关会签，齐了才编号。")), "info"
    if not fresh:
        return str(_("正文已收回或者有变化，须重新送会签；原来的会签不再有效。")), "warn"
    found = issuers.waiting(desk, [document]).get(document.id)
    return (found[0], "info" if found[1] else "warn") if found is not None else (str(_("各机关都已会签。")), "good")


def _row(desk: Desk, row: Party) -> dict[str, Any]:
    agrees = row.agrees
    text = row.opinion if agrees else row.refused if row.refuses else row.reason
    return {
        "name": _name(desk, row.organ),
        "organ": row.organ,
        "state": row.state,
        "words": str(AGREEMENT_WORDS[Agreement(row.state)]),
        "tone": TONES.get(Agreement(row.state), ""),
        "text": row.reason if row.dropped else text,
        "urged": str(_("已催办 {n} 次，{time}").format(n=row.urged, time=views.when(row.urged_at))) if row.urged and not agrees else "",
        "signer": row.signer if agrees else "",
        "signed_on": row.signed_on if agrees else "",
        "seal": str(_("已用印")) if row.mark is not None else str(_("待用印")) if agrees and issuers.wants_seal(desk, row) else "",
        "reached": _reached(desk, row) if not row.dropped else None,
    }


def _named(desk: Desk, organ: str) -> dict[str, Any]:
    """An organ that the draft names and nobody has asked yet."""
    blank = {
        "state": "",
        "urged": "",
        "words": str(_("未送会签")),
        "tone": "",
        "text": "",
        "signer": "",
        "signed_on": "",
        "seal": "",
        "reached": None,
    }
    return {"name": _name(desk, organ), "organ": organ} | blank


def _reached(desk: Desk, row: Party) -> dict[str, Any]:
    """Whether the text has reached the organ's node; of one that is not heard, since when nothing is known."""
    found = Trace(desk, row.said).at(row.node, written=row.asked_at)
    answered = row.agrees or row.refuses
    since = str(views.unknown_since(found.heard)) if found.silent and not answered else ""
    if found.delivered is not None or answered:
        return {"text": str(_("已送达")), "sub": since or views.when(found.delivered), "tone": "warn" if since else "good"}
    return {"text": str(_("待发，等待线路") if found.silent else _("待发")), "sub": since, "tone": "warn" if found.silent else "plain"}


def _name(desk: Desk, organ: str) -> str:
    found = desk.directory.organ(organ)
    return found.short_name if found is not None else organ
