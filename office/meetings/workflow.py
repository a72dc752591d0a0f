"""States of meetings and topics, who moves them, what the rules say of a plan, and where people sit. Pure: values in, values out."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from node.errors import Invalid
from office.frame.calendar import SHANGHAI
from office.frame.flow import Flow, Move
from office.frame.words import Text, _
from office.meetings.entries import MANY, TITLE, WORDS, Called, Going, Plan

T = TypeVar("T")


class State(StrEnum):
    """Where a meeting stands."""

    PLANNED = "planned"
    APPROVED = "approved"
    NOTIFIED = "notified"
    HELD = "held"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Topic(StrEnum):
    """Where a topic stands."""

    PROPOSED = "proposed"
    PASSED = "passed"
    RETURNED = "returned"
    SCHEDULED = "scheduled"


CLERKS, SIGNER, CALLED, COLLECTOR = ("meeting_clerk", "registry_clerk"), "signer", "called", "collector"
WATCHERS = (*CLERKS, SIGNER)
"Roles that see every meeting and topic of their organ; an organ that got the notice is ``called``, one that collects replies ``collector``."
_S = State
MEETING = Flow(
    Move("plan", (_S.PLANNED, _S.APPROVED), _S.PLANNED, by=CLERKS),
    Move("approve", _S.PLANNED, _S.APPROVED, by=SIGNER),
    Move("notify", _S.APPROVED, _S.NOTIFIED, by=CLERKS),
    Move("change", _S.NOTIFIED, _S.NOTIFIED, by=CLERKS),
    Move("cancel", (_S.PLANNED, _S.APPROVED, _S.NOTIFIED), _S.CANCELLED, by=WATCHERS),
    Move("excuse", _S.NOTIFIED, _S.NOTIFIED, by=WATCHERS),
    Move("attend", _S.NOTIFIED, _S.NOTIFIED, by=(*CLERKS, COLLECTOR)),
    Move("end", _S.NOTIFIED, _S.HELD, by=CLERKS),
    Move("minute", _S.HELD, _S.HELD, by=CLERKS),
    Move("decide", _S.HELD, _S.HELD, by=CLERKS),
    Move("close", _S.HELD, _S.CLOSED, by=CLERKS),
    Move("sign_for", _S.NOTIFIED, None, by=CALLED),
    Move("reply", _S.NOTIFIED, None, by=CALLED),
    Move("gather", _S.NOTIFIED, None, by=COLLECTOR),
)
TOPIC = Flow(Move("vet", Topic.PROPOSED, Topic.PASSED, by=WATCHERS))
KINDS = {
    "executive": _("常务会议"),
    "office": _("办公会议"),
    "special": _("专题会议"),
    "general": _("综合性工作会议"),
    "video": _("电视电话会议"),
    "regular": _("部门例会"),
}
SPEECH, HALF_DAY = 60, 4
"Minutes of one speech and hours of a meeting beyond which the burden rules of 2024 ask why."


@dataclass(frozen=True, kw_only=True)
class Held:
    """A meeting as the burden counter sees it."""

    begins: dt.datetime
    hours: float
    kind: str = ""


@dataclass(frozen=True)
class Burden:
    """Meetings and hours of a year up to a day, and of the same span a year before."""

    count: int
    hours: float
    before: int
    hours_before: float
    months: tuple[tuple[int, int], ...]
    "For each month (this year so far, the whole of last year)."


def shape(plan: Plan) -> None:
    """Refuse what is no plan: :class:`Invalid` says which part is wrong."""
    texts = (plan.note, plan.contact, *plan.venues, *plan.podium, *(item.title for item in plan.agenda))
    wrong = [
        (not plan.title.strip() or len(plan.title) > TITLE, _("请填写会议名称，不超过二百字。")),
        (plan.kind not in KINDS, _("没有这种会议类型。")),
        (not plan.begins or plan.ends <= plan.begins, _("结束时间应当晚于开始时间。")),
        (bool(plan.reply_by) and plan.reply_by > plan.begins, _("回执时限应当早于开会时间。")),
        (not plan.venues, _("请填写会场。")),
        (not plan.organs or len(plan.organs) > MANY, _("请选择参会单位。")),
        (len(plan.agenda) > MANY or any(len(text) > WORDS for text in texts), _("填写的内容太长。")),
    ]
    refuse(wrong)


def people(given: Sequence[Going]) -> None:
    """Refuse a reply that names nobody, somebody twice, or a substitute for one who comes."""
    names = [one.name.strip() for one in given]
    wrong = [
        (not given or len(given) > MANY or not all(names), _("请填写参会人员姓名。")),
        (len(set(names)) != len(names), _("同一人填写了两次。")),
        (any(one.substitute and not one.leave for one in given), _("请假才能由他人替会，请写明请假事由。")),
        (any(len(text) > TITLE for one in given for text in (one.name, one.title, one.phone, one.leave, one.substitute)), _("填写的内容太长。")),
    ]
    refuse(wrong)


def refuse(wrong: Sequence[tuple[bool, str]]) -> None:
    """Raise the first that holds."""
    for holds, sentence in wrong:
        if holds:
            raise Invalid(sentence)


def warnings(plan: Plan, held: Collection[Held]) -> list[Text]:
    """What the burden rules ask of a plan; ``held`` are this year's other meetings of the organ."""
    found = []
    if plan.kind == "general" and any(one.kind == "general" for one in held):
        found.append(_("本年度已经开过综合性工作会议；一个条线一年一般只开一次。"))
    if any(item.minutes > SPEECH for item in plan.agenda):
        found.append(_("讲话一般不超过一小时。"))
    if plan.ends - plan.begins > HALF_DAY * 3_600_000:
        found.append(_("会议超过半天，请考虑压缩会期。"))
    return found


