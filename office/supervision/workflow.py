"""States of an item, who moves it, and its lamp. Pure: values in, values out."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from node.errors import Invalid
from office.frame.calendar import Workdays
from office.frame.flow import Flow, Move
from office.frame.words import _
from office.supervision.entries import MANY, TITLE, WORDS, Milestone, Opened

SUPERVISOR = "supervisor"
OVERSEE = (SUPERVISOR, "signer")
"Roles that review and strike off what their organ opened."
MEMBERS = (*OVERSEE, "registry_clerk")
"Roles that see the items of their organ, and act on what it was given."
OVERSEER, HANDLER = "overseer", "handler"
"Parts in an item: whoever opened it, and whoever is to do it."
WAYS = {"site": _("实地核查"), "papers": _("资料核查")}
NEAR = 5
"Working days before the deadline from which on an item is near."


class State(StrEnum):
    """Where an item stands."""

    SENT = "sent"
    HAND = "in_hand"
    REVIEW = "in_review"
    ACCEPTED = "accepted"
    STRUCK = "struck_off"


class Lamp(StrEnum):
    """How an item stands to its deadline (状态灯)."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"
    OFF = "off"


FLOW = Flow(
    Move("sign", State.SENT, State.HAND, by=HANDLER),
    Move("report", State.HAND, State.HAND, by=HANDLER),
    Move("finish", State.HAND, State.REVIEW, by=HANDLER),
    Move("split", State.HAND, State.HAND, by=HANDLER),
    Move("extend", State.HAND, None, by=HANDLER),
    Move("decide", State.HAND, None, by=OVERSEER),
    Move("urge", (State.SENT, State.HAND), None, by=OVERSEER),
    Move("accept", State.REVIEW, State.ACCEPTED, by=OVERSEER),
    Move("return", State.REVIEW, State.HAND, by=OVERSEER),
    Move("strike", State.ACCEPTED, State.STRUCK, by=OVERSEER),
)


def lamp(state: str, deadline: dt.date, today: dt.date, days: Workdays) -> Lamp:
    """Red past the deadline, yellow when few working days are left, off when nobody is waited for any more."""
    if state == State.STRUCK:
        return Lamp.OFF
    if today > deadline:
        return Lamp.RED
    ahead = min((deadline - today).days, NEAR * 4)  # no holiday is longer
    left = sum(days.works(today + dt.timedelta(days=n)) for n in range(1, ahead + 1))
    return Lamp.YELLOW if left <= NEAR else Lamp.GREEN


def shape(given: Opened, today: dt.date) -> None:
    """Refuse an item that cannot be: what, on what basis and until when must be said, and milestones lie before the end."""
    deadline = day(given.deadline)
    wrong = [
        (not given.title.strip() or len(given.title) > TITLE, _("请填写事项名称，不超过二百字。")),
        (not given.basis.strip() or len(given.basis) > TITLE, _("请填写立项依据，不超过二百字。")),
        (len(given.text) > WORDS or len(given.milestones) > MANY, _("填写的内容太长。")),
        (deadline < today, _("办结时限不能早于今天。")),
        (any(day(one.day) > deadline for one in given.milestones), _("节点日期不能晚于办结时限。")),
        (any(not one.text.strip() or len(one.text) > TITLE for one in given.milestones), _("每个节点都要写明内容，不超过二百字。")),
    ]
    for holds, sentence in wrong:
        if holds:
            raise Invalid(sentence)


def milestones(text: str) -> tuple[Milestone, ...]:
    """Milestones as they are typed: one a line, the day first."""
    pairs = (line.strip().partition(" ") for line in text.splitlines() if line.strip())
    return tuple(Milestone(day(first).isoformat(), rest.strip()) for first, _gap, rest in pairs)


def day(text: str) -> dt.date:
    """A day as people type it."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise Invalid(_("日期应写成 2026-01-31。")) from None
