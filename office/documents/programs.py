"""Documents for programs: the command line and /api/v1. Verbs in plain words, answers as JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from node import clock
from node.errors import Conflict, Invalid, Missing, Refused
from node.kinds import Content, name_of
from office.documents import entries as said
from office.documents import model, workflow
from office.documents.entries import Annex, Cited, Label, Paper, Role, Urgency
from office.documents.files import attach, blob_state
from office.documents.incoming import answer, register, send_back, sign_for
from office.documents.issuing import Sent, send
from office.documents.kinds import labelled
from office.documents.leading import assign, read
from office.documents.matrix import Row, matrix
from office.documents.model import Act, Document, Incoming, Letter
from office.documents.rights import issuers, roles
from office.documents.terms import deadline
from office.documents.workflow import SIGNER, Standing
from office.frame.desk import Desk
from office.frame.words import _


def inbox(desk: Desk, *, since: int = 0, limit: int = 100) -> list[dict[str, Any]]:
    """What came after a cursor, oldest first, for the organs in which the person may see it."""
    rows = desk.list(Incoming, Incoming.order > since, order=(Incoming.order, Incoming.id), limit=limit)
    letters = {letter.id: letter for letter in desk.list(Letter, Letter.id.in_([row.doc for row in rows]), limit=limit)}
    return [_brief(row, letters[row.doc]) for row in rows]


def doc_get(desk: Desk, doc: str) -> dict[str, Any]:
    """Everything about one document that the person may see: text, attachments, receipts."""
    letters = desk.list(Letter, Letter.id == doc)
    if not letters:
        document = desk.get(Document, doc)
        return {"doc": doc, "ref": None, "state": document.state, **_paper_json(desk, document.paper)}
    letter = letters[0]
    envelope = letter.envelope
    mine = desk.list(Incoming, Incoming.doc == doc)
    return {
        "doc": doc,
        "ref": letter.place,
        "number": envelope.number,
        "from": letter.organ,
        "from_name": envelope.issuer,
        "signer": envelope.signer,
        "signed_on": envelope.signed_on,
        "issue": letter.issue,
        "sealed": envelope.seal is not None,
        "sent_at": _iso(letter.at),
        "state": desk.get(Document, doc).state if desk.list(Document, Document.id == doc) else mine[0].state,
        **_paper_json(desk, envelope.paper),
        "receipts": [_act_json(act) for act in desk.list(Act, Act.doc == doc, Act.receipt != "", order=(Act.at, Act.seq), limit=20_000)],
    }


ACTIONS = ("read", "sign", "refuse", "transfer", "finish")


def receipt(desk: Desk, doc: str, action: str, *, note: str = "", key: str = "", organ: str = "", to: str = "", reason: str = "not_ours") -> str:
    """Act on a document that came in, by the words of the command line; returns the ref of the receipt.

    Asking again with the same key and action is answered as before; with another action it is a conflict.
    """
    if action not in ACTIONS:
        raise Invalid(_("没有这种回执。"), code="action")
    found = [row for row in desk.list(Incoming, Incoming.doc == doc, order=Incoming.organ) if organ in ("", row.organ)]
    if not found:
        raise Missing()
    kind = name_of(_SAID[action])
    for act in desk.list(Act, Act.key == key, Act.doc == doc) if key else ():
        if act.kind != kind:
            raise Conflict(_("这个编号已用于另一项操作。"), code="key_reused")
        return act.place
    mine = next((row for row in found if model.watched(desk).count(row.organ)), found[0])
    _ACTS[action](desk, mine.id, note=note, key=key, to=to, reason=reason)
    acts = desk.list(Act, Act.record == mine.id, Act.kind == kind, order=(Act.at.desc(), Act.seq.desc()), limit=1)
    return acts[0].place


def _finish(desk: Desk, incoming: str, *, note: str, key: str, **_given: str) -> None:
    answer(desk, incoming, text=note or "已办结。", close_too=True, key=key)


def _transfer(desk: Desk, incoming: str, *, note: str, to: str, **_given: str) -> None:
    if desk.get(Incoming, incoming).state == Standing.SIGNED_IN:
        register(desk, incoming)
    assign(desk, incoming, lead=to or desk.person, opinion=note)


_SAID: dict[str, type[Content]] = {
    "read": said.Read,
    "sign": said.SignedFor,
    "refuse": said.SentBack,
    "transfer": said.Assigned,
    "finish": said.Answered,
}
_ACTS: dict[str, Callable[..., None]] = {
    "read": lambda desk, incoming, **given: read(desk, incoming, tell=True, key=given["key"]),
    "sign": lambda desk, incoming, **given: sign_for(desk, incoming, key=given["key"]),
    "refuse": lambda desk, incoming, **given: send_back(desk, incoming, reason=given["reason"], words=given["note"] or "退文", key=given["key"]),
    "transfer": _transfer,
    "finish": _finish,
}


def receipts(desk: Desk, doc: str) -> list[dict[str, Any]]:
    """The matrix as the command line and programs read it."""
    return [_row_json(row) for row in matrix(desk, doc)]


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was uploaded before and is to be attached."""

    sha: str
    "SHA-256 of the file, hex."
    name: str
    mime: str = "application/octet-stream"


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """A document to be issued in one step."""

    to: list[str]
    title: str
    kind: str = "letter"
    text: str = ""
    organ: str = ""
    "The issuer; empty for the first organ in whose name the person may sign."
    cc: list[str] = []
    lists: list[str] = []
    "Ids of standing lists, as main recipients."
    label: str = "internal"
    urgency: str = "normal"
    urgency_reason: str = ""
    deadline: str = ""
    "RFC 3339, or a rule: 5wd, 24h."
    reply_required: bool = False
    reply_to: str = ""
    prefix: str = ""
    "机关代字 to number it under; empty for none."
    attachments: list[File] = []


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An act on a document that came in."""

    action: str
    "read, sign, refuse, transfer or finish."
    note: str = ""
    organ: str = ""
    to: str = ""
    reason: str = "not_ours"
    id: str = ""


Files = Callable[[str], Path]
"Where the bytes of an uploaded file lie, by their hash in hex."


def post(desk: Desk, asked: Post, files: Files, *, doc: str = "") -> Sent:
    """Issue what a program asks for, with files that were uploaded before; see :func:`send`."""
    if desk.away and not doc:
        raise Invalid(_("用本人的钥匙发文须给出公文编号（Idempotency-Key）。"), code="idempotency_key")
    given = msgspec.structs.replace(paper_of(desk, asked), annexes=tuple(_uploaded(desk, file, files) for file in asked.attachments))
    return send(desk, given, doc=doc, prefix=asked.prefix)


def paper_of(desk: Desk, asked: Post) -> Paper:
    """The paper that a program's words mean; :class:`Invalid` names the word that means nothing."""
    label = asked.label.replace("-", "_")
    if label not in list(Label):
        raise Refused(_("标识只能是公开、内部或者工作秘密；国家秘密不得上网。"), code="label_refused", hint=_("国家秘密请走机要渠道。"))
    urgency = {word: level for level, word in URGENCIES.items()}.get(asked.urgency, asked.urgency)
    if urgency not in list(Urgency):
        raise Invalid(_("没有这种紧急程度：{word}").format(word=asked.urgency[:40]), code="urgency")
    versions = {listing.id: listing.version for listing in desk.directory.lists()}
    for id in asked.lists:
        if id not in versions:
            raise Invalid(_("没有这个通讯组：{id}").format(id=id[:64]), code="no_list")
    due, rule = deadline(desk, asked.deadline)
    signs = [organ.id for organ in issuers(desk) if SIGNER in roles(desk, organ.id)]
    given = Paper(
        organ=asked.organ or next(iter(signs), next((organ.id for organ in issuers(desk)), "")),
        kind=workflow.ALIASES.get(asked.kind, asked.kind.replace("-", "_")),
        title=" ".join(asked.title.split()),
        text=asked.text.replace("\r\n", "\n"),
        to=tuple(dict.fromkeys(asked.to)),
        cc=tuple(id for id in dict.fromkeys(asked.cc) if id not in asked.to),
        lists=tuple(Cited(id, versions[id], Role.TO) for id in asked.lists),
        urgency=Urgency(urgency),
        urgency_reason=asked.urgency_reason,
        label=Label(label),
        reply_required=asked.reply_required or bool(due),
        due=due,
        due_rule=rule,
        in_reply_to=asked.reply_to,
    )
    return labelled(given)