def routes(organs: Sequence[tuple[str, str]], parent: dict[str, str], home: str) -> tuple[Called, ...]:
    """The way of each reply: through the first organ called at the node above its own, unless that is the arranger's.

    ``organs`` are (organ, node) in protocol order, ``parent`` leads from a node to the one above it.
    """
    first: dict[str, str] = {}
    for organ, node in organs:
        first.setdefault(node, organ)
    over = {organ: first.get(parent.get(node, ""), "") if node != home and parent.get(node) != home else "" for organ, node in organs}
    collecting = set(over.values()) - {""}
    return tuple(Called(organ, node, over[organ] or (organ if organ in collecting else "")) for organ, node in organs)


def overlap(a: tuple[int, int], b: tuple[int, int]) -> bool:
    """Whether two times have a moment in common."""
    return a[0] < b[1] and b[0] < a[1]


def ranked(people: Sequence[T]) -> list[T]:
    """People by rank as the hall sees them: the first in the middle, the second at that one's left hand, the third at the right."""
    row: deque[T] = deque()
    for place, one in enumerate(people):
        row.append(one) if place % 2 else row.appendleft(one)
    return list(row)


def rows(people: Sequence[T], width: int) -> list[list[T]]:
    """People by rank in rows of a hall, each filled from the middle."""
    return [ranked(people[start : start + width]) for start in range(0, len(people), width)]


def burden(held: Collection[Held], now: dt.datetime) -> Burden:
    """What meetings cost this year and the year before, up to the same day."""
    today = now.astimezone(SHANGHAI)
    local = [(one.begins.astimezone(SHANGHAI), one.hours) for one in held]
    this = [(at, hours) for at, hours in local if at.year == today.year and at <= today]
    last = [(at, hours) for at, hours in local if at.year == today.year - 1 and (at.month, at.day) <= (today.month, today.day)]
    whole = [(at, hours) for at, hours in local if at.year == today.year - 1]
    months = tuple((_in(this, month), _in(whole, month)) for month in range(1, 13))
    return Burden(len(this), sum(h for _at, h in this), len(last), sum(h for _at, h in last), months)


def _in(held: Sequence[tuple[dt.datetime, float]], month: int) -> int:
    return sum(at.month == month for at, _hours in held)
