"""States of documents and of incoming ones, who moves them, and the rules of routing. Pure: values in, values out.

Outgoing acts follow each other (each names the one before), so ``stage`` is simply the last one. What comes from elsewhere
(receipts, a recall) may be folded in either order; :func:`standing` works the state of an incoming document out of facts.
The rules cite 党政机关公文处理工作条例 (2012) by article.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from node.directory.entries import Organ
from office.documents.entries import RECIPIENTS, TEXT, TITLE, Paper, Urgency
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


CLERK, REVIEWER, SIGNER, KEEPER = "registry_clerk", "reviewer", "signer", "seal_keeper"
WATCHERS = (CLERK, REVIEWER, SIGNER, KEEPER)
"Roles that see every document of their organ."
DRAFTER, HANDLER, READER = "drafter", "handler", "reader"
"Parts that a person plays in one document, beside the roles of posts."
_S, _I = Stage, Standing

OUTGOING = Flow(
    Move("revise", (_S.DRAFT, _S.RETURNED), None, by=(DRAFTER, CLERK)),
    Move("submit", (_S.DRAFT, _S.RETURNED), _S.REVIEW, by=(DRAFTER, CLERK)),
    Move("review", (_S.REVIEW,), _S.SIGN, by=(REVIEWER,)),
    Move("return", (_S.REVIEW,), _S.RETURNED, by=(REVIEWER, SIGNER)),
    Move("return", (_S.SIGN,), _S.RETURNED, by=(SIGNER,)),
    Move("return", (_S.SIGNED, _S.NUMBERED), _S.RETURNED, by=(CLERK, SIGNER)),
    Move("sign", (_S.SIGN,), _S.SIGNED, by=(SIGNER,)),
    Move("number", (_S.SIGNED,), _S.NUMBERED, by=(CLERK,)),
    Move("seal", (_S.SIGNED, _S.NUMBERED), _S.SEALED, by=(KEEPER,)),
    Move("dispatch", (_S.SIGNED, _S.NUMBERED, _S.SEALED), _S.DISPATCHED, by=(CLERK,)),
    Move("recall", (_S.DISPATCHED,), _S.RECALLED, by=(CLERK, SIGNER)),
    Move("correct", (_S.DISPATCHED,), _S.DISPATCHED, by=(CLERK, SIGNER)),
    Move("void", (_S.DRAFT, _S.RETURNED), _S.VOID, by=(DRAFTER, CLERK)),
    Move("void", (_S.SIGNED, _S.NUMBERED, _S.SEALED, _S.RECALLED), _S.VOID, by=(CLERK, SIGNER)),
)

_OPEN = (_I.SIGNED_IN, _I.REGISTERED, _I.IN_HAND, _I.CIRCULATING)
INCOMING = Flow(
    Move("sign_for", (_I.DELIVERED,), _I.SIGNED_IN, by=(CLERK,)),
    Move("register", (_I.SIGNED_IN,), _I.REGISTERED, by=(CLERK,)),
    Move("assign", (_I.REGISTERED, _I.IN_HAND, _I.CIRCULATING), _I.IN_HAND, by=(CLERK, SIGNER)),
    Move("read", (_I.SIGNED_IN, _I.REGISTERED, _I.IN_HAND, _I.CIRCULATING, _I.ANSWERED), None, by=(READER, HANDLER, CLERK, SIGNER)),
    Move("answer", _OPEN, _I.ANSWERED, by=(HANDLER, CLERK, SIGNER)),
    Move("send_back", (_I.DELIVERED, *_OPEN), _I.SENT_BACK, by=(CLERK,)),
    Move("close", (*_OPEN, _I.ANSWERED), _I.CLOSED, by=(CLERK, SIGNER, HANDLER)),
    Move("confirm_recall", (_I.RECALL_ASKED,), _I.RECALLED, by=(CLERK, SIGNER)),
)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What happened to an incoming document, in whatever order it was heard."""

    signed: bool
    registered: bool
    handled: bool
    "Somebody is to handle it."
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
        (facts.handled, Standing.IN_HAND),
        (facts.circulated, Standing.CIRCULATING),
        (facts.registered, Standing.REGISTERED),
        (facts.signed, Standing.SIGNED_IN),
    )
    return next((state for fact, state in order if fact), Standing.DELIVERED)


