"""Running clocks: what began, under which rule, and what stopped or lengthened it since. The law is data, in ``data/rules.json``.

A clock never keeps a due date alone: it keeps the event it began with, the rule's id, the version of the calendar it was begun
under, its pauses, extensions and restarts. From these, the rules and the calendar, :func:`due` works out the end, and anyone
else can. What a rule does not allow is refused, citing its article. A clock does not stop because a line is down.

- An extension is granted before the end and adds to the term, which is counted through from its beginning.
- A pause takes its days out of the term (see :mod:`office.frame.calendar`); while it lasts the end is not known.
- A restart begins the term anew; pauses and extensions before it no longer matter.
- What was done late is done (``met``), and :func:`late` says that it was late.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path

import msgspec

from node.directory.entries import Calendar, Ruled
from node.directory.view import Directory
from node.errors import Conflict, Invalid, Missing, Refused
from office.frame import calendar
from office.frame.calendar import Due, Span, Workdays
from office.frame.words import _, language

_DATA = Path(__file__).parent / "data/rules.json"
NEAR_SHARE, NEAR_MOST, NEAR_LEAST = 4, dt.timedelta(days=7), dt.timedelta(minutes=30)
"An end is near in the last quarter of a term, at most seven days and at least half an hour before."


class State(StrEnum):
    """How a clock stands."""

    OPEN = "open"
    NEAR = "near"
    PASSED = "passed"
    MET = "met"
    SUSPENDED = "suspended"


class Words(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text of the rules in both languages."""

    zh: str
    en: str

    def __str__(self) -> str:
        return self.en if language() == "en" else self.zh


class Longer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a term may be extended."""

    approver: str
    basis: str
    most: str = ""
    "At most so much in all, in the unit of the limit; empty where the law sets no ceiling."
    times: int = 1
    "0 for as often as it is approved."
    tell: bool = False
    "Whether the applicant must be told, with the reasons."


class Cause(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may pause or restart a term."""

    cause: str
    basis: str
    tell: bool = False
    "Whether the applicant must be told in writing."


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One term of the law or of custom."""

    id: str
    row: str
    "The rule of which this is a variant, or its own id."
    limit: str
    "A term as :mod:`office.frame.calendar` reads it."
    name: Words
    starts: Words
    "The event with which it begins."
    basis: str
    "The article."
    source: str
    "L law seen in print, P practice, TV to be verified with the office before use."
    before: bool = False
    "Counted backwards: to be done before the event."
    once: bool = False
    "May be set going once in a matter and never again."
    lapse: Words | None = None
    "What the law says when it passes."
    extension: Longer | None = None
    pauses: tuple[Cause, ...] = ()
    restarts: tuple[Cause, ...] = ()


class Rules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A version of all rules."""

    version: int
    rules: tuple[Rule, ...]

    def rule(self, id: str, begun: dt.datetime | None = None) -> Rule:
        """The rule of an id, as it holds for a term that begins then; :class:`Missing` names the variants when the id is that of a row of them."""
        found = next((rule for rule in self.rules if rule.id == id), None)
        if found is None:
            variants = ", ".join(rule.id for rule in self.rules if rule.row == id)
            raise Missing(f"there is no rule {id[:60]!r}", hint=variants, code="no_rule")
        return found

    def told(self, id: str, begun: dt.datetime) -> str:
        """The version of the law that a term is counted by, so that anybody can count again."""
        return str(self.version)


