"""States of documents and of incoming ones, and who moves them. Pure: values in, values out.

Outgoing acts follow each other (each names the one before), so ``stage`` is simply the last one. What comes from elsewhere
(receipts, a recall) may be folded in either order; :func:`standing` works the state of an incoming document out of facts.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from office.frame.flow import Flow, Move


class Stage(StrEnum):
    """Where a document stands in its own organ."""

    DRAFT = "draft"
    REVIEW = "office_review"
    SIGN = "sign"
    SIGNED = "signed"
    NUMBERED = "numbered"
    SEALED = "sealed"
    RETURNED = "returned"
    DISPATCHED = "dispatched"
    RECALLED = "recalled"
    VOID = "void"


class Standing(StrEnum):
    """Where an incoming document stands in the receiving organ."""

    DELIVERED = "delivered"
    SIGNED_IN = "signed_in"
    REGISTERED = "registered"
    IN_HAND = "in_hand"
    CIRCULATING = "circulating"
    ANSWERED = "answered"
    CLOSED = "closed"
    SENT_BACK = "sent_back"
    RECALL_ASKED = "recall_asked"
    RECALLED = "recalled"
    LINKED = "linked"


class Agreement(StrEnum):
    """Where an organ stands that is to issue a document together with another's."""

    ASKED = "asked"
    REFUSED = "refused"
    AGREED = "agreed"
    SEALED = "agreed_sealed"
    HELD = "held"
    "The organ in the lead has taken the text back."
    DROPPED = "dropped"
    ISSUED = "issued"
    RECALLED = "recalled"


CLERK, REVIEWER, SIGNER, KEEPER = "registry_clerk", "reviewer", "signer", "seal_keeper"
WATCHERS = (CLERK, REVIEWER, SIGNER, KEEPER)
"Roles that see every document of their organ."
DRAFTER, HANDLER, READER, DELEGATE = "drafter", "handler", "reader", "delegate"
"Parts that a person plays in one document, beside the roles of posts."
_S, _I = Stage, Standing

OUTGOING = Flow(
    Move("revise", (_S.DRAFT, _S.RETURNED), None, by=(DRAFTER, CLERK)),
    Move("submit", (_S.DRAFT, _S.RETURNED), _S.REVIEW, by=(DRAFTER, CLERK)),
    Move("review", (_S.REVIEW,), _S.SIGN, by=(REVIEWER,)),
    Move("return", (_S.REVIEW,), _S.RETURNED, by=(REVIEWER, SIGNER)),
    Move("return", (_S.SIGN,), _S.RETURNED, by=(SIGNER,)),
    Move("return", (_S.SIGNED, _S.NUMBERED), _S.RETURNED, by=(CLERK, SIGNER)),
    Move("sign", (_S.SIGN,), _S.SIGNED, by=(SIGNER, DELEGATE)),
    Move("consult", (_S.SIGN, _S.SIGNED, _S.NUMBERED), None, by=(CLERK, SIGNER)),
    Move("number", (_S.SIGNED,), _S.NUMBERED, by=(CLERK,)),
    Move("seal", (_S.SIGNED, _S.NUMBERED), _S.SEALED, by=(KEEPER,)),
    Move("dispatch", (_S.SIGNED, _S.NUMBERED, _S.SEALED), _S.DISPATCHED, by=(CLERK,)),
    Move("recall", (_S.DISPATCHED,), _S.RECALLED, by=(CLERK, SIGNER)),
    Move("correct", (_S.DISPATCHED,), _S.DISPATCHED, by=(CLERK, SIGNER)),
    Move("seal_correction", (_S.DISPATCHED,), None, by=(KEEPER,)),
    Move("drop_correction", (_S.DISPATCHED,), None, by=(CLERK, SIGNER, KEEPER)),
    Move("resend", (_S.DISPATCHED,), None, by=(CLERK, SIGNER)),
    Move("urge", (_S.DISPATCHED,), None, by=(CLERK, SIGNER, DRAFTER)),
    Move("supervise", (_S.DISPATCHED,), None, by=(CLERK, SIGNER)),
    Move("extend", (_S.DISPATCHED,), None, by=(CLERK, SIGNER)),
    Move("lapse", (_S.DISPATCHED,), None, by=(SIGNER,)),
    Move("void", (_S.DRAFT, _S.RETURNED), _S.VOID, by=(DRAFTER, CLERK)),
    Move("void", (_S.SIGNED, _S.NUMBERED, _S.SEALED, _S.RECALLED), _S.VOID, by=(CLERK, SIGNER)),
)

