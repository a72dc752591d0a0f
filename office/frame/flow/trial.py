"""A trial: a made-up matter walked through a template by chosen acts, to see who would have it and until when.

What was chosen is kept in an address: words such as ``p:draft.1.0`` joined by commas, each an act on a seat. Nothing is written.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from node import clock
from node.errors import Invalid, NodeError
from office.frame.calendar import Workdays
from office.frame.flow import matter
from office.frame.flow.entries import Act, Countersigned, Holder, Opinion, Others, Passed, Recalled, Returned, Settled, Started
from office.frame.flow.state import Said, Seat, Sort, State
from office.frame.flow.template import Asks, Fact, Template, digest_of
from office.frame.flow.terms import Term, terms
from office.frame.words import _

LONGEST = 200
"Acts of a trial."
STARTER = "trial"
"The made-up drafter."
WORDS = {
    "p": _("办结本步"), "a": _("同意"), "c": _("修改后同意"), "d": _("不同意"), "s": _("裁定"), "r": _("退回上一步"),
    "b": _("退回起草"), "k": _("撤回"),
}  # fmt: skip
"What may be chosen, by its letter."


@dataclass(frozen=True)
class Choice:
    """Something that may be done next."""

    word: str
    seat: str
    chosen: str
    "All that is chosen when it is."

    @property
    def label(self) -> str:
        """The word on the button."""
        return WORDS[self.word]


@dataclass(frozen=True)
class Trial:
    """Where the made-up matter stands."""

    state: State
    chosen: tuple[str, ...]
    choices: tuple[Choice, ...]
    terms: tuple[Term, ...]

    def of(self, seat: str) -> list[Choice]:
        """What may be done with a seat."""
        return [one for one in self.choices if one.seat == seat]

    def until(self, seat: Seat) -> list[Term]:
        """The terms that run for a seat."""
        return [one for one in self.terms if one.round in ("", seat.round) and one.clock.met is None]


def walk(
    template: Template,
    chosen: str,
    *,
    organ: str,
    now: dt.datetime,
    days: Workdays,
    facts: Mapping[str, Fact] | None = None,
    parts: Mapping[str, tuple[Holder, ...]] | None = None,
) -> Trial:
    """Take the chosen acts, one a minute from ``now`` on; :class:`Invalid` for a word that cannot be taken."""
    words = tuple(filter(None, chosen.split(",")))
    if len(words) > LONGEST:
        raise Invalid(_("试走的步数太多。"), code="trial")
    start = Started("trial", organ, digest_of(template), "", dict(facts or {}), dict(parts or {}))
    state = matter.start(lambda _digest: template, _said(start, now, 0))
    for n, word in enumerate(words):
        state = matter.fold(lambda _digest: template, state, _said(_act(word), now, n + 1))
    choices = tuple(Choice(word, seat, ",".join((*words, f"{word}:{seat}"))) for word, seat in _possible(template, state, now, len(words)))
    return Trial(state, words, choices, tuple(terms("trial", state, days, now=now)))


def _said(act: Act, now: dt.datetime, n: int) -> Said:
    return Said(act, STARTER, "", clock.to_ms(now) + n * 60_000, (n + 1).to_bytes(32, "big"), "trial")


def _act(word: str) -> Act:
    letter, _colon, seat = word.partition(":")
    opinion = {"a": Opinion.AGREE, "c": Opinion.CHANGE, "d": Opinion.DISAGREE}.get(letter)
    text = str(WORDS.get(letter, ""))
    if opinion is not None:
        return Countersigned(seat, opinion, text)
    if letter == "r" or letter == "b":
        return Returned(seat, "previous" if letter == "r" else "drafter", text, Others.SUSPEND)
    if letter not in ("p", "s", "k"):
        raise Invalid(_("试走的步骤写得不对。"), code="trial")
    return Settled(seat, text) if letter == "s" else Recalled(seat) if letter == "k" else Passed(seat)


def _possible(template: Template, state: State, now: dt.datetime, n: int) -> Sequence[tuple[str, str]]:
    """What can be done to each seat; tried, so that nothing is offered that would be refused."""
    found = []
    for seat in state.live():
        asks = template.step(seat.step).asks
        main = "s" if seat.sort == Sort.SETTLE else "acd" if asks == Asks.COUNTERSIGN else "p"
        found += [(word, seat.id) for word in (*main, "r", "b")]
    last = state.trail[-1].seat.id if state.trail else ""
    return [pair for pair in [*found, *([("k", last)] if last else [])] if _goes(template, state, pair, now, n)]


def _goes(template: Template, state: State, pair: tuple[str, str], now: dt.datetime, n: int) -> bool:
    try:
        matter.fold(lambda _digest: template, state, _said(_act(":".join(pair)), now, n + 1))
    except NodeError:
        return False
    return True