class Law(Rules, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rules with what the city has said of them since."""

    signed: tuple[Ruled, ...] = ()
    "Every version, see :class:`node.directory.entries.Ruled`."

    def rule(self, id: str, begun: dt.datetime | None = None) -> Rule:
        """The rule of an id; with the term and article of the newest version that holds for a term that begins then."""
        found, said = Rules.rule(self, id), self.ruling(id, begun)
        return msgspec.structs.replace(found, limit=said.limit, basis=said.basis) if said is not None else found

    def ruling(self, id: str, begun: dt.datetime | None) -> Ruled | None:
        """The version that holds for a term of a rule that begins at a moment; None where it is the rule as it was brought along."""
        if begun is None:
            return None
        day = begun.astimezone(calendar.SHANGHAI).date()
        holding = (one for one in self.signed if one.id == id and (one.running or one.since <= day))
        return max(holding, key=lambda one: one.version, default=None)

    def told(self, id: str, begun: dt.datetime) -> str:
        """As of the rules; what the city has said is named, as in ``1+doc.sign_in.2``."""
        said = self.ruling(id, begun)
        return f"{self.version}+{id}.{said.version}" if said is not None else str(self.version)


def counted(directory: Directory) -> tuple[Law, Workdays]:
    """What terms are counted by at a node: the rules and the calendars, as its city has said them."""
    return law(directory.rulings()), Workdays(directory.calendars())


@lru_cache(maxsize=8)
def law(signed: tuple[Ruled, ...]) -> Law:
    """The rules of this program with what the city has said of them; what names no rule or no term here counts for nothing."""
    known = rules()
    return Law(version=known.version, rules=known.rules, signed=tuple(one for one in signed if not wrong(known, one)))


LONGEST = {"wd": 1_000, "d": 1_500, "h": 10_000, "min": 10_000, "mo": 120, "y": 100, "date": 0}
"The longest term that the city may say, by unit: longer ones would be counted day by day for every row of a page."


def wrong(known: Rules, said: Ruled) -> str:
    """Why the city cannot say this of a rule, or empty: the rule is known, and its term stays in its unit where it is paused or extended."""
    rule = next((one for one in known.rules if one.id == said.id), None)
    if rule is None:
        return "unknown_rule"
    try:
        units = ["date" if calendar.dated(one) else calendar.term(one)[1] for one in (rule.limit, said.limit)]
    except Invalid:
        return "bad_limit"
    if units[1] != "date" and calendar.term(said.limit)[0] > LONGEST[units[1]]:
        return "too_long"
    fixed = rule.pauses or rule.extension or rule.before
    return "other_unit" if (fixed and units[0] != units[1]) or ("date" in units and units[0] != units[1]) else ""


def read(data: bytes) -> Rules:
    """Rules from JSON; :class:`Invalid` for two of one id, limits that are no terms, and extensions in another unit."""
    try:
        found = msgspec.json.decode(data, type=Rules)
    except msgspec.DecodeError as e:
        raise Invalid(f"not a table of rules: {e}", code="rules") from None
    if len({rule.id for rule in found.rules}) != len(found.rules):
        raise Invalid("two rules have one id", code="rules")
    for rule in found.rules:
        unit = "date" if calendar.dated(rule.limit) else calendar.term(rule.limit)[1]
        if (rule.pauses or rule.extension) and unit not in ("wd", "d"):
            raise Invalid(f"{rule.id}: only terms in days are paused or extended", code="rules")
        if rule.extension and rule.extension.most and calendar.term(rule.extension.most)[1] != unit:
            raise Invalid(f"{rule.id}: the extension is counted in another unit than the limit", code="rules")
    return found


@cache
def rules() -> Rules:
    """The rules that this program brings along."""
    return read(_DATA.read_bytes())


@dataclass(frozen=True, kw_only=True)
class Event:
    """A fact that a clock hangs on."""

    at: dt.datetime
    "The anchored instant: the claimed time clamped into the interval that the line confirmed."
    ref: str = ""
    "Ref of the entry that says so."


@dataclass(frozen=True, kw_only=True)
class Suspension:
    """Time that does not count."""

    cause: str
    since: Event
    until: Event | None = None
    "None while it lasts."


@dataclass(frozen=True, kw_only=True)
class Extension:
    """A longer term that somebody granted."""

    by: str
    "How much, such as ``10wd``."
    granted: Event
    approver: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Restart:
    """The term began anew."""

    cause: str
    event: Event


@dataclass(frozen=True, kw_only=True)
class Clock:
    """A term that runs in a matter."""

    matter: str
    rule: str
    start: Event
    calendar: str = ""
    "Version of the calendar under which it was begun."
    law: int = 0
    "Version of the rules under which it was begun."
    suspensions: tuple[Suspension, ...] = ()
    extensions: tuple[Extension, ...] = ()
    restarts: tuple[Restart, ...] = ()
    met: Event | None = None

    @property
    def begun(self) -> Event:
        """The event from which the term is counted now."""
        return self.restarts[-1].event if self.restarts else self.start

    @property
    def suspended(self) -> bool:
        """Whether a pause lasts."""
        return any(pause.until is None for pause in self._since(self.suspensions))

    def _since(self, pauses: Iterable[Suspension]) -> list[Suspension]:
        return [pause for pause in pauses if pause.since.at >= self.begun.at]

    def pauses(self) -> list[Span]:
        """The pauses that are over, since the term began."""
        return [(pause.since.at, pause.until.at) for pause in self._since(self.suspensions) if pause.until is not None]

    def longer(self) -> list[Extension]:
        """The extensions since the term began."""
        return [one for one in self.extensions if one.granted.at >= self.begun.at]


def begin(matter: str, rule: str, start: Event, days: Workdays, *, law: Rules, earlier: Iterable[Clock] = ()) -> Clock:
    """A clock set going by an event; refused when the rule says once and ``earlier`` clocks of the matter have had it."""
    found = law.rule(rule, start.at)
    if found.once and any(clock.rule == rule and clock.matter == matter for clock in earlier):
        raise _no(_("{rule}：只能办理一次（{basis}）。"), found, found.basis, "once")
    clock = Clock(matter=matter, rule=rule, start=start, law=law.version)
    return replace(clock, calendar=_end(clock, found, days).calendar)


def due(clock: Clock, days: Workdays, *, law: Rules) -> Due | None:
    """When the clock ends, with every day it counts; None while it is paused, for then nobody can know."""
    return None if clock.suspended else _end(clock, law.rule(clock.rule, clock.begun.at), days)


def _end(clock: Clock, rule: Rule, days: Workdays) -> Due:
    if rule.before:
        return calendar.before(clock.begun.at, rule.limit, days)
    limit = rule.limit
    if clock.longer():
        terms = [calendar.term(limit), *(calendar.term(one.by) for one in clock.longer())]
        if len({unit for _count, unit in terms}) > 1:
            raise Invalid(f"{rule.id}: an extension was granted in another unit than {limit}", code="unit")
        limit = f"{sum(count for count, _unit in terms)}{terms[0][1]}"
    return calendar.due(clock.begun.at, limit, days, pauses=clock.pauses())


def state(clock: Clock, days: Workdays, *, law: Rules, now: dt.datetime) -> State:
    """How the clock stands at a moment."""
    if clock.met is not None:
        return State.MET
    end = due(clock, days, law=law)
    if end is None:
        return State.SUSPENDED
    return standing(clock.begun.at, end.at, now)


def standing(start: dt.datetime, end: dt.datetime, now: dt.datetime) -> State:
    """How a term that nobody has met stands at a moment: open, near or passed."""
    if now > end:
        return State.PASSED
    return State.NEAR if now >= end - max(min((end - start) / NEAR_SHARE, NEAR_MOST), NEAR_LEAST) else State.OPEN


def late(clock: Clock, days: Workdays, *, law: Rules) -> bool:
    """Whether what was to be done was done after the end."""
    end = due(clock, days, law=law)
    return clock.met is not None and end is not None and clock.met.at > end.at


def pause(clock: Clock, cause: str, since: Event, days: Workdays, *, law: Rules, told: bool = False) -> Clock:
    """The clock stopped for a cause that its rule knows; refused otherwise, and after the end."""
    rule = law.rule(clock.rule, clock.begun.at)
    allowed = next((one for one in rule.pauses if one.cause == cause), None)
    if allowed is None:
        raise _no(_("{rule}：不得因此中止计算期限（{basis}）。"), rule, _bases(rule.pauses, rule.basis), "no_pause")
    if allowed.tell and not told:
        raise _no(_("{rule}：所需时间应当书面告知申请人，才不计入期限（{basis}）。"), rule, allowed.basis, "not_told")
    _running(clock, rule, since, days)
    return replace(clock, suspensions=(*clock.suspensions, Suspension(cause=cause, since=since)))


def resume(clock: Clock, until: Event) -> Clock:
    """The clock runs again; :class:`Conflict` when it is not paused."""
    last = clock.suspensions[-1] if clock.suspensions else None
    if last is None or last.until is not None or not clock.suspended:
        raise Conflict(_("期限没有中止。"), code="not_paused")
    if until.at < last.since.at:
        raise Invalid(_("恢复计算的时间早于中止的时间。"), code="time_reversed")
    return replace(clock, suspensions=(*clock.suspensions[:-1], replace(last, until=until)))


def extend(clock: Clock, by: str, granted: Event, days: Workdays, *, law: Rules, approver: str, reason: str = "", told: bool = False) -> Clock:
    """The clock with a longer term, as far, as often and by whom its rule allows; ``approver`` is the part that the granting person plays."""
    rule = law.rule(clock.rule, clock.begun.at)
    allowed = rule.extension
    if allowed is None:
        raise _no(_("{rule}：不得延期（{basis}）。"), rule, rule.basis, "no_extension")
    if approver != allowed.approver:
        raise _no(_("{rule}：延期须经规定的负责人批准（{basis}）。"), rule, allowed.basis, "wrong_approver")
    _within(clock, rule, allowed, by)
    if allowed.tell and not (told and reason.strip()):
        raise _no(_("{rule}：延期应当告知申请人并说明理由（{basis}）。"), rule, allowed.basis, "not_told")
    _running(clock, rule, granted, days)
    return replace(clock, extensions=(*clock.extensions, Extension(by=by, granted=granted, approver=approver, reason=reason)))


def _within(clock: Clock, rule: Rule, allowed: Longer, by: str) -> None:
    count, unit = calendar.term(by)
    if unit != calendar.term(rule.limit)[1]:
        raise _no(_("{rule}：延期与期限须用同一种单位（{basis}）。"), rule, allowed.basis, "unit")
    if allowed.times and len(clock.longer()) >= allowed.times:
        raise _no(_("{rule}：已经延期过，不得再延（{basis}）。"), rule, allowed.basis, "extended")
    if allowed.most and count + sum(calendar.term(one.by)[0] for one in clock.longer()) > calendar.term(allowed.most)[0]:
        raise _no(_("{rule}：延期超过了上限（{basis}）。"), rule, allowed.basis, "too_long")


def restart(clock: Clock, cause: str, event: Event, *, law: Rules) -> Clock:
    """The term counted anew from an event; refused for a cause that its rule does not know."""
    rule = law.rule(clock.rule, clock.begun.at)
    if all(one.cause != cause for one in rule.restarts):
        raise _no(_("{rule}：不得重新计算期限（{basis}）。"), rule, _bases(rule.restarts, rule.basis), "no_restart")
    if clock.met is not None:
        raise Conflict(_("事项已经办结。"), code="met")
    if event.at < clock.begun.at:
        raise Invalid(_("重新计算的时间早于开始的时间。"), code="time_reversed")
    open_ = tuple(one if one.until is not None else replace(one, until=event) for one in clock.suspensions)
    return replace(clock, suspensions=open_, restarts=(*clock.restarts, Restart(cause=cause, event=event)))


def meet(clock: Clock, event: Event) -> Clock:
    """What was to be done is done; the first time counts."""
    return clock if clock.met is not None else replace(clock, met=event)


def _running(clock: Clock, rule: Rule, event: Event, days: Workdays) -> None:
    """Refuse what comes before the beginning, after the end, during a pause or when all is done."""
    if clock.met is not None:
        raise Conflict(_("事项已经办结。"), code="met")
    if clock.suspended:
        raise Conflict(_("期限已经中止。"), code="paused")
    if event.at < clock.begun.at or any(event.at < until for _since, until in clock.pauses()):
        raise Invalid(_("时间早于期限的开始或者恢复。"), code="time_reversed")
    if event.at > _end(clock, rule, days).at:
        raise _no(_("{rule}：期限已过，不得再中止或者延期（{basis}）。"), rule, rule.basis, "passed")


def _no(text: str, rule: Rule, basis: str, code: str) -> Refused:
    return Refused(text.format(rule=rule.name, basis=basis), code=code, rule=rule.id, basis=basis)


def _bases(causes: Iterable[Cause], otherwise: str) -> str:
    return "、".join(dict.fromkeys(one.basis for one in causes)) or otherwise


@dataclass(frozen=True, kw_only=True)
class Change:
    """What another law or calendar does to one running clock."""

    matter: str
    rule: str
    before: Due | None
    "None while paused, or where those rules cannot count it."
    after: Due | None
    state: tuple[State | None, State | None]
    "How it stands now, before and after; None where those rules do not know the rule, or not what was granted under it."


def what_if(clocks: Iterable[Clock], old: tuple[Rules, Workdays], new: tuple[Rules, Workdays], *, now: dt.datetime) -> list[Change]:
    """The clocks nobody has met whose end or state another law or calendar would change; exchanging ``old`` and ``new`` is the way back."""
    found = []
    for clock in clocks:
        if clock.met is not None:
            continue
        (before, stood), (after, stands) = (_standing(clock, *version, now) for version in (old, new))
        if (stood, _told(before)) != (stands, _told(after)):
            found.append(Change(matter=clock.matter, rule=clock.rule, before=before, after=after, state=(stood, stands)))
    return found


def _told(end: Due | None) -> tuple[dt.datetime, bool] | None:
    return (end.at, end.provisional) if end is not None else None


def _standing(clock: Clock, law: Rules, days: Workdays, now: dt.datetime) -> tuple[Due | None, State | None]:
    try:
        return due(clock, days, law=law), state(clock, days, law=law, now=now)
    except (Missing, Invalid):
        return None, None


def plain(end: Due, days: Workdays) -> dict[str, object]:
    """An end with all that somebody needs who counts again: each day, and the calendars of the years that were asked."""
    return {
        "due": end.at.isoformat(),
        "rule": end.rule,
        "calendar": end.calendar,
        "provisional": end.provisional,
        "missing": list(end.missing),
        "steps": [{"day": s.day.isoformat(), "what": s.what, "why": s.why, "count": s.count} for s in end.steps],
        "calendars": [_notice(days.years[year]) for year, version in calendar.versions(end.calendar) if version],
    }


def _notice(of: Calendar) -> dict[str, object]:
    off, worked = ([day.isoformat() for day in part] for part in (of.off, of.worked))
    return {"year": of.year, "version": of.version, "basis": of.basis, "off": off, "worked": worked}