_OPEN = (_I.SIGNED_IN, _I.REGISTERED, _I.IN_HAND, _I.CIRCULATING)
_WORK = (_I.REGISTERED, _I.IN_HAND, _I.CIRCULATING)
_KEPT = (*_OPEN, _I.ANSWERED, _I.CLOSED, _I.LINKED)
INCOMING = Flow(
    Move("sign_for", (_I.DELIVERED,), _I.SIGNED_IN, by=(CLERK,)),
    Move("sign_correction", _KEPT, None, by=(CLERK,)),
    Move("register", (_I.SIGNED_IN,), _I.REGISTERED, by=(CLERK,)),
    Move("examine", _OPEN, None, by=(CLERK, REVIEWER)),
    Move("propose", _WORK, None, by=(CLERK, REVIEWER)),
    Move("instruct", _WORK, None, by=(SIGNER,)),
    Move("transcribe", _WORK, None, by=(CLERK,)),
    Move("assign", _WORK, _I.IN_HAND, by=(CLERK, SIGNER)),
    Move("circulate", (*_WORK, _I.ANSWERED), None, by=(CLERK, SIGNER)),
    Move("read", (*_OPEN, _I.ANSWERED, _I.LINKED), None, by=(READER, HANDLER, CLERK, SIGNER)),
    Move("urge", (_I.IN_HAND, _I.CIRCULATING), None, by=(CLERK, SIGNER)),
    Move("supervise", (_I.IN_HAND, _I.CIRCULATING), None, by=(CLERK, SIGNER)),
    Move("answer_urge", _KEPT, None, by=(HANDLER, READER, CLERK, SIGNER)),
    Move("extend", _OPEN, None, by=(HANDLER, CLERK, SIGNER)),
    Move("entrust", _WORK, _I.IN_HAND, by=(CLERK, SIGNER)),
    Move("link", _OPEN, _I.LINKED, by=(CLERK,)),
    Move("paper", _KEPT, None, by=(CLERK,)),
    Move("answer", _OPEN, _I.ANSWERED, by=(HANDLER, CLERK, SIGNER)),
    Move("send_back", (_I.DELIVERED, *_OPEN), _I.SENT_BACK, by=(CLERK,)),
    Move("close", (*_OPEN, _I.ANSWERED), _I.CLOSED, by=(CLERK, SIGNER, HANDLER)),
    Move("confirm_recall", (_I.RECALL_ASKED,), _I.RECALLED, by=(CLERK, SIGNER)),
)
_A = Agreement
CONSENT = Flow(
    Move("consent", (_A.ASKED, _A.REFUSED), _A.AGREED, by=(SIGNER, DELEGATE)),
    Move("refuse", (_A.ASKED,), _A.REFUSED, by=(SIGNER, DELEGATE)),
    Move("seal", (_A.AGREED,), _A.SEALED, by=(KEEPER,)),
)
EXAMINATION = ("not_ours", "routing", "format", "not_consulted")
"The four questions of §24 (3): ours to handle? by the rules? kind and form? consulted where others are concerned?"
CHANNELS = ("system", "phone", "sms", "visit", "letter")
"How somebody is urged."
STEPS = 3
"Urgings at most; then comes supervision."


class Worth(StrEnum):
    """What is known of a document that was brought as a package."""

    SEALED = "sealed"
    "The seal of an organ of this city stands under its elements, text and annexes, and its page is an untouched copy of the same."
    COPIED = "copied"
    "Its page is signed by this city and untouched; nothing proves the elements beside it."
    UNVERIFIED = "unverified"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What happened to an incoming document, in whatever order it was heard."""

    signed: bool
    registered: bool
    handled: bool
    "Somebody is to handle it, or other organs are entrusted with it."
    linked: bool
    "The answer to another document serves it."
    circulated: bool
    answered: bool
    closed: bool
    sent_back: bool
    recall_asked: bool
    recall_confirmed: bool


def standing(facts: Facts) -> Standing:
    """The state that the facts amount to; the same whatever order they came in."""
    if facts.sent_back:
        return Standing.SENT_BACK
    if facts.recall_confirmed or (facts.recall_asked and not facts.signed):
        return Standing.RECALLED
    if facts.recall_asked:
        return Standing.RECALL_ASKED
    order = (
        (facts.closed, Standing.CLOSED),
        (facts.answered, Standing.ANSWERED),
        (facts.linked, Standing.LINKED),
        (facts.handled, Standing.IN_HAND),
        (facts.circulated, Standing.CIRCULATING),
        (facts.registered, Standing.REGISTERED),
        (facts.signed, Standing.SIGNED_IN),
    )
    return next((state for fact, state in order if fact), Standing.DELIVERED)


@dataclass(frozen=True, kw_only=True)
class Said:
    """What is known of an organ that is to issue a document together with another's, whatever came first."""

    recalled: bool
    issued: bool
    dropped: bool
    held: bool
    agreed: bool
    "To the text as it now is; so the next two."
    sealed: bool
    refused: bool
    "After it had agreed, if it had."


def agreement(facts: Said) -> Agreement:
    """The state that the facts amount to."""
    order = (
        (facts.recalled, Agreement.RECALLED),
        (facts.issued, Agreement.ISSUED),
        (facts.dropped, Agreement.DROPPED),
        (facts.held, Agreement.HELD),
        (facts.refused, Agreement.REFUSED),
        (facts.agreed and facts.sealed, Agreement.SEALED),
        (facts.agreed, Agreement.AGREED),
    )
    return next((state for fact, state in order if fact), Agreement.ASKED)


ALIASES = {"doc": "letter", "task": "notice", "petition-reply": "letter"}
"Short words of the command line."
RETURN_REASONS = ("not_ours", "routing", "format", "not_consulted", "annex_missing", "duplicate", "secret")


def number_text(prefix: str, year: int, number: int) -> str:
    """发文字号 as printed: U+3014 and U+3015, full year, no padding, no 第."""
    return f"{prefix}〔{year}〕{number}号"


def register_text(year: int, organ: str, number: int) -> str:
    """收文号: 2026-政办-00123."""
    return f"{year}-{organ}-{number:05d}"


def day(moment: dt.datetime) -> dt.date:
    """The day in Asia/Shanghai, which has kept UTC+8 without summer time since 1992."""
    return moment.astimezone(SHANGHAI).date()


SHANGHAI = dt.timezone(dt.timedelta(hours=8), "Asia/Shanghai")
