"""The terms of the law as the city says them: what each is now, what another length would do to the terms that run, and signing it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from node.directory import entries as said
from node.errors import Invalid
from office.frame import clocks
from office.frame.clocks import Law, Rule
from office.frame.desk import Desk
from office.frame.todo import gather
from office.frame.words import _
from office.people.pen import there, write
from office.people.standing import Impact, moves, need_city

BASIS = 200
"Most characters of an article."
WRONG = {
    "unknown_rule": _("没有这条期限。"),
    "bad_limit": _("期限写成 20wd（工作日）、15d（日）、24h（小时）、30min（分钟）、3mo（月）、2y（年）。"),
    "too_long": _("期限太长，请核对。"),
    "other_unit": _("这条期限可以中止、延长或倒算，只能改长短，不能改计算单位。"),
}


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A rule as a page shows it."""

    rule: Rule
    "As it holds for what begins now."
    shipped: Rule
    "As the program brought it along."
    versions: tuple[said.Ruled, ...]
    "What the city has said, newest first."


def law(desk: Desk) -> Law:
    """The rules as this node counts by them."""
    return clocks.law(desk.directory.rulings())


def every(desk: Desk) -> list[Shown]:
    """Every rule, in the order of the table."""
    known = law(desk)
    return [_shown(desk, known, rule) for rule in known.rules]


def one(desk: Desk, id: str) -> Shown:
    """A rule."""
    known = law(desk)
    return _shown(desk, known, there(next((rule for rule in known.rules if rule.id == id), None)))


def _shown(desk: Desk, known: Law, rule: Rule) -> Shown:
    versions = tuple(each for each in reversed(known.signed) if each.id == rule.id)
    return Shown(rule=known.rule(rule.id, desk.now), shipped=rule, versions=versions)


def save(desk: Desk, id: str, *, limit: str, basis: str, since: dt.date | None, running: bool) -> None:
    """Sign another length of a term; every node counts by it as soon as it arrives."""
    write(desk, _drafted(desk, id, limit, basis, since, running))


def impact(desk: Desk, id: str, *, limit: str, basis: str, since: dt.date | None, running: bool) -> Impact:
    """Count every running term of this node by the rule as it is and as it would be; nothing is written."""
    made, (old, days) = _drafted(desk, id, limit, basis, since, running), clocks.counted(desk.directory)
    found, missing = gather(desk, "running")
    return moves(found, missing, (old, days), (clocks.law((*desk.directory.rulings(), made)), days), desk.now)


def _drafted(desk: Desk, id: str, limit: str, basis: str, since: dt.date | None, running: bool) -> said.Ruled:
    """The next version of a rule, checked and not written."""
    need_city(desk, _("期限规则由市级节点签发。"))
    if not 0 < len(basis.strip()) <= BASIS:
        raise Invalid(_("请填写依据的条文，不超过 {n} 字。").format(n=BASIS), code="basis_missing")
    if since is None:
        raise Invalid(_("请填写自哪一天起执行。"), code="bad_day")
    numbers = [each.version for each in desk.directory.rulings() if each.id == id]
    made = said.Ruled(id, limit.strip(), basis.strip(), since, running, max(numbers, default=0) + 1)
    if why := clocks.wrong(clocks.rules(), made):
        raise Invalid(WRONG[why], code=why)
    return made
