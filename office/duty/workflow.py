"""What a report must say, whether it came late, and when an order goes on to the next way of reaching somebody. Pure: values in, values out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from node import clock
from node.errors import Invalid
from office.duty.entries import PLACE, WORDS, Report
from office.frame import clocks
from office.frame.calendar import Workdays
from office.frame.clocks import Rules
from office.frame.flow import Flow, Move
from office.frame.words import _

OFFICER, LEADER = "duty_officer", "duty_leader"
DUTY = (OFFICER, LEADER)
"Roles that see and do everything of an organ's duty."
RECEIVER = "receiver"
"The part of an organ to which an incident was reported."
FIRST, PHONE, CONFIRM = "emergency.first.written", "emergency.first.phone", "emergency.order.confirm"
"Rules: the first report in writing and by telephone, and the confirmation of an order."
CATEGORIES = {"nature": _("自然灾害"), "accident": _("事故灾难"), "health": _("公共卫生"), "society": _("社会安全")}
LEVELS = {"unknown": _("待定"), "4": _("一般（Ⅳ级）"), "3": _("较大（Ⅲ级）"), "2": _("重大（Ⅱ级）"), "1": _("特别重大（Ⅰ级）")}
STAGES = {"first": _("首报"), "follow": _("续报"), "verified": _("核报"), "final": _("终报")}
WAYS = {"network": _("网络"), "phone": _("电话"), "message": _("短信"), "radio": _("电台")}
STEPS = (("call", 0.2), ("message", 0.6))
"Ways after the notice on the screen, and the share of the confirmation term after which each is taken."


class State(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    ENDED = "ended"
    MERGED = "merged"


INCIDENT = Flow(
    Move("follow", State.OPEN, State.OPEN, by=DUTY),
    Move("verified", State.OPEN, State.OPEN, by=DUTY),
    Move("final", State.OPEN, State.ENDED, by=DUTY),
    Move("receive", (State.OPEN, State.ENDED), None, by=RECEIVER),
    Move("pass_on", (State.OPEN, State.ENDED), None, by=RECEIVER),
    Move("merge", (State.OPEN, State.ENDED), State.MERGED, by=RECEIVER),
)


@dataclass(frozen=True, kw_only=True)
class Lateness:
    """Whether a first report kept its terms, each by its rule."""

    rule: str
    due: dt.datetime
    at: dt.datetime | None
    "When it was made; None for not yet, or not by this way."
    late: bool


def shape(report: Report, now: int) -> None:
    """Refuse a report that cannot be: only what must be known at once must be said."""
    texts = (report.text, report.measures)
    wrong = [
        (report.category not in CATEGORIES, _("请选择事件类别。")),
        (report.level not in LEVELS or report.stage not in STAGES or report.way not in WAYS, _("没有这种级别、报告或者来报方式。")),
        (not report.place.strip() or len(report.place) > PLACE, _("请填写地点，不超过一百字。")),
        (not report.text.strip() or any(len(text) > WORDS for text in texts), _("请填写情况，不超过两千字。")),
        (max(len(report.source), len(report.contact), len(report.unit)) > PLACE, _("填写的内容太长。")),
        (not 0 < report.happened <= report.learned <= now, _("发生、接报时间应当先后相接，并且不晚于现在。")),
        (bool(report.phoned) and not report.learned <= report.phoned <= now, _("电话报告时间应当晚于接报，并且不晚于现在。")),
    ]
    for holds, sentence in wrong:
        if holds:
            raise Invalid(sentence)


def lateness(learned: int, written: int, phoned: int, days: Workdays, now: dt.datetime, law: Rules) -> list[Lateness]:
    """How a first report stands against the rules of telephone and of writing; ``written`` and ``phoned`` are 0 for not."""
    found = []
    for rule, at in ((PHONE, phoned), (FIRST, written)):
        began = clocks.begin("first", rule, clocks.Event(at=clock.from_ms(learned)), days, law=law)
        end = clocks.due(began, days, law=law)
        assert end is not None
        done = clocks.meet(began, clocks.Event(at=clock.from_ms(at))) if at else began
        late = clocks.late(done, days, law=law) if at else now > end.at
        found.append(Lateness(rule=rule, due=end.at, at=clock.from_ms(at) if at else None, late=late))
    return found


def late(learned: int, written: int, phoned: int, days: Workdays, now: dt.datetime, law: Rules) -> bool:
    """Whether a first report is late: in writing, or by a telephone call that was made too late."""
    by_phone, in_writing = lateness(learned, written, phoned, days, now, law)
    return in_writing.late or (by_phone.at is not None and by_phone.late)


def term() -> dt.timedelta:
    """How long an order may wait for its confirmation."""
    start = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
    days = Workdays.published()
    began = clocks.begin("order", CONFIRM, clocks.Event(at=start), days, law=clocks.rules())
    end = clocks.due(began, days, law=clocks.rules())
    assert end is not None
    return end.at - start


def step(waited: dt.timedelta, taken: Sequence[str], within: dt.timedelta) -> str:
    """The next way to try after so long without a confirmation, or empty."""
    return next((name for name, share in STEPS if name not in taken and waited >= within * share), "")