KINDS = {
    "resolution": "d",
    "decision": "d",
    "order": "d",
    "communique": "x",
    "announcement": "x",
    "public_notice": "x",
    "opinion": "udp",
    "notice": "d",
    "circular": "d",
    "report": "u",
    "request": "u",
    "reply": "d",
    "bill": "p",
    "letter": "p",
    "minutes": "dp",
}
"The fifteen kinds of §8 and their directions: d down, u up, p sideways, x public."
UNSEALED = ("minutes",)
ALIASES = {"doc": "letter", "task": "notice", "petition-reply": "letter"}
"Short words of the command line."
RETURN_REASONS = ("not_ours", "routing", "format", "not_consulted", "annex_missing", "duplicate", "secret")
_ORDERS = ("resolution", "decision", "order", "notice", "circular")
_RANK = {"city": 0, "county": 1, "township": 2, "station": 3}
_GOVERNING = ("government", "party", "zone_committee")
_GRADES = re.compile(r"(绝密|机密|秘密)\s*[★☆*]|^\s*(绝密|机密|秘密)(\s|$|★)", re.MULTILINE)
_ASKS = re.compile(r"请(予)?(批示|批准|审批|审示)|妥否")
BURDEN, BURDEN_TASK = 5_000, 4_000
"Characters beyond which the burden rules of 2024 ask why."
SIGN_IN_HOURS = {"flash": 1, "urgent": 4}
"Rule ``doc.sign_in``: hours; otherwise one working day."
NOTICE = {"flash": 15, "urgent": 60}
"Minutes before that end from which it is said to be near; otherwise the last working day's eight hours."


@dataclass(frozen=True)
class Finding:
    """What a rule says about a draft."""

    code: str
    refuses: bool
    "Else it only warns."
    about: str = ""
    "Name of an organ or a number, for the sentence that is shown."


@dataclass(frozen=True, kw_only=True)
class Route:
    """A draft's organ and recipients, and the chains of command above each (nearest first)."""

    issuer: Organ
    to: tuple[Organ, ...]
    cc: tuple[Organ, ...]
    above: dict[str, tuple[str, ...]]
    "Organ id to the ids that command it, nearest first."

    def direction(self, organ: Organ) -> str:
        """``u`` when the recipient commands the issuer, ``d`` the other way, else ``p``."""
        if organ.id in self.above.get(self.issuer.id, ()):
            return "u"
        return "d" if self.issuer.id in self.above.get(organ.id, ()) else "p"

    def lower(self, organ: Organ) -> bool:
        """Whether the recipient stands below the issuer, commanded by it or at a lower tier."""
        return self.direction(organ) == "d" or _RANK.get(organ.tier, 0) > _RANK.get(self.issuer.tier, 0)


def characters(text: str) -> int:
    """字数: everything but white space."""
    return sum(not c.isspace() for c in text)


def graded(*texts: str) -> bool:
    """Whether a text carries the mark of a state secret (保密法 §22), which this network must not hold."""
    return any(_GRADES.search(text) for text in texts)


def check(paper: Paper, route: Route) -> list[Finding]:
    """What the rules find in a draft that is about to leave, refusals first."""
    found = [*_form(paper), *_routing(paper, route), *_burden(paper)]
    return sorted(found, key=lambda finding: not finding.refuses)