def _uploaded(desk: Desk, file: File, files: Files) -> Annex:
    sha = file.sha.removeprefix("sha256:").lower()
    if len(sha) != 64 or set(sha) - set("0123456789abcdef"):
        raise Invalid(_("附件的散列值有误。"), code="malformed")
    key = desk.away.random("annex", sha) if desk.away else b""
    with files(sha).open("rb") as stream:
        return attach(desk, file.name, file.mime, stream, key=key)


URGENCIES = {"none": "normal", "urgent": "urgent", "flash": "flash"}
"Words of the programs for 紧急程度."


def _brief(row: Incoming, letter: Letter) -> dict[str, Any]:
    return {
        "doc": row.doc,
        "ref": letter.place,
        "from": row.issuer,
        "from_name": row.issuer_name,
        "organ": row.organ,
        "role": row.role,
        "number": row.number,
        "title": row.title,
        "kind": row.kind,
        "label": row.label.replace("_", "-"),
        "urgency": URGENCIES.get(row.urgency, row.urgency),
        "state": row.state,
        "deadline": _iso(row.due),
        "anchored": {"from": _iso(row.sent_at), "to": None},
        "cursor": row.order,
    }


def _paper_json(desk: Desk, paper: Paper) -> dict[str, Any]:
    return {
        "title": paper.title,
        "kind": paper.kind,
        "organ": paper.organ,
        "to": list(paper.to),
        "cc": list(paper.cc),
        "lists": [{"id": cited.id, "version": cited.version, "role": cited.role} for cited in paper.lists],
        "label": paper.label.replace("_", "-"),
        "urgency": URGENCIES.get(paper.urgency, paper.urgency),
        "deadline": _iso(paper.due),
        "deadline_rule": paper.due_rule or None,
        "reply_required": paper.reply_required,
        "in_reply_to": paper.in_reply_to or None,
        "forwards": paper.forwards or None,
        "text": paper.text,
        "body_sha": "sha256:" + hashlib.sha256(paper.text.encode()).hexdigest(),
        "attachments": [
            {"name": a.name, "size": a.size, "mime": a.mime, "sha": "sha256:" + a.plain.hex(), "blob": a.sha.hex(), "state": blob_state(desk, a)}
            for a in paper.annexes
        ],
    }


