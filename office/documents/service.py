"""The verbs and questions of the documents room, in one place; and what the node does by itself."""

from __future__ import annotations

from office.documents.amending import correct, drop_correction, lapse, recall, resend, seal_correction
from office.documents.chasing import answer_urge, ask_extension, decide_extension, open_extensions, supervise, supervise_person, urge, urge_person
from office.documents.entrusting import alike, entrust, link, paper_arrived
from office.documents.envelopes import envelope, preview
from office.documents.files import attach, blob_state, forwarded, open_annex
from office.documents.finding import FINDS
from office.documents.incoming import answer, close, confirm_recall, register, send_back, sign_correction, sign_for
from office.documents.issuing import Sent, issue, send
from office.documents.leading import assign, circulate, examine, instruct, leaders, lies_with, propose, read, transcribe
from office.documents.matrix import Progress, Row, matrix, progress, statements, timeline
from office.documents.outgoing import dispatch, draft, give_back, number, review, revise, seal, sign, submit, void
from office.documents.programs import Post, Reply, doc_get, inbox, paper_of, post, receipt, receipts
from office.documents.registers import (
    incoming_count,
    incoming_where,
    notices,
    outgoing_count,
    outgoing_where,
    todo,
    waiting_in,
    waiting_out,
)
from office.documents.rights import incoming_moves, issuers, moves, roles, staff
from office.documents.routing import findings, forward_paper, recipients, reply_paper, sentence, way
from office.documents.terms import deadline, sign_in_due

__all__ = [
    "FINDS",
    "Post",
    "Progress",
    "Reply",
    "Row",
    "Sent",
    "alike",
    "answer",
    "answer_urge",
    "ask_extension",
    "assign",
    "attach",
    "blob_state",
    "circulate",
    "close",
    "confirm_recall",
    "correct",
    "deadline",
    "decide_extension",
    "dispatch",
    "doc_get",
    "draft",
    "drop_correction",
    "entrust",
    "envelope",
    "examine",
    "findings",
    "forward_paper",
    "forwarded",
    "give_back",
    "inbox",
    "incoming_count",
    "incoming_moves",
    "incoming_where",
    "instruct",
    "issue",
    "issuers",
    "lapse",
    "leaders",
    "lies_with",
    "link",
    "matrix",
    "moves",
    "notices",
    "number",
    "open_annex",
    "open_extensions",
    "outgoing_count",
    "outgoing_where",
    "paper_arrived",
    "paper_of",
    "post",
    "preview",
    "progress",
    "propose",
    "read",
    "recall",
    "receipt",
    "receipts",
    "recipients",
    "register",
    "reply_paper",
    "resend",
    "review",
    "revise",
    "roles",
    "seal",
    "seal_correction",
    "send",
    "send_back",
    "sentence",
    "sign",
    "sign_correction",
    "sign_for",
    "sign_in_due",
    "staff",
    "statements",
    "submit",
    "supervise",
    "supervise_person",
    "timeline",
    "todo",
    "transcribe",
    "urge",
    "urge_person",
    "void",
    "way",
    "waiting_in",
    "waiting_out",
]