def shape(paper: Paper) -> list[Finding]:
    """What makes a draft unfit even to be kept."""
    found = []
    if paper.kind not in KINDS:
        found.append(Finding("kind", True, paper.kind))
    if len(paper.title) > TITLE:
        found.append(Finding("title_long", True, str(TITLE)))
    if len(paper.text) > TEXT:
        found.append(Finding("text_long", True, str(TEXT)))
    if len(paper.to) + len(paper.cc) > RECIPIENTS:
        found.append(Finding("recipients_many", True, str(RECIPIENTS)))
    if graded(paper.title, paper.text, *(a.name for a in paper.annexes)):
        found.append(Finding("graded", True))
    return found


def _form(paper: Paper) -> list[Finding]:
    found = shape(paper)
    if not paper.title.strip():
        found.append(Finding("title_missing", True))
    if not (paper.to or any(cited.role == "to" for cited in paper.lists)):
        found.append(Finding("recipients_missing", True))
    if not paper.text.strip() and not paper.annexes:
        found.append(Finding("text_missing", True))
    if paper.urgency == Urgency.FLASH and not paper.urgency_reason.strip():
        found.append(Finding("flash_reason", True))
    if paper.kind == "reply" and not paper.in_reply_to:
        found.append(Finding("reply_answers", False))
    if paper.kind == "report" and (_ASKS.search(paper.text) or "请示" in paper.title):
        found.append(Finding("report_asks", False))
    return found


def _routing(paper: Paper, route: Route) -> list[Finding]:
    found = []
    everyone = (*route.to, *route.cc)
    if any(organ.id == route.issuer.id for organ in everyone):
        found.append(Finding("to_itself", True))
    if paper.kind == "request":
        found += _request(route)
    upward = [organ for organ in route.to if route.direction(organ) == "u"]
    if paper.kind in ("request", "report", "opinion"):
        found += _skipping(route, upward)
    if paper.kind in (*_ORDERS, "reply") and upward:
        found.append(Finding("down_kind_up", paper.kind in ("order", "decision", "reply"), upward[0].short_name))
    found += _ordering(paper, route)
    strangers = [organ for organ in route.to if route.direction(organ) == "p" and not route.lower(organ)]
    if strangers and "p" not in KINDS.get(paper.kind, "") and not found:
        found.append(Finding("use_letter", False, strangers[0].short_name))
    return found


def _request(route: Route) -> list[Finding]:
    found = []
    if len(route.to) > 1:
        found.append(Finding("request_one", True))
    lower = next((organ for organ in route.cc if route.lower(organ)), None)
    if lower:
        found.append(Finding("request_cc_down", True, lower.short_name))
    if route.to and route.lower(route.to[0]):
        found.append(Finding("request_up", True, route.to[0].short_name))
    return found


def _skipping(route: Route, upward: Sequence[Organ]) -> list[Finding]:
    chain = route.above.get(route.issuer.id, ())
    told = {organ.id for organ in (*route.to, *route.cc)}
    for organ in upward:
        if any(between not in told for between in chain[: chain.index(organ.id)]):
            return [Finding("skips_level", True, organ.short_name)]
    return []


def _ordering(paper: Paper, route: Route) -> list[Finding]:
    """§16: departments other than the office give no orders to lower governments; they write to their line."""
    issuer = route.issuer
    if paper.kind not in (*_ORDERS, "reply") or issuer.kind in _GOVERNING or "办公" in issuer.short_name or "办公" in issuer.full_name:
        return []
    ordered = next((o for o in route.to if o.kind in _GOVERNING and _RANK.get(o.tier, 0) > _RANK.get(issuer.tier, 0)), None)
    return [Finding("department_orders", True, ordered.short_name)] if ordered else []


def _burden(paper: Paper) -> list[Finding]:
    count = characters(paper.text)
    found = [Finding("burden", False, str(count))] if count > BURDEN else []
    if paper.kind in _ORDERS and re.search(r"(每[日周月]|定期)[^。；]{0,12}(报送|上报|报告)", paper.text):
        found.append(Finding("asks_reports", False))
    return found


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