def _act_json(act: Act) -> dict[str, Any]:
    found = {"receipt": act.receipt, "recipient": act.organ, "ref": act.place, "by": act.person, "name": act.name, "at": _iso(act.at)}
    return found | {"text": act.text or None, "reason": act.reason or None, "id": act.key or None}


def _row_json(row: Row) -> dict[str, Any]:
    def place(code: str) -> str | None:
        return row.receipts[code].place if code in row.receipts else None

    last = max((act for code, act in row.receipts.items() if code[0] == "R"), key=lambda act: act.at, default=None)
    return {
        "recipient": row.organ,
        "name": row.name,
        "role": row.role,
        "node": row.node,
        "carried": [{"node": name, "at": _iso(at)} for name, at in row.carried],
        "delivered": row.delivered_place if row.delivered is not None else None,
        "delivered_at": _iso(row.delivered),
        "signed": place("R2"),
        "refused": place("R2x"),
        "read": place("R3"),
        "answered": place("R4"),
        "recalled": place("R5"),
        "by": last.name or last.person if last else None,
        "at": _iso(last.at) if last else None,
        "anchored": {"from": _iso(last.at), "to": None} if last else None,
        "unknown_since": _iso(row.heard) if row.silent else None,
        "silent": row.silent,
    }


def _iso(at: int | None) -> str | None:
    return clock.from_ms(at).astimezone(workflow.SHANGHAI).isoformat() if at else None
