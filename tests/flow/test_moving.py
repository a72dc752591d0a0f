"""Running matters: moved to another version and back, where they lie and how long, their clocks counted."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from node.clock import from_ms
from node.codec import pack
from node.errors import NodeError
from office.frame import clocks
from office.frame.calendar import Workdays
from office.frame.flow import entries as said
from office.frame.flow import lying, migrate, terms, trial
from office.frame.flow.migrate import Preview
from office.frame.flow.state import Said, State
from office.frame.flow.template import Name, Template, Way, digest_of
from tests.flow.play import COUNTERSIGN, UNITS, Play, random_matters, shipped_for, task, template

DAYS = Workdays.published()
NEXT = msgspec.structs.replace(COUNTERSIGN, version=2, steps=(*COUNTERSIGN.steps[:2], task("release", "")))
"The countersign flow with its last step under another id."


def moved(play: Play, to: Template, **instead: str) -> State:
    """Carry a matter over."""
    play.others[digest_of(to)] = to
    found = migrate.preview(play.template, to, play.now, instead)
    assert not found.why, found.why
    return play.do(found.act(to, "新办法施行"))


@pytest.mark.row("C5")
def test_a_thousand_running_matters_change_their_flow_in_a_day_and_back() -> None:
    """Each keeps its seats and opinions under the new version; taking it back leaves it as it was, to the byte but for the two acts."""
    carried = 0
    for play in random_matters(11, 6_000):
        to = msgspec.structs.replace(play.template, version=2, name=Name("新版"))
        found = migrate.preview(play.template, to, play.now)
        if found.why or play.now.suspended:
            continue
        before = play.now
        after = moved(play, to)
        assert after.seats == before.seats and after.template == digest_of(to)
        back = migrate.undo(after, after.last, play.template, "撤销")
        assert isinstance(back, said.Migrated)
        again = play.do(back)
        same = {"acts": before.acts, "last": before.last, "touched": before.touched}
        assert pack(msgspec.structs.replace(again, **same)) == pack(before)
        carried += 1
    assert carried > 50


@pytest.mark.row("C5")
def test_a_step_that_is_gone_needs_one_in_its_place() -> None:
    """Without one the preview says so and the act is refused; with one the matter lies there and goes on from there."""
    play = Play.begin(COUNTERSIGN, parts={"units": UNITS[:1]})
    play.do(said.Passed("draft.1.0"))
    play.do(said.Countersigned("sign.1.0", said.Opinion.AGREE))
    assert "issue" in migrate.preview(COUNTERSIGN, NEXT, play.now).why
    play.others[digest_of(NEXT)] = NEXT
    with pytest.raises(NodeError):
        play.do(said.Migrated(digest_of(NEXT), {}, "试"))
    state = moved(play, NEXT, issue="release")
    assert [seat.step for seat in state.live()] == ["release"]
    assert play.do(said.Passed(state.live()[0].id)).end == "closed"


def test_a_matter_in_the_midst_of_a_return_is_left_alone() -> None:
    """Its branches are yet to be walked; it is moved when it has come back. After another act a move cannot be undone."""
    play = Play.begin(COUNTERSIGN, parts={"units": UNITS[:3]})
    play.do(said.Passed("draft.1.0"))
    play.do(said.Returned("sign.1.0", "drafter", "改"))
    assert migrate.preview(COUNTERSIGN, NEXT, play.now).why
    play.do(said.Passed("draft.2.0"))
    state = moved(play, msgspec.structs.replace(COUNTERSIGN, version=3))
    act = state.last
    play.do(said.Countersigned("sign.1.1", said.Opinion.AGREE))
    assert isinstance(migrate.undo(play.now, act, COUNTERSIGN, "撤销"), Preview)


@pytest.mark.row("C10")
def test_where_matters_lie_and_how_long_is_told_by_step() -> None:
    """p50 and p95 of the days at each step, what lies there now and since when; nobody's name is in it."""
    of = template(task("a", "b"), task("b", ""))
    states = []
    for days in range(1, 21):
        play = Play.begin(of)
        play.take(Said(said.Passed("a.1.0"), "li", "", 1000 + days * lying.DAY, bytes(32), "r"))
        states.append(play.now)
    first, second = lying.lying(of, states)
    assert (first.done, first.p50, first.p95, first.now) == (20, 10, 19, 0)
    assert (second.done, second.now, second.oldest) == (0, 20, 1000 + lying.DAY)
    assert "li" not in [str(value) for one in (first, second) for value in (one.step, one.name, one.done, one.now)]


@pytest.mark.row("C4")
def test_clocks_of_a_matter_are_counted_by_rule_and_calendar() -> None:
    """A term of 20 working days that stood still for a supplement and was extended ends on the day that the rule says."""
    play = Play(template(task("handle", "", term="permit.decide")))
    start = dt.datetime(2026, 3, 2, 2, tzinfo=dt.UTC)

    def at(act: said.Act, day: int) -> None:
        when = int((start + dt.timedelta(days=day)).timestamp() * 1000)
        play.take(Said(act, "li", "", when, bytes([day + 1]) * 32, "record"))

    at(said.Started("test", "gov", digest_of(play.template)), 0)
    plain = terms.terms("record", play.now, DAYS, now=from_ms(play.now.touched))[0]
    assert plain.due is not None and plain.due.at.date().isoformat() == "2026-03-30" and plain.state == clocks.State.OPEN
    cause = clocks.rules().rule("permit.decide").pauses[0].cause
    stops = terms.stoppable("record", play.now, cause, DAYS, now=start)
    assert stops == ("permit.decide",)
    at(said.Suspended("听证", cause, stops), 1)
    assert terms.terms("record", play.now, DAYS, now=start)[0].state == clocks.State.SUSPENDED
    at(said.Resumed(), 8)
    asked = {"now": start + dt.timedelta(days=9), "reason": "复杂", "told": True}
    terms.extension("record", play.now, "permit.decide", "10wd", DAYS, approver="organ_head", **asked)  # type: ignore[arg-type]
    at(said.Extended("permit.decide", "10wd", "organ_head", "复杂", told=True), 9)
    longer = terms.terms("record", play.now, DAYS, now=start)[0]
    assert longer.due is not None and longer.due.at > plain.due.at + dt.timedelta(days=19)
    at(said.Passed("handle.1.0"), 10)
    assert terms.terms("record", play.now, DAYS, now=start)[0].state == clocks.State.MET


def test_a_trial_offers_only_what_can_be_done() -> None:
    """Every choice of every trial can be taken; walking at random comes to the end."""
    of = shipped_for("documents.outgoing")
    about = {"organ": "gov", "now": dt.datetime(2026, 3, 2, tzinfo=dt.UTC), "days": DAYS}
    found = trial.walk(of, "", **about, facts={"normative": True})  # type: ignore[arg-type]
    for _ in range(40):
        for choice in found.choices:
            trial.walk(of, choice.chosen, **about, facts={"normative": True})  # type: ignore[arg-type]
        if found.state.ended:
            break
        found = trial.walk(of, found.choices[0].chosen, **about, facts={"normative": True})  # type: ignore[arg-type]
    assert found.state.end == "closed"


def test_a_way_back_is_refused_without_where_to() -> None:
    """A way with a condition that nothing fulfils goes otherwise, and the other way is never walked."""
    of = template(task("a", Way("b", "disagreed > 0"), Way("")), task("b", ""))
    assert Play.begin(of).do(said.Passed("a.1.0")).end == "closed"
