"""The verbs and questions of the documents room, in one place; and what the node does by itself."""

from __future__ import annotations

from office.documents.envelopes import envelope, preview
from office.documents.files import attach, blob_state, forwarded, open_annex
from office.documents.incoming import answer, assign, close, confirm_recall, read, register, send_back, sign_for
from office.documents.issuing import Sent, issue, send
from office.documents.matrix import Progress, Row, matrix, progress, statements, timeline
from office.documents.outgoing import correct, dispatch, draft, give_back, number, recall, review, revise, seal, sign, submit, void
from office.documents.programs import Post, Reply, doc_get, inbox, paper_of, post, receipt, receipts
from office.documents.registers import (
    incoming_count,
    incoming_where,
    notices,
    outgoing_count,
    outgoing_where,
    sign_in_due,
    todo,
    waiting_in,
    waiting_out,
)
from office.documents.rights import incoming_moves, issuers, moves, roles, staff
from office.documents.routing import findings, forward_paper, recipients, reply_paper, sentence

__all__ = [
    "Post",
    "Progress",
    "Reply",
    "Row",
    "Sent",
    "answer",
    "assign",
    "attach",
    "blob_state",
    "close",
    "confirm_recall",
    "correct",
    "dispatch",
    "doc_get",
    "draft",
    "envelope",
    "findings",
    "forward_paper",
    "forwarded",
    "give_back",
    "inbox",
    "incoming_count",
    "incoming_moves",
    "incoming_where",
    "issue",
    "issuers",
    "matrix",
    "moves",
    "notices",
    "number",
    "open_annex",
    "outgoing_count",
    "outgoing_where",
    "paper_of",
    "post",
    "preview",
    "progress",
    "read",
    "recall",
    "receipt",
    "receipts",
    "recipients",
    "register",
    "reply_paper",
    "review",
    "revise",
    "roles",
    "seal",
    "send",
    "send_back",
    "sentence",
    "sign",
    "sign_for",
    "sign_in_due",
    "staff",
    "statements",
    "submit",
    "timeline",
    "todo",
    "void",
    "waiting_in",
    "waiting_out",
]
